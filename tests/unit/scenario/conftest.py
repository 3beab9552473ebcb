"""Toy strategies, so that these tests ask about scenarios and not about models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

import pytest

from v2x import registry
from v2x.access.congestion.base import NoControlParams
from v2x.errors import unknown_name
from v2x.mobility.signals.axes import AxesParams


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservingParams:
    """Keys of the reserving access technology.

    Parameters
    ----------
    n_subchannels
        Subchannels of the carrier (TS 36.331 sl-Subchannel).
    keep_probability
        Probability of keeping the resource when the counter ends (TS 36.321 5.14.1.1).
    t2_ms
        End of the selection window [ms].
    """

    n_subchannels: int = 4
    keep_probability: float = 0.8
    t2_ms: int = 100

    def __post_init__(self) -> None:
        if not 0 <= self.keep_probability <= 0.8:
            raise ValueError(
                f"keep_probability must be within 0 and 0.8, got {self.keep_probability}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomParams:
    """Keys of the random access technology.

    Parameters
    ----------
    n_subchannels
        Subchannels of the carrier.
    """

    n_subchannels: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Shares of vehicle classes.

    Parameters
    ----------
    truck, bus
        Share; cars are the rest.
    """

    truck: float = 0.1
    bus: float = 0.05


class Spacing(StrEnum):
    """How vehicles are spread."""

    RANDOM = "random"
    UNIFORM = "uniform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What moves a class.

    Parameters
    ----------
    power_w
        Power [W]; infinite if it never limits.
    mass_kg
        Mass [kg].
    """

    power_w: float
    mass_kg: float = 1500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """Engine by class.

    Parameters
    ----------
    car, truck
        See :class:`Engine`.
    """

    car: Engine = Engine(power_w=float("inf"))
    truck: Engine = Engine(power_w=260e3, mass_kg=25e3)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedParams:
    """Keys of routed traffic.

    Parameters
    ----------
    density_per_km
        Vehicles per kilometre of lane [1/km]; not together with `n_vehicles`.
    n_vehicles
        Vehicles on the map; not together with `density_per_km`.
    mix
        Vehicle classes.
    engines
        Engines of the classes.
    spacing
        ``random`` or ``uniform``.
    """

    density_per_km: float | None = None
    n_vehicles: int | None = None
    mix: Mix = Mix()
    engines: Engines = Engines()
    spacing: Spacing = Spacing.RANDOM

    def __post_init__(self) -> None:
        if self.density_per_km is not None and self.n_vehicles is not None:
            raise ValueError("n_vehicles cannot be given together with density_per_km")


@dataclass(frozen=True, slots=True, kw_only=True)
class AwarenessParams:
    """Keys of periodic awareness.

    Parameters
    ----------
    rate_hz
        Messages per second [Hz].
    size_bytes
        Size, or sizes sent in turn [byte]; null for the encoded size.
    """

    rate_hz: float = 10.0
    size_bytes: int | tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeightParams:
    """Keys of a path loss with an effective height.

    Parameters
    ----------
    effective_antenna_height_m
        Effective antenna height [m].
    shadowing_sigma_db
        Shadowing [dB].
    """

    effective_antenna_height_m: float = 1.5
    shadowing_sigma_db: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeSpaceParams:
    """Keys of a path loss without height.

    Parameters
    ----------
    shadowing_sigma_db
        Shadowing [dB].
    """

    shadowing_sigma_db: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearParams:
    """Keys of a toy warning.

    Parameters
    ----------
    near_m
        Distance that is too near [m].
    """

    near_m: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainParams:
    """A toy warning without keys."""


def strategy(params: type) -> type:
    """Return a strategy class with the given parameters, described like them."""
    namespace: dict[str, Any] = {"Params": params, "__doc__": params.__doc__}
    return type(params.__name__.removesuffix("Params"), (), namespace)


class Toys:
    """Stands in for the registry."""

    classes: ClassVar[dict[str, dict[str, type]]] = {
        "v2x.access": {"lte-mode4": strategy(ReservingParams), "random": strategy(RandomParams)},
        "v2x.congestion": {"none": strategy(NoControlParams)},
        "v2x.mobility": {
            "routed": strategy(RoutedParams),
            "constant-speed": strategy(RoutedParams),
        },
        "v2x.applications": {"awareness": strategy(AwarenessParams)},
        "v2x.channel": {
            "tr37885-highway": strategy(FreeSpaceParams),
            "winner-b1": strategy(HeightParams),
        },
        "v2x.warnings": {"near": strategy(NearParams), "plain": strategy(PlainParams)},
        "v2x.services": {},
        "v2x.attacks": {"lie": strategy(PlainParams)},
        "v2x.signals": {"axes": strategy(AxesParams)},
    }

    @classmethod
    def names(cls, group: str) -> list[str]:
        return sorted(cls.classes[group])

    @classmethod
    def load(
        cls, group: str, name: str, *, file: str | None = None, key: str | None = None
    ) -> type:
        if name not in cls.classes[group]:
            known = cls.classes[group]
            raise unknown_name(group.removeprefix("v2x."), name, known, file=file, key=key)
        return cls.classes[group][name]


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> type[Toys]:
    """Replace the registered strategies by toys."""
    monkeypatch.setattr(registry, "names", Toys.names)
    monkeypatch.setattr(registry, "load", Toys.load)
    return Toys


_EXAMPLE = """\
# Question: does it load?
name: example
duration_s: 20
world:
  synthetic: highway
  length_m: 3000
traffic:
  type: routed
  density_per_km: 40
channel:
  pathloss: winner-b1
  effective_antenna_height_m: 0.5
access:
  type: lte-mode4
  keep_probability: 0.4
"""


@pytest.fixture
def example() -> str:
    """Return the text of a scenario file with a choice in most sections."""
    return _EXAMPLE


@pytest.fixture
def write(tmp_path: Path, toys: type[Toys]) -> Callable[[str], Path]:
    """Return a function that writes scenario text to a file."""

    def write_text(text: str) -> Path:
        path = tmp_path / "example.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_text
