"""RSI from the events and signs an RSU knows (T/CSAE 159-2020).

Lists longer than a message can hold are told in several messages, each complete in itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from v2x.messages.csae.elements import NodeReference, Position3D
from v2x.messages.csae.offsets import offset_from
from v2x.messages.csae.rsi import (
    ActiveTime,
    Description,
    EventSource,
    ReferenceLane,
    ReferenceLink,
    ReferencePath,
    RoadsideInformation,
    TrafficEvent,
    TrafficSign,
)

#: Most events and signs in a message.
MOST_EVENTS, MOST_SIGNS = 8, 16


class Persistence(Enum):
    """How fast an event changes; an RSI carries only one class."""

    STATIC = "static"
    SEMI_STATIC = "semi-static"
    DYNAMIC = "dynamic"


#: Period of RSI [ms].
PERIOD_MS = {Persistence.STATIC: 1000, Persistence.SEMI_STATIC: 500, Persistence.DYNAMIC: 100}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadPath:
    """Where something matters, along a line.

    Attributes
    ----------
    places
        1 to 32, upstream first.
    radius_m
        How far from the line it matters [m].
    """

    places: tuple[Position3D, ...]
    radius_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadLink:
    """Where something matters, by the nodes of MAP.

    Attributes
    ----------
    upstream_node, downstream_node
        Ends of the link.
    lanes
        Lanes it matters on; None for all.
    """

    upstream_node: NodeReference
    downstream_node: NodeReference
    lanes: ReferenceLane | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadEvent:
    """Something that drivers should know.

    Attributes
    ----------
    event_id
        Number that stays with it, 0 to 255.
    event_type
        GB/T 29100-2012: class code × 100 + order number.
    persistence
        How fast it changes.
    source
        Who tells of it.
    place, radius_m
        Where it is and how far it reaches [m].
    text
        ASCII as str, or octets of GB 2312 as bytes.
    start_minute, end_minute
        Minutes of the year.
    priority
        0 to 7.
    paths, links
        Where it matters.
    confidence
        That it is so, 0 to 1.
    """

    event_id: int
    event_type: int
    persistence: Persistence = Persistence.DYNAMIC
    source: EventSource = EventSource.DETECTION
    place: Position3D | None = None
    radius_m: float | None = None
    text: Description | None = None
    start_minute: int | None = None
    end_minute: int | None = None
    priority: int | None = None
    paths: tuple[RoadPath, ...] = ()
    links: tuple[RoadLink, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadSign:
    """A sign; all signs are static.

    Attributes
    ----------
    sign_id
        Number that stays with it, 0 to 255.
    sign_type
        Index of GB 5768.2; 0 is text.
    place
        Where it stands.
    text
        ASCII as str, or octets of GB 2312 as bytes.
    priority
        0 to 7.
    paths, links
        Where it holds; at least one of them (T/CSAE 159-2020).
    """

    sign_id: int
    sign_type: int
    place: Position3D | None = None
    text: Description | None = None
    priority: int | None = None
    paths: tuple[RoadPath, ...] = ()
    links: tuple[RoadLink, ...] = ()

    def __post_init__(self) -> None:
        """Reject signs that hold nowhere."""
        if not self.paths and not self.links:
            raise ValueError("a sign needs paths or links")


def roadside_information(
    rsu_id: bytes,
    position: Position3D,
    events: Sequence[RoadEvent],
    signs: Sequence[RoadSign] = (),
    *,
    count: int = 0,
    minute_of_year: int | None = None,
) -> dict[Persistence, tuple[RoadsideInformation, ...]]:
    """Return the RSI that tell events and signs, by how often they are sent.

    Parameters
    ----------
    rsu_id, position
        Identity and place of the RSU; all offsets count from the place.
    events, signs
        What is told; order is kept.
    count
        Running number of the first message; the others follow.
    minute_of_year
        When this is said.
    """
    told: dict[Persistence, tuple[RoadsideInformation, ...]] = {}
    for persistence in Persistence:
        of_class = [_event(event, position) for event in events if event.persistence is persistence]
        static = [_sign(sign, position) for sign in signs if persistence is Persistence.STATIC]
        n_messages = max(-(-len(of_class) // MOST_EVENTS), -(-len(static) // MOST_SIGNS))
        if not n_messages:
            continue
        told[persistence] = tuple(
            RoadsideInformation(
                count=(count + k) % 128,
                minute_of_year=minute_of_year,
                sender_id=rsu_id,
                position=position,
                events=tuple(of_class[k * MOST_EVENTS : (k + 1) * MOST_EVENTS]) or None,
                signs=tuple(static[k * MOST_SIGNS : (k + 1) * MOST_SIGNS]) or None,
            )
            for k in range(n_messages)
        )
        count += n_messages
    return told


def _event(event: RoadEvent, position: Position3D) -> TrafficEvent:
    has_time = event.start_minute is not None or event.end_minute is not None
    return TrafficEvent(
        event_id=event.event_id,
        event_type=event.event_type,
        source=event.source,
        position=None if event.place is None else offset_from(position, event.place),
        radius_m=event.radius_m,
        description=event.text,
        active_time=ActiveTime(start_minute=event.start_minute, end_minute=event.end_minute)
        if has_time
        else None,
        priority=event.priority,
        paths=_paths(event.paths, position),
        links=_links(event.links),
        confidence=event.confidence,
    )


def _sign(sign: RoadSign, position: Position3D) -> TrafficSign:
    return TrafficSign(
        sign_id=sign.sign_id,
        sign_type=sign.sign_type,
        position=None if sign.place is None else offset_from(position, sign.place),
        description=sign.text,
        priority=sign.priority,
        paths=_paths(sign.paths, position),
        links=_links(sign.links),
    )


def _paths(paths: tuple[RoadPath, ...], position: Position3D) -> tuple[ReferencePath, ...] | None:
    return (
        tuple(
            ReferencePath(
                points=tuple(offset_from(position, place) for place in path.places),
                radius_m=path.radius_m,
            )
            for path in paths
        )
        or None
    )


def _links(links: tuple[RoadLink, ...]) -> tuple[ReferenceLink, ...] | None:
    return (
        tuple(
            ReferenceLink(
                upstream_node=link.upstream_node,
                downstream_node=link.downstream_node,
                lanes=link.lanes,
            )
            for link in links
        )
        or None
    )
