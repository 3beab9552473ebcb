"""Inter-UE coordination scheme 1: TS 38.214 8.1.4A to 8.1.4C."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x.access.nr.coordination import CoordinationParams, Overheard, Selecting
from v2x.access.nr.mode2 import NrMode2, NrMode2Params
from v2x.access.nr.overheard import Resource, announcements, best_heard, heard_resources
from v2x.access.nr.resource_sets import ResourceSets, Wanted
from v2x.phy.nr.sci import SCI2A_BITS, sci2c_bits
from v2x.phy.sensing_history import SensingHistory, unpack

from ...access_loop import make
from .nr_by_hand import Heard, Selector, Situation, heard, write
from .test_nr_conflicts import on_air
from .test_nr_mode2 import AnyStory
from .test_nr_sensing import random_situation

ASKER, HELPER, THIRD = 0, 1, 2
FREE = [Resource(s, 0, 2) for s in range(300, 420, 5)]


class Scene:
    """Three nodes; what the asker sends is heard by the helper, and the other way round."""

    def __init__(self, free: Sequence[Resource] = FREE, **params: Any) -> None:
        self.params = CoordinationParams(scheme="set", **params)
        self.history = SensingHistory(3, 500, 5, reserves_two=True)
        self.surveys: list[tuple[int, int, Wanted]] = []

        def survey(node: int, slot: int, wanted: Wanted) -> list[Resource]:
            self.surveys.append((node, slot, wanted))
            return list(free)

        self.sets = ResourceSets(
            self.params, self.history, Overheard(2), survey,
            lag=1, lead=5, period=200, validity=400, slots_per_ms=2, key=3,
        )  # fmt: skip

    def send(
        self, slot: int, node: int, first: int = 0, *, to: tuple[int, ...] = (), **values: int
    ) -> None:
        """Let a node transmit, and the others in `to` decode its SCI."""
        row = on_air(node, first, **values)
        [one] = announcements(slot, row, 2)
        self.sets.sent(slot, row)
        write(self.history, node, [], [slot])
        for other in to:
            write(self.history, other, [Heard(slot, first, unpack(one.word), -80.0)], [])
        self.sets.act(slot + 2)

    def ask(self, *, request_heard: bool = True, answer_heard: bool = True) -> None:
        """The helper speaks, the asker's grant ends, the helper answers."""
        self.sets.expects(ASKER, 90, 289, 5)
        self.send(100, HELPER, 3, to=(ASKER,), reservation_ms=100)
        self.send(150, ASKER, 0, to=(HELPER,) if request_heard else ())
        self.send(200, HELPER, 3, to=(ASKER,) if answer_heard else (), reservation_ms=100)

    def advice(self, slot: int = 290) -> set[Resource] | None:
        """Return what the asker may still choose between 295 and 489 as it was advised."""
        found = self.sets.advice(slot, Selecting(ASKER, 295, 489, 2, 4))
        if found is None:
            return None
        barred = found[0].reshape(195, 4)
        return {Resource(295 + int(y), int(x), 2) for y, x in np.argwhere(barred == 0)}


def test_a_request_is_answered_with_a_preferred_set() -> None:
    """The window is a period later: [90 + 200 + T_proc,1, 289 + 200]; six resources at most."""
    scene = Scene(set_type="preferred")
    scene.ask()
    assert scene.surveys == [(HELPER, 200, Wanted(ASKER, 295, 489, 5))]
    preferred = scene.advice()
    assert preferred is not None
    assert 2 <= len(preferred) <= 6
    assert preferred <= set(FREE)
    counts = scene.sets
    assert (counts.n_requests, counts.n_sets, counts.n_received) == (1, 1, 1)
    # another node was told nothing
    assert scene.sets.advice(290, Selecting(THIRD, 295, 489, 2, 4)) is None


def test_a_helper_prefers_no_slot_in_which_it_transmits_itself() -> None:
    """With its answer in slot 200 it reserved slot 400."""
    for seed_slot in (300, 400):
        scene = Scene([Resource(seed_slot, 0, 2)], set_type="preferred")
        scene.ask()
        assert (scene.advice() is None) == (seed_slot == 400)


def test_a_non_preferred_set_is_what_others_reserved() -> None:
    """The helper heard a third node reserve slot 350; the asker does not choose over it."""
    scene = Scene()
    third = Heard(
        160, 1, unpack(announcements(160, on_air(2, 1, reservation_ms=95), 2)[0].word), -90.0
    )
    write(scene.history, HELPER, [third], [])
    scene.ask()
    left = scene.advice()
    assert left is not None
    everything = {Resource(y, x, 2) for y in range(295, 490) for x in range(4)}
    # subchannels 1 and 2 of slot 350, and the helper's own 3 and 4 of slot 400
    assert everything - left == {
        Resource(350, 0, 2), Resource(350, 1, 2), Resource(350, 2, 2),
        Resource(400, 2, 2), Resource(400, 3, 2),
    }  # fmt: skip
    assert scene.surveys == []


@pytest.mark.parametrize(
    ("lost", "counts"),
    [({"request_heard": False}, (1, 0, 0)), ({"answer_heard": False}, (1, 1, 0))],
)
def test_messages_that_nobody_decodes_change_nothing(
    lost: dict[str, bool], counts: tuple[int, int, int]
) -> None:
    scene = Scene(set_type="preferred")
    scene.ask(**lost)
    assert scene.advice() is None
    assert (scene.sets.n_requests, scene.sets.n_sets, scene.sets.n_received) == counts


def test_a_set_expires() -> None:
    """It was made in slot 200 and lives 400 slots; then, and once the node left, it is gone."""
    scene = Scene(set_type="preferred")
    scene.ask()
    assert scene.advice(600) is not None
    assert scene.advice(601) is None
    scene.sets.forget(ASKER)
    assert scene.advice(290) is None


def test_nobody_asks_while_its_grant_goes_on() -> None:
    scene = Scene()
    scene.sets.expects(ASKER, 90, 289, 5)
    scene.send(100, HELPER, 3, to=(ASKER,), reservation_ms=100)
    scene.send(150, ASKER, 0, to=(HELPER,), reservation_ms=100)
    assert scene.sets.n_requests == 0
    # nor does a node that has heard nobody
    lonely = Scene()
    lonely.sets.expects(ASKER, 90, 289, 5)
    lonely.send(150, ASKER, 0)
    assert lonely.sets.n_requests == 0


@pytest.mark.parametrize(("gap", "n_sets"), [(0, 0), (7, 1)])
def test_two_that_cannot_be_told_apart_reach_nobody(gap: int, n_sets: int) -> None:
    """Equal control information in one place; if it differs, who is heard is known."""
    scene = Scene(set_type="preferred")
    scene.sets.expects(ASKER, 90, 289, 5)
    scene.send(100, HELPER, 3, to=(ASKER,), reservation_ms=100)
    rows = np.concatenate([on_air(ASKER, 0), on_air(THIRD, 0, gap_slots=gap)])
    scene.sets.sent(150, rows)
    word = announcements(150, rows, 2)[0].word
    write(scene.history, HELPER, [Heard(150, 0, unpack(word), -80.0)], [])
    scene.sets.act(152)
    scene.send(200, HELPER, 3, to=(ASKER,), reservation_ms=100)
    assert (scene.sets.n_requests, scene.sets.n_sets) == (1, n_sets)


@pytest.mark.parametrize("rsrp_dbm", [-109.0, -111.0])
def test_who_sees_a_collision_tells_without_being_asked(rsrp_dbm: float) -> None:
    """Asker and third node reserve slot 170; the helper heard both, one just (not) well enough."""
    scene = Scene(trigger="condition")
    rows = {
        THIRD: (140, on_air(THIRD, 1, gap_slots=30, other_subchannel=1)),
        ASKER: (145, on_air(ASKER, 0, gap_slots=25, other_subchannel=0)),
    }
    for node, (slot, row) in rows.items():
        [one] = announcements(slot, row, 2)
        strength = rsrp_dbm if node == THIRD else -80.0
        write(scene.history, HELPER, [Heard(slot, one.place.first, unpack(one.word), strength)], [])
        scene.sets.sent(slot, row)
    scene.sets.act(147)
    scene.send(150, HELPER, 3, to=(ASKER,))
    told = rsrp_dbm > -110.0
    assert scene.sets.conflicts(ASKER) == (frozenset({170}) if told else frozenset())
    assert scene.sets.conflicts(THIRD) == frozenset()
    assert (scene.sets.n_requests, scene.sets.n_sets) == (0, int(told))


def test_combinations_fit_into_an_sci_2c() -> None:
    """Three resources in 32 slots each; one combination has three at most."""
    for n_combinations in (1, 2):
        scene = Scene(set_type="preferred", n_combinations=n_combinations)
        for node in range(50):
            chosen = scene.sets._combined(FREE, node, 7)
            assert len(chosen) <= 3 * n_combinations
            assert list(chosen) == sorted(set(chosen))
            if n_combinations == 1:
                assert chosen[-1].slot - chosen[0].slot <= 31
    assert Scene().sets._combined([], 1, 7) == ()


def test_bits_of_an_sci_2c() -> None:
    """Longer than 2-A; more subchannels, periods and slots need more; every allocation pays."""
    assert sci2c_bits(5, 1, 2) == 94 > SCI2A_BITS
    assert sci2c_bits(5, 2, 2) == 94 + 2
    assert sci2c_bits(27, 16, 4) == 34 + 2 * (13 + 9 + 4) + 8 + 16 + 1 + 2 * 5
    plain = NrMode2Params()
    told = replace(plain, coordination=CoordinationParams(scheme="set"))
    assert told.resource_pool().layout.sci2_bits == 94
    assert plain.resource_pool().layout.sci2_bits == SCI2A_BITS
    more = [
        told.resource_pool().subchannels_needed(size, 7)
        - plain.resource_pool().subchannels_needed(size, 7)
        for size in range(50, 450)
    ]
    assert set(more) == {0, 1}


@settings(max_examples=40, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), per_ms=st.sampled_from([1, 2]))
def test_what_a_node_heard_reserved_is_what_the_scis_say(seed: int, per_ms: int) -> None:
    """Written out: further resources and the next period of all, above the threshold."""
    situation = random_situation(seed, 44, per_ms, 100, 0.2)
    history = SensingHistory(1, 401, 3, reserves_two=True)
    write(history, 0, situation.heard, situation.own)
    now, window = situation.n - 1, (situation.n + 5, situation.n + 60)
    wanted = []
    for h in situation.heard:
        if h.slot in situation.own or not now - 401 < h.slot < now or h.rsrp_dbm <= -90.0:
            continue
        here = [(h.slot, h.subchannel)]
        for gap, other in (
            (h.sci.gap_slots, h.sci.other_subchannel),
            (h.sci.gap2_slots, h.sci.other2_subchannel),
        ):
            here += [(h.slot + gap, other)] if gap else []
        period = h.sci.reservation_ms * per_ms
        later = [(slot + period, first) for slot, first in here] if period else []
        wanted += [
            Resource(slot, first, h.sci.n_subchannels)
            for slot, first in here + later
            if window[0] <= slot <= window[1]
        ]
    found = heard_resources(history, 0, window, now, 1e-9, per_ms)
    assert sorted(found) == sorted(wanted)


def test_the_best_heard_is_the_strongest_of_the_last_period() -> None:
    history = SensingHistory(1, 100, 3)
    for slot, first, rsrp_dbm in (
        (250, 0, -60.0),
        (260, 1, -80.0),
        (270, 2, -75.0),
        (290, 0, -50.0),
    ):
        _note(history, slot, first, rsrp_dbm)
    assert best_heard(history, 0, 251, 290) == (270, 2, WORD)
    assert best_heard(history, 0, 251, 291) == (290, 0, WORD)
    assert best_heard(history, 0, 271, 290) == (-1, -1, -1)


#: One subchannel, priority 5, no further resource.
WORD = 1 << 10 | 5 << 15 | 32 << 19


def _note(history: SensingHistory, slot: int, first: int, rsrp_dbm: float) -> None:
    n, at = history.n_subchannels, slot % history.window
    history.words[0, at] = 0
    history.words[0, at, 0] = slot
    history.powers[0, at, 1 : 1 + n] = 1e-12
    history.powers[0, at, 1 + n + first] = 10.0 ** (rsrp_dbm / 10.0)
    history.words[0, at, 1 + 2 * n + first] = WORD


def draw(situation: Situation, barred: np.ndarray, n_least: int) -> set[tuple[int, int]]:
    """Return S_A after the advice."""
    selector, s = Selector(situation), situation
    members, chosen = np.zeros(len(s.candidates()), dtype=np.uint8), np.zeros(2, dtype=np.int32)
    selector.kernel.select_any(
        0, 1, s.n, s.t1, s.t2, s.length, s.period, s.c_resel, s.priority, 31, 199,
        np.zeros(0, np.int32), chosen, 0, 1, members, barred, n_least,
    )  # fmt: skip
    first = s.n + s.t1
    left = {(first + c // selector.n_positions, c % selector.n_positions)
            for c in np.flatnonzero(members).tolist()}  # fmt: skip
    assert (int(chosen[0]), int(chosen[1])) in left
    return left


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6), share=st.sampled_from([0.1, 0.5, 0.99]), least=st.integers(1, 40)
)
def test_selection_follows_the_advice_if_enough_is_left(
    seed: int, share: float, least: int
) -> None:
    """S_A without what was advised against, unless fewer than the least number are left."""
    situation = random_situation(seed, 44, 2, 100, 0.2)
    s_a, _ = situation.s_a()
    ordered = sorted(situation.candidates())
    barred = (rng.stream(seed, "barred").random(len(ordered)) < share).astype(np.uint8)
    wanted = {place for place in s_a if not barred[ordered.index(place)]}
    if not s_a:
        return
    assert draw(situation, barred, least) == (wanted if len(wanted) >= least else s_a)


def test_what_the_helper_prefers_is_its_own_s_a() -> None:
    """8.1.4A with the window of the asker."""
    technology, history = make(NrMode2, NrMode2Params(n_subchannels=2), n_nodes=2)
    crowd = [
        heard(5000 + y - 200, x, period_ms=100) for y in range(20, 60) for x in (0, 1) if y % 3
    ]
    write(history, HELPER, crowd, [])
    free = technology._free_resources(HELPER, 5000, Wanted(ASKER, 5020, 5059, 5))
    assert free == [Resource(5000 + y, x, 1) for y in range(20, 60) if y % 3 == 0 for x in (0, 1)]
    assert technology._free_resources(HELPER, 5000, Wanted(ASKER, 4000, 4100, 5)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_combinations": 3}, "n_combinations must be within 1 and 2"),
        ({"validity_ms": 0.5}, "validity_ms must be within"),
        ({"trigger": "condition", "set_type": "preferred"}, "must be non-preferred"),
    ],
)
def test_what_an_sci_2c_cannot_carry(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CoordinationParams(**changes)


class SetStory(AnyStory):
    """The same with requests and sets."""

    changes: ClassVar[dict[str, Any]] = {
        "coordination": CoordinationParams(scheme="set", set_type="preferred")
    }


class CollisionStory(AnyStory):
    """The same with sets that nobody asked for."""

    changes: ClassVar[dict[str, Any]] = {
        "coordination": CoordinationParams(scheme="set", trigger="condition")
    }


TestSetStory = SetStory.TestCase
TestCollisionStory = CollisionStory.TestCase
for case in (TestSetStory, TestCollisionStory):
    case.settings = settings(
        max_examples=25, stateful_step_count=40, derandomize=True, deadline=None
    )
