"""Keys of the resource pools, inherited by the parameters of every technology that uses one."""

from __future__ import annotations

from dataclasses import dataclass

from v2x.phy.nr.pool import NrPool
from v2x.phy.nr.transport_block import PsschLayout
from v2x.phy.resource_pool import ResourcePool
from v2x.phy.sidelink_pool import SidelinkPool


@dataclass(frozen=True, kw_only=True)
class LtePoolParams:
    """Keys of an LTE resource pool; to be inherited, it has no room for values of its own.

    Parameters
    ----------
    n_subchannels
        Number of subchannels, numSubchannel (TS 36.331 6.3.8).
    subchannel_rb
        Resource blocks per subchannel, sizeSubchannel (TS 36.331 6.3.8).
    adjacent
        Whether the PSCCH is adjacent to its PSSCH, adjacencyPSCCH-PSSCH (TS 36.331 6.3.8).
    """

    __slots__ = ()

    n_subchannels: int = 10
    subchannel_rb: int = 10
    adjacent: bool = True

    def resource_pool(self) -> SidelinkPool:
        """Return the pool that the parameters describe."""
        return self.lte_pool()

    def lte_pool(self) -> ResourcePool:
        """Return the same, known to be of LTE."""
        return ResourcePool(
            n_subchannels=self.n_subchannels,
            subchannel_rb=self.subchannel_rb,
            adjacent=self.adjacent,
        )


@dataclass(frozen=True, kw_only=True)
class NrPoolParams:
    """Keys of an NR resource pool; to be inherited, it has no room for values of its own.

    Parameters
    ----------
    n_subchannels
        Number of subchannels, sl-NumSubchannel (TS 38.331).
    subchannel_rb
        Resource blocks per subchannel, sl-SubchannelSize (TS 38.331).
    scs_khz
        Subcarrier spacing [kHz]: 15, 30 or 60, for slots of 1000, 500 or 250 µs (TS 38.211 4.2).
    mcs_table
        MCS table of TS 38.214 5.1.3.1 that `phy.mcs` counts in: 1 (64QAM), 2 (256QAM), 3 (64QAM,
        low efficiency).
    pscch_rb, pscch_symbols
        Size of the PSCCH: resource blocks, and symbols, 2 or 3 (TS 38.331 sl-PSCCH-Config).
    dmrs_symbols
        DMRS patterns of the pool, by their numbers of symbols (TS 38.211 8.4.1.1.2).
    """

    __slots__ = ()

    n_subchannels: int = 5
    subchannel_rb: int = 10
    scs_khz: int = 30
    mcs_table: int = 1
    pscch_rb: int = 10
    pscch_symbols: int = 3
    dmrs_symbols: tuple[int, ...] = (2, 3, 4)

    def resource_pool(self) -> SidelinkPool:
        """Return the pool that the parameters describe."""
        return self.nr_pool()

    def nr_pool(self) -> NrPool:
        """Return the same, known to be of NR."""
        return NrPool(
            n_subchannels=self.n_subchannels,
            subchannel_rb=self.subchannel_rb,
            scs_khz=self.scs_khz,
            mcs_table=self.mcs_table,
            layout=PsschLayout(
                pscch_rb=self.pscch_rb,
                pscch_symbols=self.pscch_symbols,
                dmrs_symbols=self.dmrs_symbols,
            ),
        )
