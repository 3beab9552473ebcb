"""Messages of services among the packets of a tick."""

from __future__ import annotations

import numpy as np

from tests.simulation_parts import fleet_state
from v2x.applications.base import PacketBatch
from v2x.applications.services.base import Outgoing
from v2x.messages.topics import URGENCY, Topic
from v2x.sim.services.outbox import Outbox

FLEET = fleet_state(0, [0.0, 10.0, 20.0])


def states(generated_us: list[int], rows: list[int]) -> PacketBatch:
    n = len(rows)
    return PacketBatch(
        generated_us=np.array(generated_us, dtype=np.int64),
        tx_row=np.array(rows, dtype=np.int32),
        size_bytes=np.full(n, 300, dtype=np.int32),
        deadline_us=np.array(generated_us, dtype=np.int64) + 100_000,
        priority=np.full(n, 5, dtype=np.int32),
    )


def said(row: int, topic: Topic = Topic.VIR, content: str = "", after_us: int = 0) -> Outgoing:
    return Outgoing(row=row, topic=topic, content=content, size_bytes=120, after_us=after_us)


def test_messages_take_their_place_by_time_and_are_found_by_their_packet() -> None:
    outbox = Outbox()
    outbox.put([said(2, content="ask", after_us=50_000)], FLEET, 0)
    batch = outbox.join(states([10_000, 90_000], [0, 1]), 0, 100_000, FLEET)
    assert batch.generated_us.tolist() == [10_000, 50_000, 90_000]
    assert batch.tx_row.tolist() == [0, 2, 1]
    assert batch.topic.tolist() == [Topic.STATE, Topic.VIR, Topic.STATE]
    assert batch.event.tolist() == [False, True, False]
    outbox.sent(700, 0)
    sent = outbox.content_of(701)
    assert sent is not None
    assert (sent.message.content, sent.generated_us, sent.identity) == ("ask", 50_000, 2)
    assert outbox.content_of(700) is None


def test_priority_and_budget_are_those_of_the_topic_unless_given() -> None:
    outbox = Outbox()
    own = Outgoing(row=1, topic=Topic.RSC, content=None, size_bytes=9, priority=1, budget_us=7_000)
    outbox.put([said(0), own], FLEET, 0)
    batch = outbox.join(states([], []), 0, 100_000, FLEET)
    usual = URGENCY[Topic.VIR]
    assert batch.priority.tolist() == [usual.pppp, 1]
    assert batch.deadline_us.tolist() == [usual.delay_budget_ms * 1000, 7_000]


def test_a_sender_says_one_thing_per_tick_the_most_urgent_first() -> None:
    outbox = Outbox()
    outbox.put([said(0, Topic.MAP), said(0, Topic.SPAT), said(1, Topic.MAP)], FLEET, 0)
    first = outbox.join(states([], []), 0, 100_000, FLEET)
    assert first.topic.tolist() == [Topic.SPAT, Topic.MAP]
    assert first.tx_row.tolist() == [0, 1]
    second = outbox.join(states([], []), 100_000, 200_000, FLEET)
    assert second.topic.tolist() == [Topic.MAP]
    assert second.generated_us.tolist() == [100_000]
    assert len(outbox.join(states([], []), 200_000, 300_000, FLEET)) == 0


def test_what_is_kept_from_going_for_too_long_is_dropped() -> None:
    outbox = Outbox()
    outbox.put([said(0, Topic.MAP)], FLEET, 0)
    for tick in range(6):
        outbox.put([said(0, Topic.SPAT)], FLEET, tick * 100_000)
        batch = outbox.join(states([], []), tick * 100_000, (tick + 1) * 100_000, FLEET)
        assert batch.topic.tolist() == [Topic.SPAT]
    assert len(outbox.join(states([], []), 600_000, 700_000, FLEET)) == 0


def test_who_has_left_says_nothing() -> None:
    outbox = Outbox()
    outbox.put([said(0), said(1)], FLEET, 0)
    fleet = fleet_state(0, [0.0, 10.0, 20.0], id=[7, 1, 2])
    assert outbox.join(states([], []), 0, 100_000, fleet).tx_row.tolist() == [1]


def test_contents_are_forgotten_in_the_end() -> None:
    outbox = Outbox()
    outbox.put([said(0, content="ask")], FLEET, 0)
    outbox.join(states([], []), 0, 100_000, FLEET)
    outbox.sent(5, 0)
    outbox.join(states([], []), 20_000_000, 20_100_000, FLEET)
    outbox.sent(6, 20_000_000)
    assert outbox.content_of(5) is None


def timed(topic: Topic, after_us: int, budget_us: int) -> Outgoing:
    return Outgoing(
        row=0, topic=topic, content=None, size_bytes=9, after_us=after_us, budget_us=budget_us
    )


def test_messages_whose_times_do_not_overlap_go_in_one_tick() -> None:
    outbox = Outbox()
    outbox.put([timed(Topic.MAP, 75_000, 25_000), timed(Topic.SPAT, 50_000, 25_000)], FLEET, 0)
    batch = outbox.join(states([], []), 0, 100_000, FLEET)
    assert batch.topic.tolist() == [Topic.SPAT, Topic.MAP]
    assert batch.deadline_us.tolist() == [75_000, 100_000]


def test_of_messages_whose_times_overlap_the_more_urgent_goes() -> None:
    outbox = Outbox()
    outbox.put([timed(Topic.MAP, 74_999, 25_000), timed(Topic.SPAT, 50_000, 25_000)], FLEET, 0)
    assert outbox.join(states([], []), 0, 100_000, FLEET).topic.tolist() == [Topic.SPAT]
    assert outbox.join(states([], []), 100_000, 200_000, FLEET).topic.tolist() == [Topic.MAP]
