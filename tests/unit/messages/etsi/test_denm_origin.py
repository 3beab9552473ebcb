"""Originators: names, repetition and its end, update, cancellation, negation (EN 302 637-3, 8)."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.messages.etsi.denm import Termination
from v2x.messages.etsi.denm_origin import GOES_ON, N_SEQUENCES, Originators, Repetition

MS = 1000
S = 1_000_000
IDENTITY = np.array([50, 51, 52])
ONCE = Repetition()


def rows(*row: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array(row, dtype=np.int32), IDENTITY[list(row)]


def times(origin: Originators, until_ms: int, identity: np.ndarray = IDENTITY) -> list[int]:
    """Return when messages were due, asked for every millisecond [ms]."""
    found = []
    for ms in range(until_ms + 1):
        found += (origin.due(ms * MS, identity).next_us // MS).tolist()
    return found


def test_a_single_message() -> None:
    origin = Originators()
    assert origin.trigger(0, *rows(0), ONCE).tolist() == [0]
    sent = origin.due(0, IDENTITY)
    assert sent.originator_id.tolist() == [50]
    assert sent.reference_us.tolist() == sent.detection_us.tolist() == [0]
    assert sent.valid_until_us.tolist() == [600 * S]
    assert sent.termination.tolist() == [GOES_ON]
    assert times(origin, 50) == []


def test_repetition_ends_with_its_duration() -> None:
    origin = Originators()
    origin.trigger(0, *rows(0), Repetition(interval_ms=100.0, duration_s=0.35))
    assert times(origin, 1000) == [0, 100, 200, 300]
    origin.trigger(2 * S, *rows(0), Repetition(interval_ms=100.0, duration_s=0.3))
    assert times(origin, 4000) == [2000, 2100, 2200, 2300]


@pytest.mark.parametrize(("validity_s", "last_ms"), [(1.0, 1000), (0.5, 500)])
def test_repetition_ends_with_the_validity(validity_s: float, last_ms: int) -> None:
    origin = Originators()
    forever = Repetition(interval_ms=250.0, duration_s=100.0, validity_s=validity_s)
    origin.trigger(0, *rows(0), forever)
    assert times(origin, 2000)[-1] == last_ms
    assert len(origin) == 0


def test_validity_counts_from_the_detection() -> None:
    origin = Originators()
    asked = Repetition(interval_ms=100.0, duration_s=100.0, validity_s=1.0)
    origin.trigger(700 * MS, *rows(0), asked, detection_us=0)
    assert times(origin, 2000) == [700, 800, 900, 1000]


def test_late_questions_lose_no_message() -> None:
    origin = Originators()
    origin.trigger(0, *rows(0), Repetition(interval_ms=40.0, duration_s=9.0, validity_s=0.2))
    due = []
    while len(sent := origin.due(500 * MS, IDENTITY)):
        due += (sent.next_us // MS).tolist()
    assert due == [0, 40, 80, 120, 160, 200]


def test_names_count_up_for_each_station() -> None:
    origin = Originators()
    assert origin.trigger(0, *rows(0, 1), ONCE).tolist() == [0, 0]
    assert origin.trigger(0, *rows(1, 2), ONCE).tolist() == [1, 0]
    one = Originators()
    many = np.full(N_SEQUENCES, 50)
    one.trigger(0, np.zeros(N_SEQUENCES, dtype=np.int32), many, ONCE)
    assert one.trigger(0, *rows(0), ONCE).tolist() == [0]


def test_an_update_keeps_the_name_and_the_detection() -> None:
    origin = Originators()
    asked = Repetition(interval_ms=100.0, duration_s=1.0)
    origin.trigger(0, *rows(0, 1), asked)
    assert times(origin, 150) == [0, 0, 100, 100]
    origin.update(160 * MS, 50, 0, Repetition(interval_ms=500.0, duration_s=1.0))
    sent = origin.due(160 * MS, IDENTITY)
    assert (sent.originator_id.tolist(), sent.sequence.tolist()) == ([50], [0])
    assert (sent.detection_us.tolist(), sent.reference_us.tolist()) == ([0], [160 * MS])
    assert [ms for ms in times(origin, 1200) if ms % 100] == [660, 1160]


def test_a_cancelled_event_is_told_as_such_and_no_more() -> None:
    origin = Originators()
    origin.trigger(0, *rows(0), Repetition(interval_ms=100.0, duration_s=9.0))
    assert times(origin, 50) == [0]
    origin.cancel(60 * MS, 50, 0, Repetition(interval_ms=100.0, duration_s=0.1))
    sent = origin.due(60 * MS, IDENTITY)
    assert sent.termination.tolist() == [Termination.CANCELLATION]
    assert sent.reference_us.tolist() == [60 * MS]
    assert times(origin, 2000) == [160]
    for end in (origin.cancel, origin.update):
        with pytest.raises(ValueError, match="tells of no event 0"):
            end(70 * MS, 50, 0, ONCE)


def test_others_negate() -> None:
    origin = Originators()
    origin.trigger(0, *rows(0), Repetition(interval_ms=100.0, duration_s=9.0))
    origin.due(0, IDENTITY)
    origin.negate(50 * MS, *rows(1), (50, 0), 0, ONCE)
    sent = origin.due(50 * MS, IDENTITY)
    assert sent.station.tolist() == [1]
    assert (sent.originator_id.tolist(), sent.sequence.tolist()) == ([50], [0])
    assert sent.termination.tolist() == [Termination.NEGATION]
    with pytest.raises(ValueError, match="cancels it"):
        origin.negate(60 * MS, *rows(0), (50, 0), 0, ONCE)
    with pytest.raises(ValueError, match="station 51 tells of no event"):
        origin.update(60 * MS, 51, 0, ONCE)


def test_who_has_left_says_no_more() -> None:
    origin = Originators()
    origin.trigger(0, *rows(0), Repetition(interval_ms=100.0, duration_s=9.0))
    assert times(origin, 100) == [0, 100]
    assert times(origin, 1000, np.array([77, 51, 52])) == []
    assert len(origin) == 0


@pytest.mark.parametrize(
    "wrong", [{"interval_ms": 0.0}, {"duration_s": -1.0}, {"validity_s": 86_401.0}]
)
def test_what_a_denm_cannot_say(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Repetition(**wrong)
