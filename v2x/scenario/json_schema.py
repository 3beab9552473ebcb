"""JSON Schema of scenario files, for editors that complete and check keys."""

from __future__ import annotations

import json
import logging
from dataclasses import MISSING
from typing import Any, get_type_hints

from v2x import registry
from v2x.errors import V2XError
from v2x.scenario.binding import adapter, dataclass_in, init_fields
from v2x.scenario.describe import default_of, field_docs, summary
from v2x.scenario.model import SCALARS, SECTIONS, Choice, Scenario, Section
from v2x.scenario.strategies import choice_names, choice_params, plugin_params

JsonObject = dict[str, Any]

_log = logging.getLogger(__name__)


def json_schema() -> JsonObject:
    """Return the JSON Schema (draft 2020-12) of scenario files, all plug-ins included."""
    properties = {name: schema for name, schema in _properties(Scenario).items() if name in SCALARS}
    properties |= {section.name: _section_schema(section) for section in SECTIONS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "v2x scenario",
        "description": summary(Scenario),
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _section_schema(section: Section) -> JsonObject:
    if section.plugins:
        return _plugins_schema(section)
    fixed = _properties(section.params) if section.params else {}
    required = _required(section.params) if section.params else []
    if section.choice is None:
        return _object(fixed, required) | {"description": summary(section.params or Scenario)}
    variants = []
    for name in choice_names(section.choice):
        try:
            variants.append(_variant(section.choice, name, fixed, required))
        except V2XError as error:  # a broken plug-in must not hide the others
            _log.warning("left out: %s", error)
    if section.choice.default is None:
        none = {section.choice.selector: {"type": "null"}}
        variants.insert(0, _object(none | fixed, required))
    description = field_docs(Scenario)[section.name].text
    return {"description": description, "anyOf": variants}


def _plugins_schema(section: Section) -> JsonObject:
    """Return the schema of a section whose keys are names of plug-ins."""
    properties: JsonObject = {}
    for name in registry.names(section.plugins):
        try:
            params = plugin_params(section.plugins, name)
        except V2XError as error:  # a broken plug-in must not hide the others
            _log.warning("left out: %s", error)
            continue
        keys = _object(_properties(params), _required(params)) | {"description": summary(params)}
        properties[name] = {"anyOf": [keys, {"type": "null"}, {"const": False}]}
    listed = {"type": "array", "items": {"enum": sorted(properties)}, "uniqueItems": True}
    description = field_docs(Scenario)[section.name].text
    return {"description": description, "anyOf": [_object(properties, []), listed]}


def _variant(choice: Choice, name: str, fixed: JsonObject, required: list[str]) -> JsonObject:
    params = choice_params(choice, name)
    properties = {choice.selector: {"const": name}, **fixed, **_properties(params)}
    needed = [*required, *_required(params)]
    if name != choice.default:
        needed.insert(0, choice.selector)
    return _object(properties, needed) | {"title": name, "description": summary(params)}


def _object(properties: JsonObject, required: list[str]) -> JsonObject:
    schema: JsonObject = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }
    return schema | {"required": required} if required else schema


def _properties(cls: type, defaults: Any = None) -> JsonObject:
    """Return the schema of each field; `defaults` is an instance that holds the defaults."""
    hints, docs = get_type_hints(cls), field_docs(cls)
    properties = {}
    for name, item in init_fields(cls).items():
        default = default_of(item) if defaults is None else getattr(defaults, name)
        properties[name] = _field_schema(hints[name], default)
        if name in docs:
            properties[name]["description"] = docs[name].text
    return properties


def _field_schema(hint: Any, default: Any) -> JsonObject:
    nested = dataclass_in(hint)
    if nested is not None:
        known = isinstance(default, nested)
        return _object(
            _properties(nested, default if known else None), [] if known else _required(nested)
        )
    schema = adapter(hint).json_schema()
    if default is not MISSING:
        schema["default"] = json.loads(adapter(hint).dump_json(default))
    return schema


def _required(cls: type) -> list[str]:
    return [
        name
        for name, item in init_fields(cls).items()
        if item.default is MISSING and item.default_factory is MISSING
    ]
