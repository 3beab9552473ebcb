"""What wheels can do: pull and resistance, braking on slopes and slippery roads, hot drums.

The functions state the physics in numpy; ``v2x._kernels.car_following`` applies it to a fleet.
Grades are rise over run, uphill positive; friction is that of the road, see
:mod:`v2x.world.weather`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.units import GRAVITY_MPS2
from v2x.world.weather import DRY_FRICTION

FloatArray = NDArray[np.float64]

AIR_DENSITY_KGPM3 = 1.2
ROLLING_RESISTANCE = 0.007
DRIVETRAIN_EFFICIENCY = 0.85

#: Braking that is left on any road, however icy and steep: somebody who could not stop at all
#: would not be on it (assumption: chains, grit, the verge) [m/s²].
LEAST_BRAKING_MPS2 = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineParams:
    """What limits the pull of a vehicle.

    Parameters
    ----------
    power_w
        Engine power [W]; infinite if it never limits.
    mass_kg
        Mass with load [kg].
    drag_area_m2
        Drag coefficient times frontal area C_d A [m²].
    driven_share
        Share of the weight that rests on driven wheels: what can be pulled with on a slippery
        road (assumption).
    """

    power_w: float
    mass_kg: float
    drag_area_m2: float
    driven_share: float = 0.6

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        for item in fields(self):
            value = getattr(self, item.name)
            if not value > 0:
                raise ValueError(f"{item.name} must be > 0, got {value}")
        if self.driven_share > 1:
            raise ValueError(f"driven_share must be at most 1, got {self.driven_share}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakeParams:
    """Drum brakes that get hot on long descents, and what spares them.

    The energy balance of the grade severity rating (GSRS) family, in whose reports the
    coefficients were fitted to trucks; the values here are proposals of the right size, to be
    replaced by measured ones where there are any.

    Parameters
    ----------
    heat_capacity_j_per_k
        Mass times specific heat of all drums [J/K], 3e5 to 5e5 for a truck; infinite for
        brakes that stay cold.
    retarder_w
        Braking power of engine and retarder, used before the brakes [W]; 80 to 300 kW.
    cooling_w_per_k
        Heat that drums at rest give to the air per kelvin above it [W/K].
    cooling_w_per_k_per_mps
        What they give more in the wind of driving [W/K per m/s].
    ambient_c
        Temperature of the air and of cold drums [°C].
    fade_from_c
        Temperature up to which brakes are whole [°C]; from there they fall linearly.
    fade_to_c
        Temperature from which no more than `fade_least` is left [°C].
    fade_least
        Share of the braking that is left by the hottest brakes.
    """

    heat_capacity_j_per_k: float = math.inf
    retarder_w: float = 0.0
    cooling_w_per_k: float = 300.0
    cooling_w_per_k_per_mps: float = 40.0
    ambient_c: float = 20.0
    fade_from_c: float = 260.0
    fade_to_c: float = 400.0
    fade_least: float = 0.3

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        if not self.heat_capacity_j_per_k >= 1000.0:
            raise ValueError(
                f"heat_capacity_j_per_k must be >= 1000, got {self.heat_capacity_j_per_k}"
            )
        for name in ("retarder_w", "cooling_w_per_k", "cooling_w_per_k_per_mps"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be >= 0, got {getattr(self, name)}")
        if not -60 <= self.ambient_c < self.fade_from_c < self.fade_to_c:
            raise ValueError(
                "ambient_c, fade_from_c and fade_to_c must rise in this order, got "
                f"{self.ambient_c}, {self.fade_from_c} and {self.fade_to_c}"
            )
        if not 0 < self.fade_least <= 1:
            raise ValueError(f"fade_least must be in (0, 1], got {self.fade_least}")


# Pull and resistance -----------------------------------------------------------------------


def specific_power_w_per_kg(engine: EngineParams) -> float:
    """Return the power at the wheels per mass, P η/m [W/kg]."""
    return engine.power_w * DRIVETRAIN_EFFICIENCY / engine.mass_kg


def specific_drag_per_m(engine: EngineParams) -> float:
    """Return the deceleration by air per squared speed, ρ C_d A/(2 m) [1/m]."""
    return 0.5 * AIR_DENSITY_KGPM3 * engine.drag_area_m2 / engine.mass_kg


def traction_mps2(engine: EngineParams) -> float:
    """Return the acceleration that the driven wheels can give on a dry road [m/s²]."""
    return engine.driven_share * DRY_FRICTION * GRAVITY_MPS2


def on_slope_mps2(
    acceleration_mps2: ArrayLike,
    speed_mps: ArrayLike,
    grade: ArrayLike,
    engine: EngineParams,
    compensation: float,
    grip: float = 1.0,
) -> FloatArray:
    """Return the acceleration that is left of the driver's wish on a slope [m/s²].

    The driver makes up for the share `compensation` of gravity; engine and driven wheels then
    bound the result by min(P η/(m v), F/m) - g (f + i) - ρ C_d A v²/(2 m).

    Parameters
    ----------
    acceleration_mps2, speed_mps : array_like
        What the driver wants on the level; speed.
    grade : array_like
        Rise over run, uphill positive.
    engine
        Power, mass and drag.
    compensation
        Share of gravity that the driver makes up for, 0 to 1.
    grip
        Friction relative to that of a dry road.
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    slope = np.asarray(grade, dtype=np.float64)
    wish = np.asarray(acceleration_mps2) - (1.0 - compensation) * GRAVITY_MPS2 * slope
    pull = specific_power_w_per_kg(engine) / np.maximum(v, 1.0)
    pull = np.minimum(pull, traction_mps2(engine) * grip)
    drag = specific_drag_per_m(engine) * v * v
    return np.minimum(wish, pull - GRAVITY_MPS2 * (ROLLING_RESISTANCE + slope) - drag)


def crawl_speed_mps(grade: float, engine: EngineParams) -> float:
    """Return the speed at which power just carries the vehicle up a long slope [m/s].

    Solves P η/v = m g (f + i) + ρ C_d A v²/2 by bisection below 100 m/s.

    Examples
    --------
    >>> tractor = EngineParams(power_w=300e3, mass_kg=49e3, drag_area_m2=6.0)
    >>> round(crawl_speed_mps(0.05, tractor) * 3.6)
    33
    """
    low, high = 0.0, 100.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        pull = specific_power_w_per_kg(engine)
        weight = GRAVITY_MPS2 * (ROLLING_RESISTANCE + grade)
        load = (weight + specific_drag_per_m(engine) * middle * middle) * middle
        low, high = (middle, high) if load < pull else (low, middle)
    return low


# Braking -----------------------------------------------------------------------------------


def available_braking_mps2(
    emergency_mps2: ArrayLike, grade: ArrayLike = 0.0, grip: ArrayLike = 1.0, fade: ArrayLike = 1.0
) -> FloatArray:
    """Return the hardest braking on a slope [m/s²].

    Parameters
    ----------
    emergency_mps2 : array_like
        Hardest braking of the class on a dry level road; it scales with the friction.
    grade : array_like
        Rise over run; downhill is negative and takes its share g i away.
    grip, fade : array_like
        Friction relative to that of a dry road; share that hot brakes still give. The lower of
        the two decides: cold brakes do not help on ice, nor does a dry road hot ones.
    """
    held = np.asarray(emergency_mps2) * np.minimum(grip, fade)
    return np.maximum(held + GRAVITY_MPS2 * np.asarray(grade), LEAST_BRAKING_MPS2)


def stopping_distance_m(
    speed_mps: ArrayLike, reaction_s: ArrayLike, braking_mps2: ArrayLike
) -> FloatArray:
    r"""Return the distance to a stop with a reaction time [m].

    Notes
    -----
    .. math:: d = v t_r + \frac{v^2}{2 b}, \qquad b = g\,(\mu + i)

    for a vehicle that uses all of the friction.

    Examples
    --------
    60 km/h on a wet road that falls by 6 %, as tabulated:

    >>> b = friction_braking_mps2(0.4, -0.06)
    >>> round(float(stopping_distance_m(60 / 3.6, 1.5, b)), 1)
    66.6
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    return np.asarray(v * np.asarray(reaction_s) + v * v / (2.0 * np.asarray(braking_mps2)))


def friction_braking_mps2(friction: ArrayLike, grade: ArrayLike = 0.0) -> FloatArray:
    """Return the braking b = g (μ + i) that friction allows on a slope [m/s²]."""
    return np.asarray(GRAVITY_MPS2 * (np.asarray(friction) + np.asarray(grade)))


def sight_speed_mps(
    sight_m: ArrayLike, reaction_s: ArrayLike, braking_mps2: ArrayLike
) -> FloatArray:
    """Return the speed from which one stops within the seen distance [m/s].

    The inverse of :func:`stopping_distance_m`: v = b (√(t² + 2 s/b) - t).
    """
    t, b = np.asarray(reaction_s, dtype=np.float64), np.asarray(braking_mps2, dtype=np.float64)
    return np.asarray(b * (np.sqrt(t * t + 2.0 * np.asarray(sight_m) / b) - t))


# Long descents -----------------------------------------------------------------------------


def retarding_power_w(
    speed_mps: ArrayLike, grade: ArrayLike, engine: EngineParams, braking_mps2: ArrayLike = 0.0
) -> FloatArray:
    """Return the power that brakes, engine and retarder together take up [W].

    Parameters
    ----------
    speed_mps, grade : array_like
        Speed [m/s], and rise over run.
    engine
        Mass and drag.
    braking_mps2 : array_like
        Deceleration of the vehicle, 0 at a steady speed [m/s²].

    Notes
    -----
    [m (b - g (i + f)) - ρ C_d A v²/2] v, and nothing where that is negative.
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    fall = np.asarray(braking_mps2) - GRAVITY_MPS2 * (np.asarray(grade) + ROLLING_RESISTANCE)
    per_kg = (fall - specific_drag_per_m(engine) * v * v) * v
    return np.maximum(engine.mass_kg * per_kg, 0.0)


def brake_fade(temperature_c: ArrayLike, brakes: BrakeParams) -> FloatArray:
    """Return the share of the braking that drums of a temperature [°C] still give."""
    hot = np.asarray(temperature_c, dtype=np.float64) - brakes.fade_from_c
    share = np.minimum(np.maximum(hot / (brakes.fade_to_c - brakes.fade_from_c), 0.0), 1.0)
    return np.asarray(1.0 - (1.0 - brakes.fade_least) * share)


def brake_heating_k_per_s(
    temperature_c: ArrayLike, speed_mps: ArrayLike, retarding_w: ArrayLike, brakes: BrakeParams
) -> FloatArray:
    """Return how fast the drums get hotter [K/s]: (P - P_retarder - h A (T - T_air))/(m c).

    Parameters
    ----------
    temperature_c, speed_mps : array_like
        Temperature of the drums [°C]; speed [m/s], which cools them.
    retarding_w : array_like
        Power to be taken up, see :func:`retarding_power_w` [W].
    brakes
        Heat capacity, cooling and retarder.
    """
    into = np.maximum(np.asarray(retarding_w) - brakes.retarder_w, 0.0)
    cooling = brakes.cooling_w_per_k + brakes.cooling_w_per_k_per_mps * np.asarray(speed_mps)
    lost = cooling * (np.asarray(temperature_c) - brakes.ambient_c)
    return np.asarray((into - lost) / brakes.heat_capacity_j_per_k)


def steady_brake_temperature_c(retarding_w: float, speed_mps: float, brakes: BrakeParams) -> float:
    """Return the temperature at which drums give away all heat of a steady descent [°C]."""
    cooling = brakes.cooling_w_per_k + brakes.cooling_w_per_k_per_mps * speed_mps
    return brakes.ambient_c + max(retarding_w - brakes.retarder_w, 0.0) / cooling


def runaway(
    speed_mps: float, grade: float, engine: EngineParams, distance_m: float
) -> tuple[float, float]:
    """Return speed [m/s] and time [s] of a vehicle without brakes after a distance downhill.

    The closed form of dv/dt = g (-i - f) - k v² with k = ρ C_d A/(2 m): v² nears g (-i - f)/k
    exponentially with the distance.

    Parameters
    ----------
    speed_mps
        Speed at the beginning, below the final one [m/s].
    grade
        Rise over run, less than minus the rolling resistance.
    engine
        Mass and drag.
    distance_m
        Distance [m].

    Examples
    --------
    49 t from 60 km/h, 500 m down 5 %:

    >>> tractor = EngineParams(power_w=300e3, mass_kg=49e3, drag_area_m2=6.0)
    >>> speed, time = runaway(60 / 3.6, -0.05, tractor, 500.0)
    >>> round(speed * 3.6, 1), round(time, 1)
    (92.8, 23.5)
    """
    k = specific_drag_per_m(engine)
    final = math.sqrt(max(GRAVITY_MPS2 * (-grade - ROLLING_RESISTANCE), 0.0) / k)
    if not 0 <= speed_mps < final:
        raise ValueError(f"speed_mps must be in [0, {final}), the final speed, got {speed_mps}")
    rest = (final**2 - speed_mps**2) * math.exp(-2.0 * k * distance_m)
    speed = math.sqrt(final**2 - rest)
    time = (math.atanh(speed / final) - math.atanh(speed_mps / final)) / (k * final)
    return speed, time


def escape_ramp_m(speed_mps: float, rolling_resistance: float, grade: float) -> float:
    """Return the length of a gravel ramp that stops a vehicle without brakes [m].

    Parameters
    ----------
    speed_mps
        Speed at its beginning [m/s].
    rolling_resistance
        Of the gravel, 0.15 to 0.25.
    grade
        Rise over run.

    Examples
    --------
    >>> round(escape_ramp_m(100 / 3.6, 0.25, 0.10))
    112
    """
    return speed_mps * speed_mps / (2.0 * GRAVITY_MPS2 * (rolling_resistance + grade))
