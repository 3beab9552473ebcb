"""Sizes of the synthetic maps, as a scenario's ``world`` section gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HighwayMap:
    """Straight highway of TR 36.885 A.1.2, open or closed to a ring.

    Parameters
    ----------
    length_m
        Length [m]; TR 36.885 A.1.2 asks for at least 2000.
    lanes_per_direction
        Lanes in each direction.
    lane_width_m
        Width of a lane [m] (TR 36.885 A.1.2).
    directions
        1 for a one-way road, 2 for both ways.
    limit_kmh
        Speed limit [km/h].
    wrap
        Whether the end joins the beginning, so that no vehicle is near an edge.
    """

    length_m: float = 2000.0
    lanes_per_direction: int = 3
    lane_width_m: float = 4.0
    directions: int = 2
    limit_kmh: float = 140.0
    wrap: bool = False

    def __post_init__(self) -> None:
        """Reject roads that cannot be driven."""
        _check_positive(self, "length_m", "lane_width_m", "limit_kmh")
        _check_lanes(self.lanes_per_direction)
        if self.directions not in (1, 2):
            raise ValueError(f"directions must be 1 or 2, got {self.directions}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManhattanMap:
    """Street grid of TR 36.885 A.1.2.

    Parameters
    ----------
    blocks_x, blocks_y
        Blocks from west to east and from south to north.
    block_x_m, block_y_m
        Size of a block, from street centre to street centre [m] (TR 36.885 A.1.2).
    lanes_per_direction
        Lanes in each direction.
    lane_width_m
        Width of a lane [m] (TR 36.885 A.1.2).
    limit_kmh
        Speed limit [km/h].
    """

    blocks_x: int = 3
    blocks_y: int = 3
    block_x_m: float = 433.0
    block_y_m: float = 250.0
    lanes_per_direction: int = 2
    lane_width_m: float = 3.5
    limit_kmh: float = 60.0

    def __post_init__(self) -> None:
        """Reject grids without streets."""
        _check_positive(self, "block_x_m", "block_y_m", "lane_width_m", "limit_kmh")
        _check_lanes(self.lanes_per_direction)
        if min(self.blocks_x, self.blocks_y) < 1:
            raise ValueError(f"blocks_x must be at least 1, got {self.blocks_x}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JunctionMap:
    """Single junction of two roads.

    Parameters
    ----------
    arm_m
        Length of each of the four arms [m].
    lanes_per_direction
        Lanes in each direction.
    lane_width_m
        Width of a lane [m].
    limit_kmh
        Speed limit [km/h].
    """

    arm_m: float = 300.0
    lanes_per_direction: int = 1
    lane_width_m: float = 3.5
    limit_kmh: float = 50.0

    def __post_init__(self) -> None:
        """Reject roads that cannot be driven."""
        _check_positive(self, "arm_m", "lane_width_m", "limit_kmh")
        _check_lanes(self.lanes_per_direction)


@dataclass(frozen=True, slots=True, kw_only=True)
class HillArterialMap:
    """Arterial with a row of traffic lights on a constant grade, and side streets.

    Parameters
    ----------
    n_signals
        Junctions with lights.
    spacing_m
        Distance between them [m].
    grade
        Rise over run of the arterial towards the east; the other direction has the opposite.
    lanes_per_direction
        Lanes of the arterial between junctions; two more, one for each turn, before them.
    lane_width_m
        Width of a lane [m].
    limit_kmh
        Speed limit of the arterial [km/h].
    side_m
        Length of the side streets on either side [m].
    """

    n_signals: int = 6
    spacing_m: float = 350.0
    grade: float = 0.06
    lanes_per_direction: int = 2
    lane_width_m: float = 3.5
    limit_kmh: float = 50.0
    side_m: float = 200.0

    def __post_init__(self) -> None:
        """Reject streets that cannot be driven."""
        _check_positive(self, "spacing_m", "lane_width_m", "limit_kmh", "side_m")
        _check_lanes(self.lanes_per_direction)
        if not 1 <= self.n_signals <= 60:
            raise ValueError(f"n_signals must be within 1 and 60, got {self.n_signals}")
        if not -0.15 <= self.grade <= 0.15:
            raise ValueError(f"grade must be within -0.15 and 0.15, got {self.grade}")
        if self.spacing_m < 240.0 or self.side_m < 80.0:
            raise ValueError(
                f"spacing_m must be at least 240 and side_m 80, "
                f"got {self.spacing_m} and {self.side_m}"
            )


SYNTHETIC_MAPS: Mapping[str, type] = {
    "highway": HighwayMap,
    "manhattan": ManhattanMap,
    "junction": JunctionMap,
    "hill-arterial": HillArterialMap,
}


def _check_positive(params: object, *names: str) -> None:
    for name in names:
        if not getattr(params, name) > 0:
            raise ValueError(f"{name} must be > 0, got {getattr(params, name)}")


def _check_lanes(lanes_per_direction: int) -> None:
    if not 1 <= lanes_per_direction <= 12:
        raise ValueError(f"lanes_per_direction must be within 1 and 12, got {lanes_per_direction}")
