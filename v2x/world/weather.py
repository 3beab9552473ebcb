"""Weather of a run: what wheels, eyes and waves meet."""

from __future__ import annotations

from dataclasses import dataclass

#: Road conditions, driest first.
ROADS = ("dry", "moist", "wet", "flooded", "snow", "ice")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherParams:
    """Weather, the same everywhere on the map and for the whole run.

    Parameters
    ----------
    road
        Condition of roads under the open sky: "dry", "moist", "wet", "flooded", "snow" or
        "ice". Roads in tunnels are dry.
    rain_mm_h
        Rain rate [mm/h].
    visibility_m
        Meteorological visibility [m]; fog below 1000.
    """

    road: str = "dry"
    rain_mm_h: float = 0.0
    visibility_m: float = 10_000.0

    def __post_init__(self) -> None:
        """Reject unknown words and ranges."""
        if self.road not in ROADS:
            raise ValueError(f"road must be one of {', '.join(ROADS)}, got {self.road!r}")
        if not 0.0 <= self.rain_mm_h <= 300.0:
            raise ValueError(f"rain_mm_h must be within 0 and 300, got {self.rain_mm_h}")
        if not 5.0 <= self.visibility_m <= 100_000.0:
            raise ValueError(f"visibility_m must be within 5 and 100000, got {self.visibility_m}")
