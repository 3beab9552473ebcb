"""Partial sensing and random selection of NR mode 2: TS 38.214 8.1.4 of release 17."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x.access.nr.mode2 import NrMode2, NrMode2Params
from v2x.access.nr.partial_sensing import (
    MonitoredSlots,
    PartialSensing,
    PartialSensingParams,
    Plan,
    SensingTiming,
)
from v2x.mobility.fleet import NodeKind

from ...access_loop import Offered, drive, make
from .nr_by_hand import Selector, Situation, heard, write
from .test_nr_mode2 import AnyStory
from .test_nr_sensing import random_situation

N = 5000
#: 30 kHz: T_proc,0 of 1 slot, T_proc,1 of 5, sensing of 1100 ms; periods of 100 ms.
TIMING = SensingTiming(lag=1, lead=5, window=2200, periods=(200,), slots_per_ms=2)
VRU, CAR = int(NodeKind.VRU), int(NodeKind.CAR)


def scheme(timing: SensingTiming = TIMING, **params: Any) -> PartialSensing:
    return PartialSensing(PartialSensingParams(**params), timing, key=1)


def monitored(plan: Plan, timing: SensingTiming = TIMING, **params: Any) -> list[int]:
    return [int(m) for m in scheme(timing, **params).before_selection(plan)]


def test_the_most_recent_occasion_of_each_candidate() -> None:
    """Candidates N + 40 to N + 43, asked for at N: t_{y - 200}."""
    plan = Plan(N + 40, N + 43, N, 0)
    assert monitored(plan, contiguous_slots=0) == [N - 160, N - 159, N - 158, N - 157]


def test_more_occasions_and_several_periods() -> None:
    """P of 200 and 20 slots: 200 ago and 400 ago; 20 slots: the last before N - 1, and before."""
    plan = Plan(N + 40, N + 40, N, 0)
    timing = replace(TIMING, periods=(20, 200))
    assert monitored(plan, timing, contiguous_slots=0) == [N - 160, N - 20]
    two = monitored(plan, timing, contiguous_slots=0, occasions=2)
    assert two == [N - 360, N - 160, N - 40, N - 20]
    only = monitored(plan, timing, contiguous_slots=0, occasions=2, periods_ms=(10,))
    assert only == [N - 40, N - 20]


@pytest.mark.parametrize(("candidate", "latest"), [(N + 19, N - 21), (N + 18, N - 2)])
def test_an_occasion_that_is_not_evaluated_yet_is_none(candidate: int, latest: int) -> None:
    """T_proc,0 is one slot: N - 1 is too late, N - 2 is the last that counts."""
    timing = replace(TIMING, periods=(20,))
    assert monitored(Plan(candidate, candidate, N, 0), timing, contiguous_slots=0) == [latest]


def test_the_slots_before_the_first_candidate() -> None:
    """M = 31: [y0 - 31, y0 - T_proc,0 - T_proc,1), decided T_proc,1 before y0."""
    plan = Plan(N + 100, N + 131, N + 95, 0)
    slots = monitored(plan, replace(TIMING, periods=()))
    assert slots == list(range(N + 69, N + 94))
    assert monitored(plan, replace(TIMING, periods=()), contiguous_slots=5) == []


def test_the_window_is_cut_by_the_start() -> None:
    """Of the run, and without a period of the packet: nobody listened before."""
    early = Plan(20, 51, 15, 0)
    assert monitored(early) == list(range(14))
    assert monitored(Plan(N + 10, N + 41, N + 5, N)) == [N, N + 1, N + 2, N + 3]
    asked = np.array([N + 10], dtype=np.int32)
    assert scheme().before_use(N + 5, asked, N).tolist() == [N, N + 1, N + 2, N + 3]


def test_the_sensing_window_bounds_the_occasions() -> None:
    timing = replace(TIMING, window=200, periods=(200,))
    plan = Plan(N + 40, N + 41, N, 0)
    assert monitored(plan, timing, contiguous_slots=0, occasions=3) == [N - 160, N - 159]


@settings(max_examples=80, derandomize=True, deadline=None)
@given(
    first=st.integers(5, 150),
    n=st.integers(1, 40),
    wait=st.booleans(),
    occasions=st.integers(1, 4),
    periods=st.lists(st.sampled_from([2, 20, 50, 100, 200, 400]), unique=True, max_size=3),
    contiguous=st.sampled_from([0, 5, 31]),
    lag=st.integers(1, 4),
)
def test_monitored_slots_are_those_of_the_clause(
    first: int, n: int, wait: bool, occasions: int, periods: list[int], contiguous: int, lag: int
) -> None:
    """The clause written out: every k, every candidate, every period."""
    decide = N + first - 5 if wait else N
    timing = replace(TIMING, periods=tuple(periods), lag=lag, window=600)
    wanted = set()
    for y in range(N + first, N + first + n):
        for period in periods:
            before = [m for m in range(y % period, decide - lag, period) if m < y]
            wanted |= set(before[-occasions:])
    if contiguous:
        wanted |= set(range(N + first - contiguous, decide - lag))
    plan = Plan(N + first, N + first + n - 1, decide, 0)
    found = monitored(plan, timing, contiguous_slots=contiguous, occasions=occasions)
    assert found == sorted(m for m in wanted if decide - 600 <= m < decide - lag)


def test_the_run_of_candidates_lies_anywhere_in_the_window() -> None:
    """Uniform over [N + 5, N + 200 - 31], for all identities; the whole window if it is short."""
    plans = [scheme().plan(identity, N, N + 5, N + 200, 0) for identity in range(3000)]
    starts = np.array([plan.first for plan in plans])
    assert starts.min() == N + 5
    assert starts.max() == N + 169
    mean, sigma = (5 + 169) / 2, math.sqrt((165**2 - 1) / 12)
    assert abs(starts.mean() - N - mean) < 4 * sigma / math.sqrt(len(starts))
    assert all(plan.last - plan.first == 31 for plan in plans)
    assert all(plan.decide == max(N, plan.first - 5) for plan in plans)
    assert scheme().plan(1, N, N + 5, N + 20, 0) == Plan(N + 5, N + 20, N, 0)


def test_without_a_period_the_run_leaves_time_to_listen() -> None:
    assert min(scheme().plan(i, N, N + 5, N + 200, N).first for i in range(500)) == N + 31
    # there is no time: as late as it can be
    assert scheme().plan(1, N, N + 5, N + 40, N) == Plan(N + 9, N + 40, N + 4, N)


def test_monitored_slots_are_counted_once_over_the_wrap_of_the_ring() -> None:
    ring = MonitoredSlots(2, 100)
    ring.listen(1, np.arange(95, 105, dtype=np.int32))
    ring.listen(1, np.arange(100, 110, dtype=np.int32))
    assert ring.n.tolist() == [0, 15]
    ring.listen(1, np.arange(195, 200, dtype=np.int32))
    assert ring.n.tolist() == [0, 20]
    assert ring.slot[1, 95] == 195
    assert ring.slot[1, 4] == 104
    ring.forget(1)
    assert (ring.slot == -1).all()


def test_what_was_not_monitored_is_unknown_not_reserved() -> None:
    """Two reservations, one heard in a monitored slot; own transmissions count there only."""
    reserved = [heard(N - 180, 1, period_ms=100), heard(N - 170, 0, period_ms=100)]
    situation = Situation(heard=reserved, own=[N - 175, N - 165])
    assert situation.candidates() - Selector(situation).s_a() == {
        (N + 20, 1), (N + 30, 0), *((N + 25, x) for x in range(3)), *((N + 35, x) for x in range(3))
    }  # fmt: skip
    partly = replace(situation, monitored=frozenset({N - 180, N - 165}))
    assert partly.candidates() - Selector(partly).s_a() == {
        (N + 20, 1), *((N + 35, x) for x in range(3))
    }  # fmt: skip
    nothing = replace(situation, monitored=frozenset())
    assert Selector(nothing).s_a() == nothing.candidates()


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    t2=st.sampled_from([10, 44, 120]),
    per_ms=st.sampled_from([1, 2, 4]),
    share=st.sampled_from([0.0, 0.3, 0.8, 1.0]),
)
def test_any_situation_leaves_what_the_clause_leaves(
    seed: int, t2: int, per_ms: int, share: float
) -> None:
    """Against the clause written out; with every slot monitored it is full sensing."""
    full = random_situation(seed, t2, per_ms, 100, 0.2)
    draw = rng.stream(seed, "monitored").random(600)
    chosen = frozenset(N - 1 - k for k in range(600) if draw[k] < share)
    partial = replace(full, monitored=chosen)
    left, _ = partial.s_a()
    assert Selector(partial).s_a() == left
    if share == 1.0:
        assert left == Selector(full).s_a()


def test_reviews_look_at_what_was_monitored() -> None:
    """Pre-emption and re-evaluation by a rival whose SCI was slept through: neither."""
    rival = heard(N - 10, 0, gaps=((30, 1),), priority=1)
    situation = Situation(heard=[rival], monitored=frozenset({N - 10}))
    resources = ((N + 20, 1, False), (N + 20, 1, True))
    assert [Selector(situation).lost(one) for one in resources] == [[True], [True]]
    asleep = replace(situation, monitored=frozenset({N - 11, N - 9}))
    assert [Selector(asleep).lost(one) for one in resources] == [[False], [False]]


PARTIAL = NrMode2Params(selection="partial", vru_selection="random")


def test_a_selection_waits_for_what_comes_before_its_candidates() -> None:
    """A rival that is heard after the packet came, before the run, is avoided."""
    params = replace(PARTIAL, n_subchannels=1, partial=PartialSensingParams(candidate_slots=16))
    packet = [Offered(1000, 0, 1199)]
    technology, _ = make(NrMode2, params)
    [quiet] = drive(technology, packet, 1400).sent
    technology, history = make(NrMode2, params)
    plan = scheme(candidate_slots=16).plan(0, 1000, 1005, 1199, 0)
    rival = heard(quiet.slot - 31, 0, gaps=((31, 0),))

    def before_slot(_: Any) -> None:
        write(history, 0, [rival], [])

    [avoids] = drive(technology, packet, 1400, before_slot=before_slot).sent
    assert avoids.slot != quiet.slot
    assert plan.decide > 1000


def test_each_kind_selects_in_its_way() -> None:
    """Three nodes, a full channel but for one slot: who hears it goes there, others anywhere."""
    technology, history = make(NrMode2, NrMode2Params(vru_selection="random"), n_nodes=2)
    crowd = [heard(N + y - 200, x, period_ms=100) for y in range(5, 101) for x in range(5) if y % 4]
    for node in range(2):
        write(history, node, crowd, [])
    technology.classify(np.array([CAR, VRU], dtype=np.int32))
    free = {0: 0, 1: 0}
    for k in range(40):
        for node in (0, 1):
            technology.forget(node)
            technology._identity[node] = k
            technology.enqueue(N, node, 0, N + 100, 5)
            free[node] += (int(technology._chosen[0]) - N) % 4 == 0
    assert free[0] == 40
    assert free[1] < 25


def test_random_selection_collides_as_the_closed_form_says() -> None:
    """N nodes choose among S slots and C subchannels: 1 - (1 - 1 / (S C))^(N - 1) of them meet."""
    n, params = 60, NrMode2Params(selection="random", grant="dynamic", n_subchannels=3)
    met = []
    for seed in range(60):
        technology, _ = make(NrMode2, params, n_nodes=n, seed=seed)
        sent = drive(technology, [Offered(100, k, 149) for k in range(n)], 200).sent
        places = [(s.slot, s.first_subchannel) for s in sent]
        met.append(np.mean([places.count(place) > 1 for place in places]))
    wanted = 1.0 - (1.0 - 1.0 / (45 * 3)) ** (n - 1)
    assert abs(np.mean(met) - wanted) < 4 * np.std(met) / math.sqrt(len(met))


def test_monitored_slots_of_a_second() -> None:
    """One vehicle at 10 Hz with a standing grant, all it does is to review its next resource."""
    params = NrMode2Params(selection="partial", vru_selection="full", keep_probability=1.0)
    technology, _ = make(NrMode2, params, n_nodes=2)
    technology.classify(np.array([CAR, VRU], dtype=np.int32))
    packets = [Offered(200 * k + 20, 0, 200 * k + 219) for k in range(20)]
    drive(technology, packets[:10], 2000)
    technology.take_monitored(2000)
    drive(technology, packets[10:], 4000, start=2000)
    n_slots, n_monitored = technology.take_monitored(4000)
    # [r - 31, r - T_proc,0 - T_proc,1) and the occasion r - 200 before each of ten messages
    assert n_slots == 2000
    assert n_monitored.tolist() == [10 * (31 - 6 + 1), 2000]


def test_the_pool_must_permit_it() -> None:
    with pytest.raises(ValueError, match="vru_selection 'random' is not among allowed_selection"):
        NrMode2Params(vru_selection="random", allowed_selection=("full", "partial"))
    with pytest.raises(ValueError, match=r"periods_ms .* must be among allowed_periods_ms"):
        NrMode2Params(allowed_periods_ms=(50, 100), partial=PartialSensingParams(periods_ms=(20,)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"min_candidate_slots": 33}, "min_candidate_slots must be within 1 and 32"),
        ({"candidate_slots": 10}, "candidate_slots must be within 16"),
        ({"occasions": 0}, "occasions must be within"),
        ({"contiguous_slots": 4}, "contiguous_slots must be 0 or within 5 and 31"),
        ({"periods_ms": ()}, "periods_ms must name a period"),
    ],
)
def test_windows_that_the_standard_does_not_have(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PartialSensingParams(**changes)


class PartialStory(AnyStory):
    """The same of a vehicle with partial sensing, a random VRU and another vehicle."""

    changes: ClassVar[dict[str, Any]] = {
        "selection": "partial",
        "vru_selection": "random",
        "partial": PartialSensingParams(candidate_slots=12, min_candidate_slots=4),
    }

    def __init__(self) -> None:
        super().__init__()
        self.technology.classify(np.array([CAR, VRU, CAR], dtype=np.int32))


class DynamicStory(AnyStory):
    """The same where no packet is known before it comes."""

    changes: ClassVar[dict[str, Any]] = {"selection": "partial", "grant": "dynamic"}


TestPartialStory = PartialStory.TestCase
TestDynamicStory = DynamicStory.TestCase
for case in (TestPartialStory, TestDynamicStory):
    case.settings = settings(
        max_examples=25, stateful_step_count=40, derandomize=True, deadline=None
    )
