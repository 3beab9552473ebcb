"""docs/messages_etsi.md names tests and modules that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs" / "messages_etsi.md").read_text("utf-8")


def test_tests_that_are_named_exist() -> None:
    named = re.findall(r"`((?:[\w/]+/)?test_\w+\.py)(?:::(test_\w+))?`", PAGE)
    assert len(named) > 30
    for file, function in named:
        path = ROOT / file if "/" in file else Path(__file__).parent / file
        assert f"def {function}" in path.read_text("utf-8"), (file, function)


def test_modules_that_are_named_exist() -> None:
    folder = ROOT / "v2x" / "messages" / "etsi"
    named = re.findall(r"`((?!test_)\w+\.py)`", PAGE)
    assert len(named) >= 7
    assert set(named) <= {file.name for file in folder.glob("*.py")}
