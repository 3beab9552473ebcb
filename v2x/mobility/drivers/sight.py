"""How far people see along the road: fog, the inside of bends, the dark behind a portal."""

from __future__ import annotations

import numpy as np

from v2x.mobility.conditions import RoadConditions
from v2x.mobility.curves import Bends, CurveParams, find_bends
from v2x.mobility.driver import EyesParams
from v2x.mobility.routes import RouteBook
from v2x.mobility.vehicles import Vehicles
from v2x.world.road_map import FloatArray, IntArray, RoadMap

#: Arcs no farther apart than this and with radii that differ by no greater factor are one
#: bend [m].
_JOIN_M, _ALIKE = 5.0, 1.5


def bend_sight_m(radius_m: FloatArray, clear_m: float) -> FloatArray:
    r"""Return how far one sees along a bend with a wall on its inside [m].

    Parameters
    ----------
    radius_m : (n,) float64
        Radius of the lane's middle [m].
    clear_m
        Distance from there to the wall [m].

    Notes
    -----
    .. math:: S = 2 R \arccos(1 - M/R)

    Half of the circle and more is never hidden if the wall is beyond the centre.

    Examples
    --------
    >>> bend_sight_m(np.array([60.0, 125.0]), 3.0).round()
    array([38., 55.])
    """
    return np.asarray(2.0 * radius_m * np.arccos(np.clip(1.0 - clear_m / radius_m, -1.0, 1.0)))


def _runs(bends: Bends) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Return edge, begin, end and radius of bends, arcs that go on into each other as one.

    A map draws a long bend as many short arcs. Its radius is that of an arc of the same length
    and angle. Which way they turn is not asked.
    """
    if not len(bends.edge):
        return bends.edge, bends.begin_m, bends.end_m, bends.radius_m
    apart = (np.diff(bends.edge) != 0) | (bends.begin_m[1:] - bends.end_m[:-1] > _JOIN_M)
    wider = bends.radius_m[1:] / bends.radius_m[:-1]
    apart |= (wider > _ALIKE) | (wider < 1.0 / _ALIKE)
    first = np.concatenate([[0], np.flatnonzero(apart) + 1])
    last = np.append(first[1:], len(bends.edge)) - 1
    length_m = bends.end_m - bends.begin_m
    angle = np.add.reduceat(length_m / bends.radius_m, first)
    radius_m = np.add.reduceat(length_m, first) / angle
    return bends.edge[first], bends.begin_m[first], bends.end_m[last], radius_m


class Sight:
    """Shortens what drivers see by the bend or portal that is next on their way.

    Of bends, those on the edge of the vehicle and the first one on the next edge count. A bend
    hides something only if it goes on for longer than one sees along it; before it, one sees
    its beginning and as far into it.

    Parameters
    ----------
    road_map
        The map.
    conditions, book, vehicles
        Roads, routes and traffic; the sight of the vehicles is changed.
    eyes, curves
        Sight into tunnels; how bends are found.
    clear_m
        See :class:`~v2x.mobility.drivers.params.HumanParams`.
    """

    def __init__(
        self,
        road_map: RoadMap,
        conditions: RoadConditions,
        book: RouteBook,
        vehicles: Vehicles,
        eyes: EyesParams,
        curves: CurveParams,
        clear_m: float,
    ) -> None:
        self._length_m = road_map.edge_length_m
        self._dark = conditions.edge_dark != 0
        self._book = book
        self._vehicles = vehicles
        self._portal_m = eyes.portal_sight_m
        bends = find_bends(road_map, curves)
        edge, begin_m, end_m, radius_m = _runs(bends)
        seen_m = bend_sight_m(radius_m, clear_m)
        hides = end_m - begin_m > seen_m
        self._begin_m, self._end_m = begin_m[hides], end_m[hides]
        self._seen_m = seen_m[hides]
        # Bends of one edge do not overlap; places of all edges on one axis, for one search.
        self._base_m = np.concatenate([[0.0], np.cumsum(self._length_m[:-1] + 1000.0)])
        self._edge = edge[hides]
        self._axis_m: FloatArray = self._base_m[self._edge] + self._end_m

    def limit(self) -> None:
        """Take from everybody's sight what bends and portals hide."""
        vehicles, book = self._vehicles, self._book
        rows = np.flatnonzero(vehicles.stop >= 0)
        stop = vehicles.stop[rows]
        edge, offset_m = book.edge[stop], vehicles.offset_m[rows]
        seen_m = vehicles.sight_m[rows]
        after = book.after[stop]
        onto = book.edge[after]
        rest_m = self._length_m[edge] - offset_m
        seen_m = np.minimum(seen_m, self._in_bends(edge, offset_m))
        ahead_m = rest_m + self._in_bends(onto, np.zeros(len(rows)))
        seen_m = np.minimum(seen_m, np.where(after >= 0, ahead_m, np.inf))
        into_dark = (after >= 0) & self._dark[onto] & ~self._dark[edge]
        seen_m = np.minimum(seen_m, np.where(into_dark, rest_m + self._portal_m, np.inf))
        blinded = vehicles.adapting_s[rows] > 0.0
        seen_m = np.minimum(seen_m, np.where(blinded, self._portal_m, np.inf))
        vehicles.sight_m[rows] = seen_m

    def _in_bends(self, edge: IntArray, offset_m: FloatArray) -> FloatArray:
        """Return how far the next bend of an edge lets one see from an offset [m]."""
        if not len(self._axis_m):
            return np.full(edge.shape, np.inf)
        # One bend is enough: what it hides lies before the next.
        k = np.searchsorted(self._axis_m, self._base_m[edge] + offset_m, side="right")
        found = np.minimum(k, len(self._axis_m) - 1)
        there = (k < len(self._axis_m)) & (self._edge[found] == edge)
        to_it_m = self._begin_m[found] - offset_m
        left_m = self._end_m[found] - np.maximum(offset_m, self._begin_m[found])
        hidden = there & (left_m > 0.5 * self._seen_m[found])
        seen_m = np.maximum(to_it_m, 0.0) + self._seen_m[found]
        return np.asarray(np.where(hidden, seen_m, np.inf))
