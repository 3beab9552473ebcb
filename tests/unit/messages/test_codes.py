"""Codes of events and signs: those of the reference sheet, and what drivers make of them."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.messages.csae.codes import (
    CAUSE_CODE,
    CONGESTION,
    SPEED_LIMIT_SIGN,
    EventKind,
    event_type,
    event_types,
    sign_names,
)


def test_codes_of_the_reference() -> None:
    """applications.md 1.4, and the causes of 2.2."""
    known = event_types()
    assert {code for code in known if code < CAUSE_CODE} == {103, 407, 408, 415, 501, 707, 904}
    assert {code - CAUSE_CODE for code in known if code > CAUSE_CODE} >= {1, 2, 3, 6, 18, 27, 94}
    assert all(code == item.code for code, item in known.items())
    names = sign_names()
    assert names[SPEED_LIMIT_SIGN] == "speed limit"
    assert (names[2], names[17]) == ("sharp bend", "slippery")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (CONGESTION, EventKind.JAM),
        (10_027, EventKind.JAM),
        (10_005, EventKind.CLOSED),
        (10_018, EventKind.SIGHT),
        (501, EventKind.OBSTACLE),
        (408, EventKind.SURFACE),
        (999, EventKind.OTHER),  # nobody knows it
    ],
)
def test_kinds(code: int, kind: EventKind) -> None:
    item = event_type(code)
    assert item.kind is kind
    assert np.isfinite(item.friction) == (kind is EventKind.SURFACE)
