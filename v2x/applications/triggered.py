"""Awareness messages that changes trigger, not a clock: what CAM and VAM have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.applications.awareness import LONGEST_BUDGET_US
from v2x.applications.base import PacketBatch, merged
from v2x.messages.cast import CastParams
from v2x.messages.etsi.memory import NEVER_US, StationMemory
from v2x.mobility.fleet import FleetState
from v2x.ranges import check_ranges
from v2x.units import US_PER_MS

#: A trigger is checked at least this often [ms] (T_CheckCamGen at most T_GenCamMin).
LONGEST_CHECK_MS = 100.0
#: State of stations that do not send yet or have a certificate to send at once.
_STATE = {"begins_us": NEVER_US, "certificate_us": NEVER_US}


@dataclass(frozen=True, kw_only=True)
class TriggeredParams(CastParams):
    """What CAM and VAM have in common; to be inherited, it has no room for values.

    Parameters
    ----------
    check_ms
        Time between checks of the triggers [ms], at most 100 (T_CheckCamGen).
    begins_within_ms
        A station sends its first message at a random time up to this after it has appeared [ms].
        Not of the standard: all would otherwise send in step from the beginning of a run.
    certificate_ms
        The certificate travels again after this time [ms] (TS 103 097).
    latency_budget_ms
        Age at which a message is no longer worth sending [ms]; None for the 100 ms of TS 22.185
        or, where that comes sooner, until the next check.
    priority
        PPPP, 1 (highest) to 8; 5 as for regular BSMs (low confidence).
    """

    __slots__ = ()

    check_ms: float = 100.0
    begins_within_ms: float = 1000.0
    certificate_ms: float = 1000.0
    latency_budget_ms: float | None = None
    priority: int = 5

    def check_common(self) -> None:
        """Reject times and priorities that cannot be kept."""
        self.check_cast()
        check_ranges(
            self,
            ("check_ms", 1.0, LONGEST_CHECK_MS),
            ("begins_within_ms", 0.0, 60_000.0),
            ("certificate_ms", 0.0, 60_000.0),
            ("latency_budget_ms", 1.0, 10_000.0),
            ("priority", 1, 8),
        )

    @property
    def budget_us(self) -> int:
        """The latency budget in force [µs]."""
        if self.latency_budget_ms is not None:
            return round(self.latency_budget_ms * US_PER_MS)
        return min(LONGEST_BUDGET_US, round(self.check_ms * US_PER_MS) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What stations that were checked send.

    Attributes
    ----------
    due : (n,) bool
        Whether a message is sent now.
    size_bytes : (n,) int32
        Its size, handed to the access layer [byte].
    certificate : (n,) bool
        Whether it carries the certificate.
    """

    due: NDArray[np.bool_]
    size_bytes: NDArray[np.int32]
    certificate: NDArray[np.bool_]


class TriggeredAwareness(ABC):
    """Checks every station at a phase of its own and sends what a rule asks for.

    Vehicles move in ticks: a check sees the fleet of its tick. Phases belong to the stable id of a
    station, so they do not depend on who else is there.

    Parameters
    ----------
    params
        What all rules have in common.
    name, seed
        Name of the random streams, and seed of the run.
    """

    def __init__(self, params: TriggeredParams, name: str, seed: int) -> None:
        self._common = params
        self._check_us = round(params.check_ms * US_PER_MS)
        self._budget_us = params.budget_us
        self._phase_key = rng.key32(seed, name, "phase")
        self._begin_key = rng.key32(seed, name, "begin")
        self._memory = StationMemory(_STATE)

    @abstractmethod
    def messages(
        self, now_us: NDArray[np.int64], row: NDArray[np.int32], fleet: FleetState
    ) -> Checked:
        """Return what each station that is checked sends."""

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us), asked for without gaps."""
        row = np.flatnonzero(fleet.active).astype(np.int32)
        self._begin(start_us, fleet)
        draw = rng.uniform_by_id(self._phase_key, fleet.id[row], 0)
        phase_us = (draw * self._check_us).astype(np.int64)
        now_us = start_us + np.mod(phase_us - start_us, self._check_us)
        begins_us = self._memory["begins_us"]
        batch = [self._batch(now_us[:0], row[:0], np.zeros(0, np.int32), np.zeros(0, np.bool_))]
        while (now_us < end_us).any():
            checked = (now_us < end_us) & (now_us >= begins_us[row])
            time_us, who = now_us[checked], row[checked]
            found = self.messages(time_us, who, fleet)
            due = found.due
            sizes, digest = found.size_bytes[due], ~found.certificate[due]
            batch.append(self._batch(time_us[due], who[due], sizes, digest))
            now_us = now_us + self._check_us
        return reduce(merged, batch)

    def with_certificate(
        self,
        now_us: NDArray[np.int64],
        row: NDArray[np.int32],
        sent: NDArray[np.bool_],
        twice: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.bool_]:
        """Return which messages of those that are sent carry the certificate; (n,).

        Parameters
        ----------
        now_us, row : (n,)
            Times and senders.
        sent : (n,) bool
            Which of them are sent.
        twice : (n,) bool
            Whose certificate travels twice as often: leaders of clusters (TS 103 097).
        """
        again_us = np.full(len(row), round(self._common.certificate_ms * US_PER_MS))
        if twice is not None:
            again_us[twice] //= 2
        last_us = self._memory["certificate_us"]
        carries = sent & (now_us - last_us[row] >= again_us)
        last_us[row[carries]] = now_us[carries]
        return np.asarray(carries)

    def _begin(self, start_us: int, fleet: FleetState) -> None:
        """Draw when stations that have appeared send for the first time."""
        new = self._memory.follow(fleet.id)
        draw = rng.uniform_by_id(self._begin_key, fleet.id[new], 0)
        late_us = draw * self._common.begins_within_ms * US_PER_MS
        self._memory["begins_us"][np.flatnonzero(new)] = start_us + late_us.astype(np.int64)

    def _batch(
        self,
        generated_us: NDArray[np.int64],
        tx_row: NDArray[np.int32],
        size_bytes: NDArray[np.int32],
        digest: NDArray[np.bool_],
    ) -> PacketBatch:
        return PacketBatch(
            generated_us=generated_us,
            tx_row=tx_row,
            size_bytes=size_bytes,
            deadline_us=generated_us + self._budget_us,
            priority=np.full(len(tx_row), self._common.priority, dtype=np.int32),
            digest=digest,
        )
