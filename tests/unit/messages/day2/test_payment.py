"""Payments: once a passage and never without proof, whatever is lost, repeated or replayed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.messages.csae.clock import DAY_US, utc_time
from v2x.messages.csae.day2.dialogues.payment import (
    ChargePhase,
    PaymentParams,
    Purse,
    Till,
    card_key,
    proof,
    purse_heard,
    till_due,
    till_heard,
)
from v2x.messages.csae.day2.vpm import (
    Application,
    Charge,
    Offer,
    Payment,
    PaymentEntity,
    PaymentStep,
    Receipt,
    ReturnStatus,
    TollResult,
)

from .day2_samples import OTHER, RSU, VEHICLE

PARAMS = PaymentParams()
ISSUER = b"issuer"
STEP_US = 50_000


def till() -> Till:
    return Till(
        params=PARAMS,
        rsu_id=RSU,
        entity=PaymentEntity.FREE_FLOW,
        issuer_key=ISSUER,
        amount=1500,
    )


def purse(balance: int = 10_000) -> Purse:
    return Purse(params=PARAMS, obu_id=VEHICLE, key=card_key(ISSUER, VEHICLE), balance=balance)


@dataclass
class Gantry:
    """An RSU and a vehicle in its range."""

    till: Till = field(default_factory=till)
    purse: Purse = field(default_factory=purse)
    now_us: int = 0
    said: list[PaymentStep] = field(default_factory=list)
    n_nonces: int = 0
    to_obu: list[PaymentStep] = field(default_factory=list)
    to_rsu: list[PaymentStep] = field(default_factory=list)

    def moment(self, *, obu_hears: bool = True, rsu_hears: bool = True) -> None:
        """Deliver what is on the way, and let both speak."""
        down, up = self.to_obu if obu_hears else [], self.to_rsu if rsu_hears else []
        self.to_obu, self.to_rsu = [], []
        for step in down:
            self.n_nonces += 1
            nonce = b"N%07d" % self.n_nonces
            self.purse, answer = purse_heard(self.purse, self.now_us, step, nonce)
            self.to_rsu += [answer] if answer else []
        for step in up:
            self.till, reply = till_heard(self.till, self.now_us, step)
            self.to_obu += [reply] if reply else []
        self.till, own = till_due(self.till, self.now_us)
        self.to_obu += own
        self.said += [*self.to_obu, *self.to_rsu]
        self.now_us += STEP_US

    def moments(self, n: int) -> None:
        for _ in range(n):
            self.moment()

    def phases(self) -> list[ChargePhase]:
        return [item.phase for item in self.till.charges.values()]


def test_the_steps_in_order() -> None:
    gantry = Gantry()
    gantry.moments(6)
    kinds = [type(step) for step in gantry.said if not isinstance(step, Offer)]
    assert kinds == [Application, Charge, Payment, Receipt]
    assert gantry.purse.balance == 8500
    assert gantry.till.booked == 1500
    assert gantry.phases() == [ChargePhase.PAID]
    assert gantry.purse.passages[RSU].result is TollResult.OK
    gantry.moments(40)
    assert gantry.purse.n_debits == 1
    assert not [step for step in gantry.said[8:] if not isinstance(step, Offer)]


def test_a_lost_payment_is_asked_for_again_and_not_paid_again() -> None:
    gantry = Gantry()
    for k in range(12):
        gantry.moment(rsu_hears=k != 4)
    payments = [step for step in gantry.said if isinstance(step, Payment)]
    assert len(payments) >= 2
    assert len({item.authenticator for item in payments}) == 1
    assert (gantry.purse.n_debits, gantry.till.booked) == (1, 1500)


def test_a_lost_receipt_is_given_again() -> None:
    gantry = Gantry()
    for k in range(12):
        gantry.moment(obu_hears=k != 5)
    assert gantry.purse.passages[RSU].result is TollResult.OK
    assert gantry.purse.n_debits == 1


def test_a_charge_that_nobody_answers_becomes_unconfirmed() -> None:
    gantry = Gantry()
    gantry.moments(2)
    for _ in range(30):
        gantry.moment(obu_hears=False)
    assert gantry.phases() == [ChargePhase.UNCONFIRMED]
    n_charges = sum(isinstance(step, Charge) for step in gantry.said)
    assert n_charges == PARAMS.n_tries
    gantry.moments(10)
    assert gantry.phases() == [ChargePhase.PAID]
    assert gantry.purse.n_debits == 1


def test_paid_but_never_heard_of_is_unconfirmed_until_it_is() -> None:
    """The two generals: the vehicle has paid, the RSU cannot know and does not say "refused"."""
    gantry = Gantry()
    gantry.moments(3)
    for _ in range(60):
        gantry.moment(rsu_hears=False)
    assert gantry.purse.n_debits == 1
    assert gantry.phases() == [ChargePhase.UNCONFIRMED]
    gantry.moments(10)
    assert (gantry.phases(), gantry.purse.n_debits) == ([ChargePhase.PAID], 1)


def test_too_little_money_is_refused() -> None:
    gantry = Gantry(purse=purse(1000))
    gantry.moments(10)
    assert gantry.phases() == [ChargePhase.REFUSED]
    assert (gantry.purse.balance, gantry.purse.n_debits, gantry.till.booked) == (1000, 0, 0)
    assert gantry.purse.passages[RSU].result is TollResult.CONTACT_OPERATOR
    n_said = len(gantry.said)
    gantry.moments(10)
    assert all(isinstance(step, Offer) for step in gantry.said[n_said:])


def test_another_passage_costs_again_and_a_long_stay_does_not() -> None:
    gantry = Gantry()
    gantry.moments(1400)
    assert gantry.purse.n_debits == 1
    gantry.now_us += 31_000_000
    gantry.to_obu = []
    gantry.moments(10)
    assert gantry.purse.n_debits == 2
    assert gantry.till.booked == 3000


@pytest.mark.parametrize("later_us", [0, 500_000, 1_100_000, 100_000_000, DAY_US])
def test_replayed_messages_change_nothing(later_us: int) -> None:
    """8.7: no double charge, replays fail, within the second and after it, to either side."""
    gantry = Gantry()
    gantry.moments(10)
    now_us = gantry.now_us + later_us
    for step in gantry.said:
        if isinstance(step, Offer):
            continue
        after, answer = purse_heard(gantry.purse, now_us, step, b"attacker")
        assert (after.balance, after.n_debits) == (8500, 1)
        assert answer is None or later_us <= 500_000
        again, reply = till_heard(gantry.till, now_us, step)
        assert again.booked == 1500
        assert len(again.charges) == 1
        assert reply is None or isinstance(reply, Receipt)


def test_forged_payments_and_charges_are_refused() -> None:
    gantry = Gantry()
    gantry.moments(2)
    charge = next(step for step in gantry.said if isinstance(step, Offer))
    assert charge.rsu_id == RSU
    gantry.moment()
    (item,) = gantry.till.charges.values()
    stolen = proof(card_key(ISSUER, OTHER), item.nonce, item.transaction, item.amount)
    forged = Payment(
        time=utc_time(gantry.now_us),
        obu_id=VEHICLE,
        rsu_id=RSU,
        transaction=item.transaction,
        status=ReturnStatus.NO_ERROR,
        authenticator=stolen,
    )
    for step in (forged, replace(forged, transaction=99), replace(forged, rsu_id=OTHER)):
        assert till_heard(gantry.till, gantry.now_us, step) == (gantry.till, None)
    gantry.moments(5)
    second = Charge(
        time=utc_time(gantry.now_us),
        rsu_id=RSU,
        obu_id=VEHICLE,
        entity=PaymentEntity.FREE_FLOW,
        nonce=item.nonce,
        transaction=item.transaction + 1,
        amount=1500,
    )
    after, answer = purse_heard(gantry.purse, gantry.now_us, second, b"unused00")
    assert after.n_debits == 1
    assert isinstance(answer, Payment)
    assert answer.status is ReturnStatus.ACCESS_DENIED
    for strange in (replace(second, nonce=b"strange!"), replace(second, obu_id=OTHER)):
        assert purse_heard(gantry.purse, gantry.now_us, strange, b"unused00")[1] is None


@pytest.mark.parametrize(
    "changes", [{"offer_ms": 0}, {"n_tries": 0}, {"max_age_ms": 0}, {"passage_s": 0.05}]
)
def test_timers_that_cannot_work_are_rejected(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        PaymentParams(**changes)  # type: ignore[arg-type]


@given(
    fates=st.lists(st.integers(0, 3), max_size=200),
    replays=st.lists(st.tuples(st.integers(0, 120), st.integers(0, 50)), max_size=20),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_whatever_is_lost_or_replayed_it_costs_once(
    fates: list[int], replays: list[tuple[int, int]]
) -> None:
    """Booked is only what was paid; in the end nothing is open; with a good end all is paid."""
    gantry = Gantry()
    for k in range(160):
        for at, which in replays:
            if at == k and which < len(gantry.said):
                gantry.to_obu.append(gantry.said[which])
                gantry.to_rsu.append(gantry.said[which])
        fate = fates[k] if k < len(fates) else 3
        gantry.moment(obu_hears=bool(fate & 1), rsu_hears=bool(fate & 2))
        assert gantry.purse.n_debits <= 1
        assert gantry.till.booked <= 10_000 - gantry.purse.balance <= 1500
        if gantry.purse.n_debits:
            assert ChargePhase.REFUSED not in gantry.phases()
        result = gantry.purse.passages[RSU].result if gantry.purse.passages else None
        assert result is not TollResult.OK or gantry.till.booked == 1500
    if len(fates) < 120:
        assert (gantry.till.booked, gantry.purse.n_debits) == (1500, 1)
    for _ in range(60):
        gantry.moment(obu_hears=False, rsu_hears=False)
    assert ChargePhase.OPEN not in gantry.phases()
