"""Sizes from the content against the measured ones of applications.md 2.1 to 2.5 and 4.1."""

from __future__ import annotations

from typing import Any

import pytest

from v2x.messages.coding.structure import layout
from v2x.messages.coding.uper import BitReader, BitWriter, MessageError
from v2x.messages.etsi.cpm import OriginatingRsu, Sector, Sensor, Sensors
from v2x.messages.etsi.denm import EventPoint, Situation, Termination
from v2x.messages.etsi.elements import CauseCode, Heading, LightSiren, Speed
from v2x.messages.etsi.frame import (
    Message,
    Transport,
    message_on_air_bytes,
    on_air_bytes,
    size_bits,
    size_bytes,
)
from v2x.messages.etsi.road_users import Circle, VruCluster, VruKind, VruProfile, VruProfiles
from v2x.messages.etsi.special_vehicles import (
    DangerousGoods,
    EmergencyVehicle,
    PublicTransport,
    RoadWorksVehicle,
    SafetyCar,
    SpecialTransport,
)
from v2x.messages.etsi.vam import (
    ClusterInformation,
    ClusterJoin,
    ClusterLeave,
    ClusterOperation,
    LeaveReason,
    VruLights,
    VruLowFrequency,
)

from .samples import (
    ALACARTE,
    MANAGEMENT,
    SITUATION,
    cam,
    cpm,
    denm,
    full_object,
    location,
    perceived,
    vam,
)

LEADER = ClusterInformation(
    cluster=VruCluster(
        cluster_id=3,
        bounding_box=Circle(radius_m=4.0),
        n_members=5,
        profiles=VruProfiles.PEDESTRIAN,
    )
)
SENSORS = Sensors(
    sensors=(
        Sensor(
            sensor_id=1,
            kind=1,
            region=Sector(range_m=150.0, begin_deg=80.0, end_deg=100.0),
            confidence_percent=95,
            shadowing=1,
        ),
    )
)
SPECIAL = (
    PublicTransport(embarkation=1),
    SpecialTransport(kind=3, signals=LightSiren.NONE),
    DangerousGoods(goods=4),
    RoadWorksVehicle(sub_cause=3, signals=LightSiren.LIGHT_BAR),
    EmergencyVehicle(signals=LightSiren.BOTH, incident=CauseCode(cause=2), priority=1),
    SafetyCar(signals=LightSiren.BOTH, speed_limit_kmh=50),
)
EVERYTHING: tuple[Message, ...] = (
    cam(),
    cam(0),
    cam(40),
    *(cam(3, special) for special in SPECIAL),
    denm(),
    denm(situation=SITUATION, location=location(10), alacarte=ALACARTE),
    denm(
        situation=Situation(
            cause=CauseCode(cause=99, sub_cause=1),
            linked_cause=CauseCode(cause=94),
            history=(EventPoint(position=location(1).traces[0][0].position, quality=3),),
        )
    ),
    cpm(),
    cpm((perceived(), full_object()), SENSORS),
    cpm((), OriginatingRsu()),
    vam(),
    vam(
        low_frequency=VruLowFrequency(
            kind=VruKind(profile=VruProfile.BICYCLIST), size_class=1, lights=VruLights()
        ),
        cluster=LEADER,
        cluster_operation=ClusterOperation(
            join=ClusterJoin(cluster_id=3, in_s=3.0),
            leave=ClusterLeave(cluster_id=2, reason=LeaveReason.JOINING_ANOTHER),
        ),
    ),
)


@pytest.mark.parametrize(
    ("n_points", "n_bytes"), [(None, 41), (0, 43), (5, 86), (10, 129), (23, 241), (40, 388)]
)
def test_cam(n_points: int | None, n_bytes: int) -> None:
    assert size_bytes(cam(n_points)) == n_bytes


@pytest.mark.parametrize(
    ("containers", "n_bytes"),
    [
        ({}, 45),
        ({"situation": SITUATION}, 48),
        ({"situation": SITUATION, "location": location(1)}, 63),
        ({"situation": SITUATION, "location": location(10)}, 141),
        ({"situation": SITUATION, "location": location(40)}, 400),
        ({"situation": SITUATION, "location": location(40), "alacarte": ALACARTE}, 403),
    ],
)
def test_denm(containers: dict[str, Any], n_bytes: int) -> None:
    assert size_bytes(denm(**containers)) == n_bytes


@pytest.mark.parametrize(
    ("n_objects", "n_bytes"), [(0, 33), (1, 66), (5, 186), (10, 335), (20, 633), (40, 1228)]
)
def test_cpm(n_objects: int, n_bytes: int) -> None:
    assert size_bytes(cpm(tuple(full_object(k) for k in range(n_objects)))) == n_bytes


def test_objects() -> None:
    """Thirteen bytes with only the place, thirty with all that the full one has."""
    assert layout(type(perceived())).size_bits(perceived()) == 13 * 8
    assert layout(type(full_object())).size_bits(full_object()) == 238


def test_vam() -> None:
    assert size_bytes(vam()) == 34
    assert size_bytes(vam(cluster=LEADER)) > 34


def test_a_path_point_takes_69_bits() -> None:
    """The 8.6 bytes of applications.md 2.1."""
    assert size_bits(cam(1)) - size_bits(cam(0)) == 69


@pytest.mark.parametrize("message", EVERYTHING, ids=lambda message: type(message).__name__)
def test_sizes_are_those_of_the_encoding(message: Message) -> None:
    wire = layout(type(message))
    writer = BitWriter()
    wire.encode(message, writer)
    assert writer.n_bits == size_bits(message)
    octets = writer.to_bytes()
    assert len(octets) == size_bytes(message)
    reader = BitReader(octets)
    assert wire.size_bits(wire.decode(reader)) == writer.n_bits
    reader.finish()
    assert wire.from_plain(wire.to_plain(message)) == message


def test_signed_sizes() -> None:
    """The envelope holds what follows the basic header: 36 + 4 + 41 = 81 bytes of a CAM."""
    assert message_on_air_bytes(cam(), with_certificate=False) == 4 + 81 + 93 + 10
    assert message_on_air_bytes(cam(), with_certificate=True) == 4 + 81 + 235 + 10
    # 40 + 129 = 169 bytes need one more for their length
    assert message_on_air_bytes(cam(10), with_certificate=False) == 4 + 169 + 94 + 10
    bare = on_air_bytes(34, Transport.SINGLE_HOP, with_certificate=False, layer2_bytes=0)
    assert bare == 4 + 36 + 4 + 34 + 93


@pytest.mark.parametrize("asked", [False, True])
def test_a_denm_always_has_certificate_and_place(asked: bool) -> None:
    assert message_on_air_bytes(denm(), with_certificate=asked) == 4 + 52 + 4 + 45 + 235 + 10 + 10


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Speed(value_mps=163.83),
        lambda: Heading(value_deg=-1.0),
        lambda: cam(41),
        lambda: CauseCode(cause=256),
        lambda: Circle(radius_m=409.6),
        lambda: ClusterJoin(cluster_id=3, in_s=0.0),
        lambda: denm(management=None),
        lambda: SafetyCar(signals=LightSiren.NONE, traffic_rule=1),
    ],
)
def test_what_cannot_be_sent_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        wrong()


def test_limits_can_be_sent() -> None:
    assert Speed(value_mps=163.82).value_mps == 163.82
    assert MANAGEMENT.termination is None
    assert Termination.NEGATION == 1
    with pytest.raises(MessageError, match="not modelled"):
        PublicTransport(embarkation=0, activation=1)  # type: ignore[arg-type]
