"""The list of clauses in docs/clauses.md names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLAUSES = ROOT / "docs" / "clauses.md"
PAGES = (
    "mode4.md",
    "nr_mode2.md",
    "nr_feedback.md",
    "nr_release17.md",
    "scheduled.md",
    "ieee80211p.md",
    "congestion.md",
    "network.md",
    "security.md",
)
_NODE = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def rows() -> list[tuple[str, list[str]]]:
    """Return heading and cells of each row of the tables, without their heads."""
    found: list[tuple[str, list[str]]] = []
    heading = ""
    lines = CLAUSES.read_text("utf-8").splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("| ") and not line.startswith("| ---"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if before.startswith("|"):
                found.append((heading, cells))
    return found


@cache
def names_in(file: str) -> frozenset[str]:
    """Return the names of the test functions of a file below tests/."""
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def test_every_row_names_tests_and_nothing_else() -> None:
    found = rows()
    assert len(found) > 80
    for heading, cells in found:
        named = _NODE.findall(cells[-1])
        assert named, (heading, cells)
        assert re.sub(r"[`, ]", "", _NODE.sub("", cells[-1])) == "", (heading, cells[-1])
        assert all(cells), (heading, cells)


def test_every_test_named_exists() -> None:
    missing = [
        f"{file}::{name}"
        for _, cells in rows()
        for file, name in _NODE.findall(cells[-1])
        if not (ROOT / "tests" / file).is_file() or name not in names_in(file)
    ]
    assert missing == []


@pytest.mark.parametrize(
    "words",
    [
        ("RIV", "22; 38"),
        ("TRIV", "7; 214; 210"),
        ("LTE transport blocks", "1544; 1544; 16; 328 bits"),
        ("NR transport block, small", "2280 bits"),
        ("NR transport block, large", "4992 bits"),
        ("knife edge", "table"),
        ("path loss", "table"),
        ("zone", "192"),
        ("mean of the reselection counter", "10, 20, 50"),
    ],
)
def test_every_vector_of_the_reference_is_listed(words: tuple[str, str]) -> None:
    vectors = [cells for heading, cells in rows() if heading == "Test vectors"]
    assert [cells for cells in vectors if cells[0].startswith(words[0]) and cells[1] == words[1]]


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_the_technologies_are_linked_and_name_tests_that_exist(page: str) -> None:
    """A path there is below tests/, tests/unit/ or tests/unit/access/."""
    assert f"({page})" in CLAUSES.read_text("utf-8")
    text = (ROOT / "docs" / page).read_text("utf-8")
    named = set(re.findall(r"`((?:[\w]+/)*test_\w+\.py)", text))
    bases = [ROOT, ROOT / "tests", ROOT / "tests/unit", ROOT / "tests/unit/access"]
    bases += [ROOT / "tests/unit/access/congestion"]
    assert [name for name in named if not any((base / name).is_file() for base in bases)] == []
