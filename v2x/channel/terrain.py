"""Loss of the ground between two antennas, from profiles of the terrain grid.

The path loss laws were measured over ground and hold its effect where it is level. What is added
here is what a profile costs more than the straight line between the ground under one antenna and
the ground under the other: the idea of the delta-Bullington method (ITU-R P.526 4.5.2), with the
inclined plane in the place of the smooth Earth. Level ground adds exactly nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.channel.diffraction import (
    PathProfile,
    deygout_db,
    fresnel_parameter,
    knife_edge_db,
)
from v2x.channel.obstacle_map import ObstacleMap

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Profiles:
    """Profiles of the ground under several links, one after the other.

    Attributes
    ----------
    n_links
        Number of links; one shorter than the step of the terrain has no points.
    link : (n_points,) int64
        Link of each point, ascending.
    share : (n_points,) float64
        Share of the way from a to b, ascending within a link, above 0 and below 1.
    length_m : (n_links,) float64
        Lengths of the links in plan [m].
    line_m, ground_m, plain_m : (n_points,) float64
        Heights of the straight line between the antennas, of the ground, and of the straight
        line between the ground under one and the other [m].
    a_m, b_m : (n_links,) float64
        Heights of the antennas [m].
    """

    n_links: int
    link: IndexArray
    share: FloatArray
    length_m: FloatArray
    line_m: FloatArray
    ground_m: FloatArray
    plain_m: FloatArray
    a_m: FloatArray
    b_m: FloatArray

    @property
    def cut(self) -> BoolArray:
        """Whether the ground reaches above the straight line of each link, shape (n_links,)."""
        above = np.bincount(self.link, self.ground_m > self.line_m, minlength=self.n_links)
        return np.asarray(above > 0)

    def path(self, link: int, height_m: FloatArray) -> PathProfile:
        """Return one link's profile with the heights `height_m`, shape (n_points,) [m]."""
        begin, end = np.searchsorted(self.link, [link, link + 1])
        length_m = float(self.length_m[link])
        return PathProfile(
            tx_height_m=float(self.a_m[link]),
            rx_height_m=float(self.b_m[link]),
            length_m=length_m,
            distance_m=self.share[begin:end] * length_m,
            height_m=height_m[begin:end],
        )


def ground_m(obstacles: ObstacleMap, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
    """Return the height of the ground [m] at positions, any common shape.

    Bilinear; outside the grid its rim holds. Between equal heights it is exact, so that level
    ground is level to the bit.
    """
    grid = obstacles.terrain_height_m
    row = np.clip((y_m - obstacles.terrain_south_m) / obstacles.terrain_step_m, 0, len(grid) - 1)
    column = (x_m - obstacles.terrain_west_m) / obstacles.terrain_step_m
    column = np.clip(column, 0, grid.shape[1] - 1)
    i = np.minimum(row.astype(np.intp), len(grid) - 2)
    j = np.minimum(column.astype(np.intp), grid.shape[1] - 2)
    up, right = row - i, column - j
    lower = grid[i, j] + right * (grid[i, j + 1] - grid[i, j])
    upper = grid[i + 1, j] + right * (grid[i + 1, j + 1] - grid[i + 1, j])
    return np.asarray(lower + up * (upper - lower))


def on_water(obstacles: ObstacleMap, x_m: FloatArray, y_m: FloatArray) -> BoolArray:
    """Return whether the nearest terrain point lies on water; outside the grid nothing does."""
    water = obstacles.terrain_water
    row = np.rint((y_m - obstacles.terrain_south_m) / obstacles.terrain_step_m).astype(np.intp)
    column = np.rint((x_m - obstacles.terrain_west_m) / obstacles.terrain_step_m).astype(np.intp)
    inside = (row >= 0) & (row < water.shape[0]) & (column >= 0) & (column < water.shape[1])
    wet = water[np.clip(row, 0, water.shape[0] - 1), np.clip(column, 0, water.shape[1] - 1)]
    return np.asarray(inside & (wet > 0))


def profiles_of(obstacles: ObstacleMap, a_m: FloatArray, b_m: FloatArray) -> Profiles:
    """Return the ground under links.

    Parameters
    ----------
    obstacles
        A map with terrain.
    a_m, b_m : (3, n_links) float64
        Antennas [m].
    """
    n = a_m.shape[1]
    length = np.hypot(b_m[0] - a_m[0], b_m[1] - a_m[1])
    # The slack keeps lengths of whole steps from gaining a point by rounding.
    parts = np.maximum(np.ceil(length / obstacles.terrain_step_m - 1e-6), 1.0).astype(np.int64)
    link = np.repeat(np.arange(n), parts - 1)
    first = np.cumsum(parts - 1) - (parts - 1)
    share = (np.arange(len(link)) - first[link] + 1) / parts[link]
    x = a_m[0][link] + share * (b_m[0] - a_m[0])[link]
    y = a_m[1][link] + share * (b_m[1] - a_m[1])[link]
    under_a = ground_m(obstacles, a_m[0], a_m[1])
    under_b = ground_m(obstacles, b_m[0], b_m[1])
    return Profiles(
        n_links=n,
        link=link,
        share=share,
        length_m=length,
        line_m=a_m[2][link] + share * (b_m[2] - a_m[2])[link],
        ground_m=ground_m(obstacles, x, y),
        plain_m=under_a[link] + share * (under_b - under_a)[link],
        a_m=a_m[2],
        b_m=b_m[2],
    )


def terrain_db(
    profiles: Profiles,
    wavelength_m: float,
    *,
    method: str = "bullington",
    deygout_c_db: float = 10.0,
) -> FloatArray:
    """Loss of the ground beyond that of an inclined plane.

    Parameters
    ----------
    profiles
        The ground under the links.
    wavelength_m
        Wavelength [m].
    method
        "bullington", "deygout" or "none".
    deygout_c_db
        Constant C of :func:`~v2x.channel.diffraction.deygout_db` on a path of length zero [dB];
        0.04 dB are added per km.

    Returns
    -------
    (n_links,) float64
        Loss [dB], at least 0. The Earth is flat: over 2 km it bulges 6 cm.
    """
    if method == "none":
        return np.zeros(profiles.n_links)
    if method == "bullington":
        real = _bullington_db(profiles, profiles.ground_m, wavelength_m)
        plain = _bullington_db(profiles, profiles.plain_m, wavelength_m)
    else:
        real, plain = (
            np.array(
                [
                    _deygout_db(profiles.path(k, h), wavelength_m, deygout_c_db)
                    for k in range(profiles.n_links)
                ]
            )
            for h in (profiles.ground_m, profiles.plain_m)
        )
    return np.maximum(0.0, real - plain)


def equivalent_nu(profiles: Profiles, height_m: FloatArray, wavelength_m: float) -> FloatArray:
    r"""Diffraction parameter of Bullington's equivalent edge.

    Parameters
    ----------
    profiles
        The links.
    height_m : (n_points,) float64
        Heights along them [m].
    wavelength_m
        Wavelength [m].

    Returns
    -------
    (n_links,) float64
        Parameter; minus infinity for links without points.

    Notes
    -----
    Past the horizon the edge stands where the horizon rays of both ends meet. With
    :math:`\alpha` and :math:`\beta` the slopes of these rays above the straight line,

    .. math:: \nu = \sqrt{2 d \alpha \beta / \lambda},

    to which the equations of ITU-R P.526 4.5.1 reduce. It grows with either slope: higher ground
    never costs less.
    """
    link, n = profiles.link, profiles.n_links
    d1 = profiles.share * profiles.length_m[link]
    d2 = profiles.length_m[link] - d1
    above = height_m - profiles.line_m
    nu = _largest(link, fresnel_parameter(above, d1, d2, wavelength_m), n)
    alpha, beta = _largest(link, above / d1, n), _largest(link, above / d2, n)
    hidden = alpha >= 0.0
    beyond = 2.0 * profiles.length_m * np.where(hidden, alpha * beta, 0.0) / wavelength_m
    return np.where(hidden, np.sqrt(beyond), nu)


def bullington_edge(
    profiles: Profiles, link: int, wavelength_m: float
) -> tuple[float, float, float]:
    """Return where the equivalent edge of a link stands.

    Parameters
    ----------
    profiles
        The links.
    link
        One of them, with at least one point.
    wavelength_m
        Wavelength [m].

    Returns
    -------
    distance_m, height_m, loss_db
        Distance from the first antenna in plan and height of the top [m]; loss [dB]. In line of
        sight it is the point that comes nearest to the ray, else it stands above the ground
        where both horizon rays meet.
    """
    path = profiles.path(link, profiles.ground_m)
    d, length = path.distance_m, path.length_m
    line = path.tx_height_m + (path.rx_height_m - path.tx_height_m) * d / length
    above = path.height_m - line
    alpha, beta = float(np.max(above / d)), float(np.max(above / (length - d)))
    nu = fresnel_parameter(above, d, length - d, wavelength_m)
    loss_db = float(knife_edge_db(equivalent_nu(profiles, profiles.ground_m, wavelength_m)[link]))
    if alpha <= 0.0:
        nearest = int(np.argmax(nu))
        return float(d[nearest]), float(path.height_m[nearest]), loss_db
    at = beta / (alpha + beta)
    line_at = path.tx_height_m + at * (path.rx_height_m - path.tx_height_m)
    return at * length, line_at + alpha * at * length, loss_db


def _deygout_db(path: PathProfile, wavelength_m: float, c_db: float) -> float:
    """Return the loss of three edges with the constant for terrain [dB]."""
    c_db += 0.04 * path.length_m / 1000.0
    return deygout_db(path, wavelength_m, deygout_c_db=c_db)


def _bullington_db(profiles: Profiles, height_m: FloatArray, wavelength_m: float) -> FloatArray:
    """Return the loss after P.526 4.5.1 of each link, (n_links,) [dB]."""
    edge = knife_edge_db(equivalent_nu(profiles, height_m, wavelength_m))
    terrain = 10.0 + 0.02 * profiles.length_m / 1000.0
    return edge + (1.0 - np.exp(-edge / 6.0)) * terrain


def _largest(link: IndexArray, value: FloatArray, n_links: int) -> FloatArray:
    """Return the largest value of each link, minus infinity where it has none."""
    largest = np.full(n_links, -np.inf)
    starts = np.flatnonzero(np.diff(link, prepend=-1))
    if len(starts):
        largest[link[starts]] = np.maximum.reduceat(value, starts)
    return largest
