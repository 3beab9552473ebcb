"""Who is addressed: chosen once, kept while in range, replaced afterwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.applications.awareness import AwarenessParams
from v2x.channel.channel_params import ChannelParams
from v2x.channel.link_table import LinkTable
from v2x.sim.audience import AddressedMessages, Audience

from ...simulation_parts import ScheduledPackets, SteppedLoss, fleet_state

TICK_US = 100_000


class Scene:
    """Vehicles on a line, moved by hand."""

    def __init__(self, params: AwarenessParams, n_nodes: int) -> None:
        self.links = LinkTable(
            ChannelParams(line_of_sight="always"),
            SteppedLoss(),
            antenna_gain_dbi=0.0,
            n_rows=n_nodes,
            wrap_length_m=0.0,
            corridors=None,
            seed=1,
        )
        self.audience = Audience(params, self.links, n_nodes, 0.0)
        self.time_us = -TICK_US

    def at(self, x_m: list[float], **columns: object) -> list[list[int]]:
        """Move to these places; returns the members of every node."""
        self.time_us += TICK_US
        self.fleet = fleet_state(self.time_us, x_m, **columns)  # type: ignore[arg-type]
        self.links.update(self.fleet)
        self.audience.update(self.fleet)
        return self.audience.members.tolist()

    def answering(self, sender: int) -> dict[int, int]:
        """Return who answers a sender, and as which member."""
        row = slice(*self.links.row_start[sender : sender + 2])
        who = zip(self.links.neighbour[row], self.audience.responds[row], strict=True)
        return {int(node): int(answers) - 1 for node, answers in who if answers}

    def meant(self, sender: int) -> NDArray[np.int32]:
        row = slice(*self.links.row_start[sender : sender + 2])
        return self.links.neighbour[row][self.audience.intended[row] > 0]


def test_the_nearest_is_kept_until_it_is_out_of_range() -> None:
    scene = Scene(AwarenessParams(cast="unicast", range_m=100.0), 3)
    assert scene.at([0.0, 30.0, -50.0])[0] == [1]
    assert scene.at([0.0, 90.0, -20.0])[0] == [1]  # another is nearer by now
    assert scene.at([0.0, 101.0, -20.0])[0] == [2]
    assert scene.at([0.0, 10.0, -20.0])[0] == [2]
    assert scene.at([0.0, 200.0, -200.0])[0] == [-1]
    assert scene.audience.has_nobody(np.array([0, 1], dtype=np.int32)).tolist() == [True, True]


def test_another_vehicle_in_the_same_row_is_not_the_addressee() -> None:
    scene = Scene(AwarenessParams(cast="unicast", range_m=100.0), 3)
    assert scene.at([0.0, 30.0, 20.0])[0] == [2]
    assert scene.at([0.0, 30.0, 40.0], id=[0, 1, 9])[0] == [1]


def test_the_vehicle_ahead_is_that_of_the_fleet() -> None:
    scene = Scene(AwarenessParams(cast="unicast", addressee="ahead", range_m=100.0), 4)
    leader = [2, 0, -1, 1]
    assert scene.at([0.0, -10.0, 60.0, -80.0], leader=leader) == [[2], [0], [-1], [1]]
    # kept although another has come between, and given up out of range
    assert scene.at([0.0, 5.0, 60.0, -80.0], leader=[1, 2, -1, 0])[0] == [2]
    assert scene.at([0.0, 5.0, 160.0, -80.0], leader=[1, -1, -1, 0])[0] == [1]


def test_groups_are_the_nearest_and_member_numbers_stay() -> None:
    scene = Scene(AwarenessParams(cast="groupcast-ack", group_size=2, range_m=100.0), 4)
    assert scene.at([0.0, 10.0, 20.0, 30.0])[0] == [1, 2]
    assert scene.answering(0) == {1: 0, 2: 1}
    assert scene.audience.expected[0] == 0b11
    assert scene.at([0.0, 500.0, 20.0, 30.0])[0] == [3, 2]
    assert scene.answering(0) == {3: 0, 2: 1}
    assert scene.at([0.0, 500.0, 20.0, 600.0])[0] == [-1, 2]
    assert scene.audience.expected[0] == 0b10
    assert scene.meant(0).tolist() == [2]


def test_roadside_units_speak_to_all_and_ask_nobody() -> None:
    kind = [0, 0, 4]
    for cast in ("unicast", "groupcast-ack", "groupcast-nack"):
        scene = Scene(AwarenessParams(cast=cast, range_m=100.0), 3)
        members = scene.at([0.0, 90.0, 10.0], kind=kind)
        assert scene.meant(2).tolist() == [0, 1]
        assert scene.answering(2) == {}
        assert scene.audience.expected[2] == 0
        if members[0]:
            assert members[0][0] == 1  # not the unit, though it is nearer
            assert members[2] == [-1] * len(members[2])


def test_with_nack_only_everybody_in_range_is_meant() -> None:
    scene = Scene(AwarenessParams(cast="groupcast-nack", range_m=100.0), 4)
    scene.at([0.0, 60.0, 99.0, 130.0])
    assert scene.meant(0).tolist() == [1, 2]
    assert scene.audience.nack_only
    assert not scene.audience.has_nobody(np.arange(4, dtype=np.int32)).any()


def test_messages_to_nobody_are_not_generated() -> None:
    scene = Scene(AwarenessParams(cast="unicast", range_m=100.0), 3)
    application = ScheduledPackets([(1000 * (k + 1), k % 3) for k in range(6)])
    addressed = AddressedMessages(application, scene.audience)
    assert (addressed.sizes_bytes, addressed.period_ms) == ((190,), 100)
    scene.at([0.0, 50.0, 400.0])
    batch = addressed.packets(0, 100_000, scene.fleet)
    assert batch.tx_row.tolist() == [0, 1, 0, 1]
    assert batch.generated_us.tolist() == [1000, 2000, 4000, 5000]
