"""What is remembered and counted of each link, whatever the medium that fills it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x._kernels.link_memory import count_known, count_states, sample_ages
from v2x.access.congestion.base import HeardLinks
from v2x.channel.law_tables import LINK_CODES
from v2x.channel.link_table import LinkTable
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.perception.ldm import Heard
from v2x.records.tables import N_DIRECTIONS, N_OUTCOMES
from v2x.sim.clock import first_slot_from, to_us
from v2x.sim.fates import NOTHING, FateMemory
from v2x.sim.neighbours import NeighbourRoads
from v2x.sim.recorder import RecordParams

#: Figures of :meth:`LinkMemory.known` in each distance bin.
N_KNOWN = 5
#: Flags of nodes in the kernels.
_COUNTED, _ROADSIDE = 1, 2
#: Longest inter-packet gap and age that histograms resolve [ms]; the last bin is open.
LONGEST_GAP_MS = 10_000


@dataclass(frozen=True, slots=True)
class MediumCounts:
    """Counters that the medium fills and the recorder reads and clears.

    Attributes
    ----------
    outcomes : (n_directions, n_bins, n_outcomes) int64
        Packets at intended receivers by direction, distance bin and outcome.
    gaps_ms, ages_ms : (LONGEST_GAP_MS + 1,) int64
        Inter-packet gaps and ages of information by millisecond.
    """

    outcomes: NDArray[np.int64]
    gaps_ms: NDArray[np.int64]
    ages_ms: NDArray[np.int64]


class LinkMemory(ABC):
    """Who last heard whom over which link, and what has been counted of it.

    A medium inherits it and hands its arrays to the kernel that receives.

    Parameters
    ----------
    links
        The links; they carry the memory.
    records
        Which distances are counted.
    n_nodes
        Rows of the fleet.
    slot_us
        Unit of ``last_slot`` [µs].
    counted_from_us
        Packets generated earlier belong to the warm-up [µs].
    fates
        Where what became of the last packets is remembered; None if it is not. Column ``fates``
        of the links has the words.
    """

    def __init__(
        self,
        links: LinkTable,
        records: RecordParams,
        *,
        n_nodes: int,
        slot_us: int,
        counted_from_us: int,
        fates: FateMemory | None = None,
    ) -> None:
        self._links, self._records = links, records
        self._slot_us, self._counted_from_us = slot_us, counted_from_us
        n_bins = round(records.max_distance_m / records.bin_width_m)
        self.counts = MediumCounts(
            np.zeros((N_DIRECTIONS, n_bins, N_OUTCOMES), dtype=np.int64),
            np.zeros(LONGEST_GAP_MS + 1, dtype=np.int64),
            np.zeros(LONGEST_GAP_MS + 1, dtype=np.int64),
        )
        self.identity = np.zeros(n_nodes, dtype=np.uint32)
        self._flags: NDArray[np.uint8] = np.zeros(n_nodes, dtype=np.uint8)
        links.add_column("last_slot", np.int32, -1)
        links.add_column("last_generated", np.int64, 0)
        self._fates = fates
        if fates is not None:
            links.add_column("fates", np.uint64, NOTHING)

    @abstractmethod
    def move(self, fleet: FleetState, counted: NDArray[np.bool_]) -> None:
        """Bring the links to the positions of `fleet`; `counted` rows enter the statistics."""

    @abstractmethod
    def take_packets(self) -> None:
        """Follow the packet log after it has grown."""

    @abstractmethod
    def take_deliveries(self) -> NDArray[np.int64]:
        """Return who decoded packets with a topic other than a state since the last call.

        Returns
        -------
        (n, 3) int64
            Packet, row of the receiver, and slot, in the order of slots; each packet and receiver
            once, after the first transmission that was decoded. A receiver is anybody in range
            for whom the packet is meant, counted or not; rows are those of the time, so ask before
            others take them. Without slots, that in which the frame ended.
        """

    @abstractmethod
    def drop(self, node: int, packet: int) -> None:
        """Count a packet that was never sent at the receivers it was meant for."""

    @abstractmethod
    def busy_ratio(self, slot: int, nodes: NDArray[np.bool_], ratio: NDArray[np.float64]) -> None:
        """Fill `ratio` with the CBR of `nodes` over the 100 ms before `slot`, NaN elsewhere.

        Parameters
        ----------
        slot
            First slot that does not count.
        nodes : (n_nodes,) bool
            Who measures.
        ratio : (n_nodes,) float64
            The channel busy ratio, NaN too where nothing could be measured.
        """

    def _follow(self, fleet: FleetState, counted: NDArray[np.bool_]) -> None:
        """Bring nodes and links to the positions of `fleet`."""
        identity = fleet.id.astype(np.uint32)
        if self._fates is not None:
            self._fates.follow(self._links, self.identity, identity, fleet.time_us)
        self.identity[:] = identity
        self._flags[:] = counted * _COUNTED + (fleet.kind == NodeKind.RSU) * _ROADSIDE
        self._links.update(fleet)

    def _sample_ages(self, time_us: int) -> None:
        """Count the age of what is known at `time_us`."""
        links = self._links
        sample_ages(
            links.row_start,
            links.neighbour,
            links.distance,
            self._flags,
            self._records.awareness_range_m,
            time_us,
            time_us >= self._counted_from_us,
            links.column("last_slot"),
            links.column("last_generated"),
            self.counts.ages_ms,
        )

    def known(self, now_us: int, fleet: FleetState, roads: NeighbourRoads) -> NDArray[np.int64]:
        """Count who knows of whom within the awareness range.

        Parameters
        ----------
        now_us
            Time [µs]; what was heard ``known_within_s`` before it or later is known.
        fleet
            Where everybody is.
        roads
            On which roads, and what roadside units tell.

        Returns
        -------
        (n_bins, N_KNOWN) int64
            The columns ``n_...`` of table ``awareness``, by distance bin.
        """
        links, records = self._links, self._records
        n = len(self._flags)
        known = np.zeros(
            (math.ceil(records.awareness_range_m / records.bin_width_m - 1e-9), N_KNOWN),
            dtype=np.int64,
        )
        count_known(
            links.row_start,
            links.neighbour,
            links.distance,
            self._flags,
            links.column("last_slot"),
            *roads.of(fleet),
            roads.routes.start,
            roads.routes.node,
            roads.routes.length_m,
            records.awareness_range_m,
            records.bin_width_m,
            first_slot_from(now_us - to_us(records.known_within_s), self._slot_us),
            roads.relay,
            roads.linked,
            np.zeros(n, dtype=np.int32),
            np.zeros(n, dtype=np.uint8),
            known,
        )
        return known

    def heard_within(self, range_m: float) -> HeardLinks:
        """Return the links not longer than `range_m` [m], at most the awareness range."""
        links = self._links
        near = np.flatnonzero(links.distance <= range_m)
        sender = np.searchsorted(links.row_start, near, side="right") - 1
        return HeardLinks(
            sender.astype(np.int32), links.neighbour[near], links.column("last_slot")[near]
        )

    def newest_states(self, range_m: float) -> Heard:
        """Return when the newest state message over each link up to `range_m` [m] was generated.

        The time is -1 where nothing was heard, as over links longer than the awareness range.
        """
        links = self._links
        near = np.flatnonzero(links.distance <= range_m)
        sender = np.searchsorted(links.row_start, near, side="right") - 1
        generated_us = np.where(
            links.column("last_slot")[near] >= 0, links.column("last_generated")[near], -1
        )
        return Heard(sender.astype(np.int32), links.neighbour[near], generated_us)

    def link_states(self) -> NDArray[np.int64]:
        """Count links within the evaluated distance by :class:`LinkState`, shape (n_states,)."""
        by_code = np.zeros(len(LINK_CODES), dtype=np.int64)
        count_states(
            self._links.row_start,
            self._links.code,
            self._links.distance,
            self._records.max_distance_m,
            by_code,
        )
        return np.bincount(LINK_CODES, weights=by_code).astype(np.int64)
