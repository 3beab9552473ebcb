r"""A Kalman filter for each pair of receiver and claimed sender, all of them at once.

State on each axis: position and speed; white acceleration of :math:`\sigma_a`. Both axes have the
same errors, so one covariance serves both. A claim measures position and velocity. Gates on the
innovation (chi-squared with 2, 2 and 4 degrees of freedom) decide whether it fits; a claim that
does not leaves the filter as predicted, until it is too old to predict from.
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri

from v2x.security.plausibility.heard import BoolArray, FloatArray, Heard, SlotArray
from v2x.security.plausibility.params import PlausibilityParams
from v2x.units import US_PER_S

#: Columns of the memory that hold filters.
COLUMNS = ("k_s", "k_x", "k_y", "k_vx", "k_vy", "k_pp", "k_pv", "k_vv")


class KalmanCheck:
    """Compares claims with what the filters predict.

    Parameters
    ----------
    limits
        Errors, gate, and how long predictions hold.
    """

    def __init__(self, limits: PlausibilityParams) -> None:
        self._r_p = limits.position_sigma_m**2
        self._r_v = limits.speed_sigma_mps**2
        self._q = limits.motion_sigma_mps2**2
        self._memory_s = limits.memory_s
        outside = 1.0 - limits.gate_probability
        self._gates = tuple(float(chdtri(dof, outside)) for dof in (2, 2, 4))

    def fails(
        self, heard: Heard, values: dict[str, FloatArray], row: SlotArray
    ) -> tuple[BoolArray, BoolArray, BoolArray]:
        """Return where position, velocity, and both together do not fit; and go on from there.

        Parameters
        ----------
        heard
            Receptions, no pair twice.
        values
            Columns :data:`COLUMNS` of the memory of pairs, changed in place.
        row : (n,) int
            Rows of the pairs in it.
        """
        claim = heard.claim
        seen = (
            claim.x_m,
            claim.y_m,
            claim.speed_mps * np.cos(claim.heading_rad),
            claim.speed_mps * np.sin(claim.heading_rad),
        )
        time_s = heard.arrived_us / US_PER_S
        dt = time_s - values["k_s"][row]
        known = dt <= self._memory_s  # False for pairs without a filter
        dt = np.where(known, dt, 0.0)
        x, y, vx, vy, pp, pv, vv = (values[name][row] for name in COLUMNS[1:])
        x, y = x + vx * dt, y + vy * dt
        pp = pp + 2.0 * dt * pv + dt**2 * vv + 0.25 * self._q * dt**4
        pv = pv + dt * vv + 0.5 * self._q * dt**3
        vv = vv + self._q * dt**2
        off_x, off_y, off_vx, off_vy = seen[0] - x, seen[1] - y, seen[2] - vx, seen[3] - vy
        s_p, s_v = pp + self._r_p, vv + self._r_v
        det = s_p * s_v - pv**2
        away2, faster2 = off_x**2 + off_y**2, off_vx**2 + off_vy**2
        cross = off_x * off_vx + off_y * off_vy
        both = (s_v * away2 - 2.0 * pv * cross + s_p * faster2) / det
        fits = (away2 / s_p, faster2 / s_v, both)
        fails = [known & (fit > gate) for fit, gate in zip(fits, self._gates, strict=True)]
        good = known & ~fails[2]
        g_pp, g_pv = (pp * s_v - pv**2) / det, pv * self._r_p / det
        g_vp, g_vv = pv * self._r_v / det, (vv * s_p - pv**2) / det
        updated = (
            time_s,
            x + g_pp * off_x + g_pv * off_vx,
            y + g_pp * off_y + g_pv * off_vy,
            vx + g_vp * off_x + g_vv * off_vx,
            vy + g_vp * off_y + g_vv * off_vy,
            (1.0 - g_pp) * pp - g_pv * pv,
            (1.0 - g_pp) * pv - g_pv * vv,
            (1.0 - g_vv) * vv - g_vp * pv,
        )
        begun = (time_s, *seen, np.full_like(x, self._r_p), 0.0 * dt, np.full_like(x, self._r_v))
        for name, after, first in zip(COLUMNS, updated, begun, strict=True):
            values[name][row[good]] = after[good]
            values[name][row[~known]] = first[~known]
        return fails[0], fails[1], fails[2]
