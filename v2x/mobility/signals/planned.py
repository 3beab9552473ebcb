"""A node whose phases follow a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.signals.base import Answer, PhaseOutlook, Span
from v2x.mobility.signals.lights import Light
from v2x.mobility.signals.sequence import MARGIN_US, Ends, PhaseTimes, PriorityParams, span
from v2x.units import US_PER_S


@dataclass(frozen=True, slots=True)
class _Turn:
    """One green of a phase."""

    number: int
    begin_us: int
    end_us: int


class PlannedNode:
    """Phases of fixed length, one after the other, that a request may shift for a while.

    Turns are numbered; the phase of a turn is its number modulo the number of phases. A request
    makes single turns longer or shorter; what the plan is late or early by then is made up for in
    the turns of the next cycles, after which it is back at its clock to the microsecond.

    Parameters
    ----------
    phases
        Times of each phase.
    offset_us
        Some instant at which the first one begins [µs].
    priority
        What may be asked for.
    """

    def __init__(
        self, phases: Sequence[PhaseTimes], offset_us: int, priority: PriorityParams
    ) -> None:
        self._phases = tuple(phases)
        self._priority = priority
        self._time_us = 0
        #: Difference of the greens of single turns from the plan, and its sum so far.
        self._change_us: dict[int, int] = {}
        self._late_us = 0
        self._extended_us = 0
        #: Who is served, in which phase, and in which turn.
        self._served: tuple[int, int, int] | None = None
        self._recovered_at = 0
        begin_us = -((-offset_us) % self.cycle_us)
        self._turn = self._turn_from(0, begin_us)
        self._red_since_us = []
        for item in self._phases:
            self._red_since_us.append(begin_us + item.green_us + item.yellow_us - self.cycle_us)
            begin_us += item.turn_us
        self.advance(0, None, None)

    @property
    def cycle_us(self) -> int:
        """Time until everything repeats [µs]."""
        return sum(item.turn_us for item in self._phases)

    @property
    def late_us(self) -> int:
        """How far the plan is behind its clock because of requests not yet made up for [µs]."""
        return self._late_us

    @property
    def recovers(self) -> bool:
        """Whether the plan is on its way back to its clock."""
        return self._turn.number < self._recovered_at

    @property
    def going(self) -> int:
        """Index of the phase that has green, -1 if none has."""
        return self._phase_of(self._turn) if self._time_us < self._turn.end_us else -1

    def _phase_of(self, turn: _Turn) -> int:
        return turn.number % len(self._phases)

    def _times(self, turn: _Turn) -> PhaseTimes:
        return self._phases[self._phase_of(turn)]

    def _turn_from(self, number: int, begin_us: int) -> _Turn:
        green_us = self._phases[number % len(self._phases)].green_us
        return _Turn(number, begin_us, begin_us + green_us + self._change_us.get(number, 0))

    def _after(self, turn: _Turn) -> _Turn:
        return self._turn_from(turn.number + 1, turn.end_us + self._times(turn).between_us)

    def advance(
        self, time_us: int, waits: NDArray[np.bool_] | None, passes: NDArray[np.bool_] | None
    ) -> None:
        """Go on to `time_us` [µs]; nobody is watched."""
        del waits, passes
        self._time_us = time_us
        while time_us >= self._turn.end_us + self._times(self._turn).between_us:
            self._next_turn()

    def _next_turn(self) -> None:
        done = self._turn
        self._red_since_us[self._phase_of(done)] = done.end_us + self._times(done).yellow_us
        if self._served is not None and self._served[2] == done.number:
            self._recover(done.number + 1)
        self._turn = self._after(done)
        self._change_us.pop(done.number, None)
        self._extended_us = 0

    def _recover(self, first: int) -> None:
        """Share what the plan is late or early among the turns of the next cycles."""
        self._served = None
        if self._late_us == 0:
            return
        cycles = self._priority.recovery_cycles
        turns = range(first, first + cycles * len(self._phases))
        weight = [self._slack_us(k) if self._late_us > 0 else self._green_us(k) for k in turns]
        total, running, given = sum(weight), 0, 0
        for number, part in zip(turns, weight, strict=True):
            running += part
            due = -self._late_us * running // total
            self._change_us[number] = due - given
            given = due
        self._late_us = 0
        self._recovered_at = turns.stop

    def _green_us(self, number: int) -> int:
        return self._phases[number % len(self._phases)].green_us

    def _slack_us(self, number: int) -> int:
        item = self._phases[number % len(self._phases)]
        return item.green_us - item.least_us

    def _turns_ahead(self) -> list[_Turn]:
        """Return the present turn and the next one of every phase."""
        turns = [self._turn]
        for _ in self._phases:
            turns.append(self._after(turns[-1]))
        return turns

    def outlook(self) -> tuple[PhaseOutlook, ...]:
        """Return what each phase shows, and will show until its next green is over."""
        turns = self._turns_ahead()
        return tuple(
            PhaseOutlook(
                phase_id=k + 1,
                spans=self._spans(k, [turn for turn in turns if self._phase_of(turn) == k]),
            )
            for k in range(len(self._phases))
        )

    def _spans(self, k: int, turns: list[_Turn]) -> tuple[Span, ...]:
        item, spans = self._phases[k], list[Span]()
        red_us = self._red_since_us[k]
        for turn in turns:
            spans.append(span(Light.RED, red_us, Ends.at(turn.begin_us)))
            spans.append(span(item.light, turn.begin_us, Ends.at(turn.end_us)))
            red_us = turn.end_us + item.yellow_us
            spans.append(span(Light.YELLOW, turn.end_us, Ends.at(red_us)))
        return tuple(part for part in spans if _lasts(part, self._time_us))

    def request(self, phase: int, eta_us: int, requester: int) -> Answer:
        """Ask for green of a phase (index) in `eta_us` [µs]."""
        arrival_us = self._time_us + eta_us
        turns = self._turns_ahead()
        own = [turn for turn in turns if self._phase_of(turn) == phase]
        if any(turn.begin_us <= arrival_us <= turn.end_us - MARGIN_US for turn in own):
            return Answer.NOT_NEEDED
        busy = self._served is not None and self._served[:2] != (requester, phase)
        if not self._priority.granted or busy or self.recovers:
            return Answer.REFUSED
        if self._extend(own[0], arrival_us):
            self._served = (requester, phase, own[0].number)
            return Answer.EXTENDED
        ahead = next(turn for turn in own if turn.begin_us > self._time_us)
        if self._hurry(turns[: turns.index(ahead)], ahead, arrival_us):
            self._served = (requester, phase, ahead.number)
            return Answer.EARLIER
        return Answer.REFUSED

    def _extend(self, turn: _Turn, arrival_us: int) -> bool:
        """Make the present green longer if that lets the vehicle through."""
        if turn is not self._turn or self._time_us >= turn.end_us:
            return False
        more_us = arrival_us + MARGIN_US - turn.end_us
        most_us = round(self._priority.extend_s * US_PER_S) - self._extended_us
        slack_us = sum(self._slack_us(k) for k in range(len(self._phases)))
        may_us = self._priority.recovery_cycles * slack_us - self._late_us
        if not 0 < more_us <= min(most_us, may_us):
            return False
        self._extended_us += more_us
        self._shift(turn.number, more_us)
        return True

    def _hurry(self, turns: list[_Turn], ahead: _Turn, arrival_us: int) -> bool:
        """Shorten the greens before that of a phase as far as it needs."""
        need_us = ahead.begin_us - arrival_us
        done = False
        for turn in turns:
            if self._phase_of(turn) == self._phase_of(ahead):
                continue
            earliest_us = max(turn.begin_us + self._times(turn).least_us, self._time_us)
            cut_us = min(need_us, turn.end_us - earliest_us)
            if cut_us > 0:
                self._shift(turn.number, -cut_us)
                need_us -= cut_us
                done = True
        return done

    def _shift(self, number: int, by_us: int) -> None:
        self._change_us[number] = self._change_us.get(number, 0) + by_us
        self._late_us += by_us
        if number == self._turn.number:
            self._turn = self._turn_from(number, self._turn.begin_us)


def _lasts(part: Span, time_us: int) -> bool:
    """Return whether a span has a length and is not over."""
    assert part.likely_end_us is not None
    return part.likely_end_us > max(time_us, part.start_us)
