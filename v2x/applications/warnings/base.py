"""What a warning is: it looks at a scene and says who should be told what.

A warning is a class with a ``Params`` attribute, built by ``Warning(params, context)`` and named in
the entry point group ``v2x.warnings``. Its method :meth:`DriverWarning.judge` sees one
:class:`~v2x.perception.scene.Scene` per tick, with all hosts in it at once, and returns a
:class:`Judgement`. It keeps no memory of its own: that an alert stands until its condition has been
gone for a second, and who reacts to it how, is the business of the simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.mobility.fleet import FloatArray, IntArray
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.reactions import Action
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.world.weather import WeatherParams

BoolArray = NDArray[np.bool_]


class Stage(IntEnum):
    """How urgent an alert is."""

    INFORM = 1
    WARN = 2
    IMMINENT = 3


@dataclass(frozen=True, slots=True)
class WarningContext:
    """What a warning is built from, besides its own parameters.

    Attributes
    ----------
    network
        Lanes and movements of the map, as a navigation map holds them.
    weather
        What wheels and eyes meet.
    seed
        Seed of the run.
    """

    network: LaneNetwork
    weather: WeatherParams
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one warning makes of a scene: the pairs that concern it, one element each.

    A pair in here keeps an alert standing; only one that is also `raised` lets a new one begin. So
    the condition to begin and that to go on may differ (hysteresis).

    Attributes
    ----------
    host : (n,) intp
        Rows of those to be told.
    subject : (n,) int64
        What it is about: the stable id of a road user, or another number that is not negative
        and stays the same as long as the thing is the same.
    raised : (n,) bool
        Whether a new alert may begin.
    stage, action : (n,) int32
        A :class:`Stage`; an :class:`~v2x.mobility.reactions.Action` the driver is asked for.
    value : (n,) float64
        What the action takes, such as a deceleration [m/s²] or a speed [m/s].
    distance_m, closing_mps, needed_m : (n,) float64
        Way to the danger [m], speed towards it [m/s], and the way that a warned driver needs at
        least to avoid it [m] (:mod:`v2x.mobility.timeliness`); NaN where that has no meaning.
    generated_us : (n,) int64
        When the information was measured on which this rests [µs].
    remote : (n,) intp
        Row of the road user it is about, -1 if it is about none.
    """

    host: RowArray
    subject: NDArray[np.int64]
    raised: BoolArray
    stage: IntArray
    action: IntArray
    value: FloatArray
    distance_m: FloatArray
    closing_mps: FloatArray
    needed_m: FloatArray
    generated_us: NDArray[np.int64]
    remote: RowArray

    def __len__(self) -> int:
        return len(self.host)

    def take(self, rows: RowArray) -> Judgement:
        """Return some of the pairs."""
        return Judgement(**{item.name: getattr(self, item.name)[rows] for item in fields(self)})


class DriverWarning(Protocol):
    """Judges scenes; see the module."""

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to tell what in this scene."""


def of_pairs(
    scene: Scene,
    pair: RowArray,
    *,
    raised: BoolArray,
    stage: IntArray | int = Stage.WARN,
    action: IntArray | int = Action.INFORM,
    value: FloatArray | float = np.nan,
    distance_m: FloatArray | float = np.nan,
    closing_mps: FloatArray | float = np.nan,
    needed_m: FloatArray | float = np.nan,
) -> Judgement:
    """Return a judgement about some pairs of a scene, by their numbers.

    Single values stand for all pairs.
    """
    n, known = len(pair), scene.known
    remote = known.remote[pair]
    return Judgement(
        host=known.host[pair],
        subject=scene.fleet.id[remote],
        raised=np.broadcast_to(raised, n),
        stage=_all(stage, n, np.int32),
        action=_all(action, n, np.int32),
        value=_all(value, n, np.float64),
        distance_m=_all(distance_m, n, np.float64),
        closing_mps=_all(closing_mps, n, np.float64),
        needed_m=_all(needed_m, n, np.float64),
        generated_us=known.generated_us[pair],
        remote=remote,
    )


def of_hosts(
    host: RowArray,
    subject: NDArray[np.int64],
    *,
    raised: BoolArray,
    generated_us: NDArray[np.int64],
    stage: IntArray | int = Stage.INFORM,
    action: IntArray | int = Action.INFORM,
    value: FloatArray | float = np.nan,
    distance_m: FloatArray | float = np.nan,
    closing_mps: FloatArray | float = np.nan,
    needed_m: FloatArray | float = np.nan,
) -> Judgement:
    """Return a judgement about something that is no road user, such as a sign or a signal."""
    n = len(host)
    return Judgement(
        host=host,
        subject=np.asarray(subject, dtype=np.int64),
        raised=np.broadcast_to(raised, n),
        stage=_all(stage, n, np.int32),
        action=_all(action, n, np.int32),
        value=_all(value, n, np.float64),
        distance_m=_all(distance_m, n, np.float64),
        closing_mps=_all(closing_mps, n, np.float64),
        needed_m=_all(needed_m, n, np.float64),
        generated_us=np.asarray(generated_us, dtype=np.int64),
        remote=np.full(n, -1, dtype=np.intp),
    )


def nobody() -> Judgement:
    """Return that nobody needs to be told anything."""
    none = np.zeros(0, dtype=np.int64)
    return of_hosts(none.astype(np.intp), none, raised=none.astype(np.bool_), generated_us=none)


def together(judgements: Sequence[Judgement]) -> Judgement:
    """Return several judgements of one warning as one."""
    if not judgements:
        return nobody()
    return Judgement(
        **{
            item.name: np.concatenate([getattr(judgement, item.name) for judgement in judgements])
            for item in fields(Judgement)
        }
    )


def _all(value: ArrayLike, n: int, dtype: type) -> NDArray[Any]:
    return np.broadcast_to(np.asarray(value, dtype=dtype), n)
