"""From alerts to wishes: when a driver, or a vehicle by itself, does what it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.control import Controls
from v2x.mobility.fleet import FleetState
from v2x.mobility.reaction_time import HEAVY_KINDS, lognormal_times_s
from v2x.rng import key32, uniform_by_id
from v2x.units import US_PER_S
from v2x.world.road_map import FloatArray, IntArray


class Action(IntEnum):
    """What an alert asks of a vehicle, and what its value means."""

    #: Expect trouble; no value.
    INFORM = 0
    #: Brake; wanted deceleration, positive [m/s²].
    BRAKE = 1
    #: Go no faster; speed [m/s].
    SLOW = 2
    #: Do not begin a lane change; no value.
    KEEP_LANE = 3
    #: Change lanes; +1 to the left, -1 to the right.
    CHANGE_LANE = 4
    #: Take a way without an edge; number of the edge.
    REROUTE = 5


@dataclass(frozen=True, slots=True)
class Demands:
    """What the alerts that stand in this tick ask, one row per alert.

    Attributes
    ----------
    row : (n_demands,) int32
        Row of the vehicle in the fleet.
    action : (n_demands,) int32
        An :class:`Action`.
    value : (n_demands,) float64
        See :class:`Action`; 0 where it has no value.
    """

    row: IntArray
    action: IntArray
    value: FloatArray

    @classmethod
    def none(cls) -> Demands:
        """Return no demands."""
        return cls(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32), np.empty(0))

    @property
    def n_demands(self) -> int:
        """Number of rows."""
        return len(self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionParams:
    """How alerts reach drivers, and what they do about them.

    Parameters
    ----------
    hmi_s
        From the alert to its display [s]; 100 to 200 ms for on-board unit and display.
    compliance
        Share of alerts that drivers follow; 0.8 to 0.95 is a proposal of the project.
    reaction_s, reaction_sd_s
        Mean and standard deviation of the lognormal time from the display to the act [s];
        0.9 to 1.1 and 0.35 for drivers with an early warning (proposal of the project).
    heavy_build_up_s
        How much later trucks and buses brake, whoever drives [s]; 0.2 to 0.5 with air brakes,
        confidence low.
    automated_share
        Share of vehicles that do at once what an alert asks.
    memory_s
        An alert that comes back within this time is the same: the driver need not decide and
        react anew [s] (assumption).
    """

    hmi_s: float = 0.15
    compliance: float = 0.9
    reaction_s: float = 1.0
    reaction_sd_s: float = 0.35
    heavy_build_up_s: float = 0.3
    automated_share: float = 0.0
    memory_s: float = 2.0

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        for name in ("hmi_s", "heavy_build_up_s", "memory_s"):
            if not 0 <= getattr(self, name) < 3600:
                raise ValueError(f"{name} must be in [0, 3600), got {getattr(self, name)}")
        for name in ("compliance", "automated_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")
        for name in ("reaction_s", "reaction_sd_s"):
            if not 0 < getattr(self, name) < 3600:
                raise ValueError(f"{name} must be in (0, 3600), got {getattr(self, name)}")


#: Asked to give a vehicle of a row a way without some edges.
Reroute = Callable[[int, frozenset[int]], bool]


class Reactions:
    """Turns standing alerts into wishes of drivers and automated vehicles.

    A driver sees an alert `hmi_s` after it begins to stand, follows it or not, and acts a
    lognormal time later; an automated vehicle acts at once. Draws belong to the vehicle, the
    action and the number of such alerts it had before, so runs that differ in what is known
    share them.

    Parameters
    ----------
    params
        Delays and shares.
    seed
        Seed of the run.
    reroute
        Gives a vehicle another way; without it nobody can be sent elsewhere.
    """

    def __init__(self, params: ReactionParams, seed: int, reroute: Reroute | None = None) -> None:
        self._params = params
        self._reroute = reroute
        self._time_key = key32(seed, "reactions", "time")
        self._comply_key = key32(seed, "reactions", "compliance")
        self._automated_key = key32(seed, "reactions", "automated")
        self._id: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        # By row and action: when the alert began and was last there, when it is acted upon
        # (never if the driver does not follow it), and how many there were.
        self._last_us: NDArray[np.int64] = np.empty((0, len(Action)), dtype=np.int64)
        self._due_us: NDArray[np.int64] = np.empty((0, len(Action)), dtype=np.int64)
        self._count: NDArray[np.int64] = np.empty((0, len(Action)), dtype=np.int64)
        self._sent: dict[int, frozenset[int]] = {}

    def automated(self, identity: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which vehicles do at once what an alert asks."""
        draw = uniform_by_id(self._automated_key, identity, 0)
        return np.asarray(draw < self._params.automated_share)

    def apply(self, now_us: int, fleet: FleetState, demands: Demands, controls: Controls) -> None:
        """Write to `controls` what is done at `now_us` about the alerts that stand.

        What was asked before is released first, except what controllers want
        (``cacc_mps2``); others that write to the controls do so after this.

        Parameters
        ----------
        now_us
            Time of the tick [µs], later than the last one.
        fleet
            Who is in which row.
        demands
            Alerts that stand in this tick. Rows beyond those of `controls` cannot be
            controlled and must not be asked.
        controls
            Wishes of the traffic model.

        Raises
        ------
        ValueError
            If a row beyond the controlled ones is asked.
        """
        if demands.n_demands and int(demands.row.max()) >= controls.n_rows:
            raise ValueError(
                f"row {int(demands.row.max())} cannot be controlled, only {controls.n_rows} can"
            )
        controls.release()
        self._forget_others(fleet.id[: controls.n_rows])
        if not demands.n_demands:
            return
        self._note(now_us, demands, fleet)
        acts = self._due_us[demands.row, demands.action] <= now_us
        row, action, value = demands.row[acts], demands.action[acts], demands.value[acts]
        controls.alerted[self._attentive(now_us, np.unique(demands.row))] = 1
        self._write(Demands(row, action, value), controls)

    def _attentive(self, now_us: int, rows: IntArray) -> IntArray:
        """Return who of `rows` does, or did of late, what an alert asks."""
        since_us = now_us - round(self._params.memory_s * US_PER_S)
        acts = (self._due_us[rows] <= now_us) & (self._last_us[rows] >= since_us)
        return rows[acts.any(axis=1)]

    def obey(self, orders: Demands, controls: Controls) -> None:
        """Write manoeuvres that vehicles have decided upon themselves, after :meth:`apply`."""
        if orders.n_demands:
            self._write(orders, controls)

    def _write(self, demands: Demands, controls: Controls) -> None:
        row, action, value = demands.row, demands.action, demands.value

        def of(wanted: Action) -> tuple[IntArray, FloatArray]:
            chosen = action == wanted
            return row[chosen], value[chosen]

        np.minimum.at(controls.ceiling_mps2, *_negative(of(Action.BRAKE)))
        np.minimum.at(controls.speed_mps, *of(Action.SLOW))
        controls.keep_lane[of(Action.KEEP_LANE)[0]] = 1
        rows, side = of(Action.CHANGE_LANE)
        np.add.at(controls.lane_wish, rows, np.sign(side).astype(np.int32))
        # Opposite wishes cancel; several of the same kind are one.
        np.clip(controls.lane_wish, -1, 1, out=controls.lane_wish)
        self._send_elsewhere(*of(Action.REROUTE))

    def _forget_others(self, identity: NDArray[np.int64]) -> None:
        """Begin anew with rows that hold another vehicle than before."""
        if len(self._id) != len(identity):
            shape = (len(identity), len(Action))
            self._id = np.full(len(identity), -2, dtype=np.int64)
            self._last_us = np.empty(shape, dtype=np.int64)
            self._due_us = np.empty(shape, dtype=np.int64)
            self._count = np.empty(shape, dtype=np.int64)
        changed = np.flatnonzero(self._id != identity)
        self._last_us[changed] = _NEVER_US
        self._count[changed] = 0
        for row in changed.tolist():
            self._sent.pop(row, None)
        self._id = identity.copy()

    def _note(self, now_us: int, demands: Demands, fleet: FleetState) -> None:
        """Note alerts that begin to stand, with when they are acted upon."""
        params = self._params
        stands = np.zeros(self._last_us.shape, dtype=np.bool_)
        stands[demands.row, demands.action] = True
        memory_us = round(params.memory_s * US_PER_S)
        # Times far in the past would overflow in a difference.
        begins = stands & ((self._last_us == _NEVER_US) | (self._last_us + memory_us < now_us))
        self._last_us[stands] = now_us
        row, action = np.nonzero(begins)
        if not len(row):
            return
        identity, counter = self._id[row], self._count[row, action] * len(Action) + action
        self._count[row, action] += 1
        alone = self.automated(identity)
        delay_s = lognormal_times_s(
            self._time_key, identity, counter, params.reaction_s, params.reaction_sd_s
        )
        delay_s = np.where(alone, 0.0, delay_s + params.hmi_s)
        brakes = (action == Action.BRAKE) & np.isin(fleet.kind[row], HEAVY_KINDS)
        delay_s = delay_s + np.where(brakes, params.heavy_build_up_s, 0.0)
        follows = uniform_by_id(self._comply_key, identity, counter) < params.compliance
        due_us = now_us + np.rint(delay_s * US_PER_S).astype(np.int64)
        self._due_us[row, action] = np.where(alone | follows, due_us, np.iinfo(np.int64).max)

    def _send_elsewhere(self, rows: IntArray, edges: FloatArray) -> None:
        """Give vehicles another way, once for each set of edges."""
        if self._reroute is None:
            return
        for row in np.unique(rows).tolist():
            avoid = frozenset(edges[rows == row].astype(np.int64).tolist())
            if self._sent.get(row) != avoid:
                self._sent[row] = avoid
                self._reroute(row, avoid)


#: Last time of an alert that never was.
_NEVER_US = np.iinfo(np.int64).min


def _negative(found: tuple[IntArray, FloatArray]) -> tuple[IntArray, FloatArray]:
    return found[0], -found[1]
