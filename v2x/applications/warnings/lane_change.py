"""Somebody beside or coming up fast in the next lane: blind spot and lane change warning."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from v2x.applications.warnings.base import (
    BoolArray,
    Judgement,
    Stage,
    WarningContext,
    of_pairs,
)
from v2x.applications.warnings.targets import are_vehicles
from v2x.mobility.fleet import FloatArray, IntArray
from v2x.mobility.reactions import Action
from v2x.perception.scene import Scene
from v2x.ranges import check_ranges

#: Length of the car for which the zone is given [m].
_CAR_M = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindZoneParams:
    """The zone beside a car that its driver does not see.

    Parameters
    ----------
    rear_m, front_m
        How far it reaches behind and ahead of the middle of a car of 5 m [m]; 7 and 1
        (proposal). For longer vehicles both ends move out with their bumpers.
    release_m
        How much farther both ends are for an alert that stands [m] (assumption).
    """

    rear_m: float = 7.0
    front_m: float = 1.0
    release_m: float = 1.0

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(
            self,
            ("rear_m", 0.0, 50.0),
            ("front_m", -10.0, 50.0),
            ("release_m", 0.0, 50.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BswParams:
    """When a driver is told of somebody in the blind spot (T/CSAE 53, BSW).

    Parameters
    ----------
    zone
        The blind spot.
    keep_lane
        Whether drivers are asked to begin no lane change, to either side, as long as somebody is
        there, not only told (assumption).
    """

    zone: BlindZoneParams = field(default_factory=BlindZoneParams)
    keep_lane: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LcwParams:
    """When a driver who indicates is warned of the next lane (T/CSAE 53, LCW).

    Parameters
    ----------
    zone
        The blind spot; somebody in it is an imminent danger.
    ttc_s
        Time to collision of somebody who comes up from behind below which an alert begins, and
        for which the zone reaches farther back by the speed with which it comes nearer [s]; 3.5
        (proposal).
    """

    zone: BlindZoneParams = field(default_factory=BlindZoneParams)
    ttc_s: float = 3.5

    def __post_init__(self) -> None:
        """Reject values out of range."""
        if not 0.0 <= self.ttc_s <= 60.0:
            raise ValueError(f"ttc_s must be within 0 and 60, got {self.ttc_s}")


class BlindSpotWarning:
    """BSW: a vehicle in the blind spot, one lane beside a driver who does not indicate to it.

    Parameters
    ----------
    params
        The zone.
    context
        See :class:`~v2x.applications.warnings.base.WarningContext`.
    """

    Params = BswParams

    def __init__(self, params: BswParams, context: WarningContext) -> None:
        self._params = params

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to tell of whom."""
        zone = self._params.zone
        near = _Neighbours(scene)
        quiet = (near.side != 0) & (scene.host_states.turn != near.side)
        pair = np.flatnonzero(quiet & near.in_zone(zone, zone.release_m))
        return of_pairs(
            scene,
            pair,
            raised=near.in_zone(zone)[pair],
            stage=Stage.INFORM,
            action=Action.KEEP_LANE if self._params.keep_lane else Action.INFORM,
            distance_m=np.maximum(near.gap_behind_m, 0.0)[pair],
            closing_mps=-scene.closing_mps[pair],
        )


class LaneChangeWarning:
    """LCW: a driver indicates to a lane where somebody is in the blind spot or comes up fast.

    It is asked to begin no lane change for as long.

    Parameters
    ----------
    params
        The zone and the time.
    context
        See :class:`~v2x.applications.warnings.base.WarningContext`.
    """

    Params = LcwParams

    def __init__(self, params: LcwParams, context: WarningContext) -> None:
        self._params = params

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to warn of whom."""
        params, zone = self._params, self._params.zone
        near = _Neighbours(scene)
        closing = -scene.closing_mps
        indicates = (near.side != 0) & (scene.host_states.turn == near.side)
        # The zone reaches back by the way that is gained: an alert stands as long as that.
        farther_m = zone.release_m + params.ttc_s * np.maximum(closing, 0.0)
        pair = np.flatnonzero(indicates & near.in_zone(zone, zone.release_m, farther_m))
        gap_m, closing = near.gap_behind_m[pair], closing[pair]
        ttc_s = np.full(len(pair), np.inf)
        np.divide(gap_m, closing, out=ttc_s, where=(closing > 0.0) & (gap_m > 0.0))
        beside = near.in_zone(zone)[pair]
        return of_pairs(
            scene,
            pair,
            raised=beside | (ttc_s < params.ttc_s),
            stage=np.where(beside, Stage.IMMINENT, Stage.WARN).astype(np.int32),
            action=Action.KEEP_LANE,
            distance_m=np.maximum(gap_m, 0.0),
            closing_mps=closing,
        )


class _Neighbours:
    """Vehicles that go the same way one lane beside hosts.

    Attributes
    ----------
    side : (n_pairs,) int32
        +1 for one lane to the left, -1 to the right, 0 for anybody else.
    ahead_m : (n_pairs,) float64
        From centre to centre along the road, negative behind; in the frame of the host without
        a map [m].
    gap_behind_m : (n_pairs,) float64
        From the remote one's front to the host's rear [m].
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        on_road_m, lanes = _along_the_road(scene)
        width_m = scene.outlook.lane_width_m
        aside_m = np.abs(scene.left_m)
        next_lane = (aside_m > 0.5 * width_m) & (aside_m < 1.5 * width_m) & scene.same_direction
        by_plan = np.where(next_lane, np.sign(scene.left_m), 0.0)
        by_map = np.where(np.isfinite(on_road_m) & (np.abs(lanes) == 1), lanes, 0)
        side = np.where(scene.follows_map, by_map, by_plan)
        side = np.where(are_vehicles(scene) & ~scene.apart, side, 0)
        self.side: IntArray = side.astype(np.int32)
        self.ahead_m: FloatArray = np.where(scene.follows_map, on_road_m, scene.ahead_m)
        self.gap_behind_m: FloatArray = -self.ahead_m - scene.half_lengths_m

    def in_zone(
        self,
        zone: BlindZoneParams,
        wider_m: float = 0.0,
        farther_m: FloatArray | float | None = None,
    ) -> BoolArray:
        """Return whether any part of remote ones is in the zone, longer by some ways, (n_pairs,).

        Parameters
        ----------
        zone
            The zone.
        wider_m
            How much longer it is at both ends [m].
        farther_m
            The same at its rear end, if that is another way [m].
        """
        length_m = self._scene.fleet.length_m
        half_m = 0.5 * length_m[self._scene.remote]
        longer_m = 0.5 * np.maximum(length_m[self._scene.host] - _CAR_M, 0.0)
        rear_m = zone.rear_m + longer_m + (wider_m if farther_m is None else farther_m)
        begins = self.ahead_m + half_m > -rear_m
        return np.asarray(begins & (self.ahead_m - half_m < zone.front_m + longer_m + wider_m))


def _along_the_road(scene: Scene) -> tuple[FloatArray, IntArray]:
    """Return the ways along the road between centres [m], negative behind, and lanes to the left.

    NaN where neither road leads to the other; who is behind has to be on the way to the host.
    """
    mine, other = scene.host_states, scene.remote_states
    ahead = scene.onward.ahead_m + other.offset_m - mine.offset_m
    likely = scene.backward.likely | (other.turn != 0)
    behind = np.where(likely, scene.backward.ahead_m + mine.offset_m - other.offset_m, np.nan)
    # On a loop a road may lead to the other both ways: the shorter one counts.
    follows = np.abs(np.nan_to_num(behind, nan=np.inf)) <= np.abs(np.nan_to_num(ahead, nan=np.inf))
    fronts_m = np.where(follows, -behind, ahead)
    length_m = scene.fleet.length_m
    centres_m = fronts_m + 0.5 * (length_m[scene.host] - length_m[scene.remote])
    return centres_m, np.where(follows, scene.lanes_left_behind, scene.lanes_left)
