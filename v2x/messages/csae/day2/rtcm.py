"""Corrections for satellite navigation (T/CSAE 157-2020, Msg_RTCM); the byte layout is our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import ListOf, Record
from v2x.messages.coding.symbols import Enumerated, Octets
from v2x.messages.coding.wire import Integer
from v2x.messages.csae.elements import MessageCount

#: Time between messages [µs] (applications.md 1.3).
RTCM_PERIOD_US = 1_000_000
#: Blocks in a message, and octets in a block.
MOST_BLOCKS, MOST_OCTETS = 5, 2047


class Revision(IntEnum):
    """RTCM-Revision by its place in the list; those of later versions are read as unknown."""

    UNKNOWN = 0
    RESERVED = 1
    CMR = 2
    CMR_PLUS = 3
    SAPOS = 4
    SAPOS_ADVANCED = 5
    RTCA = 6
    RAW = 7
    RINEX = 8
    SP3 = 9
    BINEX = 10
    REV_2_X = 11
    REV_2_0 = 12
    REV_2_1 = 13
    REV_2_3 = 14
    REV_3_0 = 15
    REV_3_1 = 16
    REV_3_2 = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionBlock(Record):
    """One RTCM message (DF_RTCMmsg).

    Attributes
    ----------
    revision, rtcm_id
        Format and number of the message.
    payload
        1 to 2047 octets.
    """

    EXTENSIBLE: ClassVar[bool] = True
    revision: Annotated[Revision, Enumerated(Revision, later=Revision.UNKNOWN)] | None = None
    rtcm_id: Annotated[int, Integer(0, 32_767)] | None = None
    payload: Annotated[bytes, Octets(1, MOST_OCTETS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RtcmCorrections(Record):
    """Corrections of an RSU, every second.

    Attributes
    ----------
    count
        Running number of the sender's RTCM, 0 to 127.
    blocks
        1 to 5.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    blocks: Annotated[tuple[CorrectionBlock, ...], ListOf(CorrectionBlock, 1, MOST_BLOCKS)]


def corrections(
    blocks: Sequence[CorrectionBlock], *, count: int = 0
) -> tuple[RtcmCorrections, ...]:
    """Return the messages that tell blocks, five in each.

    Parameters
    ----------
    blocks
        What a reference station says in one epoch.
    count
        Running number of the first message; the others follow.

    Examples
    --------
    >>> block = CorrectionBlock(payload=bytes(100))
    >>> [(len(part.blocks), part.count) for part in corrections([block] * 7, count=127)]
    [(5, 127), (2, 0)]
    """
    return tuple(
        RtcmCorrections(
            count=(count + first // MOST_BLOCKS) % 128,
            blocks=tuple(blocks[first : first + MOST_BLOCKS]),
        )
        for first in range(0, len(blocks), MOST_BLOCKS)
    )
