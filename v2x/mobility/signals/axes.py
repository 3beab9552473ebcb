"""One clock for all lights of a map: its two axes have green in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.signals.base import Answer, Detection, PhaseOutlook, SignalContext, Span
from v2x.mobility.signals.lights import Light
from v2x.units import US_PER_S
from v2x.world.road_map import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class AxesParams:
    """One clock for all lights; cycle and clearance are those of the traffic section.

    Parameters
    ----------
    runner_share
        Share of drivers who do not notice the light at a node, drawn anew for each vehicle and
        node.
    """

    runner_share: float = 0.0

    def __post_init__(self) -> None:
        """Reject shares that are none."""
        check_share(self.runner_share)


def check_share(runner_share: float) -> None:
    """Raise ValueError unless the share is one."""
    if not 0.0 <= runner_share <= 1.0:
        raise ValueError(f"runner_share must be within 0 and 1, got {runner_share}")


class AxesControl:
    """East-west and north-south in turn, everywhere at once.

    Parameters
    ----------
    params
        Who does not notice them.
    context
        Network and clock: half of the cycle belongs to each axis, and its last part is told as
        yellow.
    """

    Params = AxesParams
    detector_m = 0.0
    yellow_mps2 = 0.0

    def __init__(self, params: AxesParams, context: SignalContext) -> None:
        network = context.network
        self.runner_share = params.runner_share
        self._half_us = round(0.5 * context.cycle_s * US_PER_S)
        self._green_us = self._half_us - context.clear_s * US_PER_S
        self._time_us = 0
        self._axis = network.signal
        self._axes_at = {
            node: sorted(set(network.signal[network.node == node].tolist()))
            for node in np.unique(network.node[network.signal >= 0]).tolist()
        }
        self.phase: IntArray = np.where(network.signal >= 0, network.signal + 1, -1).astype(
            np.int32
        )
        self.green: NDArray[np.uint8] = np.zeros(network.n_movements, dtype=np.uint8)
        self.advance(0, None)

    def advance(self, time_us: int, seen: Detection | None) -> None:
        """Set the lights of `time_us` [µs]."""
        del seen
        self._time_us = time_us
        axis, phase_us = divmod(time_us % (2 * self._half_us), self._half_us)
        self.green[:] = (self._axis == axis) & (phase_us < self._green_us)

    def outlook(self, node: int) -> tuple[PhaseOutlook, ...]:
        """Return what each phase of a node shows, and will show for a cycle."""
        return tuple(
            PhaseOutlook(phase_id=axis + 1, spans=self._spans(axis)) for axis in self._axes_at[node]
        )

    def _spans(self, axis: int) -> tuple[Span, ...]:
        half_us, green_us = self._half_us, round(self._green_us)
        stages = [(Light.PROTECTED_GREEN, green_us), (Light.YELLOW, half_us - green_us)]
        stages = [stage for stage in stages if stage[1] > 0] + [(Light.RED, half_us)]
        start_us = self._time_us - (self._time_us - axis * half_us) % (2 * half_us)
        spans: list[Span] = []
        for light, length_us in stages * 2:
            end_us = start_us + length_us
            if end_us > self._time_us and len(spans) < len(stages):
                spans.append(
                    Span(
                        light=light,
                        start_us=start_us,
                        min_end_us=end_us,
                        likely_end_us=end_us,
                        max_end_us=end_us,
                    )
                )
            start_us = end_us
        return tuple(spans)

    def request(self, node: int, movement: int, eta_s: float, requester: int) -> Answer:
        """Refuse, as this clock waits for nobody, unless it is green by then anyway."""
        del eta_s, requester, node, movement
        return Answer.REFUSED
