"""Which state messages of each link could be verified, seen from applications.

Kernels count what was decoded. Whether a receiver also had the certificate is asked here, once per
tick, of the newest message of each link; at ten messages a second that is every message.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.security.envelope import BoolArray, CertificateMemory, TimeArray
from v2x.security.links import LinkTimes
from v2x.security.turns import by_turn

#: Messages of each sender that are remembered; state messages are heard of within a tick or two.
_DEPTH = 32


class VerifiedMessages:
    """Remembers what was signed how, and the newest verified message of each link.

    Attributes
    ----------
    memory
        Who has whose certificate.
    n_verified, n_unverified
        Newest messages of links, tick by tick, that were and were not verified: the latter are
        :attr:`~v2x.records.tables.Outcome.UNVERIFIED`.

    Parameters
    ----------
    n_rows
        Rows of the fleet.
    """

    def __init__(self, n_rows: int) -> None:
        self.memory = CertificateMemory(n_rows)
        self.n_verified = self.n_unverified = 0
        self._generated_us = np.full((n_rows, _DEPTH), -1, dtype=np.int64)
        self._digest = np.zeros((n_rows, _DEPTH), dtype=np.bool_)
        self._count = np.zeros(n_rows, dtype=np.int64)
        self._owner = np.full(n_rows, -1, dtype=np.int64)
        self._links = LinkTimes(n_rows)

    def bind(self, identity: NDArray[np.int64]) -> None:
        """Forget all of rows whose road user is another one now, (n_rows,)."""
        rows = np.flatnonzero(identity != self._owner)
        if not len(rows):
            return
        self._owner = identity.copy()
        self.memory.forget(rows)
        self._generated_us[rows] = -1
        self._links.forget(rows)

    def tell(self, row: NDArray[np.integer], generated_us: TimeArray, digest: BoolArray) -> None:
        """Note which messages are signed with a digest only; (n,) each, in order of generation."""
        for chosen in by_turn(row):
            who = row[chosen]
            place = self._count[who] % _DEPTH
            self._generated_us[who, place] = generated_us[chosen]
            self._digest[who, place] = digest[chosen]
            self._count[who] += 1

    def newest(
        self,
        now_us: int,
        sender: NDArray[np.integer],
        receiver: NDArray[np.integer],
        generated_us: TimeArray,
    ) -> tuple[TimeArray, NDArray[np.int64]]:
        """Return when the newest verified message of each link was generated.

        Parameters
        ----------
        now_us
            The present tick [µs].
        sender, receiver : (n,) int
            Ends of the links, no pair twice.
        generated_us : (n,) int64
            Generation of the newest message that was decoded [µs]; -1 for none.

        Returns
        -------
        verified_us : (n,) int64
            The same of the newest one that was verified too.
        strangers : (k,) int64
            Rows that just heard a signer unknown to them.
        """
        seen, verified = self._links.before(sender, receiver, generated_us)
        new = np.flatnonzero(generated_us > seen)
        digest = self._signed_by_digest(sender[new], generated_us[new])
        ok = self.memory.take(now_us, sender[new], receiver[new], ~digest)
        verified[new[ok]] = generated_us[new[ok]]
        self.n_verified += int(ok.sum())
        self.n_unverified += int((~ok).sum())
        self._links.put(sender, receiver, np.maximum(seen, generated_us), verified)
        return verified, np.unique(receiver[new[~ok]]).astype(np.int64)

    def _signed_by_digest(self, sender: NDArray[np.integer], generated_us: TimeArray) -> BoolArray:
        same = self._generated_us[sender] == generated_us[:, None]
        return np.asarray((same & self._digest[sender]).any(axis=1))
