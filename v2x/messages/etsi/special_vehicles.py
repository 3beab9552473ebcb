"""What vehicles on duty add to their CAM (EN 302 637-2, special vehicle container).

No measured size covers these containers; their widths are of medium confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from v2x.messages.coding.structure import Choice, Record, layout
from v2x.messages.coding.wire import Integer
from v2x.messages.etsi.elements import CauseCode, LightSirenInUse
from v2x.messages.etsi.wire import NotModelled


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTransport(Record):
    """PublicTransportContainer.

    Attributes
    ----------
    embarkation
        Whether passengers are getting in or out: 0 or 1.
    activation
        Not modelled.
    """

    embarkation: Annotated[int, Integer(0, 1)]
    activation: Annotated[None, NotModelled()] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialTransport(Record):
    """SpecialTransportContainer.

    Attributes
    ----------
    kind
        Four bits: heavy load, excess width, length, height.
    signals
        Light bar and siren.
    """

    kind: Annotated[int, Integer(0, 15)]
    signals: LightSirenInUse


@dataclass(frozen=True, slots=True, kw_only=True)
class DangerousGoods(Record):
    """DangerousGoodsContainer.

    Attributes
    ----------
    goods
        DangerousGoodsBasic, 0 to 19.
    """

    goods: Annotated[int, Integer(0, 19)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadWorksVehicle(Record):
    """RoadWorksContainerBasic.

    Attributes
    ----------
    sub_cause
        Sub cause of road works.
    signals
        Light bar and siren.
    closed_lanes
        Not modelled.
    """

    sub_cause: Annotated[int, Integer(0, 255)] | None = None
    signals: LightSirenInUse
    closed_lanes: Annotated[None, NotModelled()] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RescueVehicle(Record):
    """RescueContainer.

    Attributes
    ----------
    signals
        Light bar and siren.
    """

    signals: LightSirenInUse


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyVehicle(Record):
    """EmergencyContainer.

    Attributes
    ----------
    signals
        Light bar and siren.
    incident
        What it is on the way to.
    priority
        Two bits: right of way, and of crossing at red.
    """

    signals: LightSirenInUse
    incident: CauseCode | None = None
    priority: Annotated[int, Integer(0, 3)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyCar(Record):
    """SafetyCarContainer.

    Attributes
    ----------
    signals
        Light bar and siren.
    incident
        What it warns of.
    traffic_rule
        Not modelled.
    speed_limit_kmh
        1 to 255 km/h.
    """

    signals: LightSirenInUse
    incident: CauseCode | None = None
    traffic_rule: Annotated[None, NotModelled()] | None = None
    speed_limit_kmh: Annotated[int, Integer(1, 255)] | None = None


SpecialVehicle = (
    PublicTransport
    | SpecialTransport
    | DangerousGoods
    | RoadWorksVehicle
    | RescueVehicle
    | EmergencyVehicle
    | SafetyCar
)
_SPECIAL_KINDS = (
    *(PublicTransport, SpecialTransport, DangerousGoods, RoadWorksVehicle),
    *(RescueVehicle, EmergencyVehicle, SafetyCar),
)
#: SpecialVehicleContainer.
SPECIAL_VEHICLE = Choice(
    {kind.__name__: layout(kind) for kind in _SPECIAL_KINDS}, _SPECIAL_KINDS, extensible=True
)
