"""What sidelink control information announced, and which nodes decoded it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from v2x.access.base import SlotTransmissions
from v2x.phy.sensing_history import ControlInformation, SensingHistory


class Resource(NamedTuple):
    """Subchannels [first, first + width) of a slot."""

    slot: int
    first: int
    width: int

    def hides(self, other: Resource) -> bool:
        """Whether the SCIs of two transmissions stand in one place: nobody decodes both."""
        return (self.slot, self.first) == (other.slot, other.first)

    def meets(self, other: Resource) -> bool:
        """Whether two resources overlap."""
        return (
            self.slot == other.slot
            and self.first < other.first + other.width
            and other.first < self.first + self.width
        )


class Announcement(NamedTuple):
    """A first-stage SCI, where it stood, and what it reserved after itself.

    Attributes
    ----------
    node
        Sender.
    place
        The transmission it belongs to.
    priority
        1 to 8.
    periodic
        Whether it reserves the next period.
    word
        How the sensing history keeps it.
    resources
        What it reserves: further resources of the packet, and the next period of all.
    """

    node: int
    place: Resource
    priority: int
    periodic: bool
    word: int
    resources: tuple[Resource, ...]


def announcements(slot: int, sent: SlotTransmissions, slots_per_ms: int) -> list[Announcement]:
    """Return what the transmissions of a slot announce, in their order."""
    return [_announcement(slot, row, slots_per_ms) for row in sent]


def _announcement(slot: int, row: np.void, slots_per_ms: int) -> Announcement:
    first, width = int(row["first_subchannel"]), int(row["n_subchannels"])
    here = [Resource(slot, first, width)]
    for gap, subchannel in (("gap_slots", "other_subchannel"), ("gap2_slots", "other2_subchannel")):
        if row[gap] > 0:
            here.append(Resource(slot + int(row[gap]), int(row[subchannel]), width))
    period = int(row["reservation_ms"]) * slots_per_ms
    later = [one._replace(slot=one.slot + period) for one in here] if period else []
    control = ControlInformation(
        int(row["reservation_ms"]),
        width,
        int(row["priority"]),
        int(row["gap_slots"]),
        int(row["other_subchannel"]),
    )
    return Announcement(
        int(row["node"]), here[0], control.priority, period > 0, control.pack(),
        (*here[1:], *later),
    )  # fmt: skip


def best_heard(history: SensingHistory, node: int, since: int, until: int) -> tuple[int, int, int]:
    """Return slot, subchannel and word of the SCI that a node decoded best in [since, until).

    All are -1 if it decoded none.
    """
    n, slots = history.n_subchannels, np.arange(max(since, 0), until)
    at = slots % history.window
    words, powers = history.words[node, at], history.powers[node, at]
    decoded = (words[:, 1 + 2 * n :] != 0) & (powers[:, 1:2] >= 0.0)
    decoded &= words[:, :1] == slots[:, None]
    rsrp = np.where(decoded, powers[:, 1 + n : 1 + 2 * n], np.float32(0.0))
    if not rsrp.any():
        return -1, -1, -1
    best, subchannel = divmod(int(rsrp.argmax()), n)
    return int(slots[best]), subchannel, int(words[best, 1 + 2 * n + subchannel])


def heard_resources(
    history: SensingHistory,
    node: int,
    window: tuple[int, int],
    now: int,
    threshold_mw: float,
    slots_per_ms: int,
) -> list[Resource]:
    """Return what a node heard others reserve.

    Parameters
    ----------
    history, node
        What the node decoded.
    window
        First and last slot of the resources that matter.
    now
        Slots from here on are not evaluated yet.
    threshold_mw
        Only SCIs above this RSRP count [mW per element].
    slots_per_ms
        Slots in a millisecond.
    """
    n = history.n_subchannels
    words, powers = history.words[node], history.powers[node]
    counts = (words[:, 1 + 2 * n :] != 0) & (powers[:, 1 + n : 1 + 2 * n] > threshold_mw)
    counts &= (powers[:, 1:2] >= 0.0) & (words[:, :1] >= 0) & (words[:, :1] < now)
    counts &= words[:, :1] > now - history.window
    at, subchannel = np.nonzero(counts)
    slot, word = words[at, 0], words[at, 1 + 2 * n + subchannel]
    further = history.further[node, at, subchannel].astype(np.int32)
    period = (word & 1023) * slots_per_ms
    gap, gap2 = ((word >> 19) & 63) - 32, further & 31
    columns = []
    for offset, first, there in (
        (np.zeros_like(gap), subchannel, np.zeros_like(gap, dtype=np.bool_)),
        (gap, (word >> 25) & 31, gap > 0),
        (gap2, further >> 5, gap2 > 0),
    ):
        columns.append((slot + offset, first, there))
        repeated = period > 0 if first is subchannel else (period > 0) & there
        columns.append((slot + period + offset, first, repeated))
    slots = np.concatenate([column[0] for column in columns])
    kept = np.concatenate([column[2] for column in columns])
    kept &= (slots >= window[0]) & (slots <= window[1])
    firsts = np.concatenate([column[1] for column in columns])
    widths = np.tile((word >> 10) & 31, len(columns))
    return [
        Resource(*one)
        for one in zip(
            slots[kept].tolist(), firsts[kept].tolist(), widths[kept].tolist(), strict=True
        )
    ]


def decoded_mw(
    history: SensingHistory, sci: Announcement, nodes: int | slice = slice(None)
) -> NDArray[np.float32]:
    """Return the RSRP with which nodes decoded an SCI [mW per element], 0 if they did not.

    Parameters
    ----------
    history
        What all nodes received; the slot of the SCI must still be in it.
    sci
        The SCI.
    nodes
        Which nodes are asked.

    Returns
    -------
    (n_nodes,) float32, or one without a dimension
        RSRP. Of several SCIs in one place a node decoded the strongest only; equal ones cannot be
        told apart by what is kept of them.
    """
    n, at = history.n_subchannels, sci.place.slot % history.window
    word = 1 + 2 * n + sci.place.first
    words, powers = history.words[nodes, at], history.powers[nodes, at]
    # a node that transmitted decoded nothing
    decoded = (words[..., 0] == sci.place.slot) & (powers[..., 1] >= 0.0)
    decoded &= words[..., word] == sci.word
    return np.where(decoded, powers[..., word - n], np.float32(0.0))
