"""What traffic lights promise to traffic, to SPAT and to those who ask for priority."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.signals.lights import GREENS, Light
from v2x.world.road_map import FloatArray, IntArray

#: A time that does not come.
NEVER_US = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalContext:
    """What traffic lights are built from, besides their own parameters.

    Attributes
    ----------
    network
        Lanes and movements.
    flow_per_s : (n_movements,) float64
        Vehicles expected to make each movement [1/s].
    cycle_s, clear_s
        Clock of the traffic section [s].
    """

    network: LaneNetwork
    flow_per_s: FloatArray
    cycle_s: float = 60.0
    clear_s: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time during which a phase shows one light.

    Attributes
    ----------
    light
        What it shows.
    start_us
        When that began or begins [µs].
    min_end_us, likely_end_us, max_end_us
        When it ends, at the earliest, probably and at the latest [µs]; None if nobody knows.
    """

    light: Light
    start_us: int
    min_end_us: int | None
    likely_end_us: int | None
    max_end_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseOutlook:
    """What a phase shows, and will show as far as is known.

    Attributes
    ----------
    phase_id
        Number of the phase at its node, from 1; that of MAP and SPAT.
    spans
        One after the other, the present one first.
    """

    phase_id: int
    spans: tuple[Span, ...]

    def opens_us(self) -> int | None:
        """Return the start of the present or, at the earliest, of the next green [µs].

        None if it is not known.
        """
        for span in self.spans:
            if span.light in GREENS:
                return span.start_us
            if span.light is Light.RED:
                return span.min_end_us
        return None


class Answer(IntEnum):
    """What becomes of a request for priority."""

    #: It is green on arrival anyway.
    NOT_NEEDED = 0
    #: The present green lasts longer.
    EXTENDED = 1
    #: The greens before are cut short.
    EARLIER = 2
    #: Nothing: no priority here, another request is served, or the plan is recovering from one.
    REFUSED = 3


@dataclass(frozen=True, slots=True)
class Detection:
    """What the detectors of the approaches see, one element per movement.

    Attributes
    ----------
    waits : (n_movements,) bool
        Whether somebody who will make it is between the detector and the stop line.
    passes : (n_movements,) bool
        Whether somebody who will make it is over the detector.
    """

    waits: NDArray[np.bool_]
    passes: NDArray[np.bool_]


class SignalControl(Protocol):
    """The lights of all nodes of a map.

    A plug-in of the group ``v2x.signals`` is a class with a ``Params`` attribute, built by
    ``Control(params, context)``.
    """

    @property
    def phase(self) -> IntArray:
        """Phase of each movement at its node, from 1; -1 without lights; (n_movements,)."""

    @property
    def green(self) -> NDArray[np.uint8]:
        """Whether the lights let each movement go, (n_movements,); the owner rewrites it."""

    @property
    def detector_m(self) -> float:
        """Distance of the detectors from the stop lines [m]; 0 if it needs none."""

    @property
    def yellow_mps2(self) -> float:
        """Braking that drivers accept at yellow [m/s²]; 0 for the comfortable one."""

    @property
    def runner_share(self) -> float:
        """Share of drivers who do not notice the light at a node."""

    def advance(self, time_us: int, seen: Detection | None) -> None:
        """Set the lights of `time_us` [µs], not earlier than the last one."""

    def outlook(self, node: int) -> tuple[PhaseOutlook, ...]:
        """Return what each phase of a node shows at the last time, and will show.

        Raises
        ------
        KeyError
            If the node has no lights.
        """

    def request(self, node: int, movement: int, eta_s: float, requester: int) -> Answer:
        """Ask for green on arrival.

        Parameters
        ----------
        node
            Node with lights.
        movement
            What the vehicle wants to do there.
        eta_s
            Time until it is at the stop line [s].
        requester
            Who asks; repeated requests of the same vehicle are one.
        """


#: Makes the lights of a map; what a strategy of ``v2x.signals`` is once its parameters are known.
MakeSignals = Callable[[SignalContext], SignalControl]


@dataclass(frozen=True, slots=True)
class MovementLights:
    """Lights of single movements, for those who look at them one by one.

    Attributes
    ----------
    light : (n_movements,) int32
        A :class:`Light`; unavailable without lights.
    opens_us : (n_movements,) int64
        Start of the present green, or of the next at the earliest [µs]; the largest number if
        it is not known.
    """

    light: IntArray
    opens_us: NDArray[np.int64] = field(repr=False)


def movement_lights(control: SignalControl, network: LaneNetwork) -> MovementLights:
    """Return what all movements are shown at present."""
    light = np.full(network.n_movements, Light.UNAVAILABLE, dtype=np.int32)
    opens = np.full(network.n_movements, NEVER_US, dtype=np.int64)
    signalled = control.phase >= 0
    for node in np.unique(network.node[signalled]).tolist():
        here = signalled & (network.node == node)
        for phase in control.outlook(node):
            rows = here & (control.phase == phase.phase_id)
            light[rows] = phase.spans[0].light
            opens_us = phase.opens_us()
            opens[rows] = NEVER_US if opens_us is None else opens_us
    return MovementLights(light, opens)
