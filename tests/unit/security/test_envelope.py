"""Cadence of certificates, memory of receivers, freshness (applications.md 1.8, 1.9, 4.1, 4.6)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.security.envelope import (
    CHINA,
    CHINESE,
    ETSI,
    EUROPEAN,
    CadenceRule,
    CertificateCadence,
    CertificateMemory,
    FreshnessRule,
    clock_offset_us,
)

MS = 1000


def sent(
    cadence: CertificateCadence, times_ms: list[int], event: bool = False, identity: int = 7
) -> list[bool]:
    n = len(times_ms)
    return cadence.take(
        np.zeros(n, dtype=np.int32),
        np.full(n, identity, dtype=np.int64),
        np.array(times_ms, dtype=np.int64) * MS,
        np.full(n, event),
    ).tolist()


def test_every_fifth_message_at_ten_a_second_carries_the_certificate() -> None:
    carries = sent(CertificateCadence(CHINA, 1), list(range(0, 1500, 100)))
    assert np.flatnonzero(carries).tolist() == [0, 5, 10]


@pytest.mark.parametrize(("after_ms", "carries"), [(449, False), (450, True)])
def test_a_certificate_waits_450_ms(after_ms: int, carries: bool) -> None:
    assert sent(CertificateCadence(CHINA, 1), [0, after_ms]) == [True, carries]


@pytest.mark.parametrize(("after_ms", "carries"), [(999, False), (1000, True)])
def test_cam_carry_it_once_a_second(after_ms: int, carries: bool) -> None:
    assert sent(CertificateCadence(ETSI, 1), [0, after_ms]) == [True, carries]


def test_every_message_of_an_event_carries_it_and_counts() -> None:
    cadence = CertificateCadence(CHINA, 1)
    assert sent(cadence, [0]) == [True]
    assert sent(cadence, [100, 200, 300], event=True) == [True] * 3
    assert sent(cadence, [700, 749, 750]) == [False, False, True]


def test_a_change_of_certificate_and_a_newcomer_begin_anew() -> None:
    cadence = CertificateCadence(CHINA, 1)
    assert sent(cadence, [0, 100]) == [True, False]
    cadence.change(np.array([0]))
    assert sent(cadence, [200, 300]) == [True, False]
    assert sent(cadence, [400], identity=8) == [True]


@pytest.mark.parametrize(("rule", "answers"), [(ETSI, True), (CHINA, False)])
def test_strangers_are_answered_by_cam_only(rule: CadenceRule, answers: bool) -> None:
    cadence = CertificateCadence(rule, 1)
    assert sent(cadence, [0, 100]) == [True, False]
    cadence.hear_strangers(np.array([0]))
    assert sent(cadence, [200]) == [answers]


def test_those_who_are_there_at_the_start_began_before() -> None:
    cadence = CertificateCadence(CHINA, 3)
    cadence.resume(np.array([7, 7, -1]), np.array([0.0, 1.0, 0.5]))
    row = np.array([0, 1, 2], dtype=np.int32)
    got = cadence.take(row, np.array([7, 7, 9]), np.array([10, 10, 10]), np.zeros(3, dtype=bool))
    assert got.tolist() == [False, True, True]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 400), st.booleans()), min_size=1, max_size=40
    )
)
def test_the_cadence_is_that_of_each_row_alone(messages: list[tuple[int, int, bool]]) -> None:
    now, rows, times, events, expected = 0, [], [], [], []
    last: dict[int, int] = {}
    for row, step, event in messages:
        now += step * MS
        carries = event or row not in last or now - last[row] >= 450 * MS
        if carries:
            last[row] = now
        rows.append(row), times.append(now), events.append(event), expected.append(carries)
    cadence = CertificateCadence(CHINA, 4)
    row = np.array(rows, dtype=np.int32)
    got = cadence.take(row, row.astype(np.int64), np.array(times), np.array(events))
    assert got.tolist() == expected


# Receivers --------------------------------------------------------------------------------


def heard(memory: CertificateMemory, now_us: int, *receptions: tuple[int, int, bool]) -> list[bool]:
    sender, receiver, certificate = (np.array(column) for column in zip(*receptions, strict=True))
    return memory.take(now_us, sender, receiver, certificate).tolist()


def test_digests_are_verified_once_the_certificate_came() -> None:
    memory = CertificateMemory(20)
    assert heard(memory, 0, (3, 9, False), (3, 10, True)) == [False, True]
    assert heard(memory, 1, (3, 9, False), (3, 10, False), (9, 3, False)) == [False, True, False]
    assert heard(memory, 2, (3, 9, True)) == [True]
    assert heard(memory, 3, (3, 9, False), (4, 9, False)) == [True, False]


def test_a_certificate_serves_what_follows_it_in_the_same_call() -> None:
    memory = CertificateMemory(4)
    assert heard(memory, 0, (0, 1, False), (0, 1, True), (0, 1, False)) == [False, True, True]


def test_a_change_of_pseudonym_is_unknown_to_all_and_knows_all() -> None:
    memory = CertificateMemory(10)
    heard(memory, 0, (0, 1, True), (1, 0, True), (8, 1, True))
    memory.change(np.array([0]))
    assert heard(memory, 1, (0, 1, False), (1, 0, False), (8, 1, False)) == [False, True, True]


def test_a_newcomer_knows_nobody() -> None:
    memory = CertificateMemory(10)
    heard(memory, 0, (0, 1, True), (1, 0, True), (2, 1, True))
    memory.forget(np.array([0]))
    assert heard(memory, 1, (0, 1, False), (1, 0, False), (2, 1, False)) == [False, False, True]


def test_time_to_the_first_verified_message() -> None:
    memory = CertificateMemory(4)
    heard(memory, 1000, (0, 1, False), (2, 1, True))
    heard(memory, 2000, (0, 1, False), (0, 3, False))
    assert memory.waiting().tolist() == [2, 1]
    heard(memory, 5000, (0, 1, True))
    delay_us, n_lost = memory.take_delays()
    assert delay_us.tolist() == [0, 4000]
    assert n_lost.tolist() == [0, 2]
    assert memory.waiting().tolist() == [1]
    assert [len(column) for column in memory.take_delays()] == [0, 0]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.booleans()), max_size=12),
        max_size=6,
    )
)
def test_the_memory_is_a_set_of_pairs(calls: list[list[tuple[int, int, bool]]]) -> None:
    memory, pairs = CertificateMemory(9), set()
    for now_us, receptions in enumerate(calls):
        expected = []
        for sender, receiver, certificate in receptions:
            if certificate:
                pairs.add((sender, receiver))
            expected.append((sender, receiver) in pairs)
        column = [np.array([r[k] for r in receptions], dtype=int) for k in range(3)]
        got = memory.take(now_us, column[0], column[1], column[2].astype(bool))
        assert got.tolist() == expected
    sender, receiver = (grid.ravel() for grid in np.mgrid[0:9, 0:9])
    knows = memory.knows(sender, receiver).tolist()
    assert knows == [(s, r) in pairs for s, r in zip(sender, receiver, strict=True)]


# Freshness --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "age_ms", "accepted"),
    [
        (CHINESE, 1000.0, True),
        (CHINESE, 1000.001, False),
        (CHINESE, 0.0, True),
        (CHINESE, -0.001, False),
        (EUROPEAN, 2000.0, True),
        (EUROPEAN, 2000.001, False),
        (EUROPEAN, -220.0, True),
        (EUROPEAN, -220.001, False),
    ],
)
def test_messages_are_neither_old_nor_of_the_future(
    rule: FreshnessRule, age_ms: float, accepted: bool
) -> None:
    generated_us = np.array([5_000_000])
    assert rule.accepts(generated_us, generated_us + round(age_ms * MS)).tolist() == [accepted]


@pytest.mark.parametrize(("ahead_ms", "accepted"), [(5, True), (6, False)])
def test_a_clock_that_is_ahead_of_the_air_delay_kills_reception(
    ahead_ms: int, accepted: bool
) -> None:
    """5 ms on the air: a sender's clock 6 ms ahead, or a receiver's behind, is of the future."""
    generated, now = np.array([0]), np.array([5 * MS])
    assert CHINESE.accepts(generated, now, sender_offset_us=ahead_ms * MS).tolist() == [accepted]
    assert CHINESE.accepts(generated, now, receiver_offset_us=-ahead_ms * MS).tolist() == [accepted]


def test_clock_offsets_are_normal_and_belong_to_the_id() -> None:
    n, sigma_ms = 20_000, 1.0
    offset = clock_offset_us(3, np.arange(n), sigma_ms) / MS
    assert abs(offset.mean()) < 4 * sigma_ms / np.sqrt(n)
    assert abs(offset.std() - sigma_ms) < 4 * sigma_ms / np.sqrt(2 * n)
    assert clock_offset_us(3, np.array([17]), sigma_ms)[0] == round(offset[17] * MS)


def test_impossible_rules_are_refused() -> None:
    with pytest.raises(ValueError, match="interval_ms"):
        CadenceRule(interval_ms=0.0)
    with pytest.raises(ValueError, match="oldest_ms"):
        FreshnessRule(oldest_ms=0.0)
    with pytest.raises(ValueError, match="ahead_ms"):
        FreshnessRule(ahead_ms=-1.0)
    with pytest.raises(ValueError, match="sigma_ms"):
        clock_offset_us(1, np.arange(2), -1.0)
