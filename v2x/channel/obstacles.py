"""What the map does to links: the exact, unhurried reference of the channel in three dimensions.

For every pair of antennas it finds what stands between them and the loss that comes on top of
the path loss law of the link's state. The kernel of the link table computes the same from the
same arrays; this module serves single links, plans and tests.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from v2x.channel import deck, terrain, tunnel
from v2x.channel.antenna import (
    Antennas,
    BoolArray,
    FloatArray,
    IndexArray,
    IntArray,
    vertical_pattern_db,
)
from v2x.channel.attenuation import fog_db_per_km, rain_db_per_km
from v2x.channel.base import LinkState
from v2x.channel.blockers import behind_walls, deck_crossings, panels_of
from v2x.channel.obstacle_map import ObstacleMap
from v2x.channel.obstacle_params import ObstacleParams
from v2x.channel.slab import MATERIALS
from v2x.channel.water import two_ray_db, water_permittivity
from v2x.units import SPEED_OF_LIGHT_MPS
from v2x.world.weather import WeatherParams

#: State of a link in whose way the map puts nothing.
NOTHING = -1

#: Parts of the extra loss.
PARTS = (
    "bend_db",
    "portal_db",
    "detour_db",
    "terrain_db",
    "deck_db",
    "water_db",
    "rain_db",
    "fog_db",
    "pattern_db",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLosses:
    """What the map does to some links. All arrays have the shape (n_links,).

    Attributes
    ----------
    state : int8
        A :class:`~v2x.channel.base.LinkState`, or :data:`NOTHING`: then vehicles alone decide.
    extra_db : float64
        Loss besides the path loss law of the state [dB], the sum of what follows; infinite if
        blocked. Negative where a reflection adds up with the direct ray.
    bend_db : float64
        Behind a bend of the tube [dB].
    portal_db : float64
        At the mouth of a tube [dB].
    detour_db : float64
        What the way through the mouth costs more than the straight line, by the law of the
        tube [dB].
    terrain_db : float64
        Ground beyond an inclined plane [dB].
    deck_db : float64
        All decks together, capped [dB].
    water_db : float64
        Reflection from water [dB].
    rain_db, fog_db : float64
        Weather [dB].
    pattern_db : float64
        Vertical patterns of roadside antennas at both ends [dB].
    n_decks : int32
        Deck segments that the line pierces.
    terrain_cuts, building_cuts : bool
        Whether ground, or a building, reaches above the straight line.
    portal : int32
        Portal that the link passes, -1 if none.
    """

    state: NDArray[np.int8]
    extra_db: FloatArray
    bend_db: FloatArray
    portal_db: FloatArray
    detour_db: FloatArray
    terrain_db: FloatArray
    deck_db: FloatArray
    water_db: FloatArray
    rain_db: FloatArray
    fog_db: FloatArray
    pattern_db: FloatArray
    n_decks: IntArray
    terrain_cuts: BoolArray
    building_cuts: BoolArray
    portal: IntArray


def link_obstacles(
    obstacles: ObstacleMap,
    params: ObstacleParams,
    a: Antennas,
    b: Antennas,
    *,
    carrier_ghz: float,
    weather: WeatherParams | None = None,
) -> LinkLosses:
    """Find what stands between pairs of antennas, and what it costs.

    Parameters
    ----------
    obstacles, params
        The map, and what the scenario says about it.
    a, b : (n_links,)
        The ends; exchanging them changes nothing.
    carrier_ghz
        Carrier frequency [GHz].
    weather
        Rain and fog; none by default.

    Returns
    -------
    LinkLosses
        State, loss and its parts, read-only.

    Notes
    -----
    Path loss, shadowing and the loss by vehicles in the way are not included
    (:mod:`v2x.channel.link_table`). Positions on a wrap-around map must have been brought next
    to each other.
    """
    if len(b) != len(a):
        raise ValueError(f"{len(a)} antennas at one end, {len(b)} at the other")
    radio = _Radio(obstacles, params, weather or WeatherParams(), carrier_ghz)
    losses = _no_losses(len(a))
    everywhere_outside = np.full(len(a), -1, dtype=np.int32)
    tube_a = a.tube if params.tunnels else everywhere_outside
    tube_b = b.tube if params.tunnels else everywhere_outside
    inside_a, inside_b = tube_a >= 0, tube_b >= 0
    _within_tube(radio, a, b, np.flatnonzero(inside_a & (tube_a == tube_b)), losses)
    _through_portal(radio, a, b, np.flatnonzero(inside_a & ~inside_b), losses)
    _through_portal(radio, b, a, np.flatnonzero(inside_b & ~inside_a), losses)
    _under_the_sky(radio, a, b, np.flatnonzero(~inside_a & ~inside_b), losses)
    losses.state[inside_a & inside_b & (tube_a != tube_b)] = LinkState.BLOCKED
    losses.pattern_db[:] = _pattern_db(params, a, b) + _pattern_db(params, b, a)
    extra = losses.extra_db
    for part in PARTS:
        extra += getattr(losses, part)
    extra[losses.state == LinkState.BLOCKED] = np.inf
    for item in fields(losses):
        getattr(losses, item.name).flags.writeable = False
    return losses


@dataclass(frozen=True, slots=True)
class _Radio:
    """What all links of one call share."""

    obstacles: ObstacleMap
    params: ObstacleParams
    weather: WeatherParams
    carrier_ghz: float

    def terrain(self, a_m: FloatArray, b_m: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Return the loss by the ground [dB], and whether it cuts the line."""
        n = a_m.shape[1]
        if self.params.terrain_method == "none" or not self.obstacles.has_terrain:
            return np.zeros(n), np.zeros(n, dtype=np.bool_)
        profiles = terrain.profiles_of(self.obstacles, a_m, b_m)
        loss = terrain.terrain_db(
            profiles,
            SPEED_OF_LIGHT_MPS / (self.carrier_ghz * 1e9),
            method=self.params.terrain_method,
            deygout_c_db=self.params.deygout_c_db,
        )
        return loss, profiles.cut


def _no_losses(n: int) -> LinkLosses:
    return LinkLosses(
        state=np.full(n, NOTHING, dtype=np.int8),
        extra_db=np.zeros(n),
        bend_db=np.zeros(n),
        portal_db=np.zeros(n),
        detour_db=np.zeros(n),
        terrain_db=np.zeros(n),
        deck_db=np.zeros(n),
        water_db=np.zeros(n),
        rain_db=np.zeros(n),
        fog_db=np.zeros(n),
        pattern_db=np.zeros(n),
        n_decks=np.zeros(n, dtype=np.int32),
        terrain_cuts=np.zeros(n, dtype=np.bool_),
        building_cuts=np.zeros(n, dtype=np.bool_),
        portal=np.full(n, -1, dtype=np.int32),
    )


def _within_tube(
    radio: _Radio, a: Antennas, b: Antennas, rows: IndexArray, losses: LinkLosses
) -> None:
    """Fill the rows of links inside one tube."""
    a, b = a[rows], b[rows]
    losses.state[rows] = LinkState.TUNNEL
    losses.bend_db[rows] = tunnel.bend_db(
        np.linalg.norm(b.position_m - a.position_m, axis=0),
        tunnel.angle_between_axes_rad(a.axis_rad, b.axis_rad),
        np.minimum(a.width_m, b.width_m),
        radio.params.tunnel_bend_db_per_100m,
    )


def _through_portal(
    radio: _Radio, inner: Antennas, outer: Antennas, rows: IndexArray, losses: LinkLosses
) -> None:
    """Fill the rows of links between a tube and the outside: the best portal, or none."""
    obstacles, params = radio.obstacles, radio.params
    inside, outside = inner.position_m[:, rows], outer.position_m[:, rows]
    losses.state[rows] = LinkState.BLOCKED
    link, portal = np.nonzero(inner.tube[rows][:, None] == obstacles.portal_tube[None, :])
    mouth = np.stack([obstacles.portal_x_m, obstacles.portal_y_m, obstacles.portal_z_m])[:, portal]
    mouth[2] += params.portal_mouth_m
    out_x, out_y = obstacles.portal_out_x[portal], obstacles.portal_out_y[portal]
    to_inside, to_outside = inside[:, link] - mouth, outside[:, link] - mouth
    depth = -(to_inside[0] * out_x + to_inside[1] * out_y)
    ahead = to_outside[0] * out_x + to_outside[1] * out_y
    left_inside = to_inside[1] * out_x - to_inside[0] * out_y
    left_outside = to_outside[1] * out_x - to_outside[0] * out_y
    seen = ahead > 0.0
    crosses = seen & (depth >= 0.0)
    share = np.where(crosses, depth, 0.0) / np.where(crosses, depth + ahead, 1.0)
    offset = np.abs(left_inside + share * (left_outside - left_inside))
    mouth_db = tunnel.portal_db(
        crosses & (offset <= obstacles.portal_half_width_m[portal]),
        np.arctan2(np.abs(left_outside), np.where(seen, ahead, 1.0)),
        on_axis_db=params.portal_on_axis_db,
        off_axis_db=params.portal_off_axis_db,
    )
    bent = np.linalg.norm(to_inside, axis=0) + np.linalg.norm(to_outside, axis=0)
    straight = np.linalg.norm(outside - inside, axis=0)[link]
    # The law of the tube holds from one metre on.
    detour = np.log10(np.maximum(bent, 1.0) / np.maximum(straight, 1.0))
    detour_db = 10.0 * params.tunnel_exponent * detour
    ground_db, _ = radio.terrain(mouth, outside[:, link])
    total = np.where(seen, mouth_db + detour_db + ground_db, np.inf)
    # In this order the first way of each link is its best.
    order = np.lexsort((total, link))
    best = order[np.flatnonzero(np.diff(link[order], prepend=-1))]
    best = best[seen[best]]
    found = rows[link[best]]
    losses.state[found] = LinkState.TUNNEL
    losses.portal[found] = portal[best]
    losses.portal_db[found] = mouth_db[best]
    losses.detour_db[found] = detour_db[best]
    losses.terrain_db[found] = ground_db[best]


def _under_the_sky(
    radio: _Radio, a: Antennas, b: Antennas, rows: IndexArray, losses: LinkLosses
) -> None:
    """Fill the rows of links outside tunnels."""
    params, n = radio.params, len(rows)
    a, b = a[rows], b[rows]
    a_m, b_m = a.position_m, b.position_m
    deck_db, n_decks = np.zeros(n), np.zeros(n, dtype=np.int64)
    if params.decks:
        deck_db, n_decks = _deck_db(radio, a_m, b_m)
    walled = np.zeros(n, dtype=np.bool_)
    if params.buildings:
        walled = behind_walls(radio.obstacles, a_m, b_m)
    terrain_db, buried = radio.terrain(a_m, b_m)
    # Later states outrank earlier ones. Buildings come last: their law is the only one that holds
    # what they cost, and a deck or a slope besides must not make a link better.
    losses.state[rows[buried]] = LinkState.TERRAIN
    losses.state[rows[n_decks > 0]] = LinkState.DECK
    losses.state[rows[walled]] = LinkState.NLOS
    losses.deck_db[rows] = deck_db
    losses.n_decks[rows] = n_decks
    losses.terrain_db[rows] = terrain_db
    losses.terrain_cuts[rows] = buried
    losses.building_cuts[rows] = walled
    if params.water and radio.obstacles.has_terrain:
        clear = ~(walled | buried | (n_decks > 0))
        losses.water_db[rows[clear]] = _water_db(radio, a_m[:, clear], b_m[:, clear])
    km = np.linalg.norm(b_m - a_m, axis=0) / 1000.0
    losses.rain_db[rows] = km * rain_db_per_km(radio.weather.rain_mm_h, radio.carrier_ghz)
    losses.fog_db[rows] = km * fog_db_per_km(
        radio.weather.visibility_m, radio.carrier_ghz, params.fog_temperature_c
    )


def _deck_db(
    radio: _Radio, a_m: FloatArray, b_m: FloatArray
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the loss by all decks [dB], and how many segments each line pierces."""
    params, n = radio.params, a_m.shape[1]
    link, panel, _ = deck_crossings(radio.obstacles, a_m, b_m)
    ways = deck.ways_db(
        a_m[:, link],
        b_m[:, link],
        panels_of(radio.obstacles, panel),
        material=MATERIALS[params.deck_material],
        thickness_m=params.deck_thickness_m,
        carrier_ghz=radio.carrier_ghz,
    )
    total = np.bincount(link, weights=deck.power_sum_db(ways), minlength=n)
    return np.minimum(total, params.deck_cap_db), np.bincount(link, minlength=n)


def _water_db(radio: _Radio, a_m: FloatArray, b_m: FloatArray) -> FloatArray:
    """Return the loss by a reflection from water [dB], zero where none reaches the other end."""
    obstacles, params = radio.obstacles, radio.params
    share = np.full(a_m.shape[1], 0.5)
    # The point of reflection depends on the level of the water, which is that of the ground
    # there. Rivers are level: the second round stands still unless the middle lies on a bank.
    for _ in range(2):
        _, height_a, height_b = _above_ground(obstacles, a_m, b_m, share)
        above = (height_a > 0.0) & (height_b > 0.0)
        share = np.where(above, height_a, 1.0) / np.where(above, height_a + height_b, 2.0)
    point, height_a, height_b = _above_ground(obstacles, a_m, b_m, share)
    wet = (height_a > 0.0) & (height_b > 0.0)
    wet &= terrain.on_water(obstacles, point[0], point[1])
    if params.decks:
        # Two vehicles on one bridge do not see the river: their own deck hides it.
        for end_m in (a_m, b_m):
            line, _, _ = deck_crossings(obstacles, end_m, point)
            wet[line] = False
    loss = np.zeros(len(wet))
    loss[wet] = two_ray_db(
        np.hypot(b_m[0] - a_m[0], b_m[1] - a_m[1])[wet],
        height_a[wet],
        height_b[wet],
        water_permittivity(
            radio.carrier_ghz, params.water_temperature_c, params.water_conductivity_s_per_m
        ),
        params.water_roughness_m,
        radio.carrier_ghz,
        limit_db=params.water_limit_db,
    )
    return loss


def _above_ground(
    obstacles: ObstacleMap, a_m: FloatArray, b_m: FloatArray, share: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the ground point at shares of the way, (3, n), and both antennas' heights over it."""
    point = a_m + share * (b_m - a_m)
    point[2] = terrain.ground_m(obstacles, point[0], point[1])
    return point, a_m[2] - point[2], b_m[2] - point[2]


def _pattern_db(params: ObstacleParams, antennas: Antennas, others: Antennas) -> FloatArray:
    """Return what the patterns of antennas take off in the directions of others [dB]."""
    dx, dy, dz = others.position_m - antennas.position_m
    loss = vertical_pattern_db(
        np.arctan2(dz, np.hypot(dx, dy)),
        beamwidth_deg=params.rsu_beamwidth_deg,
        downtilt_deg=params.rsu_downtilt_deg,
        side_lobe_db=params.rsu_side_lobe_db,
    )
    return np.where(antennas.roadside, loss, 0.0)
