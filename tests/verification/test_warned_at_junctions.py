"""Warned drivers at a junction with lights: reds that nobody looks at, and greens to meet.

Runs differ in what is known alone (``information.knowledge``). One unit at the junction tells MAP
and SPAT; the lights follow one clock, and the yellow is over at 30 s of each minute for east and
west, and at 60 s for north and south.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.reactions import Action
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

#: Edges towards the junction of ``synthetic: junction``, and where each leads straight on; those of
#: east and west first.
INTO = (0, 4, 2, 6)
ROAD = (
    ("warmup_s", "0"),
    ("duration_s", "40"),
    ("seed", "2"),
    ("pedestrians.n_pedestrians", "0"),
    ("traffic.n_vehicles", "20"),
    ("access.vru_selection", "full"),
    ("roadside.placement", "junctions"),
    ("services.roadside.rsm_ms", "0"),
    ("records.trajectory_period_s", "0.1"),
)
#: Nobody looks at the lights.
BLIND = (("signals.type", "axes"), ("signals.runner_share", "1.0"), ("warnings.rlvw", "{}"))
EYES = (("signals.type", "axes"), ("warnings.glosa", "{}"))


@cache
def run(knowledge: str, *more: tuple[str, str]) -> RunRecords:
    return simulate(
        load_scenario("vru_crossing", [*ROAD, *more, ("information.knowledge", knowledge)])
    )


def passages(
    records: RunRecords,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return when vehicles left which road into the junction, and whether not to the right."""
    table = records.tables["trajectories"]
    order = np.lexsort((table["time_s"], table["id"]))
    who, when, edge = (table[name][order] for name in ("id", "time_s", "edge"))
    at = np.flatnonzero((who[1:] == who[:-1]) & (edge[1:] != edge[:-1]) & np.isin(edge[:-1], INTO))
    right = edge[at + 1] == (np.asarray(edge[at]) + 3) % 8
    return when[at], edge[at], np.asarray(~right)


def n_at_red(records: RunRecords) -> int:
    """Return how many passed the junction at red, other than to the right."""
    when, edge, crosses = passages(records)
    minute = when % 60.0
    # A second for those who were over the line before red.
    red = np.where(np.isin(edge, INTO[:2]), minute >= 31.0, (minute < 30.0) & (minute >= 1.0))
    return int((red & crosses).sum())


def n_stops(records: RunRecords) -> int:
    """Return how many vehicles stopped on a road into the junction."""
    table = records.tables["trajectories"]
    stands = (table["speed_mps"] < 0.5) & np.isin(table["edge"], INTO)
    return len(np.unique(table["id"][stands]))


def test_who_is_warned_of_red_stops() -> None:
    """Three pass at red without messages, none with RLVW; it asks who brakes in time."""
    assert n_at_red(run("none", *BLIND)) == 3
    warned = run("messages", *BLIND)
    assert n_at_red(warned) == 0
    table = warned.tables["warnings"]
    assert (table["action"] == Action.BRAKE).sum() >= 3
    assert (table["other_id"] == -1).all()
    assert (table["subject"] == 0).all()
    assert ((table["age_s"] >= 0.0) & (table["age_s"] <= 1.0)).all()


def test_advised_drivers_stop_less() -> None:
    """Seven stop before the lights without messages, five with GLOSA; as many pass."""
    without, advised = run("none", *EYES), run("messages", *EYES)
    assert n_stops(without) == 7
    assert n_stops(advised) <= 5
    assert len(passages(advised)[0]) == len(passages(without)[0])
    assert (advised.tables["warnings"]["action"] == Action.SLOW).any()


def test_people_who_jaywalk_are_warned_of() -> None:
    """Everybody knows of everybody; each alert is about somebody who crosses."""
    walkers = (
        ("crossings.rate_per_h", "400"),
        ("crossings.jaywalker_share", "1.0"),
        ("crossings.jaywalker_margin_s", "-1.5"),
        ("warnings.vrucw", "{}"),
    )
    table = run("perfect", *walkers, ("duration_s", "25")).tables["warnings"]
    assert len(table["warning"]) >= 1
    assert (table["other_id"] > 1 << 31).all()
    assert not table["other_deck"].any()
