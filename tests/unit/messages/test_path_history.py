"""Path histories: error bound, length, number of points (GB/T 45315-2025, Annex E)."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from v2x.messages.coding.uper import MessageError
from v2x.messages.coding.wire import UNAVAILABLE
from v2x.messages.csae.chords import chord_points, longest_chord
from v2x.messages.csae.elements import Position3D
from v2x.messages.csae.offsets import place_at
from v2x.messages.csae.path_history import PathHistoryParams, TrackPoint, path_history
from v2x.messages.csae.tangent import TangentPlane

PLANE = TangentPlane(latitude_deg=29.563, longitude_deg=106.55)


def track(x_m: np.ndarray, y_m: np.ndarray, step_s: float = 0.1) -> list[TrackPoint]:
    latitude, longitude = PLANE.to_degrees(x_m, y_m)
    return [
        TrackPoint(
            position=Position3D(latitude_deg=float(lat), longitude_deg=float(lon)),
            time_s=k * step_s,
        )
        for k, (lat, lon) in enumerate(zip(latitude, longitude, strict=True))
    ]


def told(points: list[TrackPoint], params: PathHistoryParams) -> tuple[np.ndarray, np.ndarray]:
    """Return the line of a history with the present place, and the ages of its points."""
    history = path_history(points, params)
    assert history is not None
    now = points[-1].position
    places = [now, *(place_at(now, point.offset) for point in history.points)]
    x, y = PLANE.to_metres(
        [place.latitude_deg for place in places], [place.longitude_deg for place in places]
    )
    return np.column_stack((x, y)), np.array([point.age_s for point in history.points])


def distances_m(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return how far points are from a line."""
    best = np.full(len(points), np.inf)
    for begin, end in itertools.pairwise(line):
        chord = end - begin
        share = np.clip((points - begin) @ chord / (chord @ chord), 0.0, 1.0)
        best = np.minimum(best, np.hypot(*(points - begin - share[:, None] * chord).T))
    return best


def length_m(line: np.ndarray) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def test_a_straight_road_takes_one_point() -> None:
    x = np.arange(0.0, 500.0, 2.0)
    line, ages = told(track(x, np.zeros_like(x)), PathHistoryParams())
    assert len(ages) == 1
    assert length_m(line) == pytest.approx(200.0, abs=0.02)
    assert ages[0] == pytest.approx(10.0)


@given(
    st.floats(25.0, 400.0),
    st.floats(0.5, 8.0),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_no_true_point_is_farther_than_the_bound(radius: float, step: float, seed: int) -> None:
    """Winding tracks with noise: the part that is told is within 1 m of its chords."""
    angle = np.cumsum(np.full(200, step / radius) * np.sign(np.sin(np.arange(200) * step / 60)))
    noise = np.random.default_rng(seed).normal(scale=0.05, size=(200, 2))
    xy = np.column_stack((np.cumsum(step * np.cos(angle)), np.cumsum(step * np.sin(angle)))) + noise
    params = PathHistoryParams()
    line, ages = told(track(xy[:, 0], xy[:, 1]), params)
    assert len(ages) <= params.max_points
    assert (np.diff(ages) > 0).all()
    oldest = round(199 - ages[-1] / 0.1)
    assert distances_m(xy[oldest:], line).max() <= params.max_error_m
    assert length_m(line) <= params.max_length_m
    if len(ages) < params.max_points and oldest > 0:
        assert length_m(line) >= params.min_length_m - 0.05


def test_a_hairpin_needs_more_points_with_a_smaller_bound() -> None:
    angle = np.linspace(0.0, math.pi, 120)
    points = track(15.0 * np.cos(angle), 15.0 * np.sin(angle))
    n_points = [
        len(told(points, PathHistoryParams(max_error_m=bound))[1]) for bound in (2.0, 1.0, 0.3)
    ]
    assert n_points == sorted(n_points)
    assert n_points[0] < n_points[-1]


def test_points_run_out_at_the_old_end() -> None:
    """A spiral so tight that three points reach only its newest part."""
    angle = np.linspace(0.0, 6.0 * math.pi, 400)
    points = track(12.0 * np.cos(angle), 12.0 * np.sin(angle))
    line, ages = told(points, PathHistoryParams(max_points=3))
    assert len(ages) == 3
    assert length_m(line) < 60.0


def test_offsets_take_the_smallest_form() -> None:
    x = np.arange(0.0, 500.0, 2.0)
    history = path_history(track(x, np.zeros_like(x)), PathHistoryParams())
    assert history is not None
    assert history.points[0].offset.horizontal.bits == 16


def test_nothing_to_tell() -> None:
    still = track(np.zeros(1), np.zeros(1))
    assert path_history(still, PathHistoryParams()) is None
    assert path_history([], PathHistoryParams()) is None
    unknown = Position3D(latitude_deg=UNAVAILABLE, longitude_deg=UNAVAILABLE)
    with pytest.raises(MessageError, match="only places that are known"):
        path_history([TrackPoint(position=unknown, time_s=0.0), *still], PathHistoryParams())


@pytest.mark.parametrize(
    "change",
    [
        {"max_error_m": 0.0},
        {"min_length_m": 0.0},
        {"min_length_m": 500.0},
        {"max_points": 0},
        {"max_points": 24},
    ],
)
def test_impossible_params_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        PathHistoryParams(**change)  # type: ignore[arg-type]


def test_chords_keep_both_ends_and_the_bound() -> None:
    x = np.linspace(0.0, 100.0, 201)
    line = np.column_stack((x, 3.0 * np.sin(x / 8.0), 0.02 * x**1.5))
    kept = chord_points(line, 0.25)
    assert (kept[0], kept[-1]) == (0, 200)
    for begin, end in itertools.pairwise(kept):
        chord = line[end] - line[begin]
        between = line[begin : end + 1] - line[begin]
        share = np.clip(between @ chord / (chord @ chord), 0.0, 1.0)
        apart = between - share[:, None] * chord
        assert np.sqrt((apart**2).sum(axis=1)).max() <= 0.25
    assert longest_chord(line, 10, 12, 0.0) == 11
    assert chord_points(np.zeros((5, 2)), 0.1) == [0, 4]


def test_the_plane_agrees_with_geodesics() -> None:
    """A degree around the place is as long as PROJ finds it."""
    geodesic = Geod(ellps="WGS84")
    east, north = PLANE.metres_per_degree
    assert east == pytest.approx(geodesic.inv(106.54, 29.563, 106.56, 29.563)[2] / 0.02, rel=1e-5)
    assert north == pytest.approx(geodesic.inv(106.55, 29.553, 106.55, 29.573)[2] / 0.02, rel=1e-5)
    x, y = PLANE.to_metres(*PLANE.to_degrees(123.0, -456.0))
    assert (float(x), float(y)) == pytest.approx((123.0, -456.0))
    for latitude, longitude in ((90.0, 0.0), (0.0, 181.0)):
        with pytest.raises(ValueError, match="must be within"):
            TangentPlane(latitude_deg=latitude, longitude_deg=longitude)
