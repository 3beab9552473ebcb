"""Messages of services over the mobile network, one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.cellular.coverage import road_coverage
from v2x.cellular.door import LOST, UuDoor
from v2x.cellular.params import BackhaulParams, SchedulingParams, UuParams, UuRadioParams
from v2x.cellular.sites import base_stations
from v2x.cellular.uu import UuContext
from v2x.channel.obstacle_params import ObstacleParams
from v2x.mobility.fleet import FleetState
from v2x.world.synthetic import highway
from v2x.world.weather import WeatherParams

from ...simulation_parts import fleet_state

TICK_US = 100_000
ROAD = highway(length_m=2000.0, lanes_per_direction=2, wrap=False)
WEST = float(ROAD.point_x_m.min())
SURE = UuRadioParams(shadowing=False, error_target=0.0)


def door(n_rows: int, **changes: Any) -> UuDoor:
    given: dict[str, Any] = {"radio": SURE, "spacing_m": 500.0}
    params = UuParams(**(given | changes))
    stations = base_stations(ROAD, params)
    coverage = road_coverage(ROAD, stations, params, ObstacleParams(), WeatherParams(), 1)
    context = UuContext(
        coverage=coverage,
        n_cells=stations.n,
        roadside=None,
        n_rows=n_rows,
        range_m=300.0,
        wrap_length_m=0.0,
        tick_us=TICK_US,
        block_us=1_000_000,
        counted_from_us=0,
        seed=1,
    )
    return UuDoor(params, context)


def fleet(n: int, time_us: int = 0, **columns: Any) -> FleetState:
    offset = np.linspace(50.0, 1950.0, n)
    return fleet_state(time_us, WEST + offset, offset_m=offset, **columns)


def up(one: UuDoor, n: int, at_us: int = 0, size: int = 200, **more: Any) -> np.ndarray:
    times = np.full(n, at_us, dtype=np.int64)
    sizes = np.full(n, size, dtype=np.int32)
    return one.up(np.arange(n), times, sizes, **({"stream": "test"} | more))


def down(one: UuDoor, n: int, at_us: int = 0) -> np.ndarray:
    times = np.full(n, at_us, dtype=np.int64)
    return one.down(np.arange(n), times, np.full(n, 200, dtype=np.int32), stream="test")


def test_everybody_in_coverage_is_carried_in_milliseconds() -> None:
    one = door(40)
    one.follow(fleet(40))
    assert one.covered().all()
    for arrived_us in (up(one, 40), down(one, 40)):
        assert ((arrived_us > 1_000) & (arrived_us < 60_000)).all()
    # No request for a grant, and no server in it.
    assert down(one, 40).mean() < up(one, 40).mean()


def test_the_place_of_the_server_costs_transport_both_ways() -> None:
    quick = {"backhaul": BackhaulParams(server_median_ms=0.0, server_p99_ms=0.0)}
    near, far = door(40, server="mec-gnb", **quick), door(40, server="central", **quick)
    for one in (near, far):
        one.follow(fleet(40))
    more_us = up(far, 40) - up(near, 40)
    assert more_us == pytest.approx(np.full(40, 2175 - 200), abs=1)
    # Downlink begins that much later, and then waits for a slot.
    later_us = down(far, 40) - down(near, 40)
    assert ((later_us >= 0) & (later_us <= 1975 + 2500)).all()
    assert later_us.mean() == pytest.approx(1975, abs=500)


def test_what_has_no_coverage_is_lost_both_ways() -> None:
    one = door(10)
    edge = np.zeros(10, dtype=np.int32)
    edge[5:] = -1
    one.follow(fleet(10, edge=edge))
    assert one.covered().tolist() == [True] * 5 + [False] * 5
    for arrived_us in (up(one, 10), down(one, 10)):
        assert (arrived_us[5:] == LOST).all()
        assert (arrived_us[:5] > 0).all()


def test_failed_retransmissions_are_losses() -> None:
    one = door(400, radio=replace(SURE, error_target=0.5, retransmissions=1))
    one.follow(fleet(400))
    lost = (up(one, 400) == LOST).mean()
    assert abs(lost - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 400)


def test_a_handover_holds_messages_up() -> None:
    scheduling = SchedulingParams(
        handover_gap_ms=(500.0, 500.0), time_to_trigger_ms=0.0, handover_hysteresis_db=0.0
    )
    one = door(1, scheduling=scheduling)
    gaps = []
    for k, offset in enumerate(np.arange(50.0, 1950.0, 20.0)):
        now_us = k * TICK_US
        one.follow(fleet_state(now_us, [WEST + offset], offset_m=[offset]))
        gaps.append(int(up(one, 1, now_us)[0]) - now_us)
    assert max(gaps) > 500_000
    assert np.median(gaps) < 60_000


def test_draws_belong_to_vehicle_time_and_stream() -> None:
    one, other = door(20), door(20)
    one.follow(fleet(20))
    other.follow(fleet(20))
    assert (up(one, 20) == up(other, 20)).all()
    sizes, times = np.full(5, 200, dtype=np.int32), np.zeros(5, dtype=np.int64)
    some = other.up(np.arange(15, 20), times, sizes, stream="test")
    assert (some == up(one, 20)[15:]).all()
    assert (up(one, 20) != up(one, 20, stream="another")).any()


def test_messages_before_load_the_cell_for_those_after() -> None:
    one = door(40, radio=replace(SURE, bandwidth_mhz=20))
    one.follow(fleet(40))
    calm_us = up(one, 40)
    for k in range(1, 20):
        one.follow(fleet(40, k * TICK_US))
        up(one, 40, k * TICK_US, size=60_000)
    one.follow(fleet(40, 20 * TICK_US))
    busy_us = up(one, 40, 20 * TICK_US)
    assert (busy_us == LOST).mean() > 0.2
    assert (calm_us != LOST).all()


def test_a_wide_message_takes_less_time_on_the_air() -> None:
    one = door(10)
    one.follow(fleet(10))
    narrow, wide = up(one, 10, size=30_000), up(one, 10, size=30_000, uplink_rb=135)
    assert (wide < narrow).all()
    assert (up(one, 10, size=30_000, uplink_rb=10_000) <= wide).all()


def test_nothing_is_carried_before_anybody_is_served() -> None:
    with pytest.raises(RuntimeError, match="follow"):
        up(door(1), 1)
