"""What the ETSI modules need beside :mod:`v2x.messages.coding`: open ranges, open types, gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from v2x.messages.coding.uper import (
    MAX_OPEN_TYPE_BYTES,
    BitReader,
    BitWriter,
    MessageError,
    bits_for,
    read_length,
)
from v2x.messages.coding.wire import WireType


@dataclass(frozen=True, eq=False)
class Wrapped(WireType):
    """A type that looks like another one from outside; to be inherited.

    Parameters
    ----------
    inner
        The type of the value.
    """

    inner: WireType

    def check(self, value: Any) -> None:
        """Refuse what the inner type refuses."""
        self.inner.check(value)

    def to_plain(self, value: Any) -> Any:
        """Return what the inner type makes of it."""
        return self.inner.to_plain(value)

    def from_plain(self, plain: Any) -> Any:
        """Return what the inner type makes of it."""
        return self.inner.from_plain(plain)


class Extensible(Wrapped):
    """A range or a length that later versions may widen (X.691 13.1, 20.4): one bit in front."""

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append that the value is within the range, and the value."""
        writer.write(0, 1)
        self.inner.encode(value, writer)

    def decode(self, reader: BitReader) -> Any:
        """Take a value of the range."""
        begin = reader.position
        if reader.read(1):
            raise MessageError("beyond the range of this version", bit=begin)
        return self.inner.decode(reader)

    def size_bits(self, value: Any) -> int:
        """Return the length of the value and of the bit in front."""
        return 1 + self.inner.size_bits(value)


@dataclass(frozen=True, eq=False)
class Alternative(Wrapped):
    """The one alternative of an extensible choice (X.691 23) that is modelled.

    Parameters
    ----------
    inner
        Its type.
    index, n_alternatives
        Which one it is, and how many the choice has.
    """

    index: int
    n_alternatives: int

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the number of the alternative, and its value."""
        writer.write(self.index, 1 + bits_for(self.n_alternatives))
        self.inner.encode(value, writer)

    def decode(self, reader: BitReader) -> Any:
        """Take a value."""
        begin = reader.position
        index = reader.read(1 + bits_for(self.n_alternatives))
        if index != self.index:
            raise MessageError(f"alternative {index} is not modelled", bit=begin)
        return self.inner.decode(reader)

    def size_bits(self, value: Any) -> int:
        """Return the length of the value and of its alternative."""
        return 1 + bits_for(self.n_alternatives) + self.inner.size_bits(value)


class OpenType(Wrapped):
    """A value in whole octets behind their number (X.691 11.2)."""

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the number of octets, and the octets."""
        content = BitWriter()
        self.inner.encode(value, content)
        octets = content.to_bytes()
        long = len(octets) >= 128
        writer.write(len(octets) | long << 15, 16 if long else 8)
        writer.write_bytes(octets)

    def decode(self, reader: BitReader) -> Any:
        """Take a value."""
        content = BitReader(reader.read_bytes(read_length(reader)))
        value = self.inner.decode(content)
        content.finish()
        reader.lossy |= content.lossy
        return value

    def size_bits(self, value: Any) -> int:
        """Return the length of the octets and of their number."""
        n_octets = max(-(-self.inner.size_bits(value) // 8), 1)
        if n_octets > MAX_OPEN_TYPE_BYTES:
            raise MessageError(f"{n_octets} octets are more than {MAX_OPEN_TYPE_BYTES}")
        return (16 if n_octets >= 128 else 8) + 8 * n_octets


class NotModelled(WireType):
    """An optional field of the standard that nobody here sends; only its presence bit is there."""

    def check(self, value: Any) -> None:
        """Refuse every value."""
        raise MessageError("is not modelled, leave it out")

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Refuse every value."""
        self.check(value)

    def decode(self, reader: BitReader) -> Any:
        """Refuse the field."""
        raise MessageError("is not modelled", bit=reader.position)

    def size_bits(self, value: Any) -> int:
        """Refuse every value."""
        self.check(value)
        return 0

    def to_plain(self, value: Any) -> Any:
        """Refuse every value."""
        self.check(value)

    def from_plain(self, plain: Any) -> Any:
        """Refuse every value."""
        self.check(plain)
