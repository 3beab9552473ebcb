"""YAML in, plain values and places out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.errors import V2XError
from v2x.scenario.yaml_file import parse_document, parse_value, read_document


def test_values_are_those_of_yaml_1_2() -> None:
    text = "a: yes\nb: 1e3\nc: 0o17\nd: 12:30\ne: 2026-07-02\nf: ~\ng: true\nh: [1, 2.5, x]\n"
    data = parse_document(text, "f").data
    assert data == {
        "a": "yes",
        "b": 1000.0,
        "c": 15,
        "d": "12:30",
        "e": "2026-07-02",
        "f": None,
        "g": True,
        "h": [1, 2.5, "x"],
    }


def test_each_key_knows_its_line() -> None:
    document = parse_document("a: 1\n\nb:\n  # comment\n  c: [1,\n    2]\n", "f.yaml")
    assert document.place(("a",)) == "f.yaml:1"
    assert document.place(("b", "c")) == "f.yaml:5"
    assert document.place(("b", "c", "1")) == "f.yaml:6"


def test_an_unwritten_key_has_the_place_of_the_nearest_key_above() -> None:
    document = parse_document("a: 1\nb:\n  c: 2\n", "f.yaml")
    assert document.place(("b", "missing")) == "f.yaml:2"
    assert document.place(("missing",)) == "f.yaml"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", "f", "is empty"),
        ("# only a comment\n", "f", "is empty"),
        ("just words", "f", "does not hold keys and values"),
        ("- a\n- b\n", "f", "does not hold keys and values"),
        ("a: 1\na: 2\n", "f:2", "appears twice"),
        ("a: 1\nb: {c: 1, c: 2}\n", "f:2", "appears twice"),
        ("a: [1, 2\nb: 3\n", "f:2", "not valid YAML"),
        ("a: 1\n\tb: 2\n", "f:2", "not valid YAML"),
        ("a: &x 1\nb: *x\n", "f:1", "aliases"),
        ("a: &x [*x]\n", "f:1", "aliases"),
        ("b: *x\n", "f:1", "undefined alias"),
        ("a: 1\nb: !python/object:os.system x\n", "f:2", "tag"),
        ("a: !!binary aGk=\n", "f:1", "tag"),
        ("a: !!int ten\n", "f:1", "cannot be read as int"),
        ('"a\\nb": 2\n', "f:1", "a key must be a word, not 'a\\nb'"),
        ("? [1]\n: 2\n", "f:1", "a key must be a word"),
        ("a: 1\n--- \nb: 2\n", "f:2", "not valid YAML"),
        ("a: \x07\n", "f", "not valid YAML"),
        ('a: "\\ud800"\n', "f:1", "surrogate"),
        ("a: " + "[" * 5000, "f", "nested too deeply"),
    ],
)
def test_bad_yaml_is_one_line_with_its_place(text: str, place: str, words: str) -> None:
    with pytest.raises(V2XError) as caught:
        parse_document(text, "f")
    message = str(caught.value)
    assert message.startswith(f"{place}: ")
    assert words in message
    assert "\n" not in message


def test_a_key_may_look_like_a_number() -> None:
    assert parse_document("1: a\ntrue: b\n", "f").data == {"1": "a", "true": "b"}


def test_files_that_are_not_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.png"
    path.write_bytes(b"\x89PNG\r\n\xff")
    with pytest.raises(V2XError, match="UTF-8"):
        read_document(path)
    with pytest.raises(V2XError, match="No such file"):
        read_document(tmp_path / "absent.yaml")
    with pytest.raises(V2XError, match="directory"):
        read_document(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: x\n")
    assert read_document(path).data == {"name": "x"}


def test_put_creates_sections_and_replaces_what_was_below() -> None:
    document = parse_document("a:\n  b: {c: 1}\nd:\n", "f")
    document.put(("a", "b"), 5, "--set")
    document.put(("d", "e"), 6, "--set")
    document.put(("g", "h"), 7, "--set")
    assert document.data == {"a": {"b": 5}, "d": {"e": 6}, "g": {"h": 7}}
    assert document.place(("a", "b", "c")) == "--set"
    assert document.place(("a",)) == "f:1"
    with pytest.raises(V2XError, match=r"a\.b is not a section"):
        document.put(("a", "b", "c"), 1, "--set")


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.4", 0.4), ("", None), ("random", "random"), ("[1, 2]", [1, 2]), ("{a: 1}", {"a": 1})],
)
def test_values_of_the_command_line_are_yaml(text: str, value: object) -> None:
    assert parse_value(text, "--set", "k") == value


def test_a_bad_value_of_the_command_line_names_its_key() -> None:
    with pytest.raises(V2XError, match=r"^--set: access.type: .*\[1, in|^--set: access.type: "):
        parse_value("[1,", "--set", "access.type")


@given(st.text() | st.text(alphabet="ab:-[]{}#&*!|>'\"%@`,?\n \t1.~"))
def test_garbage_is_parsed_or_refused_but_never_crashes(text: str) -> None:
    try:
        data, message = parse_document(text, "f").data, ""
    except V2XError as error:
        data, message = {}, str(error)
    assert isinstance(data, dict)
    assert "\n" not in message
