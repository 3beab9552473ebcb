from __future__ import annotations

import numpy as np

from v2x.security.envelope import ETSI, CertificateCadence
from v2x.security.signing import Signing
from v2x.security.verified import VerifiedMessages


def told(verified: VerifiedMessages, *messages: tuple[int, int, bool]) -> None:
    """Tell of messages (row, generated, digest)."""
    row, generated_us, digest = (np.array(column) for column in zip(*messages, strict=True))
    verified.tell(row, generated_us, digest)


def newest(verified: VerifiedMessages, now_us: int, *links: tuple[int, int, int]) -> list[int]:
    """Return what is verified of links (sender, receiver, generated)."""
    sender, receiver, generated_us = (np.array(column) for column in zip(*links, strict=True))
    return verified.newest(now_us, sender, receiver, generated_us)[0].tolist()


def test_the_newest_verified_message_stays_that_of_before() -> None:
    verified = VerifiedMessages(4)
    told(verified, (0, 10, True), (1, 20, False), (0, 110, False), (0, 210, True), (1, 220, True))
    assert newest(verified, 100, (1, 0, 20), (0, 1, 10)) == [20, -1]
    assert newest(verified, 200, (0, 1, 110), (1, 0, 20)) == [110, 20]
    assert newest(verified, 300, (0, 1, 210), (0, 2, 210), (1, 0, 220)) == [210, -1, 220]
    assert (verified.n_verified, verified.n_unverified) == (4, 2)


def test_a_message_counts_once_however_long_it_stays_the_newest() -> None:
    verified = VerifiedMessages(2)
    told(verified, (0, 10, True))
    for now in (100, 200, 300):
        assert newest(verified, now, (0, 1, 10)) == [-1]
    assert verified.n_unverified == 1
    assert newest(verified, 400, (1, 0, -1)) == [-1]
    assert verified.n_unverified == 1


def test_a_newcomer_in_a_row_is_unknown() -> None:
    verified = VerifiedMessages(2)
    verified.bind(np.array([5, 6]))
    told(verified, (0, 10, False))
    assert newest(verified, 100, (0, 1, 10)) == [10]
    verified.bind(np.array([7, 6]))
    told(verified, (0, 150, True))
    assert newest(verified, 200, (0, 1, 150)) == [-1]


def test_a_link_that_begins_anew_has_no_past() -> None:
    verified = VerifiedMessages(2)
    told(verified, (0, 10, False), (0, 110, True))
    assert newest(verified, 100, (0, 1, 10)) == [10]
    assert newest(verified, 200, (0, 1, -1)) == [-1]
    assert newest(verified, 300, (0, 1, 110)) == [110]


def test_who_hears_a_stranger_shows_its_certificate() -> None:
    cadence, verified = CertificateCadence(ETSI, 2), VerifiedMessages(2)
    signing = Signing(cadence, verified)

    def send(row: int, time_us: int) -> bool:
        certificate = cadence.take(
            np.array([row], dtype=np.int32), np.array([row]), np.array([time_us]), np.array([False])
        )
        told(verified, (row, time_us, not certificate[0]))
        return bool(certificate[0])

    cadence.resume(np.array([0, 1]), np.array([0.0, 0.0]))
    assert not send(0, 100_000)
    assert signing.newest(200_000, np.array([0]), np.array([1]), np.array([100_000])).tolist() == [
        -1
    ]
    assert send(1, 200_000)
    assert not send(0, 200_000)
    table = signing.table()
    assert table["delay_us"].tolist() == [-1]
    assert table["n_unverified"].tolist() == [1]
