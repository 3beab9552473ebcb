"""Which road somebody is on, and who drives ahead, from positions alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState, NodeKind
from v2x.world.road_map import FloatArray, IntArray, RoadMap

#: Rows of the values that a sample has.
X, Y, Z, SPEED, HEADING, LANE = range(6)
#: A road user farther than this from every road is off the road [m].
ON_ROAD_M = 20.0
#: Where lanes are not known to be the same, a leader is looked for within this distance [m].
VIEW_M = 100.0
#: Roads one above the other are told apart by this difference in height [m].
DECK_M = 3.0
#: Distance between the points that stand for a road [m].
_ROAD_STEP_M = 5.0
#: Distance that a road in the opposite direction counts as farther away [m].
_OPPOSITE_M = 40.0
#: Distance that a metre of height counts, where heights are recorded [m].
_HEIGHT_WEIGHT = 3.0


class Roads:
    """Finds the road under a position.

    Roads are stood for by points 5 m apart in a space of position, direction and, on request,
    height; the nearest of them names a piece of a polyline, onto which the position is
    projected.

    Parameters
    ----------
    road_map
        The map.
    by_height
        Whether heights tell roads apart.
    """

    def __init__(self, road_map: RoadMap, by_height: bool) -> None:
        from scipy.spatial import cKDTree

        self._by_height = by_height
        xyz = np.stack([road_map.point_x_m, road_map.point_y_m, road_map.point_z_m])
        begin = np.delete(np.arange(xyz.shape[1]), road_map.first_point[1:] - 1)
        step = xyz[:, begin + 1] - xyz[:, begin]
        self._edge: IntArray = np.repeat(
            np.arange(road_map.n_edges, dtype=np.int32), np.diff(road_map.first_point) - 1
        )
        self._begin, self._step = xyz[:, begin], step
        self._run_m = np.maximum(np.hypot(step[0], step[1]), 1e-9)
        self._offset_m = road_map.point_offset_m[begin]
        self._length_m = road_map.point_offset_m[begin + 1] - self._offset_m
        parts = np.maximum(1, np.ceil(self._length_m / _ROAD_STEP_M)).astype(np.int64)
        self._piece = np.repeat(np.arange(len(begin)), parts)
        rank = np.arange(len(self._piece)) - np.repeat(np.cumsum(parts) - parts, parts)
        at = self._begin[:, self._piece] + (rank + 0.5) / parts[self._piece] * step[:, self._piece]
        heading = np.arctan2(step[1], step[0])[self._piece]
        self._tree = cKDTree(self._features(at[0], at[1], at[2], heading))

    def _features(
        self, x: FloatArray, y: FloatArray, z: FloatArray, heading: FloatArray
    ) -> FloatArray:
        weight = 0.5 * _OPPOSITE_M
        columns = [x, y, weight * np.cos(heading), weight * np.sin(heading)]
        return np.stack([*columns, _HEIGHT_WEIGHT * z] if self._by_height else columns, axis=1)

    def match(self, value: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
        """Return edges (-1 off the road), offsets along them and to the right of them [m]."""
        x, y = value[X], value[Y]
        _, nearest = self._tree.query(self._features(x, y, value[Z], value[HEADING]))
        piece = self._piece[nearest]
        along = self._step[:2, piece] / self._run_m[piece]
        dx, dy = x - self._begin[0, piece], y - self._begin[1, piece]
        run = self._run_m[piece]
        done = np.clip(dx * along[0] + dy * along[1], 0.0, run)
        away = np.hypot(dx - done * along[0], dy - done * along[1])
        on = away <= ON_ROAD_M
        offset = self._offset_m[piece] + done / run * self._length_m[piece]
        lateral = dx * along[1] - dy * along[0]
        edge = np.where(on, self._edge[piece], -1).astype(np.int32)
        return edge, np.where(on, offset, 0.0), np.where(on, lateral, 0.0)


def leaders(state: FleetState, road_map: RoadMap) -> tuple[IntArray, FloatArray]:
    """Return who drives ahead of whom, judged by position.

    The leader is the next vehicle in the same lane of the same edge. Failing that it is the
    nearest one off that edge within 100 m, on the same deck, in about the same direction
    (within 60°) and not farther aside than half a lane: across the joint of two edges, and off
    the road. So in a bend a leader beyond the joint may be missed. Persons and two-wheelers
    neither lead nor follow.

    Parameters
    ----------
    state
        Everybody, with leaders still unknown.
    road_map
        Lane width and period.

    Returns
    -------
    leader : (n_rows,) int32
        Row of the leader, -1 without one.
    gap_m : (n_rows,) float64
        Bumper-to-bumper distance [m], infinite without a leader.
    """
    leader = np.full(state.n_rows, -1, dtype=np.int32)
    gap = np.full(state.n_rows, np.inf)
    drives = state.active & (state.kind <= NodeKind.BUS)
    on = np.flatnonzero(drives & (state.edge >= 0))
    order = on[np.lexsort((state.offset_m[on], state.lane[on], state.edge[on]))]
    behind, ahead = order[:-1], order[1:]
    same = state.edge[behind] == state.edge[ahead]
    same &= state.lane[behind] == state.lane[ahead]
    behind, ahead = behind[same], ahead[same]
    leader[behind] = ahead
    gap[behind] = state.offset_m[ahead] - state.length_m[ahead] - state.offset_m[behind]

    behind, ahead, along = _straight_ahead(state, np.flatnonzero(drives), road_map)
    open_road = leader[behind] < 0
    behind, ahead, along = behind[open_road], ahead[open_road], along[open_road]
    order = np.lexsort((ahead, along, behind))
    behind, first = np.unique(behind[order], return_index=True)
    ahead, along = ahead[order[first]], along[order[first]]
    leader[behind] = ahead
    gap[behind] = along - 0.5 * (state.length_m[behind] + state.length_m[ahead])
    return leader, gap


def _straight_ahead(
    state: FleetState, row: NDArray[np.int64], road_map: RoadMap
) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """Return pairs of rows, one straight ahead of the other on another edge, and how far [m]."""
    from scipy.spatial import cKDTree

    period = road_map.wrap_length_m
    x = state.x_m[row] - float(road_map.point_x_m.min())
    if period:
        x[x >= period] = 0.0  # where rounding put a wrapped position onto the end
    tree = cKDTree(np.stack([x, state.y_m[row]], axis=1), boxsize=np.array([period, 0.0]))
    pairs = row[tree.query_pairs(VIEW_M, output_type="ndarray")]
    behind, ahead = np.concatenate([pairs, pairs[:, ::-1]]).T
    dx, dy = state.x_m[ahead] - state.x_m[behind], state.y_m[ahead] - state.y_m[behind]
    if period:
        dx -= period * np.round(dx / period)
    cos, sin = np.cos(state.heading_rad[behind]), np.sin(state.heading_rad[behind])
    along, aside = dx * cos + dy * sin, np.abs(dx * sin - dy * cos)
    fits = (along > 0.0) & (aside <= 0.5 * road_map.lane_width_m)
    fits &= np.cos(state.heading_rad[ahead] - state.heading_rad[behind]) > 0.5
    fits &= state.level[ahead] == state.level[behind]
    fits &= np.abs(state.z_m[ahead] - state.z_m[behind]) < DECK_M
    fits &= (state.edge[ahead] != state.edge[behind]) | (state.edge[behind] < 0)
    return behind[fits], ahead[fits], along[fits]
