"""What each cause of loss means, and what is counted of it: slots made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from v2x.phy.sensing_history import ControlInformation, unpack

from .reception_world import (
    ALWAYS,
    N_BINS,
    SOLO,
    World,
    certain,
    close,
    design,
    gain_for,
    pair_world,
    threshold_curve,
    two_way,
)
from .twin_reception import (
    BELOW_SENSITIVITY,
    COLLISION,
    CONTROL_LOST,
    HALF_DUPLEX,
    OUT_OF_BUDGET,
    PROPAGATION,
    RECEIVED,
    Link,
    Tx,
)


def test_a_sender_without_neighbours_only_marks_itself() -> None:
    world = World(design(), {0: {}, 1: {}}, [1, 2], [True, True], [0])
    world.receive(4, [SOLO])
    assert world.history[0, 4, 0] == 4
    assert np.all(world.powers[0, 4, 1:4] == -1.0)
    assert np.all(world.history[1] == -1)
    assert not world.counts.any()
    assert not world.n_intended.any()


def test_two_who_transmit_do_not_hear_each_other() -> None:
    world = pair_world(certain())
    world.receive(0, [SOLO, replace(SOLO, node=1, packet=1, first_subchannel=2)])
    assert world.counts[1, HALF_DUPLEX] == world.counts.sum() == 2
    assert np.all(world.powers[:, 0, 1:4] == -1.0)
    assert not world.history[:, 0, 4:].any()
    world.receive(1, [replace(SOLO, packet=2)])
    assert world.counts[1, RECEIVED] == 1


@pytest.mark.parametrize(("snr", "outcome"), [(3.9, PROPAGATION), (4.1, RECEIVED)])
def test_noise_alone_decides_without_interference(snr: float, outcome: int) -> None:
    world = pair_world(certain(), snr=snr)
    world.receive(0, [SOLO])
    assert world.counts[1, outcome] == world.counts.sum() == 1
    assert world.n_received[0] == (outcome == RECEIVED)


@pytest.mark.parametrize("length", [1, 2])
def test_interference_turns_reception_into_collision(length: int) -> None:
    """SNR 100; with an equal signal on half of the data bins the mean SINR is 50.5."""
    used = certain(leak=0.0)
    link = Link(gain_for(100.0, used, length), 100.0, 0)
    for threshold, outcome in ((50.0 if length == 2 else 0.98, RECEIVED), (51.0, COLLISION)):
        curves = np.stack([threshold_curve(0.0), threshold_curve(threshold)])
        world = World(
            replace(used, curves=curves, curve_row=np.ones(4, dtype=np.int32), control_curve=0),
            {0: {2: link}, 1: {2: Link(gain_for(100.0, used, 1), 100.0, 0)}, 2: {0: link}},
            [1, 2, 3],
            [True, False, True],
            [0, 0],
        )
        other = Tx(node=1, packet=1, first_subchannel=length - 1, n_subchannels=1)
        world.receive(0, [replace(SOLO, n_subchannels=length), other])
        assert world.counts[1, outcome] == world.counts.sum() == 1, threshold


def test_many_transmitters_on_one_subchannel_destroy_each_other() -> None:
    """Seven equal signals: SINR 1/6 each; S-RSSI sees all of them."""
    used = certain(leak=0.0)
    n = 8
    link = Link(gain_for(1000.0, used), 20.0, 0)
    world = World(used, two_way({(i, 7): link for i in range(7)}, n), [9] * n, [True] * n, [0] * n)
    world.receive(0, [replace(SOLO, node=i, packet=i) for i in range(7)])
    assert world.counts[0, COLLISION] == world.counts.sum() == 7
    density = float(used.data_share[1])
    arrived = 7 * used.power_mw * link.gain * density * (8 + 2 * 2)
    idle = used.noise_mw * 10
    assert world.powers[7, 0, 1:4] == close([arrived + idle, idle, idle])
    # All control information was decoded with this curve; one of equals is kept.
    assert world.powers[7, 0, 4] == close(used.power_mw * density / 12 * link.gain)


def test_what_stays_below_sensitivity_is_not_noticed_but_interferes() -> None:
    used = certain(leak=0.0, sensitivity_mw=1e-9)
    loud, faint = Link(2e-11, 100.0, 0), Link(0.45e-11, 200.0, 0)
    world = World(used, two_way({(0, 2): loud, (1, 2): faint}, 3), [1, 2, 3], [True] * 3, [0, 0])
    world.receive(0, [replace(SOLO, node=1, packet=1)])
    assert world.counts[3, BELOW_SENSITIVITY] == 1
    idle = used.noise_mw * 10
    assert world.powers[2, 0, 1:4] == close([idle] * 3)
    assert world.powers[2, 0, 4] == 0.0
    # SNR of node 0 alone is far above 4; with node 1 the SINR is below 5 and above 4.
    world.receive(1, [SOLO, replace(SOLO, node=1, packet=1)])
    signal = used.power_mw * loud.gain * float(used.data_share[1])
    other = used.power_mw * faint.gain * float(used.data_share[1])
    assert signal / used.noise_mw > 30
    assert signal / (other + used.noise_mw) < 4.5
    density = float(used.data_share[1])
    noticed = used.power_mw * loud.gain * density * (8 + 2 * 2)
    assert world.powers[2, 1, 1] == close(noticed + idle)
    assert world.counts[1, RECEIVED] == 1
    tight = World(
        replace(used, curves=np.stack([threshold_curve(s) for s in (0.0, 1e9, 4.6)])),
        world.links,
        world.word,
        world.counted,
        [0, 0],
    )
    tight.receive(1, [SOLO, replace(SOLO, node=1, packet=1)])
    assert tight.counts[1, COLLISION] == 1


def test_in_band_emission_reaches_the_other_subchannels() -> None:
    """A leak of 0.007 per block of a signal 10 000 times stronger drowns the weak one."""
    for leak, outcome in ((0.01, COLLISION), (0.0, RECEIVED)):
        used = certain(leak=leak)
        strong, weak = Link(gain_for(1e6, used), 10.0, 0), Link(gain_for(100.0, used), 100.0, 0)
        world = World(
            used, two_way({(0, 2): weak, (1, 2): strong}, 3), [1, 2, 3], [True] * 3, [0, 0]
        )
        other = Tx(node=1, packet=1, first_subchannel=1, n_subchannels=1)
        world.receive(0, [SOLO, other])
        assert world.counts[1, outcome] == 1
        density = float(used.data_share[1])
        weak_mw, strong_mw = (used.power_mw * link.gain * density for link in (weak, strong))
        own, beside = 12.0, 0.7 * leak * 10
        idle = used.noise_mw * 10
        expected = [
            weak_mw * own + strong_mw * beside + idle,
            weak_mw * beside + strong_mw * own + idle,
            (weak_mw * 0.7 + strong_mw) * beside + idle,
        ]
        assert world.powers[2, 0, 1:4] == close(expected)


def test_a_packet_is_lost_with_its_control_information() -> None:
    """Only if the data would have been decoded; and nothing is learnt of a reservation."""
    for snr, outcome in ((100.0, CONTROL_LOST), (2.0, PROPAGATION)):
        world = pair_world(certain(control=ALWAYS), snr=snr)
        world.receive(0, [SOLO])
        assert world.counts[1, outcome] == world.counts.sum() == 1
        assert not world.history[1, 0, 4:].any()
        assert world.last_slot.tolist() == [-1, -1]


def test_without_power_for_control_it_is_always_decoded() -> None:
    world = pair_world(certain(control=ALWAYS, boost=0.0), snr=2.0)
    world.receive(0, [SOLO])
    assert world.counts[1, PROPAGATION] == 1
    assert unpack(int(world.history[1, 0, 7])).reservation_ms == 100


def test_the_strongest_control_information_of_a_subchannel_is_kept() -> None:
    used = certain()
    ends = {(i, 3): Link(gain_for(50.0 + 10 * i, used), 50.0, 0) for i in range(3)}
    for order in ([0, 1, 2], [2, 1, 0]):
        world = World(used, two_way(ends, 4), [1, 2, 3, 4], [True] * 4, [0] * 3)
        world.receive(0, [replace(SOLO, node=i, packet=i, priority=i + 1) for i in order])
        assert unpack(int(world.history[3, 0, 7])).priority == 3
        expected = used.power_mw * float(used.data_share[1]) / 12 * ends[2, 3].gain
        assert world.powers[3, 0, 4] == close(expected)


FIRST = replace(SOLO, n_attempts=2, gap_slots=3, other_subchannel=1)
AGAIN = replace(FIRST, attempt=1, gap_slots=-3, first_subchannel=1, other_subchannel=0)


@pytest.mark.parametrize(
    ("snr", "outcome", "received"), [(1.9, PROPAGATION, 0), (2.1, RECEIVED, 1), (9.0, RECEIVED, 1)]
)
def test_two_attempts_add_their_sinr(snr: float, outcome: int, received: int) -> None:
    """A threshold of 4: twice 2.1 is enough, twice 1.9 is not. Counted once, after both."""
    world = pair_world(certain(), snr=snr)
    world.receive(0, [FIRST])
    assert world.counts.sum() == 0
    assert world.soft[world.link(0, 1)] == close(snr)
    world.receive(3, [AGAIN])
    assert world.counts[1, outcome] == world.counts.sum() == 1
    assert (world.n_intended[0], world.n_received[0]) == (1, received)
    assert world.n_received_first[0] == (snr > 4)
    assert world.last_slot[world.link(0, 1)] == {1.9: -1, 2.1: 3, 9.0: 0}[snr]
    # The next packet starts from nothing.
    world.receive(10, [replace(FIRST, packet=1)])
    world.receive(13, [replace(AGAIN, packet=1)])
    assert world.counts[1, outcome] == world.counts.sum() == 2


def test_nothing_is_combined_of_an_attempt_not_heard() -> None:
    """Half duplex at the first attempt: the second stands alone, and names the cause."""
    used = certain()
    for snr, outcome in ((3.0, PROPAGATION), (5.0, RECEIVED)):
        world = pair_world(used, snr=snr)
        world.receive(0, [FIRST, replace(SOLO, node=1, packet=5, first_subchannel=2)])
        world.receive(3, [AGAIN])
        assert world.counts[1, outcome] == 1
    control_lost = pair_world(replace(used, control_curve=ALWAYS), snr=3.0)
    control_lost.receive(0, [FIRST])
    control_lost.receive(3, [AGAIN])
    assert control_lost.counts[1, PROPAGATION] == 1
    assert control_lost.soft[control_lost.link(0, 1)] == 0.0


def test_the_attempt_that_came_furthest_names_the_cause() -> None:
    world = pair_world(certain(), snr=1.5)
    busy = replace(SOLO, node=1, packet=5, first_subchannel=2)
    world.receive(0, [FIRST])
    world.receive(3, [AGAIN, busy])
    assert world.counts[1, PROPAGATION] == 1
    assert world.counts[1, HALF_DUPLEX] == 1  # of the packet in the other direction


def test_gaps_are_counted_between_packets_heard() -> None:
    """In milliseconds by whole slots, also after losses; the last bin is open."""
    for slot_us in (1000, 500):
        world = pair_world(certain(slot_us=slot_us))
        slots = [100, 120, 220, 221, 4000]
        for packet, slot in enumerate(slots):
            world.receive(slot, [replace(SOLO, packet=packet)])
        expected = np.zeros_like(world.gaps)
        for gap in np.diff(slots):
            expected[min(gap * slot_us // 1000, len(expected) - 1)] += 1
        assert np.array_equal(world.gaps, expected)
        assert world.last_generated[world.link(0, 1)] == world.generated_us[len(slots) - 1]


@pytest.mark.parametrize(
    ("counted", "counted_from_us"),
    [([True, True], 10**9), ([False, True], 0), ([True, False], 0)],
    ids=["warm-up", "sender", "receiver"],
)
def test_what_is_not_counted_is_still_heard(counted: list[bool], counted_from_us: int) -> None:
    base = pair_world(certain())
    world = replace(base, counted=counted, counted_from_us=counted_from_us)
    for packet, slot in enumerate((0, 100)):
        world.receive(slot, [replace(SOLO, packet=packet)])
    world.kernel.drop(0, 2, counted_from_us)
    assert world.last_slot[world.link(0, 1)] == 100
    for counter in (world.counts, world.gaps, world.n_intended, world.n_received):
        assert not counter.any()


def test_receivers_beyond_the_last_bin_are_not_meant() -> None:
    far = pair_world(certain(awareness_m=1e4), distance_m=50.0 * N_BINS + 0.1)
    far.receive(0, [SOLO])
    far.kernel.drop(0, 1, 0)
    assert far.last_slot[far.link(0, 1)] == 0
    assert not far.counts.any()


def test_nobody_is_aware_of_senders_beyond_the_awareness_range() -> None:
    """Their packets count, their gaps do not."""
    world = pair_world(certain(awareness_m=99.0), distance_m=100.0)
    for slot in (0, 100):
        world.receive(slot, [SOLO])
    assert world.counts[1, RECEIVED] == 2
    assert world.last_slot[world.link(0, 1)] == -1
    assert not world.gaps.any()


@pytest.mark.parametrize("width_m", [5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0, 100.0])
def test_distance_bins_are_open_below_and_closed_above(width_m: float) -> None:
    used = certain(bin_width_m=width_m)
    for k in range(1, N_BINS + 1):
        edge = np.float32(k * width_m)
        for distance, expected in (
            (edge, k - 1),
            (np.nextafter(edge, np.float32(0)), k - 1),
            (np.nextafter(edge, np.float32(1e9)) + np.float32(1e-5) * edge, k),
        ):
            world = pair_world(used, distance_m=float(distance))
            world.receive(0, [SOLO])
            world.kernel.drop(0, 1, 0)
            counted = world.counts[:, [RECEIVED, OUT_OF_BUDGET]].sum(axis=1)
            assert np.flatnonzero(counted).tolist() == ([expected] if expected < N_BINS else [])
    here = pair_world(used, distance_m=0.0)
    here.receive(0, [SOLO])
    here.kernel.drop(0, 1, 0)
    assert here.counts[0, RECEIVED] == here.counts[0, OUT_OF_BUDGET] == 1


@pytest.mark.parametrize(
    ("snr", "received_at"), [(5.0, 0), (2.5, 1), (1.5, 2), (1.1, 3), (0.9, None)]
)
def test_attempts_add_up_until_one_succeeds(snr: float, received_at: int | None) -> None:
    """Chase combining of four attempts against a step at 4: k attempts have k times the SINR.

    A packet counts once, and as received at the first transmission only if that sufficed.
    """
    world = pair_world(certain(1), snr=snr)
    for attempt in range(4):
        world.receive(10 + attempt, [replace(SOLO, attempt=attempt, n_attempts=4)])
        heard = received_at is not None and attempt >= received_at
        assert world.last_slot[world.link(0, 1)] == (10 + received_at if heard else -1)
    assert world.n_intended[0] == 1
    assert world.n_received[0] == (received_at is not None)
    assert world.n_received_first[0] == (received_at == 0)
    assert world.counts.sum() == 1


def test_two_further_transmissions_are_remembered() -> None:
    """Where the history has room for them, and not where it has none."""
    used = certain(3)
    for has_room in (False, True):
        world = pair_world(used)
        further = np.full((2, used.window, 3), 99, dtype=np.uint16)
        if has_room:
            world.kernel.bind_nodes(
                np.array(world.word, dtype=np.uint32),
                np.ones(2, dtype=np.uint8),
                world.transmitting,
                world.touched,
                world.energy,
                world.noticed,
                world.history,
                world.powers,
                further,
            )
        tx = replace(
            SOLO,
            first_subchannel=1,
            n_attempts=3,
            gap_slots=31,
            other_subchannel=2,
            gap2_slots=30,
            other2_subchannel=1,
        )
        world.receive(3, [tx])
        word = int(world.history[1, 3, 1 + 2 * 3 + 1])
        second = int(further[1, 3, 1])
        assert second == (30 | 1 << 5 if has_room else 99)
        if has_room:
            assert unpack(word, second) == ControlInformation(100, 1, 5, 31, 2, 30, 1)
