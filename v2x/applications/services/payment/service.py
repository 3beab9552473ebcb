"""The service ``payment``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.applications.services.air_sizes import octets, roadside_bytes, vehicle_bytes
from v2x.applications.services.base import (
    Outgoing,
    ServiceContext,
    ServiceOutput,
    demands_of,
)
from v2x.applications.services.dialogue_log import DialogueLog
from v2x.applications.services.payment.params import PaymentServiceParams
from v2x.applications.services.payment.wallets import (
    ISSUER_KEY,
    Wallets,
    is_of_vehicle,
    passage_rows,
)
from v2x.applications.services.rows import columns_of
from v2x.errors import V2XError
from v2x.messages.csae.clock import utc_time
from v2x.messages.csae.day2.dialogues.payment import Till, till_due, till_heard
from v2x.messages.csae.day2.frame import size_bytes
from v2x.messages.csae.day2.vpm import (
    Application,
    Charge,
    Payment,
    PaymentEntity,
    PaymentStep,
    ReturnStatus,
    VehiclePayment,
)
from v2x.messages.topics import Topic
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.reactions import Action
from v2x.perception.board import Notice
from v2x.perception.scene import Scene
from v2x.units import US_PER_MS, US_PER_S, kmh_to_mps

#: A unit says up to four things in a tick, each with a quarter of it to go on air.
N_TURNS = 4
#: A vehicle on another deck is not at the gate [m].
_SAME_DECK_M = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentWord:
    """Content of a VPM.

    Attributes
    ----------
    step
        What it says.
    copied
        Whether it is a copy of what another said before.
    """

    step: PaymentStep
    copied: bool = False


class Payments:
    """Payment (VNFP, RTS): vehicles pay roadside units in passing, by VPM.

    A unit and a vehicle hear each other's VPM within the beam alone. Answers go in the tick after
    a message was received, so that each of the three rounds takes 100 ms at the least.

    Parameters
    ----------
    params
        Where, how much, and who cheats.
    context
        Seed, tick; stream ``"payment", "attackers"``.
    """

    Params = PaymentServiceParams

    def __init__(self, params: PaymentServiceParams, context: ServiceContext) -> None:
        self._params, self._context = params, context
        self._n_driven = 0 if context.vehicles is None else context.vehicles.n_rows
        self._log = DialogueLog(context.warmup_us)
        self._wallets = Wallets(params.timers, params.balance, self._log)
        self._tills: dict[int, Till] = {}
        self._parts = 0
        self._key = rng.key32(context.seed, "payment", "attackers")
        #: Copies that attackers are going to send: when, by whom, and what.
        self._copies: list[tuple[int, int, PaymentStep]] = []
        self._replays: list[dict[str, Any]] = []

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Sizes of what units and vehicles say at the longest."""
        return (_sizes()[0], _sizes()[1])

    def tick(self, scene: Scene) -> ServiceOutput:
        """Let units and vehicles hear and answer, attackers copy, and everybody slow down."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        self._log.tick(now_us)
        gates = self._gates(fleet)
        said: list[tuple[int, PaymentWord]] = []
        for notice in scene.board.new(Topic.VPM):
            if isinstance(notice.content, PaymentWord):
                said.extend(self._heard(fleet, gates, notice))
        self._wallets.tick(now_us)
        for row in gates:
            unit = int(fleet.id[row])
            self._tills[unit], steps = till_due(self._tills[unit], now_us)
            said.extend((row, PaymentWord(step=step)) for step in steps)
        said.extend(self._copied(fleet))
        slow = [
            (row, Action.SLOW, kmh_to_mps(self._params.speed_kmh))
            for row in self._near(fleet, gates)
        ]
        return ServiceOutput(messages=self._outgoing(gates, said), orders=demands_of(slow))

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return tables ``payments``, ``payment_replays`` and ``dialogues``."""
        rows = passage_rows(self._wallets, self._tills, self._context.warmup_us)
        return {
            "payments": columns_of("payments", rows),
            "payment_replays": columns_of("payment_replays", self._replays),
            "dialogues": self._log.table(),
        }

    def _gates(self, fleet: FleetState) -> list[int]:
        """Return the rows of the units that take tolls; open their tills when first seen."""
        units = np.flatnonzero(fleet.active & (fleet.kind == NodeKind.RSU)).tolist()
        missing = [gate for gate in self._params.gates if gate >= len(units)]
        if missing or not units:
            raise V2XError(
                f"there are {len(units)} roadside units, and payment needs one"
                + (f" with the number {missing[0]}" if missing else ""),
                key="services.payment.gates",
                remedy="set roadside.placement, or other numbers",
            )
        gates = [units[gate] for gate in self._params.gates] or units
        for row in gates:
            unit = int(fleet.id[row])
            if unit not in self._tills:
                self._tills[unit] = Till(
                    params=self._params.timers,
                    rsu_id=octets(unit),
                    entity=PaymentEntity.FREE_FLOW,
                    issuer_key=ISSUER_KEY,
                    amount=self._params.amount,
                )
        return gates

    def _heard(
        self, fleet: FleetState, gates: Sequence[int], notice: Notice
    ) -> Iterator[tuple[int, PaymentWord]]:
        """Yield what those say who hear a message, by their rows."""
        word: PaymentWord = notice.content
        if is_of_vehicle(word.step):
            at_gate = set(gates) & set(notice.host.tolist())
            for row in sorted(at_gate):
                if self._in_beam(fleet, row, notice.sender):
                    yield from self._at_till(fleet, row, word)
            self._overhear(fleet, notice)
        elif notice.sender in gates:
            for row in notice.host.tolist():
                if fleet.kind[row] <= NodeKind.BUS and self._in_beam(fleet, notice.sender, row):
                    answer = self._wallets.hear(
                        fleet.time_us,
                        int(fleet.id[row]),
                        int(fleet.id[notice.sender]),
                        float(fleet.speed_mps[row]),
                        word.step,
                    )
                    if answer is not None:
                        yield row, PaymentWord(step=answer)

    def _at_till(
        self, fleet: FleetState, row: int, word: PaymentWord
    ) -> Iterator[tuple[int, PaymentWord]]:
        unit, now_us = int(fleet.id[row]), fleet.time_us
        before = self._tills[unit]
        self._tills[unit], answer = till_heard(before, now_us, word.step)
        if word.copied and word.step.rsu_id == before.rsu_id:
            after = self._tills[unit]
            self._replays.append(
                {
                    "time_s": now_us / US_PER_S,
                    "unit_id": unit,
                    "step": 0 if isinstance(word.step, Application) else 1,
                    "accepted": _changed(before, after),
                }
            )
        if answer is not None:
            yield row, PaymentWord(step=answer)

    def _overhear(self, fleet: FleetState, notice: Notice) -> None:
        """Let attackers note what another vehicle says; copies are not copied."""
        word: PaymentWord = notice.content
        if word.copied or self._params.attackers == 0.0:
            return
        hosts = notice.host[fleet.kind[notice.host] <= NodeKind.BUS]
        drawn = rng.uniform_by_id(self._key, fleet.id[hosts], 0) < self._params.attackers
        at_us = fleet.time_us + round(self._params.replay_after_ms * US_PER_MS)
        self._copies.extend((at_us, who, word.step) for who in fleet.id[hosts[drawn]].tolist())

    def _copied(self, fleet: FleetState) -> Iterator[tuple[int, PaymentWord]]:
        """Yield the copies that are due, of those who are still there."""
        due = [item for item in self._copies if item[0] <= fleet.time_us]
        self._copies = [item for item in self._copies if item[0] > fleet.time_us]
        row_of = {who: row for row, who in enumerate(fleet.id.tolist())}
        for _, who, step in due:
            if who in row_of:
                yield row_of[who], PaymentWord(step=step, copied=True)

    def _in_beam(self, fleet: FleetState, unit: int, row: int) -> bool:
        dx, dy = fleet.x_m[row] - fleet.x_m[unit], fleet.y_m[row] - fleet.y_m[unit]
        same_deck = abs(float(fleet.z_m[row] - fleet.z_m[unit])) < _SAME_DECK_M
        return same_deck and float(np.hypot(dx, dy)) <= self._params.beam_m

    def _near(self, fleet: FleetState, gates: Sequence[int]) -> list[int]:
        """Return the rows of the vehicles that drive slowly, for they are at a gate."""
        near = np.zeros(fleet.n_rows, dtype=np.bool_)
        for row in gates:
            away_m = np.hypot(fleet.x_m - fleet.x_m[row], fleet.y_m - fleet.y_m[row])
            near |= (away_m <= self._params.slow_m) & (
                np.abs(fleet.z_m - fleet.z_m[row]) < _SAME_DECK_M
            )
        near &= fleet.active & (fleet.kind <= NodeKind.BUS)
        near[self._n_driven :] = False
        return np.flatnonzero(near).tolist()

    def _outgoing(
        self, gates: Sequence[int], said: Sequence[tuple[int, PaymentWord]]
    ) -> list[Outgoing]:
        """Return messages, those of one sender spread over the turns of a tick."""
        turn_us = self._context.tick_us // N_TURNS
        n_said: dict[int, int] = {}
        messages = []
        for row, word in said:
            turn = n_said.get(row, 0)
            n_said[row] = turn + 1
            self._parts += 1
            messages.append(
                Outgoing(
                    row=row,
                    topic=Topic.VPM,
                    content=word,
                    size_bytes=_sizes()[0 if row in gates else 1],
                    after_us=turn % N_TURNS * turn_us,
                    part=self._parts,
                    budget_us=turn_us,
                    valid_us=self._context.tick_us * 2,
                )
            )
        return messages


def _changed(before: Till, after: Till) -> bool:
    """Return whether a till owes or has got anything else than before."""
    return len(before.charges) != len(after.charges) or before.booked != after.booked


@cache
def _sizes() -> tuple[int, int]:
    """Return the sizes on the air of the longest steps of a unit and of a vehicle [byte]."""
    some, now = bytes(8), utc_time(0)
    charge = Charge(
        time=now,
        rsu_id=some,
        obu_id=some,
        entity=PaymentEntity.FREE_FLOW,
        nonce=some,
        transaction=0,
        amount=0,
    )
    payment = Payment(
        time=now,
        obu_id=some,
        rsu_id=some,
        transaction=0,
        status=ReturnStatus.NO_ERROR,
        authenticator=some,
    )
    application = Application(
        time=now, obu_id=some, rsu_id=some, entity=PaymentEntity.FREE_FLOW, nonce=some
    )

    def length(step: PaymentStep) -> int:
        return size_bytes(VehiclePayment(count=0, step=step))

    unit = roadside_bytes(length(charge), with_certificate=True)
    return unit, vehicle_bytes(max(length(payment), length(application)))
