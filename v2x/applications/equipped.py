"""Who has a device, and that the others say nothing."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.applications.base import Application, ApplicationFilter, PacketBatch
from v2x.mobility.fleet import FleetState, NodeKind


class Equipment:
    """Draws who has a device, by stable id.

    Parameters
    ----------
    share
        Share of vehicles with one.
    seed
        Seed of the run. With another share the same draws are made: who has a device at 30 %
        has one at 60 %.
    """

    def __init__(self, share: float, seed: int) -> None:
        self._share, self._key = share, rng.key32(seed, "equipment")

    def of(self, fleet: FleetState) -> NDArray[np.bool_]:
        """Return who has a device, (n_rows,); walkers and roadside units always have one."""
        drawn = rng.uniform_by_id(self._key, fleet.id, 0) < self._share
        return np.asarray(fleet.active & (drawn | (fleet.kind > NodeKind.BUS)))


class EquippedOnly(ApplicationFilter):
    """Lets only those say something who have a device.

    Parameters
    ----------
    application
        Says it.
    equipment
        Who has one.
    """

    def __init__(self, application: Application, equipment: Equipment) -> None:
        super().__init__(application)
        self._equipment = equipment

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us), asked for without gaps."""
        batch = self._application.packets(start_us, end_us, fleet)
        said = self._equipment.of(fleet)[batch.tx_row]
        columns = {item.name: getattr(batch, item.name)[said] for item in fields(PacketBatch)}
        return PacketBatch(**columns)
