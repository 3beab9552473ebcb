"""Re-evaluation and pre-emption: TS 38.214 8.1.4, TS 38.321 5.22.1.1 and 5.22.1.2a."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from v2x.access.nr.mode2 import NrMode2, NrMode2Params
from v2x.phy.sensing_history import SensingHistory

from ...access_loop import Driven, Offered, drive, make
from .nr_by_hand import Heard, Selector, Situation, heard, write

N = 5000
#: Somebody announced slot n + 20 on subchannel 1, heard 10 slots ago.
RIVAL = heard(N - 10, 0, gaps=((30, 1),), priority=3)


def test_an_unannounced_resource_is_lost_if_it_is_no_candidate_any_more() -> None:
    """Re-evaluation: whatever the priorities."""
    for priority in (1, 3, 5):
        selector = Selector(Situation(priority=priority, heard=[RIVAL]))
        assert selector.lost((N + 20, 1, False), (N + 20, 0, False), (N + 21, 1, False)) == [
            True,
            False,
            False,
        ]


def test_a_weak_rival_does_not_matter() -> None:
    weak = replace(RIVAL, rsrp_dbm=-111.0)
    selector = Selector(Situation(heard=[weak]))
    assert selector.lost((N + 20, 1, False), (N + 20, 1, True)) == [False, False]


@pytest.mark.parametrize(
    ("own", "level", "gives_way"),
    [
        (5, 9, True),
        (4, 9, True),
        (3, 9, False),
        (2, 9, False),
        (5, 4, True),
        (5, 3, False),
        (5, 0, False),
    ],
)
def test_an_announced_resource_is_lost_to_a_higher_priority(
    own: int, level: int, gives_way: bool
) -> None:
    """Pre-emption: prio_RX 3 < prio_TX, and below sl-PreemptionEnable where it is a level."""
    selector = Selector(Situation(priority=own, heard=[RIVAL]))
    assert selector.lost((N + 20, 1, True), level=level) == [gives_way]


def test_periodic_reservations_pre_empt_too() -> None:
    rival = heard(N - 180, 1, period_ms=100, priority=1)
    selector = Selector(Situation(heard=[rival]))
    assert selector.lost((N + 20, 1, True), (N + 20, 0, True)) == [True, False]


def test_lower_priorities_cannot_hide_behind_a_higher_one_elsewhere() -> None:
    """Somebody equal holds the place, somebody higher another: nothing is lost."""
    equal = heard(N - 180, 1, period_ms=100, priority=5)
    higher = heard(N - 170, 0, period_ms=100, priority=1)
    selector = Selector(Situation(heard=[equal, higher]))
    assert selector.lost((N + 20, 1, True), (N + 30, 0, True)) == [False, True]


def test_the_final_threshold_decides() -> None:
    """All taken: thresholds rise to -80 dBm; a higher priority at -90 dBm is admitted by then."""
    crowd = [
        heard(N + y - 200, x, period_ms=100, priority=5, rsrp_dbm=-81.0)
        for y in range(5, 45)
        for x in range(3)
        if (y, x) != (20, 1)
    ]
    for rsrp_dbm, gives_way in ((-90.0, False), (-70.0, True)):
        rival = heard(N - 180, 1, period_ms=100, priority=1, rsrp_dbm=rsrp_dbm)
        selector = Selector(Situation(heard=[*crowd, rival]))
        assert selector.lost((N + 20, 1, True)) == [gives_way]
        assert selector.kernel.n_raises == 10


def test_own_transmissions_alone_pre_empt_nothing() -> None:
    """Step 5 excludes the own next period; only step 6 counts for what was announced."""
    selector = Selector(Situation(own=[N - 180]))
    assert selector.lost((N + 20, 1, True)) == [False]
    assert selector.lost((N + 20, 1, False)) == [True]


class Rivals:
    """Lets node 0 hear an SCI that takes its next resource, `ahead` slots before that."""

    def __init__(self, history: SensingHistory, plan: dict[int, Heard]) -> None:
        self.history, self.plan = history, plan

    def __call__(self, slot: int) -> None:
        for when in [when for when in self.plan if when <= slot]:
            write(self.history, 0, [self.plan.pop(when)], [])


def run(
    params: NrMode2Params, packets: list[Offered], plan: dict[int, Heard], until: int = 1500
) -> tuple[Driven, Any]:
    """Drive one node in every slot; what it hears is written in the slot after."""
    technology, history = make(NrMode2, params, n_nodes=1)
    rivals = Rivals(history, plan)
    original = technology.transmissions
    clock = {"slot": 0}

    def transmissions(slot: int) -> Any:
        clock["slot"] = slot
        rivals(slot)
        return original(slot)

    technology.transmissions = transmissions
    technology.next_active = lambda slot, limit: slot
    return drive(technology, packets, until), technology


PACKETS = [Offered(100 + 200 * k, 0, 299 + 200 * k) for k in range(5)]
SPS = NrMode2Params(keep_probability=0.8)


def reservation_of(slot: int, first: int, gap: int, priority: int) -> Heard:
    """Return an SCI `gap` slots before a resource that announces it."""
    return heard(slot - gap, (first + 1) % 5, gaps=((gap, first),), priority=priority)


def test_an_unannounced_choice_moves_when_somebody_else_announces_it() -> None:
    """Re-evaluation at r - T3 (five slots at 30 kHz), whoever it is; the grant moves with it."""
    quiet, _ = run(SPS, PACKETS, {})
    slot, first = quiet.sent[0].slot, quiet.sent[0].first_subchannel
    for heard_before, moves in ((8, True), (7, True), (6, False), (5, False)):
        rival = reservation_of(slot, first, heard_before, 8)
        disturbed, technology = run(SPS, PACKETS, {rival.slot + 1: rival})
        sent = [(s.slot, s.first_subchannel) for s in disturbed.sent]
        assert (sent[0] != (slot, first)) == moves, heard_before
        assert technology.n_reevaluated == moves
        assert technology.n_preempted == 0
        assert sent[0][0] <= PACKETS[0].deadline_slot
        # every 200 slots on the same subchannel, wherever it is now
        assert sent[1] == (sent[0][0] + 200, sent[0][1])
    off, technology = run(replace(SPS, reevaluation=False), PACKETS, {rival.slot + 1: rival})
    assert (off.sent[0].slot, technology.n_reevaluated) == (slot, 0)


@pytest.mark.parametrize(
    ("priority", "options", "moves"),
    [
        (1, {}, True),
        (4, {}, True),
        (5, {}, False),
        (8, {}, False),
        (4, {"preemption": False}, False),
        (2, {"preemption_level": 3}, True),
        (3, {"preemption_level": 3}, False),
        (1, {"reevaluation": False}, True),
    ],
)
def test_an_announced_period_moves_for_higher_priorities(
    priority: int, options: dict[str, Any], moves: bool
) -> None:
    """Pre-emption of the third message of a grant; those after it follow."""
    params = replace(SPS, **options)
    quiet, _ = run(params, PACKETS, {})
    third = quiet.sent[2]
    assert quiet.sent[1].reservation_ms == 100
    rival = reservation_of(third.slot, third.first_subchannel, 20, priority)
    disturbed, technology = run(params, PACKETS, {rival.slot + 1: rival})
    assert disturbed.sent[:2] == quiet.sent[:2]
    place = (disturbed.sent[2].slot, disturbed.sent[2].first_subchannel)
    assert (place != (third.slot, third.first_subchannel)) == moves
    assert (technology.n_preempted, technology.n_reevaluated) == (int(moves), 0)
    assert (disturbed.sent[3].slot, disturbed.sent[3].first_subchannel) == (
        place[0] + 200,
        place[1],
    )


def test_a_repetition_moves_alone() -> None:
    """The second of three attempts was announced by the first; a higher priority takes it."""
    params = NrMode2Params(grant="dynamic", blind_retransmissions=2)
    quiet, _ = run(params, PACKETS[:1], {})
    first, second, third = quiet.sent
    assert first.gap_slots == second.slot - first.slot > 7, "choose another seed"
    rival = reservation_of(second.slot, second.first_subchannel, second.slot - first.slot + 1, 1)
    disturbed, technology = run(params, PACKETS[:1], {first.slot + 1: rival})
    assert technology.n_preempted == 1
    assert len(disturbed.sent) == 3
    assert disturbed.sent[0] == first
    places = {(s.slot, s.first_subchannel) for s in disturbed.sent}
    assert (second.slot, second.first_subchannel) not in places
    assert (third.slot, third.first_subchannel) in places
    assert disturbed.dropped == []


def test_nobody_moves_without_a_place_to_go() -> None:
    """The packet's deadline comes before anything else could be used: it stays where it is."""
    params = NrMode2Params(t2_ms=20, t2min_ms=1, grant="dynamic")
    quiet, _ = run(params, [Offered(100, 0, 115)], {})
    slot, first = quiet.sent[0].slot, quiet.sent[0].first_subchannel
    rival = reservation_of(slot, first, 8, 1)
    tight = [Offered(100, 0, slot)]
    disturbed, _ = run(params, tight, {rival.slot + 1: rival})
    assert all(s.slot <= slot for s in disturbed.sent)
    assert len(disturbed.sent) == 1
