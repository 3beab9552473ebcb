"""Cars, trucks and buses: how big they are, how they drive, how many of each there are."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.car_following import IdmParams
from v2x.mobility.dynamics import BrakeParams, EngineParams
from v2x.mobility.fleet import NodeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """Outer size of a road user.

    Parameters
    ----------
    length_m, width_m, height_m
        Size [m].
    antenna_height_m
        Height of the antenna above the road [m].
    """

    length_m: float
    width_m: float
    height_m: float
    antenna_height_m: float

    def __post_init__(self) -> None:
        """Reject sizes that are not positive."""
        for item in fields(self):
            value = getattr(self, item.name)
            if not value > 0:
                raise ValueError(f"{item.name} must be > 0, got {value}")


#: TR 37.885 Table 6.1.2: type 2, passenger vehicle with a roof antenna.
CAR_SIZE = Dimensions(length_m=5.0, width_m=2.0, height_m=1.6, antenna_height_m=1.6)
#: TR 37.885 Table 6.1.2: type 3, truck or bus.
HEAVY_SIZE = Dimensions(length_m=13.0, width_m=2.6, height_m=3.0, antenna_height_m=3.0)
#: A person; TR 36.885 puts the pedestrian's device at 1.5 m.
VRU_SIZE = Dimensions(length_m=0.5, width_m=0.5, height_m=1.75, antenna_height_m=1.5)
#: A bicycle or a light motorcycle with its rider (assumption).
TWO_WHEELER_SIZE = Dimensions(length_m=1.8, width_m=0.6, height_m=1.75, antenna_height_m=1.2)

#: Dimensions by :class:`NodeKind`, for the kinds that move.
SIZES = {
    NodeKind.CAR: CAR_SIZE,
    NodeKind.TRUCK: HEAVY_SIZE,
    NodeKind.BUS: HEAVY_SIZE,
    NodeKind.VRU: VRU_SIZE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleClass:
    """One class of vehicles.

    Parameters
    ----------
    size
        Dimensions and antenna height.
    driver
        How it follows.
    engine
        What limits it on slopes.
    brakes
        How they bear long descents; cold for ever by default.
    """

    size: Dimensions
    driver: IdmParams
    engine: EngineParams
    brakes: BrakeParams = field(default_factory=BrakeParams)


#: Cars: IDM values in the middle of the published ranges; their power never limits.
CAR = VehicleClass(
    size=CAR_SIZE,
    driver=IdmParams(),
    engine=EngineParams(power_w=float("inf"), mass_kg=1500.0, drag_area_m2=0.7),
)
#: Trucks: published IDM ranges; 260 kW for 25 t, the lighter of the two vehicles whose crawl
#: speeds are tabulated and the one that a length of 13 m fits. Drums at the light end of the
#: published range, a retarder of half the engine's power and 40 % of the weight on the driven
#: axle are assumptions.
TRUCK = VehicleClass(
    size=HEAVY_SIZE,
    driver=IdmParams(
        desired_speed_mps=25.0,
        headway_s=1.7,
        min_gap_m=2.5,
        acceleration_mps2=0.6,
        emergency_mps2=5.0,
    ),
    engine=EngineParams(power_w=260e3, mass_kg=25e3, drag_area_m2=6.0, driven_share=0.4),
    brakes=BrakeParams(heat_capacity_j_per_k=3e5, retarder_w=150e3),
)
#: Buses: between the two (assumption); 220 kW for 17 t and a retarder of 100 kW.
BUS = VehicleClass(
    size=HEAVY_SIZE,
    driver=IdmParams(
        desired_speed_mps=27.8,
        headway_s=1.6,
        min_gap_m=2.5,
        acceleration_mps2=0.9,
        emergency_mps2=5.0,
    ),
    engine=EngineParams(power_w=220e3, mass_kg=17e3, drag_area_m2=6.0, driven_share=0.6),
    brakes=BrakeParams(heat_capacity_j_per_k=3e5, retarder_w=100e3),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleClasses:
    """The classes that a scenario may change.

    Parameters
    ----------
    car, truck, bus
        See :data:`CAR`, :data:`TRUCK` and :data:`BUS`.
    """

    car: VehicleClass = field(default=CAR)
    truck: VehicleClass = field(default=TRUCK)
    bus: VehicleClass = field(default=BUS)

    def by_kind(self) -> tuple[VehicleClass, VehicleClass, VehicleClass]:
        """Return the classes in the order of :class:`NodeKind`."""
        return self.car, self.truck, self.bus


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Shares of the vehicle classes.

    Only their ratio matters: ``car: 3, truck: 1, bus: 0`` means three cars for each truck.
    The default, 80 % cars, 15 % trucks and 5 % buses, is an assumption for expressways and
    trunk roads; TR 37.885 option A is cars only, option B has 20 % of heavy vehicles.

    Parameters
    ----------
    car, truck, bus
        Parts, not negative.
    """

    car: float = 0.80
    truck: float = 0.15
    bus: float = 0.05

    def __post_init__(self) -> None:
        """Reject negative parts and an empty mix."""
        parts = (self.car, self.truck, self.bus)
        if min(parts) < 0 or not 0 < sum(parts) < float("inf"):
            raise ValueError(f"shares of car, truck, bus must be >= 0 and not all 0, got {parts}")

    def kinds(self, n: int, draw: np.random.Generator) -> NDArray[np.int32]:
        """Return the kinds of `n` vehicles in random order, as close to the shares as `n` allows.

        Counts are rounded by largest remainder, so the composition does not vary with the
        seed; only who is what does.
        """
        parts = np.array([self.car, self.truck, self.bus])
        exact = n * parts / parts.sum()
        count = np.floor(exact).astype(np.int64)
        order = np.argsort(count - exact, kind="stable")
        count[order[: n - int(count.sum())]] += 1
        kind = np.repeat(np.array([NodeKind.CAR, NodeKind.TRUCK, NodeKind.BUS]), count)
        return draw.permutation(kind).astype(np.int32)
