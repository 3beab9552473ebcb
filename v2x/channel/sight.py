"""Whether the map lets light, or a radar beam, pass between two points in three dimensions.

The question is that of a link whose waves are too short to bend: the kernel that judges radio
links (:mod:`v2x.channel.obstacle_links`) answers it at the wavelength of light.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.channel.base import LinkState
from v2x.channel.obstacle_links import ObstacleLinks, tracer_of
from v2x.channel.obstacle_map import obstacle_map_of
from v2x.channel.obstacle_params import ObstacleParams
from v2x.world.road_map import RoadMap

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]

#: Green light, 500 nm [GHz]: rock that reaches a millimetre into a ray of 100 m ends it.
_LIGHT_GHZ = 6e5
#: A way through a mouth costs less than this if it is straight and free, and more if not [dB].
_THROUGH_DB = 30.0
#: What the kernel leaves unmarked: nothing stands in the way.
_NOTHING = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Points at one end of some lines.

    Attributes
    ----------
    position_m : (3, n) float64
        x, y, z [m].
    tunnel : (n,) int32
        Edge of the tunnel that the point is in, -1 outside.
    axis_rad : (n,) float64
        Direction of the road there, either way [rad]; matters inside tunnels.
    """

    position_m: FloatArray
    tunnel: IntArray
    axis_rad: FloatArray


class LineOfSight:
    """Tells which straight lines ground, decks, buildings and the rock around tunnels end.

    Parameters
    ----------
    road_map
        The map. Wrap-around maps are open.
    longest_m
        Longest line [m].
    solid
        Whether ground, decks and tunnels are there; without, only buildings (a map laid flat).

    Attributes
    ----------
    open : bool
        Whether nothing on the map hides anything.

    Notes
    -----
    Points in one tunnel see each other as far as its bend lets them, inside and outside do if the
    line passes through the mouth. The ground is sampled at the points of its grid's spacing.
    """

    def __init__(self, road_map: RoadMap, *, longest_m: float, solid: bool = True) -> None:
        obstacles = obstacle_map_of(road_map)
        anything = solid and (obstacles.has_terrain or obstacles.n_decks or obstacles.n_tubes)
        self.open = road_map.wrap_length_m > 0.0 or not (anything or obstacles.n_walls)
        self._edge_tube, self._edge_width_m = obstacles.edge_tube, obstacles.edge_width_m
        self._tubes = solid
        self._longest_m = longest_m
        params = ObstacleParams(
            decks=solid,
            tunnels=solid,
            water=False,
            terrain_method="bullington" if solid else "none",
            portal_on_axis_db=0.0,
            portal_off_axis_db=(60.0, 60.0),
            tunnel_exponent=1.0,
        )
        self._tracer = tracer_of(
            obstacles, params, _LIGHT_GHZ, longest_m, air_db_per_m=0.0, reflection=np.zeros((2, 1))
        )

    def clear(self, eye: Ends, point: Ends) -> BoolArray:
        """Return whether each eye sees its point, (n,); not if it is farther than the longest."""
        n = len(eye.tunnel)
        if self.open:
            return np.ones(n, dtype=np.bool_)
        position = np.empty((3, 2 * n), dtype=np.float32)
        position[:, :n], position[:, n:] = eye.position_m, point.position_m
        ground = np.empty(2 * n)
        self._tracer.ground(position[0], position[1], ground)
        axis = np.concatenate([eye.axis_rad, point.axis_rad])
        tube, width_m = self._tubes_of(np.concatenate([eye.tunnel, point.tunnel]))
        state = np.full(n, ObstacleLinks.UNKNOWN, dtype=np.uint8)
        loss_db = np.zeros(n, dtype=np.float32)
        self._tracer.judge(
            np.minimum(np.arange(2 * n + 1), n).astype(np.int32),
            np.arange(n, 2 * n, dtype=np.int32),
            position,
            ground,
            tube,
            np.stack([np.cos(axis), np.sin(axis)]),
            width_m,
            np.zeros(2 * n, dtype=np.uint8),
            np.ones(2 * n, dtype=np.uint8),
            self._longest_m,
            state,
            loss_db,
        )
        # Inside one tube the only loss is that behind a bend.
        within = (tube[:n] == tube[n:]) & (loss_db <= 0.0)
        through = (tube[:n] != tube[n:]) & (loss_db < _THROUGH_DB)
        in_tube = state == LinkState.TUNNEL
        return np.asarray((state == _NOTHING) | (in_tube & (within | through)))

    def _tubes_of(self, tunnel: IntArray) -> tuple[IntArray, FloatArray]:
        tube, width_m = np.full(len(tunnel), -1, dtype=np.int32), np.zeros(len(tunnel))
        inside = np.flatnonzero(tunnel >= 0) if self._tubes else np.zeros(0, dtype=np.intp)
        tube[inside] = self._edge_tube[tunnel[inside]]
        width_m[inside] = self._edge_width_m[tunnel[inside]]
        return tube, width_m
