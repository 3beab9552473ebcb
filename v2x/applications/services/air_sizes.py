"""What the access layer is given for messages of services: content, envelope and headers.

A roadside unit names its application certificate in full every 450 ms at the earliest and by
digest in between (T/CSAE 159-2020).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.messages.envelope import ROADSIDE, VEHICLE, Envelope
from v2x.messages.sizes import CERTIFICATE_INTERVAL_MS, NETWORK_BYTES
from v2x.units import US_PER_MS

#: RLC, PDCP and MAC of the sidelink; typical, of low confidence (applications.md 1.6).
LAYER2_BYTES = 10
#: The AIDs of roadside messages (3618 to 3623) take a byte more than that of the BSM; those of the
#: Day-2 set are not known and taken to be as long.
LONG_AID_BYTES = 1
_BELOW_BYTES = NETWORK_BYTES + LONG_AID_BYTES + LAYER2_BYTES


def roadside_bytes(content_bytes: int, *, with_certificate: bool = False) -> int:
    """Return the size on air of a message of a roadside unit [byte].

    Examples
    --------
    >>> roadside_bytes(39), roadside_bytes(39, with_certificate=True)
    (149, 304)
    """
    return _on_air(ROADSIDE, content_bytes, with_certificate=with_certificate)


def vehicle_bytes(content_bytes: int, *, with_certificate: bool = False) -> int:
    """Return the size on air of a Day-2 message of a vehicle [byte].

    Examples
    --------
    >>> vehicle_bytes(60), vehicle_bytes(60, with_certificate=True)
    (169, 318)
    """
    return _on_air(VEHICLE, content_bytes, with_certificate=with_certificate)


def _on_air(envelope: Envelope, content_bytes: int, *, with_certificate: bool) -> int:
    signed = envelope.signed_bytes(content_bytes, with_certificate=with_certificate)
    return signed + _BELOW_BYTES


def room_bytes(max_bytes: int, envelope: Envelope = ROADSIDE) -> int:
    """Return the longest content that fits into a size on air, signed by digest [byte].

    Examples
    --------
    >>> room_bytes(400), roadside_bytes(room_bytes(400))
    (288, 400)
    """
    room = max_bytes - _BELOW_BYTES - envelope.digest_bytes
    while room > 0 and _on_air(envelope, room, with_certificate=False) > max_bytes:
        room -= 1
    return room


class Certificates:
    """When units name their certificate in full: with the first message that has room for it.

    Parameters
    ----------
    max_bytes
        No message becomes longer [byte].
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._named_us: dict[int, int] = {}

    def on_air_bytes(self, now_us: int, unit: int, content_bytes: int) -> int:
        """Return the size on air of the next message of a unit [byte].

        Parameters
        ----------
        now_us
            When it is sent [µs].
        unit
            Stable id of the sender.
        content_bytes
            Length of its content.
        """
        named_us = self._named_us.get(unit)
        due = named_us is None or now_us - named_us >= CERTIFICATE_INTERVAL_MS * US_PER_MS
        full = roadside_bytes(content_bytes, with_certificate=True)
        if due and full <= self._max_bytes:
            self._named_us[unit] = now_us
            return full
        return roadside_bytes(content_bytes)


def octets(identity: int) -> bytes:
    """Return a stable id as the eight octets that name a sender."""
    return int(identity).to_bytes(8, "big")


def from_octets(name: bytes) -> int:
    """Return the stable id of eight octets."""
    return int.from_bytes(name, "big")


def rows_by_id(identity: NDArray[np.int64]) -> dict[int, int]:
    """Return the row of each road user that is there, by its stable id."""
    return {who: row for row, who in enumerate(identity.tolist()) if who >= 0}
