"""Figures behind the positions that road users believe."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPositioning:
    """Nobody asks where vehicles think they are, and it costs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositioningParams:
    """Satellite navigation by sky view, dead reckoning in tunnels, and a map to match with.

    A horizontal sigma is the root mean square length of the error in plan; east and north have
    each half of its square. The sources give ranges, and the defaults lie inside them.

    Parameters
    ----------
    open_sigma_m
        Horizontal sigma under open sky [m]: single frequency 1 to 2.5, RTK below 0.5 (medium
        confidence).
    canyon_sigma_m
        Horizontal sigma in an urban canyon [m]: 5 to 30 (low confidence).
    deck_sigma_m
        Horizontal sigma under a deck [m]: 5 to 30, 2 to 5 with multipath up to 10 in a
        five-level interchange (low confidence).
    open_correlation_s
        Time in which the error under open sky loses 1 - 1/e of itself [s]; no source, an
        assumption (low confidence).
    canyon_correlation_s
        The same in an urban canyon [s]: 10 to 60 (low confidence).
    deck_correlation_s
        The same under a deck [s]: 10 to 60 (low confidence).
    vertical_ratio
        Vertical sigma over horizontal sigma: 1.5 to 2 (medium confidence).
    odometer_scale_sigma
        Spread of the scale error of wheel speeds between outages: 0.01 to 0.02 of the distance
        since the last fix with consumer sensors (medium confidence).
    gyro_bias_deg_per_h
        Spread of the drift of the heading between outages [degree/h]; no source, of the order
        of calibrated consumer gyroscopes (low confidence).
    climb_sigma
        Spread of the error of the climb between outages, per distance since the last fix; no
        source, a pitch error of 0.3 degrees (low confidence).
    reacquisition_s
        Time behind a portal, or from obstructed to open sky, until a twentieth of the former
        error is left [s]: 1 to 10 (low confidence).
    sensor_rate_hz
        Fixes per second [Hz]; between two of them the last error stays.
    canyon_angle_deg
        Mean elevation of the horizon, over all directions, from which buildings or slopes make
        an urban canyon [degree]; no source, 20 hides a third of the sky (low confidence).
    match_radius_m
        Roads farther from the believed position are not matched [m].
    match_heading_sigma_deg
        Difference between the directions of vehicle and road that weighs one sigma [degree]:
        lane changes, and the chords of curves.
    map_height_sigma_m
        Error of the heights in the vehicle's map [m]: MAP heights are good to 0.5.
    """

    open_sigma_m: float = 1.5
    canyon_sigma_m: float = 10.0
    deck_sigma_m: float = 5.0
    open_correlation_s: float = 60.0
    canyon_correlation_s: float = 30.0
    deck_correlation_s: float = 10.0
    vertical_ratio: float = 1.75
    odometer_scale_sigma: float = 0.015
    gyro_bias_deg_per_h: float = 20.0
    climb_sigma: float = 0.005
    reacquisition_s: float = 5.0
    sensor_rate_hz: float = 10.0
    canyon_angle_deg: float = 20.0
    match_radius_m: float = 60.0
    match_heading_sigma_deg: float = 10.0
    map_height_sigma_m: float = 0.5

    def __post_init__(self) -> None:
        """Reject sizes that cannot be drawn or divided by."""
        may_be_zero = {
            "odometer_scale_sigma",
            "gyro_bias_deg_per_h",
            "climb_sigma",
            "map_height_sigma_m",
        }
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if name in may_be_zero:
                if not value >= 0:
                    raise ValueError(f"{name} must be >= 0, got {value}")
            elif not value > 0:
                raise ValueError(f"{name} must be > 0, got {value}")
        if self.canyon_angle_deg >= 90:
            raise ValueError(f"canyon_angle_deg must be < 90, got {self.canyon_angle_deg}")
