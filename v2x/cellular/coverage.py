"""How much power gets from base stations to the roads: found once, looked up per tick.

Points every few metres along every edge look at their nearest base stations. The loss is the
law of TR 38.901 with its shadowing, and on top what terrain, decks, walls and tunnels of the map
cost (:mod:`v2x.channel.obstacles`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.cellular import pathloss
from v2x.cellular.params import UuParams
from v2x.cellular.sites import BaseStations
from v2x.channel.antenna import Antennas
from v2x.channel.base import LinkState
from v2x.channel.obstacle_map import ObstacleMap, obstacle_map_of
from v2x.channel.obstacle_params import ObstacleParams
from v2x.channel.obstacles import NOTHING, link_obstacles
from v2x.channel.tunnel import tunnel_law
from v2x.world.carriageways import on_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap
from v2x.world.road_samples import RoadSamples
from v2x.world.tubes import find_tubes
from v2x.world.weather import WeatherParams

_LINKS_AT_ONCE, _POINTS_AT_ONCE = 20_000, 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSamples:
    """Points along every edge, both directions of a street.

    Attributes
    ----------
    points
        The points, edge by edge.
    first : (n_edges + 1,) int64
        Where each edge begins in them.
    step_m : (n_edges,) float64
        Distance of the points of each edge [m]; the first lies half of it behind the start.
    """

    points: RoadSamples
    first: NDArray[np.int64]
    step_m: FloatArray

    def at(self, edge: IntArray, offset_m: FloatArray) -> NDArray[np.int64]:
        """Return the point nearest to places on edges, -1 off the road; all (n,)."""
        on_road = edge >= 0
        safe = np.where(on_road, edge, 0)
        n = self.first[safe + 1] - self.first[safe]
        within = np.clip((offset_m / self.step_m[safe]).astype(np.int64), 0, n - 1)
        return np.where(on_road, self.first[safe] + within, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadCoverage:
    """Coupling loss between the points of the roads and their nearest base stations.

    Attributes
    ----------
    samples
        The points.
    cell : (n_samples, n_candidates) int32
        Base stations, the nearest first.
    loss_db : (n_samples, n_candidates) float64
        Loss between the antennas without their gains [dB], infinite through rock.
    """

    samples: EdgeSamples
    cell: IntArray
    loss_db: FloatArray


def edge_samples(road_map: RoadMap, sample_m: float) -> EdgeSamples:
    """Return points about `sample_m` apart on every edge, at least one on each."""
    n = np.maximum(np.rint(road_map.edge_length_m / sample_m), 1).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(n)])
    edge = np.repeat(np.arange(road_map.n_edges, dtype=np.int32), n)
    step_m = road_map.edge_length_m / n
    offset_m = (np.arange(first[-1]) - first[edge] + 0.5) * step_m[edge]
    place, along = on_edges(road_map, edge, offset_m)
    return EdgeSamples(
        points=RoadSamples(
            x_m=place[0],
            y_m=place[1],
            z_m=place[2],
            heading_rad=np.arctan2(along[1], along[0]),
            edge=edge,
            tube=find_tubes(road_map).edge_tube[edge],
            length_m=step_m[edge],
            line=edge.copy(),
        ),
        first=first,
        step_m=step_m,
    )


def road_coverage(
    road_map: RoadMap,
    stations: BaseStations,
    params: UuParams,
    obstacles: ObstacleParams,
    weather: WeatherParams,
    seed: int,
) -> RoadCoverage:
    """Return what the base stations reach of the roads.

    Parameters
    ----------
    road_map, stations
        The map, and the base stations.
    params
        Section ``cellular``.
    obstacles, weather
        What the map and the weather do to links. Reflections from water are left out: the laws of
        TR 38.901 have a reflection from the ground in them.
    seed
        Of the shadowing.

    Notes
    -----
    Line of sight: where the map has buildings they decide, and where it has none the probability of
    TR 38.901 does, by a Gaussian field along each edge that is correlated like the shadowing.
    Ground and decks in the way add to the law of line of sight, as their loss is counted from
    there. Into tunnels power comes through the mouths, at best by the law of line of sight, and
    fades with the depth.
    """
    samples = edge_samples(road_map, params.sample_m)
    cell, dx, dy = _nearest(road_map, stations, samples.points, params.candidates)
    n, k = cell.shape
    flat = cell.ravel()
    row = np.repeat(np.arange(n), k)
    loss = np.empty(n * k)
    blocked_by = obstacle_map_of(road_map)
    dry = replace(obstacles, water=False)
    decorrelation_m = pathloss.statistics(params.radio.environment).decorrelation_m
    sight, shadow = (
        _field(samples, cell, stations.n, decorrelation_m, rng.key32(seed, "cellular", name))
        for name in ("sight", "shadowing")
    )
    for begin in range(0, n * k, _LINKS_AT_ONCE):
        part = slice(begin, begin + _LINKS_AT_ONCE)
        at, of = row[part], flat[part]
        links = _Batch(
            a=_base_antennas(samples.points, at, dx.ravel()[part], dy.ravel()[part], stations, of),
            b=_vehicle_antennas(samples.points, at, blocked_by, params.radio.vehicle_antenna_m),
            base_m=stations.height_m[of],
            los_field=sight.ravel()[part],
            shadow_field=shadow.ravel()[part],
        )
        loss[part] = _loss_db(blocked_by, links, params, dry, weather)
    return RoadCoverage(samples=samples, cell=cell, loss_db=loss.reshape(n, k))


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some links from base stations (a) to vehicles (b)."""

    a: Antennas
    b: Antennas
    base_m: FloatArray
    los_field: FloatArray
    shadow_field: FloatArray


def _loss_db(
    blocked_by: ObstacleMap,
    links: _Batch,
    params: UuParams,
    obstacles: ObstacleParams,
    weather: WeatherParams,
) -> FloatArray:
    radio = params.radio
    found = link_obstacles(
        blocked_by, obstacles, links.a, links.b, carrier_ghz=radio.carrier_ghz, weather=weather
    )
    apart = links.b.position_m - links.a.position_m
    ends = pathloss.Links(
        plan_m=np.hypot(apart[0], apart[1]),
        distance_m=np.linalg.norm(apart, axis=0),
        base_m=links.base_m,
        vehicle_m=np.full(len(links.base_m), radio.vehicle_antenna_m),
    )
    los_db = pathloss.los_db(radio.environment, ends, radio.carrier_ghz)
    hidden = found.state == LinkState.NLOS
    if blocked_by.n_walls == 0:
        from scipy.special import ndtr

        clear = pathloss.p_los(radio.environment, ends.plan_m)
        hidden = (found.state == NOTHING) & (ndtr(links.los_field) > clear)
    law_db = np.where(hidden, pathloss.nlos_db(radio.environment, ends, radio.carrier_ghz), los_db)
    inside = found.state == LinkState.TUNNEL
    tube_db = tunnel_law(radio.carrier_ghz, obstacles.tunnel_exponent).loss_db(ends.distance_m)
    law_db[inside] = np.maximum(los_db, tube_db)[inside]
    law_db += radio.tunnel_db_per_100m * _depth_m(blocked_by, links.b, found.portal) / 100.0
    if radio.shadowing:
        spread = pathloss.statistics(radio.environment)
        law_db += np.where(hidden, spread.nlos_db, spread.los_db) * links.shadow_field
    return np.asarray(law_db + found.extra_db)


def _depth_m(blocked_by: ObstacleMap, ends: Antennas, portal: IntArray) -> FloatArray:
    """Return how far behind the mouth that power comes through antennas are [m], (n_links,)."""
    through = portal >= 0
    depth = np.zeros(len(portal))
    mouth = portal[through]
    depth[through] = np.hypot(
        ends.position_m[0, through] - blocked_by.portal_x_m[mouth],
        ends.position_m[1, through] - blocked_by.portal_y_m[mouth],
    )
    return depth


def _nearest(
    road_map: RoadMap, stations: BaseStations, points: RoadSamples, candidates: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the nearest base stations and the ways to them in plan [m], (n_samples, k)."""
    n, k = len(points), min(candidates, stations.n)
    cell: IntArray = np.zeros((n, k), dtype=np.int32)
    ways = np.zeros((2, n, k))
    for begin in range(0, n, _POINTS_AT_ONCE):
        part = slice(begin, begin + _POINTS_AT_ONCE)
        dx = stations.x_m[None, :] - points.x_m[part, None]
        dy = stations.y_m[None, :] - points.y_m[part, None]
        if road_map.wrap_length_m:
            dx -= road_map.wrap_length_m * np.round(dx / road_map.wrap_length_m)
        order = np.argsort(np.hypot(dx, dy), axis=1, kind="stable")[:, :k]
        cell[part] = order
        ways[0, part] = np.take_along_axis(dx, order, axis=1)
        ways[1, part] = np.take_along_axis(dy, order, axis=1)
    return cell, ways[0], ways[1]


def _field(
    samples: EdgeSamples, cell: IntArray, n_stations: int, decorrelation_m: float, key: int
) -> FloatArray:
    """Return a standard Gaussian field along the edges to each candidate, (n_samples, k).

    Along an edge it is AR(1) for each base station; edges are independent of each other. A
    base station that was no candidate at the point before begins anew.
    """
    from scipy.special import ndtri

    n = len(samples.points)
    link = np.arange(n, dtype=np.int64)[:, None] * n_stations + cell
    field = np.asarray(ndtri(rng.uniform_by_id(key, link, 0) + 2.0**-54), dtype=np.float64)
    keep = np.exp(-samples.step_m / decorrelation_m)
    fresh = np.sqrt(1.0 - keep**2)
    edge = samples.points.edge
    inner = np.ones(n, dtype=np.bool_)
    inner[samples.first[:-1]] = False
    for i in np.flatnonzero(inner).tolist():
        was, k = np.nonzero(cell[i - 1][:, None] == cell[i][None, :])
        field[i, k] = keep[edge[i]] * field[i - 1, was] + fresh[edge[i]] * field[i, k]
    return field


def _base_antennas(
    points: RoadSamples,
    at: NDArray[np.int64],
    dx: FloatArray,
    dy: FloatArray,
    stations: BaseStations,
    of: IntArray,
) -> Antennas:
    height = stations.ground_m[of] + stations.height_m[of]
    return Antennas.outside(np.stack([points.x_m[at] + dx, points.y_m[at] + dy, height]))


def _vehicle_antennas(
    points: RoadSamples, at: NDArray[np.int64], blocked_by: ObstacleMap, antenna_m: float
) -> Antennas:
    return Antennas(
        position_m=np.stack([points.x_m[at], points.y_m[at], points.z_m[at] + antenna_m]),
        tube=points.tube[at],
        axis_rad=points.heading_rad[at],
        width_m=blocked_by.edge_width_m[points.edge[at]],
        roadside=np.zeros(len(at), dtype=np.bool_),
    )
