"""Drivers of a scenario and their faults."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashParams:
    """What a collision on a lane does to the vehicles in it.

    Parameters
    ----------
    deceleration_mps2
        Deceleration with which vehicles come to rest after an impact [m/s²], less where brakes
        and grip give less (assumption: locked or dragging wheels on most of the friction).
    airbag_delta_v_mps
        Change of speed above which air bags open [m/s]; 20 km/h, above which injuries are
        usual, confidence low.
    clear_after_s
        Time after which a wreck is taken off the road [s]; null leaves it for the whole run.
    """

    deceleration_mps2: float = 6.0
    airbag_delta_v_mps: float = 20.0 / 3.6
    clear_after_s: float | None = None

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        if not 0.5 <= self.deceleration_mps2 <= 20:
            raise ValueError(
                f"deceleration_mps2 must be in [0.5, 20], got {self.deceleration_mps2}"
            )
        if not self.airbag_delta_v_mps > 0:
            raise ValueError(f"airbag_delta_v_mps must be > 0, got {self.airbag_delta_v_mps}")
        if self.clear_after_s is not None and not self.clear_after_s >= 1:
            raise ValueError(f"clear_after_s must be at least 1, got {self.clear_after_s}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlawlessParams:
    """Drivers who are always able to stop for all they know of and never run into anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanParams:
    """Drivers who need time to react to surprises and see no farther than the air lets them.

    They follow, turn and stop at lights as the flawless do. Only what would make a flawless
    driver brake harder than `surprise_mps2` is answered after a reaction time; until then they
    go on as before, so that they may collide.

    Parameters
    ----------
    surprise_mps2
        Deceleration beyond which the need to brake comes as a surprise [m/s²] (assumption;
        3 to 4 counts as hard braking).
    reaction_s, reaction_sd_s
        Mean and standard deviation of the lognormal reaction time to a surprise [s]; 1.31 and
        0.61 for braking by surprise.
    alerted_reaction_s, alerted_reaction_sd_s
        The same for a driver who was told of trouble ahead [s]; 0.9 to 1.1 and 0.35, a
        proposal of the project.
    heavy_build_up_s
        How much later the brakes of trucks and buses hold [s]; 0.2 to 0.5 with air brakes,
        confidence low.
    sight_trust
        What drivers take for free when they choose their speed in fog and at tunnel mouths,
        relative to what they see. 1 goes by sight, 2 drives as if the fog were half as dense; a
        choice of the study.
    bend_clear_m
        Clearance from the middle of the lane to what blocks the view on the inside of bends
        [m]; 3 to 5 on mountain roads. Infinite for bends that hide nothing.
    lapses_per_h
        How often a driver looks away [1/h]; 0 for never, otherwise a choice of the study.
    lapse_s
        How long [s]; a surprise that begins meanwhile is only noticed at the end (choice of
        the study).
    crash
        What a collision does to those in it.
    """

    surprise_mps2: float = 3.0
    reaction_s: float = 1.31
    reaction_sd_s: float = 0.61
    alerted_reaction_s: float = 1.0
    alerted_reaction_sd_s: float = 0.35
    heavy_build_up_s: float = 0.3
    sight_trust: float = 1.0
    bend_clear_m: float = 4.0
    lapses_per_h: float = 0.0
    lapse_s: float = 2.0
    crash: CrashParams = field(default_factory=CrashParams)

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        for name in ("reaction_s", "reaction_sd_s", "alerted_reaction_s", "alerted_reaction_sd_s"):
            if not 0 < getattr(self, name) < 60:
                raise ValueError(f"{name} must be in (0, 60), got {getattr(self, name)}")
        for name in ("heavy_build_up_s", "lapses_per_h", "lapse_s"):
            if not 0 <= getattr(self, name) < 3600:
                raise ValueError(f"{name} must be in [0, 3600), got {getattr(self, name)}")
        if not 0.5 <= self.surprise_mps2 <= 8:
            raise ValueError(f"surprise_mps2 must be in [0.5, 8], got {self.surprise_mps2}")
        if not 1 <= self.sight_trust <= 100:
            raise ValueError(f"sight_trust must be in [1, 100], got {self.sight_trust}")
        if not self.bend_clear_m >= 0.5:
            raise ValueError(f"bend_clear_m must be at least 0.5, got {self.bend_clear_m}")
