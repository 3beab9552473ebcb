"""Each check of applications.md 4.5 on each side of its threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.security.plausibility.detector import CHECKS, FUSIONS, Detector, Findings
from v2x.security.plausibility.heard import PairMemory
from v2x.security.plausibility.motion import reachable_m
from v2x.security.plausibility.params import PlausibilityParams
from v2x.security.plausibility.surroundings import RoadSurface, SignalLaw, rectangles_overlap
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.osm_tags import DRIVE_CLASSES
from v2x.world.road_map import RoadMap, Structure
from v2x.world.synthetic import highway

from .parts import heard

LIMITS = PlausibilityParams()
LAW = SignalLaw(lambda d: 47.8 + 20.0 * np.log10(np.maximum(d, 1.0)), 29.0)


def crossing_decks() -> RoadMap:
    """Return a road to the east at height 0 and, above it, a bridge to the north at 6 m."""
    lines = [[(-500.0, 0.0, 0.0), (500.0, 0.0, 0.0)], [(0.0, -500.0, 6.0), (0.0, 500.0, 6.0)]]
    return road_map_of(
        name="decks",
        edge_from=[0, 2],
        edge_to=[1, 3],
        edge_lanes=[2, 2],
        edge_limit_mps=[20.0, 20.0],
        edge_class=[DRIVE_CLASSES.index("secondary")] * 2,
        edge_structure=[Structure.GROUND, Structure.BRIDGE],
        edge_level=[0, 1],
        class_names=DRIVE_CLASSES,
        edge_name=["", ""],
        edge_osm_way=[-1, -1],
        polylines=Polylines(np.array([0, 2, 4]), *np.array(lines).reshape(-1, 3).T.copy()),
    )


def detector(**limits: float) -> Detector:
    params = PlausibilityParams(**limits)
    return Detector(params, RoadSurface(crossing_decks()), LAW, n_receivers=4)


def verdicts(*receptions: dict[str, Any], **limits: float) -> Findings:
    """Return what a receiver thinks of the last of several receptions."""
    judge = detector(**limits)
    found = [judge.judge(heard(**columns)) for columns in receptions]
    return found[-1]


def fails(check: str, *receptions: dict[str, Any], **limits: float) -> bool:
    return bool(verdicts(*receptions, **limits).of(check)[0])


def moving(time_s: float, **columns: Any) -> dict[str, Any]:
    """Return a claim that fits one of 20 m/s to the east from the origin at time 0."""
    return {"time_s": time_s, "x_m": 20.0 * time_s} | columns


STEADY = [moving(0.1 * k) for k in range(8)]


def test_a_true_vehicle_passes_every_check() -> None:
    judge = detector()
    for k in range(60):
        found = judge.judge(
            heard(
                **moving(0.1 * k, signal_dbm=float(LAW.expected_dbm(np.array([100.0 + 2 * k]))[0]))
            )
        )
        assert not found.fails.any(), [name for name in CHECKS if found.of(name)[0]]
        assert not found.any_fails[0]
        assert not found.distrusted[0]


@pytest.mark.parametrize(
    ("check", "before", "passes", "suspect"),
    [
        # Acceptance range 420 m from a receiver at x = -100.
        ("range", [], {"x_m": 319.9}, {"x_m": 320.1}),
        ("speed", [], {"speed_mps": 39.9}, {"speed_mps": 40.1}),
        # The road is 7 m wide; 2 m beside it are granted. At x = 100 the bridge is far.
        ("position", [], {"x_m": 100.0, "y_m": 5.4}, {"x_m": 100.0, "y_m": 5.6}),
        # A claim on the lower road, at the height of neither deck.
        ("height", [], {"x_m": 100.0, "z_m": 2.9}, {"x_m": 100.0, "z_m": 3.1}),
        # Where the bridge crosses its height is as good as that of the road.
        ("height", [], {"z_m": 6.0}, {"x_m": 100.0, "z_m": 6.0}),
        # 40 m/s allow 4 m in 0.1 s.
        ("position-consistency", STEADY, {"x_m": 17.9}, {"x_m": 18.1}),
        # The base is the claim of time 0, 0.8 s ago: 3.0 m/s² allow 2.4 m/s, 4.5 allow 3.6.
        ("speed-consistency", STEADY, {"speed_mps": 22.3}, {"speed_mps": 22.5}),
        ("speed-consistency", STEADY, {"speed_mps": 16.5}, {"speed_mps": 16.3}),
        # 0.8 s at 20 m/s, speeding up 3.0 and braking 4.5 m/s² or the other way round, are 0.576 m
        # either way of 16 m; margins are 2.1 m above and 6.2 m below.
        ("position-speed", STEADY, {"x_m": 18.6}, {"x_m": 18.7}),
        ("position-speed", STEADY, {"x_m": 9.3}, {"x_m": 9.2}),
        ("position-heading", STEADY, {"heading_rad": 1.56}, {"heading_rad": 1.58}),
        ("position-heading", STEADY, {"heading_rad": -1.56}, {"heading_rad": -1.58}),
        # Closer than a metre to where it was, it has no direction.
        ("position-heading", STEADY, {"x_m": -0.9}, {"x_m": -1.1}),
        # Messages come 90 ms apart.
        ("frequency", STEADY, {"time_s": 0.7901}, {"time_s": 0.7899}),
        # 30 m ahead and 3 m beside the receiver, sensors must see something within 2 m.
        ("proximity", [], {"x_m": -69.9, "seen_gap_m": 1.9}, {"x_m": -70.1, "seen_gap_m": 2.1}),
        ("proximity", [], {"x_m": -69.9, "seen_gap_m": 9.9}, {"x_m": -70.1, "seen_gap_m": 9.9}),
        (
            "proximity",
            [],
            {"x_m": -80.0, "y_m": 3.1, "seen_gap_m": np.inf},
            {"x_m": -80.0, "y_m": 2.9, "seen_gap_m": np.inf},
        ),
        # Over 100 m the law gives -58.8 dBm.
        ("signal", [], {"signal_dbm": -49.9}, {"signal_dbm": -49.7}),
        ("signal", [], {"signal_dbm": -78.7}, {"signal_dbm": -78.9}),
        # Another vehicle stands at the same place: 5 m long, 2 m wide.
        (
            "overlap",
            [{"identity": 9, "x_m": 50.0, "speed_mps": 0.0}],
            {"time_s": 0.1, "x_m": 50.0, "y_m": 2.1},
            {"time_s": 0.1, "x_m": 50.0, "y_m": 1.9},
        ),
        # Its claim is two seconds old at most.
        (
            "overlap",
            [{"identity": 9, "x_m": 50.0, "speed_mps": 0.0}],
            {"time_s": 2.1, "x_m": 50.0},
            {"time_s": 2.0, "x_m": 50.0},
        ),
        # It has moved on since.
        (
            "overlap",
            [{"identity": 9, "x_m": 50.0, "speed_mps": 10.0}],
            {"time_s": 1.0, "x_m": 50.0},
            {"time_s": 1.0, "x_m": 60.0},
        ),
        # The receiver listens since time 0; 2.1 s must have passed.
        ("appearance", [], {"time_s": 2.1}, {"time_s": 2.2}),
        ("appearance", [], {"time_s": 9.0, "x_m": 320.1}, {"time_s": 9.0, "x_m": 319.9}),
        ("appearance", [{"time_s": 3.0}], {"time_s": 5.1}, {"time_s": 5.2}),
    ],
)  # fmt: skip
def test_checks_on_each_side_of_their_threshold(
    check: str, before: list[dict[str, Any]], passes: dict[str, Any], suspect: dict[str, Any]
) -> None:
    last = moving(0.8) if before is STEADY else {}
    assert not fails(check, *before, last | passes)
    assert fails(check, *before, last | suspect)


def test_what_was_not_measured_is_not_suspect() -> None:
    found = verdicts({"x_m": -80.0, "signal_dbm": np.nan, "seen_gap_m": np.nan})
    assert not found.of("signal")[0]
    assert not found.of("proximity")[0]


@pytest.mark.parametrize(
    ("check", "silence_s", "suspect"),
    [
        ("position-consistency", 3.1, True),
        ("position-consistency", 3.2, False),
        ("kalman-position", 3.1, True),
        ("kalman-position", 3.2, False),
    ],
)
def test_older_claims_are_not_compared_with(check: str, silence_s: float, suspect: bool) -> None:
    last = {"time_s": 0.7 + silence_s, "x_m": -95.0 + 0.0, "y_m": 0.0}
    far = last | {"x_m": 310.0}
    assert fails(check, *STEADY, far) is suspect


@pytest.mark.parametrize(("age_s", "suspect"), [(1.0, True), (1.2, False)])
def test_headings_are_compared_over_a_second_and_a_bit(age_s: float, suspect: bool) -> None:
    before = {"time_s": 0.0}
    ripe = {"time_s": 0.5, "x_m": 10.0}
    last = {"time_s": age_s, "x_m": 20.0 * age_s, "heading_rad": 3.0}
    assert fails("position-heading", before, ripe, last) is suspect


@pytest.mark.parametrize(
    ("begin", "end", "time_s", "shortest", "longest"),
    [
        (10.0, 10.0, 0.0, 0.0, 0.0),
        # Speeding up 3 for t and braking 4.5 for 2t/3: peak 18 after 8/3 s, down again in 16/9 s.
        (10.0, 10.0, 40.0 / 9.0, None, 14.0 * 40.0 / 9.0),
        # Braking to a stand from 9 m/s takes 2 s and 9 m, and going again to 6 m/s 2 s and 6 m.
        (9.0, 6.0, 4.0, 15.0, None),
        (9.0, 6.0, 10.0, 15.0, None),
        # A speed out of reach: braking or speeding up all the time.
        (20.0, 0.0, 1.0, 17.75, 17.75),
        (0.0, 20.0, 1.0, 1.5, 1.5),
    ],
)
def test_ways_between_two_speeds(
    begin: float, end: float, time_s: float, shortest: float | None, longest: float | None
) -> None:
    low, high = reachable_m(np.array([begin]), np.array([end]), np.array([time_s]), LIMITS)
    assert low[0] <= high[0] + 1e-12
    assert shortest is None or low[0] == pytest.approx(shortest)
    assert longest is None or high[0] == pytest.approx(longest)


def test_rectangles_that_stand_across_each_other() -> None:
    long = np.array([[0.0], [0.0], [0.0], [9.0], [1.0]])
    for away, overlap in ((3.4, True), (3.6, False)):
        across = np.array([[8.0], [away], [np.pi / 2], [2.5], [1.0]])
        assert rectangles_overlap(long, across)[0] == overlap
        assert rectangles_overlap(across, long)[0] == overlap
    corner = np.array([[10.5], [2.3], [np.pi / 4], [2.0], [0.1]])
    assert not rectangles_overlap(long, corner)[0]


# Kalman -----------------------------------------------------------------------------------


def test_the_filter_learns_and_then_tells_a_jump_from_noise() -> None:
    """Ten claims in, the position is known better than one claim says."""
    before = [moving(0.1 * k) for k in range(10)]
    assert not fails("kalman-position", *before, moving(1.0, y_m=2.0))
    assert fails("kalman-position", *before, moving(1.0, y_m=6.0))
    assert not fails("kalman-speed", *before, moving(1.0, speed_mps=20.5))
    assert fails("kalman-speed", *before, moving(1.0, speed_mps=24.0))
    assert fails("kalman-both", *before, moving(1.0, speed_mps=24.0))


def test_gates_let_the_share_pass_that_they_are_made_for() -> None:
    """Claims made by the model of the filter itself: a false one in 1000 on each gate.

    The bound is five standard errors of independent innovations.
    """
    draw, n, steps = np.random.default_rng(8), 400, 60
    limits = PlausibilityParams(motion_sigma_mps2=3.0)
    judge = Detector(limits, RoadSurface(highway(2000.0)), LAW, n_receivers=n)
    place, speed = np.zeros((2, n)), np.stack([np.full(n, 20.0), np.zeros(n)])
    n_failed = np.zeros(3)
    for k in range(steps):
        jolt = draw.normal(0.0, 3.0, (2, n))
        place = place + 0.1 * speed + 0.005 * jolt
        speed = speed + 0.1 * jolt
        seen = place + draw.normal(0.0, 1.0, (2, n))
        fast = speed + draw.normal(0.0, 0.3, (2, n))
        one = heard(
            0.1 * k,
            receiver=np.arange(n),
            x_m=seen[0],
            y_m=seen[1],
            speed_mps=np.hypot(*fast),
            heading_rad=np.arctan2(fast[1], fast[0]),
        )
        found = judge.judge(one)
        if k >= 10:
            n_failed += [found.of(f"kalman-{name}").sum() for name in ("position", "speed", "both")]
    expected = 0.001 * n * (steps - 10)
    assert (abs(n_failed - expected) < 5 * np.sqrt(expected)).all(), n_failed


def test_a_claim_that_does_not_fit_does_not_move_the_filter() -> None:
    before = [moving(0.1 * k) for k in range(10)]
    jump = moving(1.0, y_m=30.0)
    assert not fails("kalman-position", *before, jump, moving(1.1))
    assert fails("kalman-position", *before, jump, moving(1.1, y_m=30.0))


# Fusion -----------------------------------------------------------------------------------


def test_any_is_any() -> None:
    found = verdicts({"speed_mps": 41.0})
    assert found.fails.sum() == 1
    assert found.of("any")[0]
    assert not verdicts({}).of("any")[0]


def test_scores_add_up_and_decay() -> None:
    bad = [{"time_s": 0.1 * k, "x_m": 2.0 * k, "z_m": 10.0} for k in range(4)]
    scores = [float(verdicts(*bad[: k + 1]).score[0]) for k in range(4)]
    kept = np.exp(-0.1 / 5.0)
    assert scores == pytest.approx(
        [1.0, 1.0 + kept, 1.0 + kept + kept**2, 1 + kept + kept**2 + kept**3]
    )
    assert [bool(verdicts(*bad[: k + 1]).of("behaviour")[0]) for k in range(4)] == [
        False,
        False,
        False,
        True,
    ]
    later = {"time_s": 2.3, "x_m": 46.0}
    assert verdicts(*bad, later, score_decay_s=5.0).score[0] == pytest.approx(
        scores[3] * np.exp(-0.4)
    )


def test_findings_know_all_names() -> None:
    found = verdicts({})
    assert [found.of(name).shape for name in (*CHECKS, *FUSIONS)] == [(1,)] * (len(CHECKS) + 2)
    assert len(CHECKS) == 16


# Memory -----------------------------------------------------------------------------------


def test_receivers_do_not_share_what_they_heard() -> None:
    judge = detector()
    for k in range(8):
        judge.judge(heard(**STEADY[k]))
    jump = moving(0.8, x_m=100.0)
    assert not judge.judge(heard(receiver=1, **jump)).of("position-consistency")[0]
    assert judge.judge(heard(receiver=0, **jump)).of("position-consistency")[0]


def test_a_receiver_that_begins_anew_expects_no_one() -> None:
    judge = detector()
    judge.restart(np.array([0]), 9_000_000)
    assert not judge.judge(heard(time_s=10.0)).of("appearance")[0]


def test_several_messages_of_one_sender_are_taken_in_turn() -> None:
    """A flood in one call is what it is in four."""
    parts = [moving(0.025 * k) for k in range(4)]
    one_by_one = np.concatenate([verdicts(*parts[: k + 1]).fails for k in range(4)])
    whole = heard(0.025 * np.arange(4), x_m=np.array([part["x_m"] for part in parts]))
    assert (detector().judge(whole).fails == one_by_one).all()


def test_memory_grows_and_forgets() -> None:
    memory = PairMemory(("a",))
    first = memory.rows(np.arange(200), np.zeros(200, dtype=np.int64))
    assert len(set(first)) == 200
    memory.values["a"][first] = np.arange(200.0)
    again = memory.rows(np.array([199, 3]), np.full(2, 9_000_000))
    assert memory.values["a"][again].tolist() == [199.0, 3.0]
    late = np.full(300, 15_000_000)
    rows = memory.rows(np.arange(1000, 1300), late)
    assert len(set(rows) | set(again)) == 302
    assert np.isnan(memory.values["a"][rows]).all()
    pair, row, _ = memory.live(9_000_000)
    assert pair[:2].tolist() == [3, 199]
    assert len(row) == 302


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"range_m": 0.0}, "range_m"),
        ({"heading_deg": 181.0}, "heading_deg"),
        ({"gate_probability": 1.0}, "gate_probability"),
    ],
)
def test_impossible_thresholds_are_refused(params: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PlausibilityParams(**params)
