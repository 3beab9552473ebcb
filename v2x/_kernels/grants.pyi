import numpy as np
from numpy.typing import NDArray

N_STATE: int
N_ENTRIES: int
REVIEW_COLUMNS: int
N_PLACES: int

class GrantBook:
    def __init__(
        self,
        *,
        n_nodes: int,
        horizon: int,
        keep_probability: float,
        counter_low: int,
        counter_high: int,
        reselect_after: int,
        key: int,
        slot_us: int,
        state: NDArray[np.int32],
        places: NDArray[np.int32],
        head: NDArray[np.int32],
        calendar: NDArray[np.int32],
        max_reserve: int = 2,
        look_back: bool = True,
        review_slots: int = 0,
    ) -> None: ...
    @property
    def n_nodes(self) -> int: ...
    @property
    def horizon(self) -> int: ...
    @property
    def max_attempts(self) -> int: ...
    def bind_nodes(self, word: NDArray[np.uint32]) -> None: ...
    def forget(self, node: int) -> int: ...
    def offer(
        self, node: int, packet: int, slot: int, deadline: int, priority: int
    ) -> tuple[int, bool]: ...
    def grant(
        self,
        node: int,
        slot: int,
        first: int,
        length: int,
        period: int,
        other_slot: int,
        other_first: int,
    ) -> None: ...
    def grant_many(
        self, node: int, resources: NDArray[np.int32], n: int, length: int, period: int
    ) -> None: ...
    def busy_slot(self, node: int) -> int: ...
    def busy_slots(self, node: int, repeating: bool, out: NDArray[np.int32]) -> None: ...
    def reviews(self, slot: int, reach: int, out: NDArray[np.int32]) -> int: ...
    def plan_reviews(self, slot: int) -> None: ...
    def remaining(self, node: int, repeating: bool, resources: NDArray[np.int32]) -> int: ...
    def last_slot_of(self, node: int, repeating: bool) -> int: ...
    def move(self, node: int, repeating: bool, resources: NDArray[np.int32], n: int) -> None: ...
    def transmissions(
        self, slot: int, out: NDArray[np.void], dropped: NDArray[np.int32]
    ) -> tuple[int, int]: ...
    def next_due(self, slot: int, limit: int) -> int: ...
