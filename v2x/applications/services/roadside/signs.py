"""Static RSI: the signs of the roads near a unit, read from the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from v2x.applications.services.air_sizes import octets
from v2x.applications.services.roadside.params import RoadsideServiceParams
from v2x.applications.services.roadside.telling import ANCHOR, Told, node_reference
from v2x.messages.csae import rsi_rules
from v2x.messages.csae.frame import size_bytes
from v2x.messages.csae.places import EarthPlaces
from v2x.messages.csae.rsi_rules import MOST_SIGNS, Persistence, RoadLink, roadside_information
from v2x.messages.topics import Topic
from v2x.mobility.curves import CurveParams, find_bends
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.junctions import LaneNetwork
from v2x.perception.contents import RoadNotices, RoadSign
from v2x.perception.scene import Scene
from v2x.world.road_map import FloatArray, RoadMap, Structure

#: Indices of GB 5768.2 as T/CSAE 159 has them (applications.md 1.4).
SHARP_BEND, STEEP_SLOPE, TUNNEL, SPEED_LIMIT = 2, 5, 21, 85


@dataclass(frozen=True, slots=True)
class SignPost:
    """A sign and where it stands.

    Attributes
    ----------
    sign
        What it says, and where it holds.
    x_m, y_m, z_m
        Where it begins to hold [m].
    """

    sign: RoadSign
    x_m: float
    y_m: float
    z_m: float


def sign_posts(network: LaneNetwork, params: RoadsideServiceParams) -> list[SignPost]:
    """Return the signs of a map, numbered by edge and place.

    Parameters
    ----------
    network
        Lanes and movements.
    params
        What is a sharp bend or a steep slope.

    Notes
    -----
    Each edge has its limit. A sharp bend tells its radius, a steep slope its mean grade, and a
    tunnel begins where the edge does.
    """
    road_map = network.road_map
    found: list[tuple[int, float, int, float, float]] = []
    bends = find_bends(road_map, CurveParams())
    for k in np.flatnonzero(bends.radius_m < params.bend_radius_m).tolist():
        begin_m, end_m = float(bends.begin_m[k]), float(bends.end_m[k])
        found.append(
            (int(bends.edge[k]), begin_m, SHARP_BEND, end_m - begin_m, float(bends.radius_m[k]))
        )
    for edge in range(road_map.n_edges):
        length_m = float(road_map.edge_length_m[edge])
        found.append((edge, 0.0, SPEED_LIMIT, length_m, float(road_map.edge_limit_mps[edge])))
        if road_map.edge_structure[edge] == Structure.TUNNEL:
            found.append((edge, 0.0, TUNNEL, length_m, np.nan))
        for begin_m, end_m, grade in _steep(network, edge, params):
            found.append((edge, begin_m, STEEP_SLOPE, end_m - begin_m, grade))
    found.sort(key=lambda item: item[:3])
    return _posts(road_map, found)


def _posts(
    road_map: RoadMap, found: Sequence[tuple[int, float, int, float, float]]
) -> list[SignPost]:
    edge = np.array([item[0] for item in found], dtype=np.int32)
    offset_m = np.array([item[1] for item in found])
    x, y, z, _ = RoadGeometry(road_map).position(edge, offset_m, np.zeros(len(found)))
    return [
        SignPost(
            RoadSign(number=k, code=code, edge=at, offset_m=begin_m, length_m=long_m, value=value),
            float(x[k]),
            float(y[k]),
            float(z[k]),
        )
        for k, (at, begin_m, code, long_m, value) in enumerate(found)
    ]


def _steep(
    network: LaneNetwork, edge: int, params: RoadsideServiceParams
) -> list[tuple[float, float, float]]:
    """Return begin, end and mean grade of the steep stretches of an edge."""
    road_map = network.road_map
    first, last = int(road_map.first_point[edge]), int(road_map.first_point[edge + 1]) - 1
    offset_m = road_map.point_offset_m[first : last + 1]
    grade = network.point_grade[first:last]
    # One-hot ends around runs of steep pieces of the same sign.
    side = np.where(np.abs(grade) > params.slope, np.sign(grade), 0.0)
    changes = np.flatnonzero(np.diff(side, prepend=np.nan, append=np.nan) != 0.0)
    stretches = []
    for begin, end in pairwise(changes.tolist()):
        long_m = float(offset_m[end] - offset_m[begin])
        if side[begin] and long_m >= params.slope_m:
            rise_m = float(np.dot(grade[begin:end], np.diff(offset_m[begin : end + 1])))
            stretches.append((float(offset_m[begin]), float(offset_m[end]), rise_m / long_m))
    return stretches


class SignTeller:
    """Tells the signs near each unit, the nearest first.

    Parameters
    ----------
    network
        Lanes and movements.
    params
        What is told, and how far.
    room_bytes
        Longest content of a message [byte].
    """

    def __init__(
        self, network: LaneNetwork, params: RoadsideServiceParams, room_bytes: int
    ) -> None:
        self._map, self._params, self._room_bytes = network.road_map, params, room_bytes
        self._posts = sign_posts(network, params)
        self._x_m = np.array([post.x_m for post in self._posts])
        self._y_m = np.array([post.y_m for post in self._posts])
        self._places = EarthPlaces(network.road_map, ANCHOR)
        self._of_unit: dict[int, list[Told]] = {}

    def count(self, scene: Scene, row: int) -> int:
        """Return how many messages the unit in a row has; they go one in a tick."""
        return len(self._told(scene, row))

    def tell(self, scene: Scene, row: int, place: int) -> Told:
        """Return one of them."""
        return self._told(scene, row)[place]

    def _told(self, scene: Scene, row: int) -> Sequence[Told]:
        unit = int(scene.fleet.id[row])
        if unit not in self._of_unit:
            self._of_unit[unit] = self._messages(scene, row)
        return self._of_unit[unit]

    def _messages(self, scene: Scene, row: int) -> list[Told]:
        """Return as few messages as hold the signs near a unit."""
        packed: list[list[SignPost]] = []
        for post in self._near(scene, row):
            fits = packed and len(packed[-1]) < MOST_SIGNS
            if fits and self._bytes(scene, row, [*packed[-1], post]) <= self._room_bytes:
                packed[-1].append(post)
            else:
                packed.append([post])
        return [
            Told(
                Topic.RSI,
                RoadNotices(signs=tuple(post.sign for post in posts)),
                self._bytes(scene, row, posts),
            )
            for posts in packed
        ]

    def _near(self, scene: Scene, row: int) -> list[SignPost]:
        """Return the signs whose place, or road, is near the unit in a row."""
        if not self._posts:
            return []
        away_m = self._away_m(scene, row)
        order = np.argsort(away_m, kind="stable")
        near = order[away_m[order] <= self._params.range_m][: self._params.signs]
        return [self._posts[k] for k in near.tolist()]

    def _away_m(self, scene: Scene, row: int) -> FloatArray:
        """Return how far signs are from a unit; those that hold on its own road hold there [m]."""
        fleet, period = scene.fleet, self._map.wrap_length_m
        dx = self._x_m - fleet.x_m[row]
        if period:
            dx = dx - period * np.round(dx / period)
        away_m = np.hypot(dx, self._y_m - fleet.y_m[row])
        edge, offset_m = int(fleet.edge[row]), float(fleet.offset_m[row])
        here = [
            post.sign.edge == edge
            and post.sign.offset_m <= offset_m <= post.sign.offset_m + post.sign.length_m
            for post in self._posts
        ]
        return np.where(here, 0.0, away_m)

    def _bytes(self, scene: Scene, row: int, posts: Sequence[SignPost]) -> int:
        fleet, road_map = scene.fleet, self._map
        at = slice(row, row + 1)
        own = self._places.at(fleet.x_m[at], fleet.y_m[at], fleet.z_m[at])[0]
        places = self._places.at(
            np.array([post.x_m for post in posts]),
            np.array([post.y_m for post in posts]),
            np.array([post.z_m for post in posts]),
        )
        signs = [
            rsi_rules.RoadSign(
                sign_id=post.sign.number % 256,
                sign_type=post.sign.code,
                place=place,
                links=(
                    RoadLink(
                        upstream_node=node_reference(road_map.edge_from[post.sign.edge]),
                        downstream_node=node_reference(road_map.edge_to[post.sign.edge]),
                    ),
                ),
            )
            for post, place in zip(posts, places, strict=True)
        ]
        rsu = octets(int(fleet.id[row]))
        told = roadside_information(rsu, own, [], signs, minute_of_year=0)
        return size_bytes(told[Persistence.STATIC][0])
