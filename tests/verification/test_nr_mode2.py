"""NR mode 2 in whole runs: reproducible, and where it stands against LTE mode 4."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.records.tables import Outcome, RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

#: One error curve for both technologies, so that only access and grid differ.
COMMON = "r1-160284-qpsk-r0.5"


def run(technology: str, **changes: Any) -> RunRecords:
    """Run three seconds of the 3GPP highway, two of them counted."""
    overrides = {
        "duration_s": 3,
        "warmup_s": 1,
        "phy.error_curve": COMMON,
        "access.type": technology,
        **changes,
    }
    return simulate(load_scenario("highway_3gpp", [(k, str(v)) for k, v in overrides.items()]))


def share(records: RunRecords, outcome: Outcome, up_to_m: float) -> float:
    links = records.tables["links"]
    near = links["bin_upper_m"] <= up_to_m
    return float(links["n"][near & (links["outcome"] == outcome)].sum() / links["n"][near].sum())


@pytest.mark.parametrize(
    "options",
    [
        {"access.scs_khz": 15},
        {"access.blind_retransmissions": 3},
        {"access.scs_khz": 60, "access.n_subchannels": 2, "phy.mcs": 12, "access.grant": "dynamic"},
    ],
)
def test_the_same_seed_gives_the_same_bytes(options: dict[str, Any]) -> None:
    one, two = (run("nr-mode2", **{"traffic.density_per_km": 40, **options}) for _ in range(2))
    for name, table in one.tables.items():
        for key, column in table.items():
            assert column.tobytes() == two.tables[name][key].tobytes(), (name, key)
    packets = one.tables["packets"]
    expected = 1 + int(options.get("access.blind_retransmissions", 0))
    assert np.median(packets["n_attempts"]) == expected
    assert (packets["n_received_first"] <= packets["n_received"]).all()
    assert (packets["n_received"] <= packets["n_intended"]).all()


def test_an_equal_grid_costs_what_the_missing_ranking_explains() -> None:
    """Same curve, slots and subchannels: LTE without its ranking loses 4 points within 300 m."""
    lte = run("lte-mode4")
    nr = run("nr-mode2", **{"access.scs_khz": 15})
    received = [share(records, Outcome.RECEIVED, 300.0) for records in (lte, nr)]
    assert received[0] - 0.075 < received[1] < received[0] + 0.02
    # what has no interference does not depend on the technology
    lost = [share(records, Outcome.PROPAGATION, 300.0) for records in (lte, nr)]
    assert lost[0] == pytest.approx(lost[1], abs=0.004)


def test_a_vehicle_pair_far_from_all_others_loses_half_duplex_only() -> None:
    """Almost empty road at 30 kHz: nothing collides, some slots coincide."""
    records = run("nr-mode2", **{"traffic.density_per_km": 4})
    assert share(records, Outcome.RECEIVED, 100.0) > 0.98
    assert share(records, Outcome.COLLISION, 100.0) < 0.01
