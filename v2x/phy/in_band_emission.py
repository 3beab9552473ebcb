"""Power that a transmitter leaks into the resource blocks it did not allocate.

The limits of TS 36.101 6.5.2.3 serve as the model, as TR 36.885 evaluates them. Being limits,
they are pessimistic for a real transmitter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.units import db_to_linear, linear_to_db

FloatArray = NDArray[np.float64]

#: Error vector magnitude by modulation order: QPSK, 16QAM, 64QAM (TS 36.101 6.5.2.1), 256QAM
#: (TS 38.101-1 6.4.2.1).
EVM = {2: 0.175, 4: 0.125, 6: 0.08, 8: 0.035}
#: Below this, TS 36.101 does not ask for less relative to an allocated resource block [dB].
LIMIT_FLOOR_DB = -30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmissionParams:
    """How far a transmitter stays below the limits.

    Parameters
    ----------
    w_db, x_db, y_db, z_db
        Margins of TR 36.885 Annex A: near the allocation, far from it, at the IQ image, at the
        carrier [dB]; all 0 for the plain limits.
    limit_floor
        Whether each resource block is held at -30 dB at least, as conformance tests allow.
        Evaluations take the sum of the terms alone.
    """

    w_db: float = 3.0
    x_db: float = 6.0
    y_db: float = 3.0
    z_db: float = 3.0
    limit_floor: bool = False

    def __post_init__(self) -> None:
        """Reject margins that are no numbers."""
        for name in ("w_db", "x_db", "y_db", "z_db"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be finite, got {getattr(self, name)}")


def relative_emission_db(
    first_rb: int,
    n_rb: int,
    n_rb_total: int,
    ptx_dbm: float,
    modulation_order: int,
    params: EmissionParams | None = None,
) -> FloatArray:
    r"""Emission into every resource block of the carrier.

    Parameters
    ----------
    first_rb
        First allocated resource block, from 0.
    n_rb
        Allocated resource blocks, contiguous.
    n_rb_total
        Resource blocks of the carrier.
    ptx_dbm
        Transmit power over the whole allocation [dBm].
    modulation_order
        Bits of a symbol: 2, 4, 6 or 8.
    params
        Margins; those of TR 36.885 if left out.

    Returns
    -------
    (n_rb_total,) float64
        Power per resource block relative to an allocated one [dB]; 0 inside the allocation.

    Notes
    -----
    With :math:`P_{RB}` the power of an allocated block and :math:`\Delta \ge 1` the distance to the
    nearest of them, the sum of the powers of

    - the general term, the largest of :math:`-25 - 10\log_{10}(N_{RB}/L_{CRB}) - X`,
      :math:`20\log_{10} EVM - 3 - 5(\Delta - 1)/L_{CRB} - W` and
      :math:`-57\,\mathrm{dBm} - P_{RB} - X`;
    - the IQ image :math:`-25 - Y` in the blocks mirrored about the carrier;
    - the carrier leakage :math:`-25 - Z` relative to the *whole* transmit power, in the block at
      the carrier, or in both beside it.

    TS 36.101 Table 6.5.2.3.1-1; TR 36.885 Annex A.

    Examples
    --------
    >>> relative_emission_db(0, 10, 50, 23.0, 2)[[9, 10, 19, 49]].round(1)
    array([  0. , -21.1, -25.6, -27.6])
    """
    p = EmissionParams() if params is None else params
    if not (n_rb >= 1 and first_rb >= 0 and first_rb + n_rb <= n_rb_total):
        raise ValueError(
            f"resource blocks {first_rb} to {first_rb + n_rb - 1} are not within 0 and "
            f"{n_rb_total - 1}"
        )
    if modulation_order not in EVM:
        raise ValueError(f"modulation_order must be 2, 4, 6 or 8, got {modulation_order}")
    rb = np.arange(n_rb_total)
    last_rb = first_rb + n_rb - 1
    delta = np.maximum(first_rb - rb, rb - last_rb)
    rb_dbm = ptx_dbm - 10.0 * math.log10(n_rb)
    far = max(-25.0 - 10.0 * math.log10(n_rb_total / n_rb) - p.x_db, -57.0 - rb_dbm - p.x_db)
    near = 20.0 * math.log10(EVM[modulation_order]) - 3.0 - 5.0 * (delta - 1) / n_rb - p.w_db
    power = db_to_linear(np.maximum(near, far))
    mirrored = n_rb_total - 1 - rb
    power[(mirrored >= first_rb) & (mirrored <= last_rb)] += db_to_linear(-25.0 - p.y_db)
    at_carrier = np.abs(2 * rb - (n_rb_total - 1)) <= 1
    power[at_carrier] += n_rb * db_to_linear(-25.0 - p.z_db)
    emission = linear_to_db(power)
    if p.limit_floor:
        emission = np.maximum(emission, LIMIT_FLOOR_DB)
    return np.where(delta <= 0, 0.0, emission)
