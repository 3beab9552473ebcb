"""FCW: each stage of each algorithm on both sides of its threshold, and who is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.applications.warnings.judging import (
    ABOVE,
    BACK,
    BEYOND,
    THERE,
    Alert,
    follows,
)
from v2x.applications.warnings.base import Stage
from v2x.applications.warnings.rear_end import FcwAlgorithm, FcwParams
from v2x.mobility.fleet import NodeKind
from v2x.mobility.reactions import Action
from v2x.perception.scene import LevelCheck
from v2x.units import GRAVITY_MPS2 as G

#: Host at 20 m/s, leader at 10: the gap [m] at which stage warn begins, by hand.
WARN_M = {
    FcwAlgorithm.TTC: 27.0,
    # Vector of the reference sheet: braking 1.695 m/s², 1.62 s.
    FcwAlgorithm.CAMP: 16.2 + 100.0 / (2 * 1.695),
    # v 1.52 s + v²/(2 · 0.75 b) - v_l²/(2 b) + 2 with b = 0.7 g.
    FcwAlgorithm.STOP_DISTANCE: 30.4 + 400 / (1.5 * 0.7 * G) - 100 / (1.4 * G) + 2.0,
    FcwAlgorithm.MAZDA: 0.5 * (400 / 6 - 100 / 8) + 2.0 + 6.0 + 5.0,
    FcwAlgorithm.HONDA: 2.2 * 10.0 + 6.2,
    FcwAlgorithm.BERKELEY: 300 / 12 + 24.0 + 5.0,
}


def fcw(gap_m: float, speeds_mps: tuple[float, float] = (20.0, 10.0), **given: Any) -> Alert | None:
    return follows("fcw", gap_m, speeds_mps, **given)


@pytest.mark.parametrize(
    ("gap_m", "stage", "raised"),
    [
        (17.9, Stage.IMMINENT, True),
        (18.1, Stage.WARN, True),
        (26.9, Stage.WARN, True),
        (27.1, Stage.INFORM, True),
        (39.9, Stage.INFORM, True),
        (40.1, Stage.INFORM, False),  # a standing alert goes on, none begins
        (59.9, Stage.INFORM, False),
        (60.1, None, False),
    ],
)
def test_stages_by_time_to_collision(gap_m: float, stage: Stage | None, raised: bool) -> None:
    found = fcw(gap_m)
    if stage is None:
        assert found is None
        return
    assert found is not None
    assert (found.stage, found.raised) == (stage, raised)
    assert found.distance_m == pytest.approx(gap_m)
    assert found.closing_mps == pytest.approx(10.0)


@pytest.mark.parametrize("algorithm", list(FcwAlgorithm))
def test_each_algorithm_warns_at_its_distance(algorithm: FcwAlgorithm) -> None:
    warn_m, params = WARN_M[algorithm], {"algorithm": algorithm}
    before, after = fcw(warn_m + 0.1, params=params), fcw(warn_m - 0.1, params=params)
    assert before is not None
    assert after is not None
    assert (before.stage, after.stage) == (Stage.INFORM, Stage.WARN)
    shares = (4.0 / 2.7, 1.8 / 2.7) if algorithm is FcwAlgorithm.TTC else (1.5, 0.67)
    near = fcw(shares[1] * warn_m - 0.1, params=params)
    assert near is not None
    assert near.stage == Stage.IMMINENT
    inform_m = shares[0] * warn_m
    informed, kept = fcw(inform_m - 0.1, params=params), fcw(1.5 * inform_m - 0.1, params=params)
    assert informed is not None
    assert informed.raised
    assert kept is not None
    assert not kept.raised
    assert fcw(1.5 * inform_m + 0.1, params=params) is None


@pytest.mark.parametrize(
    ("friction", "grade", "warn_m"),
    [
        (0.7, 0.0, 92.3),  # vector of the reference sheet: 3.338 m/s²
        (0.3, 0.0, 20 * 1.62 + 400 / (2 * 0.75 * 0.3 * G)),
        (0.3, -0.06, 20 * 1.62 + 400 * np.hypot(1, 0.06) / (2 * 0.75 * 0.24 * G)),
        (0.3, 0.06, 20 * 1.62 + 400 * np.hypot(1, 0.06) / (2 * 0.75 * 0.36 * G)),
    ],
)
def test_grip_and_slope_bound_the_braking_of_camp(
    friction: float, grade: float, warn_m: float
) -> None:
    given = {"friction": friction, "grade": grade, "params": {"algorithm": "camp"}}
    stages = []
    for gap_m in (warn_m + 0.2, warn_m - 0.2):
        found = fcw(gap_m, (20.0, 0.0), **given)
        assert found is not None
        stages.append(found.stage)
    assert stages == [Stage.INFORM, Stage.WARN]


def test_who_can_only_be_avoided_with_all_brakes_is_imminent_at_any_time() -> None:
    """30 m/s towards somebody who stands: 0.75 · 0.7 g stop in 87.4 m, and 2 m are left."""
    at_share = {"params": {"inform_s": 1.0, "warn_s": 0.9, "imminent_s": 0.8, "release": 1.0}}
    assert fcw(89.5, (30.0, 0.0), **at_share) is None
    found = fcw(89.3, (30.0, 0.0), **at_share)
    assert found is not None
    assert (found.stage, found.raised) == (Stage.IMMINENT, True)


@pytest.mark.parametrize(
    ("gap_m", "action", "value"),
    [
        (30.0, Action.INFORM, None),
        (26.0, Action.BRAKE, 100 / (2 * 24.0)),  # what is needed, 2 m left
        (18.5, Action.BRAKE, 3.0),  # comfort, though 3.03 is needed
        (17.0, Action.BRAKE, 100 / (2 * 15.0)),
        (5.0, Action.BRAKE, 0.75 * 0.7 * G),  # what the road gives
    ],
)
def test_braking_is_what_is_needed_within_comfort_and_grip(
    gap_m: float, action: Action, value: float | None
) -> None:
    found = fcw(gap_m)
    assert found is not None
    assert found.action == action
    if value is not None:
        assert found.value == pytest.approx(value, rel=1e-6)


def test_the_needed_way_is_reaction_and_braking() -> None:
    found = fcw(30.0)
    assert found is not None
    assert found.needed_m == pytest.approx(10 * 1.52 + 100 / (2 * 0.75 * 0.7 * G))


def test_a_leader_that_begins_to_brake_counts_before_the_gap_closes() -> None:
    """Same speed, leader with -4 m/s²: CAMP's vector, 38.3 m."""
    params = {"algorithm": "camp"}
    for gap_m, stage in ((38.5, Stage.INFORM), (38.0, Stage.WARN)):
        found = fcw(gap_m, (20.0, 20.0), params=params, acceleration_mps2=[0.0, -4.0])
        assert found is not None
        assert (found.stage, found.raised) == (stage, True)
    assert fcw(38.0, (20.0, 20.0), params=params) is None


@pytest.mark.parametrize(("braking_mps2", "raised"), [(2.0, True), (2.2, False)])
def test_who_brakes_enough_already_is_not_warned_anew(braking_mps2: float, raised: bool) -> None:
    """100/(2 · 24) = 2.08 m/s² is needed."""
    given = {"acceleration_mps2": [-braking_mps2, 0.0]}
    found = fcw(26.0, **given)
    assert found is not None
    assert found.raised == raised
    always = fcw(26.0, params={"braking_counts": False}, **given)
    assert always is not None
    assert always.raised


@pytest.mark.parametrize(
    "given",
    [
        {"lane": [0, 1]},  # another lane
        {"edge": [THERE, BACK], "offset_m": [100.0, 880.0]},  # oncoming
        {"edge": [THERE, BEYOND], "offset_m": [100.0, 880.0]},
        {"edge": [THERE, ABOVE]},  # another deck
        {"offset_m": [100.0, 80.0]},  # behind
        {"ages_us": 1_100_000},  # too old
        {"kind": [0, NodeKind.RSU]},  # no vehicle
    ],
)
def test_others_are_left_out(given: dict[str, Any]) -> None:
    assert fcw(15.0) is not None
    assert fcw(15.0, **given) is None


@pytest.mark.parametrize(
    ("check", "height_m", "warned"),
    [
        (LevelCheck.NONE, 8.0, True),
        (LevelCheck.GATE, 3.4, True),
        (LevelCheck.GATE, 3.6, False),
        (LevelCheck.MAP, 8.0, False),
    ],
)
def test_other_decks_by_the_check_of_the_receiver(
    check: LevelCheck, height_m: float, warned: bool
) -> None:
    found = fcw(15.0, edge=[THERE, ABOVE], z_m=[0.0, height_m], check=check)
    assert (found is not None) == warned


@pytest.mark.parametrize(("closing_mps", "there"), [(0.55, False), (0.57, True)])
def test_slow_approaches_are_none(closing_mps: float, there: bool) -> None:
    assert (fcw(1.0, (10.0, 10.0 - closing_mps)) is not None) == there


@pytest.mark.parametrize(
    "wrong",
    [
        {"warn_s": 5.0},
        {"imminent_s": 0.0},
        {"inform_share": 0.9},
        {"imminent_share": 1.1},
        {"release": 0.5},
        {"margin_m": -1.0},
        {"algorithm": "nissan"},
    ],
)
def test_impossible_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|not a valid"):
        FcwParams(**wrong)
