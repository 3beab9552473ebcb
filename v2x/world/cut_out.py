"""A part of a road map as a map of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from v2x.errors import V2XError
from v2x.world.connectivity import largest_weak_part
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.projection import to_local
from v2x.world.road_map import MapReport, RoadMap

#: Shorter pieces at the rim would be entries too short for a vehicle to enter on [m].
SHORTEST_M = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in the local metres of a map.

    Attributes
    ----------
    west_m, south_m, east_m, north_m
        Its sides [m].
    """

    west_m: float
    south_m: float
    east_m: float
    north_m: float


def box_around(road_map: RoadMap, latitude_deg: float, longitude_deg: float, side_m: float) -> Box:
    """Return the square around a place of a map in a projected reference system."""
    # Whole metres, so that the map is the same on machines that round differently.
    x_m, y_m = (round(float(v)) for v in to_local(road_map, latitude_deg, longitude_deg))
    half = 0.5 * side_m
    return Box(west_m=x_m - half, south_m=y_m - half, east_m=x_m + half, north_m=y_m + half)


def cut_out(road_map: RoadMap, box: Box, name: str) -> RoadMap:
    """Return what of a map lies in a box and hangs together, without terrain and buildings.

    Edges end at their last point inside, so a map whose points are close is cut close to the
    rim; pieces of less than :data:`SHORTEST_M` that this leaves are dropped. Heights are those
    of the whole map: decks that the rim cuts do not come down to it.

    Parameters
    ----------
    road_map
        Map.
    box
        Where.
    name
        Name of the new map; its local metres are those of the old one.

    Raises
    ------
    V2XError
        If no road lies in the box.
    """
    inside = (road_map.point_x_m >= box.west_m) & (road_map.point_x_m <= box.east_m)
    inside &= (road_map.point_y_m >= box.south_m) & (road_map.point_y_m <= box.north_m)
    runs = _runs(road_map, inside.tolist())
    if not runs:
        raise V2XError(
            f"no road of {road_map.name!r} lies in the box x {box.west_m:g} to {box.east_m:g} m, "
            f"y {box.south_m:g} to {box.north_m:g} m",
            remedy="move the box, or make it larger",
        )
    node_of: dict[tuple[float, ...], int] = {}
    ends = np.array(
        [
            [node_of.setdefault(_node_key(road_map, run, at), len(node_of)) for at in (0, -1)]
            for run in runs
        ]
    )
    length_m = np.array(
        [road_map.point_offset_m[r.last] - road_map.point_offset_m[r.first] for r in runs]
    )
    kept = largest_weak_part(ends[:, 0], ends[:, 1], length_m)
    runs = [run for run, keep in zip(runs, kept.tolist(), strict=True) if keep]
    keys = [[_node_key(road_map, run, at) for at in (0, -1)] for run in runs]
    node_of = {}
    for pair in keys:
        for key in pair:
            node_of.setdefault(key, len(node_of))
    # Cut ends are no nodes of the old map; their first entry is -1.
    old = np.array([int(key[0]) for key in node_of], dtype=np.int64)
    edge = np.array([run.edge for run in runs])
    points = np.concatenate([np.arange(run.first, run.last + 1) for run in runs])
    return road_map_of(
        name=name,
        attribution=road_map.attribution,
        crs=road_map.crs,
        origin_x_m=road_map.origin_x_m,
        origin_y_m=road_map.origin_y_m,
        node_osm_id=np.where(old >= 0, road_map.node_osm_id[old], -1),
        node_signal=np.where(old >= 0, road_map.node_signal[old], False),
        edge_from=[node_of[begin] for begin, _ in keys],
        edge_to=[node_of[end] for _, end in keys],
        edge_lanes=road_map.edge_lanes[edge],
        edge_limit_mps=road_map.edge_limit_mps[edge],
        edge_structure=road_map.edge_structure[edge],
        edge_level=road_map.edge_level[edge],
        edge_class=road_map.edge_class[edge],
        class_names=road_map.class_names,
        edge_name=[road_map.edge_name[e] for e in edge.tolist()],
        edge_osm_way=road_map.edge_osm_way[edge],
        polylines=Polylines(
            np.cumsum([0] + [run.last + 1 - run.first for run in runs]),
            road_map.point_x_m[points],
            road_map.point_y_m[points],
            road_map.point_z_m[points],
        ),
        lane_width_m=road_map.lane_width_m,
        report=_report(road_map, float(length_m[~kept].sum())),
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """Points of one edge in a row that lie inside, both included."""

    edge: int
    first: int
    last: int


def _runs(road_map: RoadMap, inside: list[bool]) -> list[_Run]:
    runs = []
    offset = road_map.point_offset_m
    for edge, (begin, end) in enumerate(pairwise(road_map.first_point.tolist())):
        first = begin
        for at in range(begin, end + 1):
            if at < end and inside[at]:
                continue
            whole = first == begin and at == end
            if at - first >= 2 and (whole or offset[at - 1] - offset[first] >= SHORTEST_M):
                runs.append(_Run(edge, first, at - 1))
            first = at + 1
    return runs


def _node_key(road_map: RoadMap, run: _Run, at: int) -> tuple[float, ...]:
    """Return the old node at an end of a run, or where it was cut."""
    begin, end = road_map.first_point[run.edge], road_map.first_point[run.edge + 1] - 1
    if at == 0 and run.first == begin:
        return (int(road_map.edge_from[run.edge]),)
    if at == -1 and run.last == end:
        return (int(road_map.edge_to[run.edge]),)
    point = run.first if at == 0 else run.last
    return (
        -1,
        float(road_map.point_x_m[point]),
        float(road_map.point_y_m[point]),
        float(road_map.point_z_m[point]),
    )


def _report(road_map: RoadMap, lost_m: float) -> MapReport:
    dropped = {"km_in_smaller_parts": round(lost_m / 1000.0, 3)} if lost_m else {}
    cut = f"cut out of the map {road_map.name!r}, with the heights of that"
    notes = (cut, *road_map.report.notes)
    return replace(road_map.report, defaults_used={}, dropped=dropped, notes=notes)
