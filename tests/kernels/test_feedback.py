"""Feedback occasions: kernel against twin, and errors against their closed forms."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x.access.base import TRANSMISSION
from v2x.phy.nr.psfch import confused_rayleigh, confused_steady, missed_rayleigh

from .feedback_world import GRID, N_PACKETS, FeedbackWorld
from .twin_feedback import ACK, NACK, TALLIES, Asked, Path


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    nack_only=st.booleans(),
    ties_send=st.booleans(),
    all_subchannels=st.booleans(),
    most_sent=st.sampled_from([1, 2, 4]),
    n_shifts=st.sampled_from([1, 2, 3, 6]),
    period=st.sampled_from([1, 2, 4]),
)
def test_random_occasions_equal_the_twin(
    seed: int,
    nack_only: bool,
    ties_send: bool,
    all_subchannels: bool,
    most_sent: int,
    n_shifts: int,
    period: int,
) -> None:
    """Verdicts and tallies are equal unless an energy is at the threshold to float32."""
    g = rng.stream(seed, "feedback world")
    n = int(g.integers(2, 9))
    paths: dict[int, dict[int, Path]] = {i: {} for i in range(n)}
    for i in range(n):
        for j in range(i):
            if g.random() < 0.8:
                gain = float(np.float32(10.0 ** g.uniform(-15.0, -6.0)))
                path = Path(gain, float(g.integers(1, 500)), bool(g.random() < 0.5))
                paths[i][j] = paths[j][i] = path
    n_members = 1 if nack_only else 3
    world = FeedbackWorld(
        paths,
        [(1 << n_members) - 1] * n,
        nack_only=nack_only,
        ties_send=ties_send,
        most_sent=most_sent,
        grid=replace(GRID, n_shifts=n_shifts, period=period, all_subchannels=all_subchannels),
    )
    packet = 0
    for slot in range(12):
        asked = []
        for node in np.flatnonzero(g.random(n) < 0.4).tolist():
            others = g.permutation([j for j in range(n) if j != node])[: 4 if nack_only else 3]
            answers = tuple(
                (int(j), 0 if nack_only else m, NACK if nack_only else int(g.integers(ACK, 3)))
                for m, j in enumerate(others)
                if g.random() < 0.8
            )
            first = int(g.integers(0, 3))
            width = int(g.integers(1, 4 - first))
            asked.append(Asked(slot, node, packet, int(g.integers(1, 9)), first, width, answers))
            packet += 1
        if packet > N_PACKETS:
            break
        world.ask(slot, asked)
        if slot % period == 0:
            verdicts = world.twin.conclude(slot)
            assume(not world.twin.undecided)
            assert world.conclude(slot) == verdicts
    for number in range(packet):
        expected = [world.twin.tally[number][name] for name in TALLIES]
        assert world.tallies[number].tolist() == expected
    assert world.kernel.lengths == (
        len(world.twin.waiting),
        sum(len(a.answers) for a in world.twin.waiting),
    )


def share_good(fades: bool, sinr: float, answer: int | None, n: int, **options: Any) -> float:
    """Return the share of `n` transmissions that node 0 takes as received.

    Node 1 gives `answer`, which arrives with `sinr` (linear) per element.
    """
    path = Path(sinr * 1e-11 / 200.0, 0.0, fades)
    world = FeedbackWorld({0: {1: path}, 1: {0: path}}, [1, 1], shift_offset=0.0, **options)
    good = 0
    for k in range(n):
        slot = 4 * k
        said = () if answer is None else ((1, 0, answer),)
        world.ask(slot, [Asked(slot, 0, 0, 5, 0, 1, said)])
        ((_, _, verdict),) = world.conclude(GRID.occasion(slot))
        good += verdict
    return good / n


def within_four_errors(share: float, expected: float, n: int) -> None:
    """Check a share of `n` independent trials."""
    assert abs(share - expected) < 4.0 * math.sqrt(expected * (1.0 - expected) / n)


N = 20_000


def test_false_alarms_have_the_probability_asked_for() -> None:
    """Nobody answers: NACK only hears a complaint with the probability of a false alarm."""
    for false_alarm in (0.01, 0.1):
        threshold = -math.log(false_alarm)
        good = share_good(False, 1.0, None, N, nack_only=True, threshold=threshold)
        within_four_errors(1.0 - good, false_alarm, N)


@pytest.mark.parametrize("sinr", [0.1, 1.0, 10.0])
def test_a_fading_complaint_is_missed_as_the_closed_form_says(sinr: float) -> None:
    """Exponential energy of mean 1 + 12 SINR: missed with 1 - p^(1 / (1 + 12 SINR))."""
    missed = share_good(True, sinr, NACK, N, nack_only=True, threshold=-math.log(0.01))
    within_four_errors(missed, missed_rayleigh(sinr, 0.01), N)


@pytest.mark.parametrize("sinr", [0.05, 0.3])
def test_nack_is_taken_for_ack_as_the_closed_form_says(sinr: float) -> None:
    """Without a threshold: 1 / (2 + 12 SINR) under Rayleigh fading, exp(-6 SINR) / 2 without."""
    steady = share_good(False, sinr, NACK, N, threshold=0.0)
    within_four_errors(steady, confused_steady(sinr), N)
    fading = share_good(True, sinr, NACK, N, threshold=0.0)
    within_four_errors(fading, confused_rayleigh(sinr), N)


def test_silence_is_success_for_option_1_and_failure_for_the_others() -> None:
    """DTX: 38.213 16.3 reads it as ACK with NACK only, and as NACK for unicast and option 2."""
    assert share_good(False, 1.0, None, 50, nack_only=True, threshold=50.0) == 1.0
    assert share_good(False, 1.0, None, 50, threshold=50.0) == 0.0
    assert share_good(False, 1e4, ACK, 50) == 1.0
    assert share_good(False, 1e4, NACK, 50) == 0.0


def star(n: int, gain: float = 1e-8, **options: Any) -> FeedbackWorld:
    """Return nodes that all hear each other well, without fading, each waiting for one member."""
    path = Path(gain, 0.0, False)
    paths = {i: {j: path for j in range(n) if j != i} for i in range(n)}
    return FeedbackWorld(paths, [1] * n, shift_offset=0.0, **options)


@pytest.mark.parametrize(
    ("own", "other", "ties_send", "hears"),
    [(3, 5, True, True), (5, 3, True, False), (5, 5, True, False), (5, 5, False, True)],
)
def test_the_lower_priority_value_decides_between_sending_and_listening(
    own: int, other: int, ties_send: bool, hears: bool
) -> None:
    """Node 0 asked with `own` and owes node 2 an answer of `other` (38.213 16.2.4.2).

    If it sends, it hears nothing of its own packet, which counts as NACK.
    """
    world = star(3, ties_send=ties_send)
    world.ask(
        0,
        [
            Asked(0, 0, 0, own, 0, 1, ((1, 0, ACK),)),
            Asked(0, 2, 1, other, 1, 1, ((0, 0, ACK),)),
        ],
    )
    assert world.conclude(4) == [(0, 0, hears), (2, 1, not hears)]
    assert world.tallies[:2, 3].tolist() == [0, int(hears)]  # answers not sent


def test_a_node_sends_at_most_so_many_answers_the_urgent_ones_first() -> None:
    """Node 4 owes four answers and may send two: those of priorities 1 and 2."""
    world = star(5, most_sent=2)
    asked = [
        Asked(0, node, node, priority, node % 3, 1, ((4, 0, ACK),))
        for node, priority in enumerate((7, 2, 5))
    ]
    world.ask(0, asked)
    world.ask(1, [Asked(1, 3, 3, 1, 0, 1, ((4, 0, ACK),))])
    assert [good for _, _, good in world.conclude(4)] == [False, True, False, True]
    assert world.tallies[:4, 2].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(("n", "heard"), [(1, True), (2, False)])
def test_answers_share_the_power_of_their_node(n: int, heard: bool) -> None:
    """An answer alone has 1.5 times the energy of the threshold, two have 0.75 times each."""
    threshold = 4000.0
    gain = 1.5 * threshold * 1e-11 / 12.0 / 200.0
    world = star(3, gain=gain, threshold=threshold)
    world.ask(0, [Asked(0, k, k, 5, k, 1, ((2, 0, ACK),)) for k in range(n)])
    assert world.conclude(4) == [(k, k, heard) for k in range(n)]
    assert world.tallies[:n, 2].tolist() == [1] * n


def test_a_stronger_answer_to_somebody_else_on_one_resource_takes_over() -> None:
    """Two senders of one source ID in one slot and subchannel: the ACK of one drowns a NACK."""
    near, far = Path(1e-6, 0.0, False), Path(1e-9, 0.0, False)
    paths = {
        0: {2: far, 3: near},
        1: {2: near, 3: near},
        2: {0: far, 1: near},
        3: {0: near, 1: near},
    }
    world = FeedbackWorld(paths, [1] * 4, word=[256, 512, 3, 4], shift_offset=0.0)
    world.ask(
        0,
        [Asked(0, 0, 0, 5, 0, 1, ((2, 0, NACK),)), Asked(0, 1, 1, 5, 0, 1, ((3, 0, ACK),))],
    )
    assert world.conclude(4)[0] == (0, 0, True)
    assert world.tallies[0, 5] == 1  # missed


def test_delay_lets_a_near_answer_drown_a_far_one_on_another_shift() -> None:
    """On one block, 3 shifts apart and 60 dB stronger: harmless in time, fatal when late."""
    near, far = Path(1e-5, 0.0, False), Path(1e-11, 0.0, False)
    paths = {0: {1: near, 2: far}, 1: {0: near}, 2: {0: far}}
    for offset, good in ((0.0, True), (0.3, False)):
        world = FeedbackWorld(paths, [5, 0, 0], shift_offset=offset, word=[0, 1, 2])
        world.ask(0, [Asked(0, 0, 0, 5, 0, 1, ((1, 0, ACK), (2, 2, ACK)))])
        assert world.conclude(4) == [(0, 0, good)]


def test_who_left_neither_answers_nor_concludes() -> None:
    world = star(3)
    world.ask(0, [Asked(0, 0, 0, 5, 0, 1, ((1, 0, ACK),)), Asked(0, 2, 1, 5, 1, 1, ())])
    world.kernel.forget(1)
    world.kernel.forget(2)
    assert world.conclude(4) == [(0, 0, False)]
    assert world.tallies[0].tolist() == [1, 0, 0, 1, 1, 0, 1]


def test_only_repeated_packets_of_those_who_expect_answers_ask() -> None:
    world = star(3)
    rows = np.zeros(3, dtype=TRANSMISSION)
    rows["node"], rows["n_subchannels"] = [0, 1, 2], 1
    rows["n_attempts"], rows["process"] = [1, 2, 2], [0, 1, 0]
    world.kernel.ask(0, rows, np.zeros((0, 4), dtype=np.int32), 0)
    assert world.kernel.lengths == (1, 0)
    with pytest.raises(ValueError, match="did not ask"):
        world.kernel.ask(1, rows[:1], np.array([[0, 1, 0, ACK]], dtype=np.int32), 1)


def test_queues_that_are_too_short_are_refused() -> None:
    world = star(2)
    world.kernel.bind_queues(world.asked[:1], world.answers[:1])
    world.ask(0, [Asked(0, 0, 0, 5, 0, 1, ((1, 0, ACK),))])
    with pytest.raises(ValueError, match="too short"):
        world.ask(1, [Asked(1, 0, 0, 5, 0, 1, ())])
    with pytest.raises(ValueError, match="too short"):
        world.kernel.bind_queues(world.asked[:0], world.answers)
