"""Heights of roads: draped on the ground, straight over decks and through tunnels, stacked.

:func:`solve_heights` is the seam: it takes a network and the height of the terrain under each
of its points and returns the height of the road there. Everything else prepares its input or
reads its output.

The profile is that of an elastic beam which runs along the whole network. On the ground,
springs hold it to the terrain, and its stiffness flattens what is short: the noise of a height
raster, of which no road has the grades. Bridges and tunnels have no springs; a beam under
tension runs straight between their ends. One road over another must clear it, and no road may
be steeper than its class is built: these are inequalities, and everything around a conflict
gives way until it is resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.world.crossings import find_crossings
from v2x.world.elevation import Elevation
from v2x.world.geometry import polylines_of, subdivide, with_polylines
from v2x.world.grades import edge_grades, grade_percentiles, max_grade, point_grades
from v2x.world.least_energy import BoundedEnergy
from v2x.world.point_graph import point_graph
from v2x.world.road_map import FloatArray, IntArray, RoadMap, Structure

__all__ = [
    "MAX_GRADE",
    "Clearances",
    "HeightParams",
    "clearances",
    "edge_grades",
    "grade_percentiles",
    "max_grade",
    "on_terrain",
    "point_grades",
    "solve_heights",
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
#: Springs of bridges and tunnels relative to those of the ground: none, but for the rounding.
_LOOSE = 1e-7
#: Penalties on a lacking metre of clearance and on excess grade, stiff enough for centimetres.
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
        With points at most ``params.spacing_m`` apart and heights rounded to the millimetre.
    """
    params = params or HeightParams()
    fine = subdivide(road_map, params.spacing_m)
    flat_m = np.zeros(len(fine.point_x_m))
    terrain_m = flat_m if elevation is None else terrain_under(fine, elevation)
    return on_terrain(fine, terrain_m, params)


def on_terrain(
    road_map: RoadMap, terrain_m: FloatArray, params: HeightParams | None = None
) -> RoadMap:
    """Return a map raised to what :func:`solve_heights` finds, rounded to the millimetre."""
    height_m = np.round(solve_heights(road_map, terrain_m, params), 3)
    return with_polylines(road_map, replace(polylines_of(road_map), z_m=height_m))


def terrain_under(road_map: RoadMap, elevation: Elevation) -> FloatArray:
    """Return the height of the terrain under each polyline point [m], shape (n_points,)."""
    from pyproj import Transformer

    transformer = Transformer.from_crs(road_map.crs, "EPSG:4326", always_xy=True)
    longitude_deg, latitude_deg = transformer.transform(
        road_map.point_x_m + road_map.origin_x_m, road_map.point_y_m + road_map.origin_y_m
    )
    return elevation.height_m(latitude_deg, longitude_deg)


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

    .. math:: \int_\text{ground} (z - t)^2 + \int_\text{structure} l^2 z'^2 + \int l^4 z''^2

    subject to :math:`z_\text{upper} - z_\text{lower} \ge c\,\Delta\text{level}` at crossings
    and to :math:`|z'| \le g` of the class. Both are penalties stiff enough to hold within
    centimetres; where they contradict each other they share what is lacking. A layer of
    OpenStreetMap is an order and not a height, so that `c` for each level is an assumption.
    """
    from scipy.sparse import coo_array, diags_array, vstack

    params = params or HeightParams()
    graph = point_graph(road_map)
    links, n = graph.links, graph.n_places

    def matrix(columns: list[NDArray[Any]], values: list[FloatArray]) -> Any:
        """Return the sparse matrix with these entries in each row."""
        row = np.tile(np.arange(len(values[0])), len(columns))
        entries = (np.concatenate(values), (row, np.concatenate(columns)))
        return coo_array(entries, shape=(len(values[0]), n)).tocsr()

    # Neighbours a millimetre apart have lengths that rounding decides.
    run_m = np.maximum(links.run_m, 1e-3)
    rise = matrix([links.a, links.b], [-np.ones(len(run_m)), np.ones(len(run_m))])
    ground = road_map.edge_structure[links.edge] == Structure.GROUND
    held_m = np.where(ground, run_m, _LOOSE * run_m)
    spring = np.bincount(links.a, 0.5 * held_m, n) + np.bincount(links.b, 0.5 * held_m, n)
    tension = np.where(ground, 0.0, params.smoothing_m**2 / run_m)
    before, after = np.maximum(graph.bend_m, 1e-3)
    kink = matrix(
        [graph.bend[0], graph.bend[1], graph.bend[2]],
        [1.0 / before, -1.0 / before - 1.0 / after, 1.0 / after],
    )
    stiffness = params.smoothing_m**4 / (0.5 * (before + after))
    energy = diags_array(spring) + rise.T @ diags_array(tension) @ rise
    energy = energy + kink.T @ diags_array(stiffness) @ kink

    crossings = find_crossings(road_map, graph)
    up, down = crossings.upper, crossings.lower
    gap = matrix(
        [links.a[up], links.b[up], links.a[down], links.b[down]],
        [
            1.0 - crossings.upper_share,
            crossings.upper_share,
            crossings.lower_share - 1.0,
            -crossings.lower_share,
        ],
    )
    steepest = np.array([MAX_GRADE.get(name, MAX_STREET_GRADE) for name in road_map.class_names])
    most_m = steepest[road_map.edge_class[links.edge]] * run_m
    grade_weight = _GRADE_WEIGHT / run_m
    profile = BoundedEnergy(
        energy=energy,
        load=spring * graph.at_places(terrain_m),
        bound=vstack([gap, rise, -rise]).tocsr(),
        least=np.concatenate([params.clearance_m * crossings.levels, -most_m, -most_m]),
        weight=np.concatenate([np.full(len(up), _CLEARANCE_WEIGHT), grade_weight, grade_weight]),
    )
    return profile.minimum()[graph.place]


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
