"""Triggers of VAMs on each side of their thresholds, and what spares one (TS 103 300-3, 6)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.messages.etsi.changes import Motion
from v2x.messages.etsi.vam_rules import (
    SafeDistances,
    Surroundings,
    VamDue,
    VamGeneration,
    VamGenerationParams,
    VamOthersParams,
)

from ....simulation_parts import fleet_state

MS = 1000
FAR_M = 1e9


def check(
    rules: VamGeneration, now_ms: int, columns: dict[str, Any] | None = None, **more: Any
) -> VamDue:
    values = {"x_m": [0.0], "speed_mps": 1.5, **(columns or {})}
    fleet = fleet_state(now_ms * MS, values.pop("x_m"), **values)
    n = fleet.n_rows
    return rules.check(np.full(n, now_ms * MS), np.arange(n, dtype=np.int32), fleet, **more)


def around(
    interception: float = 0.0,
    too_near: bool = False,
    peer_x_m: float = FAR_M,
    peer_speed_mps: float = 1.5,
    peer_heading_deg: float = 0.0,
) -> Surroundings:
    return Surroundings(
        interception=np.array([interception]),
        too_near=np.array([too_near]),
        peer=Motion(
            x_m=np.array([peer_x_m]),
            y_m=np.zeros(1),
            heading_rad=np.radians([peer_heading_deg]),
            speed_mps=np.array([peer_speed_mps]),
        ),
    )


@pytest.mark.parametrize(
    ("columns", "due"),
    [
        ({"x_m": [3.99]}, False),
        ({"x_m": [4.01]}, True),
        ({"speed_mps": 1.99}, False),
        ({"speed_mps": 2.01}, True),
        ({"heading_rad": np.radians(3.99)}, False),
        ({"heading_rad": np.radians(-4.01)}, True),
    ],
)
def test_changes(columns: dict[str, Any], due: bool) -> None:
    rules = VamGeneration(VamGenerationParams())
    assert check(rules, 0).due[0]
    assert check(rules, 100, columns).due[0] == due


@pytest.mark.parametrize(("interception", "due"), [(0.09, False), (0.11, True)])
def test_a_likelier_interception(interception: float, due: bool) -> None:
    rules = VamGeneration(VamGenerationParams())
    assert check(rules, 0, around=around()).due[0]
    assert check(rules, 100, around=around(interception)).due[0] == due


def test_somebody_comes_too_near() -> None:
    rules = VamGeneration(VamGenerationParams())
    assert check(rules, 0, around=around()).due[0]
    assert check(rules, 100, around=around(too_near=True)).due[0]
    assert not check(rules, 200, around=around(too_near=True)).due[0]
    assert not check(rules, 300, around=around()).due[0]
    assert check(rules, 400, around=around(too_near=True)).due[0]


def test_safe_distances_on_each_side() -> None:
    """At 5 m/s and gaps of 1 s, 5 m across and along; 5 m of height."""
    across = np.array([4.9, 5.1, 4.9, 4.9, -4.9])
    along = np.array([4.9, 4.9, 5.1, 4.9, -4.9])
    height = np.array([4.9, 4.9, 4.9, 5.1, -4.9])
    near = SafeDistances().undercut(across, along, height, np.full(5, 5.0))
    assert near.tolist() == [True, False, False, False, True]
    standing = SafeDistances().undercut(np.array([1.9, 2.1]), np.zeros(2), np.zeros(2), np.zeros(2))
    assert standing.tolist() == [True, False]


def test_shortest_and_longest_interval() -> None:
    rules = VamGeneration(VamGenerationParams())
    assert check(rules, 0).due[0]
    assert not check(rules, 99, {"x_m": [10.0]}).due[0]
    assert not check(rules, 4999).due[0]
    assert check(rules, 5000).due[0]


def test_low_frequency_container_every_2_s() -> None:
    rules = VamGeneration(VamGenerationParams())
    has = {
        ms: bool(check(rules, ms, {"x_m": [0.05 * ms]}).low_frequency[0])
        for ms in (0, 1000, 1999, 2100, 4099, 4200)
    }
    assert [ms for ms, included in has.items() if included] == [0, 2100, 4200]


def test_passive_members_are_silent_and_begin_anew() -> None:
    rules = VamGeneration(VamGenerationParams())
    silent, speaks = np.array([True]), np.array([False])
    assert check(rules, 0).due[0]
    assert not check(rules, 6000, {"x_m": [9.0]}, silent=silent).due[0]
    assert check(rules, 6100, silent=speaks).due[0]


def test_a_leader_tells_of_a_changed_box() -> None:
    rules = VamGeneration(VamGenerationParams())
    assert check(rules, 0).due[0]
    assert check(rules, 100, prompted=np.array([True])).due[0]
    assert not check(rules, 200, prompted=np.array([False])).due[0]


@pytest.mark.parametrize(
    ("peer", "spared"),
    [
        ({"peer_x_m": 4.6 + 3.9}, True),
        ({"peer_x_m": 4.6 + 4.1}, False),
        ({"peer_x_m": 4.6, "peer_speed_mps": 1.9}, True),
        ({"peer_x_m": 4.6, "peer_speed_mps": 2.1}, False),
        ({"peer_x_m": 4.6, "peer_heading_deg": 3.9}, True),
        ({"peer_x_m": 4.6, "peer_heading_deg": 4.1}, False),
        ({"peer_x_m": 4.6, "too_near": True}, False),
    ],
)
def test_a_peer_that_told_the_same_spares_a_message(peer: dict[str, Any], spared: bool) -> None:
    rules = VamGeneration(VamGenerationParams())
    assert check(rules, 0, around=around()).due[0]
    found = check(rules, 3000, {"x_m": [4.6]}, around=around(**peer))
    assert found.spared[0] == spared
    assert found.due[0] != spared


@pytest.mark.parametrize(("n_skipped", "silent_ms"), [(2, 10_000), (4, 20_000)])
def test_messages_are_spared_for_a_limited_time(n_skipped: int, silent_ms: int) -> None:
    rules = VamGeneration(VamGenerationParams(), VamOthersParams(n_skipped=n_skipped))
    same = around(peer_x_m=0.0)
    assert check(rules, 0, around=same).due[0]  # the first is never spared
    times = [ms for ms in range(100, silent_ms + 200, 100) if check(rules, ms, around=same).due[0]]
    assert times == [silent_ms]


def test_nothing_is_spared_where_that_is_off() -> None:
    rules = VamGeneration(VamGenerationParams(), VamOthersParams(n_skipped=0))
    same = around(peer_x_m=0.0)
    assert check(rules, 0, around=same).due[0]
    assert check(rules, 5000, around=same).due[0]


def test_a_row_with_another_walker_begins_anew() -> None:
    rules = VamGeneration(VamGenerationParams())
    assert check(rules, 0, {"id": [7]}).due[0]
    assert check(rules, 100, {"id": [8]}).due[0]
    assert not check(rules, 200, {"id": [8]}).due[0]


@pytest.mark.parametrize("wrong", [{"n_skipped": 1}, {"n_skipped": 11}, {"interception": 0.0}])
def test_what_the_standard_does_not_allow(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        VamOthersParams(**wrong)  # type: ignore[arg-type]
