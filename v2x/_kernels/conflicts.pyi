import numpy as np
from numpy.typing import NDArray

MOTION_COLUMNS: int
PLACE_COLUMNS: int
PAIR_COLUMNS: int
VALUE_COLUMNS: int
TRAIL_COLUMNS: int
CROSSER_COLUMNS: int
TIME_COLUMNS: int

def fill_scene(
    row: NDArray[np.int32],
    identity: NDArray[np.int64],
    kind: NDArray[np.int32],
    x_m: NDArray[np.float64],
    y_m: NDArray[np.float64],
    z_m: NDArray[np.float64],
    heading_rad: NDArray[np.float64],
    cosine: NDArray[np.float64],
    sine: NDArray[np.float64],
    speed_mps: NDArray[np.float64],
    acceleration_mps2: NDArray[np.float64],
    edge: NDArray[np.int32],
    lane: NDArray[np.int32],
    offset_m: NDArray[np.float64],
    level: NDArray[np.int32],
    length_m: NDArray[np.float64],
    width_m: NDArray[np.float64],
    height_m: NDArray[np.float64],
    leader: NDArray[np.int32],
    gap_m: NDArray[np.float64],
    last_identity: NDArray[np.int64],
    last_x_m: NDArray[np.float64],
    last_y_m: NDArray[np.float64],
    last_heading_rad: NDArray[np.float64],
    step_s: float,
    period_m: float,
    sideways_mps: float,
    corner_rad: float,
    corner_m: float,
    last_wheeled_kind: int,
    open_friction: float,
    roads: NDArray[np.int32],
    surface: NDArray[np.float64],
    first_point: NDArray[np.int32],
    point_offset_m: NDArray[np.float64],
    point_grade: NDArray[np.float64],
    drift_mps: NDArray[np.float64],
    compact: NDArray[np.int32],
    motion: NDArray[np.float64],
    place: NDArray[np.int32],
    grade: NDArray[np.float64],
    friction: NDArray[np.float64],
) -> None: ...
def find_pairs(
    motion: NDArray[np.float64],
    place: NDArray[np.int32],
    horizon_s: float,
    modified_s: float,
    beside_m: float,
    west_m: float,
    south_m: float,
    cell_m: float,
    columns: int,
    rows: int,
    period_m: float,
    head: NDArray[np.int32],
    following: NDArray[np.int32],
    reach: NDArray[np.float64],
    pairs: NDArray[np.int32],
    values: NDArray[np.float64],
) -> int: ...

class Trails:
    def __init__(
        self,
        *,
        n_rows: int,
        n_ticks: int,
        tick_s: float,
        west_m: float,
        south_m: float,
        cell_m: float,
        columns: int,
        rows: int,
        period_m: float,
        head: NDArray[np.int32],
        trail: NDArray[np.int32],
        history: NDArray[np.float64],
        identity: NDArray[np.int64],
        noted: NDArray[np.float64],
    ) -> None: ...
    def observe(
        self,
        identity: NDArray[np.int64],
        row: NDArray[np.int32],
        motion: NDArray[np.float64],
        place: NDArray[np.int32],
        crossers: NDArray[np.int32],
        times: NDArray[np.float64],
    ) -> int: ...
