"""Whom messages may be for."""

from __future__ import annotations

from typing import Any

import pytest

from v2x.applications.awareness import AwarenessParams
from v2x.messages.cast import CAST_TYPES, COMMUNICATION_RANGES_M


@pytest.mark.parametrize("cast", CAST_TYPES)
def test_all_casts_are_there_and_broadcast_is_the_default(cast: str) -> None:
    assert AwarenessParams(cast=cast).cast == cast
    assert AwarenessParams().cast == "broadcast"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cast": "anycast"}, "cast must be one of"),
        ({"cast": "groupcast-nack", "range_m": 160.0}, "range_m must be one of"),
        ({"cast": "unicast", "range_m": 0.0}, "range_m must be > 0"),
        ({"addressee": "behind"}, "addressee"),
        ({"zone_length_m": 25}, "zone_length_m"),
        ({"group_size": 0}, "group_size"),
        ({"group_size": 17}, "group_size"),
    ],
)
def test_what_the_standard_does_not_list_is_rejected(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AwarenessParams(**changes)


def test_ranges_of_unicast_are_free_and_those_of_sci_2b_are_listed() -> None:
    assert AwarenessParams(cast="unicast", range_m=160.0).range_m == 160.0
    for range_m in COMMUNICATION_RANGES_M:
        assert AwarenessParams(cast="groupcast-nack", range_m=float(range_m)).n_members == 0
    assert len(COMMUNICATION_RANGES_M) <= 32
    assert (COMMUNICATION_RANGES_M[0], COMMUNICATION_RANGES_M[-1]) == (20, 1000)
