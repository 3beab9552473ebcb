"""What a CPM tells of what was seen, and when (TS 103 324, 6.1)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from v2x.messages.etsi.changes import ChangeThresholds, Motion
from v2x.messages.etsi.cpm import (
    MOST_SEGMENTS,
    CollectivePerception,
    Container,
    Objects,
    Segment,
    Sensors,
)
from v2x.messages.etsi.cpm_objects import PerceivedObject
from v2x.messages.etsi.frame import size_bytes
from v2x.messages.etsi.memory import NEVER_US, StationMemory, places_of
from v2x.mobility.fleet import FloatArray
from v2x.units import US_PER_MS

BoolArray = NDArray[np.bool_]
Times = NDArray[np.int64]
#: Longest part that the studies of ETSI sent in one message [byte].
MTU_BYTES = 1100


@dataclass(frozen=True, slots=True, kw_only=True)
class CpmGenerationParams:
    """Inclusion of objects and times between CPMs.

    Parameters
    ----------
    changes
        What includes a type-B object (vehicle, motorcycle) again.
    interval_ms
        T_GenCpm [ms]: 100 at least, an RSU may take 50; 1000 at most.
    max_interval_ms
        T_GenCpmMax [ms]: a type-B object is included again after it, all type-A objects
        (pedestrians, cyclists, animals, others) once one of them was not for half of it.
    sensors_ms
        The sensor information container comes again after this time [ms].
    min_quality
        Objects of a lower perception quality, 0 to 15, are left out.
    """

    changes: ChangeThresholds = ChangeThresholds()  # noqa: RUF009 (frozen)
    interval_ms: float = 100.0
    max_interval_ms: float = 1000.0
    sensors_ms: float = 1000.0
    min_quality: int = 3

    def __post_init__(self) -> None:
        """Reject times that contradict each other."""
        if not 50.0 <= self.interval_ms <= self.max_interval_ms <= 60_000.0:
            raise ValueError(
                f"interval_ms must be >= 50 and at most max_interval_ms, which must be at most "
                f"60000; got {self.interval_ms} and {self.max_interval_ms}"
            )
        if not 0.0 < self.sensors_ms <= 60_000.0:
            raise ValueError(f"sensors_ms must be > 0 and at most 60000, got {self.sensors_ms}")
        if not 0 <= self.min_quality <= 15:
            raise ValueError(f"min_quality must be within 0 and 15, got {self.min_quality}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Objects that stations see, one row a pair of station and object.

    Attributes
    ----------
    station : (n,) int32
        Row of the station that sees.
    object_id : (n,) int64
        Number of the object; a station has each number once.
    x_m, y_m, heading_rad, speed_mps : (n,) float64
        Its motion as it is seen.
    type_a : (n,) bool
        Pedestrian, cyclist, animal or other; everything else is type B.
    quality : (n,) int64
        Perception quality, 0 to 15.
    """

    station: NDArray[np.int32]
    object_id: NDArray[np.int64]
    x_m: FloatArray
    y_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray
    type_a: BoolArray
    quality: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Reject columns of different length."""
        for item in fields(self):
            if len(getattr(self, item.name)) != len(self.station):
                raise ValueError(f"{item.name} must have one value per row")


@dataclass(frozen=True, slots=True, kw_only=True)
class CpmDue:
    """Who sends a CPM, and with what.

    Attributes
    ----------
    due : (m,) bool
        Whether a station that was checked sends.
    sensors : (m,) bool
        Whether its CPM has the sensor information container.
    included : (n,) bool
        Which of the objects seen are told.
    """

    due: BoolArray
    sensors: BoolArray
    included: BoolArray


class CpmGeneration:
    """Decides for many stations and all that they see at once.

    What was told of an object is remembered as long as the station sees it without a break; then
    the object is new again.

    Parameters
    ----------
    params
        Inclusion and times.
    """

    def __init__(self, params: CpmGenerationParams) -> None:
        self._params = params
        self._stations = StationMemory({"sent_us": NEVER_US, "sensors_us": NEVER_US})
        nothing = np.zeros(0)
        self._pair = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        self._told = Motion(x_m=nothing, y_m=nothing, heading_rad=nothing, speed_mps=nothing)
        self._told_us = np.zeros(0, dtype=np.int64)

    def check(
        self,
        now_us: int,
        row: NDArray[np.int32],
        identity: NDArray[np.int64],
        seen: Seen,
    ) -> CpmDue:
        """Check what stations would tell, and remember what they do tell.

        Parameters
        ----------
        now_us
            The present tick [µs].
        row : (m,) int32
            Stations that may send, none of them twice.
        identity : (n_rows,) int64
            Stable identity of every row.
        seen
            What they see now, and what others see too, if those are checked another time.
        """
        self._stations.follow(identity)
        told, told_us = self._remembered(identity, seen)
        wanted = self._wanted(now_us, seen, told, told_us, len(identity))
        sent_us, sensors_us = self._stations["sent_us"], self._stations["sensors_us"]
        ready = now_us - sent_us[row] >= round(self._params.interval_ms * US_PER_MS)
        sensors = ready & (now_us - sensors_us[row] >= round(self._params.sensors_ms * US_PER_MS))
        something = np.zeros(len(identity), dtype=np.bool_)
        something[seen.station[wanted]] = True
        due = ready & (something[row] | sensors)
        sends = np.zeros(len(identity), dtype=np.bool_)
        sends[row[due]] = True
        included = wanted & sends[seen.station]
        sent_us[row[due]] = now_us
        sensors_us[row[sensors]] = now_us
        self._remember(now_us, identity, seen, included, told, told_us)
        return CpmDue(due=due, sensors=sensors, included=included)

    def _remembered(self, identity: NDArray[np.int64], seen: Seen) -> tuple[Motion, Times]:
        """Return what was told last of each object, and when; never of a new one."""
        place = places_of(self._pair, (identity[seen.station], seen.object_id))
        if not len(self._told_us):
            nothing = np.zeros(len(place))
            unknown = Motion(x_m=nothing, y_m=nothing, heading_rad=nothing, speed_mps=nothing)
            return unknown, np.full(len(place), NEVER_US)
        told = Motion(
            **{item.name: getattr(self._told, item.name)[place] for item in fields(Motion)}
        )
        return told, np.where(place >= 0, self._told_us[place], NEVER_US)

    def _wanted(
        self, now_us: int, seen: Seen, told: Motion, told_us: Times, n_rows: int
    ) -> BoolArray:
        """Return the objects that a CPM of now would tell."""
        max_us = round(self._params.max_interval_ms * US_PER_MS)
        good = seen.quality >= self._params.min_quality
        new = told_us == NEVER_US
        present = Motion(**{item.name: getattr(seen, item.name) for item in fields(Motion)})
        changed = self._params.changes.reached(told, present) | (now_us - told_us >= max_us)
        stale = good & seen.type_a & ~new & (now_us - told_us >= max_us // 2)
        all_a = np.zeros(n_rows, dtype=np.bool_)
        all_a[seen.station[stale]] = True
        again = np.where(seen.type_a, all_a[seen.station], changed)
        return np.asarray(good & (new | again))

    def _remember(
        self,
        now_us: int,
        identity: NDArray[np.int64],
        seen: Seen,
        included: BoolArray,
        told: Motion,
        told_us: Times,
    ) -> None:
        kept = included | (told_us != NEVER_US)
        self._pair = (identity[seen.station[kept]], seen.object_id[kept])
        self._told = Motion(
            **{
                item.name: np.where(included, getattr(seen, item.name), getattr(told, item.name))[
                    kept
                ]
                for item in fields(Motion)
            }
        )
        self._told_us = np.where(included, now_us, told_us)[kept]


def segments(
    message: CollectivePerception, mtu_bytes: int = MTU_BYTES
) -> tuple[CollectivePerception, ...]:
    """Split a CPM into messages that each can be understood alone.

    Every part has management and originating container; the first one that of the sensors. Objects
    keep their order, so the first ones should be those that matter most.

    Parameters
    ----------
    message
        At most one container of objects.
    mtu_bytes
        Longest part [byte], unsigned.

    Raises
    ------
    ValueError
        If not even one object fits, or more than eight parts would be needed.
    """
    if size_bytes(message) <= mtu_bytes:
        return (message,)
    containers = message.payload.containers
    told = [part for part in containers if isinstance(part, Objects)]
    objects = tuple(one for part in told for one in part.objects)
    n_perceived = sum(part.n_perceived for part in told)
    common = tuple(part for part in containers if not isinstance(part, (Objects, Sensors)))
    sensors = tuple(part for part in containers if isinstance(part, Sensors))
    parts: list[CollectivePerception] = []
    left = objects
    while left:
        around = common if parts else (*common, *sensors)
        n_fit = _n_that_fit(message, around, left, n_perceived, mtu_bytes)
        if n_fit == 0 or len(parts) == MOST_SEGMENTS:
            raise ValueError(
                f"{len(objects)} objects do not fit into {MOST_SEGMENTS} messages of "
                f"{mtu_bytes} bytes"
            )
        parts.append(_part(message, around, left[:n_fit], n_perceived))
        left = left[n_fit:]
    if not parts:
        raise ValueError(f"without objects, nothing can be split off to come to {mtu_bytes} bytes")
    return tuple(
        _in_segment(part, Segment(n_messages=len(parts), this_message=index))
        for index, part in enumerate(parts)
    )


def _part(
    message: CollectivePerception,
    around: tuple[Container, ...],
    objects: tuple[PerceivedObject, ...],
    n_perceived: int,
) -> CollectivePerception:
    """Return a message with some of the objects, as if it were the first of one."""
    containers = (*around, Objects(n_perceived=n_perceived, objects=objects))
    payload = replace(message.payload, containers=containers)
    whole = CollectivePerception(header=message.header, payload=payload)
    return _in_segment(whole, Segment(n_messages=1, this_message=0))


def _in_segment(message: CollectivePerception, segment: Segment) -> CollectivePerception:
    management = replace(message.payload.management, segment=segment)
    return replace(message, payload=replace(message.payload, management=management))


def _n_that_fit(
    message: CollectivePerception,
    around: tuple[Container, ...],
    objects: tuple[PerceivedObject, ...],
    n_perceived: int,
    mtu_bytes: int,
) -> int:
    """Return how many of the objects a part can hold."""

    def length(n_objects: int) -> int:
        return size_bytes(_part(message, around, objects[:n_objects], n_perceived))

    return bisect_right(range(1, len(objects) + 1), mtu_bytes, key=length)
