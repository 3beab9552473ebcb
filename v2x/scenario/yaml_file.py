"""YAML text to plain values, remembering the place of every key.

Scenario files are YAML 1.2 without its traps: ``yes`` is text, a key may appear once only,
and anchors, aliases and custom tags are refused, so a small file cannot unfold into a huge one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from v2x.errors import V2XError

#: Names from the top of the document down to a value; list items have their index as text.
KeyPath: TypeAlias = tuple[str, ...]

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = {f"{_TAG}{name}" for name in ("str", "timestamp", "merge", "value")}
_PLAIN_TAGS = {f"{_TAG}{name}" for name in ("null", "bool", "int", "float")}


@dataclass(slots=True)
class Document:
    """A YAML mapping and where each of its keys was written.

    Attributes
    ----------
    data
        Nested dicts, lists and scalars.
    places
        Key path to the place a message names: ``"file.yaml:12"``, or ``"--set"``.
    """

    data: dict[str, Any]
    places: dict[KeyPath, str] = field(default_factory=dict)

    def place(self, path: KeyPath) -> str | None:
        """Return the place of `path`, or of the nearest key above it that was written."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return None

    def put(self, path: KeyPath, value: Any, place: str) -> None:
        """Set `path` to `value`, creating the sections on the way.

        Raises
        ------
        V2XError
            If a key on the way holds something other than a section.
        """
        section = self.data
        for depth, name in enumerate(path[:-1], start=1):
            inner = section.setdefault(name, {})
            if inner is None:
                inner = section[name] = {}
            if not isinstance(inner, dict):
                raise V2XError(
                    f"{'.'.join(path[:depth])} is not a section, it is {inner!r}",
                    file=place,
                    key=".".join(path),
                )
            section = inner
            self.places.setdefault(path[:depth], place)
        self.remove(path)
        section[path[-1]] = value
        self.places[path] = place

    def remove(self, path: KeyPath) -> None:
        """Forget the value at `path` and everything below it, if it is there."""
        section: Any = self.data
        for name in path[:-1]:
            section = section.get(name) if isinstance(section, dict) else None
        if isinstance(section, dict):
            section.pop(path[-1], None)
        for other in [key for key in self.places if key[: len(path)] == path]:
            del self.places[other]


def read_document(path: Path) -> Document:
    """Return the mapping in the YAML file `path`.

    Raises
    ------
    V2XError
        If the file cannot be read, is not YAML, or does not hold one mapping; with its line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise V2XError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except UnicodeDecodeError as error:
        raise V2XError(
            f"is not text: byte {error.start} is not UTF-8",
            file=str(path),
            remedy="a scenario is a YAML file",
        ) from error
    return parse_document(text, str(path))


def parse_document(text: str, file: str) -> Document:
    """Return the mapping in YAML `text`; `file` is its name in messages."""
    places: dict[KeyPath, str] = {(): file}
    with _readable_errors(file):
        yaml = YAML(typ="safe", pure=True)
        node = yaml.compose(text)
        if node is None:
            raise V2XError("is empty", file=file, remedy="see scenarios/ for examples")
        data = _Builder(yaml, file, places).build(node, ())
    if not isinstance(data, dict):
        raise V2XError(
            "does not hold keys and values",
            file=file,
            remedy="write one 'key: value' a line; see scenarios/ for examples",
        )
    return Document(data, places)


def parse_value(text: str, place: str, key: str) -> Any:
    """Return the value of YAML `text`, as given to ``--set``; empty text is null."""
    try:
        with _readable_errors(place):
            yaml = YAML(typ="safe", pure=True)
            node = yaml.compose(text)
            return None if node is None else _Builder(yaml, place, {}).build(node, ())
    except V2XError as error:
        raise V2XError(f"{error.message} in {text!r}", file=place, key=key) from error


@contextmanager
def _readable_errors(file: str) -> Iterator[None]:
    """Turn the YAML library's errors into one line with its place."""
    try:
        yield
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}:{mark.line + 1}" if mark else file
        raise V2XError(f"not valid YAML: {error.problem or error.context}", file=place) from error
    except YAMLError as error:
        reason = str(error).splitlines()[0]
        raise V2XError(f"not valid YAML: {reason}", file=file) from error
    except RecursionError as error:
        raise V2XError("not valid YAML: nested too deeply", file=file) from error


class _Builder:
    """Builds plain values from the nodes of one document."""

    def __init__(self, yaml: YAML, file: str, places: dict[KeyPath, str]) -> None:
        self._yaml = yaml
        self._file = file
        self._places = places
        self._seen: set[int] = set()

    def build(self, node: Node, path: KeyPath) -> Any:
        """Return the value of `node`, which is at `path`."""
        if id(node) in self._seen:
            raise self._refusal(node, path, "aliases (*name) are not supported")
        self._seen.add(id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self._item(item, (*path, str(i))) for i, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node, path)

    def _item(self, node: Node, path: KeyPath) -> Any:
        self._places[path] = self._place(node)
        return self.build(node, path)

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                raise self._refusal(key_node, path, "a key must be a word")
            name = self._text(key_node, path)
            if not (name and name.isprintable()):
                raise self._refusal(key_node, path, f"a key must be a word, not {name!r}")
            if name in result:
                raise self._refusal(key_node, (*path, name), "appears twice in the same section")
            self._places[*path, name] = self._place(key_node)
            result[name] = self.build(value_node, (*path, name))
        return result

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        if node.tag in _TEXT_TAGS:
            return self._text(node, path)
        if node.tag not in _PLAIN_TAGS:
            raise self._refusal(node, path, f"the tag {str(node.tag)!r} is not supported")
        try:
            return self._yaml.constructor.construct_object(node)
        except (YAMLError, ValueError, KeyError, IndexError) as error:
            kind = str(node.tag).removeprefix(_TAG)
            raise self._refusal(node, path, f"cannot be read as {kind}: {node.value!r}") from error

    def _text(self, node: ScalarNode, path: KeyPath) -> str:
        text = str(node.value)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise self._refusal(node, path, "holds half a character (a lone surrogate)")
        return text

    def _place(self, node: Node) -> str:
        return f"{self._file}:{node.start_mark.line + 1}"

    def _refusal(self, node: Node, path: KeyPath, message: str) -> V2XError:
        return V2XError(message, file=self._place(node), key=".".join(path) or None)
