"""Bit errors of coded OFDM in white Gaussian noise, in closed form.

Hard decisions of a Gray-mapped constellation go into a Viterbi decoder of the code (133, 171) with
constraint length 7; the union bound over its distance spectrum gives the error rate after
decoding.
This is the model of G. Pei and T. R. Henderson, "Validation of OFDM error rate model in ns-3"
(2010), known as the NIST model; the spectra are those of D. Haccoun and G. Bégin, "High-rate
punctured convolutional codes for Viterbi and sequential decoding", IEEE Trans. Commun. 37 (1989).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.phy.ofdm.rates import OfdmRate

FloatArray = NDArray[np.float64]

#: Code rate to free distance, step of the distance, and information bits on error paths of each.
DISTANCE_SPECTRA: Mapping[tuple[int, int], tuple[int, int, tuple[int, ...]]] = {
    (1, 2): (
        10,
        2,
        (36, 211, 1404, 11633, 77433, 502690, 3322763, 21292910, 134365911),
    ),
    (2, 3): (6, 1, (3, 70, 285, 1276, 6160, 27128, 117019, 498860, 2103891, 8784123)),
    (3, 4): (
        5,
        1,
        (42, 201, 1492, 10469, 62935, 379644, 2253373, 13073811, 75152755, 428005675),
    ),
}
# A guess is right with one half; the bound exceeds it where it says nothing any more.
_WORST_BIT_ERROR = 0.5


def raw_bit_error(sinr: ArrayLike, bits_per_subcarrier: int) -> FloatArray:
    r"""Return the bit error rate before decoding.

    Parameters
    ----------
    sinr : array_like of float
        Ratio of signal to interference and noise of a subcarrier, linear.
    bits_per_subcarrier
        1 BPSK, 2 QPSK, 4 16-QAM, 6 64-QAM.

    Notes
    -----
    .. math:: p = \frac{1}{2} \mathrm{erfc}\sqrt{s}, \quad
        \frac{1}{2} \mathrm{erfc}\sqrt{s / 2}, \quad
        \frac{3}{8} \mathrm{erfc}\sqrt{s / 10}, \quad
        \frac{7}{24} \mathrm{erfc}\sqrt{s / 42}

    for Gray mapping, nearest neighbours only.
    """
    # Here because it takes half a second, which not every command should wait for.
    from scipy.special import erfc

    factor, scale = {1: (1 / 2, 1), 2: (1 / 2, 2), 4: (3 / 8, 10), 6: (7 / 24, 42)}[
        bits_per_subcarrier
    ]
    return np.asarray(factor * erfc(np.sqrt(np.asarray(sinr, dtype=np.float64) / scale)))


def decoded_bit_error(raw: ArrayLike, code_rate: tuple[int, int]) -> FloatArray:
    r"""Return the bound on the bit error rate after hard-decision Viterbi decoding.

    Parameters
    ----------
    raw : array_like of float
        Bit error rate before decoding.
    code_rate
        Numerator and denominator, a key of :data:`DISTANCE_SPECTRA`.

    Notes
    -----
    .. math:: P_b \le \frac{1}{2k} \sum_d \beta_d D^d, \quad D = \sqrt{4 p (1 - p)}

    with the numerator *k* of the code rate; at most one half.
    """
    p = np.asarray(raw, dtype=np.float64)
    distance, step, information_bits = DISTANCE_SPECTRA[code_rate]
    bhattacharyya = np.sqrt(4.0 * p * (1.0 - p))
    total = np.zeros_like(p)
    for k, weight in enumerate(information_bits):
        total = total + weight * bhattacharyya ** (distance + k * step)
    return np.minimum(total / (2.0 * code_rate[0]), _WORST_BIT_ERROR)


def log2_bit_success(sinr: ArrayLike, ofdm_rate: OfdmRate) -> FloatArray:
    """Return log2 of the probability that a data bit is decoded, between -1 and 0.

    Times the number of bits it is log2 of the probability that a piece of a frame with constant
    `sinr` (linear) has no error.
    """
    raw = raw_bit_error(sinr, ofdm_rate.bits_per_subcarrier)
    error = decoded_bit_error(raw, ofdm_rate.code_rate)
    return np.asarray(np.log1p(-error) / math.log(2.0))


def frame_error_rate(sinr_db: ArrayLike, bits: int, ofdm_rate: OfdmRate) -> FloatArray:
    """Return the share of frames of `bits` data bits that fail at a constant SINR [dB].

    Examples
    --------
    >>> from v2x.phy.ofdm.rates import rate
    >>> frame_error_rate([4.0, 5.0, 6.0], 8022, rate(6.0)).round(3)
    array([1.   , 1.   , 0.869])
    """
    sinr = 10.0 ** (np.asarray(sinr_db, dtype=np.float64) / 10.0)
    return np.asarray(1.0 - np.exp2(bits * log2_bit_success(sinr, ofdm_rate)))
