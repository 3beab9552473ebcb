"""Vulnerable road users and groups of them, as VAM and CPM name them (TS 102 894-2, R2).

No measured size covers these frames; their widths are of medium confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import Record, layout
from v2x.messages.coding.symbols import Enumerated, Flags
from v2x.messages.coding.wire import Integer, Scaled
from v2x.messages.etsi.wire import Alternative, NotModelled


class VruProfile(IntEnum):
    """Alternatives of VruProfileAndSubprofile."""

    PEDESTRIAN = 0
    BICYCLIST = 1
    MOTORCYCLIST = 2
    ANIMAL = 3


class VruProfiles(IntFlag):
    """VruClusterProfiles: who is in a cluster."""

    PEDESTRIAN = 1 << 0
    BICYCLIST = 1 << 1
    MOTORCYCLIST = 1 << 2
    ANIMAL = 1 << 3


#: Identifier1B and CardinalNumber1B.
Byte = Annotated[int, Integer(0, 255)]
#: StandardLength12b [m].
Length = Annotated[float, Scaled(0, 4095, (1, 10))]


@dataclass(frozen=True, slots=True, kw_only=True)
class VruKind(Record):
    """Kind of a vulnerable road user (VruProfileAndSubprofile).

    Attributes
    ----------
    profile
        What it is; of later versions, animal.
    sub_profile
        0 if it is not known.
    """

    profile: Annotated[VruProfile, Enumerated(VruProfile, later=VruProfile.ANIMAL)]
    sub_profile: Annotated[int, Integer(0, 15)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle(Record):
    """A disc around the position of the message (CircularShape).

    Attributes
    ----------
    reference
        Not modelled.
    radius_m
        In steps of 0.1 m.
    height_m
        Of a cylinder.
    """

    reference: Annotated[None, NotModelled()] | None = None
    radius_m: Length
    height_m: Length | None = None


#: Shape: rectangular, circular, polygonal, elliptical, radial, radial shapes.
N_SHAPES, CIRCULAR, RADIAL = 6, 1, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class VruCluster(Record):
    """A cluster (VruClusterInformation).

    Attributes
    ----------
    cluster_id
        Number that its leader gave it.
    bounding_box
        Where its members are.
    n_members
        CardinalNumber1B.
    profiles
        Who is in it.
    """

    EXTENSIBLE: ClassVar[bool] = True
    cluster_id: Byte | None = None
    bounding_box: Annotated[Circle, Alternative(layout(Circle), CIRCULAR, N_SHAPES)] | None = None
    n_members: Byte
    profiles: Annotated[VruProfiles, Flags(VruProfiles, 4)] | None = None
