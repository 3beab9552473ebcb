"""Resolved scenarios as YAML: every key, its value, and what it means."""

from __future__ import annotations

import math
import os
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from v2x.scenario.binding import init_fields
from v2x.scenario.describe import FieldDoc, field_docs
from v2x.scenario.model import SCALARS, SECTIONS, PluginChoice, Scenario, Section
from v2x.scenario.yaml_file import parse_value

_PLAIN = re.compile(r"[A-Za-z./][\w./+-]*(?: [\w./+-]+)*", re.A)
_COMMENT_COLUMN = 40
_LINE_LENGTH = 100


def dump_scenario(scenario: Scenario, *, folder: Path | None = None) -> str:
    """Return `scenario` as YAML with every default filled in.

    Parameters
    ----------
    scenario
        What to write.
    folder
        Where the text will be kept: names of files become relative to it. None leaves them
        absolute.

    Returns
    -------
    str
        The same text for equal scenarios; loading it gives an equal scenario.
    """
    lines = [f"# Scenario {scenario.name} with every default filled in.", ""]
    docs = field_docs(Scenario)
    lines += [_line(name, getattr(scenario, name), docs.get(name)) for name in SCALARS]
    for section in SECTIONS:
        entries = list(_entries(scenario, section, folder))
        lines += ["", f"{section.name}:" if entries else f"{section.name}: {{}}"]
        for name, value, doc in entries:
            lines += _lines(name, value, doc, "  ")
    return "\n".join(lines) + "\n"


def _entries(
    scenario: Scenario, section: Section, folder: Path | None
) -> Iterator[tuple[str, Any, FieldDoc | None]]:
    """Yield key, value and meaning of each line of a section."""
    if section.plugins:
        for item in getattr(scenario, section.name):
            yield item.type, item.params, None
        return
    choice = section.choice
    picked: PluginChoice | None = getattr(scenario, choice.target) if choice else None
    if choice:
        yield choice.selector, picked.type if picked else None, None
    if section.params is not None:
        yield from _fields(getattr(scenario, section.name), folder)
    if picked:
        yield from _fields(picked.params, folder)


def _fields(params: Any, folder: Path | None) -> Iterator[tuple[str, Any, FieldDoc | None]]:
    docs = field_docs(type(params))
    for name, item in init_fields(type(params)).items():
        value = getattr(params, name)
        if item.metadata.get("file") and folder is not None and _is_path(value):
            value = Path(os.path.relpath(value, folder)).as_posix()
        yield name, value, docs.get(name)


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and Path(value).is_absolute()


def _lines(name: str, value: Any, doc: FieldDoc | None, indent: str) -> list[str]:
    """Return the line of a key, or the lines of a nested section."""
    if not is_dataclass(value):
        return [_line(name, value, doc, indent)]
    if not init_fields(type(value)):
        return [f"{indent}{name}: {{}}"]
    head = f"{indent}{name}:"
    lines = [f"{head:<{_COMMENT_COLUMN}}  # {doc.brief}" if doc and doc.brief else head]
    for inner, inner_value, inner_doc in _fields(value, None):
        lines += _lines(inner, inner_value, inner_doc, indent + "  ")
    return lines


def _line(name: str, value: Any, doc: FieldDoc | None, indent: str = "") -> str:
    """Return a key, its value and a comment: beside it if it fits, else above."""
    text = f"{indent}{name}: {yaml_text(value)}"
    if doc is None:
        return text
    # What null stands for comes late in most explanations.
    meaning = doc.text if value is None else doc.brief
    beside = f"{text:<{_COMMENT_COLUMN}}  # {meaning}"
    if not meaning or len(beside) <= _LINE_LENGTH:
        return beside if meaning else text
    start = f"{indent}# "
    above = textwrap.fill(meaning, _LINE_LENGTH, initial_indent=start, subsequent_indent=start)
    return f"{above}\n{text}"


def yaml_text(value: Any) -> str:
    """Return `value` as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(k)}: {yaml_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(yaml_text(item) for item in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value == math.inf:
        return ".inf"
    if isinstance(value, (int, float)):
        return repr(value)
    return _text(str(value))


def _text(text: str) -> str:
    """Return text as a YAML scalar, quoted only where it could be read as something else."""
    if _PLAIN.fullmatch(text) and parse_value(text, "", "") == text:
        return text
    escaped = "".join(_escape(character) for character in text)
    return f'"{escaped}"'


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character == " " or (character.isprintable() and not character.isspace()):
        return character
    return f"\\U{ord(character):08x}"
