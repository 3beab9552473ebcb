"""Slabs against the figures of ITU-R P.2040 and against energy."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.channel.slab import MATERIALS, interface_reflection, slab_db, slab_transmission

TABLES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "tables"
THICKNESS_M = (0.1, 0.2, 0.25, 0.3, 0.5)


@pytest.mark.parametrize(
    ("name", "loss_db"),
    [("concrete", (27.9, 34.5, 41.1, 67.6)), ("concrete_old", (20.9, 25.8, 30.7, 50.1)),
     ("brick", (6.5, 7.7, 8.9, 14.0))],
)  # fmt: skip
def test_slabs_at_normal_incidence(name: str, loss_db: tuple[float, ...]) -> None:
    found = [float(slab_db(MATERIALS[name], t, 0.0, 5.9)) for t in THICKNESS_M[1:]]
    assert found == pytest.approx(list(loss_db), abs=0.05)


def test_reference_table_to_the_printed_digits() -> None:
    table = TABLES / "p2040_materials_5g9.csv"
    if not table.exists():
        pytest.skip("reference tables are not beside this checkout")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert {row["material"] for row in rows} == set(MATERIALS)
    for row in rows:
        material = MATERIALS[row["material"]]
        assert material.permittivity(5.9).real == pytest.approx(float(row["eta_r_5g9"]), abs=0.0051)
        assert material.conductivity_s_per_m(5.9) == pytest.approx(
            float(row["sigma_S_per_m_5g9"]), abs=5.1e-5
        )
        assert material.bulk_db_per_m(5.9) == pytest.approx(
            float(row["bulk_atten_dB_per_m"]), abs=0.051
        )
        columns = [key for key in row if key.startswith("slab_T")]
        found = [float(slab_db(material, t, 0.0, 5.9)) for t in THICKNESS_M]
        assert found == pytest.approx([float(row[key]) for key in columns], abs=0.0501)


def test_both_polarisations_agree_at_normal_incidence_alone() -> None:
    concrete = MATERIALS["concrete"]
    straight, slanted = (
        [float(slab_db(concrete, 0.25, a, 5.9, polarisation=p)) for p in ("TM", "TE")]
        for a in (0.0, 1.0)
    )
    assert straight[0] == pytest.approx(straight[1], abs=1e-9)
    # Beyond the Brewster angle for TE, before it for TM: TM enters far more easily.
    assert slanted[0] < slanted[1] - 3.0


def test_a_lossless_face_vanishes_at_the_brewster_angle() -> None:
    brewster = np.arctan(np.sqrt(4.0))
    assert abs(interface_reflection(4.0 + 0j, brewster)) < 1e-12
    assert abs(interface_reflection(4.0 + 0j, brewster, polarisation="TE")) > 0.3


def test_a_ray_along_the_slab_does_not_enter() -> None:
    loss = slab_db(MATERIALS["concrete"], 0.25, [np.radians(89.9), np.pi / 2], 5.9)
    assert loss[0] > 60.0
    assert loss[1] > 300.0


def test_a_slab_of_air_is_no_slab() -> None:
    assert abs(slab_transmission(1.0 + 0j, 0.25, 0.4, 5.9)) == pytest.approx(1.0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    eta=st.floats(1.0, 30.0),
    thickness_m=st.floats(0.001, 1.0),
    angle=st.floats(0.0, 1.5),
    polarisation=st.sampled_from(["TM", "TE"]),
)
def test_lossless_slabs_conserve_power(eta, thickness_m, angle, polarisation) -> None:
    t = slab_transmission(complex(eta), thickness_m, angle, 5.9, polarisation=polarisation)
    face = interface_reflection(complex(eta), angle, polarisation=polarisation)
    q = 2 * np.pi * thickness_m / (0.299792458 / 5.9) * np.sqrt(eta - np.sin(angle) ** 2)
    r = face * (1 - np.exp(-2j * q)) / (1 - face**2 * np.exp(-2j * q))
    assert abs(t) ** 2 + abs(r) ** 2 == pytest.approx(1.0, abs=1e-9)


def test_unknown_polarisation_is_rejected() -> None:
    with pytest.raises(ValueError, match="polarisation"):
        slab_db(MATERIALS["brick"], 0.2, 0.0, 5.9, polarisation="vertical")
