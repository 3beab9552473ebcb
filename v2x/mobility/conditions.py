"""What road and weather let drivers do, edge by edge: grip, sight, and speeds along the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.curves import CurveParams, arc_radius_m, bend_speed_mps, cosine, find_bends
from v2x.mobility.driver import EyesParams, fog_rule_mps, road_sight_m
from v2x.mobility.dynamics import available_braking_mps2, friction_braking_mps2, sight_speed_mps
from v2x.mobility.junctions import TURN_COSINE, TURN_LATERAL_MPS2, LaneNetwork
from v2x.units import GRAVITY_MPS2
from v2x.world.road_map import FloatArray, IntArray, RoadMap, Structure
from v2x.world.tubes import find_tubes
from v2x.world.weather import DRY_FRICTION, WeatherParams

#: Deceleration with which drivers approach a lower limit, a turn or a bend, where the road allows
#: it [m/s²].
LIMIT_DECELERATION_MPS2 = 1.5
#: Drivers take limits up to this much higher; speeds above are never reached.
FASTEST_FACTOR = 1.5
#: Sight where there is nothing to hide the road [m].
CLEAR_M = 10_000.0
#: Speed above which water is not pressed away under the tyres any more [m/s]: drivers stay
#: below on flooded roads. 80 km/h, confidence low.
AQUAPLANING_MPS = 80.0 / 3.6


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadConditions:
    """Grip, sight and speeds of a map in a weather, in the arrays of the traffic kernel.

    Where friction, sight or a bend set a speed, edges are divided into *stretches*, stretch `i`
    from `station_m[i]` to the next station or the end of the edge. Edges without any have no
    stations.

    Attributes
    ----------
    n_classes : int
        Classes of vehicles.
    level : bool
        Whether all roads are level and dry, so that braking is the same everywhere.
    edge_grip : (n_edges,) float64
        Friction relative to a dry road.
    edge_sight_m : (n_edges,) float64
        How far one sees [m].
    edge_delay_s : (n_edges,) float64
        How much later drivers react [s].
    edge_dark : (n_edges,) int32
        Whether the edge lies in a tunnel that is dark for those who come in.
    approach_mps2 : (n_edges,) float64
        Deceleration with which drivers approach what is slow [m/s²].
    first_station : (n_edges + 1,) int32
        First station of each edge.
    station_m : (n_stations,) float64
        Where a stretch begins [m].
    cap_mps : (n_classes * n_stations,) float64
        Fastest speed on the stretch, class by class [m/s]; infinite if there is none.
    reach_mps : (n_classes * n_stations,) float64
        Fastest speed at the station in view of this and the next stretches of the edge [m/s].
    turn_mps : (n_movements,) float64
        Fastest way round a turn, as on the lane network but with the grip there [m/s].
    turn_cap_mps : (n_movements,) float64
        Fastest way over the node where the road just bends there [m/s].
    """

    n_classes: int
    level: bool
    edge_grip: FloatArray
    edge_sight_m: FloatArray
    edge_delay_s: FloatArray
    edge_dark: IntArray
    approach_mps2: FloatArray
    first_station: IntArray
    station_m: FloatArray
    cap_mps: FloatArray
    reach_mps: FloatArray
    turn_mps: FloatArray
    turn_cap_mps: FloatArray

    def entry_mps(self, edge: int) -> list[float] | None:
        """Return the fastest speed of each class at the beginning of an edge; None if free."""
        station, end = self.first_station[edge : edge + 2].tolist()
        if station == end:
            return None
        reach: list[float] = self.reach_mps[station :: len(self.station_m)].tolist()
        return reach


@dataclass(frozen=True, slots=True)
class FogStretch:
    """A stretch of an edge on which one sees less far than elsewhere.

    Attributes
    ----------
    edge
        Edge.
    begin_m, end_m
        From where to where along it [m].
    sight_m
        How far one sees there; infinite for a stretch without fog [m].
    """

    edge: int
    begin_m: float
    end_m: float
    sight_m: float


#: From where to where on an edge [m], and how fast each class may be there [m/s].
_Stretch = tuple[float, float, FloatArray]


def road_conditions(
    network: LaneNetwork,
    weather: WeatherParams,
    emergency_mps2: FloatArray,
    eyes: EyesParams | None = None,
    curves: CurveParams | None = None,
    *,
    sight_trust: float = 1.0,
    fog: Sequence[FogStretch] = (),
) -> RoadConditions:
    """Return what drivers meet on a map.

    Parameters
    ----------
    network
        Lanes and movements.
    weather
        Road condition and visibility under the open sky.
    emergency_mps2 : (n_classes,) float64
        Hardest braking of each class on a dry level road [m/s²].
    eyes, curves
        How drivers go by what they see and take bends; defaults if None.
    sight_trust
        What drivers take for free in fog and at tunnel mouths when they choose their speed,
        relative to what they see.
    fog
        Where there is fog beside that of the weather; it changes the speeds only.
    """
    eyes, curves = eyes or EyesParams(), curves or CurveParams()
    road_map = network.road_map
    open_sky = road_map.edge_structure != Structure.TUNNEL
    friction = edge_friction(road_map, weather)
    grip = friction / DRY_FRICTION
    sight_m = np.where(open_sky, min(weather.visibility_m, CLEAR_M), CLEAR_M)
    steepest = np.minimum.reduceat(network.point_grade, road_map.first_point[:-1])
    hardest = available_braking_mps2(emergency_mps2[:, None], steepest, grip)
    approach = np.minimum(LIMIT_DECELERATION_MPS2, eyes.comfort_share * hardest.min(axis=0))
    dark = _dark_edges(road_map, eyes)
    stretches: list[list[_Stretch]] = [[] for _ in range(road_map.n_edges)]
    planned = np.minimum(hardest, np.maximum(friction_braking_mps2(friction, steepest), 0.1))
    _add_sight(stretches, road_map, sight_trust * sight_m, grip, planned, weather, eyes)
    _add_fog(stretches, road_map, fog, sight_trust, planned, eyes)
    _add_portals(stretches, network, dark, planned, eyes, sight_trust)
    turn_cap_mps = _add_bends(stretches, network, friction, curves)
    first_station, station_m, cap_mps, reach_mps = _stations(
        stretches, road_map, approach, len(emergency_mps2)
    )
    claimed = curves.friction_share * GRAVITY_MPS2 * friction[network.from_edge]
    slip = np.sqrt(np.minimum(1.0, claimed / TURN_LATERAL_MPS2))
    return RoadConditions(
        n_classes=len(emergency_mps2),
        level=bool((network.point_grade == 0.0).all() and (grip == 1.0).all()),
        edge_grip=grip,
        edge_sight_m=sight_m,
        edge_delay_s=np.where(sight_m < eyes.fog_below_m, eyes.fog_delay_s, 0.0),
        edge_dark=dark.astype(np.int32),
        approach_mps2=approach,
        first_station=first_station,
        station_m=station_m,
        cap_mps=cap_mps,
        reach_mps=reach_mps,
        turn_mps=network.speed_mps * slip,
        turn_cap_mps=turn_cap_mps,
    )


def edge_friction(road_map: RoadMap, weather: WeatherParams) -> FloatArray:
    """Return the friction of each edge, (n_edges,): tunnels are dry in any weather."""
    open_sky = road_map.edge_structure != Structure.TUNNEL
    return np.where(open_sky, weather.open_friction, DRY_FRICTION)


def _dark_edges(road_map: RoadMap, eyes: EyesParams) -> NDArray[np.bool_]:
    """Return which edges lie in tunnels that are dark for those who come in."""
    if not (road_map.edge_structure == Structure.TUNNEL).any():
        return np.zeros(road_map.n_edges, dtype=np.bool_)
    tubes = find_tubes(road_map)
    inside = tubes.edge_tube >= 0
    length_m = np.bincount(
        tubes.edge_tube[inside], road_map.edge_length_m[inside], minlength=tubes.n_tubes
    )
    dark = np.zeros(road_map.n_edges, dtype=np.bool_)
    dark[inside] = length_m[tubes.edge_tube[inside]] >= eyes.portal_shortest_m
    return dark


def _add_sight(
    stretches: list[list[_Stretch]],
    road_map: RoadMap,
    sight_m: FloatArray,
    grip: FloatArray,
    planned_mps2: FloatArray,
    weather: WeatherParams,
    eyes: EyesParams,
) -> None:
    """Add the speeds from which drivers can stop within what they see.

    A dry road shows as far as its limit demands. On a slippery one drivers know that this is
    not enough and go slower.
    """
    seen = np.where(grip < 1.0, np.minimum(sight_m, road_sight_m(road_map.edge_limit_mps)), sight_m)
    speed = sight_speed_mps(seen, eyes.reaction_s, planned_mps2)
    if weather.flooded:
        speed = np.where(grip < 1.0, np.minimum(speed, AQUAPLANING_MPS), speed)
    if eyes.fog_rule_share is not None:
        motorway = np.array([name.startswith("motorway") for name in road_map.class_names])
        ruled = motorway[road_map.edge_class] & (sight_m < CLEAR_M)
        rule = eyes.fog_rule_share * fog_rule_mps(weather.visibility_m)
        speed = np.where(ruled, np.minimum(speed, rule), speed)
    slow = (speed < FASTEST_FACTOR * road_map.edge_limit_mps).any(axis=0)
    for edge in np.flatnonzero(slow).tolist():
        stretches[edge].append((0.0, float(road_map.edge_length_m[edge]), speed[:, edge]))


def _add_fog(
    stretches: list[list[_Stretch]],
    road_map: RoadMap,
    fog: Sequence[FogStretch],
    sight_trust: float,
    planned_mps2: FloatArray,
    eyes: EyesParams,
) -> None:
    """Add the speeds from which drivers can stop within what they see in a bank of fog."""
    for item in fog:
        braking = planned_mps2[:, item.edge]
        speed = sight_speed_mps(sight_trust * item.sight_m, eyes.reaction_s, braking)
        road_class = road_map.class_names[road_map.edge_class[item.edge]]
        if eyes.fog_rule_share is not None and road_class.startswith("motorway"):
            speed = np.minimum(speed, eyes.fog_rule_share * fog_rule_mps(item.sight_m))
        stretches[item.edge].append((item.begin_m, item.end_m, speed))


def _add_portals(
    stretches: list[list[_Stretch]],
    network: LaneNetwork,
    dark: NDArray[np.bool_],
    planned_mps2: FloatArray,
    eyes: EyesParams,
    sight_trust: float,
) -> None:
    """Add the speed at which drivers go into the dark, until their eyes are used to it."""
    enters = dark[network.to_edge] & ~dark[network.from_edge]
    speed = sight_speed_mps(sight_trust * eyes.portal_sight_m, eyes.portal_reaction_s, planned_mps2)
    limit = network.road_map.edge_limit_mps
    for edge in np.unique(network.to_edge[enters]).tolist():
        if (speed[:, edge] < FASTEST_FACTOR * limit[edge]).any():
            way_m = float(speed[:, edge].max()) * eyes.portal_adaptation_s
            stretches[edge].append((0.0, way_m, speed[:, edge]))


def _add_bends(
    stretches: list[list[_Stretch]],
    network: LaneNetwork,
    friction: FloatArray,
    curves: CurveParams,
) -> FloatArray:
    """Add the speeds of bends within edges; return those of bends at nodes, per movement."""
    road_map = network.road_map
    bends = find_bends(road_map, curves)
    speed = bend_speed_mps(bends.radius_m, friction[bends.edge], curves)
    slow = speed < FASTEST_FACTOR * road_map.edge_limit_mps[bends.edge]
    for k in np.flatnonzero(slow).tolist():
        stretch = (float(bends.begin_m[k]), float(bends.end_m[k]), speed[k : k + 1])
        stretches[int(bends.edge[k])].append(stretch)
    before, after = bends.last_xy[network.from_edge], bends.first_xy[network.to_edge]
    radius_m = arc_radius_m(before, after, curves)
    cap = bend_speed_mps(radius_m, friction[network.from_edge], curves)
    limit = np.minimum(
        road_map.edge_limit_mps[network.from_edge], road_map.edge_limit_mps[network.to_edge]
    )
    # Sharper ones are turns at a junction, which the lane network slows down.
    road = (cosine(before, after) >= TURN_COSINE) & (cap < FASTEST_FACTOR * limit)
    return np.where(road, cap, np.inf)


def _stations(
    stretches: list[list[_Stretch]], road_map: RoadMap, approach: FloatArray, n_classes: int
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Return first stations, stations, caps and reaches of all edges."""
    count = np.zeros(len(stretches), dtype=np.int64)
    stations: list[FloatArray] = [np.empty(0)]
    caps: list[FloatArray] = [np.empty((n_classes, 0))]
    reaches: list[FloatArray] = [np.empty((n_classes, 0))]
    for edge, parts in enumerate(stretches):
        if not parts:
            continue
        length_m = float(road_map.edge_length_m[edge])
        marks = {0.0}
        for begin, end, _ in parts:
            marks |= {mark for mark in (begin, end) if 0.0 < mark < length_m}
        at = np.array(sorted(marks))
        cap = np.full((n_classes, len(at)), np.inf)
        for begin, end, speed in parts:
            within = (at >= begin) & (at < end)
            cap[:, within] = np.minimum(cap[:, within], speed[:, None])
        reach = cap.copy()
        for k, after in reversed(list(pairwise(range(len(at))))):
            slow = 2.0 * float(approach[edge]) * float(at[after] - at[k])
            ahead = reach[:, after]
            reach[:, k] = np.minimum(reach[:, k], np.sqrt(ahead * ahead + slow))
        count[edge] = len(at)
        stations.append(at)
        caps.append(cap)
        reaches.append(reach)
    first = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    cap_mps = np.ascontiguousarray(np.concatenate(caps, axis=1)).ravel()
    reach_mps = np.ascontiguousarray(np.concatenate(reaches, axis=1)).ravel()
    return first, np.concatenate(stations), cap_mps, reach_mps
