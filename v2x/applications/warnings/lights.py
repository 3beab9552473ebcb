"""Traffic lights as hosts know them: the MAP and SPAT messages that they have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.applications.warnings.base import BoolArray
from v2x.messages.topics import Topic
from v2x.mobility.fleet import FloatArray, IntArray
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.signals.lights import GREENS, Light
from v2x.perception.contents import JunctionMap, SignalForecast
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.units import US_PER_S

#: Lights that do not forbid to go.
GREEN_LIGHTS = np.array(sorted(GREENS), dtype=np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What hosts know of lights, one element each.

    Attributes
    ----------
    light : (n,) int32
        A :class:`~v2x.mobility.signals.lights.Light`; unavailable if a host knows nothing.
    changes_s : (n,) float64
        Until it changes [s], NaN if nobody knows.
    green_begin_s, green_end_s : (n,) float64
        Until the present or next green begins (0 or less if it is green) and ends [s]; NaN if
        nobody knows.
    generated_us : (n,) int64
        When the message was generated [µs], -1 without one.
    """

    light: IntArray
    changes_s: FloatArray
    green_begin_s: FloatArray
    green_end_s: FloatArray
    generated_us: NDArray[np.int64]

    @property
    def is_known(self) -> BoolArray:
        """Whether hosts know that there are lights that work."""
        regular = np.isin(self.light, (Light.RED, Light.YELLOW)) | self.is_green
        return np.asarray(regular)

    @property
    def is_green(self) -> BoolArray:
        """Whether one may go now."""
        return np.isin(self.light, GREEN_LIGHTS)

    def red_s(self, yellow_s: float) -> tuple[FloatArray, FloatArray]:
        """Return when red begins and ends [s], counted from now.

        Never (infinite) if nobody knows; red that is shown began infinitely long ago.

        Parameters
        ----------
        yellow_s
            Yellow behind the green, of which a SPAT message says nothing before it begins [s].
        """
        begin = self.green_begin_s
        end = np.where(np.isnan(self.green_end_s), self.changes_s, self.green_end_s)
        starts = np.full(len(self.light), np.inf)
        starts = np.where(self.is_green, np.nan_to_num(end, nan=np.inf) + yellow_s, starts)
        yellow = self.light == Light.YELLOW
        starts = np.where(yellow, np.nan_to_num(self.changes_s, nan=0.0), starts)
        red = self.light == Light.RED
        starts = np.where(red, -np.inf, starts)
        next_green = np.where(np.isnan(begin) & red, self.changes_s, begin)
        ends = np.where(red | (yellow & (begin > starts)), next_green, np.inf)
        return starts, np.nan_to_num(ends, nan=np.inf)


def forecast(scene: Scene, network: LaneNetwork, host: RowArray, movement: IntArray) -> Forecast:
    """Return what hosts know of the lights of movements.

    A host needs the MAP message of the node to find a movement in the SPAT message, and uses the
    newest of these.

    Parameters
    ----------
    scene
        What was said to hosts.
    network
        Lanes and movements.
    host : (n,) intp
        Rows of the fleet.
    movement : (n,) int32
        Movements, -1 for none.
    """
    n = len(host)
    light = np.zeros(n, dtype=np.int32)
    times = np.full((3, n), -1, dtype=np.int64)
    generated = np.full(n, -1, dtype=np.int64)
    node = np.where(movement >= 0, network.node[movement], -1) if network.n_movements else movement
    for notice in scene.board.notices(Topic.SPAT):
        content: SignalForecast = notice.content
        there = np.flatnonzero((node == content.node) & (generated < notice.generated_us))
        there = there[np.isin(host[there], notice.host)]
        there = there[_has_map(scene, host[there], content.node)]
        order = np.argsort(content.movement)
        at = np.searchsorted(content.movement[order], movement[there])
        at = order[np.minimum(at, len(order) - 1)] if len(order) else at
        told = content.movement[at] == movement[there] if len(order) else at < 0
        there, at = there[told], at[told]
        light[there] = content.light[at]
        times[:, there] = (
            content.changes_us[at],
            content.green_begin_us[at],
            content.green_end_us[at],
        )
        generated[there] = notice.generated_us
    now_us = scene.known.time_us
    seconds = np.where(times >= 0, (times - now_us) / US_PER_S, np.nan)
    return Forecast(
        light=light,
        changes_s=seconds[0],
        green_begin_s=seconds[1],
        green_end_s=seconds[2],
        generated_us=generated,
    )


def _has_map(scene: Scene, host: RowArray, node: int) -> BoolArray:
    """Return which hosts have a MAP message that describes a node."""
    found = np.zeros(len(host), dtype=np.bool_)
    for notice in scene.board.notices(Topic.MAP):
        content: JunctionMap = notice.content
        if node in content.nodes:
            found |= np.isin(host, notice.host)
    return found
