"""Attackers that send more often than agreed: copies of their state messages on the air."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from v2x.applications.base import Application, ApplicationFilter, PacketBatch, merged
from v2x.messages.topics import Topic
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.security.attacks.base import attackers
from v2x.units import US_PER_MS

#: A copy is worth sending for so long at least, the shortest window of a selection [µs].
_LEAST_BUDGET_US = 20 * US_PER_MS


class Flooding(ApplicationFilter):
    """Repeats what attackers say with a period, evenly over the time asked for.

    Copies go once, beside what recurs, and always carry the certificate. An access layer holds one
    of them at a time: one that still waits when the next comes is not sent.

    Parameters
    ----------
    application
        Of everybody.
    rate
        Messages where others send one, at least 2.
    share
        Share of the vehicles that attack.
    from_us
        They begin at this time [µs].
    seed
        Seed of the run.
    """

    def __init__(
        self, application: Application, *, rate: int, share: float, from_us: int, seed: int
    ) -> None:
        super().__init__(application)
        self._rate, self._share, self._from_us, self._seed = rate, share, from_us, seed

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us), asked for without gaps."""
        batch = self._application.packets(start_us, end_us, fleet)
        evil = attackers(self._seed, fleet.id, self._share) & (fleet.kind <= NodeKind.BUS)
        copied = evil[batch.tx_row] & (batch.topic == Topic.STATE) & ~batch.event
        copied &= batch.generated_us >= self._from_us
        columns = {item.name: getattr(batch, item.name)[copied] for item in fields(PacketBatch)}
        original = PacketBatch(**columns)
        n, period_us = len(original), end_us - start_us
        step_us = period_us // self._rate
        for k in range(1, self._rate) if n else ():
            generated_us = start_us + (original.generated_us - start_us + k * step_us) % period_us
            batch = merged(
                batch,
                replace(
                    original,
                    generated_us=generated_us,
                    deadline_us=generated_us + max(step_us, _LEAST_BUDGET_US),
                    event=np.ones(n, dtype=np.bool_),
                    digest=np.zeros(n, dtype=np.bool_),
                ),
            )
        return batch
