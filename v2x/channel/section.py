"""The vertical section under one link, with every loss that the map adds."""

from __future__ import annotations

import math

import numpy as np

from v2x.channel import deck, terrain
from v2x.channel.antenna import Antennas, FloatArray
from v2x.channel.base import LinkState
from v2x.channel.blockers import panels_of, wall_crossings
from v2x.channel.diffraction import deygout_edges
from v2x.channel.obstacle_map import ObstacleMap
from v2x.channel.obstacle_params import ObstacleParams
from v2x.channel.obstacles import NOTHING, LinkLosses, link_obstacles
from v2x.channel.pathloss_formulas import tr37885_nlos_db
from v2x.channel.profile import Edges, LinkProfile, Spans, no_edges, no_spans
from v2x.channel.tunnel import free_space_db_at_1_m, tunnel_law
from v2x.units import SPEED_OF_LIGHT_MPS
from v2x.world.weather import WeatherParams

#: Parts of the loss as a reader should see them, in the order of the path.
_PART_NAMES = {
    "bend_db": "bend of the tunnel",
    "portal_db": "portal",
    "detour_db": "way through the portal",
    "terrain_db": "terrain",
    "deck_db": "decks",
    "water_db": "reflection from water",
    "rain_db": "rain",
    "fog_db": "fog",
    "pattern_db": "antenna patterns",
}
_INSIDE_ONLY = ("bend_db", "portal_db", "detour_db")
_OUTSIDE_ONLY = ("deck_db", "water_db", "rain_db", "fog_db")
#: Antennas straight above each other are drawn this far apart [m].
_LEAST_LENGTH_M = 1e-3


def link_profile(
    obstacles: ObstacleMap,
    params: ObstacleParams,
    a: Antennas,
    b: Antennas,
    *,
    feet_m: tuple[float, float],
    carrier_ghz: float,
    weather: WeatherParams | None = None,
) -> LinkProfile:
    """Return the section under one link and its losses.

    Parameters
    ----------
    obstacles, params
        The map, and what the scenario says about it.
    a, b : (1,)
        The antennas.
    feet_m
        Heights of the road or the ground under both [m]; the ground between them is the line
        between, where the map has no terrain.
    carrier_ghz
        Carrier frequency [GHz].
    weather
        Rain and fog; none by default.

    Returns
    -------
    LinkProfile
        Losses start from free space, or from the law of the tunnel. Vehicles in the way and
        shadowing are not in it.
    """
    losses = link_obstacles(obstacles, params, a, b, carrier_ghz=carrier_ghz, weather=weather)
    a_m, b_m = a.position_m, b.position_m
    wavelength_m = SPEED_OF_LIGHT_MPS / (carrier_ghz * 1e9)
    length_m = max(float(np.hypot(*(b_m - a_m)[:2, 0])), _LEAST_LENGTH_M)
    share = np.array([0.0, 1.0])
    ground, water = np.array(feet_m), np.zeros(2, dtype=np.bool_)
    edges = no_edges()
    if obstacles.has_terrain:
        profiles = terrain.profiles_of(obstacles, a_m, b_m)
        share = np.concatenate([[0.0], profiles.share, [1.0]])
        x, y = (a_m + share * (b_m - a_m))[:2]
        ground, water = terrain.ground_m(obstacles, x, y), terrain.on_water(obstacles, x, y)
        if losses.terrain_db[0] > 0.0 and losses.portal[0] < 0:
            edges = _edges(profiles, params.terrain_method, wavelength_m)
    state = int(losses.state[0])
    return LinkProfile(
        distance_m=share * length_m,
        ground_m=ground,
        water=water,
        height_a_m=float(a_m[2, 0]),
        height_b_m=float(b_m[2, 0]),
        wavelength_m=wavelength_m,
        state=LinkState.LOS if state == NOTHING else LinkState(state),
        loss_db=_budget(losses, params, float(np.linalg.norm(b_m - a_m)), carrier_ghz),
        decks=_deck_spans(obstacles, params, a_m, b_m, length_m),
        buildings=_building_spans(obstacles, a_m, b_m, share, ground, length_m),
        edges=edges,
    )


def _budget(
    losses: LinkLosses, params: ObstacleParams, distance_m: float, carrier_ghz: float
) -> dict[str, float]:
    """Return the named losses of one link [dB]."""
    distance = np.array([max(distance_m, 1.0)])
    in_tube = losses.state[0] == LinkState.TUNNEL
    free_space_db = free_space_db_at_1_m(carrier_ghz) + 20.0 * math.log10(distance[0])
    budget = {"free space": free_space_db}
    if losses.state[0] == LinkState.BLOCKED:
        return budget
    if in_tube:
        law = tunnel_law(carrier_ghz, params.tunnel_exponent)
        budget = {"tunnel law": float(law.loss_db(distance)[0])}
    if losses.state[0] == LinkState.NLOS:
        nlos_db = float(tr37885_nlos_db(distance, carrier_ghz)[0])
        budget["buildings (TR 37.885 NLOS)"] = nlos_db - free_space_db
    elsewhere = _OUTSIDE_ONLY if in_tube else _INSIDE_ONLY
    for part, name in _PART_NAMES.items():
        if part not in elsewhere:
            budget[name] = float(getattr(losses, part)[0])
    return budget


def _edges(profiles: terrain.Profiles, method: str, wavelength_m: float) -> Edges:
    """Return the edges of the only link, if it has a profile."""
    if method == "bullington":
        found = [terrain.bullington_edge(profiles, 0, wavelength_m)]
    else:
        path = profiles.path(0, profiles.ground_m)
        found = [
            (float(path.distance_m[e.point]), float(path.height_m[e.point]), e.loss_db)
            for e in deygout_edges(path, wavelength_m)
        ]
    distance, height, loss = np.array(sorted(found)).T
    return Edges(distance_m=distance, height_m=height, loss_db=loss, method=method)


def _deck_spans(
    obstacles: ObstacleMap,
    params: ObstacleParams,
    a_m: FloatArray,
    b_m: FloatArray,
    length_m: float,
) -> Spans:
    """Return the deck segments that the plan line crosses, in the order in which it does."""
    if not params.decks:
        return no_spans()
    _, rows = obstacles.decks.candidates(a_m[0], a_m[1], b_m[0], b_m[1])
    a_m, b_m = (np.repeat(end, len(rows), axis=1) for end in (a_m, b_m))
    panels = panels_of(obstacles, rows)
    enter, leave = deck.shares_over(a_m, b_m, panels)
    middle = a_m[:2] + 0.5 * (enter + leave) * (b_m - a_m)[:2]
    top = panels.surface_m(middle)
    cuts = ~np.isnan(deck.crossing_share(a_m, b_m, panels))
    order = np.argsort(enter, kind="stable")
    order = order[~np.isnan(enter[order])]
    return Spans(
        from_m=enter[order] * length_m,
        to_m=leave[order] * length_m,
        bottom_m=top[order] - params.deck_thickness_m,
        top_m=top[order],
        cuts=cuts[order],
    )


def _building_spans(
    obstacles: ObstacleMap,
    a_m: FloatArray,
    b_m: FloatArray,
    share: FloatArray,
    ground_m: FloatArray,
    length_m: float,
) -> Spans:
    """Return the buildings that the plan line crosses, in the order in which it does."""
    _, wall, at, below_roof = wall_crossings(obstacles, a_m, b_m)
    spans = []
    for building in np.unique(obstacles.wall_building[wall]).tolist():
        of_it = obstacles.wall_building[wall] == building
        enter, leave = float(at[of_it].min()), float(at[of_it].max())
        if np.count_nonzero(of_it) == 1:
            # One antenna is inside: the building reaches to the nearer end.
            enter, leave = (0.0, leave) if leave < 0.5 else (enter, 1.0)
        bottom = float(np.interp(0.5 * (enter + leave), share, ground_m))
        top = float(obstacles.wall_top_m[wall[of_it][0]])
        spans.append((enter * length_m, leave * length_m, bottom, top, below_roof[of_it].any()))
    columns = np.array(sorted(spans), dtype=np.float64).reshape(-1, 5).T
    return Spans(
        from_m=columns[0],
        to_m=columns[1],
        bottom_m=columns[2],
        top_m=columns[3],
        cuts=columns[4] > 0,
    )
