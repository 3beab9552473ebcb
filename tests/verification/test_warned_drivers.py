"""Warned drivers on a road in fog: what received messages change against the same traffic without.

Two lanes, 3 km, 100 km/h, fog of 60 m in which people drive for 2.5 times what they see, and a
vehicle that breaks down at 2 km. Runs differ in what is known alone (``information.knowledge``).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from v2x.mobility.reactions import Action
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

ROAD = (
    ("warmup_s", "0"),
    ("world.length_m", "3000"),
    ("world.wrap", "false"),
    ("world.directions", "1"),
    ("world.lanes_per_direction", "2"),
    ("world.limit_kmh", "100"),
    ("traffic.type", "routed"),
    ("traffic.density_per_km", "null"),
)
FOG = (
    ("duration_s", "60"),
    ("traffic.n_vehicles", "50"),
    ("drivers.type", "human"),
    ("drivers.sight_trust", "2.5"),
    ("weather.visibility_m", "60"),
    ("hazard.type", "stopped-vehicle"),
    ("hazard.structure", "road"),
    ("hazard.into_m", "2000"),
    ("hazard.from_s", "15"),
)
REAR_END = ("fcw", "ebw")
ALL = ("fcw", "ebw", "avw", "clw")


def run(warnings: tuple[str, ...], *more: tuple[str, str]) -> RunRecords:
    named = [(f"warnings.{name}", "{}") for name in warnings]
    return simulate(load_scenario("highway_3gpp", [*ROAD, *more, *named]))


@cache
def in_fog(seed: int, knowledge: str, warnings: tuple[str, ...]) -> RunRecords:
    return run(warnings, *FOG, ("seed", str(seed)), ("information.knowledge", knowledge))


def n_collisions(records: RunRecords) -> int:
    return int(records.tables["conflicts"]["collision"].sum())


def test_rear_end_warnings_prevent_collisions() -> None:
    """12 without messages, 7 with FCW and EBW, none with AVW and CLW besides."""
    without = n_collisions(in_fog(1, "none", REAR_END))
    assert without >= 8
    assert n_collisions(in_fog(1, "messages", REAR_END)) < 0.75 * without
    assert n_collisions(in_fog(1, "messages", ALL)) <= 1


@pytest.mark.slow
def test_rear_end_warnings_prevent_collisions_on_average() -> None:
    """Seeds 1 to 3: 32 without messages, 14 with FCW and EBW, none with all four."""
    seeds = (1, 2, 3)
    without, some, all_four = (
        sum(n_collisions(in_fog(seed, knowledge, warnings)) for seed in seeds)
        for knowledge, warnings in (("none", REAR_END), ("messages", REAR_END), ("messages", ALL))
    )
    assert some < 0.6 * without
    assert all_four < 0.1 * without


def test_nobody_is_warned_where_nobody_knows() -> None:
    assert len(in_fog(1, "none", REAR_END).tables["warnings"]["warning"]) == 0


def test_alerts_of_the_run_are_what_they_say() -> None:
    """Each sort is there; those that ask for braking came when there was something ahead."""
    table = in_fog(1, "messages", ALL).tables["warnings"]
    assert set(table["application"].tolist()) >= {0, 1, 2}
    braking = table["action"] == Action.BRAKE
    assert braking.any()
    assert (table["distance_m"][braking] > -5.0).all()
    assert (table["age_s"] >= 0.0).all()
    assert (table["age_s"] <= 1.0).all()
    assert not table["other_deck"].any()


def test_the_table_shows_control_loss_on_ice() -> None:
    ice = (("hazard.type", "slippery"), ("hazard.structure", "road"), ("hazard.into_m", "1500"))
    deep = (("hazard.length_m", "1000"), ("hazard.friction", "0.1"), ("drivers.type", "human"))
    some = (("duration_s", "8"), ("traffic.n_vehicles", "40"))
    table = run(("clw",), *ice, *deep, *some).tables["warnings"]
    assert len(table["warning"]) > 5
    assert set(table["action"].tolist()) >= {Action.SLOW, Action.KEEP_LANE}


def test_the_table_shows_who_gives_way() -> None:
    some = (("duration_s", "10"), ("traffic.n_vehicles", "120"))
    duty = (("emergency.n_vehicles", "2"), ("emergency.hearing_m", "0"))
    table = run(("evw",), *some, *duty).tables["warnings"]
    assert len(table["warning"]) > 0
    assert len(np.unique(table["other_id"])) <= 3
    assert set(table["action"].tolist()) == {Action.KEEP_LANE, Action.CHANGE_LANE}
