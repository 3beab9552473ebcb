"""Cooperative driving in whole runs, over the radio."""

from __future__ import annotations

import pytest

from tests.unit.applications.services.short_runs import short_run

TRUCKS = {
    "duration_s": "5",
    "traffic__mix.car": "0",
    "traffic__mix.truck": "1",
    "traffic__mix.bus": "0",
    "world__lanes_per_direction": "1",
}


def test_platoons_drive_by_what_the_radio_delivers() -> None:
    records = short_run(
        "platooning",
        _at_start="1",
        _size="2",
        _join_m="250",
        **TRUCKS,
        traffic__density_per_km="12",
    )
    table = records.tables["platoons"]
    assert set(table["rank"].tolist()) >= {0, 1}
    ages = table["age_s"][(table["rank"] == 1) & (table["time_s"] >= 1.0)]
    # A message takes up to 0.1 s on the air, and is used at the next tick.
    assert 0.0 < min(ages) <= 0.3


@pytest.mark.parametrize("service", ["lane-change", "merging", "intersection-passing"])
def test_the_services_run_where_there_is_nothing_to_do(service: str) -> None:
    records = short_run(service, duration_s="1")
    assert len(records.tables["dialogues"]["number"]) == 0
