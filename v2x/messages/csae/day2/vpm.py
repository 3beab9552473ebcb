"""Vehicle payment (T/CSAE 157-2020, Msg_VPM); the byte layout is our own.

The four steps are those of the standard: an RSU offers, a vehicle answers, the RSU charges, the
vehicle pays. What the chip card of the vehicle and the RSU say to each other inside is reduced to
what the dialogue needs: who, which passage, how much, and an authenticator.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import Choice, Record, layout
from v2x.messages.coding.symbols import Enumerated, Octets
from v2x.messages.coding.wire import Integer
from v2x.messages.csae.bsm import UtcTime
from v2x.messages.csae.elements import Heading, Identity, MessageCount, Position3D, Speed


class PaymentEntity(IntEnum):
    """PaymentEntityID: what is paid for; those of later versions are read as the system itself."""

    SYSTEM = 0
    FREE_FLOW = 1
    ENCLOSED = 2
    CONGESTION = 3
    CHARGING = 4
    PARKING = 5


class ReturnStatus(IntEnum):
    """ReturnStatus; those of later versions are read as a failure."""

    NO_ERROR = 0
    ACCESS_DENIED = 1
    ARGUMENT_ERROR = 2
    COMPLEXITY_LIMITATION = 3
    PROCESSING_FAILURE = 4
    PROCESSING = 5


class TollResult(IntEnum):
    """TollResult: what the RSU says in the end."""

    OK = 0
    NOT_OK = 1
    CONTACT_OPERATOR = 2


#: Drawn anew by the vehicle for each passage.
Nonce = Annotated[bytes, Octets(8, 8)]
#: Number that the RSU gives a charge.
Transaction = Annotated[int, Integer(0, 0xFFFF_FFFF)]
#: In hundredths of the currency.
Amount = Annotated[int, Integer(0, 0xFFFF_FFFF)]
#: Proof of the card that it has paid this amount for this transaction.
Authenticator = Annotated[bytes, Octets(8, 8)]
Entity = Annotated[PaymentEntity, Enumerated(PaymentEntity, later=PaymentEntity.SYSTEM)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Record):
    """The RSU tells that it takes tolls (initialisation request), to all.

    Attributes
    ----------
    time
        When.
    rsu_id
        Which RSU.
    entity
        What is to be paid.
    """

    EXTENSIBLE: ClassVar[bool] = True
    time: UtcTime
    rsu_id: Identity
    entity: Entity


@dataclass(frozen=True, slots=True, kw_only=True)
class Application(Record):
    """A vehicle tells that it is there (initialisation response).

    Attributes
    ----------
    time
        When.
    obu_id, rsu_id
        Who, and to whom.
    entity
        What it wants to pay.
    nonce
        The passage.
    position, heading_deg, speed_mps
        Where it is, for RSUs that take tolls from moving vehicles.
    """

    EXTENSIBLE: ClassVar[bool] = True
    time: UtcTime
    obu_id: Identity
    rsu_id: Identity
    entity: Entity
    nonce: Nonce
    position: Position3D | None = None
    heading_deg: Heading | None = None
    speed_mps: Speed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge(Record):
    """The RSU wants to be paid (action request).

    Attributes
    ----------
    time
        When.
    rsu_id, obu_id
        Who wants it, from whom.
    entity, nonce, transaction
        For what, for which passage, under which number.
    amount
        How much.
    """

    EXTENSIBLE: ClassVar[bool] = True
    time: UtcTime
    rsu_id: Identity
    obu_id: Identity
    entity: Entity
    nonce: Nonce
    transaction: Transaction
    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment(Record):
    """The vehicle has paid, or tells why not (action response).

    Attributes
    ----------
    time
        When.
    obu_id, rsu_id, transaction
        Who pays whom, and the number of the charge.
    status
        Whether it has paid.
    authenticator
        Proof of it; None if it has not.
    """

    EXTENSIBLE: ClassVar[bool] = True
    time: UtcTime
    obu_id: Identity
    rsu_id: Identity
    transaction: Transaction
    status: Annotated[ReturnStatus, Enumerated(ReturnStatus, later=ReturnStatus.PROCESSING_FAILURE)]
    authenticator: Authenticator | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Record):
    """The RSU tells what came of it (action request that sets the display).

    Attributes
    ----------
    time
        When.
    rsu_id, obu_id, transaction
        Who tells whom, and the number of the charge.
    result
        What the driver is shown.
    """

    EXTENSIBLE: ClassVar[bool] = True
    time: UtcTime
    rsu_id: Identity
    obu_id: Identity
    transaction: Transaction
    result: Annotated[TollResult, Enumerated(TollResult)]


PaymentStep = Offer | Application | Charge | Payment | Receipt
_STEP = Choice(
    {
        "offer": layout(Offer),
        "application": layout(Application),
        "charge": layout(Charge),
        "payment": layout(Payment),
        "receipt": layout(Receipt),
    },
    (Offer, Application, Charge, Payment, Receipt),
    extensible=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VehiclePayment(Record):
    """One step of a payment.

    Attributes
    ----------
    count
        Running number of the sender's VPM, 0 to 127.
    step
        The step.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    step: Annotated[PaymentStep, _STEP]
