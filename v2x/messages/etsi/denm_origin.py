"""Stations that tell of events: new, changed, over (EN 302 637-3, clause 8)."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from v2x.messages.etsi.denm import DEFAULT_VALIDITY_S, Termination
from v2x.units import US_PER_MS, US_PER_S

Times = NDArray[np.int64]
#: Sequence numbers of a station begin anew after this many.
N_SEQUENCES = 65_536
#: Column `termination` of an event that goes on.
GOES_ON = -1
#: Time of what will not happen [µs].
NOT_DUE_US = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """How a DENM is sent again; what is not in the message but asked for by the application.

    Parameters
    ----------
    interval_ms
        repetitionInterval [ms]; None for a single message.
    duration_s
        repetitionDuration [s], counted from the trigger; it ends with the validity in any case.
    validity_s
        validityDuration [s], counted from the detection.
    """

    interval_ms: float | None = None
    duration_s: float = 0.0
    validity_s: float = DEFAULT_VALIDITY_S

    def __post_init__(self) -> None:
        """Reject what a DENM cannot say or do."""
        if self.interval_ms is not None and not 1.0 <= self.interval_ms <= 10_000.0:
            raise ValueError(f"interval_ms must be within 1 and 10000, got {self.interval_ms}")
        if not self.duration_s >= 0.0:
            raise ValueError(f"duration_s must be >= 0, got {self.duration_s}")
        if not 0.0 <= self.validity_s <= 86_400.0:
            raise ValueError(f"validity_s must be within 0 and 86400, got {self.validity_s}")


@dataclass(slots=True, kw_only=True)
class OwnEvents:
    """Events that stations tell of, one row each.

    Attributes
    ----------
    station : (n,) int32
        Row of the station that sends.
    station_id : (n,) int64
        Its identity.
    originator_id, sequence : (n,) int64
        Name of the event (actionID); the originator is another station where it is negated.
    detection_us, reference_us : (n,) int64
        When it was detected, and when this version was made [µs].
    termination : (n,) int64
        A :class:`~v2x.messages.etsi.denm.Termination`, -1 while it goes on.
    valid_until_us, repeat_until_us, interval_us, next_us : (n,) int64
        End of validity, end and interval of the repetition, next message [µs].
    """

    station: NDArray[np.int32]
    station_id: Times
    originator_id: Times
    sequence: Times
    detection_us: Times
    reference_us: Times
    termination: Times
    valid_until_us: Times
    repeat_until_us: Times
    interval_us: Times
    next_us: Times

    def __len__(self) -> int:
        return len(self.station)

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> OwnEvents:
        """Return some of the events."""
        return OwnEvents(**{item.name: getattr(self, item.name)[which] for item in fields(self)})


def _joined(first: OwnEvents, second: OwnEvents) -> OwnEvents:
    return OwnEvents(
        **{
            item.name: np.concatenate([getattr(first, item.name), getattr(second, item.name)])
            for item in fields(OwnEvents)
        }
    )


def no_events() -> OwnEvents:
    """Return no events."""
    columns = {item.name: np.zeros(0, dtype=np.int64) for item in fields(OwnEvents)}
    return OwnEvents(**columns | {"station": np.zeros(0, dtype=np.int32)})  # type: ignore[arg-type]


class Originators:
    """Tells of events for all stations; an event is named by its originator and sequence number."""

    def __init__(self) -> None:
        self._events = no_events()
        self._n_told: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._events)

    def trigger(
        self,
        now_us: int,
        station: NDArray[np.int32],
        identity: NDArray[np.int64],
        repetition: Repetition,
        detection_us: int | None = None,
    ) -> NDArray[np.int64]:
        """Tell of new events (AppDENM_trigger), one a station.

        Parameters
        ----------
        now_us
            The present tick; the first message is due at once.
        station, identity : (n,)
            Rows and identities of the stations.
        repetition
            How it is repeated.
        detection_us
            When the events were detected; now if it is not given.

        Returns
        -------
        (n,) int64
            Sequence numbers: with the identity, the name of each event.
        """
        sequence = np.empty(len(station), dtype=np.int64)
        for index, who in enumerate(identity.tolist()):
            told = self._n_told.get(who, 0)
            self._n_told[who] = told + 1
            sequence[index] = told % N_SEQUENCES
        began_us = now_us if detection_us is None else detection_us
        self._add(now_us, began_us, station, identity, (identity, sequence), repetition, GOES_ON)
        return sequence

    def update(
        self,
        now_us: int,
        identity: int,
        sequence: int,
        repetition: Repetition,
    ) -> None:
        """Tell that an own event has changed (AppDENM_update): same name, later reference time.

        Raises
        ------
        ValueError
            If the station does not tell of this event (any more).
        """
        old = self._taken(identity, sequence)
        self._add(
            now_us,
            int(old.detection_us[0]),
            old.station,
            old.station_id,
            (old.originator_id, old.sequence),
            repetition,
            GOES_ON,
        )

    def cancel(self, now_us: int, identity: int, sequence: int, repetition: Repetition) -> None:
        """Tell that an own event is over (AppDENM_termination by its originator).

        Raises
        ------
        ValueError
            If the station does not tell of this event (any more).
        """
        old = self._taken(identity, sequence)
        self._add(
            now_us,
            int(old.detection_us[0]),
            old.station,
            old.station_id,
            (old.originator_id, old.sequence),
            repetition,
            Termination.CANCELLATION,
        )

    def negate(
        self,
        now_us: int,
        station: NDArray[np.int32],
        identity: NDArray[np.int64],
        action: tuple[int, int],
        detection_us: int,
        repetition: Repetition,
    ) -> None:
        """Tell that the event of another station is over (termination by a third station).

        Parameters
        ----------
        now_us
            The present tick.
        station, identity : (n,)
            Rows and identities of those who found that it is over.
        action
            Identity of the originator and sequence number.
        detection_us
            When the event was detected, as its messages said [µs].
        repetition
            How the negation is repeated.

        Raises
        ------
        ValueError
            If the originator itself is among them, who cancels instead.
        """
        if (identity == action[0]).any():
            raise ValueError("the originator of an event cancels it, others negate it")
        name = (np.full(len(station), action[0]), np.full(len(station), action[1]))
        self._add(now_us, detection_us, station, identity, name, repetition, Termination.NEGATION)

    def due(self, now_us: int, identity: NDArray[np.int64]) -> OwnEvents:
        """Return the events whose message is sent by `now_us`, and arrange for their repetition.

        Each is returned once, at its `next_us`; if that is long ago, the one after it may be due
        too, so ask until nothing is. Stations that have left say no more.

        Parameters
        ----------
        now_us
            The present tick [µs].
        identity : (n_rows,) int64
            Stable identity of every row.
        """
        events = self._events
        there = identity[events.station] == events.station_id
        told = there & (events.next_us <= now_us)
        sent = events.chosen(told)
        following_us = events.next_us + events.interval_us
        repeats = (events.interval_us > 0) & (following_us <= events.repeat_until_us)
        events.next_us = np.where(told, np.where(repeats, following_us, NOT_DUE_US), events.next_us)
        pending = events.next_us <= now_us
        self._events = events.chosen(there & (pending | (events.valid_until_us >= now_us)))
        return sent

    def _taken(self, identity: int, sequence: int) -> OwnEvents:
        """Return an own event that goes on, and drop it."""
        events = self._events
        found = (
            (events.station_id == identity)
            & (events.originator_id == identity)
            & (events.sequence == sequence)
            & (events.termination == GOES_ON)
        )
        if not found.any():
            raise ValueError(f"station {identity} tells of no event {sequence}")
        old = events.chosen(found)
        self._events = events.chosen(~found)
        return old

    def _add(
        self,
        now_us: int,
        detection_us: int,
        station: NDArray[np.int32],
        identity: NDArray[np.int64],
        action: tuple[Times, Times],
        repetition: Repetition,
        termination: int,
    ) -> None:
        n = len(station)
        until_us = detection_us + round(repetition.validity_s * US_PER_S)
        interval_ms = repetition.interval_ms
        repeat_us = min(now_us + round(repetition.duration_s * US_PER_S), until_us)

        def filled(value: int) -> Times:
            return np.full(n, value, dtype=np.int64)

        new = OwnEvents(
            station=station.astype(np.int32),
            station_id=identity.astype(np.int64),
            originator_id=action[0].astype(np.int64),
            sequence=action[1].astype(np.int64),
            detection_us=filled(detection_us),
            reference_us=filled(now_us),
            termination=filled(termination),
            valid_until_us=filled(until_us),
            repeat_until_us=filled(repeat_us),
            interval_us=filled(0 if interval_ms is None else round(interval_ms * US_PER_MS)),
            next_us=filled(now_us),
        )
        self._events = _joined(self._events, new)
