"""Sizes on the wire of signed messages, without encoding them.

Figures measured with the public 2019 module set and with the rebuilt YD/T 3957 envelope; the
layers below the security envelope are typical of implementations and of low confidence.
"""

from __future__ import annotations

#: UPER bytes of the BSM with the mandatory fields of GB/T 45315-2025.
BSM_BYTES = 46
#: UPER bytes that the key-event flags add to it.
EVENT_FLAGS_BYTES = 1
#: Bytes of the VAM of TS 103 300-3 with its default content, unsigned; it stands for the PSM too,
#: whose size is not published.
VAM_BYTES = 34
#: Security envelope with an 8-byte digest as signer (YD/T 3957-2021).
DIGEST_ENVELOPE_BYTES = 93
#: Security envelope with the pseudonym certificate as signer.
CERTIFICATE_ENVELOPE_BYTES = 242
#: DSMP header with a one-byte AID, and the adaptation layer.
NETWORK_BYTES = 5
#: A certificate travels again after this time at the earliest (GB/T 45315-2025) [ms].
CERTIFICATE_INTERVAL_MS = 450


def signed_bsm_bytes(*, with_certificate: bool, layer2_bytes: int = 10) -> int:
    """Return the transport block payload of a signed BSM [byte].

    Examples
    --------
    >>> signed_bsm_bytes(with_certificate=False), signed_bsm_bytes(with_certificate=True)
    (154, 303)
    """
    return _signed_bytes(BSM_BYTES, with_certificate, layer2_bytes)


def signed_bsm_cycle(period_ms: float, layer2_bytes: int = 10) -> tuple[int, ...]:
    """Return the repeating sequence of BSM sizes: one with the certificate, then digests.

    Examples
    --------
    >>> signed_bsm_cycle(100)
    (303, 154, 154, 154, 154)
    """
    return signed_cycle(BSM_BYTES, period_ms, layer2_bytes)


def signed_event_bytes(layer2_bytes: int = 10) -> int:
    """Return the payload of a BSM with a key-event flag, which always has the certificate [byte].

    Examples
    --------
    >>> signed_event_bytes()
    304
    """
    return _signed_bytes(BSM_BYTES + EVENT_FLAGS_BYTES, True, layer2_bytes)


def signed_cycle(content_bytes: int, period_ms: float, layer2_bytes: int = 10) -> tuple[int, ...]:
    """Return the same of messages of another content [byte].

    Examples
    --------
    >>> signed_cycle(VAM_BYTES, 200)
    (291, 142, 142)
    """
    n_per_certificate = max(-(-CERTIFICATE_INTERVAL_MS // max(int(period_ms), 1)), 1)
    digest = _signed_bytes(content_bytes, False, layer2_bytes)
    return (
        _signed_bytes(content_bytes, True, layer2_bytes),
        *[digest] * (n_per_certificate - 1),
    )


def _signed_bytes(content_bytes: int, with_certificate: bool, layer2_bytes: int) -> int:
    envelope = CERTIFICATE_ENVELOPE_BYTES if with_certificate else DIGEST_ENVELOPE_BYTES
    return content_bytes + envelope + NETWORK_BYTES + layer2_bytes
