"""People at the wheel: what comes as a surprise is answered after a reaction time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.drivers.params import HumanParams
from v2x.mobility.reaction_time import HEAVY_KINDS, lognormal_times_s
from v2x.mobility.vehicles import ClassTable, Mode, Vehicles
from v2x.rng import key32, uniform_by_id
from v2x.units import US_PER_S
from v2x.world.road_map import FloatArray

#: Due time of somebody whom nothing has surprised.
_CALM_US = np.iinfo(np.int64).max


class HumanDrivers:
    """Delays what drivers do about a surprise.

    After the kernel has found what flawless drivers would do, those who are surprised and have
    not reacted yet go on as before: not braking harder than `surprise_mps2`, and without the
    care that never lets a flawless driver come too close to others. Lines at which the road
    itself makes them wait are no surprise.

    Parameters
    ----------
    params
        Reaction times.
    vehicles, classes
        Traffic of the kernel and its classes; wishes and available distances are changed.
    seed
        Seed of the run.
    """

    def __init__(
        self, params: HumanParams, vehicles: Vehicles, classes: ClassTable, seed: int
    ) -> None:
        n = vehicles.n_rows
        self._params = params
        self._vehicles = vehicles
        self._classes = classes
        self._heavy = np.isin(vehicles.kind, HEAVY_KINDS)
        self._time_key = key32(seed, "mobility", "surprise")
        self._lapse_key = key32(seed, "mobility", "lapse")
        self._id: NDArray[np.int64] = np.full(n, -1, dtype=np.int64)
        self._count: NDArray[np.int64] = np.zeros(n, dtype=np.int64)
        self._due_us: NDArray[np.int64] = np.full(n, _CALM_US, dtype=np.int64)
        self._alerted: NDArray[np.bool_] = np.zeros(n, dtype=np.bool_)
        self._away_us: NDArray[np.int64] = np.full(n, -1, dtype=np.int64)
        self._held_mps2: FloatArray = np.zeros(n)
        self._last_mps2: FloatArray = np.zeros(n)
        self._last_us = 0

    @property
    def surprised(self) -> NDArray[np.bool_]:
        """Who has to brake hard and has been surprised by it, (n_rows,)."""
        return np.asarray(self._due_us != _CALM_US)

    def react(self, now_us: int, identity: NDArray[np.int64]) -> None:
        """Change what everybody is going to do until the next step.

        Parameters
        ----------
        now_us
            Time [µs].
        identity : (n_rows,) int64
            Who is in which row, -1 for nobody.
        """
        vehicles = self._vehicles
        self._begin_anew(identity)
        step_s = (now_us - self._last_us) / US_PER_S
        self._last_us = now_us
        self._lapse(now_us, step_s)
        driven = (vehicles.stop >= 0) & (vehicles.mode == Mode.DRIVEN)
        must_brake = driven & self._must_brake()
        calm = ~driven | (vehicles.wish_mps2 > -0.5 * self._params.surprise_mps2)
        self._due_us[calm & ~must_brake] = _CALM_US
        self._surprise(np.flatnonzero(must_brake & ~self.surprised), now_us)
        self._hurry(now_us)
        blind = np.flatnonzero(self.surprised & driven & (now_us < self._due_us))
        if len(blind):
            self._go_on(blind)
        # Who has come too close brakes as hard as it can, and no harder.
        rows = np.flatnonzero(driven)
        vehicles.available_m[rows] = np.maximum(
            vehicles.available_m[rows], vehicles.stopping_m[rows]
        )
        self._last_mps2 = vehicles.wish_mps2.copy()

    def _begin_anew(self, identity: NDArray[np.int64]) -> None:
        changed = self._id != identity
        if changed.any():
            self._count[changed] = 0
            self._due_us[changed] = _CALM_US
            self._away_us[changed] = -1
            self._last_mps2[changed] = 0.0
            self._id = identity.copy()

    def _lapse(self, now_us: int, step_s: float) -> None:
        """Let drivers look away for a while, as likely in any second as in any other."""
        rate_per_s = self._params.lapses_per_h / 3600.0
        if rate_per_s <= 0.0:
            return
        draw = uniform_by_id(self._lapse_key, np.maximum(self._id, 0), now_us)
        begins = (draw < rate_per_s * step_s) & (now_us >= self._away_us)
        self._away_us[begins] = now_us + round(self._params.lapse_s * US_PER_S)

    def _must_brake(self) -> NDArray[np.bool_]:
        """Return whom others force to brake hard, or to the last moment at which they can stop."""
        vehicles = self._vehicles
        hard = vehicles.wish_mps2 < -self._params.surprise_mps2
        # Those who stand or crawl in a queue are near others by their own will.
        moves = vehicles.speed_mps > 2.0
        near = (vehicles.available_m < vehicles.stopping_m) & (
            vehicles.available_m < vehicles.line_m
        )
        return moves & (hard | near)

    def _surprise(self, rows: NDArray[np.intp], now_us: int) -> None:
        """Draw when those in `rows` will react."""
        if not len(rows):
            return
        alerted = self._vehicles.controls.alerted[rows] != 0
        seen_us = np.maximum(now_us, self._away_us[rows])
        self._due_us[rows] = seen_us + self._times_us(rows, alerted)
        self._alerted[rows] = alerted
        self._held_mps2[rows] = np.maximum(self._last_mps2[rows], -self._params.surprise_mps2)
        self._count[rows] += 1

    def _times_us(self, rows: NDArray[np.intp], alerted: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how long those in `rows` take for the surprise they are about to count [µs]."""
        params = self._params
        time_s = lognormal_times_s(
            self._time_key,
            self._id[rows],
            self._count[rows],
            np.where(alerted, params.alerted_reaction_s, params.reaction_s),
            np.where(alerted, params.alerted_reaction_sd_s, params.reaction_sd_s),
        )
        time_s = time_s + np.where(self._heavy[rows], params.heavy_build_up_s, 0.0)
        return np.rint(time_s * US_PER_S).astype(np.int64)

    def _hurry(self, now_us: int) -> None:
        """Let those react sooner who are told while they have not yet reacted."""
        told = self._vehicles.controls.alerted != 0
        rows = np.flatnonzero(told & ~self._alerted & self.surprised & (now_us < self._due_us))
        if not len(rows):
            return
        self._count[rows] -= 1
        soon_us = now_us + self._times_us(rows, np.ones(len(rows), dtype=np.bool_))
        self._count[rows] += 1
        self._due_us[rows] = np.minimum(self._due_us[rows], soon_us)
        self._alerted[rows] = True

    def _go_on(self, rows: NDArray[np.intp]) -> None:
        """Let those who have not reacted go on as before, but for lines at which they wait."""
        vehicles = self._vehicles
        wish = np.maximum(vehicles.wish_mps2[rows], self._held_mps2[rows])
        line_m = vehicles.line_m[rows]
        vehicles.wish_mps2[rows] = np.minimum(wish, self._before_line_mps2(rows, line_m))
        vehicles.available_m[rows] = line_m

    def _before_line_mps2(self, rows: NDArray[np.intp], line_m: FloatArray) -> FloatArray:
        """Return the acceleration of the Intelligent Driver Model before a line [m/s²]."""
        vehicles, classes = self._vehicles, self._classes
        kind, v = vehicles.kind[rows], vehicles.speed_mps[rows]
        a, ease = classes.acceleration_mps2[kind], np.maximum(vehicles.ease_mps2[rows], 1e-3)
        headway_s = classes.headway_s[kind] + vehicles.delay_s[rows]
        wanted_m = classes.min_gap_m[kind] + v * headway_s + v * v / (2.0 * np.sqrt(a * ease))
        near = wanted_m / np.maximum(line_m, 0.1)
        ratio = v / np.maximum(vehicles.free_mps[rows], 0.1)
        return np.asarray(a * (1.0 - ratio**4 - near * near))
