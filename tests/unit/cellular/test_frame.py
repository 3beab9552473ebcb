"""Numerology and duplex patterns, by clause."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from v2x.cellular.frame import RESOURCE_BLOCKS, Frame
from v2x.phy.nr.processing import N1_SYMBOLS, N2_SYMBOLS, processing_us

TABLES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "tables"


def table(name: str) -> list[dict[str, str]]:
    if not (TABLES / name).exists():
        pytest.skip("the reference tables are not beside the checkout")
    with (TABLES / name).open() as lines:
        return list(csv.DictReader(lines))


def test_processing_times_are_those_of_38_214() -> None:
    for row in table("nr_ue_proc_times.csv")[:3]:
        scs = 15 * 2 ** int(row["mu"])
        for k, capability in enumerate(("cap1", "cap2")):
            for symbols, clause in ((N1_SYMBOLS, "1"), (N2_SYMBOLS, "2")):
                expected = float(row[f"Tproc{clause}_{capability}_us"])
                assert processing_us(symbols[scs][k], scs) == pytest.approx(expected, abs=0.06)


def test_resource_blocks_are_those_of_38_101() -> None:
    for row in table("nr_nrb_fr1.csv"):
        for scs in (15, 30, 60):
            written = row[f"n_rb_scs{scs}"]
            known = RESOURCE_BLOCKS[scs].get(int(row["bandwidth_mhz"]))
            assert known == (int(written) if written else None)


def test_special_slots_carry_no_uplink() -> None:
    frame = Frame("DDDSU", 30)
    assert frame.wait_for_uplink().tolist() == [4, 3, 2, 1, 0]
    assert frame.wait_for_downlink().tolist() == [0, 0, 0, 0, 1]
    assert (frame.uplink_share, frame.downlink_share) == (0.2, 0.8)
    assert frame.occasions(5000).tolist() == [4, 9]
    assert Frame("F", 15).wait_for_uplink().tolist() == [0]


@pytest.mark.parametrize("pattern", ["", "DDD", "UU", "DXU", "dddsu"])
def test_impossible_patterns_are_rejected(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Frame(pattern, 30)


def test_unknown_numerology_is_rejected() -> None:
    with pytest.raises(ValueError, match="scs_khz"):
        Frame("DDDSU", 120)
