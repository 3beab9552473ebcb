"""R9: cadence of certificates, unknown signers, and what nobody can verify, counted exactly."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.messages.envelope import ETSI as ETSI_BYTES
from v2x.messages.envelope import VEHICLE as VEHICLE_BYTES
from v2x.messages.envelope import Envelope
from v2x.security.envelope import CHINA, ETSI, CadenceRule, CertificateCadence, CertificateMemory

TEN_A_SECOND = np.arange(0, 10_000_000, 100_000)


def carried(rule: CadenceRule, time_us: np.ndarray, event: np.ndarray | None = None) -> np.ndarray:
    """Return which messages of one sender carry the certificate."""
    n = len(time_us)
    return CertificateCadence(rule, 1).take(
        np.zeros(n, dtype=np.int32),
        np.zeros(n, dtype=np.int64),
        time_us,
        np.zeros(n, dtype=np.bool_) if event is None else event,
    )


@pytest.mark.parametrize(
    ("rule", "envelope", "n_certificates", "mean_bytes"),
    [(CHINA, VEHICLE_BYTES, 20, 122.8), (ETSI, ETSI_BYTES, 10, 107.2)],
)
def test_certificates_and_overhead_in_ten_seconds(
    rule: CadenceRule, envelope: Envelope, n_certificates: int, mean_bytes: float
) -> None:
    """0.8 * 93 + 0.2 * 242 = 122.8 and 0.9 * 93 + 0.1 * 235 = 107.2 bytes (applications.md 4.1)."""
    with_certificate = carried(rule, TEN_A_SECOND)
    assert with_certificate.sum() == n_certificates
    sizes = [envelope.overhead_bytes(46, with_certificate=bool(c)) for c in with_certificate]
    assert np.mean(sizes) == pytest.approx(mean_bytes)


def test_two_seconds_of_braking_carry_twenty_certificates() -> None:
    """Each 500 ms until 2500; all from 3000 to 4900; the next 450 ms later, so 5400, 5900 ..."""
    event = (TEN_A_SECOND >= 3_000_000) & (TEN_A_SECOND < 5_000_000)
    at_ms = TEN_A_SECOND[carried(CHINA, TEN_A_SECOND, event)] // 1000
    expected = [*range(0, 3000, 500), *range(3000, 5000, 100), *range(5400, 10_000, 500)]
    assert at_ms.tolist() == expected


@pytest.mark.parametrize("first", range(10))
def test_a_receiver_that_arrives_waits_for_the_next_certificate(first: int) -> None:
    """It arrives before message `first`: certificates are messages 0, 5, 10 ..."""
    certificate = carried(CHINA, TEN_A_SECOND)
    memory = CertificateMemory(2)
    verified = [
        bool(memory.take(int(t), np.array([0]), np.array([1]), np.array([c]))[0])
        for t, c in zip(TEN_A_SECOND[first:], certificate[first:], strict=True)
    ]
    n_lost = -first % 5
    assert verified == [False] * n_lost + [True] * (len(verified) - n_lost)
    delay_us, n_unverified = memory.take_delays()
    assert delay_us.tolist() == [n_lost * 100_000]
    assert n_unverified.tolist() == [n_lost]


def test_digests_alone_are_never_verified() -> None:
    memory = CertificateMemory(5)
    sender, receiver = (
        np.repeat(np.arange(5), 4),
        np.array([r for s in range(5) for r in range(5) if r != s]),
    )
    verified = [
        memory.take(int(t), sender, receiver, np.zeros(20, dtype=np.bool_)) for t in TEN_A_SECOND
    ]
    assert np.sum(verified) == 0
    assert memory.waiting().tolist() == [100] * 20


def test_receivers_of_a_lossy_link_wait_for_a_certificate_that_arrives() -> None:
    """Certificates each tenth message, loss 0.4: geometric number of periods, n = 20,000 receivers.

    Arrivals at message 0 just after a certificate: 10, 20, 30 ... messages later the first that is
    received. Mean 10 / (1 - 0.4); the bound is four standard errors.
    """
    n, loss = 20_000, 0.4
    draw = np.random.default_rng(9)
    received = draw.random((300, n)) >= loss
    memory = CertificateMemory(n)
    waited = np.full(n, -1)
    for k in range(1, 301):
        rows = np.flatnonzero(received[k - 1] & (waited < 0))
        certificate = np.full(len(rows), k % 10 == 0)
        ok = memory.take(k, np.zeros(len(rows), dtype=int), rows, certificate)
        waited[rows[ok]] = k
    assert (waited > 0).all()
    assert (waited % 10 == 0).all()
    periods = waited / 10
    sigma = np.sqrt(loss) / (1.0 - loss)
    assert abs(periods.mean() - 1.0 / (1.0 - loss)) < 4.0 * sigma / np.sqrt(n)


def test_a_change_of_certificate_makes_strangers_of_all() -> None:
    cadence, memory = CertificateCadence(CHINA, 1), CertificateMemory(2)
    outcomes = []
    for k, time_us in enumerate(TEN_A_SECOND[:20]):
        if k == 7:
            cadence.change(np.array([0]))
            memory.change(np.array([0]))
        certificate = cadence.take(
            np.zeros(1, dtype=np.int32),
            np.zeros(1, dtype=np.int64),
            np.array([time_us]),
            np.array([False]),
        )
        if k == 7:  # the first message under the new one is lost
            assert certificate[0]
            continue
        outcomes.append(
            bool(memory.take(int(time_us), np.array([0]), np.array([1]), certificate)[0])
        )
    assert outcomes == [True] * 7 + [False] * 4 + [True] * 8
