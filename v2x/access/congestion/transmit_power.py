"""Transmit power by busy ratio: the power part of SAE J2945/1 (SUPRA)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerParams:
    """Power control of SAE J2945/1 (equations and defaults through public implementations).

    Parameters
    ----------
    power_control
        Whether the transmit power follows the busy ratio.
    max_power_dbm, min_power_dbm
        Power up to the lower bound of the busy ratio, and from the upper one on, vRPMax and
        vRPMin [dBm], here of the transmitter as `radio.tx_power_dbm` is; SAE J2945/1.
    start_power_dbm
        Power before anything was measured [dBm]; SAE J2945/1.
    power_gain
        Share of the distance to the wanted power that each step takes, vSUPRAGain; SAE J2945/1.
    power_cbr_bounds
        Busy ratios between which the wanted power falls in a straight line, vMinChanUtil and
        vMaxChanUtil; SAE J2945/1.
    power_cbr_weight
        Weight of the newest busy ratio (low confidence).
    """

    power_control: bool = True
    max_power_dbm: float = 20.0
    min_power_dbm: float = 10.0
    start_power_dbm: float = 15.0
    power_gain: float = 0.5
    power_cbr_bounds: tuple[float, ...] = (0.5, 0.8)
    power_cbr_weight: float = 0.5

    def __post_init__(self) -> None:
        """Reject values the equations are not defined for."""
        if not -40.0 <= self.min_power_dbm <= self.max_power_dbm <= 60.0:
            raise ValueError(
                f"min_power_dbm must be within -40 and max_power_dbm ({self.max_power_dbm}), and "
                f"that at most 60, got {self.min_power_dbm}"
            )
        if not self.min_power_dbm <= self.start_power_dbm <= self.max_power_dbm:
            raise ValueError(
                f"start_power_dbm must be within {self.min_power_dbm} and {self.max_power_dbm}, "
                f"got {self.start_power_dbm}"
            )
        for name in ("power_gain", "power_cbr_weight"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must be above 0 and at most 1, got {getattr(self, name)}")
        bounds = self.power_cbr_bounds
        if len(bounds) != 2 or not 0.0 <= bounds[0] < bounds[1] <= 1.0:
            raise ValueError(f"power_cbr_bounds must be two that ascend within 0 and 1: {bounds}")

    def wanted_power_dbm(self, cbr: FloatArray) -> FloatArray:
        """Return the power that a smoothed busy ratio asks for [dBm].

        Examples
        --------
        >>> PowerParams().wanted_power_dbm(np.array([0.4, 0.5, 0.65, 0.8, 0.9]))
        array([20., 20., 15., 10., 10.])
        """
        power = np.interp(cbr, self.power_cbr_bounds, (self.max_power_dbm, self.min_power_dbm))
        return np.asarray(power)


class TransmitPower:
    """The power of every node, which steps towards what its busy ratio asks for.

    Parameters
    ----------
    params
        The rule.
    n_nodes
        Rows of the fleet.

    Attributes
    ----------
    power_dbm : (n_nodes,) float64
        Power in force [dBm].
    cbr : (n_nodes,) float64
        Smoothed busy ratio; NaN before the first.
    """

    def __init__(self, params: PowerParams, n_nodes: int) -> None:
        self._params = params
        self.power_dbm = np.full(n_nodes, params.start_power_dbm)
        self.cbr = np.full(n_nodes, np.nan)

    def observe(self, cbr: FloatArray) -> None:
        """Take a busy ratio, NaN for nodes that measured nothing, and make one step."""
        params, measured = self._params, np.flatnonzero(np.isfinite(cbr))
        weight, former = params.power_cbr_weight, self.cbr[measured]
        former = np.where(np.isfinite(former), former, cbr[measured])
        smooth = weight * cbr[measured] + (1.0 - weight) * former
        self.cbr[measured] = smooth
        away_db = params.wanted_power_dbm(smooth) - self.power_dbm[measured]
        self.power_dbm[measured] += params.power_gain * away_db

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""
        self.power_dbm[node] = self._params.start_power_dbm
        self.cbr[node] = np.nan
