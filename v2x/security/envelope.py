"""Which messages carry the certificate, who can verify them, and which are too old.

A message is signed with a digest of the sender's certificate, or with the certificate itself. A
receiver that never got the certificate cannot verify digests. Sizes of the two envelopes are in
:mod:`v2x.messages.envelope`, the time that verification takes in
:mod:`v2x.security.verification`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.security.turns import by_turn
from v2x.units import US_PER_MS

BoolArray = NDArray[np.bool_]
TimeArray = NDArray[np.int64]
#: Before every time of a run, and far enough from the end of 64 bits to subtract from.
_NEVER_US = -(2**62)


@dataclass(frozen=True, slots=True, kw_only=True)
class CadenceRule:
    """When a certificate travels again (GB/T 45315-2025).

    The first message and the first one after a change of certificate carry it whatever the rule
    says, and so do all messages of events.

    Parameters
    ----------
    interval_ms
        A message this long after the last certificate, or longer, carries it again [ms]; 450 in
        GB/T 45315-2025, 1000 for CAM in TS 103 097.
    answers_strangers
        Whether a station that heard an unknown signer, or was asked, puts it into its next message;
        so for CAM in TS 103 097.
    """

    interval_ms: float = 450.0
    answers_strangers: bool = False

    def __post_init__(self) -> None:
        """Reject times that do not come."""
        if not 0.0 < self.interval_ms <= 60_000.0:
            raise ValueError(f"interval_ms must be > 0 and at most 60000, got {self.interval_ms}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSecurity:
    """Every message that is received counts as verified; sizes follow a fixed cycle."""


#: GB/T 45315-2025 and T/CSAE 159-2020: at least 450 ms apart, and with every key event.
CHINA = CadenceRule(interval_ms=450.0)
#: ETSI TS 103 097 for CAM: once a second, and after an unknown signer; DENM always.
ETSI = CadenceRule(interval_ms=1000.0, answers_strangers=True)


class CertificateCadence:
    """Decides message by message whether it carries the certificate.

    Parameters
    ----------
    rule
        When a certificate travels again.
    n_rows
        Rows of the fleet.
    """

    def __init__(self, rule: CadenceRule, n_rows: int) -> None:
        self._interval_us = round(rule.interval_ms * US_PER_MS)
        self._answers_strangers = rule.answers_strangers
        self._last_us = np.full(n_rows, _NEVER_US, dtype=np.int64)
        self._owner = np.full(n_rows, -1, dtype=np.int64)

    def take(
        self,
        row: NDArray[np.int32],
        identity: NDArray[np.int64],
        generated_us: TimeArray,
        event: BoolArray,
    ) -> BoolArray:
        """Return which messages carry the certificate.

        Parameters
        ----------
        row, identity : (n,) int
            Row of the sender, and whose row it is: a newcomer begins anew.
        generated_us : (n,) int64
            Generation times [µs], ascending for each row and not before those of earlier calls.
        event : (n,) bool
            Messages of key events, or DENMs.
        """
        certificate = np.zeros(len(row), dtype=np.bool_)
        for chosen in by_turn(row):
            who, now_us = row[chosen], generated_us[chosen]
            new = self._owner[who] != identity[chosen]
            old_enough = now_us - self._last_us[who] >= self._interval_us
            carries = new | old_enough | event[chosen]
            certificate[chosen] = carries
            self._owner[who] = identity[chosen]
            self._last_us[who[carries]] = now_us[carries]
        return certificate

    def resume(self, identity: NDArray[np.int64], share: NDArray[np.float64]) -> None:
        """Let those who are there at time 0 have begun before.

        Parameters
        ----------
        identity : (n_rows,) int64
            Whose rows they are; -1 for empty ones.
        share : (n_rows,) float64
            How much of the interval since their last certificate has gone by, 0 to 1.
        """
        self._owner = identity.copy()
        self._last_us = -np.rint(share * self._interval_us).astype(np.int64)

    def change(self, rows: NDArray[np.integer]) -> None:
        """Let the next message of `rows`, which have a new certificate, carry it."""
        self._last_us[rows] = _NEVER_US

    def hear_strangers(self, rows: NDArray[np.integer]) -> None:
        """Tell that `rows` heard an unknown signer or were asked for their certificate."""
        if self._answers_strangers:
            self._last_us[rows] = _NEVER_US


class CertificateMemory:
    """Knows which receiver has got the certificate of which sender.

    The memory is a bit for each ordered pair of rows, 13 MB for 10,000 rows. Certificates are kept
    until :meth:`forget` or :meth:`change`: stations store far more than they meet in a run.

    Contract: a packet that was received is handed in once per receiver, in the order of reception;
    what comes back false is :attr:`~v2x.records.tables.Outcome.UNVERIFIED` and must not be used.
    A message with the certificate is always verified. Within one call, a certificate serves the
    messages of the same pair after it.

    Parameters
    ----------
    n_rows
        Rows of the fleet.
    """

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows
        self._known = np.zeros((n_rows, -(-n_rows // 8)), dtype=np.uint8)
        # Pairs whose receiver heard digests only: key, first reception, messages so far.
        self._open_key = np.zeros(0, dtype=np.int64)
        self._open_us = np.zeros(0, dtype=np.int64)
        self._open_count = np.zeros(0, dtype=np.int64)
        self._delay_us: list[TimeArray] = []
        self._lost: list[TimeArray] = []

    def take(
        self,
        now_us: int | TimeArray,
        sender: NDArray[np.integer],
        receiver: NDArray[np.integer],
        certificate: BoolArray,
    ) -> BoolArray:
        """Return which receptions can be verified, and remember the certificates among them.

        Parameters
        ----------
        now_us : int or (n,) int64
            Time of reception [µs].
        sender, receiver : (n,) int
            Rows, in the order of reception.
        certificate : (n,) bool
            Whether the message carries the certificate of its sender.

        Returns
        -------
        (n,) bool
            True where the receiver has the certificate now.
        """
        key = receiver.astype(np.int64) * self._n_rows + sender
        known = self._bits(sender, receiver)
        pair, place = np.unique(key, return_inverse=True)
        order = np.arange(len(key))
        first = np.full(len(pair), len(key))
        np.minimum.at(first, place[certificate], order[certificate])
        verified = np.asarray(known | (order >= first[place]))
        time_us = np.broadcast_to(np.asarray(now_us, dtype=np.int64), key.shape)
        self._follow(key, time_us, known, verified)
        byte, bit = sender[certificate] >> 3, 1 << (sender[certificate] & 7)
        np.bitwise_or.at(self._known, (receiver[certificate], byte), bit.astype(np.uint8))
        return verified

    def knows(self, sender: NDArray[np.integer], receiver: NDArray[np.integer]) -> BoolArray:
        """Return whether receivers have the certificates of senders, (n,), without a message."""
        return self._bits(sender, receiver)

    def forget(self, rows: NDArray[np.integer]) -> None:
        """Clear all that `rows`, which hold other vehicles now, knew and that others knew of."""
        self._known[rows] = 0
        self._drop_open(np.isin(self._open_key // self._n_rows, rows))
        self.change(rows)

    def change(self, rows: NDArray[np.integer]) -> None:
        """Take note that `rows` have new certificates, which nobody knows."""
        lost = np.zeros(self._known.shape[1], dtype=np.uint8)
        np.bitwise_or.at(lost, rows >> 3, (1 << (rows & 7)).astype(np.uint8))
        self._known &= ~lost
        self._drop_open(np.isin(self._open_key % self._n_rows, rows))

    def take_delays(self) -> tuple[TimeArray, TimeArray]:
        """Return how long pairs waited for the certificate since the last call.

        Returns
        -------
        delay_us, n_unverified : (n,) int64
            For each pair that got the certificate: time from the first message received to the
            first verified one [µs], and receptions lost in between; 0 and 0 where the first
            carried the certificate.
        """
        nothing = np.zeros(0, dtype=np.int64)
        delays = np.concatenate([nothing, *self._delay_us])
        lost = np.concatenate([nothing, *self._lost])
        self._delay_us, self._lost = [], []
        return delays, lost

    def waiting(self) -> TimeArray:
        """Return the receptions so far of each pair that still waits for the certificate, (n,)."""
        return self._open_count.copy()

    def _bits(self, sender: NDArray[np.integer], receiver: NDArray[np.integer]) -> BoolArray:
        return np.asarray((self._known[receiver, sender >> 3] >> (sender & 7)) & 1, dtype=np.bool_)

    def _follow(
        self, key: TimeArray, time_us: TimeArray, known: BoolArray, verified: BoolArray
    ) -> None:
        """Keep the time of pairs that wait, and close those that got the certificate."""
        waiting = np.flatnonzero(~known)
        pair, first, place = np.unique(key[waiting], return_index=True, return_inverse=True)
        lost = np.bincount(place[~verified[waiting]], minlength=len(pair))
        begun_us = time_us[waiting[first]]
        at = np.searchsorted(self._open_key, pair)
        old = np.append(self._open_key, -1)[at] == pair
        begun_us[old] = self._open_us[at[old]]
        lost[old] += self._open_count[at[old]]
        settled = np.zeros(len(pair), dtype=np.bool_)
        end_us = np.full(len(pair), np.iinfo(np.int64).max)
        ok = verified[waiting]
        settled[place[ok]] = True
        np.minimum.at(end_us, place[ok], time_us[waiting[ok]])
        if settled.any():
            self._delay_us.append(end_us[settled] - begun_us[settled])
            self._lost.append(lost[settled])
        self._drop_open(np.isin(self._open_key, pair))
        keys = np.concatenate([self._open_key, pair[~settled]])
        order = np.argsort(keys)
        self._open_key = keys[order]
        self._open_us = np.concatenate([self._open_us, begun_us[~settled]])[order]
        self._open_count = np.concatenate([self._open_count, lost[~settled]])[order]

    def _drop_open(self, gone: BoolArray) -> None:
        self._open_key = self._open_key[~gone]
        self._open_us = self._open_us[~gone]
        self._open_count = self._open_count[~gone]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessRule:
    """Which generation times a receiver accepts.

    Parameters
    ----------
    oldest_ms
        A message older than this is discarded [ms].
    ahead_ms
        So is one that was generated more than this in the future [ms].
    """

    oldest_ms: float = 1000.0
    ahead_ms: float = 0.0

    def __post_init__(self) -> None:
        """Reject rules that nothing passes."""
        if not self.oldest_ms > 0.0:
            raise ValueError(f"oldest_ms must be > 0, got {self.oldest_ms}")
        if not self.ahead_ms >= 0.0:
            raise ValueError(f"ahead_ms must be >= 0, got {self.ahead_ms}")

    def accepts(
        self,
        generated_us: TimeArray,
        now_us: int | TimeArray,
        sender_offset_us: int | TimeArray = 0,
        receiver_offset_us: int | TimeArray = 0,
    ) -> BoolArray:
        """Return which messages are neither too old nor of the future.

        Parameters
        ----------
        generated_us, now_us : (n,) int64
            True times of generation and reception [µs].
        sender_offset_us, receiver_offset_us : (n,) int64
            How much the clocks of both are ahead of true time [µs].

        Examples
        --------
        >>> CHINESE.accepts(np.array([0, 0, 0]), np.array([1_000_000, 1_000_001, -1])).tolist()
        [True, False, False]
        """
        age_us = np.asarray(now_us + receiver_offset_us - generated_us - sender_offset_us)
        return np.asarray(
            (age_us <= self.oldest_ms * US_PER_MS) & (age_us >= -self.ahead_ms * US_PER_MS)
        )


#: GB/T 45315-2025: not more than 1 s old, never of the future.
CHINESE = FreshnessRule()
#: Values of a European profile (medium confidence): 2 s old, 220 ms ahead.
EUROPEAN = FreshnessRule(oldest_ms=2000.0, ahead_ms=220.0)


def clock_offset_us(seed: int, identity: NDArray[np.int64], sigma_ms: float) -> TimeArray:
    """Return how much the clocks of stations are ahead of true time, a normal draw by id [µs].

    Parameters
    ----------
    seed
        Seed of the run.
    identity : (n,) int64
        Stable ids.
    sigma_ms
        Standard deviation [ms]; GB/T 45315-2025 asks for 1 ms at 68 %.
    """
    if not sigma_ms >= 0.0:
        raise ValueError(f"sigma_ms must be >= 0, got {sigma_ms}")
    normal = normal_by_id(rng.key32(seed, "security", "clock"), identity, 0)
    return np.asarray(np.rint(normal * sigma_ms * US_PER_MS), dtype=np.int64)


def normal_by_id(
    key: int, identity: NDArray[np.int64], counter: int | NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return a standard normal number for each identity and counter (Box and Muller)."""
    number = 2 * np.asarray(counter, dtype=np.int64)
    radius = np.sqrt(-2.0 * np.log1p(-rng.uniform_by_id(key, identity, number)))
    return np.asarray(radius * np.cos(2.0 * np.pi * rng.uniform_by_id(key, identity, number + 1)))
