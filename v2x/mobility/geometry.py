"""From edge, offset and lane to a point in space.

Right-hand traffic; lane 0 is the rightmost. Where the two directions of a street share one
polyline, it is the middle of the street and the lanes of each direction lie to its right.
A carriageway with a polyline of its own has half of its lanes on either side of it. The
*lateral* offset counts metres to the right of the polyline.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.world.geometry import twin_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap, Structure

#: At sharp corners a lane is drawn no farther out than this allows (1 + cosine of the turn).
SHARPEST = 0.3


class RoadGeometry:
    """Positions on the polylines of a map.

    Parameters
    ----------
    road_map
        The map.
    """

    def __init__(self, road_map: RoadMap) -> None:
        self.road_map = road_map
        n_points = len(road_map.point_x_m)
        first, last = road_map.first_point[:-1], road_map.first_point[1:] - 1
        self._first, self._last_piece = first, last - 1
        offset = road_map.point_offset_m
        step = np.ones(n_points)
        step[:-1] = np.diff(offset)
        step[last] = 1.0
        step[step <= 0.0] = 1.0
        self._slope = np.zeros((3, n_points))
        for row, values in enumerate((road_map.point_x_m, road_map.point_y_m, road_map.point_z_m)):
            self._slope[row, :-1] = np.diff(values) / step[:-1]
            self._slope[row, last] = self._slope[row, last - 1]
        run = np.sqrt(self._slope[0] ** 2 + self._slope[1] ** 2)
        run[run == 0.0] = 1.0
        along = self._slope[:2] / run
        self._heading = np.arctan2(along[1], along[0])
        # Unit vectors to the right of each piece, and where pieces meet, the mitre of both.
        self._right = np.stack([along[1], -along[0]])
        self._corner = self._right.copy()
        inner = np.setdiff1d(np.arange(n_points), np.concatenate([first, last]))
        self._corner[:, inner] = mitre(self._right[:, inner - 1], self._right[:, inner])
        # Offsets of all edges on one axis, a metre apart, for one search.
        length = road_map.edge_length_m
        self._base = np.concatenate([[0.0], np.cumsum(length[:-1] + 1.0)])
        points_per_edge = np.diff(road_map.first_point)
        self._axis = offset + np.repeat(self._base, points_per_edge)
        self._shared = twin_edges(road_map) >= 0
        self._west = float(road_map.point_x_m.min())

    def lane_lateral_m(self, edge: IntArray, lane: NDArray[np.integer]) -> FloatArray:
        """Return how far to the right of the polyline the middle of a lane lies [m].

        Parameters
        ----------
        edge, lane : (n,) int
            Edges and lanes.
        """
        lanes = self.road_map.edge_lanes[edge]
        from_left = lanes - lane - 0.5
        middle = np.where(self._shared[edge], 0.0, 0.5 * lanes)
        return np.asarray((from_left - middle) * self.road_map.lane_width_m)

    def lane_at(self, edge: IntArray, lateral_m: FloatArray) -> IntArray:
        """Return the lane at a lateral offset, the outermost one beyond the edge."""
        lanes = self.road_map.edge_lanes[edge]
        middle = np.where(self._shared[edge], 0.0, 0.5 * lanes)
        lane = np.ceil(lanes - middle - lateral_m / self.road_map.lane_width_m) - 1
        return np.asarray(np.clip(lane, 0, lanes - 1), dtype=np.int32)

    def position(
        self, edge: IntArray, offset_m: FloatArray, lateral_m: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return points on the road.

        Parameters
        ----------
        edge : (n,) int32
            Edges.
        offset_m, lateral_m : (n,) float64
            Distance along the edge, possibly a little beyond its ends, and to the right [m].

        Returns
        -------
        x_m, y_m, z_m, heading_rad : (n,) float64
            Position [m], in the first period of a wrap-around map, and direction of travel,
            counter-clockwise from east [rad].
        """
        road_map = self.road_map
        piece = np.searchsorted(self._axis, self._base[edge] + offset_m, side="right") - 1
        piece = np.clip(piece, self._first[edge], self._last_piece[edge])
        begin = road_map.point_offset_m[piece]
        done = offset_m - begin
        share = np.clip(done / (road_map.point_offset_m[piece + 1] - begin), 0.0, 1.0)
        near = self._corner[:, piece]
        across = lateral_m * (near + share * (self._corner[:, piece + 1] - near))
        x = road_map.point_x_m[piece] + done * self._slope[0, piece] + across[0]
        y = road_map.point_y_m[piece] + done * self._slope[1, piece] + across[1]
        z = road_map.point_z_m[piece] + done * self._slope[2, piece]
        return self.wrapped(x), y, z, self._heading[piece]

    def wrapped(self, x_m: FloatArray) -> FloatArray:
        """Return x [m] in the first period of a wrap-around map, as it is on any other."""
        period = self.road_map.wrap_length_m
        if not period:
            return x_m
        return np.asarray(x_m - np.floor((x_m - self._west) / period) * period)

    def corner_jump(
        self, edge: IntArray, onto: IntArray, lateral_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return by how much a lateral offset jumps between the end of an edge and another [m]."""
        change = self._right[:, self._last_piece[edge]] - self._right[:, self._first[onto]]
        return lateral_m * change[0], lateral_m * change[1]

    def level(self, edge: IntArray) -> IntArray:
        """Return the deck level, 0 off the road."""
        if not len(self.road_map.edge_level):
            return np.zeros_like(edge)
        return np.where(edge >= 0, self.road_map.edge_level[edge], 0).astype(np.int32)

    def tunnel(self, edge: IntArray) -> IntArray:
        """Return the edge itself where it is a tunnel, else -1."""
        bore = self.road_map.edge_structure == Structure.TUNNEL
        return np.where((edge >= 0) & bore[edge], edge, -1).astype(np.int32)


def mitre(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the vector to the corner of two unit offsets, both (2, n); limited if sharp."""
    turn = np.maximum(1.0 + (one * other).sum(axis=0), SHARPEST)
    return np.asarray((one + other) / turn)
