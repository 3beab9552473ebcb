"""What a traffic light can show."""

from __future__ import annotations

from enum import IntEnum


class Light(IntEnum):
    """LightState of T/CSAE 53-2020."""

    UNAVAILABLE = 0
    DARK = 1
    FLASHING_RED = 2
    RED = 3
    FLASHING_GREEN = 4
    PERMISSIVE_GREEN = 5
    PROTECTED_GREEN = 6
    YELLOW = 7
    FLASHING_YELLOW = 8


#: Lights at which one may go.
GREENS = frozenset((Light.FLASHING_GREEN, Light.PERMISSIVE_GREEN, Light.PROTECTED_GREEN))
