"""CR limits of TS 103 574, enforced as TS 36.213 14.1.1 asks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.access.base import TRANSMISSION
from v2x.access.congestion.controlled_access import ControlledAccess
from v2x.access.congestion.ts103574 import Ts103574, Ts103574Params
from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.access.random_access import RandomAccess, RandomAccessParams

from ....access_loop import Driven, Offered, drive, make, periodic
from .channel import context, observe

WINDOW = 1000
#: MCS of the run; with each two more a packet needs a subchannel less, down to one.
MCS = 5
#: Looks up what was measured at once, so that a test knows which limit is in force.
AT_ONCE = Ts103574Params(cbr_weight=1.0)


@pytest.mark.parametrize(
    ("cbr", "limits"),
    [
        (0.0, (1.0, 1.0, 1.0)),
        (0.3, (1.0, 1.0, 1.0)),
        (0.3001, (1.0, 0.03, 0.02)),
        (0.65, (1.0, 0.03, 0.02)),
        (0.6501, (0.02, 0.006, 0.004)),
        (0.8, (0.02, 0.006, 0.004)),
        (0.8001, (0.02, 0.003, 0.002)),
        (1.0, (0.02, 0.003, 0.002)),
    ],
)
def test_the_table_at_its_boundaries(cbr: float, limits: tuple[float, float, float]) -> None:
    params = Ts103574Params()
    for priorities, limit in zip(((1, 2), (3, 4, 5), (6, 7, 8)), limits, strict=True):
        for priority in priorities:
            assert float(params.limit(cbr, priority)) == limit


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cbr_bounds": (0.3, 0.3, 0.8)}, "cbr_bounds must ascend"),
        ({"cbr_bounds": (0.3, 0.65, 1.0)}, "cbr_bounds must ascend"),
        ({"cr_limit_pppp_3_5": (1.0, 0.03, 0.006)}, "cr_limit_pppp_3_5 must have one value more"),
        ({"cr_limit_pppp_1_2": (1.0, 0.0, 1.0, 1.0)}, "cr_limit_pppp_1_2 must be above 0"),
        ({"cbr_weight": 0.0}, "cbr_weight must be above 0"),
        ({"reaction": "shout"}, "reaction must be 'drop' or 'adapt'"),
        ({"max_mcs": 29}, "max_mcs must be within 0 and 28"),
    ],
)
def test_tables_that_are_none(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(Ts103574Params(), **changes)


def limited(
    technology: Any,
    params: Any,
    control: Ts103574Params,
    n_nodes: int,
    width: int = 1,
    event_width: int | None = None,
) -> tuple[ControlledAccess, Ts103574]:
    inner, _ = make(
        technology,
        params,
        n_nodes=n_nodes,
        grant_subchannels=width,
        event_subchannels=event_width,
    )
    pool = params.resource_pool()
    widths = [width] if event_width is None else [width, event_width]
    built = Ts103574(
        control,
        context(
            n_nodes,
            n_subchannels=pool.n_subchannels,
            grant_subchannels=width,
            mcs=MCS,
            widths=tuple(tuple(max(w - k // 2, 1) for k in range(10)) for w in widths),
        ),
    )
    return ControlledAccess(inner, built), built


def occupied(driven: Driven, node: int, slot: int, priority: int) -> int:
    """Return what a node has used in the window that ends with `slot`, from `priority` on."""
    return sum(
        sent.n_subchannels
        for sent in driven.of(node)
        if slot - WINDOW < sent.slot <= slot and sent.priority >= priority
    )


TECHNOLOGIES = [
    (RandomAccess, RandomAccessParams(n_subchannels=5, t2_ms=50)),
    (RandomAccess, RandomAccessParams(n_subchannels=5, blind_retransmissions=1)),
    (LteMode4, LteMode4Params(n_subchannels=5, blind_retransmissions=1)),
]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_limit_is_never_exceeded(data: st.DataObject) -> None:
    """Whatever the load, the priorities and the CBR: each packet finds its limit kept.

    The limit at the time of the initial transmission counts; the repetition that was admitted
    with it belongs to the same decision. No packet is lost silently.
    """
    technology, params = data.draw(st.sampled_from(TECHNOLOGIES))
    width = data.draw(st.integers(1, 3))
    control = replace(
        AT_ONCE,
        spread=data.draw(st.booleans()),
        reaction=data.draw(st.sampled_from(["drop", "adapt"])),
        max_mcs=data.draw(st.integers(5, 9)),
    )
    events = data.draw(st.sampled_from([None, 2]))
    access, built = limited(technology, params, control, 2, width, events)
    gap = data.draw(st.sampled_from((20, 50, 100)))
    priorities = data.draw(st.lists(st.integers(1, 8), min_size=1, max_size=4))
    packets = [
        Offered(
            slot,
            node,
            slot + 99,
            priorities[slot // gap % len(priorities)],
            once=events is not None and slot // gap % 3 == 1,
        )
        for slot in range(0, 2400, gap)
        for node in range(2)
    ]
    measured = data.draw(st.lists(st.floats(0.0, 1.0), min_size=24, max_size=24))
    limits: dict[int, tuple[int, float]] = {}
    ticks = 0

    def before_slot(so_far: Driven) -> None:
        nonlocal ticks
        ticks += 1
        if ticks % 4 == 0:
            observe(built, [measured[ticks // 4 % 24]] * 2, start=ticks)

    admit = built.admit

    def noting(slot: int, rows: Any, dropped: Any) -> Any:
        for row in rows:
            if row["attempt"] == 0:
                node, priority = int(row["node"]), int(row["priority"])
                limits[int(row["packet"])] = (slot, built.limit_of(node, priority))
        return admit(slot, rows, dropped)

    built.admit = noting  # type: ignore[method-assign]
    driven = drive(access, packets, 2600, before_slot=before_slot)
    total = WINDOW * 5
    attempts: dict[int, list[int]] = defaultdict(list)
    for sent in driven.sent:
        attempts[sent.packet].append(sent.attempt)
        assert attempts[sent.packet][-1] < sent.n_attempts
        slot, limit = limits[sent.packet]
        if sent.attempt == 0 and limit < 1.0:
            used = occupied(driven, sent.node, slot, sent.priority)
            ahead = sent.n_subchannels * (sent.n_attempts - 1)
            assert used + ahead <= limit * total + 1e-9
    for packet, made in attempts.items():
        n = next(sent.n_attempts for sent in driven.sent if sent.packet == packet)
        assert made == list(range(n))
        steps = {sent.mcs_raise for sent in driven.sent if sent.packet == packet}
        assert max(steps) <= (control.max_mcs - MCS if control.reaction == "adapt" else 0)
    waiting = []
    for node in range(2):
        while (packet := access.forget(node)) >= 0:
            waiting.append(packet)
    fates = [
        *attempts,
        *(packet for _, packet in driven.dropped),
        *(packet for _, packet in driven.replaced),
        *waiting,
    ]
    assert sorted(fates) == list(range(len(packets)))


@pytest.mark.parametrize(("technology", "params"), TECHNOLOGIES)
def test_a_quiet_channel_changes_nothing(technology: Any, params: Any) -> None:
    packets = periodic(5, 20)
    bare, _ = make(technology, params, n_nodes=5)
    access, built = limited(technology, params, AT_ONCE, 5)
    observe(built, [0.3] * 5)
    assert drive(access, packets, 2200) == drive(bare, packets, 2200)


def busy(control: Ts103574Params, cbr: float, width: int, n: int = 60, again: int = 0) -> Driven:
    """Run one vehicle at 10 Hz on a channel with a CBR; each message takes `width` of 5."""
    params = RandomAccessParams(
        n_subchannels=5, t1_ms=1, t2_ms=2 if again else 1, blind_retransmissions=again
    )
    access, built = limited(RandomAccess, params, control, 1, width)
    observe(built, cbr)
    return drive(access, periodic(1, n, first=1), 100 * n + 100)


@pytest.mark.parametrize(
    ("cbr", "width", "per_second"),
    [
        (0.6, 3, 10),  # 0.03: 150 subchannels a second, more than wanted
        (0.7, 3, 10),  # 0.006: 30, just what is wanted
        (0.7, 4, 7),  # 28 of 30
        (0.9, 3, 5),  # 0.003: 15
        (0.9, 2, 7),  # 14 of 15
    ],
)
@pytest.mark.parametrize("spread", [False, True])
def test_the_limit_in_messages(cbr: float, width: int, per_second: int, spread: bool) -> None:
    driven = busy(replace(AT_ONCE, spread=spread), cbr, width)
    slots = np.array([sent.slot for sent in driven.sent])
    for start in range(2000, 5000, 1000):
        assert np.count_nonzero((slots >= start) & (slots < start + 1000)) == per_second
    assert len(driven.sent) + len(driven.dropped) == 60


def test_spreading_leaves_no_long_silence() -> None:
    """5 of 10 messages a second: every other one, instead of five and half a second of none."""
    assert np.diff([sent.slot for sent in busy(AT_ONCE, 0.9, 3).sent]).max() == 200
    hasty = busy(replace(AT_ONCE, spread=False), 0.9, 3)
    assert np.diff([sent.slot for sent in hasty.sent]).max() == 600


def test_nodes_that_are_limited_together_do_not_fall_into_step() -> None:
    """Half of the nodes send in odd periods: 50 of 100, within four standard deviations."""
    params = RandomAccessParams(n_subchannels=5, t1_ms=1, t2_ms=1)
    access, built = limited(RandomAccess, params, AT_ONCE, 100, 3)
    observe(built, [0.9] * 100)
    driven = drive(access, periodic(100, 60, first=1), 6100)
    in_period = np.bincount([sent.slot // 100 for sent in driven.sent], minlength=60)
    assert np.all(np.abs(in_period[20:60] - 50) < 4 * 5)


def test_urgent_packets_have_a_limit_of_their_own() -> None:
    """PPPP 5 has used up 0.003; PPPP 2 may still go (0.02), and what it uses does not count."""
    params = RandomAccessParams(n_subchannels=5, t1_ms=1, t2_ms=1)
    access, built = limited(RandomAccess, params, replace(AT_ONCE, spread=False), 1, 3)
    observe(built, 0.9)
    packets = [Offered(1 + 20 * k, 0, 21 + 20 * k, 2 if k % 2 else 5) for k in range(20)]
    driven = drive(access, packets, 600)
    assert sum(sent.priority == 5 for sent in driven.sent) == 5
    assert sum(sent.priority == 2 for sent in driven.sent) == 10


def test_urgent_packets_count_what_is_less_urgent() -> None:
    """The sum over i >= k: 0.02 of PPPP 2 includes what PPPP 5 used before."""
    params = RandomAccessParams(n_subchannels=5, t1_ms=1, t2_ms=1)
    control = replace(AT_ONCE, spread=False, cr_limit_pppp_1_2=(1.0, 1.0, 1.0, 0.005))
    access, built = limited(RandomAccess, params, control, 1, 3)
    observe(built, 0.9)
    packets = [Offered(1 + 20 * k, 0, 21 + 20 * k, 5 if k < 5 else 2) for k in range(15)]
    driven = drive(access, packets, 600)
    assert [sent.priority for sent in driven.sent] == [5, 5, 5, 5, 5, 2, 2, 2]


def test_a_repetition_that_does_not_fit_is_not_announced() -> None:
    """15 subchannels in messages of 2 x 2: three with their repetition, and one without."""
    params = RandomAccessParams(n_subchannels=5, blind_retransmissions=1)
    access, built = limited(RandomAccess, params, replace(AT_ONCE, spread=False), 1, 2)
    observe(built, 0.9)
    driven = drive(access, periodic(1, 9), 950)
    assert [sent.n_attempts for sent in driven.initial()[0]] == [2, 2, 2, 1]
    (alone,) = (sent for sent in driven.sent if sent.n_attempts == 1)
    assert (alone.gap_slots, alone.other_subchannel) == (0, 0)
    assert len(driven.sent) == 7
    assert len(driven.dropped) == 5


def one(packet: int, attempt: int = 0, n_attempts: int = 2) -> np.ndarray:
    """Return a transmission of node 0, two subchannels wide."""
    row = np.zeros(1, dtype=TRANSMISSION)
    row["packet"], row["attempt"], row["n_attempts"] = packet, attempt, n_attempts
    row["n_subchannels"], row["priority"] = 2, 5
    return row


def test_repetitions_still_ahead_count() -> None:
    """15 subchannels: three packets with repetitions that are to come leave room for one alone."""
    built = Ts103574(replace(AT_ONCE, spread=False), context(1, grant_subchannels=2))
    observe(built, 0.9)
    none = np.zeros(0, dtype=np.int32)
    granted = []
    for packet in range(5):
        rows, _ = built.admit(packet, one(packet), none)
        granted.append(rows["n_attempts"].tolist())
    assert granted == [[2], [2], [2], [1], []]
    for packet, goes in enumerate((1, 1, 1, 0, 0)):
        rows, dropped = built.admit(10 + packet, one(packet, attempt=1), none)
        assert (len(rows), len(dropped)) == (goes, 0)
    assert built.take_state(20).cr.tolist() == [14 / 5000]
    # A window later all is free again, also where repetitions never came.
    for start in (1020, 2040):
        slots = range(start, start + 3)
        assert [built.admit(s, one(s), none)[0]["n_attempts"].tolist() for s in slots] == [[2]] * 3


def test_who_comes_next_into_a_row_starts_free() -> None:
    params = RandomAccessParams(n_subchannels=5, blind_retransmissions=1)
    access, built = limited(RandomAccess, params, AT_ONCE, 1, 2)
    observe(built, 0.9)
    drive(access, periodic(1, 9), 950)
    assert access.forget(0) == -1
    assert built.limit_of(0, 5) == 1.0
    assert built.take_state(950).cr.tolist() == [0.0]
    after = drive(access, [Offered(960, 0, 1060)], 1100, start=960)
    assert len(after.sent) == 2


def test_the_state_tells_what_was_held_back() -> None:
    params = RandomAccessParams(n_subchannels=5, t1_ms=1, t2_ms=1)
    access, built = limited(RandomAccess, params, AT_ONCE, 1, 3)
    observe(built, 0.9)
    driven = drive(access, periodic(1, 20, first=1), 2001)
    state = built.take_state(2001)
    assert state.n_offered.tolist() == [20]
    assert state.n_suppressed.tolist() == [len(driven.dropped)]
    assert state.cr.tolist() == [3 * 5 / 5000]
    assert np.isnan(state.interval_ms).all()
    assert built.take_state(2001).n_offered.tolist() == [0]


def test_smoothing_weighs_the_newest() -> None:
    built = Ts103574(Ts103574Params(cbr_weight=0.5), context(1))
    tick = observe(built, 0.9)
    assert built.limit_of(0, 5) == 0.003
    tick = observe(built, 0.5, start=tick)  # 0.7
    assert built.limit_of(0, 5) == 0.006
    tick = observe(built, np.nan, start=tick)  # measured nothing
    assert built.limit_of(0, 5) == 0.006
    observe(built, 0.0, start=tick)  # 0.35
    assert built.limit_of(0, 5) == 0.03


ADAPT = replace(AT_ONCE, reaction="adapt", max_mcs=9)


def settled(driven: Driven) -> set[tuple[int, int, int]]:
    """Return attempts, width and MCS steps of packets after the second second."""
    return {
        (sent.n_attempts, sent.n_subchannels, sent.mcs_raise)
        for sent in driven.sent
        if sent.slot >= 2000 and sent.attempt == 0
    }


@pytest.mark.parametrize(
    ("cbr", "expected", "per_second"),
    [
        (0.3, (2, 3, 0), 10),  # no limit
        (0.6, (2, 3, 0), 10),  # 0.03: 15 subchannels in each period, six are wanted
        (0.7, (1, 3, 0), 10),  # 0.006: three; the repetition gives way
        (0.9, (1, 1, 4), 10),  # 0.003: one and a half; two more MCS for each subchannel less
    ],
)
@pytest.mark.parametrize("spread", [False, True])
def test_repetitions_give_way_then_width(
    cbr: float, expected: tuple[int, int, int], per_second: int, spread: bool
) -> None:
    """TS 36.213 14.1.1: CR_limit is kept by what SL-PSSCH-TxParameters leaves to the node."""
    driven = busy(replace(ADAPT, spread=spread), cbr, 3, again=1)
    assert settled(driven) == {expected}
    first = [sent.slot for sent in driven.sent if sent.attempt == 0 and sent.slot >= 2000]
    assert len(first) == per_second * 4
    assert {sent.packet for sent in driven.sent if sent.attempt == 1} == (
        {sent.packet for sent in driven.sent} if expected[0] == 2 else set()
    )
    assert not driven.dropped


def test_what_no_mcs_makes_narrow_enough_is_dropped_at_last() -> None:
    """Two of three subchannels at MCS 7: 15 a second hold seven of them, not five of three."""
    for control, width, per_second in ((replace(ADAPT, max_mcs=7), 2, 7), (AT_ONCE, 3, 5)):
        driven = busy(control, 0.9, 3)
        late = [sent for sent in driven.sent if 3000 <= sent.slot < 4000]
        assert [sent.n_subchannels for sent in late] == [width] * per_second


def test_only_allowed_mcs_are_taken() -> None:
    """Without a step above its own MCS a node adapts by its repetitions alone."""
    driven = busy(replace(ADAPT, max_mcs=5), 0.9, 3, again=1)
    assert settled(driven) == {(1, 3, 0)}


def test_what_is_narrower_says_so() -> None:
    """Other nodes learn the width on air, and no repetition is announced."""
    for sent in busy(ADAPT, 0.9, 3, again=1).sent:
        assert (sent.gap_slots, sent.other_subchannel) == (0, 0)


def test_the_state_counts_what_was_adapted() -> None:
    params = RandomAccessParams(n_subchannels=5, t1_ms=1, t2_ms=1)
    access, built = limited(RandomAccess, params, ADAPT, 1, 3)
    observe(built, 0.9)
    driven = drive(access, periodic(1, 20, first=1), 2001)
    state = built.take_state(2001)
    assert state.n_adapted.tolist() == [sum(sent.mcs_raise > 0 for sent in driven.sent)] == [20]
    assert built.take_state(2001).n_adapted.tolist() == [0]
    assert built.n_raised == 4


def test_adapting_needs_curves_of_other_mcs() -> None:
    with pytest.raises(ValueError, match="more than one MCS"):
        Ts103574(ADAPT, context(1))
