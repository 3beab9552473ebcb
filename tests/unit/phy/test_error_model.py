"""Error curves: the published figures, the ends, the choice of a curve."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.phy.error_model import (
    ENVIRONMENTS,
    BlerCurve,
    curve,
    names,
    nominal_threshold_db,
    pscch_curve,
    pssch_curve,
)

TABLES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "tables"
SWEEP_DB = np.linspace(-60.0, 80.0, 28_001)
PROBIT = [name for name in names() if curve(name).method == "probit"]


def test_r1_160284_at_and_between_its_points() -> None:
    # The table of 3GPP R1-160284, 190 bytes, 280 km/h.
    snr_db = np.arange(-2, 17, 2)
    rate_07 = [1, 1, 0.9, 0.7, 0.4, 0.13, 0.045, 0.017, 0.007, 0.001]
    rate_05 = [1, 0.9, 0.7, 0.3, 0.09, 0.02, 0.002, 0.001, 0.001, 0.001]
    assert curve("r1-160284-qpsk-r0.7").bler(snr_db) == pytest.approx(rate_07)
    assert curve("r1-160284-qpsk-r0.5").bler(snr_db) == pytest.approx(rate_05)
    # Straight between 4 and 6 dB; 1 before, the last value after.
    assert curve("r1-160284-qpsk-r0.7").bler(5.5) == pytest.approx(0.475)
    assert curve("r1-160284-qpsk-r0.7").bler([-np.inf, -2.1, 16.1, np.inf]).tolist() == [
        1.0, 1.0, 0.001, 0.001
    ]  # fmt: skip


@pytest.mark.parametrize("name", names())
def test_every_curve_falls_from_one(name: str) -> None:
    bler = curve(name).bler(SWEEP_DB)
    assert bler[0] == 1.0
    assert np.all(np.diff(bler) <= 0.0)
    assert 0.0 <= bler[-1] <= 1e-3
    assert curve(name).name == name
    assert curve(name).source


@pytest.mark.parametrize("name", PROBIT)
def test_probit_curves_pass_through_their_operating_points_and_end(name: str) -> None:
    found = curve(name)
    assert found.point_bler.tolist() == [0.9, 0.5, 0.1, 0.01]
    assert found.bler(found.point_sinr_db) == pytest.approx([0.9, 0.5, 0.1, 0.01])
    assert found.bler([-np.inf, np.inf]).tolist() == [1.0, 0.0]
    # The ends are cut where they no longer matter.
    inside = found.bler(SWEEP_DB)
    inside = inside[(inside > 0.0) & (inside < 1.0)]
    assert inside.max() <= 0.9999
    assert inside.min() >= 1e-6


def test_probit_segment_is_a_normal_distribution() -> None:
    # Quantiles of 0.5 and 0.1 are 0 and -1.28155; half-way, -0.640776, is 0.260834.
    found = curve("lte-highway-los-mcs7-350b")
    half_way_db = (found.point_sinr_db[1] + found.point_sinr_db[2]) / 2.0
    assert found.bler(half_way_db) == pytest.approx(0.260834, abs=1e-6)


def test_linear_curves_are_certain_failure_before_their_first_point() -> None:
    steep = BlerCurve(
        name="x",
        source="x",
        point_sinr_db=np.array([0.0, 2.0]),
        point_bler=np.array([0.8, 0.2]),
        method="linear",
    )
    assert steep.bler([-0.01, 0.0, 1.0, 3.0]).tolist() == [1.0, 0.8, 0.5, 0.2]


@pytest.mark.parametrize(
    ("mcs", "environment", "at_half_db", "at_tenth_db"),
    [
        (4, "highway_los", -1.6, 0.1),
        (5, "highway_nlos", 2.8, 4.3),
        (7, "urban_los", 2.8, 4.9),
        (9, "crossing_nlos", 10.9, 13.6),
        (10, "highway_los", 6.5, 8.8),
        (11, "highway_nlos", 9.0, 11.0),
    ],
)
def test_published_thresholds(
    mcs: int, environment: str, at_half_db: float, at_tenth_db: float
) -> None:
    thresholds = pssch_curve(mcs, environment, 350).point_sinr_db[1:3]
    assert thresholds == pytest.approx([at_half_db, at_tenth_db], abs=0.051)


def full_curves() -> dict[str, list[tuple[float, float]]]:
    """Return the full curves behind the operating points by our names, or skip."""
    pssch, pscch = TABLES / "bler_lte_pssch_wilab.csv", TABLES / "bler_lte_pscch_awgn_nist.csv"
    if not (pssch.exists() and pscch.exists()):
        pytest.skip("reference tables are not beside this checkout")
    words = {
        "HighwayLOS": "highway-los",
        "HighwayNLOS": "highway-nlos",
        "UrbanLOS": "urban-los",
        "UrbanNLOS": "urban-nlos",
        "CrossingNLOS": "crossing-nlos",
    }
    full = defaultdict(list)
    for row in csv.DictReader(pssch.read_text().splitlines()):
        if row["tech"] == "LTE":
            name = f"lte-{words[row['scenario']]}-mcs{row['i_mcs']}-{row['payload_bytes']}b"
            full[name].append((float(row["sinr_db"]), float(row["per"])))
    for row in csv.DictReader(pscch.read_text().splitlines()):
        full["lte-pscch-awgn"].append((float(row["sinr_db"]), float(row["bler"])))
    return full


def test_distance_to_the_full_curves_is_as_documented() -> None:
    full = full_curves()
    of_lte = [name for name in PROBIT if name.startswith("lte-")]
    assert set(of_lte) <= set(full)
    worst, squares = {}, []
    for name in of_lte:
        sinr_db, bler = np.array(full[name]).T
        error = curve(name).bler(sinr_db) - bler
        worst[name] = float(np.abs(error).max())
        if name != "lte-urban-nlos-mcs6-100b":
            squares.append(error**2)
    assert worst.pop("lte-urban-nlos-mcs6-100b") == pytest.approx(0.045, abs=1e-3)
    assert max(worst.values()) < 0.020
    assert np.sqrt(np.concatenate(squares).mean()) == pytest.approx(0.004, abs=5e-4)


def test_operating_points_equal_the_reference() -> None:
    source = TABLES / "bler_operating_points.csv"
    if not source.exists():
        pytest.skip("reference tables are not beside this checkout")
    columns = [f"sinr_db_bler_{p}" for p in ("0p9", "0p5", "0p1", "0p01")]
    known = {
        tuple(row[column] for column in columns)
        for row in csv.DictReader(source.read_text().splitlines())
    }
    for name in PROBIT:
        assert any(
            all(v and float(v) == x for v, x in zip(row, curve(name).point_sinr_db, strict=True))
            for row in known
        ), name


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_needed_sinr_grows_with_the_mcs_but_where_the_source_says_otherwise(
    environment: str,
) -> None:
    at_10_percent = {mcs: pssch_curve(mcs, environment, 350).point_sinr_db[2] for mcs in range(21)}
    out_of_line = () if environment == "urban_nlos" else (9, 10)
    regular = [sinr for mcs, sinr in at_10_percent.items() if mcs not in out_of_line]
    assert np.all(np.diff(regular) >= 0.0)
    for mcs in out_of_line:
        assert at_10_percent[mcs] > at_10_percent[11]


def test_measured_curves_are_taken_as_they_are() -> None:
    assert pssch_curve(7, "highway_los") is curve("lte-highway-los-mcs7-350b")
    assert pssch_curve(5, "highway_los", 190) is curve("lte-highway-los-mcs5-190b")
    assert pssch_curve(5, "highway_los", 1000) is curve("lte-highway-los-mcs5-350b")
    assert pssch_curve(6, "urban_nlos", 100) is curve("lte-urban-nlos-mcs6-100b")


def test_missing_curves_are_shifted_from_the_nearest_mcs() -> None:
    # MCS 8 lies between 7 and 9: the lower one is shifted.
    near = curve("lte-crossing-nlos-mcs7-350b")
    shifted = pssch_curve(8, "crossing_nlos")
    offset_db = nominal_threshold_db(8) - nominal_threshold_db(7)
    assert 0.5 < offset_db < 1.5
    assert shifted.point_sinr_db == pytest.approx(near.point_sinr_db + offset_db)
    assert shifted.bler(SWEEP_DB + offset_db) == pytest.approx(near.bler(SWEEP_DB), abs=1e-6)
    assert shifted.name == "lte-crossing-nlos-mcs8-350b"
    assert "mcs7-350b shifted by" in shifted.source


def test_shift_rule_against_the_published_curves() -> None:
    worst = dict.fromkeys((5, 7, 9, 10, 11), 0.0)
    for environment in ("highway_los", "highway_nlos", "urban_los", "crossing_nlos"):
        base = pssch_curve(4, environment, 350).point_sinr_db[2] - nominal_threshold_db(4)
        for mcs in worst:
            measured = pssch_curve(mcs, environment, 350).point_sinr_db[2]
            miss_db = abs(measured - base - nominal_threshold_db(mcs))
            worst[mcs] = max(worst[mcs], miss_db)
    assert max(worst[5], worst[7], worst[11]) < 1.1
    assert worst[10] == pytest.approx(2.7, abs=0.05)
    assert worst[9] == pytest.approx(5.4, abs=0.05)


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(V2XError, match=r"^f\.yaml: phy\.error_curve: .*'r1-160284-qpsk-r0\.7'\?"):
        curve("r1-160284-qpsk-r07", file="f.yaml", key="phy.error_curve")
    with pytest.raises(V2XError, match="did you mean 'highway_los'"):
        pssch_curve(7, "highway_loss")
    with pytest.raises(ValueError, match="mcs must be within 0 and 20, got 21"):
        pssch_curve(21, "highway_los")


@pytest.mark.parametrize(
    ("sinr_db", "bler", "method", "reason"),
    [
        ([0.0, 1.0], [0.1, 0.9], "linear", "must fall"),
        ([1.0, 0.0], [0.9, 0.1], "linear", "must ascend"),
        ([0.0, 1.0], [1.0, 0.1], "probit", "exclusive"),
        ([0.0, 1.0], [1.1, 0.1], "linear", "must fall within 0 and 1"),
        ([0.0], [0.5], "linear", "two or more pairs"),
    ],
)
def test_points_that_are_no_curve_are_rejected(sinr_db, bler, method, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        BlerCurve(
            name="x",
            source="x",
            point_sinr_db=np.array(sinr_db),
            point_bler=np.array(bler),
            method=method,
        )


def test_points_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        pscch_curve().point_bler[0] = 0.5
