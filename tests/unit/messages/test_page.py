"""docs/messages.md names tests and modules that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "messages.md").read_text("utf-8")


def test_tests_that_are_named_exist() -> None:
    folder = ROOT / "tests" / "unit" / "messages"
    named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", PAGE)
    assert len(named) > 20
    for file, function in named:
        text = (folder / file).read_text("utf-8")
        assert f"def {function}" in text, (file, function)


def test_modules_that_are_named_exist() -> None:
    folder = ROOT / "v2x" / "messages"
    named = set(re.findall(r"`((?!test_)\w+\.py)`", PAGE))
    assert len(named) > 10
    assert named - {file.name for file in folder.rglob("*.py")} == set()
    for module, function in re.findall(r"`(\w+)\.((?!py`)\w+)`", PAGE):
        file = folder / f"{module}.py"
        if file.is_file():
            assert re.search(rf"^(?:def|class) {function}\b|^{function} = ", file.read_text(), re.M)
