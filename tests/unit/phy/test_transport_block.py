"""Transport blocks against the figures of TS 36.213 and a table of packet fits."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from v2x.phy.transport_block import (
    MAX_MCS,
    Mcs,
    code_rate,
    largest_dft_allocation,
    mcs_row,
    pssch_rb,
    smallest_allocation,
    subchannels_needed,
    transport_block_bits,
    transport_block_table,
)

TABLES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "tables"

# bytes, MCS, modulation order, I_TBS, RB, TBS, code rate, adjacent subchannels of 10 RB.
PACKETS = [
    (190, 3, 2, 3, 27, 1544, 0.269, 3),
    (190, 4, 2, 4, 24, 1736, 0.34, 3),
    (190, 5, 2, 5, 18, 1544, 0.403, 2),
    (190, 6, 2, 6, 15, 1544, 0.484, 2),
    (190, 7, 2, 7, 15, 1800, 0.563, 2),
    (190, 8, 2, 8, 12, 1672, 0.654, 2),
    (190, 9, 2, 9, 10, 1544, 0.726, 2),
    (190, 10, 2, 10, 9, 1544, 0.807, 2),
    (190, 11, 4, 10, 9, 1544, 0.403, 2),
    (190, 13, 4, 12, 8, 1800, 0.528, 1),
    (190, 15, 4, 14, 6, 1736, 0.679, 1),
    (300, 3, 2, 3, 45, 2600, 0.27, 5),
    (300, 4, 2, 4, 36, 2600, 0.337, 4),
    (300, 5, 2, 5, 30, 2664, 0.415, 4),
    (300, 6, 2, 6, 24, 2472, 0.481, 3),
    (300, 7, 2, 7, 20, 2472, 0.578, 3),
    (300, 8, 2, 8, 18, 2536, 0.658, 2),
    (300, 9, 2, 9, 16, 2536, 0.741, 2),
    (300, 10, 2, 10, 15, 2664, 0.83, 2),
    (300, 11, 4, 10, 15, 2664, 0.415, 2),
    (300, 13, 4, 12, 12, 2728, 0.531, 2),
    (300, 15, 4, 14, 9, 2600, 0.675, 2),
]


@pytest.mark.parametrize(
    ("tbs_index", "n_rb", "bits"), [(9, 10, 1544), (6, 15, 1544), (0, 1, 16), (6, 1, 328)]
)
def test_transport_block_vectors(tbs_index: int, n_rb: int, bits: int) -> None:
    assert transport_block_bits(tbs_index, n_rb) == bits


def test_transport_block_table_is_that_of_the_standard() -> None:
    table = transport_block_table()
    assert table.shape == (27, 110)
    assert np.all(table % 8 == 0)
    assert table[26, 109] == 75376
    # It grows with both indices, but for the entry that the standard has out of line.
    grows_with_rb = np.diff(table, axis=1) >= 0
    assert np.argwhere(~grows_with_rb).tolist() == [[6, 0]]
    assert np.argwhere(np.diff(table, axis=0) < 0).tolist() == [[6, 0]]
    with pytest.raises(ValueError, match="read-only"):
        table[0, 0] = 0


def test_transport_block_table_equals_the_reference() -> None:
    source = TABLES / "tbs_lte.csv"
    if not source.exists():
        pytest.skip("reference tables are not beside this checkout")
    rows = csv.reader(source.read_text().splitlines()[1:])
    assert transport_block_table().tolist() == [[int(v) for v in row[1:]] for row in rows]


@pytest.mark.parametrize(("tbs_index", "n_rb"), [(-1, 10), (27, 10), (5, 0), (5, 111)])
def test_blocks_outside_the_table_are_rejected(tbs_index: int, n_rb: int) -> None:
    with pytest.raises(ValueError, match=f"got {tbs_index} and {n_rb}"):
        transport_block_bits(tbs_index, n_rb)


def test_mcs_rows() -> None:
    assert [mcs_row(m) for m in (0, 10, 11, 20)] == [Mcs(2, 0), Mcs(2, 10), Mcs(4, 10), Mcs(4, 19)]
    # Rel-14 sidelink caps the modulation at 16QAM.
    assert [mcs_row(m) for m in (21, 28)] == [Mcs(4, 19), Mcs(4, 26)]
    for mcs in (-1, MAX_MCS + 1):
        with pytest.raises(ValueError, match=f"got {mcs}"):
            mcs_row(mcs)


def test_mcs_rows_equal_the_reference() -> None:
    source = TABLES / "mcs_lte_pssch.csv"
    if not source.exists():
        pytest.skip("reference tables are not beside this checkout")
    for row in csv.DictReader(source.read_text().splitlines()):
        expected = Mcs(int(row["qm_rel14_sidelink_cap_16qam"]), int(row["i_tbs"]))
        assert mcs_row(int(row["i_mcs"])) == expected


def test_dft_sizes() -> None:
    assert [largest_dft_allocation(n) for n in (1, 7, 10, 13, 18, 23, 49, 50, 98)] == [
        1, 6, 10, 12, 18, 20, 48, 50, 96
    ]  # fmt: skip
    with pytest.raises(ValueError, match="n_rb must be at least 1"):
        largest_dft_allocation(0)


def test_control_takes_two_blocks_when_adjacent() -> None:
    assert pssch_rb(1, 12, adjacent=True) == 10
    assert pssch_rb(1, 12, adjacent=False) == 12
    assert pssch_rb(5, 10, adjacent=True) == 48


@pytest.mark.parametrize("packet", PACKETS)
def test_packets_fit_as_worked_out(packet: tuple[float, ...]) -> None:
    size, mcs, order, tbs_index, n_rb, bits, rate, subchannels = packet
    row = mcs_row(int(mcs))
    assert row == Mcs(int(order), int(tbs_index))
    assert smallest_allocation(int(size), int(mcs), 50) == n_rb
    assert transport_block_bits(row.tbs_index, int(n_rb)) == bits
    assert code_rate(int(bits), int(n_rb), row.modulation_order) == pytest.approx(rate, abs=6e-4)
    assert subchannels_needed(int(size), int(mcs), 10, True, 10) == subchannels


def test_packets_fit_as_in_the_reference_table() -> None:
    source = TABLES / "lte_packet_rbs.csv"
    if not source.exists():
        pytest.skip("reference tables are not beside this checkout")
    for row in csv.DictReader(source.read_text().splitlines()):
        size, mcs = int(row["payload_bytes"]), int(row["i_mcs"])
        n_rb = smallest_allocation(size, mcs, 100)
        assert n_rb == int(row["n_prb_min_dft_valid"])
        bits = transport_block_bits(mcs_row(mcs).tbs_index, n_rb)
        assert bits == int(row["tbs_at_dft_valid"])
        order = mcs_row(mcs).modulation_order
        assert code_rate(bits, n_rb, order) == pytest.approx(float(row["code_rate_9sym"]), abs=6e-4)
        assert code_rate(bits, n_rb, order, 8) == pytest.approx(
            float(row["code_rate_8sym"]), abs=6e-4
        )
        for subchannel_rb in (5, 6, 10, 15, 20, 25):
            needed = row[f"subch_needed_adjacent_size{subchannel_rb}"]
            if needed and int(needed) * subchannel_rb <= 100:
                fit = subchannels_needed(size, mcs, subchannel_rb, True, 100 // subchannel_rb)
                assert fit == int(needed), (size, mcs, subchannel_rb)


def test_packets_that_do_not_fit_say_what_would_help() -> None:
    with pytest.raises(ValueError, match=r"300 bytes do not fit into 2 subchannels of 10 .* raise"):
        subchannels_needed(300, 6, 10, True, 2)
    with pytest.raises(ValueError, match=r"300 bytes do not fit into 20 resource blocks at mcs 6"):
        smallest_allocation(300, 6, 20)
