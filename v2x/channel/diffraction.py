"""Loss by diffraction over edges, after ITU-R P.526.

Edges are absorbing half planes across the path. Lengths are metres along the path and metres of
height; the Earth's curvature matters only in :func:`bullington_db`, which bulges the profile.
The other forms take flat profiles, as suits the ridges, decks and trucks of one neighbourhood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

#: Median radius with which P.526 lets the Earth bend under a path [m].
EFFECTIVE_EARTH_RADIUS_M = 8_500_000.0
#: Below this parameter an edge leaves the direct ray free.
CLEAR_NU = -0.78


@dataclass(frozen=True, slots=True, kw_only=True)
class PathProfile:
    """Points under the straight path from one antenna to another.

    Attributes
    ----------
    tx_height_m, rx_height_m
        Heights of the antennas above a common reference [m].
    length_m
        Horizontal length of the path [m].
    distance_m : (n_points,) float64
        Distance of each point from the transmitter [m], ascending, within (0, length).
    height_m : (n_points,) float64
        Height of what stands there above the same reference [m].
    """

    tx_height_m: float
    rx_height_m: float
    length_m: float
    distance_m: FloatArray
    height_m: FloatArray

    def __post_init__(self) -> None:
        """Reject profiles that no path can have."""
        d = self.distance_m
        if d.shape != self.height_m.shape or d.ndim != 1:
            raise ValueError("distance_m and height_m must have one dimension and equal length")
        if d.size and not (d[0] > 0.0 and d[-1] < self.length_m and bool(np.all(np.diff(d) > 0))):
            raise ValueError(f"distance_m must ascend within 0 and {self.length_m}, exclusive")


def fresnel_parameter(
    height_m: ArrayLike, d1_m: ArrayLike, d2_m: ArrayLike, wavelength_m: float
) -> FloatArray:
    r"""Diffraction parameter of an edge.

    Parameters
    ----------
    height_m : array_like of float64
        Height of the edge above the straight line between its ends [m], negative below.
    d1_m, d2_m : array_like of float64
        Distances from the edge to both ends [m]; all broadcast.
    wavelength_m
        Wavelength [m].

    Returns
    -------
    float64, broadcast shape
        :math:`\nu = h \sqrt{\frac{2}{\lambda}\left(\frac{1}{d_1} + \frac{1}{d_2}\right)}`
        (ITU-R P.526 4.1).
    """
    h, d1, d2 = (np.asarray(value, dtype=np.float64) for value in (height_m, d1_m, d2_m))
    return np.asarray(h * np.sqrt(2.0 / wavelength_m * (1.0 / d1 + 1.0 / d2)))


def knife_edge_db(nu: ArrayLike) -> FloatArray:
    r"""Loss over one knife edge.

    Parameters
    ----------
    nu : array_like of float64
        Diffraction parameter of :func:`fresnel_parameter`.

    Returns
    -------
    float64, shape of `nu`
        Loss against free space [dB], zero up to -0.78.

    Notes
    -----
    .. math:: J(\nu) = 6.9 + 20\log_{10}\left(\sqrt{(\nu - 0.1)^2 + 1} + \nu - 0.1\right)

    ITU-R P.526 4.1, an approximation of the Fresnel integral (6.03 dB instead of 6.02 at zero).

    Examples
    --------
    >>> knife_edge_db([-1.0, 0.0, 1.0]).round(2)
    array([ 0.  ,  6.03, 13.93])
    """
    nu = np.asarray(nu, dtype=np.float64)
    u = np.maximum(nu, CLEAR_NU) - 0.1
    loss = 6.9 + 20.0 * np.log10(np.sqrt(u**2 + 1.0) + u)
    return np.asarray(np.where(nu > CLEAR_NU, loss, 0.0))


def first_fresnel_radius_m(d1_m: ArrayLike, d2_m: ArrayLike, wavelength_m: float) -> FloatArray:
    """Radius of the first Fresnel zone.

    Parameters
    ----------
    d1_m, d2_m : array_like of float64
        Distances to both ends [m]; they broadcast.
    wavelength_m
        Wavelength [m].

    Returns
    -------
    float64, broadcast shape
        Radius [m]. A path counts as free with 0.6 of it clear.
    """
    d1, d2 = (np.asarray(value, dtype=np.float64) for value in (d1_m, d2_m))
    return np.asarray(np.sqrt(wavelength_m * d1 * d2 / (d1 + d2)))


def parallel_paths_db(loss_db: ArrayLike) -> float:
    """Loss of several ways round one obstacle, their powers added.

    Parameters
    ----------
    loss_db : array_like of float64
        Loss of each way, such as over the top and past both sides [dB].

    Returns
    -------
    float
        ``-10 log10(sum(10 ** (-L / 10)))`` [dB]. It falls below zero if the ways together carry
        more than free space; the caller decides whether that is meant.
    """
    loss = np.asarray(loss_db, dtype=np.float64)
    return -10.0 * math.log10(float(np.sum(10.0 ** (-loss / 10.0))))


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoEdges:
    """Two isolated edges on one path.

    Attributes
    ----------
    h1_m, h2_m
        Heights of the edges above the straight line between the antennas [m].
    a_m, b_m, c_m
        Distances transmitter - edge 1 - edge 2 - receiver [m].
    """

    h1_m: float
    h2_m: float
    a_m: float
    b_m: float
    c_m: float

    def __post_init__(self) -> None:
        """Reject edges that coincide with each other or with an antenna."""
        if not min(self.a_m, self.b_m, self.c_m) > 0.0:
            raise ValueError(f"a_m, b_m, c_m must be > 0, got {self.a_m}, {self.b_m}, {self.c_m}")

    def reversed(self) -> TwoEdges:
        """Return the same path seen from the receiver."""
        return TwoEdges(h1_m=self.h2_m, h2_m=self.h1_m, a_m=self.c_m, b_m=self.b_m, c_m=self.a_m)


def epstein_peterson_db(
    edges: TwoEdges, wavelength_m: float, *, correction_above_db: float = 15.0
) -> float:
    r"""Loss over two comparable edges.

    Parameters
    ----------
    edges
        The path.
    wavelength_m
        Wavelength [m].
    correction_above_db
        The correction is added if both partial losses exceed this [dB].

    Returns
    -------
    float
        Loss against free space [dB].

    Notes
    -----
    Each edge is taken alone, between its neighbours (antenna or other edge), and

    .. math:: L_c = 10\log_{10}\frac{(a + b)(b + c)}{b (a + b + c)}

    corrects for close edges (ITU-R P.526, double isolated edges). Valid where neither edge
    dominates; see :func:`dominant_edge_db` otherwise.
    """
    a, b, c = edges.a_m, edges.b_m, edges.c_m
    h1 = edges.h1_m - edges.h2_m * a / (a + b)
    h2 = edges.h2_m - edges.h1_m * c / (b + c)
    first = float(knife_edge_db(fresnel_parameter(h1, a, b, wavelength_m)))
    second = float(knife_edge_db(fresnel_parameter(h2, b, c, wavelength_m)))
    if min(first, second) > correction_above_db:
        return first + second + 10.0 * math.log10((a + b) * (b + c) / (b * (a + b + c)))
    return first + second


def dominant_edge_db(edges: TwoEdges, wavelength_m: float) -> float:
    r"""Loss over two edges one of which dominates.

    Parameters
    ----------
    edges
        The path.
    wavelength_m
        Wavelength [m].

    Returns
    -------
    float
        Loss against free space [dB].

    Notes
    -----
    The edge with the larger parameter p on the whole path is taken alone, the other between
    it and the far antenna, and

    .. math:: T_c = \left[12 - 20\log_{10}\frac{2}{1 - \alpha/\pi}\right]
              \left(\frac{q}{p}\right)^{2p},\quad
              \tan^2\alpha = \frac{b (a + b + c)}{a c}

    is taken off, q being the parameter of the other edge on the whole path (ITU-R P.526, double
    isolated edges). Nothing is taken off unless both edges rise above the line.
    """
    whole_m = edges.a_m + edges.b_m + edges.c_m
    p = float(fresnel_parameter(edges.h1_m, edges.a_m, whole_m - edges.a_m, wavelength_m))
    q = float(fresnel_parameter(edges.h2_m, whole_m - edges.c_m, edges.c_m, wavelength_m))
    if q > p:
        return dominant_edge_db(edges.reversed(), wavelength_m)
    h2 = edges.h2_m - edges.h1_m * edges.c_m / (edges.b_m + edges.c_m)
    nu2 = fresnel_parameter(h2, edges.b_m, edges.c_m, wavelength_m)
    loss = float(knife_edge_db(p)) + float(knife_edge_db(nu2))
    if q <= 0.0:
        return loss
    alpha = math.atan(math.sqrt(edges.b_m * whole_m / (edges.a_m * edges.c_m)))
    spread = 12.0 - 20.0 * math.log10(2.0 / (1.0 - alpha / math.pi))
    return loss - spread * math.pow(q / p, 2.0 * p)


def deygout_terrain_c_db(path_length_m: float) -> float:
    """Empirical constant C of P.526 for terrain profiles, ``10 + 0.04 D`` with D in km [dB]."""
    return 10.0 + 0.04 * path_length_m / 1000.0


def deygout_db(profile: PathProfile, wavelength_m: float, *, deygout_c_db: float = 0.0) -> float:
    r"""Loss over at most three edges of a profile, by their importance.

    Parameters
    ----------
    profile
        What stands under the path; the Earth is flat.
    wavelength_m
        Wavelength [m].
    deygout_c_db
        Constant C [dB]: 0 for objects of surveyed geometry, :func:`deygout_terrain_c_db` for
        sampled terrain. It was fitted to long terrain paths and overstates one isolated ridge
        on a short path by up to its own size.

    Returns
    -------
    float
        Loss against free space [dB].

    Notes
    -----
    .. math:: L = J(\nu_p) + T\,[J(\nu_t) + J(\nu_r) + C],\quad T = 1 - e^{-J(\nu_p)/6}

    p is the point of largest parameter on the whole path, t that between the transmitter and p,
    r that between p and the receiver; zero if p leaves the path free (ITU-R P.526-11 and
    earlier, cascaded knife edges).
    """
    edges = deygout_edges(profile, wavelength_m)
    if not edges:
        return 0.0
    main, *sides = (edge.loss_db for edge in edges)
    return main + (1.0 - math.exp(-main / 6.0)) * (sum(sides) + deygout_c_db)


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge of a profile.

    Attributes
    ----------
    point
        Point of the profile.
    loss_db
        Loss over it alone, between its neighbours [dB].
    """

    point: int
    loss_db: float


def deygout_edges(profile: PathProfile, wavelength_m: float) -> list[Edge]:
    """Return the edges of :func:`deygout_db`, the main one first.

    Parameters
    ----------
    profile
        What stands under the path; the Earth is flat.
    wavelength_m
        Wavelength [m].

    Returns
    -------
    list of Edge
        Empty if the path is free; at most one edge on either side of the main one.
    """
    nu_p, top = _largest_nu(profile, wavelength_m)
    if nu_p <= CLEAR_NU:
        return []
    d, h = profile.distance_m, profile.height_m
    before = PathProfile(
        tx_height_m=profile.tx_height_m,
        rx_height_m=float(h[top]),
        length_m=float(d[top]),
        distance_m=d[:top],
        height_m=h[:top],
    )
    behind = PathProfile(
        tx_height_m=float(h[top]),
        rx_height_m=profile.rx_height_m,
        length_m=profile.length_m - float(d[top]),
        distance_m=d[top + 1 :] - d[top],
        height_m=h[top + 1 :],
    )
    edges = [Edge(top, float(knife_edge_db(nu_p)))]
    for part, first in ((before, 0), (behind, top + 1)):
        nu, point = _largest_nu(part, wavelength_m)
        if nu > CLEAR_NU:
            edges.append(Edge(first + point, float(knife_edge_db(nu))))
    return edges


def bullington_db(
    profile: PathProfile,
    wavelength_m: float,
    *,
    effective_earth_radius_m: float = EFFECTIVE_EARTH_RADIUS_M,
) -> float:
    r"""Loss of a terrain profile, replaced by one equivalent edge.

    Parameters
    ----------
    profile
        What stands under the path.
    wavelength_m
        Wavelength [m].
    effective_earth_radius_m
        Radius of the bulge under the path [m]; infinity for a flat Earth.

    Returns
    -------
    float
        Loss against free space [dB]; zero for an empty profile.

    Notes
    -----
    The edge stands where the horizon rays of both antennas meet, or, in line of sight, at the
    point of largest parameter; then

    .. math:: L = L_{uc} + (1 - e^{-L_{uc}/6})(10 + 0.02 d)

    with d in km (ITU-R P.526 4.5.1). The second term is empirical and meant for terrain.
    """
    if profile.distance_m.size == 0:
        return 0.0
    d, length = profile.distance_m, profile.length_m
    height = profile.height_m + d * (length - d) / (2.0 * effective_earth_radius_m)
    to_tx = float(np.max((height - profile.tx_height_m) / d))
    if to_tx < (profile.rx_height_m - profile.tx_height_m) / length:
        line = (profile.tx_height_m * (length - d) + profile.rx_height_m * d) / length
        nu = float(np.max(fresnel_parameter(height - line, d, length - d, wavelength_m)))
    else:
        to_rx = float(np.max((height - profile.rx_height_m) / (length - d)))
        if to_tx + to_rx <= 0.0:
            # The ground touches the ray: both horizon rays are the ray itself.
            d_b = 0.5 * length
        else:
            d_b = (profile.rx_height_m - profile.tx_height_m + to_rx * length) / (to_tx + to_rx)
        line_b = (profile.tx_height_m * (length - d_b) + profile.rx_height_m * d_b) / length
        h_b = profile.tx_height_m + to_tx * d_b - line_b
        nu = float(fresnel_parameter(h_b, d_b, length - d_b, wavelength_m))
    edge = float(knife_edge_db(nu))
    return edge + (1.0 - math.exp(-edge / 6.0)) * (10.0 + 0.02 * length / 1000.0)


def _largest_nu(profile: PathProfile, wavelength_m: float) -> tuple[float, int]:
    """Return the largest parameter on the profile and its point; minus infinity if empty."""
    if profile.distance_m.size == 0:
        return -math.inf, -1
    d, length = profile.distance_m, profile.length_m
    line = profile.tx_height_m + (profile.rx_height_m - profile.tx_height_m) * d / length
    nu = fresnel_parameter(profile.height_m - line, d, length - d, wavelength_m)
    top = int(np.argmax(nu))
    return float(nu[top]), top
