"""Strategies found by name through entry points.

Built-in strategies and those of other distributions come through the same door: an entry
point in one of :data:`GROUPS`. A strategy is a class with a nested or attached ``Params``
type, a frozen dataclass whose fields are the keys a scenario may set.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from v2x.errors import V2XError, unknown_name

GROUPS = (
    "v2x.access",
    "v2x.congestion",
    "v2x.channel",
    "v2x.mobility",
    "v2x.applications",
    "v2x.warnings",
    "v2x.services",
    "v2x.attacks",
)


@cache
def _entries(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}


def names(group: str) -> list[str]:
    """Return the names of the strategies of a group, sorted."""
    return sorted(_entries(group))


def load(group: str, name: str, *, file: str | None = None, key: str | None = None) -> Any:
    """Return the class registered as `name`.

    Raises
    ------
    V2XError
        If there is no such name, with the nearest one; or if its module fails to import.
    """
    entry = _entries(group).get(name)
    if entry is None:
        raise unknown_name(group.removeprefix("v2x."), name, _entries(group), file=file, key=key)
    try:
        return entry.load()
    except Exception as error:  # whatever a stranger's module raises while it is imported
        raise V2XError(
            f"plug-in {name!r} ({entry.value}) cannot be loaded: {error}",
            file=file,
            key=key,
            remedy="install the distribution that provides it again",
        ) from error
