"""R15: the same seed and configuration give the same logs, another seed gives others.

Through the door that a user takes: two run folders of one scenario, with everything switched on
that draws or remembers (events of both sorts, repetitions, conflicts and the messages before them).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from v2x.records.store import StoredRun, read_run
from v2x.scenario.run_folder import simulate_into
from v2x.scenario.schema import load_scenario

#: Tables that must hold something, so that the comparison is worth it.
FILLED = {
    "conflict_knowledge",
    "conflict_messages",
    "conflicts",
    "exposure",
    "freshness",
    "links",
    "load",
    "packets",
    "trajectories",
}
VARIANTS = [
    (("access.blind_retransmissions", "1"), ("events.type", "poisson")),
    (("access.type", "nr-mode2"), ("events.type", "detected")),
    (("access.type", "ieee80211p"),),
]


def run(folder: Path, seed: int, changes: tuple[tuple[str, str], ...]) -> StoredRun:
    settings = [
        ("seed", str(seed)),
        ("replications", "1"),
        ("duration_s", "5"),
        ("warmup_s", "2"),
        ("safety.messages", "true"),
        ("safety.ttc_s", "4"),
        *changes,
    ]
    scenario = load_scenario("bridge_fog", settings)
    simulate_into(scenario, folder, lambda _: None, overwrite=False)
    return read_run(folder)


def tables(folder: Path) -> dict[str, bytes]:
    """Return the bytes of the tables on disk, by file name."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}


@pytest.mark.parametrize("changes", VARIANTS)
def test_r15_same_seed_same_logs(tmp_path: Path, changes: tuple[tuple[str, str], ...]) -> None:
    one, two, other = (tmp_path / name for name in ("one", "two", "other"))
    first, second, third = (run(f, s, changes) for f, s in ((one, 7), (two, 7), (other, 8)))
    for name in FILLED:
        assert len(next(iter(first.records.tables[name].values()))) > 0, name
    assert tables(one) == tables(two)
    assert (one / "scenario.yaml").read_bytes() == (two / "scenario.yaml").read_bytes()
    hashes = [stored.manifest["scenario_sha256"] for stored in (first, second, third)]
    assert len(hashes[0]) == 64
    assert hashes[0] == hashes[1] != hashes[2]
    summaries = [json.loads((f / "summary.json").read_text("utf-8")) for f in (one, two)]
    for summary in summaries:
        for clock in ("wall_s", "realtime_factor"):
            del summary[clock]
    assert summaries[0] == summaries[1]
    differ = {name for name, data in tables(one).items() if tables(other)[name] != data}
    assert {f"{name}.parquet" for name in FILLED} <= differ
