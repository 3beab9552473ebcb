"""Who crosses the streets, and how."""

from __future__ import annotations

from dataclasses import dataclass

from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingParams:
    """People who cross streets, on foot and on two wheels.

    Parameters
    ----------
    rate_per_h
        People who come to each crossing [1/h]; 0 for nobody anywhere.
    at_signals
        Whether there are crossings at the lights, one over each road.
    every_m
        Distance of crossings without lights along streets with pavements [m]; 0 for none.
    speed_mps, speed_sigma_mps
        Mean and standard deviation of the walking speed [m/s], normally distributed between
        0.5 m/s and twice the mean (Weidmann 1993; medium confidence).
    two_wheeler_share
        Share of people on two wheels.
    two_wheeler_mps
        Their speed [m/s] (assumption).
    margin_s
        Time that must be left when somebody has crossed before the next vehicle [s]
        (assumption).
    jaywalker_share
        Share of people who do not mind red lights.
    jaywalker_margin_s
        The margin with which these are content [s]; negative lets them walk before vehicles that
        have to brake (assumption).
    most_waiting
        People at one crossing at a time for which there is room in the tables.
    """

    rate_per_h: float = 0.0
    at_signals: bool = True
    every_m: float = 0.0
    speed_mps: float = 1.34
    speed_sigma_mps: float = 0.26
    two_wheeler_share: float = 0.0
    two_wheeler_mps: float = 4.0
    margin_s: float = 2.0
    jaywalker_share: float = 0.0
    jaywalker_margin_s: float = 0.5
    most_waiting: int = 4

    def __post_init__(self) -> None:
        """Reject crossings that cannot be."""
        check_ranges(
            self,
            ("rate_per_h", 0.0, 3600.0),
            ("speed_mps", 0.5, 10.0),
            ("speed_sigma_mps", 0.0, 5.0),
            ("two_wheeler_share", 0.0, 1.0),
            ("two_wheeler_mps", 0.5, 15.0),
            ("margin_s", 0.0, 60.0),
            ("jaywalker_share", 0.0, 1.0),
            ("jaywalker_margin_s", -10.0, 60.0),
            ("most_waiting", 1, 100),
        )
        if self.every_m != 0.0 and not self.every_m >= 20.0:
            raise ValueError(f"every_m must be 0 or at least 20, got {self.every_m}")

    @property
    def are_there(self) -> bool:
        """Whether anybody crosses."""
        return self.rate_per_h > 0.0
