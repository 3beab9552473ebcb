"""OFDM of IEEE 802.11 in a channel of 10 MHz: rates and air times (IEEE Std 802.11-2016 17)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Width of the channel [Hz]; half-clocked operation (17.1).
BANDWIDTH_HZ = 10e6
#: Short and long training sequences [µs] (Table 17-5, 10 MHz).
PREAMBLE_US = 32
#: The SIGNAL symbol, BPSK at rate 1/2 [µs], and its bits with the tail.
SIGNAL_US, SIGNAL_BITS = 8, 24
#: A data symbol with its guard interval [µs].
SYMBOL_US = 8
#: Bits before and after the PSDU (17.3.5.2, 17.3.5.3).
SERVICE_BITS, TAIL_BITS = 16, 6
#: Most that a frame holds [byte]: SIGNAL gives its length in 12 bits (17.3.4.3).
LONGEST_PSDU_BYTES = 4095
_DATA_SUBCARRIERS = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class OfdmRate:
    """A row of Table 17-4 (10 MHz).

    Attributes
    ----------
    mbps
        Data rate [Mb/s].
    bits_per_subcarrier
        1 BPSK, 2 QPSK, 4 16-QAM, 6 64-QAM.
    code_rate
        Numerator and denominator of the convolutional code's rate.
    """

    mbps: float
    bits_per_subcarrier: int
    code_rate: tuple[int, int]

    @property
    def bits_per_symbol(self) -> int:
        """Data bits in a symbol, N_DBPS."""
        numerator, denominator = self.code_rate
        return _DATA_SUBCARRIERS * self.bits_per_subcarrier * numerator // denominator


#: The eight rates, ascending.
RATES: tuple[OfdmRate, ...] = (
    OfdmRate(mbps=3.0, bits_per_subcarrier=1, code_rate=(1, 2)),
    OfdmRate(mbps=4.5, bits_per_subcarrier=1, code_rate=(3, 4)),
    OfdmRate(mbps=6.0, bits_per_subcarrier=2, code_rate=(1, 2)),
    OfdmRate(mbps=9.0, bits_per_subcarrier=2, code_rate=(3, 4)),
    OfdmRate(mbps=12.0, bits_per_subcarrier=4, code_rate=(1, 2)),
    OfdmRate(mbps=18.0, bits_per_subcarrier=4, code_rate=(3, 4)),
    OfdmRate(mbps=24.0, bits_per_subcarrier=6, code_rate=(2, 3)),
    OfdmRate(mbps=27.0, bits_per_subcarrier=6, code_rate=(3, 4)),
)


def rate(mbps: float) -> OfdmRate:
    """Return the rate of `mbps`, or raise ValueError if there is none."""
    for one in RATES:
        if one.mbps == mbps:
            return one
    known = ", ".join(f"{one.mbps:g}" for one in RATES)
    raise ValueError(f"rate_mbps must be one of {known}, got {mbps:g}")


def data_bits(psdu_bytes: ArrayLike) -> NDArray[np.int64]:
    """Return the bits of a frame after SIGNAL, padding left out."""
    return SERVICE_BITS + 8 * np.asarray(psdu_bytes, dtype=np.int64) + TAIL_BITS


def air_time_us(psdu_bytes: ArrayLike, ofdm_rate: OfdmRate) -> NDArray[np.int64]:
    """Return the time that frames are on air [µs] (TXTIME, 17.4.3).

    Parameters
    ----------
    psdu_bytes : array_like of int
        MAC header, payload and frame check sequence [byte], any shape.
    ofdm_rate
        Rate of the data.

    Raises
    ------
    ValueError
        If one is longer than a frame can be.

    Examples
    --------
    >>> int(air_time_us(338, rate(6.0)))
    496
    """
    longest = int(np.max(psdu_bytes, initial=0))
    if longest > LONGEST_PSDU_BYTES:
        raise ValueError(
            f"{longest} bytes with all headers are more than a frame holds ({LONGEST_PSDU_BYTES})"
        )
    symbols = -(-data_bits(psdu_bytes) // ofdm_rate.bits_per_symbol)
    return np.asarray(PREAMBLE_US + SIGNAL_US + SYMBOL_US * symbols)
