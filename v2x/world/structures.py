"""Heights of roads: draped on the ground, straight over decks and through tunnels, stacked.

:func:`solve_heights` is the seam: it takes a network and the height of the terrain under each
of its points and returns the height of the road there. Everything else prepares its input or
reads its output.

The profile is that of an elastic beam which runs along the whole network. On the ground,
springs hold it to the terrain, and its stiffness flattens what is short: the noise of a height
raster, of which no road has the grades. Bridges and tunnels are free: a beam under tension runs
straight between their ends, but for decks that the ground pushes up and tunnels that it pushes
down. One road over another must clear it, and no road should be steeper than its class is built:
these are inequalities, and everything around a conflict gives way until it is resolved; what
must hold in the end is the clearance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.world.crossings import find_crossings
from v2x.world.elevation import Elevation
from v2x.world.geometry import point_stretches, polylines_of, subdivide, with_polylines
from v2x.world.grades import edge_grades, grade_percentiles, max_grade, point_grades
from v2x.world.ground import terrain_of
from v2x.world.least_energy import BoundedEnergy
from v2x.world.point_graph import PointGraph, point_graph
from v2x.world.projection import to_degrees
from v2x.world.road_map import FloatArray, IntArray, RoadMap, Structure

__all__ = [
    "MAX_GRADE",
    "Clearances",
    "GradeViolations",
    "HeightParams",
    "clearances",
    "edge_grades",
    "grade_percentiles",
    "grade_violations",
    "max_grade",
    "on_terrain",
    "point_grades",
    "solve_heights",
    "steepest_grades",
    "terrain_under",
    "with_heights",
]

#: Steepest grade at which a class is built. Expressways: JTG B01 and CJJ 37 at the usual design
#: speeds (80 km/h 5 %, 60 km/h 6 %, 40 km/h 7 %) and one per cent more, which mountain cities
#: allow. Other roads are older and steeper than any standard, and only the errors of a raster
#: are to be cut off.
MAX_GRADE: Mapping[str, float] = {
    "motorway": 0.06,
    "motorway_link": 0.08,
    "trunk": 0.07,
    "trunk_link": 0.08,
    "primary": 0.12,
    "primary_link": 0.12,
    "secondary": 0.15,
    "secondary_link": 0.15,
}
MAX_STREET_GRADE = 0.20
#: Excess over the design grade that is rounding and no violation.
GRADE_WITHIN = 0.002
#: Springs of bridges and tunnels relative to those of the ground: none, but for the rounding.
_LOOSE = 1e-7
#: Clearance beyond the least that rounding heights to the millimetre may use up [m].
_SPARE_M = 2e-3
#: Penalties on a lacking metre of clearance, which is only where its multipliers begin, and on
#: excess grade, stiff enough for centimetres.
_CLEARANCE_WEIGHT = 1e5
_GRADE_WEIGHT = 1e7


@dataclass(frozen=True, slots=True, kw_only=True)
class HeightParams:
    """How roads follow the terrain and clear each other.

    Parameters
    ----------
    spacing_m
        Points along the roads are at most so far apart in plan [m].
    smoothing_m
        Reach of a point load on the beam [m]; waves of the terrain shorter than about six times
        this are flattened.
    clearance_m
        Least height of a road above another it crosses, for each level of difference [m]: gauge
        4.5 m of a city road and a deck 1.5 m thick.
    """

    spacing_m: float = 25.0
    smoothing_m: float = 50.0
    clearance_m: float = 6.0

    def __post_init__(self) -> None:
        """Reject lengths that are not positive."""
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Clearances:
    """Heights between roads that cross.

    Attributes
    ----------
    gap_m : (n_crossings,) float64
        Height of the upper road above the lower one [m].
    levels : (n_crossings,) int32
        Difference of their levels, at least 1.
    n_unordered
        Further crossings for which the map does not say which road is above.
    """

    gap_m: FloatArray
    levels: IntArray
    n_unordered: int


@dataclass(frozen=True, slots=True)
class GradeViolations:
    """Stretches steeper than the design grade of their class by more than `GRADE_WITHIN`.

    Attributes
    ----------
    n_edges
        Edges with such a stretch.
    length_m
        Length of the stretches, each direction for itself [m].
    worst
        Greatest excess over the design grade (0.01 is one per cent too much).
    """

    n_edges: int
    length_m: float
    worst: float


def with_heights(
    road_map: RoadMap, elevation: Elevation | None, params: HeightParams | None = None
) -> RoadMap:
    """Return a map in three dimensions.

    Parameters
    ----------
    road_map
        Map in plan, in a projected reference system if `elevation` is given.
    elevation
        Height of the terrain; None for level ground at 0 m, over which bridges still clear the
        roads below them.
    params
        How to follow it.

    Returns
    -------
    RoadMap
        With points at most ``params.spacing_m`` apart and heights rounded to the millimetre;
        with the terrain around its roads if `elevation` is given.
    """
    params = params or HeightParams()
    fine = subdivide(road_map, params.spacing_m)
    if elevation is None:
        return on_terrain(fine, np.zeros(len(fine.point_x_m)), params)
    solved = on_terrain(fine, terrain_under(fine, elevation), params)
    return replace(solved, terrain=terrain_of(solved, elevation))


def on_terrain(
    road_map: RoadMap, terrain_m: FloatArray, params: HeightParams | None = None
) -> RoadMap:
    """Return a map raised to what :func:`solve_heights` finds, rounded to the millimetre."""
    height_m = np.round(solve_heights(road_map, terrain_m, params), 3)
    return with_polylines(road_map, replace(polylines_of(road_map), z_m=height_m))


def terrain_under(road_map: RoadMap, elevation: Elevation) -> FloatArray:
    """Return the height of the terrain under each polyline point [m], shape (n_points,)."""
    return elevation.height_m(*to_degrees(road_map, road_map.point_x_m, road_map.point_y_m))


def solve_heights(
    road_map: RoadMap, terrain_m: FloatArray, params: HeightParams | None = None
) -> FloatArray:
    r"""Return the height of the road at each polyline point.

    Parameters
    ----------
    road_map
        Network with its points in plan; its own heights are ignored.
    terrain_m : (n_points,) float64
        Height of the terrain under each point [m].
    params
        How to follow it.

    Returns
    -------
    (n_points,) float64
        Height of the road [m]; the same where edges meet and on both directions of a street.

    Notes
    -----
    With *t* the terrain and *l* the smoothing length, it minimises along the network

    .. math:: \int_\text{ground} (z - t)^2 + \int_\text{bridge} (t - z)_+^2
        + \int_\text{tunnel} (z - t)_+^2 + \int_\text{structure} l^2 z'^2 + \int l^4 z''^2

    subject to :math:`z_\text{upper} - z_\text{lower} \ge c\,\Delta\text{level}` at crossings
    and, where that leaves room, to :math:`|z'| \le g` of the class: clearance is hard, grades
    are a penalty stiff enough to hold within centimetres, and :func:`grade_violations` tells
    where they gave way. A layer of OpenStreetMap is an order and not a height, so that `c` for
    each level is an assumption.
    """
    from scipy.sparse import vstack

    params = params or HeightParams()
    graph = point_graph(road_map)
    known_m = graph.at_places(terrain_m)
    energy, spring = _beam(road_map, graph, params)
    bounds = [
        _clearance_bounds(road_map, graph, params),
        *_grade_bounds(road_map, graph),
        _ground_bounds(road_map, graph, Structure.BRIDGE, known_m),
        _ground_bounds(road_map, graph, Structure.TUNNEL, known_m),
    ]
    profile = BoundedEnergy(
        energy=energy,
        load=spring * known_m,
        bound=vstack([bound.rows for bound in bounds]).tocsr(),
        least=np.concatenate([bound.least for bound in bounds]),
        weight=np.concatenate([bound.weight for bound in bounds]),
        hard=np.concatenate([np.full(len(bound.least), bound.hard) for bound in bounds]),
    )
    return profile.minimum()[graph.place]


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Least values of combinations of heights: sparse rows, values, weights, whether hard."""

    rows: Any
    least: FloatArray
    weight: FloatArray
    hard: bool = False


def _matrix(graph: PointGraph, columns: list[NDArray[Any]], values: list[FloatArray]) -> Any:
    """Return the sparse matrix over places with these entries in each row."""
    from scipy.sparse import coo_array

    row = np.tile(np.arange(len(values[0])), len(columns))
    entries = (np.concatenate(values), (row, np.concatenate(columns)))
    return coo_array(entries, shape=(len(values[0]), graph.n_places)).tocsr()


def _run_m(graph: PointGraph) -> FloatArray:
    """Return the lengths of links; neighbours a millimetre apart have what rounding decides."""
    run_m: FloatArray = np.maximum(graph.links.run_m, 1e-3)
    return run_m


def _length_at_places(
    road_map: RoadMap, graph: PointGraph, structure: Structure, run_m: FloatArray
) -> FloatArray:
    """Return the length of roads of one structure that each place stands for [m]."""
    links = graph.links
    half_m = 0.5 * np.where(road_map.edge_structure[links.edge] == structure, run_m, 0.0)
    ends = np.concatenate([links.a, links.b])
    length_m = np.bincount(ends, np.tile(half_m, 2), graph.n_places)
    return np.asarray(length_m, dtype=np.float64)


def _rise(graph: PointGraph) -> Any:
    one = np.ones(len(graph.links.a))
    return _matrix(graph, [graph.links.a, graph.links.b], [-one, one])


def _beam(road_map: RoadMap, graph: PointGraph, params: HeightParams) -> tuple[Any, FloatArray]:
    """Return the energy of the beam and the springs that hold it to the terrain."""
    from scipy.sparse import diags_array

    run_m, rise = _run_m(graph), _rise(graph)
    ground = road_map.edge_structure[graph.links.edge] == Structure.GROUND
    spring = _length_at_places(road_map, graph, Structure.GROUND, run_m)
    for structure in (Structure.BRIDGE, Structure.TUNNEL):
        spring = spring + _LOOSE * _length_at_places(road_map, graph, structure, run_m)
    tension = np.where(ground, 0.0, params.smoothing_m**2 / run_m)
    before, after = np.maximum(graph.bend_m, 1e-3)
    kink = _matrix(
        graph,
        [graph.bend[0], graph.bend[1], graph.bend[2]],
        [1.0 / before, -1.0 / before - 1.0 / after, 1.0 / after],
    )
    stiffness = params.smoothing_m**4 / (0.5 * (before + after))
    energy = diags_array(spring) + rise.T @ diags_array(tension) @ rise
    return energy + kink.T @ diags_array(stiffness) @ kink, spring


def _clearance_bounds(road_map: RoadMap, graph: PointGraph, params: HeightParams) -> _Bounds:
    crossings, links = find_crossings(road_map, graph), graph.links
    up, down = crossings.upper, crossings.lower
    upper_share, lower_share = crossings.upper_share, crossings.lower_share
    rows = _matrix(
        graph,
        [links.a[up], links.b[up], links.a[down], links.b[down]],
        [1.0 - upper_share, upper_share, lower_share - 1.0, -lower_share],
    )
    least_m = np.asarray(params.clearance_m * crossings.levels + _SPARE_M, dtype=np.float64)
    return _Bounds(rows, least_m, np.full(len(up), _CLEARANCE_WEIGHT), hard=True)


def _grade_bounds(road_map: RoadMap, graph: PointGraph) -> tuple[_Bounds, _Bounds]:
    run_m, rise = _run_m(graph), _rise(graph)
    least_m = -steepest_grades(road_map)[graph.links.edge] * run_m
    weight = _GRADE_WEIGHT / run_m
    return _Bounds(rise, least_m, weight), _Bounds(-rise, least_m, weight)


def _ground_bounds(
    road_map: RoadMap, graph: PointGraph, structure: Structure, known_m: FloatArray
) -> _Bounds:
    """Return how the ground pushes decks up or tunnels down: as it holds a road that lies on it."""
    length_m = _length_at_places(road_map, graph, structure, _run_m(graph))
    place = np.flatnonzero(length_m)
    side = 1.0 if structure == Structure.BRIDGE else -1.0
    rows = _matrix(graph, [place], [np.full(len(place), side)])
    return _Bounds(rows, side * known_m[place], length_m[place])


def steepest_grades(road_map: RoadMap) -> FloatArray:
    """Return the grade at which each edge may be built at most, shape (n_edges,)."""
    steepest = [MAX_GRADE.get(name, MAX_STREET_GRADE) for name in road_map.class_names]
    limits: FloatArray = np.array(steepest, dtype=np.float64)
    return limits[road_map.edge_class]


def grade_violations(road_map: RoadMap) -> GradeViolations:
    """Return where a map is steeper than its classes are built."""
    edge, length_m = point_stretches(road_map)
    excess = np.abs(point_grades(road_map)) - steepest_grades(road_map)[edge]
    steep = (excess > GRADE_WITHIN) & (length_m > 0.0)
    return GradeViolations(
        n_edges=len(np.unique(edge[steep])),
        length_m=float(length_m[steep].sum()),
        worst=float(excess[steep].max(initial=0.0)),
    )


def clearances(road_map: RoadMap) -> Clearances:
    """Return how far above each other the roads of a map cross."""
    graph = point_graph(road_map)
    crossings = find_crossings(road_map, graph)
    z_m = graph.at_places(road_map.point_z_m)

    def height_m(link: IntArray, share: FloatArray) -> FloatArray:
        return (1.0 - share) * z_m[graph.links.a[link]] + share * z_m[graph.links.b[link]]

    upper_m = height_m(crossings.upper, crossings.upper_share)
    lower_m = height_m(crossings.lower, crossings.lower_share)
    return Clearances(upper_m - lower_m, crossings.levels, crossings.n_unordered)
