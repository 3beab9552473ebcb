"""What driving costs: battery energy of electric vehicles, fuel and CO2 of the others.

Forces at the wheels are those of the inclined plane; grades are rise over run, uphill positive.
All functions are vectorised: arguments broadcast against each other.
:mod:`v2x.sim.energy_watch` applies them to a fleet, tick by tick.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.mobility.dynamics import AIR_DENSITY_KGPM3
from v2x.units import GRAVITY_MPS2

FloatArray = NDArray[np.float64]

#: Rise over run between the grade classes, which lie about -6, -3, 0, 3 and 6 %.
GRADE_LIMITS = (-0.045, -0.015, 0.015, 0.045)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadLoad:
    """What resists the wheels of a class of vehicles.

    Parameters
    ----------
    mass_kg
        Mass with load [kg].
    drag_area_m2
        Drag coefficient times frontal area C_d A [m²].
    rolling_resistance
        Rolling resistance over weight on the level.
    rotating_mass
        Mass that must be sped up, with wheels and motor, over the mass.
    """

    mass_kg: float
    drag_area_m2: float
    rolling_resistance: float
    rotating_mass: float = 1.05

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        for item in fields(self):
            value = getattr(self, item.name)
            if not value > 0:
                raise ValueError(f"{item.name} must be > 0, got {value}")
        if self.rotating_mass < 1:
            raise ValueError(f"rotating_mass must be at least 1, got {self.rotating_mass}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricDrive:
    """Battery, motor and recuperation.

    Parameters
    ----------
    drive_efficiency
        Energy at the wheels over energy from the battery.
    regen_efficiency
        Energy into the battery over braking energy at the wheels.
    regen_power_w
        Most power that goes into the battery [W] (assumption).
    regen_none_below_mps
        Speed below which brakes do it all [m/s]; 5 km/h.
    regen_full_from_mps
        Speed from which recuperation is whole, linear in between [m/s]; 10 km/h.
    auxiliary_w
        Power of everything else [W]; with heating or cooling 1 to 3 kW more.
    """

    drive_efficiency: float = 0.90
    regen_efficiency: float = 0.65
    regen_power_w: float = 60e3
    regen_none_below_mps: float = 5.0 / 3.6
    regen_full_from_mps: float = 10.0 / 3.6
    auxiliary_w: float = 600.0

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        for name in ("drive_efficiency", "regen_efficiency"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in (0, 1], got {getattr(self, name)}")
        for name in ("regen_power_w", "auxiliary_w", "regen_none_below_mps"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be >= 0, got {getattr(self, name)}")
        if not self.regen_none_below_mps < self.regen_full_from_mps:
            raise ValueError(
                f"regen_none_below_mps ({self.regen_none_below_mps}) must be below "
                f"regen_full_from_mps ({self.regen_full_from_mps})"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FuelDrive:
    """Fuel by vehicle specific power (VSP): a rate table.

    The tables of this package are affine, an engine that idles and turns a constant share of the
    further heat into work; assumptions of the right size, confidence low, to be replaced by
    measured rates.

    Parameters
    ----------
    vsp_kw_per_t
        Power per mass at which the rate is known, ascending [kW/t]; linear in between, constant
        beyond both ends.
    fuel_g_per_s
        Fuel burnt there [g/s] (assumption, confidence low).
    co2_per_fuel
        CO2 over fuel, by mass: 3.07 for petrol, 3.19 for diesel (IPCC 2006 default carbon
        contents and heating values).
    """

    vsp_kw_per_t: tuple[float, ...]
    fuel_g_per_s: tuple[float, ...]
    co2_per_fuel: float = 3.07

    def __post_init__(self) -> None:
        """Reject a table that is none."""
        if len(self.vsp_kw_per_t) != len(self.fuel_g_per_s) or len(self.vsp_kw_per_t) < 1:
            raise ValueError(
                "vsp_kw_per_t and fuel_g_per_s must be equally long, got "
                f"{len(self.vsp_kw_per_t)} and {len(self.fuel_g_per_s)} numbers"
            )
        if any(np.diff(self.vsp_kw_per_t) <= 0):
            raise ValueError(f"vsp_kw_per_t must ascend, got {self.vsp_kw_per_t}")
        if min(self.fuel_g_per_s) < 0:
            raise ValueError(f"fuel_g_per_s must be >= 0, got {self.fuel_g_per_s}")
        if not self.co2_per_fuel > 0:
            raise ValueError(f"co2_per_fuel must be > 0, got {self.co2_per_fuel}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VspCoefficients:
    """Coefficients of v (inertia a + g sin θ + rolling) + drag v³, per mass [kW/t].

    The defaults are those of passenger cars (Jiménez-Palacios 1999).

    Parameters
    ----------
    inertia
        Mass with rotating parts over mass.
    rolling_mps2
        Rolling resistance per mass [m/s²].
    drag_per_m
        Air drag per mass and squared speed [1/m].
    """

    inertia: float = 1.1
    rolling_mps2: float = 0.132
    drag_per_m: float = 0.000302

    @classmethod
    def of(cls, load: RoadLoad) -> VspCoefficients:
        """Return the coefficients of a vehicle of known mass and drag."""
        return cls(
            inertia=load.rotating_mass,
            rolling_mps2=GRAVITY_MPS2 * load.rolling_resistance,
            drag_per_m=0.5 * AIR_DENSITY_KGPM3 * load.drag_area_m2 / load.mass_kg,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyClass:
    """One class of vehicles: how many are electric, and what both sorts need.

    Parameters
    ----------
    electric_share
        Share of electric vehicles, 0 to 1, drawn for each vehicle (assumption).
    load
        Mass and resistances.
    electric
        Battery and motor.
    fuel
        Fuel of the others.
    vsp
        Coefficients of their specific power; null for those of `load`.
    """

    electric_share: float
    load: RoadLoad
    electric: ElectricDrive = field(default_factory=ElectricDrive)
    fuel: FuelDrive
    vsp: VspCoefficients | None = None

    def __post_init__(self) -> None:
        """Reject a share that is none."""
        if not 0 <= self.electric_share <= 1:
            raise ValueError(f"electric_share must be in [0, 1], got {self.electric_share}")

    @property
    def vsp_coefficients(self) -> VspCoefficients:
        """Coefficients of the specific power."""
        return VspCoefficients.of(self.load) if self.vsp is None else self.vsp


#: Heavy diesel: 42.7 MJ/kg, 42 % of the heat into work and 85 % of that to the wheels (assumption).
_HEAVY_VSP = (0.0, 5.0, 10.0, 15.0)
#: Cars: 1.8 t electric, else petrol with 42.7 MJ/kg of which 30 % reach the wheels of 1.5 t
#: beyond idling at 0.25 g/s (assumption).
CAR_ENERGY = EnergyClass(
    electric_share=0.5,
    load=RoadLoad(mass_kg=1800.0, drag_area_m2=0.65, rolling_resistance=0.011),
    fuel=FuelDrive(
        vsp_kw_per_t=(0.0, 5.0, 10.0, 20.0, 30.0, 40.0),
        fuel_g_per_s=(0.25, 0.84, 1.42, 2.59, 3.76, 4.93),
    ),
    vsp=VspCoefficients(),
)
#: Trucks of 25 t, all with diesel; those that are electric take back more power.
TRUCK_ENERGY = EnergyClass(
    electric_share=0.0,
    load=RoadLoad(mass_kg=25e3, drag_area_m2=6.0, rolling_resistance=0.007),
    electric=ElectricDrive(regen_power_w=250e3, auxiliary_w=2000.0),
    fuel=FuelDrive(vsp_kw_per_t=_HEAVY_VSP, fuel_g_per_s=(0.6, 8.8, 17.0, 25.2), co2_per_fuel=3.19),
)
#: Buses of 17 t, half of them electric.
BUS_ENERGY = EnergyClass(
    electric_share=0.5,
    load=RoadLoad(mass_kg=17e3, drag_area_m2=6.0, rolling_resistance=0.007),
    electric=ElectricDrive(regen_power_w=200e3, auxiliary_w=3000.0),
    fuel=FuelDrive(vsp_kw_per_t=_HEAVY_VSP, fuel_g_per_s=(0.6, 6.2, 11.8, 17.3), co2_per_fuel=3.19),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyParams:
    """What driving costs: whether it is recorded, and by which vehicles.

    Parameters
    ----------
    record
        Whether table ``energy`` is filled.
    car, truck, bus
        What vehicles of each kind need.
    stop_mps
        Speed below which a vehicle stands [m/s] (assumption).
    moving_mps
        Speed above which it is on its way again, so that the next halt counts [m/s] (assumption).
    """

    record: bool = False
    car: EnergyClass = field(default=CAR_ENERGY)
    truck: EnergyClass = field(default=TRUCK_ENERGY)
    bus: EnergyClass = field(default=BUS_ENERGY)
    stop_mps: float = 0.5
    moving_mps: float = 2.0

    def __post_init__(self) -> None:
        """Reject speeds in the wrong order."""
        if not 0 < self.stop_mps < self.moving_mps:
            raise ValueError(
                f"stop_mps and moving_mps must be positive and ascend, got {self.stop_mps} "
                f"and {self.moving_mps}"
            )

    def by_kind(self) -> tuple[EnergyClass, EnergyClass, EnergyClass]:
        """Return the classes in the order of :class:`~v2x.mobility.fleet.NodeKind`."""
        return self.car, self.truck, self.bus


def tractive_force_n(
    speed_mps: ArrayLike, acceleration_mps2: ArrayLike, grade: ArrayLike, load: RoadLoad
) -> FloatArray:
    r"""Return the force at the wheels [N], negative where brakes or the motor must hold back.

    Notes
    -----
    .. math:: F = m g (f\cos\theta + \sin\theta) + \tfrac12\rho C_d A v^2 + \delta m a,
              \qquad \tan\theta = i

    Rolling resistance is taken for a vehicle that rolls.
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    slope = np.asarray(grade, dtype=np.float64)
    cosine = 1.0 / np.sqrt(1.0 + slope * slope)
    weight = GRAVITY_MPS2 * cosine * (load.rolling_resistance + slope)
    inertia = load.rotating_mass * np.asarray(acceleration_mps2, dtype=np.float64)
    drag = 0.5 * AIR_DENSITY_KGPM3 * load.drag_area_m2 * v * v
    return np.asarray(load.mass_kg * (weight + inertia) + drag)


def electric_power_w(
    speed_mps: ArrayLike, force_n: ArrayLike, drive: ElectricDrive
) -> tuple[FloatArray, FloatArray]:
    """Return the power that leaves the battery for driving, and that goes back into it [W].

    Parameters
    ----------
    speed_mps, force_n : array_like
        Speed [m/s] and force at the wheels [N], see :func:`tractive_force_n`.
    drive
        Efficiencies and limits.

    Returns
    -------
    drawn, returned : float64
        Both not negative; auxiliaries are not included.

    Examples
    --------
    A car at 60 km/h on the level takes 103 Wh per km, auxiliaries included:

    >>> v = 60 / 3.6
    >>> force = tractive_force_n(v, 0.0, 0.0, CAR_ENERGY.load)
    >>> drawn, returned = electric_power_w(v, force, CAR_ENERGY.electric)
    >>> round(float(drawn - returned + 600.0) / 60)
    103
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    at_wheels = np.asarray(force_n, dtype=np.float64) * v
    drawn = np.maximum(at_wheels, 0.0) / drive.drive_efficiency
    span = drive.regen_full_from_mps - drive.regen_none_below_mps
    share = np.clip((v - drive.regen_none_below_mps) / span, 0.0, 1.0)
    braking = np.maximum(-at_wheels, 0.0) * drive.regen_efficiency
    return drawn, np.asarray(np.minimum(braking, drive.regen_power_w) * share)


def specific_power_kw_per_t(
    speed_mps: ArrayLike,
    acceleration_mps2: ArrayLike,
    grade: ArrayLike,
    coefficients: VspCoefficients,
) -> FloatArray:
    r"""Return the vehicle specific power [kW/t].

    Notes
    -----
    .. math:: VSP = v\,(1.1\,a + 9.81\,i + 0.132) + 0.000302\,v^3

    for passenger cars, the grade *i* standing for its sine.

    Examples
    --------
    >>> specific_power_kw_per_t(60 / 3.6, 0.0, 0.03, VspCoefficients()).round(2)
    np.float64(8.5)
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    push = coefficients.inertia * np.asarray(acceleration_mps2, dtype=np.float64)
    push = push + GRAVITY_MPS2 * np.asarray(grade, dtype=np.float64) + coefficients.rolling_mps2
    return np.asarray(v * push + coefficients.drag_per_m * v * v * v)


def fuel_g_per_s(specific_kw_per_t: ArrayLike, fuel: FuelDrive) -> FloatArray:
    """Return the fuel burnt at a vehicle specific power [g/s]."""
    vsp = np.asarray(specific_kw_per_t, dtype=np.float64)
    return np.asarray(np.interp(vsp, fuel.vsp_kw_per_t, fuel.fuel_g_per_s))


def grade_class(grade: ArrayLike) -> NDArray[np.int32]:
    """Return the class of each grade: 0 below -4.5 %, 2 about level, 4 from 4.5 % on.

    Examples
    --------
    >>> grade_class([-0.06, -0.03, 0.0, 0.03, 0.06])
    array([0, 1, 2, 3, 4], dtype=int32)
    """
    return np.searchsorted(GRADE_LIMITS, np.asarray(grade), side="right").astype(np.int32)
