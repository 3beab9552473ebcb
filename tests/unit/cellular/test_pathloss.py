"""The laws of TR 38.901 by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.cellular.pathloss import Environment, Links, los_db, nlos_db, p_los, statistics

ENVIRONMENTS: tuple[Environment, ...] = ("umi", "uma", "rma")
HEIGHT = {"umi": 10.0, "uma": 25.0, "rma": 35.0}


def links(environment: Environment, plan_m: np.ndarray | float, vehicle_m: float = 1.5) -> Links:
    plan = np.atleast_1d(np.asarray(plan_m, dtype=float))
    base = np.full(len(plan), HEIGHT[environment])
    vehicle = np.full(len(plan), vehicle_m)
    return Links(plan, np.hypot(plan, base - vehicle), base, vehicle)


def test_umi_before_and_beyond_its_breakpoint() -> None:
    """d'BP = 4 (10 - 1)(1.5 - 1) 3.5e9 / c = 210.1 m."""
    d = np.hypot(np.array([100.0, 500.0]), 8.5)
    fc = 20 * math.log10(3.5)
    near = 32.4 + 21 * math.log10(d[0]) + fc
    bend = 4 * 9.0 * 0.5 * 3.5e9 / 299_792_458.0
    far = 32.4 + 40 * math.log10(d[1]) + fc - 9.5 * math.log10(bend**2 + 8.5**2)
    assert bend == pytest.approx(210.1, abs=0.1)
    assert los_db("umi", links("umi", [100.0, 500.0]), 3.5) == pytest.approx([near, far])


def test_umi_without_sight() -> None:
    d = math.hypot(200.0, 8.3)
    expected = 35.3 * math.log10(d) + 22.4 + 21.3 * math.log10(3.5) - 0.3 * (1.7 - 1.5)
    assert nlos_db("umi", links("umi", 200.0, 1.7), 3.5)[0] == pytest.approx(expected)


def test_uma_without_sight() -> None:
    d = math.hypot(300.0, 23.5)
    expected = 13.54 + 39.08 * math.log10(d) + 20 * math.log10(3.5)
    assert nlos_db("uma", links("uma", 300.0), 3.5)[0] == pytest.approx(expected)


def test_rma_of_the_table() -> None:
    """Evaluated by hand at 1000 m, h = 5 m, W = 20 m, 0.7 GHz, both terms of the law apart."""
    d = math.hypot(1000.0, 33.5)
    los = 20 * math.log10(40 * math.pi * d * 0.7 / 3) + 0.03 * 5**1.72 * math.log10(d)
    los += -0.044 * 5**1.72 + 0.002 * math.log10(5) * d
    nlos = 161.04 - 7.1 * math.log10(20) + 7.5 * math.log10(5)
    nlos -= (24.37 - 3.7 * (5 / 35) ** 2) * math.log10(35)
    nlos += (43.42 - 3.1 * math.log10(35)) * (math.log10(d) - 3) + 20 * math.log10(0.7)
    nlos -= 3.2 * math.log10(11.75 * 1.5) ** 2 - 4.97
    # Beyond the breakpoint (2 pi 35 1.5 0.7e9 / c = 770 m) the law has slope 40.
    bend = 2 * math.pi * 35 * 1.5 * 0.7e9 / 299_792_458.0
    at = 20 * math.log10(40 * math.pi * bend * 0.7 / 3) + 0.03 * 5**1.72 * math.log10(bend)
    at += -0.044 * 5**1.72 + 0.002 * math.log10(5) * bend
    far = at + 40 * math.log10(d / bend)
    assert los_db("rma", links("rma", 1000.0), 0.7)[0] == pytest.approx(far)
    assert nlos_db("rma", links("rma", 1000.0), 0.7)[0] == pytest.approx(max(nlos, far))
    assert far == pytest.approx(los, abs=3.0)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_laws_grow_and_hidden_is_never_better(environment: Environment) -> None:
    ends = links(environment, np.linspace(10.0, 3000.0, 400))
    los, nlos = los_db(environment, ends, 3.5), nlos_db(environment, ends, 3.5)
    assert (np.diff(los) > -0.5).all()  # the breakpoint of the tables is not quite continuous
    assert (nlos >= los).all()


def test_probability_of_sight() -> None:
    assert p_los("umi", np.array([10.0, 100.0]))[0] == 1.0
    assert p_los("umi", np.array([100.0]))[0] == pytest.approx(0.18 + 0.82 * math.exp(-100 / 36))
    assert p_los("uma", np.array([100.0]))[0] == pytest.approx(0.18 + 0.82 * math.exp(-100 / 63))
    assert p_los("rma", np.array([1010.0]))[0] == pytest.approx(math.exp(-1.0))
    assert statistics("umi").nlos_db == 7.82
