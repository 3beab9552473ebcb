"""Too fast for the limit that holds here, or that begins ahead: speed limit warning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from v2x.applications.warnings.approach import approach
from v2x.applications.warnings.base import Judgement, Stage, WarningContext, of_hosts
from v2x.applications.warnings.braking import BrakingParams
from v2x.applications.warnings.notices import NoticeBoard
from v2x.messages.csae.codes import SPEED_LIMIT_SIGN
from v2x.messages.topics import Topic
from v2x.mobility.reactions import Action
from v2x.perception.contents import JunctionMap, RoadNotices
from v2x.perception.scene import Scene
from v2x.ranges import check_ranges
from v2x.world.road_map import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class SlwParams:
    """When a driver is told to be too fast (T/CSAE 53, SLW).

    Parameters
    ----------
    tolerance
        Share of the limit by which a driver may be faster (proposal).
    release
        The alert stands until it is below this share of the limit (assumption). Who was warned
        and keeps to the limit is not left alone until it is slower.
    range_m
        Limits farther away are of no interest [m]; 300, the range of the application in the
        table of T/CSAE 53 (confidence low).
    warn_share
        From this share above the limit on the alert is a warning (assumption).
    braking
        How a driver brakes; with `gentle_mps2` and `reaction_s` it is told so early that it
        reaches the limit where it begins.
    """

    tolerance: float = 0.05
    release: float = 0.99
    range_m: float = 300.0
    warn_share: float = 0.2
    braking: BrakingParams = field(default_factory=BrakingParams)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(
            self,
            ("tolerance", 0.0, 1.0),
            ("release", 0.0, 1.0),
            ("range_m", 0.0, 5000.0),
            ("warn_share", 0.0, 10.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedLimit:
    """A limit on a stretch of road, see :class:`~v2x.applications.warnings.notices.Zone`."""

    number: int
    code: int
    edge: int
    offset_m: float
    length_m: float
    limit_mps: float


#: In place of the code of a sign: a limit of the map, whose number is that of its edge.
MAP_LIMIT = 20_000


class SpeedLimitWarning:
    """SLW: faster than the limit of a sign (RSI) or of a lane (MAP), here or where it begins.

    Of the map a receiver knows the limits of the roads that lead to nodes of which it has a MAP.
    Drivers slow down, gently.

    Parameters
    ----------
    params
        Thresholds.
    context
        The map.
    """

    Params = SlwParams

    def __init__(self, params: SlwParams, context: WarningContext) -> None:
        self._params = params
        self._map = context.network.road_map
        self._notices = NoticeBoard(self._map)
        order = np.argsort(self._map.edge_to, kind="stable").astype(np.int32)
        self._by_node: tuple[IntArray, IntArray] = (order, self._map.edge_to[order])

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to tell of which limit."""
        params = self._params
        placed = self._notices.placed(scene, (Topic.RSI, Topic.MAP), self._limits)
        there = (placed.end_m > 0.0) & (placed.begin_m < params.range_m)
        placed = placed.take(np.flatnonzero(there))
        speed, begin_m = scene.own.speed_mps[placed.host], placed.begin_m
        limit = placed.of("limit_mps", np.float64)
        found = approach(scene, placed.host, begin_m, limit, params.braking)
        lead_m = np.maximum(speed**2 - limit**2, 0.0) / (2.0 * params.braking.gentle_mps2)
        lead_m += speed * params.braking.reaction_s
        due = ~placed.ahead | (begin_m < lead_m)
        kept = np.flatnonzero(due & (speed > params.release * limit))
        much = (speed > (1.0 + params.warn_share) * limit) & ~placed.ahead
        return of_hosts(
            placed.host,
            placed.subject,
            raised=speed > (1.0 + params.tolerance) * limit,
            generated_us=placed.generated_us,
            stage=np.where(much, Stage.WARN, Stage.INFORM).astype(np.int32),
            action=Action.SLOW,
            value=found.asked_mps(params.braking),
            distance_m=np.maximum(begin_m, 0.0),
            closing_mps=speed,
            needed_m=lead_m,
        ).take(kept)

    def _limits(self, content: Any) -> Iterator[SpeedLimit]:
        """Yield the limits in a message."""
        if isinstance(content, RoadNotices):
            for sign in content.signs:
                if sign.code == SPEED_LIMIT_SIGN and np.isfinite(sign.value):
                    yield SpeedLimit(
                        number=sign.number,
                        code=sign.code,
                        edge=sign.edge,
                        offset_m=sign.offset_m,
                        length_m=sign.length_m,
                        limit_mps=sign.value,
                    )
        elif isinstance(content, JunctionMap):
            for node in content.nodes:
                yield from self._inbound(node)

    def _inbound(self, node: int) -> Iterator[SpeedLimit]:
        order, end = self._by_node
        low, high = np.searchsorted(end, [node, node + 1])
        for edge in order[low:high].tolist():
            yield SpeedLimit(
                number=edge,
                code=MAP_LIMIT,
                edge=edge,
                offset_m=0.0,
                length_m=float(self._map.edge_length_m[edge]),
                limit_mps=float(self._map.edge_limit_mps[edge]),
            )
