import numpy as np
from numpy.typing import NDArray

class UuClock:
    def __init__(
        self,
        *,
        slot_us: int,
        uplink_wait: NDArray[np.int32],
        downlink_wait: NDArray[np.int32],
        occasion: NDArray[np.int32],
        occasion_period_us: int,
        dynamic: bool,
        request_us: float,
        control_us: float,
        base_us: float,
        prepare_us: float,
        decode_us: float,
        max_retransmissions: int,
        key: int,
    ) -> None: ...
    @property
    def slot_us(self) -> int: ...
    @property
    def occasion_period_us(self) -> int: ...
    @property
    def max_retransmissions(self) -> int: ...
    @property
    def dynamic(self) -> bool: ...
    def uplink(
        self,
        generated_us: NDArray[np.int64],
        sender: NDArray[np.uint32],
        available_us: NDArray[np.int64],
        n_slots: NDArray[np.int32],
        busy: NDArray[np.float64],
        queue_mean_us: NDArray[np.float64],
        overload: NDArray[np.float64],
        error: NDArray[np.float64],
        parts: NDArray[np.float64],
        outcome: NDArray[np.uint8],
    ) -> None: ...
    def downlink(
        self,
        generated_us: NDArray[np.int64],
        sender: NDArray[np.uint32],
        before: NDArray[np.float64],
        packet: NDArray[np.int32],
        receiver: NDArray[np.uint32],
        available_us: NDArray[np.int64],
        crosses: NDArray[np.uint8],
        n_slots: NDArray[np.int32],
        busy: NDArray[np.float64],
        queue_mean_us: NDArray[np.float64],
        overload: NDArray[np.float64],
        error: NDArray[np.float64],
        *,
        up_us: float,
        down_us: float,
        across_us: float,
        internet_us: float,
        internet_sigma: float,
        compute_us: float,
        compute_sigma: float,
        parts: NDArray[np.float64],
        outcome: NDArray[np.uint8],
    ) -> None: ...
    def relay(
        self,
        generated_us: NDArray[np.int64],
        sender: NDArray[np.uint32],
        packet: NDArray[np.int32],
        relay_word: NDArray[np.uint32],
        *,
        first_us: float,
        span_us: float,
        air_us: float,
        processing_us: float,
        transport_us: float,
        compute_us: float,
        compute_sigma: float,
        parts: NDArray[np.float64],
    ) -> None: ...
