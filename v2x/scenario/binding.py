"""Values from YAML to frozen dataclasses, with every mistake found at once.

The type of each field is checked by pydantic in its strict JSON mode: text is no number, a
number is no truth value, a list becomes a tuple, infinity and NaN are refused. Ranges and
combinations are the business of the dataclass, whose ``__post_init__`` raises ValueError.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from v2x.errors import V2XError, nearest
from v2x.scenario.describe import default_of, type_in_words, words_of
from v2x.scenario.yaml_file import Document, KeyPath

T = TypeVar("T")

_STRICT = ConfigDict(strict=True, allow_inf_nan=False)
#: How a truth value is written that somebody wrote in another way.
_TRUTH = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}


class ScenarioError(V2XError):
    """Everything that is wrong with one scenario, a line each.

    Attributes
    ----------
    problems
        The mistakes, at least one.
    """

    def __init__(self, problems: Sequence[V2XError]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.message, file=first.file, key=first.key, remedy=first.remedy)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


@dataclass(slots=True)
class Problems:
    """The mistakes found in a document so far.

    Attributes
    ----------
    document
        Where the values, and the places of their keys, come from.
    found
        One error each, in the order of discovery.
    """

    document: Document
    found: list[V2XError] = field(default_factory=list)

    def add(self, path: KeyPath, message: str, remedy: str | None = None) -> None:
        """Note a mistake at `path`."""
        place = self.document.place(path)
        key = ".".join(path) or None
        self.found.append(V2XError(message, file=place, key=key, remedy=remedy))

    def raise_if_any(self) -> None:
        """Raise ScenarioError if a mistake was found."""
        if self.found:
            raise ScenarioError(self.found)


def init_fields(cls: type) -> dict[str, Field[Any]]:
    """Return the fields of dataclass `cls` that a scenario may set."""
    return {item.name: item for item in fields(cls) if item.init}


@cache
def adapter(hint: Any) -> TypeAdapter[Any]:
    """Return the checker of values annotated with `hint`, a type other than a dataclass."""
    return TypeAdapter(hint, config=_STRICT)


def bind(
    cls: type[T],
    values: Mapping[str, Any],
    path: KeyPath,
    problems: Problems,
    base: T | None = None,
) -> T | None:
    """Return a `cls` made of `values`, or None with the reasons noted in `problems`.

    Parameters
    ----------
    cls
        A dataclass.
    values
        Its fields by name; all must be known (:func:`refuse_unknown`).
    path
        Where the values are in the document.
    base
        Instance that provides the fields not given, instead of the defaults of `cls`.
    """
    before = len(problems.found)
    hints = get_type_hints(cls)
    arguments: dict[str, Any] = {}
    for name, item in init_fields(cls).items():
        default = default_of(item) if base is None else getattr(base, name)
        if name in values:
            arguments[name] = bind_value(
                hints[name], values[name], (*path, name), problems, default
            )
        elif default is not MISSING:
            arguments[name] = default
        else:
            problems.add((*path, name), "is missing", _how_to_write(cls, name))
    if len(problems.found) > before:
        return None
    try:
        return cls(**arguments)
    except ValueError as error:
        note_rejection(cls, error, path, problems)
        return None


def refuse_unknown(
    values: Iterable[str],
    known: Iterable[str],
    path: KeyPath,
    problems: Problems,
    *,
    hints: Mapping[str, str] | None = None,
) -> None:
    """Note each key of `values` that is not among `known`, with the nearest that is.

    `hints` holds better remedies for particular keys.
    """
    names = list(known)
    for name in values:
        if name not in names:
            problems.add(
                (*path, name), "unknown key", (hints or {}).get(name) or _advice(name, names)
            )


def _advice(name: str, names: list[str]) -> str:
    close = nearest(name, names)
    return f"did you mean {close!r}?" if close else f"known keys: {', '.join(names)}"


def bind_value(
    hint: Any, value: Any, path: KeyPath, problems: Problems, default: Any = MISSING
) -> Any:
    """Return `value` as the annotation `hint` wants it.

    What it returns after noting a problem must not be used. `default` is what the key has if
    it is not given; a nested dataclass takes from it the fields that `value` leaves out.
    """
    nested = dataclass_in(hint)
    if nested is not None:
        return _bind_nested(nested, hint, value, path, problems, default)
    if value == default == math.inf:
        return value  # "no limit" is a number where the default says so, and nowhere else
    try:
        return adapter(hint).validate_json(json.dumps(value))
    except ValidationError as error:
        finite = any(detail["type"] == "finite_number" for detail in error.errors())
        must_be = "a finite number" if finite else type_in_words(hint)
        problems.add(path, f"must be {must_be}, got {_shown(value)}", _nearest_word(hint, value))
        return None


def _bind_nested(
    nested: type, hint: Any, value: Any, path: KeyPath, problems: Problems, default: Any
) -> Any:
    if value is None and nested is not hint:
        return None
    if not isinstance(value, dict):
        problems.add(path, f"must be {type_in_words(hint)}, got {_shown(value)}")
        return None
    refuse_unknown(value, init_fields(nested), path, problems)
    known = {name: value[name] for name in value if name in init_fields(nested)}
    return bind(nested, known, path, problems, default if isinstance(default, nested) else None)


def dataclass_in(hint: Any) -> type | None:
    """Return the dataclass that `hint` is, alone or beside None."""
    for candidate in (hint, *get_args(hint)):
        if isinstance(candidate, type) and is_dataclass(candidate):
            return candidate
    return None


def _nearest_word(hint: Any, value: Any) -> str | None:
    """Return the remedy for a word that is not quite one of those that `hint` allows."""
    if hint is bool and str(value).lower() in _TRUTH:
        return f"write {_TRUTH[str(value).lower()]}"
    close = nearest(value, words_of(hint)) if isinstance(value, str) else None
    return f"did you mean {close!r}?" if close else None


def note_rejection(cls: type, error: ValueError, path: KeyPath, problems: Problems) -> None:
    """Note what ``__post_init__`` rejected at the field its message names first."""
    message = str(error)
    names = [word for word in re.findall(r"\w+", message) if word in init_fields(cls)]
    if not names:
        problems.add(path, message)
        return
    problems.add((*path, names[0]), message.removeprefix(f"{names[0]} "))


def _how_to_write(cls: type, name: str) -> str:
    return f"add '{name}: ...', {type_in_words(get_type_hints(cls)[name])}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    text = text if text.isprintable() else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
