"""Three twins that differ in what is known share traffic, radio and the draws of drivers.

Until the first alert is acted upon, a run without information, one with messages and one in which
everybody knows everything are the same run, byte for byte; where nobody follows an alert they stay
the same to the end. 30 vehicles on 1.5 km in fog, and one that breaks down after 2 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState
from v2x.perception.board import Board
from v2x.perception.information import Knowledge
from v2x.perception.ldm import Known
from v2x.perception.states import States
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario
from v2x.sim.services.knowledge import KnowledgeBase

ROAD = (
    ("warmup_s", "0"),
    ("duration_s", "9"),
    ("world.length_m", "1500"),
    ("world.wrap", "false"),
    ("world.directions", "1"),
    ("world.lanes_per_direction", "2"),
    ("world.limit_kmh", "100"),
    ("traffic.type", "routed"),
    ("traffic.density_per_km", "null"),
    ("traffic.n_vehicles", "30"),
    ("drivers.type", "human"),
    ("drivers.sight_trust", "2.5"),
    ("weather.visibility_m", "60"),
    ("hazard.type", "stopped-vehicle"),
    ("hazard.structure", "road"),
    ("hazard.into_m", "900"),
    ("hazard.from_s", "2"),
    ("records.trajectory_period_s", "0.1"),
    ("warnings.fcw", "{}"),
    ("warnings.ebw", "{}"),
    ("warnings.avw", "{}"),
)
#: Rows of these tables say when they belong to.
TIMES = {"trajectories": ("time_s", 1.0), "packets": ("generated_us", 1e-6)}
NOBODY_FOLLOWS = ("reactions.compliance", "0")
TWINS = tuple(item.value for item in Knowledge)

Table = Mapping[str, NDArray[Any]]


@cache
def run(knowledge: str, *more: tuple[str, str]) -> RunRecords:
    told = ("information.knowledge", knowledge)
    return simulate(load_scenario("highway_3gpp", [*ROAD, told, *more]))


def before(records: RunRecords, name: str, time_s: float) -> dict[str, bytes]:
    """Return the columns of the rows of a table before a time."""
    column, unit_s = TIMES[name]
    table = records.tables[name]
    rows = table[column] * unit_s < time_s
    return {key: values[rows].tobytes() for key, values in table.items()}


def different(one: RunRecords, other: RunRecords) -> set[str]:
    """Return the names of the tables that are not the same, byte for byte."""
    assert one.tables.keys() == other.tables.keys()
    return {
        name
        for name, table in one.tables.items()
        if any(table[key].tobytes() != other.tables[name][key].tobytes() for key in table)
    }


def first_brake_s(records: RunRecords) -> float:
    """Return when anybody is asked for anything first."""
    table = records.tables["warnings"]
    return float(table["begin_s"].min())


@pytest.mark.parametrize("knowledge", ["messages", "perfect"])
def test_twins_are_the_same_run_until_somebody_is_told_something(knowledge: str) -> None:
    without, informed = run("none"), run(knowledge)
    first_s = first_brake_s(informed)
    for name in TIMES:
        assert before(without, name, first_s + 0.1) == before(informed, name, first_s + 0.1)
    assert different(without, informed) >= {"trajectories", "warnings"}


@pytest.mark.parametrize("knowledge", ["messages", "perfect"])
def test_twins_stay_the_same_run_where_nobody_follows(knowledge: str) -> None:
    without, informed = run("none", NOBODY_FOLLOWS), run(knowledge, NOBODY_FOLLOWS)
    assert len(informed.tables["warnings"]["warning"]) > 5
    assert different(without, informed) == {"warnings"}


def test_the_baseline_uses_nothing() -> None:
    """Neither who would follow an alert nor how fast makes a difference to it."""
    without = run("none")
    assert len(without.tables["warnings"]["warning"]) == 0
    assert different(without, run("none", NOBODY_FOLLOWS)) == set()
    assert different(without, run("none", ("reactions.automated_share", "1"))) == set()


def test_services_of_the_baseline_speak_and_move_nobody() -> None:
    """They load the air as in the twin in which nobody follows, and act in neither."""
    speak = (("services.denm", "{}"), ("services.cooperative-perception", "{}"))
    without, informed = run("none", *speak), run("messages", *speak, NOBODY_FOLLOWS)
    assert (without.tables["packets"]["topic"] > 0).any()
    assert different(without, informed) <= {"warnings"}


@pytest.mark.parametrize("service", ["platooning", "lane-change", "merging"])
def test_services_that_drive_do_not_in_the_baseline(service: str) -> None:
    short = ("duration_s", "4")
    assert "trajectories" not in different(
        run("none", short), run("none", short, (f"services.{service}", "{}"))
    )


def test_devices_that_nobody_has_are_as_if_nobody_used_them() -> None:
    """The same motion and the same dangers; what differs is that nothing is on the air."""
    without, unequipped = run("none"), run("messages", ("information.equipped", "0"))
    assert len(unequipped.tables["packets"]["packet"]) == 0
    assert len(unequipped.tables["warnings"]["warning"]) == 0
    assert not unequipped.tables["devices"]["equipped"].any()
    for name in ("trajectories", "conflicts", "safety", "exposure"):
        assert name not in different(without, unequipped)


def test_who_has_no_device_says_and_is_told_nothing() -> None:
    some = run("messages", ("information.equipped", "0.5"))
    devices, warnings = some.tables["devices"], some.tables["warnings"]
    equipped = set(devices["id"][devices["equipped"]].tolist())
    assert 0 < len(equipped) < len(devices["id"])
    assert set(some.tables["packets"]["tx_id"].tolist()) <= equipped
    assert len(warnings["warning"]) > 0
    assert set(warnings["vehicle_id"].tolist()) <= equipped
    assert set(warnings["other_id"].tolist()) <= equipped


def test_runs_repeat_byte_for_byte_alone_and_among_replications() -> None:
    alone = run("messages")
    again = simulate(load_scenario("highway_3gpp", [*ROAD, ("information.knowledge", "messages")]))
    assert different(alone, again) == set()
    several = run("messages", ("replications", "2"))
    for name, table in alone.tables.items():
        first = several.tables[name]["replication"] == 0
        for key, values in table.items():
            assert several.tables[name][key][first].tobytes() == values.tobytes(), (name, key)


def pairs_known(
    knowledge: str, monkeypatch: pytest.MonkeyPatch, *more: tuple[str, str]
) -> set[tuple[int, int, int]]:
    """Return who knows of whom when in a run in which nobody follows: time, host and remote."""
    found: set[tuple[int, int, int]] = set()
    known = KnowledgeBase.known

    def noted(
        base: KnowledgeBase, fleet: FleetState, own: States, board: Board, equipped: NDArray[Any]
    ) -> Known:
        answer = known(base, fleet, own, board, equipped)
        time_us = [fleet.time_us] * len(answer)
        found.update(zip(time_us, answer.host.tolist(), answer.remote.tolist(), strict=True))
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(KnowledgeBase, "known", noted)
        run.__wrapped__(knowledge, NOBODY_FOLLOWS, ("duration_s", "4"), *more)
    return found


def test_who_knows_everything_knows_whatever_messages_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    by_messages = pairs_known("messages", monkeypatch)
    perfect = pairs_known("perfect", monkeypatch)
    assert by_messages < perfect
    assert len(by_messages) > 0.5 * len(perfect)


def messages_held(
    knowledge: str, monkeypatch: pytest.MonkeyPatch, range_m: str
) -> set[tuple[int, int, int]]:
    """Return which message who has: sender, time of generation and receiver."""
    found: set[tuple[int, int, int]] = set()
    take = Board.take

    def noted(board: Board, *said: Any) -> None:
        _, sender, _, generated_us, _, receivers, _ = said
        new = {(sender, generated_us, row) for row in receivers.tolist()}
        assert not new & found, "each message reaches everybody once"
        found.update(new)
        take(board, *said)

    more = (
        ("services.cooperative-perception", "{}"),
        ("sensors.type", "onboard"),
        ("duration_s", "3"),
    )
    with monkeypatch.context() as patch:
        patch.setattr(Board, "take", noted)
        run.__wrapped__(knowledge, NOBODY_FOLLOWS, ("information.range_m", range_m), *more)
    return found


def test_who_knows_everything_has_every_message_that_radio_brings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also those from farther away than others are of interest."""
    by_radio = messages_held("messages", monkeypatch, "60")
    assert len(by_radio) > 100
    # What is said in the last tick arrives in no later one.
    assert by_radio <= messages_held("perfect", monkeypatch, "60")


def test_the_warm_up_moves_nobody_and_hides_only_what_begins_in_it() -> None:
    without, warm = run("messages"), run("messages", ("warmup_s", "3"))
    table, later = without.tables["warnings"], warm.tables["warnings"]
    kept = table["begin_s"] >= 3.0
    assert 0 < kept.sum() < len(kept)
    for key in ("begin_s", "end_s", "vehicle_id", "other_id", "stage", "generated_us"):
        np.testing.assert_array_equal(later[key], table[key][kept])
