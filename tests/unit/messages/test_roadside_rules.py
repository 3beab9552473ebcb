"""RSI and RSM from what an RSU knows (T/CSAE 159-2020)."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from v2x.messages.coding.wire import UNAVAILABLE
from v2x.messages.csae import rsm_rules
from v2x.messages.csae.elements import NodeReference, Position3D
from v2x.messages.csae.frame import decode, encode
from v2x.messages.csae.offsets import place_at
from v2x.messages.csae.rsi import EventSource
from v2x.messages.csae.rsi_rules import (
    Persistence,
    RoadEvent,
    RoadLink,
    RoadPath,
    RoadSign,
    roadside_information,
)
from v2x.messages.csae.rsm import DetectionSource, ParticipantKind
from v2x.messages.csae.rsm_rules import Detection, HeadingLatch, latched, roadside_safety

RSU = Position3D(latitude_deg=29.563, longitude_deg=106.55, elevation_m=260.0)
NEAR = Position3D(latitude_deg=29.5632, longitude_deg=106.5497, elevation_m=255.5)
ID = b"RSU00001"


def test_doctests() -> None:
    assert doctest.testmod(rsm_rules).failed == 0


def test_an_event_with_all_its_parts() -> None:
    event = RoadEvent(
        event_id=7,
        event_type=707,
        source=EventSource.POLICE,
        place=NEAR,
        radius_m=50.0,
        text="急弯".encode("gb2312"),
        start_minute=100,
        end_minute=200,
        priority=5,
        paths=(RoadPath(places=(NEAR, RSU), radius_m=10.0),),
        links=(
            RoadLink(
                upstream_node=NodeReference(region=1, node=2),
                downstream_node=NodeReference(region=1, node=3),
            ),
        ),
        confidence=0.75,
    )
    ((message,),) = roadside_information(ID, RSU, [event], count=9, minute_of_year=150).values()
    assert decode(encode(message)) == message
    assert (message.count, message.minute_of_year, message.signs) == (9, 150, None)
    assert message.events is not None
    (found,) = message.events
    assert found.position is not None
    assert place_at(RSU, found.position) == NEAR
    assert found.active_time is not None
    assert (found.active_time.start_minute, found.active_time.end_minute) == (100, 200)
    assert (found.event_type, found.priority, found.confidence) == (707, 5, 0.75)
    assert found.paths is not None
    assert [place_at(RSU, point) for point in found.paths[0].points] == [NEAR, RSU]


def test_classes_travel_apart_and_signs_are_static() -> None:
    events = [
        RoadEvent(event_id=k, event_type=103, persistence=persistence)
        for k, persistence in enumerate(Persistence)
    ]
    sign = RoadSign(sign_id=1, sign_type=85, paths=(RoadPath(places=(RSU,), radius_m=5.0),))
    told = roadside_information(ID, RSU, events, [sign])
    assert list(told) == list(Persistence)
    assert [message.count for (message,) in told.values()] == [0, 1, 2]
    for persistence, (message,) in told.items():
        assert message.events is not None
        assert [event.event_id for event in message.events] == [
            list(Persistence).index(persistence)
        ]
        assert (message.signs is not None) == (persistence is Persistence.STATIC)


def test_more_than_a_message_holds_is_told_in_several() -> None:
    """Nine events and 17 signs take two messages; running numbers go on, 127 to 0."""
    events = [
        RoadEvent(event_id=k, event_type=103, persistence=Persistence.STATIC) for k in range(9)
    ]
    path = (RoadPath(places=(RSU,), radius_m=5.0),)
    signs = [RoadSign(sign_id=k, sign_type=85, paths=path) for k in range(17)]
    told = roadside_information(ID, RSU, events, signs, count=127)
    messages = told[Persistence.STATIC]
    assert [message.count for message in messages] == [127, 0]
    assert [len(message.events or ()) for message in messages] == [8, 1]
    assert [len(message.signs or ()) for message in messages] == [16, 1]


def test_nothing_to_tell_is_no_message() -> None:
    assert roadside_information(ID, RSU, []) == {}


def test_a_sign_needs_a_place_to_hold() -> None:
    with pytest.raises(ValueError, match="paths or links"):
        RoadSign(sign_id=1, sign_type=85)


def detection(number: int, **changes: Any) -> Detection:
    facts: dict[str, Any] = {
        "participant_id": number,
        "kind": ParticipantKind.MOTOR,
        "source": DetectionSource.LIDAR,
        "second_ms": 500,
        "place": NEAR,
        "accuracy_m": 0.8,
        "speed_mps": 12.3,
        "heading_deg": 45.0,
        "width_m": 1.8,
        "length_m": 4.5,
        "height_m": 1.5,
        "vehicle_class": 10,
    }
    return Detection(**(facts | changes))


def test_participants_and_the_rsu_itself() -> None:
    (message,) = roadside_safety(ID, RSU, [detection(5)], second_ms=600, count=3)
    assert decode(encode(message)) == message
    itself, found = message.participants
    assert (itself.kind, itself.participant_id) == (ParticipantKind.RSU, 0)
    assert itself.source is DetectionSource.SELF
    assert itself.heading_deg is UNAVAILABLE
    assert place_at(RSU, itself.offset) == RSU
    assert place_at(RSU, found.offset) == NEAR
    assert (found.speed_mps, found.heading_deg, found.second_ms) == (12.3, 45.0, 500)
    assert found.vehicle_class is not None
    assert found.vehicle_class.basic == 10


def test_accuracy_is_never_promised_better_than_it_is() -> None:
    for accuracy_m, told in ((0.8, 1.0), (1.0, 1.0), (1.01, 2.0), (0.001, 0.01)):
        (message,) = roadside_safety(ID, RSU, [detection(1, accuracy_m=accuracy_m)], second_ms=0)
        assert message.participants[1].position_confidence.horizontal_m == told
    (message,) = roadside_safety(ID, RSU, [detection(1, accuracy_m=501.0)], second_ms=0)
    assert message.participants[1].position_confidence.horizontal_m is UNAVAILABLE


@pytest.mark.parametrize(("n_found", "n_messages"), [(0, 1), (15, 1), (16, 2), (31, 3)])
def test_each_message_holds_the_rsu_and_15_others(n_found: int, n_messages: int) -> None:
    found = [detection(1 + k) for k in range(n_found)]
    messages = roadside_safety(ID, RSU, found, second_ms=0, count=126)
    assert len(messages) == n_messages
    assert [message.count for message in messages] == [(126 + k) % 128 for k in range(n_messages)]
    numbers = [part.participant_id for message in messages for part in message.participants]
    assert numbers.count(0) == n_messages
    assert [number for number in numbers if number] == list(range(1, n_found + 1))


def test_numbers_of_participants() -> None:
    for number in (0, 256):
        with pytest.raises(ValueError, match="participant_id"):
            detection(number)
    with pytest.raises(ValueError, match="same number"):
        roadside_safety(ID, RSU, [detection(1), detection(1)], second_ms=0)


def test_a_participant_found_by_its_bsm_keeps_its_identity() -> None:
    with pytest.raises(ValueError, match="sender_id"):
        detection(1, source=DetectionSource.V2X)
    known = detection(1, source=DetectionSource.V2X, sender_id=b"12345678")
    (message,) = roadside_safety(ID, RSU, [known], second_ms=0)
    assert message.participants[1].sender_id == b"12345678"


def test_the_heading_latch_has_hysteresis() -> None:
    """Held below 4 km/h, released above 5 km/h, unchanged in between."""
    latch = HeadingLatch(heading_deg=0.0)
    found = []
    for speed_kmh in (6.0, 4.5, 3.9, 4.5, 4.9, 5.1, 4.1):
        latch = latched(latch, speed_kmh / 3.6, measured_deg=speed_kmh)
        found.append((latch.heading_deg, latch.held))
    assert found == [
        (6.0, False),
        (4.5, False),
        (4.5, True),
        (4.5, True),
        (4.5, True),
        (5.1, False),
        (4.1, False),
    ]
