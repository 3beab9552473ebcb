"""Runs and batches as tables: what :func:`v2x.load` gives.

Everything is read when it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from v2x.batch.chance import Difference, Sample, difference, mean_interval
from v2x.batch.flat import Row, rows_of
from v2x.batch.folder import BatchFolder, BatchIndex, IndexedRun
from v2x.errors import V2XError, unknown_name
from v2x.records.store import is_run_folder
from v2x.records.tables import SCHEMAS
from v2x.scenario.dump import yaml_text

_KEY = ["metric", "bin"]
_RUN = ["replication", "seed"]
_INTERVAL = ["mean", "low", "high", "n"]


class Run:
    """A run folder.

    Parameters
    ----------
    folder
        Where it is.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @cached_property
    def figures(self) -> dict[str, Any]:
        """What is in ``summary.json``."""
        figures: dict[str, Any] = json.loads((self.folder / "summary.json").read_bytes())
        return figures

    @property
    def scenario_text(self) -> str:
        """The scenario with every default filled in, YAML."""
        return (self.folder / "scenario.yaml").read_text(encoding="utf-8")

    @property
    def metrics(self) -> pd.DataFrame:
        """Every figure of the run, a row each.

        Columns: ``metric``, ``replication`` (always 0), ``seed``, ``bin``, ``value``, and the
        interval within the run ``low``, ``high`` with its samples ``n``, NaN where there is none.
        """
        return _metrics((), [({}, 0, int(self.figures["seed"]), self.figures)])

    def summary(self) -> pd.DataFrame:
        """Return the figures with their intervals within the run.

        Columns: ``metric``, ``bin``, ``mean``, ``low``, ``high``, ``n`` (samples).
        """
        table = self.metrics.rename(columns={"value": "mean"})
        return table[[*_KEY, *_INTERVAL]]

    def table(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a recorded table, or some columns of it; see :mod:`v2x.records.tables`."""
        return _read_table(self.folder, name, columns)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"


class Batch:
    """The folder of a batch; runs that are not there, or failed, are left out of its tables.

    Parameters
    ----------
    folder
        Where it is.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._files = BatchFolder(self.folder)

    @cached_property
    def index(self) -> BatchIndex:
        """What the batch should hold."""
        return self._files.index()

    @property
    def factors(self) -> list[str]:
        """Keys of the scenario that differ between variants; columns of the tables."""
        return list(self.index.factors)

    @property
    def runs(self) -> pd.DataFrame:
        """A row for each run: the factors, ``replication``, ``seed``, ``state``, ``folder``."""
        rows = [
            {
                **_labels(run.settings),
                "replication": run.replication,
                "seed": run.seed,
                "state": self.state(run.key),
                "folder": str(self._files.run_folder(run.key)),
            }
            for run in self.index.runs
        ]
        return pd.DataFrame(rows, columns=[*self.factors, *_RUN, "state", "folder"])

    def state(self, key: str) -> str:
        """Return "done", "failed" or "missing"."""
        if self._files.is_done(key):
            return "done"
        return "missing" if self._files.failure(key) is None else "failed"

    def run(self, replication: int = 0, settings: Mapping[str, Any] | None = None) -> Run:
        """Return the run of a variant.

        Parameters
        ----------
        replication
            Which one of its variant.
        settings
            Factors and their values; those that are left out may have any.
        """
        wanted = _labels(settings or {})
        for run in self._done():
            have = _labels(run.settings)
            if run.replication == replication and all(
                key in have and have[key] == value for key, value in wanted.items()
            ):
                return Run(self._files.run_folder(run.key))
        told = ", ".join(f"{key}={value}" for key, value in wanted.items())
        raise V2XError(
            f"no finished run with replication={replication}{', ' if told else ''}{told}",
            file=str(self.folder),
            remedy="see  v2x batch status",
        )

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Every figure of every run, a row each.

        Columns: ``metric``, the factors, ``replication``, ``seed``, ``bin``, ``value``, and the
        interval within the run ``low``, ``high`` with its samples ``n``, NaN where there is none.
        """
        runs = (
            (run.settings, run.replication, run.seed, Run(self._files.run_folder(run.key)).figures)
            for run in self._done()
        )
        return _metrics(self.index.factors, runs)

    def summary(self) -> pd.DataFrame:
        """Return the figures of each variant over its replications.

        Columns: ``metric``, the factors, ``bin``, ``mean`` (each replication counts alike), its
        95 % limits ``low`` and ``high`` by Student's t (NaN for one replication), and ``n``
        replications that measured it.
        """
        by = ["metric", *self.factors, "bin"]
        values = self.metrics["value"].to_numpy()
        rows = [(*key, *mean_interval(values[at])) for key, at in _groups(self.metrics, by)]
        return pd.DataFrame(rows, columns=[*by, *_INTERVAL])

    def differences(self, factor: str, reference: Any, value: Any) -> pd.DataFrame:
        """Return what a factor changes, all else being equal, paired by seed.

        Parameters
        ----------
        factor
            Key that differs.
        reference, value
            Two of its values.

        Returns
        -------
        DataFrame
            Columns: ``metric``, the other factors, ``bin``, and those of
            :class:`v2x.batch.chance.Difference`.
        """
        if factor not in self.factors:
            raise unknown_name("factor", factor, self.factors, file=str(self.folder))
        others = [name for name in self.factors if name != factor]
        sides = [self._metrics_with(factor, wanted) for wanted in (reference, value)]
        for side, wanted in zip(sides, (reference, value), strict=True):
            if side.empty:
                values = map(str, self.metrics[factor].drop_duplicates())
                raise V2XError(
                    f"there are no finished runs with {factor}={_label(wanted)}",
                    file=str(self.folder),
                    remedy=f"values: {', '.join(values)}",
                )
        return differences(sides[0], sides[1], ["metric", *others, "bin"])

    def _metrics_with(self, factor: str, value: Any) -> pd.DataFrame:
        label = _label(value)
        return self.metrics[[item == label for item in self.metrics[factor]]]

    def pairs(self) -> pd.DataFrame:
        """Return the differences that the plan asks for, one pair after the other.

        Columns: ``pair``, then those of :meth:`differences`. Pairs of which one side has no
        finished run are left out.
        """
        tables = []
        for pair in self.index.pairs:
            sides = (self._metrics_with(pair.factor, of) for of in (pair.reference, pair.value))
            if any(side.empty for side in sides):
                continue
            table = self.differences(pair.factor, pair.reference, pair.value)
            told = f"{pair.factor}: {_label(pair.value)} - {_label(pair.reference)}"
            table.insert(0, "pair", told)
            tables.append(table)
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    def table(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a recorded table of all runs, or some columns of it.

        Its own column ``replication`` is that of the batch; the factors and ``seed`` come first.
        """
        tables = []
        for run in self._done():
            table = _read_table(self._files.run_folder(run.key), name, columns)
            table = table.drop(columns="replication", errors="ignore")
            first = {**_labels(run.settings), "replication": run.replication, "seed": run.seed}
            for place, (key, value) in enumerate(first.items()):
                table.insert(place, key, value)
            tables.append(table)
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    def write_tables(self) -> list[Path]:
        """Write ``metrics.csv``, ``summary.csv`` and, with pairs, ``pairs.csv``.

        The same runs give the same bytes.
        """
        tables = {"metrics": self.metrics, "summary": self.summary()}
        if self.index.pairs:
            tables["pairs"] = self.pairs()
        files = []
        for name, table in tables.items():
            staged = self.folder / f".{name}.csv.partial"
            table.to_csv(staged, index=False, lineterminator="\n")
            files.append(staged.replace(self.folder / f"{name}.csv"))
        return files

    def _done(self) -> list[IndexedRun]:
        return [run for run in self.index.runs if self._files.is_done(run.key)]

    def __repr__(self) -> str:
        return f"Batch({str(self.folder)!r})"


def load(folder: str | Path) -> Run | Batch:
    """Return the run or the batch in a folder, ready to be read.

    Raises
    ------
    V2XError
        If it is neither.
    """
    if is_run_folder(folder):
        return Run(folder)
    if BatchFolder(Path(folder)).exists():
        return Batch(folder)
    raise V2XError(
        "holds neither a run nor a batch" if Path(folder).is_dir() else "there is no such folder",
        file=str(folder),
        remedy="name a folder written by  v2x run  or  v2x batch",
    )


def differences(reference: pd.DataFrame, value: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return how the figures of two tables of metrics differ.

    Parameters
    ----------
    reference, value
        Two of :attr:`Batch.metrics`.
    by
        Columns whose values identify a figure.

    Returns
    -------
    DataFrame
        The columns `by` and those of :class:`v2x.batch.chance.Difference`, a row for each figure
        that is in both, in the order of `reference`.
    """
    samples = {_hashable(key): _sample(value, at) for key, at in _groups(value, by)}
    names = list(Difference.__dataclass_fields__)
    rows = [
        (*key, *astuple(difference(_sample(reference, at), samples[_hashable(key)])))
        for key, at in _groups(reference, by)
        if _hashable(key) in samples
    ]
    return pd.DataFrame(rows, columns=[*by, *names])


def _metrics(
    factors: Sequence[str],
    runs: Iterable[tuple[Mapping[str, Any], int, int, Mapping[str, Any]]],
) -> pd.DataFrame:
    """Return the figures of runs: settings, replication, seed and summary of each."""
    rows = []
    for settings, replication, seed, summary in runs:
        labels = _labels(settings)
        varied = [labels[name] for name in factors]
        for metric, *figure in rows_of(summary):
            rows.append((metric, *varied, replication, seed, *figure))
    return pd.DataFrame(rows, columns=["metric", *factors, *_RUN, *Row._fields[1:]])


def _groups(table: pd.DataFrame, by: list[str]) -> list[tuple[tuple[Any, ...], Any]]:
    """Return the distinct values of some columns, in their order, and the rows of each."""
    rows: dict[tuple[Any, ...], list[int]] = {}
    keys: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for i, key in enumerate(zip(*(table[name] for name in by), strict=True)):
        found = _hashable(key)
        rows.setdefault(found, []).append(i)
        keys.setdefault(found, key)
    return [(keys[found], np.array(at)) for found, at in rows.items()]


def _hashable(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a key in which NaN equals NaN."""
    return tuple(None if value != value else value for value in key)


def _sample(table: pd.DataFrame, at: Any) -> Sample:
    low, high = (table[name].to_numpy()[at] for name in ("low", "high"))
    return Sample(
        seed=table["seed"].to_numpy()[at],
        value=table["value"].to_numpy()[at],
        half=(high - low) / 2,
    )


def _labels(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _label(value) for key, value in settings.items()}


def _label(value: Any) -> Any:
    """Return a value as it stands in a column: lists and sections as text."""
    return yaml_text(value) if isinstance(value, (list, dict)) else value


def _read_table(folder: Path, name: str, columns: Sequence[str] | None) -> pd.DataFrame:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    if name not in SCHEMAS:
        raise unknown_name("table", name, SCHEMAS, file=str(folder))
    for column in columns or ():
        if column not in SCHEMAS[name]:
            raise unknown_name(f"column of {name}", column, SCHEMAS[name], file=str(folder))
    file = folder / f"{name}.parquet"
    if not file.is_file():
        raise V2XError(
            f"the run kept no table {name!r}",
            file=str(folder),
            remedy="see its section records, in scenario.yaml",
        )
    table = pq.read_table(file, columns=None if columns is None else list(columns))
    return pd.DataFrame(table.to_pandas())
