"""Feedback occasions and resources of TS 38.213 16.3, and detection."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.channel.base import LinkState
from v2x.channel.law_tables import LINK_CODES
from v2x.phy.nr.psfch import ACK_SHIFT, SHIFTS, PsfchDesign, PsfchGrid, confused_rayleigh, leak

GRID = PsfchGrid(period=4, gap=2, n_subchannels=5, n_blocks=40, n_shifts=6, all_subchannels=False)


@pytest.mark.parametrize(
    ("period", "gap", "occasions"),
    [
        (1, 2, [2, 3, 4, 5, 6, 7, 8, 9]),
        (1, 3, [3, 4, 5, 6, 7, 8, 9, 10]),
        (2, 2, [2, 4, 4, 6, 6, 8, 8, 10]),
        (2, 3, [4, 4, 6, 6, 8, 8, 10, 10]),
        (4, 2, [4, 4, 4, 8, 8, 8, 8, 12]),
        (4, 3, [4, 4, 8, 8, 8, 8, 12, 12]),
    ],
)
def test_feedback_comes_in_the_first_occasion_after_the_gap(
    period: int, gap: int, occasions: list[int]
) -> None:
    """Slots 0 to 7: the occasions are the slots k with k mod period = 0."""
    grid = replace(GRID, period=period, gap=gap)
    assert [grid.occasion(slot) for slot in range(8)] == occasions


@pytest.mark.parametrize("period", [1, 2, 4])
@pytest.mark.parametrize("gap", [2, 3])
def test_places_count_the_slots_of_an_occasion(period: int, gap: int) -> None:
    """Each occasion serves `period` slots, numbered in order, also after millions of slots."""
    grid = replace(GRID, period=period, gap=gap)
    for start in (0, 20_480, 7_200_000):  # two SFN cycles at 30 kHz; an hour
        served: dict[int, list[int]] = {}
        for slot in range(start + 4, start + 36):
            served.setdefault(grid.occasion(slot), []).append(grid.place(slot))
            assert gap <= grid.occasion(slot) - slot <= grid.longest_wait()
        whole = list(served.values())[1:-1]
        assert whole == [list(range(period))] * len(whole)


@pytest.mark.parametrize(("period", "n_blocks"), [(1, 50), (2, 50), (4, 40), (4, 20)])
def test_slots_and_subchannels_share_the_blocks_without_overlap(period: int, n_blocks: int) -> None:
    """Slot i and subchannel j own [(i + j N) M, (i + 1 + j N) M - 1]."""
    grid = replace(GRID, period=period, n_blocks=n_blocks, n_shifts=1)
    m = grid.blocks_each
    assert m == n_blocks // (5 * period)
    owned = []
    for slot in range(3, 3 + period):
        i = grid.place(slot)
        for j in range(5):
            blocks = [grid.resource(slot, j, 1, source).block for source in range(m)]
            assert blocks == list(range((i + j * period) * m, (i + 1 + j * period) * m))
            owned += blocks
    assert sorted(owned) == list(range(n_blocks))


def test_resources_go_by_block_first_and_then_by_shift() -> None:
    """R = 2 * 6: indices 0 and 1 on the blocks of shift 0, 2 and 3 on those of shift 1, ..."""
    assert GRID.n_resources(1) == 12
    found = [GRID.resource(4, 1, 1, source) for source in range(12)]
    first = (GRID.place(4) + 1 * 4) * 2
    assert found == [(first + k % 2, k // 2) for k in range(12)]
    assert GRID.resource(4, 1, 1, 255, 4) == found[(255 + 4) % 12]


def test_all_subchannels_of_a_transmission_may_lend_their_resources() -> None:
    grid = replace(GRID, all_subchannels=True, n_shifts=2)
    assert (grid.n_resources(1), grid.n_resources(3)) == (4, 12)
    i = grid.place(5)
    blocks = [(i + (2 + k // 2) * 4) * 2 + k % 2 for k in range(6)]
    found = [grid.resource(5, 2, 3, source) for source in range(12)]
    assert found == [(block, shift) for shift in (0, 3) for block in blocks]


@settings(max_examples=200, derandomize=True)
@given(
    slot=st.integers(0, 10**7),
    width=st.integers(1, 5),
    source=st.integers(0, 255),
    period=st.sampled_from([1, 2, 4]),
    n_shifts=st.sampled_from(list(SHIFTS)),
    every=st.booleans(),
    data=st.data(),
)
def test_members_of_a_group_have_resources_of_their_own(
    slot: int,
    width: int,
    source: int,
    period: int,
    n_shifts: int,
    every: bool,
    data: st.DataObject,
) -> None:
    """As long as there are enough, and never outside those of the transmission."""
    grid = replace(
        GRID,
        period=period,
        n_blocks=200 // 5 // period * 5 * period,
        n_shifts=n_shifts,
        all_subchannels=every,
    )
    first = data.draw(st.integers(0, 5 - width))
    n = grid.n_resources(width)
    found = {grid.resource(slot, first, width, source, member) for member in range(n)}
    assert len(found) == n
    m = grid.blocks_each
    places = {
        block
        for j in range(first, first + (width if every else 1))
        for block in range(
            (grid.place(slot) + j * period) * m, (grid.place(slot) + j * period + 1) * m
        )
    }
    assert {block for block, _ in found} == places


def test_ack_and_nack_of_all_pairs_are_different_shifts() -> None:
    """TS 38.213 Tables 16.3-1 and 16.3-2."""
    for n, shifts in SHIFTS.items():
        assert len(shifts) == n
        taken = [(m0 + add) % 12 for m0 in shifts for add in (0, ACK_SHIFT)]
        assert len(set(taken)) == 2 * n


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"period": 3}, "psfch_period"),
        ({"gap": 1}, "psfch_gap"),
        ({"n_shifts": 4}, "psfch_shifts"),
        ({"n_blocks": 30}, "psfch_rb must be a multiple of 20"),
        ({"n_blocks": 0}, "psfch_rb"),
    ],
)
def test_grids_that_the_standard_does_not_list_are_rejected(
    changes: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(GRID, **changes)


def test_fading_goes_by_link_state() -> None:
    """Codes: LOS, NLOSv, NLOS, tunnel, deck, terrain, as the link table numbers them."""
    design = PsfchDesign(
        grid=GRID,
        most_sent=4,
        ties_send=True,
        false_alarm=0.05,
        timing_us=0.1,
        fading="by-state",
    )
    steady = (LinkState.LOS, LinkState.TUNNEL)
    assert design.fades().tolist() == [int(state not in steady) for state in LINK_CODES]
    assert replace(design, fading="rayleigh").fades().all()
    assert not replace(design, fading="none").fades().any()
    assert math.exp(-design.threshold) == pytest.approx(0.05)
    # 30 kHz: a twelfth of 33.3 µs is 2.78 µs
    assert 1.0 / design.shifts_per_us(360e3) == pytest.approx(2.778, abs=1e-3)


def test_leaks_are_those_of_a_sum_over_twelve_elements() -> None:
    """|sum of exp(2 pi i x n / 12)|^2 / 144 over n = 0 to 11."""
    for x in (0.0, 0.01, 0.3, 1.2, 5.5, 11.9, 12.0):
        angles = [2.0 * math.pi * x * n / 12.0 for n in range(12)]
        total = sum(math.cos(a) for a in angles) ** 2 + sum(math.sin(a) for a in angles) ** 2
        assert leak(x) == pytest.approx(total / 144.0, abs=1e-12)


def test_without_signal_ack_and_nack_are_a_coin() -> None:
    assert confused_rayleigh(0.0) == 0.5
