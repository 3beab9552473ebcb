"""``security: {type: envelope}`` in whole runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.mobility.fleet import FleetState
from v2x.perception.ldm import Heard, Known, LocalDynamicMap
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

SHORT = [
    ("duration_s", "4"),
    ("warmup_s", "0"),
    ("traffic.n_vehicles", "30"),
    ("messages.size_bytes", "null"),
]


def run(*more: tuple[str, str]) -> RunRecords:
    return simulate(load_scenario("highway_3gpp", [*SHORT, *more]))


def sizes_by_sender(records: RunRecords) -> list[np.ndarray]:
    packets: dict[str, Any] = records.tables["packets"]
    order = np.lexsort((packets["generated_us"], packets["tx_id"]))
    begins = np.flatnonzero(np.diff(packets["tx_id"][order]))
    return np.split(packets["size_bytes"][order], begins + 1)


@pytest.mark.parametrize(
    ("interval_ms", "every"), [("450", 5), ("401", 5), ("400", 4), ("1000", 10)]
)
def test_sizes_follow_the_certificate(interval_ms: str, every: int) -> None:
    records = run(("security.type", "envelope"), ("security.interval_ms", interval_ms))
    for size in sizes_by_sender(records):
        assert set(size) == {154, 303}
        assert set(np.diff(np.flatnonzero(size == 303))) == {every}


def test_without_security_nothing_is_asked() -> None:
    records = run(("warnings.fcw", "{}"))
    assert len(records.tables["certificates"]["delay_us"]) == 0


def test_receivers_wait_for_certificates() -> None:
    """Phases are random: at most 400 ms until the next certificate, unless it is lost."""
    records = run(("security.type", "envelope"), ("warnings.fcw", "{}"))
    table = records.tables["certificates"]
    got = table["delay_us"] >= 0
    assert got.mean() > 0.9
    assert 0 < np.median(table["delay_us"][got]) <= 400_000
    assert (table["n_unverified"][~got] > 0).all()
    assert ((table["delay_us"][got] == 0) == (table["n_unverified"][got] == 0)).all()


def test_strangers_are_answered_sooner() -> None:
    slow = [("security.type", "envelope"), ("security.interval_ms", "1000"), ("warnings.fcw", "{}")]
    mean_us = []
    for answers in ("false", "true"):
        delay = run(*slow, ("security.answers_strangers", answers)).tables["certificates"][
            "delay_us"
        ]
        mean_us.append(delay[delay >= 0].mean())
    assert mean_us[1] < 0.5 * mean_us[0]


def test_key_events_always_carry_the_certificate() -> None:
    records = run(
        ("security.type", "envelope"), ("events.type", "poisson"), ("events.rate_hz", "1")
    )
    packets = records.tables["packets"]
    assert packets["event"].any()
    assert set(packets["size_bytes"][packets["event"]]) == {304}
    assert set(packets["size_bytes"][~packets["event"]]) == {154, 303}


def test_only_what_was_verified_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates once a minute: in four seconds one pair in 15 gets one, all else is unknown."""
    known = []

    def spy(ldm: LocalDynamicMap, fleet: FleetState, heard: Heard) -> Known:
        known.append(int((heard.generated_us >= 0).sum()))
        return look_up(ldm, fleet, heard)

    look_up = LocalDynamicMap.known
    monkeypatch.setattr(LocalDynamicMap, "known", spy)
    run(("warnings.fcw", "{}"))
    everybody, known = sum(known), []
    table = run(
        ("warnings.fcw", "{}"), ("security.type", "envelope"), ("security.interval_ms", "60000")
    ).tables["certificates"]
    assert 0 < sum(known) < 0.2 * everybody
    assert (table["delay_us"] < 0).mean() > 0.8


def test_applications_with_a_rule_of_their_own_keep_it() -> None:
    cam = [("messages.type", "cam"), ("warnings.fcw", "{}")]
    plain, signed = (
        simulate(load_scenario("highway_3gpp", [SHORT[0], SHORT[1], SHORT[2], *cam, *more]))
        for more in ((), (("security.type", "envelope"),))
    )
    for name, column in plain.tables["packets"].items():
        assert np.array_equal(column, signed.tables["packets"][name]), name
    assert (signed.tables["certificates"]["n_unverified"] > 0).any()


def test_mistakes_name_the_key() -> None:
    with pytest.raises(V2XError, match=r"security.interval_ms: must be > 0"):
        load_scenario(
            "highway_3gpp", [("security.type", "envelope"), ("security.interval_ms", "0")]
        )
    with pytest.raises(V2XError, match="envelope"):
        load_scenario("highway_3gpp", [("security.type", "envelop")])
