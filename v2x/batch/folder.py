"""The folder of a batch: what it should hold, and what it holds so far.

=====================  ========================================================================
``batch.json``         which runs the batch has: settings, replication, seed and key of each
``plan.yaml``          the plan, as it was written
``runs/KEY/``          a run folder (:mod:`v2x.records.store`) for each finished run
``failed/KEY.json``    why a run failed
``metrics.csv`` …      tables over all runs (:mod:`v2x.batch.results`)
=====================  ========================================================================

A run is there whole or not at all, so the folder of a killed batch is that of a batch with fewer
runs. Whoever works on a batch holds a lock on ``.lock`` that the system releases when he dies.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import v2x
from v2x.batch.factors import Settings
from v2x.batch.plan import Pair, Plan, Run
from v2x.errors import V2XError
from v2x.records.store import is_run_folder

_FORMAT, _VERSION = "v2x-batch", 1
_INDEX, _PLAN, _LOCK, _RUNS, _FAILED = "batch.json", "plan.yaml", ".lock", "runs", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedRun:
    """A run that a batch should hold.

    Attributes
    ----------
    key
        Name of its folder.
    settings
        Keys that its variant sets, and their values.
    replication, seed
        Which one of its variant, from 0, and its seed.
    """

    key: str
    settings: Settings
    replication: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a run failed.

    Attributes
    ----------
    key
        Which run.
    error
        What was wrong, on one line.
    traceback
        Where; "" if the worker died.
    """

    key: str
    error: str
    traceback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchIndex:
    """What a batch should hold.

    Attributes
    ----------
    name, description
        What the batch is called, and the question it answers.
    factors
        Keys that differ between variants.
    pairs
        What is compared.
    runs
        Every run.
    """

    name: str
    description: str
    factors: tuple[str, ...]
    pairs: tuple[Pair, ...]
    runs: tuple[IndexedRun, ...]


class BatchFolder:
    """The folder of a batch.

    Parameters
    ----------
    path
        Where it is; it may be absent.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def exists(self) -> bool:
        """Return whether there is a batch."""
        return _read_index(self.path / _INDEX) is not None

    def run_folder(self, key: str) -> Path:
        """Return where a run is, or shall be."""
        return self.path / _RUNS / key

    def is_done(self, key: str) -> bool:
        """Return whether a run is there, whole."""
        return is_run_folder(self.run_folder(key))

    def failure(self, key: str) -> Failure | None:
        """Return why a run failed, None if it did not."""
        try:
            return Failure(**json.loads((self.path / _FAILED / f"{key}.json").read_bytes()))
        except FileNotFoundError:
            return None

    def note_failure(self, failure: Failure) -> None:
        """Keep why a run failed."""
        self._write(Path(_FAILED) / f"{failure.key}.json", asdict(failure))

    def forget_failure(self, key: str) -> None:
        """Forget that a run failed, because it is done or tried again."""
        (self.path / _FAILED / f"{key}.json").unlink(missing_ok=True)

    def write_index(self, plan: Plan, runs: Sequence[Run]) -> None:
        """Note what the batch should hold, in place of what was noted before."""
        self._write(
            Path(_INDEX),
            {
                "format": _FORMAT,
                "version": _VERSION,
                "v2x": v2x.__version__,
                "name": plan.name,
                "description": plan.description,
                "factors": plan.factors,
                "pairs": [asdict(pair) for pair in plan.pairs],
                "runs": [
                    {
                        "key": run.key,
                        "settings": run.settings,
                        "replication": run.replication,
                        "seed": run.scenario.seed,
                    }
                    for run in runs
                ],
            },
        )

    def index(self) -> BatchIndex:
        """Return what the batch should hold.

        Raises
        ------
        V2XError
            If this is no folder of a batch.
        """
        index = _read_index(self.path / _INDEX)
        if index is None:
            raise V2XError(
                "this is not the folder of a batch" if self.path.is_dir() else "there is none",
                file=str(self.path),
                remedy="name a folder written by  v2x batch PLAN",
            )
        return BatchIndex(
            name=index["name"],
            description=index["description"],
            factors=tuple(index["factors"]),
            pairs=tuple(Pair(**pair) for pair in index["pairs"]),
            runs=tuple(IndexedRun(**run) for run in index["runs"]),
        )

    @contextmanager
    def at_work(self, plan: Plan) -> Iterator[None]:
        """Make the folder ours while the batch runs, and tidy up what a killed one left.

        Raises
        ------
        V2XError
            If it holds something else, runs of another version, or somebody works on it.
        """
        self._refuse_foreign()
        try:
            (self.path / _RUNS).mkdir(parents=True, exist_ok=True)
            (self.path / _FAILED).mkdir(exist_ok=True)
            lock = (self.path / _LOCK).open("w")
        except OSError as error:
            raise V2XError(
                f"cannot be written: {error.strerror}",
                file=str(self.path),
                remedy="choose another --out",
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise V2XError(
                    "somebody works on this batch",
                    file=str(self.path),
                    remedy="wait for it, or choose another --out",
                ) from error
            for left in (self.path / _RUNS).glob(".*.partial"):
                shutil.rmtree(left, ignore_errors=True)
            (self.path / _PLAN).write_bytes(plan.source.read_bytes())
            yield

    def is_at_work(self) -> bool:
        """Return whether somebody works on the batch now, on this machine."""
        with suppress(FileNotFoundError), (self.path / _LOCK).open("r") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def _refuse_foreign(self) -> None:
        index = _read_index(self.path / _INDEX)
        if index is None:
            if self.path.exists() and not self._is_fresh():
                raise V2XError(
                    "is not the folder of a batch",
                    file=str(self.path),
                    remedy="choose another --out",
                )
        elif index.get("v2x") != v2x.__version__ or index.get("version") != _VERSION:
            raise V2XError(
                f"holds runs of v2x {index.get('v2x')}, this is {v2x.__version__}",
                file=str(self.path / _INDEX),
                key="v2x",
                remedy="choose another --out, so that no table mixes them",
            )

    def _is_fresh(self) -> bool:
        """Return whether there is nothing here, or what a batch killed at once leaves."""
        ours = {_LOCK, _RUNS, _FAILED, _PLAN}
        return self.path.is_dir() and all(entry.name in ours for entry in self.path.iterdir())

    def _write(self, name: Path, content: Any) -> None:
        """Write a JSON file, whole or not at all."""
        staged = self.path / name.with_name(f".{name.name}.partial")
        staged.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
        staged.replace(self.path / name)


def _read_index(file: Path) -> dict[str, Any] | None:
    try:
        index = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return index if isinstance(index, dict) and index.get("format") == _FORMAT else None
