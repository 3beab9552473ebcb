import numpy as np
from numpy.typing import NDArray

SIGHT_INTS: int
SIGHT_FLOATS: int

def neighbours(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    cell: NDArray[np.int32],
    cell_start: NDArray[np.int32],
    cell_node: NDArray[np.int32],
    n_cells_x: int,
    n_cells_y: int,
    reach_m: float,
    wrap_m: float,
    row_start: NDArray[np.int32],
    neighbour: NDArray[np.int32],
) -> None: ...
def replace_neighbours(
    old_start: NDArray[np.int32],
    old_neighbour: NDArray[np.int32],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    active: NDArray[np.uint8],
    replaced: NDArray[np.int32],
    fresh: NDArray[np.uint8],
    reach_m: float,
    wrap_m: float,
    new_start: NDArray[np.int32],
    new_neighbour: NDArray[np.int32],
    runs: NDArray[np.int32],
) -> tuple[int, int]: ...
def carry_runs(
    runs: NDArray[np.int32],
    n_runs: int,
    old: NDArray[np.uint8],
    new: NDArray[np.uint8],
    fill: NDArray[np.uint8],
) -> None: ...
def carry_positions(
    old_start: NDArray[np.int32],
    old_neighbour: NDArray[np.int32],
    new_start: NDArray[np.int32],
    new_neighbour: NDArray[np.int32],
    fresh: NDArray[np.uint8],
    source: NDArray[np.int32],
) -> None: ...
def classify_geometric(
    row_start: NDArray[np.int32],
    neighbour: NDArray[np.int32],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    z: NDArray[np.float32],
    cosine: NDArray[np.float32],
    sine: NDArray[np.float32],
    half_length: NDArray[np.float32],
    half_width: NDArray[np.float32],
    antenna_m: NDArray[np.float32],
    height_class: NDArray[np.int32],
    class_height_m: NDArray[np.float32],
    wrap_m: float,
    level_gap_m: float,
    max_grade: float,
    seen: NDArray[np.int32],
    distance: NDArray[np.float32],
    cursor: NDArray[np.int32],
    code: NDArray[np.uint8],
) -> None: ...
def classify_statistical(
    row_start: NDArray[np.int32],
    neighbour: NDArray[np.int32],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    antenna_m: NDArray[np.float32],
    identity: NDArray[np.uint32],
    key: int,
    p_los: NDArray[np.float32],
    step_m: float,
    wrap_m: float,
    tall_share: float,
    low_height_m: float,
    tall_height_m: float,
    code: NDArray[np.uint8],
) -> None: ...
def classify_corridors(
    row_start: NDArray[np.int32],
    neighbour: NDArray[np.int32],
    corridor_x: NDArray[np.int32],
    corridor_y: NDArray[np.int32],
    code: NDArray[np.uint8],
) -> None: ...
def obstruct(
    row_start: NDArray[np.int32],
    neighbour: NDArray[np.int32],
    obstacle: NDArray[np.uint8],
    cursor: NDArray[np.int32],
    code: NDArray[np.uint8],
) -> None: ...
def update(
    row_start: NDArray[np.int32],
    neighbour: NDArray[np.int32],
    position: NDArray[np.float32],
    moved: NDArray[np.float32],
    gain_db: NDArray[np.float32],
    identity: NDArray[np.uint32],
    key: int,
    tick: int,
    piece_start: NDArray[np.float32],
    piece_intercept: NDArray[np.float32],
    piece_slope: NDArray[np.float32],
    min_log2: NDArray[np.float32],
    sigma: NDArray[np.float32],
    decay: NDArray[np.float32],
    block_mean: NDArray[np.float32],
    block_sigma: NDArray[np.float32],
    range_m: float,
    wrap_m: float,
    word: NDArray[np.uint32],
    cursor: NDArray[np.int32],
    code: NDArray[np.uint8],
    extra: NDArray[np.float32],
    shadow: NDArray[np.float32],
    block: NDArray[np.float32],
    gain: NDArray[np.float32],
    distance: NDArray[np.float32],
) -> None: ...
def log2_of(x: NDArray[np.float32], out: NDArray[np.float32]) -> None: ...
def exp2_of(x: NDArray[np.float32], out: NDArray[np.float32]) -> None: ...
def normals(key: int, out: NDArray[np.float32]) -> None: ...
def uniforms(key: int, out: NDArray[np.float32]) -> None: ...
