"""MAP of junctions of the built-in maps (T/CSAE 159-2020)."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.messages.coding.uper import MessageError
from v2x.messages.coding.wire import UNAVAILABLE
from v2x.messages.csae.elements import NodeReference, Position3D
from v2x.messages.csae.frame import FRAME, decode, encode, size_bytes
from v2x.messages.csae.map_data import Lane, Link, Maneuver, MapData, VehicleLane
from v2x.messages.csae.map_from_roads import MapMaker, MapParams
from v2x.messages.csae.offsets import place_at
from v2x.messages.csae.tangent import TangentPlane
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.junctions import LaneNetwork, lane_network
from v2x.world import synthetic
from v2x.world.projection import to_local
from v2x.world.road_map import RoadMap, Structure
from v2x.world.store import builtin_map, builtin_maps, load_map

from .samples import steps_apart

ANCHOR = Position3D(latitude_deg=29.563, longitude_deg=106.55, elevation_m=200.0)
#: A junction of three streets with a place on the Earth, and the end of a winding one.
JUNCTION, WINDING = 31, 41


@pytest.fixture(scope="module")
def chongqing() -> LaneNetwork:
    return lane_network(load_map(builtin_map("chongqing-central")))


@pytest.fixture(scope="module")
def streets() -> LaneNetwork:
    return lane_network(load_map(builtin_map("hill-streets")))


@pytest.fixture(scope="module")
def junction(chongqing: LaneNetwork) -> MapData:
    return MapMaker(chongqing, MapParams(region=500)).message([JUNCTION], count=5)


def agrees(message: MapData) -> None:
    """Require that a message comes back within half a step, as long as it says."""
    octets = encode(message)
    assert steps_apart(FRAME, message, decode(octets)) <= 0.5 + 1e-6
    assert encode(decode(octets)) == octets
    assert size_bytes(message) == len(octets)


def links_of(message: MapData) -> tuple[Link, ...]:
    (node,) = message.nodes
    assert node.links is not None
    return node.links


def edge_of(network: LaneNetwork, link: Link, node: int) -> int:
    """Return the edge that a link tells of."""
    road_map = network.road_map
    found = np.flatnonzero(
        (road_map.edge_from == link.upstream_node.node) & (road_map.edge_to == node)
    )
    assert len(found) == 1
    return int(found[0])


def line_m(road_map: RoadMap, middle: Position3D, lane: Lane) -> np.ndarray:
    """Return the points of a lane in local metres, shape (n, 3)."""
    assert lane.points is not None
    places = [place_at(middle, point.offset) for point in lane.points]
    x, y = to_local(
        road_map,
        [place.latitude_deg for place in places],
        [place.longitude_deg for place in places],
    )
    return np.column_stack((x, y, [place.elevation_m for place in places]))


def test_a_real_junction_there_and_back(junction: MapData, chongqing: LaneNetwork) -> None:
    agrees(junction)
    arriving = np.flatnonzero(chongqing.road_map.edge_to == JUNCTION)
    assert len(links_of(junction)) == len(arriving) == 3
    assert junction.nodes[0].node == NodeReference(region=500, node=JUNCTION)


def test_lanes_are_drawn_within_the_error(junction: MapData, chongqing: LaneNetwork) -> None:
    """Every point of a lane's middle is within 0.5 m of the line that MAP draws, in space."""
    road_map, geometry = chongqing.road_map, RoadGeometry(chongqing.road_map)
    for link in links_of(junction):
        edge = edge_of(chongqing, link, JUNCTION)
        length = float(road_map.edge_length_m[edge])
        for lane in link.lanes:
            drawn = line_m(road_map, junction.nodes[0].position, lane)
            lateral = geometry.lane_lateral_m(
                np.array([edge]), np.array([len(link.lanes) - lane.lane_id])
            )
            reach = np.hypot(*np.diff(drawn[:, :2], axis=0).T).sum()
            along = np.arange(max(length - reach, 0.0) + 1.0, length - 15.0, 1.0)
            true = np.column_stack(
                geometry.position(
                    np.full(len(along), edge, dtype=np.int32), along, np.full(len(along), lateral)
                )[:3]
            )
            best = np.full(len(true), np.inf)
            for begin, end in itertools.pairwise(drawn):
                chord = end - begin
                share = np.clip((true - begin) @ chord / (chord @ chord), 0.0, 1.0)
                apart = true - begin - share[:, None] * chord
                best = np.minimum(best, np.sqrt((apart**2).sum(axis=1)))
            # Half a step of height and of degrees comes on top.
            assert best.max() <= 0.5 + 0.05 + 0.01


def test_lanes_end_at_the_stop_line() -> None:
    """The last point lies as far before the node as the crossing area reaches, on its lane."""
    road_map = synthetic.junction(lanes_per_direction=2)
    network = lane_network(road_map)
    middle = int(np.flatnonzero(road_map.node_signal)[0])
    message = MapMaker(network, MapParams(anchor=ANCHOR)).message([middle])
    radius = float(network.radius_m.max())
    assert radius > 5.0
    plane = TangentPlane(latitude_deg=29.563, longitude_deg=106.55)
    for link in links_of(message):
        for lane in link.lanes:
            assert lane.points is not None
            place = place_at(message.nodes[0].position, lane.points[-1].offset)
            x, y = plane.to_metres(place.latitude_deg, place.longitude_deg)
            apart = sorted(
                (
                    abs(float(x) - road_map.node_x_m[middle]),
                    abs(float(y) - road_map.node_y_m[middle]),
                )
            )
            aside = (lane.lane_id - 0.5) * road_map.lane_width_m
            assert apart == pytest.approx(sorted((radius, aside)), abs=0.02)


def test_lanes_are_numbered_from_the_left(streets: LaneNetwork) -> None:
    message = MapMaker(streets, MapParams(anchor=ANCHOR)).message([2])
    for link in links_of(message):
        assert [lane.lane_id for lane in link.lanes] == [1, 2]
        lefts = []
        for lane in link.lanes:
            assert lane.points is not None
            places = [place_at(message.nodes[0].position, point.offset) for point in lane.points]
            x = [1e5 * place.longitude_deg * math.cos(0.516) for place in places[-2:]]  # type: ignore[operator]
            y = [1e5 * place.latitude_deg for place in places[-2:]]  # type: ignore[operator]
            lefts.append((x[0], y[0], x[1] - x[0], y[1] - y[0]))
        (x1, y1, dx, dy), (x2, y2, _, _) = lefts
        assert dx * (y2 - y1) - dy * (x2 - x1) < 0  # the second lies to the right of the first


@pytest.mark.parametrize("node", [2, 8, 15])
def test_connections_are_those_of_the_lane_network(streets: LaneNetwork, node: int) -> None:
    road_map = streets.road_map
    message = MapMaker(streets, MapParams(anchor=ANCHOR, region=7)).message([node])
    for link in links_of(message):
        edge = edge_of(streets, link, node)
        wanted = set()
        for m in range(*streets.first_movement[edge : edge + 2].tolist()):
            onto = int(streets.to_edge[m])
            for lane in range(int(streets.lane_low[m]), int(streets.lane_high[m]) + 1):
                wanted.add(
                    (
                        int(road_map.edge_lanes[edge]) - lane,
                        int(road_map.edge_to[onto]),
                        int(road_map.edge_lanes[onto]) - lane - int(streets.lane_shift[m]),
                        int(streets.signal[m]) + 1,
                    )
                )
        found = set()
        for lane in link.lanes:
            union = Maneuver(0)
            for connection in lane.connections or ():
                assert connection.lane is not None
                assert connection.lane.maneuver is not None
                union |= connection.lane.maneuver
                found.add(
                    (
                        lane.lane_id,
                        connection.remote_node.node,
                        connection.lane.lane,
                        connection.phase_id,
                    )
                )
            assert lane.maneuvers == union
        assert found == wanted
        assert link.movements is not None
        assert {movement.remote_node.node for movement in link.movements} == {
            onto for _, onto, _, _ in wanted
        }


def test_a_signalled_crossing() -> None:
    """Out of the east: left goes south, straight on west, right north; phase 1 is east-west."""
    road_map = synthetic.junction(lanes_per_direction=2)
    network = lane_network(road_map)
    middle = int(np.flatnonzero(road_map.node_signal)[0])
    message = MapMaker(network, MapParams(anchor=ANCHOR)).message([middle])
    agrees(message)
    # In the order east, north, west, south; even edges arrive, odd edges leave.
    ends = road_map.edge_from[[0, 2, 4, 6]].tolist()
    links = {link.upstream_node.node: link for link in links_of(message)}
    for k, arm in enumerate(ends):
        link = links[arm]
        told = {
            (connection.remote_node.node, connection.lane.maneuver, connection.phase_id)
            for lane in link.lanes
            for connection in lane.connections or ()
            if connection.lane is not None
        }
        assert told == {
            (ends[(k + 1) % 4], Maneuver.RIGHT, 1 + k % 2),
            (ends[(k + 2) % 4], Maneuver.STRAIGHT, 1 + k % 2),
            (ends[(k + 3) % 4], Maneuver.LEFT, 1 + k % 2),
        }
        assert link.lanes[0].maneuvers == Maneuver.LEFT | Maneuver.STRAIGHT
        assert link.lanes[1].maneuvers == Maneuver.STRAIGHT | Maneuver.RIGHT
        assert {movement.phase_id for movement in link.movements or ()} == {1 + k % 2}


def test_a_map_without_a_place_needs_an_anchor(streets: LaneNetwork) -> None:
    with pytest.raises(V2XError, match="'hill-streets' has no place on the Earth; give an anchor"):
        MapMaker(streets, MapParams())
    unknown = Position3D(latitude_deg=UNAVAILABLE, longitude_deg=0.0)
    with pytest.raises(ValueError, match="anchor"):
        MapParams(anchor=unknown)


def test_the_anchor_is_the_origin(streets: LaneNetwork) -> None:
    road_map = streets.road_map
    node = MapMaker(streets, MapParams(anchor=ANCHOR)).node(2)
    height = node.position.elevation_m
    assert isinstance(height, float)
    assert height == pytest.approx(200.0 + road_map.node_z_m[2], abs=0.05)
    north = (node.position.latitude_deg - 29.563) * 110_845.1  # type: ignore[operator]
    assert north == pytest.approx(road_map.node_y_m[2], abs=0.02)


@pytest.mark.parametrize("name", sorted(builtin_maps()))
def test_junctions_of_every_built_in_map(name: str) -> None:
    network = lane_network(load_map(builtin_map(name)))
    road_map = network.road_map
    maker = MapMaker(network, MapParams(anchor=ANCHOR))
    arriving = np.bincount(road_map.edge_to, minlength=road_map.n_nodes)
    largest = np.argsort(-arriving, kind="stable")[:8].tolist()
    for node in largest:
        message = maker.message([node])
        agrees(message)
        for link in message.nodes[0].links or ():
            edges = np.flatnonzero(
                (road_map.edge_from == link.upstream_node.node) & (road_map.edge_to == node)
            )
            on_bridge = {bool(road_map.edge_structure[edge] == Structure.BRIDGE) for edge in edges}
            flags = {
                lane.attributes.kind == VehicleLane.FLY_OVER
                for lane in link.lanes
                if lane.attributes is not None
            }
            assert flags <= on_bridge


def test_a_line_that_needs_too_many_points_is_refused(chongqing: LaneNetwork) -> None:
    params = MapParams(lane_error_m=0.001, link_error_m=0.001)
    maker = MapMaker(chongqing, params)
    with pytest.raises(V2XError, match=r"needs \d+ points, MAP holds 31; lower reach_m"):
        maker.node(WINDING)


def test_a_map_of_too_many_nodes_is_refused(streets: LaneNetwork) -> None:
    """R14: MAP holds 63 nodes."""
    maker = MapMaker(streets, MapParams(anchor=ANCHOR, reach_m=20.0))
    with pytest.raises(MessageError, match="nodes: must have 1 to 63 elements, got 64"):
        maker.message([2] * 64)


def test_several_junctions_in_one_message(streets: LaneNetwork) -> None:
    message = MapMaker(streets, MapParams(anchor=ANCHOR)).message([2, 8])
    agrees(message)
    assert [node.node.node for node in message.nodes] == [2, 8]


@pytest.mark.parametrize(
    "change", [{"reach_m": 0.0}, {"lane_error_m": -1.0}, {"link_error_m": 0.0}, {"region": 65_536}]
)
def test_impossible_params_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        MapParams(**change)  # type: ignore[arg-type]
