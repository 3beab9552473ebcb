"""On-board and roadside sensors: what a good radar and camera see without any message.

A body is found if enough of its width is in the field of view and in range of a sensor, no other
body stands before it, and neither ground, decks, buildings nor the rock of a tunnel are in the
way; then with a probability per tick. Sensors of one kind err independently of others, so that
their variances combine. Every draw belongs to the ids of both and the time: nobody's measurement
depends on who else is there, nor on the order of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.channel.corridors import Corridors
from v2x.channel.sight import Ends, LineOfSight
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.perception.eyes import SIGMAS, Eye, Kinds, Units
from v2x.perception.sensor_params import OnboardParams
from v2x.perception.states import RowArray
from v2x.perception.tracks import Detections, Tracks
from v2x.perception.views import (
    N_RAYS,
    Boxes,
    Views,
    free_rays,
    shadows_of,
    single,
    views_of,
    wrapped,
)
from v2x.world.road_map import FloatArray, RoadMap
from v2x.world.weather import WeatherParams

BoolArray = NDArray[np.bool_]

#: Half the diagonal of the longest body [m].
_LARGEST_M = 10.0
#: Draws of a pair in a tick: whether it is found, and one for each normal number, which come in
#: twos.
_DRAWS = 1 + 2 * ((len(SIGMAS) + 1) // 2)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Hosts and the bodies near them, ascending by host, nearer bodies first.

    Attributes
    ----------
    host, body : (n,) intp
        Rows.
    ahead_m, across_m : (n,) float64
        From middle to middle, along the host and to its left [m].
    turn_rad : (n,) float64
        Direction of the body from that of the host [rad].
    """

    host: RowArray
    body: RowArray
    ahead_m: FloatArray
    across_m: FloatArray
    turn_rad: FloatArray


class Sensors:
    """Sees for all hosts with sensors, tick after tick.

    Parameters
    ----------
    params
        The sensors.
    road_map
        What stands in the way.
    weather
        Visibility under the open sky; the air in tunnels is clear.
    seed
        Seed of the run.
    solid
        Whether ground, decks and tunnels hide anything; not on a map that was laid flat.

    Attributes
    ----------
    tracks
        What is remembered.
    """

    def __init__(
        self,
        params: OnboardParams,
        road_map: RoadMap,
        weather: WeatherParams,
        seed: int,
        *,
        solid: bool = True,
    ) -> None:
        self._params, self._weather = params, weather
        self._on_vehicles = Kinds(params.of_vehicles())
        self._on_poles = Kinds(params.of_roadside())
        self._wrap_m = road_map.wrap_length_m
        self._geometry = RoadGeometry(road_map)
        eyes = (*self._on_vehicles.eyes, *self._on_poles.eyes)
        longest_m = max((eye.range_m for eye in eyes), default=1.0) + 2.0 * _LARGEST_M
        self._sight = LineOfSight(road_map, longest_m=1.1 * longest_m, solid=solid)
        self._corridors = None if road_map.corridor_x is None else Corridors(road_map)
        self._equipped_key = rng.key32(seed, "sensors", "equipped")
        self._key = rng.key32(seed, "sensors", "ticks")
        self.tracks = Tracks(params.confirm_hits, params.confirm_of, params.lose_after)

    def see(self, fleet: FleetState) -> Detections:
        """Return the confirmed tracks of all hosts; to be called once per tick, in order."""
        parts = [
            self._look(fleet, rows, kinds)
            for rows, kinds in (
                (self._equipped(fleet), self._on_vehicles),
                (np.flatnonzero(fleet.active & (fleet.kind == NodeKind.RSU)), self._on_poles),
            )
        ]
        host, body, ahead, across, sigma = (
            np.concatenate([part[k] for part in parts], axis=-1) for k in range(5)
        )
        order = np.argsort(host * fleet.n_rows + body)
        host, body = host[order], body[order]
        measured = self._measure(fleet, host, body, ahead[order], across[order], sigma[:, order])
        return self.tracks.update(fleet, host, body, measured)

    def _equipped(self, fleet: FleetState) -> RowArray:
        rows = np.flatnonzero(fleet.active & (fleet.kind <= NodeKind.BUS))
        chance = rng.uniform_by_id(self._equipped_key, fleet.id[rows], 0)
        return rows[chance < self._params.share]

    def _look(
        self, fleet: FleetState, hosts: RowArray, kinds: Kinds
    ) -> tuple[RowArray, RowArray, FloatArray, FloatArray, FloatArray]:
        """Return who finds whom in this tick: rows, way ahead and across, standard deviations."""
        reach_m = max((eye.range_m for eye in kinds.eyes), default=0.0) + 2.0 * _LARGEST_M
        pairs = self._pairs(fleet, hosts if kinds.eyes else hosts[:0], reach_m)
        shown = np.zeros(len(pairs.host), dtype=np.intp)
        for eye in kinds.eyes:
            self._look_from(fleet, eye, pairs, shown)
        seen = np.flatnonzero(shown)
        pair = _pair_id(fleet, pairs.host[seen], pairs.body[seen])
        chance = rng.uniform_by_id(self._key, pair, fleet.time_us * _DRAWS)
        hit = seen[chance >= kinds.missed[shown[seen]]]
        return (
            pairs.host[hit],
            pairs.body[hit],
            pairs.ahead_m[hit],
            pairs.across_m[hit],
            kinds.sigma[:, shown[hit]],
        )

    def _pairs(self, fleet: FleetState, hosts: RowArray, reach_m: float) -> _Pairs:
        """Return the bodies within `reach_m` of each host."""
        from scipy.spatial import cKDTree

        bodies = np.flatnonzero(fleet.active & (fleet.height_m > 0.0))
        if len(hosts) == 0 or len(bodies) == 0:
            none, nothing = np.zeros(0, dtype=np.intp), np.zeros(0)
            return _Pairs(none, none, nothing, nothing, nothing)
        x_m = fleet.x_m
        period: Any = None
        if self._wrap_m:
            x_m = np.mod(x_m, self._wrap_m)
            x_m[x_m >= self._wrap_m] = 0.0
            period = (self._wrap_m, 0.0)
        place = np.stack([x_m, fleet.y_m], axis=1)
        near = cKDTree(place[hosts], boxsize=period).sparse_distance_matrix(
            cKDTree(place[bodies], boxsize=period), reach_m, output_type="ndarray"
        )
        host, body = hosts[near["i"]], bodies[near["j"]]
        # Hosts ascend; distances order the bodies of each.
        order = np.argsort(near["i"] + near["v"] / (2.0 * reach_m))
        order = order[host[order] != body[order]]
        host, body = host[order], body[order]
        dx, dy = fleet.x_m[body] - fleet.x_m[host], fleet.y_m[body] - fleet.y_m[host]
        if self._wrap_m:
            dx -= self._wrap_m * np.round(dx / self._wrap_m)
        heading = fleet.heading_rad[host]
        cos, sin = np.cos(heading), np.sin(heading)
        return _Pairs(
            host, body, dx * cos + dy * sin, dy * cos - dx * sin, fleet.heading_rad[body] - heading
        )

    def _look_from(self, fleet: FleetState, eye: Eye, pairs: _Pairs, shown: RowArray) -> None:
        """Add the sensors of one eye to the sets to which each pair is shown."""
        mount_m = 0.5 * eye.mount * fleet.length_m
        ahead_m = eye.axis * (pairs.ahead_m - mount_m[pairs.host])
        across_m = eye.axis * pairs.across_m
        rows = _in_view(fleet, eye, pairs.body, ahead_m, across_m)
        host, body = pairs.host[rows], pairs.body[rows]
        z_m, height_m = fleet.z_m[body], fleet.height_m[body]
        aim_m = z_m + self._params.aim_share * height_m
        turn = single(pairs.turn_rad[rows])
        views = views_of(
            Boxes(
                host=host,
                ahead_m=single(ahead_m[rows]),
                across_m=single(across_m[rows]),
                turn_cos=np.cos(turn),
                turn_sin=np.sin(turn),
                half_length_m=single(0.5 * fleet.length_m)[body],
                half_width_m=single(0.5 * fleet.width_m)[body],
                bottom_m=single(z_m),
                top_m=single(z_m + height_m),
                aim_m=single(aim_m),
            )
        )
        shadows = shadows_of(views)
        for height, units in groupby(eye.units, key=lambda units: units.params.height_m):
            eye_m = fleet.z_m[host]
            eye_m = eye_m + (fleet.antenna_height_m[host] if height is None else height)
            free = free_rays(views, shadows, single(eye_m))
            to = np.zeros(len(rows), dtype=np.intp)
            for u in units:
                to |= np.where(self._shown(fleet, u, views, body, free), u.bit, 0)
            at = np.flatnonzero(to)
            clear = self._clear(fleet, mount_m, host[at], body[at], eye_m[at], aim_m[at])
            shown[rows[at[clear]]] |= to[at[clear]]

    def _shown(
        self, fleet: FleetState, units: Units, views: Views, body: RowArray, free: BoolArray
    ) -> BoolArray:
        """Return which bodies show enough of themselves to sensors."""
        sensor = units.params
        range_m = np.where(fleet.kind[body] == NodeKind.VRU, sensor.vru_range_m, sensor.range_m)
        worse = np.full(len(body), np.inf)
        if self._params.night:
            worse = sensor.night_share * range_m
        if sensor.fog_share is not None:
            worse = np.minimum(worse, sensor.fog_share * self._weather.visibility_m)
        inside = (fleet.tunnel[views.boxes.host] >= 0) & (fleet.tunnel[body] >= 0)
        range_m = np.where(inside, range_m, np.minimum(range_m, worse))
        in_field = np.zeros_like(free)
        for azimuth in units.azimuth_rad:
            in_field |= np.abs(wrapped(views.ray_rad - azimuth)) <= units.half_rad
        shows = free & in_field & (views.ray_m <= range_m)
        return np.asarray(shows.sum(axis=0) >= self._params.visible_share * N_RAYS - 1e-9)

    def _clear(
        self,
        fleet: FleetState,
        mount_m: FloatArray,
        host: RowArray,
        body: RowArray,
        eye_m: FloatArray,
        aim_m: FloatArray,
    ) -> BoolArray:
        """Return whether the map leaves the views of hosts to bodies free."""
        clear = np.ones(len(host), dtype=np.bool_)
        if self._corridors is not None:
            east_west, north_south = self._corridors.of(fleet)
            clear = (east_west[host] >= 0) & (east_west[host] == east_west[body])
            clear |= (north_south[host] >= 0) & (north_south[host] == north_south[body])
        if self._sight.open:
            return clear
        heading = fleet.heading_rad
        eye_x = fleet.x_m[host] + mount_m[host] * np.cos(heading[host])
        eye_y = fleet.y_m[host] + mount_m[host] * np.sin(heading[host])
        eye = Ends(
            position_m=np.stack([eye_x, eye_y, eye_m]),
            tunnel=fleet.tunnel[host],
            axis_rad=heading[host],
        )
        point = Ends(
            position_m=np.stack([fleet.x_m[body], fleet.y_m[body], aim_m]),
            tunnel=fleet.tunnel[body],
            axis_rad=heading[body],
        )
        return clear & self._sight.clear(eye, point)

    def _measure(
        self,
        fleet: FleetState,
        host: RowArray,
        body: RowArray,
        ahead_m: FloatArray,
        across_m: FloatArray,
        sigma: FloatArray,
    ) -> dict[str, FloatArray]:
        """Return the columns of the measurements."""
        pair = _pair_id(fleet, host, body)[None, :]
        which = fleet.time_us * _DRAWS + 1 + np.arange(_DRAWS - 1)[:, None]
        uniform = rng.uniform_by_id(self._key, pair, which)
        # Box and Muller: two normal numbers of each two uniform ones.
        half = len(uniform) // 2
        radius = np.sqrt(-2.0 * np.log1p(-uniform[:half]))
        angle = 2.0 * np.pi * uniform[half:]
        normal = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
        error = normal[: len(SIGMAS)] * sigma
        distance_m, bearing_rad = np.hypot(ahead_m, across_m), np.arctan2(across_m, ahead_m)
        in_radians = np.radians(error)
        range_m = np.maximum(distance_m + error[0], 0.0)
        bearing_rad = wrapped(bearing_rad + in_radians[1])
        direction = fleet.heading_rad[host] + bearing_rad
        x_m = fleet.x_m[host] + range_m * np.cos(direction)
        return {
            "range_m": range_m,
            "bearing_rad": bearing_rad,
            "x_m": self._geometry.wrapped(x_m),
            "y_m": fleet.y_m[host] + range_m * np.sin(direction),
            "z_m": fleet.z_m[body] + distance_m * np.tan(in_radians[2]),
            "heading_rad": fleet.heading_rad[body] + in_radians[4],
            "speed_mps": np.maximum(fleet.speed_mps[body] + error[3], 0.0),
        }


def _pair_id(fleet: FleetState, host: RowArray, body: RowArray) -> NDArray[np.int64]:
    """Return a number for each pair of ids; ids are below 2^32."""
    return np.asarray((fleet.id[host] << 32) ^ fleet.id[body])


def _in_view(
    fleet: FleetState, eye: Eye, body: RowArray, ahead_m: FloatArray, across_m: FloatArray
) -> RowArray:
    """Return the pairs whose bodies may reach into the view of a sensor, by their circles."""
    radius = 0.5 * np.hypot(fleet.length_m, fleet.width_m)[body]
    distance = np.sqrt(ahead_m * ahead_m + across_m * across_m)
    begins = distance - radius
    rows = np.flatnonzero(begins <= eye.range_m)
    radius, distance, begins = radius[rows], distance[rows], begins[rows]
    bearing = np.arctan2(across_m[rows], ahead_m[rows])
    half = np.arcsin(np.minimum(radius / np.maximum(distance, 1e-9), 1.0))
    half[begins <= 0.0] = np.pi
    may = np.zeros(len(rows), dtype=np.bool_)
    for units in eye.units:
        near, reach = begins <= units.range_m, half + units.half_rad
        for azimuth in units.azimuth_rad:
            may |= near & (np.abs(wrapped(bearing - azimuth)) <= reach)
    return rows[may]
