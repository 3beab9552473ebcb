"""Values on the wire that are no numbers: names, truths, flags, octets and text."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import IntEnum, IntFlag
from functools import cached_property
from typing import Any

from v2x.errors import nearest
from v2x.messages.coding.uper import (
    BitReader,
    BitWriter,
    MessageError,
    read_length,
    read_small_number,
)
from v2x.messages.coding.wire import Integer, WireType

#: Bits of a bit string of a later version that are looked at; more would be nonsense.
MAX_FLAG_BITS = 64


@dataclass(frozen=True, eq=False)
class Enumerated(WireType):
    """One of several names (X.691 14).

    Parameters
    ----------
    kind
        The names, numbered from 0 without gaps.
    later
        For enumerations that later versions may extend: what their names are read as.
    """

    kind: type[IntEnum]
    _: KW_ONLY
    later: IntEnum | None = None

    @cached_property
    def _number(self) -> Integer:
        return Integer(0, len(self.kind) - 1)

    def check(self, value: Any) -> None:
        """Refuse all but the names."""
        if not isinstance(value, self.kind):
            raise MessageError(f"must be a {self.kind.__name__}, got {value!r}")

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the number of the name."""
        if self.later is not None:
            writer.write(0, 1)
        self._number.encode(int(value), writer)

    def decode(self, reader: BitReader) -> IntEnum:
        """Take a name."""
        if self.later is not None and reader.read(1):
            read_small_number(reader)
            reader.lossy = True
            return self.later
        return self.kind(self._number.decode(reader))

    def size_bits(self, value: Any) -> int:
        """Return the fixed length."""
        return self._number.n_bits + (self.later is not None)

    def to_plain(self, value: Any) -> Any:
        """Return the name in small letters."""
        return value.name.lower()

    def from_plain(self, plain: Any) -> Any:
        """Return the member of that name."""
        return _member(self.kind, plain)


class Boolean(WireType):
    """Whether something is so (X.691 12)."""

    def check(self, value: Any) -> None:
        """Refuse all but truth values."""
        if not isinstance(value, bool):
            raise MessageError(f"must be true or false, got {value!r}")

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the bit."""
        writer.write(value, 1)

    def decode(self, reader: BitReader) -> bool:
        """Take the bit."""
        return reader.read(1) == 1

    def size_bits(self, value: Any) -> int:
        """Return the length, one bit."""
        return 1

    def to_plain(self, value: Any) -> Any:
        """Return the truth value itself."""
        return value

    def from_plain(self, plain: Any) -> Any:
        """Return the truth value itself."""
        return plain


def _member(kind: type[IntEnum] | type[IntFlag], name: Any) -> Any:
    if isinstance(name, str) and name.upper() in kind.__members__:
        return kind[name.upper()]
    names = [member.lower() for member in kind.__members__]
    close = nearest(str(name), names)
    remedy = f"did you mean {close!r}?" if close else f"known: {', '.join(names)}"
    raise MessageError(f"unknown name {name!r}", remedy=remedy)


@dataclass(frozen=True, eq=False)
class Flags(WireType):
    """A bit string of fixed length whose bits have names (X.691 16).

    Parameters
    ----------
    kind
        The names; flag ``1 << i`` is bit `i` of the standard, which travels first if `i` is 0.
    n_bits
        Length of the string.
    extensible
        Whether later versions may send more bits; they are passed over.
    """

    kind: type[IntFlag]
    n_bits: int
    _: KW_ONLY
    extensible: bool = False

    def check(self, value: Any) -> None:
        """Refuse flags of another kind and bits beyond the string."""
        if not isinstance(value, self.kind) or not 0 <= int(value) < 1 << self.n_bits:
            raise MessageError(
                f"must be a {self.kind.__name__} of at most {self.n_bits} bits, got {value!r}"
            )

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the bits, bit 0 first."""
        if self.extensible:
            writer.write(0, 1)
        writer.write(_reversed(int(value), self.n_bits), self.n_bits)

    def decode(self, reader: BitReader) -> IntFlag:
        """Take the bits."""
        n_bits = self.n_bits
        if self.extensible and reader.read(1):
            begin = reader.position
            n_bits = read_length(reader)
            if not self.n_bits <= n_bits <= MAX_FLAG_BITS:
                raise MessageError(
                    f"a bit string of {n_bits} bits where {self.n_bits} or more are due", bit=begin
                )
            reader.lossy = True
        bits = _reversed(reader.read(n_bits), n_bits)
        return self.kind(bits & ((1 << self.n_bits) - 1))

    def size_bits(self, value: Any) -> int:
        """Return the fixed length."""
        return self.n_bits + self.extensible

    def to_plain(self, value: Any) -> Any:
        """Return the names of the flags that are set; nameless ones as ``bit_6``."""
        named = {int(member): str(member.name).lower() for member in self.kind}
        bits = (i for i in range(self.n_bits) if int(value) >> i & 1)
        return [named.get(1 << i, f"bit_{i}") for i in bits]

    def from_plain(self, plain: Any) -> Any:
        """Return the flags of a list of names."""
        if not isinstance(plain, list):
            raise MessageError(f"must be a list of names, got {plain!r}")
        flags = self.kind(0)
        for name in plain:
            word, _, place = str(name).partition("bit_")
            if not word and place.isdecimal() and int(place) < self.n_bits:
                flags |= self.kind(1 << int(place))
            else:
                flags |= _member(self.kind, name)
        return flags


def _reversed(bits: int, n_bits: int) -> int:
    """Return the bits in the opposite order."""
    return int(f"{bits:0{n_bits}b}"[::-1], 2)


@dataclass(frozen=True, eq=False)
class Octets(WireType):
    """An octet string (X.691 17), in JSON as hexadecimal digits.

    Parameters
    ----------
    low, high
        Fewest and most octets; equal for a fixed length.
    """

    low: int
    high: int

    @cached_property
    def _length(self) -> Integer:
        return Integer(self.low, self.high)

    def check(self, value: Any) -> None:
        """Refuse all but bytes of a length within the range."""
        if not isinstance(value, bytes):
            raise MessageError(f"must be bytes, got {value!r}")
        if not self.low <= len(value) <= self.high:
            wanted = f"{self.low}" if self.low == self.high else f"{self.low} to {self.high}"
            raise MessageError(f"must have {wanted} octets, got {len(value)}")

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the length, unless it is fixed, and the octets."""
        self._length.encode(len(value), writer)
        writer.write_bytes(value)

    def decode(self, reader: BitReader) -> bytes:
        """Take octets."""
        return reader.read_bytes(self._length.decode(reader))

    def size_bits(self, value: Any) -> int:
        """Return the length of the string with that of its count."""
        return self._length.n_bits + 8 * len(value)

    def to_plain(self, value: Any) -> Any:
        """Return hexadecimal digits."""
        return value.hex()

    def from_plain(self, plain: Any) -> Any:
        """Return the octets of hexadecimal digits."""
        try:
            return bytes.fromhex(plain)
        except (TypeError, ValueError):
            raise MessageError(f"must be hexadecimal digits, got {plain!r}") from None


class ChineseText(Octets):
    """Text in GB 2312, of which every octet is kept; in JSON as text where it is text."""

    def to_plain(self, value: Any) -> Any:
        """Return the text, or hexadecimal digits after ``0x`` if the octets are none."""
        try:
            text: str = value.decode("gb2312")
        except UnicodeDecodeError:
            return f"0x{value.hex()}"
        faithful = text.encode("gb2312") == value and not text.startswith("0x")
        return text if faithful else f"0x{value.hex()}"

    def from_plain(self, plain: Any) -> Any:
        """Return the octets of a text."""
        if isinstance(plain, str) and plain.startswith("0x"):
            return super().from_plain(plain[2:])
        try:
            return plain.encode("gb2312")
        except (AttributeError, UnicodeEncodeError):
            raise MessageError(f"must be text that GB 2312 has signs for, got {plain!r}") from None


@dataclass(frozen=True, eq=False)
class Ia5Text(WireType):
    """Text of the 128 signs of IA5, seven bits each (X.691 30.5).

    Parameters
    ----------
    low, high
        Fewest and most signs.
    """

    low: int
    high: int

    @cached_property
    def _length(self) -> Integer:
        return Integer(self.low, self.high)

    def check(self, value: Any) -> None:
        """Refuse all but ASCII of a length within the range."""
        if not isinstance(value, str) or not value.isascii():
            raise MessageError(f"must be ASCII text, got {value!r}")
        if not self.low <= len(value) <= self.high:
            raise MessageError(f"must have {self.low} to {self.high} signs, got {len(value)}")

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the length and the signs."""
        self._length.encode(len(value), writer)
        for sign in value.encode("ascii"):
            writer.write(sign, 7)

    def decode(self, reader: BitReader) -> str:
        """Take a text."""
        length = self._length.decode(reader)
        return bytes(reader.read(7) for _ in range(length)).decode("ascii")

    def size_bits(self, value: Any) -> int:
        """Return the length of the text with that of its count."""
        return self._length.n_bits + 7 * len(value)

    def to_plain(self, value: Any) -> Any:
        """Return the text itself."""
        return value

    def from_plain(self, plain: Any) -> Any:
        """Return the text itself."""
        return plain
