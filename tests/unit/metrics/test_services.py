"""Figures of services from tables that are made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.metrics.services.dialogues import parking_figures, payment_figures
from v2x.metrics.services.figures import service_figures
from v2x.metrics.services.traffic import guidance_figures, traffic_state_figures
from v2x.metrics.services.vehicles import remote_figures, tracking_figures
from v2x.records.tables import SCHEMAS, RunRecords, empty_table


def records(services: tuple[str, ...] = (), **tables: dict[str, Any]) -> RunRecords:
    """Return a run with some tables; columns that are left out are 0."""
    every = {name: empty_table(name) for name in SCHEMAS}
    for name, columns in tables.items():
        n = len(next(iter(columns.values())))
        every[name] = {
            key: np.array(columns.get(key, np.zeros(n)), dtype=column.dtype)
            for key, column in SCHEMAS[name].items()
        }
    facts = {"block_s": 1.0, "mobility_period_s": 0.1, "services": list(services)}
    return RunRecords(every, facts)


def test_the_error_of_speeds_leaves_out_standing_and_unknown_traffic() -> None:
    state = {
        "time_s": [0.0, 1.0, 2.0, 3.0],
        "speed_mps": [11.0, 8.0, np.nan, 5.0],
        "n_vehicles": [1, 1, 1, 1],
        "true_speed_mps": [10.0, 10.0, 10.0, 0.5],
    }
    events = {
        "service": [0, 0, 1],
        "detected_s": [9.0, 12.0, 50.0],
        "begin_s": [4.0, 4.0, 40.0],
    }
    figures = traffic_state_figures(records(traffic_state=state, road_events=events), 0)
    assert figures.mape.value == pytest.approx(0.15)
    assert figures.known.value == 0.75
    assert (figures.n_incidents, figures.true_incidents.value) == (2, 1.0)
    # The second of one hazard is no detection of it.
    assert figures.detection_s.value == 5.0


def test_what_is_lost_is_a_share_of_the_time_driven() -> None:
    table = {
        "time_s": [0.0, 1.0],
        "n_vehicles": [10, 20],
        "lost_s": [1.0, 6.0],
        "queue_m": [0.0, 8.0],
    }
    figures = guidance_figures(records(guidance=table))
    assert figures.lost_share.value == pytest.approx(0.2)
    assert (figures.queue_m.value, figures.max_queue_m) == (4.0, 8.0)


def test_payments_count_receipts_retries_and_double_charges() -> None:
    dialogues = {
        "service": [0, 0, 3],
        "begin_s": [0.0, 1.0, 0.0],
        "end_s": [0.4, 9.0, 0.1],
        "outcome": [1, 5, 1],
    }
    payments = {
        "begin_s": [0.0, 1.0],
        "n_sent": [1, 4],
        "phase": [1, 3],
        "amount": [500, 500],
        "debited": [500, 1000],
    }
    replays = {"time_s": [5.0], "accepted": [False]}
    figures = payment_figures(
        records(dialogues=dialogues, payments=payments, payment_replays=replays), 0
    )
    assert (figures.n, figures.complete.value, figures.p95_s.value) == (2, 0.5, 0.4)
    assert (figures.retries.value, figures.n_double, figures.unsettled.value) == (1.5, 1, 0.5)
    assert (figures.n_replays, figures.replays_accepted.value) == (1, 0.0)


def test_searches_are_told_apart_and_those_that_go_on_are_left_out() -> None:
    table = {
        "entered_s": [0.0, 0.0, 0.0],
        "guided": [True, False, False],
        "over_s": [10.0, 50.0, np.nan],
        "way_m": [30.0, 140.0, 20.0],
        "slot": [7, 3, -1],
    }
    figures = parking_figures(records(parking=table))
    assert (figures["guided"].n, figures["searching"].n) == (1, 2)
    assert figures["searching"].search_s.value == 50.0
    assert figures["searching"].way_m.value == 140.0
    assert figures["searching"].parked.value == 1.0


def test_quantiles_and_stops_of_remote_driving() -> None:
    n = 100
    driving = {
        "time_s": np.arange(n) * 0.1,
        "command_age_s": np.arange(n) / 100.0,
        "video_bytes": np.full(n, 25_000),
        "covered": np.arange(n) >= 10,
    }
    stops = {"begin_s": [1.0, 2.0], "stood_s": [3.0, np.nan], "distance_m": [12.0, 99.0]}
    figures = remote_figures(records(remote_driving=driving, remote_stops=stops))
    assert figures.n_vehicles == 1
    assert figures.command_age_p99_s.value == pytest.approx(0.9801)
    assert figures.throughput_p5_mbit_s.value == pytest.approx(2.0)
    assert figures.covered.value == 0.9
    assert figures.stops_per_h.value == pytest.approx(2 / (10.0 / 3600.0))
    assert figures.stop_m.value == 12.0


def test_a_track_counts_only_where_it_is_right() -> None:
    table = {
        "time_s": [0.0, 1.0, 2.0, 3.0],
        "since_report_s": [0.0, 1.0, 2.0, 3.0],
        "located": [False, True, True, True],
        "false_track": [False, True, False, False],
        "error_m": [np.nan, 80.0, 4.0, 6.0],
        "in_tunnel": [True, False, False, False],
    }
    links = {"n_changes": [4], "n_linked": [3]}
    figures = tracking_figures(records(tracking=table, pseudonym_links=links))
    assert figures.time_to_locate_s.value == 2.0
    assert figures.continuity.value == 0.5
    assert figures.error_m.value == 5.0
    assert figures.false_track.value == pytest.approx(1 / 3)
    assert (figures.tunnel_dead_s, figures.linkable.value) == (1.0, 0.75)


def test_figures_go_by_the_names_of_the_services() -> None:
    names = ("probe-data", "platooning", "parking", "tracking", "remote-driving", "payment")
    assert list(service_figures(records(names))) == [n for n in names if n != "platooning"]
    assert service_figures(records()) == {}
