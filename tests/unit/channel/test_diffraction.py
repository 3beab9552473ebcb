"""Diffraction against the values of ITU-R P.526 and against its own limits."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from v2x.channel.diffraction import (
    PathProfile,
    TwoEdges,
    bullington_db,
    deygout_db,
    deygout_terrain_c_db,
    dominant_edge_db,
    epstein_peterson_db,
    first_fresnel_radius_m,
    fresnel_parameter,
    knife_edge_db,
    parallel_paths_db,
)
from v2x.units import SPEED_OF_LIGHT_MPS

WAVELENGTH_M = SPEED_OF_LIGHT_MPS / 5.9e9
TABLES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "tables"


def profile(*points: tuple[float, float], length_m: float, tx_m: float = 0.0, rx_m: float = 0.0):
    distance, height = np.array(points, dtype=np.float64).reshape(-1, 2).T
    return PathProfile(
        tx_height_m=tx_m, rx_height_m=rx_m, length_m=length_m, distance_m=distance, height_m=height
    )


@pytest.mark.parametrize(
    ("nu", "loss_db"),
    [(-1.0, 0.0), (-0.5, 1.96), (0.0, 6.03), (1.0, 13.93), (2.4, 20.54), (10.0, 32.86)],
)
def test_knife_edge_reproduces_the_check_values(nu: float, loss_db: float) -> None:
    assert knife_edge_db(nu) == pytest.approx(loss_db, abs=0.006)


def test_knife_edge_reproduces_the_reference_table() -> None:
    table = TABLES / "knife_edge_checkpoints.csv"
    if not table.exists():
        pytest.skip("reference tables are not beside this checkout")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    nu = [float(row["nu"]) for row in rows]
    assert knife_edge_db(nu) == pytest.approx([float(row["J_dB"]) for row in rows], abs=6e-4)


def test_knife_edge_is_monotone_and_survives_infinity() -> None:
    loss = knife_edge_db(np.concatenate(([-np.inf], np.linspace(-50.0, 50.0, 2001))))
    assert loss[0] == 0.0
    assert np.all(np.diff(loss) >= 0.0)
    assert loss.max() < 50.0


@pytest.mark.parametrize(
    ("height_m", "loss_db"), [(1.0, 13.2), (3.0, 21.4), (10.0, 31.8), (30.0, 41.4)]
)
def test_ridge_between_two_antennas(height_m: float, loss_db: float) -> None:
    nu = fresnel_parameter(height_m, 100.0, 100.0, WAVELENGTH_M)
    assert knife_edge_db(nu) == pytest.approx(loss_db, abs=0.05)


@pytest.mark.parametrize(
    ("length_m", "loss_db"), [(20.0, 24.7), (50.0, 20.8), (100.0, 18.0), (200.0, 15.4)]
)
def test_truck_between_two_cars(length_m: float, loss_db: float) -> None:
    nu = fresnel_parameter(3.0 - 1.6, length_m / 2.0, length_m / 2.0, WAVELENGTH_M)
    assert knife_edge_db(nu) == pytest.approx(loss_db, abs=0.05)


def test_fresnel_zone() -> None:
    assert first_fresnel_radius_m(50.0, 50.0, WAVELENGTH_M) == pytest.approx(1.13, abs=0.005)
    # At one Fresnel radius above the line the parameter is the square root of two.
    radius = first_fresnel_radius_m(30.0, 70.0, WAVELENGTH_M)
    assert fresnel_parameter(radius, 30.0, 70.0, WAVELENGTH_M) == pytest.approx(math.sqrt(2.0))


def test_parallel_paths_add_powers() -> None:
    assert parallel_paths_db([20.0]) == pytest.approx(20.0)
    assert parallel_paths_db([20.0, 20.0]) == pytest.approx(20.0 - 10.0 * math.log10(2.0))
    assert parallel_paths_db([10.0, 60.0]) == pytest.approx(10.0, abs=1e-4)


EDGES = TwoEdges(h1_m=10.0, h2_m=8.0, a_m=100.0, b_m=60.0, c_m=140.0)


def test_epstein_peterson_worked_by_hand() -> None:
    first = knife_edge_db(fresnel_parameter(10.0 - 8.0 * 100.0 / 160.0, 100.0, 60.0, WAVELENGTH_M))
    second = knife_edge_db(fresnel_parameter(8.0 - 10.0 * 140.0 / 200.0, 60.0, 140.0, WAVELENGTH_M))
    correction = 10.0 * math.log10(160.0 * 200.0 / (60.0 * 300.0))
    assert first == pytest.approx(27.02, abs=0.01)
    assert second == pytest.approx(13.72, abs=0.01)
    # The second edge alone stays below 15 dB, so the correction comes only when asked for.
    assert epstein_peterson_db(EDGES, WAVELENGTH_M) == pytest.approx(float(first + second))
    assert epstein_peterson_db(EDGES, WAVELENGTH_M, correction_above_db=13.0) == pytest.approx(
        float(first + second) + correction
    )


def test_dominant_edge_worked_by_hand() -> None:
    p = 10.0 * math.sqrt(2.0 / WAVELENGTH_M * (1.0 / 100.0 + 1.0 / 200.0))
    q = 8.0 * math.sqrt(2.0 / WAVELENGTH_M * (1.0 / 160.0 + 1.0 / 140.0))
    alpha = math.atan(math.sqrt(60.0 * 300.0 / (100.0 * 140.0)))
    taken_off = (12.0 - 20.0 * math.log10(2.0 / (1.0 - alpha / math.pi))) * (q / p) ** (2.0 * p)
    second = fresnel_parameter(8.0 - 10.0 * 140.0 / 200.0, 60.0, 140.0, WAVELENGTH_M)
    expected = float(knife_edge_db(p) + knife_edge_db(second)) - taken_off
    assert p > q
    assert dominant_edge_db(EDGES, WAVELENGTH_M) == pytest.approx(expected)


@pytest.mark.parametrize("loss", [epstein_peterson_db, dominant_edge_db])
def test_two_edges_are_reciprocal(loss) -> None:
    for h1, h2 in [(10.0, 8.0), (3.0, 12.0), (5.0, -2.0), (-1.0, -2.0)]:
        edges = TwoEdges(h1_m=h1, h2_m=h2, a_m=80.0, b_m=50.0, c_m=200.0)
        assert loss(edges, WAVELENGTH_M) == pytest.approx(loss(edges.reversed(), WAVELENGTH_M))


def test_dominant_edge_ends_in_one_edge() -> None:
    alone = knife_edge_db(fresnel_parameter(10.0, 100.0, 200.0, WAVELENGTH_M))
    edges = TwoEdges(h1_m=10.0, h2_m=-50.0, a_m=100.0, b_m=60.0, c_m=140.0)
    assert dominant_edge_db(edges, WAVELENGTH_M) == pytest.approx(float(alone))


def test_two_edges_must_lie_apart() -> None:
    with pytest.raises(ValueError, match="must be > 0"):
        TwoEdges(h1_m=1.0, h2_m=1.0, a_m=10.0, b_m=0.0, c_m=10.0)


def test_deygout_of_one_edge_is_that_edge() -> None:
    one = profile((100.0, 10.0), length_m=200.0)
    assert deygout_db(one, WAVELENGTH_M) == pytest.approx(31.8, abs=0.05)
    # With J far above 6 dB, nearly the whole terrain constant is added.
    with_c = deygout_db(one, WAVELENGTH_M, deygout_c_db=deygout_terrain_c_db(200.0))
    assert with_c - deygout_db(one, WAVELENGTH_M) == pytest.approx(10.0, abs=0.1)
    assert deygout_terrain_c_db(50_000.0) == pytest.approx(12.0)


def test_deygout_of_three_edges_worked_by_hand() -> None:
    three = profile((50.0, 6.0), (100.0, 10.0), (170.0, 5.0), length_m=200.0, tx_m=1.5, rx_m=2.0)
    line = 1.5 + 0.5 * 100.0 / 200.0
    main = knife_edge_db(fresnel_parameter(10.0 - line, 100.0, 100.0, WAVELENGTH_M))
    left = knife_edge_db(fresnel_parameter(6.0 - (1.5 + 10.0) / 2.0, 50.0, 50.0, WAVELENGTH_M))
    right_line = 10.0 + (2.0 - 10.0) * 0.7
    right = knife_edge_db(fresnel_parameter(5.0 - right_line, 70.0, 30.0, WAVELENGTH_M))
    taper = 1.0 - math.exp(-float(main) / 6.0)
    expected = float(main) + taper * float(left + right + 3.0)
    assert deygout_db(three, WAVELENGTH_M, deygout_c_db=3.0) == pytest.approx(expected)
    assert left > 5.0
    assert right > 5.0


def test_deygout_and_bullington_leave_a_clear_path_alone() -> None:
    clear = profile((50.0, -20.0), (150.0, -30.0), length_m=200.0)
    empty = profile(length_m=200.0)
    for path in (clear, empty):
        assert deygout_db(path, WAVELENGTH_M, deygout_c_db=10.0) == 0.0
        assert bullington_db(path, WAVELENGTH_M) == 0.0


def test_bullington_of_one_edge_is_that_edge_and_the_terrain_term() -> None:
    one = profile((60.0, 10.0), length_m=200.0, tx_m=1.5, rx_m=1.5)
    edge = float(knife_edge_db(fresnel_parameter(8.5, 60.0, 140.0, WAVELENGTH_M)))
    expected = edge + (1.0 - math.exp(-edge / 6.0)) * (10.0 + 0.02 * 0.2)
    flat = bullington_db(one, WAVELENGTH_M, effective_earth_radius_m=math.inf)
    assert flat == pytest.approx(expected)
    # The bulge under 200 m is half a millimetre.
    assert bullington_db(one, WAVELENGTH_M) == pytest.approx(flat, abs=0.01)


def test_bullington_in_line_of_sight_takes_the_nearest_point() -> None:
    grazing = profile((50.0, 1.0), (100.0, 1.4), length_m=200.0, tx_m=1.5, rx_m=1.5)
    nu = max(
        float(fresnel_parameter(-0.5, 50.0, 150.0, WAVELENGTH_M)),
        float(fresnel_parameter(-0.1, 100.0, 100.0, WAVELENGTH_M)),
    )
    edge = float(knife_edge_db(nu))
    expected = edge + (1.0 - math.exp(-edge / 6.0)) * (10.0 + 0.02 * 0.2)
    loss = bullington_db(grazing, WAVELENGTH_M, effective_earth_radius_m=math.inf)
    assert loss == pytest.approx(expected)


def test_bullington_of_two_edges_stands_where_the_horizons_meet() -> None:
    two = profile((100.0, 10.0), (150.0, 10.0), length_m=300.0)
    # Horizon rays rise 1:10 from the transmitter and 1:15 from the receiver: they meet at 120 m.
    edge = float(knife_edge_db(fresnel_parameter(12.0, 120.0, 180.0, WAVELENGTH_M)))
    expected = edge + (1.0 - math.exp(-edge / 6.0)) * (10.0 + 0.02 * 0.3)
    loss = bullington_db(two, WAVELENGTH_M, effective_earth_radius_m=math.inf)
    assert loss == pytest.approx(expected)


def test_the_earth_bulges_under_a_long_path() -> None:
    # Over 20 km the Earth rises 5.9 m at mid-path; the point of a flat 20 km line follows.
    flat = profile((10_000.0, 0.0), length_m=20_000.0)
    bulge_m = 10_000.0**2 / (2.0 * 8_500_000.0)
    raised = profile((10_000.0, bulge_m), length_m=20_000.0)
    assert bulge_m == pytest.approx(5.88, abs=0.01)
    assert bullington_db(flat, WAVELENGTH_M) == pytest.approx(
        bullington_db(raised, WAVELENGTH_M, effective_earth_radius_m=math.inf)
    )


@pytest.mark.parametrize(
    "points", [((0.0, 1.0),), ((200.0, 1.0),), ((50.0, 1.0), (50.0, 2.0)), ((60.0, 1), (50.0, 2))]
)
def test_profiles_outside_their_path_are_rejected(points) -> None:
    with pytest.raises(ValueError, match="ascend"):
        profile(*points, length_m=200.0)


def test_profiles_of_unequal_columns_are_rejected() -> None:
    with pytest.raises(ValueError, match="equal length"):
        PathProfile(
            tx_height_m=0.0,
            rx_height_m=0.0,
            length_m=10.0,
            distance_m=np.array([1.0]),
            height_m=np.array([1.0, 2.0]),
        )
