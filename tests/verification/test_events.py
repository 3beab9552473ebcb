"""Events beside periodic messages in whole runs, over every sidelink technology."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.metrics.summary import summarise
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "events.yaml"
SHORT = (
    ("duration_s", "5"),
    ("warmup_s", "1"),
    ("world.length_m", "1000"),
    ("traffic.density_per_km", "80"),
    ("events.rate_hz", "0.1"),
)


@cache
def run(*overrides: tuple[str, str]) -> RunRecords:
    return simulate(load_scenario(SCENARIO, [*SHORT, *overrides]))


def summary(*overrides: tuple[str, str]) -> dict[str, Any]:
    return summarise(run(*overrides), scenario_name="x", seed=1)


TECHNOLOGIES = [
    (("access.type", "lte-mode4"),),
    (("access.type", "lte-mode4"), ("access.blind_retransmissions", "1")),
    (("access.type", "random"), ("access.blind_retransmissions", "1")),
    (("access.type", "nr-mode2"), ("access.blind_retransmissions", "2")),
]


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_events_are_sooner_and_counted_apart(technology: tuple[tuple[str, str], ...]) -> None:
    """An event goes within its 50 ms, drawn from half the window of a BSM: 26 and 51 ms on mean."""
    packets = run(*technology).tables["packets"]
    event, sent = packets["event"], packets["n_attempts"] > 0
    assert set(packets["priority"][event].tolist()) == {2}
    assert set(packets["priority"][~event].tolist()) == {5}
    wait_ms = (packets["first_slot_us"] - packets["generated_us"]) / 1000.0
    assert wait_ms[event & sent].max() <= 50.0
    assert wait_ms[~event & sent].max() > 60.0
    messages = summary(*technology)["messages"]
    assert messages["event"]["n"] == np.count_nonzero(event) > 100
    assert messages["event"]["share_sent"]["mean"] > 0.98
    assert (
        messages["event"]["latency_ms"]["mean"] < 0.7 * messages["periodic"]["latency_ms"]["mean"]
    )


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_outcomes_of_every_packet_add_up(technology: tuple[tuple[str, str], ...]) -> None:
    """Packets in the table and packet-receiver pairs in the counts are the same, both sorts."""
    records = run(*technology)
    links, packets = records.tables["links"], records.tables["packets"]
    received = links["outcome"] == 0
    in_flight = 5.0 * packets["n_intended"].max()
    assert abs(int(links["n"].sum()) - int(packets["n_intended"].sum())) <= in_flight
    assert abs(int(links["n"][received].sum()) - int(packets["n_received"].sum())) <= in_flight
    assert (packets["n_received"] <= packets["n_intended"]).all()


def test_two_attempts_of_each_sort_combine_apart() -> None:
    """Repetitions help both sorts on an empty road, although their attempts may alternate."""
    lone = (("traffic.density_per_km", "20"), ("channel.shadowing_sigma_db", "0"))
    once = summary(*lone)["messages"]
    twice = summary(*lone, ("access.blind_retransmissions", "1"))["messages"]
    for sort in ("event", "periodic"):
        assert twice[sort]["prr"]["mean"] > once[sort]["prr"]["mean"] + 0.05


def test_periodic_messages_are_those_of_a_run_without_events() -> None:
    """Events draw from streams of their own: who says what, and when, is the same.

    Only the last of a run may or may not be on air in time.
    """
    bare = simulate(load_scenario(SCENARIO, [*SHORT[:-1], ("events.type", "none")]))
    both = run().tables["packets"]
    assert not bare.tables["packets"]["event"].any()
    said = [
        {
            (tx_id, generated_us)
            for tx_id, generated_us, event in zip(
                packets["tx_id"].tolist(),
                packets["generated_us"].tolist(),
                packets["event"].tolist(),
                strict=True,
            )
            if not event and generated_us < 4_800_000
        }
        for packets in (bare.tables["packets"], both)
    ]
    assert said[0] == said[1]
    assert "messages" not in summarise(bare, scenario_name="x", seed=1)


def test_a_warning_too_large_for_the_pool_is_refused() -> None:
    with pytest.raises(V2XError, match=r"do not fit(.|\n)*events.size_bytes"):
        run(("events.size_bytes", "9000"))


def test_events_are_sent_at_full_power_while_bsm_are_turned_down() -> None:
    """SAE J2945/1 in a crowd: 20 dBm for events, less for the rest, so events reach farther."""
    crowd = (
        ("traffic.density_per_km", "300"),
        ("congestion.type", "j2945"),
        ("congestion.density_limit", "1000"),
        ("congestion.power_cbr_bounds", "[0.1, 0.2]"),
    )
    figures = summary(*crowd)
    assert figures["congestion"]["tx_power_dbm"] == pytest.approx(10.0, abs=0.5)
    messages = figures["messages"]
    assert messages["event"]["prr"]["mean"] > 1.3 * messages["periodic"]["prr"]["mean"]
