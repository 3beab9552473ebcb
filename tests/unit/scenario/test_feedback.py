"""Cast and feedback from a scenario file to the tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.metrics.feedback import feedback_figures
from v2x.metrics.summary import summarise
from v2x.phy.nr.sci import SCI2A_BITS, SCI2B_BITS
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.feedback import pool_of, second_stage_fails
from v2x.scenario.schema import load_scenario

TEXT = """
name: casts
duration_s: 1.6
warmup_s: 0.4
world: {synthetic: highway, length_m: 1000, wrap: true}
traffic: {type: constant-speed, density_per_km: 60}
messages: {type: awareness, rate_hz: 10, size_bytes: 190}
channel: {pathloss: tr37885-highway}
access: {type: nr-mode2, blind_retransmissions: 2}
"""

FEEDBACK = [("access.harq", "feedback"), ("access.psfch_period", "4")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "casts.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture
def run(path: Path) -> Callable[..., RunRecords]:
    def _run(cast: str, *changes: tuple[str, str]) -> RunRecords:
        return simulate(load_scenario(path, [("messages.cast", cast), *changes]))

    return _run


@pytest.mark.parametrize(
    ("cast", "n_intended"), [("unicast", 1), ("groupcast-ack", 4), ("groupcast-nack", None)]
)
def test_only_addressees_are_in_the_tables(
    run: Callable[..., RunRecords], cast: str, n_intended: int | None
) -> None:
    records = run(cast, *FEEDBACK)
    packets, feedback = records.tables["packets"], records.tables["feedback"]
    intended = packets["n_intended"]
    if n_intended is None:  # all within 150 m at 60 vehicles/km: 18 less oneself, in the mean
        assert 10 < intended.mean() < 24
    else:
        assert (intended == n_intended).all()
    assert records.tables["links"]["n"].sum() == intended.sum()
    upper = records.tables["links"]["bin_upper_m"][records.tables["links"]["n"] > 0]
    assert upper.max() <= 160.0
    # what was reserved is made, released or, where a packet goes once, not reserved
    assert np.array_equal(feedback["packet"], packets["packet"])
    asked = feedback["n_asked"] > 0
    whole = packets["n_attempts"][asked] + feedback["n_released"][asked]
    assert (whole <= 3).all()
    assert (whole == 3).mean() > 0.95
    assert (feedback["n_asked"] == packets["n_attempts"])[asked].all()
    figures = feedback_figures(records)
    assert figures is not None
    assert figures.transmissions == pytest.approx(packets["n_attempts"][asked].mean())


def test_figures_appear_where_there_is_feedback_only(run: Callable[..., RunRecords]) -> None:
    def summary(records: RunRecords) -> dict[str, Any]:
        return summarise(records, scenario_name="casts", seed=1)

    assert "feedback" not in summary(run("broadcast"))
    assert "feedback" not in summary(run("unicast"))
    figures = summary(run("unicast", *FEEDBACK))["feedback"]
    assert 1.0 <= figures["transmissions"] < 1.5
    assert figures["released"] > 1.5


def test_broadcast_is_the_same_whatever_feedback_could_be_had(
    run: Callable[..., RunRecords],
) -> None:
    """Keys of feedback that are not used move nothing."""
    plain = run("broadcast").tables
    keys = run("broadcast", ("access.psfch_gap", "3"), ("messages.range_m", "100")).tables
    for name in plain:
        assert all(np.array_equal(plain[name][c], keys[name][c]) for c in plain[name]), name


def test_room_for_feedback_costs_what_it_takes_even_if_blind(
    run: Callable[..., RunRecords],
) -> None:
    """190 bytes need 3 subchannels instead of 2."""
    for period, width in (("0", 2), ("2", 3)):
        packets = run("broadcast", ("access.psfch_period", period)).tables["packets"]
        assert set(packets["n_subchannels"][packets["n_attempts"] > 0].tolist()) == {width}


def test_addressees_are_counted_in_lte_too(run: Callable[..., RunRecords], path: Path) -> None:
    """Mode 4 knows broadcast only; who is meant is a matter of the application."""
    records = run("unicast", ("access.type", "lte-mode4"), ("access.blind_retransmissions", "1"))
    assert (records.tables["packets"]["n_intended"] == 1).all()
    assert len(records.tables["feedback"]["packet"]) == 0


def test_sci2_has_the_format_of_the_cast_and_errors_of_its_own(path: Path) -> None:
    for cast, bits, fails in (
        ("broadcast", SCI2A_BITS, False),
        ("unicast", SCI2A_BITS, True),
        ("groupcast-ack", SCI2A_BITS, True),
        ("groupcast-nack", SCI2B_BITS, True),
    ):
        scenario = load_scenario(path, [("messages.cast", cast)])
        pool: Any = pool_of(scenario)
        assert pool.layout.sci2_bits == bits
        assert second_stage_fails(scenario) == fails
    forced = load_scenario(path, [("phy.sci2_errors", "true")])
    assert second_stage_fails(forced)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        (FEEDBACK, "access.harq"),
        ([("access.harq", "feedback"), ("messages.cast", "unicast")], "access.harq"),
        (
            [("messages.cast", "groupcast-nack"), ("messages.range_m", "160")],
            "messages.range_m",
        ),
        ([("messages.cast", "unicast"), ("messages.range_m", "99999")], "messages.range_m"),
        ([("access.psfch_period", "4"), ("access.psfch_rb", "7")], "access.psfch_rb"),
    ],
)
def test_what_does_not_fit_names_its_key(
    path: Path, changes: list[tuple[str, str]], key: str
) -> None:
    with pytest.raises(V2XError, match=key.replace(".", r"\.")):
        simulate(load_scenario(path, changes))
