"""What the section ``obstacles`` refuses."""

from __future__ import annotations

from dataclasses import fields

import pytest

from v2x.channel.obstacle_params import ObstacleParams


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("terrain_method", "longley-rice"),
        ("deck_material", "steel"),
        ("deck_thickness_m", 0.0),
        ("deck_cap_db", -1.0),
        ("obstacle_cell_m", float("nan")),
        ("tunnel_exponent", 0.5),
        ("portal_off_axis_db", (30.0, 10.0)),
        ("portal_off_axis_db", (10.0,)),
        ("water_limit_db", -3.0),
        ("rsu_beamwidth_deg", 0.0),
    ],
)
def test_a_bad_value_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        ObstacleParams(**{name: value})


def test_every_parameter_is_explained() -> None:
    text = ObstacleParams.__doc__ or ""
    for item in fields(ObstacleParams):
        assert f"\n    {item.name}\n" in text, item.name
