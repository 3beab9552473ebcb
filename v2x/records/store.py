"""The run folder: how what happened in a run is kept on disk.

A run folder holds

=================  =============================================================================
``scenario.yaml``  the scenario with every default filled in
``manifest.json``  what produced the run: versions, commit, seed, kernels, machine, time
``summary.json``   the figures most readers want
``records.json``   version of this layout, rows per table, and the facts of the run
``*.parquet``      the tables of :data:`v2x.records.tables.SCHEMAS` (zstd), each column with its
                   ``unit`` and ``meaning`` in the metadata of its field
=================  =============================================================================

besides files its writer attached and figures drawn later. The tables are a function of the
records alone: the same run gives the same bytes. Wall times appear in the facts, the manifest
and the summary only.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import v2x
from v2x.errors import V2XError
from v2x.records.tables import SCHEMAS, RunRecords, Table, check_table

#: Version of the layout; a change that old readers would misread raises it.
RECORDS_VERSION = 2

_FORMAT = "v2x-run"
_SCENARIO, _MANIFEST, _SUMMARY, _INDEX = (
    "scenario.yaml",
    "manifest.json",
    "summary.json",
    "records.json",
)
_ROW_GROUP_ROWS = 1 << 20
_ZSTD_LEVEL = 3
_RUN_AGAIN = "the folder is damaged; run the scenario again"
_DISTRIBUTIONS = ("v2x", "numpy", "scipy", "shapely", "simpy", "pyarrow")


class StoredRun(NamedTuple):
    """A run folder in memory."""

    records: RunRecords
    scenario_text: str
    manifest: dict[str, Any]
    summary: dict[str, Any]


def write_run(
    folder: str | Path,
    *,
    records: RunRecords,
    scenario_text: str,
    manifest: Mapping[str, Any],
    summary: Mapping[str, Any],
    attachments: Mapping[str, bytes] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a run folder, whole or not at all.

    Everything goes into a hidden sibling (``.NAME.*.partial``) that is renamed when complete,
    so a killed run leaves no folder that looks finished.

    Parameters
    ----------
    folder
        Where the run shall be. It may be absent or empty.
    records
        Tables and facts; tables that the run did not keep may be missing.
    scenario_text
        Resolved scenario, YAML.
    manifest, summary
        Ready for JSON, without NaN or infinity.
    attachments
        Further files of the run, plain name to content (for example the compiled map).
    overwrite
        Replace a former run folder, with everything in it. A folder that is neither empty nor
        a run folder is never touched.

    Returns
    -------
    Path
        The run folder, absolute.

    Raises
    ------
    V2XError
        If the place is taken or cannot be written.
    """
    target = Path(folder).resolve()
    _refuse_occupied(target, overwrite=overwrite)
    files = _text_files(records, scenario_text, manifest, summary)
    for name, content in (attachments or {}).items():
        if name in files or name != Path(name).name or name.endswith(".parquet"):
            raise ValueError(f"an attachment cannot be called {name!r}")
        files[name] = content
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(
            tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
        )
        try:
            complete = staging / "run"
            complete.mkdir()
            for name, table in records.tables.items():
                _write_table(complete / f"{name}.parquet", name, table)
            for name, content in files.items():
                (complete / name).write_bytes(content)
            _move_into_place(complete, target, former=staging / "former")
        finally:
            shutil.rmtree(staging)
    except OSError as error:
        raise V2XError(
            f"cannot write the run: {error}",
            file=str(folder),
            remedy="choose another folder",
        ) from error
    return target


def is_run_folder(folder: str | Path) -> bool:
    """Return whether `folder` holds a run of any version."""
    try:
        index = json.loads((Path(folder) / _INDEX).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(index, dict) and index.get("format") == _FORMAT


def read_run(folder: str | Path) -> StoredRun:
    """Read a run folder.

    Returns
    -------
    StoredRun
        A tuple (records, scenario text, manifest, summary); the columns are read-only.

    Raises
    ------
    V2XError
        If `folder` is not a run folder, was written with another version of the layout, or
        lacks one of its files.
    """
    root = Path(folder)
    if not is_run_folder(root):
        raise V2XError(
            "this is not a run folder" if root.is_dir() else "there is no such folder",
            file=str(folder),
            remedy="name a folder written by  v2x run … --out DIR",
        )
    index = _read_json(root / _INDEX)
    if index.get("version") != RECORDS_VERSION:
        raise V2XError(
            f"written with version {index.get('version')} of the run layout; "
            f"this program reads version {RECORDS_VERSION}",
            file=str(root / _INDEX),
            key="version",
            remedy="run the scenario again, or read it with the version named in manifest.json",
        )
    tables = {
        name: _read_table(root / f"{name}.parquet", name, n_rows)
        for name, n_rows in index["tables"].items()
    }
    return StoredRun(
        records=RunRecords(tables=tables, facts=index["facts"]),
        scenario_text=_read_bytes(root / _SCENARIO).decode(),
        manifest=_read_json(root / _MANIFEST),
        summary=_read_json(root / _SUMMARY),
    )


def manifest(*, seed: int, wall_s: float, scenario_text: str | None = None) -> dict[str, Any]:
    """Return what produced the run that ends now.

    Parameters
    ----------
    seed
        Seed of the run.
    wall_s
        Time the run took [s].
    scenario_text
        Resolved scenario, YAML; None if it is not known.

    Returns
    -------
    dict
        ``seed``, ``scenario_sha256`` (of the text, null without), ``finished`` (UTC),
        ``wall_s``, ``versions`` (of Python and of each
        distribution that can change a result, null if absent), ``commit`` and
        ``uncommitted_changes`` (null outside a checkout of this project), ``kernels`` (SHA-256
        of each compiled module the process has loaded) and ``machine`` (never its name).
    """
    commit, uncommitted = _commit()
    return {
        "seed": seed,
        "scenario_sha256": None
        if scenario_text is None
        else hashlib.sha256(scenario_text.encode("utf-8")).hexdigest(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": wall_s,
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in _DISTRIBUTIONS},
        },
        "commit": commit,
        "uncommitted_changes": uncommitted,
        "kernels": _kernel_digests(),
        "machine": {
            "cpu": _cpu_model(),
            "n_cpus": os.cpu_count(),
            "architecture": platform.machine(),
            "system": f"{platform.system()} {platform.release()}",
        },
    }


def _refuse_occupied(target: Path, *, overwrite: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise V2XError("this is a file", file=str(target), remedy="name a folder for the run")
    if not any(target.iterdir()):
        return
    if not is_run_folder(target):
        raise V2XError(
            "the folder is not empty and holds no run",
            file=str(target),
            remedy="choose another folder",
        )
    if not overwrite:
        raise V2XError(
            "the folder already holds a run",
            file=str(target),
            remedy="choose another folder or ask to overwrite it",
        )


def _move_into_place(complete: Path, target: Path, *, former: Path) -> None:
    """Rename `complete` to `target`; what was there goes to `former`, and back on failure."""
    if target.exists():
        target.rename(former)
    try:
        complete.rename(target)
    except BaseException:
        if former.exists():
            former.rename(target)
        raise


def _text_files(
    records: RunRecords,
    scenario_text: str,
    manifest: Mapping[str, Any],
    summary: Mapping[str, Any],
) -> dict[str, bytes]:
    index = {
        "format": _FORMAT,
        "version": RECORDS_VERSION,
        "tables": {name: len(table["replication"]) for name, table in records.tables.items()},
        "facts": dict(records.facts),
    }
    return {
        _SCENARIO: scenario_text.encode(),
        _MANIFEST: _to_json(manifest),
        _SUMMARY: _to_json(summary),
        _INDEX: _to_json(index),
    }


def _to_json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _write_table(path: Path, name: str, table: Table) -> None:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    if name not in SCHEMAS:
        raise ValueError(f"there is no table {name!r}; known: {sorted(SCHEMAS)}")
    check_table(name, table)
    fields = [
        pa.field(
            key,
            pa.from_numpy_dtype(column.dtype),
            nullable=False,
            metadata={"unit": column.unit, "meaning": column.meaning},
        )
        for key, column in SCHEMAS[name].items()
    ]
    schema = pa.schema(fields, metadata={"table": name, "records_version": str(RECORDS_VERSION)})
    # Every choice of the writer that shapes the bytes is pinned here.
    pq.write_table(
        pa.table([pa.array(table[field.name]) for field in fields], schema=schema),
        path,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        row_group_size=_ROW_GROUP_ROWS,
        use_dictionary=True,
        write_statistics=True,
    )


def _read_table(path: Path, name: str, n_rows: int) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if name not in SCHEMAS:
        raise V2XError(
            f"this program knows no table {name!r}",
            file=str(path),
            remedy="read it with the version named in manifest.json",
        )
    if not path.is_file():
        raise V2XError(f"the table {name!r} is missing", file=str(path), remedy=_RUN_AGAIN)
    try:
        content = pq.read_table(path, memory_map=False)
    except (pa.ArrowException, OSError) as error:
        raise V2XError(f"unreadable table: {error}", file=str(path), remedy=_RUN_AGAIN) from error
    table = {key: content.column(key).to_numpy() for key in content.column_names}
    try:
        check_table(name, table)
    except ValueError as error:
        raise V2XError(str(error), file=str(path), remedy=_RUN_AGAIN) from error
    if content.num_rows != n_rows:
        raise V2XError(
            f"{content.num_rows} rows, but {_INDEX} says {n_rows}",
            file=str(path),
            remedy=_RUN_AGAIN,
        )
    for values in table.values():
        values.flags.writeable = False
    return table


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise V2XError(
            f"cannot be read: {error.strerror or error}", file=str(path), remedy=_RUN_AGAIN
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_read_bytes(path))
    except ValueError as error:
        raise V2XError(f"not JSON: {error}", file=str(path), remedy=_RUN_AGAIN) from error
    if not isinstance(content, dict):
        raise V2XError("not a JSON object", file=str(path), remedy=_RUN_AGAIN)
    return content


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _commit() -> tuple[str | None, bool | None]:
    """Return the commit of the checkout this package runs from, and whether it was changed.

    An installed package may well lie in a virtual environment inside somebody's own
    repository; only a checkout whose root is the parent of the package is ours.
    """
    root = Path(v2x.__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None, None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD"), git("status", "--porcelain") != ""
    except (OSError, subprocess.CalledProcessError):
        return None, None


def _kernel_digests() -> dict[str, str]:
    digests = {}
    for name, module in sorted(sys.modules.items()):
        binary = getattr(module, "__file__", None)
        if name.startswith("v2x._kernels.") and binary and not binary.endswith(".py"):
            digests[name.rpartition(".")[2]] = hashlib.sha256(Path(binary).read_bytes()).hexdigest()
    return digests


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    except OSError:
        return platform.processor()
    return platform.processor()
