"""Power by busy ratio, SAE J2945/1: the wanted power, its steps, and what goes on air."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.access.base import TRANSMISSION
from v2x.access.congestion.j2945 import J2945, Gbt45315Density, Gbt45315DensityParams, J2945Params
from v2x.access.congestion.transmit_power import PowerParams, TransmitPower
from v2x.mobility.fleet import NodeKind

from .channel import context, observe

NOBODY = np.zeros(0, dtype=np.int32)


@pytest.mark.parametrize(
    ("cbr", "power_dbm"),
    [(0.0, 20), (0.4, 20), (0.5, 20), (0.575, 17.5), (0.65, 15), (0.8, 10), (0.9, 10), (1.0, 10)],
)
def test_the_wanted_power(cbr: float, power_dbm: float) -> None:
    assert PowerParams().wanted_power_dbm(np.array([cbr]))[0] == pytest.approx(power_dbm)


def test_each_step_goes_half_of_the_way() -> None:
    """From 15 dBm towards 10: 12.5, 11.25, 10.625, as P + 0.5 (f - P) has it."""
    power = TransmitPower(PowerParams(), 1)
    seen = []
    for _ in range(3):
        power.observe(np.array([0.9]))
        seen.append(float(power.power_dbm[0]))
    assert seen == [12.5, 11.25, 10.625]


def test_the_busy_ratio_is_smoothed_first() -> None:
    """0.8, then 0.5: C = 0.65 asks for 15 dBm; from (15 + 10) / 2 half of the way is 13.75."""
    power = TransmitPower(PowerParams(), 1)
    power.observe(np.array([0.8]))
    power.observe(np.array([0.5]))
    assert float(power.cbr[0]) == pytest.approx(0.65)
    assert float(power.power_dbm[0]) == pytest.approx(13.75)


def test_who_measured_nothing_keeps_his_power() -> None:
    power = TransmitPower(PowerParams(), 2)
    power.observe(np.array([np.nan, 0.9]))
    assert power.power_dbm.tolist() == [15.0, 12.5]
    power.forget(1)
    assert power.power_dbm.tolist() == [15.0, 15.0]
    assert np.isnan(power.cbr).all()


@settings(max_examples=50, derandomize=True, deadline=None)
@given(cbr=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30))
def test_power_stays_within_its_limits(cbr: list[float]) -> None:
    power = TransmitPower(PowerParams(), 1)
    for value in cbr:
        power.observe(np.array([value]))
        assert 10.0 <= power.power_dbm[0] <= 20.0


def on_air(*nodes: int, process: int = 0) -> np.ndarray:
    rows = np.zeros(len(nodes), dtype=TRANSMISSION)
    rows["node"], rows["process"], rows["n_subchannels"] = nodes, process, 1
    rows["priority"] = 5
    return rows


def test_what_goes_on_air_has_the_power_of_its_node() -> None:
    """Relative to the 23 dBm of the run; the rows of the technology stay as they are."""
    built = J2945(J2945Params(), context(2, tx_power_dbm=23.0))
    observe(built, [0.9, 0.2])
    rows = on_air(0, 1)
    sent, _ = built.admit(1, rows, NOBODY)
    assert sent["power_offset_db"].tolist() == [12.5 - 23.0, 17.5 - 23.0]
    assert not rows["power_offset_db"].any()
    assert built.take_state(2).power_dbm.tolist() == [12.5, 17.5]


def test_events_go_with_the_highest_power() -> None:
    built = J2945(J2945Params(), context(1, tx_power_dbm=23.0))
    observe(built, 0.9, 10)
    for process, power_dbm in ((0, 10.0), (1, 20.0)):
        sent, _ = built.admit(1 + process, on_air(0, process=process), NOBODY)
        assert 23.0 + sent["power_offset_db"][0] == pytest.approx(power_dbm, abs=0.01)


def test_roadside_units_and_pedestrians_keep_the_power_of_the_run() -> None:
    built = J2945(J2945Params(), context(3, tx_power_dbm=23.0))
    kinds = np.array([NodeKind.CAR, NodeKind.RSU, NodeKind.VRU])
    observe(built, [0.9] * 3, kind=kinds)
    sent, _ = built.admit(1, on_air(0, 1, 2), NOBODY)
    assert sent["power_offset_db"].tolist() == [-10.5, 0.0, 0.0]
    assert np.isnan(built.take_state(2).power_dbm).tolist() == [False, True, True]


@pytest.mark.parametrize(
    "built",
    [
        J2945(J2945Params(power_control=False), context(1, tx_power_dbm=23.0)),
        J2945(J2945Params(), context(1)),
        Gbt45315Density(Gbt45315DensityParams(), context(1, tx_power_dbm=23.0)),
    ],
)
def test_without_power_control_all_have_that_of_the_run(built: J2945) -> None:
    """Switched off, on a medium without powers of its own, and in GB/T 45315, which has none."""
    observe(built, 0.9, 5)
    sent, _ = built.admit(1, on_air(0), NOBODY)
    assert sent["power_offset_db"].tolist() == [0.0]
    assert np.isnan(built.take_state(2).power_dbm).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"min_power_dbm": 21.0}, "min_power_dbm must be within -40 and max_power_dbm"),
        ({"start_power_dbm": 9.0}, "start_power_dbm must be within 10.0 and 20.0"),
        ({"power_gain": 0.0}, "power_gain must be above 0"),
        ({"power_cbr_weight": 1.5}, "power_cbr_weight must be above 0"),
        ({"power_cbr_bounds": (0.8, 0.5)}, "power_cbr_bounds must be two that ascend"),
        ({"power_cbr_bounds": (0.5,)}, "power_cbr_bounds must be two that ascend"),
    ],
)
def test_rules_that_are_none(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        J2945Params(**changes)
