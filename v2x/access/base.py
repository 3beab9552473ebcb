"""What an access technology promises: it decides who transmits where, slot by slot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from v2x.phy.sensing_history import SensingHistory
from v2x.phy.sidelink_pool import SidelinkPool

#: One transport block on air, a row of :data:`SlotTransmissions`. The kernels read rows of
#: exactly this layout.
TRANSMISSION = np.dtype(
    [
        ("node", np.int32),  # transmitting row of the fleet
        ("packet", np.int32),  # row of the packet table
        ("first_subchannel", np.int32),
        ("n_subchannels", np.int32),
        ("attempt", np.int32),  # 0 for the initial transmission, then 1, 2, ...
        ("n_attempts", np.int32),  # how many there will be
        ("reservation_ms", np.int32),  # announced in the SCI, 0 for none
        ("priority", np.int32),  # 1 to 8, 1 is served first
        ("gap_slots", np.int32),  # slots to the other attempt, 0 for none
        ("other_subchannel", np.int32),  # first subchannel of the other attempt
        ("gap2_slots", np.int32),  # slots to a further attempt after that, 0 for none
        ("other2_subchannel", np.int32),  # its first subchannel
        ("process", np.int32),  # of the node: 0 for what recurs, 1 for what goes once
        ("mcs_raise", np.int32),  # steps of its MCS above that of the run
        ("power_offset_db", np.float32),  # its power over that of the run [dB]
    ]
)

#: Everything on air in one slot: (n_tx,) of :data:`TRANSMISSION`, ascending by node.
SlotTransmissions = NDArray[np.void]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessContext:
    """What an access technology is built from, besides its own parameters.

    Attributes
    ----------
    n_nodes
        Rows of the fleet.
    pool
        The resource pool, as the technology's parameters describe it.
    history
        What every node measured; written by the medium, only read here.
    noise_mw
        S-RSSI of an idle subchannel [mW].
    grant_subchannels
        Subchannels that hold the largest packet of the applications.
    period_ms
        Nominal period of the applications [ms].
    seed
        Seed of the run.
    wrap_length_m
        Period of the map in x [m], 0 without; for a technology that is told positions.
    event_subchannels
        Subchannels that hold the largest packet of an event; None if there are no events.
    sites_m
        Positions of "roadside" units and of the base stations of "cells", (2, n_sites) each [m];
        for a technology whose schedulers stand there.
    """

    n_nodes: int
    pool: SidelinkPool
    history: SensingHistory
    noise_mw: float
    grant_subchannels: int
    period_ms: int
    seed: int
    wrap_length_m: float = 0.0
    event_subchannels: int | None = None
    sites_m: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


class AccessParams(Protocol):
    """Parameters of an access technology, a frozen dataclass."""

    def resource_pool(self) -> SidelinkPool:
        """Return the pool that the parameters describe."""

    @property
    def sensing_window_ms(self) -> int:
        """How far back the technology looks [ms]."""


class AccessTechnology(Protocol):
    """Decides who transmits where; never sees positions or path loss.

    A technology is a class with a ``Params`` attribute (:class:`AccessParams`) and is built by
    ``Technology(params, context)``. Packets it will never send are returned, not forgotten:
    each packet is either in the transmissions of a later slot or among the dropped ones.
    """

    Params: type[Any]

    def bind(self, identity: NDArray[np.uint32]) -> None:
        """Take the hash word of each node's identity, shape (n_nodes,); it may change later."""

    def enqueue(self, slot: int, node: int, packet: int, deadline_slot: int, priority: int) -> int:
        """Accept a packet that may start in `slot` at the earliest.

        Returns
        -------
        int
            The older packet of the node that this one replaces, or -1.
        """

    def transmissions(self, slot: int) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        """Return what goes on air in `slot`, and the packets dropped instead."""

    def next_active(self, slot: int, limit: int) -> int:
        """Return the first slot in [slot, limit) that needs attention, or `limit`."""

    def forget(self, node: int) -> int:
        """Clear the state of a node that left; returns a packet that waited.

        It is called again until it returns -1.
        """


class EventAccess(AccessTechnology, Protocol):
    """A technology that sends packets of events beside those that recur.

    Others get such packets by ``enqueue``, where they push out one that waits.
    """

    def enqueue_once(
        self, slot: int, node: int, packet: int, deadline_slot: int, priority: int
    ) -> int:
        """Accept the packet of an event, which has no successor; otherwise as ``enqueue``."""


class SelectiveAccess(AccessTechnology, Protocol):
    """A technology that treats kinds of nodes differently, and counts what sensing costs them."""

    def classify(self, kind: NDArray[np.int32]) -> None:
        """Take the :class:`NodeKind` of each node, shape (n_nodes,), at every mobility tick."""

    def take_monitored(self, slot: int) -> tuple[int, NDArray[np.int64]]:
        """Return the slots since the last call, and in how many each node had to listen."""


class FeedbackAccess(AccessTechnology, Protocol):
    """A technology whose retransmissions depend on feedback.

    Its parameters have a method ``feedback_design()`` that returns a
    :class:`~v2x.phy.nr.psfch.PsfchDesign`, or None if all retransmissions are blind.
    """

    def settle(self, verdicts: NDArray[np.int32]) -> NDArray[np.int32]:
        """Take the conclusions of nodes from the feedback on their packets.

        Parameters
        ----------
        verdicts : (n, 3) int32
            Node, packet, and whether the packet counts as received.

        Returns
        -------
        (n,) int32
            Reserved transmissions that are released because the packet ends here, or -1 if it
            goes on or has none to come.
        """


class LocatedAccess(AccessTechnology, Protocol):
    """A technology with a scheduler that knows where everybody is.

    The autonomous ones have no such method and never see positions.
    """

    def locate(self, x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> None:
        """Take the positions of all nodes [m], shape (n_nodes,) each, at every mobility tick."""
