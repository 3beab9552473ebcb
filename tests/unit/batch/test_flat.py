from __future__ import annotations

import math

from v2x.batch.flat import rows_of


def test_bins_intervals_and_names() -> None:
    summary = {
        "scenario": "x",
        "wall_s": 3.0,
        "prr": {
            "bin_upper_m": [20.0, 40.0],
            "value": [1.0, None],
            "ci_low": [0.9, None],
            "ci_high": [1.0, None],
            "n": [10, 0],
            "ci_method": ["wilson", "none"],
        },
        "outcomes": {"received": [1.0, 0.5]},
        "ipg_ms": {"mean": 100.0, "ci_low": 99.0, "ci_high": 101.0, "n": 7, "p50": 90.0},
        "services": {"parking": {"n": 4, "counts": [1, 2, 3]}},
        "positioning": None,
    }
    rows = [(r.metric, r.bin, r.value, r.low, r.high, r.n) for r in rows_of(summary)]

    assert [row[0] for row in rows] == [
        *("prr", "prr", "outcomes.received", "outcomes.received", "ipg_ms", "ipg_ms.p50"),
        *("services.parking.n", *["services.parking.counts"] * 3, "positioning"),
    ]
    assert rows[0] == ("prr", 20.0, 1.0, 0.9, 1.0, 10.0)
    assert rows[1][1] == 40.0
    assert math.isnan(rows[1][2])
    assert rows[3][:3] == ("outcomes.received", 40.0, 0.5)
    assert rows[4][2:] == (100.0, 99.0, 101.0, 7.0)
    assert math.isnan(rows[5][3])
    assert [row[1] for row in rows[7:10]] == [0.0, 1.0, 2.0]
