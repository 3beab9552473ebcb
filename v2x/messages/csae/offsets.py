"""Places near a reference, in the smallest of seven forms (DF_PositionOffsetLLV)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, get_args

from v2x.messages.coding.structure import Record
from v2x.messages.coding.uper import BitReader, BitWriter, MessageError, bits_for
from v2x.messages.coding.wire import UNAVAILABLE, Code, Quantity, Scaled, WireType
from v2x.messages.csae.elements import Elevation, Latitude, Longitude, Position3D

#: Bits of each coordinate in the horizontal forms, and in the last form, which is no offset.
HORIZONTAL_BITS = (12, 14, 16, 18, 22, 24)
ABSOLUTE_BITS = 32
#: Bits of the vertical forms; the last is the elevation itself.
VERTICAL_BITS = (7, 8, 9, 10, 11, 12)
ELEVATION_BITS = 16

_DEGREE_STEP = (1, 10_000_000)
_HEIGHT_STEP = (1, 10)


def _form(hint: Any) -> Scaled:
    """Return the wire type in an annotation."""
    (form,) = (part for part in get_args(hint) if isinstance(part, Scaled))
    return form


_LONGITUDES = {
    bits: Scaled(-(1 << bits - 1), (1 << bits - 1) - 1, _DEGREE_STEP) for bits in HORIZONTAL_BITS
} | {ABSOLUTE_BITS: _form(Longitude)}
_LATITUDES = _LONGITUDES | {ABSOLUTE_BITS: _form(Latitude)}
_HEIGHTS = {
    bits: Scaled(
        -(1 << bits - 1),
        (1 << bits - 1) - 1,
        _HEIGHT_STEP,
        codes={-(1 << bits - 1): UNAVAILABLE},
    )
    for bits in VERTICAL_BITS
} | {ELEVATION_BITS: _form(Elevation)}


class HorizontalOffset(NamedTuple):
    """East and north of a reference in degrees (DF_PositionOffsetLL).

    Attributes
    ----------
    longitude_deg, latitude_deg
        True value minus reference, in steps of 1e-7 degree; the true value itself if `bits`
        is 32.
    bits
        Bits of each: 12 reach 22 m, 14 90 m, 16 362 m, 18 1.4 km, 22 23 km and 24 92 km.
    """

    longitude_deg: Quantity
    latitude_deg: Quantity
    bits: int


class VerticalOffset(NamedTuple):
    """Height above a reference (DF_VerticalOffset).

    Attributes
    ----------
    height_m
        True value minus reference, in steps of 0.1 m; the true value itself if `bits` is 16.
    bits
        Bits of it: 7 reach 6.3 m, 8 12.7 m, 9 25.5 m, 10 51.1 m, 11 102.3 m and 12 204.7 m.
    """

    height_m: Quantity
    bits: int


class _Forms(WireType):
    """A choice among forms of different width.

    Parameters
    ----------
    kind
        Named tuple of coordinates and their `bits`.
    forms
        Types of the coordinates by their bits, in the order of the standard.
    """

    def __init__(self, kind: Any, forms: dict[int, tuple[Scaled, ...]]) -> None:
        self.kind = kind
        self.forms = forms
        self.widths = list(forms)
        self.selector_bits = bits_for(len(forms))
        self.sizes = {
            bits: self.selector_bits + sum(form.size_bits(None) for form in parts)
            for bits, parts in forms.items()
        }

    def check(self, value: Any) -> None:
        """Refuse widths that do not exist and coordinates that do not fit."""
        if not isinstance(value, self.kind):
            raise MessageError(f"must be a {self.kind.__name__}, got {value!r}")
        if value.bits not in self.forms:
            raise MessageError(f"must be one of {self.widths}, got {value.bits!r}").inside("bits")
        for name, part, form in zip(value._fields, value, self.forms[value.bits], strict=False):
            try:
                form.check(part)
            except MessageError as error:
                raise error.inside(name) from None

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the form and the coordinates."""
        writer.write(self.widths.index(value.bits), self.selector_bits)
        for part, form in zip(value, self.forms[value.bits], strict=False):
            form.encode(part, writer)

    def decode(self, reader: BitReader) -> Any:
        """Take coordinates."""
        begin = reader.position
        index = reader.read(self.selector_bits)
        if index >= len(self.widths):
            raise MessageError(f"form {index} of {len(self.widths)}", bit=begin)
        bits = self.widths[index]
        return self.kind(*(form.decode(reader) for form in self.forms[bits]), bits)

    def size_bits(self, value: Any) -> int:
        """Return the length of the form."""
        return self.sizes[value.bits]

    def to_plain(self, value: Any) -> Any:
        """Return a dictionary."""
        plain = value._asdict()
        return {
            name: part.value if isinstance(part, Code) else part for name, part in plain.items()
        }

    def from_plain(self, plain: Any) -> Any:
        """Return the coordinates of a dictionary with exactly the names of the tuple."""
        names = self.kind._fields
        if not isinstance(plain, dict) or set(plain) != set(names):
            raise MessageError(f"must be an object with {', '.join(names)}, got {plain!r}")
        form = next(iter(self.forms.values()))[0]
        return self.kind(*(form.from_plain(plain[name]) for name in names))


_HORIZONTAL = _Forms(
    HorizontalOffset, {bits: (_LONGITUDES[bits], _LATITUDES[bits]) for bits in _LONGITUDES}
)
_VERTICAL = _Forms(VerticalOffset, {bits: (form,) for bits, form in _HEIGHTS.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionOffset(Record):
    """A place relative to a reference (DF_PositionOffsetLLV).

    Attributes
    ----------
    horizontal
        Offset in longitude and latitude.
    vertical
        Offset in elevation.
    """

    horizontal: Annotated[HorizontalOffset, _HORIZONTAL]
    vertical: Annotated[VerticalOffset, _VERTICAL] | None = None


def offset_from(reference: Position3D, place: Position3D) -> PositionOffset:
    """Return a place relative to another, each coordinate in the smallest form that holds it.

    The vertical part is left out unless both have an elevation.

    Raises
    ------
    MessageError
        If a latitude or longitude is not known.

    Examples
    --------
    >>> here = Position3D(latitude_deg=29.563, longitude_deg=106.55, elevation_m=260.0)
    >>> there = Position3D(latitude_deg=29.5629, longitude_deg=106.5501, elevation_m=266.0)
    >>> offset = offset_from(here, there)
    >>> offset.horizontal.bits, offset.vertical.bits, offset.vertical.height_m
    (12, 7, 6.0)
    """
    degrees = (
        place.longitude_deg,
        place.latitude_deg,
        reference.longitude_deg,
        reference.latitude_deg,
    )
    if any(isinstance(value, Code) for value in degrees):
        raise MessageError("a place that is not known has no offset")
    east, north = (
        (_steps(value, _DEGREE_STEP) - _steps(origin, _DEGREE_STEP)) / _DEGREE_STEP[1]
        for value, origin in zip(degrees[:2], degrees[2:], strict=True)
    )
    for bits in HORIZONTAL_BITS:
        horizontal = HorizontalOffset(east, north, bits)
        if _fits(_HORIZONTAL, horizontal):
            break
    else:
        horizontal = HorizontalOffset(place.longitude_deg, place.latitude_deg, ABSOLUTE_BITS)
    return PositionOffset(
        horizontal=horizontal, vertical=_height_above(reference.elevation_m, place.elevation_m)
    )


def _height_above(reference: Quantity | None, elevation: Quantity | None) -> VerticalOffset | None:
    if reference is None or elevation is None:
        return None
    if isinstance(reference, Code) or isinstance(elevation, Code):
        return None
    rise = (_steps(elevation, _HEIGHT_STEP) - _steps(reference, _HEIGHT_STEP)) / _HEIGHT_STEP[1]
    for bits in VERTICAL_BITS:
        vertical = VerticalOffset(rise, bits)
        if _fits(_VERTICAL, vertical):
            return vertical
    return VerticalOffset(elevation, ELEVATION_BITS)


def place_at(reference: Position3D, offset: PositionOffset) -> Position3D:
    """Return the place that an offset from a reference names.

    Examples
    --------
    >>> here = Position3D(latitude_deg=29.563, longitude_deg=106.55, elevation_m=260.0)
    >>> there = Position3D(latitude_deg=29.5629, longitude_deg=106.5501, elevation_m=266.0)
    >>> place_at(here, offset_from(here, there)) == there
    True
    """
    horizontal, vertical = offset.horizontal, offset.vertical
    elevation: Quantity | None = None
    if vertical is not None:
        absolute = vertical.bits == ELEVATION_BITS
        elevation = _sum(
            _HEIGHT_STEP, vertical.height_m, 0.0 if absolute else reference.elevation_m
        )
    absolute = horizontal.bits == ABSOLUTE_BITS
    return Position3D(
        latitude_deg=_sum(
            _DEGREE_STEP, horizontal.latitude_deg, 0.0 if absolute else reference.latitude_deg
        ),
        longitude_deg=_sum(
            _DEGREE_STEP, horizontal.longitude_deg, 0.0 if absolute else reference.longitude_deg
        ),
        elevation_m=elevation,
    )


def _steps(value: Any, step: tuple[int, int]) -> int:
    """Return a quantity in whole steps, rounded as on the wire."""
    steps: float = value * step[1] / step[0]
    return round(steps)


def _sum(step: tuple[int, int], offset: Quantity, reference: Quantity | None) -> Quantity:
    if reference is None or isinstance(offset, Code) or isinstance(reference, Code):
        return UNAVAILABLE
    return (_steps(offset, step) + _steps(reference, step)) * step[0] / step[1]


def _fits(forms: _Forms, value: Any) -> bool:
    try:
        forms.check(value)
    except MessageError:
        return False
    return True
