"""Paying an RSU (VPM; the near-field payment of Day 1 is built on the same steps).

A passage is the time that a vehicle spends in the range of an RSU; the vehicle draws a nonce that
names it. Whatever is lost, repeated or replayed, a vehicle pays at most once per passage, an RSU
books at most once per passage, and only what was paid. What no protocol can exclude remains: a
vehicle has paid and the RSU cannot know, because no copy of the proof came through. Then the
charge is "unconfirmed" at the RSU, never "refused", and both hold the number to settle it later.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import IntEnum

from v2x.messages.csae.bsm import UtcTime
from v2x.messages.csae.clock import since_us, utc_time
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentParams:
    """Timers of a payment; all are estimates.

    Parameters
    ----------
    offer_ms
        Time between offers of an RSU [ms].
    retry_ms
        A charge without payment is sent again after this time [ms].
    n_tries
        How often a charge is sent before it counts as unconfirmed.
    max_age_ms
        Messages older than this, or from the future by more, are refused as replayed [ms]
        (1 s as for all messages, GB/T 45315-2025).
    passage_s
        A passage ends when no offer of the RSU was heard for this time [s].
    """

    offer_ms: int = 100
    retry_ms: int = 100
    n_tries: int = 10
    max_age_ms: int = 1000
    passage_s: float = 30.0

    def __post_init__(self) -> None:
        """Reject timers that cannot work."""
        for name in ("offer_ms", "retry_ms", "n_tries", "max_age_ms"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)}")
        if not 1000 * self.passage_s > self.offer_ms:
            raise ValueError(f"passage_s must be longer than offer_ms, got {self.passage_s}")


def card_key(issuer_key: bytes, obu_id: bytes) -> bytes:
    """Return the key of a card, which its issuer can derive."""
    return hashlib.blake2b(obu_id, key=issuer_key, digest_size=16).digest()


def proof(key: bytes, nonce: bytes, transaction: int, amount: int) -> bytes:
    """Return what only the card can say of a payment; it stands for the code of a real card."""
    told = nonce + transaction.to_bytes(4, "big") + amount.to_bytes(4, "big")
    return hashlib.blake2b(told, key=key, digest_size=8).digest()


def is_fresh(time: UtcTime, now_us: int, params: PaymentParams) -> bool:
    """Return whether a message may have been made just now."""
    age = since_us(time, now_us)
    return age is not None and abs(age) <= 1000 * params.max_age_ms


class ChargePhase(IntEnum):
    """How far a charge has come in the eyes of the RSU."""

    OPEN = 0
    PAID = 1
    REFUSED = 2
    UNCONFIRMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRecord:
    """A charge in the eyes of the RSU.

    Attributes
    ----------
    obu_id, nonce, transaction, amount
        Whom it charges for which passage, its number and how much it is.
    phase
        How far it has come.
    n_sent
        How often it was sent.
    due_us
        When it is sent again [µs].
    """

    obu_id: bytes
    nonce: bytes
    transaction: int
    amount: int
    phase: ChargePhase = ChargePhase.OPEN
    n_sent: int = 0
    due_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """An RSU that takes tolls.

    Attributes
    ----------
    params
        Timers.
    rsu_id, entity, issuer_key
        Who it is, what it charges for, and the key of the issuer of the cards.
    amount
        What a passage costs.
    charges
        All charges by vehicle and passage.
    next_transaction
        Number of the next charge.
    offer_us
        When it offers again [µs].
    """

    params: PaymentParams
    rsu_id: bytes
    entity: PaymentEntity
    issuer_key: bytes
    amount: int
    charges: dict[tuple[bytes, bytes], ChargeRecord] = field(default_factory=dict)
    next_transaction: int = 1
    offer_us: int = 0

    @property
    def booked(self) -> int:
        """Sum of what was paid."""
        paid = (item for item in self.charges.values() if item.phase is ChargePhase.PAID)
        return sum(item.amount for item in paid)


def till_due(till: Till, now_us: int) -> tuple[Till, tuple[PaymentStep, ...]]:
    """Return the RSU, and what it sends by itself now: offers, and charges again."""
    sent: list[PaymentStep] = []
    if now_us >= till.offer_us:
        sent.append(Offer(time=utc_time(now_us), rsu_id=till.rsu_id, entity=till.entity))
        till = replace(till, offer_us=now_us + 1000 * till.params.offer_ms)
    for item in list(till.charges.values()):
        if item.phase is not ChargePhase.OPEN or now_us < item.due_us:
            continue
        if item.n_sent >= till.params.n_tries:
            till = _noted(till, replace(item, phase=ChargePhase.UNCONFIRMED))
        else:
            till, charge = _charged(till, item, now_us)
            sent.append(charge)
    return till, tuple(sent)


def till_heard(till: Till, now_us: int, step: PaymentStep) -> tuple[Till, PaymentStep | None]:
    """Return the RSU after a message, and its answer; what is stale or not for it has none."""
    if not isinstance(step, Application | Payment) or step.rsu_id != till.rsu_id:
        return till, None
    if not is_fresh(step.time, now_us, till.params):
        return till, None
    if isinstance(step, Application):
        return _applied(till, now_us, step)
    return _paid(till, now_us, step)


def _noted(till: Till, item: ChargeRecord) -> Till:
    return replace(till, charges={**till.charges, (item.obu_id, item.nonce): item})


def _charged(till: Till, item: ChargeRecord, now_us: int) -> tuple[Till, Charge]:
    due_us = now_us + 1000 * till.params.retry_ms
    till = _noted(till, replace(item, n_sent=item.n_sent + 1, due_us=due_us))
    charge = Charge(
        time=utc_time(now_us),
        rsu_id=till.rsu_id,
        obu_id=item.obu_id,
        entity=till.entity,
        nonce=item.nonce,
        transaction=item.transaction,
        amount=item.amount,
    )
    return till, charge


def _applied(till: Till, now_us: int, step: Application) -> tuple[Till, PaymentStep | None]:
    item = till.charges.get((step.obu_id, step.nonce))
    if item is None:
        item = ChargeRecord(
            obu_id=step.obu_id,
            nonce=step.nonce,
            transaction=till.next_transaction,
            amount=till.amount,
            due_us=now_us,
        )
        till = replace(till, next_transaction=till.next_transaction + 1)
    elif item.phase is ChargePhase.UNCONFIRMED:
        item = replace(item, phase=ChargePhase.OPEN, n_sent=0, due_us=now_us)
    if item.phase is not ChargePhase.OPEN:
        return till, _receipt(till, item, now_us)
    return _charged(till, item, now_us) if now_us >= item.due_us else (till, None)


def _paid(till: Till, now_us: int, step: Payment) -> tuple[Till, PaymentStep | None]:
    mine = (
        item
        for item in till.charges.values()
        if item.transaction == step.transaction and item.obu_id == step.obu_id
    )
    item = next(mine, None)
    if item is None:
        return till, None
    key = card_key(till.issuer_key, item.obu_id)
    valid = step.authenticator == proof(key, item.nonce, item.transaction, item.amount)
    if step.status is ReturnStatus.NO_ERROR and not valid:
        return till, None
    if item.phase is ChargePhase.PAID:
        return till, _receipt(till, item, now_us)
    paid = step.status is ReturnStatus.NO_ERROR
    item = replace(item, phase=ChargePhase.PAID if paid else ChargePhase.REFUSED)
    return _noted(till, item), _receipt(till, item, now_us)


def _receipt(till: Till, item: ChargeRecord, now_us: int) -> Receipt:
    return Receipt(
        time=utc_time(now_us),
        rsu_id=till.rsu_id,
        obu_id=item.obu_id,
        transaction=item.transaction,
        result=TollResult.OK if item.phase is ChargePhase.PAID else TollResult.CONTACT_OPERATOR,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A passage in the eyes of the vehicle.

    Attributes
    ----------
    nonce
        Names it.
    heard_us
        When the last offer was heard [µs].
    applied_us
        When it last applied [µs].
    transaction, amount
        What it has paid; None if it has not.
    result
        What the RSU said in the end; None if nothing was heard.
    """

    nonce: bytes
    heard_us: int
    applied_us: int
    transaction: int | None = None
    amount: int = 0
    result: TollResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """A vehicle that pays.

    Attributes
    ----------
    params
        Timers.
    obu_id, key
        Who it is, and the key of its card.
    balance
        What is left.
    passages
        The last passage of each RSU.
    n_debits
        How often it has paid.
    """

    params: PaymentParams
    obu_id: bytes
    key: bytes
    balance: int
    passages: dict[bytes, Passage] = field(default_factory=dict)
    n_debits: int = 0


def purse_heard(
    purse: Purse, now_us: int, step: PaymentStep, nonce: bytes
) -> tuple[Purse, PaymentStep | None]:
    """Return the vehicle after a message, and its answer.

    Parameters
    ----------
    purse
        What the last call returned.
    now_us
        The present tick [µs].
    step
        What was received; what is stale or not for it has no answer.
    nonce
        Name of a passage if one begins now: 8 octets that were never used.
    """
    if isinstance(step, Application | Payment) or not is_fresh(step.time, now_us, purse.params):
        return purse, None
    if isinstance(step, Offer):
        return _offered(purse, now_us, step, nonce)
    passage = purse.passages.get(step.rsu_id)
    if step.obu_id != purse.obu_id or passage is None or _is_past(passage, now_us, purse.params):
        return purse, None
    if isinstance(step, Charge):
        return _asked(purse, now_us, step, passage)
    unpaid = passage.transaction is None and step.result is not TollResult.OK
    settled = unpaid or passage.transaction == step.transaction
    changed = replace(passage, result=step.result) if settled else passage
    return _at(purse, step.rsu_id, changed), None


def _is_past(passage: Passage, now_us: int, params: PaymentParams) -> bool:
    return now_us - passage.heard_us > 1e6 * params.passage_s


def _at(purse: Purse, rsu_id: bytes, passage: Passage) -> Purse:
    return replace(purse, passages={**purse.passages, rsu_id: passage})


def _offered(
    purse: Purse, now_us: int, step: Offer, nonce: bytes
) -> tuple[Purse, PaymentStep | None]:
    passage = purse.passages.get(step.rsu_id)
    if passage is None or _is_past(passage, now_us, purse.params):
        passage = Passage(
            nonce=nonce, heard_us=now_us, applied_us=now_us - 1000 * purse.params.retry_ms
        )
    passage = replace(passage, heard_us=now_us)
    waits = now_us < passage.applied_us + 1000 * purse.params.retry_ms
    if passage.result is not None or waits:
        return _at(purse, step.rsu_id, passage), None
    application = Application(
        time=utc_time(now_us),
        obu_id=purse.obu_id,
        rsu_id=step.rsu_id,
        entity=step.entity,
        nonce=passage.nonce,
    )
    return _at(purse, step.rsu_id, replace(passage, applied_us=now_us)), application


def _asked(
    purse: Purse, now_us: int, step: Charge, passage: Passage
) -> tuple[Purse, PaymentStep | None]:
    if step.nonce != passage.nonce:
        return purse, None
    # While charges are heard there is no need to apply again.
    passage = replace(passage, applied_us=now_us)
    purse = _at(purse, step.rsu_id, passage)
    status = ReturnStatus.NO_ERROR
    if passage.transaction is None and step.amount <= purse.balance:
        passage = replace(passage, transaction=step.transaction, amount=step.amount)
        purse = replace(
            _at(purse, step.rsu_id, passage),
            balance=purse.balance - step.amount,
            n_debits=purse.n_debits + 1,
        )
    elif passage.transaction is None:
        status = ReturnStatus.PROCESSING_FAILURE
    elif (passage.transaction, passage.amount) != (step.transaction, step.amount):
        status = ReturnStatus.ACCESS_DENIED
    paid = status is ReturnStatus.NO_ERROR
    payment = Payment(
        time=utc_time(now_us),
        obu_id=purse.obu_id,
        rsu_id=step.rsu_id,
        transaction=step.transaction,
        status=status,
        authenticator=proof(purse.key, step.nonce, step.transaction, step.amount) if paid else None,
    )
    return purse, payment
