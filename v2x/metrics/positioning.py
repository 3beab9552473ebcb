"""How well vehicles know where they are: errors by sky, and the road and deck they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import Histogram
from v2x.records.tables import POSITION_BIN_M, POSITION_OPEN_M, SKY_NAMES, RunRecords

#: Errors are continuous; this step is far below the width of a bin [m].
_GRAIN_M = 0.001


@dataclass(frozen=True, slots=True)
class PositionFigures:
    """Positions that vehicles believed, over all of them and all states after the warm-up.

    Attributes
    ----------
    n
        Vehicles and states.
    rms_horizontal_m, rms_vertical_m
        Root mean square errors in plan and in height [m].
    p95_horizontal_m, p95_vertical_m
        Errors that 95 % stay below [m], to the width of a bin; infinite beyond the last one.
    wrong_edge_by_plan, wrong_level_by_plan
        Share matched to another edge, and to one of another deck level, without height.
    wrong_edge_by_height, wrong_level_by_height
        The same where height is matched, too.
    """

    n: int
    rms_horizontal_m: float
    p95_horizontal_m: float
    rms_vertical_m: float
    p95_vertical_m: float
    wrong_edge_by_plan: float
    wrong_level_by_plan: float
    wrong_edge_by_height: float
    wrong_level_by_height: float


def positioning(records: RunRecords) -> Mapping[str, PositionFigures]:
    """Return the figures of each sky that somebody was under, and of ``all``.

    Parameters
    ----------
    records
        Uses tables ``positions`` and ``position_errors`` and the fact ``warmup_s``; empty if
        the run had no positioning.
    """
    table = records.tables["positions"]
    counted = table["time_s"] >= records.facts["warmup_s"]
    if not counted.any():
        return {}
    figures = {}
    for sky, name in enumerate(SKY_NAMES):
        under = counted & (table["sky"] == sky)
        if under.any():
            figures[name] = _figures(records, under, (sky,))
    figures["all"] = _figures(records, counted, tuple(range(len(SKY_NAMES))))
    return figures


def error_histogram(records: RunRecords, axis: int, skies: tuple[int, ...]) -> Histogram:
    """Return the distribution of errors [m], horizontal (`axis` 0) or vertical (1)."""
    table = records.tables["position_errors"]
    kept = (table["axis"] == axis) & np.isin(table["sky"], skies)
    lower_m, index = np.unique(table["value_m"][kept], return_inverse=True)
    n = np.zeros(len(lower_m), dtype=np.int64)
    np.add.at(n, index, table["n"][kept])
    return Histogram(lower_m, n, POSITION_BIN_M, _GRAIN_M, POSITION_OPEN_M)


def _figures(
    records: RunRecords, rows: NDArray[np.bool_], skies: tuple[int, ...]
) -> PositionFigures:
    table = records.tables["positions"]
    n = int(table["n"][rows].sum())

    def mean(column: str) -> float:
        return float(table[column][rows].sum()) / n

    return PositionFigures(
        n=n,
        rms_horizontal_m=mean("sum_horizontal_m2") ** 0.5,
        p95_horizontal_m=error_histogram(records, 0, skies).quantile(0.95),
        rms_vertical_m=mean("sum_vertical_m2") ** 0.5,
        p95_vertical_m=error_histogram(records, 1, skies).quantile(0.95),
        wrong_edge_by_plan=mean("n_wrong_edge_plan"),
        wrong_level_by_plan=mean("n_wrong_level_plan"),
        wrong_edge_by_height=mean("n_wrong_edge_height"),
        wrong_level_by_height=mean("n_wrong_level_height"),
    )
