"""Hazards of a scenario: what happens, where and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from v2x.units import kmh_to_mps


@dataclass(frozen=True, slots=True, kw_only=True)
class NoHazard:
    """Nothing goes wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardParams:
    """Place and time, common to all hazards.

    Parameters
    ----------
    structure
        ``tunnel`` or ``bridge``: in the longest one that traffic uses; ``bend``: in the
        tightest bend, such as that of a ramp; ``road``: on the longest edge. Not asked if
        `x_m` and `y_m` are given.
    into_m
        How far behind the beginning of that, in driving direction [m]; from its end if it is
        shorter. Half-way if null.
    x_m, y_m
        Place on the map [m]; the nearest lane counts. Both or none.
    lane
        Lane, 0 is the rightmost; beyond the leftmost counts as that.
    from_s, until_s
        Begin and end [s]; null for no end.
    """

    structure: Literal["tunnel", "bridge", "bend", "road"] = "road"
    into_m: float | None = None
    x_m: float | None = None
    y_m: float | None = None
    lane: int = 0
    from_s: float = 0.0
    until_s: float | None = None

    def __post_init__(self) -> None:
        """Reject impossible places and times."""
        if self.structure not in ("tunnel", "bridge", "bend", "road"):
            raise ValueError(
                f"structure must be tunnel, bridge, bend or road, got {self.structure!r}"
            )
        if (self.x_m is None) != (self.y_m is None):
            raise ValueError("x_m and y_m belong together: give both or none")
        if self.into_m is not None and not self.into_m >= 0:
            raise ValueError(f"into_m must be >= 0, got {self.into_m}")
        if self.lane < 0:
            raise ValueError(f"lane must be >= 0, got {self.lane}")
        if not self.from_s >= 0:
            raise ValueError(f"from_s must be >= 0, got {self.from_s}")
        if self.until_s is not None and not self.until_s > self.from_s:
            raise ValueError(f"until_s must be later than from_s, {self.from_s}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedVehicleParams(HazardParams):
    """A vehicle breaks down: it stops in its lane, lights its hazard lights and stays.

    Of those that come along after `from_s`, the first that can come to a stop at the place
    with `deceleration_mps2` does.

    Parameters
    ----------
    kind
        ``car``, ``truck``, ``bus`` or ``any``.
    deceleration_mps2
        With which it stops [m/s²].
    """

    kind: Literal["car", "truck", "bus", "any"] = "any"
    deceleration_mps2: float = 2.0

    def __post_init__(self) -> None:
        """Reject impossible stops."""
        HazardParams.__post_init__(self)
        _check_kind(self.kind)
        if not 0.3 <= self.deceleration_mps2 <= 5:
            raise ValueError(f"deceleration_mps2 must be in [0.3, 5], got {self.deceleration_mps2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowVehicleParams(HazardParams):
    """A vehicle that passes the place goes on slowly from there.

    Parameters
    ----------
    kind
        ``car``, ``truck``, ``bus`` or ``any``.
    speed_mps
        Its speed from then on, approached at comfort [m/s].
    """

    kind: Literal["car", "truck", "bus", "any"] = "truck"
    speed_mps: float = kmh_to_mps(20.0)

    def __post_init__(self) -> None:
        """Reject impossible speeds."""
        HazardParams.__post_init__(self)
        _check_kind(self.kind)
        if not 0.5 <= self.speed_mps <= 40:
            raise ValueError(f"speed_mps must be in [0.5, 40], got {self.speed_mps}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakeFailureParams(HazardParams):
    """A truck loses brakes, retarder and engine brake on its way down.

    From then on only the slope, rolling resistance and the air move it. There is no escape ramp
    it could take.

    Parameters
    ----------
    kind
        ``car``, ``truck``, ``bus`` or ``any``.
    temperature_c
        The first whose drums get hotter than this loses its brakes, wherever it is [°C]; 350 is
        a proposal. Null for the first that passes the place.
    """

    kind: Literal["car", "truck", "bus", "any"] = "truck"
    temperature_c: float | None = None

    def __post_init__(self) -> None:
        """Reject impossible temperatures."""
        HazardParams.__post_init__(self)
        _check_kind(self.kind)
        if self.temperature_c is not None and not 30 <= self.temperature_c <= 1000:
            raise ValueError(f"temperature_c must be in [30, 1000], got {self.temperature_c}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RockfallParams(HazardParams):
    """Rocks lie on one lane or several.

    They fall at the first moment after `from_s` at which nobody is so near that it could not
    stop any more: nothing anybody might have known would have helped those.

    Parameters
    ----------
    n_lanes
        Lanes that are blocked, from `lane` to the left.
    length_m
        Length of what lies there along the road [m].
    """

    n_lanes: int = 1
    length_m: float = 3.0

    def __post_init__(self) -> None:
        """Reject impossible rocks."""
        HazardParams.__post_init__(self)
        if self.n_lanes < 1:
            raise ValueError(f"n_lanes must be at least 1, got {self.n_lanes}")
        if not 0.5 <= self.length_m <= 13:
            raise ValueError(f"length_m must be in [0.5, 13], got {self.length_m}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedRoadParams(HazardParams):
    """The edge of the place is closed at its beginning; those on it go on.

    Drivers learn of it shortly before and take another way if there is one; else they queue.

    Parameters
    ----------
    notice_m
        From how far away drivers see that the road is closed [m] (assumption).
    """

    notice_m: float = 150.0

    def __post_init__(self) -> None:
        """Reject impossible distances."""
        HazardParams.__post_init__(self)
        if not 10 <= self.notice_m <= 5000:
            raise ValueError(f"notice_m must be in [10, 5000], got {self.notice_m}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipperyParams(HazardParams):
    """A stretch that is more slippery than it looks: drivers do not slow down for it.

    It covers the edge of the place and what follows straight on, whole edges as long as they
    begin within `length_m`.

    Parameters
    ----------
    friction
        Friction there; 0.3 for a film of water, 0.05 for black ice, confidence low. Never more
        than the weather leaves.
    length_m
        Length along the road from the place [m].
    """

    friction: float = 0.3
    length_m: float = 100.0

    def __post_init__(self) -> None:
        """Reject impossible frictions."""
        HazardParams.__post_init__(self)
        if not 0.03 <= self.friction <= 1:
            raise ValueError(f"friction must be within 0.03 and 1, got {self.friction}")
        if not 0 <= self.length_m <= 1e5:
            raise ValueError(f"length_m must be in [0, 100000], got {self.length_m}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FogBankParams(HazardParams):
    """Fog in a disc around the place; roads in tunnels stay clear.

    It is only seen through: waves do not notice it.

    Parameters
    ----------
    visibility_m
        Visibility in the disc [m].
    radius_m
        Radius of the disc [m].
    rise_s
        Time in which it comes up and goes away [s]; a bank that is there from the start does
        not have to come up (assumption).
    """

    visibility_m: float = 60.0
    radius_m: float = 500.0
    rise_s: float = 20.0

    def __post_init__(self) -> None:
        """Reject impossible fog."""
        HazardParams.__post_init__(self)
        if not 5 <= self.visibility_m <= 1000:
            raise ValueError(f"visibility_m must be in [5, 1000], got {self.visibility_m}")
        if not 1 <= self.radius_m <= 1e5:
            raise ValueError(f"radius_m must be in [1, 100000], got {self.radius_m}")
        if not 0 <= self.rise_s <= 3600:
            raise ValueError(f"rise_s must be in [0, 3600], got {self.rise_s}")


def _check_kind(kind: str) -> None:
    if kind not in ("car", "truck", "bus", "any"):
        raise ValueError(f"kind must be car, truck, bus or any, got {kind!r}")


#: Parameters by the name of the hazard in a scenario.
HAZARDS: dict[str, type] = {
    "none": NoHazard,
    "stopped-vehicle": StoppedVehicleParams,
    "slow-vehicle": SlowVehicleParams,
    "brake-failure": BrakeFailureParams,
    "rockfall": RockfallParams,
    "closed-road": ClosedRoadParams,
    "slippery": SlipperyParams,
    "fog-bank": FogBankParams,
}
