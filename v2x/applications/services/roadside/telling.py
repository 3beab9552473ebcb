"""Messages of a unit before they go on air."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from v2x.messages.csae.elements import NodeReference, Position3D
from v2x.messages.topics import Topic
from v2x.perception.scene import Scene

#: Place of maps that have none on the Earth; only the lengths of messages depend on it.
ANCHOR = Position3D(latitude_deg=29.563, longitude_deg=106.55, elevation_m=0.0)


@dataclass(frozen=True, slots=True)
class Told:
    """One message of a unit.

    Attributes
    ----------
    topic
        What it is about.
    content
        What it says to receivers.
    content_bytes
        Its length without envelope [byte].
    """

    topic: Topic
    content: Any
    content_bytes: int


class Teller(Protocol):
    """Knows what a unit has to say of one sort."""

    def count(self, scene: Scene, row: int) -> int:
        """Return how many messages the unit in a row has; they go one in a tick."""

    def tell(self, scene: Scene, row: int, place: int) -> Told:
        """Return one of them."""


def node_reference(node: int) -> NodeReference:
    """Return the name of a node of the map."""
    return NodeReference(region=0, node=int(node))
