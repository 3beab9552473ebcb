r"""How long verification keeps messages, and what happens when there are too many.

Each receiver has one server with a constant service time. With Poisson arrivals that is the
queue M/D/1 with the mean wait

.. math:: W = \frac{\rho S}{2 (1 - \rho)}, \qquad \rho = \lambda S

(Pollaczek and Khinchine); :func:`mean_wait_s` is that formula and a test compares both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.security.turns import by_turn
from v2x.units import US_PER_MS

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationParams:
    """Speed and room of the unit that verifies signatures.

    Parameters
    ----------
    service_ms
        Time for one signature [ms]; 0.4 to 0.5 for units of 2000 to 2500 verifications a second
        (medium confidence), 0.46 was measured for SM2 on a processor.
    capacity
        Messages that may be in the unit, the one in service included; one that finds it full is
        dropped.
    on_demand
        Whether only messages that somebody wants, such as those that would raise a warning, are
        verified; the others pass without.
    """

    service_ms: float = 0.46
    capacity: int = 100
    on_demand: bool = False

    def __post_init__(self) -> None:
        """Reject units that verify nothing."""
        if not 0.0 < self.service_ms <= 1000.0:
            raise ValueError(f"service_ms must be > 0 and at most 1000, got {self.service_ms}")
        if not self.capacity >= 1:
            raise ValueError(f"capacity must be at least 1, got {self.capacity}")


@dataclass(frozen=True, slots=True)
class Verifications:
    """What became of messages at the unit.

    Attributes
    ----------
    done_us : (n,) float64
        When the message can be used [µs]; its arrival where it passed unverified, infinite where
        it was dropped.
    verified, dropped : (n,) bool
        Neither, for what passed because nobody wanted it.
    """

    done_us: FloatArray
    verified: NDArray[np.bool_]
    dropped: NDArray[np.bool_]


class VerificationQueue:
    """The units of all receivers.

    Parameters
    ----------
    params
        Their speed and room.
    n_rows
        Receivers.
    """

    def __init__(self, params: VerificationParams, n_rows: int) -> None:
        self._service_us = params.service_ms * US_PER_MS
        self._capacity = params.capacity
        self._on_demand = params.on_demand
        self._free_us = np.full(n_rows, -np.inf)

    def take(
        self,
        receiver: NDArray[np.integer],
        arrived_us: NDArray[np.int64] | FloatArray,
        wanted: NDArray[np.bool_] | None = None,
    ) -> Verifications:
        """Return when messages are verified, in the order of their arrival.

        Parameters
        ----------
        receiver : (n,) int
            Row of the receiver.
        arrived_us : (n,) int64 or float64
            Arrivals [µs], ascending for each receiver and not before those of earlier calls.
        wanted : (n,) bool
            Whether somebody needs the message; all are, where it is not given. Only units that
            verify on demand ask.
        """
        n = len(receiver)
        done = np.asarray(arrived_us, dtype=np.float64).copy()
        verified, dropped = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
        candidate = np.arange(n)
        if self._on_demand and wanted is not None:
            candidate = np.flatnonzero(wanted)
        for chosen in by_turn(receiver[candidate]):
            at = candidate[chosen]
            who, now = receiver[at], done[at]
            begin = np.maximum(now, self._free_us[who])
            # What is unfinished, in services: with a constant service time it tells how many
            # messages are there.
            n_inside = np.ceil((begin - now) / self._service_us - 1e-9)
            full = n_inside >= self._capacity
            end = begin + self._service_us
            self._free_us[who[~full]] = end[~full]
            done[at] = np.where(full, np.inf, end)
            verified[at], dropped[at] = ~full, full
        return Verifications(done, verified, dropped)

    def forget(self, rows: NDArray[np.integer]) -> None:
        """Empty the units of `rows`, which hold other vehicles now."""
        self._free_us[rows] = -np.inf


def mean_wait_s(rate_hz: float, service_s: float) -> float:
    """Return the mean time before service in M/D/1 without limit [s]; infinite from load 1 on.

    Examples
    --------
    >>> round(1e3 * mean_wait_s(1000.0, 0.46e-3), 3), round(1e3 * mean_wait_s(2000.0, 0.46e-3), 3)
    (0.196, 2.645)
    """
    load = rate_hz * service_s
    return load * service_s / (2.0 * (1.0 - load)) if load < 1.0 else float("inf")
