"""Remote driving: ages of pictures and commands, the stop rule, and a hole in the coverage."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.unit.applications.services.short_runs import short_run
from v2x.applications.services.remote.link import RemoteLink
from v2x.applications.services.remote.params import (
    DelayBudget,
    RemoteDrivingParams,
    StopRule,
)
from v2x.applications.services.remote.stopping import StopCause, StopKeeper, too_old
from v2x.metrics.services.vehicles import remote_figures
from v2x.records.tables import RunRecords

MS, S = 1_000, 1_000_000


def test_each_age_stops_on_its_own_side_of_the_threshold() -> None:
    rule = StopRule()
    assert too_old(rule, 300 * MS, 500 * MS) is None
    assert too_old(rule, 300 * MS + 1, 0) is StopCause.COMMAND
    assert too_old(rule, 0, 500 * MS + 1) is StopCause.VIDEO


def test_a_command_is_as_old_as_its_giving_and_tells_of_its_picture() -> None:
    link = RemoteLink(0, 0, 0)
    link.picture(100 * MS, 140 * MS, 175 * MS)
    link.picture(133 * MS, -1, 0)
    assert link.shown_until(174 * MS) == 0
    assert link.shown_until(175 * MS) == 100 * MS
    link.command(200 * MS, link.shown_until(200 * MS), 215 * MS)
    link.hear(214 * MS)
    assert link.command_age_us(214 * MS) == 214 * MS
    link.hear(215 * MS)
    assert link.command_age_us(215 * MS) == 15 * MS
    assert link.video_age_us(215 * MS) == 115 * MS


def test_a_late_old_command_does_not_replace_a_newer_one() -> None:
    link = RemoteLink(0, 0, 0)
    link.command(100 * MS, 0, 400 * MS)
    link.command(150 * MS, 0, 160 * MS)
    link.command(200 * MS, 0, -1)
    link.hear(500 * MS)
    assert link.command_us == 150 * MS


def test_a_picture_keeps_the_uplink_until_it_is_up_and_a_lost_one_does_not() -> None:
    link = RemoteLink(0, 0, 0)
    link.picture(0, 80 * MS, 115 * MS)
    assert link.uplink_free_us == 80 * MS
    link.picture(90 * MS, -1, 0)
    assert link.uplink_free_us == 80 * MS


def stop_of(speeds: list[float], causes: list[StopCause | None]) -> StopKeeper:
    keeper = StopKeeper(StopRule(resume_s=0.2))
    for k, (speed, cause) in enumerate(zip(speeds, causes, strict=True)):
        keeper.tick(k * S // 10, speed, cause, speed * 0.1)
    return keeper


def test_a_stop_goes_on_to_standing_even_if_the_link_is_back() -> None:
    lost, back = StopCause.COMMAND, None
    keeper = stop_of([2.0, 1.0, 0.5], [lost, back, back])
    assert keeper.stops
    assert np.isnan(keeper.rows[0]["stood_s"])
    keeper = stop_of([2.0, 1.0, 0.5, 0.0], [lost, back, back, back])
    assert not keeper.stops
    (row,) = keeper.rows
    assert (row["cause"], row["begin_s"], row["stood_s"], row["end_s"]) == (0, 0.0, 0.3, 0.3)
    assert row["distance_m"] == pytest.approx(0.15)


def test_standing_it_goes_on_only_after_the_link_was_good_for_its_time() -> None:
    lost, back = StopCause.VIDEO, None
    assert stop_of([1.0, 0.0, 0.0, 0.0], [lost, lost, back, back]).stops
    assert not stop_of([1.0, 0.0, 0.0, 0.0, 0.0], [lost, lost, back, back, back]).stops


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: RemoteDrivingParams(share=1.5), "share"),
        (lambda: RemoteDrivingParams(video_rb=0), "video_rb"),
        (lambda: StopRule(deceleration_mps2=0.0), "deceleration_mps2"),
        (lambda: DelayBudget(operator_ms=(400.0, 200.0)), "operator_ms"),
    ],
)
def test_impossible_parameters_are_rejected(make: object, key: str) -> None:
    with pytest.raises(ValueError, match=key):
        make()  # type: ignore[operator]


#: Cells all along the road, and one beyond its beginning.
COVERED, HOLE = "[[250, 30], [750, 30], [1250, 30], [1750, 30]]", "[[-300, 30]]"


@cache
def run(knowledge: str = "messages", cells: str = COVERED) -> RunRecords:
    """Return 14 s on a road of 2 km, with cells that may leave a hole."""
    return short_run(
        "remote-driving",
        duration_s="14",
        world__length_m="2000",
        traffic__density_per_km="3",
        cellular__type="uu-5g",
        cellular__placement="positions",
        cellular__positions=cells,
        cellular__radio__shadowing="false",
        information__knowledge=knowledge,
        _share="1",
        _video_mbit_s="2",
    )


def test_in_coverage_everything_is_fresh_and_nobody_stops() -> None:
    records = run()
    table = records.tables["remote_driving"]
    assert table["covered"].all()
    assert len(records.tables["remote_stops"]["cause"]) == 0
    figures = remote_figures(records)
    assert figures.command_age_p99_s.value <= 0.1
    assert 0.1 < figures.video_age_p99_s.value < 0.4
    # Camera to actuation, with an operator of 200 to 400 ms.
    assert 0.4 < figures.delay_s.value < 0.8
    assert figures.throughput_p5_mbit_s.value > 1.5
    later = table["speed_mps"][table["time_s"] > 10.0]
    assert later.max() < 30.0 / 3.6 + 1.0


def test_out_of_coverage_vehicles_stop_with_their_deceleration() -> None:
    records = run(cells=HOLE)
    table, stops = records.tables["remote_driving"], records.tables["remote_stops"]
    assert 0 < table["covered"].mean() < 1
    assert len(stops["cause"]) >= 2
    stood = ~np.isnan(stops["stood_s"])
    assert stood.any()
    speed, distance = stops["speed_mps"][stood], stops["distance_m"][stood]
    assert distance == pytest.approx(speed**2 / 4.0, rel=0.1, abs=2.0)
    beyond = ~table["covered"] & (table["time_s"] > 12.0)
    assert table["stopping"][beyond].all()


def test_without_knowledge_nobody_is_stopped() -> None:
    table = run(knowledge="none", cells=HOLE).tables["remote_driving"]
    assert table["speed_mps"][table["time_s"] > 10.0].min() > 30.0 / 3.6
