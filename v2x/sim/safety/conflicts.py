"""Watches who comes near whom while a run is under way.

Who can meet
    Two road users can touch only on one road or on two that share a junction
    (:class:`~v2x.sim.safety.conflict_roads.ConflictRoads`), and only if their bodies overlap in
    height where they would meet, each road going on as steep as it is. Decks above each other are
    apart by both rules, parallel carriageways by the first. Off the road (traces) the deck level
    takes the place of the first rule.

How they move
    * A vehicle and its leader, as mobility names them, are one behind the other *along the road*,
      however it winds; the distance is the gap between the bumpers.
    * Other pairs on one road keep their lanes. Their distance along the road is the chord, seen
      along the mean of both directions (on an arc it is parallel to that), and they are on
      collision course only if their bodies overlap across it.
    * All others go straight on: two rectangles of true size and heading in the plane. They touch
      when they overlap on the four axes of their sides (separating axes), which has a closed form
      at constant speed, and with accelerations the roots of a quadratic on each axis. Nobody
      rolls backwards after stopping.

Pairs are found by ``v2x._kernels.conflicts`` on a grid of cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x._kernels import trails as kernel
from v2x.mobility.fleet import FleetState, FloatArray, IntArray
from v2x.mobility.surrogates import braking_on_grade_mps2
from v2x.records.tables import ConflictKind
from v2x.sim.safety.conflict_pairs import PairFinder, Pairs, RowArray
from v2x.sim.safety.conflict_roads import ConflictRoads, grid
from v2x.sim.safety.conflict_scene import Motion, Scene, SceneMaker
from v2x.sim.safety.episodes import CIRCUMSTANCES, Crossing, Episodes, Sightings
from v2x.sim.safety.exposure import Exposure
from v2x.sim.safety.params import SafetyParams
from v2x.units import US_PER_S
from v2x.world.road_map import RoadMap
from v2x.world.weather import WeatherParams

#: Cells of the grids: of pairs, and of places where somebody passed, which must be longer than
#: any zone in which two paths cross [m].
_PAIR_CELL_M, _TRAIL_CELL_M = 128.0, 24.0
#: Lists of such places, a power of two.
_TRAIL_HEADS = 1 << 15
#: Crossings that one road user can take part in at one instant, more than ever do.
_CROSSINGS_EACH = 16


class ConflictWatch:
    """Fills tables ``conflicts`` and ``exposure``.

    Parameters
    ----------
    params
        Thresholds.
    road_map, weather
        The roads and what lies on them.
    n_rows
        Rows of every state.
    period_us
        Time between two states [µs].
    block_s
        Length of the time blocks of table ``exposure`` [s].
    """

    def __init__(
        self,
        params: SafetyParams,
        road_map: RoadMap,
        weather: WeatherParams,
        *,
        n_rows: int,
        period_us: int,
        block_s: float,
    ) -> None:
        self._ttc_s = params.ttc_s
        self._step_s = period_us / US_PER_S
        self._roads = roads = ConflictRoads(road_map, weather)
        self._scenes = SceneMaker(
            roads,
            weather.open_friction,
            n_rows=n_rows,
            step_s=self._step_s,
            period_m=road_map.wrap_length_m,
        )
        self._finder = PairFinder(params, roads, grid(road_map, _PAIR_CELL_M), n_rows=n_rows)
        self._trails = _trails(params, road_map, n_rows, self._step_s)
        n_crossings = _CROSSINGS_EACH * n_rows
        self._crossers = np.empty((n_crossings, kernel.CROSSER_COLUMNS), dtype=np.int32)
        self._times = np.empty((n_crossings, kernel.TIME_COLUMNS))
        self._episodes = Episodes(
            ttc_s=params.ttc_s, pause_s=params.pause_s, crossing_s=params.pet_s
        )
        self._exposure = Exposure(params, n_rows=n_rows, step_s=self._step_s, block_s=block_s)

    def observe(self, fleet: FleetState) -> None:
        """Take the next state."""
        scene = self._scenes.scene(fleet)
        following, follower_rates = self._finder.following(scene)
        others, other_rates = self._finder.others(scene)
        pairs = following.joined(others)
        self._episodes.observe(self._sightings(scene, pairs), self._step_s)
        self._observe_crossings(scene)
        self._exposure.observe(
            fleet,
            (follower_rates, other_rates),
            n_below=len(pairs.ttc_s),
            short_s=float((self._ttc_s - pairs.ttc_s).sum()),
        )

    def under_way(self) -> tuple[NDArray[np.uint64], IntArray, FloatArray]:
        """Return the conflicts that may still go on; see :meth:`Episodes.under_way`."""
        return self._episodes.under_way()

    def tables(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Return tables ``conflicts`` and ``exposure`` so far, without ``replication``."""
        return {"conflicts": self._episodes.table(), "exposure": self._exposure.table()}

    def _sightings(self, scene: Scene, pairs: Pairs) -> Sightings:
        vehicle, other = pairs.vehicle, pairs.other
        available = braking_on_grade_mps2(scene.friction[vehicle], scene.grade[vehicle])
        share = np.full(len(vehicle), np.inf)
        np.divide(pairs.drac_mps2, available, out=share, where=available > 0.0)
        share[np.isnan(pairs.drac_mps2)] = np.nan
        motion = scene.motion
        velocity = motion[:, [Motion.SPEED]] * motion[:, [Motion.HX, Motion.HY]]
        impact = velocity[vehicle] - velocity[other]
        circumstances = self._circumstances(scene, vehicle, other, pairs.kind, pairs.closing_mps)
        return Sightings(
            time_s=scene.fleet.time_us / US_PER_S,
            ttc_s=pairs.ttc_s,
            mttc_s=pairs.mttc_s,
            drac_mps2=pairs.drac_mps2,
            drac_share=share,
            crash_probability=pairs.probability,
            unsafe=pairs.unsafe,
            contact=pairs.contact,
            impact_mps=np.hypot(impact[:, 0], impact[:, 1]),
            circumstances=circumstances,
        )

    def _circumstances(
        self,
        scene: Scene,
        vehicle: RowArray,
        other: RowArray,
        kind: NDArray[np.int32],
        closing_mps: FloatArray,
    ) -> FloatArray:
        """Return where and how vehicles are, (n, n_circumstances)."""
        fleet, row = scene.fleet, scene.row[vehicle]
        edge = fleet.edge[row]
        known: dict[str, Any] = {
            "worst_s": fleet.time_us / US_PER_S,
            "vehicle_id": fleet.id[row],
            "other_id": fleet.id[scene.row[other]],
            "kind": kind,
            "x_m": fleet.x_m[row],
            "y_m": fleet.y_m[row],
            "z_m": fleet.z_m[row],
            "edge": edge,
            "level": fleet.level[row],
            "structure": np.where(edge >= 0, self._roads.structure[edge], -1),
            "grade": scene.grade[vehicle],
            "friction": scene.friction[vehicle],
            "speed_mps": fleet.speed_mps[row],
            "other_speed_mps": fleet.speed_mps[scene.row[other]],
            "closing_mps": closing_mps,
            "angle_rad": scene.angle_rad(vehicle, other),
        }
        table = np.empty((len(vehicle), len(CIRCUMSTANCES)))
        for column, name in enumerate(CIRCUMSTANCES):
            table[:, column] = known[name]
        return table

    def _observe_crossings(self, scene: Scene) -> None:
        """Take who entered a path that another one left not long ago."""
        n = self._trails.observe(
            scene.fleet.id, scene.row, scene.motion, scene.place, self._crossers, self._times
        )
        if n > len(self._crossers):
            raise RuntimeError(f"{n} crossings in one tick, room for {len(self._crossers)}")
        if n == 0:
            return
        first, second = self._crossers[:n].T.astype(np.intp)
        left_ago, entered_ago, occupied, x, y = self._times[:n].T
        # A path is noted at several places; the nearest to its end shows the least time.
        order = np.lexsort((left_ago - entered_ago, second, first))
        again = (np.diff(first[order]) == 0) & (np.diff(second[order]) == 0)
        kind = np.full(n, ConflictKind.CROSSING, dtype=np.int32)
        at = self._circumstances(scene, second, first, kind, np.zeros(n))
        at[:, CIRCUMSTANCES.index("x_m")], at[:, CIRCUMSTANCES.index("y_m")] = x, y
        now_s = scene.fleet.time_us / US_PER_S
        for k in order[np.concatenate([[True], ~again])].tolist():
            self._episodes.cross(
                Crossing(
                    left_s=now_s - float(left_ago[k]),
                    entered_s=now_s - float(entered_ago[k]),
                    occupied_s=float(occupied[k]),
                    circumstances=at[k],
                )
            )


def _trails(params: SafetyParams, road_map: RoadMap, n_rows: int, step_s: float) -> kernel.Trails:
    """Return an empty memory of who passed where."""
    cells = grid(road_map, _TRAIL_CELL_M)
    # One tick more than the longest time that counts, for the time in the zone before it.
    n_ticks = round(params.pet_s / step_s) + 1
    n_ring = n_ticks + 2
    return kernel.Trails(
        n_rows=n_rows,
        n_ticks=n_ticks,
        tick_s=step_s,
        west_m=cells.west_m,
        south_m=cells.south_m,
        cell_m=cells.cell_m,
        columns=cells.columns,
        rows=cells.rows,
        period_m=cells.period_m,
        head=np.full(_TRAIL_HEADS, -1, dtype=np.int32),
        trail=np.zeros((n_rows * n_ring, kernel.TRAIL_COLUMNS), dtype=np.int32),
        history=np.zeros((n_ring, n_rows, 5)),
        identity=np.full((n_ring, n_rows), -1, dtype=np.int64),
        noted=np.zeros((n_rows, 2)),
    )
