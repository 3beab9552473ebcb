"""What signing adds to a message: sizes of the security envelope (applications.md 4.1).

Measured on COER encodings of structures rebuilt from public transcriptions; optional fields of
real certificates may add up to 30 bytes. Who signs, and when the certificate travels, is not
decided here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Bytes that signing adds to a payload of less than 128 bytes.

    Attributes
    ----------
    digest_bytes
        With an 8-byte digest of the certificate as signer.
    certificate_bytes
        With the certificate itself as signer.
    """

    digest_bytes: int
    certificate_bytes: int

    def __post_init__(self) -> None:
        """Reject envelopes without room for a signature."""
        if not 0 < self.digest_bytes <= self.certificate_bytes:
            raise ValueError(
                f"digest_bytes must be > 0 and at most certificate_bytes, "
                f"got {self.digest_bytes} and {self.certificate_bytes}"
            )

    def overhead_bytes(self, payload_bytes: int, *, with_certificate: bool) -> int:
        """Return the bytes around a payload; its length takes 1, 2 or 3 of them.

        Examples
        --------
        >>> [VEHICLE.overhead_bytes(n, with_certificate=False) for n in (46, 128, 256)]
        [93, 94, 95]
        """
        longer = (payload_bytes >= 128) + (payload_bytes >= 256)
        fixed = self.certificate_bytes if with_certificate else self.digest_bytes
        return fixed + longer

    def signed_bytes(self, payload_bytes: int, *, with_certificate: bool) -> int:
        """Return the bytes of the signed message.

        Examples
        --------
        >>> VEHICLE.signed_bytes(46, with_certificate=True)
        288
        """
        return payload_bytes + self.overhead_bytes(payload_bytes, with_certificate=with_certificate)


#: YD/T 3957-2021, SM2: BSM under a pseudonym certificate of one AID, AID of one byte.
VEHICLE = Envelope(digest_bytes=93, certificate_bytes=242)
#: YD/T 3957-2021, SM2: messages of an RSU under an application certificate, AID of two bytes.
ROADSIDE = Envelope(digest_bytes=94, certificate_bytes=249)
#: IEEE 1609.2 as profiled by ETSI TS 103 097, P-256, certificate without region.
ETSI = Envelope(digest_bytes=93, certificate_bytes=235)
#: The place of generation in the header of a DENM (TS 103 097).
GENERATION_LOCATION_BYTES = 10
