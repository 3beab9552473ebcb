"""From parameters to the numbers with which the contention kernel decides on frames."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.phy.error_model import curve
from v2x.phy.ofdm.error_model import log2_bit_success
from v2x.phy.ofdm.rates import (
    BANDWIDTH_HZ,
    PREAMBLE_US,
    RATES,
    SIGNAL_BITS,
    SIGNAL_US,
    OfdmRate,
    air_time_us,
    data_bits,
)
from v2x.phy.radio import PhyParams, RadioParams
from v2x.phy.reception import CURVE_SINR_DB
from v2x.units import db_to_linear, noise_dbm

# log2 of a success that does not happen, and the least float of which exp2 makes something.
_NEVER = -126.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameReceiver:
    """What a receiver of frames on one channel can decode.

    Attributes
    ----------
    noise_mw, sensitivity_mw
        Noise in the channel, and least noticed power [mW].
    preamble_us, header_us
        Parts of a frame before its data [µs].
    preamble_sinr
        Least SINR at which a preamble is found, linear.
    capture_ratio
        By how much a later frame must be stronger to be received instead, linear; infinite
        without capture.
    header_log2, data_log2 : (n_points,) float32
        log2 of the probability that the header, and a unit of data, is decoded, at
        :data:`~v2x.phy.reception.CURVE_SINR_DB`.
    bitwise
        Whether the unit of data is the bit; else it is the whole frame.
    curve_names
        Names and sources of the curves, for the manifest.
    """

    noise_mw: float
    sensitivity_mw: float
    preamble_us: int
    header_us: int
    preamble_sinr: float
    capture_ratio: float
    header_log2: NDArray[np.float32]
    data_log2: NDArray[np.float32]
    bitwise: bool
    curve_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfdmWaveform:
    """Frames of IEEE 802.11 OFDM in 10 MHz at one rate, and their reception.

    Attributes
    ----------
    rate
        Rate of the data; SIGNAL goes at the lowest.
    overhead_bytes
        What is added to each packet [byte].
    preamble_sinr_db, capture_db, fading_loss_db
        See :class:`v2x.access.ieee80211p.Ieee80211pParams`.
    """

    rate: OfdmRate
    overhead_bytes: int
    preamble_sinr_db: float
    capture_db: float | None
    fading_loss_db: float

    def air_us(self, size_bytes: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the time that packets of `size_bytes` are on air [µs]."""
        return air_time_us(size_bytes.astype(np.int64) + self.overhead_bytes, self.rate)

    def data_bits(self, size_bytes: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the bits of packets that must be decoded."""
        return data_bits(size_bytes.astype(np.int64) + self.overhead_bytes)

    def receiver(self, radio: RadioParams, phy: PhyParams) -> FrameReceiver:
        """Return the receiver; a named ``phy.error_curve`` replaces the closed form of data."""
        sinr = db_to_linear(CURVE_SINR_DB - self.fading_loss_db)
        header_log2 = SIGNAL_BITS * log2_bit_success(sinr, RATES[0])
        bitwise = phy.error_curve == "auto"
        if bitwise:
            data_log2 = log2_bit_success(sinr, self.rate)
            name = f"ofdm-{self.rate.mbps:g}mbps-awgn"
        else:
            chosen = curve(phy.error_curve, key="phy.error_curve")
            success = 1.0 - chosen.bler(CURVE_SINR_DB - self.fading_loss_db)
            data_log2 = np.log2(np.maximum(success, 2.0**_NEVER))
            name = chosen.name
        sensitivity = phy.sensitivity_dbm
        capture = math.inf if self.capture_db is None else float(db_to_linear(self.capture_db))
        return FrameReceiver(
            noise_mw=float(db_to_linear(noise_dbm(BANDWIDTH_HZ, radio.noise_figure_db))),
            sensitivity_mw=0.0 if sensitivity is None else float(db_to_linear(sensitivity)),
            preamble_us=PREAMBLE_US,
            header_us=SIGNAL_US,
            preamble_sinr=float(db_to_linear(self.preamble_sinr_db)),
            capture_ratio=capture,
            header_log2=header_log2.astype(np.float32),
            data_log2=data_log2.astype(np.float32),
            bitwise=bitwise,
            curve_names=(name, "ofdm-signal-awgn"),
        )
