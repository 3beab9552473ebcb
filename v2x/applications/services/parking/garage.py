"""A garage and those who look for a slot in it.

Without guidance a driver takes level after level from the entrance on, drives along the whole
aisle of each and takes the first free slot. With a promised slot the way leads over the ramps
alone to its level. The garage has no traffic: nobody waits for anybody.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from v2x import rng
from v2x.applications.services.parking.params import GarageParams
from v2x.mobility.fleet import FloatArray
from v2x.units import US_PER_S, kmh_to_mps

#: Who has seen every slot so often leaves.
MOST_ROUNDS = 2


@dataclass(slots=True)
class Search:
    """One vehicle on its way to a slot; all that table ``parking`` says of it.

    Attributes
    ----------
    vehicle_id
        Who.
    entered_us
        When it drove in [µs].
    promised
        Slot that is kept for it, None for none.
    way_m
        Way so far [m].
    slot
        Where it parked; None if it has not, or never will.
    over_us
        When it parked or left [µs], -1 before.
    conflict
        Whether the promised slot was taken by another.
    level_error
        Whether it went to a wrong level first.
    """

    vehicle_id: int
    entered_us: int
    promised: int | None
    way_m: float = 0.0
    slot: int | None = None
    over_us: int = -1
    conflict: bool = False
    level_error: bool = False
    _plan: Iterator[tuple[float, int]] | None = None
    _next: tuple[float, int] | None = field(default=None)


class Garage:
    """Slots that fill and empty, and vehicles that look for one.

    Parameters
    ----------
    params
        Size and habits.
    seed
        Of the run; streams ``"parking", "first" | "stay" | "height"``.
    """

    def __init__(self, params: GarageParams, seed: int) -> None:
        self._params = params
        self._stay_key, self._height_key = (
            rng.key32(seed, "parking", name) for name in ("stay", "height")
        )
        n = params.n_slots
        slots = np.arange(n, dtype=np.int64)
        first = rng.uniform_by_id(rng.key32(seed, "parking", "first"), slots, 0)
        stay_s = self._stays_s(-1 - slots)
        #: Until when each slot is taken [µs], 0 for free.
        self._taken_us = np.where(first < params.occupied, np.rint(stay_s * US_PER_S), 0.0).astype(
            np.int64
        )
        self._now_us = 0
        self.searches: list[Search] = []
        self._looking: list[Search] = []

    def occupied(self) -> frozenset[int]:
        """Return the slots that are taken."""
        return frozenset(np.flatnonzero(self._taken_us > self._now_us).tolist())

    def enter(self, now_us: int, vehicle_id: int, promised: int | None) -> None:
        """Let a vehicle drive in, to a promised slot or in search of any."""
        search = Search(vehicle_id, now_us, promised)
        search._plan = self._plan(search)
        self.searches.append(search)
        self._looking.append(search)

    def tick(self, now_us: int) -> list[Search]:
        """Let everybody drive on until `now_us`, and return who has parked or left."""
        seconds = (now_us - self._now_us) / US_PER_S
        self._now_us = now_us
        way_m = kmh_to_mps(self._params.speed_kmh) * seconds
        for search in self._looking:
            self._drive(search, way_m)
        over = [search for search in self._looking if search.over_us >= 0]
        self._looking = [search for search in self._looking if search.over_us < 0]
        return over

    def level(self, slot: int) -> int:
        """Return the level of a slot."""
        return slot // self._params.level_slots

    def along_m(self, slot: int) -> float:
        """Return how far along the aisle of its level a slot is [m]."""
        return (slot % self._params.level_slots // 2 + 0.5) * self._params.slot_m

    def _drive(self, search: Search, way_m: float) -> None:
        """Drive on and take the first free slot on the way that is looked at."""
        goal_m = search.way_m + way_m
        while search._plan is not None:
            if search._next is None:
                search._next = next(search._plan, None)
            if search._next is None:
                search._plan, search.over_us = None, self._now_us
                return
            at_m, slot = search._next
            if at_m > goal_m:
                search.way_m = goal_m
                return
            search.way_m, search._next = at_m, None
            if self._taken_us[slot] <= self._now_us:
                self._park(search, slot)
                return
            search.conflict |= slot == search.promised

    def _park(self, search: Search, slot: int) -> None:
        stay_s = self._stays_s(np.array([search.vehicle_id], dtype=np.int64))
        self._taken_us[slot] = self._now_us + round(float(stay_s[0]) * US_PER_S)
        search.slot, search.over_us, search._plan = slot, self._now_us, None

    def _stays_s(self, identity: NDArray[np.int64]) -> FloatArray:
        share = rng.uniform_by_id(self._stay_key, identity, 0)
        return np.asarray(-self._params.stay_s * np.log1p(-share), dtype=np.float64)

    def _plan(self, search: Search) -> Iterator[tuple[float, int]]:
        """Yield after which way from the entrance which slot is looked at."""
        way_m, first = 0.0, 0
        if search.promised is not None:
            way_m = self._to_promised_m(search)
            yield way_m, search.promised
            # It was taken: the search begins on this level.
            first = self.level(search.promised)
            way_m += self._params.aisle_m - self.along_m(search.promised) + self._params.ramp_m
            first = (first + 1) % self._params.n_levels
        n_levels, per_level = self._params.n_levels, self._params.level_slots
        for k in range(MOST_ROUNDS * n_levels):
            level = (first + k) % n_levels
            if k and level == 0:
                way_m += (n_levels - 1) * self._params.ramp_m
            for slot in range(level * per_level, (level + 1) * per_level):
                yield way_m + self.along_m(slot), slot
            way_m += self._params.aisle_m + self._params.ramp_m

    def _to_promised_m(self, search: Search) -> float:
        """Return the way to the promised slot, over a wrong level if the height is misjudged."""
        assert search.promised is not None
        params, slot = self._params, search.promised
        direct_m = self.level(slot) * params.ramp_m + self.along_m(slot)
        share = float(rng.uniform_by_id(self._height_key, search.vehicle_id, 0))
        error_m = abs(float(ndtri(share + 2.0**-54))) * params.height_sd_m
        search.level_error = error_m > 0.5 * params.level_height_m and params.n_levels > 1
        return direct_m + (2.0 * self.along_m(slot) + 2.0 * params.ramp_m) * search.level_error


def level_error_share(params: GarageParams) -> float:
    r"""Return the share of guided vehicles that go to a wrong level first.

    Notes
    -----
    .. math:: 2 \Phi(-h / 2 \sigma)

    with the height of a level *h* and the deviation of the believed height.

    Examples
    --------
    >>> round(level_error_share(GarageParams()), 3)
    0.134
    """
    if params.height_sd_m == 0.0:
        return 0.0
    return math.erfc(0.5 * params.level_height_m / params.height_sd_m / math.sqrt(2.0))
