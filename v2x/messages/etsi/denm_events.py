"""What receivers know of events, and who keeps them alive (EN 302 637-3, clause 8).

One row a pair of receiver and event. Of several versions the one with the newest reference time
counts, of equal ones that which ends the event. An event that was cancelled or negated is no longer
known, but its end is remembered as long as it was valid, so that late copies do not bring it back.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.messages.etsi.denm_origin import GOES_ON, NOT_DUE_US
from v2x.messages.etsi.memory import places_of
from v2x.units import US_PER_MS

Times = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAliveParams:
    """Keep-alive forwarding: stations in the area repeat what its originator no longer does.

    Parameters
    ----------
    n_intervals
        An event is forwarded if it was not heard for so many transmission intervals.
    spread_ms
        And for a random time up to this on top [ms].
    """

    n_intervals: float = 2.0
    spread_ms: float = 150.0

    def __post_init__(self) -> None:
        """Reject timers that have run out before they begin."""
        if not self.n_intervals > 0.0:
            raise ValueError(f"n_intervals must be > 0, got {self.n_intervals}")
        if not 0.0 <= self.spread_ms <= 10_000.0:
            raise ValueError(f"spread_ms must be within 0 and 10000, got {self.spread_ms}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """DENMs that arrived, or what receivers know of events; one row a receiver and event.

    Attributes
    ----------
    receiver : (n,) int32
        Row of the receiver.
    receiver_id : (n,) int64
        Its identity.
    originator_id, sequence : (n,) int64
        Name of the event.
    reference_us : (n,) int64
        When this version was made [µs].
    termination : (n,) int64
        A :class:`~v2x.messages.etsi.denm.Termination`, -1 while the event goes on.
    valid_until_us : (n,) int64
        End of its validity [µs].
    interval_us : (n,) int64
        transmissionInterval [µs], 0 if the message names none.
    content : (n,) int64
        What the caller keeps the message under, for example the number of its packet.
    """

    receiver: NDArray[np.int32]
    receiver_id: Times
    originator_id: Times
    sequence: Times
    reference_us: Times
    termination: Times
    valid_until_us: Times
    interval_us: Times
    content: Times

    def __len__(self) -> int:
        return len(self.receiver)

    def chosen(self, which: BoolArray | NDArray[np.int64]) -> Heard:
        """Return some of the rows."""
        return Heard(**{item.name: getattr(self, item.name)[which] for item in fields(self)})

    @property
    def key(self) -> tuple[Times, Times, Times]:
        """Receiver and name of the event."""
        return self.receiver_id, self.originator_id, self.sequence


def nothing_heard() -> Heard:
    """Return no rows."""
    columns = {item.name: np.zeros(0, dtype=np.int64) for item in fields(Heard)}
    return Heard(**columns | {"receiver": np.zeros(0, dtype=np.int32)})  # type: ignore[arg-type]


class EventTables:
    """Events that receivers know, with the timers of keep-alive forwarding.

    Parameters
    ----------
    params
        Timers of keep-alive forwarding.
    seed
        Seed of the run.
    """

    def __init__(self, params: KeepAliveParams, seed: int) -> None:
        self._params = params
        self._key = rng.key32(seed, "denm", "keep-alive")
        self._heard = nothing_heard()
        self._timer_us = np.zeros(0, dtype=np.int64)

    def receive(self, now_us: int, arrived: Heard) -> BoolArray:
        """Take messages in, and return which of them say something new to their receiver, (n,).

        A copy of what is known restarts the timer; an older version does nothing.

        Parameters
        ----------
        now_us
            When they arrived [µs].
        arrived
            The messages; a receiver may have several of one event.
        """
        newest = _newest_of_each(arrived)
        place = places_of(self._heard.key, newest.key)
        known = place >= 0
        before = _version(self._heard.chosen(place[known]))
        version = _version(newest)
        newer, current = ~known, ~known
        newer[known] = version[known] > before
        current[known] = version[known] >= before
        restarted = self._timers(now_us, newest)
        self._timer_us[place[known & current]] = restarted[known & current]
        kept = np.ones(len(self._heard), dtype=np.bool_)
        kept[place[known & newer]] = False
        self._timer_us = np.append(self._timer_us[kept], restarted[newer])
        self._heard = _joined(self._heard.chosen(kept), newest.chosen(newer))
        at = places_of(newest.key, arrived.key)
        return np.asarray(newer[at] & (_version(arrived) == version[at]))

    def known(self, now_us: int, identity: NDArray[np.int64]) -> Heard:
        """Return the events that receivers know of, and forget what is no longer valid.

        Parameters
        ----------
        now_us
            The present tick [µs].
        identity : (n_rows,) int64
            Stable identity of every row; who has left knows nothing.
        """
        self._forget(now_us, identity)
        return self._heard.chosen(self._heard.termination == GOES_ON)

    def forward(self, now_us: int, identity: NDArray[np.int64], inside: BoolArray) -> Heard:
        """Return what stations forward by `now_us`, since they have not heard of it for long.

        Parameters
        ----------
        now_us
            The present tick [µs].
        identity : (n_rows,) int64
            Stable identity of every row.
        inside : (n_known,) bool
            Which receivers of :meth:`known`, called at the same tick, are in the area of their
            event. Outside of it nobody forwards, and the timer goes on.
        """
        self._forget(now_us, identity)
        goes_on = np.flatnonzero(self._heard.termination == GOES_ON)
        if len(inside) != len(goes_on):
            raise ValueError("inside must have one value per event known")
        due = goes_on[inside & (self._timer_us[goes_on] <= now_us)]
        sent = self._heard.chosen(due)
        self._timer_us[due] = self._timers(now_us, sent)
        return sent

    def _forget(self, now_us: int, identity: NDArray[np.int64]) -> None:
        heard = self._heard
        kept = (heard.valid_until_us >= now_us) & (identity[heard.receiver] == heard.receiver_id)
        if not kept.all():
            self._heard = heard.chosen(kept)
            self._timer_us = self._timer_us[kept]

    def _timers(self, now_us: int, heard: Heard) -> Times:
        """Return when the events are forwarded unless they are heard of again [µs]."""
        # One draw for each receiver, event and restart of the timer.
        name = heard.originator_id * 65_536 + heard.sequence
        draw = rng.uniform_by_id(self._key, heard.receiver_id, name * 1_000_003 + np.int64(now_us))
        wait_us = self._params.n_intervals * heard.interval_us
        wait_us = wait_us + draw * self._params.spread_ms * US_PER_MS
        needed = (heard.interval_us > 0) & (heard.termination == GOES_ON)
        return np.where(needed, now_us + np.rint(wait_us).astype(np.int64), NOT_DUE_US)


def _joined(first: Heard, second: Heard) -> Heard:
    return Heard(
        **{
            item.name: np.concatenate([getattr(first, item.name), getattr(second, item.name)])
            for item in fields(Heard)
        }
    )


def _version(heard: Heard) -> Times:
    """Return what orders versions of an event: reference time, then whether it is over."""
    return np.asarray(2 * heard.reference_us + (heard.termination != GOES_ON))


def _newest_of_each(arrived: Heard) -> Heard:
    """Return the newest version of each receiver and event."""
    order = np.lexsort((_version(arrived), *arrived.key))
    last = np.ones(len(order), dtype=np.bool_)
    keys = [part[order] for part in arrived.key]
    last[:-1] = np.any([part[1:] != part[:-1] for part in keys], axis=0)
    return arrived.chosen(order[last])
