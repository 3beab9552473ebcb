"""How many bits fit into how many resource blocks of LTE sidelink.

Tables of TS 36.213 (the transport block sizes are read once from ``data/lte_tbs.csv``) and the
rule of TS 36.213 14.1.1 that PSSCH allocations are products of 2, 3 and 5, for their DFT.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

#: Highest MCS of Table 8.6.1-1 that carries a transport block size; 29-31 are retransmissions.
MAX_MCS = 28
#: Highest modulation order of the Rel-14 sidelink: 16QAM (TS 36.213 14.1.1).
MAX_MODULATION_ORDER = 4
#: Resource blocks of the PSCCH (TS 36.211 9.4).
PSCCH_RB = 2
#: Data symbols of a subframe: 14 without 4 of reference signals and the guard (TS 36.211 9.8).
DATA_SYMBOLS = 9
#: Check bits of a transport block (TS 36.212 5.1.1).
CRC_BITS = 24
_SUBCARRIERS_PER_RB = 12


@dataclass(frozen=True, slots=True)
class Mcs:
    """One row of TS 36.213 Table 8.6.1-1, as the Rel-14 sidelink uses it.

    Attributes
    ----------
    modulation_order
        Bits of a symbol: 2 (QPSK) or 4 (16QAM, also where the table has 64QAM).
    tbs_index
        Row of the transport block size table, I_TBS.
    """

    modulation_order: int
    tbs_index: int


def mcs_row(mcs: int) -> Mcs:
    """Return modulation and transport block size index of a modulation and coding scheme.

    Parameters
    ----------
    mcs
        I_MCS, 0 to 28.

    Examples
    --------
    >>> mcs_row(11)
    Mcs(modulation_order=4, tbs_index=10)
    """
    if not 0 <= mcs <= MAX_MCS:
        raise ValueError(f"mcs must be within 0 and {MAX_MCS}, got {mcs}")
    if mcs <= 10:
        return Mcs(2, mcs)
    if mcs <= 20:
        return Mcs(4, mcs - 1)
    return Mcs(MAX_MODULATION_ORDER, mcs - 2)


@cache
def transport_block_table() -> NDArray[np.int32]:
    """Return the transport block sizes [bit], row I_TBS 0-26, column N_PRB - 1 (0-109)."""
    text = (files("v2x.phy") / "data" / "lte_tbs.csv").read_text(encoding="utf-8")
    table = np.loadtxt(text.splitlines(), delimiter=",", dtype=np.int32)
    table.flags.writeable = False
    return table


def transport_block_bits(tbs_index: int, n_rb: int) -> int:
    """Return the transport block size [bit] of `n_rb` resource blocks.

    Examples
    --------
    >>> transport_block_bits(9, 10)
    1544
    """
    table = transport_block_table()
    if not (0 <= tbs_index < table.shape[0] and 1 <= n_rb <= table.shape[1]):
        raise ValueError(
            f"tbs_index must be within 0 and {table.shape[0] - 1} and n_rb within 1 and "
            f"{table.shape[1]}, got {tbs_index} and {n_rb}"
        )
    return int(table[tbs_index, n_rb - 1])


def largest_dft_allocation(n_rb: int) -> int:
    """Return the largest product of powers of 2, 3 and 5 that is at most `n_rb`.

    Examples
    --------
    >>> largest_dft_allocation(23)
    20
    """
    if n_rb < 1:
        raise ValueError(f"n_rb must be at least 1, got {n_rb}")
    return next(n for n in range(n_rb, 0, -1) if _is_dft_size(n))


def pssch_rb(n_subchannels: int, subchannel_rb: int, adjacent: bool) -> int:
    """Return the resource blocks of the PSSCH on contiguous subchannels.

    Parameters
    ----------
    n_subchannels
        Subchannels of the transmission.
    subchannel_rb
        Resource blocks of a subchannel.
    adjacent
        Whether the PSCCH takes the lowest two resource blocks of the first subchannel; otherwise
        it has a pool of its own.

    Returns
    -------
    int
        Largest allocation that the DFT admits.

    Examples
    --------
    >>> pssch_rb(2, 10, adjacent=True), pssch_rb(2, 10, adjacent=False)
    (18, 20)
    """
    control_rb = PSCCH_RB if adjacent else 0
    return largest_dft_allocation(n_subchannels * subchannel_rb - control_rb)


def smallest_allocation(size_bytes: int, mcs: int, max_rb: int) -> int:
    """Return the fewest resource blocks, valid for the DFT, that carry a packet.

    Parameters
    ----------
    size_bytes
        Packet as handed to the transport channel [byte]; nothing is added to it.
    mcs
        I_MCS.
    max_rb
        Resource blocks there are.

    Examples
    --------
    >>> smallest_allocation(190, 9, 50)
    10
    """
    row = mcs_row(mcs)
    for n_rb in range(1, max_rb + 1):
        if _is_dft_size(n_rb) and transport_block_bits(row.tbs_index, n_rb) >= 8 * size_bytes:
            return n_rb
    raise ValueError(_too_long(size_bytes, mcs, f"{max_rb} resource blocks"))


def subchannels_needed(
    size_bytes: int, mcs: int, subchannel_rb: int, adjacent: bool, max_subchannels: int
) -> int:
    """Return the fewest subchannels that carry a packet.

    Parameters
    ----------
    size_bytes
        Packet as handed to the transport channel [byte]; nothing is added to it.
    mcs
        I_MCS.
    subchannel_rb
        Resource blocks of a subchannel.
    adjacent
        Whether the PSCCH shares the subchannel, see :func:`pssch_rb`.
    max_subchannels
        Subchannels of the pool.

    Raises
    ------
    ValueError
        If the packet does not fit the pool, with what would help.

    Examples
    --------
    >>> subchannels_needed(300, 7, 10, adjacent=True, max_subchannels=5)
    3
    """
    row = mcs_row(mcs)
    for n_subchannels in range(1, max_subchannels + 1):
        n_rb = pssch_rb(n_subchannels, subchannel_rb, adjacent)
        if transport_block_bits(row.tbs_index, n_rb) >= 8 * size_bytes:
            return n_subchannels
    pool = f"{max_subchannels} subchannels of {subchannel_rb} resource blocks"
    raise ValueError(_too_long(size_bytes, mcs, pool))


def code_rate(
    block_bits: int, n_rb: int, modulation_order: int, n_data_symbols: int = DATA_SYMBOLS
) -> float:
    """Return the code rate of a transport block with its CRC.

    Parameters
    ----------
    block_bits
        Transport block size [bit].
    n_rb
        Resource blocks of the PSSCH.
    modulation_order
        Bits of a symbol.
    n_data_symbols
        SC-FDMA symbols that carry data: 9, or 8 if the first is lost to gain control.

    Examples
    --------
    >>> round(code_rate(1544, 10, 2), 3)
    0.726
    """
    coded_bits = n_rb * _SUBCARRIERS_PER_RB * n_data_symbols * modulation_order
    return (block_bits + CRC_BITS) / coded_bits


def _is_dft_size(n_rb: int) -> bool:
    for prime in (2, 3, 5):
        while n_rb % prime == 0:
            n_rb //= prime
    return n_rb == 1


def _too_long(size_bytes: int, mcs: int, room: str) -> str:
    return (
        f"{size_bytes} bytes do not fit into {room} at mcs {mcs}: "
        "raise the mcs, widen the pool or shorten the packet"
    )
