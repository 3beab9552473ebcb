"""Which stretches of road a set of roadside units reaches, by the link budget over this map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2x.channel.antenna import Antennas
from v2x.channel.base import FloatArray, LinkState, PropagationModel
from v2x.channel.obstacle_map import ObstacleMap, obstacle_map_of
from v2x.channel.obstacle_params import ObstacleParams
from v2x.channel.obstacles import link_obstacles
from v2x.channel.set_cover import IndexArray, Reach, greedy_cover
from v2x.channel.tunnel import tunnel_law
from v2x.world.road_map import IntArray, RoadMap
from v2x.world.road_samples import RoadSamples, sample_roads
from v2x.world.rsu_sites import RsuSites

#: Reference sensitivity of a band 47 receiver in 10 MHz [dBm] (TS 36.101 7.3.1G, recalled).
SENSITIVITY_DBM = -90.4
#: Loss by a lorry in the way: mean, and 90 % quantile together with 3 dB of shadowing [dB]
#: (TR 37.885 6.2.1: 9 dB and 4.5 dB; the quantile of a Gaussian is 1.28 standard deviations).
BLOCKAGE_DB, FADING_DB = 9.0, 1.28 * float(np.hypot(3.0, 4.5))
_LINKS_AT_ONCE = 20_000


def largest_loss_db(tx_power_dbm: float = 23.0, gains_dbi: float = 6.0) -> float:
    """Return the loss that a planned link may have [dB].

    It leaves room for a lorry in the way and for shadowing at 90 % of the places, but none for
    interference.

    Parameters
    ----------
    tx_power_dbm
        Conducted transmit power [dBm] (TS 36.101 power class 3).
    gains_dbi
        Gains of both antennas [dBi] (TR 36.885 Annex A: 3 dBi each).

    Examples
    --------
    >>> round(largest_loss_db(), 1)
    103.5
    """
    return tx_power_dbm + gains_dbi - SENSITIVITY_DBM - BLOCKAGE_DB - FADING_DB


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageParams:
    """When a stretch of road counts as covered.

    Parameters
    ----------
    max_loss_db
        Largest loss between the antennas, without vehicles in the way and shadowing [dB].
    max_distance_m
        Farther units do not count [m]; 500 is the evaluated distance of ``records``.
    sample_m
        Distance between the points that stand for a road [m].
    vehicle_antenna_m
        Height of vehicles' antennas [m] (TR 36.885 Annex A).
    carrier_ghz
        Carrier frequency [GHz].
    obstacles
        What ground, decks, tunnels and buildings cost.
    """

    max_loss_db: float = largest_loss_db()
    max_distance_m: float = 500.0
    sample_m: float = 20.0
    vehicle_antenna_m: float = 1.5
    carrier_ghz: float = 5.915
    obstacles: ObstacleParams = field(default_factory=ObstacleParams)

    def __post_init__(self) -> None:
        """Reject values without a meaning."""
        for name, low, high in (
            ("max_loss_db", 40.0, 200.0),
            ("max_distance_m", 10.0, 20_000.0),
            ("sample_m", 1.0, 500.0),
            ("vehicle_antenna_m", 0.1, 10.0),
            ("carrier_ghz", 0.5, 100.0),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(
                    f"{name} must be within {low:g} and {high:g}, got {getattr(self, name)}"
                )


@dataclass(frozen=True, slots=True)
class DarkStretch:
    """A stretch of one carriageway that no unit covers.

    Attributes
    ----------
    name
        Name of the street, or class and number of the edge.
    length_m
        Its length [m].
    x_m, y_m : float
        Its middle [m].
    tunnel
        Whether its middle is inside a tunnel.
    """

    name: str
    length_m: float
    x_m: float
    y_m: float
    tunnel: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What roadside units reach of the roads of a map.

    Attributes
    ----------
    samples
        Points of the roads.
    loss_db : (n_samples,) float64
        Loss of the best link to a unit [dB], infinite where none is in reach.
    site : (n_samples,) int32
        The unit at its other end, -1 where none is in reach.
    max_loss_db
        Links with a larger loss do not cover [dB].
    """

    samples: RoadSamples
    loss_db: FloatArray
    site: IntArray
    max_loss_db: float

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Whether each point is covered, (n_samples,)."""
        return self.loss_db <= self.max_loss_db

    @property
    def road_km(self) -> float:
        """Length of all carriageways [km]."""
        return float(self.samples.length_m.sum()) / 1000.0

    @property
    def covered_km(self) -> float:
        """Length covered [km]."""
        return float(self.samples.length_m[self.covered].sum()) / 1000.0

    def dark_stretches(self, road_map: RoadMap) -> list[DarkStretch]:
        """Return the stretches that stay dark, the longest first."""
        samples, dark = self.samples, ~self.covered
        rows = np.flatnonzero(dark)
        if not len(rows):
            return []
        new = (np.diff(rows) > 1) | (np.diff(samples.line[rows]) != 0)
        stretches = []
        for part in np.split(rows, np.flatnonzero(new) + 1):
            middle = int(part[len(part) // 2])
            edge = int(samples.edge[middle])
            stretches.append(
                DarkStretch(
                    name=road_map.edge_name[edge]
                    or f"{road_map.class_names[road_map.edge_class[edge]]} {edge}",
                    length_m=float(samples.length_m[part].sum()),
                    x_m=float(samples.x_m[middle]),
                    y_m=float(samples.y_m[middle]),
                    tunnel=bool(samples.tube[middle] >= 0),
                )
            )
        return sorted(stretches, key=lambda stretch: -stretch.length_m)


@dataclass(frozen=True, slots=True)
class Links:
    """Losses between sites and points of the road that are near enough to count.

    Attributes
    ----------
    row_start : (n_sites + 1,) int64
        Links of site i are entries ``row_start[i]`` to ``row_start[i + 1]``.
    sample : (n_links,) int64
        Points.
    loss_db : (n_links,) float64
        Losses [dB], infinite through rock.
    """

    row_start: IndexArray
    sample: IndexArray
    loss_db: FloatArray

    def reach(self, max_loss_db: float) -> Reach:
        """Return what each site reaches with a loss of at most `max_loss_db` [dB]."""
        good = self.loss_db <= max_loss_db
        before = np.concatenate([[0], np.cumsum(good)])
        return Reach(before[self.row_start].astype(np.int64), self.sample[good])


Progress = Callable[[int, int], None]


def links_of(
    road_map: RoadMap,
    sites: RsuSites,
    samples: RoadSamples,
    model: PropagationModel,
    params: CoverageParams,
    progress: Progress | None = None,
) -> Links:
    """Return the losses between sites and the points of the road near them.

    Parameters
    ----------
    road_map, sites, samples
        The map, the sites, and the points.
    model
        Path loss laws.
    params
        Distances, heights, obstacles.
    progress
        Called with links done and links in all.
    """
    from scipy.spatial import cKDTree

    obstacles = obstacle_map_of(road_map)
    ends_a = _site_antennas(sites, obstacles)
    ends_b = _sample_antennas(samples, obstacles, params.vehicle_antenna_m)
    tree = cKDTree(np.stack([samples.x_m, samples.y_m], axis=1))
    around = tree.query_ball_point(
        np.stack([sites.x_m, sites.y_m], axis=1), params.max_distance_m, return_sorted=True
    )
    near = [np.array(row, dtype=np.int64) for row in around]
    n_each = np.array([len(row) for row in near], dtype=np.int64)
    sample = np.concatenate([np.zeros(0, dtype=np.int64), *near])
    site = np.repeat(np.arange(sites.n_sites), n_each)
    loss_db = np.empty(len(sample))
    for begin in range(0, len(sample), _LINKS_AT_ONCE):
        part = slice(begin, begin + _LINKS_AT_ONCE)
        loss_db[part] = _losses_db(
            obstacles, ends_a[site[part]], ends_b[sample[part]], model, params
        )
        if progress is not None:
            progress(min(begin + _LINKS_AT_ONCE, len(sample)), len(sample))
    return Links(np.concatenate([[0], np.cumsum(n_each)]), sample, loss_db)


def _losses_db(
    obstacles: ObstacleMap,
    a: Antennas,
    b: Antennas,
    model: PropagationModel,
    params: CoverageParams,
) -> FloatArray:
    """Return path loss and loss by obstacles of each link [dB]."""
    found = link_obstacles(obstacles, params.obstacles, a, b, carrier_ghz=params.carrier_ghz)
    laws = model.laws()
    distance_m = np.linalg.norm(b.position_m - a.position_m, axis=0)
    # Ridges and decks add to the law of line of sight; buildings and tubes have their own.
    law_db = laws[LinkState.LOS].loss_db(distance_m)
    for state, law in (
        (LinkState.NLOS, laws[LinkState.NLOS]),
        (LinkState.TUNNEL, tunnel_law(params.carrier_ghz, params.obstacles.tunnel_exponent)),
    ):
        of_state = found.state == state
        law_db[of_state] = law.loss_db(distance_m[of_state])
    return law_db + found.extra_db


def _site_antennas(sites: RsuSites, obstacles: ObstacleMap) -> Antennas:
    inside = sites.tunnel >= 0
    tube = np.full(sites.n_sites, -1, dtype=np.int32)
    width = np.zeros(sites.n_sites)
    tube[inside] = obstacles.edge_tube[sites.tunnel[inside]]
    width[inside] = obstacles.edge_width_m[sites.tunnel[inside]]
    return Antennas(
        position_m=np.stack([sites.x_m, sites.y_m, sites.z_m + sites.antenna_height_m]),
        tube=tube,
        axis_rad=sites.heading_rad.copy(),
        width_m=width,
        roadside=np.ones(sites.n_sites, dtype=np.bool_),
    )


def _sample_antennas(
    samples: RoadSamples, obstacles: ObstacleMap, vehicle_antenna_m: float
) -> Antennas:
    return Antennas(
        position_m=np.stack([samples.x_m, samples.y_m, samples.z_m + vehicle_antenna_m]),
        tube=samples.tube.copy(),
        axis_rad=samples.heading_rad.copy(),
        width_m=obstacles.edge_width_m[samples.edge],
        roadside=np.zeros(len(samples), dtype=np.bool_),
    )


def coverage_of(
    links: Links, samples: RoadSamples, chosen: IndexArray, max_loss_db: float
) -> Coverage:
    """Return what the chosen sites cover.

    Parameters
    ----------
    links, samples
        Losses between all sites and the points of the road.
    chosen : (n,) int64
        Sites that are there; numbers in the result count along this array.
    max_loss_db
        Largest loss of a link that covers [dB].
    """
    best = np.full(len(samples), np.inf)
    site = np.full(len(samples), -1, dtype=np.int32)
    for rank, k in enumerate(chosen.tolist()):
        own = slice(int(links.row_start[k]), int(links.row_start[k + 1]))
        sample, loss_db = links.sample[own], links.loss_db[own]
        better = loss_db < best[sample]
        best[sample[better]] = loss_db[better]
        site[sample[better]] = rank
    return Coverage(samples=samples, loss_db=best, site=site, max_loss_db=max_loss_db)


def plan(
    road_map: RoadMap,
    candidates: RsuSites,
    model: PropagationModel,
    params: CoverageParams,
    *,
    target: float,
    progress: Progress | None = None,
) -> tuple[RsuSites, Coverage, float]:
    """Choose the fewest candidates that cover a share of the roads.

    Parameters
    ----------
    road_map, candidates
        The map, and where units could stand.
    model, params
        Link budget.
    target
        Share of the length of all carriageways to be covered.
    progress
        Called with links done and links in all.

    Returns
    -------
    sites : RsuSites
        The chosen ones, the most useful first.
    coverage : Coverage
        What they cover.
    reachable_km : float
        What all candidates together would cover [km].
    """
    samples = sample_roads(road_map, params.sample_m)
    links = links_of(road_map, candidates, samples, model, params, progress)
    reach = links.reach(params.max_loss_db)
    chosen = np.array(greedy_cover(reach, samples.length_m, target), dtype=np.int64)
    reachable = np.unique(reach.sample)
    return (
        candidates.take(chosen),
        coverage_of(links, samples, chosen, params.max_loss_db),
        float(samples.length_m[reachable].sum()) / 1000.0,
    )
