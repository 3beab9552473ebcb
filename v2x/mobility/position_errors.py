r"""Errors of satellite navigation, and of dead reckoning where there is none.

Under each sky the error is a first-order Gauss-Markov process: over a time :math:`t` it keeps
:math:`e^{-t/\tau}` of itself and is renewed so that its variance stays. When the sky changes, the
error of that moment is carried on and fades while the process of the new sky comes in,

.. math:: e = r\,c + \sqrt{1 - r^2}\;\sigma u, \qquad r = e^{-t/T},

so that the error never jumps and its variance goes from the old one to the new one. In a tunnel
the carried error stays and dead reckoning adds to it: a scale error of the wheels along the way
made good, a gyroscope drift across it, and a pitch error in height (``radio.md`` 2.6).

Draws are hashes of seed, identity and time: nobody's error depends on who else is there.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.mobility.fleet import FleetState, FloatArray, IntArray
from v2x.mobility.positioning_params import PositioningParams
from v2x.records.tables import Sky
from v2x.units import US_PER_S

#: A twentieth of an error is left after three times the time in which it falls to 1/e.
_TWENTIETH = 3.0
_S_PER_H = 3600.0


class PositionErrors:
    """Errors of all rows of a fleet, from one state to the next.

    Parameters
    ----------
    params
        Sizes and times.
    wrap_length_m
        Period in x of a wrap-around map [m]; 0 if the map has ends.
    seed
        Seed of the run.
    """

    def __init__(self, params: PositioningParams, wrap_length_m: float, seed: int) -> None:
        self._params = params
        self._wrap_length_m = wrap_length_m
        self._key = {
            name: rng.key32(seed, "positioning", name) for name in ("sensors", "start", "steps")
        }
        # A tunnel has no process of its own; who begins in one had open sky before.
        self._sigma_m = np.array(
            [params.open_sigma_m, params.canyon_sigma_m, params.deck_sigma_m, params.open_sigma_m]
        )
        self._correlation_s = np.array(
            [
                params.open_correlation_s,
                params.canyon_correlation_s,
                params.deck_correlation_s,
                params.open_correlation_s,
            ]
        )
        # East and north share the horizontal variance.
        self._axis = np.array([[math.sqrt(0.5)], [math.sqrt(0.5)], [params.vertical_ratio]])
        spread = (
            params.odometer_scale_sigma,
            math.radians(params.gyro_bias_deg_per_h) / _S_PER_H,
            params.climb_sigma,
        )
        self._sensor_spread = np.array(spread)[:, None]
        self._id: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._last_us = 0
        self._fix_us = 0

    def advance(self, fleet: FleetState, sky: IntArray) -> None:
        """Bring the errors to the time of `fleet`, whose rows are under `sky` (-1 for none)."""
        if not len(self._id):
            self._make_room(fleet)
        same = (fleet.id == self._id) & (sky >= 0) & (self._sky >= 0)
        self._reckon(fleet, same & (self._sky == Sky.TUNNEL))
        if self._fix_is_due(fleet.time_us):
            self._fix(fleet, np.flatnonzero(same & (self._sky != Sky.TUNNEL)))
        changed = np.flatnonzero(same & (sky != self._sky))
        self._carry(fleet, changed, sky[changed])
        self._begin(fleet, np.flatnonzero(~same), sky)
        self._id = fleet.id
        self._last_us = fleet.time_us
        self._x_m, self._y_m, self._z_m = fleet.x_m, fleet.y_m, fleet.z_m

    def error_m(self) -> FloatArray:
        """Return the error east, north and up of every row [m], shape (3, n_rows)."""
        return self._error_m(np.arange(len(self._id)))

    def sigma_m(self) -> tuple[FloatArray, FloatArray]:
        """Return the horizontal and the vertical sigma of every row [m], both (n_rows,)."""
        return self._sigmas_m(np.arange(len(self._id)))

    def _make_room(self, fleet: FleetState) -> None:
        n = fleet.n_rows
        self._id = np.full(n, -1, dtype=np.int64)
        self._sky: IntArray = np.full(n, -1, dtype=np.int32)
        self._x_m, self._y_m, self._z_m = fleet.x_m, fleet.y_m, fleet.z_m
        self._last_us = self._fix_us = fleet.time_us
        self._unit = np.zeros((3, n))
        #: Error of the moment the sky changed, its horizontal and vertical variance, what is
        #: left of it, and the time in which it falls to 1/e.
        self._carried_m = np.zeros((3, n))
        self._carried_m2 = np.zeros((2, n))
        self._left = np.zeros(n)
        self._fade_s = np.ones(n)
        #: Scale of the wheels, drift of the heading [rad/s], climb per distance.
        self._sensor = np.zeros((3, n))
        #: What they are multiplied by since the portal: way made good east and north [m], time
        #: under way times way across it [s m], distance [m]; and that time [s].
        self._way_m = np.zeros((2, n))
        self._turned_sm = np.zeros((2, n))
        self._distance_m = np.zeros(n)
        self._outage_s = np.zeros(n)

    def _fix_is_due(self, time_us: int) -> bool:
        rate = self._params.sensor_rate_hz
        before, now = (math.floor(t * rate / US_PER_S + 1e-6) for t in (self._fix_us, time_us))
        return now > before

    def _begin(self, fleet: FleetState, row: NDArray[np.intp], sky: IntArray) -> None:
        """Forget who was in these rows and start the errors of those who came."""
        self._sky[row] = -1
        self._left[row] = self._distance_m[row] = self._outage_s[row] = 0.0
        for memory in (self._unit, self._sensor, self._way_m, self._turned_sm):
            memory[:, row] = 0.0
        row = row[sky[row] >= 0]
        self._unit[:, row] = self._normal("start", fleet.id[row], 0)
        inside = sky[row] == Sky.TUNNEL
        self._sky[row] = np.where(inside, Sky.OPEN, sky[row])
        self._carry(fleet, row[inside], sky[row[inside]])

    def _fix(self, fleet: FleetState, row: NDArray[np.intp]) -> None:
        """Advance the errors of those who receive satellites."""
        elapsed_s = (fleet.time_us - self._fix_us) / US_PER_S
        self._fix_us = fleet.time_us
        kept = np.exp(-elapsed_s / self._correlation_s)[self._sky[row]]
        new = self._normal("steps", fleet.id[row], fleet.time_us)
        self._unit[:, row] = kept * self._unit[:, row] + np.sqrt(1.0 - kept**2) * new
        self._left[row] *= np.exp(-elapsed_s / self._fade_s[row])

    def _reckon(self, fleet: FleetState, inside: NDArray[np.bool_]) -> None:
        """Let dead reckoning drift over the way since the last state."""
        row = np.flatnonzero(inside)
        dx, dy = fleet.x_m[row] - self._x_m[row], fleet.y_m[row] - self._y_m[row]
        if self._wrap_length_m:
            dx -= self._wrap_length_m * np.round(dx / self._wrap_length_m)
        elapsed_s = (fleet.time_us - self._last_us) / US_PER_S
        middle_s = self._outage_s[row] + 0.5 * elapsed_s
        self._way_m[:, row] += dx, dy
        self._turned_sm[:, row] += -middle_s * dy, middle_s * dx
        self._distance_m[row] += np.sqrt(dx**2 + dy**2 + (fleet.z_m[row] - self._z_m[row]) ** 2)
        self._outage_s[row] += elapsed_s

    def _carry(self, fleet: FleetState, row: NDArray[np.intp], sky: IntArray) -> None:
        """Carry the errors of `row` over to their new `sky`."""
        params, former = self._params, self._sky[row]
        horizontal, vertical = self._sigmas_m(row)
        self._carried_m[:, row] = self._error_m(row)
        self._carried_m2[:, row] = horizontal**2, vertical**2
        # What is carried holds the old process, so the new one must not.
        self._unit[:, row] = self._normal("start", fleet.id[row], fleet.time_us + 1)
        self._left[row] = 1.0
        recovers = (former == Sky.TUNNEL) | (sky == Sky.OPEN)
        recovery_s = params.reacquisition_s / _TWENTIETH
        self._fade_s[row] = np.where(recovers, recovery_s, self._correlation_s[sky])
        self._way_m[:, row] = self._turned_sm[:, row] = 0.0
        self._distance_m[row] = self._outage_s[row] = 0.0
        self._sky[row] = sky
        # Satellites calibrate the sensors, so that what is left is another with each outage.
        lost = row[sky == Sky.TUNNEL]
        drawn = self._normal("sensors", fleet.id[lost], fleet.time_us)
        self._sensor[:, lost] = self._sensor_spread * drawn

    def _error_m(self, row: NDArray[np.intp]) -> FloatArray:
        left = self._left[row]
        process = np.sqrt(1.0 - left**2) * self._sigma_m[self._sky[row]]
        error = left * self._carried_m[:, row] + process * self._axis * self._unit[:, row]
        scale, turn, climb = self._sensor[:, row]
        error[:2] += scale * self._way_m[:, row] + turn * self._turned_sm[:, row]
        error[2] += climb * self._distance_m[row]
        return np.asarray(error)

    def _sigmas_m(self, row: NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
        left2 = self._left[row] ** 2
        known = self._sky[row] >= 0
        process2 = (1.0 - left2) * self._sigma_m[self._sky[row]] ** 2
        scale2, turn2, climb2 = self._sensor_spread[:, 0] ** 2
        horizontal2 = left2 * self._carried_m2[0, row] + process2
        horizontal2 += scale2 * (self._way_m[:, row] ** 2).sum(axis=0)
        horizontal2 += turn2 * (self._turned_sm[:, row] ** 2).sum(axis=0)
        vertical2 = left2 * self._carried_m2[1, row] + process2 * self._params.vertical_ratio**2
        vertical2 += climb2 * self._distance_m[row] ** 2
        return np.sqrt(known * horizontal2), np.sqrt(known * vertical2)

    def _normal(self, name: str, identity: NDArray[np.int64], counter: int) -> FloatArray:
        """Return three standard normal numbers for each identity, shape (3, n)."""
        which = 4 * counter + np.arange(4)[:, None]
        uniform = rng.uniform_by_id(self._key[name], identity[None, :], which)
        radius = np.sqrt(-2.0 * np.log1p(-uniform[:2]))
        angle = 2.0 * math.pi * uniform[2:]
        normal = np.concatenate([radius * np.cos(angle), radius[:1] * np.sin(angle[:1])])
        return np.asarray(normal)
