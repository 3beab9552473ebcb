"""Topics, and how urgent each of them is (applications.md 1.6)."""

from __future__ import annotations

import pytest

from v2x.messages.envelope import ETSI, ROADSIDE, VEHICLE
from v2x.messages.topics import (
    KEY_EVENT,
    RSI_SEMI_STATIC,
    RSI_STATIC,
    SENSOR_SHARING,
    URGENCY,
    Topic,
    Urgency,
    pppp,
)


def test_the_numbers_in_the_column_do_not_move() -> None:
    assert [(topic.name, topic.value) for topic in Topic] == [
        *(("STATE", 0), ("MAP", 1), ("SPAT", 2), ("RSI", 3), ("RSM", 4), ("DENM", 5)),
        *(("VIR", 6), ("RSC", 7), ("CLPMM", 8), ("PAM", 9), ("VPM", 10), ("PROBE", 11)),
        ("RTCM", 12),
    ]


def test_every_topic_has_an_urgency_with_its_source() -> None:
    assert set(URGENCY) == set(Topic)
    assert all(row.source for row in URGENCY.values())


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (URGENCY[Topic.STATE], (5, 100, 111)),
        (KEY_EVENT, (2, 50, 112)),
        (URGENCY[Topic.MAP], (8, 1000, 3618)),
        (URGENCY[Topic.SPAT], (3, 500, 3619)),
        (RSI_STATIC, (7, 1000, 3620)),
        (RSI_SEMI_STATIC, (6, 500, 3621)),
        (URGENCY[Topic.RSI], (5, 100, 3622)),
        (URGENCY[Topic.RSM], (2, 100, 3623)),
        (URGENCY[Topic.VIR], (3, 50, None)),
        (URGENCY[Topic.RSC], (3, 50, None)),
        (URGENCY[Topic.CLPMM], (3, 50, None)),
        (SENSOR_SHARING, (4, 100, None)),
        (URGENCY[Topic.RTCM], (7, 500, None)),
    ],
)
def test_values_of_the_reference(row: Urgency, expected: tuple[int, int, int | None]) -> None:
    assert (row.pppp, row.delay_budget_ms, row.aid) == expected


def test_who_signs() -> None:
    roadside = {topic for topic, row in URGENCY.items() if row.envelope is ROADSIDE}
    told = {Topic.MAP, Topic.SPAT, Topic.RSI, Topic.RSM, Topic.RSC, Topic.PAM, Topic.RTCM}
    assert roadside == told
    assert URGENCY[Topic.DENM].envelope is ETSI
    # A platoon message of 44 bytes under a digest (applications.md 4.1).
    assert URGENCY[Topic.CLPMM].envelope.signed_bytes(44, with_certificate=False) == 137


def test_priorities_that_are_none() -> None:
    assert [pppp(value) for value in (0, 31, 32, 255)] == [8, 8, 7, 1]
    for value in (-1, 256):
        with pytest.raises(ValueError, match="network_priority"):
            pppp(value)
    for changes in ({"pppp": 0}, {"delay_budget_ms": 0}, {"confidence": "E"}, {"aid": -1}):
        fields = {"pppp": 1, "delay_budget_ms": 1, "confidence": "A", "aid": None} | changes
        with pytest.raises(ValueError, match=next(iter(changes))):
            Urgency(envelope=VEHICLE, source="none", **fields)  # type: ignore[arg-type]
