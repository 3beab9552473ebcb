"""The command line: exit statuses, one-line messages, run folders, progress."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from v2x import registry
from v2x.cli import main
from v2x.cli.progress import simulation_progress
from v2x.cli.table import print_summary
from v2x.records.store import is_run_folder
from v2x.records.tables import RunRecords
from v2x.scenario import run_folder

SCENARIO = """\
# Question: none
name: tiny
duration_s: 4
warmup_s: 1
world: {synthetic: highway}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParams:
    """No keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessParams:
    """One key.

    Parameters
    ----------
    keep_probability
        Probability of keeping the resource (TS 36.321 5.14.1.1).
    """

    keep_probability: float = 0.8


class Access:
    """Technology that exists for these tests."""

    Params = AccessParams


class Other:
    """Strategy without keys."""

    Params = NoParams


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the registered strategies, so that no test depends on a model."""
    names = {
        "v2x.access": ["lte-mode4"],
        "v2x.congestion": ["none"],
        "v2x.mobility": ["routed"],
        "v2x.applications": ["awareness"],
        "v2x.channel": ["tr37885-highway"],
        "v2x.signals": ["axes"],
        "v2x.warnings": [],
        "v2x.services": [],
        "v2x.attacks": [],
    }

    def load(group: str, name: str, **place: str | None) -> type:
        return Access if group == "v2x.access" else Other

    monkeypatch.setattr(registry, "names", names.__getitem__)
    monkeypatch.setattr(registry, "load", load)


@pytest.fixture
def scenario(tmp_path: Path, toys: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a scenario file; the working folder is its folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.yaml"
    path.write_text(SCENARIO)
    return path


@dataclass(frozen=True)
class Progress:
    """Stands for the progress that a simulation reports."""

    phase: str = "simulating"
    simulated_s: float = 2.0
    total_s: float = 4.0
    wall_s: float = 0.5
    realtime_factor: float = 4.0
    remaining_s: float = 0.5


Simulate = Callable[..., RunRecords]


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replace the simulation by an empty run; return the scenarios it was given."""
    seen: list[Any] = []

    def simulate(
        scenario: Any, *, progress: Callable[[Progress], None], road_map: str
    ) -> RunRecords:
        seen.append(scenario)
        progress(Progress())
        return RunRecords(tables={}, facts={"wall_s": 0.5})

    install(monkeypatch, simulate)
    return seen


def install(monkeypatch: pytest.MonkeyPatch, simulate: Callable[..., RunRecords]) -> None:
    """Put `simulate`, a fixed summary and an empty report where ``v2x run`` finds them."""
    page = types.ModuleType("v2x.report.page")
    page.write_report = write_report

    def summarise(records: RunRecords, *, scenario_name: str, seed: int) -> dict[str, Any]:
        return SUMMARY | {"scenario": scenario_name, "seed": seed}

    monkeypatch.setattr(run_folder, "simulate", simulate)
    monkeypatch.setattr(run_folder, "load_road_map", lambda scenario: f"map of {scenario.name}")
    monkeypatch.setattr(run_folder, "summarise", summarise)
    monkeypatch.setattr(run_folder, "map_bytes", str.encode)
    monkeypatch.setitem(sys.modules, "v2x.report.page", page)
    monkeypatch.setattr("v2x.world.store.load_map", Path.read_text)


def write_report(folder: Path, *, road_map: str | None) -> list[Path]:
    """Write a page that names the map."""
    page = folder / "report.html"
    page.write_text(str(road_map))
    return [page]


_MEAN = {"mean": 20.04, "p50": 18.0, "p95": 61.2, "p99": 80.0}
SUMMARY = {
    "simulated_s": 4.0,
    "wall_s": 0.5,
    "realtime_factor": 8.0,
    "n_vehicles": 12,
    "messages_sent": 480,
    "prr": {
        "bin_upper_m": [50.0, 100.0, 150.0, 200.0, 250.0, 300.0, 350.0],
        "value": [1.0, 0.975, 0.9, 0.85, 0.8, None, 0.5],
        "ci_low": [0.99, 0.97, 0.8, 0.8, 0.7, None, 0.4],
        "ci_high": [1.0, 0.98, 0.95, 0.9, 0.9, None, 0.6],
        "n": [10, 10, 10, 10, 10, 0, 10],
    },
    "cbr": {"mean": 0.123, "p10": 0.1, "p50": 0.12, "p90": 0.2},
    "latency_ms": _MEAN,
    "ipg_ms": _MEAN,
    "aoi_ms": _MEAN,
    "safety": {
        "min_ttc_s": None,
        "n_ttc_below_1_5_s": 0,
        "max_drac_mps2": 1.25,
        "min_gap_m": 3.0,
        "n_collisions": 0,
    },
}


# --- run -----------------------------------------------------------------------------------


def test_run_writes_a_run_folder_and_a_table(
    scenario: Path, simulated: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(scenario)]) == 0
    folder = scenario.parent / "runs" / "tiny-1"
    assert is_run_folder(folder)
    assert json.loads((folder / "summary.json").read_text())["seed"] == 1
    assert json.loads((folder / "manifest.json").read_text())["seed"] == 1
    assert "keep_probability: 0.8" in (folder / "scenario.yaml").read_text()
    out, err = capsys.readouterr()
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "PRR 50 to 100 m 0.975 (95 % CI 0.970 to 0.980)" in lines
    assert "PRR 150 to 200 m 0.850 (95 % CI 0.800 to 0.900)" in lines
    assert "PRR 250 to 300 m -" in lines
    assert "channel busy ratio 0.123 (90 %: 0.200)" in lines
    assert "latency 20.0 ms (95 %: 61.2 ms)" in lines
    assert "least time to collision -" in lines
    assert "speed 8.0 x real time (4 s in 0.5 s)" in lines
    assert lines[-2:] == ["results in runs/tiny-1", "figures in runs/tiny-1/report.html"]
    assert (folder / "report.html").read_text() == "map of tiny"
    assert err == "simulating  2.0 of 4 s simulated, 4.0 x real time, 0 s left\n"


def test_run_takes_its_changes_from_the_command_line(
    scenario: Path, simulated: list[Any], tmp_path: Path
) -> None:
    out = tmp_path / "a" / "b"
    words = ["run", "tiny.yaml", "--set", "access.keep_probability=0.4", "--seed", "9"]
    assert main([*words, "--duration", "2.5", "--out", str(out), "--quiet"]) == 0
    (seen,) = simulated
    assert (seen.seed, seen.duration_s) == (9, 2.5)
    assert seen.access.params.keep_probability == 0.4
    assert is_run_folder(out)


def test_the_resolved_scenario_of_a_run_can_be_run_again(
    scenario: Path, simulated: list[Any]
) -> None:
    assert main(["run", "tiny.yaml", "--quiet", "--seed", "5"]) == 0
    assert main(["run", "runs/tiny-5/scenario.yaml", "--quiet", "--out", "again"]) == 0
    assert simulated[0] == simulated[1]


def test_figures_can_wait(
    scenario: Path, simulated: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "tiny.yaml", "--no-report"]) == 0
    page = scenario.parent / "runs" / "tiny-1" / "report.html"
    assert not page.exists()
    capsys.readouterr()
    assert main(["report", "runs/tiny-1"]) == 0
    assert page.exists()
    assert capsys.readouterr().out == "runs/tiny-1/report.html\n"


def test_a_run_with_a_network_ends_with_its_figures_too(capsys: pytest.CaptureFixture[str]) -> None:
    path = _MEAN | {"delivered": {"mean": 0.5021}, "parts": {}}
    cells = {"n_cells": 4, "share_covered": 0.5574, "uplink_load": 0.194, "downlink_load": 0.037}
    print_summary(SUMMARY | {"network": {"mec-core": path, "v2i2v": path}, "cells": cells})
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "latency over mec-core 20.0 ms (99 %: 80.0 ms), delivered 0.502" in lines
    assert "latency over v2i2v 20.0 ms (99 %: 80.0 ms), delivered 0.502" in lines
    assert "4 base stations load 0.19 up, 0.04 down, covered 0.557" in lines


def test_a_run_with_events_tells_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    event = {"latency_ms": _MEAN, "prr": {"mean": 0.6036}, "share_sent": {"mean": 0.995}}
    print_summary(SUMMARY | {"messages": {"event": event}})
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    (line,) = [x for x in lines if x.startswith("latency of events")]
    assert line.startswith("latency of events 20.0 ms (95 %:")
    assert line.endswith(", received 0.604, sent 0.995")


def test_a_run_with_relays_ends_with_their_delay_too(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(SUMMARY | {"relay": _MEAN | {"share_newer": {"mean": 0.3219}}})
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    (line,) = [x for x in lines if x.startswith("latency over roadside units")]
    assert line.startswith("latency over roadside units 20.0 ms (95 %:")
    assert line.endswith(", newer than heard 0.322")


def test_a_run_without_a_network_says_nothing_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(SUMMARY)
    printed = capsys.readouterr().out
    assert "base stations" not in printed
    assert "latency over" not in printed
    # a path over which nothing was delivered has no figures
    nothing = {"mean": None, "p99": None, "delivered": {"mean": None}}
    print_summary(SUMMARY | {"network": {"cloud": nothing}})
    (line,) = [x for x in capsys.readouterr().out.splitlines() if "latency over" in x]
    assert line.split() == ["latency", "over", "cloud", "-", "(99", "%:", "-),", "delivered", "-"]


def test_a_run_keeps_its_map_for_later_reports(scenario: Path, simulated: list[Any]) -> None:
    (scenario.parent / "town.osm").write_text("<osm/>")
    assert main(["run", "tiny.yaml", "--quiet", "--set", "world.map=town.osm"]) == 0
    (scenario.parent / "town.osm").unlink()
    page = scenario.parent / "runs" / "tiny-1" / "report.html"
    page.unlink()
    assert main(["report", "runs/tiny-1"]) == 0
    assert page.read_text() == "map of tiny"


def test_a_report_of_a_run_without_a_map_has_no_figure_of_it(
    scenario: Path, simulated: list[Any]
) -> None:
    assert main(["run", "tiny.yaml", "--quiet"]) == 0
    (scenario.parent / "runs" / "tiny-1" / "map.v2xmap").unlink()
    assert main(["report", "runs/tiny-1"]) == 0
    assert (scenario.parent / "runs" / "tiny-1" / "report.html").read_text() == "None"


def test_a_report_needs_a_run(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(scenario.parent)]) == 2
    assert "is not a run folder" in capsys.readouterr().err


def test_quiet_says_nothing(
    scenario: Path, simulated: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "tiny.yaml", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_run_is_not_replaced_unasked(
    scenario: Path, simulated: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "tiny.yaml", "--quiet"]) == 0
    assert main(["run", "tiny.yaml", "--quiet"]) == 2
    assert capsys.readouterr().err == (
        "runs/tiny-1: holds a run already; choose another --out, or replace it with --overwrite\n"
    )
    assert len(simulated) == 1
    assert main(["run", "tiny.yaml", "--quiet", "--overwrite"]) == 0
    assert len(simulated) == 2


def test_other_folders_are_never_replaced(
    scenario: Path, simulated: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    precious = scenario.parent / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("x")
    for words in (["--out", "precious", "--overwrite"], ["--out", "tiny.yaml", "--overwrite"]):
        assert main(["run", "tiny.yaml", *words]) == 2
        assert "is not a run folder" in capsys.readouterr().err
    assert not simulated
    assert (precious / "thesis.tex").read_text() == "x"


def test_an_empty_folder_may_become_the_run(scenario: Path, simulated: list[Any]) -> None:
    (scenario.parent / "empty").mkdir()
    assert main(["run", "tiny.yaml", "--quiet", "--out", "empty"]) == 0
    assert is_run_folder("empty")


def test_a_place_below_a_file_is_refused_before_the_run(
    scenario: Path, simulated: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "tiny.yaml", "--out", "tiny.yaml/below"]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert not simulated


def test_an_interrupt_leaves_nothing_behind(
    scenario: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def simulate(scenario: Any, *, progress: object, road_map: object) -> RunRecords:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
        raise AssertionError("the interrupt was ignored")

    install(monkeypatch, simulate)
    assert main(["run", "tiny.yaml", "--out", "out/run"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "interrupted"
    assert not (scenario.parent / "out").exists()


def test_an_interrupt_that_a_library_disguises_is_still_one(
    scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def simulate(scenario: Any, *, progress: object, road_map: object) -> RunRecords:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt:
            raise RuntimeError("callback failed") from None
        raise AssertionError("the interrupt was ignored")

    install(monkeypatch, simulate)
    assert main(["run", "tiny.yaml"]) == 130


def test_internal_errors_are_one_line_unless_debugged(
    scenario: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def simulate(scenario: Any, *, progress: object, road_map: object) -> RunRecords:
        raise ZeroDivisionError("no vehicles\nat all")

    install(monkeypatch, simulate)
    assert main(["run", "tiny.yaml", "--quiet"]) == 1
    err = capsys.readouterr().err
    assert err.startswith(
        "internal error: ZeroDivisionError: no vehicles; run again as  v2x --debu"
    )
    assert err.count("\n") == 1
    assert main(["--debug", "run", "tiny.yaml", "--quiet"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_progress_elsewhere_than_on_a_terminal_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with simulation_progress() as show:
        show(Progress(phase="loading map", simulated_s=0.0, remaining_s=float("inf")))
        for _ in range(100):
            show(Progress())
    assert capsys.readouterr().err.splitlines() == [
        "loading map",
        "simulating  2.0 of 4 s simulated, 4.0 x real time, 0 s left",
    ]


def test_progress_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with simulation_progress() as show:
        show(Progress())
    assert "2.0 of 4 s simulated, 4.0 x real time" in terminal.getvalue()
    assert "\x1b[" in terminal.getvalue()


# --- bad input -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["run", "absent.yaml"], "absent.yaml: there is no such file"),
        (["run", "tiny.yaml", "--set", "sed=1"], "--set: sed: unknown key; did you mean 'seed'?"),
        (["run", "tiny.yaml", "--set", "seed"], "--set: seed: has no value; write --set seed=VALU"),
        (["run", "tiny.yaml", "--duration", "-1"], "--set: duration_s: must be > 0, got -1.0"),
        (
            ["run", "tiny.yaml", "--duration", "nan"],
            '--set: duration_s: must be a number, got "nan"',
        ),
        (["run", "tiny.yaml", "--seed", "x"], "v2x run: Invalid value for '--seed'"),
        (["run", "tiny.yaml", "--seed", "-1"], "v2x run: Invalid value for '--seed'"),
        (["run", "tiny.yaml", "--sede", "1"], "v2x run: No such option"),
        (["rum"], "v2x: No such command 'rum'"),
        (["map", "ifno"], "v2x map: No such command 'ifno'"),
        (["show"], "v2x show: Missing argument 'SCENARIO'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    scenario: Path, capsys: pytest.CaptureFixture[str], words: list[str], line: str
) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_debug_shows_where_a_mistake_was_found(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--debug", "show", "absent.yaml"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("absent.yaml: there is no such file")


# --- the other commands --------------------------------------------------------------------


def test_show_prints_a_scenario_that_loads(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "tiny.yaml", "--set", "access.keep_probability=0.6"]) == 0
    text = capsys.readouterr().out
    (scenario.parent / "shown.yaml").write_text(text)
    assert main(["show", "shown.yaml"]) == 0
    assert capsys.readouterr().out == text
    assert "keep_probability: 0.6" in text


def test_validate_names_the_mistakes_of_every_file(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = scenario.parent / "bad.yaml"
    bad.write_text(SCENARIO + "acess: {}\nseed: x\n")
    assert main(["validate", "bad.yaml", "tiny.yaml"]) == 2
    out, err = capsys.readouterr()
    assert out == "tiny.yaml: valid\n"
    assert err.splitlines() == [
        "bad.yaml:6: acess: unknown key; did you mean 'access'?",
        'bad.yaml:7: seed: must be a whole number, got "x"',
    ]
    assert main(["validate", "tiny.yaml"]) == 0


def test_dropped_keys_are_warned_about_on_stderr(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario.write_text(SCENARIO.replace("highway}", "highway, length_m: 2000}"))
    assert main(["show", "tiny.yaml", "--set", "world.synthetic=junction"]) == 0
    assert capsys.readouterr().err == (
        "warning: tiny.yaml:5: world.length_m: ignored, only 'highway' has it\n"
    )


def test_schema_is_json(toys: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert "keep_probability" in json.dumps(content["properties"]["access"])


def test_schema_leaves_a_broken_plug_in_out(
    toys: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Access, "Params", None)
    assert main(["schema"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["properties"]["access"]["anyOf"] == []
    assert err.startswith("warning: left out: plug-in 'lte-mode4'")


def test_list_explains_every_strategy(toys: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert "access: {type: lte-mode4}" in out
    assert "Technology that exists for these tests. (default)" in out
    assert "keep_probability: 0.8" in out
    assert main(["list", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    (access,) = (item for item in content["strategies"] if item["section"] == "access")
    (parameter,) = access["parameters"]
    assert parameter["default"] == 0.8
    assert parameter["doc"]["source"] == "TS 36.321 5.14.1.1"


def test_list_is_json_even_where_a_default_is_infinite(
    toys: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Unlimited:
        power_w: float = float("inf")

    monkeypatch.setattr(Access, "Params", Unlimited)
    assert main(["list", "--json"]) == 0
    out = capsys.readouterr().out
    assert '"default": ".inf"' in out
    assert json.loads(out, parse_constant=pytest.fail)


def test_list_shows_a_broken_plug_in_with_its_reason(
    toys: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Access, "Params", None)
    assert main(["list"]) == 0
    assert "plug-in 'lte-mode4' of v2x.access has no dataclass 'Params'" in capsys.readouterr().out


def test_bench_prints_what_it_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[bool] = []

    def run_cases(*, quick: bool) -> list[dict[str, Any]]:
        seen.append(quick)
        return [
            {"name": "kernel", "ns_per_link": 14.04, "goal": 5.0},
            {"name": "highway", "realtime_factor": 21.23, "n_vehicles": 500, "goal": None},
        ]

    bench = types.ModuleType("v2x.bench")
    bench.run_cases = run_cases
    monkeypatch.setitem(sys.modules, "v2x.bench", bench)
    assert main(["bench", "--quick"]) == 0
    out = capsys.readouterr().out
    assert seen == [True]
    heading, row, kernel = (line.split() for line in out.splitlines())
    assert heading[:4] == ["case", "x", "real", "time"]
    assert row == ["highway", "21.2", "500"]
    assert kernel == ["kernel:", "14.0", "(goal", "5)"]
    assert main(["bench", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[1]["n_vehicles"] == 500


# --- maps ----------------------------------------------------------------------------------

TOWN = """\
<osm version="0.6">
  <node id="1" lat="29.56" lon="106.58"/>
  <node id="2" lat="29.56" lon="106.59"/>
  <way id="7"><nd ref="1"/><nd ref="2"/>
    <tag k="highway" v="trunk"/><tag k="oneway" v="yes"/><tag k="lanes" v="3"/>
  </way>
</osm>
"""


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an extract with one road of about 970 m; the working folder is its folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "town.osm"
    path.write_text(TOWN)
    return path


def test_a_map_is_imported_described_and_drawn(
    town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["map", "import", "town.osm", "--out", "town.v2xmap"]) == 0
    out = capsys.readouterr().out
    assert " ".join(out.splitlines()[1].split()).startswith("roads 1.0 km in 1 edges and 2 nodes")
    assert "© OpenStreetMap contributors" in out
    assert main(["map", "info", "town.v2xmap", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["n_nodes"] == 2
    assert figures["km"] == pytest.approx(0.969, abs=0.005)
    assert main(["map", "plot", "town.v2xmap", "--out", "town.png"]) == 0
    assert (town.parent / "town.png").read_bytes().startswith(b"\x89PNG")


def test_fetching_asks_for_the_place_or_the_box(
    town: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from v2x.world import osm

    seen: list[Any] = []

    def answer(*asked: Any, elevation: Any) -> Any:
        seen.append((asked, None if elevation is None else elevation.description[:21]))
        return osm.import_osm(town)

    monkeypatch.setattr(osm, "fetch_place", answer)
    monkeypatch.setattr(osm, "fetch_bbox", answer)
    words = ["map", "fetch", "--place", "Kleinstadt", "--elevation", "chongqing", "--out"]
    assert main([*words, "a.v2xmap"]) == 0
    assert "written to a.v2xmap" in capsys.readouterr().out
    assert main(["map", "fetch", "--bbox", "1,2,3,4", "--out", "b.v2xmap"]) == 0
    assert main(["map", "import", "--bbox", "1,2,3,4", "--out", "c.v2xmap"]) == 0
    box = (1.0, 2.0, 3.0, 4.0)
    assert seen == [(("Kleinstadt",), "heights from an analy"), (box, None), (box, None)]
    assert (town.parent / "b.v2xmap").read_bytes() == (town.parent / "c.v2xmap").read_bytes()


def test_the_datum_of_a_file_is_declared(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from v2x.world.store import load_map

    for datum in ("wgs84", "gcj02"):
        words = ["map", "import", "town.osm", "--datum", datum, "--out", f"{datum}.v2xmap"]
        assert main(words) == 0
    capsys.readouterr()
    one, other = (load_map(town.parent / f"{datum}.v2xmap") for datum in ("wgs84", "gcj02"))
    assert other.origin_x_m - one.origin_x_m == pytest.approx(-357, abs=5)
    assert other.origin_y_m - one.origin_y_m == pytest.approx(320, abs=5)


def test_a_map_is_described_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", "info", "chongqing-central"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "chongqing-central"
    assert lines[1].startswith("roads 273.5 km in 1006 edges and 940 nodes")
    assert "tunnels 27.3 km in 41 tubes with 84 portals" in lines
    assert "levels -4 to 4; 349 crossings above each other, the closest 6.0 m apart" in lines[5]
    assert lines[6].startswith("grades p50 1.6 %, p75 ")
    assert lines[7].startswith("terrain every 20 m over 23.0 x 17.2 km, 168 to 706 m, ")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["import", "--out", "x.v2xmap"], "v2x map import: give one of FILE, --place and --bbox"),
        (["import", "a", "--place", "b", "--out", "x.v2xmap"], "v2x map import: give one of FILE"),
        (["import", "town.osm"], "v2x map import: Missing option '--out'"),
        (["import", "town.osm", "--out", "x.osm"], "x.osm: is no name of a map; write to x.v2xm"),
        (["import", "absent.osm", "--out", "x.v2xmap"], "absent.osm: "),
        (["import", "--bbox", "1,2,3", "--out", "x.v2xmap"], "--bbox: '1,2,3' is not four numbers"),
        (["import", "--bbox", "3,2,1,4", "--out", "x.v2xmap"], "the box 3.0,2.0,1.0,4.0 is empty"),
        (
            ["import", "--place", "a", "--datum", "gcj02", "--out", "x.v2xmap"],
            "v2x map import: --dat",
        ),
        (["fetch", "--out", "x.v2xmap"], "v2x map fetch: give one of --place and --bbox"),
        (
            ["fetch", "--place", "a", "--out", "x.osm"],
            "x.osm: is no name of a map; write to x.v2xm",
        ),
        (
            ["fetch", "--bbox", "1,2,3,4", "--elevation", "no.hgt", "--out", "x.v2xmap"],
            "no.hgt: cannot be read: no such file",
        ),
        (["info", "absent"], "there is no file or built-in map 'absent'"),
        (["plot", "town.osm", "--out", "x.nonsense"], "x.nonsense: is no name of a picture (.png"),
        (
            ["plot", "town.osm", "--out", "no/x.png"],
            "no/x.png: cannot be written: there is no fold",
        ),
        (["plot", "town.osm", "--out", "x"], "x: is no name of a picture (.png"),
        (["plot", "town.osm", "--out", ""], ".: is no name of a picture (.png"),
        (["import", "town.osm", "--out", ""], ".: is no name of a map; write to NAME.v2xmap"),
        (["import", "town.osm", "--out", f"{'x' * 300}.v2xmap"], f"{'x' * 300}.v2xmap: cannot be "),
        (["import", "town.osm", "--out", "no/x.v2xmap"], "no/x.v2xmap: cannot be written: there "),
        # The service is not asked for a map that could not be kept.
        (["fetch", "--place", "a", "--out", "no/x.v2xmap"], "no/x.v2xmap: cannot be written: "),
        (["side", "town.osm", "--at", "1,1", "--out", "x"], "x: is no name of a picture (.png"),
        (
            ["side", "town.osm", "--at", "1,1", "--radius", "nan", "--out", "x.png"],
            "v2x map side: Invalid value for '--radius': 'nan' is not a finite number",
        ),
    ],
)
def test_mistakes_about_maps_are_one_line(
    town: Path, capsys: pytest.CaptureFixture[str], words: list[str], line: str
) -> None:
    assert main(["map", *words]) == 2
    # On a slow machine lines of progress come before the error, which is always one line.
    err = capsys.readouterr().err
    assert err.splitlines()[-1].startswith(line)
    assert "Traceback" not in err
    assert [file.name for file in town.parent.iterdir()] == [town.name]


# --- the whole program ---------------------------------------------------------------------


def v2x_command(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the installed program in a process of its own."""
    code = "import sys; from v2x.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, text=True, capture_output=True, timeout=60, **options)


COMMANDS = ("", "run", "show", "validate", "schema", "list", "report", "bench")
MAP_COMMANDS = ("map", "map import", "map fetch", "map info", "map plot")


@pytest.mark.parametrize("command", COMMANDS + MAP_COMMANDS)
def test_every_help_holds_an_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([*command.split(), "--help"]) == 0
    assert f"v2x {command}".strip() in capsys.readouterr().out.partition("Example")[2]


def test_no_command_shows_the_help() -> None:
    result = v2x_command()
    assert result.returncode == 2
    assert "Commands:" in result.stderr


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from v2x.cli import main; main(['--help'])\n"
        "heavy = {'numpy', 'scipy', 'pydantic', 'ruamel', 'rich', 'matplotlib', 'pyarrow'}\n"
        "sys.exit(repr(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], text=True, capture_output=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr


def test_a_short_real_run_leaves_the_promised_summary(tmp_path: Path) -> None:
    words = ["run", "highway_3gpp", "--duration", "3", "--set", "warmup_s=1.5", "--seed", "4"]
    result = v2x_command(*words, "--out", str(tmp_path / "run"), "--no-report")
    assert result.returncode == 0, result.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["scenario"], summary["seed"], summary["simulated_s"]) == ("highway_3gpp", 4, 3)
    promised = {
        "": "wall_s realtime_factor n_vehicles messages_sent outcomes",
        "prr": "bin_upper_m value ci_low ci_high n",
        "cbr": "mean p10 p50 p90",
        "latency_ms": "mean p50 p95 p99",
        "ipg_ms": "mean p50 p95 p99",
        "aoi_ms": "mean p50 p95 p99",
        "safety": "min_ttc_s n_ttc_below_1_5_s max_drac_mps2 n_collisions",
        "map": "n_nodes n_edges km bridge_km tunnel_km max_grade defaults_used",
    }
    for part, keys in promised.items():
        assert set(keys.split()) <= set(summary[part] if part else summary)
    n_bins = len(summary["prr"]["bin_upper_m"])
    assert all(len(shares) == n_bins for shares in summary["outcomes"].values())


def test_an_interrupted_process_ends_within_two_seconds_and_leaves_nothing(tmp_path: Path) -> None:
    code = "import sys; from v2x.cli import main; sys.exit(main())"
    words = ["run", "highway_3gpp", "--duration", "600", "--out", str(tmp_path / "run")]
    command = [sys.executable, "-c", code, *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("simulating"):
            assert process.poll() is None
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        last_line = process.stderr.read().splitlines()[-1]
        assert process.wait(timeout=30) == 130
    assert time.monotonic() - started < 2.0
    assert last_line == "interrupted"
    assert not list(tmp_path.iterdir())


def test_a_closed_pipe_ends_quietly() -> None:
    code = "import sys; from v2x.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "show", "highway_3gpp"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert err == ""


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    import v2x

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"v2x {v2x.__version__}\n"
