"""Numerology, pools and error curves of NR sidelink, and the receiver made for them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.phy.error_model import ENVIRONMENTS, curve
from v2x.phy.in_band_emission import EmissionParams
from v2x.phy.nr.error_model import nominal_threshold_db, nr_pssch_curve
from v2x.phy.nr.numerology import CHANNEL_RB, numerology
from v2x.phy.nr.pool import NrPool
from v2x.phy.nr.transport_block import PsschLayout, nr_mcs_row
from v2x.phy.radio import PhyParams, RadioParams
from v2x.phy.reception import design_receiver
from v2x.phy.resource_pool import ResourcePool, power_profile
from v2x.phy.sidelink_pool import SidelinkPool

TABLES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "tables"
POOL = NrPool(n_subchannels=5, subchannel_rb=10)


def test_numerologies() -> None:
    """TS 38.214 Tables 8.1.4-1 and -2."""
    found = [numerology(scs) for scs in (15, 30, 60)]
    assert [n.slot_us for n in found] == [1000, 500, 250]
    assert [n.t_proc0_slots for n in found] == [1, 1, 2]
    assert [n.t_proc1_slots for n in found] == [3, 5, 9]
    assert [n.rb_hz for n in found] == [180e3, 360e3, 720e3]
    assert all(n.slots_per_ms * n.slot_us == 1000 for n in found)
    with pytest.raises(ValueError, match=r"scs_khz must be one of .* got 120"):
        numerology(120)


def test_channels_equal_the_reference() -> None:
    source = TABLES / "nr_nrb_fr1.csv"
    if not source.exists():
        pytest.skip("reference tables are not beside this checkout")
    for row in csv.DictReader(source.read_text().splitlines()):
        for scs, channels in CHANNEL_RB.items():
            expected = row[f"n_rb_scs{scs}"]
            assert channels.get(int(row["bandwidth_mhz"])) == (int(expected) if expected else None)


@pytest.mark.parametrize(
    ("n", "size", "scs", "mhz"),
    [(5, 10, 30, 20), (5, 10, 15, 10), (10, 10, 15, 20), (2, 12, 60, 20)],
)
def test_the_narrowest_channel_is_taken(n: int, size: int, scs: int, mhz: int) -> None:
    pool = NrPool(n_subchannels=n, subchannel_rb=size, scs_khz=scs)
    assert pool.bandwidth_mhz == mhz
    assert pool.channel_rb == CHANNEL_RB[scs][mhz]


@pytest.mark.parametrize(
    ("n", "size", "options", "message"),
    [
        (0, 10, {}, "n_subchannels must be within 1 and 27, got 0"),
        (28, 10, {}, "n_subchannels must be within 1 and 27, got 28"),
        (5, 11, {}, "subchannel_rb must be one of"),
        (5, 10, {"scs_khz": 120}, "scs_khz must be one of"),
        (5, 10, {"mcs_table": 4}, "mcs_table must be 1, 2 or 3, got 4"),
        (5, 10, {"layout": PsschLayout(pscch_rb=12)}, r"pscch_rb \(12\) must fit"),
        (14, 10, {"scs_khz": 60}, r"need 140, but the widest channel \(100 MHz\) has 135"),
    ],
)
def test_pools_that_no_channel_holds(
    n: int, size: int, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        NrPool(n_subchannels=n, subchannel_rb=size, **options)  # type: ignore[arg-type]


def test_control_lies_in_the_first_subchannel_with_the_density_of_the_data() -> None:
    """Other symbols, same blocks: S-RSSI covers all of them, control only the lowest."""
    pool = NrPool(n_subchannels=4, subchannel_rb=12)
    assert pool.data_blocks(2) == range(24, 36)
    assert pool.control_blocks(2) == range(24, 34)
    assert pool.measured_rb == (12, 0)
    assert pool.densities(2, 3.0) == (1 / 24, 1 / 24)
    assert pool.densities(2, None) == (1 / 24, 0.0)


@pytest.mark.parametrize("emission", [None, EmissionParams()])
def test_power_adds_up_and_interferes_in_both_kinds_of_symbols(
    emission: EmissionParams | None,
) -> None:
    shares = power_profile(POOL, mcs=7, control_boost_db=3.0, tx_power_dbm=23.0, emission=emission)
    for length in range(1, 6):
        for first in range(6 - length):
            data, control = shares.share[first, length, :5], shares.share[first, length, 5:10]
            inside = slice(first, first + length)
            assert data[inside].sum() * 10 == pytest.approx(1.0)
            assert np.array_equal(data[inside], control[inside])
            assert np.allclose(data, control, rtol=1e-6)
            outside = np.delete(data, range(first, first + length))
            assert all((outside > 0) == (emission is not None))


def test_receiver_of_nr() -> None:
    """Noise of a 360 kHz block, and the data curves of the MCS table that the pool names."""
    radio = RadioParams(noise_figure_db=9.0)
    design = design_receiver(radio, PhyParams(mcs=7), POOL, environment="highway", size_bytes=300)
    assert 10.0 * np.log10(design.noise_mw_per_rb) == pytest.approx(-109.437, abs=1e-3)
    assert design.idle_subchannel_mw == pytest.approx(10.0 * design.noise_mw_per_rb)
    assert design.curve_names[design.control_curve] == "nr-pscch-nlosv"
    names = {design.curve_names[k] for k in design.curve_of_code}
    assert names == {"nr-los-qpsk-r0.7-190b-at-1.027", "nr-nlosv-qpsk-r0.7-190b-at-1.027"}
    fixed = PhyParams(mcs=7, error_curve="r1-160284-qpsk-r0.5")
    design = design_receiver(radio, fixed, POOL, environment="highway", size_bytes=300)
    assert design.curve_names[design.curve_of_code[0]] == "r1-160284-qpsk-r0.5"


def test_both_pools_are_sidelink_pools() -> None:
    for pool in (POOL, ResourcePool(n_subchannels=5, subchannel_rb=10)):
        assert isinstance(pool, SidelinkPool)
    assert POOL.subchannels_needed(300, 7) == 3
    assert POOL.modulation_order(28) == 6
    assert ResourcePool(n_subchannels=5, subchannel_rb=10).subchannels_needed(300, 7) == 3
    for pool, mcs in ((POOL, 29), (ResourcePool(n_subchannels=5, subchannel_rb=10), 21)):
        with pytest.raises(ValueError, match=f"got {mcs}"):
            pool.subchannels_needed(300, mcs)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("table", [1, 2, 3])
def test_needed_sinr_grows_with_the_efficiency(environment: str, table: int) -> None:
    rows = [nr_mcs_row(table, mcs) for mcs in range(28)]
    curves = [nr_pssch_curve(row, environment, 190) for row in sorted(rows, key=efficiency)]
    points = np.array([one.point_sinr_db for one in curves])
    assert (np.diff(points, axis=0) >= 0).all()


def efficiency(row: object) -> float:
    return float(row.efficiency)  # type: ignore[attr-defined]


def test_published_curves_are_taken_as_they_are() -> None:
    assert nr_pssch_curve(nr_mcs_row(1, 7), "urban_nlos", 100) is curve("nr-nlos-mcs7-100b")
    assert nr_pssch_curve(nr_mcs_row(1, 21), "crossing_nlos", 1200) is curve("nr-nlos-mcs21-1500b")


def test_curves_between_two_efficiencies_lie_between_theirs() -> None:
    low, high = curve("nr-nlos-mcs7-100b"), curve("nr-nlos-mcs21-100b")
    found = nr_pssch_curve(nr_mcs_row(1, 14), "urban_nlos", 100)
    e = [nr_mcs_row(1, mcs).efficiency for mcs in (7, 14, 21)]
    a, b, c = (nominal_threshold_db(x) for x in e)
    share = (b - a) / (c - a)
    expected = low.point_sinr_db + share * (high.point_sinr_db - low.point_sinr_db)
    assert found.point_sinr_db == pytest.approx(expected)


def test_shift_rule_against_awgn_thresholds() -> None:
    """Our steps between MCS against those of AWGN simulations: within 2.5 dB from MCS 4 to 20."""
    source = TABLES / "nr_bler_awgn_thresholds.csv"
    if not source.exists():
        pytest.skip("reference tables are not beside this checkout")
    awgn = {
        int(row["i_mcs"]): float(row["sinr_db_at_bler_0p1"])
        for row in reversed(list(csv.DictReader(source.read_text().splitlines())))
        if row["mcs_table"] == "1" and row["ldpc_base_graph"] == "1"
    }
    ours = {mcs: nominal_threshold_db(nr_mcs_row(1, mcs).efficiency) for mcs in awgn}
    for low, high in ((4, 9), (9, 16), (16, 20), (4, 20)):
        assert abs(ours[high] - ours[low] - awgn[high] + awgn[low]) < 2.5


def test_unknown_environments_are_named() -> None:
    with pytest.raises(V2XError, match="highway_los"):
        nr_pssch_curve(nr_mcs_row(1, 7), "highway_loss", 100)
