"""Probe data: speeds of edges and incidents by reports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.applications.services.short_runs import short_run
from v2x.applications.services.event_log import EventLog
from v2x.applications.services.probes.params import IncidentRules, ProbeDataParams
from v2x.applications.services.probes.speed_map import IncidentFinder, ProbeReport, SpeedMap
from v2x.messages.topics import Topic
from v2x.metrics.services.traffic import traffic_state_figures

S = 1_000_000
RULES = IncidentRules(stopped_s=10.0, drop_s=5.0, drop_vehicles=3, clear_s=10.0, queue_m=100.0)


def report(
    who: int = 1, at_s: float = 0.0, *, speed: float = 10.0, edge: int = 0, offset: float = 300.0
) -> ProbeReport:
    return ProbeReport(
        vehicle_id=who,
        edge=edge,
        offset_m=offset,
        x_m=offset,
        y_m=0.0,
        z_m=0.0,
        speed_mps=speed,
        measured_us=round(at_s * S),
    )


def finder(rules: IncidentRules = RULES, *, junction: bool = False) -> IncidentFinder:
    return IncidentFinder(
        rules,
        EventLog(Topic.PROBE, 0),
        limit_mps=np.array([20.0, 20.0]),
        length_m=np.array([500.0, 500.0]),
        to_junction=np.array([junction, junction]),
    )


def incidents(
    reports: list[ProbeReport], rules: IncidentRules = RULES, *, junction: bool = False
) -> list[int]:
    """Return the codes of what goes on after reports, looked at once a second."""
    one, speeds = finder(rules, junction=junction), SpeedMap(2, 30 * S)
    last_us = max(item.measured_us for item in reports)
    for now_us in range(0, last_us + 1, S):
        for item in reports:
            if now_us - S < item.measured_us <= now_us:
                speeds.take(item, rules.stopped_mps)
        one.look(now_us, speeds, speeds.reports(now_us), lambda event: float("nan"))
    return [event.code for event in one.going_on()]


def test_the_speed_of_an_edge_is_the_mean_of_the_newest_of_each_vehicle_within_the_window() -> None:
    speeds = SpeedMap(2, 5 * S)
    for item in (report(1, 0.0, speed=4.0), report(1, 2.0, speed=8.0), report(2, 1.0, speed=12.0)):
        speeds.take(item, 0.5)
    n, mean_mps = speeds.speeds(speeds.reports(3 * S))
    assert n.tolist() == [2, 0]
    assert mean_mps[0] == 10.0
    assert np.isnan(mean_mps[1])
    # A late one that is older than what is known counts for nothing, and old ones go.
    speeds.take(report(1, 1.5, speed=99.0), 0.5)
    assert speeds.speeds(speeds.reports(7 * S))[1][0] == 8.0
    assert speeds.reports(7 * S + 1) == []


def standing(seconds: float, **more: float) -> list[ProbeReport]:
    return [report(1, at, speed=0.0, **more) for at in np.arange(0.0, seconds + 0.5, 1.0)]  # type: ignore[arg-type]


def test_a_vehicle_has_stopped_after_its_time_and_not_before() -> None:
    assert incidents(standing(9.0)) == []
    assert incidents(standing(10.0)) == [103]


def test_who_moves_on_or_leaves_the_edge_begins_anew() -> None:
    moved = standing(12.0)
    moved[6] = replace(moved[6], speed_mps=0.6)
    assert incidents(moved) == []
    moved[6] = replace(moved[6], speed_mps=0.4)
    assert incidents(moved) == [103]
    turned = [replace(item, edge=int(item.measured_us > 5 * S)) for item in standing(12.0)]
    assert incidents(turned) == []


def test_a_queue_before_a_junction_is_no_incident() -> None:
    assert incidents(standing(12.0, offset=401.0), junction=True) == []
    assert incidents(standing(12.0, offset=399.0), junction=True) == [103]
    assert incidents(standing(12.0, offset=401.0), junction=False) == [103]


def jam(n: int, speed: float, seconds: float) -> list[ProbeReport]:
    return [
        report(k, at, speed=speed, offset=100.0 + 10.0 * k)
        for at in np.arange(0.0, seconds + 0.5, 1.0)
        for k in range(n)
    ]


@pytest.mark.parametrize(
    ("n", "speed", "seconds", "expected"),
    [(3, 7.9, 5.0, [707]), (2, 7.9, 5.0, []), (3, 8.1, 5.0, []), (3, 7.9, 4.0, [])],
)
def test_a_jam_needs_vehicles_a_low_speed_and_time(
    n: int, speed: float, seconds: float, expected: list[int]
) -> None:
    assert incidents(jam(n, speed, seconds)) == expected


def test_an_incident_is_one_while_it_lasts_and_over_after_its_time() -> None:
    one, speeds = finder(), SpeedMap(2, 3 * S)
    for now_us in range(0, 20 * S, S):
        speeds.take(report(1, now_us / S, speed=0.0), 0.5)
        speeds.take(report(2, now_us / S, speed=0.0, offset=280.0), 0.5)
        one.look(now_us, speeds, speeds.reports(now_us), lambda event: 1.0)
    (event,) = one.going_on()
    assert (event.code, event.edge) == (103, 0)
    for now_us in range(20 * S, 40 * S, S):
        one.look(now_us, speeds, speeds.reports(now_us), lambda event: 1.0)
    assert one.going_on() == []


@pytest.mark.parametrize("changes", [{"period_s": 0.0}, {"window_s": -1.0}, {"over": "air"}])
def test_impossible_parameters_are_rejected(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        ProbeDataParams(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("over", ["uu", "rsu"])
def test_a_broken_down_vehicle_is_found_and_speeds_are_known(over: str) -> None:
    records = short_run(
        "probe-data",
        duration_s="25",
        cellular__type="uu-5g",
        roadside__placement="spacing",
        roadside__spacing_m="400",
        hazard__type="stopped-vehicle",
        hazard__from_s="1",
        hazard__into_m="500",
        _over=over,
        **{"_incidents.stopped_s": "5"},
    )
    figures = traffic_state_figures(records, 0)
    assert figures.known.value > 0.95
    assert figures.mape.value < 0.15
    events = records.tables["road_events"]
    assert 103 in events["code"]
    assert figures.true_incidents.n >= 1
    assert 5.0 < figures.detection_s.value < 20.0
