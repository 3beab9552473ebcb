"""A map in figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from v2x.world.connectivity import entry_nodes, exit_nodes, mainline_nodes, strong_parts
from v2x.world.geometry import point_stretches
from v2x.world.grades import grade_percentiles, max_grade, point_grade_percentiles
from v2x.world.road_map import RoadMap, Structure
from v2x.world.structures import clearances, grade_violations
from v2x.world.terrain import Terrain
from v2x.world.tubes import find_tubes

#: A deck or tunnel this far on the wrong side of the ground is told of [m].
_WRONG_SIDE_M = 1.0


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
        ``n_mainline_entries`` and ``n_mainline_exits``; ``n_signals``; ``n_tubes`` and
        ``n_portals`` of tunnels; ``n_stacked_pairs`` of roads that cross on different levels,
        the least height between them ``min_stack_clearance_m`` [m] (None without any) and
        ``n_unordered_crossings``, where no level says who is above; ``grade_violations``, the
        ``edges`` and ``km`` steeper than their class is built and by how much at ``worst``;
        ``terrain`` (None without): its ``step_m``, ``width_km``, ``height_km``, ``lowest_m``,
        ``highest_m``, the share of ``water``, the ``decks_below_km`` of bridges below it and the
        ``tunnels_above_km`` of tunnels above it, by more than a metre; ``n_buildings``;
        ``voids_filled`` in the source of heights; ``defaults_used`` and ``dropped`` of the
        import.
    """
    part = strong_parts(road_map)
    inside = part[road_map.edge_from] == part[road_map.edge_to]
    length_m = road_map.edge_length_m
    strong_m = np.bincount(part[road_map.edge_from][inside], weights=length_m[inside])
    entries, exits = entry_nodes(road_map), exit_nodes(road_map)

    def km(structure: Structure) -> float:
        return float(length_m[road_map.edge_structure == structure].sum() / 1000.0)

    stacks, tubes, steep = clearances(road_map), find_tubes(road_map), grade_violations(road_map)
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
        "n_tubes": tubes.n_tubes,
        "n_portals": len(tubes.portal_tube),
        "n_stacked_pairs": len(stacks.gap_m),
        "min_stack_clearance_m": float(stacks.gap_m.min()) if len(stacks.gap_m) else None,
        "n_unordered_crossings": stacks.n_unordered,
        "grade_violations": {
            "edges": steep.n_edges,
            "km": steep.length_m / 1000.0,
            "worst": steep.worst,
        },
        "terrain": None if road_map.terrain is None else _terrain_facts(road_map, road_map.terrain),
        "n_buildings": 0 if road_map.buildings is None else road_map.buildings.n_buildings,
        "voids_filled": road_map.report.defaults_used.get("terrain_voids", 0),
        "defaults_used": dict(road_map.report.defaults_used),
        "dropped": dict(road_map.report.dropped),
    }


def _terrain_facts(road_map: RoadMap, terrain: Terrain) -> dict[str, float]:
    n_rows, n_columns = terrain.height_m.shape
    edge, length_m = point_stretches(road_map)
    structure = road_map.edge_structure[edge]
    above_m = road_map.point_z_m - terrain.at(road_map.point_x_m, road_map.point_y_m)
    below_deck = (structure == Structure.BRIDGE) & (above_m < -_WRONG_SIDE_M)
    in_the_air = (structure == Structure.TUNNEL) & (above_m > _WRONG_SIDE_M)
    return {
        "step_m": terrain.step_m,
        "width_km": (n_columns - 1) * terrain.step_m / 1000.0,
        "height_km": (n_rows - 1) * terrain.step_m / 1000.0,
        "lowest_m": float(terrain.height_m.min()),
        "highest_m": float(terrain.height_m.max()),
        "water": float(terrain.water.mean()),
        "decks_below_km": float(length_m[below_deck].sum() / 1000.0),
        "tunnels_above_km": float(length_m[in_the_air].sum() / 1000.0),
    }
