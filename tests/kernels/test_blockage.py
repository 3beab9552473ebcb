"""What stands between two antennas: vehicles, chance, street corners."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels import links

from .twin_links import (
    N_DIRECTIONS,
    Pair,
    Scene,
    Table,
    as_table,
    blockage_codes,
    complete_table,
    neighbours,
    pairs,
    statistical_code,
)

#: The kernel takes the direction of a link for that of the middle of its bin, at most half a
#: bin away, and judges the silhouette there; the rest is rounding in float32. Half a bin is
#: 1/2048 of a quarter circle along the axes, 5 cm at 100 m, and twice that between them.
MARGIN_BINS = 0.55

CAR = (5.0, 2.0, 1.6, 1.6)
LOW_CAR = (5.0, 2.0, 1.6, 0.75)
TRUCK = (13.0, 2.6, 3.0, 3.0)
#: Length, width, height and antenna height [m] of TR 37.885 Table 6.1.2-1... by share.
TYPES = np.array([CAR, CAR, CAR, LOW_CAR, TRUCK])


def classify(scene: Scene, table: Table, code: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Run the kernel over `scene`; `code` is changed in place and returned."""
    start, neighbour = table
    heights = np.unique(scene.height[scene.height > 0])
    height_class = np.where(scene.height > 0, np.searchsorted(heights, scene.height), -1)
    longest = int(np.diff(start).max(initial=0))
    links.classify_geometric(
        start,
        neighbour,
        scene.x.astype(np.float32),
        scene.y.astype(np.float32),
        scene.z.astype(np.float32),
        np.cos(scene.heading).astype(np.float32),
        np.sin(scene.heading).astype(np.float32),
        (0.5 * scene.length).astype(np.float32),
        (0.5 * scene.width).astype(np.float32),
        scene.antenna.astype(np.float32),
        height_class.astype(np.int32),
        heights.astype(np.float32),
        scene.wrap_m,
        scene.level_gap_m,
        scene.max_grade,
        np.zeros((3, longest), dtype=np.int32),
        np.zeros(longest, dtype=np.float32),
        np.full(N_DIRECTIONS * max(len(heights), 1), -7.0, dtype=np.float32),
        np.full(len(start) - 1, -7, dtype=np.int32),
        code,
    )
    return code


def codes_of(scene: Scene, table: Table | None = None) -> dict[Pair, int]:
    table = complete_table(scene.n) if table is None else table
    code = classify(scene, table, np.full(len(table[1]), 99, dtype=np.uint8))
    return dict(zip(pairs(table), code.tolist(), strict=True))


def scene_of(rows: list[tuple[float, float, float, tuple[float, ...]]], **options: float) -> Scene:
    """Return a scene of vehicles given by x, y, heading and type."""
    x, y, heading = (np.array([row[k] for row in rows]) for k in range(3))
    length, width, height, antenna = np.array([row[3] for row in rows]).T
    return Scene(
        x=x,
        y=y,
        z=np.zeros(len(rows)),
        heading=heading,
        length=length,
        width=width,
        height=height,
        antenna=antenna,
        **options,
    )
