"""Policies of applications.md 4.3, each on both sides of its limits."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.mobility.fleet import KeyEvent
from v2x.security.linking import LinkingParams, Sightings, link, linked_share
from v2x.security.pseudonyms import (
    POLICIES,
    Car2CarPolicy,
    DisposablePolicy,
    DistancePolicy,
    Gbt45315Policy,
    PeriodicalPolicy,
    PseudonymPolicy,
    Pseudonyms,
    RandomPolicy,
    Use,
)

from ...simulation_parts import fleet_state

S = 1_000_000


def use(**columns: float) -> Use:
    defaults: dict[str, float] = {
        "age_s": 0.0,
        "driven_m": 0.0,
        "straight_m": 0.0,
        "n_messages": 0,
        "n_changes": 1,
        "chance": 0.5,
        "other_chance": 0.5,
        "decision": 0.5,
    }
    return Use(**{name: np.array([value]) for name, value in (defaults | columns).items()})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "columns", "due"),
    [
        (Gbt45315Policy(), {"age_s": 300.0, "straight_m": 2100.0}, True),
        (Gbt45315Policy(), {"age_s": 299.9, "straight_m": 2100.0}, False),
        (Gbt45315Policy(), {"age_s": 300.0, "straight_m": 2099.0, "driven_m": 9000.0}, False),
        (PeriodicalPolicy(), {"age_s": 240.0}, True),
        (PeriodicalPolicy(), {"age_s": 239.9}, False),
        (DisposablePolicy(), {"n_messages": 10}, True),
        (DisposablePolicy(), {"n_messages": 9}, False),
        (DistancePolicy(), {"driven_m": 80.0}, True),
        (DistancePolicy(), {"driven_m": 79.9}, False),
        (RandomPolicy(), {"decision": 0.0999}, True),
        (RandomPolicy(), {"decision": 0.1}, False),
        # First change within 800 and 1500 m: 1150 m at half of the range.
        (Car2CarPolicy(), {"n_changes": 0, "driven_m": 1150.0}, True),
        (Car2CarPolicy(), {"n_changes": 0, "driven_m": 1149.0, "age_s": 999.0}, False),
        # Later 800 m and 120 to 360 s: 240 s at half of the range.
        (Car2CarPolicy(), {"driven_m": 800.0, "age_s": 240.0}, True),
        (Car2CarPolicy(), {"driven_m": 799.0, "age_s": 999.0}, False),
        (Car2CarPolicy(), {"driven_m": 9000.0, "age_s": 239.9}, False),
    ],
)
def test_policies_on_both_sides_of_their_limits(
    policy: PseudonymPolicy, columns: dict[str, float], due: bool
) -> None:
    assert policy.due(use(**columns)).tolist() == [due]


def test_policies_are_found_by_name_and_refuse_negative_limits() -> None:
    assert {type(kind()) for kind in POLICIES.values()} == set(POLICIES.values())
    with pytest.raises(ValueError, match="period_s"):
        Gbt45315Policy(period_s=-1.0)
    with pytest.raises(ValueError, match="probability"):
        RandomPolicy(probability=1.5)
    with pytest.raises(ValueError, match="max_s"):
        Car2CarPolicy(max_s=1.0)


def test_identity_layer_2_and_count_change_together() -> None:
    book = Pseudonyms(DistancePolicy(distance_m=100.0), 2, seed=1)
    assert book.advance(fleet_state(0, [0.0, 0.0])).tolist() == [0, 1]
    before = book.identity.copy(), book.layer2_id.copy()
    count = book.count(np.array([0, 1]))
    assert ((book.count(np.array([0, 1])) - count) % 128).tolist() == [1, 1]
    assert book.advance(fleet_state(S, [99.0, 100.0])).tolist() == [1]
    assert (book.identity != before[0]).tolist() == [False, True]
    assert (book.layer2_id != before[1]).tolist() == [False, True]
    after = book.count(np.array([0, 1]))
    assert after[0] == (count[0] + 2) % 128
    assert after[1] != (count[1] + 2) % 128
    assert book.layer2_id.max() < 1 << 24


def test_the_straight_line_is_from_the_place_of_the_last_change() -> None:
    """Driven 4200 m to and fro, but at the same place again: no change after 300 s."""
    book = Pseudonyms(Gbt45315Policy(), 1, seed=1)
    book.advance(fleet_state(0, [0.0]))
    assert book.advance(fleet_state(150 * S, [2100.0])).tolist() == []
    assert book.advance(fleet_state(301 * S, [0.0])).tolist() == []
    assert book.advance(fleet_state(302 * S, [-2100.0])).tolist() == [0]
    assert book.advance(fleet_state(602 * S, [-100.0])).tolist() == []
    assert book.advance(fleet_state(603 * S, [0.0])).tolist() == [0]


@pytest.mark.parametrize("flag", [KeyEvent.HARD_BRAKING, KeyEvent.SIREN])
def test_nobody_changes_during_an_event_or_on_duty(flag: KeyEvent) -> None:
    book = Pseudonyms(PeriodicalPolicy(), 1, seed=1)
    book.advance(fleet_state(0, [0.0]))
    assert book.advance(fleet_state(300 * S, [0.0], flags=[int(flag)])).tolist() == []
    assert book.advance(fleet_state(301 * S, [0.0])).tolist() == [0]


def test_a_newcomer_has_a_pseudonym_of_its_own() -> None:
    book = Pseudonyms(Gbt45315Policy(), 1, seed=1)
    book.advance(fleet_state(0, [0.0]))
    first = int(book.identity[0])
    assert book.advance(fleet_state(S, [0.0], id=[-1])).tolist() == []
    assert book.identity.tolist() == [-1]
    assert book.advance(fleet_state(2 * S, [0.0], id=[5])).tolist() == [0]
    assert book.identity[0] not in (-1, first)
    again = Pseudonyms(Gbt45315Policy(), 1, seed=1)
    again.advance(fleet_state(2 * S, [0.0], id=[5]))
    assert again.identity[0] == book.identity[0]


# The eavesdropper -------------------------------------------------------------------------


def sightings(time_s: float, x_m: np.ndarray, speed_mps: np.ndarray) -> Sightings:
    n = len(x_m)
    return Sightings(
        time_us=np.full(n, round(time_s * 1e6)),
        x_m=x_m,
        y_m=np.zeros(n),
        heading_rad=np.zeros(n),
        speed_mps=speed_mps,
    )


@pytest.mark.parametrize(("after_s", "taken"), [(1.0, 0), (1.1, -1)])
def test_a_link_is_looked_for_within_a_second(after_s: float, taken: int) -> None:
    old = sightings(0.0, np.zeros(1), np.array([20.0]))
    new = sightings(after_s, np.array([20.0 * after_s]), np.array([20.0]))
    assert link(old, new, LinkingParams()).tolist() == [taken]


@pytest.mark.parametrize(("off_m", "taken"), [(9.9, 0), (10.1, -1)])
def test_a_link_must_fit_the_gate(off_m: float, taken: int) -> None:
    """Five sigma of 2 m."""
    old = sightings(0.0, np.zeros(1), np.array([20.0]))
    new = sightings(0.5, np.array([10.0 + off_m]), np.array([20.0]))
    assert link(old, new, LinkingParams()).tolist() == [taken]


def test_the_cheapest_way_to_join_all_is_taken() -> None:
    """The nearest of the second would be the first new one, which the first old one needs."""
    old = sightings(0.0, np.array([0.0, 4.0]), np.zeros(2))
    new = sightings(0.5, np.array([2.5, 8.0]), np.zeros(2))
    assert link(old, new, LinkingParams()).tolist() == [0, 1]


def test_denser_traffic_and_silence_hide_better() -> None:
    """Everybody changes at once, at speeds that spread; a silent period lets them mix."""
    draw = np.random.default_rng(2)

    def share(apart_m: float, silent_s: float) -> float:
        n = 200
        speed = draw.normal(20.0, 3.0, n)
        old = sightings(0.0, np.arange(n) * apart_m, speed)
        later = speed + draw.normal(0.0, 1.0, n)
        there = old.x_m + 0.5 * (speed + later) * silent_s
        order = draw.permutation(n)
        new = sightings(silent_s, there[order], later[order])
        taken = link(old, new, LinkingParams(window_s=5.0))
        return linked_share(taken, np.argsort(order))

    sparse, dense, silent = share(30.0, 0.1), share(0.5, 0.1), share(2.0, 3.0)
    assert sparse == 1.0
    assert dense < 0.7 * sparse
    assert silent < share(2.0, 0.1) - 0.1


def test_nobody_who_changed_gives_no_share() -> None:
    assert linked_share(np.array([-1]), np.array([-1])) == 0.0
    with pytest.raises(ValueError, match="gate"):
        LinkingParams(gate=0.0)
