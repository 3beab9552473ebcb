"""Analytical performance of LTE-V2X mode 4 on a straight road, as an oracle.

Our implementation of the equations of M. Gonzalez-Martin, M. Sepulcre, R. Molina-Masegosa and
J. Gozalvez, "Analytical Models of the Performance of C-V2X Mode 4 Vehicular Communications", IEEE
Transactions on Vehicular Technology 68(2), 2019, with the settings of its published
configurations. Vehicles stand at equal spacing on an infinite line, send 190 bytes at a fixed
rate and never keep a resource when its counter runs out.

The path loss and the error curve are those of the package, so that the comparison with the
published figures checks them too. Two settings of the paper differ from the package's and stand
here: the speed of light is 3e8 m/s, and the published error figures near the transmitter show
that its error curve falls from 0.001 to 0.0001 beyond 20 dB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from v2x.channel.pathloss import winner_b1_los_db
from v2x.phy.error_model import curve

FloatArray = NDArray[np.float64]

SIGMA_DB = 3.0
SENSITIVITY_DBM = -90.5
#: Share of the resources that the best candidates make up.
CANDIDATE_SHARE = 0.2
#: Resource blocks and error curve by number of subchannels in 10 MHz.
ALLOCATIONS = {4: (10, "r1-160284-qpsk-r0.7"), 2: (12, "r1-160284-qpsk-r0.5")}
_GRID_DB = 0.1
_REACH_M = 1500
_INTERFERERS_WITHIN_M = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One published configuration.

    Attributes
    ----------
    density_per_m
        Vehicles per metre, beta.
    rate_hz
        Packets per second and vehicle, lambda.
    tx_power_dbm
        Transmit power; antennas have no gain.
    n_subchannels
        Packets side by side in a subframe, S.
    """

    density_per_m: float
    rate_hz: float
    tx_power_dbm: float
    n_subchannels: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What becomes of a packet, by distance; the five shares sum to one.

    Attributes
    ----------
    pdr, hd, sen, pro, col : (n_distances,) float64
        Received; lost to half duplex, below sensitivity, by propagation, by collision.
    cbr
        Busy share of the resources, Ne / N.
    alpha
        Weight of the second step of the resource selection against the third.
    step3_threshold_dbm
        Threshold at which the second step leaves enough candidates.
    """

    pdr: FloatArray
    hd: FloatArray
    sen: FloatArray
    pro: FloatArray
    col: FloatArray
    cbr: float
    alpha: float
    step3_threshold_dbm: float


@dataclass(frozen=True, slots=True)
class Published:
    """PDR at :data:`PUBLISHED_DISTANCE_M` as printed, by simulation and by the model."""

    configuration: Configuration
    cbr: float
    simulated: tuple[float, ...]
    analytical: tuple[float, ...]


PUBLISHED_DISTANCE_M = (100.0, 200.0, 300.0, 400.0, 500.0)


def _published(
    density: float, rate: float, power: float, cbr: float, *pairs: tuple[float, float]
) -> Published:
    configuration = Configuration(density_per_m=density, rate_hz=rate, tx_power_dbm=power)
    simulated, analytical = zip(*pairs, strict=True)
    return Published(configuration, cbr, simulated, analytical)


PUBLISHED = (
    _published(
        *(0.1, 10.0, 20.0, 0.229),
        *((0.980, 0.977), (0.968, 0.954), (0.916, 0.888), (0.715, 0.692), (0.331, 0.294)),
    ),
    _published(
        *(0.1, 10.0, 23.0, 0.271),
        *((0.979, 0.976), (0.970, 0.961), (0.937, 0.907), (0.856, 0.821), (0.644, 0.593)),
    ),
    _published(
        *(0.2, 10.0, 20.0, 0.440),
        *((0.945, 0.954), (0.906, 0.901), (0.784, 0.765), (0.558, 0.554), (0.247, 0.226)),
    ),
    _published(
        *(0.2, 10.0, 23.0, 0.511),
        *((0.945, 0.954), (0.910, 0.918), (0.802, 0.804), (0.663, 0.666), (0.473, 0.453)),
    ),
    _published(
        *(0.3, 10.0, 20.0, 0.616),
        *((0.924, 0.933), (0.844, 0.844), (0.673, 0.653), (0.451, 0.440), (0.197, 0.172)),
    ),
    _published(
        *(0.3, 20.0, 20.0, 0.857),
        *((0.873, 0.910), (0.639, 0.759), (0.354, 0.437), (0.164, 0.232), (0.053, 0.080)),
    ),
)


def predict(configuration: Configuration, distance_m: FloatArray) -> Prediction:
    """Return what becomes of packets at `distance_m` [m], shape (n_distances,), up to 500 m."""
    link = _Link(configuration)
    conditional_pro, interference = _decoding(link, distance_m)

    n_resources = configuration.n_subchannels * 1000.0 / configuration.rate_hz
    n_candidates = CANDIDATE_SHARE * n_resources
    x = np.arange(-_REACH_M, _REACH_M + 1, dtype=np.float64)
    sensed = link.above(x, SENSITIVITY_DBM)
    n_sensed = configuration.density_per_m * float(sensed.sum())
    n_busy = _busy_resources(n_sensed, n_resources)
    cbr = n_busy / n_resources

    # Step 3 sees twice as many vehicles; its threshold rises until enough candidates are left.
    threshold_dbm = SENSITIVITY_DBM
    while True:
        seen = 2.0 * configuration.density_per_m * float(link.above(x, threshold_dbm).sum())
        n_busy_3 = _busy_resources(seen, n_resources)
        if n_resources - n_busy_3 >= n_candidates:
            break
        threshold_dbm += _GRID_DB

    overlap = np.correlate(sensed, sensed, "full")[x.size - 1 :]

    def collision(threshold: float, busy: float) -> FloatArray:
        """Return the probability of a collision that destroys the packet, (n_distances,)."""
        to_tx_m = np.abs(link.interferer_m[np.newaxis, :] + distance_m[:, np.newaxis])
        common_share = np.interp(to_tx_m, np.arange(overlap.size), overlap) / overlap[0]
        independent = busy**2 / n_resources
        at_zero = configuration.density_per_m * busy * overlap[0] / n_sensed
        common_busy = common_share * (at_zero - independent) + independent
        common_free = n_resources - 2.0 * busy + common_busy
        common_candidates = common_free * (n_candidates / (n_resources - busy)) ** 2
        # The mean counter equals the rate, 10 at 10 Hz and 20 at 20 Hz: tau is lambda.
        unaware = 1.0 - (1.0 - 1.0 / configuration.rate_hz) * link.above(to_tx_m, threshold)
        same_resource = unaware * common_candidates / n_candidates**2
        return 1.0 - np.asarray(np.prod(1.0 - same_resource * interference, axis=1))

    alpha = float(np.clip(2.0 * cbr - 0.4, 0.0, 1.0))
    conditional_col = alpha * collision(SENSITIVITY_DBM, n_busy)
    conditional_col += (1.0 - alpha) * collision(threshold_dbm, n_busy_3)

    hd = np.full_like(distance_m, configuration.rate_hz / 1000.0)
    heard = (1.0 - hd) * link.above(distance_m, SENSITIVITY_DBM)
    decodable = heard * (1.0 - conditional_pro)
    return Prediction(
        pdr=decodable * (1.0 - conditional_col),
        hd=hd,
        sen=1.0 - hd - heard,
        pro=heard * conditional_pro,
        col=decodable * conditional_col,
        cbr=cbr,
        alpha=alpha,
        step3_threshold_dbm=threshold_dbm,
    )


class _Link:
    """Received power, noise and errors of one configuration."""

    def __init__(self, configuration: Configuration) -> None:
        n_rb, curve_name = ALLOCATIONS[configuration.n_subchannels]
        self.noise_dbm = -95.0 - 10.0 * np.log10(50.0 / n_rb)
        self._tx_power_dbm = configuration.tx_power_dbm
        self._curve = curve(curve_name)
        # Half a vehicle's tolerance keeps the last one in spite of rounding.
        n_side = int(np.floor(_INTERFERERS_WITHIN_M * configuration.density_per_m + 1e-9))
        k = np.concatenate((np.arange(-n_side, 0), np.arange(1, n_side + 1)))
        self.interferer_m = k / configuration.density_per_m

    def mean_dbm(self, distance_m: FloatArray) -> FloatArray:
        """Return the received power without shadowing [dBm]."""
        return self._tx_power_dbm - winner_b1_los_db(
            np.abs(distance_m), carrier_ghz=5.91, effective_antenna_height_m=1.5, light_mps=3e8
        )

    def above(self, distance_m: FloatArray, threshold_dbm: float) -> FloatArray:
        """Return the probability that the received power exceeds `threshold_dbm`."""
        margin = (self.mean_dbm(distance_m) - threshold_dbm) / (SIGMA_DB * np.sqrt(2.0))
        return np.asarray(0.5 * (1.0 + erf(margin)))

    def bler(self, sinr_db: FloatArray) -> FloatArray:
        """Return the block error rate, with the end that the published figures show."""
        return np.where(sinr_db > 20.0, 1e-4, self._curve.bler(sinr_db))


def _decoding(link: _Link, distance_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the error rate by propagation, and that added by one interferer alone.

    Returns
    -------
    (n_distances,) float64, (n_distances, n_interferers) float64
        The second is conditional on the packet being decodable without the interferer.
    """
    mean_dbm = link.mean_dbm(distance_m)[:, np.newaxis]
    strongest_dbm = float(link.mean_dbm(np.zeros(1))[0]) + 8.0 * SIGMA_DB
    # Wanted power: Gaussian, cut off at the sensitivity and renormalised.
    wanted_dbm = np.arange(SENSITIVITY_DBM, strongest_dbm, _GRID_DB)
    wanted = np.exp(-0.5 * ((wanted_dbm - mean_dbm) / SIGMA_DB) ** 2)
    wanted /= wanted.sum(axis=1, keepdims=True)
    pro = wanted @ link.bler(wanted_dbm - link.noise_dbm)

    # Interference plus noise in dB: the Gaussian of the interference, transformed.
    unwanted_dbm = np.arange(link.noise_dbm + _GRID_DB / 2.0, strongest_dbm, _GRID_DB)
    total_mw = 10.0 ** (unwanted_dbm / 10.0)
    interference_mw = total_mw - 10.0 ** (link.noise_dbm / 10.0)
    interferer_dbm = link.mean_dbm(link.interferer_m)[:, np.newaxis]
    deviation = (10.0 * np.log10(interference_mw) - interferer_dbm) / SIGMA_DB
    unwanted = np.exp(-0.5 * deviation**2) * total_mw / interference_mw
    unwanted /= unwanted.sum(axis=1, keepdims=True)

    error = link.bler(wanted_dbm[:, np.newaxis] - unwanted_dbm[np.newaxis, :])
    with_interferer = wanted @ (error @ unwanted.T)
    lost = pro[:, np.newaxis]
    return pro, (with_interferer - lost) / (1.0 - lost)


def _busy_resources(n_sensed: float, n_resources: float) -> float:
    """Return the mean number of resources that `n_sensed` vehicles occupy."""
    half = n_sensed / 2.0
    k = np.arange(1, int(half) + 1)
    return half + float(np.maximum(1.0 - k / (n_resources - half), 0.0).sum())
