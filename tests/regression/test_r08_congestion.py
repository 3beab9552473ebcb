"""R8: the vectors of congestion control, and that nobody exceeds its channel occupancy limit.

Vectors of SAE J2945/1 and of the ETSI states are those of the project's reference sheet (2.6); the
run raises the density until the channel is busy for more than 80 %.
"""

from __future__ import annotations

import numpy as np
import pytest

from v2x.access.congestion.etsi_dcc import EtsiDccReactiveParams
from v2x.access.congestion.j2945 import J2945Params
from v2x.access.congestion.transmit_power import PowerParams
from v2x.access.congestion.ts103574 import Ts103574Params
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario


def test_interval_between_messages_by_density() -> None:
    density = np.array([10.0, 25.0, 50.0, 100.0, 150.0, 200.0])
    assert J2945Params().max_itt_ms(density).tolist() == [100, 100, 200, 400, 600, 600]


def test_probability_of_a_message_by_tracking_error() -> None:
    error_m = np.array([0.1, 0.2, 0.25, 0.3, 0.4, 0.49, 0.5])
    expected = [0.0, 0.0, 0.171, 0.528, 0.950, 0.998, 1.0]
    np.testing.assert_allclose(J2945Params().send_probability(error_m), expected, atol=5e-4)


def test_power_by_busy_ratio() -> None:
    cbr = np.array([0.40, 0.50, 0.65, 0.80, 0.90])
    np.testing.assert_allclose(PowerParams().wanted_power_dbm(cbr), [20, 20, 15, 10, 10])


@pytest.mark.parametrize(("cbr", "state"), [(0.29, 0), (0.31, 1), (0.61, 4)])
def test_state_of_reactive_control(cbr: float, state: int) -> None:
    assert EtsiDccReactiveParams().state(np.array([cbr])).tolist() == [state]


def test_limits_by_busy_ratio_and_priority() -> None:
    params = Ts103574Params()
    found = [[float(params.limit(cbr, p)) for p in (1, 5, 8)] for cbr in (0.3, 0.5, 0.7, 0.9)]
    assert found == [[1.0, 1.0, 1.0], [1.0, 0.03, 0.02], [0.02, 0.006, 0.004], [0.02, 0.003, 0.002]]


def test_nobody_exceeds_the_limit_on_a_full_channel() -> None:
    """The limit that held when a packet was sent: that of the CBR a window ago, or above."""
    changes = {
        "duration_s": "4",
        "warmup_s": "1",
        "traffic.density_per_km": "400",
        "world.length_m": "1000",
        "access.n_subchannels": "5",
        "records.max_distance_m": "300",
    }
    free = simulate(load_scenario("highway_3gpp", list(changes.items())))
    assert np.nanmean(free.tables["load"]["cbr"]) > 0.8
    changes |= {"congestion.type": "ts103574", "duration_s": "6", "warmup_s": "3"}
    held = simulate(load_scenario("highway_3gpp", list(changes.items())))
    occupied = held.tables["congestion"]["cr"]
    highest = Ts103574Params().limit(float(np.nanmin(held.tables["load"]["cbr"])), 5)
    assert len(occupied) > 500
    assert occupied.max() <= float(highest)
    assert held.tables["congestion"]["n_suppressed"].sum() > 0
    # Without control everybody occupies more than is allowed on such a channel.
    messages_per_s, width = 10, float(free.tables["packets"]["n_subchannels"].mean())
    uncontrolled = width * messages_per_s / (1000 * 5)
    busy = float(np.nanmean(free.tables["load"]["cbr"]))
    assert uncontrolled > float(Ts103574Params().limit(busy, 5))
    assert occupied.mean() < uncontrolled
