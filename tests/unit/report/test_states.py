"""Shares of link states over time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from v2x.channel.base import LinkState
from v2x.report import states, style
from v2x.report.states import has_obstructed_links, link_states_figure, state_counts


@pytest.fixture
def records(make_records, make_table):
    def make(n: list[int], state: list[int], replication: int | list[int] = 0):
        time_s = [5.0, 5.0, 6.0, 6.0]
        table = make_table("link_states", replication=replication, time_s=time_s, state=state, n=n)
        return make_records({"link_states": table})

    return make


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_counts_add_up_replications(records):
    time_s, count = state_counts(records([3, 1, 2, 4], [0, 4, 0, 0], [0, 0, 0, 1]))
    assert time_s.tolist() == [5.0, 6.0]
    assert count[LinkState.LOS].tolist() == [3, 6]
    assert count[LinkState.DECK].tolist() == [1, 0]


def test_warm_up_does_not_count(records):
    run = records([3, 1, 2, 4], [0, 4, 0, 0])
    run = replace(run, facts={**run.facts, "warmup_s": 5.0})
    assert state_counts(run)[0].tolist() == [6.0]


def test_areas_are_shares_and_the_legend_tells_those_of_the_run(records, tmp_path):
    figure = link_states_figure(records([30, 10, 15, 5], [0, 5, 0, 5]))
    assert legend(figure) == ["behind the ground 25.0 %", "line of sight 75.0 %"]
    los, terrain = figure.axes[0].collections
    assert los.get_paths()[0].vertices[:, 1].max() == pytest.approx(0.75)
    assert terrain.get_paths()[0].vertices[:, 1].max() == pytest.approx(1.0)
    assert figure.axes[0].get_xlabel().endswith("[s]")
    style.save(figure, tmp_path, "states")


def test_rare_states_are_not_told_as_none(records):
    assert legend(link_states_figure(records([99999, 1, 99999, 0], [0, 6, 0, 6])))[0].endswith(
        "< 0.1 %"
    )


def test_every_state_has_a_look_of_its_own():
    assert set(states._LOOKS) == set(LinkState)
    assert len(set(states._LOOKS.values())) == len(LinkState)
    assert len({colour for _, colour in states._LOOKS.values()}) == len(LinkState)


def test_obstructed_links(records):
    assert has_obstructed_links(records([1, 1, 1, 1], [0, 1, 0, 0]))
    assert not has_obstructed_links(records([1, 0, 1, 1], [0, 1, 0, 0]))


def test_times_without_links_are_left_out(records, tmp_path):
    figure = link_states_figure(records([0, 0, 4, 4], [0, 1, 0, 1]))
    assert np.isfinite(figure.axes[0].collections[0].get_paths()[0].vertices).all()
    style.save(figure, tmp_path, "one")


def test_without_links_the_figure_says_so(make_records):
    axes = link_states_figure(make_records({})).axes[0]
    assert "No link" in axes.texts[0].get_text()
