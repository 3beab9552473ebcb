"""Members of a platoon with fresh, old and no messages, on a straight road of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.mobility.cooperative.gap_laws import PloegParams
from v2x.mobility.cooperative.platoon_drive import (
    Followers,
    PlatoonDrive,
    PlatoonMode,
    PlatoonParams,
)

from ....simulation_parts import fleet_state

STEP_S, LAG_S, LENGTH_M = 0.1, 0.1, 5.0
FloatArray = NDArray[np.float64]


@dataclass
class Run:
    """What happened, (n_ticks, n_vehicles) each; row 0 is the leader."""

    speed: FloatArray
    gap: FloatArray
    wanted: FloatArray
    headway: FloatArray
    mode: NDArray[np.int8]


def drive(
    params: PlatoonParams,
    leader_mps2: Callable[[float], float],
    age_s: Callable[[float], float],
    *,
    n: int = 5,
    seconds: float = 40.0,
    speed_mps: float = 25.0,
    gap_m: float | None = None,
) -> Run:
    """Let a platoon follow its leader; what is heard was said `age_s` ago at any time."""
    one = PlatoonDrive(params, n_rows=n, step_s=STEP_S)
    start = params.ploeg.standstill_m + params.ploeg.headway_s * speed_mps
    x = -np.arange(n) * (LENGTH_M + (start if gap_m is None else gap_m))
    v, a = np.full(n, speed_mps), np.zeros(n)
    told: list[tuple[FloatArray, FloatArray]] = []
    rows: list[tuple[Any, ...]] = []
    followers = np.arange(1, n, dtype=np.int32)
    for k in range(round(seconds / STEP_S)):
        time = k * STEP_S
        gap = np.append(np.inf, x[:-1] - x[1:] - LENGTH_M)
        fleet = fleet_state(
            round(time * 1e6),
            x,
            speed_mps=v,
            acceleration_mps2=a,
            leader=np.arange(-1, n - 1),
            gap_m=gap,
        )
        age = age_s(time)
        back = k - round(age / STEP_S) if np.isfinite(age) else -1
        heard, heard_speed = told[back] if 0 <= back < len(told) else (a, v)
        age = age if back >= 0 else np.inf
        wanted = one.wanted_mps2(
            fleet,
            Followers(
                row=followers,
                ahead=followers - 1,
                leader=np.zeros(n - 1, dtype=np.int32),
                ahead_mps2=heard[:-1],
                ahead_age_s=np.full(n - 1, age),
                leader_mps2=np.full(n - 1, heard[0]),
                leader_speed_mps=np.full(n - 1, heard_speed[0]),
                leader_age_s=np.full(n - 1, age),
            ),
        )
        assert np.isnan(wanted[0])
        wanted[0] = leader_mps2(time)
        told.append((wanted.copy(), v.copy()))
        rows.append((v.copy(), gap, wanted.copy(), one.headway_s.copy(), one.mode.copy()))
        for _ in range(10):
            a = a + (1.0 - np.exp(-STEP_S / 10 / LAG_S)) * (wanted - a)
            after = np.maximum(v + a * STEP_S / 10, 0.0)
            x = x + 0.5 * (v + after) * STEP_S / 10
            v = after
        a = np.where((v <= 0.0) & (a < 0.0), 0.0, a)
    return Run(*(np.array(column) for column in zip(*rows, strict=True)))


def steady(_: float) -> float:
    return 0.0


def brakes_at_5_s(time: float) -> float:
    return -6.0 if time >= 5.0 else 0.0


def fresh(_: float) -> float:
    return STEP_S


def lost_at(begin_s: float, until_s: float = np.inf) -> Callable[[float], float]:
    """Return the age of the last message if none arrives from `begin_s` on."""
    return lambda time: STEP_S + (time - begin_s if begin_s <= time < until_s else 0.0)


def test_steady_driving_asks_for_nothing() -> None:
    run = drive(PlatoonParams(), steady, lambda _: 0.0, seconds=10.0)
    assert np.abs(run.wanted[5:, 1:]).max() < 0.02
    assert run.gap[-1, 1:] == pytest.approx(2.0 + 0.6 * 25.0, abs=0.05)


@pytest.mark.parametrize(
    ("age_s", "mode"),
    [
        (0.3, PlatoonMode.CACC),
        (0.31, PlatoonMode.DCACC),
        (1.0, PlatoonMode.DCACC),
        (1.01, PlatoonMode.ACC),
        (np.inf, PlatoonMode.ACC),
    ],
)
def test_the_age_of_the_acceleration_decides(age_s: float, mode: PlatoonMode) -> None:
    """Each side of 0.3 s and of 1 s."""
    one = PlatoonDrive(PlatoonParams(), n_rows=2, step_s=STEP_S)
    fleet = fleet_state(0, [20.0, 0.0], speed_mps=20.0, leader=[-1, 0], gap_m=[np.inf, 14.0])
    one.wanted_mps2(fleet, heard(age_s))
    assert one.mode.tolist() == [-1, mode]


def heard(age_s: float, ahead: int = 0, mps2: float = 0.0) -> Followers:
    """Return one follower, row 1."""

    def one(value: float) -> FloatArray:
        return np.array([value])

    return Followers(
        row=np.array([1], dtype=np.int32),
        ahead=np.array([ahead], dtype=np.int32),
        leader=np.array([0], dtype=np.int32),
        ahead_mps2=one(mps2),
        ahead_age_s=one(age_s),
        leader_mps2=one(mps2),
        leader_speed_mps=one(20.0),
        leader_age_s=one(age_s),
    )


def test_time_gaps_grow_smoothly_and_come_back() -> None:
    params = PlatoonParams()
    run = drive(params, steady, lost_at(5.0, 30.0), seconds=60.0)
    change = np.diff(run.headway[:, 1:], axis=0)
    assert np.abs(change).max() <= params.headway_rate * STEP_S + 1e-12
    at = run.mode[:, 1] == PlatoonMode.DCACC
    assert STEP_S * at.sum() == pytest.approx(0.7, abs=0.11)
    assert run.headway[299, 1:] == pytest.approx(params.acc_headway_s)
    assert run.headway[-1, 1:] == pytest.approx(params.ploeg.headway_s)
    assert run.gap[299, 1:] == pytest.approx(2.0 + 1.6 * run.speed[299, 1:], rel=0.1)
    # Growing by 0.1 s per second at 25 m/s, each falls 2.5 m/s behind the one ahead, gently.
    assert run.wanted[:, 1:].min() > -2.5
    assert run.wanted[:, 1:].max() <= params.acceleration_mps2


@pytest.mark.parametrize(
    ("law", "lost_s"),
    [
        *((law, lost_s) for law in ("ploeg", "path") for lost_s in (np.inf, 4.9, 4.5, 0.0)),
        *(("constant-spacing", lost_s) for lost_s in (np.inf, 0.0)),
    ],
)
def test_nobody_runs_into_an_emergency_brake(law: Any, lost_s: float) -> None:
    """6 m/s² from 25 m/s to rest, with messages, and without since some time before.

    At a constant 5 m there is no room left if messages fail just then; it is no case here.
    """
    gap = 5.0 if law == "constant-spacing" else None
    run = drive(PlatoonParams(law=law), brakes_at_5_s, lost_at(lost_s), gap_m=gap)
    assert run.speed[-1].max() < 0.1
    assert run.gap[:, 1:].min() > 0.0


def test_messages_keep_the_gap_that_sensors_alone_lose() -> None:
    with_radio = drive(PlatoonParams(), brakes_at_5_s, fresh)
    without = drive(PlatoonParams(), brakes_at_5_s, lost_at(4.9))
    assert without.gap[:, 1:].min() < with_radio.gap[:, 1:].min() - 1.0


def test_somebody_who_comes_in_between_is_followed_by_sight() -> None:
    """What the member ahead tells says nothing of the stranger."""
    one = PlatoonDrive(PlatoonParams(), n_rows=3, step_s=STEP_S)
    columns = {"speed_mps": 20.0, "leader": [-1, 2, 0], "gap_m": [np.inf, 6.0, 6.0]}
    fleet = fleet_state(0, [40.0, 0.0, 15.0], **columns)
    wanted = one.wanted_mps2(fleet, heard(0.0, ahead=0, mps2=2.0))
    assert one.mode[1] == PlatoonMode.ACC
    assert wanted[1] <= 0.0
    assert np.isnan(wanted[[0, 2]]).all()


def test_who_leaves_is_let_go_and_a_new_one_starts_anew() -> None:
    one = PlatoonDrive(PlatoonParams(), n_rows=2, step_s=STEP_S)
    near = {"speed_mps": 20.0, "leader": [-1, 0]}
    one.wanted_mps2(fleet_state(0, [20.0, 0.0], gap_m=[np.inf, 14.0], **near), heard(0.1))
    assert one.headway_s[1] == pytest.approx(0.6)
    far = fleet_state(100_000, [30.0, 0.0], gap_m=[np.inf, 24.0], id=[0, 7], **near)
    one.wanted_mps2(far, heard(0.1))
    assert one.headway_s[1] == pytest.approx(1.1 - 0.01)
    nobody = fleet_state(200_000, [30.0, 0.0], speed_mps=20.0)
    assert np.isnan(one.wanted_mps2(nobody, heard(0.1))).all()
    assert one.mode.tolist() == [-1, -1]
    assert np.isnan(one.headway_s).all()


def test_constant_spacing_keeps_its_gap_and_asks_for_the_leader() -> None:
    params = PlatoonParams(law="constant-spacing")
    run = drive(params, lambda t: np.sin(0.5 * t), fresh, gap_m=5.0, seconds=30.0)
    assert np.abs(run.gap[:, 1:] - 5.0).max() < 1.0
    assert (run.mode[1:, 1:] == PlatoonMode.CACC).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"law": "magic"}, "law must be one of"),
        ({"fresh_s": 0.0}, "fresh_s must be > 0"),
        ({"reaction_s": -1.0}, "reaction_s must be >= 0"),
        ({"estimate_until_s": 0.2}, "estimate_until_s"),
        ({"acc_headway_s": 1.0}, "must not fall"),
        ({"ploeg": PloegParams(headway_s=1.5)}, "must not fall"),
    ],
)
def test_bad_parameters_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PlatoonParams(**change)
