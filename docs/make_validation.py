"""Compare the simulator with the published figures of Gonzalez-Martin et al. (IEEE TVT 2019).

Run from the checkout:  python docs/make_validation.py [--seeds N]

Writes ``docs/validation/gonzalez_martin.csv`` and ``.png``; beside them, where the published
columns are at hand, ``gonzalez_martin_differences.csv`` (each outcome) and
``gonzalez_martin_roads.csv`` (other roads, one seed). ``docs/validation.md`` shows them all.
Takes a quarter of an hour on one core.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from v2x.metrics.reliability import reliability
from v2x.records.tables import Outcome
from v2x.report import style
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

FOLDER = Path(__file__).parent / "validation"
#: The published columns; not part of the project.
TABLE = (
    Path(__file__).resolve().parents[2]
    / "shared/reference/tables/validation_gonzalez_martin_tvt2019.csv"
)
COLUMNS = {
    "pdr_sim": Outcome.RECEIVED,
    "hd_sim": Outcome.HALF_DUPLEX,
    "sen_sim": Outcome.BELOW_SENSITIVITY,
    "pro_sim": Outcome.PROPAGATION,
    "col_sim": Outcome.COLLISION,
}
DISTANCES_M = (100, 200, 300, 400, 500)
#: Differences are taken between these distances [m].
COMPARED_M = (25, 400)

FloatArray = NDArray[np.float64]
Changes = tuple[tuple[str, str], ...]

ENDLESS = "endless"
#: Other roads than that of the scenario, and what they change in it.
OTHER_ROADS: dict[str, Changes] = {
    ENDLESS: (("world.wrap", "true"),),
    "5 km, 1 km at each end not counted": (
        ("world.length_m", "5000"),
        ("records.edge_margin_m", "1000"),
    ),
    "5 km": (("world.length_m", "5000"),),
    "3 km": (("world.length_m", "3000"),),
    "2 km": (("world.length_m", "2000"),),
    "endless, nothing arrives from beyond 600 m": (
        ("world.wrap", "true"),
        ("channel.interaction_range_m", "600"),
    ),
}


@dataclass(frozen=True, slots=True)
class Published:
    """Published PDR of one configuration at 100 to 500 m, simulated and analytical."""

    density_per_km: int
    rate_hz: int
    tx_power_dbm: int
    simulated: tuple[float, ...]
    analytical: tuple[float, ...]

    @property
    def configuration(self) -> dict[str, int]:
        """What tells it from the others."""
        return {
            "density_per_km": self.density_per_km,
            "rate_hz": self.rate_hz,
            "tx_power_dbm": self.tx_power_dbm,
        }


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


@dataclass(frozen=True, slots=True)
class Curve:
    """Shares against distance.

    Attributes
    ----------
    middle_m : (n_bins,) float64
        Middles of the distance bins [m].
    share : (n_outcomes, n_bins) float64
        Share of each outcome, the mean of the seeds.
    """

    middle_m: FloatArray
    share: FloatArray

    def at(self, distance_m: Sequence[float] | FloatArray, outcome: Outcome) -> FloatArray:
        """Return the share of an outcome at some distances [m]."""
        share: FloatArray = np.interp(distance_m, self.middle_m, self.share[outcome])
        return share


def simulated(published: Published, seeds: Sequence[int], road: Changes = ()) -> Curve:
    """Simulate a configuration, by default on the road of the bundled scenario."""
    configuration = (
        ("traffic.density_per_km", str(published.density_per_km)),
        ("messages.rate_hz", str(published.rate_hz)),
        ("radio.tx_power_dbm", str(published.tx_power_dbm)),
    )
    shares = []
    for seed in seeds:
        changes = [*configuration, *road, ("seed", str(seed))]
        curve = reliability(simulate(load_scenario("validation/gonzalez_martin", changes)))
        shares.append(curve.share)
    middle = np.asarray(curve.bin_upper_m) - 0.5 * curve.bin_width_m
    return Curve(middle, np.mean(shares, axis=0))


def differences(published: Published, curve: Curve) -> dict[Outcome, dict[str, str]]:
    """Return mean, largest and signed mean difference to the published simulated columns."""
    with TABLE.open(encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if float(row["beta_veh_per_m"]) == published.density_per_km / 1000
            and float(row["lambda_hz"]) == published.rate_hz
            and float(row["pt_dbm"]) == published.tx_power_dbm
            and COMPARED_M[0] <= float(row["distance_m"]) <= COMPARED_M[1]
        ]
    distance = np.array([float(row["distance_m"]) for row in rows])
    found = {}
    for column, outcome in COLUMNS.items():
        difference = curve.at(distance, outcome) - [float(row[column]) for row in rows]
        found[outcome] = {
            "mean_difference": f"{np.abs(difference).mean():.4f}",
            "largest_difference": f"{np.abs(difference).max():.4f}",
            "bias": f"{difference.mean():+.4f}",
        }
    return found


def pdr_rows(published: Published, curve: Curve) -> list[dict[str, Any]]:
    """Return the PDR beside the published ones, a row for each distance."""
    return [
        published.configuration
        | {
            "distance_m": distance,
            "pdr_published_simulated": simulated,
            "pdr_published_analytical": analytical,
            "pdr_v2x": f"{value:.3f}",
            "difference": f"{value - simulated:+.3f}",
        }
        for distance, simulated, analytical, value in zip(
            DISTANCES_M,
            published.simulated,
            published.analytical,
            curve.at(DISTANCES_M, Outcome.RECEIVED),
            strict=True,
        )
    ]


def write_table(name: str, rows: list[dict[str, Any]]) -> None:
    """Write rows to a CSV file of the folder."""
    with (FOLDER / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@style.styled
def draw(curves: Sequence[Curve], endless: Sequence[Curve]) -> Figure:
    """Return PDR against distance, a plot for each configuration."""
    figure = style.new_figure(4.8)
    axes = figure.subplots(2, 3, sharex=True, sharey=True).ravel()
    for axis, published, curve, ring in zip(axes, PUBLISHED, curves, endless, strict=True):
        axis.plot(curve.middle_m, curve.share[Outcome.RECEIVED], color=style.BLUE, label="v2x")
        axis.plot(
            ring.middle_m,
            ring.share[Outcome.RECEIVED],
            "--",
            color=style.MID_GREY,
            linewidth=1.0,
            label="v2x, endless road",
        )
        for marker, color, values, label in (
            ("o", style.VERMILLION, published.simulated, "published, simulated"),
            ("x", style.BLACK, published.analytical, "published, analytical"),
        ):
            axis.plot(
                DISTANCES_M,
                values,
                marker,
                color=color,
                markersize=6,
                markerfacecolor="none",
                label=label,
                clip_on=False,
            )
        axis.set_title(
            f"{published.density_per_km} vehicles/km, {published.rate_hz} Hz, "
            f"{published.tx_power_dbm} dBm"
        )
        axis.set_xlim(0, 500)
        axis.set_xticks(range(0, 501, 100))
        axis.set_ylim(0, 1)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    figure.supxlabel("distance between transmitter and receiver [m]", fontsize=9)
    figure.supylabel("packet delivery ratio", fontsize=9)
    return figure


def main() -> None:
    """Simulate all configurations and write tables and figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="runs per configuration")
    seeds = range(1, parser.parse_args().seeds + 1)
    FOLDER.mkdir(exist_ok=True)
    curves = [simulated(published, seeds) for published in PUBLISHED]
    endless = [simulated(published, [1], OTHER_ROADS[ENDLESS]) for published in PUBLISHED]
    rows = [pdr_rows(*pair) for pair in zip(PUBLISHED, curves, strict=True)]
    write_table("gonzalez_martin.csv", [row for some in rows for row in some])
    style.write(draw(curves, endless), FOLDER / "gonzalez_martin.png")
    if not TABLE.exists():
        raise SystemExit(f"no differences written: {TABLE} is not there")
    write_table(
        "gonzalez_martin_differences.csv",
        [
            published.configuration | {"outcome": outcome.name.lower()} | found
            for published, curve in zip(PUBLISHED, curves, strict=True)
            for outcome, found in differences(published, curve).items()
        ],
    )
    by_road = {"4 km": [simulated(published, [1]) for published in PUBLISHED], ENDLESS: endless}
    for road, changes in OTHER_ROADS.items():
        if road != ENDLESS:
            by_road[road] = [simulated(published, [1], changes) for published in PUBLISHED]
    write_table(
        "gonzalez_martin_roads.csv",
        [
            {"road": road}
            | published.configuration
            | differences(published, curve)[Outcome.RECEIVED]
            for road, made in by_road.items()
            for published, curve in zip(PUBLISHED, made, strict=True)
        ],
    )


if __name__ == "__main__":
    main()
