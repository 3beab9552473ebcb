"""From a scenario to a run folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from v2x.metrics.summary import summarise
from v2x.records.store import manifest, write_run
from v2x.scenario.assemble import Progress, load_road_map, simulate
from v2x.scenario.dump import dump_scenario
from v2x.scenario.model import Scenario
from v2x.world.store import RUN_MAP, map_bytes


def simulate_into(
    scenario: Scenario, folder: Path, progress: Callable[[Progress], None], *, overwrite: bool
) -> dict[str, Any]:
    """Simulate a scenario, write its run folder, and return its summary.

    Parameters
    ----------
    scenario
        What to run.
    folder
        Where the run shall be; see :func:`v2x.records.store.write_run`.
    progress
        Called now and then with how far the simulation is.
    overwrite
        Replace the run that `folder` holds.
    """
    road_map = load_road_map(scenario)
    records = simulate(scenario, progress=progress, road_map=road_map)
    summary = summarise(records, scenario_name=scenario.name, seed=scenario.seed)
    text = dump_scenario(scenario, folder=folder.absolute())
    write_run(
        folder,
        records=records,
        scenario_text=text,
        manifest=manifest(seed=scenario.seed, wall_s=records.facts["wall_s"], scenario_text=text),
        summary=summary,
        attachments={RUN_MAP: map_bytes(road_map)},
        overwrite=overwrite,
    )
    return summary
