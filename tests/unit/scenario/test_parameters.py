"""Every parameter of every strategy and section is explained, with its unit and its source."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from v2x import registry
from v2x.cli.scenarios import list_
from v2x.scenario.describe import ParameterDoc, field_docs
from v2x.scenario.strategies import list_sections, list_strategies

#: Ends of names that say a dimension. Resource blocks, symbols, bytes of a packet and indices
#: are counts.
DIMENSION = re.compile(
    r"_(m|m2|km|mm|us|ms|s|hz|khz|mhz|ghz|db|dbm|dbi|mps|mps2|kmh|deg|rad|percent|ppm|kg|w|slots"
    r"|bytes|mbps|per_km|per_s|per_100m)$|^(per_km)$"
)
#: Sections whose values come from standards; what does not must call itself ours or doubtful.
NORMATIVE = ("access", "congestion", "radio", "phy")
DOUBTFUL = re.compile(r"\b[Oo]urs\b|(low|medium) confidence")
#: Switches of the simulator itself, which no standard knows.
SWITCHES = {
    "phy.error_curve",
    "phy.sensitivity_dbm",
    "phy.control_decoding",
    "phy.sci2_errors",
}


def documented() -> Iterator[tuple[str, ParameterDoc]]:
    for strategy in list_strategies():
        for parameter in strategy.parameters:
            yield f"{strategy.section}[{strategy.name}].{parameter.name}", parameter
    for section in list_sections():
        for parameter in section.parameters:
            yield f"{section.section}.{parameter.name}", parameter


PARAMETERS = dict(documented())


def test_there_are_many() -> None:
    """The lists below would be empty, and the tests pass, if nothing were found."""
    assert len(PARAMETERS) > 300
    sections = {re.split(r"[\[.]", key)[0] for key in PARAMETERS}
    assert {"access", "congestion", "channel", "traffic", "messages", "radio", "phy"} <= sections


def test_every_parameter_is_explained() -> None:
    assert [key for key, parameter in PARAMETERS.items() if not parameter.doc.text] == []


def test_every_quantity_has_a_unit() -> None:
    missing = [
        key
        for key, parameter in PARAMETERS.items()
        if "number" in parameter.type
        and DIMENSION.search(parameter.name)
        and not parameter.doc.unit
    ]
    assert missing == []


def test_every_normative_parameter_has_a_source() -> None:
    missing = [
        key
        for key, parameter in PARAMETERS.items()
        if key.startswith(NORMATIVE)
        and key not in SWITCHES
        and not parameter.doc.source
        and not DOUBTFUL.search(parameter.doc.text)
    ]
    assert missing == []


def test_the_list_of_switches_is_not_too_long() -> None:
    for key in SWITCHES:
        assert key in PARAMETERS
        assert not PARAMETERS[key].doc.source


@pytest.mark.parametrize("group", registry.GROUPS)
def test_json_lists_every_plug_in_of_every_group(group: str) -> None:
    result = CliRunner().invoke(list_, ["--json"])
    assert result.exit_code == 0
    content = json.loads(result.stdout)
    listed = {s["name"]: s for s in content["strategies"] if s["group"] == group}
    assert sorted(listed) == registry.names(group)
    for strategy in listed.values():
        assert strategy["summary"]
        for parameter in strategy["parameters"]:
            assert set(parameter) == {"name", "type", "required", "default", "doc"}
            assert set(parameter["doc"]) == {"text", "unit", "source"}
            assert parameter["doc"]["text"]
    assert {s["section"] for s in content["sections"]} >= {"radio", "phy", "records", "obstacles"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """Values of a class that cites its source (SAE J2945/1).

    Parameters
    ----------
    plain
        Has it from there [1/km].
    other
        Has another (TS 102 687 V1.2.1 5.4).
    doubtful
        Has none; low confidence.
    own
        Ours.
    """

    plain: float = 0.0
    other: float = 0.0
    doubtful: float = 0.0
    own: float = 0.0


def test_a_parameter_inherits_the_source_of_its_class_unless_it_is_ours() -> None:
    docs = field_docs(Sourced)
    assert {name: doc.source for name, doc in docs.items()} == {
        "plain": "SAE J2945/1",
        "other": "TS 102 687 V1.2.1 5.4",
        "doubtful": "",
        "own": "",
    }
    assert docs["plain"].unit == "1/km"
