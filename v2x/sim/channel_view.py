"""What nodes measure of the channel, for records and for congestion control."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x._kernels.sensing import busy_ratio
from v2x.access.congestion.base import HeardLinks
from v2x.mobility.fleet import FleetState
from v2x.phy.sensing_history import SensingHistory
from v2x.sim.link_memory import LinkMemory
from v2x.units import US_PER_MS

#: Time over which the channel busy ratio is measured [ms] (TS 36.214 5.1.30).
CBR_WINDOW_MS = 100
#: S-RSSI above which a subchannel is busy [mW]: -94 dBm, threshS-RSSI-CBR index 9.
CBR_THRESHOLD_MW = 10.0 ** (-94.0 / 10.0)


def measure_busy_ratio(
    history: SensingHistory,
    slot: int,
    slot_us: int,
    nodes: NDArray[np.bool_],
    ratio: NDArray[np.float64],
) -> None:
    """Fill `ratio` with the CBR of `nodes` over the 100 ms before `slot`, NaN elsewhere.

    Parameters
    ----------
    history
        What everybody received.
    slot, slot_us
        First slot that does not count; length of a slot [µs].
    nodes : (n_nodes,) bool
        Who measures.
    ratio : (n_nodes,) float64
        The channel busy ratio.
    """
    busy_ratio(
        history.words,
        history.powers,
        slot,
        CBR_WINDOW_MS * US_PER_MS // slot_us,
        CBR_THRESHOLD_MW,
        nodes.view(np.uint8),
        ratio,
    )


@dataclass(frozen=True, slots=True)
class ChannelMeasurement:
    """The channel as all road users see it at the start of a slot.

    Attributes
    ----------
    medium, fleet
        What was received over which links, and by whom.
    slot
        The slot.
    """

    medium: LinkMemory
    fleet: FleetState
    slot: int

    def busy_ratio(self) -> NDArray[np.float64]:
        """Return the CBR of each node over the last 100 ms, NaN where nothing was measured."""
        ratio = np.zeros(self.fleet.n_rows)
        self.medium.busy_ratio(self.slot, self.fleet.active, ratio)
        return ratio

    def heard_within(self, range_m: float) -> HeardLinks:
        """Return the links not longer than `range_m` [m]."""
        return self.medium.heard_within(range_m)
