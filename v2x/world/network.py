"""From nodes and ways to a directed road network, still flat."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from v2x.errors import V2XError
from v2x.world.connectivity import largest_weak_part
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.osm_tags import (
    DRIVE_CLASSES,
    RoadAttributes,
    is_drivable_class,
    is_open_to_motor_vehicles,
    road_attributes,
)
from v2x.world.osm_xml import OsmExtract
from v2x.world.road_map import MapReport, RoadMap

OSM_ATTRIBUTION = "© OpenStreetMap contributors"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of road drawn through nodes, with the same attributes all along.

    Attributes
    ----------
    nodes
        Rows of the extract's nodes, at least two; only the ends may be junctions.
    attributes
        Properties along the drawing.
    first_way, last_way
        OpenStreetMap ways it begins and ends with.
    """

    nodes: tuple[int, ...]
    attributes: RoadAttributes
    first_way: int
    last_way: int

    def reversed(self) -> Segment:
        """Return the segment drawn the other way."""
        return Segment(self.nodes[::-1], self.attributes.reversed(), self.last_way, self.first_way)

    def joined(self, after: Segment) -> Segment:
        """Return this segment continued by `after`, which begins where this one ends."""
        return replace(self, nodes=self.nodes + after.nodes[1:], last_way=after.last_way)


@dataclass(frozen=True, slots=True)
class FlatNetwork:
    """A road map without heights, and what the tags say about slopes.

    Attributes
    ----------
    road_map
        All z are 0.
    edge_incline : (n_edges,) float64
        Mapped slope in the direction of travel (0.05 for 5 %), NaN if none.
    edge_incline_sign : (n_edges,) int32
        1 mapped as rising, -1 as falling, 0 unknown.
    node_row : (n_nodes,) int64
        Row of each node in the extract.
    """

    road_map: RoadMap
    edge_incline: NDArray[np.float64]
    edge_incline_sign: NDArray[np.int32]
    node_row: NDArray[np.int64]


def build_network(extract: OsmExtract, *, name: str, file: str) -> FlatNetwork:
    """Turn an extract into a directed network in local metres.

    Ways of drive classes that are open to motor vehicles are split at junctions and signals;
    chains between them become one edge each unless class, name, structure, level, lanes,
    limit or slope changes. Of what then hangs together, the largest part is kept.

    Parameters
    ----------
    extract
        Nodes and ways.
    name, file
        Name of the map; file to name in errors.

    Raises
    ------
    V2XError
        If no road is left.
    """
    dropped: defaultdict[str, float] = defaultdict(int)
    row_of = {node: row for row, node in enumerate(extract.node_id.tolist())}
    pieces, signals = _drivable_pieces(extract, row_of, dropped)
    if not pieces:
        raise V2XError(
            "no road in the file that motor vehicles may use"
            + (
                f" ({dropped['way_nodes_missing']} nodes of its ways are missing)"
                if dropped["way_nodes_missing"]
                else ""
            ),
            file=file,
            remedy="export ways of the classes motorway to residential together with their nodes",
        )
    segments = _without_loops(_merge_chains(_split_at_junctions(pieces, signals), signals))
    crs, x_m, y_m = _projected(extract)
    length_m = np.array([_length_m(s.nodes, x_m, y_m) for s in segments])
    ends = np.array([(s.nodes[0], s.nodes[-1]) for s in segments])
    kept = largest_weak_part(ends[:, 0], ends[:, 1], length_m)
    directions = np.array(
        [(s.attributes.lanes_forward > 0) + (s.attributes.lanes_backward > 0) for s in segments]
    )
    if not kept.all():
        dropped["edges_in_smaller_parts"] = int(directions[~kept].sum())
        dropped["km_in_smaller_parts"] = round(
            float((directions * length_m)[~kept].sum()) / 1000.0, 3
        )
    return _directed(
        [s for s, keep in zip(segments, kept, strict=True) if keep],
        extract,
        signals,
        _Frame(name, crs, x_m, y_m),
        dropped,
    )


def _drivable_pieces(
    extract: OsmExtract, row_of: dict[int, int], dropped: defaultdict[str, float]
) -> tuple[list[Segment], set[int]]:
    """Return the drivable ways, cut where nodes are missing, and the signalled nodes.

    Neighbours on a way that lie on the same spot are one node under two ids.
    """
    position = list(zip(extract.latitude_deg.tolist(), extract.longitude_deg.tolist(), strict=True))
    same: dict[int, int] = {}

    def first_of(row: int) -> int:
        while row in same:
            row = same[row]
        return row

    runs: list[tuple[list[int], RoadAttributes, int]] = []
    for way in extract.ways:
        if not is_drivable_class(way.tags):
            dropped["ways_of_other_classes"] += 1
            continue
        if not is_open_to_motor_vehicles(way.tags):
            dropped["ways_closed_to_motor_vehicles"] += 1
            continue
        attributes = road_attributes(way.tags)
        run: list[int] = []
        way_runs = [run]
        for node in way.node_ids:
            row = row_of.get(node)
            if row is None:
                dropped["way_nodes_missing"] += 1
                way_runs.append(run := [])
                continue
            if run and position[run[-1]] == position[row]:
                one, other = first_of(run[-1]), first_of(row)
                if one != other:
                    same[other] = one
                continue
            run.append(row)
        usable = [run for run in way_runs if len(run) >= 2]
        dropped["ways_without_length"] += not usable
        runs.extend((run, attributes, way.id) for run in usable)
    pieces = [
        Segment(tuple(map(first_of, run)), attributes, way, way) for run, attributes, way in runs
    ]
    signals = {first_of(row) for row in np.flatnonzero(extract.signal).tolist()}
    return pieces, signals


def _split_at_junctions(pieces: Sequence[Segment], signals: set[int]) -> list[Segment]:
    """Cut pieces at signals and at every node from which there is more than one way on."""
    arms: Counter[int] = Counter()
    for piece in pieces:
        arms.update(piece.nodes)
        arms.update(piece.nodes[1:-1])
    segments: list[Segment] = []
    for piece in pieces:
        start = 0
        last = len(piece.nodes) - 1
        for at in range(1, last + 1):
            if at == last or arms[piece.nodes[at]] > 2 or piece.nodes[at] in signals:
                segments.append(replace(piece, nodes=piece.nodes[start : at + 1]))
                start = at
    return segments


def _merge_chains(segments: Sequence[Segment], signals: set[int]) -> list[Segment]:
    """Join segments that meet with nothing else and differ in nothing."""
    arms: defaultdict[int, list[int]] = defaultdict(list)
    for index, segment in enumerate(segments):
        arms[segment.nodes[0]].append(index)
        arms[segment.nodes[-1]].append(index)

    def onward(segment: Segment, index: int) -> tuple[Segment, int] | None:
        """Return the segment, drawn onward, that continues the given one past its end."""
        node = segment.nodes[-1]
        if node in signals or len(arms[node]) != 2:
            return None
        other = arms[node][0] if arms[node][1] == index else arms[node][1]
        if other == index:
            return None
        after = segments[other]
        if after.nodes[0] != node:
            after = after.reversed()
        return (after, other) if after.attributes == segment.attributes else None

    merged: list[Segment] = []
    done: set[int] = set()
    for index, segment in enumerate(segments):
        if index in done:
            continue
        first, first_index, seen = segment.reversed(), index, {index}
        while (step := onward(first, first_index)) and step[1] not in seen:
            first, first_index = step
            seen.add(first_index)
        chain, last_index = first.reversed(), first_index
        last, seen = chain, {first_index}
        while (step := onward(last, last_index)) and step[1] not in seen:
            last, last_index = step
            seen.add(last_index)
            chain = chain.joined(last)
        done |= seen
        merged.append(chain)
    return merged


def _without_loops(segments: Sequence[Segment]) -> list[Segment]:
    """Cut segments that end where they begin in two, so that no edge is a loop."""
    result: list[Segment] = []
    for segment in segments:
        if segment.nodes[0] != segment.nodes[-1]:
            result.append(segment)
            continue
        middle = len(segment.nodes) // 2
        result.append(replace(segment, nodes=segment.nodes[: middle + 1]))
        result.append(replace(segment, nodes=segment.nodes[middle:]))
    return result


def _projected(extract: OsmExtract) -> tuple[str, NDArray[np.float64], NDArray[np.float64]]:
    """Return the UTM zone of the extract's middle and the nodes' coordinates in it [m]."""
    from pyproj import Transformer

    longitude = float(np.median(extract.longitude_deg))
    zone = min(60, int((longitude + 180.0) // 6.0) + 1)
    north = float(np.median(extract.latitude_deg)) >= 0.0
    crs = f"EPSG:{(32600 if north else 32700) + zone}"
    transformer = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x_m, y_m = transformer.transform(extract.longitude_deg, extract.latitude_deg)
    return crs, np.asarray(x_m), np.asarray(y_m)


def _length_m(nodes: Sequence[int], x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> float:
    rows = np.asarray(nodes)
    return float(np.hypot(np.diff(x_m[rows]), np.diff(y_m[rows])).sum())


@dataclass(frozen=True, slots=True)
class _Frame:
    """Name of the map and where the extract's nodes lie in its reference system [m]."""

    name: str
    crs: str
    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]


def _directed(
    segments: Sequence[Segment],
    extract: OsmExtract,
    signals: set[int],
    frame: _Frame,
    dropped: defaultdict[str, float],
) -> FlatNetwork:
    """Make one edge for each segment and direction of travel."""
    edges: list[Segment] = []
    for segment in segments:
        if segment.attributes.lanes_forward:
            edges.append(segment)
        if segment.attributes.lanes_backward:
            edges.append(segment.reversed())
    node_of: dict[int, int] = {}
    for edge in edges:
        for row in (edge.nodes[0], edge.nodes[-1]):
            node_of.setdefault(row, len(node_of))
    rows = np.fromiter(node_of, dtype=np.int64, count=len(node_of))
    used = np.unique(np.concatenate([np.asarray(edge.nodes) for edge in edges]))
    origin_x_m = float(round((frame.x_m[used].min() + frame.x_m[used].max()) / 2.0))
    origin_y_m = float(round((frame.y_m[used].min() + frame.y_m[used].max()) / 2.0))
    # Millimetres, so that the map is the same on machines that round differently.
    x_m = np.round(frame.x_m - origin_x_m, 3)
    y_m = np.round(frame.y_m - origin_y_m, 3)
    attributes = [edge.attributes for edge in edges]
    points = np.concatenate([np.asarray(edge.nodes) for edge in edges])
    defaults = Counter(key for a in attributes for key in a.defaulted)
    road_map = road_map_of(
        name=frame.name,
        attribution=OSM_ATTRIBUTION,
        crs=frame.crs,
        origin_x_m=origin_x_m,
        origin_y_m=origin_y_m,
        node_osm_id=extract.node_id[rows],
        node_signal=np.array([row in signals for row in rows.tolist()], dtype=np.bool_),
        edge_from=[node_of[edge.nodes[0]] for edge in edges],
        edge_to=[node_of[edge.nodes[-1]] for edge in edges],
        edge_lanes=[a.lanes_forward for a in attributes],
        edge_limit_mps=[a.limit_forward_mps for a in attributes],
        edge_structure=[a.structure for a in attributes],
        edge_level=[a.level for a in attributes],
        edge_class=[DRIVE_CLASSES.index(a.road_class) for a in attributes],
        class_names=DRIVE_CLASSES,
        edge_name=[a.name for a in attributes],
        edge_osm_way=[edge.first_way for edge in edges],
        polylines=Polylines(
            first_point=np.cumsum([0] + [len(edge.nodes) for edge in edges]),
            x_m=x_m[points],
            y_m=y_m[points],
            z_m=np.zeros(len(points)),
        ),
        report=MapReport(
            defaults_used=dict(sorted(defaults.items())),
            dropped={key: amount for key, amount in sorted(dropped.items()) if amount},
        ),
    )
    return FlatNetwork(
        road_map=road_map,
        edge_incline=np.array(
            [math.nan if a.incline is None else a.incline for a in attributes], dtype=np.float64
        ),
        edge_incline_sign=np.array([a.incline_sign for a in attributes], dtype=np.int32),
        node_row=rows,
    )
