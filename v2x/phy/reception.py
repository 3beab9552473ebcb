"""From parameters to the numbers with which the reception kernel computes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2x._kernels.reception import CURVE_FIRST_LOG2, CURVE_PER_OCTAVE, CURVE_POINTS
from v2x.channel.base import LinkState
from v2x.channel.law_tables import LINK_CODES
from v2x.phy.error_model import BlerCurve, curve
from v2x.phy.in_band_emission import EmissionParams
from v2x.phy.radio import PhyParams, RadioParams
from v2x.phy.resource_pool import PowerProfile, power_profile
from v2x.phy.sidelink_pool import SidelinkPool
from v2x.units import linear_to_db, noise_dbm

#: Middle of each step of the kernels' error tables [dB]; steps are linear inside each octave.
CURVE_SINR_DB = linear_to_db(
    np.ldexp(
        1.0 + (np.arange(CURVE_POINTS) % CURVE_PER_OCTAVE + 0.5) / CURVE_PER_OCTAVE,
        CURVE_FIRST_LOG2 + np.arange(CURVE_POINTS) // CURVE_PER_OCTAVE,
    )
)

_ENVIRONMENT = {
    LinkState.LOS: "los",
    LinkState.NLOSV: "nlos",
    LinkState.NLOS: "nlos",
    LinkState.TUNNEL: "los",
    LinkState.DECK: "nlos",
    LinkState.TERRAIN: "nlos",
    LinkState.BLOCKED: "nlos",
}


@dataclass(frozen=True, slots=True)
class ReceiverDesign:
    """Powers, noise and error curves of a run.

    Attributes
    ----------
    pool, profile
        Resource pool, and how transmissions spread over it.
    tx_power_mw, noise_mw_per_rb, sensitivity_mw
        Transmit power, noise in one resource block, least noticed power [mW].
    curves : (n_curves, n_points) float32
        BLER at :data:`CURVE_SINR_DB`.
    curve_of_code : (n_codes,) int32
        PSSCH curve by link code.
    control_curve : int
        PSCCH curve.
    second_of_code : (n_codes,) int32 or None
        Curve of the second stage of control information by link code, None if it fails with the
        first.
    curve_names
        Names and sources of the curves, for the manifest.
    curve_of_raised : (n_raised, n_codes) int32
        PSSCH curves of the MCS 1, 2, ... steps above that of the run, where a transmission may
        have another one.
    """

    pool: SidelinkPool
    profile: PowerProfile
    tx_power_mw: float
    noise_mw_per_rb: float
    sensitivity_mw: float
    curves: NDArray[np.float32]
    curve_of_code: NDArray[np.int32]
    control_curve: int
    curve_names: tuple[str, ...]
    second_of_code: NDArray[np.int32] | None = None
    curve_of_raised: NDArray[np.int32] = field(
        default_factory=lambda: np.zeros((0, len(LINK_CODES)), dtype=np.int32)
    )

    @property
    def idle_subchannel_mw(self) -> float:
        """S-RSSI of a subchannel in which nobody transmits [mW]."""
        return self.noise_mw_per_rb * sum(self.pool.measured_rb)


def design_receiver(
    radio: RadioParams,
    phy: PhyParams,
    pool: SidelinkPool,
    *,
    environment: str,
    size_bytes: int,
    second_stage: bool = False,
    n_raised: int = 0,
) -> ReceiverDesign:
    """Return the receiver for a pool.

    Parameters
    ----------
    radio, phy
        Link budget and decoding.
    pool
        Resource pool of the access technology.
    environment
        "highway" or "urban": whose fading the error curves contain.
    size_bytes
        Largest packet [byte]; curves are published for few sizes.
    second_stage
        Whether a second stage of control information, if there is one, may fail by itself.
    n_raised
        MCS above that of the run that transmissions may have.
    """
    if n_raised and phy.error_curve != "auto":
        raise ValueError(f"error curve {phy.error_curve!r} is that of one MCS")
    used: dict[str, BlerCurve] = {}
    curve_of_code = np.zeros(len(LINK_CODES), dtype=np.int32)
    for code, state in enumerate(LINK_CODES):
        if phy.error_curve == "auto":
            chosen = pool.data_curve(phy.mcs, f"{environment}_{_ENVIRONMENT[state]}", size_bytes)
        else:
            chosen = curve(phy.error_curve, key="phy.error_curve")
        used[chosen.name] = chosen
        curve_of_code[code] = list(used).index(chosen.name)
    shift_db = pool.second_stage_shift_db(phy.mcs) if second_stage else None
    second_of_code = None
    if shift_db is not None:
        data = list(used.values())
        second = [c.shifted(shift_db, f"{c.name}-sci2") for c in data]
        used |= {c.name: c for c in second}
        second_of_code = curve_of_code + np.int32(len(data))
    control = pool.control_curve()
    used[control.name] = control
    curve_of_raised = np.zeros((n_raised, len(LINK_CODES)), dtype=np.int32)
    for step, code in np.ndindex(*curve_of_raised.shape):
        fading = f"{environment}_{_ENVIRONMENT[LINK_CODES[code]]}"
        raised = pool.data_curve(phy.mcs + 1 + step, fading, size_bytes)
        used[raised.name] = raised
        curve_of_raised[step, code] = list(used).index(raised.name)
    by_sensitivity = phy.control_decoding == "sensitivity"
    profile = power_profile(
        pool,
        mcs=phy.mcs,
        control_boost_db=None if by_sensitivity else phy.control_boost_db,
        tx_power_dbm=radio.tx_power_dbm,
        emission=EmissionParams() if phy.in_band_emission else None,
    )
    sensitivity = phy.sensitivity_dbm
    return ReceiverDesign(
        pool=pool,
        profile=profile,
        tx_power_mw=10.0 ** (radio.tx_power_dbm / 10.0),
        noise_mw_per_rb=10.0 ** (noise_dbm(pool.rb_hz, radio.noise_figure_db) / 10.0),
        sensitivity_mw=0.0 if sensitivity is None else 10.0 ** (sensitivity / 10.0),
        curves=np.stack([c.bler(CURVE_SINR_DB).astype(np.float32) for c in used.values()]),
        curve_of_code=curve_of_code,
        control_curve=list(used).index(control.name),
        curve_names=tuple(used),
        second_of_code=second_of_code,
        curve_of_raised=curve_of_raised,
    )
