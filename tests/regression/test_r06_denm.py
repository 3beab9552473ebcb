"""R6: update, cancellation, negation, end of repetition, keep-alive timers (applications.md 8.12).

Originators and receivers together: what some say, the others hear a millisecond later.
"""

from __future__ import annotations

import numpy as np

from v2x.messages.etsi.denm_events import EventTables, Heard, KeepAliveParams
from v2x.messages.etsi.denm_origin import Originators, OwnEvents, Repetition

MS = 1000
STEP_MS = 5
IDENTITY = np.array([50, 51, 52, 53])
LISTENERS = np.array([1, 2, 3], dtype=np.int32)
EVERY_500_MS = Repetition(interval_ms=500.0, duration_s=2.0, validity_s=60.0)


def arrived(sent: OwnEvents) -> Heard:
    """Return what every listener hears of the messages."""
    n_each = len(LISTENERS)

    def told(column: np.ndarray) -> np.ndarray:
        return np.repeat(column, n_each)

    receiver = np.tile(LISTENERS, len(sent))
    return Heard(
        receiver=receiver,
        receiver_id=IDENTITY[receiver],
        originator_id=told(sent.originator_id),
        sequence=told(sent.sequence),
        reference_us=told(sent.reference_us),
        termination=told(sent.termination),
        valid_until_us=told(sent.valid_until_us),
        interval_us=told(sent.interval_us),
        content=told(sent.reference_us),
    )


class Road:
    """One originator, three listeners in the area of the event."""

    def __init__(self) -> None:
        self.origin = Originators()
        self.tables = EventTables(KeepAliveParams(), 3)
        self.ms = 0
        self.sent_ms: list[int] = []
        self.forwarded: list[tuple[int, int]] = []

    def until(self, end_ms: int) -> list[int]:
        """Let time pass, and return what the listeners know: times of the versions [ms]."""
        while self.ms < end_ms:
            sent = self.origin.due(self.ms * MS, IDENTITY)
            self.sent_ms += [self.ms] * len(sent)
            if len(sent):
                self.tables.receive((self.ms + 1) * MS, arrived(sent))
            n_known = len(self.tables.known(self.ms * MS, IDENTITY))
            inside = np.ones(n_known, dtype=np.bool_)
            for row in self.tables.forward(self.ms * MS, IDENTITY, inside).receiver.tolist():
                self.forwarded.append((self.ms, row))
            self.ms += STEP_MS
        return (self.tables.known(end_ms * MS, IDENTITY).content // MS).tolist()


def station(row: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array([row], dtype=np.int32), IDENTITY[[row]]


def test_update_cancellation_and_late_copies() -> None:
    road = Road()
    road.origin.trigger(0, *station(0), EVERY_500_MS)
    assert road.until(1100) == [0, 0, 0]
    road.origin.update(1100 * MS, 50, 0, EVERY_500_MS)
    old = Originators()
    old.trigger(0, *station(0), EVERY_500_MS)
    assert road.until(1200) == [1100, 1100, 1100]
    road.tables.receive(1200 * MS, arrived(old.due(0, IDENTITY)))
    assert road.until(1300) == [1100, 1100, 1100]
    road.origin.cancel(1300 * MS, 50, 0, EVERY_500_MS)
    assert road.until(1400) == []
    assert road.until(6000) == []
    assert road.sent_ms == [0, 500, 1000, 1100, 1300, 1800, 2300, 2800, 3300]
    assert road.forwarded == []


def test_negation_by_another_station() -> None:
    road = Road()
    road.origin.trigger(0, *station(0), Repetition(validity_s=60.0))
    assert road.until(100) == [0, 0, 0]
    road.origin.negate(100 * MS, *station(1), (50, 0), 0, Repetition(validity_s=60.0))
    assert road.until(200) == []


def test_repetition_ends_and_others_keep_the_event_alive() -> None:
    """The last message is heard at 2001 ms; from 1000 to 1150 ms later each listener forwards."""
    road = Road()
    road.origin.trigger(0, *station(0), EVERY_500_MS)
    assert road.until(3000) == [0, 0, 0]
    assert road.sent_ms == [0, 500, 1000, 1500, 2000]
    assert road.forwarded == []
    road.until(3165)
    assert sorted(row for _, row in road.forwarded) == [1, 2, 3]
    assert all(3001 <= ms <= 3155 for ms, _ in road.forwarded)
    assert len({ms for ms, _ in road.forwarded}) > 1


def test_who_hears_a_forwarder_is_quiet() -> None:
    road = Road()
    road.origin.trigger(0, *station(0), EVERY_500_MS)
    while not road.forwarded:
        road.until(road.ms + STEP_MS)
    first_ms, _ = road.forwarded[0]
    known = road.tables.known(first_ms * MS, IDENTITY)
    road.tables.receive(first_ms * MS, known)  # all hear the copy
    road.until(first_ms + 990)
    assert len(road.forwarded) == 1


def test_the_event_ends_with_its_validity() -> None:
    road = Road()
    road.origin.trigger(0, *station(0), Repetition(interval_ms=50.0, duration_s=9, validity_s=0.3))
    assert len(road.until(300)) == 3
    assert road.until(305) == []
    assert road.until(3000) == []
    assert road.sent_ms == list(range(0, 301, 50))
    assert road.forwarded == []
