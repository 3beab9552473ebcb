"""Which node selects in which way, and which selections wait for something to be heard."""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from v2x.access.nr.params import NrMode2Params, Selection
from v2x.access.nr.partial_sensing import (
    FullSensing,
    MonitoredSlots,
    PartialSensing,
    Plan,
    RandomSelection,
    SelectionScheme,
    SensingTiming,
)
from v2x.mobility.fleet import NodeKind


class Postponed(NamedTuple):
    """A selection that is made later: of which node, among what, and of which priority."""

    node: int
    plan: Plan
    priority: int


class SelectionByKind:
    """The selection schemes of all nodes, and what they listened to.

    Parameters
    ----------
    vehicles, vrus
        Scheme of VRUs, and of everybody else.
    n_nodes, ring
        Rows of the fleet, and length of the sensing history.

    Attributes
    ----------
    in_part : (n_nodes,) uint8
        1 for nodes that know only what they monitored.
    monitored
        What that is.
    """

    def __init__(
        self, vehicles: SelectionScheme, vrus: SelectionScheme, n_nodes: int, ring: int
    ) -> None:
        self._vehicles, self._vrus = vehicles, vrus
        self._is_vru = np.zeros(n_nodes, dtype=np.bool_)
        self.in_part: NDArray[np.uint8] = np.full(n_nodes, vehicles.in_part, dtype=np.uint8)
        some = vehicles.in_part or vrus.in_part
        self.monitored = MonitoredSlots(n_nodes, ring) if some else None
        self._postponed: dict[int, Postponed] = {}
        self._due: list[tuple[int, int]] = []
        self._since = 0

    def classify(self, kind: NDArray[np.int32]) -> None:
        """Take the :class:`NodeKind` of each node, shape (n_nodes,)."""
        self._is_vru = kind == NodeKind.VRU
        self.in_part[:] = np.where(self._is_vru, self._vrus.in_part, self._vehicles.in_part)

    def of(self, node: int) -> SelectionScheme:
        """Return the scheme of a node."""
        return self._vrus if self._is_vru[node] else self._vehicles

    def listen(self, node: int, slots: NDArray[np.int32]) -> None:
        """Note that a node listened in `slots`; of nodes that always do, nothing is noted."""
        if self.monitored is not None and len(slots):
            self.monitored.listen(node, slots)

    def postpone(self, node: int, plan: Plan, priority: int) -> None:
        """Keep a selection for its slot; it replaces an earlier one of the node."""
        self._postponed[node] = Postponed(node, plan, priority)
        heapq.heappush(self._due, (plan.decide, node))

    def cancel(self, node: int) -> None:
        """Give up the selection of a node that waits, if there is one."""
        self._postponed.pop(node, None)

    def due(self, slot: int) -> list[Postponed]:
        """Return the selections to be made by `slot`, in the order of slots and nodes."""
        ready = []
        while self._due and self._due[0][0] <= slot:
            decide, node = heapq.heappop(self._due)
            waiting = self._postponed.get(node)
            if waiting is not None and waiting.plan.decide == decide:
                ready.append(self._postponed.pop(node))
        return ready

    def next_due(self, limit: int) -> int:
        """Return the slot of the next selection that waits, at most `limit`."""
        return min(self._due[0][0], limit) if self._due else limit

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""
        self.cancel(node)
        if self.monitored is not None:
            self.monitored.forget(node)

    def take_monitored(self, slot: int) -> tuple[int, NDArray[np.int64]]:
        """Return how many slots have passed since the last call, and in how many each listened.

        Returns
        -------
        n_slots : int
            Slots up to `slot`, which does not count.
        n_monitored : (n_nodes,) int64
            Of these, slots in which sensing needs the receiver: all without partial sensing.
        """
        n_slots, self._since = slot - self._since, slot
        n_monitored = np.full(len(self.in_part), n_slots, dtype=np.int64)
        if self.monitored is not None:
            n_monitored = np.where(self.in_part, self.monitored.n, n_monitored)
            self.monitored.n[:] = 0
        return n_slots, n_monitored


def selection_by_kind(
    params: NrMode2Params, timing: SensingTiming, *, n_nodes: int, ring: int, key: int
) -> SelectionByKind:
    """Return the schemes that parameters ask for.

    Parameters
    ----------
    params
        Of mode 2.
    timing
        Times of its pool.
    n_nodes, ring
        Rows of the fleet, and length of the sensing history.
    key
        Hash key of the places of candidate slots.
    """
    schemes: dict[Selection, SelectionScheme] = {
        "full": FullSensing(),
        "partial": PartialSensing(params.partial, timing, key=key),
        "random": RandomSelection(),
    }
    return SelectionByKind(schemes[params.selection], schemes[params.vru_selection], n_nodes, ring)
