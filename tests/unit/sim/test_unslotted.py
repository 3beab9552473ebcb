"""The unslotted side inside a run: ticks, queues, vehicles that come and go, admission."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.access.base import SlotTransmissions
from v2x.access.congestion.base import CongestionContext, CongestionControl
from v2x.access.ieee80211p import Ieee80211pParams
from v2x.access.unslotted import MEMORY_US
from v2x.phy.radio import PhyParams
from v2x.records.tables import Outcome

from ...simulation_parts import (
    HEARD_TO_150_M,
    FrozenFleet,
    ScheduledPackets,
    SteppedLoss,
    every,
)
from ...unslotted_parts import build, simulate

AIR_US = 352
PAIR = FrozenFleet(x_m=[0.0, 50.0])


def test_a_frame_goes_on_over_the_border_of_a_tick() -> None:
    """It begins 100 µs before the motion; it is received, and keeps others waiting, after it."""
    finished = simulate(
        PAIR, application=ScheduledPackets([(99_900, 0), (100_050, 1)]), duration_s=0.2
    )
    packets = finished.tables["packets"]
    assert packets["n_received"].tolist() == [1, 1]
    assert packets["first_slot_us"][0] == 99_900
    assert packets["first_slot_us"][1] >= 99_900 + AIR_US + 110


def test_busy_time_is_split_at_the_border() -> None:
    """Of 352 µs 100 fall into the tick that ends, measured at 0.1 s, and 252 into the next."""
    simulation = build(PAIR, application=ScheduledPackets([(99_900, 0)]), duration_s=0.2)
    ratios: list[float] = []
    medium = simulation._medium
    play = medium.play

    def noting(*arguments: object) -> None:
        play(*arguments)  # type: ignore[arg-type]
        ratio = np.zeros(2)
        medium.busy_ratio(0, np.ones(2, dtype=np.bool_), ratio)
        ratios.append(ratio[1])

    medium.play = noting  # type: ignore[method-assign]
    simulation.run()
    assert ratios == pytest.approx([100 / 100_000, 252 / 100_000])


def test_a_frame_that_drives_away_is_lost() -> None:
    """At the border the receiver has left the reach of 150 m: less than half of it was heard."""
    fleet = FrozenFleet(x_m=[0.0, 149.5], speed_mps=[0.0, 10.0])
    finished = simulate(
        fleet,
        application=ScheduledPackets([(50_000, 0), (99_900, 0)]),
        propagation=HEARD_TO_150_M,
        duration_s=0.2,
    )
    assert finished.tables["packets"]["n_received"].tolist() == [1, 0]


def test_who_appears_in_the_middle_of_a_frame_is_no_receiver_of_it() -> None:
    """Row 1 comes with the motion at 100 ms: it gets the second packet only."""
    finished = simulate(
        FrozenFleet(x_m=[0.0, 50.0], enters_us=[0, 100_000], leaves_us=[10**9] * 2),
        application=ScheduledPackets([(99_900, 0), (150_000, 0)]),
        duration_s=0.2,
    )
    assert finished.tables["packets"]["n_intended"].tolist() == [0, 1]
    assert finished.outcomes.tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


def test_packets_too_late_are_dropped() -> None:
    """Five at once, AC_BE: each takes 352 µs and 110 at least; a budget of 400 µs serves one."""
    finished = simulate(
        PAIR, application=ScheduledPackets([(1_000 + k, 0) for k in range(5)], budget_us=400)
    )
    packets = finished.tables["packets"]
    assert packets["n_attempts"].tolist() == [1, 0, 0, 0, 0]
    assert finished.outcomes[Outcome.OUT_OF_BUDGET] == 4
    assert packets["n_intended"].tolist() == [1] * 5


def test_a_full_queue_drops_the_oldest() -> None:
    """The first is on air; of the other six the two youngest are kept."""
    finished = simulate(
        PAIR,
        access=Ieee80211pParams(queue_packets=2),
        application=ScheduledPackets([(1_000 + k, 0) for k in range(7)]),
    )
    assert finished.tables["packets"]["n_attempts"].tolist() == [1, 0, 0, 0, 0, 1, 1]


def test_warm_up_does_not_count() -> None:
    finished = simulate(
        PAIR,
        application=ScheduledPackets(every(10_000, 90, 5_000, 0)),
        warmup_s=0.5,
    )
    assert finished.outcomes.sum() == 40
    assert finished.tables["packets"]["generated_us"].min() >= 500_000


def test_gaps_are_those_of_transmissions() -> None:
    """Every 70 ms, heard each time: gaps of 70 ms, none but these."""
    finished = simulate(PAIR, application=ScheduledPackets(every(70_000, 14, 5_000, 0)))
    freshness = finished.tables["freshness"]
    gaps = freshness["quantity"] == 0
    assert freshness["value_ms"][gaps].tolist() == [70.0]
    assert freshness["n"][gaps].tolist() == [13]


def test_power_below_the_sensitivity_is_not_noticed() -> None:
    outcomes = [
        simulate(
            PAIR,
            application=ScheduledPackets([(1_000, 0)]),
            phy=PhyParams(sensitivity_dbm=limit),
            propagation=SteppedLoss({0.0: 105.0}),
        ).outcomes
        for limit in (-82.5, -81.5)
    ]
    assert outcomes[0][Outcome.RECEIVED] == outcomes[1][Outcome.BELOW_SENSITIVITY] == 1


class OnlyEvenSenders(CongestionControl):
    """Admits the packets of even rows."""

    def __init__(self, n_nodes: int) -> None:
        super().__init__(
            CongestionContext(
                n_nodes=n_nodes,
                slot_us=MEMORY_US,
                n_subchannels=MEMORY_US,
                grant_subchannels=AIR_US,
                period_ms=100,
                seed=1,
            )
        )
        self.forgotten: list[int] = []

    def admit(
        self, slot: int, transmissions: SlotTransmissions, dropped: NDArray[np.int32]
    ) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        even = transmissions["node"] % 2 == 0
        super().admit(slot, transmissions[even], dropped)
        return transmissions[even], transmissions["packet"][~even]

    def forget(self, node: int) -> None:
        super().forget(node)
        self.forgotten.append(node)


def test_admission_is_a_gatekeeper_before_the_queues() -> None:
    """What is turned away counts as out of budget; the occupancy is the time on air."""
    control = OnlyEvenSenders(2)
    plan = [(1_000 + 20_000 * k + 5_000 * row, row) for k in range(50) for row in (0, 1)]
    finished = simulate(PAIR, application=ScheduledPackets(plan), congestion=control)
    packets = finished.tables["packets"]
    assert np.array_equal(packets["n_attempts"], packets["tx_id"] == 0)
    assert finished.outcomes[Outcome.OUT_OF_BUDGET] == 50
    assert control.forgotten == [0, 1]
    last = finished.tables["congestion"]["cr"][-2:]
    assert last.tolist() == pytest.approx([50 * AIR_US / 1e6, 0.0], rel=1e-6)
