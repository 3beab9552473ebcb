"""The one error that users see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.errors import V2XError, nearest, unknown_name

KEYS = ("density_per_km", "duration_s", "t1_ms", "t2_ms", "keep_probability", "n_subchannels")


def test_place_message_and_remedy_make_one_line() -> None:
    error = V2XError(
        "must be positive, got -1", file="a.yaml", key="radio.power", remedy="raise it"
    )
    assert str(error) == "a.yaml: radio.power: must be positive, got -1; raise it"
    assert error.args == (str(error),)
    assert (error.message, error.file, error.key, error.remedy) == (
        "must be positive, got -1",
        "a.yaml",
        "radio.power",
        "raise it",
    )


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({}, "wrong"),
        ({"file": "a"}, "a: wrong"),
        ({"key": "k"}, "k: wrong"),
        ({"remedy": "do"}, "wrong; do"),
        ({"file": "", "key": "", "remedy": ""}, "wrong"),
    ],
)
def test_missing_parts_leave_no_trace(place: dict[str, str], text: str) -> None:
    assert str(V2XError("wrong", **place)) == text


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("density_pr_km", "density_per_km"),
        ("1t_ms", "t1_ms"),
        ("t_1ms", "t1_ms"),
        ("t2ms", "t2_ms"),
        ("keep_probabilty", "keep_probability"),
        ("subchannels", "n_subchannels"),
        ("zzz", None),
        ("", None),
    ],
)
def test_the_nearest_word(word: str, meant: str | None) -> None:
    assert nearest(word, KEYS) == meant


@given(st.sampled_from(KEYS), st.data())
def test_one_slip_is_always_understood(key: str, data: st.DataObject) -> None:
    """A letter lost, doubled or swapped with its neighbour leads back to the key."""
    at = data.draw(st.integers(0, len(key) - 2))
    slips = {
        "lost": key[:at] + key[at + 1 :],
        "doubled": key[: at + 1] + key[at:],
        "swapped": key[:at] + key[at + 1] + key[at] + key[at + 2 :],
    }
    slipped = data.draw(st.sampled_from(sorted(slips.values())))
    found = nearest(slipped, KEYS)
    # Between t1_ms and t2_ms a lost digit leaves the choice open.
    assert found == key or {found, key} == {"t1_ms", "t2_ms"}


def test_the_word_itself_is_nearest() -> None:
    assert all(nearest(key, KEYS) == key for key in KEYS)
    assert nearest("anything", []) is None


def test_unknown_names() -> None:
    error = unknown_name("access", "lte-mod4", ["random", "lte-mode4"], file="s.yaml", key="access")
    assert str(error) == "s.yaml: access: unknown access 'lte-mod4'; did you mean 'lte-mode4'?"
    error = unknown_name("access", "zzz", ["random", "lte-mode4"])
    assert str(error) == "unknown access 'zzz'; known: lte-mode4, random"
