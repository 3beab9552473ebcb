"""Points that stand for roads, where a whole road would be too long to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.world.carriageways import Carriageway, carriageways, on_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap
from v2x.world.tubes import find_tubes


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadSamples:
    """Points that stand for the roads; of the two directions of a street only one is there.

    Attributes
    ----------
    x_m, y_m, z_m : (n_samples,) float64
        Points on the road [m], carriageway by carriageway in the order of driving.
    heading_rad : (n_samples,) float64
        Direction of the road [rad].
    edge, tube : (n_samples,) int32
        Edge, and tunnel tube or -1.
    length_m : (n_samples,) float64
        Length of road that the point stands for [m].
    line : (n_samples,) int32
        Carriageway.
    """

    x_m: FloatArray
    y_m: FloatArray
    z_m: FloatArray
    heading_rad: FloatArray
    edge: IntArray
    tube: IntArray
    length_m: FloatArray
    line: IntArray

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for name in self.__slots__:
            getattr(self, name).flags.writeable = False

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.edge)


def sample_roads(road_map: RoadMap, spacing_m: float) -> RoadSamples:
    """Return points about `spacing_m` apart on all carriageways, at least one on each."""
    edge_tube = find_tubes(road_map).edge_tube
    lines = carriageways(road_map, edge_tube)
    parts = [_line_samples(number, line, spacing_m) for number, line in enumerate(lines)]
    edge = np.concatenate([part[0] for part in parts])
    place, along = on_edges(road_map, edge, np.concatenate([part[1] for part in parts]))
    return RoadSamples(
        x_m=place[0],
        y_m=place[1],
        z_m=place[2],
        heading_rad=np.arctan2(along[1], along[0]),
        edge=edge,
        tube=edge_tube[edge],
        length_m=np.concatenate([part[2] for part in parts]),
        line=np.concatenate([part[3] for part in parts]),
    )


def _line_samples(
    number: int, line: Carriageway, spacing_m: float
) -> tuple[IntArray, FloatArray, FloatArray, IntArray]:
    """Return edge, offset, length and carriageway of the points of one carriageway."""
    n = max(1, round(line.length_m / spacing_m))
    step_m = line.length_m / n
    along_m = ((np.arange(n) + 0.5) * step_m).astype(np.float64)
    edge, offset_m = line.at(along_m)
    return edge, offset_m, np.full(n, step_m), np.full(n, number, dtype=np.int32)
