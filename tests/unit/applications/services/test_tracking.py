"""A stolen car: who hears it, who may know whose name that is, and what attacks do."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.unit.applications.services.short_runs import short_run
from v2x.applications.services.tracking.eavesdropper import Eavesdropper, Sighting
from v2x.applications.services.tracking.params import TrackingParams
from v2x.metrics.services.vehicles import tracking_figures
from v2x.records.tables import RunRecords
from v2x.security.linking import LinkingParams

TICK_US = 100_000


@pytest.mark.parametrize(
    "changes", [{"held_s": 0.0}, {"attack": "ram"}, {"units": False, "probe_s": 0.0}]
)
def test_impossible_parameters_are_rejected(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        TrackingParams(**changes)  # type: ignore[arg-type]


def seen(name: int, row: int, k: int, *, x: float, speed: float = 20.0) -> Sighting:
    return Sighting(
        name=name,
        row=row,
        time_us=k * TICK_US,
        x_m=x + speed * k * TICK_US / 1e6,
        y_m=0.0,
        heading_rad=0.0,
        speed_mps=speed,
    )


def followed(second_x_m: float) -> Eavesdropper:
    """Two vehicles change names at once, the second so far behind the first."""
    watcher = Eavesdropper(LinkingParams())
    owner = {1: 10, 2: 20, 11: 10, 12: 20}
    for k in range(50):
        late = 10 * (k >= 20)
        heard = [
            seen(1 + late, 0, k, x=0.0),
            seen(2 + late, 1, k, x=second_x_m),
        ]
        watcher.take(k * TICK_US, heard, owner)
    return watcher


def test_an_eavesdropper_follows_those_who_change_their_names_in_motion() -> None:
    watcher = followed(-60.0)
    assert (watcher.n_changes, watcher.n_linked) == (2, 2)
    assert watcher.successor == {1: 11, 2: 12}


def test_who_leaves_is_no_change() -> None:
    watcher = Eavesdropper(LinkingParams())
    for k in range(40):
        watcher.take(k * TICK_US, [seen(1, 0, k, x=0.0)] if k < 10 else [], {1: 10})
    assert watcher.n_changes == 0


@cache
def run(attack: str = "none", authority: str = "true", probe_s: str = "0") -> RunRecords:
    return short_run(
        "tracking",
        duration_s="24",
        world__length_m="1500",
        world__directions="1",
        traffic__density_per_km="20",
        cellular__type="uu-5g",
        cellular__spacing_m="300",
        cellular__radio__shadowing="false",
        cellular__radio__error_target="0",
        roadside__placement="spacing",
        roadside__spacing_m="300",
        _stolen_s="1",
        _reported_s="3",
        _attack=attack,
        _attack_after_s="8",
        _attack_lasts_s="6",
        _authority=authority,
        _probe_s=probe_s,
        _change_s="10",
        _change_m="50",
    )


def located(records: RunRecords, begin_s: float, end_s: float) -> np.ndarray:
    table = records.tables["tracking"]
    within = (table["time_s"] >= begin_s) & (table["time_s"] < end_s)
    return np.asarray((table["located"] & ~table["false_track"])[within])


def test_nothing_is_known_before_the_report_and_the_authority_needs_its_time() -> None:
    records = run()
    table = records.tables["tracking"]
    assert table["time_s"].min() == 4.0
    figures = tracking_figures(records)
    assert 2.0 <= figures.time_to_locate_s.value <= 4.0
    assert figures.continuity.value > 0.6
    assert figures.false_track.value == 0.0
    assert figures.error_m.value < 30.0


def test_its_box_is_known_without_any_name() -> None:
    with_box, without = (tracking_figures(run(probe_s=probe_s)) for probe_s in ("1", "0"))
    assert with_box.time_to_locate_s.value <= without.time_to_locate_s.value
    assert with_box.continuity.value >= max(0.95, without.continuity.value)
    assert 1 in run(probe_s="1").tables["tracking"]["via"]


def test_a_jammer_hides_the_car_while_it_works() -> None:
    # Stolen at 1 s, jammed from 9 to 15 s; what was heard before counts for 2 s.
    assert not located(run("jammer"), 11.5, 15.0).any()
    assert located(run("jammer"), 19.0, 24.0).any()


def test_exchanged_devices_lead_the_authority_astray() -> None:
    assert tracking_figures(run("id-swap")).false_track.value > 0.1
    assert not located(run("id-swap"), 11.5, 15.0).any()


def test_names_that_change_in_motion_hide_nobody_from_who_links_them() -> None:
    figures = tracking_figures(run())
    assert figures.n_changes >= 5
    assert figures.linkable.value > 0.8
    by_guess = tracking_figures(run(authority="false"))
    assert by_guess.time_to_locate_s.value < 2.0
