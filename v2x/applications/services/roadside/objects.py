"""RSM: the road users that a unit sees or hears."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from v2x.applications.services.roadside.telling import ANCHOR, Told
from v2x.messages.coding.wire import UNAVAILABLE
from v2x.messages.csae.elements import BodySize, PositionConfidence, VehicleClassification
from v2x.messages.csae.frame import size_bits
from v2x.messages.csae.offset_widths import offset_widths
from v2x.messages.csae.offsets import HorizontalOffset, PositionOffset, VerticalOffset
from v2x.messages.csae.places import EarthPlaces
from v2x.messages.csae.rsm import DetectionSource, Participant, ParticipantKind
from v2x.messages.csae.rsm_rules import roadside_safety
from v2x.messages.topics import Topic
from v2x.mobility.fleet import KeyEvent, NodeKind
from v2x.perception.ldm import Source
from v2x.perception.objects import PerceivedObjects
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.world.road_map import RoadMap

#: Flags of road users that others should know of first.
_TROUBLE = int(
    KeyEvent.HAZARD_LIGHTS | KeyEvent.HARD_BRAKING | KeyEvent.DISABLED_VEHICLE | KeyEvent.AIR_BAG
)
#: Slower than this is standing, which those behind should know of first [m/s].
_STANDS_MPS = 0.5


class ObjectTeller:
    """Tells the road users that each unit knows, those in trouble first, then the nearest.

    Parameters
    ----------
    road_map
        The map.
    most
        Most road users in a message.
    room_bytes
        Longest content of a message [byte].
    repeat_heard
        Whether road users are told that were heard and not seen.
    """

    def __init__(
        self, road_map: RoadMap, most: int, room_bytes: int, *, repeat_heard: bool
    ) -> None:
        self._places = EarthPlaces(road_map, ANCHOR)
        self._most, self._room_bytes, self._repeat_heard = most, room_bytes, repeat_heard

    def count(self, scene: Scene, row: int) -> int:
        """Return that there is one message, even if there is nobody to tell of."""
        return 1

    def tell(self, scene: Scene, row: int, place: int) -> Told:
        """Return the message of the unit in a row."""
        pairs = self._ranked(scene, row)[: self._most]
        bits = np.cumsum([empty_bits(), *self._bits(scene, row, pairs)])
        n_told = int(np.searchsorted(bits[1:], 8 * self._room_bytes, side="right"))
        content = told_objects(scene, pairs[:n_told])
        return Told(Topic.RSM, content, -(-int(bits[n_told]) // 8))

    def _ranked(self, scene: Scene, row: int) -> RowArray:
        """Return the pairs of the unit in the order in which they are told."""
        known = scene.known
        mine = known.host == row
        mine &= (known.source == Source.SENSOR) | (
            self._repeat_heard & (known.source == Source.MESSAGE)
        )
        mine &= scene.fleet.kind[known.remote] <= NodeKind.VRU
        pairs = np.flatnonzero(mine)
        states = known.states
        trouble = (states.flags[pairs] & _TROUBLE) != 0
        trouble |= states.speed_mps[pairs] < _STANDS_MPS
        away_m = scene.distance_m[pairs]
        identity = scene.fleet.id[known.remote[pairs]]
        return pairs[np.lexsort((identity, away_m, ~trouble))]

    def _bits(self, scene: Scene, row: int, pairs: RowArray) -> list[int]:
        """Return what each pair adds to the message [bit]."""
        fleet, states = scene.fleet, scene.known.states
        at = slice(row, row + 1)
        own = self._places.at(fleet.x_m[at], fleet.y_m[at], fleet.z_m[at])[0]
        places = self._places.at(states.x_m[pairs], states.y_m[pairs], states.z_m[pairs])
        heard = scene.known.source[pairs] == Source.MESSAGE
        plan, height = offset_widths(own, places)
        return [
            participant_bits(*forms, heard=bool(was_heard))
            for *forms, was_heard in zip(plan.tolist(), height.tolist(), heard, strict=True)
        ]


@cache
def empty_bits() -> int:
    """Return the length of an RSM that tells of the unit only [bit]."""
    return size_bits(roadside_safety(bytes(8), ANCHOR, [], second_ms=0)[0])


@cache
def participant_bits(plan: int, height: int, *, heard: bool) -> int:
    """Return what a road user adds to an RSM [bit].

    Parameters
    ----------
    plan, height
        Forms of its offset (:func:`~v2x.messages.csae.offset_widths.offset_widths`).
    heard
        Whether it was found by its BSM and so keeps its identity.
    """
    alone = roadside_safety(bytes(8), ANCHOR, [], second_ms=0)[0]
    found = Participant(
        kind=ParticipantKind.MOTOR,
        participant_id=1,
        source=DetectionSource.V2X if heard else DetectionSource.FUSED,
        sender_id=bytes(8) if heard else None,
        second_ms=0,
        offset=PositionOffset(
            horizontal=HorizontalOffset(0.0, 0.0, plan), vertical=VerticalOffset(0.0, height)
        ),
        position_confidence=PositionConfidence(horizontal_m=1.0),
        speed_mps=0.0,
        heading_deg=0.0,
        size=BodySize(width_m=UNAVAILABLE, length_m=UNAVAILABLE),
        vehicle_class=VehicleClassification(basic=0),
    )
    both = replace(alone, participants=(*alone.participants, found))
    return size_bits(both) - size_bits(alone)


def told_objects(scene: Scene, pairs: RowArray) -> PerceivedObjects:
    """Return what a message says of pairs of a scene: states as they were measured."""
    known = scene.known.take(pairs)
    return PerceivedObjects(
        row=known.remote,
        identity=scene.fleet.id[known.remote],
        measured_us=known.generated_us,
        # Receivers carry the states on from when they were measured, so they are taken back to it.
        states=known.states.after(-known.age_s),
    )
