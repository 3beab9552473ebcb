"""How long greens ought to be: the method of :mod:`v2x.mobility.webster` on a road map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.signals.phases import NodePhases
from v2x.mobility.webster import webster_cycle_s
from v2x.world.road_map import FloatArray

#: Length of the approach whose slope counts [m].
APPROACH_M = 60.0
#: The share of the saturation flow above which the formula of the cycle is given up.
FULL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class SaturationParams:
    """How many vehicles a green lane lets through.

    Parameters
    ----------
    flow_per_h
        Of a lane on the level [1/h].
    loss_per_grade
        Share that is lost for each unit of grade uphill: 3 for 3 % per 1 % (low confidence).
    """

    flow_per_h: float = 1800.0
    loss_per_grade: float = 3.0

    def __post_init__(self) -> None:
        """Reject lanes that nobody leaves."""
        if not (self.flow_per_h > 0 and self.loss_per_grade >= 0):
            raise ValueError(
                f"flow_per_h must be > 0 and loss_per_grade >= 0, "
                f"got {self.flow_per_h} and {self.loss_per_grade}"
            )

    def per_s(self, grade: float) -> float:
        """Return the saturation flow of a lane [1/s]; never less than a quarter of the level's.

        Examples
        --------
        >>> round(3600 * SaturationParams().per_s(0.06))
        1476
        """
        return self.flow_per_h / 3600.0 * max(1.0 - self.loss_per_grade * max(grade, 0.0), 0.25)


def cycle_s(lost_s: float, load: float, *, least_s: float = 0.0, most_s: float = 1e9) -> float:
    r"""Return the cycle with the least delay [s].

    Parameters
    ----------
    lost_s
        Time per cycle in which nobody goes [s].
    load
        Sum over the phases of the greatest flow relative to the saturation flow.
    least_s, most_s
        Bounds [s].

    Notes
    -----
    .. math:: C = \frac{1.5 L + 5}{1 - Y}

    (Webster 1958). With a load of 0.95 or more it is the longest.

    Examples
    --------
    >>> cycle_s(10.0, 0.6)
    50.0
    """
    best_s = most_s if load >= FULL else webster_cycle_s(lost_s, [load])
    return min(max(best_s, least_s), most_s)


def greens_s(ratio: Sequence[float], green_s: float, least_s: float) -> list[float]:
    """Share the green time of a cycle among phases.

    Parameters
    ----------
    ratio
        Flow relative to the saturation flow of each phase.
    green_s
        All green time of a cycle [s].
    least_s
        Shortest green [s]; phases that would have less get this, the others share the rest.

    Examples
    --------
    >>> greens_s([0.3, 0.1, 0.0], 40.0, 5.0)
    [26.25, 8.75, 5.0]
    """
    n = len(ratio)
    if green_s <= n * least_s:
        return [least_s] * n
    short = {k for k in range(n) if ratio[k] <= 0.0} if any(r > 0.0 for r in ratio) else set()
    while True:
        rest_s = green_s - least_s * len(short)
        total = sum(ratio[k] for k in range(n) if k not in short)
        if total <= 0.0:
            return [green_s / n] * n
        share = [least_s if k in short else rest_s * ratio[k] / total for k in range(n)]
        more = {k for k in range(n) if k not in short and share[k] < least_s}
        if not more:
            return share
        short |= more


def flow_ratios(
    phases: NodePhases, network: LaneNetwork, flow_per_s: FloatArray, saturation: SaturationParams
) -> list[float]:
    """Return for each phase its busiest road's flow relative to what the lanes let through."""
    ratios = []
    for members in phases.members:
        by_edge: dict[int, list[int]] = {}
        for m in members:
            by_edge.setdefault(int(network.from_edge[m]), []).append(m)
        ratios.append(
            max(
                float(flow_per_s[own].sum())
                / (_lanes(own, network) * saturation.per_s(approach_grade(network, edge)))
                for edge, own in by_edge.items()
            )
        )
    return ratios


def _lanes(movements: list[int], network: LaneNetwork) -> int:
    lanes: set[int] = set()
    for m in movements:
        lanes |= set(range(int(network.lane_low[m]), int(network.lane_high[m]) + 1))
    return len(lanes)


def approach_grade(network: LaneNetwork, edge: int) -> float:
    """Return the mean grade of the last metres of an edge."""
    road_map = network.road_map
    at = slice(int(road_map.first_point[edge]), int(road_map.first_point[edge + 1]))
    length_m = float(road_map.edge_length_m[edge])
    begin_m = max(length_m - APPROACH_M, 0.0)
    low_m, high_m = np.interp(
        [begin_m, length_m], road_map.point_offset_m[at], road_map.point_z_m[at]
    )
    rise_m, way_m = float(high_m - low_m), length_m - begin_m
    return rise_m / math.sqrt(max(way_m * way_m - rise_m * rise_m, 1e-9))
