"""Share of slots that sensing monitors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from v2x.cli.table import _radio
from v2x.metrics.sensing import KIND_NAMES, monitored_shares
from v2x.mobility.fleet import NodeKind
from v2x.records.tables import RunRecords


def test_names_are_those_of_the_kinds() -> None:
    assert tuple(kind.name.lower() for kind in NodeKind) == KIND_NAMES


def test_shares_are_over_slots_and_nodes_after_the_warm_up(
    make_records: Callable[..., RunRecords],
) -> None:
    table = {
        "time_s": np.array([0.5, 1.0, 1.0, 1.5]),
        "kind": np.array([0, 0, 3, 3], dtype=np.int32),
        "n_slots": np.array([100, 200, 300, 100]),
        "n_monitored": np.array([0, 200, 60, 40]),
    }
    shares = monitored_shares(make_records({"sensing": table}, warmup_s=0.5))
    assert shares == {"car": pytest.approx(1.0), "vru": pytest.approx(0.25)}
    assert monitored_shares(make_records({})) == {}


def test_a_person_sees_the_shares() -> None:
    values = dict.fromkeys(("mean", "p90", "p95", "n"), 0.1)
    summary = {"cbr": values, "latency_ms": values, "ipg_ms": values, "aoi_ms": values}
    assert _radio(summary)[-1][0] == "age of information"
    assert _radio(summary | {"share_monitored": {"car": 1.0}})[-1][0] == "age of information"
    shown = _radio(summary | {"share_monitored": {"car": 1.0, "vru": 0.135}})[-1]
    assert shown == ("slots monitored", "car 1.000, vru 0.135")
