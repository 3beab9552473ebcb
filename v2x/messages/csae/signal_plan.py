"""SPAT from the plan of a signal (T/CSAE 159-2020: all states, min = max = likely end)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from v2x.messages.coding.wire import BEYOND, Quantity
from v2x.messages.csae.elements import NodeReference
from v2x.messages.csae.spat import (
    ControllerStatus,
    Countdown,
    IntersectionState,
    Light,
    Phase,
    PhaseState,
    UtcTiming,
)

#: A TimeMark counts less than an hour [s].
HOUR_S = 3600.0
#: States of a phase that SPAT can tell.
MOST_STAGES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a phase shows for a while.

    Attributes
    ----------
    light
        Colour.
    duration_s
        How long [s].
    """

    light: Light
    duration_s: float

    def __post_init__(self) -> None:
        """Reject durations that are none."""
        if not (self.duration_s > 0 and math.isfinite(self.duration_s)):
            raise ValueError(f"duration_s must be > 0 and finite, got {self.duration_s}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasePlan:
    """What the lights of a phase show again and again.

    Attributes
    ----------
    phase_id
        What MAP calls the phase, 1 to 255.
    stages
        1 to 16, one after the other; a single one never changes.
    offset_s
        When the first one begins, anywhere in the cycle [s].
    """

    phase_id: int
    stages: tuple[Stage, ...]
    offset_s: float = 0.0

    def __post_init__(self) -> None:
        """Reject plans that SPAT cannot tell."""
        if not 1 <= len(self.stages) <= MOST_STAGES:
            raise ValueError(f"stages must be 1 to {MOST_STAGES}, got {len(self.stages)}")
        if not math.isfinite(self.offset_s):
            raise ValueError(f"offset_s must be finite, got {self.offset_s}")

    @property
    def cycle_s(self) -> float:
        """Time until everything repeats [s]."""
        return sum(stage.duration_s for stage in self.stages)


def two_axis_plan(cycle_s: float, clear_s: float) -> tuple[PhasePlan, PhasePlan]:
    """Return the plan that routed traffic obeys: the axes of a junction in turn.

    Parameters
    ----------
    cycle_s, clear_s
        ``signal_cycle_s`` and ``signal_clear_s`` of routed traffic: half of the cycle belongs
        to each axis, and in its last part, told as yellow, nobody may enter.

    Returns
    -------
    (PhasePlan, PhasePlan)
        Phase 1 of the east-west and phase 2 of the north-south axis.

    Examples
    --------
    >>> [stage.duration_s for stage in two_axis_plan(60.0, 4.0)[0].stages]
    [26.0, 4.0, 30.0]
    """
    half_s = 0.5 * cycle_s
    stages = (
        Stage(light=Light.PROTECTED_GREEN, duration_s=half_s - clear_s),
        *((Stage(light=Light.YELLOW, duration_s=clear_s),) if clear_s else ()),
        Stage(light=Light.RED, duration_s=half_s),
    )
    return (
        PhasePlan(phase_id=1, stages=stages),
        PhasePlan(phase_id=2, stages=stages, offset_s=half_s),
    )


def intersection_state(
    node: NodeReference,
    plans: Sequence[PhasePlan],
    time_s: float,
    *,
    utc: bool = False,
    status: ControllerStatus = ControllerStatus.FIXED_TIME,
) -> IntersectionState:
    """Return what the lights of a junction show and will show.

    Parameters
    ----------
    node
        The node of MAP.
    plans
        1 to 16 phases.
    time_s
        Now, in the time of the plans; with `utc` also that of the clock [s].
    utc
        Tell times within the hour instead of times from now.
    status
        State of the controller.

    Returns
    -------
    IntersectionState
        Each phase with all its stages, the present one first. A stage that lasts until more
        than an hour from now, or for ever, ends "beyond".
    """
    return IntersectionState(
        node=node,
        status=status,
        phases=tuple(
            Phase(phase_id=plan.phase_id, states=_states(plan, time_s, utc=utc)) for plan in plans
        ),
    )


def _states(plan: PhasePlan, time_s: float, *, utc: bool) -> tuple[PhaseState, ...]:
    if len(plan.stages) == 1:
        timing = UtcTiming if utc else Countdown
        constant = timing(
            start_s=_within_hour(time_s) if utc else 0.0,
            min_end_s=BEYOND,
            max_end_s=BEYOND,
            likely_end_s=BEYOND,
        )
        return (PhaseState(light=plan.stages[0].light, timing=constant),)
    present, done_s = _present(plan, time_s)
    tell = _utc if utc else _countdown
    states = []
    start_s = -done_s
    for k in range(len(plan.stages)):
        stage = plan.stages[(present + k) % len(plan.stages)]
        end_s = start_s + stage.duration_s
        states.append(PhaseState(light=stage.light, timing=tell(time_s, start_s, end_s, plan)))
        start_s = end_s
    return tuple(states)


def _present(plan: PhasePlan, time_s: float) -> tuple[int, float]:
    """Return the present stage, and for how long it has been [s]."""
    done_s = (time_s - plan.offset_s) % plan.cycle_s
    for k, stage in enumerate(plan.stages):
        if done_s < stage.duration_s:
            return k, done_s
        done_s -= stage.duration_s
    # The remainder was rounded up to the whole cycle.
    return 0, 0.0


def _countdown(time_s: float, start_s: float, end_s: float, plan: PhasePlan) -> Countdown:
    end = from_now(end_s)
    return Countdown(
        start_s=from_now(max(start_s, 0.0)),
        min_end_s=end,
        max_end_s=end,
        likely_end_s=end,
        next_start_s=from_now(start_s + plan.cycle_s),
        next_duration_s=from_now(end_s - start_s),
    )


def _utc(time_s: float, start_s: float, end_s: float, plan: PhasePlan) -> UtcTiming:
    end = _at(time_s, end_s)
    return UtcTiming(
        start_s=_at(time_s, start_s),
        min_end_s=end,
        max_end_s=end,
        likely_end_s=end,
        next_start_s=_at(time_s, start_s + plan.cycle_s),
        next_end_s=_at(time_s, end_s + plan.cycle_s),
    )


def from_now(later_s: float) -> Quantity:
    """Return a duration to tenths of a second, or that it is more than an hour."""
    tenths = round(10.0 * later_s)
    return tenths / 10.0 if tenths < 10.0 * HOUR_S else BEYOND


def _at(time_s: float, later_s: float) -> Quantity:
    """Return when something happens within its hour, or that it is an hour from now."""
    is_within = round(10.0 * later_s) < 10.0 * HOUR_S
    return _within_hour(time_s + later_s) if is_within else BEYOND


def _within_hour(time_s: float) -> float:
    tenths: int = round(10.0 * time_s) % round(10.0 * HOUR_S)
    return tenths / 10.0
