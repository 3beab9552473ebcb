"""Where the events and signs lie, of which a host has been told: ahead, around or behind it.

Notices name an edge of the map and a place on it. A receiver that goes by the map follows its own
road to there; one that does not (``information.level_check`` ``none`` or ``gate``) takes what lies
on the straight line ahead, in about the direction in which the host drives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from v2x.applications.warnings.base import BoolArray
from v2x.messages.topics import Topic
from v2x.mobility.fleet import FloatArray, IntArray, NodeKind
from v2x.perception.scene import LevelCheck, Scene
from v2x.perception.states import RowArray
from v2x.world.road_map import RoadMap

#: Places of the subject of an alert below its code.
_NUMBERS = 1 << 32
#: Without a map: roads turned by more than this against the host are not its own [rad].
_SAME_DIRECTION_RAD = np.pi / 6


class Zone(Protocol):
    """A stretch of an edge and of the road on from it."""

    @property
    def number(self) -> int:
        """Stays the same as long as the thing is the same."""

    @property
    def code(self) -> int:
        """What it is."""

    @property
    def edge(self) -> int:
        """Edge on which it begins."""

    @property
    def offset_m(self) -> float:
        """Where on the edge it begins [m]."""

    @property
    def length_m(self) -> float:
        """How far it reaches on from there [m]."""


Z = TypeVar("Z", bound=Zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(Generic[Z]):
    """Zones of which hosts have been told, as they lie for them; one element per pair.

    A zone that a host cannot reach on its likely way, and that it is not in or just past, is in
    no pair.

    Attributes
    ----------
    zones
        All zones.
    host, zone : (n,) intp
        Row of the host; index of the zone.
    begin_m, end_m : (n,) float64
        Way of the host's front to where it begins and ends; negative behind [m].
    lane : (n,) int32
        Lane there to which the host's lane leads; -1 if it cannot tell.
    generated_us : (n,) int64
        When the newest message of it was generated [µs].
    """

    zones: Sequence[Z]
    host: RowArray
    zone: RowArray
    begin_m: FloatArray
    end_m: FloatArray
    lane: IntArray
    generated_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.host)

    @property
    def ahead(self) -> BoolArray:
        """Whether hosts have not reached it."""
        return np.asarray(self.begin_m > 0.0)

    @property
    def subject(self) -> NDArray[np.int64]:
        """What alerts are about: code × 2³² + number.

        Services count their events independently, so a number alone may mean two things.
        """
        code = self.of("code", np.int64)
        return np.asarray(code * _NUMBERS + self.of("number", np.int64) % _NUMBERS)

    def of(self, name: str, dtype: type) -> NDArray[Any]:
        """Return an attribute of the zones, pair by pair."""
        values: NDArray[Any] = np.array([getattr(zone, name) for zone in self.zones], dtype=dtype)
        return np.asarray(values[self.zone])

    def take(self, rows: RowArray) -> Placed[Z]:
        """Return some of the pairs."""
        return Placed(
            zones=self.zones,
            host=self.host[rows],
            zone=self.zone[rows],
            begin_m=self.begin_m[rows],
            end_m=self.end_m[rows],
            lane=self.lane[rows],
            generated_us=self.generated_us[rows],
        )


class NoticeBoard:
    """Finds the place of zones relative to hosts.

    Parameters
    ----------
    road_map
        The map.
    """

    def __init__(self, road_map: RoadMap) -> None:
        self._map = road_map

    def placed(
        self, scene: Scene, topics: Iterable[Topic], zones_in: Callable[[Any], Iterable[Z]]
    ) -> Placed[Z]:
        """Return the zones of messages as they lie for vehicles that have them.

        Parameters
        ----------
        scene
            The scene.
        topics
            Topics of the messages.
        zones_in
            What of the content of a message matters.
        """
        zones: list[Z] = []
        hosts: list[RowArray] = []
        generated: list[int] = []
        listens = self._knows_its_place(scene)
        for topic in topics:
            for notice in scene.board.notices(topic):
                rows = notice.host[listens[notice.host]]
                here = [zone for zone in zones_in(notice.content) if zone.edge >= 0]
                for zone in here if len(rows) else ():
                    zones.append(zone)
                    hosts.append(rows)
                    generated.append(notice.generated_us)
        number = np.repeat(np.arange(len(zones)), [len(rows) for rows in hosts])
        host = np.concatenate([np.zeros(0, dtype=np.intp), *hosts])
        generated_us = np.array(generated, dtype=np.int64)[number]
        told = self._as_it_lies(scene, zones, host, number, generated_us)
        return told.take(_newest(told))

    def _knows_its_place(self, scene: Scene) -> BoolArray:
        """Return which rows are vehicles that know where they are and how fast."""
        own, fleet = scene.own, scene.fleet
        knows = (fleet.kind <= NodeKind.BUS) & np.isfinite(own.speed_mps)
        if scene.outlook.level_check.uses_map:
            return np.asarray(knows & (own.edge >= 0) & np.isfinite(own.offset_m))
        knows &= np.isfinite(own.x_m) & np.isfinite(own.y_m) & np.isfinite(own.heading_rad)
        if scene.outlook.level_check is LevelCheck.GATE:
            knows &= np.isfinite(own.z_m)
        return np.asarray(knows)

    def _as_it_lies(
        self,
        scene: Scene,
        zones: Sequence[Z],
        host: RowArray,
        number: RowArray,
        generated_us: NDArray[np.int64],
    ) -> Placed[Z]:
        edge = np.array([zone.edge for zone in zones], dtype=np.int32)[number]
        offset_m = np.array([zone.offset_m for zone in zones], dtype=np.float64)[number]
        length_m = np.array([zone.length_m for zone in zones], dtype=np.float64)[number]
        if scene.outlook.level_check.uses_map:
            begin_m, lane = _along_the_road(scene, host, edge, offset_m, length_m)
        else:
            begin_m = self._straight_ahead(scene, host, edge, offset_m)
            lane = np.full(len(host), -1, dtype=np.int32)
        there = np.flatnonzero(np.isfinite(begin_m))
        return Placed(
            zones=zones,
            host=host[there],
            zone=number[there],
            begin_m=begin_m[there],
            end_m=(begin_m + length_m)[there],
            lane=lane[there],
            generated_us=generated_us[there],
        )

    def _straight_ahead(
        self, scene: Scene, host: RowArray, edge: IntArray, offset_m: FloatArray
    ) -> FloatArray:
        """Return the way to zones on the straight line ahead or behind [m], NaN beside it, (n,)."""
        road_map, outlook, own = self._map, scene.outlook, scene.own.take(host)
        x_m, y_m, z_m, heading_rad = _places(road_map, edge, offset_m)
        dx, dy = x_m - own.x_m, y_m - own.y_m
        if outlook.wrap_length_m:
            dx -= outlook.wrap_length_m * np.round(dx / outlook.wrap_length_m)
        cos, sin = np.cos(own.heading_rad), np.sin(own.heading_rad)
        ahead_m = dx * cos + dy * sin - 0.5 * scene.fleet.length_m[host]
        wide_m = road_map.edge_lanes[edge] * outlook.lane_width_m
        turned = np.abs(np.angle(np.exp(1j * (heading_rad - own.heading_rad))))
        fits = (np.abs(dy * cos - dx * sin) < wide_m) & (turned < _SAME_DIRECTION_RAD)
        if outlook.level_check is LevelCheck.GATE:
            fits &= np.abs(z_m - own.z_m) < outlook.gate_m
        return np.where(fits, ahead_m, np.nan)


def _along_the_road(
    scene: Scene, host: RowArray, edge: IntArray, offset_m: FloatArray, length_m: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Return the way to zones along the road [m], NaN off it, and the lane there; (n,) each.

    Ahead count zones on the likely way on, or on any while the host indicates a turn. Behind are
    those that begin where the host came from, if the likely way on from there is its own.
    """
    own, ways = scene.own, scene.outlook.ways
    on, lane = own.edge[host], own.lane[host]
    forward, back = ways.between(on, edge), ways.between(edge, on)
    begin_m = np.where(
        forward.likely | (own.turn[host] != 0),
        forward.ahead_m + offset_m - own.offset_m[host],
        np.nan,
    )
    since_m = np.where(back.likely, back.ahead_m + own.offset_m[host] - offset_m, np.nan)
    # Where the road leads round to it again, a host that is still in it counts as in it.
    inside = (since_m >= 0.0) & (since_m <= length_m)
    came_from = inside | np.isnan(begin_m)
    there = np.where(came_from, lane - back.lane_shift, lane + forward.lane_shift)
    known = np.where(lane >= 0, there, -1).astype(np.int32)
    return np.where(came_from, -since_m, begin_m), known


def _places(road_map: RoadMap, edge: IntArray, offset_m: FloatArray) -> tuple[FloatArray, ...]:
    """Return x, y, z [m] and the heading [rad] of places on edges, (n,) each."""
    first, last = road_map.first_point[edge], road_map.first_point[edge + 1] - 1
    piece = first.copy()
    for k in range(len(edge)):
        along = road_map.point_offset_m[first[k] : last[k]]
        piece[k] += max(int(np.searchsorted(along, offset_m[k], side="right")) - 1, 0)
    run_m = road_map.point_offset_m[piece + 1] - road_map.point_offset_m[piece]
    share = (offset_m - road_map.point_offset_m[piece]) / np.maximum(run_m, 1e-9)
    points = (road_map.point_x_m, road_map.point_y_m, road_map.point_z_m)
    x_m, y_m, z_m = (p[piece] + share * (p[piece + 1] - p[piece]) for p in points)
    dx = road_map.point_x_m[piece + 1] - road_map.point_x_m[piece]
    dy = road_map.point_y_m[piece + 1] - road_map.point_y_m[piece]
    return x_m, y_m, z_m, np.arctan2(dy, dx)


def _newest(placed: Placed[Z]) -> RowArray:
    """Return the pairs that are the newest of their host and subject, in order of the pairs."""
    order = np.lexsort((placed.generated_us, placed.subject, placed.host))
    host, subject = placed.host[order], placed.subject[order]
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = (host[1:] != host[:-1]) | (subject[1:] != subject[:-1])
    return np.sort(order[last])
