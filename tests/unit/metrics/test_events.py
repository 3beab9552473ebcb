"""Figures of messages of events, counted by hand apart from periodic ones."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.metrics.events import figures_by_sort
from v2x.metrics.summary import summarise
from v2x.records.tables import FIRST_ROADSIDE_ID


@pytest.fixture
def packets(make_table):
    """Two events, one never sent; two periodic packets, one in the warm-up, one of an RSU."""
    return make_table(
        "packets",
        packet=[0, 1, 2, 3, 4],
        tx_id=[1, 2, 1, 2, FIRST_ROADSIDE_ID],
        generated_us=[2_000_000, 3_000_000, 2_000_000, 500_000, 2_000_000],
        first_slot_us=[2_010_000, -1, 2_040_000, 510_000, 2_001_000],
        last_slot_us=[2_010_000, -1, 2_040_000, 510_000, 2_001_000],
        n_attempts=[1, 0, 1, 1, 1],
        n_intended=[4, 4, 10, 10, 10],
        n_received=[3, 0, 9, 1, 1],
        n_received_first=[3, 0, 9, 1, 1],
        priority=[2, 2, 5, 5, 5],
        event=[True, True, False, False, False],
    )


def test_by_hand(make_records, packets):
    figures = figures_by_sort(make_records({"packets": packets}, warmup_s=1.0, events=True))
    event, periodic = figures["event"], figures["periodic"]
    assert (event.n_messages, periodic.n_messages) == (2, 1)
    assert (event.sent.value, periodic.sent.value) == (0.5, 1.0)
    assert event.prr.value == pytest.approx(3 / 8)
    assert periodic.prr.value == pytest.approx(9 / 10)
    # 10 ms and 40 ms, each with 1 ms on air and 2.5 ms to decode
    assert event.latency.quantile_ms(0.5) == pytest.approx(13.5)
    assert periodic.latency.mean().value == pytest.approx(43.5)


def test_runs_without_events_have_no_such_figures(make_records, packets):
    assert figures_by_sort(make_records({"packets": packets}, events=False)) == {}
    assert figures_by_sort(make_records({"packets": packets})) == {}


def test_the_summary_has_them_where_there_are_events(plausible_records):
    plain = summarise(plausible_records, scenario_name="x", seed=1)
    assert "messages" not in plain
    facts = {**plausible_records.facts, "events": True}
    packets = dict(plausible_records.tables["packets"])
    packets["event"] = np.arange(len(packets["packet"])) % 10 == 0
    tables = {**plausible_records.tables, "packets": packets}
    records = type(plausible_records)(tables, facts)
    summary = summarise(records, scenario_name="x", seed=1)
    assert set(summary["messages"]) == {"event", "periodic"}
    event = summary["messages"]["event"]
    assert set(event) == {"n", "share_sent", "prr", "latency_ms"}
    assert 0.0 < event["prr"]["ci_low"] <= event["prr"]["mean"] <= event["prr"]["ci_high"] <= 1.0
    assert {name: summary[name] for name in ("prr", "cbr")} == {
        name: plain[name] for name in ("prr", "cbr")
    }
