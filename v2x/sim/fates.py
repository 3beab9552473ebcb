"""What became of the last packets of every sender, link by link.

The kernels that receive keep sixteen fates of each link in one word, which costs a shift and a
mask per link and packet. :class:`FateMemory` looks at these words before they run over and keeps
those of short links for some seconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from v2x.channel.link_table import LinkTable
from v2x.units import US_PER_S

#: Packets that are remembered of each sender; a fate has four bits of a word of 64.
N_FATES = 16
#: Words are kept when any sender has finished so many packets, and after this time at the latest.
_KEEP_AFTER, _KEEP_AFTER_US = 8, US_PER_S


class Fate(IntEnum):
    """What a fate may be beside an :class:`~v2x.records.tables.Outcome`, whose numbers are less."""

    #: The packet was not meant for the receiver (groupcast, unicast).
    NOT_ADDRESSED = 13
    #: The receiver was too far away to be judged, or came while the packet was on air.
    NOT_JUDGED = 14
    #: There was no link.
    NO_LINK = 15


#: The word of a link over which nothing has gone yet.
NOTHING = np.uint64(2**64 - 1)


def fates_of(word: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Return the fates in words of links, the newest first, (n, 16).

    Examples
    --------
    >>> fates_of(np.array([0xFFFFFFFFFFFFF014], dtype=np.uint64))[0, :4].tolist()
    [4, 1, 0, 15]
    """
    shift = np.arange(N_FATES, dtype=np.uint64) * np.uint64(4)
    return ((word[:, None] >> shift) & np.uint64(15)).astype(np.int32)


def directed(sender: NDArray[np.uint64], receiver: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a number for each ordered pair of identities, which fit into 32 bits."""
    return (sender << np.uint64(32)) | receiver


@dataclass(frozen=True, slots=True)
class KeptFates:
    """The words of short links at one instant, in the order of :func:`directed` pairs.

    Attributes
    ----------
    number
        Running number, from 1.
    time_us
        When they were kept [µs].
    pair, word : (n,) uint64
        Sender and receiver; their fates.
    sender, receiver : (n,) int32
        Rows of the fleet.
    packet : (n_nodes, 16) int32
        Packets of each row, in the order of their fates.
    n_new : (n_nodes,) int64
        How many of them are not in earlier ones, at most 16.
    """

    number: int
    time_us: int
    pair: NDArray[np.uint64]
    word: NDArray[np.uint64]
    sender: NDArray[np.int32]
    receiver: NDArray[np.int32]
    packet: NDArray[np.int32]
    n_new: NDArray[np.int64]


class FateMemory:
    """Names the packets to which the fates of links belong, and keeps those of short links.

    Only packets that tell of states are remembered, each once, when it is finished: by its last
    transmission, by feedback that spares the rest, or by being dropped. The fate in the lowest four
    bits of a link is that of the packet its sender finished last, the next four bits belong to the
    one before, and so on.

    Parameters
    ----------
    n_nodes
        Rows of the fleet.
    range_m
        Longest link whose fates are kept [m].
    kept_s
        How long they are kept [s].

    Attributes
    ----------
    recent : (n_nodes, 16) int32
        Packets; the k-th that a node finished, from 0, is in column k modulo 16.
    n_finished : (n_nodes,) int64
        Packets that each node has finished.
    kept : deque of KeptFates
        What was kept, the oldest first.
    """

    def __init__(self, n_nodes: int, *, range_m: float, kept_s: float) -> None:
        self._range_m, self._kept_us = range_m, round(kept_s * US_PER_S)
        self.recent = np.full((n_nodes, N_FATES), -1, dtype=np.int32)
        self.n_finished = np.zeros(n_nodes, dtype=np.int64)
        self.kept: deque[KeptFates] = deque()
        self._n_kept = self._kept_at_us = 0
        #: Packets of each row that were finished when all was kept last.
        self._n_before = np.zeros(n_nodes, dtype=np.int64)

    def follow(
        self,
        links: LinkTable,
        before: NDArray[np.uint32],
        identity: NDArray[np.uint32],
        time_us: int,
    ) -> None:
        """Keep what would be lost when the links move.

        Parameters
        ----------
        links
            The links as they were until now.
        before, identity : (n_nodes,) uint32
            Who was in each row until now, and who is from now on.
        time_us
            Now [µs].
        """
        gone = before != identity
        n_new = self.n_finished - self._n_before
        if n_new.max(initial=0) >= _KEEP_AFTER or time_us >= self._kept_at_us + _KEEP_AFTER_US:
            self.keep(links, before, time_us)
        elif gone.any():
            self._keep(links, before, time_us, gone)
        self.recent[gone] = -1
        self.n_finished[gone] = self._n_before[gone] = 0

    def keep(self, links: LinkTable, identity: NDArray[np.uint32], time_us: int) -> None:
        """Keep the fates of all short links between the nodes of these identities."""
        self._keep(links, identity, time_us, None)
        self._n_before[:] = self.n_finished
        self._kept_at_us = time_us

    def _keep(
        self,
        links: LinkTable,
        identity: NDArray[np.uint32],
        time_us: int,
        ends: NDArray[np.bool_] | None,
    ) -> None:
        """Keep the fates of short links, or of those with one of the nodes `ends` only."""
        at = np.flatnonzero(links.distance <= self._range_m)
        sender = (np.searchsorted(links.row_start, at, side="right") - 1).astype(np.int32)
        receiver = links.neighbour[at]
        if ends is not None:
            chosen = ends[sender] | ends[receiver]
            at, sender, receiver = at[chosen], sender[chosen], receiver[chosen]
        word = identity.astype(np.uint64)
        pair = directed(word[sender], word[receiver])
        order = np.argsort(pair, kind="stable")
        column = (self.n_finished[:, None] - 1 - np.arange(N_FATES)) % N_FATES
        self._n_kept += 1
        self.kept.append(
            KeptFates(
                number=self._n_kept,
                time_us=time_us,
                pair=pair[order],
                word=links.column("fates")[at[order]],
                sender=sender[order],
                receiver=receiver[order],
                packet=np.take_along_axis(self.recent, column, axis=1),
                n_new=np.minimum(self.n_finished - self._n_before, N_FATES),
            )
        )
        while self.kept[0].time_us < time_us - self._kept_us:
            self.kept.popleft()
