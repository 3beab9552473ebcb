import numpy as np
from numpy.typing import NDArray

class ContentionChannel:
    def __init__(
        self,
        *,
        slot_us: int,
        sensing_us: int,
        interframe_us: NDArray[np.int32],
        window: NDArray[np.int32],
        preamble_busy_mw: float,
        energy_busy_mw: float,
        above_mw: float,
        noise_mw: float,
        sensitivity_mw: float,
        preamble_sinr: float,
        capture_ratio: float,
        preamble_us: int,
        header_us: int,
        header_curve: NDArray[np.float32],
        data_curve: NDArray[np.float32],
        data_key: int,
        header_key: int,
        backoff_key: int,
        bin_width_m: float,
        awareness_m: float,
        memory_us: int,
        counted_from_us: int,
    ) -> None: ...
    def bind_nodes(
        self,
        word: NDArray[np.uint32],
        flags: NDArray[np.uint8],
        power_mw: NDArray[np.float32],
        station: NDArray[np.void],
        queue: NDArray[np.int32],
        contending: NDArray[np.int32],
        on_air: NDArray[np.int32],
        starting: NDArray[np.int32],
    ) -> None: ...
    def bind_links(
        self,
        row_start: NDArray[np.int32],
        neighbour: NDArray[np.int32],
        gain: NDArray[np.float32],
        distance: NDArray[np.float32],
        last_slot: NDArray[np.int32],
        last_generated: NDArray[np.int64],
        last_heard: NDArray[np.int64],
    ) -> None: ...
    def bind_packets(
        self,
        generated_us: NDArray[np.int64],
        deadline_us: NDArray[np.int64],
        air_us: NDArray[np.int64],
        weight: NDArray[np.float32],
        first_us: NDArray[np.int64],
        last_us: NDArray[np.int64],
        n_attempts: NDArray[np.int32],
        n_subchannels: NDArray[np.int32],
        n_intended: NDArray[np.int32],
        n_received: NDArray[np.int32],
        n_received_first: NDArray[np.int32],
        resolved: NDArray[np.uint8],
    ) -> None: ...
    def bind_topics(self, topic: NDArray[np.int32], deliveries: NDArray[np.int64]) -> None: ...
    @property
    def n_deliveries(self) -> int: ...
    def clear_deliveries(self) -> None: ...
    def bind_fates(
        self,
        fates: NDArray[np.uint64],
        recent: NDArray[np.int32],
        n_finished: NDArray[np.int64],
    ) -> None: ...
    def bind_counts(self, counts: NDArray[np.int64], gaps: NDArray[np.int64]) -> None: ...
    def settle(self, now_us: int) -> None: ...
    def run(
        self,
        arrival_us: NDArray[np.int64],
        node: NDArray[np.int32],
        packet: NDArray[np.int32],
        queue: NDArray[np.int32],
        until_us: int,
    ) -> None: ...
    def take_load(self, now_us: int, since_us: int, ratio: NDArray[np.float64]) -> None: ...
    def forget(self, node: int, now_us: int) -> None: ...
    def drop(self, node: int, packet: int) -> None: ...
