"""Messages of events, beside those that come with a period: braking, breakdown, obstacles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.applications.base import Application, ApplicationFilter, PacketBatch, merged
from v2x.messages.sizes import signed_event_bytes
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.ranges import check_ranges
from v2x.units import US_PER_MS, US_PER_S

#: Events are drawn by cells of time of this length [µs].
_CELL_US = 100_000
#: Most events of a vehicle in one cell; at 10 Hz one cell in 10^14 would have more.
_MOST_IN_CELL = 16
_NEVER_US = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class NoEvents:
    """Vehicles say what they say with a period, and nothing else."""

    @property
    def message_bytes(self) -> None:
        """There are no messages of events."""
        return None

    def around(self, application: Application, seed: int) -> Application:
        """Return the application as it is."""
        return application


@dataclass(frozen=True, slots=True, kw_only=True)
class EventParams:
    """Events that strike vehicles at random, and the messages in which they tell of them.

    Parameters
    ----------
    rate_hz
        Events per second and vehicle, a Poisson process [Hz]; no source, a choice of the study.
    size_bytes
        Size handed to the access layer [byte]; None for the signed key-event BSM of
        GB/T 45315-2025, which always carries its certificate.
    priority
        PPPP, 1 (highest) to 8; 2 for key-event BSMs (mapping of low confidence).
    latency_budget_ms
        Age at which a message is no longer worth sending [ms]; 50 for key-event BSMs in
        GB/T 45315-2025.
    repetitions
        Messages of an event after the first, each with contents of its time. 9 at 100 ms make
        the second for which a key-event flag stands at least (GB/T 45315-2025).
    repetition_interval_ms
        Time between messages of an event [ms]; 100 in GB/T 45315-2025, and typical of the
        repetition interval of a DENM for emergency braking (EN 302 637-3).
    """

    rate_hz: float = 0.05
    size_bytes: int | None = None
    priority: int = 2
    latency_budget_ms: float = 50.0
    repetitions: int = 9
    repetition_interval_ms: float = 100.0

    def __post_init__(self) -> None:
        """Reject events that cannot be told of."""
        check_ranges(
            self,
            ("rate_hz", 0.0, 10.0),
            ("size_bytes", 1, 10_000),
            ("priority", 1, 8),
            ("latency_budget_ms", 1.0, 10_000.0),
            ("repetitions", 0, 1000),
            ("repetition_interval_ms", 1.0, 10_000.0),
        )

    @property
    def message_bytes(self) -> int:
        """Size of every message [byte].

        Examples
        --------
        >>> EventParams().message_bytes
        304
        """
        return signed_event_bytes() if self.size_bytes is None else self.size_bytes

    def around(self, application: Application, seed: int) -> Application:
        """Return an application that tells of events beside what `application` says."""
        return WithEvents(application, Events(self, seed))


class Events:
    """Strikes each vehicle by a Poisson process of its own and repeats what it tells of that.

    Times belong to the stable id of a vehicle, so they do not depend on who else is there; one
    that has just come may still repeat what happened to it before. A new event ends the messages of
    the one before, whose flag its own carry, and begins its own at once (GB/T 45315-2025).

    Attributes
    ----------
    size_bytes
        Size of every message [byte].
    """

    def __init__(self, params: EventParams, seed: int) -> None:
        self._params = params
        self.size_bytes = params.message_bytes
        self._interval_us = round(params.repetition_interval_ms * US_PER_MS)
        self._budget_us = round(params.latency_budget_ms * US_PER_MS)
        self._count_key = rng.key32(seed, "events", "count")
        self._time_key = rng.key32(seed, "events", "time")
        self._at_least = _poisson_steps(params.rate_hz * _CELL_US / US_PER_S)

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the messages generated in [start_us, end_us)."""
        vehicle = np.flatnonzero(fleet.active & (fleet.kind <= NodeKind.BUS)).astype(np.int32)
        told_for_us = self._params.repetitions * self._interval_us
        struck_us, row = self._events(max(start_us - told_for_us, 0), end_us, fleet, vehicle)
        after_us = np.arange(self._params.repetitions + 1) * self._interval_us
        generated_us = (struck_us[:, None] + after_us).ravel()
        rows = np.repeat(row, len(after_us))
        over_us = np.repeat(_next_of_same(struck_us, row), len(after_us))
        due = np.flatnonzero(
            (generated_us >= start_us) & (generated_us < np.minimum(end_us, over_us))
        )
        due = due[np.lexsort((rows[due], generated_us[due]))]
        n = len(due)
        return PacketBatch(
            generated_us=generated_us[due],
            tx_row=rows[due],
            size_bytes=np.full(n, self.size_bytes, dtype=np.int32),
            deadline_us=generated_us[due] + self._budget_us,
            priority=np.full(n, self._params.priority, dtype=np.int32),
            event=np.ones(n, dtype=np.bool_),
        )

    def _events(
        self, start_us: int, end_us: int, fleet: FleetState, vehicle: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return when events struck in the cells of [start_us, end_us), and which row each.

        Rows in ascending order, and the events of each.
        """
        cell = np.arange(start_us // _CELL_US, -(-end_us // _CELL_US), dtype=np.int64)
        row, cells = np.repeat(vehicle, len(cell)), np.tile(cell, len(vehicle))
        draw = rng.uniform_by_id(self._count_key, fleet.id[row], cells)
        n_events = np.searchsorted(self._at_least, draw, side="right")
        which = np.repeat(np.arange(len(row)), n_events)
        within = np.arange(len(which)) - np.repeat(np.cumsum(n_events) - n_events, n_events)
        row, cells = row[which], cells[which]
        place = rng.uniform_by_id(self._time_key, fleet.id[row], cells * _MOST_IN_CELL + within)
        struck_us = cells * _CELL_US + (place * _CELL_US).astype(np.int64)
        order = np.lexsort((struck_us, row))
        return struck_us[order], row[order]


def _next_of_same(struck_us: NDArray[np.int64], row: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return when the next event of the same row struck, of events in the order of both."""
    following = np.append(struck_us[1:], _NEVER_US)
    return np.where(row == np.append(row[1:], -1), following, _NEVER_US)


def _poisson_steps(mean: float) -> NDArray[np.float64]:
    """Return the probabilities of at most 0, 1, 2, ... events, up to the most in a cell."""
    share = np.cumprod([1.0, *(mean / k for k in range(1, _MOST_IN_CELL))])
    return np.asarray(np.exp(-mean) * np.cumsum(share))


class WithEvents(ApplicationFilter):
    """Adds messages of events to those of an application.

    Sizes and period are those of what recurs, for grants for events are of their own.

    Parameters
    ----------
    application
        Says what comes with a period.
    events
        Says what does not.
    """

    def __init__(self, application: Application, events: Events) -> None:
        super().__init__(application)
        self._events = events

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us), asked for without gaps."""
        return merged(
            self._application.packets(start_us, end_us, fleet),
            self._events.packets(start_us, end_us, fleet),
        )
