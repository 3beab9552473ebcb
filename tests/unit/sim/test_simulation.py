"""Packets on the borders of ticks, slots, the warm-up and the run; vehicles that come and go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.access.random_access import RandomAccess, RandomAccessParams
from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.records.tables import Outcome, check_table
from v2x.sim.recorder import RecordParams
from v2x.world.synthetic import highway

from ...simulation_parts import (
    Finished,
    FrozenFleet,
    ImmediateAccess,
    ImmediateParams,
    ScheduledPackets,
    SteppedLoss,
    every,
    lossy_receiver,
    simulate,
)

TWO = FrozenFleet(x_m=[0.0, 50.0])


def send(plan: list[tuple[int, int]], **options: Any) -> Finished:
    return simulate(options.pop("fleet", TWO), application=ScheduledPackets(plan), **options)


@pytest.mark.parametrize(
    ("generated_us", "slot_us"),
    [
        (0, 0),
        (1, 1_000),
        (999, 1_000),
        (1_000, 1_000),
        (1_001, 2_000),
        (99_001, 100_000),
        (99_999, 100_000),
        (100_000, 100_000),
        (100_001, 101_000),
    ],
)
def test_the_first_slot_after_generation(generated_us: int, slot_us: int) -> None:
    """A slot that starts with the packet can carry it; one that has begun cannot.

    99.5 ms belongs to the first tick, and its slot to the second.
    """
    packets = send([(generated_us, 0)]).tables["packets"]
    assert packets["generated_us"].tolist() == [generated_us]
    assert packets["first_slot_us"].tolist() == [slot_us]
    assert packets["n_received"].tolist() == [1]


@pytest.mark.parametrize("tick_us", [1_000, 7_300, 50_000, 100_000, 250_000, 2_000_000])
def test_no_packet_is_lost_whatever_the_tick(tick_us: int) -> None:
    plan = [(t, k % 2) for k, t in enumerate(range(0, 990_000, 1_237))]
    packets = send(plan, tick_us=tick_us).tables["packets"]
    assert packets["generated_us"].tolist() == [t for t, _ in plan]
    assert packets["tx_id"].tolist() == [row for _, row in plan]
    assert (packets["first_slot_us"] == -(-packets["generated_us"] // 1000) * 1000).all()
    assert (packets["n_received"] == 1).all()


def test_packets_at_the_end_of_a_run_have_no_fate_yet() -> None:
    """Generated 0.5 ms before the end, it would be sent when the run is over."""
    packets = send([(998_500, 0), (999_500, 1)]).tables["packets"]
    assert packets["generated_us"].tolist() == [998_500]


class Hoarder(ImmediateAccess):
    """Takes packets and never sends them."""

    def enqueue(self, slot: int, node: int, packet: int, deadline_slot: int, priority: int) -> int:
        replaced = self._due.setdefault(-1, {}).get(node, (-1, 0, 0))[0]
        self._due[-1][node] = (packet, 0, priority)
        return replaced

    def forget(self, node: int) -> int:
        return self._due.get(-1, {}).pop(node, (-1, 0, 0))[0]


def test_a_vehicle_that_leaves_takes_its_packet_with_it() -> None:
    """Its waiting packet is dropped, and counted at the receivers that it had until then.

    One of the two receivers leaves in the same tick: it was there when the packet was given up.
    """
    fleet = FrozenFleet(x_m=[0.0, 50.0, 80.0], leaves_us=[100_000, 10**9, 100_000])
    finished = simulate(fleet, technology=Hoarder, application=ScheduledPackets([(30_000, 0)]))
    packets = finished.tables["packets"]
    assert packets["n_attempts"].tolist() == [0]
    assert packets["first_slot_us"].tolist() == [-1]
    assert packets["n_intended"].tolist() == [2]
    assert finished.outcomes.tolist() == [0, 0, 0, 0, 0, 0, 2, 0]


def test_a_packet_that_is_replaced_is_dropped() -> None:
    """Three packets, of which the last still waits at the end: two are lost to every receiver."""
    plan = [(10_000, 0), (20_000, 0), (30_000, 0)]
    fleet = FrozenFleet(x_m=[0.0, 50.0, 80.0])
    finished = simulate(fleet, technology=Hoarder, application=ScheduledPackets(plan))
    assert finished.tables["packets"]["generated_us"].tolist() == [10_000, 20_000]
    assert finished.outcomes.tolist() == [0, 0, 0, 0, 0, 0, 4, 0]


def test_a_packet_on_its_way_to_the_access_layer_leaves_too() -> None:
    """Generated in one tick, it belongs to the first slot of the next, when its sender is gone."""
    fleet = FrozenFleet(x_m=[0.0, 50.0], leaves_us=[100_000, 10**9])
    finished = send([(99_900, 0), (99_900, 1)], fleet=fleet)
    packets = finished.tables["packets"]
    assert packets["tx_id"].tolist() == [0, 1]
    assert packets["n_attempts"].tolist() == [0, 1]
    assert packets["n_intended"].tolist() == [1, 0]
    assert finished.outcomes[Outcome.OUT_OF_BUDGET] == 1


def test_a_vehicle_that_takes_an_empty_row_starts_afresh() -> None:
    """The newcomer of a row is another vehicle: its first reception opens no gap."""

    class Relay(FrozenFleet):
        def advance(self, time_us: int) -> Any:
            fleet = FrozenFleet(x_m=self.x_m, ids=[0, 1 if time_us < 500_000 else 2])
            return fleet.advance(time_us)

    finished = send(every(100_000, 10, 10_000, 0), fleet=Relay(x_m=[0.0, 50.0]))
    freshness = finished.tables["freshness"]
    gaps = freshness["quantity"] == 0
    assert freshness["value_ms"][gaps].tolist() == [100.0]
    # Five receptions by each of the two vehicles.
    assert freshness["n"][gaps].tolist() == [8]
    assert finished.outcomes[Outcome.RECEIVED] == 10


def test_a_newcomer_hears_from_its_first_tick_on() -> None:
    fleet = FrozenFleet(x_m=[0.0, 50.0], enters_us=[0, 300_000])
    packets = send(every(100_000, 6, 10_000, 0), fleet=fleet).tables["packets"]
    assert packets["n_intended"].tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("warmup_s", [0.0, 0.35, 0.5, 1.0])
def test_the_warm_up_is_left_out(warmup_s: float) -> None:
    """Packets generated before its end are not counted, also if they are sent after it."""
    plan = every(50_000, 20, 48_500, 0)
    finished = send(plan, warmup_s=warmup_s)
    expected = [t for t, _ in plan if t >= warmup_s * 1e6]
    assert finished.tables["packets"]["generated_us"].tolist() == expected
    assert finished.outcomes.sum() == len(expected)
    for name in ("trajectories", "load", "link_states", "safety"):
        assert (finished.tables[name]["time_s"] >= warmup_s).all()
    assert (finished.tables["links"]["block_start_s"] + 1.0 > warmup_s).all()


def test_gaps_span_the_end_of_the_warm_up() -> None:
    """The last reception of the warm-up is remembered: the first counted packet ends a gap."""
    freshness = send(every(100_000, 10, 10_000, 0), warmup_s=0.5).tables["freshness"]
    gaps = freshness["quantity"] == 0
    assert freshness["value_ms"][gaps].tolist() == [100.0]
    assert freshness["n"][gaps].tolist() == [5]


def test_ages_of_the_warm_up_are_left_out() -> None:
    """Of the ticks at 0.1, 0.2, ... 0.9 s those from 0.5 s on are sampled."""
    freshness = send(every(100_000, 10, 10_000, 0), warmup_s=0.5).tables["freshness"]
    ages = freshness["quantity"] == 1
    assert freshness["value_ms"][ages].tolist() == [90.0]
    assert freshness["n"][ages].tolist() == [5]


def test_vehicles_in_the_margin_interfere_but_do_not_count() -> None:
    """On 2 km of road with a margin of 250 m, 100 m and 1900 m are outside."""
    fleet = FrozenFleet(x_m=[100.0, 300.0, 400.0, 1900.0], y_m=-6.0)
    finished = simulate(
        fleet,
        application=ScheduledPackets([(10_000 + 1_000 * k, k) for k in range(4)]),
        records=RecordParams(edge_margin_m=250.0),
        road_map=highway(2000.0),
    )
    packets = finished.tables["packets"]
    assert packets["n_intended"].tolist() == [0, 1, 1, 0]
    assert packets["n_attempts"].tolist() == [1, 1, 1, 1]
    assert finished.outcomes.tolist() == [2, 0, 0, 0, 0, 0, 0, 0]
    # Outside the margin nobody measures the channel either.
    assert set(finished.tables["load"]["node_id"].tolist()) <= {1, 2}


@pytest.mark.parametrize("block_s", [0.1, 0.3, 0.5, 1.0, 5.0])
def test_time_blocks_cover_the_run(block_s: float) -> None:
    """Blocks start at multiples of their length; the last may be cut off by the end."""
    finished = send(every(10_000, 100, 5_000, 0), records=RecordParams(block_s=block_s))
    links = finished.tables["links"]
    starts = np.unique(links["block_start_s"])
    n_blocks = int(np.ceil(1.0 / block_s - 1e-9))
    assert starts == pytest.approx(block_s * np.arange(n_blocks))
    by_block = [int(links["n"][links["block_start_s"] == start].sum()) for start in starts]
    assert sum(by_block) == 100
    generated = np.arange(100) * 0.01 + 0.005
    # A block closes at the first tick that is not before its end.
    ends = np.ceil((np.arange(1, n_blocks + 1) * block_s) / 0.1 - 1e-9) * 0.1
    counted = np.searchsorted(generated, np.minimum(ends, 1.0))
    assert by_block == np.diff([0, *counted]).tolist()


def test_blocks_of_the_warm_up_are_not_kept() -> None:
    finished = send(every(10_000, 100, 5_000, 0), warmup_s=0.5, records=RecordParams(block_s=0.25))
    assert np.unique(finished.tables["links"]["block_start_s"]).tolist() == [0.5, 0.75]


@pytest.mark.parametrize("n_rows", [0, 1])
@pytest.mark.parametrize("technology", [LteMode4, RandomAccess])
def test_a_lonely_run(n_rows: int, technology: Any) -> None:
    """Without anybody to hear, packets are sent and nothing is counted."""
    fleet = FrozenFleet(x_m=np.zeros(n_rows))
    finished = simulate(fleet, technology=technology, duration_s=2.0)
    assert finished.outcomes.sum() == 0
    assert len(finished.tables["packets"]["packet"]) in ([0] if n_rows == 0 else [19, 20])
    assert (finished.tables["packets"]["n_intended"] == 0).all()
    for name, table in finished.tables.items():
        check_table(name, table)


def test_a_road_that_stays_empty() -> None:
    fleet = FrozenFleet(x_m=[0.0, 10.0], enters_us=[10**9, 10**9])
    finished = simulate(fleet)
    assert all(len(finished.tables[name]["replication"]) == 0 for name in ("packets", "load"))
    assert finished.parts.recorder.vehicles_seen == set()


def check_books(finished: Finished) -> None:
    """Every intended receiver of every packet has exactly one outcome, in both tables."""
    packets = finished.tables["packets"]
    outcomes = finished.outcomes
    assert outcomes.sum() == packets["n_intended"].sum()
    assert outcomes[Outcome.RECEIVED] == packets["n_received"].sum()
    assert (packets["n_received_first"] <= packets["n_received"]).all()
    assert (packets["n_received"] <= packets["n_intended"]).all()
    unsent = packets["n_attempts"] == 0
    assert outcomes[Outcome.OUT_OF_BUDGET] == packets["n_intended"][unsent].sum()
    assert ((packets["first_slot_us"] >= 0) == ~unsent).all()
    assert (packets["last_slot_us"] >= packets["first_slot_us"]).all()
    sent = packets["first_slot_us"][~unsent]
    assert (sent >= packets["generated_us"][~unsent]).all()
    for name, table in finished.tables.items():
        check_table(name, table)


TECHNOLOGIES = [
    (LteMode4, LteMode4Params(n_subchannels=3)),
    (LteMode4, LteMode4Params(n_subchannels=3, blind_retransmissions=1)),
    (RandomAccess, RandomAccessParams(n_subchannels=3)),
    (RandomAccess, RandomAccessParams(n_subchannels=3, blind_retransmissions=1)),
]


@pytest.mark.parametrize(("technology", "access"), TECHNOLOGIES)
@pytest.mark.parametrize("jitter_ms", [0.0, 60.0])
def test_the_books_balance(technology: Any, access: Any, jitter_ms: float) -> None:
    """Standing vehicles on a crowded road: collisions, half duplex, drops, a warm-up."""
    application = Awareness(AwarenessParams(jitter_ms=jitter_ms, size_bytes=190), 4)
    finished = simulate(
        FrozenFleet(x_m=np.arange(60) * 23.0, y_m=-6.0),
        technology=technology,
        access=access,
        application=application,
        propagation=SteppedLoss({0.0: 85.0, 200.0: 112.0, 400.0: 130.0}, sigma_db=4.0),
        records=RecordParams(edge_margin_m=200.0, block_s=0.3),
        duration_s=2.0,
        warmup_s=0.55,
    )
    check_books(finished)
    outcomes = finished.outcomes
    assert (outcomes[[Outcome.RECEIVED, Outcome.PROPAGATION, Outcome.COLLISION]] > 0).all()
    assert (outcomes[Outcome.OUT_OF_BUDGET] > 0) == (jitter_ms > 0)


@pytest.mark.parametrize(("technology", "access"), TECHNOLOGIES)
def test_the_books_balance_in_motion(technology: Any, access: Any) -> None:
    """Vehicles leave the region, each other's distance and the map between two attempts."""
    n = 60
    fleet = FrozenFleet(
        x_m=np.arange(n) * 23.0,
        y_m=-6.0,
        speed_mps=np.where(np.arange(n) % 2, 400.0, -400.0),
        enters_us=[70_000 * (k % 9) for k in range(n)],
        leaves_us=[500_000 + 130_000 * (k % 10) for k in range(n)],
    )
    finished = simulate(
        fleet,
        technology=technology,
        access=access,
        records=RecordParams(edge_margin_m=200.0, max_distance_m=300.0),
        duration_s=1.5,
    )
    check_books(finished)


@pytest.mark.parametrize("leaves_us", [99_000, 100_000, 200_000])
def test_a_receiver_that_leaves_between_two_attempts(leaves_us: int) -> None:
    """Who counts is decided at the last attempt, here 101 ms; both tables agree on it."""
    finished = simulate(
        FrozenFleet(x_m=[0.0, 30.0, 60.0], leaves_us=[10**9, 10**9, leaves_us]),
        access=ImmediateParams(gap_slots=3),
        application=ScheduledPackets([(98_000, 0)]),
    )
    check_books(finished)
    packets = finished.tables["packets"]
    n_receivers = 2 if leaves_us > 101_000 else 1
    assert packets["n_intended"].tolist() == [n_receivers]
    assert packets["n_received"].tolist() == [n_receivers]
    assert packets["n_received_first"].tolist() == [n_receivers]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 39), st.integers(0, 3)), st.integers(0, 5_000), max_size=60
    ),
    st.sampled_from([10_000, 33_300, 100_000]),
    st.sampled_from([0, 3]),
    st.floats(0.0, 0.9),
)
def test_the_books_balance_for_any_plan(
    plan: dict[tuple[int, int], int], tick_us: int, gap_slots: int, loss: float
) -> None:
    """Packets of a vehicle come in slots of their own, on any microsecond."""
    times = [(10_000 * k + late_us, row) for (k, row), late_us in plan.items()]
    finished = simulate(
        FrozenFleet(x_m=[0.0, 30.0, 60.0, 700.0], leaves_us=[10**9, 10**9, 200_000, 10**9]),
        access=ImmediateParams(gap_slots=gap_slots, first_subchannel=(0, 0, 1, 2)),
        application=ScheduledPackets(times),
        tick_us=tick_us,
        receiver=lossy_receiver(loss),
        duration_s=0.45,
    )
    check_books(finished)
