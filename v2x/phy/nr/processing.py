"""How long a UE takes to decode and to prepare (TS 38.214 5.3 and 6.4)."""

from __future__ import annotations

from collections.abc import Mapping

#: N1 and N2 [symbols] by subcarrier spacing [kHz], capability 1 and 2 (TS 38.214 Tables 5.3-1,
#: 5.3-2, 6.4-1, 6.4-2; N1 without additional DM-RS).
N1_SYMBOLS: Mapping[int, tuple[float, float]] = {15: (8, 3), 30: (10, 4.5), 60: (17, 9)}
N2_SYMBOLS: Mapping[int, tuple[float, float]] = {15: (10, 5), 30: (12, 5.5), 60: (23, 11)}
#: Samples of a symbol with its cyclic prefix, and of the symbol alone, at any numerology.
_SAMPLES_WITH_PREFIX, _SAMPLES = 2048 + 144, 2048


def processing_us(symbols: float, scs_khz: int) -> float:
    r"""Return the time that a number of symbols stands for in TS 38.214 5.3 and 6.4 [µs].

    Parameters
    ----------
    symbols
        N1 or N2.
    scs_khz
        Subcarrier spacing [kHz].

    Notes
    -----
    .. math:: T = N (2048 + 144) \kappa 2^{-\mu} T_c

    without the terms :math:`d_{1,1}, d_2, d_{2,1}` and the timing advance.

    Examples
    --------
    >>> round(processing_us(10, 30), 1), round(processing_us(12, 30), 1)
    (356.8, 428.1)
    """
    return symbols * _SAMPLES_WITH_PREFIX / _SAMPLES * 1000.0 / scs_khz
