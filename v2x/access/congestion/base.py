"""What congestion control is: it measures, holds messages back, or keeps packets off the air.

A control acts at one of two places and nowhere else. *Rate* controls decide when the next
message is generated (:meth:`CongestionControl.release`, asked by
:class:`v2x.applications.rate_control.RateControlled`). *Admission* controls decide whether a
packet that is due goes on air (:meth:`CongestionControl.admit`, asked by
:class:`~v2x.access.congestion.controlled_access.ControlledAccess`). Neither the application nor
the access technology knows of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from v2x.access.base import SlotTransmissions
from v2x.access.congestion.occupancy import ChannelOccupancy
from v2x.mobility.fleet import FleetState
from v2x.units import US_PER_S

#: Time between two measurements of the channel busy ratio [µs] (TS 36.214 5.1.30).
OBSERVATION_US = 100_000


@dataclass(frozen=True, slots=True)
class HeardLinks:
    """Who last heard whom, one row per directed link.

    Attributes
    ----------
    sender, receiver : (n_links,) int32
        Rows of the fleet.
    last_slot : (n_links,) int32
        Slot in which `receiver` last decoded something of `sender`, -1 for never.
    """

    sender: NDArray[np.int32]
    receiver: NDArray[np.int32]
    last_slot: NDArray[np.int32]


class ChannelView(Protocol):
    """What nodes can measure; computed only when asked for."""

    def busy_ratio(self) -> NDArray[np.float64]:
        """Return the CBR of each node over the last 100 ms, NaN where nothing was measured."""

    def heard_within(self, range_m: float) -> HeardLinks:
        """Return the links not longer than `range_m` [m]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CongestionContext:
    """What a control is built from, besides its own parameters.

    Attributes
    ----------
    n_nodes
        Rows of the fleet, roadside units included.
    slot_us
        Length of a slot [µs].
    n_subchannels
        Subchannels of the pool.
    grant_subchannels
        Subchannels that one transmission occupies.
    period_ms
        Nominal period of the applications [ms]; no control makes them faster.
    seed
        Seed of the run.
    tx_power_dbm
        Transmit power of the run [dBm]; None where no transmission can have another one.
    mcs
        MCS of the run.
    widths
        Subchannels that the largest packet needs, by sidelink process (what recurs, what goes
        once), and for each by steps of the MCS above that of the run, 0 the first; empty where
        no transmission can have another MCS.
    """

    n_nodes: int
    slot_us: int
    n_subchannels: int
    grant_subchannels: int
    period_ms: int
    seed: int
    tx_power_dbm: float | None = None
    mcs: int = 0
    widths: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ControlState:
    """What a control does at one moment, one row per node.

    Attributes
    ----------
    cr : (n_nodes,) float64
        Channel occupancy ratio over the last second (TS 36.214 5.1.31).
    interval_ms : (n_nodes,) float64
        Least time between two messages [ms], NaN if the control sets none.
    n_offered, n_suppressed : (n_nodes,) int64
        Messages the control was asked about since the last state, and those it held back.
    n_adapted : (n_nodes,) int64
        Messages that went since then with another MCS and width than their grants have.
    power_dbm : (n_nodes,) float64
        Transmit power [dBm], NaN where the control does not set it.
    """

    cr: NDArray[np.float64]
    interval_ms: NDArray[np.float64]
    n_offered: NDArray[np.int64]
    n_suppressed: NDArray[np.int64]
    n_adapted: NDArray[np.int64]
    power_dbm: NDArray[np.float64]


class CongestionControl:
    """Counts what every node occupies and holds nothing back; strategies refine it.

    A strategy is a class with a ``Params`` attribute, built by ``Control(params, context)``.

    Attributes
    ----------
    heard_range_m : float
        Range within which the control counts neighbours [m]; 0 if it does not.
    n_raised : int
        Most steps by which it raises the MCS of a transmission.
    """

    Params: ClassVar[type[Any]]

    def __init__(self, context: CongestionContext) -> None:
        n = context.n_nodes
        self.heard_range_m = 0.0
        self.n_raised = 0
        self._occupancy = ChannelOccupancy(n, US_PER_S // context.slot_us, context.n_subchannels)
        self._n_offered = np.zeros(n, dtype=np.int64)
        self._n_suppressed = np.zeros(n, dtype=np.int64)
        self._n_adapted = np.zeros(n, dtype=np.int64)

    def observe(self, now_us: int, fleet: FleetState, channel: ChannelView) -> None:
        """Measure; called every 100 ms, before road users move."""

    def release(
        self, generated_us: NDArray[np.int64], row: NDArray[np.int32], fleet: FleetState
    ) -> NDArray[np.int64]:
        """Return when messages that are due may be generated.

        Parameters
        ----------
        generated_us : (n,) int64
            When the application would generate them [µs].
        row : (n,) int32
            Senders, none twice.
        fleet
            Where the senders are.

        Returns
        -------
        (n,) int64
            Generation times, not earlier [µs]; -1 for messages that are not generated.
        """
        return generated_us

    def admit(
        self, slot: int, transmissions: SlotTransmissions, dropped: NDArray[np.int32]
    ) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        """Return what of `transmissions` goes on air in `slot`, and the packets dropped."""
        self._occupancy.add(slot, transmissions)
        return transmissions, dropped

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""
        self._occupancy.forget(node)
        self._n_offered[node] = self._n_suppressed[node] = self._n_adapted[node] = 0

    def interval_ms(self) -> NDArray[np.float64]:
        """Return the least time between two messages of each node [ms], NaN without one."""
        return np.full(len(self._n_offered), np.nan)

    def power_dbm(self) -> NDArray[np.float64]:
        """Return the transmit power of each node [dBm], NaN where it is that of the run."""
        return np.full(len(self._n_offered), np.nan)

    def take_state(self, slot: int) -> ControlState:
        """Return the state at the start of `slot` and begin to count messages anew."""
        state = ControlState(
            self._occupancy.ratio(slot),
            self.interval_ms(),
            self._n_offered.copy(),
            self._n_suppressed.copy(),
            self._n_adapted.copy(),
            self.power_dbm(),
        )
        self._n_offered[:] = 0
        self._n_suppressed[:] = 0
        self._n_adapted[:] = 0
        return state

    def _count(self, row: NDArray[np.int32], suppressed: NDArray[np.bool_]) -> None:
        """Count messages by their sender (rows unique)."""
        self._n_offered[row] += 1
        self._n_suppressed[row] += suppressed


@dataclass(frozen=True, slots=True, kw_only=True)
class NoControlParams:
    """No congestion control has no parameters."""


class NoControl(CongestionControl):
    """Everybody says what the applications want, whatever the load."""

    Params = NoControlParams

    def __init__(self, params: NoControlParams, context: CongestionContext) -> None:
        super().__init__(context)
