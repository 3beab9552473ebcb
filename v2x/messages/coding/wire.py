"""What the values in a message look like on the wire: ranges, steps and codes.

Messages hold SI units and degrees; the wire holds whole numbers. A type of this module stands in
the annotation of a field, ``speed_mps: Annotated[Quantity, Scaled(...)]``, and does all that is
done with the field: check, encode, decode, size in bits, and plain values for JSON.

Rounding: a quantity becomes the nearest whole number of its unit on the wire; exactly halfway it
becomes the even one. What is then out of range is refused, never clamped: a sender that means
"that much or more" says so by giving the last value.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from v2x.messages.coding.uper import BitReader, BitWriter, MessageError, bits_for


class Code(Enum):
    """What a field says instead of a number."""

    UNAVAILABLE = "unavailable"
    STRAIGHT = "straight"
    BEYOND = "beyond"

    def __repr__(self) -> str:
        return self.name


UNAVAILABLE, STRAIGHT, BEYOND = Code.UNAVAILABLE, Code.STRAIGHT, Code.BEYOND
#: A number in the unit of its field, or what is said instead.
Quantity = float | Code


class WireType(ABC):
    """How one kind of value is checked, encoded and decoded."""

    @abstractmethod
    def check(self, value: Any) -> None:
        """Refuse a value that cannot be sent."""

    @abstractmethod
    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append a checked value."""

    @abstractmethod
    def decode(self, reader: BitReader) -> Any:
        """Take a value."""

    @abstractmethod
    def size_bits(self, value: Any) -> int:
        """Return the length of a checked value without encoding it."""

    @abstractmethod
    def to_plain(self, value: Any) -> Any:
        """Return a checked value as JSON knows it."""

    @abstractmethod
    def from_plain(self, plain: Any) -> Any:
        """Return the value of something read from JSON; it is not checked yet."""


def _is_finite_number(value: Any) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


@dataclass(frozen=True, eq=False)
class Integer(WireType):
    """A whole number without unit (X.691 11.5.6).

    Parameters
    ----------
    low, high
        Range, both included.
    """

    low: int
    high: int

    @cached_property
    def n_bits(self) -> int:
        """Length of every value."""
        return bits_for(self.high - self.low + 1)

    def check(self, value: Any) -> None:
        """Refuse all but whole numbers within the range."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise MessageError(f"must be a whole number, got {value!r}")
        if not self.low <= value <= self.high:
            raise MessageError(f"must be within {self.low} and {self.high}, got {value}")

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the number counted from `low`."""
        writer.write(value - self.low, self.n_bits)

    def decode(self, reader: BitReader) -> int:
        """Take a number."""
        begin = reader.position
        value = reader.read(self.n_bits) + self.low
        if value > self.high:
            raise MessageError(f"{value} is more than {self.high}", bit=begin)
        return value

    def size_bits(self, value: Any) -> int:
        """Return the fixed length."""
        return self.n_bits

    def to_plain(self, value: Any) -> Any:
        """Return the number itself."""
        return value

    def from_plain(self, plain: Any) -> Any:
        """Return the number itself."""
        return plain


@dataclass(frozen=True, eq=False)
class Scaled(WireType):
    """A quantity in whole steps of a unit on the wire.

    Parameters
    ----------
    low, high
        Range of the whole number on the wire, codes included.
    step
        Value of one step in the unit of the field, as numerator and denominator.
    codes
        Numbers on the wire that are no quantity.
    unknown_from
        This number and all above it are read as "unavailable".
    """

    low: int
    high: int
    step: tuple[int, int]
    _: KW_ONLY
    codes: Mapping[int, Code] = field(default_factory=dict)
    unknown_from: int | None = None

    @cached_property
    def _number(self) -> Integer:
        return Integer(self.low, self.high)

    @cached_property
    def _wire_of(self) -> Mapping[Code, int]:
        return {code: wire for wire, code in self.codes.items()}

    @cached_property
    def _wire_limits(self) -> tuple[int, int]:
        low = self.low + (self.low in self.codes)
        high = self.high if self.unknown_from is None else self.unknown_from - 1
        while high in self.codes:
            high -= 1
        return low, high

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest quantity that can be sent, in the unit of the field."""
        low, high = self._wire_limits
        return self._value(low), self._value(high)

    def _value(self, wire: int) -> float:
        numerator, denominator = self.step
        return wire if numerator == denominator else wire * numerator / denominator

    def _wire(self, value: Any) -> int:
        if isinstance(value, Code):
            return self._wire_of[value]
        numerator, denominator = self.step
        steps: float = value * denominator / numerator
        return round(steps)

    def check(self, value: Any) -> None:
        """Refuse codes the field does not have and quantities beyond its limits."""
        if isinstance(value, Code):
            if value not in self._wire_of:
                raise MessageError(f"cannot be {value.value!r}")
            return
        if not _is_finite_number(value):
            names = "".join(f" or {code.value!r}" for code in self._wire_of)
            raise MessageError(f"must be a finite number{names}, got {value!r}")
        lowest, highest = self._wire_limits
        if not lowest <= self._wire(value) <= highest:
            low, high = self.limits
            raise MessageError(f"must be within {low:.10g} and {high:.10g}, got {value:.12g}")

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the nearest whole number of steps."""
        self._number.encode(self._wire(value), writer)

    def decode(self, reader: BitReader) -> Quantity:
        """Take a quantity or a code."""
        wire = self._number.decode(reader)
        code = self.codes.get(wire)
        if code is not None:
            return code
        if self.unknown_from is not None and wire >= self.unknown_from:
            reader.lossy = True
            return UNAVAILABLE
        return self._value(wire)

    def size_bits(self, value: Any) -> int:
        """Return the fixed length."""
        return self._number.n_bits

    def to_plain(self, value: Any) -> Any:
        """Return the quantity, or the word of its code."""
        return value.value if isinstance(value, Code) else value

    def from_plain(self, plain: Any) -> Any:
        """Return the quantity, or the code of a word."""
        return _code(plain)


def _code(plain: Any) -> Any:
    """Return the code of a word, and anything else as it is."""
    if isinstance(plain, str):
        for code in Code:
            if plain == code.value:
                return code
    return plain


@dataclass(frozen=True, eq=False)
class Steps(WireType):
    """A figure out of a list: accuracies, which the standard enumerates from coarse to fine.

    Parameters
    ----------
    values
        The figures in the unit of the field; the first is a code.
    """

    values: Sequence[Quantity]

    @cached_property
    def _index(self) -> Mapping[Quantity, int]:
        return {value: index for index, value in enumerate(self.values)}

    @cached_property
    def _number(self) -> Integer:
        return Integer(0, len(self.values) - 1)

    def coarser(self, value: float) -> Quantity:
        """Return the finest figure of the list that does not promise more than `value`.

        Examples
        --------
        >>> Steps((UNAVAILABLE, 2.0, 1.0, 0.5)).coarser(0.8)
        1.0
        """
        kept = [step for step in self.values if not isinstance(step, Code) and step >= value]
        return min(kept, default=UNAVAILABLE)

    def check(self, value: Any) -> None:
        """Refuse figures that are not in the list."""
        if isinstance(value, (Code, float, int)) and value in self._index:
            return
        known = ", ".join(
            f"{step:g}" if not isinstance(step, Code) else step.value for step in self.values
        )
        raise MessageError(f"must be one of {known}; got {value!r}")

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the place in the list."""
        self._number.encode(self._index[value], writer)

    def decode(self, reader: BitReader) -> Quantity:
        """Take a figure."""
        return self.values[self._number.decode(reader)]

    def size_bits(self, value: Any) -> int:
        """Return the fixed length."""
        return self._number.n_bits

    def to_plain(self, value: Any) -> Any:
        """Return the figure, or the word of its code."""
        return value.value if isinstance(value, Code) else value

    def from_plain(self, plain: Any) -> Any:
        """Return the figure, or the code of a word."""
        return _code(plain)
