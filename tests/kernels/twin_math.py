"""Building blocks of the kernels in double precision and plain integers.

Chance in the kernels is a hash, so the twins must compute the same bits of it; everything
that follows from the bits is computed here in double precision.
"""

from __future__ import annotations

import math

MASK = 0xFFFFFFFF
GOLDEN = 0x9E3779B9
#: Steps of the uniform numbers; each lies in the middle of its step.
UNIFORM_STEPS = 1 << 23


def mix(h: int) -> int:
    """Return the 32-bit word `h` with its bits stirred; different words stay different."""
    h ^= h >> 16
    h = h * 0x7FEB352D & MASK
    h ^= h >> 15
    h = h * 0x846CA68B & MASK
    return h ^ h >> 16


def hashed(key: int, *words: int) -> int:
    """Return the hash of `words` under `key`, taken one after another."""
    for word in words:
        key = mix((key ^ (word * 0x9E3779B1 + 0x7F4A7C15)) & MASK)
    return key


def uniform(h: int) -> float:
    """Return the number in (0, 1) that the upper 23 bits of `h` stand for; exact in float32."""
    return ((h >> 9) + 0.5) / UNIFORM_STEPS


def normal_pair(h1: int, h2: int) -> tuple[float, float]:
    """Return the two normal numbers of Box and Muller for the uniform numbers of two words."""
    radius = math.sqrt(-2.0 * math.log(uniform(h1)))
    angle = 2.0 * math.pi * (uniform(h2) - 0.5)
    return radius * math.cos(angle), radius * math.sin(angle)


def second(h: int) -> int:
    """Return the word from which a kernel takes its second draw for one event."""
    return mix(h + GOLDEN & MASK)
