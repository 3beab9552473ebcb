"""Signs beside the road, shown in the vehicle: in-vehicle signage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from v2x.applications.warnings.base import Judgement, Stage, WarningContext, of_hosts
from v2x.applications.warnings.notices import NoticeBoard
from v2x.applications.warnings.relevance import RelevanceParams
from v2x.messages.csae.codes import SPEED_LIMIT_SIGN
from v2x.messages.topics import Topic
from v2x.mobility.reactions import Action
from v2x.perception.contents import RoadNotices, RoadSign
from v2x.perception.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class IvsParams:
    """Which signs are shown in the vehicle, and when (T/CSAE 53, IVS).

    Parameters
    ----------
    relevance
        How near they have to be. The time is 0 by default: only the way counts.
    codes
        Signs to be shown, by their indices of GB 5768.2; if there are none all but speed limits,
        which are for SLW.
    as_long_as_it_holds
        Whether a sign is shown until it no longer holds, not only until it is reached. Drivers
        expect trouble for as long.
    """

    relevance: RelevanceParams = field(
        default_factory=lambda: RelevanceParams(range_m=150.0, time_s=0.0)
    )
    codes: tuple[int, ...] = ()
    as_long_as_it_holds: bool = False


class InVehicleSignage:
    """IVS: a sign on the likely way ahead, by an RSI.

    Drivers are told, no more: they expect trouble ahead.

    Parameters
    ----------
    params
        Which, and when.
    context
        The map.
    """

    Params = IvsParams

    def __init__(self, params: IvsParams, context: WarningContext) -> None:
        self._params = params
        self._notices = NoticeBoard(context.network.road_map)

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to show which sign."""
        near = self._params.relevance
        placed = self._notices.placed(scene, (Topic.RSI,), self._signs)
        speed = scene.own.speed_mps[placed.host]
        last_m = placed.end_m if self._params.as_long_as_it_holds else placed.begin_m
        there = (last_m >= 0.0) & near.kept(placed.begin_m, speed)
        rows = np.flatnonzero(there)
        placed, speed = placed.take(rows), speed[rows]
        return of_hosts(
            placed.host,
            placed.subject,
            raised=near.raised(placed.begin_m, speed),
            generated_us=placed.generated_us,
            stage=Stage.INFORM,
            action=Action.INFORM,
            distance_m=np.maximum(placed.begin_m, 0.0),
            closing_mps=speed,
        )

    def _signs(self, content: Any) -> tuple[RoadSign, ...]:
        if not isinstance(content, RoadNotices):
            return ()
        return tuple(sign for sign in content.signs if self._is_shown(sign.code))

    def _is_shown(self, code: int) -> bool:
        codes = self._params.codes
        return code in codes if codes else code != SPEED_LIMIT_SIGN
