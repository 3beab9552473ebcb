"""Arrays of wrong lengths are rejected at entry by the kernels of feedback."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x._kernels.audience import address_members, address_range, keep_members
from v2x._kernels.feedback import ANSWER_COLUMNS, ASKED_COLUMNS, VERDICT_COLUMNS
from v2x._kernels.grants import N_ENTRIES, N_PLACES, N_STATE, GrantBook

from .feedback_world import FeedbackWorld
from .twin_feedback import ACK, Asked, Path

N, N_LINKS = 3, 6
TABLE: dict[str, Any] = {
    "row_start": np.array([0, 2, 4, 6], dtype=np.int32),
    "neighbour": np.array([1, 2, 0, 2, 0, 1], dtype=np.int32),
}
ADDRESSED: dict[str, Any] = {
    "intended": np.zeros(N_LINKS, dtype=np.uint8),
    "responds": np.zeros(N_LINKS, dtype=np.uint8),
    "expected": np.zeros(N, dtype=np.int32),
}
USERS = np.ones(N, dtype=np.uint8)
DISTANCE = np.ones(N_LINKS, dtype=np.float32)
MEMBERS = np.full((N, 2), -1, dtype=np.int32)
CALLS: dict[str, tuple[Any, dict[str, Any]]] = {
    "keep_members": (
        keep_members,
        TABLE
        | {
            "distance": DISTANCE,
            "road_user": USERS,
            "changed": USERS,
            "ahead": np.zeros(N, dtype=np.int32),
            "range_m": 9.0,
            "members": MEMBERS,
        },
    ),
    "address_members": (
        address_members,
        TABLE | {"road_user": USERS, "members": MEMBERS} | ADDRESSED,
    ),
    "address_range": (
        address_range,
        TABLE
        | {
            "distance": DISTANCE,
            "road_user": USERS,
            "x_m": np.zeros(N),
            "y_m": np.zeros(N),
            "wrap_m": 0.0,
            "zone_m": 5.0,
            "range_m": 9.0,
        }
        | ADDRESSED,
    ),
}


def copies(arguments: dict[str, Any]) -> dict[str, Any]:
    return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in arguments.items()}


@pytest.mark.parametrize(
    ("call", "name"),
    [(c, n) for c, (_, given) in CALLS.items() for n, v in given.items() if not np.isscalar(v)],
)
def test_an_array_too_short_is_rejected(call: str, name: str) -> None:
    function, arguments = CALLS[call]
    function(**copies(arguments))
    short = copies(arguments)
    short[name] = short[name][:-1]
    with pytest.raises(ValueError, match=r"one element more|are needed|one value|one row"):
        function(**short)


def test_zones_and_ranges_must_be_positive() -> None:
    function, arguments = CALLS["address_range"]
    for name in ("zone_m", "range_m"):
        with pytest.raises(ValueError, match="positive"):
            function(**(copies(arguments) | {name: 0.0}))


def world() -> FeedbackWorld:
    path = Path(1e-8, 10.0, False)
    return FeedbackWorld({0: {1: path}, 1: {0: path}}, [1, 1])


def test_the_channel_refuses_arrays_that_do_not_fit() -> None:
    kernel = world().kernel
    words, expected = np.zeros(2, dtype=np.uint32), np.zeros(2, dtype=np.int32)
    rows = np.array([0, 1, 2], dtype=np.int32)
    links = [np.array([1, 0], dtype=np.int32), *np.ones((2, 2), dtype=np.float32)]
    code = np.zeros(2, dtype=np.uint8)
    for bad in ((words[:1], expected), (words, expected[:1])):
        with pytest.raises(ValueError, match="one value per node"):
            kernel.bind_nodes(*bad)
    with pytest.raises(ValueError, match="row_start"):
        kernel.bind_links(rows[:2], *links, code)
    for k in range(4):
        columns = [*links, code]
        columns[k] = columns[k][:1]
        with pytest.raises(ValueError, match="are needed"):
            kernel.bind_links(rows, *columns)
    asked = np.zeros((4, ASKED_COLUMNS), dtype=np.int32)
    answers = np.zeros((4, ANSWER_COLUMNS), dtype=np.int32)
    for bad in ((asked[:, 1:].copy(), answers), (asked, answers[:, 1:].copy())):
        with pytest.raises(ValueError, match="columns"):
            kernel.bind_queues(*bad)


def test_conclusions_need_room() -> None:
    for name, verdicts, tallies in (
        ("verdicts", np.zeros((0, VERDICT_COLUMNS), np.int32), np.zeros((9, 7), np.int32)),
        ("verdicts", np.zeros((4, 2), np.int32), np.zeros((9, 7), np.int32)),
        ("tallies", np.zeros((4, VERDICT_COLUMNS), np.int32), np.zeros((9, 6), np.int32)),
        ("tallies", np.zeros((4, VERDICT_COLUMNS), np.int32), np.zeros((0, 7), np.int32)),
    ):
        full = world()
        full.ask(0, [Asked(0, 0, 0, 5, 0, 1, ((1, 0, ACK),))])
        with pytest.raises(ValueError, match=name):
            full.kernel.conclude(4, verdicts, tallies)


def test_verdicts_for_the_book_need_three_columns_and_room() -> None:
    book = GrantBook(
        n_nodes=1,
        horizon=8,
        keep_probability=0.0,
        counter_low=1,
        counter_high=1,
        reselect_after=1,
        key=1,
        slot_us=500,
        state=np.zeros((N_STATE, 1), dtype=np.int32),
        places=np.zeros((N_PLACES, 1, 2), dtype=np.int32),
        head=np.zeros(8, dtype=np.int32),
        calendar=np.zeros((3, N_ENTRIES), dtype=np.int32),
    )
    released = np.zeros(1, dtype=np.int32)
    for verdicts in (np.zeros((1, 2), dtype=np.int32), np.zeros((2, 3), dtype=np.int32)):
        with pytest.raises(ValueError, match="wrong shape"):
            book.settle(verdicts, released)
    book.settle(np.zeros((1, 3), dtype=np.int32), released)
    assert released[0] == -1
