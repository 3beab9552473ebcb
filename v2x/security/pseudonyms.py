"""When vehicles change their pseudonym, and what changes with it.

Identity of the message, message count, layer-2 id and certificate change together, and path
histories are cleared, for any one that stayed would link the old pseudonym to the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.mobility.fleet import FleetState
from v2x.units import US_PER_S

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IdArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Use:
    """How the present pseudonyms have been used; one row per vehicle.

    Attributes
    ----------
    age_s, driven_m, straight_m : (n,) float64
        Time since the change [s], distance driven, and distance from its place [m].
    n_messages : (n,) int64
        Messages sent.
    n_changes : (n,) int64
        Changes before this pseudonym; 0 for the first.
    chance, other_chance : (n,) float64
        Two numbers in [0, 1) that belong to the pseudonym.
    decision : (n,) float64
        A number in [0, 1) that belongs to the present decision.
    """

    age_s: FloatArray
    driven_m: FloatArray
    straight_m: FloatArray
    n_messages: IdArray
    n_changes: IdArray
    chance: FloatArray
    other_chance: FloatArray
    decision: FloatArray


class PseudonymPolicy(Protocol):
    """Says when a pseudonym has been used for long enough."""

    def due(self, use: Use) -> BoolArray:
        """Return which vehicles are to change, (n,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gbt45315Policy:
    """After a time of use and away from the place of the last change, of GB/T 45315-2025.

    Parameters
    ----------
    period_s
        Time of use [s].
    distance_m
        Distance in a straight line from the place of the last change [m], ± 100 in the standard.
    """

    period_s: float = 300.0
    distance_m: float = 2100.0

    def __post_init__(self) -> None:
        """Reject negative limits."""
        _check(self, "period_s", "distance_m")

    def due(self, use: Use) -> BoolArray:
        """Return which vehicles are to change, (n,)."""
        return (use.age_s >= self.period_s) & (use.straight_m >= self.distance_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicalPolicy:
    """After a time of use (default of F2MD).

    Parameters
    ----------
    period_s
        Time of use [s].
    """

    period_s: float = 240.0

    def __post_init__(self) -> None:
        """Reject negative limits."""
        _check(self, "period_s")

    def due(self, use: Use) -> BoolArray:
        """Return which vehicles are to change, (n,)."""
        return use.age_s >= self.period_s


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposablePolicy:
    """After a number of messages (default of F2MD).

    Parameters
    ----------
    n_messages
        Messages signed with one pseudonym.
    """

    n_messages: int = 10

    def __post_init__(self) -> None:
        """Reject negative limits."""
        _check(self, "n_messages")

    def due(self, use: Use) -> BoolArray:
        """Return which vehicles are to change, (n,)."""
        return use.n_messages >= self.n_messages


@dataclass(frozen=True, slots=True, kw_only=True)
class DistancePolicy:
    """After a distance driven (default of F2MD).

    Parameters
    ----------
    distance_m
        Distance driven since the last change [m].
    """

    distance_m: float = 80.0

    def __post_init__(self) -> None:
        """Reject negative limits."""
        _check(self, "distance_m")

    def due(self, use: Use) -> BoolArray:
        """Return which vehicles are to change, (n,)."""
        return use.driven_m >= self.distance_m


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomPolicy:
    """At random (default of F2MD).

    Parameters
    ----------
    probability
        Chance of a change each time the vehicle decides.
    """

    probability: float = 0.1

    def __post_init__(self) -> None:
        """Reject what is no probability."""
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"probability must be within 0 and 1, got {self.probability}")

    def due(self, use: Use) -> BoolArray:
        """Return which vehicles are to change, (n,)."""
        return use.decision < self.probability


@dataclass(frozen=True, slots=True, kw_only=True)
class Car2CarPolicy:
    """Early once, then after a distance and a random time (Car2Car of F2MD).

    Parameters
    ----------
    first_min_m, first_max_m
        Distance driven before the first change, drawn within these [m].
    distance_m
        Distance driven before each further one [m].
    min_s, max_s
        Time of use before each further one, after that distance, drawn within these [s].
    """

    first_min_m: float = 800.0
    first_max_m: float = 1500.0
    distance_m: float = 800.0
    min_s: float = 120.0
    max_s: float = 360.0

    def __post_init__(self) -> None:
        """Reject negative limits, and ranges without room."""
        _check(self, "first_min_m", "distance_m", "min_s")
        if self.first_max_m < self.first_min_m or self.max_s < self.min_s:
            raise ValueError("first_max_m and max_s must not be below first_min_m and min_s")

    def due(self, use: Use) -> BoolArray:
        """Return which vehicles are to change, (n,)."""
        first_m = self.first_min_m + use.chance * (self.first_max_m - self.first_min_m)
        wait_s = self.min_s + use.other_chance * (self.max_s - self.min_s)
        later = (use.driven_m >= self.distance_m) & (use.age_s >= wait_s)
        return np.where(use.n_changes == 0, use.driven_m >= first_m, later)


POLICIES: Mapping[str, type[PseudonymPolicy]] = MappingProxyType(
    {
        "gbt45315": Gbt45315Policy,
        "periodical": PeriodicalPolicy,
        "disposable": DisposablePolicy,
        "distance": DistancePolicy,
        "random": RandomPolicy,
        "car2car": Car2CarPolicy,
    }
)
#: msgCnt is a number of 7 bits, a layer-2 id one of 24, the identity here one of 40.
_COUNTS, _LAYER2_IDS, _IDENTITIES = 1 << 7, 1 << 24, 1 << 40


class Pseudonyms:
    """Present pseudonyms of a fleet, and all that changes with them.

    Attributes
    ----------
    identity, layer2_id : (n_rows,) int64
        What messages and transport blocks are signed with; -1 for an empty row.

    Parameters
    ----------
    policy
        When they change.
    n_rows
        Rows of the fleet.
    seed
        Seed of the run.
    """

    def __init__(self, policy: PseudonymPolicy, n_rows: int, seed: int) -> None:
        self._policy = policy
        self._keys = {
            name: rng.key32(seed, "security", "pseudonym", name)
            for name in ("identity", "layer2", "count", "chance", "other", "decision")
        }
        self.identity = np.full(n_rows, -1, dtype=np.int64)
        self.layer2_id = np.full(n_rows, -1, dtype=np.int64)
        self._owner = np.full(n_rows, -1, dtype=np.int64)
        self._n_changes = np.zeros(n_rows, dtype=np.int64)
        self._n_messages = np.zeros(n_rows, dtype=np.int64)
        self._first_count = np.zeros(n_rows, dtype=np.int64)
        self._since_us = np.zeros(n_rows, dtype=np.int64)
        self._driven_m, self._place_m = np.zeros(n_rows), np.zeros((2, n_rows))
        self._last_m = np.zeros((2, n_rows))

    def advance(self, fleet: FleetState) -> NDArray[np.int64]:
        """Let time pass, and return the rows whose pseudonym is new now.

        Newcomers are among them. Path histories of these rows must be cleared, and certificates
        change (:meth:`~v2x.security.envelope.CertificateCadence.change`). Nobody changes during a
        key event; emergency vehicles on duty keep theirs, which are identity certificates.
        """
        here_m = np.stack([fleet.x_m, fleet.y_m])
        self._driven_m += np.hypot(*(here_m - self._last_m))
        self._last_m = here_m
        newcomer = fleet.id != self._owner
        self._owner = fleet.id.copy()
        self._n_changes[newcomer] = 0
        quiet = (fleet.flags == 0) & fleet.active & ~newcomer
        due = quiet & self._policy.due(self._use(fleet.time_us, here_m))
        self._n_changes[due] += 1
        rows = np.flatnonzero(due | (newcomer & fleet.active))
        self._renew(rows, fleet.time_us)
        gone = newcomer & ~fleet.active
        self.identity[gone] = self.layer2_id[gone] = -1
        return rows

    def count(self, rows: NDArray[np.integer]) -> IdArray:
        """Return the msgCnt of a message that each of `rows`, no row twice, sends now."""
        value = (self._first_count[rows] + self._n_messages[rows]) % _COUNTS
        self._n_messages[rows] += 1
        return np.asarray(value)

    def _use(self, now_us: int, here_m: FloatArray) -> Use:
        drawn = {
            name: rng.uniform_by_id(self._keys[name], self._owner, self._n_changes)
            for name in ("chance", "other")
        }
        return Use(
            age_s=(now_us - self._since_us) / US_PER_S,
            driven_m=self._driven_m,
            straight_m=np.hypot(*(here_m - self._place_m)),
            n_messages=self._n_messages,
            n_changes=self._n_changes,
            chance=drawn["chance"],
            other_chance=drawn["other"],
            decision=rng.uniform_by_id(self._keys["decision"], self._owner, now_us),
        )

    def _renew(self, rows: NDArray[np.intp], now_us: int) -> None:
        def draw(name: str, below: int) -> IdArray:
            number = rng.uniform_by_id(self._keys[name], self._owner[rows], self._n_changes[rows])
            return (number * below).astype(np.int64)

        self.identity[rows] = draw("identity", _IDENTITIES)
        self.layer2_id[rows] = draw("layer2", _LAYER2_IDS)
        self._first_count[rows] = draw("count", _COUNTS)
        self._n_messages[rows] = 0
        self._since_us[rows] = now_us
        self._driven_m[rows] = 0.0
        self._place_m[:, rows] = self._last_m[:, rows]


def _check(policy: object, *names: str) -> None:
    for name in names:
        if not getattr(policy, name) >= 0:
            raise ValueError(f"{name} must be >= 0, got {getattr(policy, name)}")
