"""Sections ``attack`` and ``plausibility`` in whole runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x import registry
from v2x.errors import V2XError
from v2x.metrics.warnings import warning_figures
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.dump import dump_scenario
from v2x.scenario.schema import load_scenario

#: A one-way road of two lanes with human drivers.
ROAD = [
    ("world.wrap", "false"),
    ("world.directions", "1"),
    ("world.lanes_per_direction", "2"),
    ("world.limit_kmh", "100"),
    ("traffic", "{type: routed, n_vehicles: 70}"),
    ("drivers.type", "human"),
    ("warnings.fcw", "{}"),
    ("duration_s", "15"),
    ("warmup_s", "2"),
    ("safety.conflicts", "true"),
]
SYBILS = ("grid-sybil", "data-replay-sybil", "dos-random-sybil", "dos-disruptive-sybil")
OWN_NAME = sorted(set(registry.names("v2x.attacks")) - set(SYBILS))


def run(*more: tuple[str, str]) -> RunRecords:
    return simulate(load_scenario("highway_3gpp", [*ROAD, *more]))


def attack(name: str, check: str = "none", share: str = "0.2", seed: str = "3") -> RunRecords:
    return run(
        ("attack.type", name),
        ("attack.share", share),
        ("plausibility.type", check),
        ("seed", seed),
    )


def table(records: RunRecords, name: str) -> dict[str, Any]:
    return records.tables[name]


def dropped(records: RunRecords, kind: str) -> float:
    found = table(records, "detections")
    return float(found[f"n_{kind}_dropped"].sum() / max(found[f"n_{kind}"].sum(), 1))


def same(one: RunRecords, other: RunRecords, *names: str) -> bool:
    return all(
        np.array_equal(column, other.tables[name][key], equal_nan=column.dtype.kind == "f")
        for name in names
        for key, column in one.tables[name].items()
    )


@pytest.fixture(scope="module")
def honest() -> RunRecords:
    return attack("none")


@pytest.fixture(scope="module")
def lied_to() -> RunRecords:
    return attack("random-speed")


def test_attacks_raise_false_alerts_and_checks_take_them_away(
    honest: RunRecords, lied_to: RunRecords
) -> None:
    """Speeds at random make those behind believe that somebody stands in front of them."""
    checked = attack("random-speed", "any")
    false = []
    for records in (honest, lied_to, checked):
        figures = warning_figures(records)
        assert figures is not None
        false.append(figures.by_application["fcw"].false_per_1000_km.value)
    assert len(table(lied_to, "warnings")["other_id"]) >= 10
    assert false[0] < 0.2 * false[1]
    assert false[2] < 0.2 * false[1]
    attackers = table(lied_to, "detections")
    liar = attackers["id"][attackers["attacks"]]
    assert np.isin(table(lied_to, "warnings")["other_id"], liar).mean() > 0.9
    assert dropped(checked, "forged") > 0.9
    assert dropped(checked, "true") < 0.02


def test_drivers_brake_for_lies(honest: RunRecords, lied_to: RunRecords) -> None:
    def lost_m(records: RunRecords) -> float:
        return -float(table(records, "exposure")["distance_m"].sum())

    assert lost_m(lied_to) > lost_m(honest) + 15.0


def test_behaviour_finds_what_repeats() -> None:
    """A vehicle that seems to stand contradicts itself for some seconds, and never again."""
    one_by_one, of_late = (attack("eventual-stop", check) for check in ("any", "behaviour"))
    assert dropped(of_late, "forged") > dropped(one_by_one, "forged") + 0.2
    alerts = [len(table(records, "warnings")["other_id"]) for records in (one_by_one, of_late)]
    assert alerts[1] < alerts[0]


def test_only_attackers_lie(lied_to: RunRecords) -> None:
    found = table(lied_to, "detections")
    assert 5 <= found["attacks"].sum() <= 25
    assert (found["n_forged"][~found["attacks"]] == 0).all()
    assert (found["n_true"][found["attacks"]] == 0).all()
    assert len(np.unique(found["id"])) == len(found["id"])


def test_lies_begin_when_they_are_to(lied_to: RunRecords) -> None:
    late = run(
        ("attack.type", "random-speed"),
        ("attack.share", "0.2"),
        ("attack.from_s", "8"),
        ("seed", "3"),
    )
    early, late_one = (table(r, "detections")["n_forged"].sum() for r in (lied_to, late))
    assert 0.4 * early < late_one < 0.65 * early  # 7 of 13 s
    assert (table(late, "warnings")["begin_s"] >= 8.0).all()


def test_attacks_of_nobody_change_nothing(honest: RunRecords) -> None:
    nobody = attack("random-speed", share="0")
    assert same(honest, nobody, "packets", "warnings", "conflicts", "exposure", "trajectories")
    assert len(table(honest, "detections")["id"]) == 0


def test_lies_do_not_reach_who_knows_everything() -> None:
    perfect = [("information.knowledge", "perfect"), ("seed", "3"), ("duration_s", "8")]
    lies = [("attack.type", "random-speed"), ("attack.share", "0.3")]
    assert same(run(*perfect), run(*perfect, *lies), "warnings", "trajectories", "detections")


@pytest.mark.parametrize("name", OWN_NAME)
def test_every_attack_under_the_own_name_runs(name: str) -> None:
    """Stale messages are true until their buffer is full, and a flood may tell the truth."""
    records = run(
        ("attack.type", name), ("attack.share", "0.3"), ("duration_s", "3"), ("warmup_s", "0")
    )
    found = table(records, "detections")
    assert found["attacks"].any()
    assert (found["n_forged"].sum() > 0) == (name not in ("stale-messages", "dos"))


@pytest.mark.parametrize("name", SYBILS)
def test_invented_names_are_refused(name: str) -> None:
    with pytest.raises(V2XError, match=r"attack.type: .*invented names"):
        run(("attack.type", name))


def test_floods_load_the_channel() -> None:
    short = [("duration_s", "4"), ("warmup_s", "1"), ("attack.share", "0.3")]
    quiet, flood, half = (
        run(*short, ("attack.type", name), *more)
        for name, more in (("none", ()), ("dos", ()), ("dos", [("attack.rate", "2")]))
    )
    n_quiet, n_flood, n_half = (len(table(r, "packets")["tx_id"]) for r in (quiet, flood, half))
    assert n_flood - n_quiet == pytest.approx(3 * (n_half - n_quiet), rel=0.02)
    assert n_flood > 1.4 * n_quiet
    busy = [float(np.nanmean(table(r, "load")["cbr"])) for r in (quiet, flood)]
    assert busy[1] > 1.3 * busy[0]


def test_floods_need_nobody_who_is_warned() -> None:
    loud = simulate(
        load_scenario(
            "highway_3gpp",
            [
                ("duration_s", "2"),
                ("warmup_s", "0"),
                ("traffic.density_per_km", "20"),
                ("attack.type", "dos"),
                ("attack.share", "0.5"),
            ],
        )
    )
    assert table(loud, "packets")["event"].any()


def test_checks_need_places_that_are_unique() -> None:
    with pytest.raises(V2XError, match=r"plausibility.type: .*wrap-around"):
        run(("world.wrap", "true"), ("plausibility.type", "any"))


def test_mistakes_name_the_key() -> None:
    with pytest.raises(V2XError, match=r"attack.share: must be within 0 and 1"):
        load_scenario("highway_3gpp", [("attack.share", "1.5")])
    with pytest.raises(V2XError, match=r"attack.from_s: must be >= 0"):
        load_scenario("highway_3gpp", [("attack.from_s", "-1")])
    with pytest.raises(V2XError, match="random-speed"):
        load_scenario("highway_3gpp", [("attack.type", "random-sped")])
    with pytest.raises(V2XError, match=r"plausibility.range_m: must be > 0"):
        load_scenario("highway_3gpp", [("plausibility.type", "any"), ("plausibility.range_m", "0")])
    with pytest.raises(V2XError, match=r"attack.highest_mps"):
        load_scenario("highway_3gpp", [("attack.highest_mps", "3")])


def test_what_was_chosen_can_be_written_and_read(tmp_path: Any) -> None:
    chosen = [("attack.type", "eventual-stop"), ("attack.probability", "0.2")]
    scenario = load_scenario(
        "highway_3gpp", [*chosen, ("plausibility.type", "behaviour"), ("attack.share", "0.2")]
    )
    (tmp_path / "again.yaml").write_text(dump_scenario(scenario))
    again = load_scenario(tmp_path / "again.yaml")
    assert again.attack == scenario.attack
    assert again.attack_type == scenario.attack_type
    assert again.plausibility == scenario.plausibility
