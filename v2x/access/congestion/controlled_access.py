"""An access technology whose packets a congestion control admits or drops."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.access.base import AccessTechnology, SlotTransmissions
from v2x.access.congestion.base import CongestionControl


class ControlledAccess:
    """Lets a control see, and cut, what an access technology puts on air.

    Everything else, methods that only some technologies have included, goes straight to the
    technology.

    Parameters
    ----------
    access
        Chooses resources.
    control
        Decides what of it is sent.
    """

    def __init__(self, access: AccessTechnology, control: CongestionControl) -> None:
        self.Params = access.Params
        self._access = access
        self._control = control

    def __getattr__(self, name: str) -> Any:
        """Return what the technology itself has under `name`."""
        return getattr(self._access, name)

    def bind(self, identity: NDArray[np.uint32]) -> None:
        """Take the hash word of each node's identity."""
        self._access.bind(identity)

    def enqueue(self, slot: int, node: int, packet: int, deadline_slot: int, priority: int) -> int:
        """Accept a packet; see :meth:`AccessTechnology.enqueue`."""
        return self._access.enqueue(slot, node, packet, deadline_slot, priority)

    def transmissions(self, slot: int) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        """Return what goes on air in `slot`, and the packets dropped instead."""
        return self._control.admit(slot, *self._access.transmissions(slot))

    def next_active(self, slot: int, limit: int) -> int:
        """Return the first slot in [slot, limit) that needs attention, or `limit`."""
        return self._access.next_active(slot, limit)

    def forget(self, node: int) -> int:
        """Clear all state of a node that left; returns its waiting packet, or -1."""
        self._control.forget(node)
        return self._access.forget(node)
