"""How values join to messages: records, lists and choices.

A record is a frozen dataclass whose annotations carry the types of :mod:`v2x.messages.coding.wire`.
Fields stand in the order of the standard; one that may be None is OPTIONAL there, and None means
that it is not sent.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from v2x.errors import nearest
from v2x.messages.coding.uper import (
    BitReader,
    BitWriter,
    MessageError,
    read_small_number,
    skip_additions,
    skip_open_type,
)
from v2x.messages.coding.wire import Integer, WireType

R = TypeVar("R", bound="Record")


class Record:
    """Base of the dataclasses that messages are made of."""

    __slots__ = ()
    #: Whether later versions may add fields (``...`` in the notation of the standard).
    EXTENSIBLE: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse values that cannot be sent."""
        layout(type(self)).check_fields(self)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    wire: WireType
    #: Bit of the field in the presence bitmap; 0 if the field is mandatory.
    presence: int


class RecordType(WireType):
    """A sequence (X.691 19) that becomes one record.

    Parameters
    ----------
    kind
        The record.
    """

    def __init__(self, kind: type[Record]) -> None:
        self.kind = kind
        self.extensible = kind.EXTENSIBLE
        hints = typing.get_type_hints(kind, include_extras=True)
        found = [(item.name, *_wire_type(hints[item.name])) for item in dataclasses.fields(kind)]  # type: ignore[arg-type]
        self.n_optional = sum(optional for _, _, optional in found)
        bit = 1 << self.n_optional
        self.fields: list[_Field] = []
        for name, wire, optional in found:
            bit >>= optional
            self.fields.append(_Field(name, wire, bit if optional else 0))

    def check(self, value: Any) -> None:
        """Refuse other records; this one was checked when it was made."""
        if type(value) is not self.kind:
            raise MessageError(f"must be a {self.kind.__name__}, got {value!r}")

    def check_fields(self, record: Record) -> None:
        """Refuse a record with a field that cannot be sent."""
        name = ""
        try:
            for item in self.fields:
                name = item.name
                value = getattr(record, name)
                if value is not None or not item.presence:
                    item.wire.check(value)
        except MessageError as error:
            raise error.inside(name) from None

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the presence of the optional fields, and the fields."""
        values = [getattr(value, item.name) for item in self.fields]
        presence = 0
        for item, part in zip(self.fields, values, strict=True):
            if part is not None:
                presence |= item.presence
        writer.write(presence, self.n_optional + self.extensible)
        for item, part in zip(self.fields, values, strict=True):
            if part is not None:
                item.wire.encode(part, writer)

    def decode(self, reader: BitReader) -> Any:
        """Take a record; additions of later versions are passed over."""
        name = "its additions"
        try:
            extended = self.extensible and reader.read(1)
            presence = reader.read(self.n_optional)
            # What comes out of a decoder is within its range: no need to check it again.
            record = object.__new__(self.kind)
            for item in self.fields:
                name = item.name
                absent = item.presence and not presence & item.presence
                object.__setattr__(record, name, None if absent else item.wire.decode(reader))
            if extended:
                name = "its additions"
                skip_additions(reader)
        except MessageError as error:
            raise error.inside(name) from None
        return record

    def size_bits(self, value: Any) -> int:
        """Return the length of the fields that are sent, and of their presence."""
        size = self.n_optional + self.extensible
        for item in self.fields:
            part = getattr(value, item.name)
            if part is not None:
                size += item.wire.size_bits(part)
        return size

    def to_plain(self, value: Any) -> Any:
        """Return a dictionary of the fields that are sent."""
        parts = ((item, getattr(value, item.name)) for item in self.fields)
        return {item.name: item.wire.to_plain(part) for item, part in parts if part is not None}

    def from_plain(self, plain: Any) -> Any:
        """Return the record of a dictionary."""
        if not isinstance(plain, Mapping):
            raise MessageError(f"must be an object with fields, got {plain!r}")
        names = [item.name for item in self.fields]
        for name in plain:
            if name not in names:
                close = nearest(str(name), names)
                remedy = f"did you mean {close!r}?" if close else f"known: {', '.join(names)}"
                raise MessageError("unknown field", remedy=remedy).inside(str(name))
        values: dict[str, Any] = {}
        for item in self.fields:
            part = plain.get(item.name)
            if part is None and not item.presence:
                raise MessageError("is missing").inside(item.name)
            try:
                values[item.name] = None if part is None else item.wire.from_plain(part)
            except MessageError as error:
                raise error.inside(item.name) from None
        return self.kind(**values)


_LAYOUTS: dict[type, RecordType] = {}


def layout(kind: type[Record]) -> RecordType:
    """Return how a record looks on the wire."""
    known = _LAYOUTS.get(kind)
    if known is None:
        known = _LAYOUTS[kind] = RecordType(kind)
    return known


def _wire_type(hint: Any) -> tuple[WireType, bool]:
    """Return the type of a field's annotation, and whether the field is optional."""
    optional = False
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        arguments = typing.get_args(hint)
        optional = type(None) in arguments
        (hint,) = (part for part in arguments if part is not type(None))
    if typing.get_origin(hint) is typing.Annotated:
        (wire,) = (part for part in hint.__metadata__ if isinstance(part, WireType))
        return wire, optional
    return layout(hint), optional


class ListOf(WireType):
    """A sequence of records, 1 to `high` of them or `low` to `high` (X.691 20).

    Parameters
    ----------
    kind
        The record, or the type of the elements.
    low, high
        Fewest and most elements.
    """

    def __init__(self, kind: type[Record] | WireType, low: int, high: int) -> None:
        self.item = kind if isinstance(kind, WireType) else layout(kind)
        self.length = Integer(low, high)

    def check(self, value: Any) -> None:
        """Refuse all but tuples of a length within the range."""
        if not isinstance(value, tuple):
            raise MessageError(f"must be a tuple, got {type(value).__name__}")
        low, high = self.length.low, self.length.high
        if not low <= len(value) <= high:
            raise MessageError(f"must have {low} to {high} elements, got {len(value)}")
        for index, part in enumerate(value):
            try:
                self.item.check(part)
            except MessageError as error:
                raise error.inside(f"[{index}]") from None

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the number of elements, and the elements."""
        self.length.encode(len(value), writer)
        for part in value:
            self.item.encode(part, writer)

    def decode(self, reader: BitReader) -> Any:
        """Take a list."""
        parts = []
        for index in range(self.length.decode(reader)):
            try:
                parts.append(self.item.decode(reader))
            except MessageError as error:
                raise error.inside(f"[{index}]") from None
        return tuple(parts)

    def size_bits(self, value: Any) -> int:
        """Return the length of the elements and of their number."""
        return self.length.n_bits + sum(self.item.size_bits(part) for part in value)

    def to_plain(self, value: Any) -> Any:
        """Return a list."""
        return [self.item.to_plain(part) for part in value]

    def from_plain(self, plain: Any) -> Any:
        """Return the elements of a list."""
        if not isinstance(plain, list):
            raise MessageError(f"must be a list, got {plain!r}")
        parts = []
        for index, part in enumerate(plain):
            try:
                parts.append(self.item.from_plain(part))
            except MessageError as error:
                raise error.inside(f"[{index}]") from None
        return tuple(parts)


class Choice(WireType):
    """One of several kinds of value (X.691 23), in JSON ``{name: value}``.

    Parameters
    ----------
    alternatives
        Names and types, in the order of the standard. Python tells them apart by `kinds`.
    kinds
        Class of the value of each alternative.
    extensible
        Whether later versions may add alternatives; a message with one of them is refused.
    """

    def __init__(
        self, alternatives: Mapping[str, WireType], kinds: tuple[type, ...], *, extensible: bool
    ) -> None:
        self.alternatives = alternatives
        self.extensible = extensible
        self._names = list(alternatives)
        self._types = list(alternatives.values())
        self._index = {kind: index for index, kind in enumerate(kinds)}

    @cached_property
    def _number(self) -> Integer:
        return Integer(0, len(self._names) - 1)

    def name_of(self, value: Any) -> str:
        """Return the name of a value's alternative."""
        return self._names[self._index[type(value)]]

    def check(self, value: Any) -> None:
        """Refuse values of other kinds."""
        index = self._index.get(type(value))
        if index is None:
            known = ", ".join(kind.__name__ for kind in self._index)
            raise MessageError(f"must be one of {known}; got {type(value).__name__}")
        self._types[index].check(value)

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the number of the alternative, and its value."""
        index = self._index[type(value)]
        writer.write(index, self._number.n_bits + self.extensible)
        self._types[index].encode(value, writer)

    def decode(self, reader: BitReader) -> Any:
        """Take a value."""
        begin = reader.position
        if self.extensible and reader.read(1):
            number = read_small_number(reader)
            n_octets = skip_open_type(reader)
            raise MessageError(
                f"alternative {number} of a later version ({n_octets} octets); "
                f"known: {', '.join(self._names)}",
                bit=begin,
            )
        index = self._number.decode(reader)
        try:
            return self._types[index].decode(reader)
        except MessageError as error:
            raise error.inside(self._names[index]) from None

    def size_bits(self, value: Any) -> int:
        """Return the length of the value and of its alternative."""
        index = self._index[type(value)]
        return self._number.n_bits + self.extensible + self._types[index].size_bits(value)

    def to_plain(self, value: Any) -> Any:
        """Return the value under the name of its alternative."""
        index = self._index[type(value)]
        return {self._names[index]: self._types[index].to_plain(value)}

    def from_plain(self, plain: Any) -> Any:
        """Return the value of the one name in a dictionary."""
        if not isinstance(plain, Mapping) or len(plain) != 1:
            raise MessageError(f"must be an object with one of {', '.join(self._names)}")
        ((name, part),) = plain.items()
        if name not in self.alternatives:
            close = nearest(str(name), self._names)
            remedy = f"did you mean {close!r}?" if close else f"known: {', '.join(self._names)}"
            raise MessageError("unknown name", remedy=remedy).inside(str(name))
        try:
            return self.alternatives[name].from_plain(part)
        except MessageError as error:
            raise error.inside(str(name)) from None
