"""What every propagation model keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x import registry
from v2x.channel.base import ROAD_STATES, LinkState
from v2x.channel.channel_params import ChannelParams
from v2x.channel.link_table import LinkTable

from ..simulation_parts import fleet_state

NAMES = registry.names("v2x.channel")
#: Every metre to 100 m, then coarser to 20 km [m].
DISTANCE_M = np.concatenate([np.arange(0.0, 100.0), np.geomspace(100.0, 20_000.0, 400)])


def model(name: str, carrier_ghz: float = 5.915) -> Any:
    strategy = registry.load("v2x.channel", name)
    return strategy(strategy.Params(), carrier_ghz)


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_law_for_every_state(name: str) -> None:
    one = model(name)
    assert set(one.laws()) == set(one.shadowing()) == set(ROAD_STATES)
    assert one.environment in ("highway", "urban")
    assert isinstance(one.vehicle_blockage, bool)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("state", ROAD_STATES)
def test_loss_grows_with_distance(name: str, state: LinkState) -> None:
    law = model(name).laws()[state]
    loss = law.loss_db(DISTANCE_M)
    assert loss.shape == DISTANCE_M.shape
    assert np.isfinite(loss).all()
    assert (np.diff(loss) >= -1e-9).all()
    assert (loss > 0).all()
    # Beyond 100 m at least as fast as in a street canyon (16.7 dB per decade, TR 37.885).
    far = DISTANCE_M >= 100.0
    growth = np.diff(loss[far]) / np.diff(np.log10(DISTANCE_M[far]))
    assert (growth > 16.6).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("state", ROAD_STATES)
def test_laws_have_the_form_that_kernels_read(name: str, state: LinkState) -> None:
    law = model(name).laws()[state]
    assert law.start_m[0] == 0.0
    assert (np.diff(law.start_m) > 0).all()
    assert 1 <= len(law.start_m) <= 4
    assert len(law.start_m) == len(law.intercept_db) == len(law.slope_db)
    assert law.min_distance_m > 0
    assert law.loss_db(np.zeros(1)) == law.loss_db(np.array([law.min_distance_m]))


@pytest.mark.parametrize("name", NAMES)
def test_behind_buildings_is_worse_than_in_sight(name: str) -> None:
    laws = model(name).laws()
    far = DISTANCE_M[DISTANCE_M >= 20.0]
    los = laws[LinkState.LOS].loss_db(far)
    assert (laws[LinkState.NLOS].loss_db(far) > los).all()
    assert (laws[LinkState.NLOSV].loss_db(far) >= los - 1e-9).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_higher_carrier_loses_more(name: str) -> None:
    low, high = model(name, 3.5).laws(), model(name, 5.915).laws()
    for state in ROAD_STATES:
        difference = high[state].loss_db(DISTANCE_M) - low[state].loss_db(DISTANCE_M)
        assert (difference > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_shadowing_has_a_size(name: str) -> None:
    for statistics in model(name).shadowing().values():
        assert 0.0 <= statistics.sigma_db <= 15.0
        assert 0.0 < statistics.decorrelation_m <= 200.0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(0,), (1,), (3, 5)])
def test_line_of_sight_is_a_probability(name: str, shape: tuple[int, ...]) -> None:
    distance = np.resize(DISTANCE_M, shape).astype(np.float64)
    p = model(name).p_los(distance)
    assert p.shape == shape
    assert ((p >= 0.0) & (p <= 1.0)).all()


@pytest.mark.parametrize("name", NAMES)
def test_line_of_sight_gets_no_likelier_with_distance(name: str) -> None:
    p = model(name).p_los(DISTANCE_M)
    assert (np.diff(p) <= 1e-9).all()
    assert p[0] > 0.99


@pytest.mark.parametrize("name", NAMES)
def test_answers_do_not_depend_on_questions(name: str) -> None:
    """Twice the same; and what was handed out cannot be changed."""
    one = model(name)
    first = one.laws()[LinkState.LOS]
    again = model(name).laws()[LinkState.LOS]
    assert first.loss_db(DISTANCE_M).tobytes() == again.loss_db(DISTANCE_M).tobytes()
    before = DISTANCE_M.copy()
    first.loss_db(DISTANCE_M)
    one.p_los(DISTANCE_M)
    assert (before == DISTANCE_M).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("line_of_sight", ["geometric", "statistical", "always"])
def test_the_link_table_agrees_with_the_laws(name: str, line_of_sight: str) -> None:
    """Mean gain over many pairs, less antenna gains, is the law of their states.

    Shadowing has the mean 0: over n pairs within 0.4 dB of the law (4 sigma / sqrt(n) with
    sigma 4 dB and 1600 independent pairs; blockage is left out by comparing LOS links).
    """
    one = model(name)
    n_pairs = 1600
    x = np.repeat(np.arange(n_pairs) * 3000.0, 2) + np.tile([0.0, 140.0], n_pairs)
    table = LinkTable(
        ChannelParams(line_of_sight=line_of_sight),
        one,
        antenna_gain_dbi=3.0,
        n_rows=2 * n_pairs,
        wrap_length_m=0.0,
        corridors=None,
        seed=1,
    )
    table.update(fleet_state(0, x))
    in_sight: NDArray[np.bool_] = table.code == 0
    assert in_sight.sum() > 300  # urban P(LOS) at 140 m is 0.21
    loss_db = 6.0 - 10.0 * np.log10(table.gain[in_sight].astype(np.float64))
    expected = float(one.laws()[LinkState.LOS].loss_db(np.array([140.0]))[0])
    assert abs(loss_db.mean() - expected) < 4.0 * 4.0 / np.sqrt(0.5 * in_sight.sum())
    sigma = one.shadowing()[LinkState.LOS].sigma_db
    assert loss_db.std() == pytest.approx(sigma, rel=0.1)
    # Reciprocal: the two directions of a pair have the same gain.
    assert (table.gain[0::2] == table.gain[1::2]).all()
