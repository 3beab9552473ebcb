"""Compare the simulator with the published figures of Gonzalez-Martin et al. (IEEE TVT 2019).

Run from the checkout:  python docs/make_validation.py [--seeds N]

Writes ``docs/validation/gonzalez_martin.csv`` and ``.png``, which ``docs/validation.md`` shows.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from v2x.metrics.reliability import reliability
from v2x.report import style
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

FOLDER = Path(__file__).parent / "validation"
DISTANCES_M = (100, 200, 300, 400, 500)


@dataclass(frozen=True, slots=True)
class Published:
    """Published PDR of one configuration at 100 to 500 m, simulated and analytical."""

    density_per_km: int
    rate_hz: int
    tx_power_dbm: int
    simulated: tuple[float, ...]
    analytical: tuple[float, ...]


#: Gonzalez-Martin et al., IEEE TVT 68(2), 2019: the figures behind their PDR curves.
PUBLISHED = tuple(
    Published(*configuration, simulated, analytical)
    for configuration, simulated, analytical in (
        ((100, 10, 20), (0.980, 0.968, 0.916, 0.715, 0.331), (0.977, 0.954, 0.888, 0.692, 0.294)),
        ((100, 10, 23), (0.979, 0.970, 0.937, 0.856, 0.644), (0.976, 0.961, 0.907, 0.821, 0.593)),
        ((200, 10, 20), (0.945, 0.906, 0.784, 0.558, 0.247), (0.954, 0.901, 0.765, 0.554, 0.226)),
        ((200, 10, 23), (0.945, 0.910, 0.802, 0.663, 0.473), (0.954, 0.918, 0.804, 0.666, 0.453)),
        ((300, 10, 20), (0.924, 0.844, 0.673, 0.451, 0.197), (0.933, 0.844, 0.653, 0.440, 0.172)),
        ((300, 20, 20), (0.873, 0.639, 0.354, 0.164, 0.053), (0.910, 0.759, 0.437, 0.232, 0.080)),
    )
)


def overrides(published: Published, seed: int) -> list[tuple[str, str]]:
    """Return what a configuration changes in the bundled scenario."""
    return [
        ("traffic.density_per_km", str(published.density_per_km)),
        ("messages.rate_hz", str(published.rate_hz)),
        ("radio.tx_power_dbm", str(published.tx_power_dbm)),
        ("access.t2_ms", str(1000 // published.rate_hz)),
        ("seed", str(seed)),
    ]


def simulated_shares(published: Published, seeds: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles of the distance bins [m] and the mean share of each outcome there.

    The shares have shape (n_outcomes, n_bins).
    """
    shares = []
    for seed in seeds:
        curve = reliability(
            simulate(load_scenario("validation/gonzalez_martin", overrides(published, seed)))
        )
        shares.append(curve.share)
    middle = np.asarray(curve.bin_upper_m) - 0.5 * float(np.diff(curve.bin_upper_m)[0])
    return middle, np.mean(shares, axis=0)


def main() -> None:
    """Simulate all configurations and write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="runs per configuration")
    seeds = range(1, parser.parse_args().seeds + 1)
    FOLDER.mkdir(exist_ok=True)
    figure = Figure(figsize=(9.0, 5.6), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True, sharey=True).ravel()
    rows = []
    for axis, published in zip(axes, PUBLISHED, strict=True):
        middle, share = simulated_shares(published, seeds)
        ours = np.interp(DISTANCES_M, middle, share[0])
        rows += [
            {
                "density_per_km": published.density_per_km,
                "rate_hz": published.rate_hz,
                "tx_power_dbm": published.tx_power_dbm,
                "distance_m": distance,
                "pdr_published_simulated": simulated,
                "pdr_published_analytical": analytical,
                "pdr_v2x": f"{value:.3f}",
                "difference": f"{value - simulated:+.3f}",
            }
            for distance, simulated, analytical, value in zip(
                DISTANCES_M, published.simulated, published.analytical, ours, strict=True
            )
        ]
        axis.plot(middle, share[0], label="v2x")
        axis.plot(DISTANCES_M, published.simulated, "o", label="published, simulated")
        axis.plot(DISTANCES_M, published.analytical, "x", label="published, analytical")
        axis.set_title(
            f"{published.density_per_km} vehicles/km, {published.rate_hz} Hz, "
            f"{published.tx_power_dbm} dBm",
            fontsize="small",
        )
        axis.set_ylim(0, 1)
        axis.grid(visible=True, alpha=0.3)
    axes[0].legend(loc="lower left", fontsize="small")
    figure.supxlabel("distance [m]")
    figure.supylabel("packet delivery ratio")
    style.write(figure, FOLDER / "gonzalez_martin.png")
    with (FOLDER / "gonzalez_martin.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
