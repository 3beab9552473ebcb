"""RSRP thresholds by the priorities of two transmissions, for LTE and NR alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Priorities of packets: PPPP of LTE, and those of NR.
N_PRIORITIES = 8


def pair_thresholds_dbm(
    initial_dbm: float, pairs_dbm: Sequence[float] | None
) -> NDArray[np.float32]:
    """Return the RSRP thresholds before they are raised.

    Parameters
    ----------
    initial_dbm
        Threshold of all pairs where `pairs_dbm` is None [dBm per resource element].
    pairs_dbm
        Thresholds of the 64 pairs: that of own priority a and received priority b has the index
        (a - 1) 8 + b, counted from 1 (TS 36.213 14.1.1.6 step 3, TS 38.214 8.1.4 step 3).

    Returns
    -------
    (8, 8) float32
        By own and received priority.

    Examples
    --------
    >>> pair_thresholds_dbm(-110.0, [float(-i) for i in range(1, 65)])[1, 2]
    np.float32(-11.0)
    """
    if pairs_dbm is None:
        return np.full((N_PRIORITIES, N_PRIORITIES), initial_dbm, dtype=np.float32)
    if len(pairs_dbm) != N_PRIORITIES**2:
        raise ValueError(
            f"pair_thresholds_dbm must have {N_PRIORITIES**2} values, got {len(pairs_dbm)}"
        )
    return np.array(pairs_dbm, dtype=np.float32).reshape(N_PRIORITIES, N_PRIORITIES)
