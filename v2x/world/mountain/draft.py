"""From drawn roads to a road map: cut at nodes and structures, joined where they meet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from v2x.units import kmh_to_mps
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.mountain.alignment import Axis, Pose
from v2x.world.osm_tags import DRIVE_CLASSES
from v2x.world.road_map import MapReport, RoadMap, Structure

#: What every figure of these maps must say.
ATTRIBUTION = "Chongqing-like, built from published dimensions, no survey"
#: Stretches shorter than this between two nodes are drawing errors [m].
SHORTEST_M = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What is different on a part of a road.

    Attributes
    ----------
    begin_m, end_m
        Stations [m].
    structure, level
        What carries it there, and on which layer; None for what the road has.
    extra_lanes
        Lanes more than elsewhere, in each direction, on the right.
    limit_kmh, name
        Other limit [km/h] or name.
    """

    begin_m: float
    end_m: float
    structure: Structure | None = None
    level: int | None = None
    extra_lanes: int = 0
    limit_kmh: float | None = None
    name: str | None = None


def bridge(begin_m: float, end_m: float, level: int = 1) -> Stretch:
    """Return a stretch on a bridge."""
    return Stretch(begin_m=begin_m, end_m=end_m, structure=Structure.BRIDGE, level=level)


def tunnel(begin_m: float, end_m: float) -> Stretch:
    """Return a stretch in a tunnel."""
    return Stretch(begin_m=begin_m, end_m=end_m, structure=Structure.TUNNEL, level=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A road along an axis.

    Attributes
    ----------
    axis
        Middle of its lanes; of a two-way road the line between the directions.
    name, road_class
        Name; one of the classes of :data:`~v2x.world.osm_tags.DRIVE_CLASSES`.
    lanes, limit_kmh
        Lanes of each direction, and limit [km/h].
    two_way
        Whether traffic also goes against the axis.
    stretches
        Where something is different; they may overlap, and later ones win.
    cuts_m
        Stations of further nodes [m].
    """

    axis: Axis
    name: str
    road_class: str
    lanes: int
    limit_kmh: float
    two_way: bool = False
    stretches: tuple[Stretch, ...] = ()
    cuts_m: tuple[float, ...] = ()


def carriageways(
    centre: Axis,
    apart_m: float | np.ndarray[tuple[int], np.dtype[np.float64]],
    *,
    name: str,
    lanes: int,
    limit_kmh: float,
    road_class: str = "motorway",
    both: Sequence[Stretch] = (),
    along: Sequence[Stretch] = (),
    against: Sequence[Stretch] = (),
    along_cuts_m: Sequence[float] = (),
    against_cuts_m: Sequence[float] = (),
) -> tuple[Road, Road]:
    """Return the two carriageways of an expressway for traffic on the right.

    Parameters
    ----------
    centre
        Line between them.
    apart_m : float or (n_points,) float64
        Distance between their axes [m].
    name, lanes, limit_kmh, road_class
        As in :class:`Road`; the heading is added to the name.
    both, along, against
        Stretches of both, and of one alone; all stations are those of `centre`.
    along_cuts_m, against_cuts_m
        Nodes [m], at stations of `centre`.
    """
    half = 0.5 * np.asarray(apart_m, dtype=np.float64)
    right, left = centre.shifted(-half), centre.shifted(half).reversed()

    def mapped(axis: Axis, stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
        moved = []
        for s in stretches:
            ends = sorted(station_on(axis, centre, at) for at in (s.begin_m, s.end_m))
            moved.append(replace(s, begin_m=ends[0], end_m=ends[1]))
        return tuple(moved)

    return tuple(  # type: ignore[return-value]
        Road(
            axis=axis,
            name=f"{name} {direction}",
            road_class=road_class,
            lanes=lanes,
            limit_kmh=limit_kmh,
            stretches=mapped(axis, [*both, *own]),
            cuts_m=tuple(station_on(axis, centre, at) for at in cuts),
        )
        for axis, direction, own, cuts in (
            (right, "eastbound", along, along_cuts_m),
            (left, "westbound", against, against_cuts_m),
        )
    )


def station_on(axis: Axis, centre: Axis, station_m: float) -> float:
    """Return the station of a carriageway beside a station of the line it was shifted from [m]."""
    on = axis.station_m
    if np.hypot(axis.x_m[0] - centre.x_m[0], axis.y_m[0] - centre.y_m[0]) > np.hypot(
        axis.x_m[-1] - centre.x_m[0], axis.y_m[-1] - centre.y_m[0]
    ):
        on = on[::-1]
    return float(np.interp(station_m, centre.station_m, on))


def beside(road: Road, centre: Axis, station_m: float) -> Pose:
    """Return the pose on a carriageway beside a station of the line between both [m]."""
    return road.axis.at(station_on(road.axis, centre, station_m))


def assembled(
    name: str,
    roads: Sequence[Road],
    *,
    notes: Sequence[str],
    signals: Sequence[Pose] = (),
    lane_width_m: float = 3.5,
) -> RoadMap:
    """Return the road map of some roads, without its ground.

    Roads meet where a node of one lies at a node of another, to the millimetre; ends are nodes,
    and so are cuts and the ends of stretches.

    Parameters
    ----------
    name
        Name of the map.
    roads
        Roads.
    notes
        Sentences for the report.
    signals
        Nodes with traffic lights.
    lane_width_m
        Width of a lane [m].

    Raises
    ------
    ValueError
        If a signal is not at a node, or nodes of a road are closer than 5 m.
    """
    edges = [edge for road in roads for edge in _edges(road)]
    node_of: dict[tuple[float, float, float], int] = {}
    ends = [[node_of.setdefault(_key(e.axis, at), len(node_of)) for at in (0, -1)] for e in edges]
    signalled = np.zeros(len(node_of), dtype=np.bool_)
    for pose in signals:
        key = (round(pose.x_m, 3), round(pose.y_m, 3), round(pose.z_m, 3))
        if key not in node_of:
            raise ValueError(f"no node at the traffic lights {key}")
        signalled[node_of[key]] = True
    points = [np.concatenate([getattr(e.axis, c) for e in edges]) for c in ("x_m", "y_m", "z_m")]
    return road_map_of(
        name=name,
        attribution=ATTRIBUTION,
        node_signal=signalled,
        edge_from=[begin for begin, _ in ends],
        edge_to=[end for _, end in ends],
        edge_lanes=[e.lanes for e in edges],
        edge_limit_mps=[kmh_to_mps(e.limit_kmh) for e in edges],
        edge_structure=[e.structure for e in edges],
        edge_level=[e.level for e in edges],
        edge_class=[DRIVE_CLASSES.index(e.road_class) for e in edges],
        class_names=DRIVE_CLASSES,
        edge_name=[e.name for e in edges],
        polylines=Polylines(
            np.cumsum([0] + [len(e.axis.x_m) for e in edges]),
            *(np.round(p, 3) + 0.0 for p in points),
        ),
        lane_width_m=lane_width_m,
        report=MapReport(notes=(f"{ATTRIBUTION}.", *notes)),
    )


def _key(axis: Axis, at: int) -> tuple[float, float, float]:
    x, y, z = (round(float(v[at]), 3) + 0.0 for v in (axis.x_m, axis.y_m, axis.z_m))
    return x, y, z


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edge:
    """One direction of a piece of road between two nodes."""

    axis: Axis
    name: str
    road_class: str
    lanes: int
    limit_kmh: float
    structure: Structure = Structure.GROUND
    level: int = 0


def _edges(road: Road) -> list[_Edge]:
    """Return the edges of a road."""
    length_m = road.axis.length_m
    cuts = {0.0, length_m, *road.cuts_m}
    for stretch in road.stretches:
        cuts |= {max(stretch.begin_m, 0.0), min(stretch.end_m, length_m)}
    edges = []
    for begin_m, end_m in pairwise(sorted(cuts)):
        if end_m - begin_m < 1e-6:
            continue
        if end_m - begin_m < SHORTEST_M:
            raise ValueError(f"nodes of {road.name!r} at {begin_m:.2f} and {end_m:.2f} m")
        edge = _Edge(
            axis=road.axis.part(begin_m, end_m),
            name=road.name,
            road_class=road.road_class,
            lanes=road.lanes,
            limit_kmh=road.limit_kmh,
        )
        for stretch in road.stretches:
            if stretch.begin_m <= 0.5 * (begin_m + end_m) <= stretch.end_m:
                edge = _changed(edge, stretch)
        edges.append(edge)
        if road.two_way:
            edges.append(replace(edge, axis=edge.axis.reversed()))
    return edges


def _changed(edge: _Edge, stretch: Stretch) -> _Edge:
    return replace(
        edge,
        name=edge.name if stretch.name is None else stretch.name,
        lanes=edge.lanes + stretch.extra_lanes,
        limit_kmh=edge.limit_kmh if stretch.limit_kmh is None else stretch.limit_kmh,
        structure=edge.structure if stretch.structure is None else stretch.structure,
        level=edge.level if stretch.level is None else stretch.level,
    )
