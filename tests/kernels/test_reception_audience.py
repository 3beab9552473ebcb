"""Reception where not everybody is meant: who counts, who answers, and SCI-2 by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from v2x import rng

from .reception_world import (
    ALWAYS,
    AT_FOUR,
    NEVER,
    SOLO,
    World,
    certain,
    design,
    gain_for,
    pair_world,
    random_slots,
    random_world,
    two_way,
)
from .twin_reception import (
    BELOW_SENSITIVITY,
    CONTROL_LOST,
    HALF_DUPLEX,
    OUT_OF_BUDGET,
    PROPAGATION,
    RECEIVED,
    Link,
    Tx,
)

ACK, NACK = 1, 2
#: Node 0 and its first packet.
FIRST = np.array([[0, 0]], dtype=np.int32)
TWICE = replace(SOLO, n_attempts=2)
AGAIN = replace(TWICE, attempt=1)


def address(
    world: World, meant: dict[tuple[int, int], int], *, nack_only: bool = False
) -> NDArray[np.int32]:
    """Let links answer: by ends, one more than the member's number; returns the answers' place."""
    responds = np.array([meant.get(ends, 0) for ends in world.ends], dtype=np.uint8)
    world.kernel.bind_audience((responds > 0).astype(np.uint8), responds, nack_only)
    answers = np.full((256, 4), -9, dtype=np.int32)
    world.kernel.bind_answers(answers)
    return answers


def answers_to(world: World, answers: NDArray[np.int32]) -> list[list[int]]:
    """Return what the last slot brought: transmission, node, member, value."""
    n = world.kernel.n_answers
    assert (answers[n:] == -9).all()
    rows = answers[:n].tolist()
    answers[:] = -9
    return rows


def second_stage(world: World, curve: int) -> None:
    """Give SCI-2 an error curve."""
    world.kernel.set_second_stage(np.full(6, curve, dtype=np.int32), 77)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 7))
def test_only_those_meant_count_and_nothing_else_changes(seed: int, n: int) -> None:
    """Against a world where everybody is meant: the same on air, less in the counts."""
    used = design(3)
    everybody, some = (random_world(seed, n, used, 14 * n) for _ in range(2))
    g = rng.stream(seed, "meant")
    meant = {ends: 1 for ends in some.ends if g.random() < 0.4}
    address(some, meant)
    for slot, on_air in random_slots(seed, n, 12, 3, first_slot=3):
        if not on_air:
            continue
        everybody.receive(slot, on_air)
        some.receive(slot, on_air)
    for k, ends in enumerate(some.ends):
        same = (everybody.last_slot[k], everybody.last_generated[k])
        assert (some.last_slot[k], some.last_generated[k]) == (same if ends in meant else (-1, 0))
    assert np.array_equal(everybody.history, some.history)
    assert np.array_equal(everybody.soft, some.soft)
    assert (some.counts_by_direction <= everybody.counts_by_direction).all()
    assert (some.n_intended <= everybody.n_intended).all()


def test_drops_count_at_those_meant() -> None:
    world = pair_world(certain(), n=4)
    address(world, {(0, 2): 1})
    world.kernel.drop(0, 0, 0)
    assert world.counts[:, OUT_OF_BUDGET].sum() == 1
    assert world.n_intended[0] == 1


@pytest.mark.parametrize(
    ("snr", "control", "second", "expected", "outcome"),
    [
        (100.0, NEVER, NEVER, [[0, 1, 0, ACK]], RECEIVED),
        (1.0, NEVER, NEVER, [[0, 1, 0, NACK]], PROPAGATION),
        (100.0, ALWAYS, NEVER, [], CONTROL_LOST),
        (1.0, ALWAYS, NEVER, [], PROPAGATION),
        (100.0, NEVER, ALWAYS, [], CONTROL_LOST),
        (1.0, NEVER, ALWAYS, [], PROPAGATION),
    ],
)
def test_answers_need_both_stages_of_control_information(
    snr: float, control: int, second: int, expected: list[list[int]], outcome: int
) -> None:
    """ACK or NACK by the data; nothing from whoever lost SCI-1 or SCI-2."""
    world = pair_world(certain(control=control), snr=snr)
    answers = address(world, {(0, 1): 1})
    second_stage(world, second)
    world.receive(3, [TWICE])
    assert answers_to(world, answers) == expected
    assert world.first_outcome[0] == outcome


def test_sensing_has_the_first_stage_though_the_second_is_lost() -> None:
    for second in (NEVER, ALWAYS):
        world = pair_world(certain())
        second_stage(world, second)
        world.receive(3, [SOLO])
        assert world.history[1, 3, 1 + 2 * 3] != 0
        assert world.counts[:, RECEIVED].sum() == (second == NEVER)
        assert world.counts[:, CONTROL_LOST].sum() == (second == ALWAYS)


def test_a_lost_second_stage_leaves_nothing_to_combine() -> None:
    """SNR 3 fails alone and passes at 6: but not if the first attempt's SCI-2 was lost."""
    world = pair_world(certain(), snr=3.0)
    second_stage(world, ALWAYS)
    world.receive(3, [TWICE])
    assert world.soft[0] == 0.0
    second_stage(world, NEVER)
    world.receive(4, [AGAIN])
    assert world.counts[:, PROPAGATION].sum() == 1
    ok = pair_world(certain(), snr=3.0)
    ok.receive(3, [TWICE])
    ok.receive(4, [AGAIN])
    assert ok.counts[:, RECEIVED].sum() == 1


def test_the_second_stage_is_not_combined() -> None:
    """At SNR 3, a step at 4: SCI-2 fails in every attempt, whatever the data gather."""
    world = pair_world(certain(data=NEVER), snr=3.0)
    answers = address(world, {(0, 1): 1})
    second_stage(world, AT_FOUR)
    world.receive(3, [TWICE])
    assert answers_to(world, answers) == []
    second_stage(world, NEVER)
    world.receive(4, [TWICE])
    assert answers_to(world, answers) == [[0, 1, 0, ACK]]
    second_stage(world, AT_FOUR)
    world.receive(5, [AGAIN])
    assert answers_to(world, answers) == []


def test_the_second_stage_is_lost_with_its_probability() -> None:
    n = 4000
    used = certain(control=NEVER, data=NEVER)
    curves = np.vstack([used.curves, np.full_like(used.curves[:1], 0.3)])
    world = pair_world(replace(used, curves=curves), n=n + 1)
    second_stage(world, len(curves) - 1)
    world.receive(3, [SOLO])
    lost = world.counts[:, CONTROL_LOST].sum()
    assert abs(lost / n - 0.3) < 4.0 * (0.3 * 0.7 / n) ** 0.5


def test_a_node_that_transmits_says_nothing() -> None:
    used = certain()
    link = Link(gain_for(100.0, used), 50.0, 0)
    world = World(
        used,
        two_way({(0, 1): link, (0, 2): link}, 3),
        word=[1, 2, 3],
        counted=[True] * 3,
        generated_us=[0, 1],
    )
    answers = address(world, {(0, 1): 1, (0, 2): 2})
    world.receive(3, [TWICE, Tx(node=1, packet=1, first_subchannel=2, n_subchannels=1)])
    assert answers_to(world, answers) == [[0, 2, 1, ACK]]
    assert world.first_outcome[world.link(0, 1)] == HALF_DUPLEX


def test_whoever_has_the_packet_acknowledges_its_repetitions() -> None:
    """A first attempt arrives; in the second the data fail, and yet it is an ACK."""
    world = pair_world(certain(), snr=100.0)
    answers = address(world, {(0, 1): 3})
    world.receive(3, [TWICE])
    assert answers_to(world, answers) == [[0, 1, 2, ACK]]
    world.soft[:] = 0.0
    world.gain[:] /= 200.0
    world.receive(5, [AGAIN])
    assert answers_to(world, answers) == [[0, 1, 2, ACK]]


def test_with_nack_only_success_is_silence() -> None:
    for snr, expected in ((100.0, []), (1.0, [[0, 1, 0, NACK]])):
        world = pair_world(certain(), snr=snr)
        answers = address(world, {(0, 1): 1}, nack_only=True)
        world.receive(3, [TWICE])
        assert answers_to(world, answers) == expected


def test_packets_that_go_once_or_are_not_repeated_ask_nobody() -> None:
    world = pair_world(certain())
    answers = address(world, {(0, 1): 1})
    for slot, tx in enumerate([SOLO, replace(TWICE, process=1)]):
        world.receive(slot, [tx])
        assert answers_to(world, answers) == []


@pytest.mark.parametrize("snr", [100.0, 3.0, 1.0])
@pytest.mark.parametrize("n_made", [1, 2])
def test_a_packet_that_ends_early_counts_as_if_these_were_all_its_attempts(
    snr: float, n_made: int
) -> None:
    """One or two of four attempts, then an ACK; against a packet of so many attempts."""
    short, early = (pair_world(certain(), snr=snr, n=3) for _ in range(2))
    for k in range(n_made):
        short.receive(3 + 9 * k, [replace(SOLO, attempt=k, n_attempts=max(n_made, 1))])
        early.receive(3 + 9 * k, [replace(SOLO, attempt=k, n_attempts=4)])
    assert not early.counts.any()
    early.kernel.conclude(FIRST, 0)
    assert np.array_equal(early.counts, short.counts)
    for name in ("n_intended", "n_received", "n_received_first"):
        assert np.array_equal(getattr(early, name), getattr(short, name)), name
    assert np.array_equal(early.gaps, short.gaps)


def test_early_ends_of_the_warm_up_and_of_nodes_that_do_not_count_are_not_counted() -> None:
    world = pair_world(certain(), n=3)
    world.receive(3, [TWICE])
    world.kernel.conclude(FIRST, world.generated_us[0] + 1)
    assert not world.counts.any()
    address(world, {(0, 2): 1})
    world.kernel.conclude(FIRST, 0)
    assert world.counts[:, RECEIVED].sum() == world.n_intended[0] == 1


def test_arrays_that_are_too_short_are_refused() -> None:
    world = pair_world(certain())
    short: NDArray[Any] = np.zeros(0, dtype=np.uint8)
    with pytest.raises(ValueError, match="intended"):
        world.kernel.bind_audience(short, short, False)
    with pytest.raises(ValueError, match="curve_row"):
        world.kernel.set_second_stage(np.zeros(1, dtype=np.int32), 1)
    with pytest.raises(ValueError, match="four columns"):
        world.kernel.bind_answers(np.zeros((9, 3), dtype=np.int32))
    world.kernel.bind_answers(np.zeros((1, 4), dtype=np.int32))
    with pytest.raises(ValueError, match="answers"):
        world.receive(3, [TWICE])


def test_outcomes_that_never_came_are_below_sensitivity() -> None:
    """Who came into reach after all attempts has heard nothing."""
    world = pair_world(certain())
    world.kernel.conclude(FIRST, 0)
    assert world.counts[:, BELOW_SENSITIVITY].sum() == 1
