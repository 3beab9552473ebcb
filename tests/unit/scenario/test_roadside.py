"""Section ``roadside`` of a scenario, and the runs it makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.metrics.summary import summarise
from v2x.records.tables import SCHEMAS, RunRecords
from v2x.scenario.assemble import assemble, load_road_map, simulate
from v2x.scenario.schema import load_scenario
from v2x.sim.simulation import Simulation

TEXT = """\
duration_s: 2.5
warmup_s: 0.5
world: {synthetic: highway, length_m: 1200, wrap: true}
traffic: {type: constant-speed, n_vehicles: 24}
"""


def scenario(tmp_path: Path, *overrides: tuple[str, str], text: str = TEXT) -> Any:
    file = tmp_path / "small.yaml"
    file.write_text(text)
    return load_scenario(file, overrides)


def placed(tmp_path: Path, *overrides: tuple[str, str]) -> Any:
    return scenario(
        tmp_path,
        ("roadside.placement", "spacing"),
        ("roadside.spacing_m", "400"),
        *overrides,
    )


def tables_equal(one: RunRecords, other: RunRecords) -> bool:
    return all(
        np.array_equal(values, other.tables[name][key])
        for name, table in one.tables.items()
        for key, values in table.items()
    )


def test_units_that_only_listen_change_no_vehicle(tmp_path: Path) -> None:
    """The figures between vehicles are those without units, to the byte."""
    without = simulate(scenario(tmp_path))
    listening = simulate(placed(tmp_path))
    links = listening.tables["links"]
    v2v = links["direction"] == 0
    for key, values in without.tables["links"].items():
        np.testing.assert_array_equal(links[key][v2v], values)
    for name in ("freshness", "packets", "awareness", "safety"):
        for key, values in without.tables[name].items():
            np.testing.assert_array_equal(listening.tables[name][key], values)
    assert (links["n"][links["direction"] == 1]).sum() > 100
    assert not links["n"][links["direction"] >= 2].any()
    assert (listening.facts["n_roadside"], without.facts["n_roadside"]) == (3, 0)
    assert listening.facts["n_vehicles"] == without.facts["n_vehicles"] == 24
    figures = summarise(listening, scenario_name="x", seed=1)
    assert figures["prr"] == summarise(without, scenario_name="x", seed=1)["prr"]
    assert figures["v2i"]["n_roadside"] == 3
    assert figures["v2i"]["vehicle_to_roadside"]["prr"]["value"][0] is not None


def test_relays_speak_and_repeat_themselves(tmp_path: Path) -> None:
    relaying = placed(tmp_path, ("roadside.relay", "true"), ("roadside.linked", "true"))
    one = simulate(relaying)
    assert tables_equal(one, simulate(relaying))
    links = one.tables["links"]
    assert links["n"][links["direction"] == 2].sum() > 100
    awareness = one.tables["awareness"]
    assert awareness["n_with_relay"].sum() >= awareness["n_direct"].sum() > 0


def test_what_relays_tell_is_followed_and_changes_nothing(tmp_path: Path) -> None:
    """All tables but those of the relays are the same bytes with and without following."""
    one = placed(tmp_path, ("roadside.relay", "true"), ("roadside.linked", "true"))
    tables = []
    for followed in (True, False):
        parts = assemble(one, load_road_map(one)).parts
        parts = parts if followed else replace(parts, relay=None)
        Simulation(parts).run()
        tables.append(parts.recorder.tables(0))
    for name in set(SCHEMAS) - {"relay", "relay_latency"}:
        for key, column in tables[1][name].items():
            assert column.tobytes() == tables[0][name][key].tobytes(), (name, key)
    assert tables[0]["relay"]["n"].sum() > 100
    assert tables[1]["relay"]["n"].sum() == 0


def test_the_summary_tells_of_relays_where_there_are_any(tmp_path: Path) -> None:
    records = simulate(placed(tmp_path, ("roadside.relay", "true")))
    found = summarise(records, scenario_name="x", seed=1)["relay"]
    assert sum(found["parts"].values()) == pytest.approx(found["mean"])
    assert found["p50"] <= found["p95"] <= found["p99"]
    assert found["parts"]["fibre"] == 0.0
    for keys in ((), (("roadside.rate_hz", "10"),)):
        silent = simulate(placed(tmp_path, *keys))
        assert len(silent.tables["relay"]["n"]) == 0
        assert "relay" not in summarise(silent, scenario_name="x", seed=1)


def test_relays_are_followed_without_slots_too(tmp_path: Path) -> None:
    keys = ("roadside.relay", "true"), ("access.type", "ieee80211p")
    table = simulate(placed(tmp_path, *keys)).tables["relay"]
    assert table["n"].sum() > 100


@pytest.mark.parametrize(
    ("key", "value"), [("state_bytes", "0"), ("overhead_bytes", "-1"), ("fibre_ms", "-1")]
)
def test_sizes_and_times_of_relays_must_make_sense(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(V2XError, match=rf"roadside\.{key}: must be within"):
        placed(tmp_path, ("roadside.relay", "true"), (f"roadside.{key}", value))


def test_a_gain_of_their_own_reaches_farther(tmp_path: Path) -> None:
    """Every unit's link gains 6 dB, no vehicle's does."""
    gains = []
    for gain_dbi in ("3", "9"):
        one = placed(tmp_path, ("roadside.antenna_gain_dbi", gain_dbi))
        run = assemble(one, load_road_map(one))
        assert isinstance(run.simulation, Simulation)
        fleet = run.parts.mobility.advance(0)
        run.parts.medium.move(fleet, fleet.active)
        links = run.parts.medium._links
        row = np.repeat(np.arange(fleet.n_rows), np.diff(links.row_start))
        with_unit = (row >= 24).astype(int) + (links.neighbour >= 24)
        gains.append((10.0 * np.log10(np.maximum(links.gain, 1e-30)), with_unit))
    difference = gains[1][0] - gains[0][0]
    heard = gains[0][0] > -200.0
    np.testing.assert_allclose(difference[heard], 6.0 * gains[0][1][heard], atol=1e-3)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("roadside.rate_hz", "20", r"roadside\.rate_hz: 20 Hz is more often.*10 Hz"),
        ("roadside.size_bytes", "5000", r"roadside\.size_bytes: 5000 bytes are more"),
    ],
)
def test_messages_must_fit_the_grants(tmp_path: Path, key: str, value: str, message: str) -> None:
    wrong = placed(tmp_path, ("roadside.relay", "true"), (key, value))
    with pytest.raises(V2XError, match=message):
        assemble(wrong, load_road_map(wrong))


def test_a_slow_application_slows_the_relays(tmp_path: Path) -> None:
    slow = placed(tmp_path, ("roadside.relay", "true"), ("messages.rate_hz", "5"))
    packets = simulate(slow).tables["packets"]
    assert np.bincount(np.unique(packets["tx_id"], return_inverse=True)[1]).max() <= 11


def test_a_file_of_sites_is_found_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "rsu.csv").write_text("x_m,y_m\n300,-13.5\n900,-13.5\n")
    text = TEXT + "roadside: {placement: file, file: rsu.csv}\n"
    one = scenario(tmp_path, text=text)
    assert simulate(one).facts["n_roadside"] == 2
    changed = scenario(tmp_path, ("roadside.placement", "none"), text=text)
    assert simulate(changed).facts["n_roadside"] == 0
    with pytest.raises(V2XError, match="there is no file"):
        scenario(tmp_path, text=TEXT + "roadside: {placement: file, file: gone.csv}\n")


def test_a_wrong_placement_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(V2XError, match=r"roadside\.placement.*'portals'"):
        scenario(tmp_path, ("roadside.placement", "portal"))
    tunnels = scenario(tmp_path, ("roadside.placement", "portals"))
    with pytest.raises(V2XError, match="no place for 'portals'"):
        assemble(tunnels, load_road_map(tunnels))
