"""The grid of cells against trying everything."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString

from v2x.channel.cell_index import index_cells

metre = st.floats(-300.0, 300.0)
line = st.tuples(metre, metre, metre, metre)


def columns(lines: list[tuple[float, float, float, float]]) -> np.ndarray:
    return np.array(lines, dtype=np.float64).reshape(-1, 4).T


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    items=st.lists(st.tuples(line, st.floats(0.0, 40.0)), max_size=8),
    lines=st.lists(line, min_size=1, max_size=4),
)
def test_no_item_on_a_line_is_missed(items, lines) -> None:
    items = [
        (ends, half) for ends, half in items if np.hypot(ends[2] - ends[0], ends[3] - ends[1]) > 0.1
    ]
    ends, half = columns([ends for ends, _ in items]), np.array([half for _, half in items])
    index = index_cells(ends, half, cell_m=25.0)
    found = set(
        zip(*(column.tolist() for column in index.candidates(*columns(lines))), strict=True)
    )
    for k, (ax, ay, bx, by) in enumerate(lines):
        path = LineString([(ax, ay), (bx, by)])
        for item, ((x0, y0, x1, y1), width) in enumerate(items):
            body = LineString([(x0, y0), (x1, y1)])
            if width > 0:
                body = body.buffer(width, cap_style="flat")
            if path.intersects(body):
                assert (k, item) in found


def test_far_items_are_no_candidates() -> None:
    index = index_cells(columns([(0, 0, 30, 0), (400, 400, 430, 400)]), np.array([5.0, 5.0]))
    lines, items = index.candidates(*columns([(10, -40, 10, 40), (-900, -900, -800, -900)]))
    assert (lines.tolist(), items.tolist()) == ([0], [0])


def test_long_slanted_items_are_not_in_the_whole_box() -> None:
    index = index_cells(columns([(0, 0, 1000, 1000)]), np.array([5.0]))
    # A diagonal touches about three cells for each step, not twenty times twenty.
    assert 20 <= len(index.item) <= 70
    assert index.n_columns * index.n_rows >= 400


def test_nothing_gives_nothing() -> None:
    index = index_cells(np.zeros((4, 0)), np.zeros(0))
    lines, items = index.candidates(*columns([(0, 0, 10, 10)]))
    assert len(lines) == len(items) == 0
