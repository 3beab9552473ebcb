import numpy as np
from numpy.typing import NDArray

class Grid:
    def __init__(
        self,
        *,
        west_m: float,
        south_m: float,
        cell_m: float,
        n_columns: int,
        n_rows: int,
        first_item: NDArray[np.int32],
        item: NDArray[np.int32],
    ) -> None: ...

class ObstacleTracer:
    def __init__(
        self,
        *,
        height: NDArray[np.float32],
        water: NDArray[np.uint8],
        west_m: float,
        south_m: float,
        step_m: float,
        decks: NDArray[np.float64],
        deck_grid: Grid,
        deck_range: NDArray[np.float64],
        walls: NDArray[np.float64],
        wall_grid: Grid,
        portals: NDArray[np.float64],
        portal_tube: NDArray[np.int32],
        slab_db: NDArray[np.float64],
        reflection: NDArray[np.float64],
        heights: NDArray[np.float64],
        seen: NDArray[np.int32],
        carrier_ghz: float,
        terrain_method: int,
        deygout_c_db: float,
        deck_cap_db: float,
        tunnel_exponent: float,
        tunnel_bend_db_per_m: float,
        mouth_m: float,
        on_axis_db: float,
        off_axis_low_db: float,
        off_axis_high_db: float,
        water_limit_db: float,
        air_db_per_m: float,
        beamwidth_deg: float,
        downtilt_deg: float,
        side_lobe_db: float,
    ) -> None: ...
    def ground(
        self, x: NDArray[np.float32], y: NDArray[np.float32], out: NDArray[np.float64]
    ) -> None: ...
    def judge(
        self,
        row_start: NDArray[np.int32],
        neighbour: NDArray[np.int32],
        position: NDArray[np.float32],
        ground: NDArray[np.float64],
        tube: NDArray[np.int32],
        axis: NDArray[np.float64],
        width: NDArray[np.float64],
        pattern: NDArray[np.uint8],
        stale: NDArray[np.uint8],
        range_m: float,
        obstacle: NDArray[np.uint8],
        extra: NDArray[np.float32],
    ) -> int: ...
