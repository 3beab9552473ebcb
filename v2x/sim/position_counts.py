"""Counts how far off vehicles believe to be, and on which road, by the sky above them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState, IntArray, NodeKind
from v2x.mobility.positioning import BelievedState
from v2x.records.tables import POSITION_BIN_M, POSITION_OPEN_M, Sky
from v2x.units import US_PER_S

_N_BINS = round(POSITION_OPEN_M / POSITION_BIN_M) + 1


class PositionCounts:
    """Sums for table ``positions`` and the histograms of table ``position_errors``."""

    def __init__(self) -> None:
        self._n = np.zeros((len(Sky), 2, _N_BINS), dtype=np.int64)

    def observe(self, fleet: FleetState, believed: BelievedState) -> dict[str, NDArray[Any]]:
        """Count a state and return its rows of table ``positions``, one for each sky in use."""
        row = np.flatnonzero((believed.sky >= 0) & (fleet.kind <= NodeKind.BUS))
        sky = believed.sky[row]
        east_m, north_m, up_m = (
            (getattr(believed, name) - getattr(fleet, name))[row] for name in ("x_m", "y_m", "z_m")
        )
        for axis, error_m in enumerate((np.hypot(east_m, north_m), np.abs(up_m))):
            at = np.minimum(error_m / POSITION_BIN_M, _N_BINS - 1).astype(np.int64)
            found = np.bincount(sky * _N_BINS + at, minlength=len(Sky) * _N_BINS)
            self._n[:, axis] += found.reshape(len(Sky), _N_BINS)

        def total(values: NDArray[Any]) -> NDArray[np.float64]:
            return np.bincount(sky, values, minlength=len(Sky)).astype(np.float64)

        edge, level = fleet.edge[row], fleet.level[row]
        plan = _wrong(edge, level, believed.edge_by_plan[row], believed.level_by_plan[row])
        height = _wrong(edge, level, believed.edge_by_height[row], believed.level_by_height[row])
        n = np.bincount(sky, minlength=len(Sky))
        columns = {
            "time_s": np.full(len(Sky), fleet.time_us / US_PER_S),
            "sky": np.arange(len(Sky)),
            "n": n,
            "sum_horizontal_m2": total(east_m**2 + north_m**2),
            "sum_vertical_m2": total(up_m**2),
            "n_wrong_edge_plan": total(plan[0]),
            "n_wrong_level_plan": total(plan[1]),
            "n_wrong_edge_height": total(height[0]),
            "n_wrong_level_height": total(height[1]),
        }
        return {name: values[n > 0] for name, values in columns.items()}

    def errors(self) -> dict[str, NDArray[Any]]:
        """Return the rows of table ``position_errors`` so far."""
        sky, axis, at = np.nonzero(self._n)
        return {
            "sky": sky,
            "axis": axis,
            "value_m": at * POSITION_BIN_M,
            "n": self._n[sky, axis, at],
        }


def _wrong(
    edge: IntArray, level: IntArray, matched: IntArray, matched_level: IntArray
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether edges and levels are wrong; who finds no road has no level either."""
    wrong_edge = matched != edge
    return wrong_edge, wrong_edge & ((matched_level != level) | (matched < 0))
