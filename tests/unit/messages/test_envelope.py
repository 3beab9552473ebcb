"""Sizes of signed messages against applications.md 1.8 and 4.1."""

from __future__ import annotations

import doctest

import pytest

from v2x.messages import envelope, sizes
from v2x.messages.csae.frame import decode, size_bytes
from v2x.messages.envelope import ETSI, ROADSIDE, VEHICLE, Envelope

from .samples import GOLDEN


def test_doctests() -> None:
    assert doctest.testmod(envelope).failed == 0


@pytest.mark.parametrize(
    ("kind", "digest", "certificate"),
    [(VEHICLE, 93, 242), (ROADSIDE, 94, 249), (ETSI, 93, 235)],
)
def test_measured_overheads(kind: Envelope, digest: int, certificate: int) -> None:
    for payload, more in ((0, 0), (127, 0), (128, 1), (255, 1), (256, 2), (1500, 2)):
        assert kind.overhead_bytes(payload, with_certificate=False) == digest + more
        assert kind.overhead_bytes(payload, with_certificate=True) == certificate + more


def test_bsm_of_the_standard_agrees_with_the_sizes_of_the_simulation() -> None:
    """46 bytes, signed 144 with digest and 293 with certificate, network header included."""
    message = size_bytes(decode(bytes.fromhex(GOLDEN["G6"])))
    assert message == sizes.BSM_BYTES
    for with_certificate in (False, True):
        signed = VEHICLE.signed_bytes(message, with_certificate=with_certificate)
        assert signed + sizes.NETWORK_BYTES == sizes.signed_bsm_bytes(
            with_certificate=with_certificate, layer2_bytes=0
        )


def test_impossible_envelopes_are_refused() -> None:
    for digest, certificate in ((0, 10), (20, 10)):
        with pytest.raises(ValueError, match="digest_bytes"):
            Envelope(digest_bytes=digest, certificate_bytes=certificate)
