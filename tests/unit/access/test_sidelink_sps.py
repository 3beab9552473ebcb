"""Grants and their calendar, whatever chose the resources."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.access.base import TRANSMISSION, AccessContext
from v2x.access.random_access import RandomAccessParams
from v2x.access.sidelink_sps import SidelinkSps
from v2x.phy.sensing_history import SensingHistory

from ...access_loop import IDLE_MW, Offered, drive


class Planned(SidelinkSps):
    """Gives resources by plan: {slot of the packet: (slot, subchannel, again, subchannel)}."""

    def __init__(
        self,
        plan: dict[int, tuple[int, int, int, int]],
        *,
        n_nodes: int = 1,
        period_ms: int = 100,
        counter_range: tuple[int, int] = (3, 3),
        keep_probability: float = 0.0,
        reselect_after: int = 9,
    ) -> None:
        pool = RandomAccessParams(n_subchannels=5).resource_pool()
        super().__init__(
            AccessContext(
                n_nodes=n_nodes,
                pool=pool,
                history=SensingHistory(n_nodes, 100, 5),
                noise_mw=IDLE_MW,
                grant_subchannels=2,
                period_ms=period_ms,
                seed=1,
            ),
            period_ms=period_ms,
            counter_range=counter_range,
            keep_probability=keep_probability,
            reselect_after=reselect_after,
            horizon_ms=200,
        )
        self.plan = plan
        self.asked: list[int] = []
        self.bind(np.arange(n_nodes, dtype=np.uint32))

    def _choose(self, node: int, slot: int, deadline_slot: int, priority: int) -> None:
        self.asked.append(slot)
        self._chosen[:] = self.plan.get(slot, (-1, -1, -1, -1))


def test_a_grant_is_counted_down() -> None:
    """RC = 3: three messages 100 slots apart, the last without reservation, then a new choice."""
    technology = Planned({10: (20, 1, -1, -1), 310: (330, 3, -1, -1)})
    driven = drive(technology, [Offered(10 + 100 * k, 0, 99 + 100 * k) for k in range(4)], 500)
    assert [(s.slot, s.first_subchannel, s.reservation_ms) for s in driven.sent] == [
        (20, 1, 100),
        (120, 1, 100),
        (220, 1, 0),
        (330, 3, 100),
    ]
    assert technology.asked == [10, 310]
    assert {s.n_subchannels for s in driven.sent} == {2}


def test_a_grant_that_comes_too_late_drops_the_packet() -> None:
    """Nothing goes on air after its deadline, and the packet is reported."""
    technology = Planned({10: (60, 0, -1, -1)})
    driven = drive(technology, [Offered(10, 0, 50), Offered(105, 0, 300)], 400)
    assert driven.dropped == [(60, 0)]
    # The grant lives on: its next opportunity carries the next packet.
    assert [(s.slot, s.packet) for s in driven.sent] == [(160, 1)]
    assert technology.asked == [10]


def test_a_packet_without_resource_waits_until_it_is_replaced() -> None:
    technology = Planned({110: (120, 0, -1, -1)})
    driven = drive(technology, [Offered(10, 0, 50), Offered(110, 0, 150)], 300)
    assert driven.replaced == [(110, 0)]
    assert [s.packet for s in driven.sent] == [1]


def test_an_expired_packet_asks_for_nothing() -> None:
    technology = Planned({10: (20, 0, -1, -1)})
    drive(technology, [Offered(10, 0, 9)], 100)
    assert technology.asked == []


def test_both_attempts_of_a_pair() -> None:
    technology = Planned({10: (20, 1, 27, 3)}, counter_range=(2, 2))
    driven = drive(technology, [Offered(10, 0, 99), Offered(110, 0, 199)], 300)
    assert [(s.slot, s.packet, s.attempt, s.reservation_ms) for s in driven.sent] == [
        (20, 0, 0, 100),
        (27, 0, 1, 100),
        (120, 1, 0, 0),
        (127, 1, 1, 0),
    ]
    assert [(s.first_subchannel, s.other_subchannel, s.gap_slots) for s in driven.sent[:2]] == [
        (1, 3, 7),
        (3, 1, -7),
    ]


def test_nodes_come_in_ascending_order() -> None:
    """Whoever asked first; a retransmission takes its place among the others."""
    technology = Planned({10: (40, 0, -1, -1), 11: (33, 2, 40, 4), 12: (40, 3, -1, -1)}, n_nodes=6)
    packets = [Offered(10, 5, 99), Offered(11, 3, 99), Offered(12, 1, 99)]
    driven = drive(technology, packets, 41)
    assert [(s.slot, s.node, s.attempt) for s in driven.sent] == [
        (33, 3, 0),
        (40, 1, 0),
        (40, 3, 1),
        (40, 5, 0),
    ]


def test_a_grant_may_be_moved_forward_and_back() -> None:
    """A given-up opportunity leaves no transmission behind, whichever slot follows."""
    technology = Planned({10: (80, 0, -1, -1), 20: (30, 1, -1, -1), 200: (290, 2, -1, -1)})
    # The second packet cannot wait until 80; the third not until 130.
    packets = [Offered(10, 0, 99), Offered(20, 0, 40), Offered(200, 0, 295)]
    driven = drive(technology, packets, 400)
    assert driven.replaced == [(20, 0)]
    assert [(s.slot, s.packet) for s in driven.sent] == [(30, 1), (230, 2)]


def test_slots_in_which_nothing_is_due_are_skipped() -> None:
    technology = Planned({10: (150, 0, -1, -1)})
    technology.enqueue(10, 0, 0, 400, 5)
    assert technology.next_active(11, 1000) == 150
    assert technology.next_active(11, 100) == 100
    assert technology.next_active(151, 160) == 160


def test_forgetting_cancels_the_retransmission() -> None:
    technology = Planned({10: (20, 0, 25, 0)})
    technology.enqueue(10, 0, 0, 99, 5)
    assert len(technology.transmissions(20)[0]) == 1
    assert technology.forget(0) == -1
    assert all(len(technology.transmissions(slot)[0]) == 0 for slot in range(21, 300))


def test_the_kernel_reads_the_layout_of_transmissions() -> None:
    """Fifteen words of 32 bits, in the order in which the kernels name them."""
    assert TRANSMISSION.itemsize == 60
    assert TRANSMISSION.names == (
        "node",
        "packet",
        "first_subchannel",
        "n_subchannels",
        "attempt",
        "n_attempts",
        "reservation_ms",
        "priority",
        "gap_slots",
        "other_subchannel",
        "gap2_slots",
        "other2_subchannel",
        "process",
        "mcs_raise",
        "power_offset_db",
    )
    technology = Planned({10: (20, 3, -1, -1)}, n_nodes=2)
    technology.enqueue(10, 1, 77, 99, 8)
    out, dropped = technology.transmissions(20)
    assert out.dtype == TRANSMISSION
    assert out.tolist() == [(1, 77, 3, 2, 0, 1, 100, 8, 0, 0, 0, 0, 0, 0, 0.0)]
    assert dropped.dtype == np.int32


@pytest.mark.parametrize("keep", [0.0, 1.0])
def test_keeping_draws_a_new_counter(keep: float) -> None:
    technology = Planned({10: (20, 0, -1, -1)}, keep_probability=keep, counter_range=(1, 1))
    driven = drive(technology, [Offered(10 + 100 * k, 0, 99 + 100 * k) for k in range(3)], 400)
    assert len(driven.sent) == (3 if keep else 1)
    assert {s.reservation_ms for s in driven.sent} == ({100} if keep else {0})
