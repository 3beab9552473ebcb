"""Shares of messages before conflicts, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.metrics.conflict_messages import conflict_messages
from v2x.metrics.summary import summarise
from v2x.records.tables import OUTCOME_NAMES, Outcome

NAN = np.nan


@pytest.fixture
def tables(make_table):
    """Two replications with event numbers of their own; one message was for somebody else."""
    return {
        "conflicts": make_table(
            "conflicts",
            replication=[1, 0, 0],
            event=[0, 0, 1],
            begin_s=[3.0, 3.0, 4.0],
        ),
        "conflict_messages": make_table(
            "conflict_messages",
            replication=[0, 0, 0, 1, 1, 1, 1],
            event=[0, 1, 1, 0, 0, 0, 0],
            outcome=[0, 4, 0, 0, 3, 4, 13],
            distance_m=[15.0, 20.0, 35.0, 35.0, NAN, 700.0, 15.0],
            in_time=[True, True, False, True, False, False, True],
        ),
        "conflict_knowledge": make_table(
            "conflict_knowledge",
            replication=[0, 0, 0, 0, 1, 1],
            event=[0, 0, 1, 1, 0, 0],
            decision_s=[2.0, NAN, 3.0, 3.5, 2.0, NAN],
            age_decision_s=[0.2, NAN, NAN, 0.4, 0.6, NAN],
        ),
        "links": make_table(
            "links",
            bin_upper_m=[20.0, 20.0, 40.0, 40.0],
            outcome=[0, 4, 0, 3],
            n=[90, 10, 50, 50],
        ),
    }


def test_shares_by_hand(make_records, tables):
    found = conflict_messages(make_records(tables, replications=2))
    assert (found.n_conflicts, found.n_messages) == (3, 6)
    share = {name: one.value for name, one in found.share.items() if one.value}
    assert share == pytest.approx({"received": 3 / 6, "propagation": 1 / 6, "collision": 2 / 6})
    assert found.share["received"].method == "ratio-t over replications"
    # two of three, and one of three, in the replications
    assert found.share["received"].high == 1.0
    assert found.received_in_time.value == pytest.approx(2 / 3)
    assert found.received_in_time.n == 3
    assert found.knew_in_time.value == pytest.approx(3 / 4)
    assert found.age_decision_s.value == pytest.approx((0.2 + 0.4 + 0.6) / 3)


def test_all_messages_are_weighted_to_the_same_distances(make_records, tables):
    """Two messages up to 20 m and two up to 40 m; others have no distance, or none was counted."""
    found = conflict_messages(make_records(tables, replications=2)).at_these_distances
    assert found == pytest.approx(
        dict.fromkeys(OUTCOME_NAMES, 0.0)
        | {"received": 0.5 * 0.9 + 0.5 * 0.5, "collision": 0.05, "propagation": 0.25}
    )


def test_runs_that_did_not_follow_them_have_none(make_records, tables):
    assert conflict_messages(make_records({"links": tables["links"]})) is None


def test_conflicts_without_any_message(make_records, tables):
    silent = {name: tables[name] for name in ("conflicts", "conflict_knowledge")}
    found = conflict_messages(make_records(silent, replications=2))
    assert (found.n_conflicts, found.n_messages) == (3, 0)
    assert np.isnan(found.share["received"].value)
    assert np.isnan(found.at_these_distances["received"])


def test_the_summary_has_them(plausible_records, tables, make_records):
    facts = {**plausible_records.facts, "replications": 2}
    records = make_records({**plausible_records.tables, **tables}, **facts)
    told = summarise(records, scenario_name="x", seed=1)["conflict_messages"]
    assert told["share"]["received"]["mean"] == pytest.approx(0.5)
    assert told["n_messages"] == 6
    assert set(told["at_these_distances"]) == {o.name.lower() for o in Outcome}
