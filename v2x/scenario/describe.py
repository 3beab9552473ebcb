"""What a parameter means: read from the docstring of the class that holds it.

The numpy-style ``Parameters`` (or ``Attributes``) section of a parameter class is the only
place where a key is explained; resolved scenarios, the JSON Schema and ``v2x list`` quote it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_SECTION = re.compile(r"^(Parameters|Attributes)\n-+\n(.*?)(?=^\S[^\n]*\n---|\Z)", re.M | re.S)
_ENTRY = re.compile(r"^(\w+(?:, *\w+)*)(?: *:.*)?$")
_UNIT = re.compile(r"\[(1/[^\]]+|[^\]\d][^\]]*)\]")
_SOURCE = re.compile(
    r"(?:3GPP )?(?:TS|TR) \d\d\.\d{3}[^,;()\[\]]*"
    r"|TS 10\d \d{3}(?: V[\d.]+\d)?(?: (?:[\d.]+\d|Annex \w))?"
    r"|(?:R1-\d+|ITU-R [\w.-]+|WINNER\+[ \w-]*|IEEE [\w .-]+|SAE J\d+(?:/\d+)?|MIIT \d+"
    r"|(?:GB/T|YD/T|T/CSAE|EN|DB50/T) [\d.-]+)"
)
# What has its value from nowhere else does not inherit the source of its class.
_UNSURE = re.compile(r"\b[Oo]urs\b|low confidence|medium confidence")
# Up to a unit, or to a full stop or semicolon that is not inside parentheses.
_FIRST_CLAUSE = re.compile(r"(?:\([^()]*\)|.)*?(?:\[[^\]\d][^\]]*\]|[.;](?=\s|$))")
_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a file name",
    NoneType: "null",
}
_PLURALS = {int: "whole numbers", float: "numbers", str: "names", Path: "file names"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDoc:
    """Documentation of one field.

    Attributes
    ----------
    text
        The whole text, on one line.
    unit
        What stands in brackets, such as "dBm"; "" if the text names no unit.
    source
        Standard or paper the text cites, with its clause; else the one that the first line of
        the class cites, unless the text calls the value ours or doubtful; "" if none.
    """

    text: str = ""
    unit: str = ""
    source: str = ""

    @property
    def brief(self) -> str:
        """First clause of the text, with the unit if it names one there."""
        match = _FIRST_CLAUSE.match(self.text)
        return (match.group(0) if match else self.text).rstrip(".;,")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterDoc:
    """One key of a scenario section, ready for a table or JSON.

    Attributes
    ----------
    name, type
        The key; the kind of value it takes, in words.
    required
        Whether it has no default.
    default
        Value if the key is not given; None also where a key is required.
    doc
        Meaning, unit and source.
    """

    name: str
    type: str
    required: bool
    default: Any
    doc: FieldDoc


def summary(cls: type) -> str:
    """Return the first line of the docstring of `cls`."""
    return (inspect.getdoc(cls) or "").partition("\n")[0]


def field_docs(cls: type) -> dict[str, FieldDoc]:
    """Return the documentation of each parameter that the docstrings of `cls` explain.

    Examples
    --------
    >>> from v2x.phy.radio import RadioParams
    >>> doc = field_docs(RadioParams)["noise_figure_db"]
    >>> doc.text, doc.unit, doc.source
    ('Receiver noise figure [dB].', 'dB', 'TR 36.885 Annex A and TR 37.885 6.1')
    """
    docs: dict[str, FieldDoc] = {}
    # What a class inherits is explained where it stands.
    texts = (inspect.cleandoc(base.__doc__ or "") for base in reversed(cls.__mro__))
    sections = ((doc, found) for doc in texts for _, found in _SECTION.findall(doc))
    for whole, section in sections:
        common = _SOURCE.search(whole.partition("\n")[0])
        for names, text in _entries(section):
            unit = _UNIT.search(text)
            source = _SOURCE.search(text) or (None if _UNSURE.search(text) else common)
            doc = FieldDoc(
                text=_plain(text),
                unit=unit.group(1) if unit else "",
                source=source.group(0).strip(" .") if source else "",
            )
            docs |= dict.fromkeys(names, doc)
    return docs


def parameter_docs(cls: type, defaults: Any = None, prefix: str = "") -> list[ParameterDoc]:
    """Return the keys that the parameter dataclass `cls` takes, in its order.

    Parameters
    ----------
    cls
        A dataclass; the fields of dataclasses nested in it get dotted names.
    defaults
        Instance that holds the defaults, instead of those of `cls`.
    prefix
        Put before each name.
    """
    docs = field_docs(cls)
    hints = get_type_hints(cls)
    result: list[ParameterDoc] = []
    for item in fields(cls):
        default = default_of(item) if defaults is None else getattr(defaults, item.name)
        if is_dataclass(default) and not isinstance(default, type):
            result += parameter_docs(type(default), default, f"{prefix}{item.name}.")
        elif item.init:
            result.append(
                ParameterDoc(
                    name=prefix + item.name,
                    type=type_in_words(hints[item.name]),
                    required=default is MISSING,
                    default=None if default is MISSING else default,
                    doc=docs.get(item.name, FieldDoc()),
                )
            )
    return result


def default_of(item: Field[Any]) -> Any:
    """Return the default of a field, or MISSING if it must be given."""
    return item.default if item.default_factory is MISSING else item.default_factory()


def type_in_words(hint: Any) -> str:
    """Return what a value annotated with `hint` must be, as a reader of YAML would say it.

    Examples
    --------
    >>> type_in_words(float | None), type_in_words(tuple[int, ...])
    ('a number or null', 'a list of whole numbers')
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(type_in_words(argument) for argument in arguments)
    if words_of(hint):
        return " or ".join(map(repr, words_of(hint)))
    if hint in _WORDS:
        return _WORDS[hint]
    if origin is None:
        return "a section" if is_dataclass(hint) else f"a {getattr(hint, '__name__', hint)}"
    return _container_in_words(origin, arguments)


def words_of(hint: Any) -> list[str]:
    """Return the words that `hint`, a Literal or an Enum, alone or beside others, allows."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return [str(member.value) for member in hint]
    if get_origin(hint) is Literal:
        return [str(argument) for argument in get_args(hint)]
    return [word for argument in get_args(hint) for word in words_of(argument)]


def _container_in_words(origin: Any, arguments: tuple[Any, ...]) -> str:
    words = [_PLURALS.get(argument, type_in_words(argument)) for argument in arguments]
    if issubclass(origin, Mapping):
        return f"a mapping of {words[0]} to {words[1]}"
    if len(words) == 1 or arguments[1:] == (Ellipsis,):
        return f"a list of {words[0]}"
    return f"a list of {len(words)} values ({', '.join(map(type_in_words, arguments))})"


def _plain(text: str) -> str:
    """Return docstring text without its markup."""
    short = re.sub(r":\w+:`~[\w.]*?(\w+)`", r"\1", text)
    return re.sub(r":\w+:`([^`]*)`", r"\1", short).replace("`", "")


def _entries(section: str) -> Iterator[tuple[list[str], str]]:
    """Yield the names and the joined text of each entry of a docstring section."""
    names: list[str] = []
    lines: list[str] = []
    for line in section.splitlines():
        match = _ENTRY.match(line)
        if match and not line.startswith(" "):
            if names:
                yield names, " ".join(lines)
            names, lines = [name.strip() for name in match.group(1).split(",")], []
        elif line.strip():
            lines.append(line.strip())
    if names:
        yield names, " ".join(lines)
