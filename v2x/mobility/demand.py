"""How much traffic there is, where it comes from and where it goes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from v2x.errors import V2XError
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import RouteBook, Router
from v2x.world.road_map import FloatArray, RoadMap

#: Carriageways that run in opposite directions within this distance are one road [m].
ROAD_WIDTH_M = 40.0
#: No vehicle takes less of a lane; more cannot be placed, and would take long to try [m].
_LEAST_SPACE_M = 1.0
#: Entries shorter than this let nobody in [m].
SHORTEST_ENTRY_M = 30.0


class DemandKind(StrEnum):
    """Where trips begin and end.

    ``through``: at the ends of roads, as on an extract of expressways. ``internal``: anywhere,
    as in a street grid. ``auto``: through if roads end at the rim of the map and at most two
    thirds of it lie in one strongly connected part. A map of nothing but rings needs no trips;
    vehicles circulate.
    """

    AUTO = "auto"
    THROUGH = "through"
    INTERNAL = "internal"


def road_length_m(road_map: RoadMap) -> float:
    """Return the length of road on a map [m], to which densities refer.

    Both directions of a road together count once: a stretch of carriageway counts half if one
    of the opposite direction runs within 40 m of it (beside it or on the same polyline). A
    one-way ramp or street counts whole.
    """
    from scipy.spatial import cKDTree

    parts = np.maximum(1, np.ceil(road_map.edge_length_m / 25.0)).astype(np.int64)
    edge = np.repeat(np.arange(road_map.n_edges), parts)
    rank = np.arange(len(edge)) - np.repeat(np.cumsum(parts) - parts, parts)
    share = (rank + 0.5) / parts[edge]
    at, direction = _points_along(road_map, edge, share)
    pairs = cKDTree(at).query_pairs(ROAD_WIDTH_M, output_type="ndarray")
    opposite = (direction[pairs[:, 0]] * direction[pairs[:, 1]]).sum(axis=1) < -0.9
    companion = np.zeros(len(edge), dtype=np.bool_)
    companion[pairs[opposite].ravel()] = True
    weight = road_map.edge_length_m[edge] / parts[edge]
    return float(np.where(companion, 0.5 * weight, weight).sum())


def _points_along(
    road_map: RoadMap, edge: NDArray[np.int64], share: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return points at a share of their edges' lengths, and the unit directions there."""
    base = np.concatenate([[0.0], np.cumsum(road_map.edge_length_m[:-1] + 1.0)])
    axis = road_map.point_offset_m + np.repeat(base, np.diff(road_map.first_point))
    where = base[edge] + share * road_map.edge_length_m[edge]
    piece = np.searchsorted(axis, where, side="right") - 1
    piece = np.clip(piece, road_map.first_point[edge], road_map.first_point[edge + 1] - 2)
    points = np.stack([road_map.point_x_m, road_map.point_y_m], axis=1)
    step = points[piece + 1] - points[piece]
    run = np.sqrt((step**2).sum(axis=1, keepdims=True))
    length = road_map.point_offset_m[piece + 1] - road_map.point_offset_m[piece]
    done = (where - axis[piece]) / length
    return points[piece] + done[:, None] * step, step / np.maximum(run, 1e-9)


def vehicle_count(
    road_map: RoadMap, n_vehicles: int | None, density_per_km: float | None, key: str = "traffic"
) -> int:
    """Return how many vehicles a scenario asks for.

    Parameters
    ----------
    road_map
        The map.
    n_vehicles, density_per_km
        Exactly one must be given: a number, or vehicles per kilometre of road
        (:func:`road_length_m`), both directions together.
    key
        Section of the scenario, for errors.

    Raises
    ------
    V2XError
        If the density gives no vehicle, or the lanes of the map could not hold so many.
    """
    name, n = "n_vehicles", n_vehicles
    if n is None:
        assert density_per_km is not None
        length_km = road_length_m(road_map) / 1000.0
        # The length is a sum of many terms: a millionth of a vehicle must not decide.
        name, n = "density_per_km", int(density_per_km * length_km + 0.5 + 1e-6)
        if n < 1:
            raise V2XError(
                f"{density_per_km} vehicles per km on {length_km:.3f} km of road are none",
                key=f"{key}.density_per_km",
                remedy="ask for a greater density, or set n_vehicles",
            )
    lane_m = float((road_map.edge_length_m * road_map.edge_lanes).sum())
    if n * _LEAST_SPACE_M > lane_m:
        raise V2XError(
            f"{n} vehicles do not fit on {lane_m / 1000.0:.1f} km of lanes",
            key=f"{key}.{name}",
            remedy="ask for fewer, or use a larger map",
        )
    return n


def check_amount(n_vehicles: int | None, density_per_km: float | None) -> None:
    """Raise ValueError unless exactly one positive amount is given."""
    if (n_vehicles is None) == (density_per_km is None):
        raise ValueError(
            f"set either n_vehicles or density_per_km, the other to null; "
            f"got n_vehicles {n_vehicles} and density_per_km {density_per_km}"
        )
    if n_vehicles is not None and n_vehicles < 1:
        raise ValueError(f"n_vehicles must be at least 1, got {n_vehicles}")
    if density_per_km is not None and not 0 < density_per_km < float("inf"):
        raise ValueError(f"density_per_km must be > 0, got {density_per_km}")


@dataclass(frozen=True, slots=True)
class Trips:
    """Routes in use and how often they are.

    Attributes
    ----------
    first : (n_routes,) int64
        First stop of each route in the book.
    weight : (n_routes,) float64
        Relative number of trips.
    circular
        Whether the routes are rings, on which nobody arrives.
    """

    first: NDArray[np.int64]
    weight: FloatArray
    circular: bool

    def draw(self, draw: np.random.Generator) -> int:
        """Return the first stop of a route for a new vehicle."""
        total = np.cumsum(self.weight)
        return int(self.first[np.searchsorted(total, draw.random() * total[-1], side="right")])


def plan_trips(
    network: LaneNetwork,
    router: Router,
    book: RouteBook,
    kind: DemandKind,
    n_routes: int,
    draw: np.random.Generator,
) -> Trips:
    """Choose origins and destinations and enter their routes in the book.

    Parameters
    ----------
    kind
        Where trips begin and end.
    n_routes
        Trips to draw; as many routes at most, fewer where the same is drawn again, which then
        weighs more. Ends weigh by their lanes, edges inside by their length.
    draw
        Stream of random numbers.

    Raises
    ------
    V2XError
        If no way leads from anywhere to anywhere.
    """
    road_map = network.road_map
    edges = np.arange(road_map.n_edges)
    n_in = np.bincount(network.to_edge, minlength=road_map.n_edges)
    n_out = np.bincount(network.from_edge, minlength=road_map.n_edges)
    if (n_in == 1).all() and (n_out == 1).all():
        return _rings(network, book)
    entries = edges[(n_in == 0) & (road_map.edge_length_m >= SHORTEST_ENTRY_M)]
    exits = edges[n_out == 0]
    if kind is DemandKind.AUTO:
        ends = len(entries) > 0 and len(exits) > 0
        through = ends and _strong_share(network) <= 2 / 3
        kind = DemandKind.THROUGH if through else DemandKind.INTERNAL
    if kind is DemandKind.THROUGH:
        pairs = _draw_pairs(router, entries, exits, road_map.edge_lanes, n_routes, draw, 1)
    else:
        inside = edges[road_map.edge_length_m >= SHORTEST_ENTRY_M]
        pairs = _draw_pairs(router, inside, inside, road_map.edge_length_m, n_routes, draw, 2)
    if not pairs:
        raise V2XError(
            f"no way leads from one end of the map {road_map.name!r} to another "
            f"({len(entries)} entries, {len(exits)} exits)",
            key="traffic.demand",
            remedy="use a larger extract, or demand: internal",
        )
    paths = [router.path(origin, goal) for origin, goal in pairs]
    first = book.add([path for path in paths if path is not None])
    return Trips(np.array(first), np.array(list(pairs.values()), dtype=np.float64), circular=False)


def _rings(network: LaneNetwork, book: RouteBook) -> Trips:
    """Return one circular route for every ring of a map that has nothing else."""
    onward = dict(zip(network.from_edge.tolist(), network.to_edge.tolist(), strict=True))
    left = set(onward)
    paths = []
    for start in sorted(onward):
        if start not in left:
            continue
        path = [start]
        while onward[path[-1]] != start:
            path.append(onward[path[-1]])
        left -= set(path)
        paths.append(path)
    first = book.add(paths, circular=True)
    lanes = [float(network.road_map.edge_lanes[path].min()) for path in paths]
    return Trips(np.array(first), np.array(lanes), circular=True)


def _strong_share(network: LaneNetwork) -> float:
    """Return the share of the map's length in its largest strongly connected part."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n = network.road_map.n_edges
    ones = np.ones(network.n_movements, dtype=np.int8)
    graph = csr_array((ones, (network.from_edge, network.to_edge)), shape=(n, n))
    _, part = connected_components(graph, directed=True, connection="strong")
    # An edge alone is no part in which one could drive on and on.
    alone = np.bincount(part) == 1
    length_m = np.bincount(part, weights=network.road_map.edge_length_m)
    return float(length_m.max(initial=0.0, where=~alone) / length_m.sum())


def _draw_pairs(
    router: Router,
    origins: NDArray[np.int64],
    goals: NDArray[np.int64],
    edge_weight: NDArray[np.int32] | FloatArray,
    n: int,
    draw: np.random.Generator,
    least_edges: int,
) -> Counter[tuple[int, int]]:
    """Return how often each pair of origin and destination was drawn, in order of drawing."""
    pairs: Counter[tuple[int, int]] = Counter()
    if not (len(origins) and len(goals)):
        return pairs
    # Few distinct destinations keep the number of shortest-path trees small.
    n_goals = max(8, n // 4)
    if len(goals) > n_goals:
        pool = _weighted(goals, edge_weight, draw.random(n_goals))
        chosen = pool[draw.integers(n_goals, size=n)]
    else:
        chosen = _weighted(goals, edge_weight, draw.random(n))
    for goal in chosen.tolist():
        leads = router.onward(goal)[origins] >= 0
        if least_edges == 1:
            leads |= origins == goal
        possible = origins[leads]
        if not len(possible):
            continue
        origin = int(_weighted(possible, edge_weight, np.array([draw.random()]))[0])
        pairs[origin, goal] += 1
    return pairs


def _weighted(
    edges: NDArray[np.int64], edge_weight: NDArray[np.int32] | FloatArray, share: FloatArray
) -> NDArray[np.int64]:
    """Return the edges at shares in [0, 1) of the running sum of their weights."""
    total = np.cumsum(edge_weight[edges].astype(np.float64))
    return np.asarray(edges[np.searchsorted(total, share * total[-1], side="right")])
