"""When a VAM is generated, and when one can be spared (TS 103 300-3, clause 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.messages.etsi.changes import ROUNDING, ChangeThresholds, Motion
from v2x.messages.etsi.memory import NEVER_US, StationMemory
from v2x.mobility.fleet import FleetState, FloatArray
from v2x.units import US_PER_MS

BoolArray = NDArray[np.bool_]
Times = NDArray[np.int64]
_MOTION = ("x_m", "y_m", "heading_rad", "speed_mps")


@dataclass(frozen=True, slots=True, kw_only=True)
class VamGenerationParams:
    """Triggers and times of individual VAMs.

    Parameters
    ----------
    changes
        What triggers a VAM; the direction is that of the velocity.
    min_interval_ms, max_interval_ms
        T_GenVamMin and T_GenVamMax [ms].
    low_frequency_ms
        The low-frequency container comes again after this time [ms].
    """

    changes: ChangeThresholds = ChangeThresholds()  # noqa: RUF009 (frozen)
    min_interval_ms: float = 100.0
    max_interval_ms: float = 5000.0
    low_frequency_ms: float = 2000.0

    def __post_init__(self) -> None:
        """Reject times that contradict each other."""
        if not 1.0 <= self.min_interval_ms <= self.max_interval_ms <= 60_000.0:
            raise ValueError(
                f"min_interval_ms must be >= 1 and at most max_interval_ms, which must be at most "
                f"60000; got {self.min_interval_ms} and {self.max_interval_ms}"
            )
        if not 0.0 <= self.low_frequency_ms <= 60_000.0:
            raise ValueError(
                f"low_frequency_ms must be within 0 and 60000, got {self.low_frequency_ms}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class VamOthersParams:
    """What VAMs depend on beside the own motion.

    Parameters
    ----------
    interception
        Change of the probability of a trajectory interception that triggers a VAM, 0 to 1.
    n_skipped
        numSkipVamsForRedundancyMitigation: a VAM is spared for at most so many T_GenVamMax; 0
        for never, else 2 to 10.
    """

    interception: float = 0.1
    n_skipped: int = 2

    def __post_init__(self) -> None:
        """Reject what the standard does not allow."""
        if not 0.0 < self.interception <= 1.0:
            raise ValueError(f"interception must be > 0 and at most 1, got {self.interception}")
        if self.n_skipped != 0 and not 2 <= self.n_skipped <= 10:
            raise ValueError(f"n_skipped must be 0 or within 2 and 10, got {self.n_skipped}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeDistances:
    """How near others may come before a VAM is triggered (TS 103 300-3, 6.5.10.5).

    The lateral and longitudinal distances grow with the speed; the values of the standard for
    that were not available, so a time gap with a floor stands for them (low confidence).

    Parameters
    ----------
    lateral_gap_s, longitudinal_gap_s
        Distances that the own speed covers in this time are not safe [s].
    least_m
        Nor are distances below this [m].
    vertical_m
        Somebody at a greater difference of height is no danger [m]: footbridges and decks.
    """

    lateral_gap_s: float = 1.0
    longitudinal_gap_s: float = 1.0
    least_m: float = 2.0
    vertical_m: float = 5.0

    def __post_init__(self) -> None:
        """Reject distances below zero."""
        for name in ("lateral_gap_s", "longitudinal_gap_s", "least_m", "vertical_m"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name} must be >= 0, got {getattr(self, name)}")

    def undercut(
        self,
        lateral_m: FloatArray,
        longitudinal_m: FloatArray,
        vertical_m: FloatArray,
        speed_mps: FloatArray,
    ) -> BoolArray:
        """Return where somebody is too near in all three directions at once, shape (n,).

        Parameters
        ----------
        lateral_m, longitudinal_m, vertical_m : (n,) float64
            Distances across and along the own direction, and of height [m].
        speed_mps : (n,) float64
            Own speed [m/s].
        """
        across = np.maximum(self.least_m, self.lateral_gap_s * speed_mps)
        along = np.maximum(self.least_m, self.longitudinal_gap_s * speed_mps)
        return np.asarray(
            (np.abs(lateral_m) < across)
            & (np.abs(longitudinal_m) < along)
            & (np.abs(vertical_m) < self.vertical_m)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a road user knows beside its own motion; all (n,), for the stations that check.

    Attributes
    ----------
    interception : float64
        Probability that its trajectory meets another one, 0 to 1.
    too_near : bool
        Whether somebody is nearer than the safe distances.
    peer : :class:`~v2x.messages.etsi.changes.Motion`
        The nearest motion that another station told of lately; infinitely far if none did.
    """

    interception: FloatArray
    too_near: BoolArray
    peer: Motion


@dataclass(frozen=True, slots=True, kw_only=True)
class VamDue:
    """Which of the stations that were checked send a VAM, and with what; all (n,) bool.

    Attributes
    ----------
    due
        Whether a VAM is generated now.
    spared
        Whether one would be, but another station has told the same.
    low_frequency
        Whether it has the low-frequency container.
    """

    due: BoolArray
    spared: BoolArray
    low_frequency: BoolArray


class VamGeneration:
    """Decides for many stations at once; the state of each belongs to its row and its id.

    Parameters
    ----------
    params
        Triggers and times.
    others
        What others have to do with it, where `around` is given.
    """

    def __init__(self, params: VamGenerationParams, others: VamOthersParams | None = None) -> None:
        self._params = params
        self._others = VamOthersParams() if others is None else others
        self._min_us = round(params.min_interval_ms * US_PER_MS)
        self._max_us = round(params.max_interval_ms * US_PER_MS)
        self._memory = StationMemory(
            {
                "sent_us": NEVER_US,
                "low_frequency_us": NEVER_US,
                "interception": 0.0,
                "too_near": 0,
                **dict.fromkeys(_MOTION, 0.0),
            }
        )

    def check(
        self,
        now_us: Times,
        row: NDArray[np.int32],
        fleet: FleetState,
        *,
        silent: BoolArray | None = None,
        prompted: BoolArray | None = None,
        around: Surroundings | None = None,
    ) -> VamDue:
        """Check the triggers (every T_GenVamMin) and remember what is sent.

        Parameters
        ----------
        now_us : (n,) int64
            When each station checks [µs].
        row : (n,) int32
            The stations, none of them twice.
        fleet
            Where they are.
        silent : (n,) bool
            Who must not send: passive members of a cluster. They begin anew when they may again.
        prompted : (n,) bool
            Who has another reason: a leader whose cluster has changed its bounding box.
        around
            What else they know; without it, only the own motion triggers.
        """
        self._memory.follow(fleet.id)
        memory = self._memory
        if silent is not None:
            memory["sent_us"][row[silent]] = NEVER_US
        elapsed_us = now_us - memory["sent_us"][row]
        present = Motion(**{name: getattr(fleet, name)[row] for name in _MOTION})
        told = Motion(**{name: memory[name][row] for name in _MOTION})
        changed = self._params.changes.reached(told, present) | self._alarmed(row, around)
        if prompted is not None:
            changed = changed | prompted
        due = (changed & (elapsed_us >= self._min_us)) | (elapsed_us >= self._max_us)
        if silent is not None:
            due &= ~silent
        spared = due & self._redundant(elapsed_us, present, around)
        due &= ~spared
        low_frequency = due & (
            now_us - memory["low_frequency_us"][row]
            >= round(self._params.low_frequency_ms * US_PER_MS)
        )
        self._remember(row, now_us, present, around, due)
        memory["low_frequency_us"][row[low_frequency]] = now_us[low_frequency]
        return VamDue(due=due, spared=spared, low_frequency=low_frequency)

    def _alarmed(self, row: NDArray[np.int32], around: Surroundings | None) -> BoolArray:
        """Return whose danger has changed: a likelier interception, somebody who comes too near."""
        if around is None:
            return np.zeros(len(row), dtype=np.bool_)
        drift = np.abs(around.interception - self._memory["interception"][row])
        enters = around.too_near & (self._memory["too_near"][row] == 0)
        self._memory["too_near"][row] = around.too_near
        return np.asarray((drift >= self._others.interception - ROUNDING) | enters)

    def _redundant(
        self, elapsed_us: Times, present: Motion, around: Surroundings | None
    ) -> BoolArray:
        """Return whose motion another station has told within the thresholds.

        Somebody who has never sent, or whose surroundings are dangerous, is not spared.
        """
        if around is None or self._others.n_skipped == 0:
            return np.zeros(len(elapsed_us), dtype=np.bool_)
        told_by_peer = ~self._params.changes.reached(around.peer, present)
        recent = elapsed_us < self._others.n_skipped * self._max_us
        return np.asarray(told_by_peer & recent & ~around.too_near)

    def _remember(
        self,
        row: NDArray[np.int32],
        now_us: Times,
        present: Motion,
        around: Surroundings | None,
        due: BoolArray,
    ) -> None:
        self._memory["sent_us"][row[due]] = now_us[due]
        for name in _MOTION:
            self._memory[name][row[due]] = getattr(present, name)[due]
        if around is not None:
            self._memory["interception"][row[due]] = around.interception[due]
