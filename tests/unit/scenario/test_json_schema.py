"""The JSON Schema knows what the loader knows."""

from __future__ import annotations

import json

import pytest

from v2x.scenario.binding import init_fields
from v2x.scenario.model import SCALARS, SECTIONS
from v2x.scenario.schema import json_schema
from v2x.scenario.strategies import choice_names, choice_params


@pytest.fixture
def schema(toys: object) -> dict:
    return json.loads(json.dumps(json_schema()))


def test_top_level_keys_are_all_there_and_no_others_allowed(schema: dict) -> None:
    assert set(schema["properties"]) == {*SCALARS, *(section.name for section in SECTIONS)}
    assert schema["additionalProperties"] is False


def test_a_section_of_plug_ins_takes_their_names_and_keys(schema: dict) -> None:
    by_name, listed = schema["properties"]["warnings"]["anyOf"]
    assert set(by_name["properties"]) == {"near", "plain"}
    keys, *_ = by_name["properties"]["near"]["anyOf"]
    assert keys["properties"]["near_m"]["default"] == 10.0
    assert listed["items"]["enum"] == ["near", "plain"]


@pytest.mark.parametrize(
    "section",
    [section for section in SECTIONS if not section.plugins],
    ids=lambda section: section.name,
)
def test_each_choice_has_a_variant_with_exactly_its_keys(schema: dict, section: object) -> None:
    content = schema["properties"][section.name]
    if section.choice is None:
        assert set(content["properties"]) == set(init_fields(section.params))
        return
    variants = {v["title"]: v for v in content["anyOf"] if "title" in v}
    assert sorted(variants) == choice_names(section.choice)
    for name, variant in variants.items():
        fixed = init_fields(section.params) if section.params else {}
        own = init_fields(choice_params(section.choice, name))
        assert set(variant["properties"]) == {section.choice.selector, *fixed, *own}
        assert variant["properties"][section.choice.selector] == {"const": name}
        must_be_named = section.choice.selector in variant.get("required", [])
        assert must_be_named == (name != section.choice.default)


def test_keys_carry_type_default_and_meaning(schema: dict) -> None:
    power = schema["properties"]["radio"]["properties"]["tx_power_dbm"]
    assert power["type"] == "number"
    assert power["default"] == 23.0
    assert "[dBm]" in power["description"]
    (access,) = (v for v in schema["properties"]["access"]["anyOf"] if v["title"] == "lte-mode4")
    assert access["properties"]["keep_probability"]["default"] == 0.8
    assert "TS 36.321" in access["properties"]["keep_probability"]["description"]
