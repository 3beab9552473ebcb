"""Which decks and walls of a map straight lines meet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.channel import deck
from v2x.channel.obstacle_map import ObstacleMap

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.int64]

#: Lines whose cross product with a wall is smaller run along it [m²].
_PARALLEL_M2 = 1e-9


def panels_of(obstacles: ObstacleMap, rows: IndexArray) -> deck.Panels:
    """Return some deck segments of a map as panels."""
    start = (obstacles.deck_x0_m, obstacles.deck_y0_m, obstacles.deck_z0_m)
    end = (obstacles.deck_x1_m, obstacles.deck_y1_m, obstacles.deck_z1_m)
    return deck.Panels(
        start_m=np.stack([column[rows] for column in start]),
        end_m=np.stack([column[rows] for column in end]),
        half_width_m=obstacles.deck_half_width_m[rows],
    )


def deck_crossings(
    obstacles: ObstacleMap, a_m: FloatArray, b_m: FloatArray
) -> tuple[IndexArray, IndexArray, FloatArray]:
    """Find which lines pierce which decks, and where.

    Parameters
    ----------
    obstacles
        The map.
    a_m, b_m : (3, n_lines) float64
        Ends of the lines [m].

    Returns
    -------
    line, panel : (n_crossings,) int64
        Line and deck segment, in ascending order.
    share : (n_crossings,) float64
        Share of the way from a to b at which the line passes through.
    """
    line, panel = obstacles.decks.candidates(a_m[0], a_m[1], b_m[0], b_m[1])
    share = deck.crossing_share(a_m[:, line], b_m[:, line], panels_of(obstacles, panel))
    pierced = ~np.isnan(share)
    return line[pierced], panel[pierced], share[pierced]


def wall_crossings(
    obstacles: ObstacleMap, a_m: FloatArray, b_m: FloatArray
) -> tuple[IndexArray, IndexArray, FloatArray, BoolArray]:
    """Find which lines cross which walls in plan.

    Parameters
    ----------
    obstacles
        The map.
    a_m, b_m : (3, n_lines) float64
        Ends of the lines [m].

    Returns
    -------
    line, wall : (n_crossings,) int64
        Line and wall, in ascending order.
    share : (n_crossings,) float64
        Share of the way from a to b at which they meet.
    below_roof : (n_crossings,) bool
        Whether the line is lower than the roof there.
    """
    line, wall = obstacles.walls.candidates(a_m[0], a_m[1], b_m[0], b_m[1])
    a, b = a_m[:, line], b_m[:, line]
    corner_x, corner_y = obstacles.wall_x0_m[wall], obstacles.wall_y0_m[wall]
    wall_x, wall_y = obstacles.wall_x1_m[wall] - corner_x, obstacles.wall_y1_m[wall] - corner_y
    line_x, line_y = b[0] - a[0], b[1] - a[1]
    # a + share * line = corner + wall_share * wall, by Cramer's rule.
    turn = line_x * wall_y - line_y * wall_x
    slanted = np.abs(turn) > _PARALLEL_M2
    turn = np.where(slanted, turn, 1.0)
    share = ((corner_x - a[0]) * wall_y - (corner_y - a[1]) * wall_x) / turn
    wall_share = ((corner_x - a[0]) * line_y - (corner_y - a[1]) * line_x) / turn
    meets = slanted & (share >= 0.0) & (share <= 1.0) & (wall_share >= 0.0) & (wall_share <= 1.0)
    below_roof = obstacles.wall_top_m[wall] > a[2] + share * (b[2] - a[2])
    return line[meets], wall[meets], share[meets], below_roof[meets]


def behind_walls(obstacles: ObstacleMap, a_m: FloatArray, b_m: FloatArray) -> BoolArray:
    """Return whether lines cross walls below their roofs, shape (n_lines,).

    Parameters
    ----------
    obstacles
        The map.
    a_m, b_m : (3, n_lines) float64
        Ends of the lines [m].
    """
    line, _, _, below_roof = wall_crossings(obstacles, a_m, b_m)
    return np.asarray(np.bincount(line[below_roof], minlength=a_m.shape[1]) > 0)
