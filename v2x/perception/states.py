"""What road users said of themselves of late: their states, tick by tick."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState, FloatArray, IntArray

RowArray = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """States of road users as they believe and tell them, one element each.

    Attributes
    ----------
    x_m, y_m, z_m : (n,) float64
        Centre at road height [m].
    heading_rad, yaw_rate_radps : (n,) float64
        Direction, counter-clockwise from east [rad], and how fast it changes [rad/s].
    speed_mps, acceleration_mps2 : (n,) float64
        Along the road [m/s], [m/s²].
    offset_m : (n,) float64
        Distance of the front bumper along the edge [m]; 0 off the road.
    edge, lane, level : (n,) int32
        Edge, lane and deck level that the map gives for the position, -1 and 0 off the road.
    turn, flags : (n,) int32
        As in :class:`~v2x.mobility.fleet.FleetState`.
    """

    x_m: FloatArray
    y_m: FloatArray
    z_m: FloatArray
    heading_rad: FloatArray
    yaw_rate_radps: FloatArray
    speed_mps: FloatArray
    acceleration_mps2: FloatArray
    offset_m: FloatArray
    edge: IntArray
    lane: IntArray
    level: IntArray
    turn: IntArray
    flags: IntArray

    def __len__(self) -> int:
        return len(self.x_m)

    def take(self, rows: RowArray) -> States:
        """Return the states of some rows."""
        return States(**{name: getattr(self, name).take(rows) for name in _COLUMNS})

    def where(self, kept: NDArray[np.bool_]) -> States:
        """Return the states of those that are kept; these themselves if all are."""
        return self if kept.all() else self.take(np.flatnonzero(kept))

    def after(self, seconds: FloatArray) -> States:
        """Return where they are after `seconds` [s] if speed changes and course bends as before.

        Nobody drives backwards: who brakes comes to a stand. Speed changes for a second at most,
        the course bends on (constant turn rate and acceleration).
        """
        lasting = np.minimum(seconds, 1.0)
        gain = self.acceleration_mps2 * lasting
        last = np.maximum(self.speed_mps + gain, 0.0)
        # The time of changing speed ends sooner for those who come to a stand.
        changing = lasting.copy()
        np.divide(
            last - self.speed_mps,
            self.acceleration_mps2,
            out=changing,
            where=(self.acceleration_mps2 < 0.0) & (last == 0.0),
        )
        way = 0.5 * (self.speed_mps + last) * changing + last * (seconds - lasting)
        bent = self.yaw_rate_radps * seconds
        middle = self.heading_rad + 0.5 * bent
        columns = {name: getattr(self, name) for name in _COLUMNS}
        columns |= {
            "x_m": self.x_m + way * np.cos(middle),
            "y_m": self.y_m + way * np.sin(middle),
            "heading_rad": self.heading_rad + bent,
            "speed_mps": last,
            "offset_m": self.offset_m + np.where(self.edge >= 0, way, 0.0),
        }
        return States(**columns)


_COLUMNS = tuple(item.name for item in fields(States))
_WHOLE = ("edge", "lane", "level", "turn", "flags")


def joined(first: States, second: States) -> States:
    """Return the states of both, one after the other."""
    return States(
        **{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in _COLUMNS}
    )


class StateRing:
    """Remembers what every row would have said at the last ticks.

    Parameters
    ----------
    n_rows
        Rows of the fleet.
    n_ticks
        How many ticks it remembers.
    period_us
        Time between ticks [µs].
    """

    def __init__(self, n_rows: int, n_ticks: int, period_us: int) -> None:
        self._n_ticks, self._period_us = n_ticks, period_us
        self._rings: dict[str, NDArray[Any]] = {
            name: np.zeros((n_ticks, n_rows), dtype=np.int32 if name in _WHOLE else np.float64)
            for name in _COLUMNS
        }
        self._id = np.full((n_ticks, n_rows), -1, dtype=np.int64)
        self._time_us = np.full(n_ticks, -1, dtype=np.int64)

    @property
    def oldest_us(self) -> int:
        """Age of the oldest state that is surely remembered [µs]."""
        return (self._n_ticks - 2) * self._period_us

    def put(self, fleet: FleetState, states: States) -> None:
        """Remember the states of all rows at the time of `fleet`."""
        at = fleet.time_us // self._period_us % self._n_ticks
        for name, ring in self._rings.items():
            ring[at] = getattr(states, name)
        self._id[at] = fleet.id
        self._time_us[at] = fleet.time_us

    def said(
        self, row: RowArray, identity: NDArray[np.int64], generated_us: NDArray[np.int64]
    ) -> tuple[States, NDArray[np.int64], NDArray[np.bool_]]:
        """Return what rows said in messages.

        Parameters
        ----------
        row, identity : (n,)
            Senders and their stable ids.
        generated_us : (n,) int64
            When the messages were generated [µs].

        Returns
        -------
        states
            Those of the tick before each message.
        time_us : (n,) int64
            When that was [µs].
        remembered : (n,) bool
            Whether the ring still holds it, of the same sender.
        """
        tick = generated_us // self._period_us
        at = (tick % self._n_ticks).astype(np.intp)
        time_us = tick * self._period_us
        remembered = (self._time_us[at] == time_us) & (self._id[at, row] == identity)
        place = at * self._id.shape[1] + row
        columns = {name: ring.ravel().take(place) for name, ring in self._rings.items()}
        return States(**columns), time_us, remembered
