"""Checks of a claim by itself, and against an earlier one of the same sender (F2MD).

Each function takes a :class:`Situation` and the thresholds, and returns where the check fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from v2x.security.plausibility.heard import BoolArray, Earlier, FloatArray, Heard
from v2x.security.plausibility.params import PlausibilityParams


@dataclass(frozen=True, slots=True)
class Situation:
    """What a check may look at.

    Attributes
    ----------
    heard
        The receptions.
    previous
        The claims just before.
    base
        Claims of at least :attr:`PlausibilityParams.base_s` ago.
    """

    heard: Heard
    previous: Earlier
    base: Earlier


Rule = Callable[[Situation, PlausibilityParams], BoolArray]


def out_of_range(now: Situation, limits: PlausibilityParams) -> BoolArray:
    """Return where the claimed place is too far away to be heard from, (n,)."""
    return now.heard.distance_m >= limits.range_m


def too_fast(now: Situation, limits: PlausibilityParams) -> BoolArray:
    """Return where the claimed speed is not possible, (n,)."""
    return np.abs(now.heard.claim.speed_mps) >= limits.highest_mps


def jumped(now: Situation, limits: PlausibilityParams) -> BoolArray:
    """Return where the sender moved farther than the highest speed allows, (n,)."""
    known = now.previous.age_s <= limits.memory_s
    farthest_m = limits.highest_mps * now.previous.age_s
    return known & (now.previous.moved_m(now.heard) > farthest_m)


def changed_speed(now: Situation, limits: PlausibilityParams) -> BoolArray:
    """Return where the speed changed more than speeding up or braking allows, (n,)."""
    known = now.base.age_s <= limits.memory_s
    faster = now.heard.claim.speed_mps - now.base.speed_mps
    up, down = limits.speed_up_mps2 * now.base.age_s, limits.slow_down_mps2 * now.base.age_s
    return known & ((faster > up) | (-faster > down))


def moved_otherwise(now: Situation, limits: PlausibilityParams) -> BoolArray:
    """Return where both speeds do not allow the distance moved, (n,)."""
    known = now.base.age_s <= limits.memory_s
    shortest, farthest = reachable_m(
        now.base.speed_mps, now.heard.claim.speed_mps, np.where(known, now.base.age_s, 0.0), limits
    )
    moved_m = now.base.moved_m(now.heard)
    off = (moved_m < shortest - limits.nearer_margin_m) | (
        moved_m > farthest + limits.farther_margin_m
    )
    return known & off


def reachable_m(
    begin_mps: FloatArray, end_mps: FloatArray, time_s: FloatArray, limits: PlausibilityParams
) -> tuple[FloatArray, FloatArray]:
    """Return the shortest and the longest way from one speed to another in a time.

    The longest speeds up first and brakes then, the shortest the other way round, standing in
    between if there is time. A speed that cannot be reached is approached all the time.

    Parameters
    ----------
    begin_mps, end_mps : (n,) float64
        Speeds [m/s].
    time_s : (n,) float64
        Time in between [s].
    limits
        How hard vehicles speed up and brake.

    Returns
    -------
    shortest_m, longest_m : (n,) float64
        Ways [m].
    """
    up, down = limits.speed_up_mps2, limits.slow_down_mps2
    first = np.clip((end_mps - begin_mps + down * time_s) / (up + down), 0.0, time_s)
    then = time_s - first
    longest = begin_mps * first + 0.5 * up * first**2
    longest += (begin_mps + up * first) * then - 0.5 * down * then**2
    first = np.clip((begin_mps - end_mps + up * time_s) / (up + down), 0.0, time_s)
    stop_s = begin_mps / down
    stands = first > stop_s
    then = np.where(stands, np.minimum(end_mps / up, time_s - stop_s), time_s - first)
    first = np.minimum(first, stop_s)
    lowest = begin_mps - down * first
    shortest = begin_mps * first - 0.5 * down * first**2 + lowest * then + 0.5 * up * then**2
    return shortest, longest


def moved_sideways(now: Situation, limits: PlausibilityParams) -> BoolArray:
    """Return where the sender moved against its heading, (n,)."""
    claim, base = now.heard.claim, now.base
    known = (base.age_s <= limits.heading_memory_s) & (
        base.moved_m(now.heard) >= limits.least_move_m
    )
    moved = np.arctan2(claim.y_m - base.y_m, claim.x_m - base.x_m)
    turn = np.abs(np.angle(np.exp(1j * (moved - claim.heading_rad))))
    return np.asarray(known & (turn > np.radians(limits.heading_deg)))


def too_often(now: Situation, limits: PlausibilityParams) -> BoolArray:
    """Return where a message came too soon after the one before, (n,)."""
    return now.previous.age_s < limits.interval_s


def not_seen(now: Situation, limits: PlausibilityParams) -> BoolArray:
    """Return where sensors should see the sender but see nothing at its place, (n,)."""
    heard = now.heard
    dx, dy = heard.claim.x_m - heard.here_x_m, heard.claim.y_m - heard.here_y_m
    cos, sin = np.cos(heard.here_heading_rad), np.sin(heard.here_heading_rad)
    along, across = dx * cos + dy * sin, dy * cos - dx * sin
    in_view = (np.abs(along) <= limits.proximity_length_m) & (
        np.abs(across) <= limits.proximity_width_m
    )
    return np.asarray(in_view & (heard.seen_gap_m > limits.proximity_gap_m))


#: Rules that look at nothing but the situation, by name.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "range": out_of_range,
        "speed": too_fast,
        "position-consistency": jumped,
        "speed-consistency": changed_speed,
        "position-speed": moved_otherwise,
        "position-heading": moved_sideways,
        "frequency": too_often,
        "proximity": not_seen,
    }
)
