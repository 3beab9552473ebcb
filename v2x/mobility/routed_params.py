"""Amount, composition and behaviour of routed traffic."""

from __future__ import annotations

from dataclasses import dataclass, field

from v2x.mobility.curves import CurveParams
from v2x.mobility.demand import DemandKind, check_amount
from v2x.mobility.driver import EyesParams
from v2x.mobility.lane_change import LaneChangeParams
from v2x.mobility.placement import Spacing
from v2x.mobility.vehicle_classes import Mix, VehicleClasses

#: A driver who has stood this long at the end of a lane that the route cannot use drives on [s].
MISSED_AFTER_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedParams:
    """Amount, composition and behaviour of routed traffic.

    Parameters
    ----------
    n_vehicles
        Number of vehicles, kept constant: for each that leaves the map a new one enters as
        soon as there is room. Set this or `density_per_km`.
    density_per_km
        Vehicles per kilometre of road, both directions together [1/km];
        :func:`~v2x.mobility.demand.road_length_m` says what a kilometre of road is.
    mix
        Shares of cars, trucks and buses.
    classes
        Size, driver and engine of each class.
    lane_change
        MOBIL parameters.
    eyes
        How drivers go by what they see.
    curves
        How fast they take bends.
    spacing
        ``random`` (vehicles independent of each other) or ``uniform`` (equally spaced in
        time along the routes) at the start.
    demand
        Where trips begin and end.
    n_routes
        Trips that are drawn at the start; every vehicle makes one of them.
    speed_factor_spread
        Drivers take as limit the sign times a factor drawn uniformly from 1 minus to 1 plus
        this (assumption; SUMO's default deviation is 0.1).
    grade_compensation
        Share of gravity on a slope that drivers make up for, 0 to 1 (0.5, assumption).
    courtesy_s
        How long a standing driver must have waited at a node before slow traffic with
        priority lets it in; in proportion longer for faster traffic [s] (assumption).
    patience_s
        A vehicle that has stood still so long is taken off the map and counted in
        :attr:`RoutedTraffic.n_given_up` [s]; SUMO moves it elsewhere after the same time.
    signal_cycle_s, signal_clear_s
        Period of all traffic lights, half of it for each axis, and how much of each half is
        red for all [s] (assumption).
    step_s
        Longest step of the motion [s], at most 0.1.
    """

    n_vehicles: int | None = None
    density_per_km: float | None = None
    mix: Mix = field(default_factory=Mix)
    classes: VehicleClasses = field(default_factory=VehicleClasses)
    lane_change: LaneChangeParams = field(default_factory=LaneChangeParams)
    eyes: EyesParams = field(default_factory=EyesParams)
    curves: CurveParams = field(default_factory=CurveParams)
    spacing: Spacing = Spacing.RANDOM
    demand: DemandKind = DemandKind.AUTO
    n_routes: int = 500
    speed_factor_spread: float = 0.1
    grade_compensation: float = 0.5
    courtesy_s: float = 5.0
    patience_s: float = 300.0
    signal_cycle_s: float = 60.0
    signal_clear_s: float = 4.0
    step_s: float = 0.1

    def __post_init__(self) -> None:
        """Reject impossible values and combinations."""
        check_amount(self.n_vehicles, self.density_per_km)
        Spacing(self.spacing)
        DemandKind(self.demand)
        if self.n_routes < 1:
            raise ValueError(f"n_routes must be at least 1, got {self.n_routes}")
        if not 0 <= self.speed_factor_spread < 0.5:
            raise ValueError(
                f"speed_factor_spread must be in [0, 0.5), got {self.speed_factor_spread}"
            )
        if not 0 <= self.grade_compensation <= 1:
            raise ValueError(f"grade_compensation must be in [0, 1], got {self.grade_compensation}")
        if not (self.courtesy_s >= 0 and self.patience_s > MISSED_AFTER_S):
            raise ValueError(
                f"courtesy_s must be >= 0 and patience_s > {MISSED_AFTER_S}, "
                f"got {self.courtesy_s} and {self.patience_s}"
            )
        if not 0 <= 2 * self.signal_clear_s < self.signal_cycle_s:
            raise ValueError(
                f"signal_clear_s must be less than half of signal_cycle_s, "
                f"got {self.signal_clear_s} and {self.signal_cycle_s}"
            )
        if not 0.001 <= self.step_s <= 0.1:
            raise ValueError(f"step_s must be in [0.001, 0.1], got {self.step_s}")
