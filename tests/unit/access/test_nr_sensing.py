"""Sensing and selection of NR mode 2: TS 38.214 8.1.4, step by step."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x.phy.sensing_history import ControlInformation

from .nr_by_hand import Heard, Resource, Selector, Situation, heard

N = 5000


def excluded(situation: Situation) -> set[Resource]:
    """Return the candidates that the kernel leaves out."""
    return situation.candidates() - Selector(situation).s_a()


def test_an_idle_channel_leaves_every_candidate() -> None:
    """Step 1: all contiguous places in [n + T1, n + T2]."""
    situation = Situation(length=2, n_subchannels=5)
    selector = Selector(situation)
    assert selector.s_a() == situation.candidates()
    assert selector.kernel.n_candidates == 40 * 4
    assert selector.kernel.n_raises == 0


def test_a_reservation_excludes_its_next_period() -> None:
    """Step 6: heard 180 slots ago with 100 ms (200 slots): slot n + 20, on its subchannel."""
    situation = Situation(heard=[heard(N - 180, 1, period_ms=100)])
    assert excluded(situation) == {(N + 20, 1)}
    wide = replace(situation, length=2)
    assert excluded(wide) == {(N + 20, 0), (N + 20, 1)}


def test_both_further_resources_of_an_sci_are_excluded() -> None:
    """TRIV and FRIV: two more of the same packet, and their next period."""
    sci = heard(N - 10, 0, gaps=((20, 1), (30, 2)))
    assert excluded(Situation(heard=[sci])) == {(N + 10, 1), (N + 20, 2)}
    sci = heard(N - 180, 0, period_ms=100, gaps=((5, 1), (9, 2)))
    assert excluded(Situation(heard=[sci])) == {(N + 20, 0), (N + 25, 1), (N + 29, 2)}


def test_without_a_period_nothing_is_repeated() -> None:
    assert excluded(Situation(heard=[heard(N - 180, 1)])) == set()


def test_short_periods_are_repeated_to_the_end_of_the_window() -> None:
    """Q = ceil(T_scal / P_RX): 10 ms in a window of 22 ms, heard 8 slots ago: 20, 40, 60 - 8."""
    recent = Situation(heard=[heard(N - 8, 0, period_ms=10)], periods_ms=(10,), period=1000)
    assert excluded(recent) == {(N + 12, 0), (N + 32, 0)}
    assert excluded(replace(recent, t2=120)) == {(N + 12 + 20 * k, 0) for k in range(6)}
    # heard longer ago than its period: once, and that is past
    old = replace(recent, heard=[heard(N - 21, 0, period_ms=10)])
    assert excluded(old) == set()


def test_own_periods_to_come_are_tested_too() -> None:
    """R(x, y + j P'_TX): with 20 slots, what somebody has at n + 100 excludes five places."""
    situation = Situation(
        heard=[heard(N - 100, 2, period_ms=100)], period=20, periods_ms=(10, 100), t2=24
    )
    assert excluded(situation) == {(N + 20, 2)}
    assert excluded(replace(situation, t2=44)) == {(N + 20, 2), (N + 40, 2)}
    assert excluded(replace(situation, t2=44, c_resel=3)) == set()
    assert excluded(replace(situation, t2=44, c_resel=4)) == {(N + 40, 2)}


@pytest.mark.parametrize(("age", "counts"), [(1, False), (2, True), (2200, False)])
def test_sensing_window(age: int, counts: bool) -> None:
    """[n - T0, n - T_proc,0): the newest slot is not processed yet; the oldest is too old here."""
    gap = 31 if age < 31 else 0
    situation = Situation(
        heard=[heard(N - age, 0, period_ms=1000, gaps=((gap, 0),) if gap else ())],
        periods_ms=(1000,),
    )
    assert bool(excluded(situation)) == counts


def test_the_edge_of_the_sensing_window() -> None:
    situation = Situation(periods_ms=(1000,), t0=200, t2=1900, period=2000)
    at_edge = replace(situation, heard=[heard(N - 200, 0, period_ms=1000)])
    assert excluded(at_edge) == {(N + 1800, 0)}
    assert excluded(replace(at_edge, heard=[heard(N - 201, 0, period_ms=1000)])) == set()
    slow = replace(at_edge, t_proc0=2, heard=[heard(N - 2, 0, gaps=((30, 1),))])
    assert excluded(slow) == set()


def test_thresholds_depend_on_the_pair_of_priorities() -> None:
    """Th(p_i, p_j): only what is heard above the threshold of both priorities excludes."""
    thresholds = {(2, 7): -75.0, (2, 3): -85.0}
    situation = Situation(priority=2, thresholds_dbm=thresholds)
    for received, is_excluded in ((7, False), (3, True), (5, True)):
        one = replace(situation, heard=[heard(N - 180, period_ms=100, priority=received)])
        assert bool(excluded(one)) == is_excluded


def crowd(share: float, rsrp_dbm: list[float]) -> list[Heard]:
    """Return reservations of this share of 40 x 3 candidates, equally often of each strength."""
    places = [(y, x) for y in range(5, 45) for x in range(3)][: round(120 * share)]
    return [
        heard(N + y - 200, x, period_ms=100, rsrp_dbm=rsrp_dbm[k % len(rsrp_dbm)])
        for k, (y, x) in enumerate(places)
    ]


@pytest.mark.parametrize("x", [0.2, 0.35, 0.5])
def test_thresholds_rise_until_enough_is_left(x: float) -> None:
    """Step 7: 3 dB steps from -110 dBm; all candidates taken, equally often at -100, -90, -80."""
    situation = Situation(x=x, heard=crowd(1.0, [-99.5, -89.5, -79.5]))
    selector = Selector(situation)
    left, raises = situation.s_a()
    assert selector.s_a() == left
    # -110 + 12 = -98 admits the weakest third, 20 %; 35 % and 50 % need the next: -89
    assert selector.kernel.n_raises == raises == (4 if x == 0.2 else 7)
    assert len(left) == (40 if x == 0.2 else 80)


def test_no_step_is_taken_while_enough_is_left() -> None:
    """79 % taken leaves 21 %."""
    selector = Selector(Situation(heard=crowd(0.79, [-60.0])))
    assert len(selector.s_a()) == 25
    assert selector.kernel.n_raises == 0
    selector = Selector(Situation(heard=crowd(0.81, [-60.0])))
    assert len(selector.s_a()) == 120
    assert selector.kernel.n_raises == 17


def test_unmonitored_slots_exclude_every_allowed_period() -> None:
    """Step 5: somebody may have reserved any subchannel of slot m + 100 ms, or + 90 ms."""
    situation = Situation(own=[N - 170], periods_ms=(90, 100))
    everywhere = {(slot, x) for slot in (N + 10, N + 30) for x in range(3)}
    assert excluded(situation) == everywhere


def test_step_5a_gives_up_what_excludes_too_much() -> None:
    """Own transmissions in 33 of the 40 slots leave 17.5 %: all are candidates again."""
    own = [N - 200 + y for y in range(5, 38)]
    assert excluded(Situation(own=own)) == set()
    assert len(excluded(Situation(own=own[:-1]))) == 32 * 3  # 20 % left
    # what was heard stays excluded
    reserved = heard(N - 160, 0, period_ms=100)
    assert excluded(Situation(own=own, heard=[reserved])) == {(N + 40, 0)}


def random_situation(seed: int, t2: int, per_ms: int, period_ms: int, x: float) -> Situation:
    g = rng.stream(seed, "nr situation")
    periods = tuple(int(p) for p in g.choice([5, 10, 20, 50, 100, 200], 3, replace=False))
    memory = {}
    for _ in range(int(g.choice([0, 20, 150]))):
        slot, first = N - int(g.integers(1, 450)), int(g.integers(0, 3))
        width = int(g.integers(1, 4 - first))
        gap = int(g.integers(1, 31)) if g.random() < 0.5 else 0
        gap2 = int(g.integers(gap + 1, 32)) if gap and g.random() < 0.5 else 0
        others = [int(v) for v in g.integers(0, 4 - width, 2)]
        sci = ControlInformation(
            int(g.choice([0, *periods])), width, int(g.integers(1, 9)),
            gap, others[0] if gap else 0, gap2, others[1] if gap2 else 0,
        )  # fmt: skip
        # never within 0.2 dB of a threshold, where float32 might take the other side
        memory[slot, first] = Heard(slot, first, sci, float(g.integers(-120, -60)) + 0.5)
    return Situation(
        n=N,
        t2=t2,
        per_ms=per_ms,
        t0=400,
        t_proc0=int(g.integers(1, 3)),
        t1=int(g.integers(0, 6)),
        length=int(g.integers(1, 4)),
        period=period_ms * per_ms,
        c_resel=int(g.choice([1, 50])),
        priority=int(g.integers(1, 9)),
        periods_ms=periods,
        thresholds_dbm={
            (i, j): -110.0 + 2.0 * ((3 * i + j) % 9) for i in range(1, 9) for j in range(1, 9)
        },
        x=x,
        heard=list(memory.values()),
        own=[N - int(v) for v in g.integers(1, 420, int(g.choice([0, 3, 60])))],
    )


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    t2=st.sampled_from([10, 44, 120]),
    per_ms=st.sampled_from([1, 2, 4]),
    period_ms=st.sampled_from([20, 100]),
    x=st.sampled_from([0.2, 0.35, 0.5]),
)
def test_any_situation_leaves_what_the_clause_leaves(
    seed: int, t2: int, per_ms: int, period_ms: int, x: float
) -> None:
    situation = random_situation(seed, t2, per_ms, period_ms, x)
    left, raises = situation.s_a()
    selector = Selector(situation)
    assert selector.s_a() == left
    if len(left) >= x * len(situation.candidates()):
        assert selector.kernel.n_raises == raises


def test_the_draw_is_uniform_over_what_is_left() -> None:
    """No ranking by energy: each of the 120 candidates but the reserved ones, equally often."""
    situation = Situation(heard=[heard(N - 180, 1, period_ms=100)])
    selector = Selector(situation)
    counts = dict.fromkeys(situation.candidates(), 0)
    n = 12_000
    for identity in range(n):
        [one] = selector.draw(identity=identity)
        counts[one] += 1
    assert counts.pop((N + 20, 1)) == 0
    expected = n / len(counts)
    statistic = sum((c - expected) ** 2 / expected for c in counts.values())
    dof = len(counts) - 1
    assert abs(statistic - dof) < 4 * math.sqrt(2 * dof)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    identity=st.integers(0, 2**32 - 1),
    n_wanted=st.integers(1, 12),
    reach=st.sampled_from([3, 31]),
    span=st.sampled_from([9, 199]),
    n_fixed=st.integers(0, 2),
)
def test_attempts_can_announce_each_other(
    identity: int, n_wanted: int, reach: int, span: int, n_fixed: int
) -> None:
    """Distinct free slots, each within reach of the next, none beyond the span, given ones kept."""
    busy = (N + 10, N + 11)
    fixed = ((N + 20, 0), (N + 22, 2))[: min(n_fixed, n_wanted)]
    drawn = Selector(Situation(t2=64)).draw(
        n_wanted, identity=identity, reach=reach, span=span, busy=busy, fixed=fixed
    )
    slots = [slot for slot, _ in drawn]
    assert slots == sorted(set(slots))
    assert set(fixed) <= set(drawn)
    assert not set(slots) & set(busy)
    assert all(0 < step <= reach for step in np.diff(slots))
    assert slots[-1] - slots[0] <= span
    # ten slots hold ten attempts at most
    assert len(drawn) == n_wanted or span == 9


def test_no_place_for_a_second_attempt() -> None:
    assert len(Selector(Situation(t1=5, t2=5)).draw(3)) == 1
