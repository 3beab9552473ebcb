"""What the last rows of a fleet say, beside what the others say."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from v2x.applications.base import Application, PacketBatch
from v2x.mobility.fleet import FleetState
from v2x.mobility.joined import only_last, without_last


class JoinedMessages:
    """Keeps an application to the first rows of the fleet, and gives the last one of their own.

    Parameters
    ----------
    application
        Of the first rows; it never sees the others.
    own
        Of the last rows; None if they only listen. It must not send more often than
        `application`, whose period everybody's reservations have.
    n_last
        How many rows are the last.
    """

    def __init__(self, application: Application, own: Application | None, n_last: int) -> None:
        self._application, self._own, self._n_last = application, own, n_last

    @property
    def sizes_bytes(self) -> tuple[int, ...]:
        """Every size anybody may send [byte]."""
        sizes = set(self._application.sizes_bytes)
        if self._own is not None:
            sizes |= set(self._own.sizes_bytes)
        return tuple(sorted(sizes))

    @property
    def period_ms(self) -> int:
        """Nominal period of the packets of the first rows [ms]."""
        return self._application.period_ms

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us), asked for without gaps."""
        batch = self._application.packets(start_us, end_us, without_last(fleet, self._n_last))
        if self._own is None:
            return batch
        own = self._own.packets(start_us, end_us, only_last(fleet, self._n_last))
        first_row = np.int32(fleet.n_rows - self._n_last)
        columns = {
            item.name: np.concatenate([getattr(batch, item.name), getattr(own, item.name)])
            for item in fields(PacketBatch)
        }
        columns["tx_row"][len(batch) :] += first_row
        order = np.lexsort((columns["tx_row"], columns["generated_us"]))
        return PacketBatch(**{name: column[order] for name, column in columns.items()})
