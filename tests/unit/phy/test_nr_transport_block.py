"""Transport blocks of NR sidelink: TS 38.214 5.1.3.1, 5.1.3.2 and 8.1.3.2."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from v2x.phy.nr.sci import SCI2A_BITS, SCI2B_BITS
from v2x.phy.nr.transport_block import (
    DMRS_ELEMENTS,
    NrMcs,
    PsschLayout,
    block_bits,
    nr_mcs_row,
    subchannels_needed,
    transport_block_bits,
)

TABLES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "tables"


def rows(name: str) -> list[dict[str, str]]:
    source = TABLES / name
    if not source.exists():
        pytest.skip("reference tables are not beside this checkout")
    return list(csv.DictReader(source.read_text().splitlines()))


@pytest.mark.parametrize("table", [1, 2, 3])
def test_mcs_tables_equal_the_reference(table: int) -> None:
    for row in rows(f"nr_mcs_table{table}.csv"):
        found = nr_mcs_row(table, int(row["i_mcs"]))
        assert found.modulation_order == int(row["qm"])
        assert found.rate * 1024 == float(row["target_code_rate_x1024"])
        assert found.efficiency == pytest.approx(float(row["spectral_efficiency"]), abs=6e-5)


def test_rows_of_the_mcs_tables() -> None:
    assert nr_mcs_row(1, 7) == NrMcs(2, 526 / 1024)
    assert nr_mcs_row(2, 27) == NrMcs(8, 948 / 1024)
    assert nr_mcs_row(3, 0) == NrMcs(2, 30 / 1024)
    for table, mcs in ((1, 29), (2, 28), (3, 29), (1, -1)):
        with pytest.raises(ValueError, match=f"mcs table {table}, got {mcs}"):
            nr_mcs_row(table, mcs)
    with pytest.raises(ValueError, match="mcs_table must be 1, 2 or 3, got 4"):
        nr_mcs_row(4, 0)


def test_small_blocks_take_the_next_size_of_the_list() -> None:
    """N_info = 2300: n = 5, N' = 2272, and 2280 is the next entry."""
    assert block_bits(2300.0, 0.5) == 2280
    assert block_bits(1.0, 0.5) == block_bits(24.0, 0.5) == 24
    assert block_bits(3824.0, 0.5) == 3824
    assert block_bits(0.0, 0.5) == block_bits(-5.0, 0.5) == 0


def test_every_small_size_is_reached_and_equals_the_reference() -> None:
    expected = [int(row["tbs_bits"]) for row in rows("nr_tbs_5_1_3_2_1.csv")]
    assert sorted({block_bits(float(n), 0.5) for n in range(24, 3825)}) == expected


def test_large_blocks() -> None:
    """N_info = 5000: n = 7, 4976 / 128 = 38.9 rounds to 39, N' = 4992; one code block."""
    assert block_bits(5000.0, 0.5) == 4992
    # n = 6, 3801 / 64 = 59.4 rounds to 59, and 3776 is below the least N' of 3840
    assert block_bits(3825.0, 0.5) == 3840
    # ties are rounded up: n = 7, (5144 - 24) / 128 is 40, (5208 - 24) / 128 = 40.5 gives 41
    assert block_bits(5144.0, 0.5) == 40 * 128
    assert block_bits(5208.0, 0.5) == 41 * 128


@pytest.mark.parametrize(
    ("n_info", "rate", "n_blocks"),
    [(8192.0, 0.5, 1), (8704.0, 0.5, 2), (20000.0, 0.5, 3), (8448.0, 0.25, 3), (20000.0, 0.2, 6)],
)
def test_code_blocks_are_equally_long(n_info: float, rate: float, n_blocks: int) -> None:
    """C code blocks of up to 8424 bits, or of 3816 at code rates up to 1/4: C divides the bytes."""
    n = math.floor(math.log2(n_info - 24)) - 5
    quantised = 2**n * math.floor((n_info - 24) / 2**n + 0.5)
    bits = block_bits(n_info, rate)
    assert -(-(quantised + 24) // (3816 if rate <= 0.25 else 8424)) == n_blocks
    assert (bits + 24) % (8 * n_blocks) == 0
    assert quantised <= bits < quantised + 8 * n_blocks


def test_resource_elements() -> None:
    """12 x 12 less 18 of DMRS on 20 blocks, less 3 x 10 blocks of PSCCH and 65 of SCI-2."""
    layout = PsschLayout()
    assert layout.data_elements(20, 526 / 1024) == 20 * (144 - 18) - 360 - 65
    # ceil(59 * 1.125 / (2 * 526 / 1024))
    assert layout.sci2_elements(20, 526 / 1024) == 65
    with_feedback = PsschLayout(psfch=True)
    assert with_feedback.data_elements(20, 526 / 1024) == 20 * (108 - 18) - 360 - 65
    sparse = PsschLayout(dmrs_symbols=(2,), pscch_symbols=2, overhead_elements=6)
    assert sparse.data_elements(10, 0.5) == 10 * (144 - 12 - 6) - 240 - 67
    assert SCI2B_BITS > SCI2A_BITS
    assert PsschLayout(sci2_bits=SCI2B_BITS).sci2_elements(20, 0.5) == 81


def test_sci2_takes_no_more_than_its_share() -> None:
    """At the lowest rates its coded bits would fill the allocation."""
    layout = PsschLayout(sci2_share=0.5)
    assert layout.sci2_elements(10, 30 / 1024) == (10 * 144 - 360) / 2
    assert PsschLayout().sci2_elements(10, 30 / 1024) == 10 * 144 - 360


def test_dmrs_of_several_patterns_is_their_mean() -> None:
    for patterns, elements in DMRS_ELEMENTS.items():
        assert elements == 6 * sum(patterns) / len(patterns)


def test_packets_of_the_reference_table() -> None:
    """1224 payloads by MCS, subchannel size and PSFCH; computed for other code, not by it."""
    for row in rows("nr_sl_packet_subchannels.csv"):
        size, mcs = int(row["subchannel_size_prb"]), nr_mcs_row(1, int(row["i_mcs_table1"]))
        layout = PsschLayout(
            psfch=row["psfch_in_slot"] == "1", pscch_symbols=2 if size == 50 else 3
        )
        needed, n_rb = int(row["subchannels_needed"]), int(row["n_prb"])
        assert subchannels_needed(int(row["payload_bytes"]), mcs, layout, size, 27) == needed
        elements = layout.data_elements(n_rb, mcs.rate)
        assert elements == int(row["n_re"])
        assert layout.sci2_elements(n_rb, mcs.rate) == int(row["sci2_coded_symbols"])
        assert transport_block_bits(elements, mcs) == int(row["tbs_bits"])


def test_packets_that_do_not_fit_are_refused_with_a_remedy() -> None:
    with pytest.raises(ValueError, match=r"1000 bytes do not fit into 5 subchannels .* raise"):
        subchannels_needed(1000, nr_mcs_row(1, 7), PsschLayout(), 10, 5)


@pytest.mark.parametrize(
    "change",
    [
        {"pscch_rb": 11},
        {"pscch_symbols": 4},
        {"dmrs_symbols": (3, 2)},
        {"beta_offset": 1.2},
        {"sci2_share": 0.7},
        {"overhead_elements": 1},
    ],
)
def test_impossible_layouts(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        PsschLayout(**change)  # type: ignore[arg-type]
