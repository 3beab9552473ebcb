"""A node whose phases follow the traffic that its detectors see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.signals.base import Answer, PhaseOutlook, Span
from v2x.mobility.signals.lights import Light
from v2x.mobility.signals.sequence import MARGIN_US, Ends, PhaseTimes, PriorityParams, span
from v2x.units import US_PER_S


class DemandedNode:
    """Phases that are left out without demand and end when it is over.

    A green lasts at least its shortest time. It ends when somebody waits elsewhere and nobody
    has been over its detectors for the gap, or when it has lasted its longest time since somebody
    waits elsewhere. Without demand elsewhere it goes on.

    Parameters
    ----------
    phases
        Times of each phase; their greens are the longest ones.
    gap_us
        Time without traffic after which a green ends [µs].
    priority
        What may be asked for.
    """

    def __init__(self, phases: Sequence[PhaseTimes], gap_us: int, priority: PriorityParams) -> None:
        n = len(phases)
        self._phases = tuple(phases)
        self._gap_us = gap_us
        self._priority = priority
        self._time_us = 0
        self._k = 0
        self._begin_us = 0
        #: End of the present green; None while it lasts.
        self._end_us: int | None = None
        self._passed_us = 0
        #: Since when somebody has waited elsewhere.
        self._wanted_us: int | None = None
        self._waits: NDArray[np.bool_] = np.zeros(n, dtype=np.bool_)
        self._red_since_us = [0] * n
        self._hold_us = 0
        self._asked: tuple[int, int] | None = None
        self._refuse_turns = 0

    @property
    def going(self) -> int:
        """Index of the phase that has green, -1 if none has."""
        return self._k if self._end_us is None else -1

    def advance(
        self, time_us: int, waits: NDArray[np.bool_] | None, passes: NDArray[np.bool_] | None
    ) -> None:
        """Go on to `time_us` [µs] in view of what the detectors of each phase see."""
        if waits is None or passes is None:
            raise ValueError("lights that follow the traffic need detectors")
        self._time_us = time_us
        self._waits = waits.copy()
        if self._asked is not None:
            self._waits[self._asked[1]] = True
        if self._end_us is not None:
            item = self._phases[self._k]
            if time_us < self._end_us + item.between_us:
                return
            self._begin(self._next(), self._end_us + item.between_us)
        if passes[self._k]:
            self._passed_us = time_us
        others = self._waits.copy()
        others[self._k] = False
        if not others.any():
            self._wanted_us = None
            return
        if self._wanted_us is None:
            self._wanted_us = time_us
        if time_us >= self._least_end_us() or time_us >= self._most_end_us():
            self._finish()

    def _begin(self, k: int, time_us: int) -> None:
        self._k, self._begin_us, self._passed_us = k, time_us, time_us
        self._end_us = self._wanted_us = None
        self._hold_us = 0
        self._refuse_turns = max(self._refuse_turns - 1, 0)

    def _finish(self) -> None:
        """End the present green."""
        self._end_us = self._time_us
        self._red_since_us[self._k] = self._time_us + self._phases[self._k].yellow_us
        if self._asked is not None and self._asked[1] == self._k:
            self._asked = None
            self._refuse_turns = self._priority.recovery_cycles * len(self._phases)

    def _next(self) -> int:
        """Return the next phase that somebody waits for, this one if nobody does."""
        n = len(self._phases)
        order = [(self._k + step) % n for step in range(1, n + 1)]
        return next((k for k in order if self._waits[k]), self._k)

    def _least_end_us(self) -> int:
        """Return when the present green ends if nobody comes any more."""
        least_us = self._begin_us + self._phases[self._k].least_us
        hurried = self._asked is not None and self._asked[1] != self._k
        gap_us = least_us if hurried else self._passed_us + self._gap_us
        return max(least_us, gap_us, self._hold_us)

    def _most_end_us(self) -> int:
        """Return when the present green ends at the latest; somebody waits elsewhere."""
        since_us = max(self._begin_us, self._wanted_us or 0)
        return max(since_us + self._phases[self._k].green_us, self._hold_us)

    def request(self, phase: int, eta_us: int, requester: int) -> Answer:
        """Ask for green of a phase (index) in `eta_us` [µs]."""
        arrival_us = self._time_us + eta_us
        busy = self._asked is not None and self._asked != (requester, phase)
        if not self._priority.granted or busy or self._refuse_turns:
            return Answer.REFUSED
        if self.going != phase:
            self._asked = (requester, phase)
            return Answer.EARLIER
        if self._wanted_us is None:
            return Answer.NOT_NEEDED
        wanted_us = arrival_us + MARGIN_US
        if wanted_us <= self._least_end_us():
            return Answer.NOT_NEEDED
        since_us = max(self._begin_us, self._wanted_us) + self._phases[phase].green_us
        if wanted_us > since_us + round(self._priority.extend_s * US_PER_S):
            return Answer.REFUSED
        self._asked = (requester, phase)
        self._hold_us = wanted_us
        return Answer.EXTENDED

    def outlook(self) -> tuple[PhaseOutlook, ...]:
        """Return what each phase shows, and will show as far as the present demand tells."""
        ends = self._ends()
        present = self._phases[self._k]
        opens = ends.later(present.between_us)
        greens = {self._k: (self._begin_us, ends)}
        begins: dict[int, Ends] = {}
        if opens.likely_us is not None:
            n = len(self._phases)
            at = opens
            for k in ((self._k + step) % n for step in range(1, n)):
                if not self._waits[k]:
                    continue
                begins[k] = at
                item = self._phases[k]
                assert at.likely_us is not None
                greens[k] = (at.likely_us, at.later(item.least_us))
                at = at.later(item.least_us + item.between_us)
        return tuple(
            PhaseOutlook(phase_id=k + 1, spans=self._spans(k, opens, begins, greens))
            for k in range(len(self._phases))
        )

    def _ends(self) -> Ends:
        """Return when the present green ends or ended."""
        if self._end_us is not None:
            return Ends.at(self._end_us)
        if self._wanted_us is None:
            # Somebody may come elsewhere at any time.
            return Ends(self._soonest_us(), None, None)
        end_us = min(self._least_end_us(), self._most_end_us())
        return Ends(max(self._soonest_us(), end_us), end_us, self._most_end_us())

    def _soonest_us(self) -> int:
        return max(self._begin_us + self._phases[self._k].least_us, self._time_us)

    def _spans(
        self,
        k: int,
        opens: Ends,
        begins: dict[int, Ends],
        greens: dict[int, tuple[int, Ends]],
    ) -> tuple[Span, ...]:
        item = self._phases[k]
        spans = []
        if k != self._k:
            unknown = Ends(opens.least_us, None, None)
            spans.append(span(Light.RED, self._red_since_us[k], begins.get(k, unknown)))
        if k in greens:
            start_us, ends = greens[k]
            spans.append(span(item.light, start_us, ends))
            if ends.likely_us is not None:
                spans.append(span(Light.YELLOW, ends.likely_us, ends.later(item.yellow_us)))
                red_us = ends.likely_us + item.yellow_us
                spans.append(span(Light.RED, red_us, Ends(None, None, None)))
        return tuple(
            part
            for part in spans
            if part.likely_end_us is None or part.likely_end_us > self._time_us
        )
