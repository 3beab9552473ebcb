"""Rows of table ``dialogues`` that a service writes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.messages.csae.day2.dialogues.requests import Phase
from v2x.records.tables import SCHEMAS
from v2x.units import US_PER_S


class DialogueOutcome(IntEnum):
    """How a dialogue ended in the eyes of who began it."""

    GOING_ON = 0
    COMPLETE = 1
    CANCELLED = 2
    REFUSED = 3
    NO_ANSWER = 4
    FAILED = 5


#: How the phases of a request count.
OUTCOMES = {
    Phase.WAITING: DialogueOutcome.GOING_ON,
    Phase.ACTING: DialogueOutcome.GOING_ON,
    Phase.COMPLETE: DialogueOutcome.COMPLETE,
    Phase.CANCELLED: DialogueOutcome.CANCELLED,
    Phase.REFUSED: DialogueOutcome.REFUSED,
    Phase.EXPIRED: DialogueOutcome.NO_ANSWER,
}


@dataclass(slots=True)
class Entry:
    """One dialogue.

    Attributes
    ----------
    vehicle_id, partner_id
        Who began it, and whom it asked; -1 if nobody in particular.
    begin_us, answer_us, end_us
        When it began, was answered first (-1 if it was not), and was over [µs].
    outcome
        How it ended.
    n_messages
        Messages of both sides.
    """

    vehicle_id: int
    partner_id: int
    begin_us: int
    answer_us: int = -1
    end_us: int = -1
    outcome: DialogueOutcome = DialogueOutcome.GOING_ON
    n_messages: int = 0

    def note(self, now_us: int, phase: Phase) -> None:
        """Note how far the request of the dialogue has come."""
        if self.answer_us < 0 and phase in (Phase.ACTING, Phase.REFUSED):
            self.answer_us = now_us
        if phase > Phase.ACTING:
            self.end(now_us, OUTCOMES[phase])

    def end(self, now_us: int, outcome: DialogueOutcome) -> None:
        """Note how it ended; only the first end counts."""
        if self.end_us < 0:
            self.end_us, self.outcome = now_us, outcome


class DialogueLog:
    """Collects the dialogues of a service.

    Parameters
    ----------
    counted_from_us
        Dialogues that begin earlier are not recorded [µs].
    """

    def __init__(self, counted_from_us: int) -> None:
        self._counted_from_us = counted_from_us
        self._entries: list[Entry] = []
        self._last_us = 0

    def begin(self, now_us: int, vehicle_id: int, partner_id: int = -1) -> Entry:
        """Return a dialogue that begins now."""
        entry = Entry(vehicle_id, partner_id, now_us)
        if now_us >= self._counted_from_us:
            self._entries.append(entry)
        return entry

    def tick(self, now_us: int) -> None:
        """Note how late it is: what goes on ends with the run."""
        self._last_us = now_us

    def table(self) -> dict[str, NDArray[Any]]:
        """Return table ``dialogues`` without ``replication`` and ``service``."""
        rows = [
            {
                "number": number,
                "vehicle_id": item.vehicle_id,
                "partner_id": item.partner_id,
                "begin_s": item.begin_us / US_PER_S,
                "answer_s": item.answer_us / US_PER_S if item.answer_us >= 0 else np.nan,
                "end_s": (item.end_us if item.end_us >= 0 else self._last_us) / US_PER_S,
                "outcome": item.outcome,
                "n_messages": item.n_messages,
            }
            for number, item in enumerate(self._entries)
        ]
        schema = SCHEMAS["dialogues"]
        names = [name for name in schema if name not in ("replication", "service")]
        return {
            name: np.array([row[name] for row in rows], dtype=schema[name].dtype) for name in names
        }
