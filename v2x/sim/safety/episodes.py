"""Joins sightings of one pair of road users into episodes, the rows of table ``conflicts``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FloatArray, IntArray
from v2x.records.tables import SCHEMAS


class _Fact(IntEnum):
    """What is kept of an episode, in its row; from WORST_S on, as it was at the worst instant."""

    BEGIN_S = 0
    END_S = auto()
    MIN_TTC_S = auto()
    MIN_MTTC_S = auto()
    TET_S = auto()
    TIT_S2 = auto()
    MAX_DRAC_MPS2 = auto()
    MAX_DRAC_SHARE = auto()
    CPI_S = auto()
    RSS_S = auto()
    PET_S = auto()
    ENCROACHMENT_S = auto()
    COLLISION_SPEED_MPS = auto()
    WORST_S = auto()
    VEHICLE_ID = auto()
    OTHER_ID = auto()
    KIND = auto()
    X_M = auto()
    Y_M = auto()
    Z_M = auto()
    EDGE = auto()
    LEVEL = auto()
    STRUCTURE = auto()
    GRADE = auto()
    FRICTION = auto()
    SPEED_MPS = auto()
    OTHER_SPEED_MPS = auto()
    CLOSING_MPS = auto()
    ANGLE_RAD = auto()


_N_FACTS = len(_Fact)
#: Columns of the circumstances of a sighting, in the order of the facts from WORST_S on.
CIRCUMSTANCES = tuple(fact.name.lower() for fact in _Fact if fact >= _Fact.WORST_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sightings:
    """Pairs on collision course at one instant, one row each, each pair once.

    Attributes
    ----------
    time_s
        When [s].
    ttc_s, mttc_s : (n,) float64
        Times to collision, without and with accelerations [s].
    drac_mps2, drac_share : (n,) float64
        Deceleration that avoids the crash [m/s²], and over the available one; NaN if none does.
    crash_probability : (n,) float64
        Probability that the brakes cannot give it; 1 on contact.
    unsafe : (n,) bool
        Whether the pair is closer than RSS allows.
    contact : (n,) bool
        Whether the bodies overlap.
    impact_mps : (n,) float64
        Difference of the velocities [m/s].
    circumstances : (n, n_circumstances) float64
        Columns :data:`CIRCUMSTANCES`.
    """

    time_s: float
    ttc_s: FloatArray
    mttc_s: FloatArray
    drac_mps2: FloatArray
    drac_share: FloatArray
    crash_probability: FloatArray
    unsafe: NDArray[np.bool_]
    contact: NDArray[np.bool_]
    impact_mps: FloatArray
    circumstances: FloatArray


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two road users that went over the same place, one shortly after the other.

    Attributes
    ----------
    left_s, entered_s
        When the first left the path of the second, and when the second entered that of the
        first [s].
    occupied_s
        How long the first was in the path of the second [s]; NaN if that is not known.
    circumstances : (n_circumstances,) float64
        Columns :data:`CIRCUMSTANCES`; the second is the vehicle.
    """

    left_s: float
    entered_s: float
    occupied_s: float
    circumstances: FloatArray


class Episodes:
    """Collects episodes; their numbers are those of table ``conflicts``.

    Parameters
    ----------
    ttc_s
        Threshold of the times spent below it and of what is integrated [s].
    pause_s
        An episode ends when its pair has been on no collision course for longer [s].
    crossing_s
        A crossing within this time of an episode of the same pair belongs to it [s].
    """

    def __init__(self, *, ttc_s: float, pause_s: float, crossing_s: float) -> None:
        self._ttc_s, self._pause_s, self._crossing_s = ttc_s, pause_s, crossing_s
        self._facts: FloatArray = np.empty((64, _N_FACTS))
        self._n = 0
        #: The last episode of each pair that may still go on, sorted by pair.
        self._pair: NDArray[np.uint64] = np.empty(0, dtype=np.uint64)
        self._row: IntArray = np.empty(0, dtype=np.int32)

    def observe(self, seen: Sightings, step_s: float) -> None:
        """Take the sightings of one instant, which stand for the `step_s` [s] that follow."""
        self._forget(seen.time_s)
        if not len(seen.ttc_s):
            return
        at = seen.circumstances
        row = self._rows(at[:, _column("vehicle_id")], at[:, _column("other_id")], seen.time_s)
        facts = self._facts
        worse = (seen.ttc_s < facts[row, _Fact.MIN_TTC_S]) | np.isnan(facts[row, _Fact.WORST_S])
        facts[row[worse], _Fact.WORST_S :] = at[worse]
        facts[row, _Fact.END_S] = seen.time_s
        for fact, low in (
            (_Fact.MIN_TTC_S, seen.ttc_s),
            (_Fact.MIN_MTTC_S, seen.mttc_s),
        ):
            facts[row, fact] = np.fmin(facts[row, fact], low)
        for fact, high in (
            (_Fact.MAX_DRAC_MPS2, seen.drac_mps2),
            (_Fact.MAX_DRAC_SHARE, seen.drac_share),
        ):
            facts[row, fact] = np.fmax(facts[row, fact], high)
        for fact, rate in (
            (_Fact.TET_S, seen.ttc_s < self._ttc_s),
            (_Fact.TIT_S2, np.maximum(self._ttc_s - seen.ttc_s, 0.0)),
            (_Fact.CPI_S, seen.crash_probability),
            (_Fact.RSS_S, seen.unsafe),
        ):
            facts[row, fact] += step_s * rate
        hit = seen.contact & np.isnan(facts[row, _Fact.COLLISION_SPEED_MPS])
        facts[row[hit], _Fact.COLLISION_SPEED_MPS] = seen.impact_mps[hit]

    def cross(self, crossing: Crossing) -> None:
        """Take a crossing: it joins a late episode of its pair, or is one of its own."""
        at = crossing.circumstances
        key = _pairs(at[[_column("vehicle_id")]], at[[_column("other_id")]])
        place = int(np.searchsorted(self._pair, key[0]))
        known = place < len(self._pair) and self._pair[place] == key[0]
        facts = self._facts
        if known and facts[self._row[place], _Fact.END_S] >= crossing.left_s - self._crossing_s:
            row = int(self._row[place])
        else:
            row = int(self._append(key, crossing.left_s)[0])
            facts = self._facts
            facts[row, _Fact.WORST_S :] = at
        pet_s = crossing.entered_s - crossing.left_s
        if not facts[row, _Fact.PET_S] <= pet_s:
            facts[row, _Fact.PET_S] = pet_s
            facts[row, _Fact.ENCROACHMENT_S] = crossing.occupied_s
        facts[row, _Fact.END_S] = max(facts[row, _Fact.END_S], crossing.entered_s)

    def under_way(self) -> tuple[NDArray[np.uint64], IntArray, FloatArray]:
        """Return pair, event and beginning [s] of each episode that may still go on.

        A pair is the lower identity in the upper 32 bits, and the higher one.
        """
        return self._pair, self._row, self._facts[self._row, _Fact.BEGIN_S]

    def table(self) -> dict[str, NDArray[Any]]:
        """Return the rows of table ``conflicts`` so far, without the column ``replication``."""
        facts = self._facts[: self._n]
        table: dict[str, NDArray[Any]] = {
            fact.name.lower(): facts[:, fact].copy()
            for fact in _Fact
            if fact.name.lower() in SCHEMAS["conflicts"]
        }
        table["event"] = np.arange(self._n, dtype=np.int64)
        table["collision"] = ~np.isnan(facts[:, _Fact.COLLISION_SPEED_MPS])
        return table

    def _rows(self, vehicle: FloatArray, other: FloatArray, time_s: float) -> NDArray[np.intp]:
        """Return the rows of pairs, new ones for those without an episode under way."""
        key = _pairs(vehicle, other)
        place = np.searchsorted(self._pair, key)
        known = np.zeros(len(key), dtype=np.bool_)
        inside = place < len(self._pair)
        known[inside] = self._pair[place[inside]] == key[inside]
        row = np.zeros(len(key), dtype=np.intp)
        row[known] = self._row[place[known]]
        late = known.copy()
        late[known] = self._facts[row[known], _Fact.END_S] < time_s - self._pause_s - 1e-9
        new = np.flatnonzero(~known | late)
        new = new[np.argsort(key[new], kind="stable")]
        if len(new):
            row[new] = self._append(key[new], time_s)
        return row

    def _append(self, key: NDArray[np.uint64], begin_s: float) -> NDArray[np.intp]:
        """Begin episodes of pairs in ascending order, in place of older ones of the same."""
        row = np.arange(self._n, self._n + len(key))
        self._n += len(key)
        if self._n > len(self._facts):
            grown = np.empty((2 * self._n, _N_FACTS))
            grown[: len(self._facts)] = self._facts
            self._facts = grown
        facts = self._facts
        facts[row] = 0.0
        facts[row, _Fact.BEGIN_S] = facts[row, _Fact.END_S] = begin_s
        facts[row, _Fact.MIN_TTC_S] = facts[row, _Fact.MIN_MTTC_S] = np.inf
        for unknown in (
            _Fact.MAX_DRAC_MPS2,
            _Fact.MAX_DRAC_SHARE,
            _Fact.PET_S,
            _Fact.ENCROACHMENT_S,
            _Fact.COLLISION_SPEED_MPS,
            _Fact.WORST_S,
        ):
            facts[row, unknown] = np.nan
        kept = ~np.isin(self._pair, key)
        pair = np.concatenate([self._pair[kept], key])
        order = np.argsort(pair, kind="stable")
        self._pair = pair[order]
        self._row = np.concatenate([self._row[kept], row.astype(np.int32)])[order]
        return row

    def _forget(self, time_s: float) -> None:
        """Let go of pairs that neither a sighting nor a crossing could continue."""
        longest_s = max(self._pause_s, 2.0 * self._crossing_s) + 1.0
        kept = self._facts[self._row, _Fact.END_S] >= time_s - longest_s
        if not kept.all():
            self._pair, self._row = self._pair[kept], self._row[kept]


def _column(name: str) -> int:
    return CIRCUMSTANCES.index(name)


def _pairs(one: FloatArray, other: FloatArray) -> NDArray[np.uint64]:
    """Return a number for each unordered pair of identities, which fit into 32 bits."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    return (low.astype(np.uint64) << np.uint64(32)) | high.astype(np.uint64)
