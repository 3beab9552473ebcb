"""Path loss against check values of the formulas, and models against the formulas."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from v2x.channel.base import LinkState
from v2x.channel.pathloss import (
    BLOCKAGE_SIGMA_DB,
    BlockageCase,
    Tr37885Highway,
    Tr37885Params,
    Tr37885Urban,
    WinnerB1,
    WinnerB1Params,
    free_space_b1_db,
    tr37885_highway_los_db,
    tr37885_highway_p_los,
    tr37885_nlos_db,
    tr37885_urban_los_db,
    tr37885_urban_p_los,
    vehicle_blockage_mean_db,
    winner_b1_breakpoint_m,
    winner_b1_los_db,
    winner_b1_manhattan_db,
    winner_b1_nlos_db,
)

TABLES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "tables"
FC = 5.9
HEIGHTS_M = (1.5, 0.8, 0.5)

# At 5.9 GHz, one row a distance: highway LOS, urban LOS, NLOS, B1 LOS at h' = 1.5, 0.8, 0.5 m,
# B1 NLOS at 1.5 m.
CHECK_VALUES = {
    10.0: (67.817, 69.5, 81.419, 67.838, 67.838, 67.838, 80.883),
    50.0: (81.796, 81.172, 102.388, 81.817, 81.817, 88.016, 111.46),
    150.0: (91.339, 89.14, 116.702, 91.814, 100.038, 107.101, 132.333),
    300.0: (97.359, 94.167, 125.733, 102.633, 112.079, 119.142, 145.502),
    1000.0: (107.817, 102.9, 141.419, 123.549, 132.994, 140.057, 168.376),
}


def b1(height_m: float = 0.5, **changes: float | None) -> WinnerB1:
    return WinnerB1(WinnerB1Params(effective_antenna_height_m=height_m, **changes), FC)


def all_losses(distance_m: float) -> tuple[float, ...]:
    los = [
        winner_b1_los_db(distance_m, carrier_ghz=FC, effective_antenna_height_m=h)
        for h in HEIGHTS_M
    ]
    values = [
        tr37885_highway_los_db(distance_m, FC),
        tr37885_urban_los_db(distance_m, FC),
        tr37885_nlos_db(distance_m, FC),
        *los,
        winner_b1_nlos_db(distance_m, carrier_ghz=FC),
    ]
    return tuple(float(value) for value in values)


@pytest.mark.parametrize("distance_m", list(CHECK_VALUES))
def test_formulas_reproduce_the_check_values(distance_m: float) -> None:
    assert all_losses(distance_m) == pytest.approx(CHECK_VALUES[distance_m], abs=6e-4)


def test_formulas_reproduce_the_reference_table() -> None:
    table = TABLES / "pathloss_checkpoints.csv"
    if not table.exists():
        pytest.skip("reference tables are not beside this checkout")
    for row in csv.DictReader(table.read_text().splitlines()):
        d = float(row["d_m"])
        expected = [
            float(row[name])
            for name in (
                "tr37885_highway_los",
                "tr37885_urban_los",
                "tr37885_nlos",
                "winnerB1_los_heff1p5",
                "winnerB1_los_heff0p8",
                "winnerB1_los_heff0p5",
                "winnerB1_nlos_hexagonal_h1p5_no_offset",
            )
        ]
        assert all_losses(d) == pytest.approx(expected, abs=6e-4)
        free_space = free_space_b1_db(max(d, 3.0), FC)
        assert free_space == pytest.approx(float(row["free_space_b1_form"]), abs=6e-4)
        assert tr37885_highway_p_los(d) == pytest.approx(float(row["p_los_highway"]), abs=6e-5)
        assert tr37885_urban_p_los(d) == pytest.approx(float(row["p_los_urban"]), abs=6e-5)


def test_breakpoint_and_its_speed_of_light() -> None:
    assert [winner_b1_breakpoint_m(FC, h) for h in HEIGHTS_M] == pytest.approx(
        [177.1, 50.4, 19.7], abs=0.05
    )
    exact = winner_b1_breakpoint_m(5.91, 1.5)
    rounded = winner_b1_breakpoint_m(5.91, 1.5, light_mps=3e8)
    assert rounded == pytest.approx(177.3, abs=1e-9)
    assert exact / rounded == pytest.approx(1.0007, abs=1e-4)
    # Between the two the branches differ by what is lost in choosing the wrong one.
    assert winner_b1_los_db(
        rounded, carrier_ghz=5.91, effective_antenna_height_m=1.5, light_mps=3e8
    ) == pytest.approx(
        winner_b1_los_db(rounded, carrier_ghz=5.91, effective_antenna_height_m=1.5), abs=0.03
    )


@pytest.mark.parametrize("height_m", [0.3, 0.5, 0.8, 1.0, 1.5, 3.0, 5.0])
@pytest.mark.parametrize("carrier_ghz", [0.9, 5.9, 28.0])
def test_b1_pieces_are_the_formula(height_m: float, carrier_ghz: float) -> None:
    model = WinnerB1(WinnerB1Params(effective_antenna_height_m=height_m), carrier_ghz)
    law = model.laws()[LinkState.LOS]
    near = np.geomspace(0.1, 5000.0, 4001)
    edge = winner_b1_breakpoint_m(carrier_ghz, height_m)
    d = np.concatenate((near, law.start_m[1:], [edge, np.nextafter(edge, 0.0)]))
    expected = winner_b1_los_db(d, carrier_ghz=carrier_ghz, effective_antenna_height_m=height_m)
    assert law.loss_db(d) == pytest.approx(expected, abs=1e-9)
    assert law.start_m[0] == 0.0
    assert np.all(np.diff(law.start_m) > 0.0)


@pytest.mark.parametrize(("height_m", "floor_until_m"), [(1.5, 101.0), (0.8, 55.0), (0.5, 24.5)])
def test_free_space_is_the_floor_of_b1_to_the_documented_distance(
    height_m: float, floor_until_m: float
) -> None:
    law = b1(height_m).laws()[LinkState.LOS]
    assert law.slope_db[0] == 20.0
    assert law.start_m[1] == pytest.approx(floor_until_m, rel=0.01)


def test_b1_keeps_the_step_at_its_breakpoint() -> None:
    # At the breakpoint the far branch starts 0.03 dB above where the near one ends.
    edge = winner_b1_breakpoint_m(FC, 1.5)
    law = b1(1.5).laws()[LinkState.LOS]
    before, after = law.loss_db(np.array([np.nextafter(edge, 0.0), edge]))
    near = 22.7 * math.log10(edge) + 27.0 + 20.0 * math.log10(FC)
    far = 40.0 * math.log10(edge) + 7.56 - 34.6 * math.log10(1.5) + 2.7 * math.log10(FC)
    assert abs(far - near) > 1e-3
    assert after - before == pytest.approx(far - near, abs=1e-9)


def test_models_use_the_formulas() -> None:
    d = np.geomspace(1.0, 3000.0, 50)
    highway = Tr37885Highway(Tr37885Params(), FC).laws()
    urban = Tr37885Urban(Tr37885Params(), FC).laws()
    winner = b1(1.5, nlos_offset_db=-5.0).laws()
    for state in (LinkState.LOS, LinkState.NLOSV):
        assert highway[state].loss_db(d) == pytest.approx(tr37885_highway_los_db(d, FC))
        assert urban[state].loss_db(d) == pytest.approx(tr37885_urban_los_db(d, FC))
        assert winner[state].loss_db(d) == pytest.approx(
            winner_b1_los_db(d, carrier_ghz=FC, effective_antenna_height_m=1.5)
        )
    for laws in (highway, urban):
        assert laws[LinkState.NLOS].loss_db(d) == pytest.approx(tr37885_nlos_db(d, FC))
    assert winner[LinkState.NLOS].loss_db(d) == pytest.approx(
        winner_b1_nlos_db(d, carrier_ghz=FC, offset_db=-5.0)
    )


def test_short_links_are_held_at_the_minimum_distance() -> None:
    for model, limit_m in [
        (Tr37885Highway(Tr37885Params(), FC), 1.0),
        (Tr37885Urban(Tr37885Params(min_distance_m=2.0), FC), 2.0),
        (b1(), 3.0),
    ]:
        for law in model.laws().values():
            close, limit = law.loss_db(np.array([0.0, limit_m]))
            assert close == limit
            assert law.loss_db(np.array([2.0 * limit_m]))[0] > limit


def test_laws_are_read_only() -> None:
    law = b1().laws()[LinkState.LOS]
    with pytest.raises(ValueError, match="read-only"):
        law.slope_db[0] = 0.0


@pytest.mark.parametrize(
    ("model", "los", "nlosv", "nlos"),
    [
        (Tr37885Highway(Tr37885Params(), FC), (3.0, 25.0), (3.0, 25.0), (4.0, 25.0)),
        (Tr37885Urban(Tr37885Params(), FC), (3.0, 10.0), (3.0, 13.0), (4.0, 13.0)),
        (WinnerB1(WinnerB1Params(), FC), (3.0, 25.0), (3.0, 25.0), (4.0, 25.0)),
        (
            Tr37885Urban(Tr37885Params(shadowing_sigma_db=0.0, decorrelation_m=40.0), FC),
            (0.0, 40.0),
            (0.0, 40.0),
            (4.0, 40.0),
        ),
    ],
)
def test_shadowing(model, los, nlosv, nlos) -> None:
    statistics = model.shadowing()
    expected = {LinkState.LOS: los, LinkState.NLOSV: nlosv, LinkState.NLOS: nlos}
    for state, pair in expected.items():
        assert (statistics[state].sigma_db, statistics[state].decorrelation_m) == pair


def test_who_adds_blockage() -> None:
    assert Tr37885Highway.vehicle_blockage
    assert Tr37885Urban.vehicle_blockage
    assert not WinnerB1.vehicle_blockage


def test_p_los_is_a_probability_that_falls() -> None:
    d = np.linspace(0.0, 2000.0, 4001)
    for model in (Tr37885Highway(Tr37885Params(), FC), Tr37885Urban(Tr37885Params(), FC)):
        p = model.p_los(d)
        assert p[0] == 1.0
        assert p[-1] < 1e-9
        assert np.all(np.diff(p) <= 0.0)
    assert np.all(b1().p_los(d) == 1.0)


def test_blockage_mean() -> None:
    d = np.array([10.0, 541.0, 1000.0])
    assert vehicle_blockage_mean_db(d, BlockageCase.ABOVE_BOTH) == pytest.approx(
        [9.0, 9.0, 13.0], abs=5e-3
    )
    assert vehicle_blockage_mean_db(d, BlockageCase.BETWEEN) == pytest.approx(
        [5.0, 5.0, 9.0], abs=5e-3
    )
    assert np.all(vehicle_blockage_mean_db(d, BlockageCase.BELOW_BOTH) == 0.0)
    assert [BLOCKAGE_SIGMA_DB[case] for case in BlockageCase] == [0.0, 4.5, 4.0]


def test_manhattan_worked_by_hand() -> None:
    # d1 = 100 m, d2 = 50 m, h' = 0.5 m: n_j = 2.56 seen from d1 and 2.68 from d2.
    def one_way(own: float, other: float, n_j: float) -> float:
        los = float(winner_b1_los_db(own, carrier_ghz=FC, effective_antenna_height_m=0.5))
        return los + 17.3 - 12.5 * n_j + 10.0 * n_j * math.log10(other) + 3.0 * math.log10(FC)

    expected = min(one_way(100.0, 50.0, 2.56), one_way(50.0, 100.0, 2.68))
    loss = winner_b1_manhattan_db(100.0, 50.0, carrier_ghz=FC, effective_antenna_height_m=0.5)
    assert loss == pytest.approx(expected)
    assert loss == pytest.approx(127.728, abs=1e-3)


def test_manhattan_is_reciprocal_and_ends_in_line_of_sight() -> None:
    kwargs = {"carrier_ghz": FC, "effective_antenna_height_m": 1.5}
    d1, d2 = np.meshgrid(np.linspace(0.0, 400.0, 41), np.linspace(0.0, 400.0, 41))
    loss = winner_b1_manhattan_db(d1, d2, **kwargs)
    assert np.all(np.isfinite(loss))
    assert loss == pytest.approx(loss.T)
    assert winner_b1_manhattan_db(200.0, 5.0, **kwargs) == pytest.approx(
        float(winner_b1_los_db(205.0, **kwargs))
    )
    assert winner_b1_manhattan_db(200.0, 30.0, **kwargs) > winner_b1_los_db(230.0, **kwargs) + 10.0
    raised = winner_b1_manhattan_db(200.0, 30.0, corner_loss_db=17.9, **kwargs)
    assert raised - winner_b1_manhattan_db(200.0, 30.0, **kwargs) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("params", "key", "value"),
    [
        (Tr37885Params, "shadowing_sigma_db", -1.0),
        (Tr37885Params, "decorrelation_m", 0.0),
        (Tr37885Params, "min_distance_m", 0.0),
        (WinnerB1Params, "shadowing_sigma_db", math.nan),
        (WinnerB1Params, "effective_antenna_height_m", 0.0),
        (WinnerB1Params, "nlos_antenna_height_m", -1.5),
        (WinnerB1Params, "nlos_offset_db", 80.0),
    ],
)
def test_impossible_parameters_are_named(params, key: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"{key} must .*, got {value}"):
        params(**{key: value})


@pytest.mark.parametrize("model", [Tr37885Highway, Tr37885Urban, WinnerB1])
def test_impossible_carriers_are_named(model) -> None:
    with pytest.raises(ValueError, match="carrier_ghz must be within"):
        model(model.Params(), 5900.0)
