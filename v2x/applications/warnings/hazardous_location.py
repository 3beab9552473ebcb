"""A hazard on the road ahead, of which the roadside or somebody who found it tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from v2x.applications.warnings.approach import Approach, approach, can_turn_off, slowing
from v2x.applications.warnings.base import (
    BoolArray,
    Judgement,
    WarningContext,
    of_hosts,
)
from v2x.applications.warnings.braking import BrakingParams
from v2x.applications.warnings.notices import NoticeBoard, Placed
from v2x.applications.warnings.relevance import RelevanceParams
from v2x.messages.csae.codes import EventKind, event_type
from v2x.messages.topics import Topic
from v2x.mobility.driver import fog_rule_mps, road_sight_m
from v2x.mobility.dynamics import friction_braking_mps2, sight_speed_mps
from v2x.mobility.fleet import FloatArray, IntArray
from v2x.mobility.reactions import Action
from v2x.perception.contents import RoadEvent, RoadNotices
from v2x.perception.scene import Scene
from v2x.ranges import check_ranges
from v2x.world.road_map import Structure
from v2x.world.weather import WeatherParams

#: Least braking that a driver reckons with who goes by sight [m/s²].
_LEAST_MPS2 = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class HlwParams:
    """When a driver is told of a hazardous location (T/CSAE 53, HLW).

    Parameters
    ----------
    relevance
        How near it has to be.
    sight_reaction_s
        Reaction time of a driver who should be able to stop within sight [s]; 2.5 for design.
    fog_m
        How far one sees where short sight is told and the weather of the run is clear [m]
        (assumption).
    change_lane
        Whether drivers are asked to leave a lane that is blocked, and those in the next lane to
        stay there unless they indicate.
    reroute
        Whether drivers are asked to take another way than a closed road, as long as they are not
        on it and need not slow down for it.
    braking
        How a warned driver brakes.
    """

    relevance: RelevanceParams = field(default_factory=RelevanceParams)
    sight_reaction_s: float = 2.5
    fog_m: float = 100.0
    change_lane: bool = True
    reroute: bool = False
    braking: BrakingParams = field(default_factory=BrakingParams)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(self, ("sight_reaction_s", 0.0, 10.0), ("fog_m", 5.0, 1000.0))


class HazardousLocationWarning:
    """HLW: a hazard on the way ahead, by an RSI or a DENM.

    In a lane that something blocks a driver changes to a free one, or stops before it if there is
    none, as before a closed road. Elsewhere it goes at the advised speed, or at one from which it
    can stop within sight on that surface. Who is told late brakes. Other events than obstacles,
    slippery roads and short sight are only told, unless a speed comes with them. For jams there
    is TJW.

    Parameters
    ----------
    params
        Thresholds.
    context
        The map and the weather.
    """

    Params = HlwParams

    def __init__(self, params: HlwParams, context: WarningContext) -> None:
        self._params = params
        self._map = context.network.road_map
        self._notices = NoticeBoard(self._map)
        self._sees_m = _sight_m(context)
        self._weather = context.weather

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to tell of which event."""
        params, near = self._params, self._params.relevance
        placed = self._notices.placed(scene, (Topic.RSI, Topic.DENM), _hazards)
        speed = scene.own.speed_mps[placed.host]
        placed = placed.take(
            np.flatnonzero((placed.end_m >= 0.0) & near.kept(placed.begin_m, speed))
        )
        speed, begin_m = scene.own.speed_mps[placed.host], placed.begin_m
        concerned = are_concerned(placed)
        stands = self._stands_in_lanes(placed) | _are(EventKind.CLOSED, placed)
        blocks = concerned & placed.ahead & stands
        target = np.where(blocks, 0.0, self._speeds_mps(scene, placed.zones)[placed.zone])
        target = np.where(concerned, target, np.inf)
        found = approach(scene, placed.host, begin_m, target, params.braking)
        soon = near.soon(begin_m, speed)
        stage, action, value = slowing(scene, placed, found, soon, params.braking)
        action, value = self._in_words(scene, placed, found, concerned, action, value)
        return of_hosts(
            placed.host,
            placed.subject,
            raised=near.raised(begin_m, speed),
            generated_us=placed.generated_us,
            stage=stage,
            action=action,
            value=value,
            distance_m=np.maximum(begin_m, 0.0),
            closing_mps=speed,
            needed_m=np.where(np.isinf(target), np.nan, found.needed_m),
        )

    def _in_words(
        self,
        scene: Scene,
        placed: Placed[RoadEvent],
        found: Approach,
        concerned: BoolArray,
        action: IntArray,
        value: FloatArray,
    ) -> tuple[IntArray, FloatArray]:
        """Return action and value where another answer than to slow down fits better, (n,)."""
        params = self._params
        told = np.isinf(found.target_mps)
        action, value = np.where(told, Action.INFORM, action), np.where(told, np.nan, value)
        if params.change_lane:
            side = self._free_sides(placed, concerned)
            leaves = (side != 0) & (action != Action.BRAKE)
            action, value = (
                np.where(leaves, Action.CHANGE_LANE, action),
                np.where(leaves, side, value),
            )
            # Who has to leave the road before it indicates, and may.
            stays = self._is_beside(placed, concerned) & (scene.own.turn[placed.host] == 0)
            action = np.where(stays, Action.KEEP_LANE, action)
        if params.reroute:
            elsewhere = _are(EventKind.CLOSED, placed) & can_turn_off(scene, placed, found)
            action = np.where(elsewhere, Action.REROUTE, action)
            value = np.where(elsewhere, placed.of("edge", np.float64), value)
        return action.astype(np.int32), value

    def _stands_in_lanes(self, placed: Placed[RoadEvent]) -> BoolArray:
        """Return whether something stands in lanes that are named, (n,)."""
        named = np.array([bool(event.lanes) for event in placed.zones], dtype=np.bool_)
        return np.asarray(named[placed.zone] & _are(EventKind.OBSTACLE, placed))

    def _speeds_mps(self, scene: Scene, events: Iterable[RoadEvent]) -> FloatArray:
        """Return how fast to be at events [m/s], infinite where that is up to the driver."""
        return np.array([self._speed_mps(scene, event) for event in events], dtype=np.float64)

    def _speed_mps(self, scene: Scene, event: RoadEvent) -> float:
        if np.isfinite(event.speed_mps):
            return event.speed_mps
        kind = event_type(event.code)
        if kind.kind is EventKind.OTHER:
            return float("inf")
        outlook, edge = scene.outlook, event.edge
        friction, sees_m = float(outlook.friction[edge]), float(self._sees_m[edge])
        if np.isfinite(kind.friction):
            friction = min(friction, kind.friction)
        limit = float(outlook.limit_mps[edge])
        if kind.kind is EventKind.SIGHT:
            visible_m = self._foggy_m(self._weather)
            sees_m = min(sees_m, visible_m)
            if self._map.class_names[self._map.edge_class[edge]].startswith("motorway"):
                limit = min(limit, fog_rule_mps(visible_m))
        braking = max(float(friction_braking_mps2(friction, outlook.grade[edge])), _LEAST_MPS2)
        return min(limit, float(sight_speed_mps(sees_m, self._params.sight_reaction_s, braking)))

    def _foggy_m(self, weather: WeatherParams) -> float:
        clear = weather.visibility_m >= FOG_M
        return self._params.fog_m if clear else weather.visibility_m

    def _free_sides(self, placed: Placed[RoadEvent], concerned: BoolArray) -> IntArray:
        """Return on which side the nearest free lane is, 0 for none or no need, (n,)."""
        side = np.zeros(len(placed), dtype=np.int32)
        for k in np.flatnonzero(concerned & placed.ahead & (placed.lane >= 0)).tolist():
            event, lane = placed.zones[placed.zone[k]], int(placed.lane[k])
            n_lanes = int(self._map.edge_lanes[event.edge])
            free = set(range(n_lanes)) - event.lanes if event.lanes else set()
            if free:
                side[k] = np.sign(min(free, key=lambda item: (abs(item - lane), -item)) - lane)
        return side

    def _is_beside(self, placed: Placed[RoadEvent], concerned: BoolArray) -> BoolArray:
        """Return whether something stands ahead in the lane next to the host's, (n,)."""
        beside = np.zeros(len(placed), dtype=np.bool_)
        asked = ~concerned & placed.ahead & self._stands_in_lanes(placed)
        for k in np.flatnonzero(asked).tolist():
            lane = int(placed.lane[k])
            beside[k] = bool({lane - 1, lane + 1} & placed.zones[placed.zone[k]].lanes)
        return beside


#: Visibility below which there is fog [m].
FOG_M = 1000.0


def are_concerned(placed: Placed[RoadEvent]) -> BoolArray:
    """Return whether events are in the lane that the host's leads to, or in all, (n,)."""
    lane, zone = placed.lane.tolist(), placed.zone.tolist()
    concerned = [
        not placed.zones[k].lanes or at < 0 or at in placed.zones[k].lanes
        for k, at in zip(zone, lane, strict=True)
    ]
    return np.array(concerned, dtype=np.bool_)


def _are(kind: EventKind, placed: Placed[RoadEvent]) -> BoolArray:
    """Return whether events are of a kind, (n,)."""
    are = [event_type(event.code).kind is kind for event in placed.zones]
    return np.array(are, dtype=np.bool_)[placed.zone]


def _hazards(content: Any) -> tuple[RoadEvent, ...]:
    """Return the events in a message that are not jams."""
    if not isinstance(content, RoadNotices):
        return ()
    return tuple(e for e in content.events if event_type(e.code).kind is not EventKind.JAM)


def _sight_m(context: WarningContext) -> FloatArray:
    """Return how far one sees by road and weather [m], (n_edges,)."""
    road_map = context.network.road_map
    sees_m = road_sight_m(road_map.edge_limit_mps)
    open_sky = road_map.edge_structure != Structure.TUNNEL
    return np.where(open_sky, np.minimum(sees_m, context.weather.visibility_m), sees_m)
