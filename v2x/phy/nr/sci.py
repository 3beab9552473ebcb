"""Fields of the sidelink control information of NR: SCI format 1-A, and the sizes of format 2."""

from __future__ import annotations

#: Slots within which one SCI reserves, its own included (TS 38.214 8.1.5).
RESERVATION_WINDOW_SLOTS = 32
#: Check bits of either stage (TS 38.212 8.3.2, 8.4.2).
SCI_CRC_BITS = 24
#: Bits of SCI format 2-A (broadcast, unicast, groupcast with ACK and NACK) and of 2-B (groupcast
#: with NACK only, with zone and range), before their CRC (TS 38.212 8.4.1).
SCI2A_BITS, SCI2B_BITS = 35, 48
#: Most entries of sl-ResourceReservePeriodList (TS 38.331).
MAX_PERIODS = 16


def encode_triv(first_gap: int = 0, second_gap: int = 0) -> int:
    """Return the time resource indication value (TS 38.214 8.1.5).

    Parameters
    ----------
    first_gap, second_gap
        Slots from the SCI to the first and second further resource, ascending; 0 for none.

    Examples
    --------
    >>> encode_triv(), encode_triv(7), encode_triv(3, 10), encode_triv(2, 28)
    (0, 7, 214, 210)
    """
    if first_gap == second_gap == 0:
        return 0
    if second_gap == 0:
        if not 1 <= first_gap <= 31:
            raise ValueError(f"gap must be within 1 and 31 slots, got {first_gap}")
        return first_gap
    if not 1 <= first_gap < second_gap <= 31:
        raise ValueError(
            f"gaps must ascend within 1 and 31 slots, got {first_gap} and {second_gap}"
        )
    between = second_gap - first_gap - 1
    if between <= 15:
        return 30 * between + first_gap + 31
    return 30 * (31 - second_gap + first_gap) + 62 - first_gap


def decode_triv(triv: int) -> tuple[int, int]:
    """Return both gaps behind a time resource indication value, 0 for none.

    Examples
    --------
    >>> [decode_triv(v) for v in (0, 7, 214, 210)]
    [(0, 0), (7, 0), (3, 10), (2, 28)]
    """
    if 0 <= triv <= 31:
        return triv, 0
    if not 32 <= triv <= 496:
        raise ValueError(f"triv must be within 0 and 496, got {triv}")
    high, low = divmod(triv - 32, 30)
    if low + high + 2 <= 31:
        return low + 1, low + high + 2
    # The other half is folded over: `low` is 30 - t1, and `high` is 31 - t2 + t1.
    return 30 - low, 61 - low - high


def encode_friv(n: int, n_total: int, second: int, third: int | None = None) -> int:
    """Return the frequency resource indication value (TS 38.214 8.1.5).

    Parameters
    ----------
    n
        Subchannels of each resource.
    n_total
        Subchannels of the pool.
    second, third
        First subchannel of the second resource, and of the third where an SCI may reserve three;
        that of the first is where the PSCCH stands.

    Examples
    --------
    >>> encode_friv(1, 5, 3), encode_friv(2, 5, 3), encode_friv(2, 5, 1, 2)
    (3, 8, 34)
    """
    starts = (second,) if third is None else (second, third)
    if not 1 <= n <= n_total or not all(0 <= first <= n_total - n for first in starts):
        raise ValueError(f"{n} subchannels from {starts} are not within 0 and {n_total - 1}")
    offset = sum(_places(n_total + 1 - width, len(starts)) for width in range(1, n))
    if third is None:
        return second + offset
    return second + third * (n_total + 1 - n) + offset


def decode_friv(friv: int, n_total: int, max_reserve: int) -> tuple[int, int, int | None]:
    """Return width, first subchannel of the second and of the third resource.

    Parameters
    ----------
    friv
        The value.
    n_total
        Subchannels of the pool.
    max_reserve
        Resources that an SCI of the pool may reserve, 2 or 3.

    Examples
    --------
    >>> decode_friv(34, 5, 3)
    (2, 1, 2)
    """
    if friv < 0 or max_reserve not in (2, 3):
        raise ValueError(f"friv must be >= 0 and max_reserve 2 or 3, got {friv}, {max_reserve}")
    rest = friv
    for n in range(1, n_total + 1):
        positions = n_total + 1 - n
        here = _places(positions, max_reserve - 1)
        if rest < here:
            if max_reserve == 2:
                return n, rest, None
            return n, rest % positions, rest // positions
        rest -= here
    raise ValueError(f"friv {friv} is too large for {n_total} subchannels")


def frequency_assignment_bits(n_total: int, max_reserve: int) -> int:
    """Return the bits of the frequency assignment (TS 38.212 8.3.1.1).

    Examples
    --------
    >>> [frequency_assignment_bits(5, 2), frequency_assignment_bits(5, 3)]
    [4, 6]
    """
    return (sum(_places(n, max_reserve - 1) for n in range(1, n_total + 1)) - 1).bit_length()


def _places(positions: int, n_resources: int) -> int:
    """Return in how many ways further resources can stand at `positions` subchannels."""
    return positions if n_resources == 1 else positions * positions


def sci1_bits(
    n_total: int,
    *,
    max_reserve: int,
    n_periods: int,
    n_dmrs_patterns: int = 3,
    n_extra_mcs_tables: int = 0,
    psfch_overhead: bool = False,
    reserved_bits: int = 2,
) -> int:
    """Return the bits of SCI format 1-A without its CRC (TS 38.212 8.3.1.1).

    Parameters
    ----------
    n_total
        Subchannels of the pool.
    max_reserve
        Resources that an SCI may reserve, sl-MaxNumPerReserve: 2 or 3.
    n_periods
        Entries of the pool's list of reservation periods; with none the field is absent.
    n_dmrs_patterns
        DMRS patterns of the pool.
    n_extra_mcs_tables
        MCS tables beside the default one, 0 to 2.
    psfch_overhead
        Whether the pool has a PSFCH every two or four slots, so that its overhead is indicated.
    reserved_bits
        sl-NumReservedBits, 2 to 4.

    Examples
    --------
    >>> sci1_bits(5, max_reserve=3, n_periods=1)
    32
    """
    if max_reserve not in (2, 3):
        raise ValueError(f"max_reserve must be 2 or 3, got {max_reserve}")
    if not 0 <= n_periods <= MAX_PERIODS:
        raise ValueError(f"n_periods must be within 0 and {MAX_PERIODS}, got {n_periods}")
    priority, sci2_format, beta, ports, mcs = 3, 2, 2, 1, 5
    time = 5 if max_reserve == 2 else 9
    period = (n_periods - 1).bit_length() if n_periods else 0
    dmrs = (n_dmrs_patterns - 1).bit_length()
    return (
        priority
        + frequency_assignment_bits(n_total, max_reserve)
        + time
        + period
        + dmrs
        + sci2_format
        + beta
        + ports
        + mcs
        + n_extra_mcs_tables
        + psfch_overhead
        + reserved_bits
    )


def sci2c_bits(n_subchannels: int, n_periods: int, slots_per_ms: int) -> int:
    """Return the bits of SCI format 2-C without its CRC, that of a set (TS 38.212 8.4.1.3).

    The fields it shares with 2-A, an indicator of what it is, two combinations with a time and
    frequency resource indication value and a period each, the place of the second, a reference
    slot, the type of the set and the lowest subchannels. Recalled, medium confidence; a request
    is shorter and padded.

    Examples
    --------
    >>> sci2c_bits(5, 1, 2)
    94
    """
    shared = 4 + 1 + 2 + 8 + 16 + 1 + 1 + 1
    n = n_subchannels
    frequency = (n * (n + 1) * (2 * n + 1) // 6 - 1).bit_length()
    period = max(n_periods - 1, 0).bit_length()
    reference = 10 + (10 * slots_per_ms - 1).bit_length()
    return shared + 2 * (frequency + 9 + period) + 8 + reference + 1 + 2 * (n - 1).bit_length()
