"""The contention kernel does what its twin in plain Python does."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from v2x._kernels.contention import ContentionChannel
from v2x.phy.ofdm.error_model import log2_bit_success
from v2x.phy.ofdm.rates import RATES
from v2x.phy.reception import CURVE_SINR_DB
from v2x.records.tables import N_DIRECTIONS, N_OUTCOMES
from v2x.sim.contention import STATION
from v2x.sim.fates import N_FATES, NOTHING, Fate, fates_of

from .twin_contention import N_QUEUES, Packet, Rules, Twin

TICK_US = 20_000
N_BINS = 25
_SINR = 10.0 ** (CURVE_SINR_DB / 10.0)
HEADER = (24.0 * log2_bit_success(_SINR, RATES[0])).astype(np.float32)
DATA = log2_bit_success(_SINR, RATES[2]).astype(np.float32)


class World:
    """The kernel and its arrays."""

    def __init__(
        self, rules: Rules, flags: list[int], packets: list[Packet], queue_packets: int
    ) -> None:
        n = len(flags)
        wanted = asdict(rules)
        wanted["interframe_us"] = np.array(rules.interframe_us, dtype=np.int32)
        wanted["window"] = np.array(rules.window, dtype=np.int32)
        self.channel = ContentionChannel(**wanted)
        self.word = np.arange(7, 7 + n, dtype=np.uint32)
        self.station = np.zeros(n, dtype=STATION)
        self.counts = np.zeros((N_DIRECTIONS, N_BINS, N_OUTCOMES), dtype=np.int64)
        self.gaps = np.zeros(100, dtype=np.int64)
        self.power_mw = np.full(n, 100.0, dtype=np.float32)
        self.channel.bind_nodes(
            self.word,
            np.array(flags, dtype=np.uint8),
            self.power_mw,
            self.station,
            np.zeros((n, N_QUEUES, queue_packets), dtype=np.int32),
            *(np.zeros(n, dtype=np.int32) for _ in range(3)),
        )
        self.channel.bind_counts(self.counts, self.gaps)
        self.last_slot: NDArray[np.int32] | None = None
        m = len(packets)
        self.first_us = np.full(m, -1, dtype=np.int64)
        self.n_intended, self.n_received, self.n_first = np.zeros((3, m), dtype=np.int32)
        self.resolved = np.zeros(m, dtype=np.uint8)
        self.channel.bind_packets(
            np.array([p.generated_us for p in packets], dtype=np.int64),
            np.array([p.deadline_us for p in packets], dtype=np.int64),
            np.array([p.air_us for p in packets], dtype=np.int64),
            np.array([p.weight for p in packets], dtype=np.float32),
            self.first_us,
            np.full(m, -1, dtype=np.int64),
            np.zeros(m, dtype=np.int32),
            np.zeros(m, dtype=np.int32),
            self.n_intended,
            self.n_received,
            self.n_first,
            self.resolved,
        )
        self.recent = np.full((n, N_FATES), -1, dtype=np.int32)
        self.n_finished = np.zeros(n, dtype=np.int64)
        self.deliveries = np.zeros((n * m, 3), dtype=np.int64)
        topic = np.array([p.topic for p in packets], dtype=np.int32)
        self.channel.bind_topics(topic, self.deliveries)
        for node in range(n):
            self.channel.forget(node, 0)

    def move(self, gain: NDArray[np.float32], distance: NDArray[np.float32], now: int) -> None:
        """Take links; both arrays are (n, n), distances infinite where there is none."""
        sender, receiver = self.sender, self.receiver = np.nonzero(np.isfinite(distance))
        if self.last_slot is None:
            self.last_slot = np.full(len(sender), -1, dtype=np.int32)
            self.last_generated, self.last_heard = np.zeros((2, len(sender)), dtype=np.int64)
            self.fates = np.full(len(sender), NOTHING, dtype=np.uint64)
        row_start = np.searchsorted(sender, np.arange(len(gain) + 1)).astype(np.int32)
        self.channel.bind_links(
            row_start,
            receiver.astype(np.int32),
            gain[sender, receiver],
            distance[sender, receiver],
            self.last_slot,
            self.last_generated,
            self.last_heard,
        )
        self.channel.bind_fates(self.fates, self.recent, self.n_finished)
        self.channel.settle(now)

    def run(self, arrivals: list[tuple[int, int, int, int]], until_us: int) -> None:
        columns = np.array(arrivals, dtype=np.int64).reshape(-1, 4).T
        when, *rest = columns
        self.channel.run(np.ascontiguousarray(when), *(c.astype(np.int32) for c in rest), until_us)


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    """A few stations, links of any strength, packets that meet, and another place to go."""
    n = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    linked = rng.random((n, n)) < draw(st.sampled_from((0.5, 1.0)))
    linked = (linked | linked.T) & ~np.eye(n, dtype=bool)
    places = []
    for _ in range(2):
        loss_db = rng.choice([70.0, 90.0, 100.0, 104.0, 110.0, 116.0], (n, n))
        loss_db = loss_db + rng.normal(0.0, 1.0, (n, n))
        loss_db = np.triu(loss_db) + np.triu(loss_db).T
        distance = np.where(linked, rng.uniform(1.0, 600.0, (n, n)), np.inf)
        gain = np.where(linked, 10.0 ** (-loss_db / 10.0), 0.0)
        places.append((gain.astype(np.float32), distance.astype(np.float32)))
    n_packets = draw(st.integers(0, 40))
    # many at the same microsecond, or within the sensing time of each other
    grain = draw(st.sampled_from((1, 4, 100, 700)))
    when = np.sort(rng.integers(0, 2 * TICK_US // grain, n_packets) * grain)
    if draw(st.booleans()):  # around the border of the ticks, where some leave
        when = TICK_US + (when - TICK_US) // 20
    node = rng.integers(0, n, n_packets)
    queue = rng.integers(0, N_QUEUES, n_packets)
    packets = []
    for t in when.tolist():
        n_symbols = int(rng.integers(1, 80))
        budget = int(rng.choice([0, 500, 5_000, 100_000]))
        topic = int(rng.choice([0, 0, 3]))
        one = Packet(t, t + budget, 40 + 8 * n_symbols, float(48 * n_symbols), topic=topic)
        packets.append(one)
    arrivals = list(
        zip(when.tolist(), node.tolist(), range(n_packets), queue.tolist(), strict=True)
    )
    rules = Rules(
        header_curve=HEADER,
        data_curve=DATA,
        capture_ratio=draw(st.sampled_from((1.0, 10.0, np.inf))),
        sensitivity_mw=draw(st.sampled_from((0.0, 10**-9.2))),
        window=draw(st.sampled_from(((3, 7, 15, 15), (0, 0, 0, 0)))),
        # interframe spaces that differ by less than a slot let countdowns end a little apart
        interframe_us=draw(st.sampled_from(((58, 71, 110, 149), (58, 62, 66, 70), (0, 0, 0, 0)))),
        sensing_us=draw(st.sampled_from((0, 8))),
        preamble_sinr=draw(st.sampled_from((0.1, 1.0, 10.0))),
        counted_from_us=draw(st.sampled_from((0, 10_000))),
    )
    return {
        "rules": rules,
        "places": places,
        "packets": packets,
        "arrivals": arrivals,
        "queue_packets": draw(st.sampled_from((1, 2, 10))),
        # counted vehicles for the most part, others, and roadside units
        "flags": rng.choice([1, 1, 1, 0, 2, 3], n).tolist(),
        "leaves": rng.random(n) < draw(st.sampled_from((0.0, 0.4))),
    }


@settings(max_examples=300, deadline=None, derandomize=True)
@given(situation=situations())
def test_kernel_and_twin_agree(situation: dict[str, Any]) -> None:
    packets: list[Packet] = situation["packets"]
    first, second = situation["places"]
    n = len(first[0])
    world = World(situation["rules"], situation["flags"], packets, situation["queue_packets"])
    twin = Twin(
        situation["rules"],
        *first,
        world.word.tolist(),
        situation["flags"],
        world.power_mw.tolist(),
        situation["queue_packets"],
        N_BINS,
        packets,
    )
    ratio = np.zeros(n)
    for k, (gain, distance) in enumerate((first, second)):
        start, end = k * TICK_US, (k + 1) * TICK_US
        here = [a for a in situation["arrivals"] if start <= a[0] < end]
        if k > 0:  # who leaves does so before anybody moves
            for node in np.flatnonzero(situation["leaves"]).tolist():
                world.channel.forget(node, start)
                twin.forget(node)
            for node in np.flatnonzero(situation["leaves"]).tolist():
                world.word[node] += 100
                twin.word[node] += 100
        world.move(gain, distance, start)
        world.run(here, end)
        world.channel.take_load(end, start, ratio)
        twin.move(gain, distance)
        twin.run(here, end)
        np.testing.assert_allclose(ratio, twin.take_load(start), rtol=1e-12)
    assert world.first_us.tolist() == [p.first_us for p in packets]
    assert world.resolved.tolist() == [p.resolved for p in packets]
    assert np.array_equal(world.counts, twin.counts)
    assert world.n_intended.tolist() == [p.n_intended for p in packets]
    assert world.n_received.tolist() == world.n_first.tolist() == [p.n_received for p in packets]
    assert np.array_equal(world.gaps, twin.gaps)
    assert world.station["draws"].tolist() == [node.draws for node in twin.nodes]
    links = list(zip(world.sender.tolist(), world.receiver.tolist(), strict=True))
    heard = [twin.heard.get(link, (0, 0)) for link in links]
    assert list(zip(world.last_heard, world.last_generated, strict=True)) == heard
    assert world.last_slot is not None
    assert world.last_slot.tolist() == [
        twin.heard[link][0] // 1000 if link in twin.heard else -1 for link in links
    ]
    fates = [(twin.fates[link][::-1] + [Fate.NO_LINK] * N_FATES)[:N_FATES] for link in links]
    assert fates_of(world.fates).tolist() == fates
    assert world.n_finished.tolist() == [len(twin.finished[node]) for node in range(n)]
    for node in range(n):
        for at, packet in list(enumerate(twin.finished[node]))[-N_FATES:]:
            assert world.recent[node, at % N_FATES] == packet
    delivered = world.deliveries[: world.channel.n_deliveries].tolist()
    assert np.all(np.diff([slot for _, _, slot in delivered]) >= 0)
    assert sorted(map(tuple, delivered)) == sorted(twin.deliveries)


def alone(**changes: Any) -> World:
    rules = Rules(header_curve=HEADER, data_curve=DATA)
    return World(rules, [1] * changes.pop("n", 2), changes.pop("packets", []), 2)


def test_nobody_is_a_channel_too() -> None:
    world = alone(n=0)
    world.move(np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32), 0)
    world.run([], 100)
    world.channel.take_load(100, 0, np.zeros(0))
    assert not world.counts.any()
    assert not world.gaps.any()


@pytest.mark.parametrize(
    ("arrivals", "message"),
    [
        ([(5, 2, 0, 0)], "no such node"),
        ([(5, 0, 1, 0)], "no such node, queue or packet"),
        ([(5, 0, 0, 4)], "no such node, queue or packet"),
        ([(5, 0, 0, 0), (4, 0, 0, 0)], "must ascend"),
    ],
)
def test_wrong_arrivals(arrivals: list[tuple[int, int, int, int]], message: str) -> None:
    world = alone(packets=[Packet(5, 100, 400, 100.0)])
    world.move(np.zeros((2, 2), np.float32), np.full((2, 2), np.inf, np.float32), 0)
    with pytest.raises(ValueError, match=message):
        world.run(arrivals, 100)
