"""Inter-UE coordination scheme 2: TS 38.213 16.3.0, TS 38.321 5.22.1.2a."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from v2x.access.base import TRANSMISSION, SlotTransmissions
from v2x.access.nr.conflicts import Conflicts, SequenceDetection
from v2x.access.nr.coordination import CoordinationParams
from v2x.access.nr.mode2 import NrMode2, NrMode2Params
from v2x.access.nr.overheard import Announcement, Resource, announcements, decoded_mw
from v2x.phy.nr.psfch import missed_rayleigh
from v2x.phy.sensing_history import SensingHistory, unpack

from ...access_loop import Offered, drive, make
from .nr_by_hand import Heard, write
from .test_nr_mode2 import AnyStory

LEAD = 5


def on_air(node: int, first: int, **values: int) -> SlotTransmissions:
    """Return a transmission of two subchannels."""
    row = np.zeros(1, dtype=TRANSMISSION)
    row["node"], row["first_subchannel"], row["n_subchannels"] = node, first, 2
    row["priority"] = 5
    for name, value in values.items():
        row[name] = value
    return row


def sci(slot: int, node: int, first: int, **values: int) -> Announcement:
    [one] = announcements(slot, on_air(node, first, **values), 2)
    return one


def hears(history: SensingHistory, node: int, one: Announcement, rsrp_dbm: float) -> None:
    """Let a node decode an SCI."""
    write(history, node, [Heard(one.place.slot, one.place.first, unpack(one.word), rsrp_dbm)], [])


class Wire:
    """A channel that loses nothing, or everything."""

    def __init__(self, lost: bool = False) -> None:
        self.lost, self.calls = lost, list[tuple[int, int, list[float]]]()

    def indicated(self, occasion: int, one: Announcement, rsrp_mw: NDArray[np.float32]) -> bool:
        self.calls.append((occasion, one.node, [round(10 * math.log10(p), 1) for p in rsrp_mw]))
        return len(rsrp_mw) > 0 and not self.lost


#: Node 1 reserved slot 130, subchannels 1 and 2; node 2 then subchannels 2 and 3 of it.
FIRST = sci(105, 1, 1, gap_slots=25, other_subchannel=1)
SECOND = sci(110, 2, 0, gap_slots=20, other_subchannel=2)


def watch(
    heard: Sequence[tuple[int, Announcement, float]],
    scis: Sequence[Announcement] = (FIRST, SECOND),
    wire: Wire | None = None,
    *,
    threshold_dbm: float = -100.0,
    least_ratio: float = 0.0,
) -> tuple[Conflicts, Wire]:
    """Return who was told after SCIs, each answered two slots later."""
    history, wire = SensingHistory(5, 500, 5, reserves_two=True), wire or Wire()
    for node, one, rsrp_dbm in heard:
        hears(history, node, one, rsrp_dbm)
    watching = Conflicts(
        history,
        wire,
        lead=LEAD,
        threshold_mw=10.0 ** (threshold_dbm / 10.0),
        least_ratio=least_ratio,
    )
    for one in scis:
        watching.answer(one.place.slot + 2, [one])
    return watching, wire


def test_what_an_sci_announces() -> None:
    """TRIV and FRIV, and a period of 50 ms at two slots in a millisecond."""
    one = sci(100, 3, 1, gap_slots=4, other_subchannel=0, gap2_slots=9, other2_subchannel=3)
    assert one.resources == (Resource(104, 0, 2), Resource(109, 3, 2))
    assert not one.periodic
    again = sci(100, 3, 1, gap_slots=4, other_subchannel=0, reservation_ms=50)
    assert again.resources == (Resource(104, 0, 2), Resource(200, 1, 2), Resource(204, 0, 2))
    assert again.periodic
    assert sci(100, 3, 1).resources == ()


@pytest.mark.parametrize(
    ("other", "meets"),
    [
        (Resource(7, 3, 2), True),
        (Resource(7, 4, 1), False),
        (Resource(7, 0, 2), False),
        (Resource(7, 0, 3), True),
        (Resource(8, 2, 2), False),
    ],
)
def test_overlap(other: Resource, meets: bool) -> None:
    here = Resource(7, 2, 2)
    assert here.meets(other) == other.meets(here) == meets


def test_who_sees_a_conflict_tells_who_came_later() -> None:
    watching, wire = watch([(0, FIRST, -90.0), (0, SECOND, -85.0)])
    assert watching.told(2) == {130}
    assert watching.told(1) == set()
    assert wire.calls == [(107, 1, []), (112, 2, [-85.0])]
    assert (watching.n_seen, watching.n_told) == (1, 1)


@pytest.mark.parametrize(
    "heard",
    [
        [],
        [(0, FIRST, -90.0)],
        [(0, SECOND, -90.0)],
        [(0, FIRST, -90.0), (3, SECOND, -90.0)],
        # the other one is too weak to disturb
        [(0, FIRST, -101.0), (0, SECOND, -60.0)],
        # those concerned do not count as UE-A
        [(2, FIRST, -60.0), (1, SECOND, -60.0)],
    ],
)
def test_who_did_not_decode_both_well_enough_tells_nothing(
    heard: list[tuple[int, Announcement, float]],
) -> None:
    watching, _ = watch(heard)
    assert watching.told(1) == watching.told(2) == set()
    assert watching.n_seen == 0


def test_option_2_compares_the_two() -> None:
    """The other one must be heard 3 dB above the one that is told."""
    for rsrp_dbm, told in ((-86.0, set()), (-80.0, {130})):
        watching, _ = watch(
            [(0, FIRST, rsrp_dbm), (0, SECOND, -84.0)],
            threshold_dbm=-300.0,
            least_ratio=10.0**0.3,
        )
        assert watching.told(2) == told


@pytest.mark.parametrize(("own", "told"), [(5, {130}), (6, {130}), (4, set())])
def test_the_higher_priority_keeps_its_resource(own: int, told: set[int]) -> None:
    second = sci(110, 2, 0, gap_slots=20, other_subchannel=2, priority=own)
    watching, _ = watch([(0, FIRST, -90.0), (0, second, -85.0)], (FIRST, second))
    assert watching.told(2) == told
    assert watching.told(1) == set()


def test_a_lost_indication_and_one_that_comes_too_late_change_nothing() -> None:
    both = [(0, FIRST, -90.0), (0, SECOND, -85.0)]
    watching, wire = watch(both, wire=Wire(lost=True))
    assert len(wire.calls) == 2
    assert watching.told(2) == set()
    assert (watching.n_seen, watching.n_told) == (1, 0)
    # slot 130 - T3 = 125: an answer in 124 is in time, one in 125 is not
    for gap, told in ((7, set()), (8, {130})):
        late = sci(130 - gap, 2, 0, gap_slots=gap, other_subchannel=2)
        watching, _ = watch([(0, FIRST, -90.0), (0, late, -85.0)], (FIRST, late))
        assert watching.told(2) == told


def test_all_that_an_sci_reserves_is_in_doubt_but_what_goes_on_air_too_soon() -> None:
    """One bit does not say which of them collides: 115 is too near to 112, 130 and 140 are not."""
    second = sci(110, 2, 0, gap_slots=5, other_subchannel=0, gap2_slots=30, other2_subchannel=2)
    second = second._replace(resources=(*second.resources, Resource(130, 2, 2)))
    watching, _ = watch([(0, FIRST, -90.0), (0, second, -85.0)], (FIRST, second))
    assert watching.told(2) == {130, 140}


def test_two_in_one_place_are_never_decoded_both() -> None:
    """Equal control information in one place looks as if both had been heard."""
    one = sci(110, 1, 2, reservation_ms=100)
    other = sci(110, 2, 2, reservation_ms=100)
    watching, _ = watch([(0, one, -90.0)], (one, other))
    assert watching.n_seen == 0


def test_what_was_told_ends_with_the_resource_or_the_node() -> None:
    both = [(0, FIRST, -90.0), (0, SECOND, -85.0)]
    watching, _ = watch(both)
    watching.answer(129, [])
    assert watching.told(2) == {130}
    watching.answer(130, [])
    assert watching.told(2) == set()
    watching, _ = watch(both)
    watching.forget(2)
    assert watching.told(2) == set()
    gone, _ = watch(both, (FIRST,))
    gone.forget(1)
    gone.answer(112, [SECOND])
    assert gone.told(2) == set()


def test_decoding_needs_the_slot_the_word_and_a_receiver() -> None:
    history = SensingHistory(3, 50, 5, reserves_two=True)
    hears(history, 0, FIRST, -90.0)
    write(history, 1, [], [FIRST.place.slot])
    rsrp = decoded_mw(history, FIRST)
    assert rsrp[0] == pytest.approx(1e-9)
    assert rsrp[1:].tolist() == [0.0, 0.0]
    assert float(decoded_mw(history, FIRST, 0)) == pytest.approx(1e-9)
    # another word, another place, a slot that the ring has left behind
    for other in (
        sci(105, 1, 1, gap_slots=24, other_subchannel=1),
        sci(105, 1, 2, gap_slots=25, other_subchannel=1),
        sci(55, 1, 1, gap_slots=25, other_subchannel=1),
    ):
        assert not decoded_mw(history, other).any()


@pytest.mark.parametrize("snr_db", [-20.0, -8.0, 0.0, 10.0])
def test_detection_has_the_probability_of_the_formula(snr_db: float) -> None:
    """Two nodes send: their energies add; ten resource blocks of power go into one."""
    noise_mw, n = 1e-13, 4000
    channel = SequenceDetection(
        noise_mw=noise_mw, block_ratio=10, false_alarm=0.01, key=7, n_nodes=3
    )
    rsrp = np.full(2, noise_mw * 10.0 ** (snr_db / 10.0) / 2 / 20, dtype=np.float32)
    share = np.mean([channel.indicated(slot, FIRST, rsrp) for slot in range(n)])
    p = 1.0 - missed_rayleigh(10.0 ** (snr_db / 10.0), 0.01)
    assert abs(share - p) < 4 * math.sqrt(p * (1 - p) / n)
    nobody = np.zeros(0, dtype=np.float32)
    false = np.mean([channel.indicated(slot, FIRST, nobody) for slot in range(n)])
    assert abs(false - 0.01) < 4 * math.sqrt(0.01 * 0.99 / n)


TELLS = CoordinationParams(scheme="conflict")
PARAMS = NrMode2Params(
    grant="dynamic", blind_retransmissions=1, psfch_period=1, reevaluation=False, preemption=False
)


def test_a_node_that_is_told_moves_and_keeps_clear_of_the_slot() -> None:
    """Its repetition was announced; an indication takes it elsewhere, the first stays."""
    packet = [Offered(100, 0, 160)]

    def run(params: NrMode2Params, told: bool) -> tuple[Any, list[Any]]:
        technology, _ = make(NrMode2, params, n_nodes=2)
        if told:
            technology.coordination.told._channel = _AlwaysTold()
        return technology, drive(technology, packet, 400).sent

    technology, quiet = run(PARAMS, False)
    assert quiet[1].slot - quiet[0].slot > 7, "choose another seed"
    technology, sent = run(replace(PARAMS, coordination=TELLS), True)
    assert sent[0] == quiet[0]
    assert sent[1].slot != quiet[1].slot
    assert quiet[0].slot < sent[1].slot <= 160
    assert (technology.n_resolved, technology.n_preempted) == (1, 0)
    technology, deaf = run(replace(PARAMS, coordination=TELLS), False)
    assert [s.slot for s in deaf] == [s.slot for s in quiet]


def test_the_slot_of_a_conflict_is_not_drawn_again() -> None:
    """Twenty slots on one subchannel: in 150 runs nobody comes back to where it was told off."""
    params = replace(PARAMS, n_subchannels=1, t2min_ms=1)
    moved = 0
    for seed in range(150):
        technology, _ = make(NrMode2, params, seed=seed)
        quiet = drive(technology, [Offered(100, 0, 124)], 200).sent
        technology, _ = make(NrMode2, replace(params, coordination=TELLS), seed=seed)
        technology.coordination.told._channel = _AlwaysTold()
        told = drive(technology, [Offered(100, 0, 124)], 200).sent
        if technology.n_resolved:
            moved += 1
            assert told[1].slot != quiet[1].slot
    assert moved > 20


class _AlwaysTold:
    def indicated(self, occasion: int, one: Announcement, rsrp_mw: NDArray[np.float32]) -> bool:
        return True


def test_scheme_2_needs_the_feedback_channel() -> None:
    with pytest.raises(ValueError, match="coordination 'conflict' needs a psfch_period"):
        NrMode2Params(coordination=TELLS)


class ConflictStory(AnyStory):
    """The same with neighbours that tell of conflicts, and many false alarms."""

    changes: ClassVar[dict[str, Any]] = {
        "coordination": TELLS,
        "psfch_period": 2,
        "psfch_false_alarm": 0.3,
        "vru_selection": "random",
    }


TestConflictStory = ConflictStory.TestCase
TestConflictStory.settings = settings(
    max_examples=25, stateful_step_count=40, derandomize=True, deadline=None
)
