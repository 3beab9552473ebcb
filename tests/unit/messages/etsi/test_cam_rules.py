"""Triggers of CAMs on each side of their thresholds (EN 302 637-2, 6.1.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.messages.etsi.cam_rules import CamDue, CamGeneration, CamGenerationParams
from v2x.messages.etsi.changes import ChangeThresholds
from v2x.mobility.fleet import NodeKind

from ....simulation_parts import fleet_state

MS = 1000


def check(
    rules: CamGeneration, now_ms: int, columns: dict[str, Any] | None = None, **more: Any
) -> CamDue:
    """Check one car at the origin, or one with other columns."""
    values = {"x_m": [0.0], "speed_mps": 10.0, **(columns or {})}
    fleet = fleet_state(now_ms * MS, values.pop("x_m"), **values)
    n = fleet.n_rows
    return rules.check(np.full(n, now_ms * MS), np.arange(n, dtype=np.int32), fleet, **more)


def sent(rules: CamGeneration, at_ms: range, state: Callable[[int], dict[str, Any]]) -> list[int]:
    return [ms for ms in at_ms if check(rules, ms, state(ms)).due[0]]


@pytest.mark.parametrize(
    ("columns", "due"),
    [
        ({"x_m": [3.99]}, False),
        ({"x_m": [4.01]}, True),
        ({"y_m": 4.01}, True),
        ({"x_m": [2.9], "y_m": 2.9}, True),
        ({"speed_mps": 10.49}, False),
        ({"speed_mps": 10.51}, True),
        ({"speed_mps": 9.49}, True),
        ({"heading_rad": np.radians(3.99)}, False),
        ({"heading_rad": np.radians(4.01)}, True),
        ({"heading_rad": np.radians(360.0 - 4.01)}, True),
        ({"heading_rad": np.radians(360.0 + 3.99)}, False),
    ],
)
def test_changes(columns: dict[str, Any], due: bool) -> None:
    rules = CamGeneration(CamGenerationParams())
    assert check(rules, 0).due[0]
    found = check(rules, 100, columns)
    assert found.due[0] == found.by_change[0] == due


def test_no_change_before_the_shortest_interval() -> None:
    rules = CamGeneration(CamGenerationParams())
    assert check(rules, 0).due[0]
    assert not check(rules, 99, {"x_m": [50.0]}).due[0]
    assert check(rules, 100, {"x_m": [50.0]}).due[0]


def test_time_without_changes() -> None:
    rules = CamGeneration(CamGenerationParams())
    assert sent(rules, range(0, 3001, 100), lambda _: {}) == [0, 1000, 2000, 3000]


def test_the_interval_of_a_change_stays_for_three_messages() -> None:
    """A change after 300 ms; then 300, 300, 300 ms without one, and a second again."""
    rules = CamGeneration(CamGenerationParams())
    times = sent(rules, range(0, 4001, 100), lambda ms: {"x_m": [0.0 if ms < 300 else 4.5]})
    assert times == [0, 300, 600, 900, 1200, 2200, 3200]


def test_a_change_begins_the_count_anew() -> None:
    rules = CamGeneration(CamGenerationParams())
    place = {0: 0.0, 300: 5.0, 700: 10.0}
    times = sent(
        rules,
        range(0, 2600, 100),
        lambda ms: {"x_m": [place[max(begin for begin in place if begin <= ms)]]},
    )
    # 300 by change, 600 by time, 700 by change after 100 ms, then thrice 100 ms by time
    assert times == [0, 300, 600, 700, 800, 900, 1000, 2000]


def test_dcc_holds_back() -> None:
    rules = CamGeneration(CamGenerationParams())
    moving = [
        ms
        for ms in range(0, 1001, 100)
        if check(rules, ms, {"x_m": [0.1 * ms]}, dcc_us=250 * MS).due[0]
    ]
    assert moving == [0, 300, 600, 900]


def test_dcc_is_clamped_to_a_second() -> None:
    rules = CamGeneration(CamGenerationParams())
    times = [ms for ms in range(0, 2001, 100) if check(rules, ms, dcc_us=10**8).due[0]]
    assert times == [0, 1000, 2000]


@pytest.mark.parametrize("container", ["low_frequency", "special"])
def test_slow_containers_come_every_500_ms(container: str) -> None:
    rules = CamGeneration(CamGenerationParams())
    duty = np.ones(1, dtype=np.bool_)
    has = {
        ms: bool(getattr(check(rules, ms, {"x_m": [0.05 * ms]}, on_duty=duty), container)[0])
        for ms in (0, 100, 499, 600, 1000, 1099, 1200)
    }
    assert [ms for ms, included in has.items() if included] == [0, 600, 1200]


def test_who_is_not_on_duty_has_no_special_container() -> None:
    rules = CamGeneration(CamGenerationParams())
    found = check(rules, 0, {"x_m": [0.0, 50.0]}, on_duty=np.array([False, True]))
    assert found.special.tolist() == [False, True]
    assert found.low_frequency.all()


def test_roadside_units_send_once_per_second_and_no_low_frequency() -> None:
    rules = CamGeneration(CamGenerationParams())
    columns = {"kind": int(NodeKind.RSU)}
    assert not check(rules, 0, columns).low_frequency[0]
    assert not check(rules, 500, columns | {"x_m": [30.0]}).due[0]
    assert not check(rules, 999, columns).due[0]
    assert check(rules, 1000, columns).due[0]


def test_a_row_with_another_vehicle_begins_anew() -> None:
    rules = CamGeneration(CamGenerationParams())
    assert check(rules, 0, {"id": [7]}).due[0]
    assert not check(rules, 100, {"id": [7]}).due[0]
    found = check(rules, 200, {"id": [8]})
    assert found.due[0]
    assert found.low_frequency[0]


def test_stations_do_not_depend_on_each_other() -> None:
    """Many at once decide as each of them alone."""
    generator = np.random.default_rng(5)
    walk = np.cumsum(generator.uniform(0.0, 3.0, (40, 6)), axis=0)
    speed = 10.0 + np.cumsum(generator.normal(0.0, 0.15, (40, 6)), axis=0)

    def due(columns: slice) -> NDArray[np.bool_]:
        rules = CamGeneration(CamGenerationParams())
        return np.array(
            [
                check(rules, 100 * k, {"x_m": walk[k, columns], "speed_mps": speed[k, columns]}).due
                for k in range(40)
            ]
        )

    together = due(slice(None))
    alone = np.column_stack([due(slice(k, k + 1)) for k in range(6)])
    assert (together == alone).all()
    assert together.any()
    assert not together.all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_interval_ms": 2000.0},
        {"n_after_change": 0},
        {"n_after_change": 4},
        {"special_ms": -1.0},
    ],
)
def test_what_the_standard_does_not_allow(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CamGenerationParams(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["position_m", "speed_mps", "heading_deg"])
def test_thresholds_are_positive(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        ChangeThresholds(**{name: 0.0})
