"""Arrays of wrong lengths are rejected at entry, for inside the kernels nothing checks.

Every array is cut by its last element or row; what is cut off stays in memory behind it, so
that a kernel that does not notice does no harm here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from v2x._kernels import grants, link_memory, links, reception, sensing
from v2x.access.base import TRANSMISSION

from .reception_world import design

Arguments = Mapping[str, Any]
N_NODES, N_LINKS, N_SUBCHANNELS = 3, 6, 3
N_BINS = 8
RECORD = 1 + 3 * N_SUBCHANNELS


def column(n: int, dtype: Any, *more: int) -> np.ndarray:
    return np.zeros((n, *more), dtype=dtype)


def rows() -> dict[str, Any]:
    """Return the table in which three nodes are each other's neighbours."""
    return {
        "row_start": np.array([0, 2, 4, 6], dtype=np.int32),
        "neighbour": np.array([1, 2, 0, 2, 0, 1], dtype=np.int32),
    }


def nodes(*names: str, dtype: Any = np.float32) -> dict[str, np.ndarray]:
    return {name: column(N_NODES, dtype) for name in names}


def per_link(*names: str, dtype: Any = np.float32) -> dict[str, np.ndarray]:
    return {name: column(N_LINKS, dtype) for name in names}


NEIGHBOURS = {
    **nodes("x", "y"),
    **nodes("cell", "cell_node", dtype=np.int32),
    "cell_node": np.arange(N_NODES, dtype=np.int32),
    "cell_start": np.array([0, N_NODES], dtype=np.int32),
    "n_cells_x": 1,
    "n_cells_y": 1,
    "reach_m": 10.0,
    "wrap_m": 0.0,
    **rows(),
}
CARRY = {
    "old_start": rows()["row_start"],
    "old_neighbour": rows()["neighbour"],
    "new_start": rows()["row_start"],
    "new_neighbour": rows()["neighbour"],
    **nodes("fresh", dtype=np.uint8),
    **per_link("source", dtype=np.int32),
}
REPLACE = {
    "old_start": rows()["row_start"],
    "old_neighbour": rows()["neighbour"],
    **nodes("x", "y"),
    **nodes("active", "fresh", dtype=np.uint8),
    "replaced": np.array([1], dtype=np.int32),
    "reach_m": 100.0,
    "wrap_m": 0.0,
    "new_start": column(N_NODES + 1, np.int32),
    "new_neighbour": column(len(rows()["neighbour"]) + 2 * N_NODES, np.int32),
    "runs": column(3 * N_NODES, np.int32, 3),
}
RUNS = {
    "runs": np.array([[0, 1, 2], [3, 3, 1]], dtype=np.int32),
    "n_runs": 2,
    "old": column(16, np.uint8),
    "new": column(16, np.uint8),
    "fill": column(4, np.uint8),
}
GEOMETRIC = {
    **rows(),
    **nodes("x", "y", "z", "cosine", "sine", "half_length", "half_width", "antenna_m"),
    **nodes("height_class", "cursor", dtype=np.int32),
    "class_height_m": np.ones(1, dtype=np.float32),
    "wrap_m": 0.0,
    "level_gap_m": 3.0,
    "max_grade": 0.1,
    "seen": column(links.SIGHT_INTS, np.int32, 8),
    "distance": column(links.SIGHT_FLOATS, np.float32, 8),
    **per_link("code", dtype=np.uint8),
}
STATISTICAL = {
    **rows(),
    **nodes("x", "y", "antenna_m"),
    **nodes("identity", dtype=np.uint32),
    "key": 1,
    "p_los": column(2, np.float32),
    "step_m": 1.0,
    "wrap_m": 0.0,
    "tall_share": 0.5,
    "low_height_m": 1.0,
    "tall_height_m": 3.0,
    **per_link("code", dtype=np.uint8),
}
CORRIDORS = {
    **rows(),
    **nodes("corridor_x", "corridor_y", dtype=np.int32),
    **per_link("code", dtype=np.uint8),
}
LAW = {
    name: column(10, np.float32, *((4,) if name.startswith("piece") else ()))
    for name in (
        "piece_start",
        "piece_intercept",
        "piece_slope",
        "min_log2",
        "sigma",
        "decay",
        "block_mean",
        "block_sigma",
    )
}
UPDATE = {
    **rows(),
    "position": column(3, np.float32, N_NODES),
    "moved": column(3, np.float32, N_NODES),
    **nodes("gain_db"),
    **nodes("identity", "word", dtype=np.uint32),
    "key": 1,
    "tick": 0,
    **LAW,
    "range_m": 100.0,
    "wrap_m": 0.0,
    **nodes("cursor", dtype=np.int32),
    **per_link("code", dtype=np.uint8),
    **per_link("extra", "shadow", "block", "gain", "distance"),
}
OBSTRUCT = {
    **rows(),
    **per_link("obstacle", "code", dtype=np.uint8),
    **nodes("cursor", dtype=np.int32),
}
AGES = {
    **rows(),
    **per_link("distance"),
    **nodes("flags", dtype=np.uint8),
    "awareness_m": 100.0,
    "now_us": 0,
    "count": True,
    **per_link("last_slot", dtype=np.int32),
    **per_link("last_generated", dtype=np.int64),
    "ages": column(5, np.int64),
}
KNOWN = {
    **rows(),
    **per_link("distance"),
    **nodes("flags", dtype=np.uint8),
    **per_link("last_slot", dtype=np.int32),
    "road": column(N_NODES, np.int32, 4),
    "to_end": column(N_NODES, np.float32, 2),
    "route_start": np.array([0, 2, 4], dtype=np.int32),
    "route_node": np.array([0, 1, 0, 1], dtype=np.int32),
    "route_m": column(4, np.float32),
    "awareness_m": 100.0,
    "bin_width_m": 20.0,
    "since_slot": 0,
    "relay": True,
    "linked": True,
    **nodes("told", dtype=np.int32),
    **nodes("hears", dtype=np.uint8),
    "known": column(5, np.int64, 5),
}
STATES = {
    "row_start": rows()["row_start"],
    **per_link("code", dtype=np.uint8),
    **per_link("distance"),
    "max_distance_m": 100.0,
    "states": column(4, np.int64),
}
BUSY = {
    "history": column(N_NODES, np.int32, 10, RECORD),
    "history_power": column(N_NODES, np.float32, 10, RECORD),
    "slot": 20,
    "n_slots": 10,
    "threshold_mw": 1.0,
    **nodes("active", dtype=np.uint8),
    **nodes("ratio", dtype=np.float64),
}
RECEIVER = {f.name: getattr(design(N_SUBCHANNELS), f.name) for f in fields(design())}
BIND_NODES = {
    **nodes("word", dtype=np.uint32),
    **nodes("flags", dtype=np.uint8),
    **nodes("transmitting", "touched", dtype=np.int32),
    "energy": column(N_NODES, np.float32, N_BINS),
    "noticed": column(N_NODES, np.float32, N_BINS),
    "history": column(N_NODES, np.int32, RECEIVER["window"], RECORD),
    "history_power": column(N_NODES, np.float32, RECEIVER["window"], RECORD),
    "urgency": column(RECEIVER["window"], np.int32),
}
BIND_LINKS = {
    **rows(),
    **per_link("gain", "distance", "soft"),
    **per_link("code", "first_outcome", dtype=np.uint8),
    **per_link("last_slot", dtype=np.int32),
    **per_link("last_generated", dtype=np.int64),
}
BIND_LOG = {
    **{name: column(5, np.int64) for name in ("first_slot_us", "last_slot_us")},
    **{name: column(5, np.int32) for name in ("n_attempts", "n_subchannels")},
    "resolved": column(5, np.uint8),
}
BIND_PACKETS = {
    "generated_us": column(5, np.int64),
    **{name: column(5, np.int32) for name in ("n_intended", "n_received", "n_received_first")},
}
SELECTOR = {
    "history": column(N_NODES, np.int32, 10, RECORD),
    "history_power": column(N_NODES, np.float32, 10, RECORD),
    "noise_mw": 1.0,
    "thresholds_dbm": column(8, np.float32, 8),
    "periods_slots": np.array([100], dtype=np.int32),
    "step_slots": 100,
    "keep_ratio": 0.2,
    "key": 1,
    "urgency": column(10, np.int32),
    "excess": column(60, np.float32),
    "energy": column(60, np.float32),
    "tie": column(60, np.uint32),
    "order": column(60, np.int32),
}
SELECT = {
    "node": 0,
    "identity": 1,
    "slot": 100,
    "t1": 1,
    "t2": 20,
    "length": 1,
    "period": 100,
    "n_periods": 1,
    "priority": 5,
    "retransmission_reach": 0,
    "busy": column(2, np.int32),
    "chosen": column(4, np.int32),
    "candidates": column(60, np.uint8),
}
BOOK = {
    "n_nodes": N_NODES,
    "horizon": 50,
    "keep_probability": 0.5,
    "counter_low": 5,
    "counter_high": 15,
    "reselect_after": 9,
    "key": 1,
    "slot_us": 1000,
    "state": column(grants.N_STATE, np.int32, N_NODES),
    "places": column(grants.N_PLACES, np.int32, N_NODES, 2),
    "head": column(50, np.int32),
    "calendar": column(3, np.int32, grants.N_ENTRIES * N_NODES),
}


SELECT_ANY = {
    **{name: value for name, value in SELECT.items() if "busy" not in name and "ret" not in name},
    "reach": 31,
    "span": 50,
    "busy": column(1, np.int32),
    "n_fixed": 0,
    "n_wanted": 2,
}
REVIEW = {
    "slot": 100,
    "t1": 1,
    "n_periods": 1,
    "preemption_level": 9,
    "requests": np.array([[0, 1, 100, 5, 120, 1, 105, 0, 0]] * 2, dtype=np.int32),
    "n_requests": 2,
    "lost": column(2, np.int32),
}


def bind_nodes(**arguments: Any) -> None:
    reception.SlotReceiver(**RECEIVER).bind_nodes(**arguments)


def bind_links(**arguments: Any) -> None:
    receiver = reception.SlotReceiver(**RECEIVER)
    receiver.bind_nodes(**BIND_NODES)
    receiver.bind_links(**arguments)


def bind_packets(**arguments: Any) -> None:
    reception.SlotReceiver(**RECEIVER).bind_packets(**arguments)


def select(**arguments: Any) -> None:
    """Make a selector and select; `arguments` are those of both."""
    selector = sensing.CandidateSelector(**{k: v for k, v in arguments.items() if k in SELECTOR})
    selector.select(**{k: v for k, v in arguments.items() if k in SELECT})


def select_any(**arguments: Any) -> None:
    """Make a selector and select as mode 2 does."""
    selector = sensing.CandidateSelector(**{k: v for k, v in arguments.items() if k in SELECTOR})
    selector.select_any(**{k: v for k, v in arguments.items() if k in SELECT_ANY})


def review(**arguments: Any) -> None:
    """Make a selector and review."""
    selector = sensing.CandidateSelector(**{k: v for k, v in arguments.items() if k in SELECTOR})
    selector.review(**{k: v for k, v in arguments.items() if k in REVIEW})


def transmit(out: np.ndarray, dropped: np.ndarray) -> None:
    """Ask a book for a slot in which all nodes are due."""
    book = grants.GrantBook(**BOOK)
    book.bind_nodes(np.zeros(N_NODES, dtype=np.uint32))
    for node in range(N_NODES):
        book.grant(node, np.array([7, 0], dtype=np.int32), 1, 1, 20)
    book.transmissions(7, out, dropped)


def bind_words(word: np.ndarray) -> None:
    grants.GrantBook(**BOOK).bind_nodes(word)


CALLS: dict[str, tuple[Callable[..., Any], Arguments]] = {
    "neighbours": (links.neighbours, NEIGHBOURS),
    "carry_positions": (links.carry_positions, CARRY),
    "replace_neighbours": (links.replace_neighbours, REPLACE),
    "carry_runs": (links.carry_runs, RUNS),
    "classify_geometric": (links.classify_geometric, GEOMETRIC),
    "classify_statistical": (links.classify_statistical, STATISTICAL),
    "classify_corridors": (links.classify_corridors, CORRIDORS),
    "update": (links.update, UPDATE),
    "obstruct": (links.obstruct, OBSTRUCT),
    "SlotReceiver": (reception.SlotReceiver, RECEIVER),
    "SlotReceiver.bind_nodes": (bind_nodes, BIND_NODES),
    "SlotReceiver.bind_links": (bind_links, BIND_LINKS),
    "SlotReceiver.bind_packets": (bind_packets, BIND_PACKETS),
    "SlotReceiver.bind_log": (reception.SlotReceiver(**RECEIVER).bind_log, BIND_LOG),
    "sample_ages": (link_memory.sample_ages, AGES),
    "count_known": (link_memory.count_known, KNOWN),
    "count_states": (link_memory.count_states, STATES),
    "CandidateSelector": (select, {**SELECTOR, **SELECT}),
    "busy_ratio": (sensing.busy_ratio, BUSY),
    "GrantBook": (grants.GrantBook, BOOK),
    "GrantBook.bind_nodes": (bind_words, nodes("word", dtype=np.uint32)),
    "GrantBook.transmissions": (
        transmit,
        {"out": column(N_NODES, TRANSMISSION), "dropped": column(N_NODES, np.int32)},
    ),
    "CandidateSelector.select_any": (select_any, {**SELECTOR, **SELECT_ANY}),
    "CandidateSelector.review": (review, {**SELECTOR, **REVIEW}),
}
#: Arrays of any length: lists of heights, periods, ages, a table of any number of curves, those
#: of any number of link codes, the rows of which links are counted.
FREE = {
    ("count_states", "row_start"),
    ("classify_geometric", "class_height_m"),
    ("CandidateSelector", "periods_slots"),
    ("CandidateSelector.select_any", "periods_slots"),
    ("CandidateSelector", "busy"),
    ("CandidateSelector.select_any", "busy"),
    ("CandidateSelector.review", "periods_slots"),
    ("sample_ages", "ages"),
    ("count_known", "known"),
    ("count_known", "route_start"),
    ("SlotReceiver", "curves"),
    ("replace_neighbours", "replaced"),
    ("carry_runs", "fill"),
    ("SlotReceiver", "curve_row"),
    ("count_states", "row_start"),  # link arrays may have spare elements behind the rows
}
CUTS = [
    (call, name)
    for call, (_, arguments) in CALLS.items()
    for name, value in arguments.items()
    if isinstance(value, np.ndarray) and (call, name) not in FREE
]


@pytest.mark.parametrize("call", CALLS)
def test_whole_arrays_are_accepted(call: str) -> None:
    function, arguments = CALLS[call]
    function(**arguments)


@pytest.mark.parametrize(("call", "name"), CUTS)
def test_an_array_too_short_is_rejected(call: str, name: str) -> None:
    function, arguments = CALLS[call]
    with pytest.raises(ValueError, match=r"\w"):
        function(**{**arguments, name: arguments[name][:-1]})


@pytest.mark.parametrize(
    ("call", "name", "wrong"),
    [
        ("SlotReceiver", "profile", column(3, np.float32, 4, 7)),
        ("SlotReceiver", "profile", column(3, np.float32, 4, 0)),
        ("SlotReceiver", "curves", column(3, np.float32, 100)),
        ("SlotReceiver.bind_nodes", "history", column(N_NODES, np.int32, 3, RECORD)),
        ("SlotReceiver.bind_nodes", "energy", column(N_NODES, np.float32, 16)),
        ("count_known", "road", column(N_NODES, np.int32, 3)),
        ("count_known", "road", column(N_NODES, np.int32, 4) + np.int32(2)),
        ("count_known", "to_end", column(N_NODES, np.float32, 1)),
        ("count_known", "known", column(5, np.int64, 4)),
        ("CandidateSelector", "thresholds_dbm", column(8, np.float32, 7)),
        ("CandidateSelector", "history", column(1, np.int32, 10, 1 + 3 * 33)),
        ("replace_neighbours", "replaced", np.array([1, 1], dtype=np.int32)),
        ("carry_runs", "runs", np.array([[0, 1, 2], [1, 3, 1]], dtype=np.int32)),
        ("update", "piece_start", column(10, np.float32, 3)),
        ("update", "position", column(3, np.float32, N_NODES + 1)),
        ("GrantBook", "state", column(grants.N_STATE, np.int32, N_NODES + 1)),
        ("GrantBook", "places", column(grants.N_PLACES, np.int32, N_NODES, 0)),
        ("busy_ratio", "n_slots", 11),
        ("busy_ratio", "n_slots", 0),
        ("CandidateSelector", "t2", 0),
        ("CandidateSelector", "length", 4),
        ("CandidateSelector", "priority", 0),
        ("CandidateSelector", "priority", 9),
    ],
)
def test_other_shapes_and_ranges_are_rejected(call: str, name: str, wrong: Any) -> None:
    function, arguments = CALLS[call]
    with pytest.raises(ValueError, match=r"\w"):
        function(**{**arguments, name: wrong})


def test_counters_need_a_column_for_every_outcome() -> None:
    receiver = reception.SlotReceiver(**RECEIVER)
    with pytest.raises(ValueError, match="outcome"):
        receiver.bind_counts(column(4, np.int64, 5, 7), column(5, np.int64))
    with pytest.raises(ValueError, match="direction"):
        receiver.bind_counts(column(3, np.int64, 5, 8), column(5, np.int64))


def test_a_neighbour_list_too_short_for_what_was_counted_is_rejected() -> None:
    with pytest.raises(ValueError, match="neighbour"):
        links.neighbours(**{**NEIGHBOURS, "neighbour": column(5, np.int32)})
