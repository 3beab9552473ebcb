"""The figure of warnings: what alerts turned out to be, and the way that they left."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from v2x.cli.table import print_summary
from v2x.metrics.summary import summarise
from v2x.report import style
from v2x.report.page import _summary_section
from v2x.report.warnings import has_warnings, warnings_figure

NAN = np.nan


@pytest.fixture
def tables(make_table) -> dict[str, Any]:
    """One alert of each sort of `fcw`, and two signs.

    Vehicles 1 and 2 come into conflict, and 3 and 4. Told are 1 (in time), 3 (late), 2 (way not
    known), 5 of 6 (no conflict), 5 of 7 (other deck).
    """
    return {
        "exposure": make_table("exposure", vehicle_s=[900.0], distance_m=[1e5]),
        "devices": make_table("devices", id=[1, 2, 3, 4], equipped=[True] * 4),
        "conflicts": make_table(
            "conflicts",
            event=[0, 1],
            vehicle_id=[2, 3],
            other_id=[1, 4],
            begin_s=[2.0, 2.0],
            worst_s=[2.5, 2.5],
            end_s=[3.0, 3.0],
            min_ttc_s=[1.0, 1.0],
        ),
        "warnings": make_table(
            "warnings",
            warning=range(7),
            application=[0, 0, 0, 0, 0, 1, 1],
            vehicle_id=[1, 3, 2, 5, 5, 1, 2],
            other_id=[2, 4, 1, 6, 7, -1, -1],
            begin_s=[1.0] * 7,
            end_s=[2.0] * 7,
            distance_m=[60.0, 20.0, 50.0, 70.0, 80.0, NAN, NAN],
            needed_m=[40.0, 30.0, NAN, 60.0, 50.0, NAN, NAN],
            other_deck=[False, False, False, False, True, False, False],
        ),
    }


def legend_of(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_bars_are_the_shares_of_each_sort(make_records, tables, tmp_path):
    records = make_records(tables, warnings=["fcw", "ivs"])
    assert has_warnings(records)
    figure = warnings_figure(records)
    bars = figure.axes[0]
    assert legend_of(figure) == [
        "conflict, in time",
        "conflict, late",
        "conflict, way unknown",
        "no conflict followed",
        "other deck",
        "about the road",
    ]
    widths = [[bar.get_width() for bar in sort] for sort in bars.containers]
    assert widths == [pytest.approx([0.2, 0.0])] * 5 + [pytest.approx([0.0, 1.0])]
    starts = [sort[0].get_x() for sort in bars.containers[:5]]
    assert starts == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])
    assert [text.get_text() for text in bars.texts] == ["5", "2"]
    assert [text.get_text() for text in bars.get_yticklabels()] == ["fcw", "ivs"]
    style.save(figure, tmp_path, "warnings")


def test_margins_are_quantiles(make_records, tables):
    """Margins of 20, -10, 10 and 30 m; signs know none."""
    records = make_records(tables, warnings=["fcw", "ivs"])
    _, margins = warnings_figure(records).axes
    line, bar, mark, zero = (np.asarray(item.get_xdata()) for item in margins.lines)
    assert line == pytest.approx(np.quantile([-10, 10, 20, 30], [0.05, 0.95]))
    assert bar == pytest.approx([5.0, 22.5])
    assert mark == pytest.approx([15.0])
    assert zero.tolist() == [0.0, 0.0]
    low, high = margins.get_xlim()
    assert low < line[0] < line[1] < high


def test_without_a_watch_for_conflicts_none_is_said_to_be_missing(make_records, tables):
    unwatched = {name: tables[name] for name in ("warnings", "devices")}
    figure = warnings_figure(make_records(unwatched, warnings=["fcw", "ivs"]))
    assert legend_of(figure) == ["conflicts not watched", "other deck", "about the road"]


def test_no_alert_knows_its_way(make_records, make_table):
    silent = make_records({}, warnings=["glosa"])
    figure = warnings_figure(silent)
    assert [text.get_text() for text in figure.axes[0].texts] == ["0"]
    assert [text.get_text() for text in figure.axes[1].texts] == ["No alert knows the way needed."]


def test_many_warnings_get_a_taller_figure(make_records, tables):
    many = make_records(tables, warnings=[f"w{k}" for k in range(17)])
    few = make_records(tables, warnings=["fcw", "ivs"])
    assert warnings_figure(many).get_figheight() > 2.0 * warnings_figure(few).get_figheight()
    assert not has_warnings(make_records({}))


def test_the_report_shows_them(make_records, tables):
    """Without drawing: the rows of the page's first table."""
    records = make_records(tables, warnings=["fcw", "ivs"], conflict_ttc_s=3.0)
    section = _summary_section(summarise(records, scenario_name="x", seed=1))
    rows = dict(re.findall("<tr><th>(.*?)</th><td>(.*?)</td></tr>", section))
    assert rows["Alerts"] == "fcw 5, ivs 2"
    assert rows["Of these between two with devices"] == "2"
    assert rows["Warned of in time, of the latter"] == "0.5"


def test_the_table_of_the_command_line(make_records, tables, capsys):
    """Two dangers, of which one was warned of in time; one of five alerts is of another deck."""
    records = make_records(tables, warnings=["fcw", "ivs"], conflict_ttc_s=3.0)
    print_summary(summarise(records, scenario_name="x", seed=1))
    lines = capsys.readouterr().out.splitlines()
    told = {line[2:].split("  ")[0]: line.split("  ")[-1].strip() for line in lines if line}
    assert told["alerts"] == "fcw 5, ivs 2"
    assert told["of these about other decks"] == "fcw 20%"
    assert told["dangers warned of in time"] == "0.50 of 2"
