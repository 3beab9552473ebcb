"""Short runs of whole scenarios with one service."""

from __future__ import annotations

from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

#: A one-way road of 1 km without an end effect that matters, and an air of 300 m.
ROAD = {
    "warmup_s": "0",
    "world.length_m": "1000",
    "world.wrap": "false",
    "world.directions": "1",
    "traffic.type": "routed",
    "traffic.density_per_km": "15",
    "records.max_distance_m": "300",
    "records.awareness_range_m": "300",
    "channel.interaction_range_m": "320",
    "information.range_m": "300",
}


def short_run(service: str, **changes: str) -> RunRecords:
    """Return the records of a run; keys of the service begin with an underscore."""
    own = {
        f"services.{service}.{name[1:]}": value
        for name, value in changes.items()
        if name.startswith("_")
    }
    rest = {
        name.replace("__", "."): value
        for name, value in changes.items()
        if not name.startswith("_")
    }
    keys = ROAD | rest | {f"services.{service}": ""} | own
    if keys.get("world.synthetic", "highway") != "highway":
        for name in ("world.length_m", "world.wrap", "world.directions"):
            del keys[name]
    return simulate(load_scenario("highway_3gpp", list(keys.items())))
