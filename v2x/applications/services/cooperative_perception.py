"""The service ``cooperative-perception``: vehicles tell what their sensors see (CPM or SSM)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from v2x.applications.services.air_sizes import octets, vehicle_bytes
from v2x.applications.services.base import Outgoing, ServiceContext, ServiceOutput
from v2x.applications.services.roadside.telling import ANCHOR
from v2x.messages.csae.day2 import frame as day2
from v2x.messages.csae.day2.ssm import DetectedParticipant, Equipment, SensorSharing
from v2x.messages.csae.elements import BodySize, PositionConfidence
from v2x.messages.csae.offsets import offset_from
from v2x.messages.csae.places import EarthPlaces
from v2x.messages.csae.rsm import DetectionSource, Participant, ParticipantKind
from v2x.messages.etsi.cpm import (
    CollectivePerception,
    CpmManagement,
    CpmPayload,
    Objects,
    OriginatingVehicle,
    Sensor,
    Sensors,
)
from v2x.messages.etsi.cpm_objects import (
    Angle,
    CartesianVelocity,
    Classification,
    Coordinate,
    ObjectPosition,
    Orientation,
    PerceivedObject,
    VehicleKind,
    VelocityComponent,
)
from v2x.messages.etsi.cpm_rules import CpmGeneration, CpmGenerationParams, Seen
from v2x.messages.etsi.elements import (
    Heading,
    ItsPduHeader,
    MessageId,
    ReferencePosition,
    StationType,
)
from v2x.messages.etsi.frame import message_on_air_bytes
from v2x.messages.topics import SENSOR_SHARING, Topic
from v2x.mobility.fleet import NodeKind
from v2x.perception.ldm import Known
from v2x.perception.objects import PerceivedObjects
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.ranges import check_ranges
from v2x.records.tables import SCHEMAS
from v2x.units import US_PER_MS, US_PER_S
from v2x.world.road_map import RoadMap

Family = Literal["cpm", "ssm"]
#: Quality that is told of what a sensor measured (0 to 15); nothing below 3 is told.
_QUALITY = 7
_COLUMNS = [name for name in SCHEMAS["perception"] if name not in ("replication", "time_s")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CooperativePerceptionParams:
    """How vehicles tell what their sensors see; section ``sensors`` says what that is.

    Parameters
    ----------
    message
        ``cpm`` (TS 103 324: what has changed) or ``ssm`` (T/CSAE 157: everything, every
        `interval_ms`).
    interval_ms
        Time between messages [ms]; of CPM the least.
    max_bytes
        Longest message on air [byte]; the nearest objects are told that fit.
    range_m
        Pairs within this distance count in table ``perception`` [m].
    """

    message: Family = "cpm"
    interval_ms: int = 100
    max_bytes: int = 400
    range_m: float = 150.0

    def __post_init__(self) -> None:
        """Reject messages that cannot be."""
        if self.message not in get_args(Family):
            raise ValueError(f"message must be cpm or ssm, got {self.message!r}")
        check_ranges(
            self,
            ("interval_ms", 100, 1000),
            ("max_bytes", 250, 10_000),
            ("range_m", 1.0, 2000.0),
        )


class _Rules(Protocol):
    """When vehicles tell what, and how long it is."""

    def told(self, scene: Scene) -> Mapping[int, tuple[RowArray, bool]]:
        """Return the pairs of ``scene.seen`` that each row tells now, and whether all sensors."""

    def length(self, scene: Scene, row: int, pairs: RowArray, *, sensors: bool) -> int:
        """Return the size on air of a message with these objects [byte]."""


class _Cpm:
    """CPM by the inclusion rules of TS 103 324."""

    def __init__(self, params: CooperativePerceptionParams, seed: int) -> None:
        self._generation = CpmGeneration(CpmGenerationParams(interval_ms=float(params.interval_ms)))

    def told(self, scene: Scene) -> Mapping[int, tuple[RowArray, bool]]:
        seen, fleet = scene.seen, scene.fleet
        pairs = _of_vehicles(scene)
        rows = np.unique(seen.host[pairs])
        states = seen.states
        objects = Seen(
            station=seen.host[pairs].astype(np.int32),
            object_id=fleet.id[seen.remote[pairs]],
            x_m=states.x_m[pairs],
            y_m=states.y_m[pairs],
            heading_rad=states.heading_rad[pairs],
            speed_mps=states.speed_mps[pairs],
            type_a=fleet.kind[seen.remote[pairs]] == NodeKind.VRU,
            quality=np.full(len(pairs), _QUALITY, dtype=np.int64),
        )
        due = self._generation.check(fleet.time_us, rows.astype(np.int32), fleet.id, objects)
        return {
            row: (pairs[due.included & (seen.host[pairs] == row)], bool(due.sensors[k]))
            for k, row in enumerate(rows.tolist())
            if due.due[k]
        }

    def length(self, scene: Scene, row: int, pairs: RowArray, *, sensors: bool) -> int:
        containers: list[Any] = [OriginatingVehicle(heading=Heading(value_deg=0.0))]
        if sensors:
            containers.append(Sensors(sensors=(Sensor(sensor_id=0, kind=12, shadowing=1),)))
        if len(pairs):
            objects = tuple(_cpm_object(k) for k in range(len(pairs)))
            containers.append(Objects(n_perceived=len(pairs), objects=objects))
        place = ReferencePosition(
            latitude_deg=ANCHOR.latitude_deg, longitude_deg=ANCHOR.longitude_deg
        )
        message = CollectivePerception(
            header=ItsPduHeader(message_id=MessageId.CPM, station_id=0),
            payload=CpmPayload(
                management=CpmManagement(reference_ms=0, position=place),
                containers=tuple(containers),
            ),
        )
        return message_on_air_bytes(message, with_certificate=False)


def _cpm_object(k: int) -> PerceivedObject:
    """Return an object as long as any that is told: place, velocity, heading and class."""
    coordinate, component = Coordinate(value_m=0.0), VelocityComponent(value_mps=0.0)
    return PerceivedObject(
        object_id=k,
        measured_ms=0,
        position=ObjectPosition(east=coordinate, north=coordinate, up=coordinate),
        velocity=CartesianVelocity(east=component, north=component),
        orientation=Orientation(yaw=Angle(value_deg=0.0)),
        age_ms=0,
        quality=_QUALITY,
        classification=(
            Classification(kind=VehicleKind(station_type=StationType.CAR), confidence_percent=90),
        ),
    )


class _Ssm:
    """SSM: all that is seen, again and again (T/CSAE 157)."""

    def __init__(self, params: CooperativePerceptionParams, road_map: RoadMap) -> None:
        self._interval_us = params.interval_ms * US_PER_MS
        self._said_us: dict[int, int] = {}
        self._places = EarthPlaces(road_map, ANCHOR)

    def told(self, scene: Scene) -> Mapping[int, tuple[RowArray, bool]]:
        pairs, now_us, identity = _of_vehicles(scene), scene.fleet.time_us, scene.fleet.id
        host = scene.seen.host[pairs]
        told: dict[int, tuple[RowArray, bool]] = {}
        for row in np.unique(host).tolist():
            who = int(identity[row])
            said_us = self._said_us.get(who)
            if said_us is None or now_us - said_us >= self._interval_us:
                self._said_us[who] = now_us
                told[row] = pairs[host == row], False
        return told

    def length(self, scene: Scene, row: int, pairs: RowArray, *, sensors: bool) -> int:
        own, states = scene.own, scene.seen.states
        at = slice(row, row + 1)
        position = self._places.at(own.x_m[at], own.y_m[at], own.z_m[at])[0]
        places = self._places.at(states.x_m[pairs], states.y_m[pairs], states.z_m[pairs])
        participants = tuple(
            DetectedParticipant(
                participant=Participant(
                    kind=ParticipantKind.MOTOR,
                    participant_id=k + 1,
                    source=DetectionSource.FUSED,
                    second_ms=0,
                    offset=offset_from(position, place),
                    position_confidence=PositionConfidence(horizontal_m=1.0),
                    speed_mps=0.0,
                    heading_deg=0.0,
                    size=BodySize(width_m=2.0, length_m=5.0),
                )
            )
            for k, place in enumerate(places)
        )
        message = SensorSharing(
            count=0,
            sender_id=octets(int(scene.fleet.id[row])),
            equipment=Equipment.OBU,
            second_ms=0,
            sensor_position=position,
            participants=participants or None,
        )
        return vehicle_bytes(day2.size_bytes(message))


def _of_vehicles(scene: Scene) -> RowArray:
    """Return the pairs that vehicles with a device see."""
    seen, fleet = scene.seen, scene.fleet
    tells = scene.equipped[seen.host] & (fleet.kind[seen.host] <= NodeKind.BUS)
    return np.flatnonzero(tells & fleet.active[seen.remote] & (seen.host != seen.remote))


class CooperativePerception:
    """Vehicles tell what their sensors see, and table ``perception`` what others gain by it."""

    Params = CooperativePerceptionParams

    def __init__(self, params: CooperativePerceptionParams, context: ServiceContext) -> None:
        self._params, self._context = params, context
        rules: dict[Family, _Rules] = {
            "cpm": _Cpm(params, context.seed),
            "ssm": _Ssm(params, context.network.road_map),
        }
        self._rules = rules[params.message]
        self._count = _Coverage(params.range_m, context.warmup_us)

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Largest size that its messages may have [byte]."""
        return (self._params.max_bytes,)

    def tick(self, scene: Scene) -> ServiceOutput:
        """Return what vehicles say now."""
        self._count.look(scene)
        return ServiceOutput(list(self._messages(scene)))

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return table ``perception``."""
        return {"perception": self._count.table()}

    def _messages(self, scene: Scene) -> Iterator[Outgoing]:
        seen, states, own = scene.seen, scene.seen.states, scene.own
        for row, (pairs, sensors) in self._rules.told(scene).items():
            away_m = np.hypot(states.x_m[pairs] - own.x_m[row], states.y_m[pairs] - own.y_m[row])
            pairs = pairs[np.argsort(away_m, kind="stable")]
            size_bytes = self._rules.length(scene, row, pairs, sensors=sensors)
            while size_bytes > self._params.max_bytes and len(pairs):
                pairs = pairs[:-1]
                size_bytes = self._rules.length(scene, row, pairs, sensors=sensors)
            told = seen.take(pairs)
            yield Outgoing(
                row=row,
                topic=Topic.RSM,
                content=PerceivedObjects(
                    row=told.remote,
                    identity=scene.fleet.id[told.remote],
                    measured_us=told.generated_us,
                    states=told.states.after(-told.age_s),
                ),
                size_bytes=size_bytes,
                priority=SENSOR_SHARING.pppp,
                budget_us=SENSOR_SHARING.delay_budget_ms * US_PER_MS,
            )


@dataclass(slots=True)
class _Coverage:
    """Counts once a second who knows of whom, and by what.

    Attributes
    ----------
    range_m
        Pairs within this distance count [m].
    counted_from_us
        Not before this time [µs].
    """

    range_m: float
    counted_from_us: int
    rows: list[dict[str, float]] = field(default_factory=list)

    def look(self, scene: Scene) -> None:
        """Count, if a full second has come."""
        now_us = scene.fleet.time_us
        if now_us % US_PER_S or now_us < self.counted_from_us:
            return
        host, remote = self._near(scene)
        silent = ~scene.equipped[remote]
        seen = self._among(host, remote, scene.seen)
        known = seen | self._among(host, remote, scene.known)
        counts = {
            "n_pairs": np.ones(len(host)),
            "n_seen": seen,
            "n_known": known,
            "n_silent": silent,
            "n_silent_seen": silent & seen,
            "n_silent_known": silent & known,
        }
        row = {name: float(counts[name].sum()) for name in _COLUMNS}
        self.rows.append({"time_s": now_us / US_PER_S} | row)

    def table(self) -> dict[str, NDArray[Any]]:
        """Return table ``perception`` without ``replication``."""
        return {
            name: np.array([row[name] for row in self.rows], dtype=column.dtype)
            for name, column in SCHEMAS["perception"].items()
            if name != "replication"
        }

    def _near(self, scene: Scene) -> tuple[RowArray, RowArray]:
        """Return vehicles with a device, and the road users within the range of each."""
        from scipy.spatial import cKDTree

        fleet, period = scene.fleet, scene.outlook.wrap_length_m
        there = np.flatnonzero(fleet.active & (fleet.kind <= NodeKind.VRU))
        x_m = fleet.x_m[there] % period if period else fleet.x_m[there]
        places = np.column_stack((x_m, fleet.y_m[there]))
        # The stubs know no box; 0 is a side that does not wrap.
        box: Any = (period, 0.0) if period else None
        tree = cKDTree(places, boxsize=box)
        pairs = there[tree.query_pairs(self.range_m, output_type="ndarray").reshape(-1, 2)]
        host, remote = np.concatenate([pairs, pairs[:, ::-1]]).T
        mine = scene.equipped[host] & (fleet.kind[host] <= NodeKind.BUS)
        return host[mine], remote[mine]

    @staticmethod
    def _among(host: RowArray, remote: RowArray, known: Known) -> NDArray[np.bool_]:
        """Return which pairs are among those of `known`."""
        n_rows = 1 + max(int(rows.max(initial=0)) for rows in (remote, known.remote))
        return np.isin(host * n_rows + remote, known.host * n_rows + known.remote)
