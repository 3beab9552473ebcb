"""Which movements of a node have green together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from v2x.errors import V2XError
from v2x.mobility.junctions import LaneNetwork, directions_rad
from v2x.mobility.signals.lights import Light
from v2x.world.road_map import IntArray

#: Phases that SPAT can tell of a node.
MOST_PHASES = 16
#: Roads into a node whose directions differ by more than this face each other; cosine of 135°.
FACING_COSINE = -0.707


class LeftTurns(StrEnum):
    """How traffic that turns left is let go."""

    #: Never together with anybody whose way it crosses or enters.
    PROTECTED = "protected"
    #: Together with those who come from ahead, for whom it waits.
    PERMISSIVE = "permissive"


@dataclass(frozen=True, slots=True)
class NodePhases:
    """The phases of a node.

    Attributes
    ----------
    node
        The node.
    members : tuple of tuples of int
        Movements of each phase, phase 1 first.
    lights : tuple of Light
        What each shows while it may go: protected, or permissive if some of its movements wait
        for others of it.
    """

    node: int
    members: tuple[tuple[int, ...], ...]
    lights: tuple[Light, ...]


def signal_phases(
    network: LaneNetwork, left_turns: LeftTurns = LeftTurns.PROTECTED
) -> tuple[NodePhases, ...]:
    """Group the movements of all nodes with lights into phases.

    Movements that come from one road and share a lane go together, as nobody can pass whoever
    waits in it. Groups go together if no movement of the one crosses or enters the way of one of
    the other; with permissive left turns those who face each other may.

    Raises
    ------
    V2XError
        If a node needs more phases than SPAT can tell.
    """
    nodes = np.unique(network.node[network.signal >= 0]).tolist()
    _, heading = directions_rad(network.road_map)
    return tuple(_phases_of(int(node), network, heading, left_turns) for node in nodes)


def phase_column(network: LaneNetwork, phases: Iterable[NodePhases]) -> IntArray:
    """Return the phase of each movement, from 1; -1 without lights; (n_movements,)."""
    column = np.full(network.n_movements, -1, dtype=np.int32)
    for item in phases:
        for k, members in enumerate(item.members):
            column[list(members)] = k + 1
    return column


@dataclass(frozen=True, slots=True)
class _Group:
    """Movements of one road that cannot be told apart by their lanes."""

    movements: tuple[int, ...]
    axis: int
    turns_left: bool


def _phases_of(
    node: int, network: LaneNetwork, heading: Sequence[float], left_turns: LeftTurns
) -> NodePhases:
    groups = _groups(np.flatnonzero(network.node == node).tolist(), network)
    # Straight on first, axis by axis, so that those that face each other find each other.
    groups.sort(key=lambda group: (group.turns_left, group.axis, group.movements))
    phases: list[list[_Group]] = []
    for group in groups:
        fitting = [
            phase
            for phase in phases
            if all(_agree(group, other, network, heading, left_turns) for other in phase)
        ]
        # Rather with its own axis, whose greens it then does not have to wait for.
        own = [phase for phase in fitting if phase[0].axis == group.axis]
        if own or fitting:
            (own or fitting)[0].append(group)
        else:
            phases.append([group])
    if len(phases) > MOST_PHASES:
        raise V2XError(
            f"node {node} needs {len(phases)} phases, SPAT holds {MOST_PHASES}",
            remedy="use signals.type=axes",
        )
    members = tuple(
        tuple(sorted(m for group in phase for m in group.movements)) for phase in phases
    )
    return NodePhases(node, members, tuple(_light(phase, network) for phase in members))


def _groups(movements: list[int], network: LaneNetwork) -> list[_Group]:
    """Join the movements of each road whose lanes overlap."""
    groups: list[_Group] = []
    for edge in sorted({int(network.from_edge[m]) for m in movements}):
        own = sorted(
            (m for m in movements if network.from_edge[m] == edge),
            key=lambda m: (int(network.lane_low[m]), int(network.lane_high[m]), m),
        )
        joined: list[list[int]] = []
        highest = -1
        for m in own:
            if joined and int(network.lane_low[m]) <= highest:
                joined[-1].append(m)
            else:
                joined.append([m])
            highest = max(highest, int(network.lane_high[m]))
        for k, part in enumerate(joined):
            # From right to left; of several groups the last one turns left.
            leftmost = 0 < k == len(joined) - 1
            groups.append(_Group(tuple(sorted(part)), int(network.signal[part[0]]), leftmost))
    return groups


def conflict(one: int, other: int, network: LaneNetwork) -> bool:
    """Return whether two movements of a node cross each other or enter the same lanes."""
    masks = (int(network.crosses[k]) | int(network.merges[k]) for k in (one, other))
    bits = (int(network.bit[other]), int(network.bit[one]))
    return any(mask & bit for mask, bit in zip(masks, bits, strict=True))


def _agree(
    one: _Group,
    other: _Group,
    network: LaneNetwork,
    heading: Sequence[float],
    left_turns: LeftTurns,
) -> bool:
    edges = int(network.from_edge[one.movements[0]]), int(network.from_edge[other.movements[0]])
    if edges[0] == edges[1]:
        return True
    if left_turns is LeftTurns.PERMISSIVE:
        cosine = np.cos(heading[edges[0]] - heading[edges[1]])
        if cosine < FACING_COSINE:
            return True
    return not any(conflict(a, b, network) for a in one.movements for b in other.movements)


def _light(members: tuple[int, ...], network: LaneNetwork) -> Light:
    waits = any(conflict(a, b, network) for a in members for b in members if a < b)
    return Light.PERMISSIVE_GREEN if waits else Light.PROTECTED_GREEN
