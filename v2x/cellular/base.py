"""What a way through the network promises: it carries the packets of a tick, and reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState

BoolArray = NDArray[np.bool_]


class Network(Protocol):
    """Carries packets beside the sidelink; nothing it does changes what the sidelink does."""

    def carry(
        self,
        fleet: FleetState,
        counted: BoolArray,
        tx_row: NDArray[np.int32],
        generated_us: NDArray[np.int64],
        size_bytes: NDArray[np.int32],
    ) -> None:
        """Carry the packets generated in the tick that begins with `fleet`.

        Parameters
        ----------
        fleet
            Where everybody is.
        counted : (n_rows,) bool
            Rows that enter the statistics.
        tx_row, generated_us, size_bytes : (n_packets,)
            Sending row, generation time [µs] and size [byte] of each packet.
        """

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return what happened, as columns of the tables ``network...``."""
