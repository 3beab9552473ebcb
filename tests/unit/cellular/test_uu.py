"""Messages through the network: who is reached, what is counted, what paths share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.cellular.coverage import road_coverage
from v2x.cellular.pairs import neighbours_of
from v2x.cellular.params import PathName, SchedulingParams, UuParams, UuRadioParams
from v2x.cellular.sites import base_stations
from v2x.cellular.uu import Uu, UuContext
from v2x.channel.obstacle_params import ObstacleParams
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.records.tables import NETWORK_PARTS, NetworkOutcome, NetworkPath
from v2x.world.synthetic import highway
from v2x.world.weather import WeatherParams

from ...simulation_parts import fleet_state

TICK_US = 100_000
ROAD = highway(length_m=2000.0, lanes_per_direction=2, wrap=False)
WEST = float(ROAD.point_x_m.min())
NEAR = UuRadioParams(shadowing=False)
Tables = dict[str, dict[str, np.ndarray]]


def fleet(n: int, **columns: Any) -> FleetState:
    offset = np.linspace(50.0, 1950.0, n)
    return fleet_state(0, WEST + offset, offset_m=offset, y_m=0.0, **columns)


def network(
    n_rows: int, *, units: np.ndarray | None = None, counted_from_us: int = 0, **changes: Any
) -> Uu:
    given: dict[str, Any] = {"radio": NEAR, "spacing_m": 500.0, "paths": ("mec-core",)}
    params = UuParams(**(given | changes))
    stations = base_stations(ROAD, params)
    coverage = road_coverage(ROAD, stations, params, ObstacleParams(), WeatherParams(), 1)
    if units is not None:
        units = np.resize(units, len(coverage.samples.points)).astype(np.int32)
    context = UuContext(
        coverage=coverage,
        n_cells=stations.n,
        roadside=units,
        n_rows=n_rows,
        range_m=300.0,
        wrap_length_m=0.0,
        tick_us=TICK_US,
        block_us=1_000_000,
        counted_from_us=counted_from_us,
        seed=1,
    )
    return Uu(params, context)


def carried(
    one: Uu, state: FleetState, *, ticks: int = 5, counted: np.ndarray | None = None
) -> Tables:
    n = state.n_rows
    for k in range(ticks):
        at_us = k * TICK_US
        one.carry(
            replace(state, time_us=at_us),
            np.ones(n, dtype=np.bool_) if counted is None else counted,
            np.arange(n, dtype=np.int32),
            at_us + np.arange(n) * (TICK_US // n),
            np.full(n, 300, dtype=np.int32),
        )
    return {name: dict(table) for name, table in one.tables().items()}


def outcomes(tables: Tables, path: NetworkPath = NetworkPath.MEC_CORE) -> np.ndarray:
    table = tables["network"]
    mine = table["path"] == path
    return np.bincount(table["outcome"][mine], weights=table["n"][mine], minlength=5)


def sums_ms(tables: Tables, path: NetworkPath) -> np.ndarray:
    table = tables["network_parts"]
    mine = table["path"] == path
    return np.bincount(table["part"][mine], weights=table["sum_ms"][mine])


ALL: tuple[PathName, ...] = ("mec-gnb", "mec-aggregation", "mec-core", "central", "cloud")


def n_pairs(state: FleetState, range_m: float = 300.0) -> int:
    apart = np.abs(state.x_m[:, None] - state.x_m[None, :])
    return int(((apart <= range_m) & (apart > 0)).sum())


def test_every_pair_in_range_has_one_outcome_on_every_path() -> None:
    state = fleet(40)
    tables = carried(network(40, paths=ALL), state)
    for path in list(NetworkPath)[:5]:
        assert outcomes(tables, path).sum() == 5 * n_pairs(state)


def test_parts_add_up_to_the_delays_of_the_histogram() -> None:
    tables = carried(network(40, paths=ALL), fleet(40))
    for path in list(NetworkPath)[:5]:
        mine = tables["network_latency"]["path"] == path
        n = tables["network_latency"]["n"][mine]
        delivered = outcomes(tables, path)[NetworkOutcome.DELIVERED]
        assert n.sum() == delivered
        mean_ms = np.average(tables["network_latency"]["value_ms"][mine] + 0.05, weights=n)
        assert sums_ms(tables, path).sum() / delivered == pytest.approx(mean_ms, abs=0.02)


def test_paths_differ_in_what_lies_behind_the_base_station_only() -> None:
    tables = carried(network(40, paths=ALL), fleet(40))
    near, far = (sums_ms(tables, p) for p in (NetworkPath.MEC_AGGREGATION, NetworkPath.CLOUD))
    same = [k for k, name in enumerate(NETWORK_PARTS) if name.startswith("uplink_")]
    same.append(NETWORK_PARTS.index("compute"))
    assert near[same] == pytest.approx(far[same])
    transport = NETWORK_PARTS.index("transport")
    n = outcomes(tables)[NetworkOutcome.DELIVERED]
    assert near[transport] / n == pytest.approx(2 * 0.415)
    assert far[transport] / n > 2 * 2.175 + 5.0


def test_crossing_cells_costs_a_server_at_the_base_station_more() -> None:
    tables = carried(network(40, paths=("mec-gnb",)), fleet(40))
    n = outcomes(tables, NetworkPath.MEC_GNB)[NetworkOutcome.DELIVERED]
    mean_ms = sums_ms(tables, NetworkPath.MEC_GNB)[NETWORK_PARTS.index("transport")] / n
    assert 0.4 < mean_ms < 0.4 + 0.23


def test_share_of_modems() -> None:
    state = fleet(100)
    some = (
        outcomes(carried(network(100, share=0.5), state)).sum()
        / outcomes(carried(network(100), state)).sum()
    )
    assert 0.1 < some < 0.45  # both ends need one: a quarter
    assert "network" not in carried(network(100, share=0.0), state)


def test_roadside_units_take_no_part() -> None:
    kind = np.zeros(40, dtype=np.int32)
    kind[::2] = NodeKind.RSU
    state = fleet(40, kind=kind)
    others = state.x_m[1::2]
    apart = np.abs(others[:, None] - others[None, :])
    expected = int(((apart <= 300.0) & (apart > 0)).sum())
    assert outcomes(carried(network(40), state, ticks=1)).sum() == expected


def test_only_what_counts_is_counted() -> None:
    state = fleet(40)
    west = state.x_m < WEST + 1000.0
    inner = np.abs(state.x_m[west][:, None] - state.x_m[west][None, :])
    expected = int(((inner <= 300.0) & (inner > 0)).sum())
    assert outcomes(carried(network(40), state, ticks=1, counted=west)).sum() == expected


def test_nobody_is_reached_off_the_road() -> None:
    state = fleet(10, edge=np.full(10, -1))
    found = outcomes(carried(network(10), state))
    assert found[NetworkOutcome.NO_UPLINK] == found.sum() > 0


def test_receivers_without_coverage_are_told_apart() -> None:
    edge = np.zeros(10, dtype=np.int32)
    edge[5:] = -1
    state = fleet(10, edge=edge)
    found = outcomes(carried(network(10), state))
    apart = np.abs(state.x_m[:, None] - state.x_m[None, :])
    near = (apart <= 300.0) & (apart > 0)
    assert found[NetworkOutcome.NO_UPLINK] == 5 * near[5:].sum()
    assert found[NetworkOutcome.NO_DOWNLINK] == 5 * near[:5, 5:].sum()


def test_unicast_overloads_a_narrow_cell_and_multicast_does_not() -> None:
    state = fleet(200)
    narrow = replace(NEAR, bandwidth_mhz=20)

    def overload(downlink: str) -> float:
        scheduling = SchedulingParams(downlink=downlink)  # type: ignore[arg-type]
        found = outcomes(carried(network(200, radio=narrow, scheduling=scheduling), state))
        return float(found[NetworkOutcome.OVERLOAD] / found.sum())

    assert overload("unicast") > 0.3
    assert overload("multicast") == 0.0


def test_configured_grants_need_no_request() -> None:
    state = fleet(40)
    dynamic = sums_ms(carried(network(40), state), NetworkPath.MEC_CORE)
    configured = sums_ms(
        carried(network(40, scheduling=SchedulingParams(grant="configured")), state),
        NetworkPath.MEC_CORE,
    )
    grant, queue = NETWORK_PARTS.index("uplink_grant"), NETWORK_PARTS.index("uplink_queue")
    assert dynamic[grant] > 0.0
    assert configured[grant] == configured[queue] == 0.0


def test_over_roadside_units_both_ends_need_one() -> None:
    state = fleet(40)
    everywhere = carried(network(40, paths=("v2i2v",), units=np.array([3])), state, ticks=1)
    found = outcomes(everywhere, NetworkPath.V2I2V)
    assert found[NetworkOutcome.DELIVERED] == n_pairs(state)
    nowhere = carried(network(40, paths=("v2i2v",), units=np.array([-1])), state, ticks=1)
    assert outcomes(nowhere, NetworkPath.V2I2V)[NetworkOutcome.NO_UPLINK] == n_pairs(state)


def test_cells_are_noted_with_all_their_users() -> None:
    tables = carried(network(40), fleet(40), ticks=11)
    cells = tables["network_cells"]
    assert np.unique(cells["time_s"]).tolist() == [0.0, 1.0]
    assert cells["n_users"][cells["time_s"] == 0.0].sum() == 40
    assert (cells["uplink_load"] >= 0.0).all()


def test_neighbours_across_the_seam_of_a_wrap_around_map() -> None:
    state = fleet_state(0, [10.0, 1990.0, 1000.0])
    near = neighbours_of(state, np.arange(3), 50.0, 2000.0)
    packet, row = near.receivers_of(np.array([0, 1, 2, 0], dtype=np.int32))
    assert packet.tolist() == [0, 1, 3]
    assert row.tolist() == [1, 0, 1]


@pytest.mark.parametrize("downlink", ["unicast", "multicast"])
def test_a_lonely_vehicle_and_an_empty_road(downlink: str) -> None:
    scheduling = SchedulingParams(downlink=downlink)  # type: ignore[arg-type]
    two = fleet_state(0, WEST + np.array([100.0, 1900.0]), offset_m=[100.0, 1900.0])
    assert "network" not in carried(network(2, scheduling=scheduling), two)
    nobody = fleet_state(0, WEST + np.array([100.0, 1900.0]), id=[-1, -1])
    one = network(2, scheduling=scheduling)
    none = np.zeros(0, dtype=np.int32)
    one.carry(nobody, np.zeros(2, dtype=np.bool_), none, none.astype(np.int64), none)
    assert set(one.tables()) == {"network_cells"}


def test_messages_of_the_warm_up_are_carried_but_not_counted() -> None:
    state = fleet(40)
    assert outcomes(carried(network(40, counted_from_us=2 * TICK_US), state)).sum() == 3 * n_pairs(
        state
    )
