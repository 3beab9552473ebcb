"""Steps 8 and 9 of TS 36.213 14.1.1.6 and the draw of TS 36.321 5.14.1.1."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x.access.base import AccessContext
from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.phy.sensing_history import SensingHistory

from .by_hand import IDLE_MW, Request, Selector, Sensed, clause_energy, reservation, select

N = 2000


def chi_square_bound(n_classes: int) -> float:
    """Return the mean plus four standard deviations of chi square with n - 1 degrees."""
    degrees = n_classes - 1
    return degrees + 4.0 * math.sqrt(2.0 * degrees)


def noisy(n_subchannels: int, seed: int, n: int = N) -> Sensed:
    """Return a history in which every resource of the last second has its own S-RSSI."""
    draw = rng.stream(seed, "test", "noise").exponential(1e-9, (1000, n_subchannels)) + IDLE_MW
    rows = draw.astype(np.float32).astype(float)
    return Sensed(
        n_subchannels=n_subchannels,
        s_rssi_mw={n - 1000 + k: rows[k].tolist() for k in range(1000)},
    )


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("period", [20, 50, 100, 200])
def test_the_quietest_fifth_is_kept(length: int, period: int) -> None:
    """Steps 8 and 9: of 97 (6 - L) candidates the least E, means over n - 1000 ... n - 1.

    E takes every P_step = 100 slots for periods of 100 ms and more, every P' slots below.
    """
    request = Request(n=N, length=length, period=period, allowed_periods=(1000,))
    sensed = noisy(5, seed=length)
    selection = Selector(sensed, request).select()
    energy = {c: clause_energy(sensed, request, c) for c in request.candidates(5)}
    n_kept = math.ceil(0.2 * len(energy))
    assert len(selection.s_b) == n_kept
    # With short periods candidates 20 or 50 slots apart share their samples: ties are free.
    limit = sorted(energy.values())[n_kept - 1]
    assert {c for c in energy if energy[c] < limit * (1.0 - 1e-6)} <= selection.s_b
    assert {c for c in energy if energy[c] > limit * (1.0 + 1e-6)}.isdisjoint(selection.s_b)


def test_slots_of_own_transmissions_do_not_count() -> None:
    """Step 8 averages what was monitored: one quiet slot of n - 60 weighs as much as ten loud."""
    loud = dict.fromkeys(range(N - 1000, N), [1e-8] * 5)
    loud[N - 60] = [1e-9] * 5
    own = [N - 60 - 100 * k for k in range(1, 10)]
    # An allowed period of 20 ms announced that long ago excludes nothing.
    sensed = Sensed(s_rssi_mw=loud, own=own)
    selection = select(sensed, n=N, allowed_periods=(20,), keep_ratio=0.01)
    assert selection.s_b == {(N + 40, x) for x in range(5)}


def test_nothing_received_is_as_quiet_as_noise() -> None:
    """Slots without a record hold the noise, which is quieter than any signal."""
    signal = {N - 60 - 100 * k: [1.01 * IDLE_MW] * 5 for k in range(10)}
    selection = select(Sensed(s_rssi_mw=signal), n=N, keep_ratio=480 / 485)
    assert selection.s_a - selection.s_b == {(N + 40, x) for x in range(5)}


def test_only_what_exclusion_left_is_ranked() -> None:
    """A strong reservation in the quietest place stays out."""
    loud = {slot: [1e-8] * 5 for slot in range(N - 1000, N)}
    for k in range(1, 11):
        loud[N + 40 - 100 * k] = [1e-10] * 5
    sensed = Sensed(s_rssi_mw=loud, heard=[reservation(N - 60, 1)])
    selection = select(sensed, n=N)
    assert {(N + 40, x) for x in (0, 2, 3, 4)} <= selection.s_b
    assert (N + 40, 1) not in selection.s_b


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(1, 4),
    st.data(),
    st.sampled_from((20, 50, 100, 300)),
    st.lists(st.integers(1, 400), max_size=6, unique=True),
)
def test_ranking_follows_the_clause(
    n_subchannels: int, data: st.DataObject, period: int, own_ago: list[int]
) -> None:
    """Whatever was measured, nothing outside S_B is quieter than anything inside it.

    Levels are powers of two, so that sums are exact and ties are ties.
    """
    length = data.draw(st.integers(1, n_subchannels))
    request = Request(
        n=700,
        t2=data.draw(st.integers(20, 60)),
        length=length,
        period=period,
        allowed_periods=(1000,),
    )
    levels = st.lists(
        st.integers(-40, -30).map(lambda k: 2.0**k),
        min_size=n_subchannels,
        max_size=n_subchannels,
    )
    slots = data.draw(st.dictionaries(st.integers(200, 699), levels, max_size=60))
    sensed = Sensed(
        n_subchannels=n_subchannels,
        window=500,
        s_rssi_mw=slots,
        own=[700 - ago for ago in own_ago],
    )
    selection = Selector(sensed, request).select()
    inside = [clause_energy(sensed, request, c) for c in selection.s_b]
    outside = [clause_energy(sensed, request, c) for c in selection.s_a - selection.s_b]
    assert len(selection.s_b) == min(math.ceil(0.2 * selection.n_total - 1e-9), len(selection.s_a))
    assert max(inside, default=0.0) <= min(outside, default=math.inf) * (1.0 + 1e-6)


def test_the_choice_is_uniform_in_s_b() -> None:
    """Chi square of 20,000 draws over the 97 quietest of 485 stays within four deviations."""
    selector = Selector(noisy(5, seed=9), Request(n=N))
    s_b = selector.select().s_b
    n_draws = 20_000
    counts = Counter(tuple(selector.choose(identity)[:2].tolist()) for identity in range(n_draws))
    assert set(counts) <= s_b
    expected = n_draws / len(s_b)
    chi_square = sum((counts[c] - expected) ** 2 / expected for c in s_b)
    assert chi_square < chi_square_bound(len(s_b))


def test_ties_are_broken_by_chance() -> None:
    """In silence all 485 candidates are equal: chi square of 20,000 draws, as above."""
    selector = Selector(Sensed(), Request(n=N))
    n_draws = 20_000
    counts = Counter(tuple(selector.choose(identity)[:2].tolist()) for identity in range(n_draws))
    candidates = Request(n=N).candidates(5)
    expected = n_draws / len(candidates)
    chi_square = sum((counts[c] - expected) ** 2 / expected for c in candidates)
    assert chi_square < chi_square_bound(len(candidates))


def test_choices_belong_to_the_identity() -> None:
    """The same node chooses the same, another key or identity something else."""
    sensed, request = noisy(5, seed=3), Request(n=N)
    first = [Selector(sensed, request, key=5).choose(k).tolist() for k in range(20)]
    assert first == [Selector(sensed, request, key=5).choose(k).tolist() for k in range(20)]
    other = [Selector(sensed, request, key=6).choose(k).tolist() for k in range(20)]
    assert sum(a == b for a, b in zip(first, other, strict=True)) <= 2
    assert len({tuple(c) for c in first}) > 10


def test_no_slot_of_the_window_is_preferred() -> None:
    """Equal power in all slots of the past second, the latest included: no E is the least.

    A technology that takes the oldest of its 1000 slots for idle, because the ring already holds
    the slot in which the packet arrives, finds the last slot of the window a tenth quieter and
    chooses it in 1 of 19.4 cases instead of 1 of 97. Bounds are four standard deviations.
    """
    params = LteMode4Params(n_subchannels=5)
    n_nodes, now = 3000, 3000
    history = SensingHistory(n_nodes, params.sensing_window_ms, params.n_subchannels)
    level = 2.0**-25
    # The medium has written every slot before the one in which the packets may first be sent.
    oldest = now - history.words.shape[1]
    one = Sensed(s_rssi_mw=dict.fromkeys(range(oldest, now), [level] * 5))
    one.write(history, 0)
    history.words[1:] = history.words[0]
    technology = LteMode4(
        params,
        AccessContext(
            n_nodes=n_nodes,
            pool=params.resource_pool(),
            history=history,
            noise_mw=IDLE_MW,
            grant_subchannels=1,
            period_ms=100,
            seed=1,
        ),
    )
    technology.bind(np.arange(n_nodes, dtype=np.uint32))
    for node in range(n_nodes):
        technology.enqueue(now, node, node, now + 200, 5)
    n_sent = [len(technology.transmissions(slot)[0]) for slot in range(now, now + 100)]
    assert sum(n_sent) == n_nodes
    assert n_sent[:3] == [0, 0, 0]
    share = 1.0 / 97.0
    bound = 4.0 * math.sqrt(n_nodes * share * (1.0 - share))
    assert abs(n_sent[99] - n_nodes * share) < bound
    expected = n_nodes * share
    assert sum((k - expected) ** 2 / expected for k in n_sent[3:]) < chi_square_bound(97)
