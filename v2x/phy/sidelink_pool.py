"""What a resource pool promises, whatever the technology that it belongs to."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from v2x.phy.error_model import BlerCurve


@runtime_checkable
class SidelinkPool(Protocol):
    """Subchannels by slots: where control and data sit, and what fits.

    The receiver is designed from nothing else (:func:`v2x.phy.reception.design_receiver`), so
    that a technology with another frame needs a pool, not another receiver.
    """

    @property
    def n_subchannels(self) -> int:
        """Number of subchannels."""

    @property
    def subchannel_rb(self) -> int:
        """Resource blocks of a subchannel."""

    @property
    def slot_us(self) -> int:
        """Length of a slot [µs]."""

    @property
    def rb_hz(self) -> float:
        """Width of a resource block [Hz]."""

    @property
    def channel_rb(self) -> int:
        """Resource blocks of the channel, inside and outside the pool."""

    @property
    def measured_rb(self) -> tuple[int, int]:
        """Data and control resource blocks that the S-RSSI of one subchannel covers."""

    @property
    def reserves_two(self) -> bool:
        """Whether an SCI may announce two further transmissions, instead of one."""

    @property
    def data_fills_control(self) -> bool:
        """Whether data of a wide transmission lies in the control blocks of its subchannels."""

    def control_blocks(self, subchannel: int) -> range:
        """Return the resource blocks of the PSCCH that belongs to `subchannel`."""

    def data_blocks(self, subchannel: int) -> range:
        """Return the resource blocks of `subchannel` in which data are measured."""

    def occupied(self, first: int, length: int) -> list[tuple[int, int]]:
        """Return first block and width of each contiguous piece of a transmission."""

    def densities(self, length: int, control_boost_db: float | None) -> tuple[float, float]:
        """Return the share of the transmit power in each data and each control block.

        Parameters
        ----------
        length
            Subchannels of the transmission.
        control_boost_db
            Power spectral density of the PSCCH over the PSSCH [dB], where the technology has
            such a thing; None gives the PSCCH no power.
        """

    def modulation_order(self, mcs: int) -> int:
        """Return the bits of a symbol, or raise ValueError if the pool has no such MCS."""

    def subchannels_needed(self, size_bytes: int, mcs: int) -> int:
        """Return the fewest subchannels that carry a packet, or raise ValueError."""

    def data_curve(self, mcs: int, environment: str, size_bytes: int) -> BlerCurve:
        """Return the PSSCH error curve of an MCS in one of ``error_model.ENVIRONMENTS``."""

    def control_curve(self) -> BlerCurve:
        """Return the PSCCH error curve."""

    def second_stage_shift_db(self, mcs: int) -> float | None:
        """Return how much SINR the second stage of control information needs beyond the data.

        None where control information has one stage. [dB]
        """

    def with_second_stage(self, n_bits: int) -> SidelinkPool:
        """Return the pool with a second stage of another size, where there is one."""
