import numpy as np
from numpy.typing import NDArray

def sample_ages(
    row_start: NDArray[np.int32],
    neighbour: NDArray[np.int32],
    distance: NDArray[np.float32],
    flags: NDArray[np.uint8],
    awareness_m: float,
    now_us: int,
    count: bool,
    last_slot: NDArray[np.int32],
    last_generated: NDArray[np.int64],
    ages: NDArray[np.int64],
) -> None: ...
def count_known(
    row_start: NDArray[np.int32],
    neighbour: NDArray[np.int32],
    distance: NDArray[np.float32],
    flags: NDArray[np.uint8],
    last_slot: NDArray[np.int32],
    road: NDArray[np.int32],
    to_end: NDArray[np.float32],
    route_start: NDArray[np.int32],
    route_node: NDArray[np.int32],
    route_m: NDArray[np.float32],
    awareness_m: float,
    bin_width_m: float,
    since_slot: int,
    relay: bool,
    linked: bool,
    told: NDArray[np.int32],
    hears: NDArray[np.uint8],
    known: NDArray[np.int64],
) -> None: ...
def count_states(
    row_start: NDArray[np.int32],
    code: NDArray[np.uint8],
    distance: NDArray[np.float32],
    max_distance_m: float,
    states: NDArray[np.int64],
) -> None: ...
