"""Cards of vehicles, and what became of each of their passages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from v2x.applications.services.air_sizes import octets
from v2x.applications.services.dialogue_log import DialogueLog, DialogueOutcome, Entry
from v2x.messages.csae.day2.dialogues.payment import (
    PaymentParams,
    Purse,
    Till,
    card_key,
    purse_heard,
)
from v2x.messages.csae.day2.vpm import (
    Application,
    Charge,
    Payment,
    PaymentStep,
    Receipt,
    TollResult,
)
from v2x.units import US_PER_S

#: Key from which the issuer derives those of its cards.
ISSUER_KEY = b"issuer"
#: A passage whose unit was not heard for this long has ended without a receipt [µs].
_SILENT_US = 2_000_000


@dataclass(slots=True)
class Passed:
    """One passage of one vehicle.

    Attributes
    ----------
    unit_id, vehicle_id, nonce
        At whom, who, and its name.
    speed_mps
        Speed at the beginning.
    heard_us
        When the unit was heard last.
    debited
        What left the card in it.
    entry
        Its dialogue.
    """

    unit_id: int
    vehicle_id: int
    nonce: bytes
    speed_mps: float
    heard_us: int
    entry: Entry
    debited: int = 0


class Wallets:
    """The cards of all vehicles.

    Parameters
    ----------
    timers
        Timers of the dialogue.
    balance
        What is on each card at first.
    log
        Records the dialogues.
    """

    def __init__(self, timers: PaymentParams, balance: int, log: DialogueLog) -> None:
        self._timers, self._balance, self._log = timers, balance, log
        self._purses: dict[int, Purse] = {}
        #: The newest passage of each vehicle at each unit.
        self._last: dict[tuple[int, int], Passed] = {}
        #: All passages, by their beginning.
        self.passages: list[Passed] = []

    def hear(
        self, now_us: int, vehicle_id: int, unit_id: int, speed_mps: float, step: PaymentStep
    ) -> PaymentStep | None:
        """Let a vehicle hear a unit, and return its answer."""
        purse = self._purses.get(vehicle_id)
        if purse is None:
            me = octets(vehicle_id)
            key = card_key(ISSUER_KEY, me)
            purse = Purse(params=self._timers, obu_id=me, key=key, balance=self._balance)
        nonce = (len(self.passages) + 1).to_bytes(8, "big")
        changed, answer = purse_heard(purse, now_us, step, nonce)
        self._purses[vehicle_id] = changed
        key_of = (vehicle_id, unit_id)
        if isinstance(answer, Application):
            self._applied(now_us, key_of, speed_mps, answer)
        passed = self._last.get(key_of)
        if passed is None:
            return answer
        passed.heard_us = now_us
        passed.debited += purse.balance - changed.balance
        if answer is not None:
            passed.entry.n_messages += 1
        _note(now_us, passed, step)
        return answer

    def tick(self, now_us: int) -> None:
        """End passages whose unit is not heard any more."""
        for passed in self._last.values():
            if now_us - passed.heard_us > _SILENT_US:
                asked = passed.entry.answer_us >= 0
                outcome = DialogueOutcome.FAILED if asked else DialogueOutcome.NO_ANSWER
                passed.entry.end(now_us, outcome)

    def _applied(
        self, now_us: int, key: tuple[int, int], speed_mps: float, answer: Application
    ) -> None:
        """Begin a passage with its first application."""
        before = self._last.get(key)
        if before is not None and before.nonce == answer.nonce:
            return
        entry = self._log.begin(now_us, key[0], key[1])
        passed = Passed(key[1], key[0], answer.nonce, speed_mps, now_us, entry)
        self._last[key] = passed
        self.passages.append(passed)


def _note(now_us: int, passed: Passed, step: PaymentStep) -> None:
    """Note in the dialogue of a passage what the unit has said to its vehicle."""
    if not isinstance(step, Charge | Receipt) or step.obu_id != octets(passed.vehicle_id):
        return
    passed.entry.n_messages += 1
    if passed.entry.answer_us < 0:
        passed.entry.answer_us = now_us
    if isinstance(step, Receipt):
        paid = step.result is TollResult.OK
        passed.entry.end(now_us, DialogueOutcome.COMPLETE if paid else DialogueOutcome.REFUSED)


def passage_rows(
    wallets: Wallets, tills: dict[int, Till], counted_from_us: int
) -> list[dict[str, Any]]:
    """Return the rows of table ``payments``: each passage in the eyes of both sides."""
    rows = []
    for passed in wallets.passages:
        if passed.entry.begin_us < counted_from_us:
            continue
        charge = tills[passed.unit_id].charges.get((octets(passed.vehicle_id), passed.nonce))
        rows.append(
            {
                "unit_id": passed.unit_id,
                "vehicle_id": passed.vehicle_id,
                "begin_s": passed.entry.begin_us / US_PER_S,
                "speed_mps": passed.speed_mps,
                "n_sent": 0 if charge is None else charge.n_sent,
                "phase": -1 if charge is None else int(charge.phase),
                "amount": 0 if charge is None else charge.amount,
                "debited": passed.debited,
            }
        )
    return rows


def is_of_vehicle(step: PaymentStep) -> bool:
    """Return whether a vehicle says this."""
    return isinstance(step, Application | Payment)
