"""What congestion control and schedulers are told, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.access.congestion.base import ChannelView, CongestionContext, CongestionControl
from v2x.mobility.fleet import FleetState
from v2x.sim.recorder import RecordParams
from v2x.sim.simulation import Simulation

from ...simulation_parts import (
    FrozenFleet,
    ImmediateAccess,
    ImmediateParams,
    ScheduledPackets,
    build,
    every,
)

#: Row 0 sends each 10 ms; rows 1 to 3 stand 50, 100 and 200 m off.
FLEET = FrozenFleet(x_m=[0.0, 50.0, 100.0, 200.0])
PACKETS = ScheduledPackets(every(10_000, 100, 4_500, 0))


class Spy(CongestionControl):
    """Notes everything it is shown."""

    def __init__(self, n_nodes: int) -> None:
        super().__init__(
            CongestionContext(
                n_nodes=n_nodes,
                slot_us=1000,
                n_subchannels=5,
                grant_subchannels=1,
                period_ms=100,
                seed=1,
            )
        )
        self.seen: list[tuple[int, int, NDArray[np.float64], Any]] = []
        self.states: list[int] = []

    def observe(self, now_us: int, fleet: FleetState, channel: ChannelView) -> None:
        heard = channel.heard_within(100.5)
        self.seen.append((now_us, fleet.time_us, channel.busy_ratio(), heard))

    def take_state(self, slot: int) -> Any:
        self.states.append(slot)
        return super().take_state(slot)


@pytest.fixture
def spy() -> Spy:
    control = Spy(4)
    parts = build(FLEET, application=PACKETS, records=RecordParams(cbr_period_s=0.2))
    parts = replace(parts, congestion=control)
    Simulation(parts).run()
    table = parts.recorder.tables(0)["congestion"]
    assert np.unique(table["time_s"]).tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert table["node_id"].tolist() == [0, 1, 2, 3] * 5
    return control


def test_every_100_ms_before_motion(spy: Spy) -> None:
    """The fleet is still that of the tick that ends; state is taken with each CBR record."""
    assert [(now, of) for now, of, _, _ in spy.seen] == [
        (tick * 100_000, (tick - 1) * 100_000) for tick in range(1, 10)
    ]
    assert spy.states == [200, 400, 600, 800, 1000]


def test_busy_ratio_of_everybody(spy: Spy) -> None:
    """Ten of a hundred slots, one of five subchannels; the sender itself heard nothing."""
    for _, _, ratio, _ in spy.seen:
        assert ratio.tolist() == pytest.approx([0.0, 0.02, 0.02, 0.02])


def test_heard_within(spy: Spy) -> None:
    for now_us, _, _, heard in spy.seen:
        last = {
            (int(a), int(b)): int(slot)
            for a, b, slot in zip(heard.sender, heard.receiver, heard.last_slot, strict=True)
        }
        near = {(0, 1), (0, 2), (1, 2), (2, 3)}
        assert set(last) == near | {(b, a) for a, b in near}
        assert last[0, 1] == last[0, 2] == now_us // 1000 - 5
        assert last[1, 0] == last[1, 2] == -1


class Located(ImmediateAccess):
    """Notes the positions it is told."""

    Params = ImmediateParams
    told: list[list[float]]

    def locate(self, x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> None:
        self.told = [*getattr(self, "told", []), x_m.tolist()]
        assert y_m.tolist() == [3.0, 3.0]


def test_only_schedulers_are_told_positions() -> None:
    fleet = FrozenFleet(x_m=[0.0, 50.0], y_m=3.0, speed_mps=10.0)
    parts = build(fleet, technology=Located, duration_s=0.3)
    Simulation(parts).run()
    access: Any = parts.access
    np.testing.assert_allclose(access.told, [[0.0, 50.0], [1.0, 51.0], [2.0, 52.0]])
