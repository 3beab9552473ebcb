import gzip
import itertools
import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x import registry
from v2x.errors import V2XError
from v2x.mobility.base import MobilityContext
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.traces import TraceParams, TraceReplay
from v2x.world import synthetic
from v2x.world.road_map import RoadMap, Structure

S = 1_000_000
Vehicle = dict[str, Any]


def fcd(steps: Iterable[tuple[float, Sequence[Vehicle]]]) -> str:
    """Return floating car data in the layout of SUMO; key ``tag`` names another element."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "",
        '<fcd-export xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
    ]
    for time_s, vehicles in steps:
        lines.append(f'    <timestep time="{time_s:.2f}">')
        for vehicle in vehicles:
            words = " ".join(f'{key}="{vehicle[key]}"' for key in vehicle if key != "tag")
            lines.append(f"        <{vehicle.get('tag', 'vehicle')} {words}/>")
        lines.append("    </timestep>")
    return "\n".join([*lines, "</fcd-export>", ""])


def car(name: str, x: float, y: float = 0.0, angle: float = 90.0, **more: Any) -> Vehicle:
    return {"id": name, "x": x, "y": y, "angle": angle, "type": "car", "speed": 10.0} | more


class Replay:
    """Writes traces and replays them."""

    def __init__(self, folder: Path, road_map: RoadMap) -> None:
        self.folder, self.road_map = folder, road_map

    def __call__(
        self,
        text: str | bytes,
        name: str = "trace.xml",
        *,
        duration_s: float = 100.0,
        road_map: RoadMap | None = None,
        **params: Any,
    ) -> TraceReplay:
        data = text.encode() if isinstance(text, str) else text
        (self.folder / name).write_bytes(data)
        context = MobilityContext(
            road_map or self.road_map, 1, round(duration_s * S), str(self.folder)
        )
        return TraceReplay(TraceParams(file=name, **params), context)


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    # Roads far from the origin, so that traces near it are off the road.
    far = synthetic.junction()
    return Replay(tmp_path, far)


@pytest.fixture(scope="module")
def highway() -> RoadMap:
    """Three lanes of 4 m each way, 2 km from west to east; eastbound lane 0 is at y = -10."""
    return synthetic.highway()


def row_of(state: FleetState, identity: int) -> int:
    (row,) = np.flatnonzero(state.id == identity)
    return int(row)


def test_it_is_the_model_named_trace() -> None:
    assert registry.load("v2x.mobility", "trace") is TraceReplay


# Interpolation -----------------------------------------------------------------------------


def test_positions_speeds_and_centres_between_samples(replay: Replay) -> None:
    """A car of 5 m going north: its centre is 2.5 m south of the bumper in the file."""
    steps = [
        (0, [car("a", 500, 100, 0, speed=10)]),
        (1, [car("a", 500, 112, 0, speed=14)]),
        (3, [car("a", 500, 140, 0, speed=14)]),
    ]
    model = replay(fcd(steps))
    for time_s, front_y, speed, acceleration in [
        (0, 100, 10, 4),
        (0.25, 103, 11, 4),
        (1, 112, 14, 0),
        (2.5, 133, 14, 0),
        (3, 140, 14, 0),
    ]:
        state = model.advance(round(time_s * S))
        assert state.time_us == round(time_s * S)
        assert state.x_m[0] == pytest.approx(500)
        assert state.y_m[0] == pytest.approx(front_y - 2.5)
        assert state.heading_rad[0] == pytest.approx(math.pi / 2)
        assert state.speed_mps[0] == pytest.approx(speed)
        assert state.acceleration_mps2[0] == pytest.approx(acceleration)


@pytest.mark.parametrize(
    ("angle", "heading"), [(0, 90), (90, 0), (180, -90), (225, -135), (270, -180), (450, 0)]
)
def test_angles_turn_from_clockwise_of_north_to_counter_clockwise_of_east(
    replay: Replay, angle: float, heading: float
) -> None:
    state = replay(fcd([(0, [car("a", 500, 500, angle)])])).advance(0)
    assert math.degrees(state.heading_rad[0]) == pytest.approx(heading)
    back = 2.5 * np.array([math.sin(math.radians(angle)), math.cos(math.radians(angle))])
    np.testing.assert_allclose([state.x_m[0], state.y_m[0]], 500 - back)


@pytest.mark.parametrize(("one", "other", "half"), [(350, 30, 10), (30, 350, 10), (100, 200, 150)])
def test_headings_turn_the_shorter_way(
    replay: Replay, one: float, other: float, half: float
) -> None:
    model = replay(fcd([(0, [car("a", 500, 0, one)]), (1, [car("a", 500, 5, other)])]))
    heading = model.advance(S // 2).heading_rad[0]
    assert math.degrees(heading) == pytest.approx(90 - half)


def test_missing_speed_and_angle_come_from_the_positions(replay: Replay) -> None:
    """North-east at 5 m/s, then at rest, looking where it went."""
    rows = [
        "time,id,x,y",
        "0,a,500,500",
        "1,a,503,504",
        "2,a,506,508",
        "3,a,506,508",
        "4,a,506,508",
    ]
    model = replay("\n".join(rows), "trace.csv")
    state = model.advance(S)
    assert state.speed_mps[0] == pytest.approx(5)
    assert state.heading_rad[0] == pytest.approx(math.atan2(4, 3))
    rest = model.advance(4 * S)
    assert rest.speed_mps[0] == 0
    assert rest.heading_rad[0] == pytest.approx(math.atan2(4, 3))


def test_who_waits_first_looks_where_it_will_go_and_who_never_moves_east(replay: Replay) -> None:
    rows = ["time,id,x,y"]
    for k, y in enumerate([0, 0, 0, -5, -10]):
        rows += [f"{k},waits,500,{y}", f"{k},parks,600,0"]
    state = replay("\n".join(rows), "trace.csv").advance(0)
    np.testing.assert_allclose(state.heading_rad, [-math.pi / 2, 0.0])


def test_positions_cross_the_joint_of_a_ring_the_short_way(replay: Replay) -> None:
    ring = synthetic.highway(wrap=True)
    rows = ["time,id,x,y", "0,a,1990,-10", "1,a,2000,-10", "2,a,10,-10", "3,a,20,-10"]
    model = replay("\n".join(rows), "trace.csv", road_map=ring)
    for time_s, middle in [(0, 1987.5), (0.8, 1995.5), (1.5, 2.5), (1.1, 1998.5), (2.5, 12.5)]:
        state = model.advance(round(time_s * S))
        assert state.x_m[0] == pytest.approx(middle)
        assert state.speed_mps[0] == pytest.approx(10)


# Coming and going --------------------------------------------------------------------------


def test_road_users_come_and_go_with_their_samples(replay: Replay) -> None:
    steps = [
        (1, [car("a", 500)]),
        (2, [car("a", 510), car("b", 400)]),
        (3, [car("b", 410)]),
        (4, []),
        (5, [car("c", 300)]),
        (6, [car("c", 310)]),
    ]
    model = replay(fcd(steps))
    assert model.n_rows == 2
    present = {
        time_s: sorted(model.advance(round(time_s * S)).id.tolist())
        for time_s in (0, 0.9, 1, 1.9, 2, 2.1, 3, 3.1, 4.5, 5, 6, 6.1)
    }
    nobody = [-1, -1]
    assert present == {
        0: nobody,
        0.9: nobody,
        1: [-1, 0],
        1.9: [-1, 0],
        2: [0, 1],
        2.1: [-1, 1],
        3: [-1, 1],
        3.1: nobody,
        4.5: nobody,
        5: [-1, 2],
        6: [-1, 2],
        6.1: nobody,
    }


def test_who_comes_back_is_somebody_new(replay: Replay) -> None:
    steps = [
        (0, [car("b", 0), car("a", 500)]),
        (1, [car("a", 510), car("b", 10)]),
        (2, [car("a", 520)]),
        (3, [car("a", 530), car("b", 30)]),
        (4, [car("a", 540), car("b", 40)]),
    ]
    model = replay(fcd(steps))
    # Numbers follow the order in the file: b first, then a, then the returning b.
    for time_s, who in [(0, {0: -2.5, 1: 497.5}), (4, {1: 537.5, 2: 37.5})]:
        state = model.advance(time_s * S)
        found = {i: x for i, x in zip(state.id.tolist(), state.x_m.tolist(), strict=True) if i >= 0}
        assert found == pytest.approx(who)


def test_rows_are_recycled_and_never_moved(replay: Replay) -> None:
    """Of 30 vehicles at most 5 are there at once; each stays in its row."""
    steps = [(k, [car(f"v{i}", 7 * k) for i in range(k, k + 5)]) for k in range(26)]
    model = replay(fcd(steps))
    assert model.n_rows == 5
    rows: dict[int, set[int]] = {}
    for tenth in range(251):
        state = model.advance(tenth * S // 10)
        assert state.active.sum() == (5 if tenth % 10 == 0 else 4)
        for row in np.flatnonzero(state.active).tolist():
            rows.setdefault(int(state.id[row]), set()).add(row)
    assert sorted(rows) == list(range(30))
    assert all(len(places) == 1 for places in rows.values())


def test_only_the_time_of_the_run_is_loaded(replay: Replay) -> None:
    """Who is gone before the start or comes after the end costs no row and no number."""
    steps = [
        (0, [car(f"early{i}", i) for i in range(9)]),
        (9, [car("left", 0), car("a", 90)]),
        (11, [car("a", 110)]),
        (13, [car("a", 130), car("b", 0)]),
        (15, [car(f"late{i}", i) for i in range(9)]),
    ]
    model = replay(fcd(steps), start_s=10, duration_s=2.5)
    assert model.n_rows == 1
    assert model.advance(0).x_m.tolist() == pytest.approx([97.5])
    assert model.advance(2 * S).x_m.tolist() == pytest.approx([117.5])


def test_what_follows_the_end_of_the_run_is_not_read(replay: Replay) -> None:
    filler = [(k, [car("a", k)]) for k in range(4, 3000)]
    text = fcd([(0, [car("a", 0)]), (1, [car("a", 10)]), (2, [car("a", 20)]), *filler])
    broken = text.replace("</fcd-export>", "<<<")
    assert replay(broken, duration_s=1.0).n_rows == 1
    with pytest.raises(V2XError, match="not well-formed"):
        replay(broken, duration_s=4000.0)


def test_the_file_may_be_moved_onto_the_map(replay: Replay) -> None:
    model = replay(
        fcd([(0, [car("a", 651_000, 3_270_000)])]), offset_x_m=-650_000, offset_y_m=-3_269_500
    )
    state = model.advance(0)
    assert (state.x_m[0], state.y_m[0]) == pytest.approx((997.5, 500.0))


# Kinds, roads, leaders ---------------------------------------------------------------------


def test_types_name_kinds_and_kinds_have_sizes(replay: Replay) -> None:
    types = ["passenger", "Truck_7", "trailer", "city_bus", "bike_bicycle", "DEFAULT_PEDTYPE"]
    vehicles = [car(f"v{k}", 100 * k, type=name) for k, name in enumerate(types)]
    vehicles += [car("w", 700, type="t0", vClass="bus"), car("v0", 800, tag="person")]
    state = replay(fcd([(0, vehicles)])).advance(0)
    kinds = ["CAR", "TRUCK", "TRUCK", "BUS", "VRU", "VRU", "BUS", "VRU"]
    assert state.kind.tolist() == [NodeKind[name] for name in kinds]
    sizes = {NodeKind.CAR: (5, 1.6), NodeKind.TRUCK: (13, 3), NodeKind.BUS: (13, 3)}
    for row, kind in enumerate(state.kind.tolist()):
        length, antenna = sizes.get(NodeKind(kind), (0.5, 1.5))
        assert state.length_m[row] == length
        assert state.antenna_height_m[row] == antenna
        assert state.x_m[row] == pytest.approx(vehicles[row]["x"] - length / 2)


def test_edges_lanes_and_offsets_on_the_road(replay: Replay, highway: RoadMap) -> None:
    east = int(np.flatnonzero(highway.edge_to_xy[:, 0] > 1)[0])
    vehicles = [
        car("right", 500.0, -10.0),
        car("left", 501.3, -2.2),
        car("oncoming", 700.0, 2.0, 270.0),
        car("lane of the file", 900.0, -10.0, lane="E0_2"),
        car("no such lane", 950.0, -10.0, lane=":J1_0_7"),
        car("field", 500.0, -40.0),
        car("walker", 600.0, -13.0, tag="person"),
    ]
    state = replay(fcd([(0, vehicles)]), road_map=highway).advance(0)
    assert state.edge.tolist() == [east, east, 1 - east, east, east, -1, east]
    assert state.lane.tolist() == [0, 2, 2, 2, 0, -1, -1]
    np.testing.assert_allclose(
        state.offset_m, [500.0, 501.3, 1300.0, 900.0, 950.0, 0.0, 600.0], atol=1e-9
    )


def test_a_lane_holds_until_the_next_sample(replay: Replay, highway: RoadMap) -> None:
    lanes = ["E0_0", "E0_2", "E0_2"]
    steps = [(k, [car("a", 500 + 10 * k, -6, lane=lane)]) for k, lane in enumerate(lanes)]
    model = replay(fcd(steps), road_map=highway)
    shown = [int(model.advance(half * S // 2).lane[0]) for half in range(5)]
    assert shown == [0, 0, 2, 2, 2]


def test_stacked_roads_give_height_level_and_tunnel(replay: Replay, map_of: Any) -> None:
    """A slope, and across it a tunnel below and a bridge above, told apart by direction."""
    slope = [(0.0, 0.0, 100.0), (1000.0, 0.0, 150.0)]
    below = [(500.0, -300.0, 110.0), (500.0, 300.0, 110.0)]
    above = [(500.0, 300.0, 135.0), (500.0, -300.0, 135.0)]
    stacked = map_of(
        [
            (0, 1, slope, {}),
            (2, 3, below, {"structure": Structure.TUNNEL, "level": -1}),
            (4, 5, above, {"structure": Structure.BRIDGE, "level": 2}),
        ]
    )
    ways = [car("up", 502.5, 1, 90), car("in", 500, 2.5, 0), car("over", 500, -2.5, 180)]
    state = replay(fcd([(0, ways)]), road_map=stacked).advance(0)
    assert state.edge.tolist() == [0, 1, 2]
    assert state.level.tolist() == [0, -1, 2]
    assert state.tunnel.tolist() == [-1, 1, -1]
    np.testing.assert_allclose(state.z_m, [125.0, 110.0, 135.0], atol=0.01)

    # All go north now, and recorded heights alone say on which road.
    ways = [car(f"v{z}", 500, 0, 0, z=z) for z in (110.0, 111.5, 97.0)]
    double = map_of([(0, 1, below, {}), (2, 3, [(*p[:2], 118.0) for p in below], {"level": 1})])
    ways += [car("deck", 500, 50, 0, z=118.2), car("under deck", 500, 50, 0, z=109.8)]
    state = replay(fcd([(0, ways)]), road_map=double).advance(0)
    assert state.level.tolist() == [0, 0, 0, 1, 0]
    assert state.z_m.tolist() == [110.0, 111.5, 97.0, 118.2, 109.8]


def test_off_the_road_the_ground_is_at_zero(replay: Replay) -> None:
    state = replay(fcd([(0, [car("a", 5000, 5000)])])).advance(0)
    assert (state.edge[0], state.lane[0], state.z_m[0], state.level[0]) == (-1, -1, 0.0, 0)
    assert state.tunnel[0] == -1


def test_a_trace_beside_the_map_is_reported(
    replay: Replay, highway: RoadMap, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        replay(fcd([(0, [car("a", 100, -10)])]), road_map=highway)
        assert not caplog.records
        replay(fcd([(0, [car("a", 100, -500)])]), road_map=highway)
    assert "traffic.offset_x_m" in caplog.text


def test_leaders_in_lane_and_their_gaps(replay: Replay, highway: RoadMap) -> None:
    vehicles = [
        car("last", 100, -10),
        car("truck", 150, -10, type="truck"),
        car("first", 400, -10),
        car("next lane", 120, -6),
        car("oncoming", 130, 10, 270),
        car("oncoming leader", 110, 10, 270),
        car("walker", 125, -10, tag="person"),
    ]
    state = replay(fcd([(0, vehicles)]), road_map=highway).advance(0)
    assert state.leader.tolist() == [1, 2, -1, -1, 5, -1, -1]
    expected = [50 - 13, 250 - 5, np.inf, np.inf, 20 - 5, np.inf, np.inf]
    np.testing.assert_allclose(state.gap_m, expected)


def test_overlapping_vehicles_have_a_negative_gap(replay: Replay, highway: RoadMap) -> None:
    vehicles = [car("a", 100, -10), car("b", 103, -10)]
    state = replay(fcd([(0, vehicles)]), road_map=highway).advance(0)
    assert state.gap_m[0] == pytest.approx(-2)


def test_leaders_across_joints_and_off_the_road(replay: Replay) -> None:
    ring = synthetic.highway(wrap=True)
    vehicles = [car("joint", 995, -10), car("beyond", 1015, -10)]
    vehicles += [car("end", 1990, -6), car("beginning", 15, -6), car("beside", 10, -10)]
    state = replay(fcd([(0, vehicles)]), road_map=ring).advance(0)
    assert state.edge[0] != state.edge[1]
    assert state.leader.tolist() == [1, -1, 3, -1, 0]
    np.testing.assert_allclose(state.gap_m[[0, 2]], [15.0, 20.0], atol=1e-9)

    # North-west off the road: the nearest ahead within half a lane (1.75 m) and 100 m counts.
    ahead = np.array([-math.sqrt(0.5), math.sqrt(0.5)])
    aside = np.array([math.sqrt(0.5), math.sqrt(0.5)])
    places = {"me": (0, 0), "aside": (20, 2.0), "near": (30, 1.5), "far": (60, 0), "out": (190, 0)}
    field = []
    for name, (along, right) in places.items():
        x, y = 5000 + along * ahead + right * aside
        field.append(car(name, x, y, 315))
    field.append(car("against", *(5000 + 10 * ahead), 135))
    state = replay(fcd([(0, field)])).advance(0)
    assert state.leader.tolist()[:2] == [2, 2]
    assert state.leader[3:5].tolist() == [-1, -1]
    assert state.gap_m[0] == pytest.approx(25.0)


# Forms of files ----------------------------------------------------------------------------


def tracks() -> list[tuple[float, list[Vehicle]]]:
    """Three vehicles, one of them for a while, in figures that are exact in decimal."""
    steps = []
    for k in range(6):
        users = [
            car("a", 100 + 12.5 * k, -10, speed=25.0, lane="E0_0", z=1.5),
            car("b", 900 - 10 * k, 2, 270, type="truck", speed=20.0, lane="-E0_2", z=1.5),
        ]
        if 1 <= k <= 3:
            users.append(car("a", 50, -20, 0, tag="person", speed=0.0, z=1.5))
        steps.append((0.5 * k, users))
    return steps


def states_of(model: TraceReplay) -> list[FleetState]:
    return [model.advance(tenth * S // 10) for tenth in range(31)]


def assert_same(one: TraceReplay, other: TraceReplay) -> None:
    for a, b in zip(states_of(one), states_of(other), strict=True):
        for item in fields(FleetState):
            value, expected = getattr(a, item.name), getattr(b, item.name)
            assert np.asarray(value).tobytes() == np.asarray(expected).tobytes(), item.name


def sumo_csv(steps: list[tuple[float, list[Vehicle]]]) -> str:
    """Return the table that SUMO's converter makes: vehicles and persons side by side."""
    keys = ["angle", "id", "lane", "speed", "type", "x", "y", "z"]
    head = [
        f"{tag}_{key}"
        for tag in ("vehicle", "person")
        for key in keys
        if key != "lane" or tag == "vehicle"
    ]
    lines = [";".join(["timestep_time", *head])]
    for time_s, users in steps:
        for user in users:
            tag = user.get("tag", "vehicle")
            cells = {f"{tag}_{key}": str(user[key]) for key in user if key != "tag"}
            lines.append(";".join([f"{time_s:.2f}", *(cells.get(name, "") for name in head)]))
    return "\n".join(lines) + "\n"


def test_all_forms_of_a_file_replay_the_same_bytes(replay: Replay, highway: RoadMap) -> None:
    xml = fcd(tracks())
    replay.road_map = highway
    model = replay(xml)
    assert model.n_rows == 3
    assert_same(replay(xml, "again.xml"), model)
    assert_same(replay(gzip.compress(xml.encode()), "trace.xml.gz"), model)
    assert_same(replay(xml, "trace.dat", format="fcd"), model)
    assert_same(replay(sumo_csv(tracks()), "sumo.csv"), model)
    assert_same(replay(sumo_csv([*tracks(), (3.0, [])]), "empty.csv"), model)


def test_plain_tables_take_any_order_of_columns(replay: Replay, highway: RoadMap) -> None:
    replay.road_map = highway
    vehicles = [(t, [u for u in users if "tag" not in u]) for t, users in tracks()]
    names = ["y", "time", "x", "id", "note", "type", "lane", "angle", "speed", "z"]
    lines = [",".join(names)]
    for time_s, user in ((t, u) for t, users in vehicles for u in users):
        cells = user | {"time": time_s, "note": '"any, thing"'}
        lines.append(",".join(str(cells[name]) for name in names))
    table = "\ufeff" + "\r\n".join([*lines, ""])
    assert_same(replay(table, "trace.csv"), replay(fcd(vehicles)))
    assert_same(
        replay(gzip.compress(table.encode()), "t.csv.gz"), replay(fcd(vehicles), "twin.xml")
    )


def test_states_are_typed_and_read_only(replay: Replay) -> None:
    state = replay(fcd(tracks())).advance(0)
    types = {"id": "int64"} | dict.fromkeys(
        ["kind", "edge", "lane", "level", "tunnel", "leader", "turn", "flags"], "int32"
    )
    for item in fields(FleetState):
        values = getattr(state, item.name)
        if item.name != "time_us":
            assert values.dtype == types.get(item.name, "float64"), item.name
            assert values.shape == (3,)
            assert not values.flags.writeable


# Mistakes ----------------------------------------------------------------------------------

HEAD = '<fcd-export>\n<timestep time="0">\n'
TAIL = "</timestep>\n</fcd-export>\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEAD + "<vehicle id='a' x='1' y='2'>\n" + TAIL, 4, "well-formed"),
        (HEAD + "<vehicle id='a' x='1' y='2'/>\n", 4, "well-formed"),
        ("", 1, "well-formed.*no element"),
        ("<osm>\n</osm>", 1, "root element is <osm>"),
        (HEAD + "<vehicle id='a' x='1'/>\n" + TAIL, 3, "y: is missing"),
        (HEAD + "\n<vehicle x='1' y='1'/>\n" + TAIL, 4, "id: is missing"),
        (HEAD + "<vehicle id=' ' x='1' y='1'/>\n" + TAIL, 3, "id: is missing"),
        (HEAD + "<vehicle id='a' x='east' y='2'/>\n" + TAIL, 3, "x: 'east' is not a number"),
        (HEAD + "<vehicle id='a' x='1' y='nan'/>\n" + TAIL, 3, "y: 'nan' is not a number"),
        (HEAD + "<vehicle id='a' x='1' y='2' z='inf'/>\n" + TAIL, 3, "z: 'inf' is not a number"),
        (HEAD + "<vehicle id='a' x='1' y='2' angle='N'/>\n" + TAIL, 3, "angle: 'N' is not"),
        (HEAD + "<vehicle id='a' x='1' y='2' speed='-1'/>\n" + TAIL, 3, "speed: -1 is negative"),
        (HEAD + "<vehicle id='a' x='1' y='2' lane='left'/>\n" + TAIL, 3, "lane: lane 'left'"),
        (HEAD + "<vehicle id='a' x='1' y='-1073741824'/>\n" + TAIL, 3, "km from the map"),
        (HEAD + "<vehicle id='a' x='1' y='2'/>\n" * 2 + TAIL, 4, "'a' is there twice"),
        ("<fcd-export>\n<vehicle id='a' x='1' y='2'/>\n</fcd-export>", 2, "outside"),
        ("<fcd-export>\n<timestep/>\n</fcd-export>", 2, "time: is missing"),
        ("<fcd-export>\n<timestep time='0:10'/>\n</fcd-export>", 2, "time: '0:10' is not"),
        (fcd([(1, []), (0.5, [])]), 6, "time: 0.50 s comes after 1 s"),
        (fcd([(1, []), (1, [])]), 6, "time: 1.00 s comes after 1 s"),
    ],
)
def test_mistakes_in_floating_car_data(replay: Replay, text: str, line: int, words: str) -> None:
    with pytest.raises(V2XError, match=rf"trace\.xml:{line}: .*{words}") as caught:
        replay(text)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "is empty"),
        ("time,id,x\n0,a,1\n", 1, "no column 'y'"),
        ("time,x,y\n0,1,1\n", 1, "no column 'id'"),
        ("id,x,y\na,1,1\n", 1, "no column 'time'"),
        ("timestep_time;vehicle_id;vehicle_x\n0;a;1\n", 1, "no column 'vehicle_y'"),
        ("time,id,x,x\n0,a,1,1\n", 1, "two columns"),
        ("time,id,x,y\n0,a,1,1\n0,b,1\n", 3, "3 cells under 4 columns"),
        ("time,id,x,y\n0,a,1,1\n\n0,b,one,1\n", 4, "x: 'one' is not a number"),
        ("time,id,x,y\n0,a,1,NaN\n", 2, "y: 'NaN' is not a number"),
        ("time,id,x,y\n0,,1,1\n", 2, "id: is missing"),
        ("time,id,x,y\n0,a,,1\n", 2, "x: is missing"),
        ("time,id,x,y\n0,a,1,1\n0.0,a,2,1\n", 3, "'a' is there twice"),
        ("time,id,x,y\n1,a,1,1\n0.5,a,1,1\n", 3, "time: 0.5 s comes after 1 s"),
        ('time,id,x,y\n0,"a"b,1,1\n', 2, "not a table"),
    ],
)
def test_mistakes_in_tables(replay: Replay, text: str, line: int, words: str) -> None:
    with pytest.raises(V2XError, match=rf"trace\.csv:{line}: .*{words}") as caught:
        replay(text, "trace.csv")
    assert caught.value.remedy


def test_mistakes_about_the_file_as_a_whole(replay: Replay) -> None:
    good = fcd([(0, [car("a", 1)])])
    with pytest.raises(V2XError, match=r"trace\.txt: .*traffic\.format to fcd or csv"):
        replay(good, "trace.txt")
    with pytest.raises(V2XError, match=r"gone\.xml: cannot be read: No such file.*traffic\.file"):
        TraceReplay(TraceParams(file="gone.xml"), MobilityContext(replay.road_map, 1, S, "."))
    with pytest.raises(V2XError, match=r"t\.xml\.gz: damaged gzip"):
        replay(gzip.compress(good.encode())[:-12], "t.xml.gz")
    with pytest.raises(V2XError, match=r"latin\.csv: not readable text.*UTF-8"):
        replay("time,id,x,y\n0,é,1,1\n".encode("latin-1"), "latin.csv")
    with pytest.raises(V2XError, match=r"trace\.xml: holds no time"):
        replay("<fcd-export/>")
    with pytest.raises(V2XError, match=r"trace\.csv: holds no time"):
        replay("time,id,x,y\n", "trace.csv")
    with pytest.raises(V2XError, match=r"trace\.xml: holds nobody .*traffic\.start_s"):
        replay(fcd([(0, []), (1, [])]))


@pytest.mark.parametrize("start_s", [-50.0, 50.0])
def test_a_trace_of_another_time_is_refused(replay: Replay, start_s: float) -> None:
    text = fcd([(0, [car("a", 1)]), (1, [car("a", 2)])])
    with pytest.raises(V2XError, match=r"nobody.*traffic\.start_s"):
        replay(text, start_s=start_s, duration_s=10)


def test_samples_at_different_times_for_each_vehicle_are_refused(replay: Replay) -> None:
    rows = [
        f"{k / 10},{name},{k},0" for k, name in zip(range(10), itertools.cycle("ab"), strict=False)
    ]
    with pytest.raises(V2XError, match="nobody is present at two successive of its 10 times"):
        replay("\n".join(["time,id,x,y", *rows]), "trace.csv")


@pytest.mark.parametrize(
    "wrong", [{"file": ""}, {"format": "xls"}, {"start_s": math.nan}, {"offset_x_m": math.inf}]
)
def test_impossible_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)) if "format" not in wrong else "xls"):
        TraceParams(**{"file": "a.xml"} | wrong)


# The whole way -----------------------------------------------------------------------------


def test_a_scenario_with_a_trace_gives_a_prr_curve(tmp_path: Path) -> None:
    """Twenty cars 50 m apart, found beside the scenario, talk to each other."""
    from v2x.records.tables import Outcome
    from v2x.scenario.assemble import simulate
    from v2x.scenario.schema import load_scenario

    steps = [
        (k, [car(f"v{i}", 100 + 50 * i + 25 * k, -2 - 4 * (i % 3), speed=25) for i in range(20)])
        for k in range(4)
    ]
    (tmp_path / "fcd.xml").write_text(fcd(steps))
    (tmp_path / "scenario.yaml").write_text(
        "duration_s: 3\nwarmup_s: 1\nworld: {synthetic: highway}\n"
        "traffic: {type: trace, file: fcd.xml}\n"
    )
    scenario = load_scenario(tmp_path / "scenario.yaml")
    records = simulate(scenario)
    assert records.facts["n_vehicles"] == 20
    assert set(records.tables["trajectories"]["id"]) == set(range(20))
    # Who follows whom in a lane is 150 m ahead, less a car's length.
    np.testing.assert_allclose(records.tables["safety"]["gap_m"], 145.0)
    links = records.tables["links"]

    def received(low: float, high: float) -> float:
        here = (links["bin_upper_m"] > low) & (links["bin_upper_m"] <= high)
        n = links["n"][here]
        return float(n[links["outcome"][here] == Outcome.RECEIVED].sum() / n.sum())

    # 10 messages a second, 2 s, 19 pairs of neighbours, both ways: 760 within 60 m; at most one
    # message of each of the 20 is still on its way at the end.
    near = links["n"][links["bin_upper_m"] == 60.0].sum()
    assert 760 - 2 * 20 <= near <= 760 + 2 * 20
    # Half duplex costs a pair all its messages with probability 1/100; 54 pairs are this near,
    # so that six of them are improbable (p < 1e-4).
    assert received(0.0, 160.0) > 48 / 54
    assert received(0.0, 160.0) > received(400.0, 500.0) > 0.5

    (tmp_path / "typo.yaml").write_text("world: {synthetic: highway}\ntraffic: {type: trace}\n")
    with pytest.raises(V2XError, match=r"traffic\.file: is missing"):
        load_scenario(tmp_path / "typo.yaml")
