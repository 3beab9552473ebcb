"""An application whose messages a rate control spaces out."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from v2x.applications.base import Application, ApplicationFilter, PacketBatch
from v2x.mobility.fleet import FleetState
from v2x.security.turns import by_turn

_COLUMNS = tuple(item.name for item in fields(PacketBatch))


class MessageGate(Protocol):
    """Decides when messages may be generated."""

    def release(
        self, generated_us: NDArray[np.int64], row: NDArray[np.int32], fleet: FleetState
    ) -> NDArray[np.int64]:
        """Return the generation times of messages, no row twice, or -1 for none; (n,)."""


class RateControlled(ApplicationFilter):
    """Asks a gate about every message of an application before it is generated.

    A message that the gate puts off keeps its size, priority and latency budget, and is
    generated at its new time unless its sender has left by then.

    Parameters
    ----------
    application
        Says what it would like to send.
    gate
        Says when it may.
    """

    def __init__(self, application: Application, gate: MessageGate) -> None:
        super().__init__(application)
        self._gate = gate
        self._put_off = {name: np.zeros(0, dtype=np.int64) for name in (*_COLUMNS, "id")}

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us), asked for without gaps."""
        batch = self._application.packets(start_us, end_us, fleet)
        columns = {name: getattr(batch, name).astype(np.int64) for name in _COLUMNS}
        columns["id"] = fleet.id[batch.tx_row]
        released = np.full(len(batch), -1, dtype=np.int64)
        for chosen in by_turn(batch.tx_row):
            released[chosen] = self._gate.release(
                batch.generated_us[chosen], batch.tx_row[chosen], fleet
            )
        columns["deadline_us"] += released - batch.generated_us
        columns["generated_us"] = released
        known = fleet.id[self._put_off["tx_row"]] == self._put_off["id"]
        columns = {
            name: np.concatenate([self._put_off[name][known], column[released >= 0]])
            for name, column in columns.items()
        }
        due = columns["generated_us"] < end_us
        self._put_off = {name: column[~due] for name, column in columns.items()}
        order = np.lexsort((columns["tx_row"][due], columns["generated_us"][due]))
        types: dict[str, Any] = {name: getattr(batch, name).dtype for name in _COLUMNS}
        return PacketBatch(
            **{name: columns[name][due][order].astype(types[name]) for name in _COLUMNS}
        )
