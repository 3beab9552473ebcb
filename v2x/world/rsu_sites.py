"""Where roadside units stand: beside the road, at crossings, portals, on gantries, on walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.errors import V2XError
from v2x.world.carriageways import carriageways, on_edges, one_of_twins
from v2x.world.geometry import twin_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap, Structure
from v2x.world.roadside_params import RoadsideParams
from v2x.world.tubes import Tubes, find_tubes

#: Poles stand this far beside the outer lane [m] ...
POLE_M = 1.5
#: ... and antennas hang this far beside it on the wall of a tunnel [m].
WALL_M = 0.5
#: Least height of an antenna over the lanes [m]: the gauge of expressways is 5.0 m.
OVERHEAD_M = 6.0
#: Distance of the antenna before the mouth of a tunnel [m], so that it sees inside and outside.
PORTAL_M = 5.0
#: Roads of these classes, or with a limit of 80 km/h and more, carry gantries.
EXPRESSWAYS = ("motorway", "trunk")
_FAST_MPS = 80.0 / 3.6
#: Sites on carriageways side by side are one if nearer than this share of the spacing.
_SIDE_BY_SIDE = 0.55


@dataclass(frozen=True, slots=True, kw_only=True)
class RsuSites:
    """Roadside units, one row each.

    Attributes
    ----------
    x_m, y_m, z_m : (n_sites,) float64
        Foot of the antenna in plan, and height of the road there [m].
    antenna_height_m : (n_sites,) float64
        Antenna above the road [m].
    heading_rad : (n_sites,) float64
        Direction of the road, counter-clockwise from east [rad].
    edge : (n_sites,) int32
        Edge beside which the site stands.
    tunnel : (n_sites,) int32
        The edge if the site is inside a tunnel, else -1.
    level : (n_sites,) int32
        Deck level of the edge.
    offset_m, lateral_m : (n_sites,) float64
        Distance along the edge, and to the right of its polyline [m].
    name : tuple of str
        What a person would call the site.
    """

    x_m: FloatArray
    y_m: FloatArray
    z_m: FloatArray
    antenna_height_m: FloatArray
    heading_rad: FloatArray
    edge: IntArray
    tunnel: IntArray
    level: IntArray
    offset_m: FloatArray
    lateral_m: FloatArray
    name: tuple[str, ...]

    def __post_init__(self) -> None:
        """Reject columns of different lengths; make the arrays read-only."""
        if len({len(getattr(self, name)) for name in self.__slots__}) > 1:
            raise ValueError("the columns of sites differ in length")
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.name)

    def take(self, chosen: NDArray[np.integer]) -> RsuSites:
        """Return the chosen rows, in that order."""
        columns = {
            column: getattr(self, column)[chosen] for column in self.__slots__ if column != "name"
        }
        return RsuSites(**columns, name=tuple(self.name[k] for k in chosen.tolist()))


@dataclass(frozen=True, slots=True)
class Places:
    """Points on edges that may become sites, in the order in which they are preferred.

    Attributes
    ----------
    edge : (n,) int32
        Edges.
    offset_m, lateral_m : (n,) float64
        Distance along them, possibly beyond their ends, and to the right [m].
    height_m : (n,) float64
        Antenna above the road [m].
    name : list of str
        Names.
    """

    edge: IntArray
    offset_m: FloatArray
    lateral_m: FloatArray
    height_m: FloatArray
    name: list[str]


def sites(road_map: RoadMap, params: RoadsideParams) -> RsuSites:
    """Return the roadside units of a scenario.

    Parameters
    ----------
    road_map
        The map.
    params
        Section ``roadside``.

    Raises
    ------
    V2XError
        If the map has no place of the kind asked for, or the file of sites is wrong.
    """
    if params.placement == "none":
        return located(road_map, _joined([]))
    if params.placement == "file":
        from v2x.world.rsu_files import read_sites

        assert params.file is not None
        return read_sites(params.file, road_map, default_height_m=params.height_m)
    makers = {
        "spacing": spaced_sites,
        "junctions": junction_sites,
        "portals": portal_sites,
        "gantries": gantry_sites,
    }
    found = makers[params.placement](road_map, params)
    if found.n_sites == 0:
        raise V2XError(
            f"map {road_map.name!r} has no place for {params.placement!r}",
            key="roadside.placement",
            remedy="choose another placement, a shorter spacing_m, or give a file of sites",
        )
    return found


def spaced_sites(road_map: RoadMap, params: RoadsideParams) -> RsuSites:
    """Return sites every ``spacing_m`` along all roads; carriageways side by side share them."""
    tubes = find_tubes(road_map)
    places = _spaced(road_map, params, tubes.edge_tube, np.ones(road_map.n_edges, dtype=np.bool_))
    return _merged(road_map, located(road_map, places), tubes, _SIDE_BY_SIDE * params.spacing_m)


def gantry_sites(road_map: RoadMap, params: RoadsideParams) -> RsuSites:
    """Return sites over the lanes of expressways, on the walls of their tunnels."""
    fast = road_map.edge_limit_mps >= _FAST_MPS - 1e-9
    known = [k for k, name in enumerate(road_map.class_names) if name in EXPRESSWAYS]
    tubes = find_tubes(road_map)
    places = _spaced(
        road_map, params, tubes.edge_tube, fast | np.isin(road_map.edge_class, known), overhead=True
    )
    return _merged(road_map, located(road_map, places), tubes, _SIDE_BY_SIDE * params.spacing_m)


def junction_sites(road_map: RoadMap, params: RoadsideParams) -> RsuSites:
    """Return sites at nodes where three or more roads meet, those with traffic lights first.

    Crossings of dual carriageways are several nodes: nodes closer than ``merge_m`` share the
    site of the most important of them.
    """
    edges = one_of_twins(road_map)
    ends = np.concatenate([road_map.edge_from[edges], road_map.edge_to[edges]])
    n_roads = np.bincount(ends, minlength=road_map.n_nodes)
    junction = np.flatnonzero(n_roads >= 3)
    order = np.lexsort((junction, -n_roads[junction], ~road_map.node_signal[junction]))
    junction = junction[order]
    # An outside edge if there is one: the site of a crossing at a portal stands outside.
    outside = road_map.edge_structure[edges] != Structure.TUNNEL
    at: dict[int, tuple[int, float]] = {}
    for edge in [*edges[outside].tolist(), *edges[~outside].tolist()]:
        at.setdefault(int(road_map.edge_from[edge]), (edge, 0.0))
        at.setdefault(int(road_map.edge_to[edge]), (edge, float(road_map.edge_length_m[edge])))
    edge_of = np.array([at[node][0] for node in junction.tolist()], dtype=np.int32)
    places = Places(
        edge=edge_of,
        offset_m=np.array([at[node][1] for node in junction.tolist()]),
        lateral_m=lateral_m(road_map, edge_of),
        height_m=np.full(len(junction), params.height_m),
        name=[_crossing_name(road_map, int(node)) for node in junction],
    )
    return _merged(road_map, located(road_map, places), find_tubes(road_map), params.merge_m)


def portal_sites(road_map: RoadMap, params: RoadsideParams) -> RsuSites:
    """Return sites on the axis before the mouths of tunnels, and inside at ``spacing_m``."""
    tubes = find_tubes(road_map)
    mouths = _mouths(road_map, tubes, params)
    inside = _spaced(road_map, params, tubes.edge_tube, road_map.edge_structure == Structure.TUNNEL)
    walls = located(road_map, inside)
    kept = _merged(road_map, walls, tubes, _SIDE_BY_SIDE * params.spacing_m)
    return joined_sites([mouths, kept])


def candidate_sites(road_map: RoadMap, params: RoadsideParams) -> RsuSites:
    """Return places for a plan to choose from: along all roads, at junctions and at portals."""
    tubes = find_tubes(road_map)
    return joined_sites(
        [
            spaced_sites(road_map, params),
            junction_sites(road_map, params),
            _mouths(road_map, tubes, params),
        ]
    )


def lateral_m(road_map: RoadMap, edge: IntArray) -> FloatArray:
    """Return how far right of the polyline a pole, or in tunnels the wall, stands [m]."""
    shared = twin_edges(road_map)[edge] >= 0
    lanes_m = road_map.edge_lanes[edge] * road_map.lane_width_m
    tunnel = road_map.edge_structure[edge] == Structure.TUNNEL
    return np.where(shared, lanes_m, 0.5 * lanes_m) + np.where(tunnel, WALL_M, POLE_M)


def _spaced(
    road_map: RoadMap,
    params: RoadsideParams,
    edge_tube: IntArray,
    wanted: NDArray[np.bool_],
    *,
    overhead: bool = False,
) -> Places:
    """Return places every ``spacing_m`` along the carriageways of the wanted edges."""
    every = np.arange(road_map.n_edges, dtype=np.int32)
    beside_m, middle_m = lateral_m(road_map, every), _middle_m(road_map, every)
    # Wanted and other edges, and edges of different tubes, never make one line.
    kind = np.where(wanted, edge_tube, -2).astype(np.int32)
    parts = []
    for line in carriageways(road_map, kind):
        if not wanted[line.edge[0]]:
            continue
        edge, offset_m = line.evenly(params.spacing_m)
        over = overhead & (edge_tube[edge] < 0)
        parts.append(
            Places(
                edge=edge,
                offset_m=offset_m,
                lateral_m=np.where(over, middle_m[edge], beside_m[edge]),
                height_m=np.where(over, max(params.height_m, OVERHEAD_M), params.height_m),
                name=[_road_name(road_map, int(e)) for e in edge],
            )
        )
    return _joined(parts)


def _middle_m(road_map: RoadMap, edge: IntArray) -> FloatArray:
    """Return the lateral offset of the middle of an edge's own lanes [m]."""
    shared = twin_edges(road_map)[edge] >= 0
    return np.where(shared, 0.5 * road_map.edge_lanes[edge] * road_map.lane_width_m, 0.0)


def _mouths(road_map: RoadMap, tubes: Tubes, params: RoadsideParams) -> RsuSites:
    """Return the sites before the portals, with an edge outside where the map has one."""
    n = len(tubes.portal_tube)
    node: dict[tuple[float, float, float], int] = {
        xyz: k
        for k, xyz in enumerate(
            zip(
                road_map.node_x_m.tolist(),
                road_map.node_y_m.tolist(),
                road_map.node_z_m.tolist(),
                strict=True,
            )
        )
    }
    outside = np.flatnonzero(road_map.edge_structure != Structure.TUNNEL).tolist()
    at: dict[int, tuple[int, float]] = {}
    for edge in outside:
        at.setdefault(int(road_map.edge_from[edge]), (edge, 0.0))
        at.setdefault(int(road_map.edge_to[edge]), (edge, float(road_map.edge_length_m[edge])))
    edge_of: IntArray = np.full(n, -1, dtype=np.int32)
    offset_m = np.zeros(n)
    names = []
    for k in range(n):
        place = (tubes.portal_x_m[k], tubes.portal_y_m[k], tubes.portal_z_m[k])
        edge_of[k], offset_m[k] = at.get(node[place], (-1, 0.0))
        inner = int(np.flatnonzero(tubes.edge_tube == tubes.portal_tube[k])[0])
        names.append(f"portal of {_road_name(road_map, inner)}")
    level = np.where(edge_of >= 0, road_map.edge_level[edge_of], 0).astype(np.int32)
    return RsuSites(
        x_m=tubes.portal_x_m + PORTAL_M * tubes.portal_out_x,
        y_m=tubes.portal_y_m + PORTAL_M * tubes.portal_out_y,
        z_m=tubes.portal_z_m.copy(),
        antenna_height_m=np.full(n, max(params.height_m, OVERHEAD_M)),
        heading_rad=np.arctan2(tubes.portal_out_y, tubes.portal_out_x),
        edge=edge_of,
        tunnel=np.full(n, -1, dtype=np.int32),
        level=level,
        offset_m=offset_m,
        lateral_m=np.zeros(n),
        name=tuple(names),
    )


def located(road_map: RoadMap, places: Places) -> RsuSites:
    """Return the sites at `places`."""
    place, along = on_edges(road_map, places.edge, places.offset_m)
    tunnel = road_map.edge_structure[places.edge] == Structure.TUNNEL
    return RsuSites(
        x_m=_in_first_period(road_map, place[0] + places.lateral_m * along[1]),
        y_m=place[1] - places.lateral_m * along[0],
        z_m=place[2],
        antenna_height_m=places.height_m,
        heading_rad=np.arctan2(along[1], along[0]),
        edge=places.edge,
        tunnel=np.where(tunnel, places.edge, -1).astype(np.int32),
        level=road_map.edge_level[places.edge],
        offset_m=places.offset_m,
        lateral_m=places.lateral_m,
        name=tuple(places.name),
    )


def _in_first_period(road_map: RoadMap, x_m: FloatArray) -> FloatArray:
    period = road_map.wrap_length_m
    if not period:
        return x_m
    west = float(road_map.point_x_m.min())
    return np.asarray(west + (x_m - west) % period)


def joined_sites(parts: list[RsuSites]) -> RsuSites:
    """Return all sites in one."""
    columns = {
        column: np.concatenate([getattr(part, column) for part in parts])
        for column in RsuSites.__slots__
        if column != "name"
    }
    return RsuSites(**columns, name=tuple(name for part in parts for name in part.name))


def _joined(parts: list[Places]) -> Places:
    none = np.zeros(0)
    return Places(
        np.concatenate([np.zeros(0, dtype=np.int32), *(p.edge for p in parts)]).astype(np.int32),
        np.concatenate([none, *(p.offset_m for p in parts)]),
        np.concatenate([none, *(p.lateral_m for p in parts)]),
        np.concatenate([none, *(p.height_m for p in parts)]),
        [name for part in parts for name in part.name],
    )


def _merged(road_map: RoadMap, found: RsuSites, tubes: Tubes, within_m: float) -> RsuSites:
    """Drop sites within `within_m` of an earlier one of the same tube, or also outside."""
    from scipy.spatial import cKDTree

    if found.n_sites == 0 or within_m <= 0.0:
        return found
    x = found.x_m - float(road_map.point_x_m.min())
    # Tubes lie in planes so far apart that nothing in one is near anything in another.
    plane = (tubes.of_nodes(found.tunnel) + 1) * (10.0 * within_m + 10.0)
    box = np.array([road_map.wrap_length_m, 0.0, 0.0])
    if box[0]:
        x = np.where(x >= box[0], 0.0, x)
    at = np.stack([x, found.y_m, plane], axis=1)
    tree = cKDTree(at, boxsize=box if box[0] else None)
    # Earlier places stand for later ones, unless they have been dropped themselves.
    near: list[list[int]] = [[] for _ in range(found.n_sites)]
    for first, second in np.sort(
        tree.query_pairs(within_m, output_type="ndarray"), axis=1
    ).tolist():
        near[second].append(first)
    kept = np.zeros(found.n_sites, dtype=np.bool_)
    for k, earlier in enumerate(near):
        kept[k] = not kept[earlier].any()
    return found.take(np.flatnonzero(kept))


def _road_name(road_map: RoadMap, edge: int) -> str:
    return road_map.edge_name[edge] or f"{road_map.class_names[road_map.edge_class[edge]]} {edge}"


def _crossing_name(road_map: RoadMap, node: int) -> str:
    meeting = np.flatnonzero((road_map.edge_from == node) | (road_map.edge_to == node))
    names = sorted({road_map.edge_name[e] for e in meeting.tolist()} - {""})
    return " / ".join(names[:2]) or f"junction {node}"
