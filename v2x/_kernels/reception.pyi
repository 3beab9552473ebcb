import numpy as np
from numpy.typing import NDArray

CURVE_FIRST_LOG2: int
CURVE_PER_OCTAVE: int
CURVE_POINTS: int

class SlotReceiver:
    def __init__(
        self,
        *,
        n_subchannels: int,
        window: int,
        profile: NDArray[np.float32],
        data_share: NDArray[np.float32],
        control_share: NDArray[np.float32],
        data_rb: float,
        control_rb: float,
        noise_mw: float,
        sensitivity_mw: float,
        power_mw: float,
        curves: NDArray[np.float32],
        curve_row: NDArray[np.int32],
        control_curve: int,
        data_key: int,
        control_key: int,
        bin_width_m: float,
        awareness_m: float,
        slot_us: int,
        n_mcs: int = 1,
    ) -> None: ...
    def bind_nodes(
        self,
        word: NDArray[np.uint32],
        flags: NDArray[np.uint8],
        transmitting: NDArray[np.int32],
        touched: NDArray[np.int32],
        energy: NDArray[np.float32],
        noticed: NDArray[np.float32],
        history: NDArray[np.int32],
        history_power: NDArray[np.float32],
        further: NDArray[np.uint16] | None = None,
        urgency: NDArray[np.int32] | None = None,
    ) -> None: ...
    def bind_links(
        self,
        row_start: NDArray[np.int32],
        neighbour: NDArray[np.int32],
        gain: NDArray[np.float32],
        distance: NDArray[np.float32],
        code: NDArray[np.uint8],
        last_slot: NDArray[np.int32],
        last_generated: NDArray[np.int64],
        soft: NDArray[np.float32],
        first_outcome: NDArray[np.uint8],
        soft_once: NDArray[np.float32] | None = None,
        first_outcome_once: NDArray[np.uint8] | None = None,
    ) -> None: ...
    def bind_packets(
        self,
        generated_us: NDArray[np.int64],
        n_intended: NDArray[np.int32],
        n_received: NDArray[np.int32],
        n_received_first: NDArray[np.int32],
    ) -> None: ...
    def bind_log(
        self,
        first_slot_us: NDArray[np.int64],
        last_slot_us: NDArray[np.int64],
        n_attempts: NDArray[np.int32],
        n_subchannels: NDArray[np.int32],
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
    @property
    def n_answers(self) -> int: ...
    def set_second_stage(self, curve_row: NDArray[np.int32], key: int) -> None: ...
    def bind_audience(
        self, intended: NDArray[np.uint8], responds: NDArray[np.uint8], nack_only: bool
    ) -> None: ...
    def bind_answers(self, answers: NDArray[np.int32]) -> None: ...
    def conclude(self, ended: NDArray[np.int32], counted_from_us: int) -> None: ...
    def receive(self, slot: int, rows: NDArray[np.void], counted_from_us: int) -> None: ...
    def drop(self, node: int, packet: int, counted_from_us: int) -> None: ...
