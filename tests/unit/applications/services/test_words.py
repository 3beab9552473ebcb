"""Sizes of what vehicles and units say when they cooperate."""

from __future__ import annotations

import pytest

from v2x.applications.services.air_sizes import vehicle_bytes
from v2x.applications.services.words import (
    Intention,
    answers_in,
    coordination_bytes,
    intention_bytes,
    platoon_bytes,
)
from v2x.messages.csae.day2.clpmm import (
    Member,
    MemberManagement,
    PlatoonManagement,
    PlatoonRole,
    PlatoonStatus,
)
from v2x.messages.csae.day2.frame import encode
from v2x.messages.csae.day2.vir import DriveResponse


@pytest.mark.parametrize("n_members", [1, 2, 5])
def test_a_list_of_members_is_as_large_as_encoded(n_members: int) -> None:
    members = tuple(Member(vehicle_id=bytes([k] * 8)) for k in range(n_members))
    message = PlatoonManagement(
        count=1,
        sender_id=bytes(8),
        second_ms=1.0,
        platoon_id=bytes(17),
        role=PlatoonRole.LEADER,
        status=PlatoonStatus.NAVIGATING,
        management=MemberManagement(members=members, capacity=5, open_to_join=True),
    )
    # Four more for speed and acceleration; rounding up may add one.
    assert 0 <= platoon_bytes(n_members) - vehicle_bytes(len(encode(message)) + 4) <= 1


def test_more_content_is_larger() -> None:
    assert platoon_bytes(0) < platoon_bytes(1) < platoon_bytes(5)
    assert intention_bytes(0, 1) < intention_bytes(1, 0) < intention_bytes(1, 8)
    assert coordination_bytes(0) < coordination_bytes(1) < coordination_bytes(16)


def test_only_answers_to_oneself_count() -> None:
    mine, theirs = bytes([1] * 8), bytes([2] * 8)
    intention = Intention(
        sender_id=bytes(8),
        responses=(
            DriveResponse(requester_id=theirs, request_id=1, accepted=False),
            DriveResponse(requester_id=mine, request_id=2, accepted=True),
        ),
    )
    assert [(item.request_id, item.accepted) for item in answers_in(intention, mine)] == [(2, True)]
