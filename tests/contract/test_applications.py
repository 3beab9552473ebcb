"""What every application keeps."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import registry
from v2x.applications.base import PacketBatch

from ..simulation_parts import fleet_state

NAMES = registry.names("v2x.applications")


def application(name: str, seed: int = 1) -> Any:
    strategy = registry.load("v2x.applications", name)
    return strategy(strategy.Params(), seed)


def fleet(ids: list[int]) -> Any:
    return fleet_state(0, np.arange(len(ids)) * 20.0, id=ids, speed_mps=20.0)


def rows(batch: PacketBatch) -> list[tuple[int, ...]]:
    columns = (
        batch.generated_us,
        batch.tx_row,
        batch.size_bytes,
        batch.deadline_us,
        batch.priority,
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    ids=st.lists(st.integers(0, 2**40) | st.just(-1), max_size=6, unique=True),
    start_us=st.integers(0, 10**9),
    length_us=st.integers(1, 2 * 10**6),
)
def test_packets_are_well_formed(name: str, ids: list[int], start_us: int, length_us: int) -> None:
    one = application(name)
    here = fleet(ids)
    batch = one.packets(start_us, start_us + length_us, here)
    n = len(batch)
    assert all(len(getattr(batch, f)) == n for f in batch.__slots__)
    assert (batch.generated_us >= start_us).all()
    assert (batch.generated_us < start_us + length_us).all()
    assert (np.diff(batch.generated_us) >= 0).all()
    assert here.active[batch.tx_row].all()
    assert set(batch.size_bytes.tolist()) <= set(one.sizes_bytes)
    assert (batch.deadline_us > batch.generated_us).all()
    assert ((batch.priority >= 1) & (batch.priority <= 8)).all()
    dtypes = [getattr(batch, f).dtype for f in ("generated_us", "tx_row", "size_bytes")]
    assert dtypes == [np.int64, np.int32, np.int32]


@pytest.mark.parametrize("name", NAMES)
def test_sizes_and_period_are_known_beforehand(name: str) -> None:
    one = application(name)
    assert len(one.sizes_bytes) > 0
    assert all(1 <= size <= 10_000 for size in one.sizes_bytes)
    assert isinstance(one.period_ms, int)
    assert one.period_ms >= 1


@pytest.mark.parametrize("name", NAMES)
def test_time_may_be_cut_anywhere(name: str) -> None:
    here = fleet(list(range(20)))
    whole = rows(application(name).packets(0, 1_000_000, here))
    for cuts in ([100_000] * 10, [1] * 5 + [999_995], [333_333, 333_333, 333_334]):
        ends = np.cumsum([0, *cuts]).tolist()
        one = application(name)
        pieces = [
            row
            for start, end in itertools.pairwise(ends)
            for row in rows(one.packets(start, end, here))
        ]
        assert pieces == whole


@pytest.mark.parametrize("name", NAMES)
def test_seeds(name: str) -> None:
    here = fleet(list(range(50)))
    first, again, other = (
        rows(application(name, seed).packets(0, 10**6, here)) for seed in (4, 4, 5)
    )
    assert first == again
    assert len(first) == 0 or first != other
