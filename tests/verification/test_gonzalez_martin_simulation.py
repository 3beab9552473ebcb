"""The simulator against the simulated columns of Gonzalez-Martin et al. (IEEE TVT 2019).

Bounds on packet delivery ratio and on the share of each of the four causes of loss, from 25 to
400 m: 0.02 on average, 0.04 anywhere. One configuration, 300 vehicles/km at 20 Hz, keeps 90 % of
the channel busy; there our collisions exceed the published ones by up to 0.05 beyond 200 m, for
which ``docs/validation.md`` says what was tried. It has wider bounds of its own, so that a change
is noticed.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from v2x.metrics.reliability import reliability
from v2x.records.tables import Outcome
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

TABLE = (
    Path(__file__).resolve().parents[3]
    / "shared/reference/tables/validation_gonzalez_martin_tvt2019.csv"
)
CAUSES = {
    "pdr_sim": Outcome.RECEIVED,
    "hd_sim": Outcome.HALF_DUPLEX,
    "sen_sim": Outcome.BELOW_SENSITIVITY,
    "pro_sim": Outcome.PROPAGATION,
    "col_sim": Outcome.COLLISION,
}
MEAN_BOUND, MAX_BOUND = 0.02, 0.04
OVERLOADED = (300, 20, 20)
OVERLOADED_BOUNDS = 0.035, 0.06
CONFIGURATIONS = [
    (100, 10, 20),
    (100, 10, 23),
    (200, 10, 20),
    (200, 10, 23),
    (300, 10, 20),
    OVERLOADED,
]
#: The paper's simulated PDR at 100, 200, 300 and 400 m, for where the table is absent.
PRINTED = {
    (100, 10, 20): (0.980, 0.968, 0.916, 0.715),
    (100, 10, 23): (0.979, 0.970, 0.937, 0.856),
    (200, 10, 20): (0.945, 0.906, 0.784, 0.558),
    (200, 10, 23): (0.945, 0.910, 0.802, 0.663),
}


def simulated_share(configuration: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles of the bins [m] and the share of each outcome, (n_outcomes, n_bins).

    Sparse traffic has fewer pairs in a bin, so it runs more often.
    """
    density, rate, power = configuration
    replications, duration_s = {100: (4, 28), 200: (2, 24), 300: (1, 18)}[density]
    scenario = load_scenario(
        "validation/gonzalez_martin",
        [
            ("traffic.density_per_km", str(density)),
            ("messages.rate_hz", str(rate)),
            ("radio.tx_power_dbm", str(power)),
            ("access.t2_ms", str(1000 // rate)),
            ("duration_s", str(duration_s)),
            ("replications", str(replications)),
        ],
    )
    curve = reliability(simulate(scenario))
    return curve.bin_upper_m - 0.5 * curve.bin_width_m, curve.share


def published(configuration: tuple[int, int, int]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    density, rate, power = configuration
    with TABLE.open(encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if float(row["beta_veh_per_m"]) == density / 1000
            and float(row["lambda_hz"]) == rate
            and float(row["pt_dbm"]) == power
            and 25 <= float(row["distance_m"]) <= 400
        ]
    assert len(rows) == 16
    distance = np.array([float(row["distance_m"]) for row in rows])
    return distance, {key: np.array([float(row[key]) for row in rows]) for key in CAUSES}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_pdr_and_causes_agree_with_the_published_simulation(configuration):
    if not TABLE.exists():
        pytest.skip("the published columns are not beside this checkout")
    middle, share = simulated_share(configuration)
    distance, columns = published(configuration)
    mean_bound, max_bound = (
        OVERLOADED_BOUNDS if configuration == OVERLOADED else (MEAN_BOUND, MAX_BOUND)
    )
    for key, outcome in CAUSES.items():
        ours = np.interp(distance, middle, share[outcome])
        difference = np.abs(ours - columns[key])
        assert difference.mean() <= mean_bound, (key, difference.round(4))
        assert difference.max() <= max_bound, (key, difference.round(4))


@pytest.mark.parametrize("configuration", list(PRINTED))
def test_pdr_agrees_with_the_printed_figures(configuration):
    """Independent of the table: three percentage points at 100 to 300 m, four at 400 m."""
    middle, share = simulated_share(configuration)
    ours = np.interp([100, 200, 300, 400], middle, share[Outcome.RECEIVED])
    difference = np.abs(ours - np.array(PRINTED[configuration]))
    assert difference[:3].max() <= 0.03
    assert difference[3] <= 0.04
