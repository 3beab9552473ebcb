"""Figures of conflicts."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.records.tables import ConflictKind, RunRecords
from v2x.report import conflicts, style
from v2x.report.conflicts import conflict_map_figure, exceedance_figure, has_exposure
from v2x.report.page import _summary_section


@pytest.fixture
def records(make_records, make_table) -> RunRecords:
    """Two replications of 100 km; TTC 0.5 and 2.0 s in one, 2.0 s in the other; no PET."""
    tables = {
        "exposure": make_table(
            "exposure", replication=[0, 1], distance_m=100e3, vehicle_s=3600.0, following_s=60.0
        ),
        "conflicts": make_table(
            "conflicts",
            replication=[0, 0, 1],
            kind=[0, 1, 3],
            min_ttc_s=[0.5, 2.0, 2.0],
            pet_s=np.nan,
            x_m=[10.0, 20.0, 30.0],
            y_m=5.0,
        ),
    }
    return make_records(tables, replications=2, conflict_ttc_s=3.0)


def labels(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_exceedance_has_a_band_over_replications(records, tmp_path):
    figure = exceedance_figure(records)
    ttc, pet = figure.axes
    assert labels(ttc) == ["95 % over replications", "3 conflicts"]
    (line,) = ttc.get_lines()
    assert line.get_ydata()[[0, 150, -1]] == pytest.approx([0.0, 5.0, 15.0])
    band = ttc.collections[0].get_paths()[0].vertices
    # 20 and 10 per 1000 km below 3 s: 15 ± t(1) · 5, cut at 0.
    assert band[:, 1].min() == 0.0
    assert band[:, 1].max() == pytest.approx(15 + 12.706 * 5, rel=1e-3)
    assert [text.get_text() for text in pet.texts] == ["None."]
    assert ttc.get_xlabel().endswith("[s]")
    style.save(figure, tmp_path, "conflicts")


def test_the_map_tells_severity_and_kind(records, ridge, tmp_path):
    figure = conflict_map_figure(ridge, records)
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert told == ["serious (1)", "caution (2)", "following", "crossing", "merging"]
    style.save(figure, tmp_path, "conflict_map")


def test_every_kind_and_severity_has_a_look_of_its_own():
    assert set(conflicts._MARKERS) == set(ConflictKind)
    assert len(set(conflicts._MARKERS.values())) == len(ConflictKind)
    assert len(set(conflicts._COLOURS.values())) == 4


def test_runs_that_did_not_watch_have_no_figures(make_records, records):
    assert has_exposure(records)
    assert not has_exposure(make_records({}))


def test_nothing_happened(make_records, records, ridge, tmp_path):
    calm = make_records({"exposure": records.tables["exposure"]}, conflict_ttc_s=3.0)
    style.save(exceedance_figure(calm), tmp_path, "none")
    figure = conflict_map_figure(ridge, calm)
    assert "No conflict." in [text.get_text() for text in figure.axes[0].texts]


def test_the_page_shows_the_figures_in_words(records):
    from v2x.metrics.summary import summarise

    text = _summary_section(summarise(records, scenario_name="x", seed=1))
    assert "following 1, crossing 1, head on 0, merging 1" in text
    assert "Conflicts per 1000 km</th><td>15<" in text
