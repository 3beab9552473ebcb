"""Where the sensors of a host sit and look, and what any set of them does together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from v2x.mobility.fleet import FloatArray
from v2x.perception.sensor_params import SensorParams

#: What is measured, in the order of its draws, and the standard deviation behind it.
SIGMAS = (
    "range_sigma_m",
    "bearing_sigma_deg",
    "elevation_sigma_deg",
    "speed_sigma_mps",
    "heading_sigma_deg",
)


@dataclass(frozen=True, slots=True)
class Units:
    """Sensors of one kind that look from one place of a host.

    Attributes
    ----------
    params
        The kind.
    bit
        Its mark in sets of sensors.
    azimuth_rad
        Middles of their views, from the axis of the eye [rad].
    """

    params: SensorParams
    bit: int
    azimuth_rad: tuple[float, ...]

    @property
    def range_m(self) -> float:
        """Farthest that they see [m]."""
        return max(self.params.range_m, self.params.vru_range_m)

    @property
    def half_rad(self) -> float:
        """Half of the field of view [rad]."""
        return math.radians(self.params.half_angle_deg)


@dataclass(frozen=True, slots=True)
class Eye:
    """Sensors that look from one place of a host in plan.

    Attributes
    ----------
    mount
        Where, as a share of half the host's length ahead of its middle; the axis of an eye behind
        the middle looks back.
    units
        The sensors there.
    """

    mount: float
    units: tuple[Units, ...]

    @property
    def axis(self) -> float:
        """1 if the axis looks ahead, -1 if back."""
        return -1.0 if self.mount < 0.0 else 1.0

    @property
    def range_m(self) -> float:
        """Farthest that any of them sees [m]."""
        return max(units.range_m for units in self.units)


def _eyes(sensors: Sequence[SensorParams]) -> list[Eye]:
    """Return the places from which sensors look."""
    places: dict[float, list[Units]] = {}
    for number, sensor in enumerate(sensors):
        azimuth = [math.radians(value) for value in sensor.azimuth_deg]
        for back in (False, True):
            turned = [a for a in azimuth if (abs(a) > 0.5 * math.pi) == back]
            if not turned:
                continue
            behind = back and sensor.mount > 0.0
            middles = tuple(a + math.pi for a in turned) if behind else tuple(turned)
            mount = -sensor.mount if behind else sensor.mount
            places.setdefault(mount, []).append(Units(sensor, 1 << number, middles))
    return [Eye(mount, tuple(units)) for mount, units in places.items()]


class Kinds:
    """The sensors of one sort of host, and what any set of them does together.

    A set is a number with a bit for each sensor.

    Parameters
    ----------
    sensors
        The kinds.

    Attributes
    ----------
    eyes
        The places from which they look.
    missed : (n_sets,) float64
        Probability that a set finds nothing in a tick.
    sigma : (n_errors, n_sets) float64
        Standard deviations by :data:`SIGMAS`; infinite for the empty set.
    """

    def __init__(self, sensors: Sequence[SensorParams]) -> None:
        self.eyes = _eyes(sensors)
        member = (np.arange(1 << len(sensors))[:, None] >> np.arange(len(sensors))) & 1 == 1
        missed = np.array([1.0 - sensor.detection for sensor in sensors])
        self.missed: FloatArray = np.where(member, missed, 1.0).prod(axis=1)
        sigma = np.array([[getattr(s, name) for s in sensors] for name in SIGMAS])
        weight = np.where(member, sigma.reshape(len(SIGMAS), 1, -1) ** -2.0, 0.0).sum(axis=2)
        with np.errstate(divide="ignore"):
            self.sigma: FloatArray = 1.0 / np.sqrt(weight)
