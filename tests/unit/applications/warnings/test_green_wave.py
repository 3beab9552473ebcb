"""GLOSA: the highest speed that meets the green, queues, grades, and who gets no advice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.applications.warnings.judging import judge
from tests.unit.applications.warnings.junction_scenes import (
    NOW_US,
    RADIUS_M,
    SOUTH,
    WEST,
    WEST_OUT,
    before,
    crossroads,
    lights,
)
from v2x.applications.warnings.base import Judgement, Stage
from v2x.applications.warnings.green_wave import GlosaParams
from v2x.mobility.fleet import NodeKind
from v2x.mobility.green_speed import GreenSpeedParams, green_speed
from v2x.mobility.reactions import Action
from v2x.mobility.signals.lights import Light

ROAD = crossroads()
LIMIT_MPS = 50 / 3.6


def glosa(
    line_m: float = 200.0,
    light: Light = Light.RED,
    *,
    speed_mps: float = 13.0,
    edges: tuple[int, int] = (WEST, SOUTH),
    other_m: float = 100.0,
    other_mps: float = 0.0,
    params: dict[str, Any] | None = None,
    grade: float = 0.0,
    columns: dict[str, Any] | None = None,
    **told: Any,
) -> Judgement:
    """Return the advice to a driver who is so far before the stop line."""
    board = lights(ROAD, {WEST: light, WEST_OUT: light}, **({"green_s": (20.0, 40.0)} | told))
    scene = before(
        ROAD,
        edges,
        [line_m + RADIUS_M, other_m + RADIUS_M],
        [speed_mps, other_mps],
        board=board,
        **(columns or {}),
    )
    scene.outlook.grade[:] = grade
    return judge("glosa", scene, ROAD, **(params or {}))


def speed_of(judgement: Judgement) -> float | None:
    """Return the speed advised to row 0 [m/s], None if it gets no advice."""
    rows = judgement.host.tolist()
    return float(judgement.value[rows.index(0)]) if 0 in rows else None


def by_rule(line_m: float, start_s: float, end_s: float, n_waiting: int = 0) -> float:
    found = green_speed(
        [line_m], [13.0], LIMIT_MPS, [[start_s]], [[end_s]], GreenSpeedParams(), n_waiting=n_waiting
    )
    return float(found.speed_mps[0])


def test_a_driver_slows_down_to_meet_the_green() -> None:
    found = glosa(ages_us=200_000)
    assert found.host.tolist() == [0]
    assert found.subject.tolist() == [0]
    assert found.action.tolist() == [Action.SLOW]
    assert found.stage.tolist() == [Stage.INFORM]
    assert found.raised.tolist() == [True]
    assert found.distance_m == pytest.approx([200.0])
    assert found.generated_us.tolist() == [NOW_US - 200_000]
    speed = speed_of(found)
    assert speed == pytest.approx(by_rule(200.0, 20.0, 40.0))
    # Slower than 10 m/s all the way, as the first metres are driven faster.
    assert speed is not None
    assert 9.0 < speed < 10.0


def test_who_meets_the_green_anyway_is_told_the_limit() -> None:
    found = glosa(light=Light.PROTECTED_GREEN, green_s=(-5.0, 30.0))
    assert found.action.tolist() == [Action.INFORM]
    assert speed_of(found) == pytest.approx(LIMIT_MPS)


@pytest.mark.parametrize(
    ("begin_s", "meets"),
    [(22.0, True), (25.0, False)],  # 200 m in 22 s: 8.9 m/s; in 25 s: below the least of 8.3 m/s
)
def test_where_no_speed_meets_it_one_stops_gently(begin_s: float, meets: bool) -> None:
    speed = speed_of(glosa(green_s=(begin_s, 60.0)))
    assert speed is not None
    expected = by_rule(200.0, begin_s, 60.0)
    assert np.isfinite(expected) == meets
    # sqrt(2 · 1.5 · 200) is above the limit still; from 50 m it would be 12.2 m/s.
    assert speed == pytest.approx(expected if meets else LIMIT_MPS)
    near = speed_of(glosa(50.0, green_s=(begin_s, 60.0)))
    assert near == pytest.approx(np.sqrt(3.0 * 50.0))


@pytest.mark.parametrize(("end_s", "meets"), [(3.05, True), (2.9, False)])
def test_a_green_that_ends_too_soon_is_not_met(end_s: float, meets: bool) -> None:
    # From 13 m/s, 40 m take 2.97 s at 1.2 m/s².
    found = glosa(40.0, Light.PROTECTED_GREEN, green_s=(-5.0, end_s))
    assert speed_of(found) == pytest.approx(LIMIT_MPS if meets else np.sqrt(3.0 * 40.0))


def test_waiting_vehicles_clear_first() -> None:
    in_lane = {"edges": (WEST, WEST), "other_m": 2.0}
    assert speed_of(glosa(**in_lane)) == pytest.approx(by_rule(200.0, 20.0, 40.0, 1))
    # Who drives, is behind, or in another road is no queue.
    alone = pytest.approx(by_rule(200.0, 20.0, 40.0))
    assert speed_of(glosa(**in_lane, other_mps=2.1)) == alone
    assert speed_of(glosa(edges=(WEST, WEST), other_m=250.0)) == alone
    assert speed_of(glosa()) == alone


def test_a_truck_uphill_cannot_speed_up_for_it() -> None:
    truck = {"kind": [NodeKind.TRUCK, 0]}
    green = {"green_s": (0.0, 30.0)}  # the limit takes 14.4 s
    flat = speed_of(glosa(**green, columns=truck))
    steep = glosa(**green, columns=truck, grade=0.08)
    assert flat == pytest.approx(LIMIT_MPS)
    # 260 kW carry 25 t up 8 % at about 10 m/s.
    speed = speed_of(steep)
    assert speed is not None
    assert speed < 12.0
    assert speed_of(glosa(**green, grade=0.08)) == pytest.approx(LIMIT_MPS)


@pytest.mark.parametrize(
    ("line_m", "params", "there"),
    [
        (295.0, {"lead_m": 294.0}, False),
        (295.0, {"lead_m": 296.0}, True),
        (10.1, {}, True),
        (9.9, {}, False),
    ],
)
def test_advice_begins_and_ends_at_its_distances(
    line_m: float, params: dict[str, Any], there: bool
) -> None:
    assert (speed_of(glosa(line_m, params=params)) is not None) == there


@pytest.mark.parametrize(
    "given",
    [
        {"map_known": False},
        {"hosts": (1,)},
        {"ages_us": 1_100_000},
        {"edges": (WEST_OUT, SOUTH)},
        {"speed_mps": 0.9},
        {"columns": {"kind": [NodeKind.VRU, 0]}},
        {"light": Light.DARK},
        {"green_s": None},  # nobody knows when it will be green
        {"light": Light.PROTECTED_GREEN, "green_s": (-5.0, None)},  # or how long it is
    ],
)
def test_nobody_is_advised(given: dict[str, Any]) -> None:
    assert speed_of(glosa()) is not None
    assert speed_of(glosa(**given)) is None


def test_a_next_green_without_a_known_end_counts() -> None:
    assert speed_of(glosa(green_s=(20.0, None))) == pytest.approx(by_rule(200.0, 20.0, 1e6))


@pytest.mark.parametrize(
    "params", [{"lead_m": 700.0}, {"nearest_m": 400.0}, {"moving_mps": 0.0}, {"queued_mps": -1.0}]
)
def test_impossible_distances_are_rejected(params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(params))):
        GlosaParams(**params)
