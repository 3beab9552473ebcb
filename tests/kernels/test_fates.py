"""Deliveries one by one, and the fates of the last packets: kernel against twin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from v2x.sim.fates import N_FATES, NOTHING, Fate, fates_of

from .reception_world import (
    SOLO,
    World,
    certain,
    design,
    pair_world,
    random_slots,
    random_world,
)
from .twin_reception import (
    BELOW_SENSITIVITY,
    NO_LINK,
    NOT_ADDRESSED,
    NOT_JUDGED,
    OUT_OF_BUDGET,
    PROPAGATION,
    RECEIVED,
    Receiver,
    Tx,
)


class Memory:
    """What a world remembers of packets, lent to its kernel."""

    def __init__(self, world: World, topic: NDArray[np.int32] | None = None) -> None:
        """Lend the arrays; without topics all packets tell of states."""
        n_nodes, self._world = len(world.word), world
        self.word = np.full(len(world.ends), NOTHING, dtype=np.uint64)
        self.recent = np.full((n_nodes, N_FATES), -1, dtype=np.int32)
        self.n_finished = np.zeros(n_nodes, dtype=np.int64)
        world.kernel.bind_fates(self.word, self.recent, self.n_finished)
        self.deliveries = np.full((4096, 3), -1, dtype=np.int64)
        if topic is not None:
            world.kernel.bind_topics(topic, self.deliveries)

    def last(self, node: int) -> list[int]:
        """Return the last packets of a node, the newest first."""
        n = int(self.n_finished[node])
        return [int(self.recent[node, k % N_FATES]) for k in range(n - 1, max(n - 17, -1), -1)]

    def of(self, i: int, j: int) -> list[int]:
        """Return the fates of the last packets of node i at node j, the newest first."""
        at = self._world.link(i, j)
        return fates_of(self.word[at : at + 1])[0].tolist()


def assert_equal(world: World, memory: Memory, twin: Receiver) -> None:
    """Compare fates, the packets they belong to, deliveries, and what is known of states."""
    for i, j in world.ends:
        known = twin.memory[i, j, 0]
        assert world.last_slot[world.link(i, j)] == known.last_slot
        assert world.last_generated[world.link(i, j)] == known.last_generated
    for node in range(len(world.word)):
        assert int(memory.n_finished[node]) == len(twin.finished[node])
        assert memory.last(node) == twin.finished[node][::-1][:N_FATES]
    for i, j in world.ends:
        padded = twin.fates[i, j][::-1] + [NO_LINK] * N_FATES
        assert memory.of(i, j) == padded[:N_FATES]
    n = world.kernel.n_deliveries
    assert memory.deliveries[:n].tolist() == [list(row) for row in twin.deliveries]
    assert (memory.deliveries[n:] == -1).all()


@settings(max_examples=80, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 8),
    sensitivity_mw=st.sampled_from([0.0, 1e-9]),
    roadside_share=st.sampled_from([0.0, 0.3]),
    share_told=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_random_slots_equal_the_twin(
    seed: int, n: int, sensitivity_mw: float, roadside_share: float, share_told: float
) -> None:
    """Packets of both processes in one or two attempts, some dropped, some given up."""
    g = np.random.default_rng(seed)
    used = design(3, leak=0.02, sensitivity_mw=sensitivity_mw)
    world = random_world(seed, n, used, n_packets=60 * n, roadside_share=roadside_share)
    topic = (g.random(60 * n) < share_told) * g.integers(1, 12, 60 * n)
    memory, twin = Memory(world, topic.astype(np.int32)), world.twin()
    twin.topic = topic.tolist()
    state = np.flatnonzero(topic == 0)
    for slot, on_air in random_slots(seed, n, 50, 3, first_slot=3, n_processes=2):
        world.receive(slot, on_air)
        if on_air:
            twin.receive(slot, on_air)
        if len(state) and g.random() < 0.3:
            node, packet = int(g.integers(n)), int(g.choice(state))
            world.kernel.drop(node, packet, world.counted_from_us)
            twin.drop(node, packet)
    assume(not twin.undecided)
    assert_equal(world, memory, twin)


def test_random_slots_meet_every_fate_and_many_deliveries() -> None:
    """The comparison above has power: repetitions deliver too, and words are filled."""
    seen: set[int] = set()
    slots_of: dict[tuple[int, int], int] = {}
    for seed in range(6):
        used = design(3, leak=0.02, sensitivity_mw=1e-9)
        world = random_world(seed, 8, used, n_packets=480, roadside_share=0.0)
        twin = world.twin()
        twin.topic = ([0, 3] * 240)[:480]
        for slot, on_air in random_slots(seed, 8, 50, 3, 3, n_processes=2):
            twin.receive(slot, on_air)
            for tx in on_air:
                if tx.attempt == 1:
                    slots_of[seed, tx.packet] = slot
        for fates in twin.fates.values():
            seen |= set(fates)
        repeated = sum(slots_of.get((seed, p)) == slot for p, _, slot in twin.deliveries)
        assert len(twin.deliveries) > repeated > 3
        assert len({(p, node) for p, node, _ in twin.deliveries}) == len(twin.deliveries)
        assert max(len(fates) for fates in twin.fates.values()) >= 8
    assert seen == {*range(6), NOT_JUDGED}


def test_nothing_is_remembered_unless_asked_for() -> None:
    """The same slots with and without: whatever else the kernel writes is the same."""
    used = design(3)
    plain, asked = (random_world(5, 8, used, n_packets=400) for _ in range(2))
    memory = Memory(asked, np.zeros(400, dtype=np.int32))
    for slot, on_air in random_slots(5, 8, 40, 3, 0):
        plain.receive(slot, on_air)
        asked.receive(slot, on_air)
    assert all(np.array_equal(a, b) for a, b in zip(plain.state(), asked.state(), strict=True))
    assert asked.kernel.n_deliveries == 0
    assert (memory.word != NOTHING).any()


def test_the_newest_of_sixteen_is_in_the_low_bits() -> None:
    world = pair_world(certain(), snr=100.0)
    memory = Memory(world)
    for slot in range(18):
        world.receive(slot, [replace(SOLO, packet=slot)] if slot != 17 else [])
    world.kernel.drop(0, 18, world.counted_from_us)
    assert memory.of(0, 1) == [OUT_OF_BUDGET] + [RECEIVED] * 15
    assert memory.last(0) == [18, *range(16, 1, -1)]
    assert memory.of(1, 0) == [NO_LINK] * 16
    assert Fate.NO_LINK == NO_LINK


def test_a_packet_ended_by_feedback_is_finished_once() -> None:
    """SNR 3 under a threshold of 4: the second of three attempts succeeds, the third is spared."""
    world = pair_world(certain(), snr=3.0)
    memory = Memory(world)
    world.receive(0, [replace(SOLO, n_attempts=3, gap_slots=2)])
    assert memory.last(0) == []
    world.receive(2, [replace(SOLO, n_attempts=3, attempt=1, gap_slots=2)])
    world.kernel.conclude(np.array([[0, 0, 1]], dtype=np.int32), world.counted_from_us)
    assert (memory.last(0), memory.of(0, 1)[:2]) == ([0], [RECEIVED, NO_LINK])
    world.receive(4, [replace(SOLO, packet=1, n_attempts=2)])
    world.kernel.conclude(np.array([[0, 1, 1]], dtype=np.int32), world.counted_from_us)
    assert memory.of(0, 1)[:3] == [PROPAGATION, RECEIVED, NO_LINK]


def test_a_told_packet_is_delivered_once_and_to_everybody_in_range() -> None:
    """Beyond all that counts, in several attempts, to who is not counted; states are not told."""
    world = pair_world(certain(), distance_m=5000.0, n=4)
    world = replace(world, counted=[True, False, True, True], roadside=[False, False, False, True])
    topic = np.array([4, 0, 4, *[0] * 17], dtype=np.int32)
    memory = Memory(world, topic)
    world.receive(3, [replace(SOLO, n_attempts=2, gap_slots=2)])
    world.receive(5, [replace(SOLO, n_attempts=2, attempt=1)])
    world.receive(6, [replace(SOLO, packet=1)])
    world.receive(9, [replace(SOLO, packet=2)])
    n = world.kernel.n_deliveries
    expected = [[packet, node, slot] for packet, slot in ((0, 3), (2, 9)) for node in (1, 2, 3)]
    assert memory.deliveries[:n].tolist() == expected
    assert memory.last(0) == [1]
    world.kernel.clear_deliveries()
    world.receive(11, [replace(SOLO, packet=2)])
    assert world.kernel.n_deliveries == 3


def test_single_transmissions_without_roadside_units_are_delivered_afar() -> None:
    world = pair_world(certain(), distance_m=5000.0)
    memory = Memory(world, np.array([4, 0, *[0] * 18], dtype=np.int32))
    world.receive(3, [SOLO])
    world.receive(4, [replace(SOLO, packet=1)])
    assert memory.deliveries[0].tolist() == [0, 1, 3]
    assert memory.of(0, 1)[:2] == [NOT_JUDGED, NO_LINK]


def test_a_told_packet_says_nothing_of_the_state_of_its_sender() -> None:
    world = pair_world(certain())
    Memory(world, np.array([4, 0, 4, *[0] * 17], dtype=np.int32))
    at = world.link(0, 1)
    world.receive(3, [SOLO])
    assert world.last_slot[at] == -1
    world.receive(5, [replace(SOLO, packet=1)])
    world.receive(8, [replace(SOLO, packet=2)])
    assert world.last_slot[at] == 5
    assert world.last_generated[at] == world.generated_us[1]


def test_who_is_not_addressed_is_neither_told_nor_judged() -> None:
    world = pair_world(certain(), n=3)
    memory = Memory(world, np.array([4, 0, *[0] * 18], dtype=np.int32))
    meant = np.array([j == 2 for _, j in world.ends], dtype=np.uint8)
    world.kernel.bind_audience(meant, np.zeros_like(meant), False)
    world.receive(3, [SOLO])
    world.receive(4, [replace(SOLO, packet=1)])
    assert world.kernel.n_deliveries == 1
    assert memory.deliveries[0].tolist() == [0, 2, 3]
    assert (memory.of(0, 1)[0], memory.of(0, 2)[0]) == (NOT_ADDRESSED, RECEIVED)


def test_links_without_power_have_their_fate() -> None:
    world = pair_world(certain(), snr=0.0)
    memory = Memory(world)
    world.receive(3, [SOLO])
    assert memory.of(0, 1)[0] == BELOW_SENSITIVITY


def test_arrays_of_wrong_shape_are_refused() -> None:
    world = pair_world(certain(), n=3)
    words, recent = np.zeros(4, dtype=np.uint64), np.zeros((3, 16), dtype=np.int32)
    n_finished, topic = np.zeros(3, dtype=np.int64), np.ones(20, dtype=np.int32)
    with pytest.raises(ValueError, match="fates"):
        world.kernel.bind_fates(words[:2], recent, n_finished)
    with pytest.raises(ValueError, match="16 packets"):
        world.kernel.bind_fates(words, recent[:, :8].copy(), n_finished)
    with pytest.raises(ValueError, match="topic"):
        world.kernel.bind_topics(topic[:3], np.zeros((9, 3), dtype=np.int64))
    with pytest.raises(ValueError, match="three columns"):
        world.kernel.bind_topics(topic, np.zeros((9, 2), dtype=np.int64))
    world.kernel.bind_topics(topic, np.zeros((1, 3), dtype=np.int64))
    with pytest.raises(ValueError, match="too short"):
        world.receive(0, [Tx(node=0, packet=0, first_subchannel=0, n_subchannels=1)])
