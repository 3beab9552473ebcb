"""Thresholds of the plausibility checks."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPlausibility:
    """Receivers believe every message that they can verify."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlausibilityParams:
    """Thresholds of the checks; the defaults are those of F2MD but where it says "ours".

    Parameters
    ----------
    range_m
        Nobody farther away than this is heard [m].
    off_road_m
        Claims farther than this from the edge of a carriageway are not on the road [m].
    highest_mps
        Nobody is faster [m/s].
    speed_up_mps2, slow_down_mps2
        Nobody speeds up or brakes harder [m/s²].
    memory_s
        Claims are compared with earlier ones no older than this [s].
    nearer_margin_m, farther_margin_m
        A vehicle may have moved this much less, or more, than its speeds allow [m].
    heading_deg
        Directions of travel and of motion differ by no more than this [degree].
    heading_memory_s
        Compared over no more than this [s].
    least_move_m
        Shorter displacements have no direction [m] (ours).
    interval_s
        Messages of one sender are at least this far apart [s]; 0.9 for messages once a second in
        F2MD, and the same share of a period of 100 ms here.
    overlap_s
        Two claims of the last seconds may not occupy one place [s].
    appearance_m
        A sender is first heard no closer than this [m].
    appearance_s
        One that has been silent for longer, or whom the receiver could have heard for longer,
        appears anew [s].
    proximity_length_m, proximity_width_m
        Sensors see every object within these distances along and across the receiver [m].
    proximity_gap_m
        One must be this near to a claimed place within them [m].
    height_gate_m
        A claim higher or lower than every road at its place is on none of them [m] (ours; decks
        are 5 m and more apart).
    stronger_db, weaker_db
        Signals are no more than this above and below what a line of sight over the claimed distance
        gives [dB] (ours: three sigma of its shadowing, and a loss behind obstacles).
    base_s
        Checks of motion compare with a claim at least this old [s] (ours: margins made for messages
        once a second hide everything at ten a second).
    gate_probability
        Share of true claims that pass a gate on the innovation of the Kalman filter (ours).
    position_sigma_m, speed_sigma_mps
        Errors of true claims, for the Kalman filter [m], [m/s] (ours).
    motion_sigma_mps2
        How hard vehicles speed up, brake and turn, for the Kalman filter [m/s²] (ours; a corner at
        8 m/s with a radius of 10 m takes 6).
    score_limit
        Score from which on the behaviour of a sender is not believed (ours).
    score_decay_s
        Scores fall to 1/e in this time [s] (ours).
    """

    range_m: float = 420.0
    off_road_m: float = 2.0
    highest_mps: float = 40.0
    speed_up_mps2: float = 3.0
    slow_down_mps2: float = 4.5
    memory_s: float = 3.1
    nearer_margin_m: float = 6.2
    farther_margin_m: float = 2.1
    heading_deg: float = 90.0
    heading_memory_s: float = 1.1
    least_move_m: float = 1.0
    interval_s: float = 0.09
    overlap_s: float = 2.0
    appearance_m: float = 420.0
    appearance_s: float = 2.1
    proximity_length_m: float = 30.0
    proximity_width_m: float = 3.0
    proximity_gap_m: float = 2.0
    height_gate_m: float = 3.0
    stronger_db: float = 9.0
    weaker_db: float = 20.0
    base_s: float = 0.5
    gate_probability: float = 0.999
    position_sigma_m: float = 1.0
    speed_sigma_mps: float = 0.3
    motion_sigma_mps2: float = 6.0
    score_limit: float = 3.0
    score_decay_s: float = 5.0

    def __post_init__(self) -> None:
        """Reject thresholds that are none."""
        for name in (item.name for item in fields(self)):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not self.heading_deg <= 180.0:
            raise ValueError(f"heading_deg must be at most 180, got {self.heading_deg}")
        if not self.gate_probability < 1.0:
            raise ValueError(f"gate_probability must be below 1, got {self.gate_probability}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyCheckParams(PlausibilityParams):
    """Receivers drop messages of which any check fails; thresholds as in F2MD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourParams(PlausibilityParams):
    """Receivers drop messages of senders whose checks fail again and again (thresholds: F2MD)."""
