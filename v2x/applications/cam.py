"""Cooperative awareness of ETSI: CAMs when the motion has changed enough (EN 302 637-2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.applications.triggered import Checked, TriggeredAwareness, TriggeredParams
from v2x.messages.etsi.cam_rules import CamDue, CamGeneration, CamGenerationParams
from v2x.messages.etsi.elements import MOST_PATH_POINTS
from v2x.messages.etsi.frame import Transport, on_air_bytes
from v2x.messages.etsi.lengths import cam_bytes, roadside_cam_bytes
from v2x.messages.etsi.memory import StationMemory
from v2x.mobility.fleet import FleetState, KeyEvent, NodeKind

#: Column of the table of sizes for CAMs without the low-frequency container.
_WITHOUT_PATH = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CamParams(TriggeredParams):
    """Triggers, size and addressees of CAMs.

    Parameters
    ----------
    generation
        Triggers and times of EN 302 637-2.
    path_points
        Most points of the path history, 0 to 40; a choice, the standard leaves it open.
    path_spacing_m
        Path that one point stands for [m]: a vehicle that has gone less has fewer of them. With 10
        points, 300 m, the middle of what GB/T 45315-2025 asks of a history.
    """

    generation: CamGenerationParams = CamGenerationParams()  # noqa: RUF009 (frozen)
    path_points: int = 10
    path_spacing_m: float = 30.0

    def __post_init__(self) -> None:
        """Reject paths that a CAM cannot hold."""
        self.check_common()
        if not 0 <= self.path_points <= MOST_PATH_POINTS:
            raise ValueError(
                f"path_points must be within 0 and {MOST_PATH_POINTS}, got {self.path_points}"
            )
        if not self.path_spacing_m > 0.0:
            raise ValueError(f"path_spacing_m must be > 0, got {self.path_spacing_m}")


class Cam(TriggeredAwareness):
    """Sends CAMs of vehicles, and of RSUs once per second."""

    Params = CamParams

    def __init__(self, params: CamParams, seed: int) -> None:
        super().__init__(params, "cam", seed)
        self._params = params
        self._rules = CamGeneration(params.generation)
        self._path = StationMemory({"x_m": np.nan, "y_m": np.nan, "gone_m": 0.0})
        paths: list[int | None] = [None, *range(params.path_points + 1)]
        #: By certificate, duty, and points of the path.
        self._vehicle_bytes = np.array(
            [
                [[_on_air(cam_bytes(n, on_duty=duty), signed) for n in paths] for duty in _BOTH]
                for signed in _BOTH
            ],
            dtype=np.int32,
        )
        self._roadside_bytes = np.array(
            [_on_air(roadside_cam_bytes(), signed) for signed in _BOTH], dtype=np.int32
        )

    @property
    def sizes_bytes(self) -> tuple[int, ...]:
        """Every size it may send [byte]."""
        sizes = set(self._vehicle_bytes.ravel().tolist()) | set(self._roadside_bytes.tolist())
        return tuple(sorted(sizes))

    @property
    def period_ms(self) -> int:
        """Shortest period [ms]."""
        return max(round(self._params.generation.min_interval_ms), 1)

    def messages(
        self, now_us: NDArray[np.int64], row: NDArray[np.int32], fleet: FleetState
    ) -> Checked:
        """Return which of the stations that are checked send a CAM, and how long it is."""
        self._go(row, fleet)
        on_duty = (fleet.flags[row] & KeyEvent.SIREN) != 0
        found = self._rules.check(now_us, row, fleet, on_duty=on_duty)
        certificate = self.with_certificate(now_us, row, found.due)
        signed = certificate.astype(np.intp)
        size = self._vehicle_bytes[signed, found.special.astype(np.intp), self._points(row, found)]
        roadside = fleet.kind[row] == NodeKind.RSU
        size[roadside] = self._roadside_bytes[signed[roadside]]
        return Checked(due=found.due, size_bytes=size, certificate=certificate)

    def _go(self, row: NDArray[np.int32], fleet: FleetState) -> None:
        """Add up the way that stations have gone since they appeared."""
        path = self._path
        path.follow(fleet.id)
        step_m = np.hypot(fleet.x_m[row] - path["x_m"][row], fleet.y_m[row] - path["y_m"][row])
        path["gone_m"][row] += np.where(np.isnan(step_m), 0.0, step_m)
        path["x_m"][row], path["y_m"][row] = fleet.x_m[row], fleet.y_m[row]

    def _points(self, row: NDArray[np.int32], found: CamDue) -> NDArray[np.intp]:
        """Return the column of the table of sizes of each CAM."""
        n_points = np.minimum(
            self._path["gone_m"][row] // self._params.path_spacing_m, self._params.path_points
        )
        return np.where(found.low_frequency, 1 + n_points.astype(np.intp), _WITHOUT_PATH)


_BOTH = (False, True)


def _on_air(content_bytes: int, with_certificate: bool) -> int:
    return on_air_bytes(content_bytes, Transport.SINGLE_HOP, with_certificate=with_certificate)
