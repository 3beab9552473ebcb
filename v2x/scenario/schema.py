"""Scenario files: load them, with every mistake named, and write them out in full.

A scenario is a YAML file of sections whose keys are the fields of the parameter classes in
:mod:`v2x.scenario.model`. In a section with strategies one key (``type``, or ``pathloss`` and
``synthetic``) picks a class by name, and the other keys are the parameters of that class.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from v2x import registry
from v2x.errors import V2XError
from v2x.scenario.binding import (
    Problems,
    ScenarioError,
    bind,
    bind_value,
    init_fields,
    note_rejection,
    refuse_unknown,
)
from v2x.scenario.dump import dump_scenario
from v2x.scenario.json_schema import json_schema
from v2x.scenario.library import builtin_scenario, find_scenario
from v2x.scenario.model import (
    SCALARS,
    SECTIONS,
    PluginChoice,
    Scenario,
    Section,
    WorldParams,
)
from v2x.scenario.strategies import choice_names, choice_params, plugin_params
from v2x.scenario.yaml_file import Document, KeyPath, parse_value, read_document
from v2x.world.elevation import SURFACES

__all__ = [
    "PluginChoice",
    "Scenario",
    "ScenarioError",
    "WorldParams",
    "builtin_scenario",
    "dump_scenario",
    "json_schema",
    "load_scenario",
]

_log = logging.getLogger(__name__)

#: Place of a key that was set on the command line.
OVERRIDE = "--set"


def load_scenario(
    scenario: str | Path,
    overrides: Sequence[tuple[str, str]] = (),
    *,
    folder: Path | None = None,
) -> Scenario:
    """Return the scenario in a file, or the bundled one of that name.

    Parameters
    ----------
    scenario
        Path of a YAML file, or name of a bundled scenario.
    overrides
        Dotted keys and their new values as YAML text, applied in order, such as
        ``("access.keep_probability", "0.4")``. A key that excludes another of the file
        (``traffic.n_vehicles`` and ``density_per_km``) replaces it. When a strategy is
        changed, keys of the file that only the former one had are dropped with a warning.
    folder
        What names of files in `overrides` are relative to; the current folder if not given.

    Returns
    -------
    Scenario
        With every default filled in and file names absolute.

    Raises
    ------
    ScenarioError
        With every mistake of the file and the overrides, each with its file, line and key.
    V2XError
        If there is no such file or it is not YAML.
    """
    path = find_scenario(scenario)
    document = read_document(path)
    problems = Problems(document)
    former = {section.name: _written_choice(section, document) for section in SECTIONS}
    _apply_overrides(overrides, document, problems)
    names = [*SCALARS, *(section.name for section in SECTIONS)]
    refuse_unknown(document.data, names, (), problems)

    arguments = _bind_scalars(document, problems)
    arguments.setdefault("name", path.stem)
    for section in SECTIONS:
        binder = _SectionBinder(section, document, problems, path.parent, folder or Path.cwd())
        arguments |= binder.bind(former[section.name])
    problems.raise_if_any()
    try:
        return Scenario(**arguments, source=path)
    except ValueError as error:
        note_rejection(Scenario, error, (), problems)
        raise ScenarioError(problems.found) from error


def _bind_scalars(document: Document, problems: Problems) -> dict[str, Any]:
    hints = get_type_hints(Scenario)
    return {
        name: bind_value(hints[name], document.data[name], (name,), problems)
        for name in SCALARS
        if name in document.data
    }


def _written_choice(section: Section, document: Document) -> str | None:
    """Return the strategy that the file itself picks for a section."""
    values = document.data.get(section.name)
    if section.choice is None:
        return None
    written = values.get(section.choice.selector) if isinstance(values, dict) else None
    return written if isinstance(written, str) else section.choice.default


def _apply_overrides(
    overrides: Sequence[tuple[str, str]], document: Document, problems: Problems
) -> None:
    for key, text in overrides:
        path = tuple(key.split("."))
        try:
            if not all(name.isprintable() and name for name in path):
                raise V2XError(
                    f"{key!r} is not a key", file=OVERRIDE, remedy="write section.key=value"
                )
            document.put(path, parse_value(text, OVERRIDE, key), OVERRIDE)
        except V2XError as error:
            problems.found.append(error)
            continue
        _replace_alternatives(path, document)


def _replace_alternatives(path: KeyPath, document: Document) -> None:
    for section in SECTIONS:
        if path[0] == section.name and len(path) == 2:
            for other in section.replaces.get(path[1], ()):
                if document.place((section.name, other)) != OVERRIDE:
                    document.remove((section.name, other))


@dataclass(slots=True)
class _SectionBinder:
    """Turns one section of a document into fields of the scenario."""

    section: Section
    document: Document
    problems: Problems
    base: Path
    overrides_base: Path

    def bind(self, former: str | None) -> dict[str, Any]:
        """Return the scenario fields of the section; `former` is the file's own choice."""
        if self.section.plugins:
            return {self.section.name: self._plugins()}
        values = self._values()
        if values is None:
            return {}
        fixed, choice = self.section.params, self.section.choice
        name, chosen, certain = self._chosen(values) if choice else (None, None, True)
        known = self._known(fixed, chosen)
        if certain:
            if choice and former != name:
                self._drop_keys_of(former, values, known)
            remedies = {key: self._owner(key) for key in values if key not in known}
            refuse_unknown(values, known, self._path, self.problems, hints=remedies)
        result: dict[str, Any] = {}
        if fixed is not None:
            result[self.section.name] = self._bind_class(fixed, values)
        if choice and name is not None and chosen is not None:
            params = self._bind_class(chosen, values)
            result[choice.target] = PluginChoice(type=name, params=params)
        return result

    def _plugins(self) -> tuple[PluginChoice, ...]:
        """Return the plug-ins of a section that names any number of them, sorted by name."""
        values = self.document.data.get(self.section.name)
        if isinstance(values, list) and all(isinstance(name, str) for name in values):
            values = dict.fromkeys(values)
        if values is None:
            return ()
        if not isinstance(values, dict):
            known = ", ".join(registry.names(self.section.plugins))
            self.problems.add(self._path, f"must hold any of {known}, each with its keys")
            return ()
        chosen = [self._plugin(name, values[name]) for name in sorted(values)]
        return tuple(item for item in chosen if item is not None)

    def _plugin(self, name: str, given: Any) -> PluginChoice | None:
        """Return one plug-in; null stands for its defaults, false leaves it out."""
        if given is False:
            return None
        path = (*self._path, name)
        if not (given is None or isinstance(given, dict)):
            self.problems.add(path, "must be a section, null for its defaults, or false for none")
            return None
        place = {"file": self.document.place(path), "key": ".".join(path)}
        try:
            cls = plugin_params(self.section.plugins, name, **place)
        except V2XError as error:
            self.problems.found.append(error)
            return None
        values = {} if given is None else given
        refuse_unknown(values, init_fields(cls), path, self.problems)
        known = {key: values[key] for key in values if key in init_fields(cls)}
        return PluginChoice(type=name, params=bind(cls, known, path, self.problems))

    @property
    def _path(self) -> KeyPath:
        return (self.section.name,)

    def _values(self) -> dict[str, Any] | None:
        values = self.document.data.get(self.section.name)
        if values is None:
            return {}
        if not isinstance(values, dict):
            keys = ", ".join(self._known(self.section.params, None))
            self.problems.add(self._path, f"must be a section with keys such as {keys}")
            return None
        return dict(values)

    def _chosen(self, values: Mapping[str, Any]) -> tuple[str | None, type | None, bool]:
        """Return the strategy's name and parameter class, and whether the choice was valid."""
        assert self.section.choice is not None
        choice = self.section.choice
        path = (*self._path, choice.selector)
        name = values.get(choice.selector, choice.default)
        if name is None and choice.default is None:
            return None, None, True
        if not isinstance(name, str):
            known = ", ".join(choice_names(choice))
            self.problems.add(path, f"must be one of {known}, got {name!r}")
            return None, None, False
        place = {"file": self.document.place(path), "key": ".".join(path)}
        try:
            return name, choice_params(choice, name, **place), True
        except V2XError as error:
            self.problems.found.append(error)
            return None, None, False

    def _known(self, fixed: type | None, chosen: type | None) -> list[str]:
        selector = [self.section.choice.selector] if self.section.choice else []
        names = [name for cls in (fixed, chosen) if cls for name in init_fields(cls)]
        return [*selector, *names]

    def _drop_keys_of(self, former: str | None, values: dict[str, Any], known: list[str]) -> None:
        """Drop the file's keys of a strategy that the command line replaced, with a warning."""
        assert self.section.choice is not None
        if former is None:
            return
        try:
            stale = init_fields(choice_params(self.section.choice, former))
        except V2XError:  # the file's strategy does not exist, so no key can be its own
            return
        for key in [key for key in values if key in stale and key not in known]:
            place = self.document.place((*self._path, key))
            if place != OVERRIDE:
                _log.warning("%s: %s.%s: ignored, only %r has it", place, *self._path, key, former)
                del values[key]

    def _owner(self, key: str) -> str:
        """Return the remedy for a key that belongs to another strategy, "" if none has it."""
        choice = self.section.choice
        for name in choice_names(choice) if choice else ():
            with contextlib.suppress(V2XError):  # a broken plug-in must not hide the mistake
                if choice and key in init_fields(choice_params(choice, name)):
                    return f"it is a key of {choice.selector} {name!r}"
        return ""

    def _bind_class(self, cls: type, values: Mapping[str, Any]) -> Any:
        own = {name: values[name] for name in init_fields(cls) if name in values}
        for name, item in init_fields(cls).items():
            if item.metadata.get("file") and isinstance(own.get(name), str):
                own[name] = self._file_name(own[name], (*self._path, name))
        return bind(cls, own, self._path, self.problems)

    def _file_name(self, written: str, path: KeyPath) -> str:
        """Return the absolute form of a file name, or the name of something built in as it is."""
        place = self.document.place(path)
        if path == ("world", "map") and "/" not in written and "." not in written:
            return self._built_in_map(written, path)
        if path == ("world", "elevation") and written in SURFACES:
            return written
        base = self.overrides_base if place == OVERRIDE else self.base
        file = (base / Path(written).expanduser()).resolve()
        if not file.is_file():
            self.problems.add(path, f"there is no file {str(file)!r}")
        return str(file)

    def _built_in_map(self, name: str, path: KeyPath) -> str:
        from v2x.world.store import builtin_map

        try:
            builtin_map(name)
        except V2XError as error:
            self.problems.add(path, error.message, error.remedy)
        return name
