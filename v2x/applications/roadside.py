"""What roadside units say, beside what road users say."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from v2x.applications.base import Application, PacketBatch
from v2x.mobility.fleet import FleetState
from v2x.mobility.roadside import only_roadside, without_roadside


class WithRoadsideMessages:
    """Keeps an application to the road users, and gives roadside units one of their own.

    Parameters
    ----------
    application
        Of the road users; it never sees roadside units.
    roadside
        Of the roadside units; None if they only listen. It must not send more often than
        `application`, whose period everybody's reservations have.
    n_sites
        Roadside units, the last rows of the fleet.
    """

    def __init__(
        self, application: Application, roadside: Application | None, n_sites: int
    ) -> None:
        self._application, self._roadside, self._n_sites = application, roadside, n_sites

    @property
    def sizes_bytes(self) -> tuple[int, ...]:
        """Every size anybody may send [byte]."""
        sizes = set(self._application.sizes_bytes)
        if self._roadside is not None:
            sizes |= set(self._roadside.sizes_bytes)
        return tuple(sorted(sizes))

    @property
    def period_ms(self) -> int:
        """Nominal period of the road users' packets [ms]."""
        return self._application.period_ms

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us), asked for without gaps."""
        batch = self._application.packets(start_us, end_us, without_roadside(fleet, self._n_sites))
        if self._roadside is None:
            return batch
        own = self._roadside.packets(start_us, end_us, only_roadside(fleet, self._n_sites))
        first_row = np.int32(fleet.n_rows - self._n_sites)
        columns = {
            item.name: np.concatenate([getattr(batch, item.name), getattr(own, item.name)])
            for item in fields(PacketBatch)
        }
        columns["tx_row"][len(batch) :] += first_row
        order = np.lexsort((columns["tx_row"], columns["generated_us"]))
        return PacketBatch(**{name: column[order] for name, column in columns.items()})
