"""The figure of energy by grade."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.metrics.summary import summarise
from v2x.records.tables import RunRecords
from v2x.report import style
from v2x.report.energy import energy_figure, has_energy
from v2x.report.page import _summary_section


@pytest.fixture
def records(make_records, make_table) -> RunRecords:
    """Electric cars at 0.1 and 0.12 kWh/km on the level in two replications; nobody else."""
    table = make_table(
        "energy",
        replication=[0, 1],
        electric=True,
        grade_class=2,
        duration_s=60.0,
        distance_m=1000.0,
        drive_wh=[100.0, 120.0],
    )
    return make_records({"energy": table}, replications=2)


def test_energy_by_grade(records, tmp_path):
    figure = energy_figure(records)
    battery, co2 = figure.axes
    (bars,) = battery.containers
    assert bars.get_label() == "car"
    assert bars.lines[0].get_ydata()[2] == pytest.approx(0.11)
    (segments,) = bars.lines[2]
    ends = np.concatenate([line.reshape(-1, 2) for line in segments.get_segments()])[:, 1]
    low, high = np.nanmin(ends), np.nanmax(ends)
    assert (low, high) == pytest.approx((0.11 - 0.12706, 0.11 + 0.12706), rel=1e-3)
    assert battery.get_ylabel() == "Battery energy [kWh/km]"
    assert [text.get_text() for text in co2.texts] == ["No such vehicle."]
    style.save(figure, tmp_path, "energy")


def test_only_runs_that_recorded_it_have_the_figure(records, make_records):
    assert has_energy(records)
    assert not has_energy(make_records({}))


def test_the_page_tells_it(records, make_records):
    told = _summary_section(summarise(records, scenario_name="s", seed=1))
    assert "0.11 kWh/km" in told
    quiet = _summary_section(summarise(make_records({}), scenario_name="s", seed=1))
    assert "kWh/km" not in quiet
