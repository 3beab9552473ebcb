"""Key-event BSMs: what happens to vehicles is told at once, in place of regular messages."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from v2x.applications.base import Application, ApplicationFilter, PacketBatch, merged
from v2x.messages.csae.bsm_rules import KEY_EVENT_PERIOD_US, KEY_EVENTS
from v2x.messages.sizes import signed_event_bytes
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.ranges import check_ranges
from v2x.units import US_PER_MS, US_PER_S

#: Places of the flags that make a BSM one of a key event, (n_flags,).
_BITS = np.array([bit for bit in range(32) if int(KEY_EVENTS) >> bit & 1], dtype=np.int32)
_COLUMNS = tuple(item.name for item in fields(PacketBatch))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEventParams:
    """Events that happen to vehicles, and the messages in which they tell of them.

    A vehicle tells of hazard lights, anti-lock brakes, traction and stability control, hard
    braking, a breakdown and an air bag, as the model of mobility flags them (GB/T 45315-2025).

    Parameters
    ----------
    size_bytes
        Size handed to the access layer [byte]; None for the signed key-event BSM of
        GB/T 45315-2025, which always carries its certificate.
    priority
        PPPP, 1 (highest) to 8; 2 for key-event BSMs (mapping of low confidence).
    latency_budget_ms
        Age at which a message is no longer worth sending [ms]; 50 for key-event BSMs in
        GB/T 45315-2025.
    least_s
        A flag that has risen is told for this time at least [s]; 1 in GB/T 45315-2025.
    """

    size_bytes: int | None = None
    priority: int = 2
    latency_budget_ms: float = 50.0
    least_s: float = 1.0

    def __post_init__(self) -> None:
        """Reject messages that cannot be sent."""
        check_ranges(
            self,
            ("size_bytes", 1, 10_000),
            ("priority", 1, 8),
            ("latency_budget_ms", 1.0, 10_000.0),
            ("least_s", 0.0, 3600.0),
        )

    @property
    def message_bytes(self) -> int:
        """Size of every message [byte].

        Examples
        --------
        >>> KeyEventParams().message_bytes
        304
        """
        return signed_event_bytes() if self.size_bytes is None else self.size_bytes

    def around(self, application: Application, seed: int) -> Application:
        """Return an application that tells of events beside what `application` says."""
        return KeyEvents(application, self)


class KeyEvents(ApplicationFilter):
    """Puts key-event BSMs in place of regular ones while anything is flagged.

    A flag is seen at the motion after which it stands. If it is new, a message goes at once, those
    pending are cancelled, and others follow every 100 ms as long as any flag is told: while it
    stands, and for a second at least. A new flag begins the rhythm anew. The regular
    messages of the vehicle are left out until then; they come back in their own rhythm. A regular
    message that has already been handed to the access layer is sent.

    Parameters
    ----------
    application
        Says what is regular.
    params
        Size, priority and times.
    """

    def __init__(self, application: Application, params: KeyEventParams) -> None:
        super().__init__(application)
        self._params = params
        self._least_us = round(params.least_s * US_PER_S)
        self._budget_us = round(params.latency_budget_ms * US_PER_MS)
        self._id = np.full(0, -1, dtype=np.int64)
        #: Until when each flag of each row is told, (n_flags, n_rows), and the next message [µs].
        self._until_us = np.zeros((len(_BITS), 0), dtype=np.int64)
        self._next_us = np.zeros(0, dtype=np.int64)
        #: Whether each flag stood at the last motion, (n_flags, n_rows).
        self._stood = np.zeros((len(_BITS), 0), dtype=np.bool_)

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us), asked for without gaps."""
        self._look(start_us, end_us, fleet)
        told_until_us = np.minimum(self._until_us.max(axis=0), end_us)
        regular = self._application.packets(start_us, end_us, fleet)
        replaced = (
            (regular.generated_us < told_until_us[regular.tx_row])
            & (regular.topic == 0)
            & ~regular.event
        )
        kept = PacketBatch(**{name: getattr(regular, name)[~replaced] for name in _COLUMNS})
        return merged(kept, self._messages(told_until_us))

    def _look(self, start_us: int, end_us: int, fleet: FleetState) -> None:
        """Take the flags that stand now, which are taken to stand until `end_us`."""
        if len(self._id) != fleet.n_rows:
            self._id = np.full(fleet.n_rows, -1, dtype=np.int64)
            self._until_us = np.zeros((len(_BITS), fleet.n_rows), dtype=np.int64)
            self._stood = np.zeros((len(_BITS), fleet.n_rows), dtype=np.bool_)
            self._next_us = np.zeros(fleet.n_rows, dtype=np.int64)
        strange = fleet.id != self._id
        self._until_us[:, strange] = 0
        self._stood[:, strange] = False
        self._id = fleet.id.copy()
        vehicle = fleet.active & (fleet.kind <= NodeKind.BUS)
        stands = ((fleet.flags >> _BITS[:, None]) & 1 == 1) & vehicle
        new = stands & ~self._stood & (self._until_us <= start_us)
        self._stood = stands
        self._until_us[new] = start_us + self._least_us
        self._until_us[stands] = np.maximum(self._until_us[stands], end_us)
        self._next_us[new.any(axis=0)] = start_us

    def _messages(self, told_until_us: NDArray[np.int64]) -> PacketBatch:
        """Return what is told before these times, (n_rows,) [µs], and note what comes next."""
        left_us = told_until_us - self._next_us
        n_each = np.maximum(-(-left_us // KEY_EVENT_PERIOD_US), 0)
        rows = np.repeat(np.arange(len(n_each), dtype=np.int32), n_each)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(n_each) - n_each, n_each)
        generated_us = self._next_us[rows] + within * KEY_EVENT_PERIOD_US
        self._next_us += n_each * KEY_EVENT_PERIOD_US
        n = len(rows)
        order = np.lexsort((rows, generated_us))
        return PacketBatch(
            generated_us=generated_us[order],
            tx_row=rows[order],
            size_bytes=np.full(n, self._params.message_bytes, dtype=np.int32),
            deadline_us=generated_us[order] + self._budget_us,
            priority=np.full(n, self._params.priority, dtype=np.int32),
            event=np.ones(n, dtype=np.bool_),
        )
