"""What CONTRIBUTING.md promises: one module and one entry point make an access technology."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from v2x import registry
from v2x.cli.scenarios import list_
from v2x.records.tables import Outcome, RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

from .contributed import GUIDE, blocks, entry_point, register

HIGHWAY = GUIDE.parent / "scenarios" / "highway_3gpp.yaml"
NAMES = [*registry.names("v2x.access"), entry_point().name]


@pytest.fixture(autouse=True)
def plug_in(monkeypatch: pytest.MonkeyPatch) -> str:
    """Register the technology of the guide."""
    return register(monkeypatch)


def run(access: str, *further: tuple[str, str]) -> RunRecords:
    changes = [
        ("access.type", access),
        ("duration_s", "2.5"),
        ("warmup_s", "1"),
        ("traffic.density_per_km", "30"),
        *further,
    ]
    return simulate(load_scenario(HIGHWAY, changes))


@pytest.mark.parametrize("name", NAMES)
def test_every_technology_accounts_for_every_packet(name: str) -> None:
    """Run twice: same bytes; and each packet has an outcome at each receiver it was meant for."""
    first, second = run(name), run(name)
    for table, columns in first.tables.items():
        for key, column in columns.items():
            assert np.array_equal(column, second.tables[table][key]), (table, key)
    packets, links = first.tables["packets"], first.tables["links"]
    sent = packets["n_attempts"] > 0
    assert sent.sum() > 500
    assert np.all(packets["n_received"] <= packets["n_intended"])
    assert np.all(packets["n_received"][~sent] == 0)
    received = links["n"][links["outcome"] == Outcome.RECEIVED].sum()
    assert 0.2 < received / links["n"].sum() <= 1.0


def test_the_plug_in_of_the_guide_takes_its_keys(plug_in: str) -> None:
    """In shorter frames more packets meet: with 2 x 5 places for 60 vehicles nearly all do."""
    long, short = run(plug_in), run(plug_in, ("access.frame_slots", "2"))

    def share(records: RunRecords) -> float:
        packets: dict[str, Any] = records.tables["packets"]
        return float(packets["n_received"].sum() / packets["n_intended"].sum())

    assert share(long) > share(short) - 0.02
    waits = [
        (r.tables["packets"]["first_slot_us"] - r.tables["packets"]["generated_us"])[
            r.tables["packets"]["n_attempts"] > 0
        ].mean()
        for r in (long, short)
    ]
    # rest of the frame and a slot of the next one: one frame on average
    assert abs(waits[0] - 50_000) < 4 * 20_412 / np.sqrt(500)
    assert waits[1] < 3_000


def test_the_plug_in_of_the_guide_is_listed_with_its_parameters(plug_in: str) -> None:
    content = json.loads(CliRunner().invoke(list_, ["--json"]).stdout)
    (found,) = [s for s in content["strategies"] if s["name"] == plug_in]
    by_name = {parameter["name"]: parameter for parameter in found["parameters"]}
    assert found["group"] == "v2x.access"
    assert list(by_name) == ["n_subchannels", "subchannel_rb", "adjacent", "frame_slots"]
    assert by_name["frame_slots"]["doc"]["unit"] == "slots"
    assert by_name["n_subchannels"]["doc"]["source"] == "TS 36.331 6.3.8"


def test_the_code_of_the_guide_is_as_tidy_as_ours(tmp_path: Path) -> None:
    (code,) = blocks("python")
    file = tmp_path / "framed_aloha.py"
    file.write_text(code, "utf-8")
    config = str(GUIDE.parent / "pyproject.toml")
    for check in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        command = [sys.executable, "-m", "ruff", *check, "--config", config, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_guide_names_every_group() -> None:
    text = GUIDE.read_text("utf-8")
    assert [group for group in registry.GROUPS if group not in text] == []
