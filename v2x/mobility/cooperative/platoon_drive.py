"""How members of a platoon drive by what they have received, and what they do without.

Each follower measures gap and speed of the vehicle ahead with sensors of its own, and hears its
acceleration by radio. With fresh messages it is driven by a cooperative law; when the last one is
older than `fresh_s` it goes on with an acceleration that it estimates itself (dCACC) at a longer
time gap, and when it is older than `estimate_until_s` without any (ACC) at a still longer one. Time
gaps never jump: they change at `headway_rate`, both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.cooperative.gap_laws import (
    PathCaccParams,
    PloegParams,
    SpacingParams,
    constant_spacing_mps2,
    gap_error_m,
    gap_error_rate_mps,
    path_cacc_speed_mps,
    ploeg_command_mps2,
    ploeg_target_mps2,
)
from v2x.mobility.fleet import FleetState, FloatArray, IntArray

LawName = Literal["ploeg", "path", "constant-spacing"]
#: Shorter distances count as this one when the needed braking is worked out [m].
_LEAST_WAY_M = 0.1
#: Weaker braking is none [m/s²].
_LEAST_BRAKING_MPS2 = 1e-3


class PlatoonMode(IntEnum):
    """What a member goes by."""

    #: The acceleration it has heard.
    CACC = 0
    #: The acceleration it estimates from what its sensors see.
    DCACC = 1
    #: Gap and speed alone.
    ACC = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatoonParams:
    """How members of a platoon drive.

    Parameters
    ----------
    law
        Law with fresh messages: "ploeg" (CACC at a time gap), "path" (the same of PATH), or
        "constant-spacing" (needs to hear the leader, too). Without, "ploeg" always.
    ploeg, path, spacing
        Their parameters.
    fresh_s
        Age of the acceleration ahead up to which it is gone by [s]; 0.3.
    estimate_until_s
        Age up to which an estimate takes its place [s] (assumption).
    estimate_headway_s
        Time gap with the estimate [s]; 1.31 is the least at a delay of 0.5 s.
    acc_headway_s
        Time gap of ACC [s]; 1.6 is the longest of commercial ones. Strings of such vehicles are
        not stable (3.13 s would be).
    headway_rate
        How fast time gaps grow and shrink [s per s] (assumption).
    estimate_lag_s
        Time constant of the estimated acceleration [s] (assumption).
    acceleration_mps2
        Hardest acceleration [m/s²] (assumption).
    braking_mps2
        Hardest braking [m/s²] (assumption).
    guard_from_mps2
        Braking from which a member does what the gap needs whatever its law says [m/s²]
        (assumption).
    guard_gap_m
        Gap that the guard wants left [m] (assumption).
    reaction_s
        Time until brakes work, which the guard reckons with [s] (assumption).
    """

    law: LawName = "ploeg"
    ploeg: PloegParams = field(default_factory=lambda: PloegParams(headway_s=0.6))
    path: PathCaccParams = field(default_factory=PathCaccParams)
    spacing: SpacingParams = field(default_factory=SpacingParams)
    fresh_s: float = 0.3
    estimate_until_s: float = 1.0
    estimate_headway_s: float = 1.31
    acc_headway_s: float = 1.6
    headway_rate: float = 0.1
    estimate_lag_s: float = 0.3
    acceleration_mps2: float = 2.0
    braking_mps2: float = 7.0
    guard_from_mps2: float = 2.0
    guard_gap_m: float = 1.0
    reaction_s: float = 0.3

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        if self.law not in LAWS:
            raise ValueError(f"law must be one of {', '.join(LAWS)}, got {self.law!r}")
        for name in (
            "fresh_s",
            "headway_rate",
            "estimate_lag_s",
            "acceleration_mps2",
            "braking_mps2",
            "guard_from_mps2",
        ):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        for name in ("guard_gap_m", "reaction_s"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be >= 0, got {getattr(self, name)}")
        if not self.fresh_s <= self.estimate_until_s:
            raise ValueError(
                f"estimate_until_s ({self.estimate_until_s}) must be at least fresh_s "
                f"({self.fresh_s})"
            )
        if not self.ploeg.headway_s <= self.estimate_headway_s <= self.acc_headway_s:
            raise ValueError(
                "ploeg.headway_s, estimate_headway_s and acc_headway_s must not fall, got "
                f"{self.ploeg.headway_s}, {self.estimate_headway_s} and {self.acc_headway_s}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Followers:
    """Members of platoons except their leaders, and what they have heard; one element each.

    Attributes
    ----------
    row : (n,) int32
        Rows of the fleet.
    ahead, leader : (n,) int32
        Rows of the member ahead and of the leader.
    ahead_mps2, ahead_age_s : (n,) float64
        Acceleration that the member ahead has told of [m/s²], and its age [s]; an infinite age
        if nothing was heard.
    leader_mps2, leader_speed_mps, leader_age_s : (n,) float64
        The same of the leader, and its speed [m/s].
    """

    row: IntArray
    ahead: IntArray
    leader: IntArray
    ahead_mps2: FloatArray
    ahead_age_s: FloatArray
    leader_mps2: FloatArray
    leader_speed_mps: FloatArray
    leader_age_s: FloatArray


@dataclass(frozen=True, slots=True)
class _View:
    """What followers know at one instant, (n,) float64 each but for the step."""

    command_mps2: FloatArray
    speed_mps: FloatArray
    acceleration_mps2: FloatArray
    gap_m: FloatArray
    ahead_speed_mps: FloatArray
    ahead_mps2: FloatArray
    leader_speed_mps: FloatArray
    leader_mps2: FloatArray
    headway_s: FloatArray
    step_s: float


class _Law(Protocol):
    """A cooperative law.

    Attributes
    ----------
    at_headway
        Whether it keeps a time gap. Who keeps a constant gap instead needs to hear the leader,
        and when messages fail goes on at the time gap that it has.
    """

    at_headway: bool

    def command_mps2(self, view: _View, params: PlatoonParams) -> FloatArray:
        """Return the wanted accelerations."""

    def headway_s(self, params: PlatoonParams) -> float:
        """Return the time gap that the law aims at."""


class _Ploeg:
    at_headway = True

    def command_mps2(self, view: _View, params: PlatoonParams) -> FloatArray:
        error = gap_error_m(view.speed_mps, view.gap_m, view.headway_s, params.ploeg.standstill_m)
        rate = gap_error_rate_mps(
            view.speed_mps, view.acceleration_mps2, view.ahead_speed_mps, view.headway_s
        )
        target = ploeg_target_mps2(error, rate, view.ahead_mps2, params.ploeg)
        return ploeg_command_mps2(view.command_mps2, target, view.headway_s, view.step_s)

    def headway_s(self, params: PlatoonParams) -> float:
        return params.ploeg.headway_s


class _Path:
    at_headway = True

    def command_mps2(self, view: _View, params: PlatoonParams) -> FloatArray:
        error = gap_error_m(view.speed_mps, view.gap_m, view.headway_s, params.path.standstill_m)
        rate = gap_error_rate_mps(
            view.speed_mps, view.acceleration_mps2, view.ahead_speed_mps, view.headway_s
        )
        command = path_cacc_speed_mps(view.speed_mps, error, rate, params.path)
        return np.asarray((command - view.speed_mps) / params.path.response_s)

    def headway_s(self, params: PlatoonParams) -> float:
        return params.path.headway_s


class _ConstantSpacing:
    at_headway = False

    def command_mps2(self, view: _View, params: PlatoonParams) -> FloatArray:
        return constant_spacing_mps2(
            view.speed_mps,
            view.gap_m,
            view.ahead_speed_mps,
            view.ahead_mps2,
            view.leader_speed_mps,
            view.leader_mps2,
            params.spacing,
        )

    def headway_s(self, params: PlatoonParams) -> float:
        return params.ploeg.headway_s


LAWS: Mapping[str, _Law] = MappingProxyType(
    {"ploeg": _Ploeg(), "path": _Path(), "constant-spacing": _ConstantSpacing()}
)


class PlatoonDrive:
    """Turns what followers know into accelerations they want.

    Parameters
    ----------
    params
        Laws and how they degrade.
    n_rows
        Rows of every state.
    step_s
        Time between two states [s].

    Attributes
    ----------
    mode : (n_rows,) int8
        :class:`PlatoonMode` at the last instant; -1 for others.
    headway_s : (n_rows,) float64
        Time gap now kept [s]; NaN for others.
    """

    def __init__(self, params: PlatoonParams, *, n_rows: int, step_s: float) -> None:
        self._params, self._step_s = params, step_s
        self._law = LAWS[params.law]
        self.mode: NDArray[np.int8] = np.full(n_rows, -1, dtype=np.int8)
        self.headway_s = np.full(n_rows, np.nan)
        self._command_mps2 = np.zeros(n_rows)
        self._estimate_mps2 = np.zeros(n_rows)
        #: Who was driven, and whom it saw ahead at which speed; -1 and NaN for nobody.
        self._id: NDArray[np.int64] = np.full(n_rows, -1, dtype=np.int64)
        self._ahead_id: NDArray[np.int64] = np.full(n_rows, -1, dtype=np.int64)
        self._ahead_speed_mps = np.full(n_rows, np.nan)

    def wanted_mps2(self, fleet: FleetState, followers: Followers) -> FloatArray:
        """Return the accelerations wanted until the next state.

        Parameters
        ----------
        fleet
            The state; gap and speed of whoever drives ahead are taken for sensed.
        followers
            Who is driven, and what it has heard. Who is missing is no longer driven.

        Returns
        -------
        (n_rows,) float64
            Acceleration [m/s²]; NaN for others, and for followers without anybody in view.
        """
        wanted = np.full(fleet.n_rows, np.nan)
        seen = fleet.leader[followers.row] >= 0
        self._dismiss(fleet, followers.row[seen])
        row = followers.row[seen]
        if len(row) == 0:
            return wanted
        ahead = fleet.leader[row]
        self._engage(fleet, row)
        self._estimate(fleet, row, ahead)
        # What a member tells says nothing of somebody who has come in between.
        between = ahead != followers.ahead[seen]
        age = np.where(between, np.inf, followers.ahead_age_s[seen])
        leader_age = age if self._law.at_headway else followers.leader_age_s[seen]
        mode = self._modes(age, np.maximum(age, leader_age))
        self._pace(fleet, row, mode)
        fresh = mode == PlatoonMode.CACC
        told = np.where(fresh, followers.ahead_mps2[seen], self._estimate_mps2[row])
        view = _View(
            command_mps2=self._command_mps2[row],
            speed_mps=fleet.speed_mps[row],
            acceleration_mps2=fleet.acceleration_mps2[row],
            gap_m=fleet.gap_m[row],
            ahead_speed_mps=fleet.speed_mps[ahead],
            ahead_mps2=np.where(mode == PlatoonMode.ACC, 0.0, told),
            leader_speed_mps=np.where(fresh, followers.leader_speed_mps[seen], 0.0),
            leader_mps2=np.where(fresh, followers.leader_mps2[seen], 0.0),
            headway_s=self.headway_s[row],
            step_s=self._step_s,
        )
        command = LAWS["ploeg"].command_mps2(view, self._params)
        command = np.where(fresh, self._law.command_mps2(view, self._params), command)
        command = np.minimum(command, self._guarded(view, row))
        command = np.clip(command, -self._params.braking_mps2, self._params.acceleration_mps2)
        self._command_mps2[row] = command
        wanted[row] = command
        return wanted

    def _dismiss(self, fleet: FleetState, row: IntArray) -> None:
        """Forget all but `row`, and whoever had these rows before."""
        stays = np.zeros(fleet.n_rows, dtype=np.bool_)
        stays[row] = True
        stays &= self._id == fleet.id
        self._id[~stays], self._ahead_id[~stays] = -1, -1
        self.mode[~stays], self.headway_s[~stays] = -1, np.nan

    def _engage(self, fleet: FleetState, row: IntArray) -> None:
        """Take over newcomers at the acceleration and the time gap they have."""
        new = row[self._id[row] < 0]
        self._id[new] = fleet.id[new]
        self._command_mps2[new] = fleet.acceleration_mps2[new]
        low = self._law.headway_s(self._params)
        self.headway_s[new] = np.maximum(self._present_headway_s(fleet, new), low)

    def _estimate(self, fleet: FleetState, row: IntArray, ahead: IntArray) -> None:
        """Follow the acceleration of the vehicle ahead from its speeds."""
        same = self._ahead_id[row] == fleet.id[ahead]
        change = (fleet.speed_mps[ahead] - self._ahead_speed_mps[row]) / self._step_s
        share = -np.expm1(-self._step_s / self._params.estimate_lag_s)
        estimate = self._estimate_mps2[row]
        self._estimate_mps2[row] = np.where(same, estimate + share * (change - estimate), 0.0)
        self._ahead_id[row] = fleet.id[ahead]
        self._ahead_speed_mps[row] = fleet.speed_mps[ahead]

    def _modes(self, age_s: FloatArray, needed_age_s: FloatArray) -> NDArray[np.int8]:
        mode = np.full(len(age_s), PlatoonMode.ACC, dtype=np.int8)
        mode[age_s <= self._params.estimate_until_s] = PlatoonMode.DCACC
        mode[needed_age_s <= self._params.fresh_s] = PlatoonMode.CACC
        return mode

    def _present_headway_s(self, fleet: FleetState, row: IntArray) -> FloatArray:
        """Return the time gaps there are, within those that the laws know."""
        gap = fleet.gap_m[row] - self._params.ploeg.standstill_m
        headway = gap / np.maximum(fleet.speed_mps[row], 1.0)
        return np.clip(headway, self._step_s, self._params.acc_headway_s)

    def _pace(self, fleet: FleetState, row: IntArray, mode: NDArray[np.int8]) -> None:
        """Move the time gaps towards those of the modes."""
        params = self._params
        goals = (self._law.headway_s(params), params.estimate_headway_s, params.acc_headway_s)
        goal = np.array(goals)[mode]
        most = params.headway_rate * self._step_s
        self.headway_s[row] += np.clip(goal - self.headway_s[row], -most, most)
        self.mode[row] = mode
        if not self._law.at_headway:
            close = row[mode == PlatoonMode.CACC]
            self.headway_s[close] = self._present_headway_s(fleet, close)

    def _guarded(self, view: _View, row: IntArray) -> FloatArray:
        """Return the acceleration that the gap still allows, infinite where it is no matter.

        The vehicle ahead is taken to go on braking as it is seen to: either it still moves when
        both are equally fast, or one must stop behind where it will have stopped.
        """
        params = self._params
        braking = np.maximum(-self._estimate_mps2[row], 0.0)
        closing = np.maximum(view.speed_mps - view.ahead_speed_mps, 0.0)
        late = (closing + 0.5 * braking * params.reaction_s) * params.reaction_s
        way = np.maximum(view.gap_m - params.guard_gap_m - late, _LEAST_WAY_M)
        moving = braking + closing * closing / (2.0 * way)
        rest_m = view.ahead_speed_mps**2 / (2.0 * np.maximum(braking, _LEAST_BRAKING_MPS2))
        stopped = view.speed_mps**2 / (2.0 * (way + rest_m))
        # Speeds are equal after 2 way/closing, the one ahead rests after v/braking.
        rests_first = 2.0 * way * braking > view.ahead_speed_mps * closing
        needed = np.where(rests_first, stopped, moving)
        acts = (closing > 0.0) & (needed >= params.guard_from_mps2)
        return np.where(acts, -needed, np.inf)
