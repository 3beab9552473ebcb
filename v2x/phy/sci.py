"""Fields of SCI format 1, the control information of LTE sidelink mode 4.

Only the fields whose coding is more than a plain number (TS 36.212 5.4.3.1.2).
"""

from __future__ import annotations

#: Bits of SCI format 1, before its CRC (TS 36.212 5.4.3.1.2).
SCI_BITS = 32
#: Resource reservation field to interval [ms] (TS 36.213 Table 14.2.1-2); 0 reserves nothing.
RESERVATION_MS: tuple[int, ...] = (0, *range(100, 1001, 100), 50, 20)


def encode_riv(first: int, n: int, n_total: int) -> int:
    """Return the resource indication value of contiguous subchannels (TS 36.213 14.1.1.4C).

    Parameters
    ----------
    first
        First subchannel, from 0.
    n
        Number of subchannels, at least 1.
    n_total
        Subchannels of the pool.

    Examples
    --------
    >>> encode_riv(2, 3, 10)
    22
    """
    if not (n >= 1 and first >= 0 and first + n <= n_total):
        raise ValueError(
            f"subchannels {first} to {first + n - 1} are not within 0 and {n_total - 1}"
        )
    if n - 1 <= n_total // 2:
        return n_total * (n - 1) + first
    return n_total * (n_total - n + 1) + (n_total - 1 - first)


def decode_riv(riv: int, n_total: int) -> tuple[int, int]:
    """Return first subchannel and number of subchannels of a resource indication value.

    Examples
    --------
    >>> decode_riv(38, 10)
    (1, 8)
    """
    if not 0 <= riv < n_allocations(n_total):
        raise ValueError(f"riv must be within 0 and {n_allocations(n_total) - 1}, got {riv}")
    rest, first = divmod(riv, n_total)
    if first + rest + 1 <= n_total:
        return first, rest + 1
    return n_total - 1 - first, n_total - rest + 1


def n_allocations(n_total: int) -> int:
    """Return the number of contiguous allocations in a pool of `n_total` subchannels."""
    if n_total < 1:
        raise ValueError(f"n_total must be at least 1, got {n_total}")
    return n_total * (n_total + 1) // 2


def frequency_location_bits(n_total: int) -> int:
    """Return the bits of the frequency resource location field, ``ceil(log2(N (N + 1) / 2))``.

    Examples
    --------
    >>> [frequency_location_bits(n) for n in (1, 3, 5, 10, 20)]
    [0, 3, 4, 6, 8]
    """
    return (n_allocations(n_total) - 1).bit_length()


def encode_reservation(interval_ms: int) -> int:
    """Return the resource reservation field for an interval [ms]; 0 reserves nothing.

    Examples
    --------
    >>> [encode_reservation(ms) for ms in (0, 100, 1000, 50, 20)]
    [0, 1, 10, 11, 12]
    """
    if interval_ms not in RESERVATION_MS:
        allowed = ", ".join(str(ms) for ms in sorted(RESERVATION_MS))
        raise ValueError(f"reservation interval must be one of {allowed} ms, got {interval_ms}")
    return RESERVATION_MS.index(interval_ms)


def decode_reservation(field: int) -> int:
    """Return the interval [ms] of a resource reservation field, 0 for none."""
    if not 0 <= field < len(RESERVATION_MS):
        raise ValueError(
            f"resource reservation field must be within 0 and {len(RESERVATION_MS) - 1} "
            f"(the rest is reserved), got {field}"
        )
    return RESERVATION_MS[field]
