"""Which error curve an NR transport block has.

Curves pass through operating points of published link-level simulations, as those of LTE do
(:mod:`v2x.phy.error_model`); fast fading is inside them. Few combinations are published: 190, 720
and 1000 bytes at QPSK with code rate 0.7 in line of sight and behind a vehicle, and MCS 7 and 21
of table 1 with 100 and 1500 bytes round corners. The rest is ours:

- between two published efficiencies each operating point is interpolated, beyond them the
  nearest curve is shifted, both along :func:`nominal_threshold_db`;
- streets in line of sight take the curves of highways.

Antennas and reference of the SINR are not stated in the sources: 1 to 2 dB of systematic error
are to be expected (medium confidence), more after long shifts.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from v2x.errors import unknown_name
from v2x.phy.error_model import ENVIRONMENTS, BlerCurve, curve, nr_operating_points
from v2x.phy.nr.transport_block import SCI2_MODULATION_ORDER, NrMcs, PsschLayout

_CHANNELS = {
    "highway_los": "los",
    "highway_nlos": "nlosv",
    "urban_los": "los",
    "urban_nlos": "nlos",
    "crossing_nlos": "nlos",
}
# Share of Shannon's bound that sets the distance between neighbouring MCS.
_BOUND_SHARE = 0.8


def nr_pscch_curve() -> BlerCurve:
    """Return the curve of the control channel.

    It is the one behind a vehicle for all links; in line of sight it asks for up to 3.4 dB too
    much at BLER 0.1, where the data need another 6 dB.
    """
    return curve("nr-pscch-nlosv")


def nr_pssch_curve(mcs: NrMcs, environment: str, size_bytes: int) -> BlerCurve:
    """Return the curve of the data channel for a modulation and code rate.

    Parameters
    ----------
    mcs
        Modulation and code rate.
    environment
        One of ``error_model.ENVIRONMENTS``.
    size_bytes
        Packet [byte]; among the published sizes the nearest is taken.

    Examples
    --------
    >>> from v2x.phy.nr.transport_block import nr_mcs_row
    >>> nr_pssch_curve(nr_mcs_row(1, 7), "urban_nlos", 190).name
    'nr-nlos-mcs7-100b'
    >>> nr_pssch_curve(nr_mcs_row(1, 7), "highway_los", 190).source.split("; ")[1]
    'nr-los-qpsk-r0.7-190b shifted by -2.17 dB'
    """
    if environment not in ENVIRONMENTS:
        raise unknown_name("error environment", environment, ENVIRONMENTS)
    return _curve_at(mcs.efficiency, _CHANNELS[environment], size_bytes)


def nominal_threshold_db(efficiency: float) -> float:
    r"""SINR at which an efficiency would be reached at 80 % of Shannon's bound.

    Only differences of it are used. The share is ours: with it the step from MCS 7 to 21 of
    table 1 is 11.8 dB, where the published curves round corners have 10.0 and 12.3 dB at BLER
    0.5; from MCS 4 to 20 it is 13.9 dB, where AWGN thresholds published with 5G-LENA have 12.1 dB.

    Parameters
    ----------
    efficiency
        Information bits per resource element, :math:`\eta`.

    Returns
    -------
    float
        :math:`10\log_{10}(2^{\eta / 0.8} - 1)` dB.

    Examples
    --------
    >>> round(nominal_threshold_db(1.4), 2)
    3.74
    """
    return 10.0 * math.log10(2.0 ** (efficiency / _BOUND_SHARE) - 1.0)


def sci2_shift_db(mcs: NrMcs, layout: PsschLayout) -> float:
    r"""Return how much SINR the second stage of control information needs beyond the data [dB].

    SCI-2 is QPSK with the code rate of the data divided by :math:`\beta` (TS 38.212 8.4.4), so
    an element of it carries :math:`2R/\beta` bits. Its curve is that of the data shifted along
    :func:`nominal_threshold_db`. No curve of SCI-2 is published: low confidence, all the more as
    it has a short polar code and the data have LDPC codes.

    Examples
    --------
    >>> from v2x.phy.nr.transport_block import nr_mcs_row
    >>> [round(sci2_shift_db(nr_mcs_row(1, mcs), PsschLayout()), 2) for mcs in (7, 11, 21)]
    [-0.76, -5.3, -11.55]
    """
    efficiency = SCI2_MODULATION_ORDER * mcs.rate / layout.beta_offset
    return nominal_threshold_db(efficiency) - nominal_threshold_db(mcs.efficiency)


@cache
def _curve_at(efficiency: float, channel: str, size_bytes: int) -> BlerCurve:
    rows = [row for row in nr_operating_points() if row["channel"] == channel]
    published = sorted({float(row["efficiency"]) for row in rows})

    def nearest_in_size(wanted: float) -> BlerCurve:
        of_it = [row for row in rows if float(row["efficiency"]) == wanted]
        row = min(of_it, key=lambda r: (abs(int(r["size_bytes"]) - size_bytes), r["name"]))
        return curve(row["name"])

    below = max((e for e in published if e <= efficiency), default=None)
    above = min((e for e in published if e >= efficiency), default=None)
    if below is not None and above is not None:
        low = nearest_in_size(below)
        return (
            low
            if below == above
            else _between(efficiency, below, above, nearest_in_size(above), low)
        )
    end = published[0] if below is None else published[-1]
    offset_db = nominal_threshold_db(efficiency) - nominal_threshold_db(end)
    nearest = nearest_in_size(end)
    return nearest.shifted(offset_db, f"{nearest.name}-at-{efficiency:.3f}")


def _between(
    efficiency: float, below: float, above: float, high: BlerCurve, low: BlerCurve
) -> BlerCurve:
    """Return the curve whose operating points lie between those of two others."""
    lower = nominal_threshold_db(below)
    share = (nominal_threshold_db(efficiency) - lower) / (nominal_threshold_db(above) - lower)
    return BlerCurve(
        name=f"{low.name}-at-{efficiency:.3f}",
        source=f"{share:.2f} of the way from {low.name} to {high.name}",
        point_sinr_db=np.asarray((1.0 - share) * low.point_sinr_db + share * high.point_sinr_db),
        point_bler=low.point_bler,
        method="probit",
    )
