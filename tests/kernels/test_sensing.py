"""Candidate selection of mode 4 against the clause."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from v2x import rng
from v2x.phy.sensing_history import ControlInformation

from .sensing_memory import NOW, Selector, flat_thresholds, random_memory
from .twin_sensing import Request, Sci, Selection, Sensed


def assert_equal(selector: Selector, twin: Selection) -> None:
    """Compare the sets; of S_B that no quieter candidate was left out, for ties are drawn.

    Where own transmissions leave less than a fifth, both end with what is left.
    """
    kernel = selector.kernel
    first, again = selector.select()
    assert kernel.n_candidates == twin.n_total
    assert selector.s_a == twin.s_a
    assert kernel.n_remaining == len(twin.s_a)
    if len(twin.s_a) >= twin.n_needed:  # else the clause would raise for ever
        assert kernel.n_raises == twin.n_raises
    s_b = selector.s_b
    assert s_b <= twin.s_a
    assert len(s_b) == kernel.n_selected == min(twin.n_needed, len(twin.s_a))
    if s_b:
        loudest = max(twin.energy_mw[c] for c in s_b)
        left = [twin.energy_mw[c] for c in twin.s_a - s_b]
        assert loudest <= min(left, default=math.inf) * (1 + 1e-5)
    reach = selector.request.reach
    assert (first in s_b) if s_b else first == (-1, -1)
    mates = [c for c in s_b if 0 < abs(c[0] - first[0]) <= reach]
    if again != (-1, -1):
        assert reach
        assert again in mates
        assert first[0] < again[0]
    else:
        # none had a mate within reach of the one that was drawn, which is `first` itself
        assert not mates


MEMORY = {
    "n_subchannels": st.sampled_from([1, 2, 4]),
    "n_heard": st.sampled_from([0, 5, 60, 250]),
    "n_own": st.sampled_from([0, 3, 40]),
    "periods_ms": st.sampled_from([(100,), (20, 50), (20, 50, 100, 300, 1000)]),
}


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    window=st.sampled_from([1000, 200]),
    t2=st.sampled_from([20, 100]),
    t1=st.integers(1, 4),
    length=st.integers(1, 2),
    period=st.sampled_from([20, 50, 100, 300, 1000]),
    c_resel=st.sampled_from([1, 2, 50, 250]),
    priority=st.integers(1, 8),
    now=st.sampled_from([NOW, 40]),
    **MEMORY,
)
def test_selection_equals_the_clause(
    seed: int,
    n_subchannels: int,
    n_heard: int,
    n_own: int,
    periods_ms: tuple[int, ...],
    window: int,
    t1: int,
    t2: int,
    length: int,
    period: int,
    c_resel: int,
    priority: int,
    now: int,
) -> None:
    """Steps 1 to 9 over single transmissions, S_A and S_B, with fewer slots than a window too."""
    sensed = random_memory(
        seed,
        n_subchannels=n_subchannels,
        n_heard=n_heard,
        n_own=n_own,
        periods_ms=periods_ms,
        share_of_gaps=0.0,
        window=window,
        now=now,
    )
    request = Request(
        n=now,
        t1=t1,
        t2=t2,
        length=min(length, n_subchannels),
        period=period,
        c_resel=c_resel,
        priority=priority,
        busy_slot=now + 10 if seed % 3 == 0 else -1,
    )
    assert_equal(Selector(sensed, request), sensed.select(request))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    t2=st.sampled_from([30, 100]),
    period=st.sampled_from([20, 50, 100]),
    reach=st.sampled_from([0, 15]),
    **MEMORY,
)
def test_selection_equals_the_clause_with_repetitions(
    seed: int,
    n_subchannels: int,
    n_heard: int,
    n_own: int,
    periods_ms: tuple[int, ...],
    t2: int,
    period: int,
    reach: int,
) -> None:
    """Both transmissions of a packet are reserved by the control information of either.

    How often a reservation is repeated (Q) depends on the subframe in which the control
    information was received, for both of them.
    """
    sensed = random_memory(
        seed,
        n_subchannels=n_subchannels,
        n_heard=n_heard,
        n_own=n_own,
        periods_ms=periods_ms,
        share_of_gaps=0.7,
        window=1000,
    )
    request = Request(n=NOW, t2=t2, period=period, reach=reach)
    assert_equal(Selector(sensed, request), sensed.select(request))


def test_random_memories_exclude_raise_and_run_dry() -> None:
    """The comparison above has power: all branches of the clause are met."""
    raises, shares = [], []
    for seed in range(12):
        sensed = random_memory(
            seed,
            n_subchannels=2,
            n_heard=250,
            n_own=(3, 40, 600)[seed % 3],
            periods_ms=(20, 50, 100, 300, 1000),
            share_of_gaps=0.5,
            window=1000,
        )
        result = sensed.select(Request(n=NOW, period=(20, 100)[seed % 2]))
        raises.append(result.n_raises)
        shares.append(len(result.s_a) / result.n_total)
    assert 0 in raises
    assert max(raises) >= 3
    assert min(shares) < 0.2 < max(shares) < 1.0


def one_reservation(control: ControlInformation, slot: int, rsrp_dbm: float = -80.0) -> Sensed:
    return Sensed(4, flat_thresholds(), heard={slot: [Sci(1, rsrp_dbm, control)]})


@pytest.mark.parametrize(
    ("ahead", "since", "expected"),
    [
        (100, 40, [60]),
        (100, 97, [3]),  # before T1
        (50, 30, [20, 70]),
        (50, 60, []),  # heard longer ago than its period: only q = 1, which is past
        (20, 15, [5, 25, 45, 65, 85]),
        (20, 25, []),
        (300, 290, [10]),
        (1000, 950, [50]),
        (0, 5, []),
    ],
)
def test_repetitions_of_a_reservation(ahead: int, since: int, expected: list[int]) -> None:
    """Q = 1/k for k < 1 if the control information came within the last period, else 1."""
    control = ControlInformation(ahead, 2, 5, 0, 0)
    selector = Selector(
        one_reservation(control, NOW - since), Request(n=NOW, period=100, c_resel=1)
    )
    selector.select()
    gone = {(y, x) for y in range(NOW + 4, NOW + 101) for x in range(4)} - selector.s_a
    assert gone == {(NOW + y, x) for y in expected if y >= 4 for x in (1, 2)}


@pytest.mark.parametrize("gap", [-10, 10])
@pytest.mark.parametrize(("since", "repeats"), [(15, 5), (25, 1)])
def test_repetitions_of_both_transmissions_count_from_the_received_one(
    gap: int, since: int, repeats: int
) -> None:
    """Period 20: heard 15 slots ago Q is 5, heard 25 ago it is 1, for the other one too."""
    control = ControlInformation(20, 1, 5, gap, 3)
    sensed = one_reservation(control, NOW - since)
    selector = Selector(sensed, Request(n=NOW, period=100, c_resel=1))
    selector.select()
    gone = {(y, x) for y in range(NOW + 4, NOW + 101) for x in range(4)} - selector.s_a
    own = {(NOW - since + 20 * q, 1) for q in range(1, repeats + 1)}
    other = {(NOW - since + gap + 20 * q, 3) for q in range(repeats + 1)}
    assert gone == {(y, x) for y, x in own | other if y >= NOW + 4}


def test_an_announced_repetition_is_reserved_without_a_period() -> None:
    """A first transmission heard 5 slots ago announces its second 12 slots later."""
    control = ControlInformation(0, 2, 5, 12, 2)
    selector = Selector(one_reservation(control, NOW - 5), Request(n=NOW, c_resel=1))
    selector.select()
    gone = {(y, x) for y in range(NOW + 4, NOW + 101) for x in range(4)} - selector.s_a
    assert gone == {(NOW + 7, 2), (NOW + 7, 3)}


@pytest.mark.parametrize(("rsrp_dbm", "raises"), [(-110.01, 0), (-109.99, 1), (-104.5, 2)])
def test_the_threshold_rises_by_3_db_until_enough_is_left(rsrp_dbm: float, raises: int) -> None:
    """A neighbour that holds the whole pool in every slot, seen for one period."""
    control = ControlInformation(100, 4, 5, 0, 0)
    heard = {NOW - since: [Sci(0, rsrp_dbm, control)] for since in range(1, 101)}
    selector = Selector(Sensed(4, flat_thresholds(), heard=heard), Request(n=NOW))
    selector.select()
    assert selector.kernel.n_raises == raises
    assert len(selector.s_a) == selector.kernel.n_candidates


def test_thresholds_are_those_of_both_priorities() -> None:
    """Own priority picks the row, the received one the column."""
    control = ControlInformation(100, 1, 7, 0, 0)
    for own in range(1, 9):
        thresholds = flat_thresholds(-70.0)
        thresholds[3, 6] = -90.0
        sensed = Sensed(4, thresholds, heard={NOW - 40: [Sci(1, -80.0, control)]})
        selector = Selector(sensed, Request(n=NOW, priority=own))
        selector.select()
        assert ((NOW + 60, 1) not in selector.s_a) == (own == 4)


def test_unmonitored_slots_stay_excluded_however_little_is_left() -> None:
    """Own transmissions in 90 of the last 100 slots, period 100: a tenth remains, no raise."""
    sensed = Sensed(2, flat_thresholds(), own={NOW - since for since in range(1, 91)})
    selector = Selector(sensed, Request(n=NOW, t1=1, t2=100))
    selector.select()
    assert selector.s_a == {(NOW + y, x) for y in (*range(1, 10), 100) for x in (0, 1)}
    assert (selector.kernel.n_raises, selector.kernel.n_selected) == (0, 20)
    everything = replace(sensed, own={NOW - since for since in range(1, 101)})
    none = Selector(everything, Request(n=NOW, t2=99, reach=15))
    assert none.select() == ((-1, -1), (-1, -1))
    assert (none.kernel.n_remaining, none.kernel.n_selected) == (0, 0)


def test_ranking_takes_the_quietest_fifth() -> None:
    """A quiet subchannel every tenth slot, and noise elsewhere: those are S_B and no others."""
    g = rng.stream(5, "noise")
    sensed = Sensed(2, flat_thresholds(), idle_mw=1e-9)
    for slot in range(NOW - 1000, NOW):
        loud = g.uniform(1e-8, 1e-6, 2).astype(np.float32)
        if slot % 5 == 0:
            loud[slot % 2] = 2e-9
        sensed.s_rssi_mw[slot] = loud
    request = Request(n=NOW, t1=1, t2=100)
    selector = Selector(sensed, request)
    selector.select()
    quiet = {(y, y % 2) for y in range(NOW + 1, NOW + 101) if y % 5 == 0}
    assert quiet < selector.s_b
    assert len(selector.s_b) == 40
    assert_equal(selector, sensed.select(request))


def test_records_of_an_earlier_round_of_the_ring_are_forgotten() -> None:
    control = ControlInformation(100, 1, 5, 0, 0)
    sensed = one_reservation(control, NOW - 1000 - 40)
    sensed.s_rssi_mw[NOW - 1040] = np.full(4, 1e-3, dtype=np.float32)
    selector = Selector(sensed, Request(n=NOW))
    selector.select()
    assert len(selector.s_a) == selector.kernel.n_candidates


def chi_square(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Return the statistic in standard deviations above its mean."""
    dof = counts.size - 1
    return (float(((counts - expected) ** 2 / expected).sum()) - dof) / math.sqrt(2 * dof)


def test_ties_and_the_choice_are_drawn_evenly() -> None:
    """On an idle channel each of 40 candidates is in S_B, and chosen, equally often."""
    selector = Selector(Sensed(2, flat_thresholds()), Request(n=NOW, t1=1, t2=20))
    members, chosen = np.zeros(40), np.zeros(40)
    n = 4000
    for identity in range(n):
        (slot, first), _ = selector.select(identity)
        chosen[2 * (slot - NOW - 1) + first] += 1
        members += selector.members[:40]
    assert members.sum() == 8 * n
    assert abs(chi_square(chosen, np.full(40, n / 40))) < 4
    # membership varies less than a Poisson number: 8 of 40 without replacement
    assert ((members - n / 5) ** 2).sum() < n / 5 * 0.8 * (40 + 4 * math.sqrt(80))


def test_the_repetition_is_drawn_evenly_from_what_is_in_reach() -> None:
    """All of 8 slots with one subchannel in S_B, reach 3: probability of every pair.

    The first draw takes each slot with 1/8, the second each within 3 slots of it equally; the
    earlier one of both is transmitted first. Energies differ, so that no order is random.
    """
    sensed = Sensed(1, flat_thresholds(), keep_ratio=1.0)
    for y in range(1, 9):
        sensed.s_rssi_mw[NOW + y - 100] = np.array([(3 * y % 8 + 1) * 1e-9], dtype=np.float32)
    selector = Selector(sensed, Request(n=NOW, t1=1, t2=8, reach=3))
    expected = np.zeros((8, 8))
    for a in range(8):
        near = [b for b in range(8) if 0 < abs(a - b) <= 3]
        for b in near:
            expected[min(a, b), max(a, b)] += 1 / 8 / len(near)
    drawn = np.zeros((8, 8))
    n = 4000
    for identity in range(n):
        (one, _), (two, _) = selector.select(identity)
        drawn[one - NOW - 1, two - NOW - 1] += 1
    possible = expected > 0
    assert not drawn[~possible].any()
    assert abs(chi_square(drawn[possible], n * expected[possible])) < 4


def test_choice_depends_on_identity_slot_and_key_only() -> None:
    sensed = Sensed(3, flat_thresholds())
    choices = {
        name: [Selector(sensed, Request(n=n), key).select(identity) for identity in range(20)]
        for name, n, key in (("a", NOW, 1), ("b", NOW, 1), ("c", NOW, 2))
    }
    assert choices["a"] == choices["b"] != choices["c"]
    assert len(set(choices["a"])) > 10
