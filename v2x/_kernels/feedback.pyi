import numpy as np
from numpy.typing import NDArray

ASKED_COLUMNS: int
ANSWER_COLUMNS: int
VERDICT_COLUMNS: int
TALLY_COLUMNS: int
N_STATE: int

class FeedbackChannel:
    def __init__(
        self,
        *,
        period: int,
        gap: int,
        blocks_each: int,
        shifts: NDArray[np.int32],
        all_subchannels: bool,
        nack_only: bool,
        ties_send: bool,
        most_sent: int,
        power_mw: float,
        noise_mw: float,
        threshold: float,
        shifts_per_m: float,
        shift_offset: float,
        fades: NDArray[np.uint8],
        key: int,
        state: NDArray[np.int32],
        head: NDArray[np.int32],
    ) -> None: ...
    def bind_nodes(self, word: NDArray[np.uint32], expected: NDArray[np.int32]) -> None: ...
    def bind_links(
        self,
        row_start: NDArray[np.int32],
        neighbour: NDArray[np.int32],
        gain: NDArray[np.float32],
        distance: NDArray[np.float32],
        code: NDArray[np.uint8],
    ) -> None: ...
    def bind_queues(self, asked: NDArray[np.int32], answers: NDArray[np.int32]) -> None: ...
    @property
    def lengths(self) -> tuple[int, int]: ...
    @property
    def next_occasion(self) -> int: ...
    def ask(
        self, slot: int, transmissions: NDArray[np.void], heard: NDArray[np.int32], n_heard: int
    ) -> None: ...
    def forget(self, node: int) -> None: ...
    def conclude(
        self, slot: int, verdicts: NDArray[np.int32], tallies: NDArray[np.int32]
    ) -> int: ...
