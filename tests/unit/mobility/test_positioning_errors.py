"""Moments of position errors under every sky, and who they belong to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState
from v2x.mobility.position_errors import PositionErrors
from v2x.mobility.positioning_params import PositioningParams
from v2x.records.tables import Sky

from ...simulation_parts import fleet_state

S = 1_000_000
N = 4000
#: A mean square over N vehicles is within this of its expectation, four sigma of a chi-square.
MEAN_SQUARE = 4.0 * math.sqrt(2.0 / N)


def errors(seed: int = 1, wrap_length_m: float = 0.0, **params: float) -> PositionErrors:
    return PositionErrors(PositioningParams(**params), wrap_length_m, seed)


def skies(sky: Sky, n: int = N) -> NDArray[np.int32]:
    return np.full(n, sky, dtype=np.int32)


def drive(
    made: PositionErrors,
    stages: Iterable[tuple[Sky, float]],
    *,
    speed_mps: float = 20.0,
    heading: Callable[[float], float] = lambda _: 0.0,
    tick_s: float = 0.1,
    ids: Sequence[int] | NDArray[np.int64] = range(N),
    grade: float = 0.0,
) -> FleetState:
    """Drive everybody together through stages of (sky, seconds)."""
    x = y = z = time_s = 0.0
    identity = np.asarray(ids, dtype=np.int64)
    state = None
    for sky, duration_s in stages:
        for _ in range(round(duration_s / tick_s)):
            columns = {"y_m": y, "z_m": z, "id": identity}
            state = fleet_state(round(time_s * S), np.full(len(identity), x), **columns)
            made.advance(state, skies(sky, len(identity)))
            angle = heading(time_s)
            x += speed_mps * tick_s * math.cos(angle)
            y += speed_mps * tick_s * math.sin(angle)
            z += speed_mps * tick_s * grade
            time_s += tick_s
    assert state is not None
    return state


def mean_square(values: NDArray[np.float64]) -> float:
    return float(np.mean(values**2))


@pytest.mark.parametrize(("sky", "sigma_m"), [(Sky.OPEN, 1.5), (Sky.CANYON, 10.0), (Sky.DECK, 5.0)])
def test_the_variance_stays_that_of_the_sky(sky: Sky, sigma_m: float) -> None:
    made = errors()
    for duration_s in (0.1, 20.0):
        drive(made, [(sky, duration_s)])
        east, north, up = made.error_m()
        bound = pytest.approx(0.5 * sigma_m**2, rel=MEAN_SQUARE)
        assert mean_square(east) == bound
        assert mean_square(north) == bound
        assert mean_square(up) == pytest.approx((1.75 * sigma_m) ** 2, rel=MEAN_SQUARE)
        for axis in (east, north, up):
            assert abs(axis.mean()) < 4.0 * axis.std() / math.sqrt(N)
        assert abs(np.corrcoef(east, up)[0, 1]) < 4.0 / math.sqrt(N)
        horizontal, vertical = made.sigma_m()
        assert horizontal == pytest.approx(np.full(N, sigma_m))
        assert vertical == pytest.approx(np.full(N, 1.75 * sigma_m))
        made = errors()


@pytest.mark.parametrize(("sky", "correlation_s"), [(Sky.CANYON, 30.0), (Sky.DECK, 10.0)])
def test_errors_keep_what_their_correlation_time_says(sky: Sky, correlation_s: float) -> None:
    """The estimate of a correlation rho from N pairs has the sigma (1 - rho²) / sqrt(N)."""
    made = errors()
    made.advance(fleet_state(0, np.zeros(N)), skies(sky))
    before = made.error_m()
    for tick in range(1, 151):
        made.advance(fleet_state(tick * S // 10, np.zeros(N)), skies(sky))
    rho = math.exp(-15.0 / correlation_s)
    for axis in range(3):
        found = np.corrcoef(before[axis], made.error_m()[axis])[0, 1]
        assert abs(found - rho) < 4.0 * (1.0 - rho**2) / math.sqrt(N)


def test_the_claimed_sigma_is_that_of_the_errors_all_the_way() -> None:
    """Ratio of error to sigma over a drive through every kind of change."""
    made = errors()
    x = time_s = 0.0
    stages = [
        (Sky.OPEN, 2.0), (Sky.DECK, 3.0), (Sky.CANYON, 4.0), (Sky.OPEN, 1.0), (Sky.TUNNEL, 40.0),
        (Sky.OPEN, 2.0), (Sky.TUNNEL, 5.0), (Sky.DECK, 1.0), (Sky.CANYON, 1.0),
    ]  # fmt: skip
    checked = set()
    for stage, (sky, duration_s) in enumerate(stages):
        for tick in range(round(duration_s / 0.1)):
            made.advance(fleet_state(round(time_s * S), np.full(N, x)), skies(sky))
            x, time_s = x + 2.0, time_s + 0.1
            if tick % 8 == 5:
                checked.add(stage)
                east, north, up = made.error_m()
                horizontal, vertical = made.sigma_m()
                plan = np.hypot(east, north) / horizontal
                # The square of a Rayleigh variable has the mean 1 and at most the sigma sqrt(2).
                assert mean_square(plan) == pytest.approx(1.0, rel=MEAN_SQUARE)
                assert mean_square(up / vertical) == pytest.approx(1.0, rel=MEAN_SQUARE)
    assert len(checked) == len(stages)


def test_errors_do_not_jump_when_the_sky_changes() -> None:
    """A step is a few sigma of what a tick renews: sqrt(2 t / T) of the larger process."""
    made = errors(reacquisition_s=5.0)
    stages = [Sky.OPEN] * 3 + [Sky.CANYON] * 8 + [Sky.TUNNEL] * 8 + [Sky.OPEN] * 3
    before = None
    for tick, sky in enumerate(stages):
        made.advance(fleet_state(tick * S // 10, np.full(N, 2.0 * tick)), skies(sky))
        now = made.error_m()
        if before is not None:
            step = np.sqrt(np.mean((now - before)[:2] ** 2))
            assert step < 1.1 * math.sqrt(2.0 * 0.1 / 30.0) * 10.0, (tick, sky)
            if sky == stages[tick - 1] == Sky.TUNNEL:
                assert step < 0.05
            if sky != stages[tick - 1]:
                # On the tick of the change only the process before it has moved on.
                assert step < 1.1 * 10.0 * math.sqrt(2.0 * 0.1 / 30.0)
        before = now


@pytest.mark.parametrize(
    ("former", "now", "fade_s"),
    [
        (Sky.CANYON, Sky.OPEN, 5.0 / 3.0),
        (Sky.OPEN, Sky.CANYON, 30.0),
        (Sky.CANYON, Sky.DECK, 10.0),
        (Sky.TUNNEL, Sky.CANYON, 5.0 / 3.0),
        (Sky.TUNNEL, Sky.DECK, 5.0 / 3.0),
    ],
)
def test_how_fast_the_variance_moves_to_that_of_the_new_sky(
    former: Sky, now: Sky, fade_s: float
) -> None:
    sigma_m = {Sky.OPEN: 1.5, Sky.CANYON: 10.0, Sky.DECK: 5.0}
    made = errors()
    drive(made, [(Sky.OPEN, 0.1), (former, 400.0)], ids=[0])
    ((before,), _) = made.sigma_m()
    start_us = round(400.1 * S)
    for tick in range(21):
        state = fleet_state(start_us + tick * S // 10, [8002.0], id=[0])
        made.advance(state, skies(now, 1))
        if tick == 0 and former == Sky.TUNNEL:
            before = made.sigma_m()[0][0]
            assert before > 100.0
    left2 = math.exp(-2.0 * 2.0 / fade_s)
    expected = math.sqrt(left2 * before**2 + (1.0 - left2) * sigma_m[now] ** 2)
    assert made.sigma_m()[0] == pytest.approx([expected], rel=1e-6)


def test_wheels_drift_with_the_distance() -> None:
    """1.5 % of 1 km is 15 m, along the road only."""
    made = errors(open_sigma_m=1e-6, gyro_bias_deg_per_h=0.0, odometer_scale_sigma=0.015)
    # The first state in the tunnel lies at 2 m, so 1000 m later the clock shows 50.1 s.
    drive(made, [(Sky.OPEN, 0.1), (Sky.TUNNEL, 50.1)], heading=lambda _: 0.5)
    east, north, up = made.error_m()
    along = east * math.cos(0.5) + north * math.sin(0.5)
    across = north * math.cos(0.5) - east * math.sin(0.5)
    assert mean_square(along) == pytest.approx(15.0**2, rel=MEAN_SQUARE)
    assert np.abs(across).max() < 1e-4
    assert mean_square(up) == pytest.approx(5.0**2, rel=MEAN_SQUARE)
    assert made.sigma_m()[0] == pytest.approx(np.full(N, 15.0), rel=1e-6)


def test_gyroscopes_drift_across_with_the_square_of_time() -> None:
    """At constant speed d psi / 2 with psi = b t: 1 km in 50 s at 20 degrees an hour, 2.4 m."""
    made = errors(open_sigma_m=1e-6, gyro_bias_deg_per_h=20.0, odometer_scale_sigma=0.0)
    drive(made, [(Sky.OPEN, 0.1), (Sky.TUNNEL, 50.1)])
    east, north, _ = made.error_m()
    expected = 0.5 * 1000.0 * math.radians(20.0) / 3600.0 * 50.0
    assert mean_square(north) == pytest.approx(expected**2, rel=MEAN_SQUARE)
    assert np.abs(east).max() < 1e-4
    assert made.sigma_m()[0] == pytest.approx(np.full(N, expected), rel=1e-6)


def test_the_scale_error_of_a_loop_closes() -> None:
    made = errors(open_sigma_m=1e-6, gyro_bias_deg_per_h=0.0)
    turn = 2.0 * math.pi / 50.0
    drive(made, [(Sky.OPEN, 0.1), (Sky.TUNNEL, 50.1)], heading=lambda time_s: turn * time_s)
    assert np.abs(made.error_m()[:2]).max() < 0.01
    assert mean_square(made.error_m()[2]) == pytest.approx(5.0**2, rel=MEAN_SQUARE)


def test_a_twentieth_is_left_after_reacquisition() -> None:
    made = errors(open_sigma_m=1e-6, reacquisition_s=5.0)
    drive(made, [(Sky.OPEN, 0.1), (Sky.TUNNEL, 60.0), (Sky.OPEN, 0.1)])
    at_portal = made.error_m()
    assert np.sqrt(np.mean(at_portal[:2] ** 2)) > 5.0
    for tick in range(1, 51):
        made.advance(fleet_state(round(60.1 * S) + tick * S // 10, np.zeros(N)), skies(Sky.OPEN))
    assert made.error_m() == pytest.approx(math.exp(-3.0) * at_portal, abs=1e-4)


def test_an_error_belongs_to_seed_and_vehicle_alone() -> None:
    stages = [(Sky.OPEN, 1.0), (Sky.DECK, 1.0), (Sky.TUNNEL, 2.0), (Sky.CANYON, 1.0)]
    all_of_them, again, some, other = errors(3), errors(3), errors(3), errors(4)
    for made in (all_of_them, again, other):
        drive(made, stages, ids=np.arange(50))
    drive(some, stages, ids=np.array([40, 7]))
    np.testing.assert_array_equal(all_of_them.error_m(), again.error_m())
    np.testing.assert_array_equal(all_of_them.error_m()[:, [40, 7]], some.error_m())
    assert (all_of_them.error_m() != other.error_m()).all()


def test_a_row_forgets_who_was_there() -> None:
    """A newcomer in a used row gets what it would have got in a fresh one."""
    used, fresh = errors(), errors()
    before = [(Sky.OPEN, 1.0), (Sky.TUNNEL, 30.0)]
    drive(used, before, ids=[0, 1])
    drive(fresh, before, ids=[0, -1])
    later = fleet_state(31 * S, np.zeros(2), id=[0, 9])
    for made in (used, fresh):
        made.advance(later, np.array([Sky.TUNNEL, Sky.DECK], dtype=np.int32))
    np.testing.assert_array_equal(used.error_m()[:, 1], fresh.error_m()[:, 1])
    assert used.sigma_m()[0][1] == pytest.approx(5.0)


def test_rows_without_a_receiver_are_exact() -> None:
    made = errors()
    sky = np.array([Sky.CANYON, -1, -1], dtype=np.int32)
    made.advance(fleet_state(0, np.zeros(3), id=[0, -1, 2]), sky)
    made.advance(fleet_state(S, np.zeros(3), id=[-1, -1, 2]), np.full(3, -1, dtype=np.int32))
    assert not made.error_m().any()
    assert not np.stack(made.sigma_m()).any()


def test_between_two_fixes_the_error_stays() -> None:
    made = errors(sensor_rate_hz=1.0)
    found = []
    for tick in range(31):
        made.advance(fleet_state(tick * S // 10, np.zeros(5)), skies(Sky.OPEN, 5))
        found.append(made.error_m())
    changes = [t for t in range(1, 31) if (found[t] != found[t - 1]).all()]
    assert changes == [10, 20, 30]
    same = [t for t in range(1, 31) if (found[t] == found[t - 1]).all()]
    assert len(same) == 27


def test_the_seam_of_a_wrapped_map_is_no_distance() -> None:
    made = errors(open_sigma_m=1e-6, wrap_length_m=1000.0)
    for tick, (x, sky) in enumerate([(980.0, Sky.OPEN), (990.0, Sky.TUNNEL), (0.0, Sky.TUNNEL)]):
        made.advance(fleet_state(tick * S // 10, np.full(N, x)), skies(sky))
    assert made.sigma_m()[0] == pytest.approx(np.full(N, 0.15), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("open_sigma_m", 0.0),
        ("reacquisition_s", -1.0),
        ("sensor_rate_hz", 0.0),
        ("climb_sigma", -0.1),
        ("canyon_angle_deg", 90.0),
    ],
)
def test_impossible_figures_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        PositioningParams(**{name: value})
