"""Where scenario files are: named by path, or bundled with the package."""

from __future__ import annotations

from pathlib import Path

import v2x
from v2x.errors import V2XError, nearest

#: The scenario that ``v2x run`` runs if none is named.
DEFAULT_SCENARIO = "chongqing_expressways"


def find_scenario(scenario: str | Path) -> Path:
    """Return the file of a scenario given by path, or by the name of a bundled one.

    Raises
    ------
    V2XError
        If there is neither, with the nearest bundled name.
    """
    path = Path(scenario).expanduser()
    if path.is_file():
        return path
    if path.suffix not in (".yaml", ".yml") and not path.is_dir():
        return builtin_scenario(str(scenario))
    if path.is_dir():
        raise V2XError("is a folder", file=str(scenario), remedy="name a scenario file")
    close = _nearest_name(path.stem)
    remedy = f"there is a bundled scenario {close!r}" if close else None
    raise V2XError("there is no such file", file=str(scenario), remedy=remedy)


def builtin_scenario(name: str) -> Path:
    """Return the file of the bundled scenario `name`, such as ``"highway_3gpp"``.

    A scenario in a folder goes by its full name (``"validation/gonzalez_martin"``) or the last
    part of it.

    Raises
    ------
    V2XError
        If there is no such scenario, with the nearest name.
    """
    known = builtin_scenarios()
    short = {full.rpartition("/")[2]: file for full, file in known.items()}
    file = known.get(name) or short.get(name)
    if file is None:
        close = _nearest_name(name)
        remedy = f"did you mean {close!r}?" if close else f"bundled: {', '.join(sorted(known))}"
        raise V2XError(f"there is no file or bundled scenario {name!r}", remedy=remedy)
    return file


def builtin_scenarios() -> dict[str, Path]:
    """Return the bundled scenarios, name to file, sorted."""
    root = _bundled_folder()
    plans = root / "batches"  # of many runs
    files = sorted(file for file in root.rglob("*.yaml") if plans not in file.parents)
    return {file.relative_to(root).with_suffix("").as_posix(): file for file in files}


def _nearest_name(name: str) -> str | None:
    known = builtin_scenarios()
    return nearest(name, [*known, *(full.rpartition("/")[2] for full in known)])


def _bundled_folder() -> Path:
    """Return ``scenarios/`` of the checkout this package runs from, else of the package."""
    package = Path(v2x.__file__).resolve().parent
    checkout = package.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "scenarios").is_dir():
        return checkout / "scenarios"
    return package / "scenarios"
