"""Lights that follow the traffic on their approaches."""

from __future__ import annotations

from dataclasses import dataclass, field

from v2x.mobility.signals.axes import check_share
from v2x.mobility.signals.base import SignalContext
from v2x.mobility.signals.change import ChangeParams
from v2x.mobility.signals.control import NodeByNode
from v2x.mobility.signals.demanded import DemandedNode
from v2x.mobility.signals.phases import LeftTurns, NodePhases, signal_phases
from v2x.mobility.signals.sequence import PhaseTimes, PriorityParams, to_us


@dataclass(frozen=True, slots=True, kw_only=True)
class ActuatedParams:
    """Lights with detectors.

    Parameters
    ----------
    least_green_s, most_green_s
        Shortest green, and longest while somebody waits elsewhere [s] (assumption).
    gap_s
        A green ends when nobody has been over its detectors for so long and somebody waits
        elsewhere [s]; 3 in the usual rules.
    detector_m
        Distance of the detectors from the stop lines [m] (assumption).
    left_turns
        ``protected`` (no two movements that cross go together) or ``permissive`` (who turns left
        waits for those from ahead).
    change
        Yellow and red for all.
    priority
        What may be asked for.
    runner_share
        Share of drivers who do not notice the light at a node, drawn anew for each vehicle and
        node.
    """

    least_green_s: float = 8.0
    most_green_s: float = 40.0
    gap_s: float = 3.0
    detector_m: float = 30.0
    left_turns: LeftTurns = LeftTurns.PROTECTED
    change: ChangeParams = field(default_factory=ChangeParams)
    priority: PriorityParams = field(default_factory=PriorityParams)
    runner_share: float = 0.0

    def __post_init__(self) -> None:
        """Reject lights that cannot work."""
        check_share(self.runner_share)
        LeftTurns(self.left_turns)
        if not 0 < self.least_green_s <= self.most_green_s:
            raise ValueError(
                f"least_green_s must be > 0 and at most most_green_s, "
                f"got {self.least_green_s} and {self.most_green_s}"
            )
        if not (self.gap_s > 0 and self.detector_m > 0):
            raise ValueError(
                f"gap_s and detector_m must be > 0, got {self.gap_s} and {self.detector_m}"
            )


class ActuatedControl(NodeByNode):
    """Every node for itself, by what its detectors see.

    Parameters
    ----------
    params
        How they react.
    context
        The network.
    """

    Params = ActuatedParams

    def __init__(self, params: ActuatedParams, context: SignalContext) -> None:
        network = context.network

        def times(phases: NodePhases) -> list[PhaseTimes]:
            return [
                PhaseTimes(
                    light=light,
                    green_us=to_us(params.most_green_s),
                    least_us=to_us(params.least_green_s),
                    yellow_us=params.change.yellow_us(
                        network, {int(network.from_edge[m]) for m in members}
                    ),
                    clear_us=params.change.clear_us,
                )
                for members, light in zip(phases.members, phases.lights, strict=True)
            ]

        phases = signal_phases(network, LeftTurns(params.left_turns))
        super().__init__(
            network,
            phases,
            [DemandedNode(times(item), to_us(params.gap_s), params.priority) for item in phases],
            detector_m=params.detector_m,
            yellow_mps2=params.change.deceleration_mps2,
            runner_share=params.runner_share,
        )
