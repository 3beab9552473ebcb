"""R13 (applications.md 8.12): wrong-deck alerts are as frequent as theory says (8.2).

FCW among 6000 couples on two straight roads one above the other: a host at 20 m/s, and 20 m ahead
of it in plan, on the other deck, somebody at 10 m/s. Positions go through positioning, map matching
and scene as in every run; both errors are independent and normal, heights with s_z, each axis in
plan with s/sqrt 2. The share of hosts that are warned is

- in plan only:      P = 2 Phi(2.5/s) - 1, both within 2.5 m of one path (half widths and 0.5);
- height gate g:     P [Phi((g-D)/s_d) - Phi((-g-D)/s_d)], s_d = sqrt(s_1² + s_2²);
- map in plan:       1, as both roads are one place and the first is taken for both;
- map and heights:   q_1 (1-q_2) + q_2 (1-q_1) with q = Phi(-D/2 s_z), one height nearer to the
  wrong deck.

Bound: three standard deviations of a share of 6000 independent couples.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from tests.deck_pairs import believed_of, couples, gnss, scene_of_couples, stack
from v2x.applications.warnings.base import WarningContext
from v2x.applications.warnings.rear_end import FcwParams, ForwardCollisionWarning
from v2x.mobility.junctions import lane_network
from v2x.mobility.positioning import BelievedState
from v2x.perception.scene import LevelCheck, Scene
from v2x.world.weather import WeatherParams

N = 6000
RATIO = 1.75
IN_PATH_M = 2.5
#: Distance of the decks, vertical standard deviation, gate [m].
CASES = (
    (6.0, 5.0, 3.5),
    (7.0, 5.0, 3.5),
    (7.0, 5.0, 3.0),
    (7.0, 1.0, 3.5),
    (8.0, 2.6, 4.0),
    (15.0, 8.75, 3.5),
)
phi = NormalDist().cdf


def gate(apart_m: float, spread_m: float, gate_m: float) -> float:
    return phi((gate_m - apart_m) / spread_m) - phi((-gate_m - apart_m) / spread_m)


def theory(check: LevelCheck, apart_m: float, sigma_z_m: float, gate_m: float) -> float:
    in_plan = 2.0 * phi(IN_PATH_M / (sigma_z_m / RATIO)) - 1.0
    wrong = phi(-0.5 * apart_m / sigma_z_m)
    return {
        LevelCheck.NONE: in_plan,
        LevelCheck.GATE: in_plan * gate(apart_m, math.sqrt(2.0) * sigma_z_m, gate_m),
        LevelCheck.MAP: 1.0,
        LevelCheck.MAP_HEIGHT: 2.0 * wrong * (1.0 - wrong),
    }[check]


def warned(scene: Scene, apart_m: float) -> float:
    """Return the share of hosts that FCW warns; they are all about the other deck."""
    context = WarningContext(lane_network(stack(apart_m)), WeatherParams(), seed=1)
    judgement = ForwardCollisionWarning(FcwParams(), context).judge(scene)
    hosts = judgement.host[judgement.raised]
    assert len(np.unique(hosts)) == len(hosts)
    assert all(scene.truly_apart(host, host + N) for host in hosts[:20].tolist())
    return len(hosts) / N


def share_warned(
    check: LevelCheck, apart_m: float, sigma_z_m: float, gate_m: float, *, common: bool = False
) -> float:
    road_map = stack(apart_m)
    fleet = couples(road_map, (0, 1), (500.0, 525.0), n=N)
    believed = believed_of(fleet, road_map, gnss(sigma_z_m / RATIO, RATIO), seed=13)
    if common:
        believed = with_common_heights(believed, fleet.z_m)
    return warned(scene_of_couples(fleet, road_map, believed, check, gate_m), apart_m)


def with_common_heights(believed: BelievedState, true_z_m: np.ndarray) -> BelievedState:
    """Return the same with the errors of the hosts' heights in those of the others too."""
    columns = {name: getattr(believed, name) for name in BelievedState.__slots__}
    error_m = (believed.z_m - true_z_m)[:N]
    return BelievedState(**(columns | {"z_m": true_z_m + np.tile(error_m, 2)}))


def bound(share: float) -> float:
    return 3.0 * math.sqrt(share * (1.0 - share) / N) + 1e-12


def test_r13_printed_figures() -> None:
    assert gate(7.0, math.sqrt(2.0) * 5.0, 3.5) == pytest.approx(0.24, abs=0.005)
    assert gate(7.0, math.sqrt(2.0) * 1.0, 3.5) == pytest.approx(0.007, abs=0.0005)


@pytest.mark.parametrize("check", LevelCheck)
@pytest.mark.parametrize(("apart_m", "sigma_z_m", "gate_m"), CASES)
def test_r13_wrong_deck_alerts(
    check: LevelCheck, apart_m: float, sigma_z_m: float, gate_m: float
) -> None:
    expected = theory(check, apart_m, sigma_z_m, gate_m)
    found = share_warned(check, apart_m, sigma_z_m, gate_m)
    assert abs(found - expected) <= bound(expected)


def test_r13_common_errors_break_the_closed_form() -> None:
    """Were both heights wrong by the same, no gate would err: the checks above can fail."""
    expected = theory(LevelCheck.GATE, 7.0, 5.0, 3.5)
    assert share_warned(LevelCheck.GATE, 7.0, 5.0, 3.5, common=True) < expected - bound(expected)
