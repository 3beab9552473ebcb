import numpy as np
from numpy.typing import NDArray

PAIR_COLUMNS: int
VALUE_COLUMNS: int

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
