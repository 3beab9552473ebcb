"""What a run signs and verifies with: both ends of the envelope together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.security.envelope import CertificateCadence, TimeArray
from v2x.security.verified import VerifiedMessages


@dataclass(frozen=True, slots=True)
class Signing:
    """When certificates travel, and who has got them.

    Attributes
    ----------
    cadence
        When they travel.
    verified
        Who can verify whom.
    """

    cadence: CertificateCadence
    verified: VerifiedMessages

    def newest(
        self,
        now_us: int,
        sender: NDArray[np.integer],
        receiver: NDArray[np.integer],
        generated_us: TimeArray,
    ) -> TimeArray:
        """Return when the newest verified message of each link was generated, -1 for none [µs].

        See :meth:`VerifiedMessages.newest`; those who hear strangers answer with their certificate,
        where the rule says so.
        """
        verified_us, strangers = self.verified.newest(now_us, sender, receiver, generated_us)
        self.cadence.hear_strangers(strangers)
        return verified_us

    def table(self) -> dict[str, NDArray[np.int64]]:
        """Return the table ``certificates`` so far, without ``replication``, and begin anew."""
        delay_us, n_unverified = self.verified.memory.take_delays()
        waiting = self.verified.memory.waiting()
        return {
            "delay_us": np.concatenate([delay_us, np.full(len(waiting), -1, dtype=np.int64)]),
            "n_unverified": np.concatenate([n_unverified, waiting]),
        }
