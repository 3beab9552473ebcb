"""What every technology of the unslotted side keeps, built in or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import registry
from v2x.access.unslotted import UnslottedParams
from v2x.records.tables import Outcome

from ..simulation_parts import Finished, FrozenFleet, ScheduledPackets, SteppedLoss
from ..unslotted_parts import simulate
from ..unslotted_plug_in import Aloha

TECHNOLOGIES = {
    name: technology
    for name in registry.names("v2x.access")
    if isinstance((technology := registry.load("v2x.access", name)).Params(), UnslottedParams)
} | {"aloha-of-the-tests": Aloha}
#: Out of each other's sight beyond 300 m, weak from 150 m on.
LOSS = SteppedLoss({0.0: 80.0, 150.0: 108.0, 300.0: 250.0})


def test_there_is_one() -> None:
    assert "ieee80211p" in TECHNOLOGIES


def variants(technology: Any) -> Iterator[Any]:
    """Yield the default parameters and those of other habits, where there are such."""
    default = technology.Params()
    known = {field.name for field in fields(default)}
    changes: list[dict[str, Any]] = [
        {},
        {"rate_mbps": 27.0},
        {"queue_packets": 1},
        {"contention_window": (0, 0, 0, 0), "aifsn": (1, 1, 1, 1)},
        {"capture_db": None, "cca_preamble_dbm": -60.0, "cca_energy_dbm": -40.0},
        {"category_of_priority": ("vo",) * 8, "sensing_us": 0},
    ]
    for change in changes:
        if known >= set(change):
            with suppress(ValueError):
                yield replace(default, **change)


def check(finished: Finished, params: Any, budget_us: int) -> None:
    """Check everything that must hold of any technology and load."""
    packets = finished.tables["packets"]
    log = finished.parts.packets
    sent = packets["n_attempts"] == 1
    assert np.array_equal(packets["first_slot_us"] >= 0, sent)
    start, generated = packets["first_slot_us"][sent], packets["generated_us"][sent]
    assert np.all(start >= generated)
    assert np.all(start <= generated + budget_us)
    # Nobody talks twice at once, and between two frames lies the shortest interframe space.
    air_us = params.waveform().air_us(packets["size_bytes"][sent])
    shortest = min(params.contention().interframe_us)
    for node in np.unique(packets["tx_id"][sent]):
        own = packets["tx_id"][sent] == node
        order = np.argsort(start[own], kind="stable")
        ends = (start[own] + air_us[own])[order]
        assert np.all(start[own][order][1:] >= ends[:-1] + shortest)
    # Each packet and intended receiver has one fate.
    assert finished.outcomes.sum() == packets["n_intended"].sum()
    assert finished.outcomes[Outcome.RECEIVED] == packets["n_received"].sum()
    assert finished.outcomes[Outcome.OUT_OF_BUDGET] == packets["n_intended"][~sent].sum()
    # Unresolved is what still waits or is on air, and no more than fits.
    station = finished.parts.medium.station  # type: ignore[attr-defined]
    waiting = log.n_packets - len(packets["packet"])
    assert waiting == station["n_waiting"].sum() + station["transmitting"].sum()


@pytest.mark.parametrize("name", TECHNOLOGIES)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_load(name: str, data: st.DataObject) -> None:
    params = data.draw(st.sampled_from(list(variants(TECHNOLOGIES[name]))))
    n = data.draw(st.integers(1, 6))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n_packets = data.draw(st.integers(0, 200))
    until_us = data.draw(st.sampled_from((20_000, 250_000)))
    when = rng.integers(0, until_us, n_packets).tolist()
    budget_us = data.draw(st.sampled_from((0, 700, 100_000)))
    finished = simulate(
        FrozenFleet(x_m=np.sort(rng.uniform(0.0, 400.0, n)), speed_mps=rng.uniform(-40, 40, n)),
        access=params,
        application=ScheduledPackets(
            list(zip(when, rng.integers(0, n, n_packets).tolist(), strict=True)),
            budget_us=budget_us,
            priority=data.draw(st.integers(1, 8)),
        ),
        propagation=LOSS,
        duration_s=0.3,
    )
    check(finished, params, budget_us)


@pytest.mark.parametrize("name", TECHNOLOGIES)
def test_same_seed_same_tables(name: str) -> None:
    def tables(seed: int) -> Any:
        fleet = FrozenFleet(x_m=np.arange(60) * 10.0, speed_mps=np.tile([30.0, -30.0], 30))
        return simulate(
            fleet, access=TECHNOLOGIES[name].Params(), propagation=LOSS, seed=seed
        ).tables

    first, second, other = tables(3), tables(3), tables(4)
    for table, columns in first.items():
        for key, column in columns.items():
            assert np.array_equal(column, second[table][key], equal_nan=column.dtype.kind == "f")
    assert not np.array_equal(first["links"]["n"], other["links"]["n"])


@pytest.mark.parametrize("name", TECHNOLOGIES)
def test_those_who_left_are_silent(name: str) -> None:
    """Row 0 leaves at 100 ms with packets that wait and one on air; a stranger takes it later."""
    plan = [(99_900 + 10 * k, 0) for k in range(8)] + [(99_800, 1), (250_000, 0)]
    fleet = FrozenFleet(x_m=[0.0, 20.0], leaves_us=[100_000, 10**9])
    finished = simulate(
        fleet,
        access=TECHNOLOGIES[name].Params(),
        application=ScheduledPackets(plan),
        duration_s=0.4,
    )
    packets = finished.tables["packets"]
    assert len(packets["packet"]) == 9
    own = packets["tx_id"] == 0
    assert packets["first_slot_us"][own].max() < 100_000
    assert finished.outcomes[Outcome.OUT_OF_BUDGET] >= 6
    check(finished, TECHNOLOGIES[name].Params(), 100_000)


@pytest.mark.parametrize("name", TECHNOLOGIES)
def test_parameters_describe_rules_and_frames(name: str) -> None:
    technology = TECHNOLOGIES[name]
    params = technology.Params()
    assert technology.Params.__dataclass_params__.frozen
    sizes = np.array([0, 1, 190, 300, 1400], dtype=np.int32)
    waveform = params.waveform()
    assert np.all(np.diff(waveform.air_us(sizes)) >= 0)
    assert np.all(np.diff(waveform.data_bits(sizes)) > 0)
    assert waveform.air_us(sizes)[0] > 0
