"""Conflicts in plain Python: every pair is looked at, every note is kept."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

X, Y, Z, HX, HY, V, A, CLIMB, HL, HW, HEIGHT, DRIFT, LEADER_GAP, OFFSET, LENGTH = range(15)
LEVEL, ROAD, WAY, BEGIN, END, LEADER, WHEELS, ONTO, LANE = range(9)
SAME, OPPOSITE, ACROSS, BESIDE, INTO_ONE = 1, 2, 3, 4, 5
ALIKE, SQUARE = math.cos(math.radians(30)), math.cos(math.radians(45))
INF, NAN = math.inf, math.nan


def nearest(dx: float, period: float) -> float:
    return dx - period * math.floor(dx / period + 0.5) if period > 0 else dx


def meets(p: Any, q: Any) -> bool:
    if p[ROAD] < 0 or q[ROAD] < 0:
        return bool(p[LEVEL] == q[LEVEL])
    return bool(p[ROAD] == q[ROAD] or {p[BEGIN], p[END]} & {q[BEGIN], q[END]})


def axes(mi: Any, mj: Any, pi: Any, pj: Any, dx: float, dy: float) -> tuple[int, list[Any]]:
    """Return the relation and (d, r, share of i, share of j) on each axis."""
    c = mi[HX] * mj[HX] + mi[HY] * mj[HY]
    s = mi[HX] * mj[HY] - mi[HY] * mj[HX]
    wheels = pi[WHEELS] and pj[WHEELS]
    if pi[ROAD] >= 0 and pi[ROAD] == pj[ROAD] and wheels:
        sense = 1.0 if pi[WAY] == pj[WAY] else -1.0
        tx, ty = mi[HX] + sense * mj[HX], mi[HY] + sense * mj[HY]
        norm = math.sqrt(tx * tx + ty * ty)
        if norm < 0.5:
            return 0, []
        tx, ty = tx / norm, ty / norm
        along, across = dx * tx + dy * ty, dy * tx - dx * ty
        axis = [(along, mi[HL] + mj[HL], 1.0, sense)]
        if abs(across) < mi[HW] + mj[HW] + 0.15 * abs(along):
            return (SAME if sense > 0 else OPPOSITE), axis
        return (BESIDE if sense > 0 else 0), axis
    if c > ALIKE and pi[ROAD] >= 0 and pj[ROAD] >= 0 and wheels:
        if pi[ONTO] < 0 or pi[ONTO] != pj[ONTO] or pi[LANE] != pj[LANE]:
            return 0, []
        d = (mi[LENGTH] - mi[OFFSET]) - (mj[LENGTH] - mj[OFFSET])
        return INTO_ONE, [(d, mi[HL] + mj[HL], 1.0, 1.0)]
    c_, s_ = abs(c), abs(s)
    return ACROSS, [
        (dx * mi[HX] + dy * mi[HY], mi[HL] + mj[HL] * c_ + mj[HW] * s_, 1.0, c),
        (dy * mi[HX] - dx * mi[HY], mi[HW] + mj[HL] * s_ + mj[HW] * c_, 0.0, s),
        (dx * mj[HX] + dy * mj[HY], mj[HL] + mi[HL] * c_ + mi[HW] * s_, c, 1.0),
        (dy * mj[HX] - dx * mj[HY], mj[HW] + mi[HL] * s_ + mi[HW] * c_, -s, 0.0),
    ]


def contact(axis: list[Any], vi: float, vj: float) -> float:
    begin, end = 0.0, INF
    for d, r, ui, uj in axis:
        v = vj * uj - vi * ui
        if v == 0:
            if abs(d) >= r:
                return INF
            continue
        low, high = sorted(((-r - d) / v, (r - d) / v))
        begin, end = max(begin, low), min(end, high)
    return begin if begin < end else INF


def modified(axis: list[Any], vi: float, vj: float, ai: float, aj: float, limit: float) -> float:
    """Find the first instant of contact by fine steps and bisection of the overlap."""

    def moved(v: float, a: float, t: float) -> float:
        if a < 0:
            t = min(t, max(v, 0.0) / -a)
        return v * t + 0.5 * a * t * t

    def apart(t: float) -> float:
        return max(
            abs(d + uj * moved(vj, aj, t) - ui * moved(vi, ai, t)) - r for d, r, ui, uj in axis
        )

    step = 0.01
    n = int(limit / step)
    for k in range(n + 1):
        if apart(k * step) <= 1e-9:
            low, high = max(k - 1, 0) * step, k * step
            for _ in range(60):
                middle = 0.5 * (low + high)
                low, high = (low, middle) if apart(middle) <= 1e-9 else (middle, high)
            return high
    return INF


def near_junction(m: Any, one: Any, other: Any, ttc: float) -> bool:
    at = m[OFFSET] + m[V] * ttc
    ends = (other[BEGIN], other[END])
    if one[END] in ends and m[LENGTH] - 30 <= at <= m[LENGTH] + 15:
        return True
    return bool(one[BEGIN] in ends and at <= 30)


def find_pairs(
    motion: Any, place: Any, horizon: float, beside: float, period: float
) -> dict[tuple[int, int], tuple[int, float, list[Any], float]]:
    """Return relation, TTC, axes and gap of the pairs that the kernel names."""
    found = {}
    reach = motion[:, V] * horizon + motion[:, HL] + motion[:, HW]
    for i in range(len(motion)):
        for j in range(i + 1, len(motion)):
            mi, mj, pi, pj = motion[i], motion[j], place[i], place[j]
            dx, dy = nearest(mj[X] - mi[X], period), mj[Y] - mi[Y]
            if dx * dx + dy * dy > (reach[i] + reach[j]) ** 2:
                continue
            if pi[LEADER] == j or pj[LEADER] == i or not (pi[WHEELS] or pj[WHEELS]):
                continue
            if not meets(pi, pj):
                continue
            relation, axis = axes(mi, mj, pi, pj, dx, dy)
            if not relation:
                continue
            gap = max(abs(d) - r for d, r, _, _ in axis)
            ttc = INF
            if relation == INTO_ONE:
                arrival = max((m[LENGTH] - m[OFFSET] - m[HL]) / max(m[V], 1e-9) for m in (mi, mj))
                (d, r, _, _), v = axis[0], mj[V] - mi[V]
                low, high = (-INF, INF) if abs(d) < r else (INF, INF)
                if v != 0:
                    low, high = sorted(((-r - d) / v, (r - d) / v))
                ttc = max(low, arrival, 0.0)
                ttc = ttc if ttc < high else INF
            elif relation != BESIDE:
                ttc = contact(axis, mi[V], mj[V])
            if relation == SAME and ttc < horizon:
                rear = i if axis[0][0] > 0 else j
                if place[rear, LEADER] >= 0 and motion[rear, LEADER_GAP] <= gap:
                    ttc = INF
            if not ttc < horizon:
                if relation == SAME:
                    relation = BESIDE
                if relation != BESIDE or gap >= beside or not (mi[DRIFT] or mj[DRIFT]):
                    continue
            if relation != INTO_ONE:
                dz = mj[Z] - mi[Z]
                if 0 < ttc < INF:
                    dz += ttc * (mj[CLIMB] - mi[CLIMB])
                if not (dz < mi[HEIGHT] and -dz < mj[HEIGHT]):
                    continue
            on = pi[ROAD] >= 0 and pj[ROAD] >= 0 and pi[WHEELS] and pj[WHEELS]
            if relation == ACROSS and on:
                near = near_junction(mi, pi, pj, ttc) and near_junction(mj, pj, pi, ttc)
                if not near:
                    continue
            turned = [
                m[OFFSET] < m[HL] and p[ROAD] >= 0 and p[WHEELS] for m, p in ((mi, pi), (mj, pj))
            ]
            if relation == ACROSS and ttc <= 0 and any(turned):
                continue
            found[i, j] = (relation, ttc, axis, gap)
    return found


def crossing_times(
    first: np.ndarray, second: np.ndarray, sizes: tuple[float, float, float, float], step: float
) -> tuple[float, float, float]:
    """Return when two straight tracks (n, 2) enter and leave each other's path [s].

    Sizes are half lengths and half widths of the first and the second. Returns when the first
    entered, when it left, and when the second entered; found on a fine grid of times.
    """
    hl_i, hw_i, hl_j, hw_j = sizes

    def swept(track: np.ndarray, hl: float, hw: float, other: np.ndarray, half: float) -> Any:
        along = track[-1] - track[0]
        along = along / np.hypot(*along)
        line = other[-1] - other[0]
        line = line / np.hypot(*line)
        normal = np.array([-line[1], line[0]])
        reach = hl * abs(along @ normal) + hw * abs(along @ line) + half
        return np.abs((track - other[0]) @ normal) < reach

    n = len(first)
    fine = np.linspace(0, n - 1, 200 * (n - 1) + 1)

    def dense(track: np.ndarray) -> np.ndarray:
        return np.stack([np.interp(fine, np.arange(n), track[:, k]) for k in (0, 1)], axis=1)

    one, other = dense(first), dense(second)
    inside = np.flatnonzero(swept(one, hl_i, hw_i, other, hw_j))
    later = np.flatnonzero(swept(other, hl_j, hw_j, one, hw_i))
    return fine[inside[0]] * step, fine[inside[-1]] * step, fine[later[0]] * step
