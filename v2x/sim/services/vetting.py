"""Receivers that doubt: which state messages of each link are believed, and what it helps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState
from v2x.perception.ldm import Heard, LocalDynamicMap
from v2x.perception.states import States
from v2x.security.attacks.base import MOTION, Claims
from v2x.security.links import LinkTimes
from v2x.security.plausibility.detector import Detector
from v2x.security.plausibility.heard import Heard as Reception

BoolArray = NDArray[np.bool_]
#: Columns of :class:`Tally`: true and forged, those that were dropped of each.
_COUNTS = ("n_true", "n_true_dropped", "n_forged", "n_forged_dropped")


class Doubt:
    """Checks messages and drops those that cannot be true.

    Parameters
    ----------
    detector
        Checks them; knows receivers by their rows.
    verdict
        ``any`` or ``behaviour``, see :class:`~v2x.security.plausibility.detector.Findings`.
    """

    def __init__(self, detector: Detector, verdict: str) -> None:
        self._detector, self._verdict = detector, verdict

    def restart(self, receivers: NDArray[np.intp], now_us: int) -> None:
        """Let `receivers` begin anew, for other road users."""
        self._detector.restart(receivers, now_us)

    def drops(self, receiver: NDArray[np.int64], claims: Claims, own: States) -> BoolArray:
        """Return which messages receivers do not believe, (n,)."""
        unknown = np.full(len(claims), np.nan)
        heard = Reception(
            receiver=receiver,
            arrived_us=claims.time_us,
            claim=claims,
            here_x_m=own.x_m[receiver],
            here_y_m=own.y_m[receiver],
            here_heading_rad=own.heading_rad[receiver],
            signal_dbm=unknown,
            seen_gap_m=unknown,
        )
        return self._detector.judge(heard).of(self._verdict)


class Tally:
    """Counts what was believed of each sender.

    Parameters
    ----------
    n_rows
        Rows of the fleet.
    """

    def __init__(self, n_rows: int) -> None:
        self._id = np.full(n_rows, -1, dtype=np.int64)
        self._attacks: BoolArray = np.zeros(n_rows, dtype=np.bool_)
        self._count = np.zeros((n_rows, len(_COUNTS)), dtype=np.int64)
        self._left: list[dict[str, NDArray[np.generic]]] = []

    def bind(self, identity: NDArray[np.int64], attacks: BoolArray) -> None:
        """Begin anew for rows whose road user is another one now, (n_rows,) each."""
        changed = identity != self._id
        if changed.any():
            self._left.append(self._part(np.flatnonzero(changed)))
            self._count[changed] = 0
            self._id = identity.copy()
        self._attacks = attacks

    def add(self, sender: NDArray[np.integer], forged: BoolArray, dropped: BoolArray) -> None:
        """Count messages at receivers, (n,) each."""
        kind = 2 * forged
        np.add.at(self._count, (sender, kind), 1)
        np.add.at(self._count, (sender[dropped], kind[dropped] + 1), 1)

    def table(self) -> dict[str, NDArray[np.generic]]:
        """Return the table ``detections``, without ``replication``; a row for each sender."""
        parts = [*self._left, self._part(np.arange(len(self._id)))]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.argsort(columns["id"], kind="stable")
        return {name: column[order] for name, column in columns.items()}

    def _part(self, rows: NDArray[np.intp]) -> dict[str, NDArray[np.generic]]:
        rows = rows[self._count[rows].any(axis=1)]
        counts = {name: self._count[rows, k] for k, name in enumerate(_COUNTS)}
        return {"id": self._id[rows], "attacks": self._attacks[rows], **counts}


class Vetting:
    """Says which message of each link its receiver goes by.

    Each tick the newest message of each link is looked at, once. Where it is not believed, the
    receiver goes by the one before.

    Parameters
    ----------
    n_rows
        Rows of the fleet.
    n_ticks, tick_us
        How many ticks a message may be old, and time between them [µs].
    doubt
        None for receivers that believe everything; messages are only counted then.
    warmup_us
        Nothing before this time is counted [µs].
    """

    def __init__(
        self, n_rows: int, n_ticks: int, tick_us: int, doubt: Doubt | None, warmup_us: int
    ) -> None:
        self._doubt, self._tick_us, self._warmup_us = doubt, tick_us, warmup_us
        self._links, self._tally = LinkTimes(n_rows), Tally(n_rows)
        self._forged = np.zeros((n_ticks, n_rows), dtype=np.bool_)
        self._id = np.full(n_rows, -1, dtype=np.int64)

    def tell(self, fleet: FleetState, forged: BoolArray, attacks: BoolArray) -> None:
        """Note who says what is not true from now on, and who attacks, (n_rows,) each."""
        changed = np.flatnonzero(fleet.id != self._id)
        if len(changed):
            self._id = fleet.id.copy()
            self._links.forget(changed)
            if self._doubt is not None:
                self._doubt.restart(changed, fleet.time_us)
        self._tally.bind(fleet.id, attacks)
        self._forged[self._place(fleet.time_us)] = forged

    def believed(
        self, fleet: FleetState, own: States, ldm: LocalDynamicMap, heard: Heard
    ) -> NDArray[np.int64]:
        """Return when the newest message of each link that is believed was generated.

        Parameters
        ----------
        fleet, own
            Everybody, and where receivers believe to be.
        ldm
            Remembers what was said.
        heard
            Newest message of each link, no pair twice.

        Returns
        -------
        (n,) int64
            -1 for none [µs].
        """
        sender, receiver, newest_us = heard.sender, heard.receiver, heard.generated_us
        seen, believed = self._links.before(sender, receiver, newest_us)
        new = np.flatnonzero(newest_us > seen)
        said, time_us, remembered = ldm.said(fleet, _chosen(heard, new))
        # What is too old to be remembered is too old to be used, so nobody asks whether it is true.
        new, kept = new[remembered], np.flatnonzero(remembered)
        claims = _claims(fleet, sender[new].astype(np.int64), said.take(kept), time_us[kept])
        listener = receiver[new].astype(np.int64)
        dropped = (
            np.zeros(len(new), dtype=np.bool_)
            if self._doubt is None
            else self._doubt.drops(listener, claims, own)
        )
        if fleet.time_us >= self._warmup_us:
            forged = self._forged[self._place(claims.time_us), claims.sender]
            self._tally.add(claims.sender, forged, dropped)
        good = new[~dropped]
        believed[good] = newest_us[good]
        self._links.put(sender, receiver, np.maximum(seen, newest_us), believed)
        return believed

    def table(self) -> dict[str, NDArray[np.generic]]:
        """Return the table ``detections``, without ``replication``."""
        return self._tally.table()

    def _place(self, time_us: int | NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(time_us) // self._tick_us % len(self._forged)


def _chosen(heard: Heard, index: NDArray[np.intp]) -> Heard:
    return Heard(heard.sender[index], heard.receiver[index], heard.generated_us[index])


def _claims(
    fleet: FleetState, sender: NDArray[np.int64], said: States, time_us: NDArray[np.int64]
) -> Claims:
    """Return messages as the checks take them."""
    return Claims(
        sender=sender,
        identity=fleet.id[sender],
        time_us=time_us,
        length_m=fleet.length_m[sender],
        width_m=fleet.width_m[sender],
        **{name: getattr(said, name) for name in MOTION},
    )
