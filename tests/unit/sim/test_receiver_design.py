"""The numbers with which the medium computes, and the parameters they come from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.channel.base import LinkState
from v2x.channel.law_tables import LINK_CODES
from v2x.phy.radio import PhyParams, RadioParams
from v2x.phy.reception import CURVE_SINR_DB, design_receiver
from v2x.phy.resource_pool import ResourcePool


def test_design_of_the_receiver() -> None:
    radio = RadioParams(tx_power_dbm=20.0, noise_figure_db=9.0)
    pool = ResourcePool(n_subchannels=5, subchannel_rb=10)
    design = design_receiver(radio, PhyParams(), pool, environment="highway", size_bytes=300)
    assert design.tx_power_mw == pytest.approx(100.0)
    # -174 dBm/Hz + 10 log10(180 kHz) + 9 dB
    assert 10.0 * np.log10(design.noise_mw_per_rb) == pytest.approx(-112.447, abs=1e-3)
    assert design.sensitivity_mw == 0.0
    assert design.idle_subchannel_mw == pytest.approx(10.0 * design.noise_mw_per_rb)
    assert design.curves.shape == (len(design.curve_names), len(CURVE_SINR_DB))
    assert (np.diff(design.curves, axis=1) <= 0).all()
    assert design.curve_names[design.control_curve] == "lte-pscch-awgn"


def test_blocked_links_get_the_curve_of_their_state() -> None:
    pool = ResourcePool(n_subchannels=5, subchannel_rb=10)
    design = design_receiver(
        RadioParams(), PhyParams(mcs=7), pool, environment="urban", size_bytes=350
    )
    names = [design.curve_names[k] for k in design.curve_of_code]
    for name, state in zip(names, LINK_CODES, strict=True):
        clear = state in (LinkState.LOS, LinkState.TUNNEL)
        assert ("urban-los" if clear else "urban-nlos") in name
    fixed = PhyParams(error_curve="r1-160284-qpsk-r0.7")
    design = design_receiver(RadioParams(), fixed, pool, environment="urban", size_bytes=190)
    assert {design.curve_names[k] for k in design.curve_of_code} == {"r1-160284-qpsk-r0.7"}


def test_decoding_by_sensitivity_gives_control_no_power() -> None:
    pool = ResourcePool(n_subchannels=4, subchannel_rb=12)
    phy = PhyParams(control_decoding="sensitivity", sensitivity_dbm=-90.5, in_band_emission=False)
    design = design_receiver(RadioParams(), phy, pool, environment="highway", size_bytes=190)
    assert design.profile.control_share[1] == 0.0
    assert design.profile.data_share[1] == pytest.approx(0.1)
    assert design.sensitivity_mw == pytest.approx(10.0**-9.05)


@pytest.mark.parametrize(
    "changes",
    [
        {"mcs": -1},
        {"mcs": 29},
        {"control_decoding": "always"},
        {"control_decoding": "sensitivity"},
        {"decode_ms": -1.0},
    ],
)
def test_impossible_phy_parameters(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        PhyParams(**changes)


@pytest.mark.parametrize(
    ("key", "value"),
    [("carrier_ghz", 0.4), ("tx_power_dbm", 61.0), ("noise_figure_db", -1.0)],
)
def test_impossible_radio_parameters(key: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{key} must be within .*, got {value}"):
        RadioParams(**{key: value})
