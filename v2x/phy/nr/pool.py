"""The grid of subchannels and slots of NR sidelink."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from v2x.phy.error_model import BlerCurve
from v2x.phy.nr.error_model import nr_pscch_curve, nr_pssch_curve, sci2_shift_db
from v2x.phy.nr.numerology import CHANNEL_RB, Numerology, numerology
from v2x.phy.nr.transport_block import PsschLayout, nr_mcs_row, subchannels_needed

#: Resource blocks of a subchannel (TS 38.331 sl-SubchannelSize).
SUBCHANNEL_RBS = (10, 12, 15, 20, 25, 50, 75, 100)
#: Most subchannels of a pool (TS 38.331 sl-NumSubchannel).
MAX_SUBCHANNELS = 27


@dataclass(frozen=True, slots=True, kw_only=True)
class NrPool:
    """Subchannels of an NR channel, a :class:`SidelinkPool` (TS 38.214 8).

    The PSCCH takes the lowest resource blocks of the first subchannel of a transmission for two
    or three symbols; the PSSCH has all blocks in the other symbols and what the PSCCH leaves in
    these. So both see the blocks of the subchannel with the same power density, in different
    symbols, and the S-RSSI covers all blocks of a subchannel.

    Attributes
    ----------
    n_subchannels, subchannel_rb
        Number of subchannels, and resource blocks in each.
    scs_khz
        Subcarrier spacing [kHz].
    mcs_table
        MCS table of TS 38.214 5.1.3.1, 1 to 3.
    layout
        What stands in a slot beside the data.
    """

    n_subchannels: int
    subchannel_rb: int
    scs_khz: int = 30
    mcs_table: int = 1
    layout: PsschLayout = field(default_factory=PsschLayout)

    def __post_init__(self) -> None:
        """Reject pools that the standard or every channel is too small for."""
        channels = CHANNEL_RB[self.numerology.scs_khz]
        nr_mcs_row(self.mcs_table, 0)
        if not 1 <= self.n_subchannels <= MAX_SUBCHANNELS:
            raise ValueError(
                f"n_subchannels must be within 1 and {MAX_SUBCHANNELS}, got {self.n_subchannels}"
            )
        if self.subchannel_rb not in SUBCHANNEL_RBS:
            raise ValueError(
                f"subchannel_rb must be one of {SUBCHANNEL_RBS}, got {self.subchannel_rb}"
            )
        if self.layout.pscch_rb > self.subchannel_rb:
            raise ValueError(
                f"pscch_rb ({self.layout.pscch_rb}) must fit into a subchannel of "
                f"subchannel_rb ({self.subchannel_rb}) resource blocks"
            )
        if self.pool_rb > max(channels.values()):
            raise ValueError(
                f"{self.n_subchannels} subchannels of {self.subchannel_rb} resource blocks need "
                f"{self.pool_rb}, but the widest channel ({max(channels)} MHz) has "
                f"{max(channels.values())} at {self.scs_khz} kHz"
            )

    @property
    def numerology(self) -> Numerology:
        """Slots and processing times."""
        return numerology(self.scs_khz)

    @property
    def slot_us(self) -> int:
        """Length of a slot [µs]."""
        return self.numerology.slot_us

    @property
    def rb_hz(self) -> float:
        """Width of a resource block [Hz]."""
        return self.numerology.rb_hz

    @property
    def pool_rb(self) -> int:
        """Resource blocks of the whole pool."""
        return self.n_subchannels * self.subchannel_rb

    @property
    def channel_rb(self) -> int:
        """Resource blocks of the narrowest channel that holds the pool."""
        return min(rb for rb in CHANNEL_RB[self.scs_khz].values() if rb >= self.pool_rb)

    @property
    def bandwidth_mhz(self) -> int:
        """Bandwidth of that channel [MHz]."""
        channels = CHANNEL_RB[self.scs_khz]
        return next(mhz for mhz, rb in channels.items() if rb == self.channel_rb)

    @property
    def measured_rb(self) -> tuple[int, int]:
        """Data and control resource blocks that the S-RSSI of one subchannel covers."""
        return self.subchannel_rb, 0

    @property
    def reserves_two(self) -> bool:
        """Whether an SCI may announce two further transmissions (sl-MaxNumPerReserve 3)."""
        return True

    @property
    def data_fills_control(self) -> bool:
        """Whether data of a wide transmission lies in the control blocks of its subchannels."""
        return True

    def control_blocks(self, subchannel: int) -> range:
        """Return the resource blocks of the PSCCH that belongs to `subchannel`."""
        first = subchannel * self.subchannel_rb
        return range(first, first + self.layout.pscch_rb)

    def data_blocks(self, subchannel: int) -> range:
        """Return the resource blocks of `subchannel`."""
        first = subchannel * self.subchannel_rb
        return range(first, first + self.subchannel_rb)

    def occupied(self, first: int, length: int) -> list[tuple[int, int]]:
        """Return first block and width of a transmission, which is contiguous."""
        return [(first * self.subchannel_rb, length * self.subchannel_rb)]

    def densities(self, length: int, control_boost_db: float | None) -> tuple[float, float]:
        """Return the share of the transmit power in each data and each control block.

        Both are equal (TS 38.213 16.2.2); only None is told apart from other boosts.
        """
        density = 1.0 / (length * self.subchannel_rb)
        return density, 0.0 if control_boost_db is None else density

    def modulation_order(self, mcs: int) -> int:
        """Return the bits of a symbol."""
        return nr_mcs_row(self.mcs_table, mcs).modulation_order

    def subchannels_needed(self, size_bytes: int, mcs: int) -> int:
        """Return the fewest subchannels that carry a packet."""
        return subchannels_needed(
            size_bytes,
            nr_mcs_row(self.mcs_table, mcs),
            self.layout,
            self.subchannel_rb,
            self.n_subchannels,
        )

    def data_curve(self, mcs: int, environment: str, size_bytes: int) -> BlerCurve:
        """Return the PSSCH error curve of an MCS."""
        return nr_pssch_curve(nr_mcs_row(self.mcs_table, mcs), environment, size_bytes)

    def second_stage_shift_db(self, mcs: int) -> float:
        """Return how much SINR SCI-2 needs beyond the data [dB], mostly a negative number."""
        return sci2_shift_db(nr_mcs_row(self.mcs_table, mcs), self.layout)

    def with_second_stage(self, n_bits: int) -> NrPool:
        """Return the pool with an SCI-2 of `n_bits` before its CRC."""
        return replace(self, layout=replace(self.layout, sci2_bits=n_bits))

    def control_curve(self) -> BlerCurve:
        """Return the PSCCH error curve."""
        return nr_pscch_curve()
