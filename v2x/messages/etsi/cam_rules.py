"""When a CAM is generated and what it contains (EN 302 637-2, 6.1.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.messages.etsi.changes import ChangeThresholds, Motion
from v2x.messages.etsi.memory import NEVER_US, StationMemory
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.units import US_PER_MS

BoolArray = NDArray[np.bool_]
Times = NDArray[np.int64]
_NO_DISTANCE = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CamGenerationParams:
    """Triggers and times of EN 302 637-2, 6.1.3.

    Parameters
    ----------
    changes
        What triggers a CAM (condition 1).
    min_interval_ms, max_interval_ms
        T_GenCamMin and T_GenCamMax [ms].
    n_after_change
        N_GenCam: CAMs by time (condition 2) that keep the interval of the last CAM by change.
    low_frequency_ms, special_ms
        The containers come again after this time [ms].
    roadside_ms
        Shortest time between CAMs of an RSU [ms].
    """

    changes: ChangeThresholds = ChangeThresholds()  # noqa: RUF009 (frozen)
    min_interval_ms: float = 100.0
    max_interval_ms: float = 1000.0
    n_after_change: int = 3
    low_frequency_ms: float = 500.0
    special_ms: float = 500.0
    roadside_ms: float = 1000.0

    def __post_init__(self) -> None:
        """Reject times that contradict each other."""
        if not 1.0 <= self.min_interval_ms <= self.max_interval_ms <= 60_000.0:
            raise ValueError(
                f"min_interval_ms must be >= 1 and at most max_interval_ms, which must be at most "
                f"60000; got {self.min_interval_ms} and {self.max_interval_ms}"
            )
        if not 1 <= self.n_after_change <= 3:
            raise ValueError(f"n_after_change must be within 1 and 3, got {self.n_after_change}")
        for name in ("low_frequency_ms", "special_ms", "roadside_ms"):
            if not 0.0 <= getattr(self, name) <= 60_000.0:
                raise ValueError(f"{name} must be within 0 and 60000, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CamDue:
    """Which of the stations that were checked send a CAM, and with what; all (n,) bool.

    Attributes
    ----------
    due
        Whether a CAM is generated now.
    by_change
        Whether a change triggered it (condition 1).
    low_frequency, special
        Whether it has the container.
    """

    due: BoolArray
    by_change: BoolArray
    low_frequency: BoolArray
    special: BoolArray


class CamGeneration:
    """Decides for many stations at once; the state of each belongs to its row and its id.

    Parameters
    ----------
    params
        Triggers and times.
    """

    def __init__(self, params: CamGenerationParams) -> None:
        self._params = params
        self._min_us = round(params.min_interval_ms * US_PER_MS)
        self._max_us = round(params.max_interval_ms * US_PER_MS)
        self._memory = StationMemory(
            {
                "sent_us": NEVER_US,
                "interval_us": self._max_us,
                "n_by_time": 0,
                "low_frequency_us": NEVER_US,
                "special_us": NEVER_US,
                "x_m": _NO_DISTANCE,
                "y_m": _NO_DISTANCE,
                "heading_rad": _NO_DISTANCE,
                "speed_mps": _NO_DISTANCE,
            }
        )

    def check(
        self,
        now_us: Times,
        row: NDArray[np.int32],
        fleet: FleetState,
        *,
        on_duty: BoolArray | None = None,
        dcc_us: Times | int = 0,
    ) -> CamDue:
        """Check the triggers (every T_CheckCamGen) and remember what is sent.

        Parameters
        ----------
        now_us : (n,) int64
            When each station checks [µs].
        row : (n,) int32
            The stations, none of them twice.
        fleet
            Where they are.
        on_duty : (n,) bool
            Who has a special vehicle container to send; none if it is not given.
        dcc_us
            T_GenCam_Dcc [µs], (n,) or one for all: shortest interval that congestion control
            allows, clamped to T_GenCamMin and T_GenCamMax. Not used on LTE-V2X.

        Returns
        -------
        CamDue
            A station that has not sent before sends at once.
        """
        self._memory.follow(fleet.id)
        memory = self._memory
        elapsed_us = now_us - memory["sent_us"][row]
        first = memory["sent_us"][row] == NEVER_US
        allowed_us = np.clip(dcc_us, self._min_us, self._max_us)
        present = Motion(
            x_m=fleet.x_m[row],
            y_m=fleet.y_m[row],
            heading_rad=fleet.heading_rad[row],
            speed_mps=fleet.speed_mps[row],
        )
        roadside = fleet.kind[row] == NodeKind.RSU
        by_change = (
            self._params.changes.reached(self._told(row), present)
            & (elapsed_us >= allowed_us)
            & ~roadside
            & ~first
        )
        wait_us = np.maximum(memory["interval_us"][row], allowed_us)
        wait_us[roadside] = round(self._params.roadside_ms * US_PER_MS)
        by_time = ~by_change & (elapsed_us >= wait_us)
        due = by_change | by_time
        self._adapt(row, elapsed_us, by_change, by_time & ~first)
        self._remember(row[due], now_us[due], present, due)
        vehicle = due & ~roadside
        wanted = np.zeros(len(row), dtype=np.bool_) if on_duty is None else on_duty
        return CamDue(
            due=due,
            by_change=by_change,
            low_frequency=self._included(
                "low_frequency_us", vehicle, row, now_us, self._params.low_frequency_ms
            ),
            special=self._included(
                "special_us", vehicle & wanted, row, now_us, self._params.special_ms
            ),
        )

    def _told(self, row: NDArray[np.int32]) -> Motion:
        names = ("x_m", "y_m", "heading_rad", "speed_mps")
        return Motion(**{name: self._memory[name][row] for name in names})

    def _adapt(
        self, row: NDArray[np.int32], elapsed_us: Times, by_change: BoolArray, by_time: BoolArray
    ) -> None:
        """Set T_GenCam: to the elapsed time after a change, to its maximum after N_GenCam CAMs."""
        interval_us, n_by_time = self._memory["interval_us"], self._memory["n_by_time"]
        interval_us[row[by_change]] = np.minimum(elapsed_us[by_change], self._max_us)
        n_by_time[row[by_change]] = 0
        timed = row[by_time]
        n_by_time[timed] += 1
        over = timed[n_by_time[timed] >= self._params.n_after_change]
        interval_us[over] = self._max_us

    def _remember(
        self, row: NDArray[np.int32], now_us: Times, present: Motion, due: BoolArray
    ) -> None:
        self._memory["sent_us"][row] = now_us
        for name in ("x_m", "y_m", "heading_rad", "speed_mps"):
            self._memory[name][row] = getattr(present, name)[due]

    def _included(
        self,
        column: str,
        candidate: BoolArray,
        row: NDArray[np.int32],
        now_us: Times,
        again_ms: float,
    ) -> BoolArray:
        """Return who includes a container now: at first, and again after a time."""
        included_us = self._memory[column]
        included = candidate & (now_us - included_us[row] >= round(again_ms * US_PER_MS))
        included_us[row[included]] = now_us[included]
        return np.asarray(included)
