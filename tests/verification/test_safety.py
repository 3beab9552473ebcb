"""Surrogate safety measures of whole runs: the same bytes, and agreement between tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.metrics.conflicts import conflict_figures
from v2x.metrics.safety import safety
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

QUICK = {"duration_s": "8", "warmup_s": "2", "traffic.n_vehicles": "120"}


def run(**changes: str) -> RunRecords:
    pairs = [*QUICK.items(), *((key.replace("__", "."), value) for key, value in changes.items())]
    return simulate(load_scenario("hill_streets", pairs))


@pytest.fixture(scope="module")
def plain() -> RunRecords:
    return run()


def same(one: RunRecords, other: RunRecords, names: Any) -> bool:
    return all(
        one.tables[name][key].tobytes() == values.tobytes()
        for name in names
        for key, values in other.tables[name].items()
    )


def test_r15_the_same_seed_gives_the_same_conflicts(plain: RunRecords) -> None:
    """Regression R15: identical tables, event numbers included."""
    assert len(plain.tables["conflicts"]["event"]) > 0
    assert same(plain, run(), ("conflicts", "exposure"))
    assert not same(plain, run(seed="2"), ("exposure",))


def test_watching_changes_nothing_else(plain: RunRecords) -> None:
    off = run(safety__conflicts="false")
    assert conflict_figures(off) is None
    assert len(off.tables["conflicts"]["event"]) == 0
    others = set(plain.tables) - {"conflicts", "exposure"}
    assert same(plain, off, others)


def test_numbers_do_not_hang_on_the_thresholds_of_others(plain: RunRecords) -> None:
    """A lower threshold finds a part of the conflicts, with the same TTC."""
    few = run(safety__ttc_s="2.6").tables["conflicts"]
    many = plain.tables["conflicts"]
    known = set(zip(many["vehicle_id"], many["other_id"], many["min_ttc_s"], strict=True))
    on_course = np.isfinite(few["min_ttc_s"])
    found = zip(
        *(few[key][on_course] for key in ("vehicle_id", "other_id", "min_ttc_s")), strict=True
    )
    assert 0 < on_course.sum() < len(many["event"])
    assert set(found) <= known


def test_followers_agree_with_table_safety(plain: RunRecords) -> None:
    """The smallest TTC and the largest DRAC of followers are those of the older table."""
    worst = safety(plain)
    found = plain.tables["conflicts"]
    followers = found["kind"] == 0
    assert found["min_ttc_s"][followers].min() == pytest.approx(worst.min_ttc_s)
    below = found["min_ttc_s"][followers] < 3.0
    assert below.all()
    assert np.nanmax(found["max_drac_mps2"][followers]) <= worst.max_drac_mps2 + 1e-12


def test_rows_join_on_events(plain: RunRecords) -> None:
    found = plain.tables["conflicts"]
    assert found["event"].tolist() == list(range(len(found["event"])))
    assert (found["begin_s"] <= found["worst_s"] + 1e-9).all()
    assert (found["worst_s"] <= found["end_s"] + 0.1 + 1e-9).all()
    assert (found["vehicle_id"] != found["other_id"]).all()
    exposure = plain.tables["exposure"]
    assert exposure["tet_s"].sum() == pytest.approx(found["tet_s"].sum())
    assert exposure["tit_s2"].sum() == pytest.approx(found["tit_s2"].sum())
