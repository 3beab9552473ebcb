"""What docs/own_warning.md promises: one module and one entry point make a warning."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import types
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.unit.perception.roads import WEST, fork_map, on_roads, scene_of
from v2x import registry
from v2x.applications.warnings.base import Stage, WarningContext
from v2x.cli.scenarios import list_
from v2x.mobility.junctions import lane_network
from v2x.mobility.reactions import Action
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario
from v2x.world.weather import WeatherParams

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "own_warning.md"
GROUP = "v2x.warnings"


def block(language: str) -> str:
    """Return the code block of the page in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    return str(found)


@cache
def entry_point() -> EntryPoint:
    """Return the plug-in as the page registers it; its module is made of the page's code."""
    ((name, value),) = tomllib.loads(block("toml"))["project"]["entry-points"][GROUP].items()
    module = types.ModuleType(value.partition(":")[0])
    sys.modules[module.__name__] = module  # where the entry point, and dataclasses, look for it
    exec(compile(block("python"), str(PAGE), "exec"), module.__dict__)
    return EntryPoint(name, value, GROUP)


@pytest.fixture(autouse=True)
def plug_in(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put the plug-in beside what is installed, for one test."""
    entry, known = entry_point(), registry._entries
    entries = known(GROUP) | {entry.name: entry}
    monkeypatch.setattr(
        registry, "_entries", lambda group: entries if group == GROUP else known(group)
    )
    return entry.name


def run(*more: tuple[str, str]) -> RunRecords:
    few = [("duration_s", "3"), ("warmup_s", "0"), ("traffic.n_vehicles", "60")]
    return simulate(load_scenario("tunnel", [*few, *more]))


def test_it_runs_in_a_scenario_by_its_name(plug_in: str) -> None:
    first, again = run((f"warnings.{plug_in}", "{}")), run((f"warnings.{plug_in}", "{}"))
    table = first.tables["warnings"]
    assert len(table["warning"]) > 0
    for name, column in table.items():
        assert np.array_equal(column, again.tables["warnings"][name], equal_nan=True), name
    assert (table["distance_m"] < 2.0 * table["speed_mps"] + 1.0).all()
    strict = run((f"warnings.{plug_in}.inform_s", "1.2")).tables["warnings"]
    assert len(strict["warning"]) < len(table["warning"])


def test_without_knowledge_nobody_is_told(plug_in: str) -> None:
    none = run((f"warnings.{plug_in}", "{}"), ("information.knowledge", "none"))
    assert len(none.tables["warnings"]["warning"]) == 0


@pytest.mark.parametrize(
    ("gap_m", "raised", "stage", "action"),
    [
        (9.9, True, Stage.WARN, Action.SLOW),
        (10.1, True, Stage.INFORM, Action.INFORM),
        (19.9, True, Stage.INFORM, Action.INFORM),
        (20.1, False, Stage.INFORM, Action.INFORM),
        (24.1, None, None, None),
    ],
)
def test_it_judges_as_the_page_says(
    plug_in: str, gap_m: float, raised: bool | None, stage: Stage, action: Action
) -> None:
    road = fork_map()
    fleet = on_roads(road, [WEST, WEST], [50.0, 55.0 + gap_m], speed_mps=10.0)
    kind = registry.load(GROUP, plug_in)
    context = WarningContext(network=lane_network(road), weather=WeatherParams(), seed=1)
    judgement = kind(kind.Params(), context).judge(scene_of(fleet, road))
    if raised is None:
        assert len(judgement) == 0
        return
    assert judgement.host.tolist() == [0]
    assert judgement.raised.tolist() == [raised]
    assert judgement.stage.tolist() == [stage]
    assert judgement.action.tolist() == [action]


def test_it_is_listed_with_its_parameters(plug_in: str) -> None:
    content = json.loads(CliRunner().invoke(list_, ["--json"]).stdout)
    (found,) = [s for s in content["strategies"] if s["name"] == plug_in]
    by_name = {parameter["name"]: parameter for parameter in found["parameters"]}
    assert found["group"] == GROUP
    assert list(by_name) == ["inform_s", "warn_s", "release", "speed_mps"]
    assert by_name["speed_mps"]["doc"]["unit"] == "m/s"


def test_the_code_of_the_page_is_as_tidy_as_ours(tmp_path: Path) -> None:
    file = tmp_path / "headway.py"
    file.write_text(block("python"), "utf-8")
    config = str(ROOT / "pyproject.toml")
    for check in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        command = [sys.executable, "-m", "ruff", *check, "--config", config, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_names_every_action() -> None:
    text = PAGE.read_text("utf-8")
    for action in Action:
        assert f"`{action.name}`" in text, action
