"""Each attack of applications.md 4.4 by what makes it that attack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from v2x import registry
from v2x.security.attacks.base import (
    FIRST_GHOST_ID,
    MOTION,
    Attack,
    Claims,
    attackers,
    joined,
    true_claims,
)
from v2x.security.attacks.position import EventualStopParams, PositionOffsetParams

from ...simulation_parts import fleet_state
from .parts import CONTEXT, truth

NAMES = {
    "const-pos": 1,
    "const-pos-offset": 2,
    "random-pos": 3,
    "random-pos-offset": 4,
    "const-speed": 5,
    "const-speed-offset": 6,
    "random-speed": 7,
    "random-speed-offset": 8,
    "eventual-stop": 9,
    "disruptive": 10,
    "data-replay": 11,
    "stale-messages": 12,
    "dos": 13,
    "dos-random": 14,
    "dos-disruptive": 15,
    "grid-sybil": 16,
    "data-replay-sybil": 17,
    "dos-random-sybil": 18,
    "dos-disruptive-sybil": 19,
}
PERIOD_US = 100_000
ATTACKER = np.array([1])


def attack(name: str, **params: Any) -> Attack:
    kind = registry.load("v2x.attacks", name)
    made: Attack = kind(kind.Params(**params), CONTEXT)
    return made


def said(
    name: str, n: int, world: Callable[[int], Claims] = truth, **params: Any
) -> tuple[list[Claims], list[Claims]]:
    """Return what the attacker says in `n` periods, and what it would have said truly."""
    liar = attack(name, **params)
    periods = [world(k * PERIOD_US) for k in range(n)]
    return [liar.claims(now, ATTACKER) for now in periods], [
        now.chosen(ATTACKER) for now in periods
    ]


def column(claims: list[Claims], name: str) -> np.ndarray:
    return np.array(getattr(joined(claims), name))


def others_than(*names: str) -> list[str]:
    return [name for name in MOTION if name not in names]


def assert_true(claims: list[Claims], true: list[Claims], names: list[str]) -> None:
    for name in names:
        assert (column(claims, name) == column(true, name)).all(), name


def test_the_catalogue_is_that_of_f2md() -> None:
    found = {name: registry.load("v2x.attacks", name).number for name in NAMES}
    assert found == NAMES
    assert set(registry.names("v2x.attacks")) >= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_attacks_depend_on_the_attacker_and_the_seed_alone(name: str) -> None:
    """A second attacker changes nothing of what the first says; nothing changes the rest."""
    alone, both = attack(name), attack(name)
    for k in range(70):
        now = truth(k * PERIOD_US, n=6)
        one = alone.claims(now, np.array([1]))
        two = both.claims(now, np.array([1, 4]))
        mine = two.chosen(np.flatnonzero(two.sender == 1))
        for item in Claims.__slots__:
            assert (getattr(one, item) == getattr(mine, item)).all(), item
        assert set(two.sender.tolist()) == {1, 4}
        assert (one.time_us >= now.time_us[0]).all()
        assert (one.time_us < now.time_us[0] + PERIOD_US).all()
        assert (np.diff(one.time_us) >= 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_no_attacker_says_nothing(name: str) -> None:
    assert len(attack(name).claims(truth(0), np.zeros(0, dtype=np.intp))) == 0


def test_1_const_pos() -> None:
    claims, true = said("const-pos", 20)
    assert (
        len({(x, y) for x, y in zip(column(claims, "x_m"), column(claims, "y_m"), strict=True)})
        == 1
    )
    assert_true(claims, true, others_than("x_m", "y_m"))


def test_2_const_pos_offset() -> None:
    claims, true = said("const-pos-offset", 20)
    for name in ("x_m", "y_m"):
        off = column(claims, name) - column(true, name)
        assert np.ptp(off) < 1e-9
        assert 70.0 * 0.45 <= abs(off[0]) <= 70.0 * 1.55
    assert_true(claims, true, others_than("x_m", "y_m"))


def test_3_random_pos_fills_the_map() -> None:
    claims, true = said("random-pos", 400)
    x, y = column(claims, "x_m"), column(claims, "y_m")
    assert x.min() >= CONTEXT.west_m
    assert x.max() < CONTEXT.east_m
    for value, low, high in ((x, -500.0, 500.0), (y, -200.0, 200.0)):
        sigma = (high - low) / np.sqrt(12.0 * len(value))
        assert abs(value.mean() - 0.5 * (low + high)) < 4 * sigma
        assert len(set(value)) == len(value)
    assert_true(claims, true, others_than("x_m", "y_m"))


def test_4_random_pos_offset() -> None:
    claims, true = said("random-pos-offset", 400)
    for name in ("x_m", "y_m"):
        off = column(claims, name) - column(true, name)
        assert abs(off).max() <= 35.0
        assert abs(off.mean()) < 4 * 35.0 / np.sqrt(3 * len(off))
        assert len(set(off)) == len(off)


def test_5_const_speed() -> None:
    claims, true = said("const-speed", 20)
    speed = column(claims, "speed_mps")
    assert np.ptp(speed) == 0.0
    assert 0.0 <= speed[0] < 40.0
    assert_true(claims, true, others_than("speed_mps"))


def test_6_const_speed_offset() -> None:
    claims, true = said("const-speed-offset", 20)
    off = column(claims, "speed_mps") - column(true, "speed_mps")
    assert np.ptp(off) < 1e-9
    assert 0.0 < abs(off[0]) <= 7.0


def test_6_claimed_speeds_are_not_negative() -> None:
    claims, _ = said("const-speed-offset", 1, lambda t: truth(t, n=200, speed_mps=1.0))
    many = attack("const-speed-offset").claims(truth(0, n=8, speed_mps=1.0), np.arange(8))
    assert min(column(claims, "speed_mps").min(), many.speed_mps.min()) >= 0.0
    assert (many.speed_mps == 0.0).any()


def test_7_random_speed() -> None:
    claims, true = said("random-speed", 400)
    speed = column(claims, "speed_mps")
    assert 0.0 <= speed.min() < 1.0
    assert 39.0 < speed.max() < 40.0
    assert_true(claims, true, others_than("speed_mps"))


def test_8_random_speed_offset() -> None:
    claims, true = said("random-speed-offset", 400)
    off = column(claims, "speed_mps") - column(true, "speed_mps")
    assert 6.5 < abs(off).max() <= 7.0
    assert len(set(off)) == len(off)


def test_9_eventual_stop() -> None:
    claims, true = said("eventual-stop", 200)
    speed = column(claims, "speed_mps")
    first = int(np.argmax(speed == 0.0))
    assert 0 < first < 200
    assert (speed[:first] == 20.0).all()
    assert (speed[first:] == 0.0).all()
    assert np.ptp(column(claims, "x_m")[first:]) == 0.0
    assert column(claims, "x_m")[first] == column(true, "x_m")[first]


def test_9_stops_at_the_rate_it_is_given() -> None:
    """After one message a share of p has stopped; four standard errors."""
    kind = registry.load("v2x.attacks", "eventual-stop")
    n, p = 4000, 0.05
    big = type(CONTEXT)(**{k: getattr(CONTEXT, k) for k in CONTEXT.__slots__} | {"n_rows": n})
    now = kind(EventualStopParams(), big).claims(truth(0, n=n), np.arange(n))
    assert abs((now.speed_mps == 0).mean() - p) < 4 * np.sqrt(p * (1 - p) / n)


def test_10_disruptive_takes_the_present_of_neighbours() -> None:
    claims, _ = said("disruptive", 60)
    others = [truth(k * PERIOD_US).x_m[[0, 2, 3]] for k in range(60)]
    taken = [int(np.flatnonzero(o == c.x_m)[0]) for o, c in zip(others, claims, strict=True)]
    assert set(taken) == {0, 1, 2}
    assert set(column(claims, "identity")) == {101}


def test_10_neighbours_out_of_range_are_not_taken() -> None:
    claims, true = said("disruptive", 5, lambda t: truth(t, apart_m=301.0))
    assert_true(claims, true, list(MOTION))


def test_11_data_replay_is_a_neighbour_of_a_second_ago() -> None:
    claims, true = said("data-replay", 30)
    assert_true(claims[:10], true[:10], list(MOTION))
    for k in range(10, 30):
        assert claims[k].x_m[0] in truth((k - 10) * PERIOD_US).x_m[[0, 2, 3]]
    whom = {round(float(c.x_m[0] - 2.0 * (k - 10)), 6) for k, c in enumerate(claims) if k >= 10}
    assert len(whom) == 1
    assert (column(claims, "time_us") == column(true, "time_us")).all()


def test_12_stale_messages_are_60_old() -> None:
    claims, true = said("stale-messages", 70)
    assert_true(claims[:60], true[:60], list(MOTION))
    assert_true(claims[60:], true[:10], list(MOTION))
    assert (column(claims, "time_us") == column(true, "time_us")).all()


def test_13_dos_is_the_truth_four_times() -> None:
    claims, true = said("dos", 3)
    assert [len(now) for now in claims] == [4, 4, 4]
    assert np.diff(column(claims, "time_us")).tolist() == [25_000] * 11
    assert np.allclose(column(claims, "x_m"), true[0].x_m + 20.0 * column(claims, "time_us") * 1e-6)


def test_14_dos_random() -> None:
    claims, _ = said("dos-random", 50)
    assert {len(now) for now in claims} == {4}
    for name in ("x_m", "y_m", "speed_mps", "heading_rad"):
        assert len(set(column(claims, name))) == 200
    assert set(column(claims, "identity")) == {101}


def test_15_dos_disruptive() -> None:
    claims, _ = said("dos-disruptive", 20)
    assert {len(now) for now in claims} == {4}
    for k, now in enumerate(claims):
        assert set(now.x_m) <= set(truth(k * PERIOD_US).x_m[[0, 2, 3]])
    assert any(len(set(now.x_m)) > 1 for now in claims)


def test_16_grid_sybil_is_a_queue_of_ghosts() -> None:
    claims, true = said("grid-sybil", 3)
    assert [len(now) for now in claims] == [6, 6, 6]
    names = [tuple(now.identity) for now in claims]
    assert len(set(names)) == 1
    assert names[0][0] == 101
    assert min(names[0][1:]) >= FIRST_GHOST_ID
    assert len(set(names[0])) == 6
    behind = (true[0].x_m - claims[0].x_m[1:]).tolist()
    assert behind == [10.0, 10.0, 20.0, 20.0, 30.0]
    assert claims[0].y_m[1:].tolist() == [0.0, 4.0, 0.0, 4.0, 0.0]


def test_17_data_replay_sybil_changes_its_name_every_six() -> None:
    claims, _ = said("data-replay-sybil", 30)
    name = column(claims, "identity")
    assert np.flatnonzero(np.diff(name)).tolist() == [5, 11, 17, 23]
    assert name.min() >= FIRST_GHOST_ID
    for k in range(10, 30):
        assert claims[k].x_m[0] in truth((k - 10) * PERIOD_US).x_m[[0, 2, 3]]


@pytest.mark.parametrize("name", ["dos-random-sybil", "dos-disruptive-sybil"])
def test_18_and_19_change_their_name_each_time(name: str) -> None:
    claims, _ = said(name, 20)
    assert {len(now) for now in claims} == {2}
    assert len(set(column(claims, "identity"))) == 40
    assert column(claims, "identity").min() >= FIRST_GHOST_ID


# Who attacks ------------------------------------------------------------------------------


def test_attackers_are_a_share_drawn_by_id() -> None:
    identity = np.arange(5000)
    few, many = attackers(4, identity, 0.05), attackers(4, identity, 0.3)
    assert abs(few.mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 5000)
    assert (many >= few).all()
    assert (attackers(4, identity[::-1], 0.3) == many[::-1]).all()


def test_true_claims_are_the_fleet() -> None:
    fleet = fleet_state(300_000, [0.0, 5.0, 9.0], id=[4, -1, 6], speed_mps=[1.0, 2.0, 3.0])
    claims = true_claims(fleet)
    assert claims.sender.tolist() == [0, 2]
    assert claims.identity.tolist() == [4, 6]
    assert claims.speed_mps.tolist() == [1.0, 3.0]
    assert claims.time_us.tolist() == [300_000] * 2


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("const-pos-offset", {"offset_m": 0.0}, "offset_m"),
        ("random-pos-offset", {"offset_m": -1.0}, "offset_m"),
        ("const-speed", {"highest_mps": 0.0}, "highest_mps"),
        ("random-speed-offset", {"offset_mps": 0.0}, "offset_mps"),
        ("eventual-stop", {"probability": 0.0}, "probability"),
        ("disruptive", {"range_m": 0.0}, "range_m"),
        ("data-replay", {"delay_messages": 0}, "delay_messages"),
        ("stale-messages", {"delay_messages": 0}, "delay_messages"),
        ("dos", {"rate": 1}, "rate"),
        ("dos-random", {"highest_mps": 0.0}, "highest_mps"),
        ("dos-disruptive", {"rate": 101}, "rate"),
        ("grid-sybil", {"n_ghosts": 0}, "n_ghosts"),
        ("data-replay-sybil", {"burst_messages": 0}, "burst_messages"),
    ],
)
def test_impossible_attacks_are_refused(name: str, params: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        attack(name, **params)


def test_offsets_without_spread_are_all_the_same_size() -> None:
    kind = registry.load("v2x.attacks", "const-pos-offset")
    liar = kind(PositionOffsetParams(offset_m=50.0, spread=0.0), CONTEXT)
    now = truth(0, n=8)
    claims = liar.claims(now, np.arange(8))
    assert (abs(claims.x_m - now.x_m) == 50.0).all()
    assert len(set(np.sign(claims.x_m - now.x_m))) == 2
