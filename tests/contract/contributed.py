"""The access technology that CONTRIBUTING.md shows, taken from its text."""

from __future__ import annotations

import re
import sys
import tomllib
import types
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from v2x import registry

GUIDE = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"
GROUP = "v2x.access"


def blocks(language: str) -> list[str]:
    """Return the code blocks of the section on access technologies."""
    section = GUIDE.read_text("utf-8").split("\n## Adding an access technology\n")[1]
    return re.findall(rf"```{language}\n(.*?)```", section.split("\n## ")[0], re.S)


@cache
def entry_point() -> EntryPoint:
    """Return the plug-in as the guide registers it; its module is made of the guide's code."""
    (code,), (table,) = blocks("python"), blocks("toml")
    ((name, value),) = tomllib.loads(table)["project"]["entry-points"][GROUP].items()
    module = types.ModuleType(value.partition(":")[0])
    sys.modules[module.__name__] = module  # where the entry point, and dataclasses, look for it
    exec(compile(code, str(GUIDE), "exec"), module.__dict__)
    return EntryPoint(name, value, GROUP)


def register(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put the plug-in beside what is installed, for one test; returns its name."""
    entry = entry_point()
    known = registry._entries
    entries = known(GROUP) | {entry.name: entry}
    monkeypatch.setattr(
        registry, "_entries", lambda group: entries if group == GROUP else known(group)
    )
    return entry.name
