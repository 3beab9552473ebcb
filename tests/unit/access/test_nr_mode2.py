"""NR mode 2 as a whole: grants, counters, attempts, and what holds whatever happens."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from v2x.access.nr.mode2 import NrMode2, NrMode2Params
from v2x.phy.sensing_history import ControlInformation

from ...access_loop import Offered, Sent, drive, make
from .nr_by_hand import Heard, write


def send(
    params: NrMode2Params, packets: list[Offered], until: int = 3000, **options: Any
) -> list[Sent]:
    """Return what a node alone sends."""
    technology, _ = make(NrMode2, params, **options)
    return drive(technology, packets, until).sent


def periodic(n: int, period: int, budget: int, start: int = 50) -> list[Offered]:
    return [Offered(start + k * period, 0, start + k * period + budget) for k in range(n)]


@pytest.mark.parametrize(("scs_khz", "t_proc1", "per_ms"), [(15, 3, 1), (30, 5, 2), (60, 9, 4)])
def test_the_selection_window(scs_khz: int, t_proc1: int, per_ms: int) -> None:
    """[n + T1, n + T2] with T1 = T_proc,1 and T2 the latency budget, all of it used."""
    params = NrMode2Params(scs_khz=scs_khz, grant="dynamic", n_subchannels=2)
    offsets = []
    for seed in range(300):
        [sent] = send(params, [Offered(100, 0, 100 + 20 * per_ms)], seed=seed)
        offsets.append(sent.slot - 100)
    assert min(offsets) == t_proc1
    assert max(offsets) == 20 * per_ms
    late = replace(params, t2_ms=20, t2min_ms=20)
    assert all(
        t_proc1 <= send(late, [Offered(100, 0, 9999)], seed=seed)[0].slot - 100 <= 20 * per_ms
        for seed in range(30)
    )
    early = replace(params, t1_slots=0)
    assert min(send(early, [Offered(100, 0, 102)], seed=seed)[0].slot for seed in range(40)) == 100


def test_a_budget_shorter_than_processing_cannot_be_met() -> None:
    assert send(NrMode2Params(), [Offered(100, 0, 104)]) == []
    assert len(send(NrMode2Params(), [Offered(100, 0, 105)])) == 1


@pytest.mark.parametrize(
    ("period_ms", "low", "high"),
    [(1000, 5, 15), (100, 5, 15), (50, 10, 30), (20, 25, 75), (10, 25, 75)],
)
def test_the_counter_is_scaled_below_100_ms(period_ms: int, low: int, high: int) -> None:
    """[5, 15] times ceil(100 / max(20, RRI)) transmissions, the last without a reservation."""
    params = NrMode2Params(scs_khz=15, keep_probability=0.0, t2min_ms=1, reservation_ms=period_ms)
    lengths: set[int] = set()
    for seed in range(25):
        packets = periodic(90, period_ms, period_ms - 1)
        sent = send(params, packets, 90 * period_ms, period_ms=period_ms, seed=seed)
        first = next(k for k, s in enumerate(sent) if s.reservation_ms == 0)
        assert {s.reservation_ms for s in sent[:first]} == {period_ms}
        lengths.add(first + 1)
    assert low <= min(lengths) <= low + (high - low) / 4
    assert high - (high - low) / 4 <= max(lengths) <= high


def test_dynamic_grants_reserve_nothing_and_choose_anew() -> None:
    sent = send(NrMode2Params(grant="dynamic"), periodic(12, 200, 150))
    assert len(sent) == 12
    assert {s.reservation_ms for s in sent} == {0}
    assert len({(s.slot - 50) % 200 for s in sent}) > 6


def test_attempts_announce_the_next_two() -> None:
    """sl-MaxNumPerReserve 3 or 2: every SCI names what follows it, the last nothing."""
    for max_reserve in (2, 3):
        params = NrMode2Params(blind_retransmissions=4, max_reserve=max_reserve)
        sent = send(params, periodic(3, 200, 190))
        assert len(sent) == 15
        for k in range(0, 15, 5):
            five = sent[k : k + 5]
            assert [s.attempt for s in five] == list(range(5))
            assert {s.n_attempts for s in five} == {5}
            for i, one in enumerate(five):
                told = [
                    (one.gap_slots, one.other_subchannel),
                    (one.gap2_slots, one.other2_subchannel),
                ]
                follow = [(s.slot - one.slot, s.first_subchannel) for s in five[i + 1 : i + 3]]
                near = [f if f[0] <= 31 else (0, 0) for f in follow][: max_reserve - 1]
                assert told == [*near, (0, 0), (0, 0)][:2]
        # the same five places a period later
        assert [(s.slot + 200, s.first_subchannel) for s in sent[:5]] == [
            (s.slot, s.first_subchannel) for s in sent[5:10]
        ]


@pytest.mark.parametrize("n", [1, 3, 31])
def test_as_many_attempts_as_wanted(n: int) -> None:
    """Up to 32 transmissions of a block; in a short window as many as have a slot."""
    params = NrMode2Params(blind_retransmissions=n)
    sent = send(params, [Offered(100, 0, 299)])
    assert [s.attempt for s in sent] == list(range(n + 1))
    assert len({s.slot for s in sent}) == n + 1
    few = send(params, [Offered(100, 0, 109)])
    assert len(few) == min(n + 1, 5)
    assert {s.n_attempts for s in few} == {len(few)}


def test_attempts_stay_within_their_period() -> None:
    """Ten slots of period, three attempts: never two in one slot, period after period."""
    params = NrMode2Params(
        scs_khz=15, reservation_ms=10, t2min_ms=10, blind_retransmissions=2, keep_probability=0.8
    )
    sent = send(params, periodic(100, 10, 30), 1100, period_ms=10)
    assert len({s.slot for s in sent}) == len(sent) > 200
    assert all(s.n_attempts <= 3 for s in sent)


def test_reservation_periods() -> None:
    assert NrMode2Params().period_ms(1500) == 1000
    assert NrMode2Params().period_ms(33) == 33
    assert NrMode2Params(allowed_periods_ms=(20, 50, 100)).period_ms(60) == 50
    assert NrMode2Params(allowed_periods_ms=(100, 200)).period_ms(50) == 100


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grant": "sometimes"}, "grant must be one of"),
        ({"max_reserve": 4}, "max_reserve must be one of"),
        ({"sensing_window_ms": 1000}, "sensing_window_ms must be one of"),
        ({"t2min_ms": 2}, "t2min_ms must be one of"),
        ({"keep_percent": 30}, "keep_percent must be one of"),
        ({"blind_retransmissions": 32}, "blind_retransmissions must be within 0 and 31"),
        ({"keep_probability": 1.1}, "keep_probability must be within"),
        ({"reselect_after": 0}, "reselect_after must be within"),
        ({"t1_slots": 6}, "t1_slots must be within 0 and 5, got 6"),
        ({"t2_ms": 19}, "t2_ms must be within 20 and 1000, got 19"),
        ({"preemption_level": 9}, "preemption_level must be within 1 and 8"),
        ({"reservation_ms": 150}, "reservation_ms must be 1 to 99 or a multiple of 100"),
        ({"allowed_periods_ms": tuple(range(1, 18))}, "1 to 16 values"),
        ({"reservation_ms": 50, "allowed_periods_ms": (100,)}, "must be among"),
        ({"pair_thresholds_dbm": (-110.0,) * 63}, "must have 64 values, got 63"),
        ({"subchannel_rb": 11}, "subchannel_rb must be one of"),
    ],
)
def test_what_the_standard_does_not_allow(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NrMode2Params(**changes)


def test_pair_thresholds_are_indexed_by_own_then_received_priority() -> None:
    """Index i = p_i + (p_j - 1) 8 with the received p_i and the own p_j."""
    values = tuple(float(i) for i in range(1, 65))
    thresholds = NrMode2Params(pair_thresholds_dbm=values).thresholds_dbm()
    assert thresholds[2 - 1, 7 - 1] == 7 + (2 - 1) * 8
    assert (NrMode2Params(initial_threshold_dbm=-99.0).thresholds_dbm() == -99.0).all()


N_NODES = 3


class AnyStory(RuleBasedStateMachine):
    """Packets, rivals of any priority, departures: what must hold after each slot."""

    #: Parameters that other stories have.
    changes: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.params = NrMode2Params(
            n_subchannels=4,
            blind_retransmissions=2,
            reservation_ms=20,
            t2min_ms=1,
            keep_probability=0.4,
            reselect_after=2,
            **self.changes,
        )
        self.technology, self.history = make(
            NrMode2, self.params, n_nodes=N_NODES, grant_subchannels=2, period_ms=20
        )
        self.slot = 0
        self.fate: dict[int, str] = {}
        self.attempts: dict[int, list[tuple[int, Any]]] = defaultdict(list)
        self.owner: dict[int, int] = {}
        self.gone: set[int] = set()

    @rule(node=st.integers(0, N_NODES - 1), budget=st.integers(0, 60), priority=st.integers(1, 8))
    def packet(self, node: int, budget: int, priority: int) -> None:
        number = len(self.owner)
        self.owner[number], self.fate[number] = node, "waits"
        replaced = self.technology.enqueue(self.slot, node, number, self.slot + budget, priority)
        if replaced >= 0:
            self.end(replaced, "replaced")

    @rule(
        gap=st.integers(1, 31),
        first=st.integers(0, 2),
        priority=st.integers(1, 8),
        period=st.sampled_from([0, 20]),
    )
    def rival(self, gap: int, first: int, priority: int, period: int) -> None:
        if self.slot:
            sci = ControlInformation(period, 2, priority, gap, first)
            for node in range(N_NODES):
                if (
                    self.history.words[node, (self.slot - 1) % self.history.window, 0]
                    != self.slot - 1
                ):
                    write(self.history, node, [Heard(self.slot - 1, first, sci, -70.0)], [])

    @rule(node=st.integers(0, N_NODES - 1))
    def leave(self, node: int) -> None:
        waited = self.technology.forget(node)
        if waited >= 0:
            self.end(waited, "left")
        self.gone |= {number for number, owner in self.owner.items() if owner == node}
        self.history.forget(node)

    @rule(n_slots=st.integers(1, 40))
    def time_passes(self, n_slots: int) -> None:
        for slot in range(self.slot, self.slot + n_slots):
            due = self.technology.next_active(slot, slot + 1) == slot
            sent, dropped = self.technology.transmissions(slot)
            assert due or not len(sent)
            nodes = sent["node"].tolist()
            assert nodes == sorted(set(nodes))
            assert (sent["first_subchannel"] >= 0).all()
            assert (sent["first_subchannel"] + sent["n_subchannels"] <= 4).all()
            for row in sent:
                number = int(row["packet"])
                assert self.owner[number] == row["node"]
                if row["attempt"] == 0:
                    self.end(number, "sent")
                self.attempts[number].append((slot, row.copy()))
                write(self.history, int(row["node"]), [], [slot])
            for number in dropped.tolist():
                self.end(number, "dropped")
        self.slot += n_slots

    def end(self, number: int, fate: str) -> None:
        assert self.fate[number] == "waits", (number, self.fate[number], fate)
        self.fate[number] = fate

    @invariant()
    def attempts_come_in_order_and_all_of_them(self) -> None:
        for number, made in self.attempts.items():
            assert [int(row["attempt"]) for _, row in made] == list(range(len(made)))
            n = int(made[0][1]["n_attempts"])
            assert len(made) <= n
            if number not in self.gone and self.slot > made[0][0] + 40:
                assert len(made) == n

    def teardown(self) -> None:
        waiting = [self.technology.forget(node) for node in range(N_NODES)]
        for number in waiting:
            if number >= 0:
                self.end(number, "waits still")
        assert "waits" not in self.fate.values()


TestAnyStory = AnyStory.TestCase
TestAnyStory.settings = settings(
    max_examples=40, stateful_step_count=40, derandomize=True, deadline=None
)


def test_wrapping_of_calendar_and_ring() -> None:
    """An hour of slots later everything is as at the start, shifted."""
    packets = periodic(6, 200, 150)
    params = NrMode2Params(blind_retransmissions=1)
    shift = 7_200_000
    late = [Offered(p.slot + shift, p.node, p.deadline_slot + shift) for p in packets]
    technology, _ = make(NrMode2, params)
    after = drive(technology, late, shift + 3000, start=shift).sent
    assert len(after) == 12
    assert np.diff([s.slot for s in after[::2]]).tolist() == [200] * 5
