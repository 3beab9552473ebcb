"""Sizes on the wire, against the table of GB/T 45315-2025 messages and the envelopes."""

from __future__ import annotations

import doctest

import pytest

from v2x.messages import sizes
from v2x.messages.sizes import signed_bsm_bytes, signed_bsm_cycle


def test_doctests() -> None:
    assert doctest.testmod(sizes) == doctest.TestResults(failed=0, attempted=4)


def test_parts() -> None:
    """Mandatory BSM 46 bytes; SPDU 46 + 93 + 5 = 144 with digest, 46 + 242 + 5 = 293 with
    certificate; the adaptation and DSMP headers take 5 bytes for AID 111."""
    assert sizes.BSM_BYTES == 46
    assert signed_bsm_bytes(with_certificate=False, layer2_bytes=0) == 144
    assert signed_bsm_bytes(with_certificate=True, layer2_bytes=0) == 293


@pytest.mark.parametrize("layer2_bytes", [8, 10, 12])
def test_layer_2_comes_on_top(layer2_bytes: int) -> None:
    for with_certificate, spdu in ((False, 144), (True, 293)):
        size = signed_bsm_bytes(with_certificate=with_certificate, layer2_bytes=layer2_bytes)
        assert size == spdu + layer2_bytes


@pytest.mark.parametrize(
    ("period_ms", "n"), [(100, 5), (50, 9), (20, 23), (150, 3), (449, 2), (450, 1), (1000, 1)]
)
def test_certificates_travel_every_450_ms(period_ms: float, n: int) -> None:
    """The first message not earlier than 450 ms after a certificate carries the next one."""
    cycle = signed_bsm_cycle(period_ms)
    assert len(cycle) == n
    assert cycle == (303, *[154] * (n - 1))
    assert (n - 1) * period_ms < 450 <= n * period_ms


def test_mean_size_at_10_hz() -> None:
    """The fifth of the messages with a certificate makes 174 bytes on average without the path
    history; with its 53 bytes instead of 46 the sheet's mean is 181."""
    cycle = signed_bsm_cycle(100, layer2_bytes=0)
    assert sum(cycle) / len(cycle) + (53 - 46) == pytest.approx(181, abs=0.5)


@pytest.mark.parametrize("period_ms", [33.4, 66.7, 128.6, 224.9, 225.1])
def test_periods_that_are_no_whole_milliseconds(period_ms: float) -> None:
    """Between two certificates at least 450 ms, and no message more than needed."""
    n = len(signed_bsm_cycle(period_ms))
    assert (n - 1) * period_ms < 450 <= n * period_ms
