"""R7: inclusion in CPMs, triggers of VAMs, times of clusters (applications.md 8.12)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.messages.etsi.cpm_rules import CpmGeneration, CpmGenerationParams, Seen
from v2x.messages.etsi.vam_clusters import Clustering, ClusterParams, Role
from v2x.messages.etsi.vam_rules import VamGeneration, VamGenerationParams

from ..simulation_parts import fleet_state

MS = 1000
HOST = np.array([0], dtype=np.int32)


def seen(**columns: float) -> Seen:
    values = {"x_m": 0.0, "y_m": 0.0, "heading_rad": 0.0, "speed_mps": 10.0} | columns
    return Seen(
        station=HOST,
        object_id=np.array([1]),
        type_a=np.array([bool(values.pop("type_a", 0.0))]),
        quality=np.array([int(values.pop("quality", 7.0))]),
        **{name: np.array([value]) for name, value in values.items()},
    )


@pytest.mark.parametrize(
    ("after_ms", "columns", "included"),
    [
        (100, {"x_m": 3.99}, False),
        (100, {"x_m": 4.01}, True),
        (100, {"speed_mps": 10.49}, False),
        (100, {"speed_mps": 10.51}, True),
        (100, {"heading_rad": np.radians(3.99)}, False),
        (100, {"heading_rad": np.radians(4.01)}, True),
        (999, {}, False),
        (1000, {}, True),
        (499, {"type_a": 1.0, "x_m": 9.0}, False),
        (500, {"type_a": 1.0}, True),
        (1000, {"quality": 2.0}, False),
        (99, {"x_m": 50.0}, False),
    ],
)
def test_inclusion(after_ms: int, columns: dict[str, float], included: bool) -> None:
    rules = CpmGeneration(CpmGenerationParams())
    before = seen(type_a=columns.get("type_a", 0.0))
    assert rules.check(0, HOST, np.array([5]), before).included[0]
    found = rules.check(after_ms * MS, HOST, np.array([5]), seen(**columns))
    assert found.included[0] == included


@pytest.mark.parametrize(
    ("after_ms", "columns", "due"),
    [
        (100, {"x_m": [3.99]}, False),
        (100, {"x_m": [4.01]}, True),
        (100, {"speed_mps": 0.49}, False),
        (100, {"speed_mps": 0.51}, True),
        (100, {"heading_rad": np.radians(3.99)}, False),
        (100, {"heading_rad": np.radians(4.01)}, True),
        (99, {"x_m": [50.0]}, False),
        (4999, {}, False),
        (5000, {}, True),
    ],
)
def test_vam_triggers(after_ms: int, columns: dict[str, Any], due: bool) -> None:
    rules = VamGeneration(VamGenerationParams())
    row = np.zeros(1, dtype=np.int32)
    assert rules.check(np.array([0]), row, fleet_state(0, [0.0])).due[0]
    values = {"x_m": [0.0], **columns}
    fleet = fleet_state(after_ms * MS, values.pop("x_m"), **values)
    assert rules.check(np.array([after_ms * MS]), row, fleet).due[0] == due


def test_cluster_times() -> None:
    """Join 3 s, silent; out of the circle: leave 3 s; warning 3 s before the end."""
    clustering = Clustering(ClusterParams())
    row, place = np.arange(3, dtype=np.int32), np.array([0.0, 1.0, 2.0])
    history = []
    for ms in range(0, 14_000, 100):
        if ms == 5000:
            place[2] = 9.0
        if ms == 9000:
            clustering.break_up(ms * MS, row[:1])
        fleet = fleet_state(ms * MS, place, speed_mps=1.2)
        history.append(clustering.step(ms * MS, row, fleet).role)
    role = np.array(history)

    def first_ms(who: int, part: Role, since_ms: int = 0) -> int:
        return since_ms + 100 * int(np.argmax(role[since_ms // 100 :, who] == part))

    assert first_ms(0, Role.LEADER) == 0
    assert first_ms(1, Role.JOINING) == 100
    assert first_ms(1, Role.PASSIVE) == 3100
    assert first_ms(2, Role.LEAVING) == 5000
    assert first_ms(2, Role.STANDALONE, 5000) == 8000
    assert first_ms(0, Role.BREAKING_UP) == 9000
    assert first_ms(0, Role.STANDALONE, 9000) == 12_000
    assert first_ms(1, Role.STANDALONE, 9000) == 12_000
