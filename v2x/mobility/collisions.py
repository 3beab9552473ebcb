"""When bodies meet on a lane: a common speed, a skid to a stop, and a wreck on the road."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.drivers.params import CrashParams
from v2x.mobility.fleet import KeyEvent
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import RouteBook
from v2x.mobility.vehicles import ClassTable, Mode, Vehicles
from v2x.units import US_PER_S
from v2x.world.road_map import FloatArray

#: Overlaps below this are rounding [m].
_TOUCH_M = 1e-6
#: Longest step of the motion [s].
_STEP_S = 0.1
#: Number in place of an identity for what is no road user.
OBSTACLE_ID = -1


@dataclass(frozen=True, slots=True)
class Collision:
    """One vehicle that ran into another, or into an obstacle.

    Attributes
    ----------
    time_us
        When [µs].
    striking, struck
        Identities; :data:`OBSTACLE_ID` for an obstacle.
    closing_mps
        Difference of speed just before [m/s].
    striking_delta_v_mps, struck_delta_v_mps
        What the impact changed of the speeds [m/s].
    edge, offset_m
        Where the front of the striking vehicle was.
    """

    time_us: int
    striking: int
    struck: int
    closing_mps: float
    striking_delta_v_mps: float
    struck_delta_v_mps: float
    edge: int
    offset_m: float


def common_speed_mps(
    striking_kg: float, striking_mps: float, struck_kg: float, struck_mps: float
) -> float:
    r"""Return the speed of two vehicles that stay together after an impact [m/s].

    Notes
    -----
    .. math:: u = \frac{m_1 v_1 + m_2 v_2}{m_1 + m_2}

    The changes of speed are those of the delta-V of reference 5.1, m_j/(m_i + m_j) Δv.

    Examples
    --------
    >>> common_speed_mps(1500.0, 20.0, 25_000.0, 0.0)
    1.1320754716981132
    """
    if np.isinf(struck_kg):
        return struck_mps
    return (striking_kg * striking_mps + struck_kg * struck_mps) / (striking_kg + struck_kg)


def _speeds_after_impact(
    pairs: Sequence[tuple[int, int]], mass_kg: FloatArray, speed_mps: FloatArray
) -> dict[int, float]:
    """Return the speeds of all that touch, after everybody who pushes has been slowed down.

    Bodies that touch are joined, with the momentum that they have together, as long as one is
    faster than the one before it. Each row of a pair gets its speed, joined or not.

    Parameters
    ----------
    pairs
        Rows that touch, the one behind first.
    mass_kg, speed_mps : (n_rows,) float64
        Of all rows; an infinite mass cannot be moved.
    """
    block = {row: row for pair in pairs for row in pair}
    mass = {row: float(mass_kg[row]) for row in block}
    speed = {row: float(speed_mps[row]) for row in block}
    joined = True
    while joined:
        joined = False
        for row, other in pairs:
            behind, ahead = block[row], block[other]
            if behind == ahead or speed[behind] <= speed[ahead]:
                continue
            speed[ahead] = common_speed_mps(mass[behind], speed[behind], mass[ahead], speed[ahead])
            mass[ahead] += mass[behind]
            block = {item: ahead if of == behind else of for item, of in block.items()}
            joined = True
    return {row: speed[of] for row, of in block.items()}


class Collisions:
    """Finds who has run into whom on a lane, and what becomes of them.

    Vehicles that have met stay together: what one is pushed later pushes the other too, and is
    part of the same collision. Only lanes count: bodies that follow each other. Ways that cross at
    a junction are not looked at; :mod:`v2x.sim.safety` sees contacts there by geometry.

    Parameters
    ----------
    params
        What a collision does.
    network, book, classes
        Lanes, routes and masses.
    vehicles
        Traffic of the kernel; those that collide are changed.
    first_obstacle
        First row that holds an obstacle instead of a vehicle.
    remove
        Takes the vehicle of a row off the road.

    Attributes
    ----------
    happened : list of Collision
        All so far, in order of time.
    n_cleared : int
        Wrecks that were taken away.
    """

    def __init__(
        self,
        params: CrashParams,
        network: LaneNetwork,
        book: RouteBook,
        classes: ClassTable,
        vehicles: Vehicles,
        first_obstacle: int,
        remove: Callable[[int], None],
    ) -> None:
        self._params = params
        self._network = network
        self._book = book
        self._vehicles = vehicles
        self._mass_kg = classes.mass_kg[vehicles.kind]
        self._mass_kg[first_obstacle:] = np.inf
        self._first_obstacle = first_obstacle
        self._remove = remove
        after_s = params.clear_after_s
        self._clear_us = None if after_s is None else round(after_s * US_PER_S)
        # By row: since when, and who it is.
        self._wreck_us: dict[int, tuple[int, int]] = {}
        self._met: set[tuple[int, int]] = set()
        self.happened: list[Collision] = []
        self.n_cleared = 0

    def find(self, now_us: int, identity: NDArray[np.int64]) -> bool:
        """Let those collide that overlap, and return whether anybody did.

        Gaps and leaders must be those of now. Positions and speeds of who collides become
        those after the impact. A state that is read before shows the bodies in each other and
        their speeds before, as whoever counts contacts needs it.
        """
        vehicles = self._vehicles
        touches = (vehicles.gap_m < -_TOUCH_M) & (vehicles.leader >= 0) & (vehicles.stop >= 0)
        pairs = [(row, int(vehicles.leader[row])) for row in np.flatnonzero(touches).tolist()]
        before = vehicles.speed_mps.copy()
        # Who falls back while it overlaps has been passed too closely, and collides with nobody.
        pairs = [pair for pair in pairs if self._hits(pair, before, identity)]
        if not pairs:
            return False
        after = _speeds_after_impact(pairs, self._mass_kg, before)
        for pair in pairs:
            self._note(pair, before, after, now_us, identity)
        for row in sorted(after):
            if row < self._first_obstacle:
                self._wreck(row, after[row], float(before[row]), now_us, int(identity[row]))
        for row, _ in pairs:
            self._shift(row, float(vehicles.gap_m[row]))
        return True

    def _hits(
        self, pair: tuple[int, int], speed_mps: FloatArray, identity: NDArray[np.int64]
    ) -> bool:
        """Return whether a vehicle that overlaps another is faster, or lies against it."""
        row, other = pair
        return bool(speed_mps[row] > speed_mps[other]) or self._names(pair, identity) in self._met

    def _names(self, pair: tuple[int, int], identity: NDArray[np.int64]) -> tuple[int, int]:
        row, other = pair
        is_vehicle = other < self._first_obstacle
        return int(identity[row]), int(identity[other]) if is_vehicle else OBSTACLE_ID

    def _note(
        self,
        pair: tuple[int, int],
        before: FloatArray,
        after: dict[int, float],
        now_us: int,
        identity: NDArray[np.int64],
    ) -> None:
        """Note the collision of two vehicles that have not met before."""
        names, (row, other) = self._names(pair, identity), pair
        if names in self._met:
            return
        self._met.add(names)
        vehicles = self._vehicles
        closing = float(before[row] - before[other])
        since_s = min(-float(vehicles.gap_m[row]) / closing, _STEP_S)
        self.happened.append(
            Collision(
                time_us=now_us - round(since_s * US_PER_S),
                striking=names[0],
                struck=names[1],
                closing_mps=closing,
                striking_delta_v_mps=abs(after[row] - float(before[row])),
                struck_delta_v_mps=abs(after[other] - float(before[other])),
                edge=int(self._book.edge[vehicles.stop[row]]),
                offset_m=float(vehicles.offset_m[row]),
            )
        )

    def clear(self, now_us: int, identity: NDArray[np.int64]) -> None:
        """Forget wrecks that have slid off the map, and take those away that lay long enough."""
        for row, (since_us, who) in list(self._wreck_us.items()):
            if identity[row] != who:
                del self._wreck_us[row]
            elif self._clear_us is not None and now_us - since_us >= self._clear_us:
                del self._wreck_us[row]
                self._remove(row)
                self.n_cleared += 1

    def _wreck(self, row: int, speed_mps: float, before_mps: float, now_us: int, who: int) -> None:
        vehicles = self._vehicles
        vehicles.speed_mps[row] = speed_mps
        vehicles.mode[row] = Mode.STOPPING
        vehicles.forced_mps2[row] = self._params.deceleration_mps2
        vehicles.events[row] |= KeyEvent.HAZARD_LIGHTS | KeyEvent.DISABLED_VEHICLE
        if abs(speed_mps - before_mps) > self._params.airbag_delta_v_mps:
            vehicles.events[row] |= KeyEvent.AIR_BAG
        self._wreck_us.setdefault(row, (now_us, who))

    def _shift(self, row: int, way_m: float) -> None:
        """Move the front of a row by a short way along its route, back or forth."""
        vehicles, book, network = self._vehicles, self._book, self._network
        length_m = network.road_map.edge_length_m
        stop, offset_m = int(vehicles.stop[row]), float(vehicles.offset_m[row]) + way_m
        lane = int(vehicles.lane[row])
        while offset_m < 0.0 and book.before[stop] >= 0:
            stop = int(book.before[stop])
            lane -= int(network.lane_shift[book.movement[stop]])
            offset_m += float(length_m[book.edge[stop]])
            vehicles.cleared[row] += 1
        while offset_m >= length_m[book.edge[stop]] and book.after[stop] >= 0:
            offset_m -= float(length_m[book.edge[stop]])
            lane += int(network.lane_shift[book.movement[stop]])
            stop = int(book.after[stop])
            vehicles.cleared[row] = max(int(vehicles.cleared[row]) - 1, 0)
        last_m = np.nextafter(length_m[book.edge[stop]], 0.0)
        vehicles.stop[row], vehicles.lane[row] = stop, lane
        vehicles.offset_m[row] = min(max(offset_m, 0.0), float(last_m))
