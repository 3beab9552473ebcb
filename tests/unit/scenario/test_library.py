"""Scenarios found by path and by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from v2x.errors import V2XError
from v2x.scenario.library import (
    DEFAULT_SCENARIO,
    builtin_scenario,
    builtin_scenarios,
    find_scenario,
)


def test_the_default_scenario_is_bundled() -> None:
    assert builtin_scenario(DEFAULT_SCENARIO).is_file()


@pytest.mark.parametrize("name", ["validation/gonzalez_martin", "gonzalez_martin"])
def test_a_scenario_in_a_folder_has_a_short_name(name: str) -> None:
    assert builtin_scenario(name).parts[-2:] == ("validation", "gonzalez_martin.yaml")


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(V2XError, match="did you mean 'highway_3gpp'"):
        find_scenario("highway-3gp")
    with pytest.raises(V2XError, match=r"bundled: .*chongqing_expressways, .*"):
        find_scenario("zzz")


def test_a_missing_file_is_not_replaced_by_a_bundled_one(tmp_path: Path) -> None:
    with pytest.raises(V2XError, match="there is a bundled scenario 'highway_3gpp'"):
        find_scenario(tmp_path / "highway_3gpp.yaml")
    with pytest.raises(V2XError, match=r"no such file$"):
        find_scenario(tmp_path / "zzz.yaml")


def test_a_file_comes_first_and_a_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "highway_3gpp").write_text("name: mine\n")
    assert find_scenario("highway_3gpp") == Path("highway_3gpp")
    with pytest.raises(V2XError, match="is a folder"):
        find_scenario(tmp_path)


def test_every_bundled_scenario_opens_with_its_question_finding_and_time() -> None:
    for name, file in builtin_scenarios().items():
        comment = [
            line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#")
        ]
        for word in ("Question:", "Expected:", "Run time:"):
            assert any(word in line for line in comment), f"{name} does not state {word}"
