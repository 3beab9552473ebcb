"""Named random streams.

Each consumer of chance draws from a stream of its own, found by name. A new consumer
therefore never shifts the draws of an old one. Compiled kernels do not draw from a
generator: they hash a 32-bit key from :func:`key32` with slot, transmitter and receiver.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import ArrayLike, NDArray


def _words(key: tuple[str | int, ...]) -> tuple[int, ...]:
    return tuple(k if isinstance(k, int) else zlib.crc32(k.encode()) for k in key)


def stream(seed: int, *key: str | int) -> np.random.Generator:
    """Return the generator for `key`, whatever other streams exist.

    Parameters
    ----------
    seed
        Seed of the run, not negative.
    key
        Name of the stream, for example ``"mobility", "routes"``.

    Examples
    --------
    >>> a = stream(1, "shadowing").random()
    >>> _ = stream(1, "something new").random(100)
    >>> a == stream(1, "shadowing").random()
    True
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=_words(key)))


def key32(seed: int, *key: str | int) -> int:
    """Return the 32-bit key with which a kernel hashes its draws for `key`."""
    return int(np.random.SeedSequence(seed, spawn_key=_words(key)).generate_state(1)[0])


def uniform_by_id(key: int, identity: ArrayLike, counter: ArrayLike) -> NDArray[np.float64]:
    """Return a uniform number in [0, 1) for each identity and counter, drawn by hashing.

    The number of one identity does not depend on which others are asked for.

    Parameters
    ----------
    key
        From :func:`key32`.
    identity, counter : (n,) or scalar, integer
        What the number belongs to, and how many were drawn before.

    Examples
    --------
    >>> bool(uniform_by_id(7, [1, 2], 0)[1] == uniform_by_id(7, 2, 0))
    True
    """
    # Arithmetic modulo 2**64: overflow is meant, but numpy warns of it for scalars.
    with np.errstate(over="ignore"):
        word = np.asarray(identity, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        word = word + np.asarray(counter, dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03)
        word = word ^ (np.uint64(key) << np.uint64(17))
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            word = (word ^ (word >> np.uint64(shift))) * np.uint64(factor)
        word = word ^ (word >> np.uint64(31))
    return np.asarray((word >> np.uint64(11)).astype(np.float64) * 2.0**-53)
