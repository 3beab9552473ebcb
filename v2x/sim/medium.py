"""The shared medium: who hears what in a slot, and what is remembered and counted of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.reception import SlotReceiver, count_known, count_states, sample_ages
from v2x.access.base import SlotTransmissions
from v2x.access.congestion.base import HeardLinks
from v2x.channel.law_tables import LINK_CODES
from v2x.channel.link_table import LinkTable
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.phy.reception import ReceiverDesign
from v2x.phy.sensing_history import SensingHistory
from v2x.records.tables import N_DIRECTIONS, N_OUTCOMES
from v2x.sim.clock import first_slot_from, to_us
from v2x.sim.neighbours import NeighbourRoads
from v2x.sim.packet_log import PacketLog
from v2x.sim.recorder import RecordParams

#: Figures of :meth:`Medium.known` in each distance bin.
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


class Medium:
    """Receives the transmissions of each slot at every node in range.

    Owns the sensing history's writing end and all per-link memory of what was heard. The
    arithmetic is in the kernel :class:`SlotReceiver`.

    Parameters
    ----------
    design
        Powers, noise and error curves (:class:`ReceiverDesign`).
    links, history, packets
        Tables that it reads or writes.
    records
        Which distances are counted.
    counted_from_us
        Packets generated earlier belong to the warm-up [µs].
    seed
        Seed of the run.
    """

    def __init__(
        self,
        design: ReceiverDesign,
        links: LinkTable,
        history: SensingHistory,
        packets: PacketLog,
        records: RecordParams,
        *,
        counted_from_us: int,
        seed: int,
    ) -> None:
        n = history.n_nodes
        self._links, self._history, self._packets = links, history, packets
        self._records = records
        self._counted_from_us = counted_from_us
        self._slot_us = design.pool.slot_us
        self._packet_version = self._link_version = -1
        n_bins = round(records.max_distance_m / records.bin_width_m)
        self.counts = MediumCounts(
            np.zeros((N_DIRECTIONS, n_bins, N_OUTCOMES), dtype=np.int64),
            np.zeros(LONGEST_GAP_MS + 1, dtype=np.int64),
            np.zeros(LONGEST_GAP_MS + 1, dtype=np.int64),
        )
        self.identity = np.zeros(n, dtype=np.uint32)
        self._flags: NDArray[np.uint8] = np.zeros(n, dtype=np.uint8)
        self._id = np.full(n, -1, dtype=np.int64)
        self._time_us = 0
        links.add_column("last_slot", np.int32, -1)
        links.add_column("last_generated", np.int64, 0)
        links.add_column("soft", np.float32, 0.0)
        links.add_column("first_outcome", np.uint8, 2)
        data_rb, control_rb = design.pool.measured_rb
        self._receiver = SlotReceiver(
            n_subchannels=design.pool.n_subchannels,
            window=history.window,
            profile=design.profile.share,
            data_share=design.profile.data_share,
            control_share=design.profile.control_share,
            data_rb=data_rb,
            control_rb=control_rb,
            noise_mw=design.noise_mw_per_rb,
            sensitivity_mw=design.sensitivity_mw,
            power_mw=design.tx_power_mw,
            curves=design.curves,
            curve_row=design.curve_of_code,
            control_curve=design.control_curve,
            data_key=rng.key32(seed, "reception", "data"),
            control_key=rng.key32(seed, "reception", "control"),
            bin_width_m=records.bin_width_m,
            awareness_m=records.awareness_range_m,
            slot_us=self._slot_us,
        )
        energy = np.zeros((n, design.profile.share.shape[2]), dtype=np.float32)
        self._receiver.bind_nodes(
            self.identity,
            self._flags,
            np.zeros(n, dtype=np.int32),
            np.full(n, -1, dtype=np.int32),
            energy,
            np.zeros_like(energy) if design.sensitivity_mw > 0 else energy,
            history.words,
            history.powers,
            history.further,
            history.urgency,
        )
        self._receiver.bind_counts(self.counts.outcomes, self.counts.gaps_ms)

    def move(self, fleet: FleetState, counted: NDArray[np.bool_]) -> None:
        """Bring the links to the positions of `fleet`; `counted` rows enter the statistics."""
        for node in np.flatnonzero(fleet.id != self._id):
            self._history.forget(int(node))
        self._id = fleet.id.copy()
        self.identity[:] = fleet.id.astype(np.uint32)
        self._flags[:] = counted * _COUNTED + (fleet.kind == NodeKind.RSU) * _ROADSIDE
        self._time_us = fleet.time_us
        self._links.update(fleet)
        if self._links.version != self._link_version:
            self._bind_links()
        links = self._links
        sample_ages(
            links.row_start,
            links.neighbour,
            links.distance,
            self._flags,
            self._records.awareness_range_m,
            fleet.time_us,
            fleet.time_us >= self._counted_from_us,
            links.column("last_slot"),
            links.column("last_generated"),
            self.counts.ages_ms,
        )

    def _bind_links(self) -> None:
        links = self._links
        self._receiver.bind_links(
            links.row_start,
            links.neighbour,
            links.gain,
            links.distance,
            links.code,
            links.column("last_slot"),
            links.column("last_generated"),
            links.column("soft"),
            links.column("first_outcome"),
        )
        self._link_version = links.version

    def take_packets(self) -> None:
        """Follow the packet log after it has grown."""
        if self._packets.version != self._packet_version:
            self._receiver.bind_packets(
                self._packets["generated_us"],
                self._packets["n_intended"],
                self._packets["n_received"],
                self._packets["n_received_first"],
            )
            self._receiver.bind_log(
                self._packets["first_slot_us"],
                self._packets["last_slot_us"],
                self._packets["n_attempts"],
                self._packets["n_subchannels"],
                self._packets["resolved"].view(np.uint8),
            )
            self._packet_version = self._packets.version

    def receive(self, slot: int, transmissions: SlotTransmissions) -> None:
        """Receive everything on air in `slot` and note it in the packet log."""
        self._receiver.receive(slot, transmissions, self._counted_from_us)

    def drop(self, node: int, packet: int) -> None:
        """Count a packet that was never sent at the receivers it was meant for."""
        self._receiver.drop(node, packet, self._counted_from_us)
        self._packets["resolved"][packet] = True

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
