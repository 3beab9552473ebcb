"""What receivers know of events, keep-alive forwarding, relevance (EN 302 637-3, 8)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.messages.etsi.denm import RelevanceDirection, RelevanceDistance, Termination
from v2x.messages.etsi.denm_events import EventTables, Heard, KeepAliveParams
from v2x.messages.etsi.denm_origin import GOES_ON
from v2x.messages.etsi.relevance import is_relevant

MS = 1000
S = 1_000_000
IDENTITY = np.array([70, 71, 72])


def heard(*rows: dict[str, Any]) -> Heard:
    """Return DENMs of event 0 of station 50 that receiver 0 gets, unless said otherwise."""
    default = {"receiver": 0, "originator_id": 50, "sequence": 0, "reference_us": 0}
    default |= {"termination": GOES_ON, "valid_until_us": 10 * S, "interval_us": 0, "content": 0}
    full = [default | row for row in rows]
    columns = {name: np.array([row[name] for row in full], dtype=np.int64) for name in default}
    receiver = columns.pop("receiver").astype(np.int32)
    return Heard(receiver=receiver, receiver_id=IDENTITY[receiver], **columns)


def tables(spread_ms: float = 150.0, seed: int = 1) -> EventTables:
    return EventTables(KeepAliveParams(spread_ms=spread_ms), seed)


def contents(table: EventTables, now_us: int, identity: np.ndarray = IDENTITY) -> list[int]:
    return sorted(table.known(now_us, identity).content.tolist())


def test_the_newest_version_counts() -> None:
    table = tables()
    assert table.receive(0, heard({"reference_us": 5, "content": 1})).tolist() == [True]
    assert table.receive(0, heard({"reference_us": 4, "content": 2})).tolist() == [False]
    assert table.receive(0, heard({"reference_us": 5, "content": 3})).tolist() == [False]
    assert contents(table, 0) == [1]
    assert table.receive(0, heard({"reference_us": 6, "content": 4})).tolist() == [True]
    assert contents(table, 0) == [4]


def test_several_versions_at_once() -> None:
    table = tables()
    versions = heard(*({"reference_us": us, "content": us} for us in (3, 9, 4)))
    assert table.receive(0, versions).tolist() == [False, True, False]
    assert contents(table, 0) == [9]


@pytest.mark.parametrize("reference_us", [5, 6])
@pytest.mark.parametrize("termination", list(Termination))
def test_ended_events_go_and_do_not_come_back(reference_us: int, termination: Termination) -> None:
    """The end counts at an equal reference time too; repetitions that are late do nothing."""
    table = tables()
    table.receive(0, heard({"reference_us": 5}))
    end = {"reference_us": reference_us, "termination": termination}
    assert table.receive(0, heard(end)).tolist() == [True]
    assert contents(table, 0) == []
    assert table.receive(0, heard({"reference_us": 5})).tolist() == [False]
    assert contents(table, 0) == []
    assert table.receive(0, heard({"reference_us": 7, "content": 8})).tolist() == [True]
    assert contents(table, 0) == [8]


def test_an_older_end_does_nothing() -> None:
    table = tables()
    table.receive(0, heard({"reference_us": 5, "content": 1}))
    table.receive(0, heard({"reference_us": 4, "termination": Termination.CANCELLATION}))
    assert contents(table, 0) == [1]


def test_events_and_receivers_are_kept_apart() -> None:
    table = tables()
    table.receive(
        0,
        heard(
            {"content": 1},
            {"content": 2, "sequence": 1},
            {"content": 3, "originator_id": 51},
            {"content": 4, "receiver": 1},
        ),
    )
    table.receive(0, heard({"termination": Termination.NEGATION}))
    assert contents(table, 0) == [2, 3, 4]


@pytest.mark.parametrize(("now_us", "n_known"), [(10 * S, 1), (10 * S + 1, 0)])
def test_validity_ends(now_us: int, n_known: int) -> None:
    table = tables()
    table.receive(0, heard({}))
    assert len(table.known(now_us, IDENTITY)) == n_known


def test_who_has_left_knows_nothing() -> None:
    table = tables()
    table.receive(0, heard({}, {"receiver": 1}))
    assert len(table.known(0, np.array([99, 71, 72]))) == 1


def forwarded(table: EventTables, times_ms: range, inside: bool = True) -> list[int]:
    """Return when receiver 0 forwards [ms]."""
    found = []
    for ms in times_ms:
        known = table.known(ms * MS, IDENTITY)
        sent = table.forward(ms * MS, IDENTITY, np.full(len(known), inside))
        found += [ms] * len(sent)
    return found


def test_the_timer_is_twice_the_interval() -> None:
    table = tables(spread_ms=0.0)
    table.receive(0, heard({"interval_us": 500 * MS}))
    assert forwarded(table, range(0, 3500, 50)) == [1000, 2000, 3000]


def test_timers_spread_over_150_ms() -> None:
    """Times of 200 receivers after 2 x 500 ms: within [1000, 1150], mean within 4 sigma."""
    identity = np.arange(200)
    table = tables()
    rows = heard(*({"interval_us": 500 * MS} for _ in range(200)))
    columns = {name: getattr(rows, name) for name in Heard.__slots__}
    columns |= {"receiver": identity.astype(np.int32), "receiver_id": identity}
    table.receive(0, Heard(**columns))
    times = []
    for ms in range(990, 1160):
        n_known = len(table.known(ms * MS, identity))
        sent = table.forward(ms * MS, identity, np.ones(n_known, dtype=np.bool_))
        times += [ms] * len(sent)
    assert len(times) == 200
    assert 1000 <= min(times) <= 1010
    assert 1140 <= max(times) <= 1150
    assert abs(np.mean(times) - 1075.5) < 4.0 * 150.0 / np.sqrt(12.0 * 200)


def test_hearing_it_again_restarts_the_timer() -> None:
    table = tables(spread_ms=0.0)
    table.receive(0, heard({"interval_us": 500 * MS}))
    assert forwarded(table, range(0, 950, 50)) == []
    table.receive(900 * MS, heard({"interval_us": 500 * MS}))
    assert forwarded(table, range(950, 2500, 50)) == [1900]


def test_an_older_version_does_not_restart_the_timer() -> None:
    table = tables(spread_ms=0.0)
    table.receive(0, heard({"interval_us": 500 * MS, "reference_us": 5}))
    table.receive(900 * MS, heard({"interval_us": 500 * MS, "reference_us": 4}))
    assert forwarded(table, range(950, 1500, 50)) == [1000]


@pytest.mark.parametrize(
    "row", [{"interval_us": 0}, {"interval_us": 500 * MS, "termination": Termination.NEGATION}]
)
def test_what_is_never_forwarded(row: dict[str, int]) -> None:
    table = tables(spread_ms=0.0)
    table.receive(0, heard(row))
    assert forwarded(table, range(0, 5000, 100)) == []


def test_only_inside_the_area_and_until_the_validity_ends() -> None:
    table = tables(spread_ms=0.0)
    table.receive(0, heard({"interval_us": 500 * MS, "valid_until_us": 2500 * MS}))
    assert forwarded(table, range(0, 1400, 50), inside=False) == []
    assert forwarded(table, range(1400, 4000, 50)) == [1400, 2400]


def test_areas_have_one_value_per_event() -> None:
    table = tables()
    table.receive(0, heard({}))
    with pytest.raises(ValueError, match="one value per event"):
        table.forward(0, IDENTITY, np.zeros(2, dtype=np.bool_))


@pytest.mark.parametrize("wrong", [{"n_intervals": 0.0}, {"spread_ms": -1.0}])
def test_timers_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        KeepAliveParams(**wrong)


@pytest.mark.parametrize(
    ("distance", "limit_m"),
    list(zip(RelevanceDistance, (50, 100, 200, 500, 1000, 5000, 10_000), strict=False)),
)
def test_relevance_by_distance(distance: RelevanceDistance, limit_m: float) -> None:
    far = np.array([limit_m - 0.1, limit_m + 0.1])
    still = np.zeros(2)
    every = np.full(2, int(RelevanceDirection.ALL))
    near = is_relevant(far, still, still, still, np.full(2, int(distance)), every)
    assert near.tolist() == [True, False]


@pytest.mark.parametrize(
    ("direction", "meant"),
    [
        (RelevanceDirection.ALL, [True, True, True, True]),
        (RelevanceDirection.UPSTREAM, [True, False, False, False]),
        (RelevanceDirection.DOWNSTREAM, [False, True, False, False]),
        (RelevanceDirection.OPPOSITE, [False, False, True, True]),
    ],
)
def test_relevance_by_direction(direction: RelevanceDirection, meant: list[bool]) -> None:
    """The road goes north; before and behind the event, along and against it."""
    north = np.array([-40.0, 40.0, -40.0, 40.0])
    along = np.radians([90.0, 95.0, 270.0, 265.0])
    event = np.full(4, np.pi / 2)
    near = np.full(4, int(RelevanceDistance.UNDER_100_M))
    found = is_relevant(np.zeros(4), north, along, event, near, np.full(4, int(direction)))
    assert found.tolist() == meant
