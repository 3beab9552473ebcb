"""Pairs of road users on collision course, and those closer than they should be."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from v2x._kernels import conflicts as kernel
from v2x.mobility.fleet import FloatArray, IntArray
from v2x.mobility.surrogates import (
    crash_probability,
    modified_time_to_collision_s,
    rss_lateral_m,
    rss_longitudinal_m,
    rss_opposite_m,
)
from v2x.records.tables import ConflictKind
from v2x.sim.safety.conflict_roads import ConflictRoads, Grid
from v2x.sim.safety.conflict_scene import Motion, Place, Scene
from v2x.sim.safety.params import SafetyParams

#: Contacts with accelerations later than this do not matter [s].
MODIFIED_WITHIN_S = 10.0
#: Pairs farther apart are not asked for their distance sideways [m].
BESIDE_M = 80.0
#: Directions that differ by less are alike [rad]; the kernel knows the cosine.
ALIKE_RAD = np.pi / 6
#: Roads between two places that are so much longer than the chord are a hairpin.
_DETOUR, _DETOUR_M = 1.5, 10.0
#: Relations of pairs as the kernel names them.
_ALONG_SAME, _ALONG_OPPOSITE, _ACROSS, _BESIDE, _INTO_ONE = 1, 2, 3, 4, 5

RowArray = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs on collision course, one row each.

    Attributes
    ----------
    vehicle, other : (n,) intp
        Indices into the scene of who has to brake, and of the other one.
    kind : (n,) int32
        :class:`~v2x.records.tables.ConflictKind`.
    ttc_s, mttc_s : (n,) float64
        Times to collision without and with accelerations [s].
    drac_mps2 : (n,) float64
        Deceleration that avoids the crash [m/s²]; NaN if none does.
    probability : (n,) float64
        Probability that the brakes cannot give it.
    closing_mps : (n,) float64
        Rate at which the distance shrinks [m/s].
    unsafe, contact : (n,) bool
        Whether they are closer than RSS allows; whether they touch.
    """

    vehicle: RowArray
    other: RowArray
    kind: IntArray
    ttc_s: FloatArray
    mttc_s: FloatArray
    drac_mps2: FloatArray
    probability: FloatArray
    closing_mps: FloatArray
    unsafe: NDArray[np.bool_]
    contact: NDArray[np.bool_]

    def joined(self, more: Pairs) -> Pairs:
        """Return these pairs and more."""
        return Pairs(
            *(
                np.concatenate([getattr(self, item.name), getattr(more, item.name)])
                for item in fields(self)
            )
        )


@dataclass(frozen=True, slots=True)
class Rates:
    """What happens at an instant, summed over pairs: how many there are, and probabilities.

    Attributes
    ----------
    following, unsafe, unsafe_opposite, unsafe_beside
        Followers; of these, those closer than RSS allows; pairs in opposite directions, and
        beside each other, that are.
    crash_probability
        Summed over all.
    """

    following: int = 0
    unsafe: int = 0
    unsafe_opposite: int = 0
    unsafe_beside: int = 0
    crash_probability: float = 0.0


class PairFinder:
    """Finds the pairs of a scene.

    Parameters
    ----------
    params
        Thresholds.
    roads, cells
        The roads, and a grid over them.
    n_rows
        Rows of every state.
    """

    def __init__(
        self, params: SafetyParams, roads: ConflictRoads, cells: Grid, *, n_rows: int
    ) -> None:
        self._params, self._roads, self._grid = params, roads, cells
        self._head = np.full(cells.columns * cells.rows, -1, dtype=np.int32)
        self._chain = np.empty(n_rows, dtype=np.int32)
        self._reach = np.empty(n_rows)
        self._pairs = np.empty((256, kernel.PAIR_COLUMNS), dtype=np.int32)
        self._values = np.empty((256, kernel.VALUE_COLUMNS))

    def following(self, scene: Scene) -> tuple[Pairs, Rates]:
        """Return followers that close in on their leaders, and how all followers do."""
        params, motion = self._params, scene.motion
        leader = scene.place[:, Place.LEADER]
        follower = np.flatnonzero((leader >= 0) & (scene.place[:, Place.ON_WHEELS] != 0))
        ahead = leader[follower].astype(np.intp)
        speed, slower = motion[follower, Motion.SPEED], motion[ahead, Motion.SPEED]
        gap, closing = motion[follower, Motion.LEADER_GAP], speed - slower
        unsafe = gap < self._safe_m(scene, follower, ahead)
        apart = gap > 0.0
        drac = np.zeros(len(gap))
        np.divide(closing * closing, 2.0 * gap, out=drac, where=apart & (closing > 0.0))
        probability = np.where(apart, 0.0, 1.0)
        nearing = np.flatnonzero(drac > 0.0)
        probability[nearing] = self._probability(scene, follower[nearing], drac[nearing])
        rates = Rates(
            following=len(gap),
            unsafe=int(unsafe.sum()),
            crash_probability=float(probability.sum()),
        )
        drac[~apart] = np.nan
        near = np.flatnonzero(~apart | ((closing > 0.0) & (gap < params.ttc_s * closing)))
        follower, ahead, gap, closing = follower[near], ahead[near], gap[near], closing[near]
        ttc = np.zeros(len(gap))
        np.divide(gap, closing, out=ttc, where=gap > 0.0)
        pairs = Pairs(
            vehicle=follower,
            other=ahead,
            kind=np.full(len(gap), ConflictKind.FOLLOWING, dtype=np.int32),
            ttc_s=ttc,
            mttc_s=modified_time_to_collision_s(
                gap,
                motion[follower, Motion.SPEED],
                motion[ahead, Motion.SPEED],
                motion[follower, Motion.ACCELERATION],
                motion[ahead, Motion.ACCELERATION],
                within_s=MODIFIED_WITHIN_S,
            ),
            drac_mps2=drac[near],
            probability=probability[near],
            closing_mps=closing,
            unsafe=unsafe[near],
            contact=gap <= 0.0,
        )
        return pairs, rates

    def others(self, scene: Scene) -> tuple[Pairs, Rates]:
        """Return pairs on collision course of whom none follows the other, and how pairs do."""
        pairs, values = self._find(scene)
        relation = pairs[:, 2]
        one, other = pairs[:, 0].astype(np.intp), pairs[:, 1].astype(np.intp)
        beside_m = self._apart_sideways_m(scene, one, other, relation)
        n_beside = self._n_unsafe_beside(scene, pairs, values[:, 4], beside_m)
        on_road = (relation == _ALONG_SAME) | (relation == _ALONG_OPPOSITE)
        course = (relation == _ACROSS) | (relation == _INTO_ONE) | (on_road & (beside_m < 0.0))
        pairs, values, relation = pairs[course], values[course], relation[course]
        brakes = pairs[:, 3] == 1
        vehicle = np.where(brakes, pairs[:, 1], pairs[:, 0]).astype(np.intp)
        other = np.where(brakes, pairs[:, 0], pairs[:, 1]).astype(np.intp)
        kind = _kinds(scene.angle_rad(vehicle, other), relation)
        ttc, mttc, drac, closing, gap = values.T
        unsafe, head_on = self._unsafe(scene, vehicle, other, kind, gap)
        contact = ttc <= 0.0
        probability = self._probability(scene, vehicle, np.nan_to_num(drac))
        probability[contact] = 1.0
        found = Pairs(vehicle, other, kind, ttc, mttc, drac, probability, closing, unsafe, contact)
        return found, Rates(
            unsafe_opposite=int((unsafe & head_on).sum()),
            unsafe_beside=n_beside,
            crash_probability=float(probability.sum()),
        )

    def _find(self, scene: Scene) -> tuple[IntArray, FloatArray]:
        """Return what ``find_pairs`` finds, in an order that depends on nothing else."""
        cells = self._grid
        while True:
            n = kernel.find_pairs(
                scene.motion,
                scene.place,
                self._params.ttc_s,
                MODIFIED_WITHIN_S,
                BESIDE_M,
                cells.west_m,
                cells.south_m,
                cells.cell_m,
                cells.columns,
                cells.rows,
                cells.period_m,
                self._head,
                self._chain,
                self._reach,
                self._pairs,
                self._values,
            )
            if n <= len(self._pairs):
                break
            self._pairs = np.empty((2 * n, kernel.PAIR_COLUMNS), dtype=np.int32)
            self._values = np.empty((2 * n, kernel.VALUE_COLUMNS))
        pairs, values = self._pairs[:n], self._values[:n]
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        return pairs[order], values[order]

    def _safe_m(self, scene: Scene, rear: RowArray, front: RowArray) -> FloatArray:
        """Return the distance that RSS asks for between vehicles in the same direction [m]."""
        return rss_longitudinal_m(
            scene.motion[rear, Motion.SPEED],
            scene.motion[front, Motion.SPEED],
            self._params.rss,
            friction=scene.friction[rear],
            grade=scene.grade[rear],
        )

    def _unsafe(
        self, scene: Scene, vehicle: RowArray, other: RowArray, kind: IntArray, gap_m: FloatArray
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which pairs are closer than RSS allows, and which drive towards each other.

        Where paths cross, RSS goes by the right of way, which nobody here knows of.
        """
        speed = scene.motion[:, Motion.SPEED]
        head_on = kind == ConflictKind.HEAD_ON
        unsafe = head_on & (gap_m < rss_opposite_m(speed[vehicle], speed[other], self._params.rss))
        alike = kind == ConflictKind.MERGING
        return unsafe | (alike & (gap_m < self._safe_m(scene, vehicle, other))), head_on

    def _probability(self, scene: Scene, vehicle: RowArray, drac_mps2: FloatArray) -> FloatArray:
        return crash_probability(
            drac_mps2,
            scene.heavy[vehicle],
            scene.friction[vehicle],
            scene.grade[vehicle],
            self._params.braking,
        )

    def _apart_sideways_m(
        self, scene: Scene, one: RowArray, other: RowArray, relation: IntArray
    ) -> FloatArray:
        """Return the distance between the sides of pairs on one road, negative on overlap [m].

        Infinite for other pairs, and where the road between the two winds.
        """
        apart = np.full(len(one), np.inf)
        on_road = np.flatnonzero((relation != _ACROSS) & (relation != _INTO_ONE))
        n = len(on_road)
        if n == 0:
            return apart
        fleet = scene.fleet
        both = np.concatenate([one[on_road], other[on_road]])
        row = scene.row[both]
        edge, offset_m = fleet.edge[row], fleet.offset_m[row] - 0.5 * fleet.length_m[row]
        x_m, y_m = fleet.x_m[row], fleet.y_m[row]
        right_m = self._roads.lateral_m(edge, offset_m, x_m, y_m)
        # Who is in a lane keeps to it; only between lanes it matters where exactly.
        lane = fleet.lane[row]
        in_lane = (lane >= 0) & np.tile(relation[on_road] != _BESIDE, 2)
        lane_edge, lane = self._roads.on_one_edge(edge, lane, np.roll(edge, n))
        right_m[in_lane] = self._roads.lane_lateral_m(lane_edge[in_lane], lane[in_lane])
        sense = np.where(relation[on_road] == _ALONG_OPPOSITE, -1.0, 1.0)
        half_m = scene.motion[both, Motion.HALF_WIDTH]
        chord_m = np.hypot(self._nearest_m(x_m[:n] - x_m[n:]), y_m[:n] - y_m[n:])
        way_m = np.abs(self._nearest_m(offset_m[:n] - offset_m[n:]))
        winds = (edge[:n] == edge[n:]) & (way_m > _DETOUR * chord_m + _DETOUR_M)
        across_m = np.abs(right_m[:n] - sense * right_m[n:]) - half_m[:n] - half_m[n:]
        apart[on_road] = np.where(winds, np.inf, across_m)
        return apart

    def _n_unsafe_beside(
        self, scene: Scene, pairs: IntArray, gap_m: FloatArray, beside_m: FloatArray
    ) -> int:
        """Count pairs beside each other of whom one moves too near to the other."""
        motion, relation = scene.motion, pairs[:, 2]
        moves = (motion[pairs[:, :2], Motion.DRIFT] != 0.0).any(axis=1)
        at = ((relation == _BESIDE) | (relation == _ALONG_SAME)) & moves
        at &= (beside_m > 0.0) & np.isfinite(beside_m)
        if not at.any():
            return 0
        one, other = pairs[at, 0].astype(np.intp), pairs[at, 1].astype(np.intp)
        dx = self._nearest_m(motion[other, Motion.X] - motion[one, Motion.X])
        dy = motion[other, Motion.Y] - motion[one, Motion.Y]
        hx, hy = motion[one, Motion.HX], motion[one, Motion.HY]
        other_is_left, other_is_rear = hx * dy - hy * dx > 0.0, hx * dx + hy * dy < 0.0
        left, right = np.where(other_is_left, (other, one), (one, other))
        rear, front = np.where(other_is_rear, (other, one), (one, other))
        drift = motion[:, Motion.DRIFT]
        safe_m = rss_lateral_m(-drift[left], -drift[right], self._params.rss)
        near = gap_m[at] < self._safe_m(scene, rear, front)
        return int((near & (beside_m[at] < safe_m)).sum())

    def _nearest_m(self, dx_m: FloatArray) -> FloatArray:
        """Return differences in x, or along edges, by the shorter way round the map [m]."""
        period = self._grid.period_m
        return dx_m - period * np.round(dx_m / period) if period else dx_m


def _kinds(angle_rad: FloatArray, relation: IntArray) -> IntArray:
    kind = np.full(len(angle_rad), ConflictKind.CROSSING, dtype=np.int32)
    kind[angle_rad < ALIKE_RAD] = ConflictKind.MERGING
    kind[(relation == _ALONG_OPPOSITE) | (angle_rad > np.pi - ALIKE_RAD)] = ConflictKind.HEAD_ON
    kind[(relation == _ALONG_SAME) | (relation == _INTO_ONE)] = ConflictKind.MERGING
    return kind
