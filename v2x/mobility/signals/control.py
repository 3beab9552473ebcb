"""Lights that run node by node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.signals.base import Answer, Detection, PhaseOutlook
from v2x.mobility.signals.phases import NodePhases, phase_column
from v2x.mobility.signals.sequence import NodeSequence, phase_index
from v2x.units import US_PER_S
from v2x.world.road_map import IntArray


@dataclass(frozen=True, slots=True)
class _Node:
    """A node, its phases and what runs them."""

    phases: NodePhases
    sequence: NodeSequence
    members: tuple[NDArray[np.intp], ...]

    def of_phases(self, of_movements: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return for each phase whether something is true of one of its movements."""
        return np.array([of_movements[rows].any() for rows in self.members], dtype=np.bool_)


class NodeByNode:
    """The lights of all nodes of a map, each with phases of its own.

    Parameters
    ----------
    network
        Lanes and movements.
    phases, sequences
        Phases of each node, and what runs them.
    detector_m
        Distance of the detectors from the stop lines [m]; 0 for none.
    yellow_mps2
        Braking that drivers accept at yellow [m/s²].
    runner_share
        Share of drivers who do not notice the light at a node.
    """

    def __init__(
        self,
        network: LaneNetwork,
        phases: Sequence[NodePhases],
        sequences: Sequence[NodeSequence],
        *,
        detector_m: float,
        yellow_mps2: float,
        runner_share: float,
    ) -> None:
        self.detector_m = detector_m
        self.yellow_mps2 = yellow_mps2
        self.runner_share = runner_share
        self.phase: IntArray = phase_column(network, phases)
        self.green: NDArray[np.uint8] = np.zeros(network.n_movements, dtype=np.uint8)
        self._nodes = {
            item.node: _Node(item, sequence, tuple(np.array(rows) for rows in item.members))
            for item, sequence in zip(phases, sequences, strict=True)
        }

    def advance(self, time_us: int, seen: Detection | None) -> None:
        """Set the lights of `time_us` [µs], not earlier than the last one."""
        self.green[:] = 0
        for node in self._nodes.values():
            if seen is None:
                node.sequence.advance(time_us, None, None)
            else:
                node.sequence.advance(
                    time_us, node.of_phases(seen.waits), node.of_phases(seen.passes)
                )
            going = node.sequence.going
            if going >= 0:
                self.green[node.members[going]] = 1

    def outlook(self, node: int) -> tuple[PhaseOutlook, ...]:
        """Return what each phase of a node shows at the last time, and will show."""
        return self._nodes[node].sequence.outlook()

    def request(self, node: int, movement: int, eta_s: float, requester: int) -> Answer:
        """Ask for green on arrival at a node; see :class:`~v2x.mobility.signals.base`."""
        here = self._nodes[node]
        return here.sequence.request(
            phase_index(here.phases.members, movement), round(eta_s * US_PER_S), requester
        )
