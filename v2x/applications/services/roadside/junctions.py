"""MAP and SPAT: the junctions near a unit, and what their lights show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from v2x.applications.services.roadside.telling import ANCHOR, Told
from v2x.errors import V2XError
from v2x.messages.csae.frame import size_bytes
from v2x.messages.csae.map_data import MapData, Node
from v2x.messages.csae.map_from_roads import MapMaker, MapParams
from v2x.messages.csae.signal_state import spat_of
from v2x.messages.csae.spat import IntersectionState, SignalPhaseAndTiming
from v2x.messages.topics import Topic
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.signals.base import PhaseOutlook, SignalControl
from v2x.mobility.signals.lights import GREENS
from v2x.perception.contents import JunctionMap, SignalForecast
from v2x.perception.scene import Scene

#: Ways to draw a road with fewer points: length before the junction, and errors of lanes and links
#: [m]. The first is T/CSAE 159-2020; the others are taken where a link alone is too long.
_COARSER = ((300.0, 0.5, 2.0), (150.0, 0.5, 2.0), (75.0, 0.5, 2.0), (40.0, 1.0, 2.0))
#: Junctions with lights that a unit tells of: one goes in each tick of 100 ms, and each is due
#: every 500 ms (T/CSAE 159-2020).
_MOST_SIGNALS = 5


def junction_nodes(network: LaneNetwork) -> list[int]:
    """Return the nodes where ways cross, come together or have lights."""
    conflict = (network.crosses > 0) | (network.merges > 0) | (network.signal >= 0)
    return [int(node) for node in np.unique(network.node[conflict])]


class MapTeller:
    """Tells the junctions near each unit; what is told of one never changes.

    Parameters
    ----------
    network
        Lanes and movements.
    control
        Lights; None for none.
    range_m
        How far a unit tells of junctions [m].
    room_bytes
        Longest content of a message [byte].
    """

    def __init__(
        self, network: LaneNetwork, control: SignalControl | None, range_m: float, room_bytes: int
    ) -> None:
        self._network, self._range_m, self._room_bytes = network, range_m, room_bytes
        self._nodes = junction_nodes(network)
        phase = None if control is None else control.phase
        self._makers: list[Callable[[int], Node]] = [
            MapMaker(
                network,
                MapParams(
                    reach_m=reach_m,
                    lane_error_m=lane_error_m,
                    link_error_m=link_error_m,
                    anchor=ANCHOR,
                ),
                phase,
            ).node
            for reach_m, lane_error_m, link_error_m in _COARSER
        ]
        self._pieces: dict[int, list[Node]] = {}
        self._of_unit: dict[int, list[Told]] = {}

    def count(self, scene: Scene, row: int) -> int:
        """Return how many messages the unit in a row has; they go one in a tick."""
        return len(self._told(scene, row))

    def tell(self, scene: Scene, row: int, place: int) -> Told:
        """Return one of them."""
        return self._told(scene, row)[place]

    def _told(self, scene: Scene, row: int) -> Sequence[Told]:
        unit = int(scene.fleet.id[row])
        if unit not in self._of_unit:
            near = near_nodes(self._network, self._nodes, scene, row, self._range_m)
            self._of_unit[unit] = self._messages(near)
        return self._of_unit[unit]

    def _messages(self, nodes: Sequence[int]) -> list[Told]:
        """Return as few messages as hold all nodes in their order."""
        packed: list[list[Node]] = []
        for node in nodes:
            for piece in self._pieces_of(node):
                if packed and _map_bytes([*packed[-1], piece]) <= self._room_bytes:
                    packed[-1].append(piece)
                else:
                    packed.append([piece])
        return [
            Told(
                Topic.MAP,
                JunctionMap(nodes=tuple(dict.fromkeys(int(item.node.node) for item in items))),
                _map_bytes(items),
            )
            for items in packed
        ]

    def _pieces_of(self, node: int) -> list[Node]:
        """Return a node in pieces that each fit, all of the roads into it spread over them."""
        if node not in self._pieces:
            self._pieces[node] = self._cut(node)
        return self._pieces[node]

    def _cut(self, node: int) -> list[Node]:
        for make in self._makers:
            whole = make(node)
            if _map_bytes([whole]) <= self._room_bytes:
                return [whole]
            pieces: list[Node] = []
            for link in whole.links or ():
                links = (*(pieces[-1].links or ()), link) if pieces else (link,)
                if pieces and _map_bytes([replace(whole, links=links)]) <= self._room_bytes:
                    pieces[-1] = replace(whole, links=links)
                else:
                    pieces.append(replace(whole, links=(link,)))
            if all(_map_bytes([piece]) <= self._room_bytes for piece in pieces):
                return pieces
        raise V2XError(
            f"a road into node {node} does not fit into a MAP of {self._room_bytes} bytes",
            key="services.roadside.max_bytes",
            remedy="raise it, or set services.roadside.map_ms to 0",
        )


def near_nodes(
    network: LaneNetwork, nodes: Sequence[int], scene: Scene, row: int, range_m: float
) -> list[int]:
    """Return which nodes are within a range [m] of the unit in a row, the nearest first."""
    road_map, at = network.road_map, np.array(nodes, dtype=np.intp)
    dx = road_map.node_x_m[at] - scene.fleet.x_m[row]
    if road_map.wrap_length_m:
        dx = dx - road_map.wrap_length_m * np.round(dx / road_map.wrap_length_m)
    away_m = np.hypot(dx, road_map.node_y_m[at] - scene.fleet.y_m[row])
    order = np.lexsort((at, away_m))
    return [int(node) for node in at[order[away_m[order] <= range_m]]]


def _map_bytes(nodes: Sequence[Node]) -> int:
    return size_bytes(MapData(count=0, nodes=tuple(nodes)))


class SignalTeller:
    """Tells what the lights near each unit show and will show, one junction in a message.

    Parameters
    ----------
    network
        Lanes and movements.
    control
        The lights.
    range_m
        How far a unit tells of lights [m].
    room_bytes
        Longest content of a message [byte].
    """

    def __init__(
        self, network: LaneNetwork, control: SignalControl, range_m: float, room_bytes: int
    ) -> None:
        self._network, self._control = network, control
        self._range_m, self._room_bytes = range_m, room_bytes
        self._nodes = [int(node) for node in np.unique(network.node[control.phase >= 0])]
        self._near: dict[int, list[int]] = {}

    def count(self, scene: Scene, row: int) -> int:
        """Return how many messages the unit in a row has; they go one in a tick."""
        return len(self._of_unit(scene, row))

    def tell(self, scene: Scene, row: int, place: int) -> Told:
        """Return one of them."""
        return self._message(self._of_unit(scene, row)[place], scene.fleet.time_us)

    def _of_unit(self, scene: Scene, row: int) -> list[int]:
        """Return the nodes that a unit tells of."""
        unit = int(scene.fleet.id[row])
        if unit not in self._near:
            near = near_nodes(self._network, self._nodes, scene, row, self._range_m)
            self._near[unit] = near[:_MOST_SIGNALS]
        return self._near[unit]

    def _message(self, node: int, now_us: int) -> Told:
        content = forecast(self._control, self._network, node)
        return Told(Topic.SPAT, content, _spat_bytes(self._state(node, now_us)))

    def _state(self, node: int, now_us: int) -> IntersectionState:
        """Return what SPAT says of a node, states farthest ahead left out until it fits."""
        state = spat_of(self._control, node, now_us)
        longest = max(len(phase.states) for phase in state.phases)
        while _spat_bytes(state) > self._room_bytes and longest > 1:
            longest -= 1
            state = replace(
                state,
                phases=tuple(
                    replace(phase, states=phase.states[:longest]) for phase in state.phases
                ),
            )
        if _spat_bytes(state) > self._room_bytes:
            raise V2XError(
                f"the lights of node {node} do not fit into a SPAT of {self._room_bytes} bytes",
                key="services.roadside.max_bytes",
                remedy="raise it, or set services.roadside.spat_ms to 0",
            )
        return state


def _spat_bytes(state: IntersectionState) -> int:
    message = SignalPhaseAndTiming(count=0, minute_of_year=0, second_ms=0, intersections=(state,))
    return size_bytes(message)


def forecast(control: SignalControl, network: LaneNetwork, node: int) -> SignalForecast:
    """Return the lights of a node movement by movement, as receivers use them."""
    rows = np.flatnonzero((network.node == node) & (control.phase >= 0))
    phases = {phase.phase_id: phase for phase in control.outlook(node)}
    of_row = [_of_phase(phases[int(control.phase[movement])]) for movement in rows.tolist()]
    light, changes, begins, ends = zip(*of_row, strict=True)
    return SignalForecast(
        node=node,
        movement=rows.astype(np.int32),
        light=np.array(light, dtype=np.int32),
        changes_us=np.array(changes, dtype=np.int64),
        green_begin_us=np.array(begins, dtype=np.int64),
        green_end_us=np.array(ends, dtype=np.int64),
    )


def _of_phase(phase: PhaseOutlook) -> tuple[int, int, int, int]:
    """Return the light, when it likely changes, and the green window; -1 for what is not known."""
    present = phase.spans[0]
    green = next((span for span in phase.spans if span.light in GREENS), None)
    return (
        int(present.light),
        _known_us(present.likely_end_us),
        -1 if green is None else green.start_us,
        -1 if green is None else _known_us(green.likely_end_us),
    )


def _known_us(time_us: int | None) -> int:
    return -1 if time_us is None else time_us
