"""Alerts on their way to the pedal: display, decision, reaction, release."""

from __future__ import annotations

import numpy as np
import pytest

from tests.simulation_parts import fleet_state
from v2x.mobility.control import Controls
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.reaction_time import lognormal_shape, lognormal_times_s
from v2x.mobility.reactions import Action, Demands, ReactionParams, Reactions

TICK_US = 100_000
AT_ONCE = ReactionParams(automated_share=1.0, heavy_build_up_s=0.0)


def cars(n: int, **columns: object) -> FleetState:
    return fleet_state(0, np.arange(n) * 50.0, **columns)  # type: ignore[arg-type]


def demands(*rows: tuple[int, Action, float]) -> Demands:
    return Demands(
        np.array([row for row, _, _ in rows], dtype=np.int32),
        np.array([action for _, action, _ in rows], dtype=np.int32),
        np.array([value for _, _, value in rows]),
    )


def braking_from_us(params: ReactionParams, fleet: FleetState, seed: int = 1) -> np.ndarray:
    """Return when each vehicle begins to brake for an alert from time 0 on; -1 for never."""
    reactions, controls = Reactions(params, seed), Controls.none(fleet.n_rows)
    alert = demands(*((row, Action.BRAKE, 4.0) for row in range(fleet.n_rows)))
    first = np.full(fleet.n_rows, -1)
    for now_us in range(0, 8_000_000, TICK_US):
        reactions.apply(now_us, fleet, alert, controls)
        first[(first < 0) & (controls.ceiling_mps2 < 0.0)] = now_us
    return first


# Reaction times ----------------------------------------------------------------------------


def test_shape_is_that_of_the_table() -> None:
    """Lognormal, surprise braking (reference 5.3): mu_ln 0.172, sigma_ln 0.443."""
    mu, sigma = lognormal_shape(1.31, 0.61)
    assert (round(mu, 3), round(sigma, 3)) == (0.172, 0.443)


@pytest.mark.parametrize(("mean", "deviation"), [(1.31, 0.61), (1.0, 0.35)])
def test_times_have_the_moments_of_the_lognormal(mean: float, deviation: float) -> None:
    """Mean within 3 sigma of the closed form, share below the percentiles likewise."""
    n = 40_000
    times = lognormal_times_s(7, np.arange(n), 3, mean, deviation)
    mu, sigma = lognormal_shape(mean, deviation)
    assert abs(times.mean() - mean) < 3.0 * deviation / np.sqrt(n)
    logs = np.log(times)
    assert abs(logs.mean() - mu) < 3.0 * sigma / np.sqrt(n)
    assert abs(logs.std() - sigma) < 3.0 * sigma / np.sqrt(2.0 * n)
    # 50, 85 and 95 % of a normal distribution.
    for share, quantile in ((0.5, 0.0), (0.85, 1.036433), (0.95, 1.644854)):
        below = (times < np.exp(mu + sigma * quantile)).mean()
        assert abs(below - share) < 3.0 * np.sqrt(share * (1.0 - share) / n)


def test_times_depend_on_nobody_else() -> None:
    alone = lognormal_times_s(7, [5], [2], 1.31, 0.61)
    assert lognormal_times_s(7, [9, 5, 1], [2, 2, 2], 1.31, 0.61)[1] == alone[0]
    assert lognormal_times_s(7, [5], [3], 1.31, 0.61)[0] != alone[0]


def test_who_is_quick_is_quick_in_both_distributions() -> None:
    surprised = lognormal_times_s(7, np.arange(100), 0, 1.31, 0.61)
    alerted = lognormal_times_s(7, np.arange(100), 0, 1.0, 0.35)
    assert (np.argsort(surprised) == np.argsort(alerted)).all()


# From the alert to the act -----------------------------------------------------------------


def test_drivers_brake_after_display_and_reaction() -> None:
    """0.15 s and lognormal 1.0, 0.35 s, seen at the next tick: 0.05 s later on average."""
    n = 2000
    begin_s = braking_from_us(ReactionParams(compliance=1.0), cars(n)) / 1e6
    assert (begin_s > 0.15).all()
    assert abs(begin_s.mean() - (0.15 + 1.0 + 0.05)) < 3.0 * 0.36 / np.sqrt(n)


def test_as_many_comply_as_stated() -> None:
    n = 2000
    share = (braking_from_us(ReactionParams(compliance=0.9), cars(n)) >= 0).mean()
    assert abs(share - 0.9) < 3.0 * np.sqrt(0.9 * 0.1 / n)


def test_automated_vehicles_act_at_once() -> None:
    n = 1000
    params = ReactionParams(automated_share=0.4, compliance=1.0)
    at_once = braking_from_us(params, cars(n)) == 0
    assert abs(at_once.mean() - 0.4) < 3.0 * np.sqrt(0.4 * 0.6 / n)
    assert (at_once == Reactions(params, 1).automated(np.arange(n))).all()


def test_brakes_of_trucks_need_time_whoever_drives() -> None:
    kind = [NodeKind.CAR, NodeKind.TRUCK, NodeKind.BUS]
    begin = braking_from_us(ReactionParams(automated_share=1.0), cars(3, kind=kind))
    assert begin.tolist() == [0, 300_000, 300_000]


def test_twins_share_their_draws() -> None:
    """Who else is warned, and when, does not change when somebody reacts."""
    params = ReactionParams()
    every = braking_from_us(params, cars(40))
    some = cars(40)
    reactions, controls = Reactions(params, 1), Controls.none(40)
    first = np.full(40, -1)
    for now_us in range(700_000, 8_700_000, TICK_US):
        reactions.apply(now_us, some, demands((17, Action.BRAKE, 4.0)), controls)
        first[(first < 0) & (controls.ceiling_mps2 < 0.0)] = now_us
    assert first[17] - 700_000 == every[17]
    assert (np.delete(first, 17) == -1).all()


# What is asked -----------------------------------------------------------------------------


def test_strongest_of_each_kind_wins() -> None:
    controls = Controls.none(2)
    asked = demands(
        (0, Action.BRAKE, 2.0),
        (0, Action.BRAKE, 5.0),
        (0, Action.SLOW, 12.0),
        (0, Action.SLOW, 8.0),
        (0, Action.KEEP_LANE, 0.0),
        (1, Action.CHANGE_LANE, 1.0),
        (1, Action.CHANGE_LANE, 1.0),
    )
    Reactions(AT_ONCE, 1).apply(0, cars(2), asked, controls)
    assert controls.ceiling_mps2.tolist() == [-5.0, np.inf]
    assert controls.speed_mps.tolist() == [8.0, np.inf]
    assert controls.keep_lane.tolist() == [1, 0]
    assert controls.lane_wish.tolist() == [0, 1]
    assert controls.alerted.tolist() == [1, 1]


def test_opposite_lane_wishes_cancel() -> None:
    controls = Controls.none(1)
    asked = demands((0, Action.CHANGE_LANE, 1.0), (0, Action.CHANGE_LANE, -1.0))
    Reactions(AT_ONCE, 1).apply(0, cars(1), asked, controls)
    assert controls.lane_wish.tolist() == [0]


def test_an_alert_that_ends_releases_what_it_asked() -> None:
    reactions, controls, fleet = Reactions(AT_ONCE, 1), Controls.none(1), cars(1)
    controls.cacc_mps2[0] = -0.5
    reactions.apply(0, fleet, demands((0, Action.BRAKE, 4.0)), controls)
    assert controls.ceiling_mps2[0] == -4.0
    reactions.apply(TICK_US, fleet, Demands.none(), controls)
    assert (controls.ceiling_mps2[0], controls.alerted[0]) == (np.inf, 0)
    # What a controller wants is not theirs to release.
    assert controls.cacc_mps2[0] == -0.5


def test_an_alert_that_flickers_is_one_alert() -> None:
    """Away for 1 s it is still known; away for 3 s it has to be reacted to again."""
    params = ReactionParams(compliance=1.0)
    for away_s, known in ((1.0, True), (3.0, False)):
        reactions, controls, fleet = Reactions(params, 1), Controls.none(1), cars(1)
        alert = demands((0, Action.BRAKE, 4.0))
        for now_us in range(0, 6_000_000, TICK_US):
            reactions.apply(now_us, fleet, alert, controls)
        assert controls.ceiling_mps2[0] == -4.0
        reactions.apply(5_900_000 + round(away_s * 1e6), fleet, alert, controls)
        assert (controls.ceiling_mps2[0] == -4.0) == known


def test_a_row_with_another_vehicle_begins_anew() -> None:
    reactions, controls = Reactions(ReactionParams(compliance=1.0), 1), Controls.none(1)
    alert = demands((0, Action.BRAKE, 4.0))
    for now_us in range(0, 6_000_000, TICK_US):
        reactions.apply(now_us, cars(1), alert, controls)
    reactions.apply(6_000_000, cars(1, id=[5]), alert, controls)
    assert controls.ceiling_mps2[0] == np.inf


def test_a_way_round_is_asked_for_once() -> None:
    asked: list[tuple[int, frozenset[int]]] = []

    def reroute(row: int, avoid: frozenset[int]) -> bool:
        asked.append((row, avoid))
        return True

    reactions, controls = Reactions(AT_ONCE, 1, reroute), Controls.none(3)
    alert = demands((1, Action.REROUTE, 7.0), (1, Action.REROUTE, 9.0), (2, Action.REROUTE, 7.0))
    for now_us in (0, TICK_US):
        reactions.apply(now_us, cars(3), alert, controls)
    assert asked == [(1, frozenset((7, 9))), (2, frozenset((7,)))]


def test_rows_without_controls_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="row 3 cannot be controlled, only 2 can"):
        Reactions(AT_ONCE, 1).apply(0, cars(4), demands((3, Action.BRAKE, 1.0)), Controls.none(2))


@pytest.mark.parametrize(
    ("name", "value"),
    [("hmi_s", -0.1), ("compliance", 1.1), ("automated_share", -0.1), ("reaction_s", 0.0)],
)
def test_impossible_parameters_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        ReactionParams(**{name: value})


def test_who_has_braked_stays_attentive_while_the_alert_stands() -> None:
    """The alert asks for nothing in its last second; the driver need not take notice anew."""
    params = ReactionParams(compliance=1.0, memory_s=2.0)
    fleet, controls = cars(1), Controls.none(1)
    reactions = Reactions(params, 1)
    brake, inform = demands((0, Action.BRAKE, 4.0)), demands((0, Action.INFORM, 0.0))
    for now_us in range(0, 8_000_000, TICK_US):
        reactions.apply(now_us, fleet, brake, controls)
    assert controls.alerted[0] == 1
    for now_us in range(8_000_000, 9_000_000, TICK_US):
        reactions.apply(now_us, fleet, inform, controls)
        assert controls.alerted[0] == 1
        assert np.isinf(controls.ceiling_mps2[0])
    reactions.apply(9_000_000, fleet, Demands.none(), controls)
    assert controls.alerted[0] == 0


def test_who_does_not_follow_an_alert_is_not_attentive() -> None:
    fleet, controls = cars(1), Controls.none(1)
    reactions = Reactions(ReactionParams(compliance=0.0), 1)
    for now_us in range(0, 4_000_000, TICK_US):
        asked = Action.BRAKE if now_us < 3_000_000 else Action.INFORM
        reactions.apply(now_us, fleet, demands((0, asked, 4.0)), controls)
        assert controls.alerted[0] == 0
