"""Attackers in a run: what they say of themselves instead of the truth."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState, IntArray, NodeKind
from v2x.mobility.map_matching import MapMatcher
from v2x.mobility.road_matching import ON_ROAD_M
from v2x.perception.own_state import LanePlaces
from v2x.perception.states import RowArray, States
from v2x.security.attacks.base import MOTION, Attack, Claims, attackers, differs
from v2x.security.attacks.params import AttackerParams
from v2x.sim.clock import to_us
from v2x.world.road_map import RoadMap

BoolArray = NDArray[np.bool_]
#: How far off receivers take a claimed position to be, in plan and in height [m]; ours.
_SIGMA_M, _HEIGHT_SIGMA_M = 1.5, 2.6
#: Weight of directions and error of heights, as vehicles match themselves.
_HEADING_SIGMA_DEG, _MAP_HEIGHT_SIGMA_M = 10.0, 0.5


class ClaimedPlaces:
    """Matches claimed positions with roads, as receivers do that know nothing else.

    Parameters
    ----------
    road_map
        Roads that positions are matched with; claims more than 20 m beside all of them are off the
        road.
    by_height
        Whether height helps to find the road.
    """

    def __init__(self, road_map: RoadMap, *, by_height: bool) -> None:
        self._matcher = MapMatcher(road_map, ON_ROAD_M, _HEADING_SIGMA_DEG, _MAP_HEIGHT_SIGMA_M)
        self._places, self._by_height = LanePlaces(road_map), by_height

    def of(self, claims: Claims) -> dict[str, NDArray[Any]]:
        """Return edge, offset, lane and level of claims, by name of :class:`States`."""
        n, heading = len(claims), claims.heading_rad
        ahead = 0.5 * claims.length_m
        by_plan, by_height = self._matcher.match(
            claims.x_m + ahead * np.cos(heading),
            claims.y_m + ahead * np.sin(heading),
            claims.z_m,
            heading,
            np.full(n, _SIGMA_M),
            np.full(n, _HEIGHT_SIGMA_M),
        )
        edge: IntArray = by_height if self._by_height else by_plan
        offset, lane, level = self._places.of(
            edge, claims.x_m, claims.y_m, heading, claims.length_m
        )
        return {"edge": edge, "offset_m": offset, "lane": lane, "level": level}


@dataclass(frozen=True, slots=True)
class Told:
    """What everybody says in a tick.

    Attributes
    ----------
    states
        One for each row.
    forged : (n_rows,) bool
        Which are not what their senders believe.
    """

    states: States
    forged: BoolArray


class Liars:
    """Lets a share of the vehicles lie in their state messages.

    A vehicle says one thing in a tick. Where an attack says more, all its messages of the tick hold
    the first, which is of the time of the tick.

    Parameters
    ----------
    attack
        Who lies about itself, under its own name.
    params
        Who attacks, and since when.
    places
        Matches what they claim with roads.
    seed
        Seed of the run.
    """

    def __init__(
        self, attack: Attack, params: AttackerParams, places: ClaimedPlaces, seed: int
    ) -> None:
        self._attack, self._params, self._places, self._seed = attack, params, places, seed
        self._from_us = to_us(params.from_s)

    def among(self, fleet: FleetState) -> BoolArray:
        """Return which rows are vehicles that attack, with a device or not, (n_rows,)."""
        drawn = attackers(self._seed, fleet.id, self._params.share)
        return fleet.active & drawn & (fleet.kind <= NodeKind.BUS)

    def told(self, fleet: FleetState, own: States, equipped: BoolArray) -> Told:
        """Return what everybody says of itself at the time of `fleet`."""
        honest = Told(own, np.zeros(fleet.n_rows, dtype=np.bool_))
        if fleet.time_us < self._from_us:
            return honest
        speaks = np.flatnonzero(
            equipped & fleet.active & (fleet.kind <= NodeKind.VRU) & _known(own)
        )
        truth = _claims(fleet, own, speaks)
        said = self._attack.claims(truth, np.flatnonzero(self.among(fleet)[speaks]))
        _, first = np.unique(said.sender, return_index=True)
        said = said.chosen(first)
        said = said.chosen(np.flatnonzero(differs(said, truth)))
        if not len(said):
            return honest
        forged = honest.forged.copy()
        forged[said.sender] = True
        return Told(self._with(own, said), forged)

    def _with(self, own: States, said: Claims) -> States:
        """Return states in which senders have those of their claims."""
        row = said.sender
        # Messages hold a yaw rate too; who invents a course invents one that does not bend.
        as_driven = (said.heading_rad == own.heading_rad[row]) & (
            said.speed_mps == own.speed_mps[row]
        )
        claimed: dict[str, NDArray[Any]] = {name: getattr(said, name) for name in MOTION}
        claimed["yaw_rate_radps"] = np.where(as_driven, own.yaw_rate_radps[row], 0.0)
        claimed |= self._places.of(said)
        columns = {item.name: getattr(own, item.name) for item in fields(States)}
        for name, values in claimed.items():
            columns[name] = columns[name].copy()
            columns[name][row] = values
        return replace(own, **columns)


def _known(own: States) -> BoolArray:
    """Return who knows its own motion, (n_rows,)."""
    known = np.ones(len(own), dtype=np.bool_)
    for name in MOTION:
        known &= np.isfinite(getattr(own, name))
    return known


def _claims(fleet: FleetState, own: States, row: RowArray) -> Claims:
    """Return what `row` would say truly."""
    return Claims(
        sender=row.astype(np.int64),
        identity=fleet.id[row],
        time_us=np.full(len(row), fleet.time_us, dtype=np.int64),
        length_m=fleet.length_m[row],
        width_m=fleet.width_m[row],
        **{name: getattr(own, name)[row] for name in MOTION},
    )
