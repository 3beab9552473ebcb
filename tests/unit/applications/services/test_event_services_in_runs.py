"""Alerts of a stopped vehicle in a tunnel, on their way to those upstream."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.messages.topics import Topic
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

#: A vehicle breaks down 1.5 km behind the portal and stands about 11 s after the beginning.
TUNNEL = {
    "duration_s": "13",
    "warmup_s": "1",
    "traffic.density_per_km": "20",
    "roadside.relay": "false",
    "hazard.type": "stopped-vehicle",
    "hazard.structure": "tunnel",
    "hazard.into_m": "1500",
    "hazard.deceleration_mps2": "3",
}


def run(**settings: str) -> RunRecords:
    return simulate(load_scenario("tunnel", list((TUNNEL | settings).items())))


def rows(records: RunRecords, table: str) -> dict[str, np.ndarray[Any, Any]]:
    return dict(records.tables[table])


@pytest.fixture(scope="module")
def with_units() -> RunRecords:
    return run(**{"services.roadside": "", "services.event-relay": ""})


def test_a_unit_learns_of_the_vehicle_and_those_upstream_of_the_event(
    with_units: RunRecords,
) -> None:
    events, reach = rows(with_units, "road_events"), rows(with_units, "event_reach")
    (event,) = np.flatnonzero(events["code"] == 103)
    assert events["detected_s"][event] > events["begin_s"][event]
    assert abs(events["offset_m"][event] - 1500.0) < 30.0
    mine = reach["number"] == events["number"][event]
    upstream = mine & (reach["distance_m"] > 100.0)
    assert upstream.sum() >= 3
    assert (reach["time_s"][mine] > events["detected_s"][event]).all()


def test_the_alert_takes_time_and_not_everybody_hears_the_first_message(
    with_units: RunRecords,
) -> None:
    reach = rows(with_units, "event_reach")
    assert len(np.unique(reach["time_s"])) > 1


def test_messages_of_units_are_on_air_as_long_as_they_may_be(with_units: RunRecords) -> None:
    packets = rows(with_units, "packets")
    topics = set(packets["topic"].tolist())
    assert {Topic.RSI, Topic.RSM} <= topics
    assert packets["size_bytes"][packets["topic"] > 0].max() <= 400


def test_the_baseline_has_the_same_air(with_units: RunRecords) -> None:
    settings = {"services.roadside": "", "services.event-relay": "", "warnings.fcw": ""}
    none = run(**settings, **{"information.knowledge": "none"})
    for name, column in rows(none, "packets").items():
        np.testing.assert_array_equal(column, with_units.tables["packets"][name], err_msg=name)
    assert len(none.tables["warnings"]["begin_s"]) == 0


def test_vehicles_alone_carry_a_denm_beyond_the_reach_of_its_origin() -> None:
    quiet = {
        "roadside.placement": "none",
        "roadside.linked": "false",
        "services.denm": "",
        "duration_s": "14",
    }
    alone = rows(run(**quiet), "event_reach")
    relayed = rows(run(**quiet, **{"services.event-relay": ""}), "event_reach")
    assert (alone["hops"] == 0).all()
    assert (relayed["hops"] > 0).any()
    assert np.nanmax(relayed["straight_m"]) > np.nanmax(alone["straight_m"])
