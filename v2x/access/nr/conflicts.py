"""Inter-UE coordination scheme 2: whoever sees two reservations collide says so on the PSFCH.

TS 38.213 16.3.0: UE-A decodes the SCIs of two nodes that reserve overlapping resources, and sends
one bit to the one of lower priority, UE-B, on the PSFCH resource that belongs to UE-B's SCI. UE-B
selects another resource (TS 38.321 5.22.1.2a).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.access.nr.overheard import Announcement, decoded_mw
from v2x.phy.nr.psfch import missed_rayleigh
from v2x.phy.sensing_history import SensingHistory


class ConflictChannel(Protocol):
    """Carries conflict indications from those who see a conflict to who caused it."""

    def indicated(self, occasion: int, sci: Announcement, rsrp_mw: NDArray[np.float32]) -> bool:
        """Whether the sender of an SCI notices an indication in slot `occasion`.

        Parameters
        ----------
        occasion
            Slot of the PSFCH.
        sci
            The SCI that the indication answers.
        rsrp_mw : (n,) float32
            RSRP with which those who send the indication decoded the SCI [mW per element]; empty
            if nobody sends one.
        """


class SequenceDetection:
    """One bit by a sequence of twelve elements in a resource block, under Rayleigh fading.

    The channel is reciprocal: a node that decoded an SCI with some RSRP is heard with the same
    gain, its whole power in one resource block. Equal sequences of several nodes add up. What
    others send on the same resource block is neglected.

    Parameters
    ----------
    noise_mw
        Noise of a resource element [mW].
    block_ratio
        Resource blocks of a subchannel.
    false_alarm
        Probability that noise alone passes for an indication.
    key
        Hash key of the draws.
    identity : (n_nodes,) uint32
        Hash words of the nodes' identities, as they are at the time.
    """

    def __init__(
        self, *, noise_mw: float, block_ratio: int, false_alarm: float, key: int, n_nodes: int
    ) -> None:
        self._noise_mw, self._block_ratio = noise_mw, block_ratio
        self._false_alarm, self._key = false_alarm, key
        self.identity: NDArray[np.uint32] = np.zeros(n_nodes, dtype=np.uint32)

    def indicated(self, occasion: int, sci: Announcement, rsrp_mw: NDArray[np.float32]) -> bool:
        """Whether the energy of the correlator exceeds its threshold."""
        blocks = self._block_ratio * sci.place.width
        sinr = float(rsrp_mw.sum(dtype=np.float64)) * blocks / self._noise_mw
        draw = float(rng.uniform_by_id(self._key, self.identity[sci.node], occasion))
        return draw >= missed_rayleigh(sinr, self._false_alarm)


class Conflicts:
    """Watches what is announced, tells of conflicts, and remembers who was told.

    Parameters
    ----------
    history
        What every node decoded.
    channel
        Carries the indications.
    lead
        Slots before a resource in which its owner can still give it up, T3.
    threshold_mw
        Least RSRP of the other node's SCI at UE-A [mW per element].
    least_ratio
        Least ratio of the same to the RSRP of UE-B's SCI.

    Attributes
    ----------
    n_seen, n_told
        Conflicts that somebody saw, and indications that arrived, false ones included.
    """

    def __init__(
        self,
        history: SensingHistory,
        channel: ConflictChannel,
        *,
        lead: int,
        threshold_mw: float,
        least_ratio: float,
    ) -> None:
        self._history, self._channel, self._lead = history, channel, lead
        self._threshold_mw, self._least_ratio = threshold_mw, least_ratio
        self._reserved: dict[int, list[Announcement]] = defaultdict(list)
        self._told: dict[int, set[int]] = defaultdict(set)
        self.n_seen = self.n_told = 0

    def answer(self, occasion: int, announced: list[Announcement]) -> None:
        """Send, in slot `occasion`, what concerns the SCIs that it answers."""
        for sci in announced:
            self._enter(sci)
        for sci in announced:
            others = set(self._collisions(occasion, sci))
            rsrp = self._seen_by(sci, others) if others else _NOBODY
            self.n_seen += len(rsrp) > 0
            if sci.resources and self._channel.indicated(occasion, sci, rsrp):
                self.n_told += 1
                mine = self._told[sci.node]
                mine |= {one.slot for one in sci.resources if one.slot - self._lead > occasion}
        self._clear(occasion)

    def told(self, node: int) -> set[int]:
        """Return the slots of the resources of a node in conflict, as far as it knows."""
        return self._told.get(node, set())

    def forget(self, node: int) -> None:
        """Clear what a node that left was told, and had reserved."""
        self._told.pop(node, None)
        for reserved in self._reserved.values():
            reserved[:] = [sci for sci in reserved if sci.node != node]

    def _enter(self, sci: Announcement) -> None:
        for slot in {one.slot for one in sci.resources}:
            self._reserved[slot].append(sci)

    def _collisions(self, occasion: int, sci: Announcement) -> Iterator[Announcement]:
        """Yield the SCIs of others that reserve what this one does and keep it.

        The lower priority gives way; of equal ones, who came later.
        """
        for resource in sci.resources:
            if resource.slot - self._lead <= occasion:
                continue
            for other in self._reserved[resource.slot]:
                before = (other.priority, other.place.slot, other.node) < (
                    sci.priority, sci.place.slot, sci.node
                )  # fmt: skip
                if other.node == sci.node or not before or sci.place.hides(other.place):
                    continue
                if any(map(resource.meets, other.resources)):
                    yield other

    def _seen_by(self, sci: Announcement, others: set[Announcement]) -> NDArray[np.float32]:
        """Return the RSRP of an SCI at all who also decoded another, that strong enough."""
        own = decoded_mw(self._history, sci)
        seen = np.zeros(len(own), dtype=np.bool_)
        for other in others:
            theirs = decoded_mw(self._history, other)
            sees = (own > 0.0) & (theirs > self._threshold_mw) & (theirs >= self._least_ratio * own)
            sees[[sci.node, other.node]] = False
            seen |= sees
        return own[seen]

    def _clear(self, now: int) -> None:
        for slot in [slot for slot in self._reserved if slot <= now]:
            del self._reserved[slot]
        for told in self._told.values():
            told.difference_update([slot for slot in told if slot <= now])


_NOBODY: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
