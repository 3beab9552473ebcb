"""Path loss between base stations and vehicles: UMi, UMa and RMa of TR 38.901.

Tables 7.4.1-1 and 7.4.2-1 (medium confidence: recalled, not read again). Antenna gains and the
loss by terrain, decks and tunnels are added in :mod:`v2x.cellular.coverage`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from v2x.units import SPEED_OF_LIGHT_MPS

FloatArray = NDArray[np.float64]
Environment = Literal["umi", "uma", "rma"]

#: Shorter links are evaluated at this distance [m]; the tables begin there.
MIN_DISTANCE_M = 10.0
#: Height of the surroundings in the breakpoint of UMi and UMa [m] (vehicles are below 13 m).
_SURROUNDINGS_M = 1.0
#: Street width and height of buildings of RMa [m].
_STREET_M, _BUILDING_M = 20.0, 5.0


@dataclass(frozen=True, slots=True)
class Links:
    """Links between base stations and vehicles.

    Attributes
    ----------
    plan_m : (n,) float64
        Horizontal distance [m].
    distance_m : (n,) float64
        Distance between the antennas [m].
    base_m, vehicle_m : (n,) float64
        Heights of the antennas above the ground at their own place [m].
    """

    plan_m: FloatArray
    distance_m: FloatArray
    base_m: FloatArray
    vehicle_m: FloatArray


@dataclass(frozen=True, slots=True)
class Statistics:
    """Shadowing of an environment (TR 38.901 Tables 7.4.1-1 and 7.5-6).

    Attributes
    ----------
    los_db, nlos_db
        Standard deviations [dB].
    decorrelation_m
        Decorrelation distance with line of sight [m].
    """

    los_db: float
    nlos_db: float
    decorrelation_m: float


def _breakpoint_m(links: Links, carrier_ghz: float) -> FloatArray:
    high = (links.base_m - _SURROUNDINGS_M) * np.maximum(links.vehicle_m - _SURROUNDINGS_M, 0.1)
    return np.asarray(4.0 * high * carrier_ghz * 1e9 / SPEED_OF_LIGHT_MPS)


def _two_slopes(
    links: Links, carrier_ghz: float, start_db: float, slope: float, bend: float
) -> FloatArray:
    """Return the LOS law of UMi or UMa [dB]: `slope` to the breakpoint, 40 beyond."""
    d = np.maximum(links.distance_m, MIN_DISTANCE_M)
    at = _breakpoint_m(links, carrier_ghz)
    common = start_db + 20.0 * math.log10(carrier_ghz)
    apart = links.base_m - links.vehicle_m
    near = common + slope * np.log10(d)
    far = common + 40.0 * np.log10(d) - bend * np.log10(at**2 + apart**2)
    return np.asarray(np.where(links.plan_m <= at, near, far))


def _umi_los(links: Links, carrier_ghz: float) -> FloatArray:
    return _two_slopes(links, carrier_ghz, 32.4, 21.0, 9.5)


def _umi_nlos(links: Links, carrier_ghz: float) -> FloatArray:
    d = np.maximum(links.distance_m, MIN_DISTANCE_M)
    loss = 35.3 * np.log10(d) + 22.4 + 21.3 * math.log10(carrier_ghz)
    return np.asarray(loss - 0.3 * (links.vehicle_m - 1.5))


def _umi_p_los(plan_m: FloatArray) -> FloatArray:
    d = np.maximum(plan_m, 18.0)
    return 18.0 / d + np.exp(-d / 36.0) * (1.0 - 18.0 / d)


def _uma_los(links: Links, carrier_ghz: float) -> FloatArray:
    return _two_slopes(links, carrier_ghz, 28.0, 22.0, 9.0)


def _uma_nlos(links: Links, carrier_ghz: float) -> FloatArray:
    d = np.maximum(links.distance_m, MIN_DISTANCE_M)
    loss = 13.54 + 39.08 * np.log10(d) + 20.0 * math.log10(carrier_ghz)
    return np.asarray(loss - 0.6 * (links.vehicle_m - 1.5))


def _uma_p_los(plan_m: FloatArray) -> FloatArray:
    d = np.maximum(plan_m, 18.0)
    return 18.0 / d + np.exp(-d / 63.0) * (1.0 - 18.0 / d)


def _rma_near(d: FloatArray, carrier_ghz: float) -> FloatArray:
    rise = 0.03 * _BUILDING_M**1.72
    fall = 0.044 * _BUILDING_M**1.72
    return np.asarray(
        20.0 * np.log10(40.0 * math.pi * d * carrier_ghz / 3.0)
        + min(rise, 10.0) * np.log10(d)
        - min(fall, 14.77)
        + 0.002 * math.log10(_BUILDING_M) * d
    )


def _rma_los(links: Links, carrier_ghz: float) -> FloatArray:
    d = np.maximum(links.distance_m, MIN_DISTANCE_M)
    at = 2.0 * math.pi * links.base_m * links.vehicle_m * carrier_ghz * 1e9 / SPEED_OF_LIGHT_MPS
    at = np.maximum(at, MIN_DISTANCE_M)
    far = _rma_near(at, carrier_ghz) + 40.0 * np.log10(d / at)
    return np.where(links.plan_m <= at, _rma_near(d, carrier_ghz), far)


def _rma_nlos(links: Links, carrier_ghz: float) -> FloatArray:
    d = np.maximum(links.distance_m, MIN_DISTANCE_M)
    base, vehicle = links.base_m, np.maximum(links.vehicle_m, 0.5)
    return np.asarray(
        161.04
        - 7.1 * math.log10(_STREET_M)
        + 7.5 * math.log10(_BUILDING_M)
        - (24.37 - 3.7 * (_BUILDING_M / base) ** 2) * np.log10(base)
        + (43.42 - 3.1 * np.log10(base)) * (np.log10(d) - 3.0)
        + 20.0 * math.log10(carrier_ghz)
        - (3.2 * np.log10(11.75 * vehicle) ** 2 - 4.97)
    )


def _rma_p_los(plan_m: FloatArray) -> FloatArray:
    return np.exp(-np.maximum(plan_m - 10.0, 0.0) / 1000.0)


Law = Callable[[Links, float], FloatArray]
_LAWS: dict[Environment, tuple[Law, Law, Callable[[FloatArray], FloatArray], Statistics]] = {
    "umi": (_umi_los, _umi_nlos, _umi_p_los, Statistics(4.0, 7.82, 10.0)),
    "uma": (_uma_los, _uma_nlos, _uma_p_los, Statistics(4.0, 6.0, 37.0)),
    # Beyond the breakpoint of RMa the deviation is 6 dB; the 4 dB before it hold for most roads.
    "rma": (_rma_los, _rma_nlos, _rma_p_los, Statistics(4.0, 8.0, 37.0)),
}


def los_db(environment: Environment, links: Links, carrier_ghz: float) -> FloatArray:
    """Return the path loss with line of sight [dB], (n,), without shadowing.

    Examples
    --------
    >>> one = Links(*(np.array([v]) for v in (100.0, 100.0, 10.0, 1.5)))
    >>> los_db("umi", one, 3.5).round(2)
    array([85.28])
    """
    return _LAWS[environment][0](links, carrier_ghz)


def nlos_db(environment: Environment, links: Links, carrier_ghz: float) -> FloatArray:
    """Return the path loss without line of sight [dB], (n,), never below that with it."""
    los, nlos, _, _ = _LAWS[environment]
    return np.maximum(los(links, carrier_ghz), nlos(links, carrier_ghz))


def p_los(environment: Environment, plan_m: FloatArray) -> FloatArray:
    """Return the probability of line of sight at horizontal distances [m] (vehicles, h < 13 m)."""
    return np.asarray(_LAWS[environment][2](plan_m))


def statistics(environment: Environment) -> Statistics:
    """Return the shadowing of an environment."""
    return _LAWS[environment][3]
