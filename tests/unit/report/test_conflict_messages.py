"""The figure of messages before conflicts."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.records.tables import RunRecords
from v2x.report import style
from v2x.report.conflict_messages import conflict_messages_figure, has_conflict_messages


@pytest.fixture
def records(make_records, make_table) -> RunRecords:
    """Six of eight received before one conflict, half of all at these distances."""
    return make_records(
        {
            "conflicts": make_table("conflicts", event=[0], begin_s=[3.0]),
            "conflict_knowledge": make_table("conflict_knowledge", event=[0, 0]),
            "conflict_messages": make_table(
                "conflict_messages", outcome=[0] * 6 + [3, 4], distance_m=[10.0] * 8
            ),
            "links": make_table(
                "links", bin_upper_m=[20.0, 20.0], outcome=[0, 4], n=[50, 50], direction=[0, 0]
            ),
        }
    )


def test_bars_are_the_shares(records, tmp_path):
    """Causes of the losses; receptions are a number above."""
    assert has_conflict_messages(records)
    figure = conflict_messages_figure(records)
    (axes,) = figure.axes
    widths = [[bar.get_width() for bar in bars] for bars in axes.containers]
    assert widths == [pytest.approx(w) for w in ([0.125, 0.5], [0.125, 0.0])]
    assert [t.get_text() for t in axes.texts] == [" 75.0% received", " 50.0% received"]
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert told == ["95 %", "Collision", "Propagation"]
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        "before conflicts (1)",
        "all, same distances",
    ]
    style.save(figure, tmp_path, "conflict_messages")


def test_nothing_was_said(make_records, make_table, tmp_path):
    silent = make_records(
        {
            "conflicts": make_table("conflicts", event=[0]),
            "conflict_knowledge": make_table("conflict_knowledge", event=[0, 0]),
        }
    )
    figure = conflict_messages_figure(silent)
    assert [t.get_text() for t in figure.axes[0].texts] == ["No message before a conflict."]
    style.save(figure, tmp_path, "none")


def test_most_runs_do_not_follow_messages(make_records):
    assert not has_conflict_messages(make_records({}))
    figure = conflict_messages_figure(make_records({}))
    assert np.array_equal(figure.axes[0].get_yticks(), [])
