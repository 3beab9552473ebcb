"""What road users may know of each other in a run: parameters of the three twins."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from v2x.perception.scene import LevelCheck
from v2x.ranges import check_ranges


class Knowledge(StrEnum):
    """Which of three twins a run is; they share their random numbers."""

    #: Messages are sent, and no driver, vehicle or traffic light uses them: the baseline.
    NONE = "none"
    #: Only what was received is used.
    MESSAGES = "messages"
    #: Everybody within range knows what everybody says at once, and what radio brings from farther
    #: away: the best that radio could do.
    PERFECT = "perfect"


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationParams:
    """Who has a device, and what it may use.

    Parameters
    ----------
    knowledge
        ``messages`` (what was received), ``perfect`` (all within range, at once) or ``none``:
        three runs with the same random numbers.
    equipped
        Share of vehicles with a device, drawn by stable id; the others say and know nothing.
        Roadside units and pedestrians of the section ``pedestrians`` always have one.
    range_m
        Others farther away are of no interest [m].
    forget_s
        Older states and messages are not used [s]; GB/T 45315-2025 discards messages older
        than 1 s, and a CAM may come a second after the last one.
    level_check
        How a receiver tells decks apart: ``none`` (plan only), ``gate`` (difference of the
        heights in messages), ``map`` (roads matched in plan), ``map-height`` (roads matched
        with heights, where ``positioning`` gives any).
    gate_m
        Height from which on ``gate`` takes two for on different decks [m]; 3 to 4, our choice.
    """

    knowledge: Knowledge = Knowledge.MESSAGES
    equipped: float = 1.0
    range_m: float = 300.0
    forget_s: float = 1.0
    level_check: LevelCheck = LevelCheck.MAP
    gate_m: float = 3.5

    def __post_init__(self) -> None:
        """Reject values out of range."""
        Knowledge(self.knowledge)
        LevelCheck(self.level_check)
        if not 0.0 <= self.equipped <= 1.0:
            raise ValueError(f"equipped must be within 0 and 1, got {self.equipped}")
        check_ranges(
            self,
            ("range_m", 10.0, 5000.0),
            ("forget_s", 0.2, 10.0),
            ("gate_m", 0.1, 100.0),
        )
