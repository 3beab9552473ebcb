"""docs/messages_day2.md names tests, modules and sizes that are so."""

from __future__ import annotations

import re
from pathlib import Path

from v2x.messages.csae.day2.frame import size_bytes
from v2x.messages.topics import URGENCY, Topic

from .day2_samples import (
    CHARGE,
    CORRECTIONS,
    LANE_CHANGE,
    PERSON,
    REAL_CLPMM,
    coordination,
    intention,
    parking_area,
    platoon,
    sensor_sharing,
)

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs" / "messages_day2.md").read_text("utf-8")


def test_tests_and_modules_that_are_named_exist() -> None:
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)
    assert len(named) > 15
    for file, function in named:
        text = (Path(__file__).parent / file).read_text("utf-8")
        assert f"def {function}" in text, (file, function)
    modules = set(re.findall(r"`((?!test_)\w+\.py)`", PAGE))
    assert modules <= {file.name for file in (ROOT / "v2x" / "messages").rglob("*.py")}


def test_sizes_that_are_told() -> None:
    rows = [
        [CORRECTIONS],
        [coordination(n) for n in (1, 2, 4)],
        [coordination(n, with_path=True) for n in (1, 2)],
        [sensor_sharing(n) for n in (0, 1, 4, 8, 16)],
        [intention(LANE_CHANGE, n_points=n) for n in (0, 5, 8)],
        [parking_area(n) for n in (0, 4, 50)],
        [PERSON],
        [platoon(n) for n in (1, 2, 5)],
        [CHARGE],
    ]
    for row in rows:
        told = ", ".join(str(size_bytes(message)) for message in row)
        assert f"| {told} |" in PAGE, told
    assert REAL_CLPMM in PAGE


def test_every_topic_is_told() -> None:
    for topic in Topic:
        assert topic.name in PAGE
        assert str(URGENCY[topic].pppp) in PAGE
