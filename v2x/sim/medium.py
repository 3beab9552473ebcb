"""The shared medium: who hears what in a slot, and what is remembered and counted of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.reception import SlotReceiver
from v2x.access.base import SlotTransmissions
from v2x.channel.link_table import LinkTable
from v2x.mobility.fleet import FleetState
from v2x.phy.reception import ReceiverDesign
from v2x.phy.sensing_history import SensingHistory
from v2x.sim.audience import Audience
from v2x.sim.channel_view import measure_busy_ratio
from v2x.sim.deliveries import Deliveries
from v2x.sim.fates import FateMemory
from v2x.sim.feedback import Feedback
from v2x.sim.link_memory import LinkMemory
from v2x.sim.packet_log import PacketLog
from v2x.sim.recorder import RecordParams


class Medium(LinkMemory):
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
    once
        Whether some packets go once, beside those that recur: attempts of both may alternate.
    audience
        Whom messages are for; None if for all.
    feedback
        What receivers answer; None if nothing.
    fates
        Where what became of the last packets is remembered; None if it is not.
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
        once: bool = False,
        audience: Audience | None = None,
        feedback: Feedback | None = None,
        fates: FateMemory | None = None,
    ) -> None:
        n = history.n_nodes
        super().__init__(
            links,
            records,
            n_nodes=n,
            slot_us=design.pool.slot_us,
            counted_from_us=counted_from_us,
            fates=fates,
        )
        self._history, self._packets = history, packets
        self._audience, self._feedback = audience, feedback
        self._packet_version = self._link_version = -1
        self._longest_row = 1
        self._id = np.full(n, -1, dtype=np.int64)
        links.add_column("soft", np.float32, 0.0)
        links.add_column("first_outcome", np.uint8, 2)
        self._once = once
        if once:
            links.add_column("soft_once", np.float32, 0.0)
            links.add_column("first_outcome_once", np.uint8, 2)
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
            curve_row=np.concatenate([design.curve_of_code, design.curve_of_raised.ravel()]),
            n_mcs=1 + len(design.curve_of_raised),
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
        self._deliveries = Deliveries(self._receiver, packets)
        if design.second_of_code is not None:
            self._receiver.set_second_stage(
                design.second_of_code, rng.key32(seed, "reception", "sci2")
            )

    def move(self, fleet: FleetState, counted: NDArray[np.bool_]) -> None:
        """Bring the links to the positions of `fleet`; `counted` rows enter the statistics."""
        for node in np.flatnonzero(fleet.id != self._id):
            self._history.forget(int(node))
        changed = fleet.id != self._id
        self._id = fleet.id.copy()
        self._follow(fleet, counted)
        if self._links.version != self._link_version:
            self._bind_links()
        self._address(fleet, changed)
        self._sample_ages(fleet.time_us)

    def _address(self, fleet: FleetState, changed: NDArray[np.bool_]) -> None:
        """Find out who is meant by whom, where not everybody is."""
        audience = self._audience
        if audience is None:
            return
        audience.update(fleet)
        # Nobody remembers those who address it no more: ages and gaps are those of addressees.
        self._links.column("last_slot")[audience.intended == 0] = -1
        self._receiver.bind_audience(audience.intended, audience.responds, audience.nack_only)
        if self._feedback is not None:
            self._feedback.follow(self._links, self.identity, changed)

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
            links.column("soft_once") if self._once else None,
            links.column("first_outcome_once") if self._once else None,
        )
        fates = self._fates
        if fates is not None:
            self._receiver.bind_fates(links.column("fates"), fates.recent, fates.n_finished)
        self._longest_row = max(links.longest_row, 1)
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
        self._deliveries.follow()

    def receive(self, slot: int, transmissions: SlotTransmissions) -> None:
        """Receive everything on air in `slot` and note it in the packet log."""
        feedback = self._feedback
        if feedback is not None:
            most = len(transmissions) * self._longest_row
            self._receiver.bind_answers(feedback.room_for(most))
        if self._packets.has_topics:
            self._deliveries.make_room(self._most_deliveries(transmissions))
        self._receiver.receive(slot, transmissions, self._counted_from_us)
        if feedback is not None:
            feedback.ask(slot, transmissions, self._receiver.n_answers)

    def _most_deliveries(self, transmissions: SlotTransmissions) -> int:
        """Return how many receivers could decode what has a topic."""
        told = self._packets["topic"][transmissions["packet"]] > 0
        node, row_start = transmissions["node"][told], self._links.row_start
        return int((row_start[node + 1] - row_start[node]).sum())

    def take_deliveries(self) -> NDArray[np.int64]:
        """Return who decoded packets that have a topic; see :meth:`LinkMemory.take_deliveries`."""
        return self._deliveries.take()

    @property
    def has_feedback(self) -> bool:
        """Whether anybody answers."""
        return self._feedback is not None

    def next_feedback(self, limit: int) -> int:
        """Return the slot before `limit` in which feedback comes next, or `limit`."""
        if self._feedback is None or self._feedback.next_slot < 0:
            return limit
        return min(self._feedback.next_slot, limit)

    def feedback(self, slot: int) -> NDArray[np.int32]:
        """Return what senders conclude in `slot`: node, packet, received or not; (n, 3)."""
        assert self._feedback is not None
        return self._feedback.conclude(slot, self._packets.n_packets)

    def conclude(self, verdicts: NDArray[np.int32], n_released: NDArray[np.int32]) -> None:
        """Count packets that end before the transmissions reserved for them.

        Parameters
        ----------
        verdicts : (n, 3) int32
            Node and packet, as of :meth:`feedback`.
        n_released : (n,) int32
            Transmissions that are not made, -1 if the packet goes on.
        """
        assert self._feedback is not None
        ended = np.ascontiguousarray(verdicts[n_released >= 0])
        self._receiver.conclude(ended, self._counted_from_us)
        packet = ended[:, 1]
        self._packets["resolved"][packet] = True
        self._feedback.note_released(packet, n_released[n_released >= 0])

    def feedback_table(self, packet: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return what feedback did to packets, by their numbers; empty without feedback."""
        return {} if self._feedback is None else self._feedback.table(packet)

    def drop(self, node: int, packet: int) -> None:
        """Count a packet that was never sent at the receivers it was meant for."""
        self._receiver.drop(node, packet, self._counted_from_us)
        self._packets["resolved"][packet] = True

    def busy_ratio(self, slot: int, nodes: NDArray[np.bool_], ratio: NDArray[np.float64]) -> None:
        """Fill `ratio` with the CBR of `nodes`; see :meth:`LinkMemory.busy_ratio`."""
        measure_busy_ratio(self._history, slot, self._slot_us, nodes, ratio)
