"""``v2x message``: bytes to JSON and back, and mistakes that end in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from v2x.cli import main

#: Golden vector G5: a SPAT of one phase.
SPAT = "30020080fa000a02000008260000000258"


@pytest.fixture
def frame(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return a file with the JSON of the SPAT."""
    assert main(["message", "decode", SPAT]) == 0
    file = tmp_path / "frame.json"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    return file


def test_json_has_units_in_its_names(frame: Path) -> None:
    plain = json.loads(frame.read_text(encoding="utf-8"))
    (intersection,) = plain["spat"]["intersections"]
    assert intersection["node"] == {"region": 500, "node": 20}
    assert intersection["status"] == ["fixed_time"]
    (state,) = intersection["phases"][0]["states"]
    assert state == {
        "light": "protected_green",
        "timing": {"countdown": {"start_s": 0.0, "likely_end_s": 30.0}},
    }


def test_back_to_the_same_digits(frame: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["message", "encode", str(frame)]) == 0
    assert capsys.readouterr().out == f"{SPAT}\n"


def test_files_of_bytes_and_of_digits(
    frame: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    octets, digits = tmp_path / "frame.bin", tmp_path / "frame.hex"
    assert main(["message", "encode", str(frame), "--out", str(octets)]) == 0
    assert capsys.readouterr().out == f"{octets}: 17 bytes\n"
    assert octets.read_bytes().hex() == SPAT
    digits.write_text(f"0x{SPAT[:10]}\n  {SPAT[10:]}\n", encoding="ascii")
    for file in (octets, digits):
        assert main(["message", "decode", str(file)]) == 0
        assert capsys.readouterr().out == frame.read_text(encoding="utf-8")


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line of an error; the exit status is 2 and nothing else is printed."""
    assert main(["message", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    line, newline, rest = captured.err.partition("\n")
    assert (newline, rest) == ("\n", "")
    return line


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (SPAT[:12], "spat.intersections[0].node.node: bit 41: the message ends after 48 bits"),
        (SPAT + "00", "1 octets follow the message"),
        ("3", "1 hexadecimal digits are no whole number of bytes"),
        ("no.bin", "'no.bin' is neither a file nor hexadecimal digits"),
        ("x" * 5000, "is neither a file nor hexadecimal digits"),
        ("\0", "is neither a file nor hexadecimal digits"),
        ("", "the message ends after 0 bits"),
        ("8000", "bit 16: the message ends after 16 bits"),
        ("8100", "alternative 1 of a later version"),
        ("800300096000", "bit 16: message 9 is not known"),
    ],
)
def test_what_is_no_message(source: str, wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert wanted in refused(["decode", source], capsys)


def test_mistakes_in_files_name_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "frame.bin"
    file.write_bytes(b"\x30\xff")
    assert refused(["decode", str(file)], capsys).startswith(f"{file}: spat.")
    with file.open("wb") as stream:
        stream.truncate(1 << 21)
    assert "is larger than" in refused(["decode", str(file)], capsys)
    assert "cannot be read" in refused(["encode", str(tmp_path)], capsys)
    assert "cannot be read" in refused(["encode", str(tmp_path / "none.json")], capsys)


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("30.0", "3700", ".likely_end_s: must be within 0 and 3599.9, got 3700"),
        ("30.0", '"soon"', ".likely_end_s: must be a finite number or 'beyond'"),
        ("likely_end_s", "likely_end", ".likely_end: unknown field; did you mean 'likely_end_s'?"),
        ("protected_green", "green", ".light: unknown name 'green'; did you mean"),
        ('"count": 1,', "", "spat.count: is missing"),
        ('"count": 1,', '"count": 128,', "spat.count: must be within 0 and 127, got 128"),
        ('"spat"', '"spad"', "spad: unknown name; did you mean 'spat'?"),
        ("{", "[", "is no JSON"),
        ("500", "NaN", "NaN is no number that can be sent"),
    ],
)
def test_mistakes_in_json_name_the_file_and_the_field(
    frame: Path, old: str, new: str, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = frame.read_text(encoding="utf-8")
    assert old in text
    frame.write_text(text.replace(old, new, 1), encoding="utf-8")
    line = refused(["encode", str(frame)], capsys)
    assert line.startswith(f"{frame}: ")
    assert wanted in line


def test_text_that_is_no_utf_8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "frame.json"
    file.write_bytes(b"\xff\xfe")
    assert "is no text in UTF-8" in refused(["encode", str(file)], capsys)


def test_a_file_that_cannot_be_written(frame: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = frame.parent / "missing" / "frame.bin"
    assert f"{out}: cannot be written" in refused(["encode", str(frame), "--out", str(out)], capsys)


@pytest.mark.parametrize("command", [[], ["decode"], ["encode"]])
def test_help_has_examples(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["message", *command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Example" in text
    assert f"v2x message {' '.join(command)}" in text


def test_day_2_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The platoon message of another implementation, there and back."""
    frame = (
        "802a0010274c1919999998181819c9f4991999999818181980000000100000000c80001919999998181819a6"
    )
    assert main(["message", "decode", frame]) == 0
    file = tmp_path / "clpmm.json"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert json.loads(file.read_text(encoding="utf-8"))["clpmm"]["role"] == "leader"
    assert main(["message", "encode", str(file)]) == 0
    assert capsys.readouterr().out == f"{frame}\n"
