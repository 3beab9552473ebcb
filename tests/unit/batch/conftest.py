"""The batch whose results all others must equal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.batch.parts import PLAN, write_plan
from v2x.batch.plan import Plan, load_plan
from v2x.batch.run import run_batch
from v2x.batch.workers import WorkerParams


@pytest.fixture
def plan_of(tmp_path: Path) -> Callable[[str], Plan]:
    """Return what reads a plan from its text."""
    return lambda text: load_plan(write_plan(tmp_path / "plans", text))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the batch of PLAN, computed by one process at one go; not to be changed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    plan = load_plan(write_plan(folder, PLAN))
    ended = run_batch(plan, folder / "batch", WorkerParams(workers=1))
    assert (ended.done, ended.failed) == (10, 0)
    return folder / "batch"
