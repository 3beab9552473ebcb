"""A map in figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from v2x.world.connectivity import entry_nodes, exit_nodes, mainline_nodes, strong_parts
from v2x.world.grades import grade_percentiles, max_grade, point_grade_percentiles
from v2x.world.road_map import RoadMap, Structure


def summary(road_map: RoadMap) -> dict[str, Any]:
    """Return the figures that describe a map, ready for JSON.

    Returns
    -------
    dict
        ``n_nodes``, ``n_edges``; directed lengths ``km``, ``bridge_km``, ``tunnel_km`` and
        ``strong_km`` (within the largest strongly connected part) [km]; ``levels`` (lowest and
        highest); ``max_grade``, the steepest stretch between two polyline points;
        ``grade_percentiles`` of the absolute grades of edges and ``point_grade_percentiles`` of
        those stretches, both weighted with length; ``n_entries`` and
        ``n_exits`` (nodes without an edge in or out), of these on roads that are no ramps
        ``n_mainline_entries`` and ``n_mainline_exits``; ``n_signals``; ``defaults_used`` and
        ``dropped`` of the import.
    """
    part = strong_parts(road_map)
    inside = part[road_map.edge_from] == part[road_map.edge_to]
    length_m = road_map.edge_length_m
    strong_m = np.bincount(part[road_map.edge_from][inside], weights=length_m[inside])
    entries, exits = entry_nodes(road_map), exit_nodes(road_map)

    def km(structure: Structure) -> float:
        return float(length_m[road_map.edge_structure == structure].sum() / 1000.0)

    return {
        "n_nodes": road_map.n_nodes,
        "n_edges": road_map.n_edges,
        "km": float(length_m.sum() / 1000.0),
        "bridge_km": km(Structure.BRIDGE),
        "tunnel_km": km(Structure.TUNNEL),
        "strong_km": float(strong_m.max(initial=0.0) / 1000.0),
        "levels": [int(road_map.edge_level.min()), int(road_map.edge_level.max())],
        "max_grade": max_grade(road_map),
        "grade_percentiles": grade_percentiles(road_map),
        "point_grade_percentiles": point_grade_percentiles(road_map),
        "n_entries": len(entries),
        "n_exits": len(exits),
        "n_mainline_entries": len(mainline_nodes(road_map, entries)),
        "n_mainline_exits": len(mainline_nodes(road_map, exits)),
        "n_signals": int(road_map.node_signal.sum()),
        "defaults_used": dict(road_map.report.defaults_used),
        "dropped": dict(road_map.report.dropped),
    }
