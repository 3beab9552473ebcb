"""A jam on the way ahead: slow down in time, or take another way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from v2x.applications.warnings.approach import approach, can_turn_off, slowing
from v2x.applications.warnings.base import (
    Judgement,
    Stage,
    WarningContext,
    of_hosts,
)
from v2x.applications.warnings.braking import BrakingParams
from v2x.applications.warnings.hazardous_location import are_concerned
from v2x.applications.warnings.notices import NoticeBoard
from v2x.applications.warnings.relevance import RelevanceParams
from v2x.messages.csae.codes import EventKind, event_type
from v2x.messages.topics import Topic
from v2x.mobility.reactions import Action
from v2x.perception.contents import RoadEvent, RoadNotices
from v2x.perception.scene import Scene
from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class TjwParams:
    """When a driver is told of a jam ahead (T/CSAE 53, TJW).

    Parameters
    ----------
    relevance
        How near it has to be.
    jam_mps
        Speed at the end of a jam if none comes with the notice [m/s] (assumption).
    reroute
        Whether drivers are asked to take another way, as long as it is not on their edge yet and
        they need not slow down for it.
    reroute_m
        How near it has to be for that [m] (assumption); nobody looks farther than the reach of
        the map, 500 m or ``information.range_m``.
    braking
        How a warned driver brakes.
    """

    relevance: RelevanceParams = field(default_factory=lambda: RelevanceParams(range_m=150.0))
    jam_mps: float = 5.0
    reroute: bool = False
    reroute_m: float = 500.0
    braking: BrakingParams = field(default_factory=BrakingParams)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(self, ("jam_mps", 0.0, 50.0), ("reroute_m", 0.0, 5000.0))


class TrafficJamWarning:
    """TJW: the likely way leads into a jam, by an RSI or a DENM.

    Where the jam begins is where drivers should be as slow as it is.

    Parameters
    ----------
    params
        Thresholds.
    context
        The map.
    """

    Params = TjwParams

    def __init__(self, params: TjwParams, context: WarningContext) -> None:
        self._params = params
        self._notices = NoticeBoard(context.network.road_map)

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to tell of which jam."""
        params, near = self._params, self._params.relevance
        placed = self._notices.placed(scene, (Topic.RSI, Topic.DENM), _jams)
        placed = placed.take(np.flatnonzero((placed.end_m >= 0.0) & are_concerned(placed)))
        speed, begin_m = scene.own.speed_mps[placed.host], placed.begin_m
        advised = placed.of("speed_mps", np.float64)
        target = np.where(np.isnan(advised), params.jam_mps, advised)
        found = approach(scene, placed.host, begin_m, target, params.braking)
        soon = near.soon(begin_m, speed)
        stage, action, value = slowing(scene, placed, found, soon, params.braking)
        raised, kept = near.raised(begin_m, speed), near.kept(begin_m, speed)
        if params.reroute:
            elsewhere = can_turn_off(scene, placed, found)
            raised |= elsewhere & (begin_m < params.reroute_m)
            kept |= elsewhere & (begin_m < near.release * params.reroute_m)
            action = np.where(elsewhere, Action.REROUTE, action)
            value = np.where(elsewhere, placed.of("edge", np.float64), value)
            stage = np.where(elsewhere, Stage.INFORM, stage)
        return of_hosts(
            placed.host,
            placed.subject,
            raised=raised,
            generated_us=placed.generated_us,
            stage=stage,
            action=action,
            value=value,
            distance_m=np.maximum(begin_m, 0.0),
            closing_mps=speed,
            needed_m=found.needed_m,
        ).take(np.flatnonzero(kept))


def _jams(content: Any) -> tuple[RoadEvent, ...]:
    """Return the jams in a message."""
    if not isinstance(content, RoadNotices):
        return ()
    return tuple(e for e in content.events if event_type(e.code).kind is EventKind.JAM)
