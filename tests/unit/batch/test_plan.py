from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.batch.parts import PLAN, write_plan
from v2x.batch.plan import Plan, load_plan, scenario_digest
from v2x.errors import V2XError
from v2x.scenario.assemble import replication_seed
from v2x.scenario.schema import load_scenario

ReadPlan = Callable[[str], Plan]


def test_plan_gives_every_variant_its_replications(plan_of: ReadPlan) -> None:
    plan = plan_of(PLAN)

    assert plan.name == "plan"
    assert plan.factors == ("access.keep_probability",)
    assert [one.scenario.access.params.keep_probability for one in plan.variants] == [0.0, 0.8]
    runs = [one.run(replication) for one in plan.variants for replication in range(5)]
    assert len({run.key for run in runs}) == 10
    assert all(run.scenario.replications == 1 for run in runs)


def test_seeds_are_shared_by_variants_and_those_of_a_run(plan_of: ReadPlan) -> None:
    a, b = plan_of(PLAN).variants

    for replication in range(3):
        seed = replication_seed(7, replication)
        assert a.run(replication).scenario.seed == b.run(replication).scenario.seed == seed


def test_keys_follow_from_the_content_and_not_from_the_place(plan_of: ReadPlan) -> None:
    keys = {one.run(1).key for one in plan_of(PLAN).variants}
    turned = PLAN.replace("[0, 0.8]", "[0.8, 0.6, 0]")
    other = "name: other\ndescription: other\n" + turned

    assert keys < {one.run(1).key for one in plan_of(other).variants}
    longer = "set: {duration_s: 2}\n" + PLAN
    assert not keys & {one.run(1).key for one in plan_of(longer).variants}


def test_files_count_with_their_content(tmp_path: Path) -> None:
    base = Path(__file__).parents[3] / "scenarios" / "v2n.yaml"
    sites = '{"type": "FeatureCollection", "features": []}'

    def digest(name: str, content: str) -> str:
        (tmp_path / name).write_text(content, encoding="utf-8")
        changes = [("roadside.placement", "file"), ("roadside.file", name)]
        return scenario_digest(load_scenario(base, changes, folder=tmp_path))

    assert digest("a.geojson", sites) == digest("b.geojson", sites)
    assert digest("a.geojson", sites) != digest("b.geojson", sites + " ")


def test_what_set_says_is_in_all_variants(plan_of: ReadPlan) -> None:
    plan = plan_of("set: {duration_s: 2, traffic.density_per_km: 10}\n" + PLAN)

    assert {one.scenario.duration_s for one in plan.variants} == {2.0}
    assert {one.scenario.traffic.params.density_per_km for one in plan.variants} == {10.0}


def test_a_bundled_scenario_needs_no_file(plan_of: ReadPlan) -> None:
    plan = plan_of("scenario: highway_3gpp\n")

    assert [one.scenario.name for one in plan.variants] == ["highway_3gpp"]
    assert plan.factors == ()


def test_a_warning_of_all_variants_is_shown_once(
    plan_of: ReadPlan, caplog: pytest.LogCaptureFixture
) -> None:
    text = "scenario: tiny.yaml\nset: {access.type: random}\nfactors: {grid: {duration_s: [1, 2]}}"
    with caplog.at_level(logging.WARNING):
        plan_of(text)

    assert [r.getMessage().count("keep_probability") for r in caplog.records] == [1]


GRID = "factors:\n  grid:\n"
RANGE = "factors:\n  random:\n    samples: 2\n    ranges:\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scenari: tiny.yaml\n", ["plan.yaml:1", "scenari", "did you mean 'scenario'?"]),
        ("name: x\n", ["scenario: is missing", "add 'scenario: ...'"]),
        ("scenario: tinny.yaml\n", ["plan.yaml:1", "scenario", "no such file"]),
        ("scenario: tiny.yaml\nreplications: 0\n", ["plan.yaml:2", "at least 1"]),
        ("scenario: tiny.yaml\nname: a/b\n", ["plan.yaml:2", "name"]),
        ("scenario: tiny.yaml\nset: {seed: 1, replications: 2}\n", ["set.replications"]),
        ("scenario: tiny.yaml\nfactors: {grit: {a: [1]}}\n", ["did you mean 'grid'?"]),
        (f"scenario: tiny.yaml\n{GRID}    seed: [1, 2]\n", ["plan.yaml:4", "cannot be a factor"]),
        (f"scenario: tiny.yaml\n{GRID}    duration_s: 3\n", ["plan.yaml:4", "list of values"]),
        (
            f"scenario: tiny.yaml\n{GRID}    trafic.density_per_km: [3]\n",
            ["plan.yaml:4", "factors.grid.trafic", "unknown key", "did you mean 'traffic'?"],
        ),
        (
            f"scenario: tiny.yaml\n{GRID}    access.keep_probability: [0.8, 2]\n",
            ["plan.yaml:4", "keep_probability", "(here 2)"],
        ),
        (
            "scenario: tiny.yaml\nset:\n  access.keep_probabilty: 0\n",
            ["plan.yaml:3", "set.access.keep_probabilty", "did you mean 'keep_probability'?"],
        ),
        ("scenario: tiny.yaml\nfactors: {zip: {a: [1], b: [1, 2]}}\n", ["equally long", "grid"]),
        ("scenario: tiny.yaml\nfactors: {list: [{a: 1}, {b: 1}]}\n", ["factors.list.1", "a, b"]),
        (
            "scenario: tiny.yaml\nfactors: {grid: {a: [1]}, list: [{a: 1}]}\n",
            ["factors.grid", "a is in list too"],
        ),
        (f"scenario: tiny.yaml\n{RANGE}      a: {{low: 2, high: 1}}\n", ["plan.yaml:6", "high"]),
        (
            f"scenario: tiny.yaml\n{RANGE}      a: {{low: 0, high: 1, log: true}}\n",
            ["factors.random.ranges.a.low", "> 0"],
        ),
        (f"scenario: tiny.yaml\n{RANGE}      a: [0, 1]\n", ["low, high"]),
        (PLAN + "  - {factor: acess.keep_probability, reference: 0, value: 0.8}\n", ["pairs.1"]),
        (
            PLAN + "  - {factor: access.keep_probability, reference: 0, value: 0.7}\n",
            ["pairs.1.value", "is never 0.7", "it takes 0, 0.8"],
        ),
        (
            PLAN + "until: {metric: cbr, half_width: 0, max_replications: 9}\n",
            ["until.half_width", "> 0"],
        ),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, told: list[str]) -> None:
    with pytest.raises(V2XError) as caught:
        load_plan(write_plan(tmp_path, text))

    for part in told:
        assert part in str(caught.value)
