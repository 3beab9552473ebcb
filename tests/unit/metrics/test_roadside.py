"""Reception between vehicles and roadside units, apart from that between vehicles."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.metrics.latency import deliveries
from v2x.metrics.load import cbr_quantile, mean_cbr
from v2x.metrics.reliability import reliability
from v2x.metrics.roadside import roadside_figures
from v2x.metrics.summary import summarise
from v2x.records.tables import FIRST_ROADSIDE_ID, Direction, Outcome

LOST = Outcome.PROPAGATION


@pytest.fixture
def records(make_records, make_table):
    """Return PRR 0.5 between vehicles, 0.8 up, 0.9 down."""
    n = {Direction.V2V: (50, 50), Direction.V2I: (8, 2), Direction.I2V: (90, 10)}
    links = make_table(
        "links",
        direction=np.repeat(list(n), 2),
        bin_upper_m=20.0,
        outcome=[Outcome.RECEIVED, LOST] * 3,
        n=np.ravel(list(n.values())),
    )
    load = make_table(
        "load", time_s=[9.0] * 3, node_id=[1, 2, FIRST_ROADSIDE_ID], cbr=[0.2, 0.4, 0.8]
    )
    packets = make_table(
        "packets",
        tx_id=[1, FIRST_ROADSIDE_ID],
        generated_us=9_000_000,
        first_slot_us=[9_010_000, 9_090_000],
        last_slot_us=[9_010_000, 9_090_000],
        n_received=1,
        n_received_first=1,
    )
    return make_records({"links": links, "load": load, "packets": packets}, n_roadside=1)


def test_directions_are_counted_apart(records):
    figures = roadside_figures(records)
    assert reliability(records).prr[0] == 0.5
    assert figures.uplink.prr[0] == 0.8
    assert figures.downlink.prr[0] == 0.9
    assert figures.n_roadside == 1


def test_figures_of_vehicles_leave_the_units_out(records):
    assert mean_cbr(records).value == pytest.approx(0.3)
    assert cbr_quantile(records, 1.0) == 0.4
    assert roadside_figures(records).cbr.value == 0.8
    assert deliveries(records).wait_ms.tolist() == [10.0]


def test_the_summary_gains_v2i_where_there_are_units(records, make_records):
    made = summarise(records, scenario_name="x", seed=1)
    assert made["prr"]["value"][0] == 0.5
    assert made["v2i"]["vehicle_to_roadside"]["prr"]["value"][0] == 0.8
    assert made["v2i"]["roadside_to_vehicle"]["prr"]["n"][0] == 100
    assert made["v2i"]["roadside_to_vehicle"]["outcomes"]["propagation"][0] == 0.1
    assert made["v2i"]["cbr"]["mean"] == 0.8
    assert roadside_figures(make_records({})) is None
    assert "v2i" not in summarise(make_records({}), scenario_name="x", seed=1)
