"""HARQ of NR mode 2 with feedback: gaps, releases, ends (TS 38.321 5.22.1.1 and 5.22.1.3)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from v2x.access.nr.mode2 import NrMode2, NrMode2Params
from v2x.phy.nr.error_model import nominal_threshold_db
from v2x.phy.sensing_history import ControlInformation

from ...access_loop import Offered, drive, make
from .nr_by_hand import Heard, write

FEEDBACK = NrMode2Params(harq="feedback", psfch_period=4, psfch_gap=3, blind_retransmissions=3)


@pytest.mark.parametrize("period", [1, 2, 4])
@pytest.mark.parametrize("gap", [2, 3])
def test_transmissions_of_a_packet_keep_the_gap_z(period: int, gap: int) -> None:
    """Z = a + b: the longest wait for the occasion, gap + period - 1, and the processing."""
    params = replace(FEEDBACK, psfch_period=period, psfch_gap=gap, grant="dynamic")
    z = gap + period - 1 + params.harq_process_slots
    assert params.least_gap_slots() == z
    nearest = 99
    for seed in range(60):
        technology, _ = make(NrMode2, params, seed=seed)
        slots = [s.slot for s in drive(technology, [Offered(10, 0, 110)], 400).sent]
        assert len(slots) == 4
        gaps = np.diff(slots)
        assert (gaps >= z).all()
        nearest = min(nearest, int(gaps.min()))
    assert nearest == z
    blind = replace(params, harq="blind")
    assert blind.least_gap_slots() == 1


def test_room_for_feedback_is_left_in_every_allocation() -> None:
    """Three of twelve symbols go to the PSFCH: 190 bytes at MCS 7 need 3 subchannels, not 2.

    Two have (12 * 9 - 18) * 20 - 360 - 65 elements, times 2 * 526 / 1024: 1412 < 1520 bits.
    """
    for period, needed in ((0, 2), (1, 3), (4, 3)):
        pool = NrMode2Params(psfch_period=period).resource_pool()
        assert pool.layout.psfch == (period > 0)
        assert pool.subchannels_needed(190, 7) == needed


def test_a_larger_beta_makes_sci2_more_robust_and_takes_room() -> None:
    """SCI-2 carries 2 R / beta bits per element; its curve moves along the threshold of that."""
    plain, strong = (NrMode2Params(sci2_beta_offset=beta).resource_pool() for beta in (1.125, 3.5))
    rate = 526 / 1024
    expected = nominal_threshold_db(2 * rate / 3.5) - nominal_threshold_db(2 * rate)
    assert strong.second_stage_shift_db(7) == pytest.approx(expected)
    assert expected < plain.second_stage_shift_db(7) - 5.0
    assert strong.layout.sci2_elements(30, rate) == 202  # ceil(59 * 3.5 / (2 R))
    assert plain.layout.sci2_elements(30, rate) == 65


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"harq": "feedback"}, "needs a psfch_period"),
        ({"harq": "sometimes"}, "harq must be one of"),
        ({"psfch_period": 3}, "psfch_period must be one of"),
        ({"psfch_period": 4, "psfch_gap": 4}, "psfch_gap"),
        ({"psfch_period": 4, "psfch_shifts": 5}, "psfch_shifts"),
        ({"psfch_period": 4, "psfch_rb": 30}, "psfch_rb must be a multiple of 20"),
        ({"psfch_period": 4, "psfch_rb": 60}, "at most 50"),
        ({"psfch_period": 4, "n_subchannels": 20, "psfch_rb": 0}, "at least 80"),
        ({"sci2_beta_offset": 2.4}, "sci2_beta_offset"),
        ({"psfch_ties": "both"}, "psfch_ties"),
        ({"psfch_fading": "rice"}, "psfch_fading"),
        ({"psfch_most_sent": 0}, "psfch_most_sent"),
        ({"psfch_false_alarm": 0.0}, "psfch_false_alarm"),
        ({"harq_process_slots": 0}, "harq_process_slots"),
        ({"psfch_timing_us": -1.0}, "psfch_timing_us"),
    ],
)
def test_impossible_parameters_are_rejected(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NrMode2Params(**changes)


def settle(technology: NrMode2, node: int, packet: int, acknowledged: bool) -> int:
    """Return what one verdict releases."""
    verdict = np.array([[node, packet, acknowledged]], dtype=np.int32)
    return int(technology.settle(verdict)[0])


def settled_after(params: NrMode2Params, verdicts: list[bool]) -> tuple[list[int], list[int]]:
    """Return the slots of packet 0, and what each feedback released.

    The k-th transmission gets the k-th verdict in its occasion.
    """
    technology, _ = make(NrMode2, params)
    design = params.feedback_design()
    assert design is not None
    slots: list[int] = []
    released: list[int] = []
    technology.enqueue(10, 0, 0, 110, 5)
    for slot in range(10, 600):
        sent, _ = technology.transmissions(slot)
        slots += [slot] * int((sent["packet"] == 0).sum())
        for k, when in enumerate(slots):
            if design.grid.occasion(when) == slot:
                released.append(settle(technology, 0, 0, verdicts[k]))
    return slots, released


def test_an_ack_releases_what_is_still_reserved() -> None:
    for n_nacks in range(4):
        verdicts = [False] * n_nacks + [True] * 4
        slots, released = settled_after(FEEDBACK, verdicts)
        assert len(slots) == n_nacks + 1
        expected = [-1] * n_nacks + [3 - n_nacks]
        assert released == (expected if n_nacks < 3 else [-1] * 4)


def test_nacks_use_up_the_transmissions_and_nothing_more() -> None:
    """sl-MaxTxTransNumPSSCH: four in all; feedback on the last one changes nothing."""
    slots, released = settled_after(FEEDBACK, [False] * 4)
    assert len(slots) == 4
    assert released == [-1] * 4


def test_a_packet_whose_budget_ends_is_not_repeated() -> None:
    """The second packet of a grant may go with its first resource, but the others come too late."""
    params = replace(FEEDBACK, keep_probability=0.8)
    technology, _ = make(NrMode2, params)
    assert technology.enqueue(10, 0, 0, 209, 5) == -1
    first = [s for s in range(300) if len(technology.transmissions(s)[0])]
    assert len(first) == 4
    # the next packet may be sent with the initial resource of the next period, and no later
    start = first[0] + 200
    technology.enqueue(start - 1, 0, 1, start, 5)
    for slot in range(300, start + 1):
        sent = technology.transmissions(slot)[0]
    assert sent["packet"].tolist() == [1]
    assert settle(technology, 0, 1, False) == 3
    assert not any(len(technology.transmissions(s)[0]) for s in range(start + 1, start + 120))


def test_feedback_on_something_else_releases_nothing() -> None:
    technology, _ = make(NrMode2, FEEDBACK)
    technology.enqueue(10, 0, 0, 110, 5)
    slot = technology.next_active(10, 200)
    while not len(technology.transmissions(slot)[0]):
        slot = technology.next_active(slot + 1, 200)
    assert settle(technology, 0, 7, True) == -1
    assert settle(technology, 0, 0, True) == 3
    assert settle(technology, 0, 0, True) == -1


def test_the_grant_goes_on_after_a_release() -> None:
    """Released repetitions of one packet are used by the next."""
    params = replace(FEEDBACK, keep_probability=0.8)
    technology, _ = make(NrMode2, params)
    slots: dict[int, list[int]] = defaultdict(list)
    for slot in range(420):
        if slot in (10, 210):
            technology.enqueue(slot, 0, slot // 200, slot + 190, 5)
        for packet in technology.transmissions(slot)[0]["packet"].tolist():
            slots[packet].append(slot)
            if packet == 0:
                assert settle(technology, 0, 0, True) == 3
    assert len(slots[0]) == 1
    assert len(slots[1]) == 4
    assert slots[1][0] == slots[0][0] + 200


def test_a_repetition_that_moves_keeps_the_gap_too() -> None:
    """Pre-empted, the second attempt is drawn anew, T1 = 0: never within Z = 8 of the first."""
    params = replace(FEEDBACK, grant="dynamic", blind_retransmissions=1, t1_slots=0)
    n_moved = 0
    for seed in range(60):
        technology, history = make(NrMode2, params, seed=seed)
        technology.enqueue(10, 0, 0, 60, 5)
        slots: list[int] = []
        for slot in range(10, 120):
            for row in technology.transmissions(slot)[0]:
                slots.append(slot)
                if row["attempt"] == 0:
                    rival = ControlInformation(
                        0, 1, 1, row["gap_slots"] - 1, row["other_subchannel"]
                    )
                    write(history, 0, [Heard(slot + 1, 0, rival, -60.0)], [slot])
        n_moved += technology.n_preempted
        assert len(slots) == 2
        assert slots[1] - slots[0] >= 8
    assert n_moved > 20


N_NODES = 3


class AnyFeedback(RuleBasedStateMachine):
    """Packets, rivals, departures and feedback of any kind: what must hold after each slot."""

    def __init__(self) -> None:
        super().__init__()
        self.params = replace(
            FEEDBACK,
            n_subchannels=4,
            t1_slots=0,
            reservation_ms=40,
            t2min_ms=1,
            keep_probability=0.4,
            reselect_after=2,
        )
        design = self.params.feedback_design()
        assert design is not None
        self.grid = design.grid
        self.technology, self.history = make(
            NrMode2, self.params, n_nodes=N_NODES, grant_subchannels=2, period_ms=40
        )
        self.slot = 0
        self.fate: dict[int, str] = {}
        self.deadline: dict[int, int] = {}
        self.owner: dict[int, int] = {}
        self.made: dict[int, list[int]] = defaultdict(list)
        self.wanted: dict[int, int] = {}
        self.released: dict[int, int] = {}
        self.acked: set[int] = set()
        self.gone: set[int] = set()
        self.pending: list[tuple[int, int, int]] = []

    @rule(node=st.integers(0, N_NODES - 1), budget=st.integers(0, 90), priority=st.integers(1, 8))
    def packet(self, node: int, budget: int, priority: int) -> None:
        number = len(self.owner)
        self.owner[number], self.fate[number] = node, "waits"
        self.deadline[number] = self.slot + budget
        replaced = self.technology.enqueue(self.slot, node, number, self.slot + budget, priority)
        if replaced >= 0:
            self.end(replaced, "replaced")

    @rule(gap=st.integers(1, 31), first=st.integers(0, 2), priority=st.integers(1, 8))
    def rival(self, gap: int, first: int, priority: int) -> None:
        if self.slot:
            sci = ControlInformation(0, 2, priority, gap, first)
            for node in range(N_NODES):
                ring = (self.slot - 1) % self.history.window
                if self.history.words[node, ring, 0] != self.slot - 1:
                    write(self.history, node, [Heard(self.slot - 1, first, sci, -70.0)], [])

    @rule(node=st.integers(0, N_NODES - 1))
    def leave(self, node: int) -> None:
        waited = self.technology.forget(node)
        if waited >= 0:
            self.end(waited, "left")
        self.gone |= {number for number, owner in self.owner.items() if owner == node}
        self.pending = [p for p in self.pending if p[1] != node]
        self.history.forget(node)

    @rule(n_slots=st.integers(1, 30), seed=st.integers(0, 2**16))
    def time_passes(self, n_slots: int, seed: int) -> None:
        coin = np.random.default_rng(seed)
        for slot in range(self.slot, self.slot + n_slots):
            sent, dropped = self.technology.transmissions(slot)
            nodes = sent["node"].tolist()
            assert nodes == sorted(set(nodes))  # one transmission per slot and node
            assert (sent["first_subchannel"] >= 0).all()
            assert (sent["first_subchannel"] + sent["n_subchannels"] <= 4).all()
            for row in sent:
                self.transmits(slot, row)
                write(self.history, int(row["node"]), [], [slot])
            for number in dropped.tolist():
                self.end(number, "dropped")
            due = [p for p in self.pending if p[0] == slot]
            self.pending = [p for p in self.pending if p[0] != slot]
            for _, node, number in due:
                acked = bool(coin.random() < 0.4)
                n_released = settle(self.technology, node, number, acked)
                if acked:
                    self.acked.add(number)
                if n_released >= 0:
                    assert number not in self.released
                    self.released[number] = n_released
        self.slot += n_slots

    def transmits(self, slot: int, row: Any) -> None:
        number = int(row["packet"])
        assert self.owner[number] == row["node"]
        assert number not in self.acked
        assert number not in self.released
        assert row["attempt"] == len(self.made[number])
        assert slot <= self.deadline[number] or row["n_attempts"] == 1
        if row["attempt"] == 0:
            self.end(number, "sent")
            self.wanted[number] = int(row["n_attempts"])
        self.made[number].append(slot)
        if row["n_attempts"] > 1:
            occasion = self.grid.occasion(slot)
            assert occasion >= slot + self.params.psfch_gap
            self.pending.append((occasion, int(row["node"]), number))

    def end(self, number: int, fate: str) -> None:
        assert self.fate[number] == "waits", (number, self.fate[number], fate)
        self.fate[number] = fate

    @invariant()
    def feedback_comes_between_transmissions(self) -> None:
        for slots in self.made.values():
            for one, other in pairwise(slots):
                assert other - one >= self.params.least_gap_slots()
                assert self.grid.occasion(one) < other

    @invariant()
    def every_reserved_transmission_is_made_or_released(self) -> None:
        for number, slots in self.made.items():
            made, wanted = len(slots), self.wanted[number]
            if number in self.released:
                assert made + self.released[number] == wanted
            elif number not in self.gone and self.slot > slots[-1] + 100:
                assert made == wanted

    def teardown(self) -> None:
        for node in range(N_NODES):
            number = self.technology.forget(node)
            if number >= 0:
                self.end(number, "waits still")
        assert "waits" not in self.fate.values()


TestAnyFeedback = AnyFeedback.TestCase
TestAnyFeedback.settings = settings(
    max_examples=40, stateful_step_count=40, derandomize=True, deadline=None
)
