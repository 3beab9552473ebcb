"""Boards on which events and signs stand, and what drivers on some roads are told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.unit.applications.warnings.judging import Alert, judge
from tests.unit.perception.roads import on_roads, scene_of
from v2x.applications.warnings.base import Judgement, Stage
from v2x.messages.topics import Topic
from v2x.mobility.reactions import Action
from v2x.perception.board import Board
from v2x.perception.contents import JunctionMap, RoadEvent, RoadNotices, RoadSign
from v2x.perception.scene import LevelCheck, Scene
from v2x.world.road_map import RoadMap

#: Row of the roadside unit that tells, beside the driver in row 0.
DRIVER, UNIT = 0, 1
NOW_US = 2_000_000

Content = RoadNotices | JunctionMap


def event(
    code: int, edge: int, offset_m: float, length_m: float = 100.0, **given: Any
) -> RoadNotices:
    values = {"number": 4, "x_m": 0.0, "y_m": 0.0, "z_m": 0.0} | given
    item = RoadEvent(code=code, edge=edge, offset_m=offset_m, length_m=length_m, **values)
    return RoadNotices(events=(item,))


def sign(
    code: int, edge: int, offset_m: float, length_m: float = 100.0, **given: Any
) -> RoadNotices:
    values = {"number": 4} | given
    item = RoadSign(code=code, edge=edge, offset_m=offset_m, length_m=length_m, **values)
    return RoadNotices(signs=(item,))


def board_with(
    *contents: Content, topic: Topic = Topic.RSI, n_rows: int = 2, ages_us: Sequence[int] = ()
) -> Board:
    """Return a board on which everybody has each content, from another sender each."""
    board = Board(n_rows + len(contents), 1_000_000)
    board.begin(NOW_US, np.zeros(n_rows + len(contents), dtype=np.bool_))
    everybody = np.arange(n_rows, dtype=np.intp)
    for k, content in enumerate(contents):
        ago_us = ages_us[k] if ages_us else 60_000
        board.take(topic, n_rows + k, 0, NOW_US - ago_us, content, everybody)
    board.begin(NOW_US, np.zeros(n_rows + len(contents), dtype=np.bool_))
    return board


def drive(
    road: RoadMap,
    board: Board,
    edge: int,
    offset_m: float,
    speed_mps: float,
    *,
    check: LevelCheck = LevelCheck.MAP,
    **columns: Any,
) -> Scene:
    """Return a scene with a car on an edge, and another far away that stands for the unit."""
    fleet = on_roads(
        road,
        [edge, edge],
        [offset_m, offset_m - 60.0],
        speed_mps=[speed_mps, 0.0],
        time_us=NOW_US,
        **columns,
    )
    return scene_of(fleet, road, check, board=board)


def told(judgement: Judgement, host: int = DRIVER) -> Alert | None:
    """Return what the driver is told, None for nothing."""
    found = np.flatnonzero(judgement.host == host)
    assert len(found) <= 1
    if not len(found):
        return None
    (k,) = found.tolist()
    assert judgement.remote[k] == -1
    return Alert(
        bool(judgement.raised[k]),
        Stage(judgement.stage[k]),
        Action(judgement.action[k]),
        float(judgement.value[k]),
        float(judgement.distance_m[k]),
        float(judgement.closing_mps[k]),
        float(judgement.needed_m[k]),
    )


def tells(
    name: str,
    road: RoadMap,
    content: Content,
    edge: int,
    offset_m: float,
    speed_mps: float,
    *,
    topic: Topic = Topic.RSI,
    ago_us: int = 60_000,
    check: LevelCheck = LevelCheck.MAP,
    params: dict[str, Any] | None = None,
    **columns: Any,
) -> Alert | None:
    """Return what a driver who has one message is told by a warning."""
    board = board_with(content, topic=topic, ages_us=[ago_us])
    scene = drive(road, board, edge, offset_m, speed_mps, check=check, **columns)
    return told(judge(name, scene, road, **(params or {})))
