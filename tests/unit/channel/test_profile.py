"""The section under a link: its geometry by hand, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.channel.base import LinkState
from v2x.channel.profile import Edges, LinkProfile, Spans, no_edges, no_spans


def profile(**changes) -> LinkProfile:
    return LinkProfile(
        **{
            "distance_m": np.array([0.0, 50.0, 100.0]),
            "ground_m": np.array([10.0, 12.0, 20.0]),
            "water": np.zeros(3, np.bool_),
            "height_a_m": 11.5,
            "height_b_m": 25.5,
            "wavelength_m": 0.05,
            "state": LinkState.TERRAIN,
            "loss_db": {"path loss": 90.0, "ground": 12.5},
        }
        | changes
    )


def test_ray_is_straight():
    np.testing.assert_allclose(profile().ray_m(np.array([0.0, 50.0, 100.0])), [11.5, 18.5, 25.5])


def test_fresnel_zone():
    link = profile()
    # sqrt(0.05 * 50 * 50 / 100) is the radius in the middle; the zone ends at the antennas.
    np.testing.assert_allclose(link.fresnel_m(link.distance_m, 1.0), [0.0, np.sqrt(1.25), 0.0])
    np.testing.assert_allclose(
        link.fresnel_m(link.distance_m), 0.6 * link.fresnel_m(link.distance_m, 1.0)
    )


def test_total_is_the_sum_and_rock_lets_nothing_through():
    assert profile().total_db == pytest.approx(102.5)
    assert profile(state=LinkState.BLOCKED).total_db == np.inf
    assert profile().length_m == 100.0


def test_links_without_obstacles_have_none():
    assert no_spans().n_spans == 0
    assert len(no_edges().loss_db) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"distance_m": np.array([1.0, 50.0, 100.0])},
        {"distance_m": np.array([0.0, 50.0, 50.0])},
        {"ground_m": np.zeros(2)},
        {"water": np.zeros(4, np.bool_)},
        {"wavelength_m": 0.0},
        {"wavelength_m": float("nan")},
    ],
)
def test_impossible_profiles_are_refused(changes):
    with pytest.raises(ValueError, match=r"profile|ascend|wavelength"):
        profile(**changes)


def test_columns_must_be_equally_long():
    two, one = np.zeros(2), np.zeros(1)
    with pytest.raises(ValueError, match="edges differ"):
        Edges(distance_m=two, height_m=two, loss_db=one, method="deygout")
    with pytest.raises(ValueError, match="spans differ"):
        Spans(from_m=two, to_m=two, bottom_m=two, top_m=two, cuts=np.zeros(1, np.bool_))
