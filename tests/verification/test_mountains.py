"""What height does, on the maps of the mountain scenarios: decks, rock, mouths of tunnels, fog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.channel.base import LinkState
from v2x.channel.channel_params import ChannelParams
from v2x.channel.law_tables import LINK_CODES
from v2x.channel.link_table import LinkTable
from v2x.channel.obstacle_links import obstacle_links_of
from v2x.channel.obstacle_params import ObstacleParams
from v2x.channel.pathloss import Tr37885Highway, Tr37885Params
from v2x.metrics.awareness import AwarenessCurve, awareness
from v2x.metrics.link_states import link_state_shares
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.scenario.assemble import assemble, load_road_map, simulate
from v2x.scenario.schema import Scenario, load_scenario
from v2x.world.geometry import flatten
from v2x.world.road_map import RoadMap, Structure
from v2x.world.store import builtin_map, load_map
from v2x.world.tubes import find_tubes
from v2x.world.weather import WeatherParams

from ..simulation_parts import fleet_state

SCENARIOS = (
    "interchange",
    "tunnel",
    "ridge",
    "blind_curve",
    "bridge_fog",
    "hill_streets",
    "expressway",
)
CARRIER_GHZ = 5.915
#: Received power below which no receiver of this project decodes anything [dBm].
SILENCE_DBM = -130.0
EIRP_DBM = 23.0

IntArray = NDArray[np.int32]


def standing(road_map: RoadMap, edge: Sequence[int] | IntArray, offset_m: Any) -> FleetState:
    """Return cars that stand on the right lane at these places."""
    road = RoadGeometry(road_map)
    edges = np.asarray(edge, dtype=np.int32)
    offset = np.asarray(offset_m, dtype=np.float64)
    lane = np.zeros(len(edges), dtype=np.int32)
    x, y, z, heading = road.position(edges, offset, road.lane_lateral_m(edges, lane))
    return fleet_state(
        0,
        x,
        y_m=y,
        z_m=z,
        heading_rad=heading,
        edge=edges,
        lane=lane,
        offset_m=offset,
        level=road.level(edges),
        tunnel=road.tunnel(edges),
    )


def places(road_map: RoadMap, spacing_m: float) -> tuple[IntArray, NDArray[np.float64]]:
    """Return edges and offsets of points about `spacing_m` apart on all roads."""
    n = np.maximum(1, np.round(road_map.edge_length_m / spacing_m)).astype(np.int64)
    edge = np.repeat(np.arange(road_map.n_edges, dtype=np.int32), n)
    rank = np.arange(len(edge)) - np.repeat(np.cumsum(n) - n, n)
    return edge, (rank + 0.5) / n[edge] * road_map.edge_length_m[edge]


def links_of(
    road_map: RoadMap, fleet: FleetState, *, range_m: float, obstacles: ObstacleParams | None = None
) -> LinkTable:
    """Return the links of a fleet in line of sight but for the map, without shadowing."""
    judged = obstacle_links_of(
        road_map,
        obstacles or ObstacleParams(tunnel_sigma_db=0.0),
        WeatherParams(),
        carrier_ghz=CARRIER_GHZ,
        interaction_range_m=range_m,
    )
    table = LinkTable(
        ChannelParams(line_of_sight="always", interaction_range_m=range_m),
        Tr37885Highway(Tr37885Params(shadowing_sigma_db=0.0), CARRIER_GHZ),
        antenna_gain_dbi=3.0,
        n_rows=fleet.n_rows,
        wrap_length_m=0.0,
        corridors=None,
        obstacles=judged,
        seed=1,
    )
    table.update(fleet)
    return table


def senders(table: LinkTable) -> IntArray:
    """Return the row whose link each entry of the table is."""
    return np.repeat(np.arange(len(table.row_start) - 1, dtype=np.int32), np.diff(table.row_start))


def received_dbm(table: LinkTable) -> NDArray[np.float64]:
    """Return what each link receives [dBm]; less than -370 dBm is not told apart."""
    return EIRP_DBM + 10.0 * np.log10(np.maximum(table.gain.astype(np.float64), 1e-40))


def states(table: LinkTable) -> NDArray[np.int64]:
    """Return the :class:`LinkState` of each link."""
    return np.array([int(state) for state in LINK_CODES])[table.code]


def test_a_vehicle_straight_above_is_heard_far_worse_than_on_the_own_deck() -> None:
    """Decks between level 1 and level 4 cost 20 dB and more at the same distance.

    P.2040 concrete of 0.25 m takes some 24 dB at right angles, and the way round the edges of a
    deck more than 10 m wide diffracts as much; two decks add.
    """
    road_map = load_map(builtin_map("huangjuewan"))
    fleet = standing(road_map, *places(road_map, 10.0))
    table = links_of(road_map, fleet, range_m=60.0)
    i, j = senders(table), table.neighbour
    apart_m = np.hypot(fleet.x_m[i] - fleet.x_m[j], fleet.y_m[i] - fleet.y_m[j])
    above = (fleet.level[i] == 1) & (fleet.level[j] == 4) & (apart_m < 8.0)
    assert above.sum() > 10
    assert set(states(table)[above]) == {LinkState.DECK}
    gain_db = received_dbm(table)
    same_road = fleet.edge[i] == fleet.edge[j]
    differences = []
    for link in np.flatnonzero(above):
        alike = same_road & (i == i[link])
        alike &= np.abs(table.distance - table.distance[link]) < 6.0
        if alike.any():
            differences.append(gain_db[alike].mean() - gain_db[link])
    assert len(differences) > 10
    assert min(differences) > 20.0, differences


def under_the_ridge(road_map: RoadMap, inside_m: float) -> FleetState:
    """Return cars `inside_m` inside every mouth of the tunnels, and one on the ground above each.

    The rows of the second half stand above those of the first.
    """
    tubes = find_tubes(road_map)
    road = RoadGeometry(road_map)
    edge, offset_m = places(road_map, 2.0)
    x, y, _, _ = road.position(edge, offset_m, np.zeros(len(edge)))
    nearest = []
    for portal in range(len(tubes.portal_tube)):
        away_m = np.hypot(x - tubes.portal_x_m[portal], y - tubes.portal_y_m[portal])
        away_m[tubes.edge_tube[edge] != tubes.portal_tube[portal]] = np.inf
        nearest.append(int(np.abs(away_m - inside_m).argmin()))
    inside = standing(road_map, edge[nearest], offset_m[nearest])
    assert np.all(road_map.edge_structure[inside.edge] == Structure.TUNNEL)
    assert road_map.terrain is not None
    ground_m = road_map.terrain.at(inside.x_m, inside.y_m)
    n = inside.n_rows
    return fleet_state(
        0,
        np.tile(inside.x_m, 2),
        y_m=np.tile(inside.y_m, 2),
        z_m=np.concatenate([inside.z_m, ground_m]),
        edge=np.concatenate([inside.edge, np.full(n, -1)]),
        tunnel=np.concatenate([inside.tunnel, np.full(n, -1)]),
        level=np.concatenate([inside.level, np.zeros(n)]),
    )


def test_inside_a_tunnel_and_on_the_ridge_above_nobody_hears_the_other() -> None:
    """50 m inside each mouth; on the flat twin the two stand in one place and hear each other."""
    road_map = load_map(builtin_map("ridge-crossing"))
    fleet = under_the_ridge(road_map, 50.0)
    n = fleet.n_rows // 2
    assert n == 4
    assert np.all(fleet.z_m[n:] > fleet.z_m[:n] + 8.0)
    table = links_of(road_map, fleet, range_m=1000.0)
    i, j = senders(table), table.neighbour
    pair = np.abs(i - j) == n
    assert pair.sum() == 2 * n
    assert set(states(table)[pair]) == {LinkState.BLOCKED}
    assert received_dbm(table)[pair].max() < SILENCE_DBM - 100.0

    flat = flatten(road_map)
    grounded = fleet_state(0, fleet.x_m + np.repeat([0.0, 20.0], n), y_m=fleet.y_m)
    table = links_of(
        flat, grounded, range_m=1000.0, obstacles=ObstacleParams(decks=False, tunnels=False)
    )
    pair = np.abs(senders(table) - table.neighbour) == n
    assert set(states(table)[pair]) == {LinkState.LOS}
    assert received_dbm(table)[pair].min() > -60.0


def test_the_tubes_of_a_tunnel_do_not_hear_each_other_and_its_inside_hears_far() -> None:
    """Rock between the tubes blocks; inside one, 500 m away is heard louder than in the open."""
    road_map = load_map(builtin_map("twin-tunnel"))
    tubes = find_tubes(road_map)
    edge, offset_m = places(road_map, 50.0)
    fleet = standing(road_map, edge, offset_m)
    tube = tubes.edge_tube[edge]
    table = links_of(road_map, fleet, range_m=600.0)
    a, b = tube[senders(table)], tube[table.neighbour]
    power_dbm, within = received_dbm(table), table.distance <= 600.0
    across = within & (a >= 0) & (b >= 0) & (a != b)
    assert across.sum() > 1000
    assert power_dbm[across].max() < SILENCE_DBM
    far = (a >= 0) & (a == b) & (np.abs(table.distance - 500.0) < 25.0)
    free_space_dbm = EIRP_DBM + 6.0 - (32.45 + 20.0 * np.log10(CARRIER_GHZ * 500.0))
    assert far.sum() > 100
    assert np.median(power_dbm[far]) > free_space_dbm


MOUTH = """
duration_s: 3
warmup_s: 1.5
world: {map: twin-tunnel}
traffic: {type: trace, file: cars.csv}
channel: {pathloss: tr37885-highway, line_of_sight: always}
roadside: {placement: portals, spacing_m: 20000, relay: true}
"""


def at_the_mouths(folder: Path, road_map: RoadMap) -> Path:
    """Write a scenario of cars that stand 40 to 240 m inside both tubes, at one end of them."""
    tubes = find_tubes(road_map)
    edge, offset_m = places(road_map, 20.0)
    fleet = standing(road_map, edge, offset_m)
    west = tubes.portal_x_m < np.median(tubes.portal_x_m)
    rows = []
    for portal in np.flatnonzero(west):
        away_m = np.hypot(
            fleet.x_m - tubes.portal_x_m[portal], fleet.y_m - tubes.portal_y_m[portal]
        )
        near = (tubes.edge_tube[edge] == tubes.portal_tube[portal]) & (away_m > 40.0)
        rows += np.flatnonzero(near & (away_m < 240.0)).tolist()
    lines = ["time,id,x,y,z,speed,angle"]
    for time_s in (0, 10):
        for row in rows:
            # Half a length ahead is the bumper, which SUMO means; angles count from north.
            angle = (90.0 - np.degrees(fleet.heading_rad[row])) % 360.0
            place = (fleet.x_m[row], fleet.y_m[row], fleet.z_m[row])
            lines.append(f"{time_s},v{row}," + ",".join(f"{v:.3f}" for v in (*place, 0.0, angle)))
    (folder / "cars.csv").write_text("\n".join(lines) + "\n")
    file = folder / "mouth.yaml"
    file.write_text(MOUTH)
    return file


def known_at(file: Path, *overrides: tuple[str, str]) -> AwarenessCurve:
    """Return who knows whom in a scenario."""
    return awareness(simulate(load_scenario(file, overrides)))


def test_relay_across_the_mouth_makes_the_other_tube_known(tmp_path: Path) -> None:
    """Nobody hears the other tube; units before the mouths hear both and tell of them."""
    road_map = load_map(builtin_map("twin-tunnel"))
    file = at_the_mouths(tmp_path, road_map)
    silent = known_at(file, ("roadside.placement", "none"), ("roadside.relay", "false"))
    assert silent.n_other_level > 0.3 * silent.n_pairs.sum()
    assert silent.n_other_level_known == 0
    assert silent.n_with_relay.sum() == silent.n_direct.sum()
    own = silent.n_pairs.sum() - silent.n_other_level
    assert silent.n_direct.sum() > 0.97 * own

    told = known_at(file)
    assert told.n_other_level_known == 0
    assert told.with_relay.value > silent.with_relay.value + 0.2
    deaf = known_at(file, ("roadside.relay", "false"))
    assert deaf.n_with_relay.sum() == deaf.n_direct.sum()
    linked = known_at(file, ("roadside.linked", "true"))
    assert linked.with_relay.value >= told.with_relay.value


def mean_speed_kmh(scenario: Scenario, on_bridges: bool) -> float:
    """Return the mean speed of cars on bridges, or elsewhere, over the last seconds of a run."""
    road_map = load_road_map(scenario)
    mobility = assemble(scenario, road_map).parts.mobility
    speeds = []
    for tick in range(int(10 * scenario.duration_s)):
        fleet = mobility.advance(tick * 100_000)
        if tick % 10 == 0 and tick >= 10 * scenario.warmup_s:
            car = fleet.active & (fleet.kind == NodeKind.CAR) & (fleet.edge >= 0)
            bridge = road_map.edge_structure[fleet.edge] == Structure.BRIDGE
            speeds.append(fleet.speed_mps[car & (bridge == on_bridges)])
    return 3.6 * float(np.concatenate(speeds).mean())


def test_fog_slows_the_bridge_down() -> None:
    """Who can stop within 50 m on a wet road drives 41 km/h, not the 56 of a clear dry day."""
    changes = [("duration_s", "8"), ("warmup_s", "4")]
    fog = mean_speed_kmh(load_scenario("bridge_fog", changes), True)
    clear = [("weather.visibility_m", "10000"), ("weather.road", "dry")]
    dry = mean_speed_kmh(load_scenario("bridge_fog", [*changes, *clear]), True)
    assert fog < 0.85 * dry, (fog, dry)


@pytest.mark.parametrize("name", ["blind_curve", "hill_streets"])
def test_level_ground_gives_exactly_the_flat_results(name: str) -> None:
    """A raster of zeros under a flat map costs nothing, to the bit."""
    changes = [("duration_s", "2"), ("warmup_s", "1")]
    flat = load_scenario(name, [*changes, ("world.flat", "true")])
    solid = load_scenario(name, changes)
    terrain = load_road_map(solid).terrain
    road_map = load_road_map(flat)
    assert terrain is not None
    level = replace(terrain, height_m=np.zeros_like(terrain.height_m))
    expected = simulate(flat, road_map=road_map).tables
    found = simulate(solid, road_map=replace(road_map, terrain=level)).tables
    for table, columns in expected.items():
        for column, values in columns.items():
            np.testing.assert_array_equal(found[table][column], values, err_msg=f"{table}.{column}")


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_runs_and_its_flat_twin_meets_no_mountain(name: str) -> None:
    changes = [("duration_s", "1.2"), ("warmup_s", "0.2"), ("records.awareness_period_s", "0.5")]
    mountain = simulate(load_scenario(name, changes))
    flat = simulate(load_scenario(name, [*changes, ("world.flat", "true")]))
    third = {"tunnel", "deck", "terrain", "blocked"}
    assert third & set(link_state_shares(mountain))
    assert not third & set(link_state_shares(flat))
    for records in (mountain, flat):
        assert records.facts["n_vehicles"] > 50
        assert records.tables["links"]["n"].sum() > 10_000
    assert np.ptp(mountain.tables["trajectories"]["z_m"]) > 5.0
    vehicles = flat.tables["trajectories"]["kind"] <= NodeKind.BUS
    assert np.all(flat.tables["trajectories"]["z_m"][vehicles] == 0.0)
