"""Resolved scenarios: complete, stable, and the same scenario when loaded again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from v2x.scenario.binding import init_fields
from v2x.scenario.model import SECTIONS
from v2x.scenario.schema import PluginChoice, Scenario, dump_scenario, load_scenario
from v2x.scenario.yaml_file import parse_document

Write = Callable[[str], Path]


def test_every_key_is_written(write: Write, example: str) -> None:
    scenario = load_scenario(write(example))
    data = parse_document(dump_scenario(scenario), "dump").data
    beside = {
        section.choice.target: section.name
        for section in SECTIONS
        if section.choice is not None and section.choice.target != section.name
    }
    for name in init_fields(Scenario):
        value = getattr(scenario, name)
        if name in beside:
            section = data[beside[name]]
        elif name != "source":
            assert name in data
            section = data[name]
        params = value.params if isinstance(value, PluginChoice) else value
        if hasattr(params, "__dataclass_fields__"):
            assert set(init_fields(type(params))) <= set(section)


def test_meanings_and_units_stand_beside_the_keys(write: Write, example: str) -> None:
    text = dump_scenario(load_scenario(write(example)))
    assert "  noise_figure_db: 9.0" in text
    assert "# Receiver noise figure [dB]" in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_nested_sections_are_written_key_by_key(write: Write, example: str) -> None:
    text = dump_scenario(load_scenario(write(example)))
    lines = [line.partition("#")[0].rstrip() for line in text.splitlines()]
    at = lines.index("  engines:")
    assert lines[at + 1 : at + 4] == ["    car:", "      power_w: .inf", "      mass_kg: 1500.0"]
    assert "  spacing: random" in lines


def test_the_same_scenario_gives_the_same_text(write: Write, example: str) -> None:
    first = dump_scenario(load_scenario(write(example)))
    second = dump_scenario(load_scenario(write(first)))
    assert first == second


def test_files_become_relative_to_the_folder_that_keeps_the_text(
    write: Write, tmp_path: Path
) -> None:
    (tmp_path / "town.osm").write_text("<osm/>")
    scenario = load_scenario(write("world: {map: town.osm}\n"))
    run = tmp_path / "runs" / "town-1"
    run.mkdir(parents=True)
    text = dump_scenario(scenario, folder=run)
    assert "map: ../../town.osm" in text
    (run / "scenario.yaml").write_text(text)
    assert load_scenario(run / "scenario.yaml") == scenario


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
lengths = st.floats(min_value=1e-300, max_value=1e300)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    description=texts | st.sampled_from(["yes", "null", "1e3", "- a", "# b", "a: b", " c", "~"]),
    duration_s=st.floats(min_value=1e-9, max_value=1e9),
    seed=st.integers(min_value=0, max_value=2**63 - 1),
    sizes=st.none() | st.integers() | st.lists(st.integers(), max_size=3).map(tuple),
    truck=st.floats(allow_nan=False, allow_infinity=False),
    wrap=st.booleans(),
    length_m=lengths,
)
def test_a_written_scenario_loads_as_itself(
    write: Write,
    example: str,
    description: str,
    duration_s: float,
    seed: int,
    sizes: Any,
    truck: float,
    wrap: bool,
    length_m: float,
) -> None:
    scenario = load_scenario(write(example))
    assert scenario.synthetic is not None
    road = replace(scenario.synthetic.params, wrap=wrap, length_m=length_m)
    mix = replace(scenario.traffic.params.mix, truck=truck)
    changed = replace(
        scenario,
        description=description,
        duration_s=duration_s,
        warmup_s=0.0,
        seed=seed,
        synthetic=PluginChoice(type="highway", params=road),
        messages=PluginChoice(
            type="awareness", params=replace(scenario.messages.params, size_bytes=sizes)
        ),
        traffic=PluginChoice(type="routed", params=replace(scenario.traffic.params, mix=mix)),
    )
    assert load_scenario(write(dump_scenario(changed))) == changed
