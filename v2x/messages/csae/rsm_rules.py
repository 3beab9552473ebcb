"""RSM from the road users an RSU has found (T/CSAE 159-2020).

A list longer than a message can hold is told in several messages, each complete in itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from v2x.messages.coding.wire import UNAVAILABLE, Quantity
from v2x.messages.csae.elements import (
    ACCURACY_STEPS,
    BodySize,
    Position3D,
    PositionConfidence,
    VehicleClassification,
)
from v2x.messages.csae.offsets import offset_from
from v2x.messages.csae.rsm import (
    DetectionSource,
    Participant,
    ParticipantKind,
    RoadsideSafetyMessage,
)

#: Most participants in a message.
MOST_PARTICIPANTS = 16
#: BasicVehicleClass of a fixed RSU.
FIXED_INFRASTRUCTURE = 91
#: A heading is held below the first speed and let go above the second [m/s].
HOLD_BELOW_MPS, RELEASE_ABOVE_MPS = 4.0 / 3.6, 5.0 / 3.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A road user that an RSU has found.

    Attributes
    ----------
    participant_id
        1 to 255, its own as long as the RSU follows it.
    kind, source
        What it is and how it was found.
    sender_id
        Its temporary identity; must be given if it was found by its BSM.
    second_ms
        When, within the minute [ms].
    place
        Where.
    accuracy_m
        95 % accuracy of the place [m]; told as the next coarser figure of the standard.
    speed_mps, heading_deg
        Its motion, clockwise from north.
    width_m, length_m, height_m
        Its size, as far as it is known.
    vehicle_class
        BasicVehicleClass, if it is known.
    """

    participant_id: int
    kind: ParticipantKind
    source: DetectionSource
    sender_id: bytes | None = None
    second_ms: int
    place: Position3D
    accuracy_m: float
    speed_mps: Quantity
    heading_deg: Quantity
    width_m: Quantity = UNAVAILABLE
    length_m: Quantity = UNAVAILABLE
    height_m: Quantity | None = None
    vehicle_class: int | None = None

    def __post_init__(self) -> None:
        """Reject what T/CSAE 159-2020 does not allow."""
        if not 1 <= self.participant_id <= 255:
            raise ValueError(f"participant_id must be within 1 and 255, got {self.participant_id}")
        if self.source is DetectionSource.V2X and self.sender_id is None:
            raise ValueError("a participant that was found by its BSM keeps its sender_id")


def roadside_safety(
    rsu_id: bytes,
    position: Position3D,
    detections: Sequence[Detection],
    *,
    second_ms: int,
    count: int = 0,
) -> tuple[RoadsideSafetyMessage, ...]:
    """Return the RSM that tell participants; each holds the RSU itself as well.

    Parameters
    ----------
    rsu_id, position
        Identity and place of the RSU; all offsets count from the place.
    detections
        What it has found, numbers unique.
    second_ms
        When this is said, within the minute [ms].
    count
        Running number of the first message; the others follow.

    Raises
    ------
    ValueError
        If two participants have the same number.
    """
    numbers = [found.participant_id for found in detections]
    if len(set(numbers)) < len(numbers):
        raise ValueError("two participants have the same number")
    room = MOST_PARTICIPANTS - 1
    n_messages = max(-(-len(detections) // room), 1)
    itself = _rsu(position, second_ms)
    return tuple(
        RoadsideSafetyMessage(
            count=(count + k) % 128,
            sender_id=rsu_id,
            position=position,
            participants=(
                itself,
                *(_participant(found, position) for found in detections[k * room : (k + 1) * room]),
            ),
        )
        for k in range(n_messages)
    )


def _rsu(position: Position3D, second_ms: int) -> Participant:
    return Participant(
        kind=ParticipantKind.RSU,
        participant_id=0,
        source=DetectionSource.SELF,
        second_ms=second_ms,
        offset=offset_from(position, position),
        position_confidence=PositionConfidence(horizontal_m=UNAVAILABLE),
        speed_mps=0.0,
        heading_deg=UNAVAILABLE,
        size=BodySize(width_m=UNAVAILABLE, length_m=UNAVAILABLE),
        vehicle_class=VehicleClassification(basic=FIXED_INFRASTRUCTURE),
    )


def _participant(found: Detection, position: Position3D) -> Participant:
    basic = found.vehicle_class
    return Participant(
        kind=found.kind,
        participant_id=found.participant_id,
        source=found.source,
        sender_id=found.sender_id,
        second_ms=found.second_ms,
        offset=offset_from(position, found.place),
        position_confidence=PositionConfidence(
            horizontal_m=ACCURACY_STEPS.coarser(found.accuracy_m)
        ),
        speed_mps=found.speed_mps,
        heading_deg=found.heading_deg,
        size=BodySize(width_m=found.width_m, length_m=found.length_m, height_m=found.height_m),
        vehicle_class=None if basic is None else VehicleClassification(basic=basic),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadingLatch:
    """The heading that is told of a participant.

    Attributes
    ----------
    heading_deg
        Clockwise from north.
    held
        Whether measurements are ignored because the participant is slow.
    """

    heading_deg: float
    held: bool = False


def latched(latch: HeadingLatch, speed_mps: float, measured_deg: float) -> HeadingLatch:
    """Return what is told of a heading after a measurement.

    Parameters
    ----------
    latch
        What was told before.
    speed_mps, measured_deg
        The measurement.

    Notes
    -----
    Headings of slow participants are noise: below 4 km/h the heading stays what it was, and
    only above 5 km/h it follows again (T/CSAE 159-2020).

    Examples
    --------
    >>> slow = latched(HeadingLatch(heading_deg=90.0), 1.0, 270.0)
    >>> slow.heading_deg, latched(slow, 1.2, 270.0).heading_deg, latched(slow, 1.4, 80.0).held
    (90.0, 90.0, False)
    """
    held = speed_mps <= RELEASE_ABOVE_MPS if latch.held else speed_mps < HOLD_BELOW_MPS
    return HeadingLatch(heading_deg=latch.heading_deg if held else measured_deg, held=held)
