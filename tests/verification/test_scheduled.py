"""What a scheduler that sees everybody can reach at most, beside what vehicles find themselves."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.metrics.summary import summarise
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

FloatArray = NDArray[np.float64]
HIGHWAY = Path(__file__).resolve().parents[2] / "scenarios" / "highway_3gpp.yaml"


@cache
def summary(access: str, density_per_km: int, *further: tuple[str, str]) -> dict[str, Any]:
    changes = [
        ("access.type", access),
        ("traffic.density_per_km", str(density_per_km)),
        ("duration_s", "5"),
        ("warmup_s", "2"),
        *further,
    ]
    return summarise(simulate(load_scenario(HIGHWAY, changes)), scenario_name="x", seed=1)


def prr(access: str, density_per_km: int, *further: tuple[str, str]) -> FloatArray:
    """Return the PRR by bins of 20 m to 400 m."""
    return np.array(summary(access, density_per_km, *further)["prr"]["value"][:20], dtype=float)


def within(by_bin: FloatArray) -> FloatArray:
    """Return the PRR of all receivers to the end of each bin; density is even along the road."""
    return np.asarray(np.cumsum(by_bin) / np.arange(1, len(by_bin) + 1))


@pytest.mark.parametrize("density_per_km", [60, 123])
def test_it_is_the_upper_bound_of_the_autonomous_modes(density_per_km: int) -> None:
    """At equal load, PRR at least that of mode 4 at every distance to 300 m, and of random access.

    3600 messages and more to each bin: four standard deviations of a PRR near one are below 0.01.
    """
    scheduled, mode4, random = (
        prr(access, density_per_km)[:15] for access in ("scheduled", "lte-mode4", "random")
    )
    assert np.all(scheduled > mode4 - 0.01)
    assert np.all(mode4 > random - 0.01)
    assert scheduled[:10].mean() > mode4[:10].mean() + 0.01
    assert scheduled[:5].min() > 0.995


@pytest.mark.parametrize("density_per_km", [200, 400])
def test_it_bounds_what_arrives_within_any_distance(density_per_km: int) -> None:
    """Beyond the capacity, PRR within d is at least that of mode 4 for every d to 400 m.

    400 vehicles to the kilometre on 100 slots share each with the 100th one behind, 250 m away
    where mode 4 has them anywhere. Who must share can be no farther apart, so near receivers gain
    what far ones lose; to 300 m the balance is a gain of a tenth and more.
    """
    scheduled, mode4 = (within(prr(a, density_per_km)) for a in ("scheduled", "lte-mode4"))
    assert np.all(scheduled > mode4 + 0.01)
    assert scheduled[14] > 1.1 * mode4[14]
    assert scheduled[4] > 0.995


@pytest.mark.parametrize("density_per_km", [123, 200])
def test_mode_1_bounds_mode_2(density_per_km: int) -> None:
    scheduled = prr("scheduled", density_per_km, ("access.radio", "nr"))
    mode2 = prr("nr-mode2", density_per_km)
    assert np.all(scheduled[:18] > mode2[:18] + 0.001)


def test_it_bounds_on_stacked_roads_too() -> None:
    """200 vehicles on the ramps of an interchange, one message to a slot: a full pool."""
    scenario = HIGHWAY.with_name("interchange.yaml")
    found = {}
    for access in ("scheduled", "lte-mode4"):
        changes = [("access.type", access), ("access.n_subchannels", "3")]
        changes += [("duration_s", "6"), ("warmup_s", "4")]
        records = simulate(load_scenario(scenario, changes))
        by_bin = summarise(records, scenario_name="x", seed=1)["prr"]
        received = np.array(by_bin["value"], dtype=float) * np.array(by_bin["n"])
        found[access] = np.cumsum(received) / np.cumsum(by_bin["n"])
    to_400_m = np.searchsorted(by_bin["bin_upper_m"], 400.0) + 1
    assert np.all(found["scheduled"][2:to_400_m] > found["lte-mode4"][2:to_400_m] + 0.02)


def test_without_coverage_only_those_near_a_unit_are_heard() -> None:
    """Units at 500 and 1500 m reach 300 m each way: 0.6 of the ring sends, the others are silent.

    246 vehicles at random: the share has a standard deviation of sqrt(0.24 / 246) = 0.031.
    Those who fall back to random selection are heard less than those with a grant, but heard.
    """
    further = (
        ("roadside.placement", "spacing"),
        ("roadside.spacing_m", "1000"),
        ("access.coverage", "roadside"),
        ("access.coverage_range_m", "300"),
    )
    silent = prr("scheduled", 123, *further)
    fallback = prr("scheduled", 123, *further, ("access.out_of_coverage", "random"))
    assert abs(within(silent)[4] - 0.6) < 4 * 0.031
    assert within(silent)[4] + 0.1 < within(fallback)[4] < within(prr("scheduled", 123))[4] - 0.01


def test_it_does_not_keep_messages_longer() -> None:
    waits = {a: summary(a, 60)["latency_ms"]["mean"] for a in ("scheduled", "lte-mode4")}
    assert waits["scheduled"] < 0.6 * waits["lte-mode4"]
