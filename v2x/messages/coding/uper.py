"""Bits of unaligned packed encoding rules (UPER, ITU-T X.691), both ways and nothing else.

What a message is made of lives in :mod:`v2x.messages.coding.wire`; here are the bits themselves,
the length determinants, open types and the one error that names the field and the bit.
"""

from __future__ import annotations

from v2x.errors import V2XError

#: Octets that one length determinant of ours may announce; longer ones travel in fragments
#: (X.691 11.9.3.8), which are neither read nor written.
MAX_OPEN_TYPE_BYTES = 16_383
#: Additions that a sequence of a later version may announce; X.691 allows 64 in the short form.
MAX_ADDITIONS = 64
#: Bits that are gathered before they become octets.
_FLUSH_BITS = 512


class MessageError(V2XError, ValueError):
    """A message that cannot be: its field, and when decoding the bit where it went wrong.

    Parameters
    ----------
    message
        What is wrong, with the offending value.
    bit
        Position in the encoding, counted from 0; None for messages that are not encoded.
    remedy
        What the user can do about it.
    """

    def __init__(self, message: str, *, bit: int | None = None, remedy: str | None = None) -> None:
        self.bit = bit
        place = message if bit is None else f"bit {bit}: {message}"
        super().__init__(place, remedy=remedy)

    def inside(self, name: str) -> MessageError:
        """Return the same error, its field being part of `name`."""
        joint = "" if not self.key or self.key.startswith("[") else "."
        self.key = f"{name}{joint}{self.key or ''}"
        return self


class BitWriter:
    """Gathers bits, the most significant first.

    Examples
    --------
    >>> writer = BitWriter()
    >>> writer.write(5, 3)
    >>> writer.to_bytes().hex(), writer.n_bits
    ('a0', 3)
    """

    __slots__ = ("_bits", "_held", "_octets")

    def __init__(self) -> None:
        self._octets = bytearray()
        self._bits = 0
        self._held = 0

    @property
    def n_bits(self) -> int:
        """Number of bits written."""
        return 8 * len(self._octets) + self._held

    def write(self, value: int, n_bits: int) -> None:
        """Append `value`, which must be within 0 and ``2**n_bits - 1``."""
        self._bits = self._bits << n_bits | value
        self._held += n_bits
        if self._held >= _FLUSH_BITS:
            rest = self._held % 8
            self._octets += (self._bits >> rest).to_bytes(self._held // 8, "big")
            self._bits &= (1 << rest) - 1
            self._held = rest

    def write_bytes(self, octets: bytes) -> None:
        """Append whole octets, at whatever bit they begin."""
        if octets:
            self.write(int.from_bytes(octets, "big"), 8 * len(octets))

    def to_bytes(self) -> bytes:
        """Return the encoding, filled up with zero bits to whole octets (X.691 11.1.3)."""
        padding = -self._held % 8
        tail = (self._bits << padding).to_bytes((self._held + padding) // 8, "big")
        return bytes(self._octets) + tail


class BitReader:
    r"""Takes bits off an encoding and never reads past its end.

    Attributes
    ----------
    position : int
        Bits taken so far.
    lossy : bool
        Whether something was read that the message does not keep: additions of a later version,
        or reserved codes and bits.

    Examples
    --------
    >>> BitReader(b"\xa0").read(3)
    5
    """

    __slots__ = ("_octets", "lossy", "n_bits", "position")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.n_bits = 8 * len(octets)
        self.position = 0
        self.lossy = False

    def read(self, n_bits: int) -> int:
        """Take the next `n_bits` as an unsigned number."""
        begin = self.position
        end = begin + n_bits
        if end > self.n_bits:
            raise MessageError(
                f"the message ends after {self.n_bits} bits, {n_bits} more were expected", bit=begin
            )
        self.position = end
        last = (end + 7) >> 3
        piece = int.from_bytes(self._octets[begin >> 3 : last], "big")
        return piece >> ((last << 3) - end) & ((1 << n_bits) - 1)

    def read_bytes(self, n_octets: int) -> bytes:
        """Take whole octets, at whatever bit they begin."""
        return self.read(8 * n_octets).to_bytes(n_octets, "big")

    def within(self, n_octets: int) -> BitReader:
        """Return a reader of the next octets alone, and pass over them.

        It counts the bits as this one does, so that errors name the place in the whole.

        Examples
        --------
        >>> reader = BitReader(bytes([0xA0, 0xF0]))
        >>> inner = reader.within(1)
        >>> reader.read(4), inner.read(3), inner.position
        (15, 5, 3)
        """
        inner = BitReader(self._octets)
        inner.position = self.position
        self.read(8 * n_octets)
        inner.n_bits = self.position
        return inner

    def finish(self) -> None:
        """Require that nothing but the padding of the last octet is left."""
        begin, left = self.position, self.n_bits - self.position
        if left >= 8:
            raise MessageError(f"{left // 8} octets follow the message", bit=begin)
        if self.read(left):
            raise MessageError("the padding after the message is not zero", bit=begin)


def bits_for(n_values: int) -> int:
    """Return the bits of a whole number out of `n_values` (X.691 11.5.7.1).

    Examples
    --------
    >>> [bits_for(n) for n in (1, 2, 3, 64, 65)]
    [0, 1, 2, 6, 7]
    """
    return (n_values - 1).bit_length()


def read_length(reader: BitReader) -> int:
    """Take a general length determinant (X.691 11.9.3.5 to 11.9.3.8)."""
    begin = reader.position
    if not reader.read(1):
        return reader.read(7)
    if reader.read(1):
        raise MessageError(
            f"a length in fragments; at most {MAX_OPEN_TYPE_BYTES} are read", bit=begin
        )
    length = reader.read(14)
    if length < 128:
        raise MessageError(f"length {length} is not in its shortest form", bit=begin)
    return length


def write_length(writer: BitWriter, length: int) -> None:
    """Append a general length determinant in its shortest form (X.691 11.9.3.5 to 11.9.3.7).

    Examples
    --------
    >>> writer = BitWriter()
    >>> write_length(writer, 42)
    >>> write_length(writer, 300)
    >>> writer.to_bytes().hex()
    '2a812c'
    """
    if length > MAX_OPEN_TYPE_BYTES:
        raise MessageError(f"at most {MAX_OPEN_TYPE_BYTES} octets can be sent, got {length}")
    if length < 128:
        writer.write(length, 8)
    else:
        writer.write(0b10, 2)
        writer.write(length, 14)


def length_bits(length: int) -> int:
    """Return the bits of a length determinant.

    Examples
    --------
    >>> [length_bits(length) for length in (0, 127, 128)]
    [8, 8, 16]
    """
    return 8 if length < 128 else 16


def read_small_number(reader: BitReader) -> int:
    """Take a normally small non-negative whole number (X.691 11.6)."""
    begin = reader.position
    if not reader.read(1):
        return reader.read(6)
    n_octets = read_length(reader)
    if not 1 <= n_octets <= 2:
        raise MessageError(f"a number of {n_octets} octets where a small one is due", bit=begin)
    number = reader.read(8 * n_octets)
    if number < 64 or (n_octets == 2 and number < 256):
        raise MessageError(f"number {number} is not in its shortest form", bit=begin)
    return number


def skip_open_type(reader: BitReader) -> int:
    """Pass over an open type (X.691 11.2) and return its length [octet]."""
    n_octets = read_length(reader)
    reader.read(8 * n_octets)
    reader.lossy = True
    return n_octets


def skip_additions(reader: BitReader) -> None:
    """Pass over the extension additions of a sequence (X.691 19.7 to 19.9)."""
    begin = reader.position
    if reader.read(1):
        raise MessageError(f"more than {MAX_ADDITIONS} additions to a sequence", bit=begin)
    present = reader.read(reader.read(6) + 1)
    if not present:
        raise MessageError("an extended sequence without any addition", bit=begin)
    for _ in range(present.bit_count()):
        skip_open_type(reader)
