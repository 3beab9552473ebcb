"""What counts as a conflict, and what as safe."""

from __future__ import annotations

from dataclasses import dataclass, field

from v2x.mobility.surrogates import BrakingSpreadParams, RssParams
from v2x.ranges import check_ranges
from v2x.sim.safety.in_time import WarnedDriverParams


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyParams:
    """Surrogate safety measures: whether they are taken, and their thresholds.

    Parameters
    ----------
    conflicts
        Whether tables ``conflicts`` and ``exposure`` are filled.
    ttc_s
        Pairs with a time to collision below this are in conflict [s]; also the threshold of TET
        and TIT. Usual are 1.5 (critical) to 4 (caution).
    pause_s
        A pair that was on no collision course for longer begins a new conflict [s]; our own
        choice.
    pet_s
        Post-encroachment times up to this are noted [s]; below 1 is serious, below 1.5 to 2 a
        conflict, at 5 one merely meets.
    hard_brake_mps2
        Deceleration from which braking is hard [m/s²]; 0.4 g as in SAE J2945/1.
    jerk_mps3
        Change of acceleration from which it is a jerk [m/s³].
    messages
        Whether tables ``conflict_messages`` and ``conflict_knowledge`` are filled: what became of
        the messages of two road users before they came near each other.
    messages_range_m
        Messages sent from farther away are left out [m]; our own choice.
    messages_window_s
        How long before the beginning of a conflict messages are of interest [s]; our own choice.
    warned
        The driver for whom messages come in time or too late.
    rss
        Safe distances of responsibility-sensitive safety.
    braking
        Hardest braking, for the crash potential index.
    """

    conflicts: bool = True
    ttc_s: float = 3.0
    pause_s: float = 1.0
    pet_s: float = 3.0
    hard_brake_mps2: float = 3.924
    jerk_mps3: float = 10.0
    messages: bool = False
    messages_range_m: float = 150.0
    messages_window_s: float = 5.0
    warned: WarnedDriverParams = field(default_factory=WarnedDriverParams)
    rss: RssParams = field(default_factory=RssParams)
    braking: BrakingSpreadParams = field(default_factory=BrakingSpreadParams)

    def __post_init__(self) -> None:
        """Reject thresholds that nothing or everything meets."""
        check_ranges(
            self,
            ("ttc_s", 0.1, 10.0),
            ("pause_s", 0.0, 60.0),
            ("pet_s", 0.1, 10.0),
            ("hard_brake_mps2", 0.1, 20.0),
            ("jerk_mps3", 0.1, 1000.0),
            ("messages_range_m", 1.0, 10_000.0),
            ("messages_window_s", 0.1, 60.0),
        )
        if self.messages and not self.conflicts:
            raise ValueError("messages cannot be true while conflicts is false")
