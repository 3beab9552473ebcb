"""What the free text of OpenStreetMap tags means for a road."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from v2x.units import kmh_to_mps
from v2x.world.road_map import Structure

#: Road classes that motor vehicles use, from the widest to the narrowest; the index into
#: this tuple is the class of an edge on every imported map.
DRIVE_CLASSES: tuple[str, ...] = (
    "motorway",
    "motorway_link",
    "trunk",
    "trunk_link",
    "primary",
    "primary_link",
    "secondary",
    "secondary_link",
    "tertiary",
    "tertiary_link",
    "unclassified",
    "residential",
    "living_street",
    "road",
)

#: Limit where none is posted [km/h]: the lower end of the ranges usual in Chongqing, which the
#: Inner Ring (80) and the river bridges (60) post; ramps 40.
DEFAULT_LIMIT_KMH: Mapping[str, float] = {
    "motorway": 80.0,
    "trunk": 60.0,
    "primary": 60.0,
    "secondary": 50.0,
    "tertiary": 40.0,
    "unclassified": 30.0,
    "residential": 30.0,
    "living_street": 20.0,
    "road": 30.0,
}
DEFAULT_LINK_LIMIT_KMH = 40.0

#: Layers, lanes of a carriageway, limits and heights of the ground beyond these are slips of the
#: pen: no carriageway is that wide, no limit that high, and no road lies beyond those heights.
MAX_LAYER = 10
MAX_LANES = 24
MAX_LIMIT_KMH = 200.0
ELE_RANGE_M = (-500.0, 9000.0)

#: Lanes per direction where none are mapped (OpenStreetMap wiki, Key:lanes, "Assumptions").
DEFAULT_LANES: Mapping[str, int] = {"motorway": 2, "trunk": 2}

#: Limits written as words [km/h]. "none" is the speed advised on German motorways without a
#: limit; the zones hold for most countries, the Chinese ones for the Implementation
#: Regulations of the Road Traffic Safety Law, articles 45 and 78.
WORD_LIMIT_KMH: Mapping[str, float] = {
    "none": 130.0,
    "walk": 7.0,
    "living_street": 20.0,
    "urban": 50.0,
    "rural": 80.0,
    "cn:rural": 70.0,
    "trunk": 100.0,
    "motorway": 120.0,
}
_KMH_PER_UNIT = {"": 1.0, "kmh": 1.0, "km/h": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852}
_NUMBER_WITH_UNIT = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z/]*)")
_ZONE = re.compile(r"(?:[a-z]{2}:)?(?:zone:?)(\d+)")
_HEIGHT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(m|ft|')?")
_PERCENT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*%")
_DEGREES = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*°")

_YES = frozenset({"yes", "true", "1"})
_NO = frozenset({"no", "false", "0"})
_BACKWARD = frozenset({"-1", "reverse"})
_CLOSED = frozenset({"no", "private"})
_OPEN = frozenset({"yes", "designated", "permissive", "destination", "official"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadAttributes:
    """Properties of a stretch of road, in the direction in which it is drawn.

    Two neighbouring stretches become one edge only if these are equal.

    Attributes
    ----------
    road_class
        One of :data:`DRIVE_CLASSES`.
    name
        Street name, possibly empty.
    structure, level
        What carries it and on which layer.
    lanes_forward, lanes_backward
        Lanes along and against the drawing; 0 where nobody may go.
    limit_forward_mps, limit_backward_mps
        Speed limits [m/s]; 0 where nobody may go.
    incline
        Slope along the drawing (0.05 rises 5 m in 100 m), NaN if not mapped as a number.
    incline_sign
        1 if it is mapped to rise, -1 to fall, 0 if unknown.
    defaulted
        Attributes that were not mapped and got a default.
    """

    road_class: str
    name: str = ""
    structure: Structure = Structure.GROUND
    level: int = 0
    lanes_forward: int = 1
    lanes_backward: int = 0
    limit_forward_mps: float = 0.0
    limit_backward_mps: float = 0.0
    incline: float | None = None
    incline_sign: int = 0
    defaulted: frozenset[str] = frozenset()

    def reversed(self) -> RoadAttributes:
        """Return the same road drawn the other way."""
        return replace(
            self,
            lanes_forward=self.lanes_backward,
            lanes_backward=self.lanes_forward,
            limit_forward_mps=self.limit_backward_mps,
            limit_backward_mps=self.limit_forward_mps,
            incline=None if self.incline is None else -self.incline,
            incline_sign=-self.incline_sign,
        )


def is_drivable_class(tags: Mapping[str, str]) -> bool:
    """Return whether the way is a street or road, whoever may use it."""
    return tags.get("highway") in DRIVE_CLASSES and tags.get("area") != "yes"


def is_open_to_motor_vehicles(tags: Mapping[str, str]) -> bool:
    """Return whether the public may drive here; the most specific access tag decides.

    Examples
    --------
    >>> is_open_to_motor_vehicles({"access": "private"})
    False
    >>> is_open_to_motor_vehicles({"access": "no", "motor_vehicle": "yes"})
    True
    """
    for key in ("motorcar", "motor_vehicle", "vehicle", "access"):
        value = tags.get(key)
        if value in _CLOSED:
            return False
        if value in _OPEN:
            return True
    return True


def limit_mps(text: str) -> float | None:
    """Return the speed limit a `maxspeed` value states [m/s], None if it states none.

    Of several values, as in ``90;30``, the lowest holds.

    Examples
    --------
    >>> round(limit_mps("30 mph"), 2), round(limit_mps("90;36"), 2), limit_mps("signals")
    (13.41, 10.0, None)
    """
    found = [kmh for part in re.split(r"[;|,]", text.lower()) if (kmh := _limit_kmh(part.strip()))]
    return kmh_to_mps(min(found)) if found else None


def _limit_kmh(text: str) -> float | None:
    if zone := _ZONE.fullmatch(text):
        kmh = float(zone[1])
        return kmh if 0.0 < kmh <= MAX_LIMIT_KMH else None
    for word in (text, text.rpartition(":")[2]):
        if word in WORD_LIMIT_KMH:
            return WORD_LIMIT_KMH[word]
    if (number := _NUMBER_WITH_UNIT.fullmatch(text)) and number[2] in _KMH_PER_UNIT:
        kmh = float(number[1]) * _KMH_PER_UNIT[number[2]]
        return kmh if 0.0 < kmh <= MAX_LIMIT_KMH else None
    return None


def height_m(text: str) -> float | None:
    """Return the height a value such as `ele` or `height` states [m], None if it is no number.

    Examples
    --------
    >>> height_m("1,250.5 m"), height_m("100 ft"), height_m("high")
    (1250.5, 30.48, None)
    """
    match = _HEIGHT.fullmatch(_plain_number(text.strip()))
    if not match:
        return None
    return float(match[1]) * (0.3048 if match[2] in ("ft", "'") else 1.0)


def ele_m(text: str) -> float | None:
    """Return the height of the ground an `ele` value states [m], None if it cannot be one.

    Examples
    --------
    >>> ele_m("281.5"), ele_m("281500")
    (281.5, None)
    """
    height = height_m(text)
    low, high = ELE_RANGE_M
    return height if height is not None and low <= height <= high else None


def _plain_number(text: str) -> str:
    thousands = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
    return thousands.sub("", text).replace(",", ".")


def slope(text: str) -> tuple[float | None, int]:
    """Return the slope an `incline` value states and its sign.

    Examples
    --------
    >>> slope("-8%"), slope("up"), slope("45°")[0]
    ((-0.08, -1), (None, 1), 1.0)
    """
    text = text.strip().lower()
    if text in ("up", "down"):
        return None, 1 if text == "up" else -1
    if match := _PERCENT.fullmatch(text.replace(",", ".")):
        value = float(match[1]) / 100.0
    elif match := _DEGREES.fullmatch(text.replace(",", ".")):
        value = round(math.tan(math.radians(float(match[1]))), 12)
    else:
        return None, 0
    return value, (value > 0) - (value < 0)


def _count(text: str | None) -> int | None:
    """Return the number of lanes a value states; of several, the least."""
    try:
        found = [int(float(part)) for part in (text or "").split(";")]
    except (ValueError, OverflowError):
        return None
    return min(found) if 1 <= min(found) <= MAX_LANES else None


def _directions(tags: Mapping[str, str]) -> tuple[bool, bool, bool]:
    """Return whether traffic goes forward, goes backward, and whether that was assumed."""
    value = tags.get("oneway", "").strip().lower()
    if value in _YES:
        return True, False, False
    if value in _BACKWARD:
        return False, True, False
    if value in _NO or value == "alternating":
        return True, True, False
    # A reversible carriageway serves one direction at a time; a run is short enough for one.
    if value == "reversible":
        return True, False, True
    implied = tags.get("junction") in ("roundabout", "circular") or tags["highway"] == "motorway"
    return True, not implied, value != ""


def _lanes(tags: Mapping[str, str], forward: bool, backward: bool) -> tuple[int, int, bool]:
    """Return the lanes forward and backward and whether they are a default."""
    default = DEFAULT_LANES.get(tags["highway"], 1)
    total = _count(tags.get("lanes"))
    ahead, back = _count(tags.get("lanes:forward")), _count(tags.get("lanes:backward"))
    if not (forward and backward):
        one = (ahead if forward else back) or total
        lanes = one or default
        return (lanes if forward else 0), (lanes if backward else 0), one is None
    if total is not None:
        ahead = ahead or max(1, total - back if back else total - total // 2)
        back = back or max(1, total - ahead)
    return ahead or default, back or default, ahead is None or back is None


def _limits(tags: Mapping[str, str], forward: bool, backward: bool) -> tuple[float, float, bool]:
    """Return the limits forward and backward [m/s] and whether one is a default."""
    road_class = tags["highway"]
    default = kmh_to_mps(DEFAULT_LIMIT_KMH.get(road_class, DEFAULT_LINK_LIMIT_KMH))
    both = limit_mps(tags.get("maxspeed", ""))
    ahead = limit_mps(tags.get("maxspeed:forward", "")) or both
    back = limit_mps(tags.get("maxspeed:backward", "")) or both
    defaulted = (forward and ahead is None) or (backward and back is None)
    return (
        (ahead or default) if forward else 0.0,
        (back or default) if backward else 0.0,
        defaulted,
    )


def _structure(tags: Mapping[str, str]) -> tuple[Structure, int, bool]:
    """Return structure and level and whether the level was assumed.

    A passage through a building stays on the ground. A bridge without a usable layer is one
    level up and a tunnel one down, as their mappers meant.
    """
    bridge = tags.get("bridge", "no") not in _NO
    tunnel = tags.get("tunnel", "no") not in _NO | {"building_passage", "culvert"}
    level: int | None
    try:
        level = int(float(tags.get("layer", "")))
    except (ValueError, OverflowError):
        level = None
    if level is not None and abs(level) > MAX_LAYER:
        level = None
    if bridge and tunnel:
        bridge, tunnel = (level or 0) >= 0, (level or 0) < 0
    structure = Structure.BRIDGE if bridge else Structure.TUNNEL if tunnel else Structure.GROUND
    if level is None:
        level = {Structure.BRIDGE: 1, Structure.TUNNEL: -1}.get(structure, 0)
        return structure, level, structure != Structure.GROUND
    return structure, level, False


def road_attributes(tags: Mapping[str, str]) -> RoadAttributes:
    """Return what the tags of a drivable way say about the road.

    Parameters
    ----------
    tags
        Key to value; ``highway`` must be one of :data:`DRIVE_CLASSES`.
    """
    forward, backward, direction_assumed = _directions(tags)
    lanes_forward, lanes_backward, lanes_assumed = _lanes(tags, forward, backward)
    limit_forward, limit_backward, limit_assumed = _limits(tags, forward, backward)
    structure, level, level_assumed = _structure(tags)
    incline, incline_sign = slope(tags.get("incline", ""))
    assumed = {
        "oneway": direction_assumed,
        "lanes": lanes_assumed,
        "maxspeed": limit_assumed,
        "layer": level_assumed,
    }
    return RoadAttributes(
        road_class=tags["highway"],
        name=tags.get("name", "").strip(),
        structure=structure,
        level=level,
        lanes_forward=lanes_forward,
        lanes_backward=lanes_backward,
        limit_forward_mps=limit_forward,
        limit_backward_mps=limit_backward,
        incline=incline,
        incline_sign=incline_sign,
        defaulted=frozenset(key for key, was_assumed in assumed.items() if was_assumed),
    )
