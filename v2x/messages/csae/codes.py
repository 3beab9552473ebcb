"""Codes of road events (GB/T 29100, causes of DENM) and of signs (GB 5768.2)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

#: Added to the cause code of a DENM, to tell it from codes of GB/T 29100.
CAUSE_CODE = 10_000
#: Congestion (GB/T 29100), and sign of a speed limit (GB 5768.2).
CONGESTION, SPEED_LIMIT_SIGN = 707, 85


class EventKind(StrEnum):
    """What an event is for those who drive towards it."""

    #: Something stands in lanes.
    OBSTACLE = "obstacle"
    #: Nobody gets through.
    CLOSED = "closed"
    #: Wheels find less grip.
    SURFACE = "surface"
    #: One does not see far.
    SIGHT = "sight"
    #: Others stand or crawl.
    JAM = "jam"
    #: Drivers are told, no more.
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """A type of road events.

    Attributes
    ----------
    code
        GB/T 29100, or 10000 + cause code of a DENM.
    name
        In words.
    kind
        What it is for those who drive towards it.
    friction
        That drivers should reckon with on a slippery surface; NaN for that of the road.
    """

    code: int
    name: str
    kind: EventKind
    friction: float = float("nan")


@cache
def event_types() -> Mapping[int, EventType]:
    """Return the known types of events by code.

    Examples
    --------
    >>> event_types()[707].kind
    <EventKind.JAM: 'jam'>
    """
    return MappingProxyType(
        {
            int(row["code"]): EventType(
                code=int(row["code"]),
                name=row["name"],
                kind=EventKind(row["kind"]),
                friction=float(row["friction"] or "nan"),
            )
            for row in _rows("event_codes.csv")
        }
    )


def event_type(code: int) -> EventType:
    """Return the type of an event; one that nobody knows is of the kind ``other``."""
    unknown = EventType(code=code, name=f"event {code}", kind=EventKind.OTHER)
    return event_types().get(code, unknown)


@cache
def sign_names() -> Mapping[int, str]:
    """Return the names of the known signs by index.

    Examples
    --------
    >>> sign_names()[85]
    'speed limit'
    """
    return MappingProxyType({int(row["code"]): row["name"] for row in _rows("sign_codes.csv")})


def _rows(name: str) -> list[dict[str, str]]:
    text = (files("v2x.messages.csae") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
