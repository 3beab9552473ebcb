"""Rate controls that keep a least time between the messages of a node."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.access.congestion.base import CongestionContext, CongestionControl
from v2x.mobility.fleet import FleetState
from v2x.units import US_PER_MS

#: Long before every run: whoever has sent nothing yet may send at once [µs].
NEVER_US = -(2**60)


class IntervalControl(CongestionControl):
    """A gate per node that opens a given time after its last message.

    A message that comes while the gate is closed waits for it if the gate opens before the
    application's next one would come, and is then generated with the contents of that
    time; otherwise it is not generated at all. The interval in force when the message was due
    counts.

    Attributes
    ----------
    interval_us : (n_nodes,) int64
        Least time between two messages [µs].
    cbr : (n_nodes,) float64
        Last CBR that each node measured; 0 before the first.
    """

    def __init__(self, context: CongestionContext) -> None:
        super().__init__(context)
        self._period_us = context.period_ms * US_PER_MS
        self.interval_us = np.zeros(context.n_nodes, dtype=np.int64)
        self.cbr = np.zeros(context.n_nodes)
        self._last_us = np.full(context.n_nodes, NEVER_US, dtype=np.int64)

    def release(
        self, generated_us: NDArray[np.int64], row: NDArray[np.int32], fleet: FleetState
    ) -> NDArray[np.int64]:
        """Return when messages that are due may be generated, -1 for never."""
        opens_us = np.maximum(generated_us, self._last_us[row] + self.interval_us[row])
        closed = opens_us - generated_us >= self._period_us
        self._count(row, closed)
        sent = row[~closed]
        self._last_us[sent] = opens_us[~closed]
        self._note_sent(sent)
        return np.where(closed, -1, opens_us)

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""
        super().forget(node)
        self._last_us[node] = NEVER_US
        self.cbr[node] = 0.0

    def interval_ms(self) -> NDArray[np.float64]:
        """Return the least time between two messages of each node [ms]."""
        return np.asarray(self.interval_us / US_PER_MS)

    def _note_sent(self, row: NDArray[np.int32]) -> None:
        """Learn which nodes generate a message."""

    def _take_busy_ratio(self, measured: NDArray[np.float64]) -> None:
        """Keep what was measured; a node that measured nothing keeps its former value."""
        np.copyto(self.cbr, measured, where=np.isfinite(measured))
