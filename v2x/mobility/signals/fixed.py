"""Lights with a fixed plan at each node, in step along a street if wanted."""

from __future__ import annotations

from dataclasses import dataclass, field

from v2x.errors import V2XError
from v2x.mobility.signals.axes import check_share
from v2x.mobility.signals.base import SignalContext
from v2x.mobility.signals.change import ChangeParams
from v2x.mobility.signals.control import NodeByNode
from v2x.mobility.signals.phases import LeftTurns, NodePhases, signal_phases
from v2x.mobility.signals.planned import PlannedNode
from v2x.mobility.signals.sequence import PhaseTimes, PriorityParams, to_us
from v2x.mobility.signals.wave import WaveParams, wave_arrivals_us
from v2x.mobility.signals.webster import SaturationParams, cycle_s, flow_ratios, greens_s


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedParams:
    """A fixed plan for each node.

    Parameters
    ----------
    cycle_s
        Cycle of all nodes [s]; null for the longest that Webster's formula finds for one of them
        from the expected flows.
    least_cycle_s, most_cycle_s
        Bounds of that [s] (assumption).
    splits
        Parts of the green time for phase 1, 2, ..., only their ratio matters; where there are
        more phases the last part is repeated. Null for parts in proportion to the expected flows.
    least_green_s
        Shortest green [s] (assumption).
    left_turns
        ``protected`` (no two movements that cross go together) or ``permissive`` (who turns left
        waits for those from ahead).
    change
        Yellow and red for all.
    saturation
        How many vehicles a green lane lets through.
    wave
        Green waves.
    priority
        What may be asked for.
    runner_share
        Share of drivers who do not notice the light at a node, drawn anew for each vehicle and
        node.
    """

    cycle_s: float | None = None
    least_cycle_s: float = 40.0
    most_cycle_s: float = 120.0
    splits: tuple[float, ...] | None = None
    least_green_s: float = 8.0
    left_turns: LeftTurns = LeftTurns.PROTECTED
    change: ChangeParams = field(default_factory=ChangeParams)
    saturation: SaturationParams = field(default_factory=SaturationParams)
    wave: WaveParams = field(default_factory=WaveParams)
    priority: PriorityParams = field(default_factory=PriorityParams)
    runner_share: float = 0.0

    def __post_init__(self) -> None:
        """Reject plans that cannot run."""
        check_share(self.runner_share)
        LeftTurns(self.left_turns)
        if self.cycle_s is not None and not self.cycle_s > 0:
            raise ValueError(f"cycle_s must be > 0, got {self.cycle_s}")
        if not 0 < self.least_cycle_s <= self.most_cycle_s:
            raise ValueError(
                f"least_cycle_s must be > 0 and at most most_cycle_s, "
                f"got {self.least_cycle_s} and {self.most_cycle_s}"
            )
        if not self.least_green_s > 0:
            raise ValueError(f"least_green_s must be > 0, got {self.least_green_s}")
        if self.splits is not None and not (self.splits and min(self.splits) > 0):
            raise ValueError(f"splits must be positive, got {self.splits}")


@dataclass(frozen=True, slots=True)
class _Draft:
    """A node before its greens are known."""

    phases: NodePhases
    yellow_us: tuple[int, ...]
    ratio: tuple[float, ...]

    def lost_us(self, clear_us: int) -> int:
        """Return the time of a cycle in which nothing is green [µs]."""
        return sum(self.yellow_us) + clear_us * len(self.yellow_us)


class FixedControl(NodeByNode):
    """Fixed plans, with one cycle for all nodes, so that they can be in step.

    Parameters
    ----------
    params
        How plans are made.
    context
        Network and flows.

    Raises
    ------
    V2XError
        If the cycle is too short for the shortest greens of some node, or the street of a green
        wave is none with lights.
    """

    Params = FixedParams

    def __init__(self, params: FixedParams, context: SignalContext) -> None:
        network = context.network
        phases = signal_phases(network, LeftTurns(params.left_turns))
        drafts = [_draft(item, params, context) for item in phases]
        cycle_us = _cycle_us(drafts, params)
        times = [_times(draft, cycle_us, params) for draft in drafts]
        arrivals = wave_arrivals_us(network, params.wave)
        sequences = []
        for item, own in zip(phases, times, strict=True):
            offset_us = 0
            if item.node in arrivals:
                arrival_us, movement = arrivals[item.node]
                offset_us = arrival_us - _begins_us(item, own, movement)
            sequences.append(PlannedNode(own, offset_us, params.priority))
        super().__init__(
            network,
            phases,
            sequences,
            detector_m=0.0,
            yellow_mps2=params.change.deceleration_mps2,
            runner_share=params.runner_share,
        )


def _draft(phases: NodePhases, params: FixedParams, context: SignalContext) -> _Draft:
    network = context.network
    yellow = tuple(
        params.change.yellow_us(network, {int(network.from_edge[m]) for m in members})
        for members in phases.members
    )
    ratio = flow_ratios(phases, network, context.flow_per_s, params.saturation)
    return _Draft(phases, yellow, tuple(ratio))


def _cycle_us(drafts: list[_Draft], params: FixedParams) -> int:
    """Return the cycle of all nodes [µs]."""
    if params.cycle_s is not None:
        return to_us(params.cycle_s)
    cycles = [
        max(
            cycle_s(
                draft.lost_us(params.change.clear_us) / 1e6,
                sum(draft.ratio),
                least_s=params.least_cycle_s,
                most_s=params.most_cycle_s,
            ),
            draft.lost_us(params.change.clear_us) / 1e6 + params.least_green_s * len(draft.ratio),
        )
        for draft in drafts
    ]
    return to_us(max(cycles, default=params.least_cycle_s))


def _times(draft: _Draft, cycle_us: int, params: FixedParams) -> list[PhaseTimes]:
    """Return the times of the phases of a node, which fill the cycle exactly."""
    n = len(draft.ratio)
    least_us = to_us(params.least_green_s)
    green_us = cycle_us - draft.lost_us(params.change.clear_us)
    if green_us < n * least_us:
        raise V2XError(
            f"node {draft.phases.node} has {n} phases, which need a cycle of at least "
            f"{(cycle_us - green_us + n * least_us) / 1e6:g} s",
            key="signals.cycle_s",
            remedy="lengthen it, or lower signals.least_green_s or signals.change.all_red_s",
        )
    parts = draft.ratio
    if params.splits is not None:
        given = params.splits
        parts = tuple(given[min(k, len(given) - 1)] for k in range(n))
    share = [to_us(s) for s in greens_s(parts, green_us / 1e6, params.least_green_s)]
    longest = share.index(max(share))
    share[longest] += green_us - sum(share)
    return [
        PhaseTimes(
            light=light,
            green_us=green,
            least_us=least_us,
            yellow_us=yellow,
            clear_us=params.change.clear_us,
        )
        for light, green, yellow in zip(draft.phases.lights, share, draft.yellow_us, strict=True)
    ]


def _begins_us(phases: NodePhases, times: list[PhaseTimes], movement: int) -> int:
    """Return when in the cycle the green of a movement begins [µs]."""
    begin_us = 0
    for members, item in zip(phases.members, times, strict=True):
        if movement in members:
            break
        begin_us += item.turn_us
    return begin_us
