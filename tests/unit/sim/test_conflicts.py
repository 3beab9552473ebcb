"""What the watch makes of road users whose motion is known."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.surrogates import crash_probability
from v2x.records.tables import ConflictKind, check_table
from v2x.sim.recorder import Recorder, RecordParams
from v2x.sim.safety.conflict_roads import ConflictRoads
from v2x.sim.safety.conflicts import ConflictWatch
from v2x.sim.safety.params import SafetyParams
from v2x.world.road_map import RoadMap, Structure
from v2x.world.synthetic import highway
from v2x.world.weather import WeatherParams

from ...simulation_parts import fleet_state

STEP_S = 0.1


def watch(
    n_rows: int,
    *,
    road_map: RoadMap | None = None,
    weather: WeatherParams | None = None,
    **params: Any,
) -> ConflictWatch:
    return ConflictWatch(
        SafetyParams(**params),
        road_map or highway(),
        weather or WeatherParams(),
        n_rows=n_rows,
        period_us=100_000,
        block_s=1.0,
    )


def conflicts(states: Iterable[FleetState], **options: Any) -> dict[str, np.ndarray]:
    states = list(states)
    one = watch(states[0].n_rows, **options)
    for state in states:
        one.observe(state)
    return one.tables()["conflicts"]


def moving(
    start: list[tuple[float, float]],
    heading: list[float],
    speed: list[float],
    *,
    n: int = 60,
    acceleration: list[float] | None = None,
    **columns: Any,
) -> list[FleetState]:
    """Return states of vehicles off the road that go straight on, until they stand."""
    x0, y0 = np.array(start, dtype=float).T
    h, v = np.array(heading), np.array(speed, dtype=float)
    a = np.zeros(len(v)) if acceleration is None else np.array(acceleration, dtype=float)
    still = np.divide(v, -a, out=np.full(len(v), np.inf), where=a < 0)
    out = []
    for k in range(n):
        t = np.minimum(k * STEP_S, still)
        way = v * t + 0.5 * a * t * t
        out.append(
            fleet_state(
                k * 100_000, x0 + way * np.cos(h), y_m=y0 + way * np.sin(h), heading_rad=h,
                speed_mps=v + a * t, acceleration_mps2=np.where(t < still, a, 0.0),
                **({"edge": -1, "lane": -1, "width_m": 2.0} | columns),
            )
        )  # fmt: skip
    return out


def following(gap_m: float, v_f: float, v_l: float, **columns: Any) -> list[FleetState]:
    """Return one state of a follower, row 0, on a road that mobility knows about."""
    base: dict[str, Any] = {"leader": [1, -1], "gap_m": [gap_m, math.inf], "lane": 0}
    return [
        fleet_state(0, [100.0, 105.0 + gap_m], speed_mps=[v_f, v_l], y_m=-1.75, **(base | columns))
    ]


def only(table: dict[str, np.ndarray]) -> dict[str, Any]:
    assert len(table["event"]) == 1, table
    return {name: values[0].item() for name, values in table.items()}


def test_a_follower_by_hand() -> None:
    """20 m behind at 25 and 15 m/s: TTC 2 s, DRAC 2.5 m/s², held for one state of 0.1 s."""
    row = only(conflicts(following(20.0, 25.0, 15.0)))
    assert row["kind"] == ConflictKind.FOLLOWING
    assert (row["vehicle_id"], row["other_id"], row["event"]) == (0, 1, 0)
    assert row["min_ttc_s"] == pytest.approx(2.0)
    assert row["min_mttc_s"] == pytest.approx(2.0)
    assert row["max_drac_mps2"] == pytest.approx(2.5)
    assert row["max_drac_share"] == pytest.approx(2.5 / (9.81 * 0.75))
    assert row["tet_s"] == pytest.approx(0.1)
    assert row["tit_s2"] == pytest.approx(0.1 * (3.0 - 2.0))
    probability = crash_probability(2.5, False, 0.75, 0.0, SafetyParams().braking)
    assert row["cpi_s"] == pytest.approx(0.1 * float(probability))
    assert row["rss_s"] == pytest.approx(0.1)
    assert (row["speed_mps"], row["closing_mps"], row["angle_rad"]) == (25.0, 10.0, 0.0)
    assert not row["collision"]
    assert math.isnan(row["pet_s"])


@pytest.mark.parametrize(("ttc_s", "n"), [(2.0, 0), (2.001, 1)])
def test_the_threshold_of_ttc(ttc_s: float, n: int) -> None:
    assert len(conflicts(following(20.0, 25.0, 15.0), ttc_s=ttc_s)["event"]) == n


def test_times_below_the_threshold_add_up() -> None:
    """TTC falls from 3 s: 10 m/s over 29.5, 28.5 ... 10.5 m is 20 states, mean shortfall 1 s."""
    states = [following(29.5 - k, 25.0, 15.0, id=[7, 4])[0] for k in range(20)]
    states = [
        fleet_state(
            k * 100_000, s.x_m, speed_mps=s.speed_mps, leader=s.leader, gap_m=s.gap_m, id=s.id
        )
        for k, s in enumerate(states)
    ]
    row = only(conflicts(states))
    assert row["tet_s"] == pytest.approx(2.0)
    assert row["tit_s2"] == pytest.approx(0.1 * sum(3.0 - (29.5 - k) / 10 for k in range(20)))
    assert row["min_ttc_s"] == pytest.approx(1.05)
    assert (row["begin_s"], row["end_s"], row["worst_s"]) == pytest.approx((0.0, 1.9, 1.9))
    assert (row["vehicle_id"], row["other_id"]) == (7, 4)


def test_a_pause_parts_episodes() -> None:
    """On course at 0.0, 0.9 and 2.0 s: the second pause is longer than 1 s."""
    near = [0, 9, 20]
    states = []
    for k in range(21):
        speed = [25.0, 15.0] if k in near else [15.0, 15.0]
        states.append(
            fleet_state(
                k * 100_000, [0.0, 25.0], speed_mps=speed, leader=[1, -1], gap_m=[20.0, np.inf]
            )
        )
    table = conflicts(states)
    assert table["begin_s"].tolist() == pytest.approx([0.0, 2.0])
    assert table["end_s"].tolist() == pytest.approx([0.9, 2.0])
    assert table["event"].tolist() == [0, 1]


def test_grade_and_friction_where_it_happens() -> None:
    """The same approach on a wet fall of 6 %: less braking there, a likelier crash."""
    flat = highway()
    z = -0.06 * flat.point_x_m
    columns = {name: getattr(flat, name) for name in flat.__slots__}
    steep = RoadMap(**(columns | {"point_z_m": z, "wrap_length_m": 0.0}))
    weather = WeatherParams(friction=0.4)
    row = only(conflicts(following(20.0, 25.0, 15.0), road_map=steep, weather=weather))
    assert row["grade"] == pytest.approx(-0.06)
    assert row["friction"] == 0.4
    assert row["structure"] == Structure.GROUND
    theta = math.atan(-0.06)
    available = 9.81 * (0.4 * math.cos(theta) + math.sin(theta))
    assert row["max_drac_share"] == pytest.approx(2.5 / available, rel=1e-3)
    dry = only(conflicts(following(20.0, 25.0, 15.0)))
    assert row["cpi_s"] > 10 * dry["cpi_s"]


def test_crossing_at_right_angles_by_hand() -> None:
    """East at 10 and north at 10 m/s, cars of 5 m by 2 m, both 30 m before the crossing.

    The fronts come to the other paths after 30 - 2.5 - 1 = 26.5 m, both alike: TTC 2.65 s.
    """
    row = only(conflicts(moving([(-30, 0), (0, -30)], [0.0, math.pi / 2], [10, 10], n=1)))
    assert row["kind"] == ConflictKind.CROSSING
    assert row["min_ttc_s"] == pytest.approx(2.65)
    assert row["min_mttc_s"] == pytest.approx(2.65)
    assert row["max_drac_mps2"] == pytest.approx(10 / (2 * 2.65))
    assert row["angle_rad"] == pytest.approx(math.pi / 2)
    assert row["structure"] == -1


def test_a_crossing_that_braking_avoids_has_a_ttc_and_no_mttc() -> None:
    """The second stops after 10²/(2·2) = 25 m, a metre and a half before the other path."""
    states = moving([(-30, 0), (0, -30)], [0.0, math.pi / 2], [10, 10], acceleration=[0, -2], n=60)
    row = only(conflicts(states))
    assert row["min_ttc_s"] < 3.0
    assert row["min_mttc_s"] == math.inf
    assert not row["collision"]


def test_who_comes_just_behind_has_a_pet_and_no_ttc() -> None:
    """The second enters 1.5 s after the first has left; ids, times and place by hand.

    The first leaves at x = 3.5 m, after 53.5 m and 5.35 s; the second enters at y = -3.5 m.
    """
    second = -3.5 - 6.85 * 10
    states = moving([(-50, 0), (0, second)], [0.0, math.pi / 2], [10, 10], n=100)
    row = only(conflicts(states))
    assert row["pet_s"] == pytest.approx(1.5)
    assert row["encroachment_s"] == pytest.approx(0.7)
    assert (row["vehicle_id"], row["other_id"]) == (1, 0)
    assert (row["x_m"], row["y_m"]) == pytest.approx((0.0, 0.0), abs=1e-9)
    assert (row["begin_s"], row["end_s"]) == pytest.approx((5.35, 6.85))
    assert row["min_ttc_s"] == math.inf


def test_ttc_and_pet_of_one_pair_are_one_episode() -> None:
    """On course for a collision at 2.65 s, the second brakes with 1.6 m/s² and passes behind.

    The first has left after 33.5 m, 3.35 s. The second has gone 26.5 m when 10 t - 0.8 t² is that.
    """
    states = moving(
        [(-30, 0), (0, -30)], [0.0, math.pi / 2], [10, 10], acceleration=[0, -1.6], n=60
    )
    row = only(conflicts(states))
    entered_s = (10 - math.sqrt(100 - 3.2 * 26.5)) / 1.6
    assert row["pet_s"] == pytest.approx(entered_s - 3.35, abs=2e-3)
    assert row["encroachment_s"] == pytest.approx(0.7)
    assert row["end_s"] == pytest.approx(entered_s, abs=2e-3)
    assert row["begin_s"] == 0.0
    assert 0.0 < row["min_ttc_s"] < 2.65
    assert not row["collision"]


def test_a_collision() -> None:
    """Both reach the crossing at once: contact at 2.7 s, the first state after 2.65 s."""
    states = moving([(-30, 0), (0, -30)], [0.0, math.pi / 2], [10, 10], n=30)
    row = only(conflicts(states))
    assert row["collision"]
    assert row["min_ttc_s"] == 0.0
    assert row["worst_s"] == pytest.approx(2.7)
    assert row["collision_speed_mps"] == pytest.approx(math.hypot(10, 10))


def test_rear_end_collision_on_the_road() -> None:
    row = only(conflicts(following(-0.5, 25.0, 15.0)))
    assert row["collision"]
    assert (row["min_ttc_s"], row["collision_speed_mps"]) == (0.0, 10.0)
    assert row["cpi_s"] == pytest.approx(0.1)
    assert math.isnan(row["max_drac_mps2"])


def test_towards_each_other() -> None:
    """60 m apart less 5 m of lengths, 10 and 15 m/s: 2.2 s, and both brake with v²/2 summed."""
    row = only(conflicts(moving([(0, 0), (60, 0)], [0.0, math.pi], [10, 15], n=1)))
    assert row["kind"] == ConflictKind.HEAD_ON
    assert row["min_ttc_s"] == pytest.approx(55 / 25)
    assert row["max_drac_mps2"] == pytest.approx((10**2 + 15**2) / (2 * 55))
    assert row["rss_s"] == pytest.approx(0.1)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(-3.1, 3.1),
    st.floats(-500, 500),
    st.floats(-500, 500),
    st.integers(0, 1000),
)
def test_turning_moving_and_exchanging_change_nothing(
    turn: float, east: float, north: float, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    start = draw.uniform(-40, 40, (2, 2))
    heading, speed = draw.uniform(-3, 3, 2), draw.uniform(2, 20, 2)
    acceleration = draw.uniform(-3, 2, 2).tolist()
    sizes: dict[str, Any] = {"length_m": draw.uniform(4, 14, 2), "width_m": draw.uniform(1.5, 3, 2)}

    def one(start: np.ndarray, heading: np.ndarray, swap: bool = False) -> dict[str, np.ndarray]:
        order = [1, 0] if swap else [0, 1]
        return conflicts(
            moving(
                start[order].tolist(), heading[order].tolist(), speed[order].tolist(), n=1,
                acceleration=[acceleration[k] for k in order], id=np.array([0, 1])[order],
                **{name: values[order] for name, values in sizes.items()},
            ),
            ttc_s=5.0,
        )  # fmt: skip

    plain = one(start, heading)
    c, s = math.cos(turn), math.sin(turn)
    turned = start @ np.array([[c, s], [-s, c]]) + np.array([east, north])
    for other in (one(turned, heading + turn), one(start, heading, swap=True)):
        assert len(other["event"]) == len(plain["event"])
        for name in ("min_ttc_s", "min_mttc_s", "max_drac_mps2", "closing_mps", "angle_rad"):
            np.testing.assert_allclose(other[name], plain[name], rtol=1e-5, atol=1e-6)


@given(st.floats(5.0, 100.0), st.floats(1.0, 30.0), st.floats(0.5, 10.0))
@settings(max_examples=30, deadline=None)
def test_ttc_falls_with_the_closing_speed(gap_m: float, closing: float, more: float) -> None:
    slow, fast = (
        conflicts(following(gap_m, 10 + v, 10.0), ttc_s=10.0)["min_ttc_s"]
        for v in (closing, closing + more)
    )
    if len(slow):
        assert fast[0] < slow[0]


@pytest.mark.parametrize(
    "columns",
    [
        {"level": [0, 1]},  # flat map: only the level tells
        {"z_m": [0.0, 6.0]},  # and here only the height
        {"level": [0, 2], "z_m": [0.0, 12.0]},
    ],
)
def test_stacked_decks_are_never_in_conflict(columns: dict[str, Any]) -> None:
    """They would collide in plan."""
    states = moving([(-30, 0), (0, -30)], [0.0, math.pi / 2], [10, 10], **columns)
    assert len(conflicts(states)["event"]) == 0
    behind = moving([(-50, 0), (0, -72)], [0.0, math.pi / 2], [10, 10], n=100, **columns)
    assert len(conflicts(behind)["event"]) == 0


def test_roads_that_do_not_meet_are_not_in_conflict() -> None:
    """Edges 0 and the last one of the grid, drawn onto each other."""
    from v2x.world.synthetic import build

    grid = build("manhattan")
    twin = fleet_state(
        0, [-30.0, 0.0], y_m=[0.0, -30.0], heading_rad=[0.0, math.pi / 2], speed_mps=10.0,
        edge=[0, grid.n_edges - 1], lane=0, offset_m=50.0, width_m=2.0,
    )  # fmt: skip
    assert len(conflicts([twin], road_map=grid)["event"]) == 0


def test_pedestrians_do_not_collide_with_each_other() -> None:
    states = moving([(-30, 0), (0, -30)], [0.0, math.pi / 2], [10, 10], kind=NodeKind.VRU)
    assert len(conflicts(states)["event"]) == 0
    mixed = moving([(-30, 0), (0, -30)], [0.0, math.pi / 2], [10, 10], kind=[NodeKind.VRU, 0])
    assert len(conflicts(mixed)["event"]) > 0


def test_braking_and_jerks_are_counted_once_a_spell() -> None:
    """Accelerations 0, -2, -4, -5, -1, -4.5: two spells beyond 0.4 g, jerks of 20, 10, 40 ..."""
    one = watch(1)
    for k, a in enumerate([0.0, -2.0, -4.0, -5.0, -1.0, -4.5]):
        one.observe(fleet_state(k * 100_000, [2.0 * k], speed_mps=[20.0], acceleration_mps2=[a]))
    exposure = one.tables()["exposure"]
    assert exposure["n_hard_brakes"].tolist() == [2]
    assert exposure["n_jerks"].tolist() == [2]
    assert exposure["max_jerk_mps3"] == pytest.approx([40.0])
    assert exposure["vehicle_s"] == pytest.approx([0.6])
    assert exposure["distance_m"] == pytest.approx([12.0])


def test_a_newcomer_that_brakes_has_not_begun_to() -> None:
    one = watch(1)
    for k, identity in enumerate([3, 4]):
        one.observe(fleet_state(k * 100_000, [0.0], id=[identity], acceleration_mps2=[-6.0 * k]))
    assert one.tables()["exposure"]["n_hard_brakes"].sum() == 0
    assert one.tables()["exposure"]["max_jerk_mps3"].max() == 0.0


def test_rss_sideways() -> None:
    """Beside each other in lanes 3.5 m apart; one drifts over at 1 m/s and comes too near."""

    def states(drift: float) -> list[FleetState]:
        return [
            fleet_state(
                k * 100_000, [100.0 + 2 * k, 102.0 + 2 * k], speed_mps=20.0, lane=[0, 1],
                y_m=[-8.75 + drift * 0.1 * k, -5.25], width_m=2.0,
            )
            for k in range(8)
        ]  # fmt: skip

    quiet, late = watch(2), watch(2)
    for one, drift in ((quiet, 0.0), (late, 1.0)):
        for state in states(drift):
            one.observe(state)
    assert quiet.tables()["exposure"]["rss_lateral_s"].sum() == 0.0
    assert late.tables()["exposure"]["rss_lateral_s"].sum() == pytest.approx(0.7)


def test_the_recorder_writes_both_tables() -> None:
    one = Recorder(RecordParams(), warmup_us=0, watches=(watch(2),))
    one.observe_fleet(following(20.0, 25.0, 15.0)[0])
    tables = one.tables(2)
    for name in ("conflicts", "exposure"):
        check_table(name, tables[name])
        assert tables[name]["replication"].tolist() == [2]
    quiet = Recorder(RecordParams(), warmup_us=0).tables(0)
    assert len(quiet["conflicts"]["event"]) == len(quiet["exposure"]["vehicle_s"]) == 0


def test_thresholds_are_checked() -> None:
    with pytest.raises(ValueError, match="ttc_s must be within"):
        SafetyParams(ttc_s=0.0)


def test_lanes_are_compared_on_one_edge() -> None:
    """Lane 1 of edge 0 goes on as lane 0 of edge 1; edge 2 does not go on there."""
    roads = ConflictRoads(highway(), WeatherParams())
    roads.joints = np.zeros((3, 6), dtype=np.int32)
    roads.joints[:, 4], roads.joints[:, 5] = [1, -1, -1], [-1, 0, 0]
    edge, lane, goal = (np.array(v, dtype=np.int32) for v in ([0, 1, 2], [1, 1, 1], [1, 0, 1]))
    onto, as_lane = roads.on_one_edge(edge, lane, goal)
    assert onto.tolist() == [1, 1, 2]
    assert as_lane.tolist() == [0, 1, 1]
