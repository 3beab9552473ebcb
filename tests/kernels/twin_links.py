"""The link table in plain numpy: all pairs, rectangles, dictionaries; nothing is sorted in cells.

Everything is computed in double precision from the float32 inputs of the kernels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .twin_math import GOLDEN, MASK, hashed, mix, normal_pair, second, uniform

FloatArray = NDArray[np.float64]
Pair = tuple[int, int]
Table = tuple[NDArray[np.int32], NDArray[np.int32]]

#: Directions that the kernel tells apart.
N_DIRECTIONS = 4096
#: Value of shadowing that was not drawn yet.
NOT_DRAWN = np.float32(9e9)


def separation(a: FloatArray, b: FloatArray, wrap_m: float) -> FloatArray:
    """Return ``b - a`` [m] by the shorter way round, shape (3,) or (2,)."""
    apart = np.asarray(b, dtype=np.float64) - np.asarray(a, dtype=np.float64)
    if wrap_m > 0:
        apart[0] -= wrap_m * round(apart[0] / wrap_m)
    return apart


def neighbours(
    x: FloatArray, y: FloatArray, active: NDArray[np.bool_], reach_m: float, wrap_m: float
) -> dict[int, list[int]]:
    """Return the active nodes within `reach_m` of each active node, ascending."""
    rows: dict[int, list[int]] = {i: [] for i in range(len(x))}
    for i in np.flatnonzero(active).tolist():
        for j in np.flatnonzero(active).tolist():
            ex, ey = separation(np.array([x[i], y[i]]), np.array([x[j], y[j]]), wrap_m)
            if i != j and math.hypot(ex, ey) <= reach_m:
                rows[i].append(j)
    return rows


def as_table(rows: dict[int, list[int]]) -> Table:
    """Return `rows` as compressed sparse rows: their boundaries and the neighbours."""
    lengths = [len(rows[i]) for i in range(len(rows))]
    return (
        np.cumsum([0, *lengths]).astype(np.int32),
        np.array([j for i in range(len(rows)) for j in rows[i]], dtype=np.int32),
    )


def complete_table(n: int) -> Table:
    """Return the table in which everybody is everybody's neighbour."""
    return as_table({i: [j for j in range(n) if j != i] for i in range(n)})


def pairs(table: Table) -> list[Pair]:
    """Return the two ends of every link of `table`, in its order."""
    start, neighbour = table
    owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
    return list(zip(owner.tolist(), neighbour.tolist(), strict=True))


def replace_neighbours(
    old: Table,
    x: FloatArray,
    y: FloatArray,
    active: NDArray[np.bool_],
    replaced: set[int],
    fresh: NDArray[np.bool_],
    reach_m: float,
    wrap_m: float,
) -> tuple[dict[int, list[int]], list[int]]:
    """Return rows in which only `replaced` have moved, and the old place of each link or -1."""
    near = neighbours(x, y, active, reach_m, wrap_m)
    place = {pair: k for k, pair in enumerate(pairs(old))}
    n = len(x)
    rows = {
        i: [
            j
            for j in range(n)
            if (j in near[i] if {i, j} & replaced else (i, j) in place) and i != j
        ]
        for i in range(n)
    }
    return rows, [
        -1 if fresh[i] or fresh[j] else place.get((i, j), -1) for i in range(n) for j in rows[i]
    ]


def carry_positions(old: Table, new: Table, fresh: NDArray[np.bool_]) -> list[int]:
    """Return where each link of `new` stood in `old`, -1 for none and for fresh ends."""
    position = {pair: k for k, pair in enumerate(pairs(old))}
    return [-1 if fresh[i] or fresh[j] else position.get((i, j), -1) for i, j in pairs(new)]


# --- blockage -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Vehicles seen from above; a height of 0 blocks nothing.

    Attributes
    ----------
    x, y, z, heading, length, width, height, antenna : (n,) float64
        As in :class:`v2x.mobility.fleet.FleetState`.
    wrap_m, level_gap_m, max_grade
        Period of the map in x; a vehicle hides nothing from a node whose road lies farther
        above or below than `level_gap_m` plus `max_grade` times their distance.
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    heading: FloatArray
    length: FloatArray
    width: FloatArray
    height: FloatArray
    antenna: FloatArray
    wrap_m: float = 0.0
    level_gap_m: float = 3.0
    max_grade: float = 0.1

    @property
    def n(self) -> int:
        """Number of vehicles."""
        return len(self.x)

    def permuted(self, order: NDArray[np.int64]) -> Scene:
        """Return the scene with its vehicles in another order."""
        names = ("x", "y", "z", "heading", "length", "width", "height", "antenna")
        return replace(self, **{name: getattr(self, name)[order] for name in names})


def corners(scene: Scene, k: int, i: int) -> FloatArray:
    """Return the corners of vehicle `k` as seen from the centre of `i` [m], shape (4, 2)."""
    middle = separation(
        np.array([scene.x[i], scene.y[i]]), np.array([scene.x[k], scene.y[k]]), scene.wrap_m
    )
    ahead = np.array([math.cos(scene.heading[k]), math.sin(scene.heading[k])])
    aside = np.array([-ahead[1], ahead[0]])
    return np.array(
        [
            middle + s * 0.5 * scene.length[k] * ahead + t * 0.5 * scene.width[k] * aside
            for s, t in ((1, 1), (1, -1), (-1, -1), (-1, 1))
        ]
    )


def pseudo_angle(point: FloatArray) -> float:
    """Return the direction of `point` in bins of the kernel: the place on the unit diamond."""
    ex, ey = point
    p = abs(ey) / (abs(ex) + abs(ey))
    turn = p if ex >= 0 else 2.0 - p
    return (turn if ey >= 0 else 4.0 - turn) * N_DIRECTIONS / 4


def _turn(direction: float, origin: float) -> float:
    """Return the signed way from `origin` to `direction` in bins, within half a circle."""
    return (direction - origin + N_DIRECTIONS / 2) % N_DIRECTIONS - N_DIRECTIONS / 2


def hides(scene: Scene, i: int, j: int, k: int, margin_bins: float) -> bool | None:
    """Return whether vehicle `k` stands between the antennas of `i` and `j`.

    None where the line passes an edge of the vehicle within `margin_bins`, where `k` is about
    as far from `i` as `j`, or where rectangles overlap: there the kernel may decide either way.
    """
    if k in (i, j) or scene.height[k] <= 0:
        return False
    here = np.array([scene.x[i], scene.y[i]])
    to_j = separation(here, np.array([scene.x[j], scene.y[j]]), scene.wrap_m)
    to_k = separation(here, np.array([scene.x[k], scene.y[k]]), scene.wrap_m)
    distance_j, distance_k = float(np.hypot(*to_j)), float(np.hypot(*to_k))
    above = abs(scene.z[k] - scene.z[i]) - scene.level_gap_m - scene.max_grade * distance_k
    if above > 1e-3:
        return False
    radius = 0.5 * math.hypot(scene.length[k], scene.width[k])
    if distance_k > distance_j + radius + 0.01:
        return False
    middle = pseudo_angle(to_k)
    edges = [_turn(pseudo_angle(corner), middle) for corner in corners(scene, k, i)]
    if max(edges) - min(edges) >= N_DIRECTIONS / 2:
        return None
    target = _turn(pseudo_angle(to_j), middle)
    outside = max(min(edges) - target, target - max(edges))
    if outside > margin_bins:
        return False
    if above > -1e-3 or outside > -margin_bins or abs(distance_k - distance_j) <= radius + 0.01:
        return None
    return True


def blockage_codes(scene: Scene, margin_bins: float) -> dict[Pair, int | None]:
    """Return the link code of every ordered pair by TR 37.885 6.2.1, None where undecided.

    Of several vehicles between the antennas the highest counts: 0 if it is lower than both
    antennas (case 1), 2 if it is higher than both (case 2), else 1 (case 3). The view is that
    of the lower row.
    """
    codes: dict[Pair, int | None] = {}
    for i in range(scene.n):
        for j in range(i + 1, scene.n):
            hidden = {k: hides(scene, i, j, k, margin_bins) for k in range(scene.n)}
            low, high = sorted((scene.antenna[i], scene.antenna[j]))

            def case(top: float, low: float = float(low), high: float = float(high)) -> int:
                return 2 if high < top else int(low <= top)

            certain = case(max((scene.height[k] for k in hidden if hidden[k]), default=-1.0))
            possible = {case(scene.height[k]) for k in hidden if hidden[k] is None}
            code = None if any(c > certain for c in possible) else certain
            codes[i, j] = codes[j, i] = code
    return codes


def statistical_code(
    identities: Pair,
    antennas: tuple[float, float],
    key: int,
    p_los: float,
    tall_share: float,
    low_height_m: float,
    tall_height_m: float,
) -> tuple[int, float]:
    """Return the code of a link by its probability of line of sight, and its uniform number."""
    word = hashed(key, min(identities), max(identities))
    u = uniform(word)
    if u < p_los:
        return 0, u
    top = tall_height_m if uniform(second(word)) < tall_share else low_height_m
    if max(antennas) < top:
        return 2, u
    return int(min(antennas) <= top), u


# --- gain ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """Path loss by link code, in the terms of the standards.

    Attributes
    ----------
    start_m, intercept_db, slope_db : (4, n_pieces)
        Piece k holds from ``start_m[k]``: intercept plus slope per decade; at most 4 pieces.
    min_distance_m, sigma_db, decorrelation_m : (10,)
        Shortest distance, shadowing.
    block_mean_db, block_sigma_db : (10,)
        Blockage at short range; a mean of -inf for codes without.
    """

    start_m: FloatArray
    intercept_db: FloatArray
    slope_db: FloatArray
    min_distance_m: FloatArray
    sigma_db: FloatArray
    decorrelation_m: FloatArray
    block_mean_db: FloatArray
    block_sigma_db: FloatArray

    def tables(self) -> tuple[NDArray[np.float32], ...]:
        """Return the law as `links.update` takes it: in octaves, missing pieces far away."""
        n = self.start_m.shape[1]
        start = np.full((10, 4), 1e30)
        start[:, :n] = np.log2(np.maximum(self.start_m, 1e-30))
        intercept, slope = np.zeros((10, 4)), np.zeros((10, 4))
        intercept[:, :n] = self.intercept_db
        slope[:, :n] = self.slope_db * math.log10(2.0)
        return tuple(
            np.ascontiguousarray(a, dtype=np.float32)
            for a in (
                start,
                intercept,
                slope,
                np.log2(self.min_distance_m),
                self.sigma_db,
                1.0 / (math.log(2.0) * self.decorrelation_m),
                np.maximum(self.block_mean_db, -1e6),
                self.block_sigma_db,
            )
        )

    def loss_db(self, code: int, distance_m: float, shadow: float, block: float) -> float:
        """Return the loss [dB] of a link with normal numbers `shadow` and `block`.

        Blockage after TR 37.885 6.2.1: max(0, N(mean + max(0, 15 log10 d - 41), sigma²)).
        """
        d = max(distance_m, float(self.min_distance_m[code]))
        piece = int(np.flatnonzero(self.start_m[code] <= d)[-1])
        loss = self.intercept_db[code, piece] + self.slope_db[code, piece] * math.log10(d)
        mean = self.block_mean_db[code] + max(0.0, 15.0 * math.log10(d) - 41.0)
        blocked = max(0.0, mean + self.block_sigma_db[code] * block)
        return float(loss + self.sigma_db[code] * shadow + blocked)


def fresh_normals(key: int, tick: int, identities: Pair) -> tuple[float, float]:
    """Return the normal numbers that a pair draws at a tick; the same from both ends."""
    a, b = (hashed(key, tick, identity) for identity in identities)
    word = mix((a + b & MASK) ^ ((a ^ b) * 0x85EBCA6B & MASK))
    return normal_pair(word, mix(word + GOLDEN & MASK))
