"""Which air a scenario gets, and what it says of itself."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.metrics.latency import deliveries
from v2x.metrics.summary import summarise
from v2x.records.tables import Direction, Outcome, RunRecords
from v2x.scenario.assemble import assemble, load_road_map, simulate
from v2x.scenario.schema import load_scenario
from v2x.sim.contention import UnslottedMedium
from v2x.sim.medium import Medium

SHORT = (("duration_s", "2"), ("warmup_s", "1"), ("traffic.density_per_km", "40"))


def run(*changes: tuple[str, str], name: str = "highway_3gpp") -> RunRecords:
    return simulate(load_scenario(name, [("access.type", "ieee80211p"), *SHORT, *changes]))


def test_the_parameters_choose() -> None:
    for name, medium in (("lte-mode4", Medium), ("ieee80211p", UnslottedMedium)):
        scenario = load_scenario("highway_3gpp", [("access.type", name)])
        parts = assemble(scenario, load_road_map(scenario)).parts
        assert type(parts.medium) is medium
        assert (parts.access is None) == (parts.history is None) == (name == "ieee80211p")


def test_latency_has_the_time_on_air_of_each_size() -> None:
    """300 and 190 bytes, one to four: 496 and 352 µs, which the fact says too."""
    records = run()
    assert records.facts["air_us"] == {"190": 352, "300": 496}
    assert records.facts["slot_us"] == 1
    found = deliveries(records)
    assert set(np.unique(found.air_ms)) == {0.352, 0.496}
    summary = summarise(records, scenario_name="x", seed=1)
    assert 0.36 < summary["latency_ms"]["parts"]["air"] < 0.40
    assert summary["latency_ms"]["mean"] < 2.5 + 0.5 + 0.2


def test_every_table_is_filled_as_ever() -> None:
    records = run(("congestion.type", "etsi-dcc-adaptive"), ("records.awareness_period_s", "0.5"))
    for name in ("links", "packets", "freshness", "load", "congestion", "awareness"):
        assert len(next(iter(records.tables[name].values()))) > 0, name
    packets = records.tables["packets"]
    assert np.all(packets["n_attempts"] == 1)
    assert np.array_equal(packets["n_received"], packets["n_received_first"])
    links = records.tables["links"]
    received = links["n"][links["outcome"] == Outcome.RECEIVED].sum()
    assert received == packets["n_received"].sum()


def test_others_may_say_more_than_vehicles_where_there_are_no_grants() -> None:
    """Roadside units send faster and longer messages than vehicles; a frame is the only limit."""
    units = (("roadside.placement", "spacing"), ("roadside.rate_hz", "20"))
    records = run(*units, ("roadside.size_bytes", "400"))
    assert records.facts["air_us"]["400"] == 632
    with pytest.raises(V2XError, match=r"roadside\.size_bytes: .*4095"):
        run(*units, ("roadside.size_bytes", "4200"))


def test_keys_of_others_are_refused() -> None:
    with pytest.raises(V2XError, match=r"access\.t2_ms: unknown key; it is a key of type"):
        load_scenario("highway_3gpp", [("access.type", "ieee80211p"), ("access.t2_ms", "20")])


@pytest.mark.parametrize("access", ["ieee80211p", "lte-mode4"])
def test_an_unknown_error_curve_names_the_key(access: str) -> None:
    scenario = load_scenario("highway_3gpp", [("access.type", access), ("phy.error_curve", "nope")])
    with pytest.raises(V2XError, match=r"^phy\.error_curve: unknown error curve"):
        assemble(scenario, load_road_map(scenario))


def test_who_speaks_to_some_is_refused() -> None:
    scenario = load_scenario(
        "highway_3gpp", [("access.type", "ieee80211p"), ("messages.cast", "unicast")]
    )
    with pytest.raises(V2XError, match="only broadcasts") as caught:
        assemble(scenario, load_road_map(scenario))
    assert caught.value.key == "messages.cast"
    assert "set it to broadcast" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("key", "changes"),
    [("messages.size_bytes", ()), ("events.size_bytes", (("events.type", "poisson"),))],
)
def test_messages_longer_than_a_frame_are_refused(
    key: str, changes: tuple[tuple[str, str], ...]
) -> None:
    """4057 bytes and 38 of headers are the most that SIGNAL can announce."""

    def prepare(size_bytes: int) -> None:
        scenario = load_scenario(
            "highway_3gpp",
            [("access.type", "ieee80211p"), *SHORT, *changes, (key, str(size_bytes))],
        )
        assemble(scenario, load_road_map(scenario))

    prepare(4057)
    with pytest.raises(V2XError, match="4096 bytes with all headers") as caught:
        prepare(4058)
    assert caught.value.key == key


def test_roadside_units_speak_and_hear() -> None:
    records = run(
        ("roadside.placement", "spacing"), ("roadside.spacing_m", "500"), ("roadside.rate_hz", "10")
    )
    links = records.tables["links"]
    received = links["outcome"] == Outcome.RECEIVED
    for direction in (Direction.V2V, Direction.V2I, Direction.I2V):
        assert links["n"][received & (links["direction"] == direction)].sum() > 100
