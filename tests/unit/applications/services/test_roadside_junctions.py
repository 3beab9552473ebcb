"""MAP and SPAT of units: what is told of which junction, and how it is cut to fit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.applications.services.test_signal_priority import crossing
from tests.unit.perception.roads import on_roads, scene_of
from v2x.applications.services.roadside.junctions import MapTeller, SignalTeller, forecast
from v2x.errors import V2XError
from v2x.messages.topics import Topic
from v2x.mobility.base import MobilityContext
from v2x.mobility.fleet import NodeKind
from v2x.mobility.junctions import lane_network
from v2x.mobility.routed import RoutedTraffic
from v2x.mobility.signals.lights import GREENS, Light
from v2x.perception.contents import JunctionMap, SignalForecast
from v2x.perception.scene import Scene

ROAD = crossing()
NETWORK = lane_network(ROAD)


def unit_scene(offset_m: float = 290.0, time_us: int = 0) -> Scene:
    fleet = on_roads(ROAD, [0], [offset_m], kind=[NodeKind.RSU], time_us=time_us)
    return scene_of(fleet, ROAD)


def lights() -> RoutedTraffic:
    return RoutedTraffic(RoutedTraffic.Params(n_vehicles=2), MobilityContext(ROAD, 1, 10**9, "."))


def test_a_map_names_the_junctions_within_the_range() -> None:
    teller = MapTeller(NETWORK, None, 300.0, 288)
    scene = unit_scene()
    contents = [teller.tell(scene, 0, k).content for k in range(teller.count(scene, 0))]
    assert {node for content in contents for node in content.nodes} == {1}
    assert not MapTeller(NETWORK, None, 100.0, 288).count(unit_scene(100.0), 0)


def test_a_long_map_is_cut_by_the_roads_into_the_junction() -> None:
    scene = unit_scene()
    whole, cut = MapTeller(NETWORK, None, 300.0, 1000), MapTeller(NETWORK, None, 300.0, 100)
    assert whole.count(scene, 0) == 1
    room = whole.tell(scene, 0, 0).content_bytes
    assert cut.count(scene, 0) == 2
    for k in range(2):
        told = cut.tell(scene, 0, k)
        assert told.content_bytes <= 100 < room
        assert told.content == JunctionMap(nodes=(1,))


def test_a_road_that_cannot_be_told_is_refused() -> None:
    with pytest.raises(V2XError, match="does not fit into a MAP"):
        MapTeller(NETWORK, None, 300.0, 20).count(unit_scene(), 0)


def test_spat_tells_each_movement_its_light_and_green() -> None:
    model = lights()
    model.advance(0)
    model.advance(100_000)
    control = model.lights.control
    told = SignalTeller(NETWORK, control, 300.0, 288).tell(unit_scene(time_us=100_000), 0, 0)
    assert told.topic is Topic.SPAT
    content = told.content
    assert isinstance(content, SignalForecast)
    assert content.node == 1
    assert content.movement.tolist() == np.flatnonzero(control.phase >= 0).tolist()
    going = control.green[content.movement] == 1
    assert (np.isin(content.light, [int(light) for light in GREENS]) == going).all()
    assert (content.light[~going] == Light.RED).all()
    # Green of the other axis begins when this red is likely over.
    assert (content.changes_us > 100_000).all()
    assert (content.green_begin_us[going] <= 100_000).all()
    assert (content.green_begin_us[~going] == content.changes_us[~going]).all()


def test_what_does_not_change_is_told_as_it_is() -> None:
    model = lights()
    model.advance(0)
    first = forecast(model.lights.control, NETWORK, 1)
    model.advance(100_000)
    second = forecast(model.lights.control, NETWORK, 1)
    np.testing.assert_array_equal(first.changes_us, second.changes_us)
