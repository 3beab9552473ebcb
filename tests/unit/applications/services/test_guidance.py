"""Detours round a closed road: who knows of it when, and that it helps."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.unit.applications.services.short_runs import short_run
from v2x.applications.services.guidance import GuidanceParams, notice_bytes
from v2x.metrics.services.traffic import guidance_figures
from v2x.records.tables import RunRecords


@pytest.mark.parametrize("changes", [{"over": "air"}, {"repeat_s": 0.0}, {"known_after_s": -1.0}])
def test_impossible_parameters_are_rejected(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        GuidanceParams(**changes)  # type: ignore[arg-type]


def test_a_notice_has_certificate_and_place() -> None:
    assert 250 < notice_bytes() < 400


@cache
def run(over: str, knowledge: str = "messages", hazard: str = "closed-road") -> RunRecords:
    return short_run(
        "guidance",
        duration_s="26",
        world__synthetic="manhattan",
        traffic__density_per_km="null",
        traffic__n_vehicles="100",
        cellular__type="uu-5g",
        roadside__placement="junctions",
        hazard__type=hazard,
        **(
            {}
            if hazard == "none"
            else {"hazard__x_m": "640", "hazard__y_m": "248", "hazard__notice_m": "10"}
        ),
        **({} if hazard == "none" else {"hazard__from_s": "2"}),
        reactions__compliance="1",
        information__knowledge=knowledge,
        _over=over,
        _known_after_s="3",
    )


@pytest.mark.parametrize(("over", "via"), [("uu", 1), ("rsu", 0)])
def test_vehicles_get_to_know_after_the_server_does_and_soon(over: str, via: int) -> None:
    records = run(over)
    reach, table = records.tables["guidance_reach"], records.tables["guidance"]
    assert len(reach["after_s"]) >= 30
    assert (reach["via"] == via).all()
    assert reach["after_s"].min() > 3.0
    assert np.median(reach["after_s"]) < 4.5
    assert len(np.unique(reach["vehicle_id"])) == len(reach["vehicle_id"])
    before = table["time_s"] < 5.0
    assert not table["closed"][before].any()
    assert table["n_told"][before].sum() == 0
    assert table["n_told"][-1] > 70
    figures = guidance_figures(records)
    assert figures.n_reached == len(reach["after_s"])
    assert 0.0 < figures.lost_share.value < 1.0


def test_nothing_is_told_where_nothing_is_closed() -> None:
    records = run("uu", hazard="none")
    assert len(records.tables["guidance_reach"]["after_s"]) == 0
    assert not records.tables["guidance"]["closed"].any()


def test_without_knowledge_vehicles_hear_and_go_their_way() -> None:
    told, silent = run("uu"), run("uu", "none")
    assert len(silent.tables["guidance_reach"]["after_s"]) >= 30
    # The same until anybody knows, and other ways after it.
    early = told.tables["guidance"]["time_s"] < 5.0
    lost = [r.tables["guidance"]["lost_s"] for r in (told, silent)]
    assert (lost[0][early] == lost[1][early]).all()
    assert (lost[0][~early] != lost[1][~early]).any()
