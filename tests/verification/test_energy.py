"""Energy of whole runs: the same bytes, nothing else moved, agreement between tables."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

QUICK = {"duration_s": "6", "warmup_s": "2", "traffic.n_vehicles": "60"}


def run(**changes: str) -> RunRecords:
    pairs = [*QUICK.items(), *((key.replace("__", "."), value) for key, value in changes.items())]
    return simulate(load_scenario("hill_streets", pairs))


@pytest.fixture(scope="module")
def recorded() -> RunRecords:
    return run(energy__record="true")


def test_recording_changes_nothing_else(recorded: RunRecords) -> None:
    plain = run()
    assert len(plain.tables["energy"]["kind"]) == 0
    for name in set(plain.tables) - {"energy"}:
        for key, values in plain.tables[name].items():
            assert recorded.tables[name][key].tobytes() == values.tobytes(), (name, key)


def test_the_same_seed_gives_the_same_energy(recorded: RunRecords) -> None:
    again = run(energy__record="true").tables["energy"]
    for key, values in recorded.tables["energy"].items():
        assert again[key].tobytes() == values.tobytes(), key


def test_ways_and_times_are_those_of_table_exposure(recorded: RunRecords) -> None:
    """Energy counts the time between states, exposure that after each: one tick of 40 apart."""
    energy, exposure = recorded.tables["energy"], recorded.tables["exposure"]
    assert energy["distance_m"].sum() == pytest.approx(exposure["distance_m"].sum(), rel=0.04)
    assert energy["duration_s"].sum() == pytest.approx(exposure["vehicle_s"].sum(), rel=0.04)


def test_hills_cost_uphill_and_give_back_downhill(recorded: RunRecords) -> None:
    table = recorded.tables["energy"]
    electric = table["electric"] & (table["kind"] == 0)
    net = table["drive_wh"] - table["regen_wh"] + table["aux_wh"]
    wh_per_km = [
        1000.0
        * net[electric & (table["grade_class"] == k)].sum()
        / table["distance_m"][electric & (table["grade_class"] == k)].sum()
        for k in (0, 2, 4)
    ]
    assert wh_per_km[0] < 0.0 < wh_per_km[1] < wh_per_km[2]
    assert np.isfinite(wh_per_km).all()
