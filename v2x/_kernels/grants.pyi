import numpy as np
from numpy.typing import NDArray

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
        head: NDArray[np.int32],
        after: NDArray[np.int32],
        due: NDArray[np.int32],
    ) -> None: ...
    @property
    def n_nodes(self) -> int: ...
    @property
    def horizon(self) -> int: ...
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
    def busy_slot(self, node: int) -> int: ...
    def transmissions(
        self, slot: int, out: NDArray[np.void], dropped: NDArray[np.int32]
    ) -> tuple[int, int]: ...
    def next_due(self, slot: int, limit: int) -> int: ...
