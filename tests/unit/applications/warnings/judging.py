"""Scenes of two vehicles or a few, and what one warning makes of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from tests.unit.mobility.conftest import make_map
from tests.unit.perception.roads import on_roads, scene_of
from v2x import registry
from v2x.applications.warnings.base import Judgement, Stage, WarningContext
from v2x.mobility.junctions import lane_network
from v2x.mobility.reactions import Action
from v2x.perception.scene import LevelCheck, Scene
from v2x.world.road_map import RoadMap
from v2x.world.weather import WeatherParams

#: Edges of :func:`street`: there, back without a median, a bridge above, and the other
#: carriageway behind a median.
THERE, BACK, ABOVE, BEYOND = range(4)


@dataclass(frozen=True)
class Alert:
    """What one judgement says of one pair."""

    raised: bool
    stage: Stage
    action: Action
    value: float
    distance_m: float
    closing_mps: float
    needed_m: float


def street(lanes: int = 3, limit_mps: float = 20.0) -> RoadMap:
    """Return a straight street of 1 km, with a bridge and another carriageway."""
    wide = {"lanes": lanes, "limit_mps": limit_mps}
    return make_map(
        [
            (0, 1, [(0.0, 0.0), (1000.0, 0.0)], wide),
            (1, 0, [(1000.0, 0.0), (0.0, 0.0)], wide),
            (2, 3, [(0.0, 0.0, 8.0), (1000.0, 0.0, 8.0)], wide | {"structure": 1, "level": 1}),
            (5, 4, [(1000.0, 20.0), (0.0, 20.0)], wide),
        ]
    )


def context(road_map: RoadMap) -> WarningContext:
    return WarningContext(network=lane_network(road_map), weather=WeatherParams(), seed=1)


def judge(name: str, scene: Scene, road_map: RoadMap, **params: Any) -> Judgement:
    """Return what an installed warning makes of a scene."""
    kind = registry.load("v2x.warnings", name)
    judgement: Judgement = kind(kind.Params(**params), context(road_map)).judge(scene)
    for item in fields(judgement):
        assert getattr(judgement, item.name).shape == (len(judgement),), item.name
    return judgement


def alert(judgement: Judgement, host: int = 0, remote: int = 1) -> Alert | None:
    """Return what a judgement says of a pair of rows, None for nothing."""
    found = np.flatnonzero((judgement.host == host) & (judgement.remote == remote))
    assert len(found) <= 1
    if not len(found):
        return None
    (k,) = found.tolist()
    return Alert(
        bool(judgement.raised[k]),
        Stage(judgement.stage[k]),
        Action(judgement.action[k]),
        float(judgement.value[k]),
        float(judgement.distance_m[k]),
        float(judgement.closing_mps[k]),
        float(judgement.needed_m[k]),
    )


def follows(
    name: str,
    gap_m: float,
    speeds_mps: tuple[float, float],
    *,
    check: LevelCheck = LevelCheck.MAP,
    ages_us: int = 0,
    road_map: RoadMap | None = None,
    params: dict[str, Any] | None = None,
    friction: float = 0.7,
    grade: float = 0.0,
    **columns: Any,
) -> Alert | None:
    """Return what a driver is told of a car of 5 m that is a gap ahead, on a street."""
    road = road_map or street()
    given = {"edge": [THERE, THERE], "offset_m": [100.0, 105.0 + gap_m], "time_us": 2_000_000}
    values = given | columns
    fleet = on_roads(
        road, values.pop("edge"), values.pop("offset_m"), speed_mps=list(speeds_mps), **values
    )
    scene = scene_of(fleet, road, check, ages_us=ages_us)
    ground = {"friction": np.full(road.n_edges, friction), "grade": np.full(road.n_edges, grade)}
    scene.outlook = replace(scene.outlook, **ground)
    return alert(judge(name, scene, road, **(params or {})))
