"""Reception of whole slots: kernel against twin, and what each cause of loss means."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x.phy.sensing_history import ControlInformation, unpack

from .reception_world import (
    N_BINS,
    World,
    design,
    gain_for,
    threshold_curve,
    two_way,
)
from .twin_reception import (
    BELOW_SENSITIVITY,
    COLLISION,
    CONTROL_LOST,
    HALF_DUPLEX,
    N_OUTCOMES,
    OUT_OF_BUDGET,
    PROPAGATION,
    RECEIVED,
    Design,
    Link,
    Receiver,
    Record,
    Tx,
)


def close(expected: object, rel: float = 1e-5) -> object:
    """Return a value to compare powers with: relative only, for they are tiny."""
    return pytest.approx(expected, rel=rel, abs=0.0)


#: Never and always lost; a step at a linear SINR of 4.
CERTAIN = np.stack([threshold_curve(s) for s in (0.0, 1e9, 4.0)])
NEVER, ALWAYS, AT_FOUR = range(3)


def certain(
    n_subchannels: int = 3, control: int = NEVER, data: int = AT_FOUR, **changes: object
) -> Design:
    """Return a design in which nothing is left to chance."""
    return design(
        n_subchannels,
        curves=CERTAIN,
        curve_row=np.full(4, data, dtype=np.int32),
        control_curve=control,
        **changes,
    )


def random_world(seed: int, n: int, used: Design, n_packets: int) -> World:
    """Return nodes at random, some too far apart to be links and some links without power."""
    g = rng.stream(seed, "world")
    ends = {}
    for i in range(n):
        for j in range(i + 1, n):
            if g.random() < 0.8:
                gain = 0.0 if g.random() < 0.1 else 10.0 ** g.uniform(-13.0, -6.0)
                ends[i, j] = Link(gain, float(g.uniform(0.0, 650.0)), int(g.integers(4)))
    return World(
        used,
        two_way(ends, n),
        word=g.integers(0, 2**32, n).tolist(),
        counted=(g.random(n) < 0.8).tolist(),
        generated_us=(5_000_000_000 + np.sort(g.integers(0, 50_000, n_packets))).tolist(),
        counted_from_us=5_000_008_000,
    )


def random_slots(
    seed: int, n: int, n_slots: int, n_subchannels: int, first_slot: int
) -> list[tuple[int, list[Tx]]]:
    """Return transmissions slot by slot, a third of them with a repetition 1 to 3 slots later."""
    g = rng.stream(seed, "slots")
    pending: dict[int, tuple[int, Tx]] = {}
    packet, slots = 0, []
    for slot in range(first_slot, first_slot + n_slots):
        on_air = []
        for node in range(n):
            due, again = pending.get(node, (-1, None))
            if due == slot and again is not None:
                on_air.append(again)
                del pending[node]
            elif node not in pending and g.random() < 0.35:
                length = int(g.integers(1, n_subchannels + 1))
                first = int(g.integers(n_subchannels - length + 1))
                gap = int(g.integers(1, 4)) if g.random() < 0.33 else 0
                tx = Tx(
                    node=node,
                    packet=packet,
                    first_subchannel=first,
                    n_subchannels=length,
                    n_attempts=2 if gap else 1,
                    reservation_ms=int(g.choice([0, 20, 100, 1000])),
                    priority=int(g.integers(1, 9)),
                    gap_slots=gap,
                    other_subchannel=int(g.integers(n_subchannels - length + 1)) if gap else 0,
                )
                packet += 1
                on_air.append(tx)
                if gap:
                    again = replace(
                        tx,
                        attempt=1,
                        gap_slots=-gap,
                        first_subchannel=tx.other_subchannel,
                        other_subchannel=tx.first_subchannel,
                    )
                    pending[node] = (slot + gap, again)
        slots.append((slot, on_air))
    return slots


def assert_history(world: World, twin: Receiver) -> None:
    """Compare the ring with the records of the twin over the last window.

    A stale record, and one with nothing but noise in it, say the same: nothing was received.
    """
    d = world.design
    n = d.n_subchannels
    last = max((slot for _, slot in twin.records), default=0)
    silence = Record([d.noise_mw * (d.data_rb + d.control_rb)] * n, {})
    for node in range(len(world.word)):
        for slot in range(max(last - d.window + 1, 0), last + 1):
            words, powers = (
                world.history[node, slot % d.window],
                world.powers[node, slot % d.window],
            )
            record = twin.records.get((node, slot), silence)
            if words[0] != slot:
                assert record == silence
                continue
            if record.s_rssi_mw is None:
                assert np.all(powers[1 : 1 + n] == -1.0)
                assert not record.decoded
            else:
                assert powers[1 : 1 + n] == close(record.s_rssi_mw)
            for s in range(n):
                rsrp, word = float(powers[1 + n + s]), int(words[1 + 2 * n + s])
                if s not in record.decoded:
                    assert (rsrp, word) == (0.0, 0)
                    continue
                expected, tx = record.decoded[s]
                assert rsrp == close(expected)
                assert unpack(word) == ControlInformation(
                    tx.reservation_ms,
                    tx.n_subchannels,
                    tx.priority,
                    tx.gap_slots,
                    tx.other_subchannel,
                )


def assert_equal(world: World, twin: Receiver) -> None:
    """Compare everything a slot leaves behind."""
    counts = np.zeros((N_BINS, N_OUTCOMES), dtype=np.int64)
    for place, count in twin.counts.items():
        counts[place] = count
    assert np.array_equal(world.counts, counts)
    assert {k: int(world.gaps[k]) for k in np.flatnonzero(world.gaps)} == dict(twin.gaps)
    for packet in range(len(world.generated_us)):
        assert world.n_intended[packet] == twin.n_intended[packet]
        assert world.n_received[packet] == twin.n_received[packet]
        assert world.n_received_first[packet] == twin.n_received_first[packet]
    for k, ends in enumerate(world.ends):
        memory = twin.memory[ends]
        assert world.last_slot[k] == memory.last_slot
        assert world.last_generated[k] == memory.last_generated
        assert world.first_outcome[k] == memory.best
        # The signal is taken out of a sum of float32: what is left over errs by 1e-7 of the sum.
        assert world.soft[k] == close(memory.soft, 1e-5 + 3e-7 * memory.soft)
    assert not world.transmitting.any()
    assert not world.zeros.any()
    assert all(np.all(row[-2:] == -9) for row in (*world.scratch, world.sinr))
    assert_history(world, twin)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 8),
    n_subchannels=st.sampled_from([1, 3, 5]),
    sensitivity_mw=st.sampled_from([0.0, 1e-9]),
    boost=st.sampled_from([0.0, 2.0]),
    leak=st.sampled_from([0.0, 0.02]),
    slot_us=st.sampled_from([1000, 500]),
)
def test_random_slots_equal_the_twin(
    seed: int,
    n: int,
    n_subchannels: int,
    sensitivity_mw: float,
    boost: float,
    leak: float,
    slot_us: int,
) -> None:
    """Outcomes are equal unless float32 puts a SINR into the next step of an error table.

    A step is 1/128 octave wide and a SINR is wrong by some 1e-6, so this is possible for one
    link in ten thousand, and matters only if the uniform number lies between both steps.
    """
    used = design(
        n_subchannels, boost=boost, leak=leak, sensitivity_mw=sensitivity_mw, slot_us=slot_us
    )
    slots = random_slots(seed, n, 14, n_subchannels, first_slot=5 * (seed % 50))
    world = random_world(seed, n, used, n_packets=14 * n)
    twin = world.twin()
    for slot, on_air in slots:
        world.receive(slot, on_air)
        if on_air:
            twin.receive(slot, on_air)
    assume(not twin.undecided)
    assert_equal(world, twin)


def test_random_slots_meet_every_outcome_and_are_rarely_undecided() -> None:
    """The comparison above has power."""
    seen: dict[int, int] = dict.fromkeys(range(6), 0)
    undecided = gaps = 0
    for seed in range(12):
        used = design(3, sensitivity_mw=1e-9, leak=0.02)
        twin = random_world(seed, 8, used, 120).twin()
        for slot, on_air in random_slots(seed, 8, 14, 3, 0):
            twin.receive(slot, on_air)
        undecided += twin.undecided
        for outcome in twin.outcomes.values():
            seen[outcome] += 1
        gaps += twin.gaps.total()
    assert undecided == 0
    assert gaps > 20
    assert min(seen.values()) > 20, seen


def pair_world(used: Design, *, distance_m: float = 100.0, snr: float = 100.0, n: int = 2) -> World:
    """Return node 0 and its hearers, all at one distance and one SNR, who hear only node 0."""
    link = Link(gain_for(snr, used), distance_m, 0)
    return World(
        used,
        two_way({(0, j): link for j in range(1, n)}, n),
        word=list(range(100, 100 + n)),
        counted=[True] * n,
        generated_us=list(range(1000, 1020)),
    )


SOLO = Tx(node=0, packet=0, first_subchannel=0, n_subchannels=1)


def test_an_empty_slot_changes_nothing() -> None:
    world = random_world(1, 5, design(), 10)
    before = world.state()
    world.receive(3, [])
    assert all(np.array_equal(a, b) for a, b in zip(before, world.state(), strict=True))


def test_a_sender_without_neighbours_only_marks_itself() -> None:
    world = World(design(), {0: {}, 1: {}}, [1, 2], [True, True], [0])
    world.receive(4, [SOLO])
    assert world.history[0, 4, 0] == 4
    assert np.all(world.powers[0, 4, 1:4] == -1.0)
    assert np.all(world.history[1] == -1)
    assert not world.counts.any()
    assert not world.n_intended.any()


def test_links_without_power_bring_nothing_but_the_packet_was_meant() -> None:
    """As beyond the interaction range. Who is no neighbour keeps his records untouched."""
    ends = {(0, 1): Link(0.0, 100.0, 0)}
    world = World(certain(), two_way(ends, 3), [1, 2, 3], [True] * 3, [0])
    twin = world.twin()
    world.receive(0, [SOLO])
    twin.receive(0, [SOLO])
    assert_history(world, twin)
    assert np.all(world.history[2] == -1)
    assert world.counts[1, BELOW_SENSITIVITY] == world.counts.sum() == 1


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


def test_gaps_and_counts_leave_out_what_is_not_counted() -> None:
    """Warm-up packets, uncounted nodes, far receivers: heard, remembered, not counted."""
    used = certain()
    cases = {
        "warm-up": {"counted_from_us": 10**9},
        "sender": {"counted": [False, True]},
        "receiver": {"counted": [True, False]},
    }
    for name, change in cases.items():
        base = pair_world(used)
        world = World(
            used,
            base.links,
            base.word,
            change.get("counted", [True, True]),  # type: ignore[arg-type]
            base.generated_us,
            change.get("counted_from_us", 0),  # type: ignore[arg-type]
        )
        for packet, slot in enumerate((0, 100)):
            world.receive(slot, [replace(SOLO, packet=packet)])
        world.kernel.drop(0, 2, world.counted_from_us)
        assert world.last_slot[world.link(0, 1)] == 100, name
        for counter in (world.counts, world.gaps, world.n_intended, world.n_received):
            assert not counter.any(), name
    far = pair_world(used, distance_m=50.0 * N_BINS + 0.1)
    far.receive(0, [SOLO])
    assert far.last_slot[far.link(0, 1)] == -1  # beyond the awareness range too
    assert not far.counts.any()


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


@settings(max_examples=40, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 8))
def test_dropped_packets_equal_the_twin(seed: int, n: int) -> None:
    world = random_world(seed, n, design(), n_packets=10)
    twin = world.twin()
    for node in range(n):
        world.kernel.drop(node, node, world.counted_from_us)
        twin.drop(node, node)
    assert_equal(world, twin)


def test_share_of_losses_is_the_error_probability() -> None:
    """1200 hearers at one SINR in a row of slots: binomial, and uncorrelated between slots."""
    used = design(1, boost=0.0)
    snr, n, n_slots = 5.0, 1201, 6
    world = pair_world(used, snr=snr, n=n)
    received = np.zeros((n_slots, n - 1), dtype=bool)
    for slot in range(n_slots):
        world.receive(slot, [replace(SOLO, packet=slot)])
        received[slot] = world.last_slot[: n - 1] == slot
    p = 1.0 / (1.0 + (snr / 6.0) ** 3)
    assert abs((~received).mean() - p) < 0.003 + 4 * math.sqrt(p * (1 - p) / received.size)
    for a, b in pairwise(received):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / math.sqrt(n)
    assert world.n_received[:n_slots].tolist() == received.sum(axis=1).tolist()


def test_outcomes_depend_on_identities_not_on_rows_or_strangers() -> None:
    """The same two nodes in other rows, and others out of reach: not one outcome changes."""
    used = design(1)
    pair = Link(gain_for(5.0, used), 80.0, 0)
    alone = World(used, two_way({(0, 1): pair}, 2), [41, 42], [True] * 2, list(range(200)))
    crowd = World(
        used,
        two_way({(3, 1): pair, (0, 2): Link(1e-9, 30.0, 0)}, 5),
        [7, 42, 8, 41, 9],
        [False, True, False, True, False],
        list(range(200)),
    )
    for slot in range(200):
        alone.receive(slot, [replace(SOLO, packet=slot)])
        crowd.receive(slot, [replace(SOLO, packet=slot), replace(SOLO, node=3, packet=slot)])
    heard = alone.n_received
    assert 20 < heard.sum() < 180
    assert np.array_equal(crowd.n_received, heard)


def test_outcomes_of_a_packet_and_receiver_sum_to_one() -> None:
    world = random_world(3, 8, design(3, sensitivity_mw=1e-10), 200)
    for slot, on_air in random_slots(3, 8, 40, 3, 0):
        world.receive(slot, on_air)
    assert world.counts.sum() == world.n_intended.sum() > 200
    assert world.counts[:, RECEIVED].sum() <= world.n_received.sum()
    assert np.all(world.n_received_first <= world.n_received)
