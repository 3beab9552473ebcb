"""Steps 1 to 7 of TS 36.213 14.1.1.6: which candidates remain."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .by_hand import Heard, Request, Selector, Sensed, clause_s_a, reservation, select

N = 2000
#: All of [n + 4, n + 99]: what the 100 slots before n can reserve for 100 ms later.
EVERYTHING = Request(n=N, t2=99).candidates(5)


def excluded(sensed: Sensed, **request: int) -> set[tuple[int, int]]:
    """Return the candidates that did not stay in S_A."""
    wanted = Request(n=N, **request)
    return wanted.candidates(sensed.n_subchannels) - Selector(sensed, wanted).select().s_a


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_candidates_of_an_idle_channel(length: int) -> None:
    """Step 1: each of the 97 slots has N - L + 1 places, and all of them remain."""
    selection = select(Sensed(), length=length)
    assert selection.n_total == 97 * (5 - length + 1)
    assert selection.s_a == Request(length=length).candidates(5)
    assert selection.n_raises == 0


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize(("first", "width"), [(0, 1), (2, 1), (4, 1), (1, 2), (0, 5)])
def test_a_reservation_excludes_what_it_overlaps(length: int, first: int, width: int) -> None:
    """Step 6: heard in n - 60 with 100 ms, it comes again in n + 40 and nowhere else.

    A candidate x ... x + L - 1 overlaps first ... first + width - 1 if x lies in
    first - L + 1 ... first + width - 1.
    """
    sensed = Sensed(heard=[reservation(N - 60, first, width=width)])
    overlapping = range(max(first - length + 1, 0), min(first + width, 5 - length + 1))
    assert excluded(sensed, length=length) == {(N + 40, x) for x in overlapping}


@pytest.mark.parametrize(("rsrp_dbm", "stays"), [(-110.01, True), (-109.99, False)])
@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_weak_reservation_excludes_nothing(length: int, rsrp_dbm: float, stays: bool) -> None:
    """Step 6 asks for an RSRP above the threshold of -110 dBm per resource element."""
    sensed = Sensed(heard=[reservation(N - 60, 2, rsrp_dbm=rsrp_dbm)])
    assert (excluded(sensed, length=length) == set()) == stays


def test_the_threshold_belongs_to_the_pair_of_priorities() -> None:
    """Step 3: Th(prio_TX, prio_RX); 5 hears 2 at -100 dBm, 2 hears 5 at -110 dBm."""
    sensed = Sensed(heard=[reservation(N - 60, 1, rsrp_dbm=-105.0, priority=2)])
    thresholds = {(5, 2): -100.0, (2, 5): -110.0, (2, 2): -110.0, (5, 5): -110.0}
    for own, stays in ((5, True), (2, False)):
        selection = select(sensed, priority=own, thresholds_dbm=thresholds)
        assert ((N + 40, 1) in selection.s_a) == stays


@pytest.mark.parametrize("period_ms", [100, 200, 300, 500, 1000])
def test_longer_reservations_hit_later_repetitions(period_ms: int) -> None:
    """Step 6 tests R(x, y + j P'): what comes in n - 60 + period meets the candidate n + 40."""
    sensed = Sensed(heard=[reservation(N - 60, 3, period_ms=period_ms)])
    assert excluded(sensed) == {(N + 40, 3)}


def test_overlap_is_tested_c_resel_times() -> None:
    """With C_resel = 3, y + 2 P' is the last repetition: 300 ms ahead is out of sight."""
    for period_ms, excludes in ((200, True), (300, True), (400, False)):
        sensed = Sensed(heard=[reservation(N - 60, 3, period_ms=period_ms)])
        assert ((N + 40, 3) in excluded(sensed, c_resel=3)) == excludes


@pytest.mark.parametrize(("period_ms", "ago"), [(50, 40), (50, 50), (20, 7), (20, 20)])
def test_short_reservations_repeat_within_100_ms(period_ms: int, ago: int) -> None:
    """Q = 1 / P_rsvp if the control information is not older than one of its periods."""
    sensed = Sensed(heard=[reservation(N - ago, 0, period_ms=period_ms)])
    hits = {N - ago + q * period_ms for q in range(1, 100 // period_ms + 1)}
    assert excluded(sensed) == {(slot, 0) for slot in hits if N + 4 <= slot <= N + 100}


@pytest.mark.parametrize(("period_ms", "ago"), [(50, 51), (20, 21), (20, 35)])
def test_old_short_reservations_repeat_once(period_ms: int, ago: int) -> None:
    """Q = 1 otherwise: the one repetition has passed, or is too near to be a candidate."""
    sensed = Sensed(heard=[reservation(N - ago, 0, period_ms=period_ms)])
    assert excluded(sensed) == set()


def test_no_reservation_excludes_nothing() -> None:
    """Control information of a last transmission announces 0."""
    assert excluded(Sensed(heard=[reservation(N - 60, 1, period_ms=0)])) == set()


def test_an_announced_retransmission_is_taken() -> None:
    """The resource indicated by the control information holds both of its transmissions."""
    sensed = Sensed(heard=[reservation(N - 3, 1, period_ms=0, gap=12, other=4)])
    assert excluded(sensed) == {(N + 9, 4)}
    sensed = Sensed(heard=[reservation(N - 60, 1, gap=12, other=4)])
    assert excluded(sensed) == {(N + 40, 1), (N + 52, 4)}
    # Heard by its retransmission alone: the initial transmission came 12 slots before.
    sensed = Sensed(heard=[reservation(N - 48, 4, gap=-12, other=1)])
    assert excluded(sensed) == {(N + 40, 1), (N + 52, 4)}


@pytest.mark.parametrize(("ago", "y"), [(999, 1), (996, 4), (990, 10), (500, 100), (1, 99)])
def test_the_whole_window_is_remembered(ago: int, y: int) -> None:
    """Step 2: of n - 1000 ... n - 1, with reservations of 1000 ms for n + 1000 - ago."""
    sensed = Sensed(heard=[reservation(N - ago, 2, period_ms=1000)])
    assert excluded(sensed, t1=1) == {(N + y, 2)}


@pytest.mark.parametrize("allowed", [(100,), (200,), (500,), (100, 300), (1000,)])
def test_own_transmissions_hide_reservations(allowed: tuple[int, ...]) -> None:
    """Step 5: nobody knows who reserved in n - 60; with 100 j + y = 100 k - 60, y = 40 goes."""
    assert excluded(Sensed(own=[N - 60]), allowed_periods=allowed) == {
        (N + 40, x) for x in range(5)
    }


@pytest.mark.parametrize(
    ("allowed", "ago", "slots"),
    [
        ((50,), 30, {20, 70}),
        ((50,), 60, set()),
        ((20,), 10, {10, 30, 50, 70, 90}),
        ((20,), 30, set()),
        ((20, 100), 30, {70}),
        ((20, 50, 100), 10, {10, 30, 50, 70, 90, 40}),
    ],
)
def test_own_transmissions_and_short_periods(
    allowed: tuple[int, ...], ago: int, slots: set[int]
) -> None:
    """Step 5 with Q = 1 / k for recent slots, and each allowed period by itself."""
    expected = {(N + slot, x) for slot in slots for x in range(5)}
    assert excluded(Sensed(own=[N - ago]), allowed_periods=allowed) == expected


def test_step_5_ignores_the_threshold() -> None:
    """However far thresholds rise, what was not monitored stays excluded."""
    heard = [reservation(N - 100 + y, 0, width=5, rsrp_dbm=-60.0) for y in range(100) if y != 40]
    selection = select(Sensed(heard=heard, own=[N - 60]), n=N, t2=99)
    assert {(N + 40, x) for x in range(5)}.isdisjoint(selection.s_a)
    assert len(selection.s_a) == 95 * 5


@pytest.mark.parametrize(
    ("above_db", "n_raises"),
    [(0.01, 1), (2.99, 1), (3.01, 2), (5.99, 2), (6.01, 3), (29.99, 10), (30.01, 11)],
)
def test_the_threshold_rises_by_3_db(above_db: float, n_raises: int) -> None:
    """Step 7: everything is reserved at one RSRP, so all of it comes back in one step."""
    heard = [reservation(N - 100 + y, 0, width=5, rsrp_dbm=-110.0 + above_db) for y in range(100)]
    selection = select(Sensed(heard=heard), n=N, t2=99)
    assert selection.n_raises == n_raises
    assert selection.s_a == EVERYTHING


@pytest.mark.parametrize(("n_free", "n_raises"), [(19, 2), (20, 0)])
def test_thresholds_rise_until_a_fifth_remains(n_free: int, n_raises: int) -> None:
    """Of 97 candidates 20 must remain (0.2 * 97 = 19.4); the next come back at +6 dB."""
    request = Request(n=N)
    strong = [reservation(N - 96 + y, 0, rsrp_dbm=-105.0) for y in range(97 - n_free)]
    sensed = Sensed(n_subchannels=1, heard=strong)
    selection = Selector(sensed, request).select()
    assert selection.n_raises == n_raises
    assert len(selection.s_a) == (n_free if n_raises == 0 else 97)
    assert len(selection.s_b) == 20


def test_only_as_many_steps_as_needed() -> None:
    """Half is 4 dB above the threshold, half 40 dB: two steps free the first half alone."""
    heard = [
        reservation(N - 100 + y, 0, width=5, rsrp_dbm=-106.0 if y % 2 else -70.0)
        for y in range(100)
    ]
    selection = select(Sensed(heard=heard), n=N, t2=99)
    assert selection.n_raises == 2
    assert selection.s_a == {c for c in EVERYTHING if (c[0] - N) % 2}


@pytest.mark.parametrize("monitored", [[], [40], [40, 41, 42]])
def test_unmonitored_slots_alone_cannot_make_it_loop(monitored: list[int]) -> None:
    """Own transmissions that exclude over 80 % would raise the thresholds for ever.

    The rise stops when nothing measured is excluded any more, and what is left is used.
    """
    own = [N - 100 + y for y in range(100) if y not in monitored]
    heard = [reservation(N - 100 + y, 0, width=2, rsrp_dbm=-77.0) for y in monitored]
    selection = select(Sensed(own=own, heard=heard), n=N, t2=99)
    assert selection.s_a == {(N + y, x) for y in monitored for x in range(5)}
    assert selection.s_b == selection.s_a
    assert selection.n_raises == (11 if monitored else 0)


def test_a_pending_transmission_is_left_alone() -> None:
    """A node does not select the slot in which it will repeat an earlier packet."""
    gone = excluded(Sensed(), busy_slot=N + 10)
    assert {(N + 10, x) for x in range(5)} <= gone
    assert all(slot <= N + 10 for slot, _ in gone)
    assert excluded(Sensed(), busy_slot=N + 3) == set()


def test_nothing_left_gives_nothing() -> None:
    own = list(range(N - 100, N))
    chosen = Selector(Sensed(own=own), Request(n=N, t2=50)).choose()
    assert chosen.tolist() == [-1, -1, -1, -1]


@pytest.mark.parametrize(
    "request_",
    [{"t1": 50, "t2": 49}, {"length": 6}, {"priority": 0}, {"priority": 9}],
)
def test_impossible_requests_are_rejected(request_: dict[str, int]) -> None:
    selector = Selector(Sensed(), Request())
    selector.request = Request(**request_)
    with pytest.raises(ValueError, match="empty selection window or pool"):
        selector.choose()


def test_too_little_scratch_is_rejected() -> None:
    selector = Selector(Sensed(), Request(t2=50))
    selector.request = Request(t2=100)
    with pytest.raises(ValueError, match="scratch is too short"):
        selector.choose()


PERIODS = (20, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000)


@st.composite
def sensed_and_asked(draw: st.DrawFn, gaps: bool) -> tuple[Sensed, Request]:
    """Any history of a small pool, and any request; RSRP never within 0.4 dB of a threshold."""
    n_subchannels = draw(st.integers(1, 4))
    n = draw(st.integers(1100, 1300))
    past = st.integers(n - 1000, n - 1)
    recent = st.integers(n - 120, n - 1)

    @st.composite
    def heard(draw: st.DrawFn) -> Heard:
        first = draw(st.integers(0, n_subchannels - 1))
        width = draw(st.integers(1, n_subchannels - first))
        return reservation(
            draw(recent if gaps else past | recent),
            first,
            period_ms=draw(st.sampled_from((0, 20, 50, 100) if gaps else (0, *PERIODS))),
            width=width,
            rsrp_dbm=draw(st.integers(-125, -70)) + 0.5,
            priority=draw(st.integers(1, 8)),
            gap=draw(st.integers(-15, 15)) if gaps else 0,
            other=draw(st.integers(0, n_subchannels - width)) if gaps else 0,
        )

    by_place = {(h.slot, h.subchannel): h for h in draw(st.lists(heard(), max_size=25))}
    own = draw(st.lists(past | recent, max_size=6, unique=True))
    t1 = draw(st.integers(1, 4))
    request = Request(
        n=n,
        t1=t1,
        t2=draw(st.integers(20, 60)),
        length=draw(st.integers(1, n_subchannels)),
        period=draw(st.sampled_from((20, 50, 100, 200))),
        c_resel=draw(st.sampled_from((1, 3, 50))),
        priority=draw(st.integers(1, 8)),
        allowed_periods=tuple(draw(st.lists(st.sampled_from(PERIODS), min_size=1, max_size=3))),
        thresholds_dbm={(5, 3): -104.0, (2, 7): -119.0},
        keep_ratio=draw(st.sampled_from((0.05, 0.2, 0.5))),
    )
    return Sensed(n_subchannels=n_subchannels, heard=list(by_place.values()), own=own), request


def check_against_the_clause(sensed: Sensed, request: Request) -> None:
    selection = Selector(sensed, request).select()
    s_a, raises = clause_s_a(sensed, request)
    assert selection.s_a == s_a
    needed = math.ceil(request.keep_ratio * selection.n_total - 1e-9)
    if len(s_a) >= needed:
        assert selection.n_raises == raises
    assert len(selection.s_b) == min(needed, len(s_a))
    assert selection.s_b <= s_a


@settings(max_examples=150, deadline=None, derandomize=True)
@given(sensed_and_asked(gaps=False))
def test_the_kernel_does_what_the_clause_says(case: tuple[Sensed, Request]) -> None:
    check_against_the_clause(*case)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(sensed_and_asked(gaps=True))
def test_the_kernel_does_what_the_clause_says_of_retransmissions(
    case: tuple[Sensed, Request],
) -> None:
    check_against_the_clause(*case)


@pytest.mark.parametrize(("gap", "ago"), [(10, 25), (-10, 15)])
def test_the_repetitions_of_a_pair_follow_from_when_it_was_heard(gap: int, ago: int) -> None:
    """Q of step 6 asks for n - m of the control information, for both of its transmissions.

    Reserved every 20 ms and heard 25 slots ago, both transmissions come once more (Q = 1); heard
    15 slots ago, five times more (Q = 5).
    """
    sensed = Sensed(heard=[reservation(N - ago, 1, period_ms=20, gap=gap, other=4)])
    taken = set()
    for q in range(1, 6 if ago <= 20 else 2):
        taken |= {(N - ago + 20 * q, 1), (N - ago + gap + 20 * q, 4)}
    assert excluded(sensed, period=20, c_resel=1) == {
        (slot, x) for slot, x in taken if N + 4 <= slot <= N + 100
    }
