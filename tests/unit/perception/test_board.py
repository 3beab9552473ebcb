"""What was said to whom, and for how long it counts."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.messages.topics import Topic
from v2x.perception.board import Board

NOBODY = np.zeros(3, dtype=np.bool_)


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.intp)


@pytest.fixture
def board() -> Board:
    board = Board(3, 1_000_000)
    board.begin(100_000, NOBODY)
    return board


def held(board: Board, topic: Topic = Topic.RSI) -> dict[str, list[int]]:
    return {notice.content: notice.host.tolist() for notice in board.notices(topic)}


def test_each_host_has_the_newest_message_that_reached_it(board: Board) -> None:
    board.take(Topic.RSI, 2, 0, 50_000, "old", rows(0, 1))
    board.take(Topic.RSI, 2, 0, 90_000, "new", rows(1))
    assert held(board) == {"old": [0], "new": [1]}


def test_a_late_older_message_replaces_nothing(board: Board) -> None:
    board.take(Topic.RSI, 2, 0, 90_000, "new", rows(0))
    board.take(Topic.RSI, 2, 0, 50_000, "old", rows(0))
    assert held(board) == {"new": [0]}


def test_parts_topics_and_senders_stand_beside_each_other(board: Board) -> None:
    board.take(Topic.RSI, 2, 0, 50_000, "signs", rows(0))
    board.take(Topic.RSI, 2, 1, 60_000, "fog", rows(0))
    board.take(Topic.RSI, 1, 0, 60_000, "works", rows(0))
    board.take(Topic.SPAT, 2, 0, 60_000, "red", rows(0))
    assert held(board) == {"signs": [0], "fog": [0], "works": [0]}
    assert held(board, Topic.SPAT) == {"red": [0]}


@pytest.mark.parametrize(("later_us", "counts"), [(1_050_000, True), (1_050_001, False)])
def test_messages_count_for_their_time(board: Board, later_us: int, counts: bool) -> None:
    board.take(Topic.RSI, 2, 0, 50_000, "fog", rows(0))
    board.begin(later_us, NOBODY)
    assert bool(held(board)) == counts


def test_newcomers_know_nothing_and_who_left_says_nothing(board: Board) -> None:
    board.take(Topic.RSI, 2, 0, 50_000, "fog", rows(0, 1))
    board.begin(200_000, np.array([True, False, False]))
    assert held(board) == {"fog": [1]}
    board.begin(300_000, np.array([False, False, True]))
    assert held(board) == {}


def test_news_are_those_since_the_last_tick(board: Board) -> None:
    board.take(Topic.VIR, 2, 0, 50_000, "ask", rows(0))
    assert [(item.content, item.sender) for item in board.new(Topic.VIR)] == [("ask", 2)]
    assert not board.new(Topic.RSI)
    board.begin(200_000, NOBODY)
    assert not board.new(Topic.VIR)


def test_what_says_how_long_it_is_valid_is_kept_so_long(board: Board) -> None:
    board.take(Topic.MAP, 2, 0, 50_000, "map", rows(0), 3_000_000)
    board.take(Topic.MAP, 2, 1, 50_000, "short", rows(0), 500_000)
    board.take(Topic.MAP, 2, 2, 50_000, "usual", rows(0))
    board.begin(550_000, NOBODY)
    assert set(held(board, Topic.MAP)) == {"map", "short", "usual"}
    board.begin(600_000, NOBODY)
    assert set(held(board, Topic.MAP)) == {"map", "usual"}
    board.begin(3_050_000, NOBODY)
    assert set(held(board, Topic.MAP)) == {"map"}
    board.begin(3_100_000, NOBODY)
    assert not held(board, Topic.MAP)


def test_those_lack_a_message_who_have_neither_it_nor_a_newer_one(board: Board) -> None:
    everybody = rows(0, 1, 2)
    assert board.lacking(Topic.RSI, 2, 0, 50_000, everybody).tolist() == [0, 1, 2]
    board.take(Topic.RSI, 2, 0, 50_000, "old", rows(0))
    board.take(Topic.RSI, 2, 0, 90_000, "new", rows(1))
    assert board.lacking(Topic.RSI, 2, 0, 50_000, everybody).tolist() == [2]
    assert board.lacking(Topic.RSI, 2, 1, 50_000, everybody).tolist() == [0, 1, 2]
