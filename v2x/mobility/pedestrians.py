"""Pedestrians with devices, who walk up and down the pavements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.errors import V2XError
from v2x.mobility.fleet import NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.vehicle_classes import VRU_SIZE
from v2x.ranges import check_ranges
from v2x.records.tables import FIRST_PEDESTRIAN_ID
from v2x.units import US_PER_S
from v2x.world.pavements import pavements
from v2x.world.road_map import FloatArray, RoadMap

#: Nobody walks slower than this [m/s].
_SLOWEST_MPS = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class PedestrianParams:
    """Who walks beside the streets with a device, and what it says.

    Parameters
    ----------
    n_pedestrians
        How many there are; not together with `per_km`.
    per_km
        How many there are on a kilometre of pavement [1/km], each side of a street being one; 0
        for none.
    speed_mps, speed_sigma_mps
        Mean and standard deviation of the walking speed [m/s], normally distributed between
        0.3 m/s and twice the mean (free walking speed of Weidmann 1993; medium confidence).
    antenna_height_m
        Height of the device above the pavement [m] (TR 36.885 Annex A).
    antenna_gain_dbi
        Antenna gain of the device [dBi] (TR 36.885 Annex A: pedestrian UE, 0 dBi). Its power is
        ``radio.tx_power_dbm``.
    rate_hz
        Messages per second and pedestrian [Hz]: 10 for the warning of T/CSAE 53, 1 to 10 for a
        PSM; 0 only listens. Not more than vehicles send.
    size_bytes
        Size of a message handed to the access layer [byte]; null for a signed message of the 34
        bytes of a VAM (TS 103 300-3), as the size of the PSM is not published.
    priority
        PPPP of the messages, 1 (highest) to 8; 2 to 4 for a PSM (low confidence).
    """

    n_pedestrians: int | None = None
    per_km: float = 0.0
    speed_mps: float = 1.34
    speed_sigma_mps: float = 0.26
    antenna_height_m: float = VRU_SIZE.antenna_height_m
    antenna_gain_dbi: float = 0.0
    rate_hz: float = 10.0
    size_bytes: int | None = None
    priority: int = 3

    def __post_init__(self) -> None:
        """Reject crowds and messages that cannot be."""
        if self.n_pedestrians is not None and self.per_km > 0.0:
            raise ValueError("per_km and n_pedestrians exclude each other")
        check_ranges(
            self,
            ("n_pedestrians", 0, 1_000_000),
            ("per_km", 0.0, 100_000.0),
            ("speed_mps", _SLOWEST_MPS, 10.0),
            ("speed_sigma_mps", 0.0, 5.0),
            ("antenna_height_m", 0.1, 3.0),
            ("antenna_gain_dbi", -30.0, 30.0),
            ("size_bytes", 1, 10_000),
            ("priority", 1, 8),
        )
        if self.rate_hz != 0.0 and not 0.1 <= self.rate_hz <= 50.0:
            raise ValueError(f"rate_hz must be 0 or within 0.1 and 50, got {self.rate_hz}")

    @property
    def are_there(self) -> bool:
        """Whether there is anybody."""
        return bool(self.n_pedestrians) or self.per_km > 0.0


class Pedestrians:
    """People on the pavements of a map, as last rows of a fleet (:class:`LastRows`).

    Each walks up and down the pavement on which it starts, at a speed of its own, and turns at
    the corners. Place, direction and speed belong to the stable id; ids count up from
    :data:`~v2x.records.tables.FIRST_PEDESTRIAN_ID`.

    Parameters
    ----------
    params
        How many, and how they walk.
    road_map
        Where.
    seed
        Seed of the run.

    Raises
    ------
    V2XError
        If the map has no pavement.
    """

    def __init__(self, params: PedestrianParams, road_map: RoadMap, seed: int) -> None:
        self._params = params
        self._geometry = RoadGeometry(road_map)
        ways = pavements(road_map)
        end_m = np.cumsum(ways.length_m)
        if not len(end_m) and params.are_there:
            raise V2XError(
                f"map {road_map.name!r} has no street with a pavement",
                key="pedestrians.per_km",
                remedy="use a map with streets on the ground that are no motorways",
            )
        n = params.n_pedestrians
        if n is None:
            n = round(params.per_km * float(end_m[-1]) / 1000.0) if len(end_m) else 0
        self._id: NDArray[np.int64] = FIRST_PEDESTRIAN_ID + np.arange(n, dtype=np.int64)
        place_m = self._draw(seed, "place", 0) * (end_m[-1] if len(end_m) else 0.0)
        way = np.minimum(np.searchsorted(end_m, place_m, side="right"), len(end_m) - 1)
        self._edge = ways.edge[way]
        self._lateral_m = ways.lateral_m[way]
        self._begin_m = ways.begin_m[way]
        self._length_m = ways.length_m[way]
        # A walk to the end and back is twice the length; half of the people start on the way back.
        self._start_m = place_m - (end_m - ways.length_m)[way]
        returns = self._draw(seed, "direction", 0) < 0.5
        self._start_m[returns] = 2.0 * self._length_m[returns] - self._start_m[returns]
        normal = np.sqrt(-2.0 * np.log1p(-self._draw(seed, "speed", 0))) * np.cos(
            2.0 * np.pi * self._draw(seed, "speed", 1)
        )
        self._speed_mps: FloatArray = np.clip(
            params.speed_mps + params.speed_sigma_mps * normal, _SLOWEST_MPS, 2.0 * params.speed_mps
        )

    def _draw(self, seed: int, name: str, counter: int) -> FloatArray:
        return rng.uniform_by_id(rng.key32(seed, "pedestrians", name), self._id, counter)

    @property
    def n_rows(self) -> int:
        """How many there are."""
        return len(self._id)

    def columns(self, time_us: int) -> dict[str, NDArray[Any]]:
        """Return every column of the fleet for them at `time_us` [µs]."""
        n, edge = self.n_rows, self._edge
        walked = (self._start_m + self._speed_mps * (time_us / US_PER_S)) % (2.0 * self._length_m)
        back = walked > self._length_m
        offset = self._begin_m + np.where(back, 2.0 * self._length_m - walked, walked)
        x, y, z, heading = self._geometry.position(edge, offset, self._lateral_m)
        return {
            "id": self._id,
            "kind": np.full(n, NodeKind.VRU, dtype=np.int32),
            "x_m": x,
            "y_m": y,
            "z_m": z,
            "heading_rad": np.where(back, heading + np.pi, heading),
            "speed_mps": self._speed_mps,
            "acceleration_mps2": np.zeros(n),
            "edge": edge,
            "lane": np.full(n, -1, dtype=np.int32),
            "offset_m": offset,
            "level": self._geometry.level(edge),
            "tunnel": np.full(n, -1, dtype=np.int32),
            "length_m": np.full(n, VRU_SIZE.length_m),
            "width_m": np.full(n, VRU_SIZE.width_m),
            "height_m": np.full(n, VRU_SIZE.height_m),
            "antenna_height_m": np.full(n, self._params.antenna_height_m),
            "leader": np.full(n, -1, dtype=np.int32),
            "gap_m": np.full(n, np.inf),
            "turn": np.zeros(n, dtype=np.int32),
            "flags": np.zeros(n, dtype=np.int32),
        }
