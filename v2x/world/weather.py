"""Weather of a run: what wheels, eyes and waves meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Peak friction of a road by its condition, driest first: middles of the usual ranges, confidence
#: low. Dry 0.7 to 0.8, moist 0.5 to 0.6, wet 0.4 to 0.5, a film of water 0.25 to 0.35, packed
#: snow 0.2 to 0.3, ice 0.1 and less.
ROAD_FRICTION = {
    "dry": 0.75,
    "moist": 0.55,
    "wet": 0.45,
    "flooded": 0.30,
    "snow": 0.25,
    "ice": 0.10,
}
#: Road conditions, driest first.
ROADS = tuple(ROAD_FRICTION)
#: Friction of the road on which vehicles brake as their classes say.
DRY_FRICTION = ROAD_FRICTION["dry"]
#: Friction left by rain up to a rate [mm/h], our own proposal; more rain than the last: flooded.
_RAIN_FRICTION = ((0.0, 0.75), (2.5, 0.55), (8.0, 0.45), (16.0, 0.38))


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherParams:
    """Weather, the same everywhere on the map and for the whole run.

    Parameters
    ----------
    road
        Condition of roads under the open sky: "dry", "moist", "wet", "flooded", "snow" or
        "ice". Roads in tunnels are dry.
    rain_mm_h
        Rain rate [mm/h]. Wheels find the lower friction of `road` and of the rain.
    visibility_m
        Meteorological visibility [m]; fog below 1000. The air in tunnels is clear.
    friction
        Friction of roads under the open sky, 0.03 to 1, in place of that of `road` and rain;
        null for theirs.
    """

    road: Literal["dry", "moist", "wet", "flooded", "snow", "ice"] = "dry"
    rain_mm_h: float = 0.0
    visibility_m: float = 10_000.0
    friction: float | None = None

    def __post_init__(self) -> None:
        """Reject unknown words and ranges."""
        if self.road not in ROADS:
            raise ValueError(f"road must be one of {', '.join(ROADS)}, got {self.road!r}")
        if not 0.0 <= self.rain_mm_h <= 300.0:
            raise ValueError(f"rain_mm_h must be within 0 and 300, got {self.rain_mm_h}")
        if not 5.0 <= self.visibility_m <= 100_000.0:
            raise ValueError(f"visibility_m must be within 5 and 100000, got {self.visibility_m}")
        if self.friction is not None and not 0.03 <= self.friction <= 1.0:
            raise ValueError(f"friction must be within 0.03 and 1, got {self.friction}")

    @property
    def flooded(self) -> bool:
        """Whether a film of water lies on roads under the open sky."""
        return self.road == "flooded" or self.rain_mm_h > _RAIN_FRICTION[-1][0]

    @property
    def open_friction(self) -> float:
        """Friction of roads under the open sky.

        Examples
        --------
        >>> WeatherParams(road="moist", rain_mm_h=10.0).open_friction
        0.38
        """
        if self.friction is not None:
            return self.friction
        return min(ROAD_FRICTION[self.road], rain_friction(self.rain_mm_h))


def rain_friction(rain_mm_h: float) -> float:
    """Return the friction that rain of a rate [mm/h] leaves on a road that was dry."""
    for rate_mm_h, friction in _RAIN_FRICTION:
        if rain_mm_h <= rate_mm_h:
            return friction
    return ROAD_FRICTION["flooded"]
