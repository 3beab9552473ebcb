"""Payment at a gate: what both sides have got, who is in the beam, and copies that do not pay."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.unit.applications.services.short_runs import short_run
from v2x.applications.services.air_sizes import octets
from v2x.applications.services.dialogue_log import DialogueLog, DialogueOutcome
from v2x.applications.services.payment.params import PaymentServiceParams
from v2x.applications.services.payment.wallets import ISSUER_KEY, Wallets, passage_rows
from v2x.errors import V2XError
from v2x.messages.csae.day2.dialogues.payment import (
    PaymentParams,
    Till,
    till_due,
    till_heard,
)
from v2x.messages.csae.day2.vpm import Payment, PaymentEntity, PaymentStep
from v2x.metrics.services.dialogues import payment_figures
from v2x.records.tables import RunRecords

TICK_US, UNIT, VEHICLE = 100_000, 77, 5


class Gate:
    """A unit and a vehicle that hear each other a tick later, if at all."""

    def __init__(self) -> None:
        timers = PaymentParams(retry_ms=300)
        self.till = Till(
            params=timers,
            rsu_id=octets(UNIT),
            entity=PaymentEntity.FREE_FLOW,
            issuer_key=ISSUER_KEY,
            amount=500,
        )
        self.log = DialogueLog(0)
        self.wallets = Wallets(timers, 10_000, self.log)
        self.to_unit: list[PaymentStep] = []
        self.to_vehicle: list[PaymentStep] = []
        self.said: list[PaymentStep] = []

    def tick(self, now_us: int, *, up: bool = True, down: bool = True) -> None:
        arriving, coming = self.to_unit, self.to_vehicle
        self.to_unit, self.to_vehicle = [], []
        for step in arriving if up else ():
            self.till, answer = till_heard(self.till, now_us, step)
            self.to_vehicle += [answer] if answer is not None else []
        for step in coming if down else ():
            answer = self.wallets.hear(now_us, VEHICLE, UNIT, 5.0, step)
            self.to_unit += [answer] if answer is not None else []
        self.said += self.to_unit
        self.till, due = till_due(self.till, now_us)
        self.to_vehicle += due
        self.wallets.tick(now_us)
        self.log.tick(now_us)

    def row(self) -> dict[str, object]:
        (row,) = passage_rows(self.wallets, {UNIT: self.till}, 0)
        return row


def test_a_passage_takes_four_messages_and_is_paid_once() -> None:
    gate = Gate()
    for k in range(20):
        gate.tick(k * TICK_US)
    row = gate.row()
    assert (row["phase"], row["amount"], row["debited"], row["n_sent"]) == (1, 500, 500, 1)
    table = gate.log.table()
    assert table["outcome"].tolist() == [DialogueOutcome.COMPLETE]
    assert table["end_s"][0] - table["begin_s"][0] == pytest.approx(0.4)


def test_losses_cost_retries_and_never_money() -> None:
    gate = Gate()
    for k in range(40):
        gate.tick(k * TICK_US, up=k != 7, down=k != 3)
    row = gate.row()
    assert (row["phase"], row["debited"]) == (1, 500)
    assert row["n_sent"] >= 2  # type: ignore[operator]


def test_a_vehicle_that_is_never_heard_again_has_paid_and_the_unit_does_not_know() -> None:
    gate = Gate()
    for k in range(60):
        gate.tick(k * TICK_US, up=k < 3)
    row = gate.row()
    assert (row["phase"], row["debited"]) == (3, 500)
    assert gate.log.table()["outcome"].tolist() == [DialogueOutcome.GOING_ON]


def test_a_vehicle_out_of_reach_gives_up_after_two_seconds() -> None:
    gate = Gate()
    for k in range(40):
        gate.tick(k * TICK_US, down=k < 2)
    table = gate.log.table()
    assert table["outcome"].tolist() == [DialogueOutcome.NO_ANSWER]
    assert 2.0 < table["end_s"][0] < 2.4


def test_a_copied_payment_changes_nothing() -> None:
    gate = Gate()
    for k in range(20):
        gate.tick(k * TICK_US)
    payment = next(step for step in gate.said if isinstance(step, Payment))
    for now_us in (2_100_000, 400_000):  # stale, and as fresh as can be
        again, _ = till_heard(gate.till, now_us, payment)
        assert again.booked == gate.till.booked == 500
    forged = replace(payment, transaction=payment.transaction + 1)
    assert till_heard(gate.till, 400_000, forged)[1] is None


@pytest.mark.parametrize(
    "changes", [{"gates": (-1,)}, {"beam_m": 0.0}, {"attackers": 2.0}, {"amount": 0}]
)
def test_impossible_parameters_are_rejected(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        PaymentServiceParams(**changes)  # type: ignore[arg-type]


def test_a_gate_that_is_not_there_is_named() -> None:
    with pytest.raises(V2XError, match="number 3"):
        short_run(
            "payment",
            duration_s="0.2",
            roadside__placement="spacing",
            roadside__spacing_m="1000",
            _gates="[3]",
        )


@cache
def run(replay_ms: str = "500") -> RunRecords:
    return short_run(
        "payment",
        duration_s="25",
        roadside__placement="spacing",
        roadside__spacing_m="1000",
        _attackers="0.6",
        _replay_after_ms=replay_ms,
    )


def test_vehicles_pay_in_the_beam_and_slowly() -> None:
    records = run()
    figures = payment_figures(records, 0)
    assert figures.n >= 5
    assert figures.complete.value > 0.7
    assert figures.n_double == 0
    assert 0.4 <= figures.p95_s.value < 2.0
    paid = records.tables["payments"]
    assert paid["debited"].tolist() == [500] * figures.n
    begun = np.unique(paid["vehicle_id"])
    assert len(begun) == figures.n


@pytest.mark.parametrize("replay_ms", ["500", "1500"])
def test_every_replay_fails(replay_ms: str) -> None:
    figures = payment_figures(run(replay_ms), 0)
    assert figures.n_replays >= 10
    assert figures.replays_accepted.value == 0.0
    assert figures.n_double == 0
