"""What a scenario may say about sensors: section ``sensors``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from v2x.ranges import check_ranges

#: Kinds of sensors, by the names of their parameters.
VehicleKind = Literal["front_radar", "corner_radar", "camera", "lidar"]
RoadsideKind = Literal["roadside_radar", "roadside_camera"]

#: Extinction times visibility of Koschmieder's law, at 2 % of contrast.
KOSCHMIEDER = 3.912
#: Ticks that the memory of a track holds.
_LONGEST_WINDOW = 12


def fog_share(contrast: float) -> float:
    """Return how far an eye that needs a contrast sees, as a share of the visibility.

    Examples
    --------
    >>> round(fog_share(0.05), 3)
    0.766
    """
    return -math.log(contrast) / KOSCHMIEDER


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSensors:
    """Nobody has sensors, or nobody asks what they see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorParams:
    """A kind of sensor, and how well it measures.

    Sizes of typical products as makers tell them to the public; no published test stands behind
    them, so all are of low confidence.

    Parameters
    ----------
    azimuth_deg
        Middle of the view of each unit, counter-clockwise from straight ahead [degree]. Units
        that look back are mounted as far behind the middle of the vehicle as others before it.
    half_angle_deg
        Half of the horizontal field of view [degree].
    range_m
        Farthest vehicle [m].
    vru_range_m
        Farthest pedestrian or cyclist [m].
    mount
        Where it sits, as a share of half the vehicle's length ahead of its middle: 1 at the
        bumper.
    height_m
        Height above the road [m]; null for the height of the antenna (roadside units).
    detection
        Probability that it finds in one tick what it could see.
    range_sigma_m, bearing_sigma_deg, elevation_sigma_deg
        Standard deviations of distance [m], of direction and of elevation [degree].
    speed_sigma_mps, heading_sigma_deg
        Standard deviations of speed [m/s] and of the direction of travel [degree].
    fog_share
        How far it sees in fog as a share of the visibility; null if fog does not matter. 0.766
        needs a contrast of 5 % (Koschmieder).
    night_share
        Share of its ranges that is left at night.
    """

    azimuth_deg: tuple[float, ...] = (0.0,)
    half_angle_deg: float = 10.0
    range_m: float = 200.0
    vru_range_m: float = 70.0
    mount: float = 1.0
    height_m: float | None = 0.5
    detection: float = 0.95
    range_sigma_m: float = 0.3
    bearing_sigma_deg: float = 0.5
    elevation_sigma_deg: float = 2.0
    speed_sigma_mps: float = 0.2
    heading_sigma_deg: float = 3.0
    fog_share: float | None = None
    night_share: float = 1.0

    def __post_init__(self) -> None:
        """Reject sensors that cannot be."""
        if not self.azimuth_deg or not all(-180.0 <= a <= 180.0 for a in self.azimuth_deg):
            raise ValueError(
                f"azimuth_deg must be one or more values within -180 and 180, "
                f"got {self.azimuth_deg}"
            )
        check_ranges(
            self,
            ("half_angle_deg", 0.1, 180.0),
            ("range_m", 1.0, 1000.0),
            ("vru_range_m", 0.0, 1000.0),
            ("mount", 0.0, 1.0),
            ("height_m", 0.1, 20.0),
            ("detection", 0.0, 1.0),
            ("range_sigma_m", 1e-3, 100.0),
            ("bearing_sigma_deg", 1e-3, 90.0),
            ("elevation_sigma_deg", 1e-3, 90.0),
            ("speed_sigma_mps", 1e-3, 100.0),
            ("heading_sigma_deg", 1e-3, 180.0),
            ("fog_share", 0.0, 10.0),
            ("night_share", 0.0, 1.0),
        )


def _corner_radar() -> SensorParams:
    return SensorParams(
        azimuth_deg=(45.0, -45.0, 135.0, -135.0),
        half_angle_deg=75.0,
        range_m=70.0,
        vru_range_m=40.0,
        detection=0.9,
        bearing_sigma_deg=1.0,
        elevation_sigma_deg=5.0,
        heading_sigma_deg=5.0,
    )


def _camera() -> SensorParams:
    return SensorParams(
        half_angle_deg=26.0,
        range_m=120.0,
        vru_range_m=60.0,
        height_m=1.3,
        range_sigma_m=3.0,
        bearing_sigma_deg=0.2,
        elevation_sigma_deg=0.2,
        speed_sigma_mps=1.5,
        heading_sigma_deg=4.0,
        fog_share=fog_share(0.05),
        night_share=0.6,
    )


def _lidar() -> SensorParams:
    return SensorParams(
        half_angle_deg=60.0,
        range_m=150.0,
        vru_range_m=80.0,
        mount=0.0,
        height_m=1.7,
        range_sigma_m=0.05,
        bearing_sigma_deg=0.1,
        elevation_sigma_deg=0.1,
        speed_sigma_mps=0.5,
        heading_sigma_deg=2.0,
        fog_share=0.5 * fog_share(0.05),
    )


def _roadside_radar() -> SensorParams:
    return SensorParams(
        azimuth_deg=(0.0, 180.0),
        half_angle_deg=30.0,
        range_m=250.0,
        vru_range_m=100.0,
        mount=0.0,
        height_m=None,
        elevation_sigma_deg=1.0,
    )


def _roadside_camera() -> SensorParams:
    return SensorParams(
        azimuth_deg=(0.0, 180.0),
        half_angle_deg=35.0,
        range_m=150.0,
        vru_range_m=80.0,
        mount=0.0,
        height_m=None,
        range_sigma_m=1.5,
        bearing_sigma_deg=0.2,
        elevation_sigma_deg=0.2,
        speed_sigma_mps=1.0,
        fog_share=fog_share(0.05),
        night_share=0.6,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardParams:
    """Sensors on vehicles, and on roadside units if they shall have some.

    Parameters
    ----------
    kinds
        Sensors of an equipped vehicle.
    roadside_kinds
        Sensors of every roadside unit, which look both ways along its road.
    share
        Share of vehicles that are equipped, drawn by id.
    night
        Whether it is night. Roads in tunnels are lit.
    visible_share
        Share of its width that must be in view for a body to be found, in steps of a third.
        Low confidence.
    aim_share
        Height at which a body is looked at, as a share of its own. Low confidence.
    confirm_hits, confirm_of
        Somebody is known once found in `confirm_hits` of the last `confirm_of` ticks.
    lose_after
        Ticks in a row without finding after which it is forgotten. Until then the last
        measurement stands.
    front_radar, corner_radar, camera, lidar, roadside_radar, roadside_camera
        The kinds.
    """

    kinds: tuple[VehicleKind, ...] = ("front_radar", "corner_radar", "camera")
    roadside_kinds: tuple[RoadsideKind, ...] = ()
    share: float = 1.0
    night: bool = False
    visible_share: float = 0.3
    aim_share: float = 0.75
    confirm_hits: int = 3
    confirm_of: int = 5
    lose_after: int = 5
    front_radar: SensorParams = field(default_factory=SensorParams)
    corner_radar: SensorParams = field(default_factory=_corner_radar)
    camera: SensorParams = field(default_factory=_camera)
    lidar: SensorParams = field(default_factory=_lidar)
    roadside_radar: SensorParams = field(default_factory=_roadside_radar)
    roadside_camera: SensorParams = field(default_factory=_roadside_camera)

    def __post_init__(self) -> None:
        """Reject unknown kinds and ranges."""
        for name, known in (
            ("kinds", get_args(VehicleKind)),
            ("roadside_kinds", get_args(RoadsideKind)),
        ):
            for kind in getattr(self, name):
                if kind not in known:
                    raise ValueError(f"{name} must be among {', '.join(known)}, got {kind!r}")
        for name, low, high in (
            ("share", 0.0, 1.0),
            ("visible_share", 0.01, 1.0),
            ("aim_share", 0.0, 1.0),
            ("confirm_of", 1, _LONGEST_WINDOW),
            ("confirm_hits", 1, self.confirm_of),
            ("lose_after", 1, _LONGEST_WINDOW),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(
                    f"{name} must be within {low:g} and {high:g}, got {getattr(self, name)}"
                )

    def of_vehicles(self) -> tuple[SensorParams, ...]:
        """Return the sensors of an equipped vehicle."""
        return tuple(getattr(self, kind) for kind in self.kinds)

    def of_roadside(self) -> tuple[SensorParams, ...]:
        """Return the sensors of a roadside unit."""
        return tuple(getattr(self, kind) for kind in self.roadside_kinds)
