"""Green waves: when whoever drives along a street arrives at its lights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from v2x.errors import V2XError, unknown_name
from v2x.mobility.junctions import LaneNetwork, directions_rad
from v2x.mobility.signals.sequence import to_us
from v2x.units import kmh_to_mps


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveParams:
    """A green wave along a street.

    Parameters
    ----------
    street
        Name of the street; null for no wave, all plans then begin at the same time.
    speed_kmh
        Speed for which the greens are set off [km/h]; null for the limit of the street.
    against
        Whether the wave runs from the end of the street whose node has the higher number.
    """

    street: str | None = None
    speed_kmh: float | None = None
    against: bool = False

    def __post_init__(self) -> None:
        """Reject waves that do not move."""
        if self.speed_kmh is not None and not self.speed_kmh > 0:
            raise ValueError(f"speed_kmh must be > 0, got {self.speed_kmh}")


def wave_arrivals_us(network: LaneNetwork, params: WaveParams) -> dict[int, tuple[int, int]]:
    """Return for each signalled node on the street the arrival [µs] and the movement over it.

    Raises
    ------
    V2XError
        If the map has no such street, or it has no lights.
    """
    if params.street is None:
        return {}
    road_map = network.road_map
    path = street_path(network, params.street, against=params.against)
    speed_mps = (
        road_map.edge_limit_mps
        if params.speed_kmh is None
        else np.full(road_map.n_edges, kmh_to_mps(params.speed_kmh))
    )
    arrivals = {}
    time_s = 0.0
    for edge, onto in pairwise(path):
        time_s += float(road_map.edge_length_m[edge] / speed_mps[edge])
        movement = network.movement(edge, onto)
        if network.signal[movement] >= 0:
            arrivals[int(road_map.edge_to[edge])] = to_us(time_s), movement
    if not arrivals:
        raise V2XError(
            f"the street {params.street!r} has no lights",
            key="signals.wave.street",
            remedy="name a street with traffic lights",
        )
    return arrivals


def street_path(network: LaneNetwork, street: str, *, against: bool) -> list[int]:
    """Return the edges along a street from one of its ends to the other.

    It begins at the end whose node has the lowest number, or with `against` the highest; at a
    fork it goes straight on.

    Raises
    ------
    V2XError
        If the map has no such street.
    """
    road_map = network.road_map
    edges = {edge for edge, name in enumerate(road_map.edge_name) if name == street}
    if not edges:
        names = set(road_map.edge_name) - {""}
        raise unknown_name("street", street, names, key="signals.wave.street")
    onward: dict[int, list[int]] = {edge: [] for edge in edges}
    entered = set()
    for m in range(network.n_movements):
        edge, onto = int(network.from_edge[m]), int(network.to_edge[m])
        if edge in edges and onto in edges:
            onward[edge].append(onto)
            entered.add(onto)
    starts = sorted(edges - entered or edges, key=lambda edge: int(road_map.edge_from[edge]))
    path = [starts[-1] if against else starts[0]]
    begins, ends = directions_rad(road_map)
    while True:
        options = [edge for edge in onward[path[-1]] if edge not in path]
        if not options:
            return path
        bend = {edge: -math.cos(begins[edge] - ends[path[-1]]) for edge in options}
        path.append(min(options, key=lambda edge: (round(bend[edge], 9), edge)))
