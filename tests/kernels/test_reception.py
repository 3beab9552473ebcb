"""Reception of whole slots: kernel against twin, and chance against probability."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from v2x.phy.sensing_history import ControlInformation, unpack

from .reception_world import (
    ALWAYS,
    AT_FOUR,
    N_BINS,
    NEVER,
    SOLO,
    World,
    certain,
    close,
    design,
    gain_for,
    pair_world,
    random_slots,
    random_world,
    two_way,
)
from .twin_reception import (
    BELOW_SENSITIVITY,
    N_OUTCOMES,
    PROPAGATION,
    RECEIVED,
    Link,
    Receiver,
    Record,
)


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
    counts = np.zeros((4, N_BINS, N_OUTCOMES), dtype=np.int64)
    for place, count in twin.counts.items():
        counts[place] = count
    assert np.array_equal(world.counts_by_direction, counts)
    assert {k: int(world.gaps[k]) for k in np.flatnonzero(world.gaps)} == dict(twin.gaps)
    for packet in range(len(world.generated_us)):
        assert world.n_intended[packet] == twin.n_intended[packet]
        assert world.n_received[packet] == twin.n_received[packet]
        assert world.n_received_first[packet] == twin.n_received_first[packet]
    for k, ends in enumerate(world.ends):
        newest = twin.memory[(*ends, 0)]
        assert world.last_slot[k] == newest.last_slot
        assert world.last_generated[k] == newest.last_generated
        for process, (soft, outcome) in enumerate(
            ((world.soft, world.first_outcome), (world.soft_once, world.first_outcome_once))
        ):
            memory = twin.memory[(*ends, process)]
            assert outcome[k] == memory.best
            # Signals are taken out of a sum of float32: what is left errs by 1e-7 of the sum.
            assert soft[k] == close(memory.soft, 1e-5 + 3e-7 * memory.soft)
    assert not world.transmitting.any()
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
    roadside_share=st.sampled_from([0.0, 0.3]),
)
def test_random_slots_equal_the_twin(
    seed: int,
    n: int,
    n_subchannels: int,
    sensitivity_mw: float,
    boost: float,
    leak: float,
    slot_us: int,
    roadside_share: float,
) -> None:
    """Outcomes are equal unless float32 puts a SINR into the next step of an error table.

    A step is 1/128 octave wide and a SINR is wrong by some 1e-6, so this is possible for one
    link in ten thousand, and matters only if the uniform number lies between both steps.
    """
    used = design(
        n_subchannels, boost=boost, leak=leak, sensitivity_mw=sensitivity_mw, slot_us=slot_us
    )
    slots = random_slots(seed, n, 14, n_subchannels, first_slot=5 * (seed % 50))
    world = random_world(seed, n, used, n_packets=14 * n, roadside_share=roadside_share)
    twin = world.twin()
    for slot, on_air in slots:
        world.receive(slot, on_air)
        if on_air:
            twin.receive(slot, on_air)
    assume(not twin.undecided)
    assert_equal(world, twin)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), sensitivity_mw=st.sampled_from([0.0, 1e-9]))
def test_powers_schemes_and_processes_of_transmissions_equal_the_twin(
    seed: int, sensitivity_mw: float
) -> None:
    rows = np.array([0, 1, 1, 2, 0, 2, 2, 2, 0, 0, 1, 1], dtype=np.int32)
    used = design(3, leak=0.02, sensitivity_mw=sensitivity_mw, curve_row=rows, n_mcs=2)
    world = random_world(seed, 7, used, n_packets=98)
    twin = world.twin()
    on_air_by_slot = random_slots(
        seed, 7, 14, 3, 0, n_mcs=2, n_processes=2, offsets_db=(-13.0, -3.0, 0.0, 2.5)
    )
    for slot, on_air in on_air_by_slot:
        world.receive(slot, on_air)
        if on_air:
            twin.receive(slot, on_air)
    assume(not twin.undecided)
    assert_equal(world, twin)


def test_power_scales_what_arrives() -> None:
    """Ten dB less: a tenth of the RSRP and of what is above the noise in the S-RSSI."""
    worlds = [pair_world(certain(), snr=100.0) for _ in range(2)]
    n = worlds[0].design.n_subchannels
    for world, offset_db in zip(worlds, (0.0, -10.0), strict=True):
        world.receive(0, [replace(SOLO, power_offset_db=offset_db)])
    full, tenth = (world.powers[1, 0].astype(float) for world in worlds)
    assert tenth[1 + n] == close(0.1 * full[1 + n])
    noise = worlds[0].design.noise_mw * 10.0
    assert tenth[1] - noise == close(0.1 * (full[1] - noise))


def test_a_raised_scheme_has_its_own_curve() -> None:
    rows = np.array([NEVER] * 6 + [ALWAYS] * 6, dtype=np.int32)
    used = replace(certain(), curve_row=rows, n_mcs=2)
    for steps, outcome in ((0, RECEIVED), (1, PROPAGATION)):
        world = pair_world(used)
        world.receive(0, [replace(SOLO, mcs_raise=steps)])
        assert world.counts[1, outcome] == world.counts.sum() == 1
    with pytest.raises(ValueError, match="no error curve of this MCS"):
        pair_world(used).receive(0, [replace(SOLO, mcs_raise=2)])


def test_what_goes_once_keeps_out_of_the_repetitions_of_what_recurs() -> None:
    """SNR 3 under a threshold of 4 needs two attempts; between them comes another packet."""
    world = pair_world(certain(), snr=3.0)
    first = replace(SOLO, n_attempts=2, gap_slots=4)
    world.receive(0, [first])
    world.receive(2, [replace(SOLO, packet=1, n_attempts=2, gap_slots=1, process=1)])
    world.receive(3, [replace(SOLO, packet=1, n_attempts=2, attempt=1, process=1)])
    world.receive(4, [replace(first, attempt=1, gap_slots=-4)])
    assert world.n_received[:2].tolist() == [1, 1]
    assert world.soft[0] == world.soft_once[0] == close(6.0)


def test_random_slots_meet_every_outcome_and_are_rarely_undecided() -> None:
    """The comparison above has power."""
    seen: dict[int, int] = dict.fromkeys(range(6), 0)
    undecided = gaps = 0
    for seed in range(24):
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


@settings(max_examples=40, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 8))
def test_dropped_packets_equal_the_twin(seed: int, n: int) -> None:
    world = random_world(seed, n, design(), n_packets=10)
    twin = world.twin()
    for node in range(n):
        world.kernel.drop(node, node, world.counted_from_us)
        twin.drop(node, node)
    assert_equal(world, twin)


def test_outcomes_of_a_packet_and_receiver_sum_to_one() -> None:
    world = random_world(3, 8, design(3, sensitivity_mw=1e-10), 400)
    for slot, on_air in random_slots(3, 8, 80, 3, 0):
        world.receive(slot, on_air)
    to_road_users = world.counts_by_direction[[0, 2]]
    assert to_road_users.sum() == world.n_intended.sum() > 200
    assert to_road_users[..., RECEIVED].sum() <= world.n_received.sum()
    assert world.counts_by_direction.sum(axis=(1, 2)).min() > 0
    assert np.all(world.n_received_first <= world.n_received)


def test_an_empty_slot_changes_nothing() -> None:
    world = random_world(1, 5, design(), 10)
    before = world.state()
    world.receive(3, [])
    assert all(np.array_equal(a, b) for a, b in zip(before, world.state(), strict=True))


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


def test_control_information_is_heard_where_data_no_longer_matter() -> None:
    """Beyond the last bin nothing counts, but sensing goes on, as far as it can succeed."""
    used = certain(3, control=AT_FOUR, data=NEVER)
    for snr, heard in ((1e3, True), (4.5, True), (3.5, False), (1e-3, False)):
        world = pair_world(used, distance_m=10_000.0, snr=snr / 2.0)  # the boost is 2
        world.receive(3, [SOLO])
        assert bool(world.history[1, 3, 1 + 2 * 3]) == heard
        assert not world.counts.any()
        assert world.last_slot.tolist() == [-1, -1]


def test_more_neighbours_than_a_piece_are_all_judged() -> None:
    """Rows are judged in pieces of 512 links, near and far ones apart."""
    used = certain(3)
    n = 1200
    gain = gain_for(100.0, used)
    near = [j % 3 != 0 for j in range(n)]
    ends = {(0, j): Link(gain, 100.0 if near[j] else 900.0, 0) for j in range(1, n)}
    world = World(
        used,
        two_way(ends, n),
        word=list(range(n)),
        counted=[True] * n,
        generated_us=[1000],
    )
    world.receive(3, [SOLO])
    assert world.counts.sum() == sum(near[1:])
    assert world.n_received.tolist() == [sum(near[1:])]
    assert np.all(world.history[1:, 3, 1 + 2 * 3] != 0)
    assert [bool(slot == 3) for slot in world.last_slot[: n - 1]] == near[1:]


def test_a_history_may_lie_in_memory_by_slot() -> None:
    used = design(3)
    by_node = random_world(3, 8, used, n_packets=14 * 8)
    by_slot = replace(by_node, by_slot=True)
    for slot, on_air in random_slots(3, 8, 14, 3, first_slot=0):
        by_node.receive(slot, on_air)
        by_slot.receive(slot, on_air)
    assert by_slot.history.strides[0] < by_slot.history.strides[1]
    assert np.array_equal(by_node.history, by_slot.history)


def test_what_was_on_air_is_logged() -> None:
    used = certain(3)
    world = pair_world(used)
    first, last = np.full((2, 20), -1, dtype=np.int64)
    n_attempts, n_subchannels = np.zeros((2, 20), dtype=np.int32)
    resolved = np.zeros(20, dtype=np.uint8)
    world.kernel.bind_log(first, last, n_attempts, n_subchannels, resolved)
    again = replace(SOLO, packet=4, n_subchannels=2, n_attempts=2)
    world.receive(7, [again])
    assert (first[4], last[4], n_attempts[4], resolved[4]) == (7000, 7000, 1, 0)
    world.receive(9, [replace(again, attempt=1)])
    assert (first[4], last[4], n_attempts[4], resolved[4]) == (7000, 9000, 2, 1)
    assert n_subchannels[4] == 2
    assert resolved.sum() == 1
    assert n_attempts.sum() == 2


def test_the_highest_priority_of_each_slot_is_kept() -> None:
    used = certain(3)
    world = pair_world(used, n=3)
    urgency = np.full(used.window, 99, dtype=np.int32)
    world.kernel.bind_nodes(
        np.array(world.word, dtype=np.uint32),
        np.ones(3, dtype=np.uint8),
        world.transmitting,
        world.touched,
        world.energy,
        world.noticed,
        world.history,
        world.powers,
        urgency=urgency,
    )
    world.receive(5, [replace(SOLO, priority=6), replace(SOLO, node=2, packet=1, priority=3)])
    assert urgency.tolist() == [99, 99, 99, 99, 99, 3, 99]
