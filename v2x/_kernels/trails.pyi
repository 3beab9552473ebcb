import numpy as np
from numpy.typing import NDArray

TRAIL_COLUMNS: int
CROSSER_COLUMNS: int
TIME_COLUMNS: int

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
