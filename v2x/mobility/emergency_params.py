"""Emergency vehicles of a scenario."""

from __future__ import annotations

from dataclasses import dataclass

from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyParams:
    """Emergency vehicles among the traffic.

    Parameters
    ----------
    n_vehicles
        How many cars are emergency vehicles; one that arrives is followed by another.
    from_s, until_s
        When they are on duty, with the siren on [s]; null for to the end.
    speed_factor
        Speed that they take as limit, relative to the sign (assumption).
    passes_red
        Whether they pass red lights where nobody is in their way.
    hearing_m
        Drivers ahead in their lane who are nearer than this hear the siren and leave the lane,
        to the right where there is a lane; others then do not change into it [m]. 0 for nobody:
        then only those give way who are told by radio (assumption).
    """

    n_vehicles: int = 0
    from_s: float = 0.0
    until_s: float | None = None
    speed_factor: float = 1.3
    passes_red: bool = True
    hearing_m: float = 50.0

    def __post_init__(self) -> None:
        """Reject vehicles that cannot be."""
        check_ranges(
            self,
            ("n_vehicles", 0, 10_000),
            ("from_s", 0.0, 1e9),
            ("speed_factor", 0.5, 2.0),
            ("hearing_m", 0.0, 1000.0),
        )
        if self.until_s is not None and not self.until_s > self.from_s:
            raise ValueError(f"until_s must be later than from_s, got {self.until_s}")

    @property
    def are_there(self) -> bool:
        """Whether there is one."""
        return self.n_vehicles > 0
