"""Alerts begin when raised, stand while their condition holds, and end a second after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.perception.roads import BRIDGE, WEST, fork_map, on_roads, pair_of, scene_of
from v2x.applications.warnings.base import Judgement, Stage, nobody, of_pairs
from v2x.mobility.fleet import NodeKind
from v2x.mobility.reactions import Action
from v2x.perception.scene import Scene
from v2x.sim.services.alerts import HOLD_US, AlertBook

ROAD = fork_map()


def scene_at(time_us: int, **columns: Any) -> Scene:
    fleet = on_roads(ROAD, [WEST, WEST], [100.0, 150.0], time_us=time_us, **columns)
    return scene_of(fleet, ROAD, ages_us=40_000 if time_us else 0)


def about(scene: Scene, *, raised: bool = True, stage: int = Stage.WARN) -> Judgement:
    """Return that row 0 is to brake because of row 1."""
    return of_pairs(
        scene,
        np.array([pair_of(scene, 0, 1)]),
        raised=np.array([raised]),
        stage=stage,
        action=Action.BRAKE,
        value=3.0,
        distance_m=45.0,
        closing_mps=15.0,
        needed_m=30.0,
    )


def test_an_alert_begins_only_when_raised_and_goes_on_without() -> None:
    book = AlertBook(1, 0)
    book.observe(0, scene_at(0), about(scene_at(0), raised=False))
    assert book.demands(2).n_demands == 0
    book.observe(0, scene_at(100_000), about(scene_at(100_000)))
    book.observe(0, scene_at(200_000), about(scene_at(200_000), raised=False))
    table = book.table(200_000)
    assert table["begin_s"].tolist() == [0.1]
    assert table["end_s"].tolist() == [0.2]


def test_it_stands_for_a_second_after_its_condition_has_gone() -> None:
    book = AlertBook(1, 0)
    book.observe(0, scene_at(0), about(scene_at(0)))
    book.observe(0, scene_at(HOLD_US), nobody())
    assert book.demands(2).row.tolist() == [0]
    book.observe(0, scene_at(HOLD_US + 100_000), nobody())
    assert book.demands(2).n_demands == 0
    assert book.table(5_000_000)["end_s"].tolist() == [0.0]


def test_one_that_comes_back_within_the_second_is_the_same() -> None:
    book = AlertBook(1, 0)
    for time_us, there in ((0, True), (500_000, False), (900_000, True), (2_500_000, True)):
        scene = scene_at(time_us)
        book.observe(0, scene, about(scene) if there else nobody())
    # By 2.5 s the first has been gone for longer than a second, but nobody asked in between.
    assert len(book.table(3_000_000)["warning"]) == 1


def test_what_it_rests_on_is_recorded_at_its_beginning() -> None:
    book, scene = AlertBook(3, 0), scene_at(300_000, speed_mps=[20.0, 5.0])
    book.observe(2, scene, about(scene))
    later = scene_at(400_000)
    book.observe(2, later, about(later, stage=Stage.IMMINENT))
    row = {name: values[0] for name, values in book.table(400_000).items()}
    assert (row["application"], row["vehicle_id"], row["other_id"]) == (2, 0, 1)
    assert (row["first_stage"], row["stage"]) == (Stage.WARN, Stage.IMMINENT)
    assert row["speed_mps"] == 20.0
    assert row["lead_s"] == pytest.approx(3.0)
    assert row["needed_m"] == 30.0
    assert row["age_s"] == pytest.approx(0.04)
    assert row["generated_us"] == 260_000
    assert not row["other_deck"]


def test_alerts_of_the_warm_up_ask_but_are_not_recorded() -> None:
    book = AlertBook(1, 1_000_000)
    scene = scene_at(900_000)
    book.observe(0, scene, about(scene))
    assert book.demands(2).value.tolist() == [3.0]
    assert len(book.table(2_000_000)["warning"]) == 0


def test_the_alerts_of_who_leaves_end() -> None:
    book, scene = AlertBook(1, 0), scene_at(0)
    book.observe(0, scene, about(scene))
    book.forget(np.array([False, True]), 100_000)
    assert book.demands(2).n_demands == 1
    book.forget(np.array([True, False]), 100_000)
    assert book.demands(2).n_demands == 0


def test_rows_that_nobody_controls_are_not_asked() -> None:
    book, scene = AlertBook(1, 0), scene_at(0)
    book.observe(0, scene, about(scene))
    assert book.demands(0).n_demands == 0


@pytest.mark.parametrize("kind", [NodeKind.VRU, NodeKind.RSU])
def test_only_drivers_are_told(kind: NodeKind) -> None:
    book, scene = AlertBook(1, 0), scene_at(0, kind=[kind, NodeKind.CAR])
    book.observe(0, scene, about(scene))
    assert book.demands(2).n_demands == 0
    assert len(book.table(0)["warning"]) == 0


def test_false_alarms_about_another_deck_are_marked() -> None:
    fleet = on_roads(ROAD, [WEST, BRIDGE], [80.0, 100.0])
    scene, book = scene_of(fleet, ROAD), AlertBook(1, 0)
    book.observe(0, scene, about(scene))
    assert book.table(0)["other_deck"].tolist() == [True]


def test_what_has_gone_asks_for_nothing_while_the_alert_stands() -> None:
    book, scene = AlertBook(2, 0), scene_at(0)
    book.observe(0, scene, about(scene))
    book.observe(1, scene, nobody())
    assert book.demands(2).action.tolist() == [Action.BRAKE]
    for warning in (0, 1):
        book.observe(warning, scene_at(100_000), nobody())
    assert book.demands(2).action.tolist() == [Action.INFORM]
    again = scene_at(200_000)
    book.observe(0, again, about(again))
    book.observe(1, again, nobody())
    assert book.demands(2).action.tolist() == [Action.BRAKE]
