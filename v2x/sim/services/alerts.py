"""Alerts that stand: when each began, what it rested on, and how it went on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.applications.warnings.base import Judgement
from v2x.mobility.fleet import NodeKind
from v2x.mobility.reactions import Action, Demands
from v2x.perception.scene import Scene
from v2x.records.tables import SCHEMAS
from v2x.units import US_PER_S

#: An alert ends when its condition has been gone for this long [µs]; 1 s is our choice.
HOLD_US = 1_000_000


@dataclass(slots=True)
class _Alert:
    """One alert that stands.

    Attributes
    ----------
    number
        Its running number, -1 in the warm-up.
    row
        Row of the vehicle.
    seen_us
        When its condition was last given [µs].
    action, value
        What it asks for now.
    """

    number: int
    row: int
    seen_us: int
    action: int
    value: float


class AlertBook:
    """Keeps alerts from their beginning to a second after their condition has gone.

    In that second an alert keeps the driver attentive, but asks for nothing more: who has braked
    enough does not brake on.

    Parameters
    ----------
    n_warnings
        How many sorts of warnings there are.
    counted_from_us
        Alerts that begin earlier are not recorded [µs].
    """

    def __init__(self, n_warnings: int, counted_from_us: int) -> None:
        self._standing: list[dict[tuple[int, int], _Alert]] = [{} for _ in range(n_warnings)]
        self._counted_from_us = counted_from_us
        self._now_us = 0
        self._rows: list[dict[str, Any]] = []

    def forget(self, changed: NDArray[np.bool_], now_us: int) -> None:
        """End the alerts of vehicles that have left."""
        for standing in self._standing:
            for key in [key for key, alert in standing.items() if changed[alert.row]]:
                self._end(standing.pop(key), now_us)

    def observe(self, warning: int, scene: Scene, judgement: Judgement) -> None:
        """Begin, continue and end alerts of one sort; only who drives is told anything."""
        driven = scene.fleet.kind[judgement.host] <= NodeKind.BUS
        judgement = judgement.take(np.flatnonzero(driven))
        standing, now_us = self._standing[warning], scene.known.time_us
        self._now_us = now_us
        host_id = scene.fleet.id[judgement.host].tolist()
        subject, raised = judgement.subject.tolist(), judgement.raised.tolist()
        for k, key in enumerate(zip(host_id, subject, strict=True)):
            alert = standing.get(key)
            if alert is None:
                if not raised[k]:
                    continue
                alert = self._begin(warning, scene, judgement, k)
                standing[key] = alert
            alert.seen_us = now_us
            alert.action, alert.value = int(judgement.action[k]), float(judgement.value[k])
            if alert.number >= 0:
                row = self._rows[alert.number]
                row["stage"] = max(row["stage"], int(judgement.stage[k]))
        for key in [key for key, item in standing.items() if item.seen_us < now_us - HOLD_US]:
            self._end(standing.pop(key), now_us)

    def demands(self, n_controlled: int) -> Demands:
        """Return what the standing alerts ask of the vehicles in the first rows."""
        now_us = self._now_us
        standing = [
            alert
            for alerts in self._standing
            for alert in alerts.values()
            if alert.row < n_controlled
        ]
        return Demands(
            row=np.array([alert.row for alert in standing], dtype=np.int32),
            action=np.array(
                [alert.action if alert.seen_us == now_us else Action.INFORM for alert in standing],
                dtype=np.int32,
            ),
            value=np.nan_to_num(np.array([alert.value for alert in standing], dtype=np.float64)),
        )

    def table(self, end_us: int) -> dict[str, NDArray[Any]]:
        """Return table ``warnings``, without ``replication``; what still stands ends now."""
        for standing in self._standing:
            for alert in standing.values():
                self._end(alert, end_us)
            standing.clear()
        names = [name for name in SCHEMAS["warnings"] if name != "replication"]
        return {
            name: np.array([row[name] for row in self._rows], dtype=SCHEMAS["warnings"][name].dtype)
            for name in names
        }

    def _end(self, alert: _Alert, now_us: int) -> None:
        if alert.number >= 0:
            self._rows[alert.number]["end_s"] = min(alert.seen_us, now_us) / US_PER_S

    def _begin(self, warning: int, scene: Scene, judgement: Judgement, k: int) -> _Alert:
        now_us, row = scene.known.time_us, int(judgement.host[k])
        alert = _Alert(-1, row, now_us, int(judgement.action[k]), float(judgement.value[k]))
        if now_us >= self._counted_from_us:
            alert.number = len(self._rows)
            self._rows.append(_record(warning, scene, judgement, k, alert.number))
        return alert


def _record(
    warning: int, scene: Scene, judgement: Judgement, k: int, number: int
) -> dict[str, Any]:
    """Return the row of table ``warnings`` of an alert that begins."""
    fleet, now_us = scene.fleet, scene.known.time_us
    row, remote = int(judgement.host[k]), int(judgement.remote[k])
    closing, distance = float(judgement.closing_mps[k]), float(judgement.distance_m[k])
    needed = float(judgement.needed_m[k])
    generated_us = int(judgement.generated_us[k])
    return {
        "warning": number,
        "application": warning,
        "vehicle_id": int(fleet.id[row]),
        "other_id": int(fleet.id[remote]) if remote >= 0 else -1,
        "subject": int(judgement.subject[k]),
        "begin_s": now_us / US_PER_S,
        "end_s": now_us / US_PER_S,
        "first_stage": int(judgement.stage[k]),
        "stage": int(judgement.stage[k]),
        "action": int(judgement.action[k]),
        "x_m": float(fleet.x_m[row]),
        "y_m": float(fleet.y_m[row]),
        "z_m": float(fleet.z_m[row]),
        "edge": int(fleet.edge[row]),
        "level": int(fleet.level[row]),
        "speed_mps": float(fleet.speed_mps[row]),
        "closing_mps": closing,
        "distance_m": distance,
        "needed_m": needed,
        "lead_s": distance / closing if closing > 0.0 else np.nan,
        "generated_us": generated_us,
        "age_s": (now_us - generated_us) / US_PER_S,
        "other_deck": remote >= 0 and scene.truly_apart(row, remote),
    }
