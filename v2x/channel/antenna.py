"""Antennas at the ends of links: where they are, and the vertical pattern of roadside ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.channel.obstacle_map import ObstacleMap
from v2x.mobility.fleet import FleetState, NodeKind

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Antennas:
    """Antennas at one end of some links.

    Attributes
    ----------
    position_m : (3, n) float64
        x, y and z, the height of the antenna above the road included [m].
    tube : (n,) int32
        Tube that the antenna is in, -1 outside.
    axis_rad : (n,) float64
        Direction of the road there, either way [rad]; matters inside tubes.
    width_m : (n,) float64
        Width of the carriageway there [m]; matters inside tubes.
    roadside : (n,) bool
        Whether the antenna is a roadside one, with a vertical pattern.
    """

    position_m: FloatArray
    tube: IntArray
    axis_rad: FloatArray
    width_m: FloatArray
    roadside: BoolArray

    def __post_init__(self) -> None:
        """Reject columns of different lengths; make the arrays read-only."""
        n = self.position_m.shape[1]
        for name in self.__slots__:
            value = getattr(self, name)
            if value.shape != ((3, n) if name == "position_m" else (n,)):
                raise ValueError(f"{name} has shape {value.shape}, for {n} antennas")
            value.flags.writeable = False

    def __len__(self) -> int:
        """Return the number of antennas."""
        return len(self.tube)

    def __getitem__(self, rows: NDArray[np.bool_ | np.integer]) -> Antennas:
        """Return the antennas of some rows."""
        return Antennas(
            position_m=self.position_m[:, rows],
            tube=self.tube[rows],
            axis_rad=self.axis_rad[rows],
            width_m=self.width_m[rows],
            roadside=self.roadside[rows],
        )

    @classmethod
    def outside(cls, position_m: FloatArray, *, roadside: bool = False) -> Antennas:
        """Return antennas of one kind outside tunnels, at positions (3, n) [m]."""
        position = np.array(position_m, dtype=np.float64)
        n = position.shape[1]
        return cls(
            position_m=position,
            tube=np.full(n, -1, dtype=np.int32),
            axis_rad=np.zeros(n),
            width_m=np.zeros(n),
            roadside=np.full(n, roadside, dtype=np.bool_),
        )

    @classmethod
    def of_fleet(cls, fleet: FleetState, rows: IndexArray, obstacles: ObstacleMap) -> Antennas:
        """Return the antennas of some road users."""
        tunnel_edge = fleet.tunnel[rows]
        inside = tunnel_edge >= 0
        tube = np.full(len(rows), -1, dtype=np.int32)
        width = np.zeros(len(rows))
        tube[inside] = obstacles.edge_tube[tunnel_edge[inside]]
        width[inside] = obstacles.edge_width_m[tunnel_edge[inside]]
        height = fleet.z_m[rows] + fleet.antenna_height_m[rows]
        return cls(
            position_m=np.stack([fleet.x_m[rows], fleet.y_m[rows], height]),
            tube=tube,
            axis_rad=fleet.heading_rad[rows],
            width_m=width,
            roadside=fleet.kind[rows] == NodeKind.RSU,
        )


def vertical_pattern_db(
    elevation_rad: ArrayLike,
    *,
    beamwidth_deg: float = 65.0,
    downtilt_deg: float = 0.0,
    side_lobe_db: float = 30.0,
) -> FloatArray:
    r"""Loss of an antenna beside its beam.

    Parameters
    ----------
    elevation_rad : array_like of float64
        Direction of the other end above the horizon [rad].
    beamwidth_deg
        Half-power beamwidth [degree].
    downtilt_deg
        Angle of the beam below the horizon [degree].
    side_lobe_db
        Largest loss [dB].

    Returns
    -------
    float64, shape of `elevation_rad`
        Loss against the peak gain [dB]: :math:`\min(12 ((\varepsilon + \tau)/\varepsilon_3)^2,
        SLA)` (TR 38.901 Table 7.3-1, whose values are the defaults).

    Examples
    --------
    >>> vertical_pattern_db(np.radians([0.0, -32.5, 90.0])).round(1)
    array([ 0.,  3., 23.])
    """
    away = np.degrees(np.asarray(elevation_rad, dtype=np.float64)) + downtilt_deg
    return np.asarray(np.minimum(12.0 * (away / beamwidth_deg) ** 2, side_lobe_db))
