"""Periodic awareness: every vehicle tells where it is, by signed BSMs of real size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.applications.base import PacketBatch
from v2x.messages.cast import CastParams
from v2x.messages.sizes import signed_bsm_cycle
from v2x.mobility.fleet import FleetState
from v2x.units import US_PER_MS, US_PER_S

#: Latency that TS 22.185 allows messages of road safety [µs].
LONGEST_BUDGET_US = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AwarenessParams(CastParams):
    """Timing, size and addressees of periodic messages.

    Parameters
    ----------
    rate_hz
        Messages per second and vehicle [Hz]; 10 by T/CSAE 53 and GB/T 45315-2025.
    size_bytes
        Size handed to the access layer [byte]: a number, a cycle of numbers (TR 36.885 A.1.5:
        300, 190, 190, 190, 190), or None for the signed BSM of GB/T 45315-2025.
    jitter_ms
        Each message is late by a uniform time up to this [ms]; phases are random in any case.
    latency_budget_ms
        Age at which a message is no longer worth sending [ms]; None for the 100 ms of TS 22.185
        or, where that comes sooner, until the next message, which replaces one that waits.
    priority
        PPPP, 1 (highest) to 8; 5 for regular BSMs (mapping of low confidence).
    """

    rate_hz: float = 10.0
    size_bytes: int | tuple[int, ...] | None = None
    jitter_ms: float = 0.0
    latency_budget_ms: float | None = None
    priority: int = 5

    def __post_init__(self) -> None:
        """Reject rates and sizes that cannot be sent."""
        self.check_cast()
        if not 0.1 <= self.rate_hz <= 50.0:
            raise ValueError(f"rate_hz must be within 0.1 and 50, got {self.rate_hz}")
        if not self.cycle or not all(1 <= size <= 10_000 for size in self.cycle):
            raise ValueError(f"size_bytes must be within 1 and 10000, got {self.size_bytes}")
        if not 0.0 <= self.jitter_ms < 1000.0 / self.rate_hz:
            raise ValueError(
                f"jitter_ms must be at least 0 and below the period of {1000.0 / self.rate_hz:g} "
                f"ms, got {self.jitter_ms}"
            )
        budget_ms = self.latency_budget_ms
        if budget_ms is not None and not 1.0 <= budget_ms <= 10_000.0:
            raise ValueError(f"latency_budget_ms must be within 1 and 10000, got {budget_ms}")
        if not 1 <= self.priority <= 8:
            raise ValueError(f"priority must be within 1 and 8, got {self.priority}")

    @property
    def cycle(self) -> tuple[int, ...]:
        """The repeating sequence of sizes [byte]."""
        if self.size_bytes is None:
            return signed_bsm_cycle(1000.0 / self.rate_hz)
        if isinstance(self.size_bytes, int):
            return (self.size_bytes,)
        return tuple(self.size_bytes)

    @property
    def budget_us(self) -> int:
        """The latency budget in force [µs].

        Examples
        --------
        >>> AwarenessParams(rate_hz=5.0).budget_us, AwarenessParams(rate_hz=20.0).budget_us
        (100000, 49999)
        """
        if self.latency_budget_ms is not None:
            return round(self.latency_budget_ms * US_PER_MS)
        return min(LONGEST_BUDGET_US, round(US_PER_S / self.rate_hz) - 1)


class Awareness:
    """Sends one message per period and vehicle; phases and places in the cycle are random.

    Phases belong to the stable id of a vehicle, so they do not depend on who else is there.
    """

    Params = AwarenessParams

    def __init__(self, params: AwarenessParams, seed: int) -> None:
        self._params = params
        self._period_us = round(US_PER_S / params.rate_hz)
        self._cycle = np.array(params.cycle, dtype=np.int32)
        self._budget_us = params.budget_us
        self._jitter_us = params.jitter_ms * US_PER_MS
        self._phase_key = rng.key32(seed, "awareness", "phase")
        self._cycle_key = rng.key32(seed, "awareness", "cycle")
        self._jitter_key = rng.key32(seed, "awareness", "jitter")

    @property
    def sizes_bytes(self) -> tuple[int, ...]:
        """Every size it may send [byte]."""
        return tuple(sorted(set(self._params.cycle)))

    @property
    def sizes_by_certificate(self) -> tuple[int, int]:
        """Sizes with a digest and with the certificate [byte] (:class:`ByCertificate`)."""
        return min(self._params.cycle), max(self._params.cycle)

    @property
    def period_ms(self) -> int:
        """Nominal period [ms]."""
        return self._period_us // US_PER_MS

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us)."""
        row = np.flatnonzero(fleet.active).astype(np.int32)
        identity = fleet.id[row]
        phase = (rng.uniform_by_id(self._phase_key, identity, 0) * self._period_us).astype(np.int64)
        # A late message may belong to a period that began before the interval.
        first = (start_us - self._period_us - phase) // self._period_us
        last = (end_us - 1 - phase) // self._period_us
        n_each = (last - first + 1).clip(min=0)
        rows = np.repeat(row, n_each)
        who = np.repeat(identity, n_each)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(n_each) - n_each, n_each)
        index = np.repeat(first, n_each) + within
        generated = np.repeat(phase, n_each) + index * self._period_us
        if self._jitter_us > 0:
            late = rng.uniform_by_id(self._jitter_key, who, index + 1) * self._jitter_us
            generated = generated + late.astype(np.int64)
        due = (generated >= start_us) & (generated < end_us)
        order = np.lexsort((rows[due], generated[due]))
        chosen = np.flatnonzero(due)[order]
        return self._batch(generated[chosen], rows[chosen], who[chosen], index[chosen])

    def _batch(
        self,
        generated_us: NDArray[np.int64],
        tx_row: NDArray[np.int32],
        identity: NDArray[np.int64],
        index: NDArray[np.int64],
    ) -> PacketBatch:
        place = rng.uniform_by_id(self._cycle_key, identity, 0) * len(self._cycle)
        size = self._cycle[(place.astype(np.int64) + index) % len(self._cycle)]
        return PacketBatch(
            generated_us=generated_us,
            tx_row=tx_row,
            size_bytes=size,
            deadline_us=generated_us + self._budget_us,
            priority=np.full(len(size), self._params.priority, dtype=np.int32),
            digest=size < self._cycle.max(),
        )
