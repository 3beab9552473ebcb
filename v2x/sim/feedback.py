"""Feedback on what was received: queues, occasions, and what each packet took of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.feedback import (
    ANSWER_COLUMNS,
    ASKED_COLUMNS,
    N_STATE,
    TALLY_COLUMNS,
    VERDICT_COLUMNS,
    FeedbackChannel,
)
from v2x.access.base import SlotTransmissions
from v2x.channel.link_table import LinkTable
from v2x.phy.nr.psfch import SHIFTS, PsfchDesign
from v2x.phy.reception import ReceiverDesign
from v2x.sim.audience import Audience

#: Tallies of a packet in the order of the kernel, then that of the access layer.
TALLIES = (
    "n_asked",
    "n_lacked",
    "n_answers",
    "n_not_sent",
    "n_silent",
    "n_missed",
    "n_needless",
    "n_released",
)
#: Way of light in a microsecond [m].
METRES_PER_US = 299.792458
_RELEASED = TALLIES.index("n_released")


class Feedback:
    """Carries answers from receivers to senders; the arithmetic is in the kernel.

    Parameters
    ----------
    design
        Occasions, resources and detection.
    receiver
        Transmit power and noise.
    audience
        Who answers whom.
    seed
        Seed of the run.

    Attributes
    ----------
    next_slot
        Slot of the next occasion in which something is answered, or -1.
    """

    def __init__(
        self, design: PsfchDesign, receiver: ReceiverDesign, audience: Audience, seed: int
    ) -> None:
        grid = design.grid
        self._audience = audience
        n = len(audience.expected)
        self._channel = FeedbackChannel(
            period=grid.period,
            gap=grid.gap,
            blocks_each=grid.blocks_each,
            shifts=np.array(SHIFTS[grid.n_shifts], dtype=np.int32),
            all_subchannels=grid.all_subchannels,
            nack_only=audience.nack_only,
            ties_send=design.ties_send,
            most_sent=design.most_sent,
            power_mw=receiver.tx_power_mw,
            noise_mw=receiver.noise_mw_per_rb,
            threshold=design.threshold,
            shifts_per_m=design.shifts_per_us(receiver.pool.rb_hz) / METRES_PER_US,
            shift_offset=design.shifts_per_us(receiver.pool.rb_hz) * design.timing_us,
            fades=design.fades(),
            key=rng.key32(seed, "reception", "feedback"),
            state=np.zeros((N_STATE, n), dtype=np.int32),
            head=np.zeros(grid.n_blocks, dtype=np.int32),
        )
        self._asked = np.zeros((64, ASKED_COLUMNS), dtype=np.int32)
        self._answers = np.zeros((64, ANSWER_COLUMNS), dtype=np.int32)
        self._verdicts = np.zeros((64, VERDICT_COLUMNS), dtype=np.int32)
        self._heard = np.zeros((64, 4), dtype=np.int32)
        self._tally = np.zeros((4096, TALLY_COLUMNS), dtype=np.int32)
        self._released = np.zeros(4096, dtype=np.int32)
        self._channel.bind_queues(self._asked, self._answers)
        self.next_slot = -1

    def follow(
        self, links: LinkTable, identity: NDArray[np.uint32], changed: NDArray[np.bool_]
    ) -> None:
        """Take the links of this tick; `changed` rows hold somebody else than before."""
        for node in np.flatnonzero(changed).tolist():
            self._channel.forget(node)
        self._channel.bind_nodes(identity, self._audience.expected)
        self._channel.bind_links(
            links.row_start, links.neighbour, links.gain, links.distance, links.code
        )

    def room_for(self, n_answers: int) -> NDArray[np.int32]:
        """Return the array for the answers to one slot, at most so many, shape (n, 4)."""
        if len(self._heard) < n_answers:
            self._heard = np.zeros((2 * n_answers, 4), dtype=np.int32)
        return self._heard

    def ask(self, slot: int, transmissions: SlotTransmissions, n_answers: int) -> None:
        """Queue what was on air in `slot`, and the first `n_answers` answers to it."""
        n_asked, n_queued = self._channel.lengths
        asked = _grown(self._asked, n_asked + len(transmissions))
        answers = _grown(self._answers, n_queued + n_answers)
        if asked is not self._asked or answers is not self._answers:
            self._asked, self._answers = asked, answers
            self._channel.bind_queues(asked, answers)
        self._channel.ask(slot, transmissions, self._heard, n_answers)
        self.next_slot = self._channel.next_occasion

    def conclude(self, slot: int, n_packets: int) -> NDArray[np.int32]:
        """Let senders draw their conclusions in `slot`.

        Parameters
        ----------
        slot
            The slot.
        n_packets
            Packets of the run so far.

        Returns
        -------
        (n, 3) int32
            Node, packet, and 1 if the node takes the packet as received.
        """
        if not 0 <= self.next_slot <= slot:
            return self._verdicts[:0]
        self._verdicts = _grown(self._verdicts, self._channel.lengths[0])
        self._grow_tallies(n_packets)
        n = self._channel.conclude(slot, self._verdicts, self._tally)
        self.next_slot = self._channel.next_occasion
        return self._verdicts[:n]

    def note_released(self, packet: NDArray[np.int32], n_transmissions: NDArray[np.int32]) -> None:
        """Note that transmissions reserved for packets were not made, (n,) each."""
        self._released[packet] += n_transmissions

    def _grow_tallies(self, n_packets: int) -> None:
        self._tally = _grown(self._tally, n_packets)
        self._released = _grown(self._released, n_packets)

    def table(self, packet: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return the columns of table ``feedback`` for packets by their numbers."""
        self._grow_tallies(int(packet.max(initial=-1)) + 1)
        columns = dict(zip(TALLIES[:_RELEASED], self._tally[packet].T, strict=True))
        return {"packet": packet, **columns, TALLIES[_RELEASED]: self._released[packet]}


def _grown(array: NDArray[np.int32], n_rows: int) -> NDArray[np.int32]:
    """Return `array`, or a longer one that begins with it, zero beyond."""
    if len(array) >= n_rows:
        return array
    grown = np.zeros((max(n_rows, 2 * len(array)), *array.shape[1:]), dtype=np.int32)
    grown[: len(array)] = array
    return grown
