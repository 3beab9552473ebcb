import numpy as np
from numpy.typing import NDArray

def keep_members(
    row_start: NDArray[np.int32],
    neighbour: NDArray[np.int32],
    distance: NDArray[np.float32],
    road_user: NDArray[np.uint8],
    changed: NDArray[np.uint8],
    ahead: NDArray[np.int32],
    range_m: float,
    members: NDArray[np.int32],
) -> None: ...
def address_members(
    row_start: NDArray[np.int32],
    neighbour: NDArray[np.int32],
    road_user: NDArray[np.uint8],
    members: NDArray[np.int32],
    intended: NDArray[np.uint8],
    responds: NDArray[np.uint8],
    expected: NDArray[np.int32],
) -> None: ...
def address_range(
    row_start: NDArray[np.int32],
    neighbour: NDArray[np.int32],
    distance: NDArray[np.float32],
    road_user: NDArray[np.uint8],
    x_m: NDArray[np.float64],
    y_m: NDArray[np.float64],
    wrap_m: float,
    zone_m: float,
    range_m: float,
    intended: NDArray[np.uint8],
    responds: NDArray[np.uint8],
    expected: NDArray[np.int32],
) -> None: ...
