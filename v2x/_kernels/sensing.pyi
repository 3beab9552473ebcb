import numpy as np
from numpy.typing import NDArray

class CandidateSelector:
    def __init__(
        self,
        history: NDArray[np.int32],
        history_power: NDArray[np.float32],
        *,
        noise_mw: float,
        thresholds_dbm: NDArray[np.float32],
        periods_slots: NDArray[np.int32],
        step_slots: int,
        keep_ratio: float,
        key: int,
        sensing_slots: int = 0,
        lag_slots: int = 0,
        scale_by_window: bool = False,
        waive_unheard: bool = False,
        longest_slots: int = 0,
        further: NDArray[np.uint16] | None = None,
        urgency: NDArray[np.int32] | None = None,
        monitored: NDArray[np.int32] | None = None,
        in_part: NDArray[np.uint8] | None = None,
        least_gap: int = 1,
        excess: NDArray[np.float32],
        energy: NDArray[np.float32],
        tie: NDArray[np.uint32],
        order: NDArray[np.int32],
    ) -> None: ...
    @property
    def n_candidates(self) -> int: ...
    @property
    def n_remaining(self) -> int: ...
    @property
    def n_selected(self) -> int: ...
    @property
    def n_raises(self) -> int: ...
    def select(
        self,
        node: int,
        identity: int,
        slot: int,
        t1: int,
        t2: int,
        length: int,
        period: int,
        n_periods: int,
        priority: int,
        retransmission_reach: int,
        busy: NDArray[np.int32],
        chosen: NDArray[np.int32],
        candidates: NDArray[np.uint8],
    ) -> None: ...
    def select_any(
        self,
        node: int,
        identity: int,
        slot: int,
        t1: int,
        t2: int,
        length: int,
        period: int,
        n_periods: int,
        priority: int,
        reach: int,
        span: int,
        busy: NDArray[np.int32],
        chosen: NDArray[np.int32],
        n_fixed: int,
        n_wanted: int,
        candidates: NDArray[np.uint8],
        barred: NDArray[np.uint8] | None = None,
        n_least: int = 1,
    ) -> int: ...
    def review(
        self,
        slot: int,
        t1: int,
        n_periods: int,
        preemption_level: int,
        requests: NDArray[np.int32],
        n_requests: int,
        lost: NDArray[np.int32],
    ) -> int: ...

def busy_ratio(
    history: NDArray[np.int32],
    history_power: NDArray[np.float32],
    slot: int,
    n_slots: int,
    threshold_mw: float,
    active: NDArray[np.uint8],
    ratio: NDArray[np.float64],
) -> None: ...
