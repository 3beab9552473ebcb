"""The keys that other tools set, and the bundled scenarios, with the real strategies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from v2x.errors import V2XError
from v2x.scenario.library import builtin_scenarios
from v2x.scenario.model import SECTIONS
from v2x.scenario.schema import Scenario, dump_scenario, json_schema, load_scenario
from v2x.scenario.strategies import list_strategies

STABLE_KEYS = {
    "duration_s": 77.5,
    "warmup_s": 2.5,
    "seed": 42,
    "traffic.density_per_km": 33.0,
    "traffic.n_vehicles": 44,
    "messages.rate_hz": 20.0,
    "messages.size_bytes": 365,
    "radio.tx_power_dbm": 17.5,
    "radio.antenna_gain_dbi": 1.5,
    "radio.noise_figure_db": 6.5,
    "channel.pathloss": "winner-b1",
    "channel.effective_antenna_height_m": 0.8,
    "channel.shadowing_sigma_db": 2.5,
    "phy.in_band_emission": False,
    "phy.mcs": 11,
    "access.type": "random",
    "access.n_subchannels": 3,
    "access.subchannel_rb": 8,
    "access.keep_probability": 0.2,
    "access.t1_ms": 2,
    "access.t2_ms": 50,
    "access.initial_threshold_dbm": -102.0,
    "world.flat": True,
}


def value_of(scenario: Scenario, key: str) -> Any:
    """Return what `scenario` holds under a dotted key."""
    section, _, name = key.partition(".")
    if not name:
        return getattr(scenario, section)
    choice = scenario.pathloss if section == "channel" else getattr(scenario, section)
    if name in ("type", "pathloss"):
        return choice.type
    holders = (getattr(choice, "params", None), getattr(scenario, section))
    return next(getattr(holder, name) for holder in holders if hasattr(holder, name))


@pytest.mark.parametrize("name", builtin_scenarios())
@pytest.mark.parametrize("key", STABLE_KEYS)
def test_every_stable_key_can_be_set_on_every_bundled_scenario(name: str, key: str) -> None:
    value = STABLE_KEYS[key]
    changes = [(key, str(value).lower() if isinstance(value, bool) else str(value))]
    if key == "channel.effective_antenna_height_m":
        changes.insert(0, ("channel.pathloss", "winner-b1"))
    if key.startswith("access.") and load_scenario(name).access.type != "lte-mode4":
        pytest.skip("the stable keys of section access are those of LTE mode 4")
    assert value_of(load_scenario(name, changes), key) == value


@pytest.mark.parametrize("name", builtin_scenarios())
def test_bundled_scenarios_survive_being_written(name: str, tmp_path: Path) -> None:
    scenario = load_scenario(name)
    path = tmp_path / "scenario.yaml"
    path.write_text(dump_scenario(scenario, folder=tmp_path), encoding="utf-8")
    assert load_scenario(path) == scenario


def test_a_trace_is_found_beside_its_scenario_and_wherever_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "cars.csv").write_text("time,id,x,y\n")
    path = tmp_path / "replay.yaml"
    path.write_text("world: {synthetic: highway}\ntraffic: {type: trace, file: cars.csv}\n")
    scenario = load_scenario(path)
    assert scenario.traffic.params.file == str((tmp_path / "cars.csv").resolve())
    run = tmp_path / "run"
    run.mkdir()
    (run / "scenario.yaml").write_text(dump_scenario(scenario, folder=run), encoding="utf-8")
    assert "file: ../cars.csv" in (run / "scenario.yaml").read_text(encoding="utf-8")
    again = load_scenario(run / "scenario.yaml", [("name", "replay")])
    assert again == scenario
    path.write_text("world: {synthetic: highway}\ntraffic: {type: trace, file: bikes.csv}\n")
    with pytest.raises(V2XError, match=r"replay\.yaml:2: traffic\.file: there is no file .*bikes"):
        load_scenario(path)


def test_every_key_of_every_strategy_is_explained() -> None:
    for strategy in list_strategies():
        assert strategy.summary
        for parameter in strategy.parameters:
            assert parameter.doc.text, f"{strategy.name}.{parameter.name} has no explanation"


@pytest.mark.parametrize(
    "ending", ["_m", "_s", "_ms", "_db", "_dbm", "_dbi", "_ghz", "_hz", "_bytes"]
)
def test_keys_named_for_a_unit_state_it(ending: str) -> None:
    units = {
        "_bytes": "byte",
        "_dbm": "dBm",
        "_dbi": "dBi",
        "_db": "dB",
        "_ghz": "GHz",
        "_hz": "Hz",
    }
    unit = units.get(ending, ending[1:])
    for strategy in list_strategies():
        for parameter in strategy.parameters:
            if parameter.name.endswith(ending):
                assert unit in parameter.doc.unit, f"{strategy.name}.{parameter.name}"


def test_the_schema_holds_every_strategy() -> None:
    sections = json_schema()["properties"]
    variants = {
        variant["title"]
        for section in sections.values()
        for variant in section.get("anyOf", ())
        if "title" in variant
    }
    for section in SECTIONS:
        if section.plugins:
            variants |= set(sections[section.name]["anyOf"][0]["properties"])
    assert variants == {strategy.name for strategy in list_strategies()}
