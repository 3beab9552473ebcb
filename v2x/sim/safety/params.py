"""What counts as a conflict, and what as safe."""

from __future__ import annotations

from dataclasses import dataclass, field

from v2x.mobility.surrogates import BrakingSpreadParams, RssParams


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
    rss: RssParams = field(default_factory=RssParams)
    braking: BrakingSpreadParams = field(default_factory=BrakingSpreadParams)

    def __post_init__(self) -> None:
        """Reject thresholds that nothing or everything meets."""
        for name, low, high in (
            ("ttc_s", 0.1, 10.0),
            ("pause_s", 0.0, 60.0),
            ("pet_s", 0.1, 10.0),
            ("hard_brake_mps2", 0.1, 20.0),
            ("jerk_mps3", 0.1, 1000.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must be within {low:g} and {high:g}, got {value}")
