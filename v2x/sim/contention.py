"""The unslotted medium: contention, air and reception of a mobility tick in one kernel call."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.contention import ContentionChannel
from v2x.access.unslotted import MEMORY_US, N_QUEUES, Contention, Waveform
from v2x.applications.base import PacketBatch
from v2x.channel.link_table import LinkTable
from v2x.mobility.fleet import FleetState
from v2x.phy.ofdm.frame_reception import FrameReceiver
from v2x.sim.deliveries import Deliveries
from v2x.sim.fates import FateMemory
from v2x.sim.link_memory import LinkMemory
from v2x.sim.packet_log import PacketLog
from v2x.sim.recorder import RecordParams

_Number = TypeVar("_Number", np.int64, np.float32)

#: State of a station. The kernel reads and writes rows of exactly this layout.
STATION = np.dtype(
    [
        ("energy", np.float64),  # received power of all [mW]
        ("above_since", np.int64),  # when it last exceeded the CBR threshold [µs]
        ("frame_end", np.int64),  # of the last own transmission [µs]
        ("segment_start", np.int64),  # when the interference last changed [µs]
        ("lock_mw", np.float32),  # received power of the frame that is being received
        ("header_log2", np.float32),  # log2 of the chance that its header has no error so far
        ("data_log2", np.float32),  # ... and its data
        ("lock", np.int32),  # its sender, -1 for none
        ("n_arriving", np.int32),  # frames on air within reach
        ("transmitting", np.int32),
        ("busy", np.int32),
        ("above", np.int32),
        ("above_us", np.int64),  # time above the CBR threshold in the window so far
        ("idle_since", np.int64),  # when the channel last became idle [µs]
        ("busy_since", np.int64),  # when it last became busy [µs]
        ("next_ready", np.int64),  # the first of `ready`
        ("frame_start", np.int64),  # of the last own transmission [µs]
        ("own_since", np.int64),  # ... or of its part in the window
        ("own_us", np.int64),  # time on air in the window so far
        ("here_since", np.int64),  # when the vehicle of this row appeared [µs]
        ("ready", np.int64, N_QUEUES),  # when the packet at the head of each queue goes [µs]
        ("backoff", np.int32, N_QUEUES),  # slots still to count when the channel became idle
        ("queue_head", np.int32, N_QUEUES),
        ("queue_length", np.int32, N_QUEUES),
        ("n_waiting", np.int32),  # packets in all queues
        ("draws", np.int32),  # backoffs drawn so far
        ("frame_packet", np.int32),  # packet of the own frame
        ("frame_queue", np.int32),  # and the queue it came from
        ("header_done", np.int32),  # whether its header has ended
        ("frame_weight", np.float32),  # units of data in it
    ],
    align=True,
)


class UnslottedMedium(LinkMemory):
    """One channel that stations share by listening.

    The arithmetic is in the kernel :class:`ContentionChannel`.

    Parameters
    ----------
    contention, waveform, receiver
        Rules, frames, and what of them can be decoded.
    tx_power_mw : (n_nodes,) float32
        Power of each node [mW].
    links, packets
        Tables that it reads or writes.
    records
        Which distances are counted.
    counted_from_us
        Packets generated earlier belong to the warm-up [µs].
    seed
        Seed of the run.
    fates
        Where what became of the last packets is remembered; None if it is not.
    """

    def __init__(
        self,
        contention: Contention,
        waveform: Waveform,
        receiver: FrameReceiver,
        tx_power_mw: NDArray[np.float32],
        links: LinkTable,
        packets: PacketLog,
        records: RecordParams,
        *,
        counted_from_us: int,
        seed: int,
        fates: FateMemory | None = None,
    ) -> None:
        n = len(tx_power_mw)
        super().__init__(
            links,
            records,
            n_nodes=n,
            slot_us=MEMORY_US,
            counted_from_us=counted_from_us,
            fates=fates,
        )
        links.add_column("last_heard", np.int64, 0)
        self._waveform, self._bitwise = waveform, receiver.bitwise
        self._queue_of_priority = np.array(contention.queue_of_priority, dtype=np.int32)
        self._packets = packets
        self._packet_version = self._link_version = -1
        self._deadline_us = np.zeros(0, dtype=np.int64)
        self._air_us = np.zeros(0, dtype=np.int64)
        self._weight: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._now_us = self._load_from_us = 0
        self._cbr = np.full(n, np.nan)
        self._channel = ContentionChannel(
            slot_us=contention.slot_us,
            sensing_us=contention.sensing_us,
            interframe_us=np.array(contention.interframe_us, dtype=np.int32),
            window=np.array(contention.contention_window, dtype=np.int32),
            preamble_busy_mw=contention.preamble_mw,
            energy_busy_mw=contention.energy_mw,
            above_mw=contention.busy_mw,
            noise_mw=receiver.noise_mw,
            sensitivity_mw=receiver.sensitivity_mw,
            preamble_sinr=receiver.preamble_sinr,
            capture_ratio=receiver.capture_ratio,
            preamble_us=receiver.preamble_us,
            header_us=receiver.header_us,
            header_curve=receiver.header_log2,
            data_curve=receiver.data_log2,
            data_key=rng.key32(seed, "reception", "data"),
            header_key=rng.key32(seed, "reception", "control"),
            backoff_key=rng.key32(seed, "access", "backoff"),
            bin_width_m=records.bin_width_m,
            awareness_m=records.awareness_range_m,
            memory_us=MEMORY_US,
            counted_from_us=counted_from_us,
        )
        self.station = np.zeros(n, dtype=STATION)
        self._channel.bind_nodes(
            self.identity,
            self._flags,
            tx_power_mw,
            self.station,
            np.zeros((n, N_QUEUES, contention.queue_packets), dtype=np.int32),
            np.zeros(n, dtype=np.int32),
            np.zeros(n, dtype=np.int32),
            np.zeros(n, dtype=np.int32),
        )
        self._channel.bind_counts(self.counts.outcomes, self.counts.gaps_ms)
        self._deliveries = Deliveries(self._channel, packets)
        #: Packets with a topic whose fate is open, and the rows of their senders.
        self._open = np.zeros((2, 0), dtype=np.int64)

    def forget(self, node: int, now_us: int) -> None:
        """End what a node does before it leaves; its waiting packets are dropped."""
        self._channel.forget(node, now_us)

    def move(self, fleet: FleetState, counted: NDArray[np.bool_]) -> None:
        """Bring the links to the positions of `fleet`; `counted` rows enter the statistics."""
        self._follow(fleet, counted)
        links = self._links
        if links.version != self._link_version:
            self._channel.bind_links(
                links.row_start,
                links.neighbour,
                links.gain,
                links.distance,
                links.column("last_slot"),
                links.column("last_generated"),
                links.column("last_heard"),
            )
            fates = self._fates
            if fates is not None:
                self._channel.bind_fates(links.column("fates"), fates.recent, fates.n_finished)
            self._link_version = links.version
        self._channel.settle(fleet.time_us)
        self._sample_ages(fleet.time_us)

    def take_packets(self) -> None:
        """Follow the packet log after it has grown."""
        log = self._packets
        if log.version == self._packet_version:
            self._deliveries.follow()
            return
        grown = len(log["generated_us"])
        self._deadline_us = _grown(self._deadline_us, grown)
        self._air_us = _grown(self._air_us, grown)
        self._weight = _grown(self._weight, grown)
        self._channel.bind_packets(
            log["generated_us"],
            self._deadline_us,
            self._air_us,
            self._weight,
            log["first_slot_us"],
            log["last_slot_us"],
            log["n_attempts"],
            log["n_subchannels"],
            log["n_intended"],
            log["n_received"],
            log["n_received_first"],
            log["resolved"].view(np.uint8),
        )
        self._packet_version = log.version
        self._deliveries.follow()

    def air_us(self, size_bytes: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the time that packets of `size_bytes` are on air [µs]."""
        return self._waveform.air_us(size_bytes)

    def play(
        self, batch: PacketBatch, first_packet: int, offered: NDArray[np.intp], until_us: int
    ) -> None:
        """Play everything up to `until_us`.

        Parameters
        ----------
        batch, first_packet
            Packets of this time, and the row of the first in the packet log.
        offered : (n,) intp
            Places in `batch` of those that enter the queues, ascending.
        until_us
            End of the time [µs], exclusive.
        """
        rows = slice(first_packet, first_packet + len(batch))
        self._deadline_us[rows] = batch.deadline_us
        self._air_us[rows] = self.air_us(batch.size_bytes)
        self._weight[rows] = self._waveform.data_bits(batch.size_bytes) if self._bitwise else 1.0
        if self._packets.has_topics:
            self._deliveries.make_room(self._most_deliveries(batch, first_packet))
        self._channel.run(
            batch.generated_us[offered],
            batch.tx_row[offered],
            (first_packet + offered).astype(np.int32),
            self._queue_of_priority[batch.priority[offered] - 1],
            until_us,
        )
        self._channel.take_load(until_us, self._load_from_us, self._cbr)
        self._load_from_us = until_us

    def _most_deliveries(self, batch: PacketBatch, first_packet: int) -> int:
        """Return how many receivers could decode what has a topic until the next motion."""
        told = np.flatnonzero(batch.topic > 0)
        coming = np.array((first_packet + told, batch.tx_row[told]))
        waiting = self._open[:, ~self._packets["resolved"][self._open[0]]]
        self._open = np.concatenate((waiting, coming), axis=1)
        row, row_start = self._open[1], self._links.row_start
        return int((row_start[row + 1] - row_start[row]).sum())

    def take_deliveries(self) -> NDArray[np.int64]:
        """Return who decoded packets that have a topic; see :meth:`LinkMemory.take_deliveries`."""
        return self._deliveries.take()

    def drop(self, node: int, packet: int) -> None:
        """Count a packet that was never sent at the receivers it was meant for."""
        self._channel.drop(node, packet)

    def busy_ratio(self, slot: int, nodes: NDArray[np.bool_], ratio: NDArray[np.float64]) -> None:
        """Fill `ratio` with the CBR of `nodes` over the last tick, of 100 ms, NaN elsewhere.

        It is the share of time in which the received power exceeds the threshold (ETSI EN 302
        571), own transmissions left out.
        """
        ratio[:] = np.where(nodes, self._cbr, np.nan)


def _grown(column: NDArray[_Number], length: int) -> NDArray[_Number]:
    """Return a longer column with the same beginning."""
    grown = np.zeros(length, dtype=column.dtype)
    grown[: len(column)] = column
    return grown
