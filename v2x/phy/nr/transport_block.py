"""How many bits fit into how many resource blocks of NR sidelink.

TS 38.214 8.1.3: the tables of modulation and code rate, the resource elements that control and
reference signals leave to the PSSCH, and the transport block size of 5.1.3.2.
"""

from __future__ import annotations

import csv
import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from v2x.phy.nr.numerology import SUBCARRIERS_PER_RB
from v2x.phy.nr.sci import SCI2A_BITS, SCI_CRC_BITS

#: Symbols of a slot that carry PSSCH: 14 less the copy for gain control and the guard.
SLOT_SYMBOLS = 12
#: Symbols that a PSFCH occasion takes from them: its own two and a guard (TS 38.214 8.1.3.2).
PSFCH_SYMBOLS = 3
#: Mean resource elements of DMRS per resource block by the patterns that a pool allows, given as
#: their numbers of symbols (TS 38.214 Table 8.1.3.2-1).
DMRS_ELEMENTS: Mapping[tuple[int, ...], int] = {
    (2,): 12,
    (3,): 18,
    (4,): 24,
    (2, 3): 15,
    (2, 4): 18,
    (3, 4): 21,
    (2, 3, 4): 18,
}
#: Offsets between the code rates of SCI-2 and of the data, by index (TS 38.213 Table 9.3-2).
BETA_OFFSETS = (1.125, 1.25, 1.375, 1.625, 1.75, 2.0, 2.25, 2.5, 2.875, 3.125, 3.5, 4.0, 5.0)
#: Largest shares of the PSSCH that SCI-2 may take (TS 38.331 sl-Scaling).
SCI2_SHARES = (0.5, 0.65, 0.8, 1.0)
#: Resource blocks that a PSCCH may have (TS 38.331 sl-FreqResourcePSCCH).
PSCCH_RBS = (10, 12, 15, 20, 25)
_SMALL_INFO_BITS = 3824
#: Bits of a symbol of SCI-2 (TS 38.212 8.4.4).
SCI2_MODULATION_ORDER = 2


@dataclass(frozen=True, slots=True)
class NrMcs:
    """One row of an MCS table: bits of a symbol, and the target code rate."""

    modulation_order: int
    rate: float

    @property
    def efficiency(self) -> float:
        """Information bits per resource element."""
        return self.modulation_order * self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class PsschLayout:
    """What stands in a slot beside the data.

    Parameters
    ----------
    pscch_rb
        Resource blocks of the PSCCH, sl-FreqResourcePSCCH.
    pscch_symbols
        Symbols of the PSCCH, sl-TimeResourcePSCCH: 2 or 3.
    dmrs_symbols
        DMRS patterns of the pool by their numbers of symbols, sl-PSSCH-DMRS-TimePatternList.
    psfch
        Whether room for a PSFCH occasion is left.
    sci2_bits
        Bits of SCI-2, before its CRC.
    beta_offset
        Offset of the code rate of SCI-2, one of TS 38.213 Table 9.3-2.
    sci2_share
        Largest share of the PSSCH that SCI-2 may take, sl-Scaling.
    overhead_elements
        Further resource elements per resource block that count as lost, sl-X-Overhead.
    """

    pscch_rb: int = 10
    pscch_symbols: int = 3
    dmrs_symbols: tuple[int, ...] = (2, 3, 4)
    psfch: bool = False
    sci2_bits: int = SCI2A_BITS
    beta_offset: float = 1.125
    sci2_share: float = 1.0
    overhead_elements: int = 0

    def __post_init__(self) -> None:
        """Reject what the standard does not list."""
        for name, value, allowed in (
            ("pscch_rb", self.pscch_rb, PSCCH_RBS),
            ("pscch_symbols", self.pscch_symbols, (2, 3)),
            ("dmrs_symbols", self.dmrs_symbols, tuple(DMRS_ELEMENTS)),
            ("beta_offset", self.beta_offset, BETA_OFFSETS),
            ("sci2_share", self.sci2_share, SCI2_SHARES),
            ("overhead_elements", self.overhead_elements, (0, 3, 6, 9)),
        ):
            if value not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {value}")

    @property
    def pssch_symbols(self) -> int:
        """Symbols of the PSSCH."""
        return SLOT_SYMBOLS - (PSFCH_SYMBOLS if self.psfch else 0)

    @property
    def pscch_elements(self) -> int:
        """Resource elements of the PSCCH, its DMRS included."""
        return self.pscch_symbols * self.pscch_rb * SUBCARRIERS_PER_RB

    def sci2_elements(self, n_rb: int, rate: float) -> int:
        """Return the coded symbols of SCI-2 (TS 38.212 8.4.4; 38.214 8.1.3.2 takes gamma as 0)."""
        coded = (self.sci2_bits + SCI_CRC_BITS) * self.beta_offset
        room = n_rb * SUBCARRIERS_PER_RB * self.pssch_symbols - self.pscch_elements
        return min(
            _ceil(coded / (SCI2_MODULATION_ORDER * rate)),
            _ceil(self.sci2_share * room),
        )

    def data_elements(self, n_rb: int, rate: float) -> int:
        """Return the resource elements left to the data of `n_rb` resource blocks.

        Examples
        --------
        >>> PsschLayout().data_elements(20, 526 / 1024)
        2095
        """
        per_rb = (
            SUBCARRIERS_PER_RB * self.pssch_symbols
            - self.overhead_elements
            - DMRS_ELEMENTS[self.dmrs_symbols]
        )
        return per_rb * n_rb - self.pscch_elements - self.sci2_elements(n_rb, rate)


def nr_mcs_row(table: int, mcs: int) -> NrMcs:
    """Return modulation and code rate (TS 38.214 5.1.3.1).

    Parameters
    ----------
    table
        1 (64QAM, the default of the sidelink), 2 (256QAM) or 3 (64QAM, low efficiency).
    mcs
        I_MCS, 0 to 28, or to 27 in table 2.

    Examples
    --------
    >>> nr_mcs_row(1, 10)
    NrMcs(modulation_order=4, rate=0.33203125)
    """
    if table not in (1, 2, 3):
        raise ValueError(f"mcs_table must be 1, 2 or 3, got {table}")
    rows = _mcs_tables()[table]
    if not 0 <= mcs < len(rows):
        raise ValueError(
            f"mcs must be within 0 and {len(rows) - 1} in mcs table {table}, got {mcs}"
        )
    return rows[mcs]


def transport_block_bits(n_elements: int, mcs: NrMcs, n_layers: int = 1) -> int:
    """Return the transport block size [bit] (TS 38.214 5.1.3.2, steps 2 to 4).

    Parameters
    ----------
    n_elements
        Resource elements of the data, N_RE.
    mcs
        Modulation and code rate.
    n_layers
        Spatial layers, 1 or 2.

    Examples
    --------
    >>> transport_block_bits(2095, nr_mcs_row(1, 7))
    2152
    """
    return block_bits(n_elements * mcs.rate * mcs.modulation_order * n_layers, mcs.rate)


def block_bits(n_info: float, rate: float) -> int:
    """Return the transport block size [bit] of `n_info` information bits at a code rate.

    Examples
    --------
    >>> block_bits(2300.0, 0.5), block_bits(5000.0, 0.5)
    (2280, 4992)
    """
    if n_info <= 0:
        return 0
    if n_info <= _SMALL_INFO_BITS:
        n = max(3, math.floor(math.log2(n_info)) - 6)
        quantised = max(24, _multiple(n_info, n))
        sizes = _small_sizes()
        return sizes[bisect_left(sizes, quantised)]
    n = math.floor(math.log2(n_info - 24)) - 5
    # Ties are rounded up.
    quantised = max(3840, _multiple(n_info - 24 + (1 << n) / 2, n))
    if rate <= 0.25:
        n_blocks = -(-(quantised + 24) // 3816)
    elif quantised > 8424:
        n_blocks = -(-(quantised + 24) // 8424)
    else:
        n_blocks = 1
    return 8 * n_blocks * -(-(quantised + 24) // (8 * n_blocks)) - 24


def subchannels_needed(
    size_bytes: int, mcs: NrMcs, layout: PsschLayout, subchannel_rb: int, max_subchannels: int
) -> int:
    """Return the fewest subchannels that carry a packet.

    Parameters
    ----------
    size_bytes
        Packet as handed to the transport channel [byte]; nothing is added to it.
    mcs
        Modulation and code rate.
    layout
        What stands beside the data.
    subchannel_rb
        Resource blocks of a subchannel.
    max_subchannels
        Subchannels of the pool.

    Raises
    ------
    ValueError
        If the packet does not fit the pool, with what would help.

    Examples
    --------
    >>> subchannels_needed(300, nr_mcs_row(1, 7), PsschLayout(), 10, 5)
    3
    """
    for n_subchannels in range(1, max_subchannels + 1):
        elements = layout.data_elements(n_subchannels * subchannel_rb, mcs.rate)
        if transport_block_bits(elements, mcs) >= 8 * size_bytes:
            return n_subchannels
    raise ValueError(
        f"{size_bytes} bytes do not fit into {max_subchannels} subchannels of {subchannel_rb} "
        f"resource blocks at {mcs.efficiency:.2f} bit per resource element: "
        "raise the mcs, widen the pool or shorten the packet"
    )


def _multiple(value: float, n: int) -> int:
    """Return the largest multiple of 2**n that is not above `value`."""
    return math.floor(value / (1 << n)) << n


def _ceil(value: float) -> int:
    """Round up, but not because of the last bits of a float."""
    return math.ceil(value - 1e-9)


@cache
def _small_sizes() -> tuple[int, ...]:
    return tuple(
        int(size) for line in _lines("nr_tbs_small.csv") for size in line.split(",") if size
    )


@cache
def _mcs_tables() -> dict[int, list[NrMcs]]:
    tables: dict[int, list[NrMcs]] = {1: [], 2: [], 3: []}
    for row in csv.DictReader(_lines("nr_mcs.csv")):
        rate = float(row["rate_x1024"]) / 1024.0
        tables[int(row["table"])].append(NrMcs(int(row["modulation_order"]), rate))
    return tables


def _lines(file_name: str) -> list[str]:
    text = (files("v2x.phy") / "data" / file_name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]
