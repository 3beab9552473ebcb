"""The local dynamic map: whom each road user knows of, from what it received and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState
from v2x.perception.states import RowArray, StateRing, States, joined
from v2x.units import US_PER_S


class Source(IntEnum):
    """Where knowledge of another road user comes from."""

    #: Its own state messages (BSM, CAM, PSM, VAM).
    MESSAGE = 0
    #: Objects that others perceived and told of (RSM, CPM, SSM).
    TOLD = 1
    #: Sensors of the host.
    SENSOR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Pairs of a road user and another one of which it knows, extrapolated to now.

    Attributes
    ----------
    time_us : int
        Now [µs].
    host, remote : (n,) intp
        Rows of who knows and of whom.
    generated_us : (n,) int64
        When the state that it knows was measured [µs].
    source : (n,) int8
        A :class:`Source`.
    states
        The remote ones now, as the host works them out.
    """

    time_us: int
    host: RowArray
    remote: RowArray
    generated_us: NDArray[np.int64]
    source: NDArray[np.int8]
    states: States

    def __len__(self) -> int:
        return len(self.host)

    @property
    def age_s(self) -> NDArray[np.float64]:
        """Age of the information [s], (n,)."""
        return np.asarray((self.time_us - self.generated_us) / US_PER_S)

    def take(self, rows: RowArray) -> Known:
        """Return some of the pairs."""
        return Known(
            time_us=self.time_us,
            host=self.host.take(rows),
            remote=self.remote.take(rows),
            generated_us=self.generated_us.take(rows),
            source=self.source.take(rows),
            states=self.states.take(rows),
        )

    def where(self, kept: NDArray[np.bool_]) -> Known:
        """Return the pairs that are kept; these themselves if all are."""
        return self if kept.all() else self.take(np.flatnonzero(kept))


@dataclass(frozen=True, slots=True)
class Heard:
    """When the newest state message that arrived over a link was generated.

    Attributes
    ----------
    sender, receiver : (n,) int32
        Rows at its ends.
    generated_us : (n,) int64
        Time of generation [µs].
    """

    sender: NDArray[np.int32]
    receiver: NDArray[np.int32]
    generated_us: NDArray[np.int64]


class LocalDynamicMap:
    """Turns what arrived into states of others, one map for each receiver, all in one array.

    Nothing is stored per receiver but the time of the newest message of each link: what a message
    held is looked up among the states that its sender had.

    Parameters
    ----------
    n_rows
        Rows of the fleet.
    forget_us
        Older information is not used [µs].
    period_us
        Time between ticks [µs].
    """

    def __init__(self, n_rows: int, forget_us: int, period_us: int) -> None:
        self._forget_us = forget_us
        self._ring = StateRing(n_rows, forget_us // period_us + 3, period_us)

    def tell(self, fleet: FleetState, own: States) -> None:
        """Note what everybody says of itself from now on."""
        self._ring.put(fleet, own)

    def said(
        self, fleet: FleetState, heard: Heard
    ) -> tuple[States, NDArray[np.int64], NDArray[np.bool_]]:
        """Return what messages said, of when [µs], and whether that is still remembered."""
        sender = heard.sender.astype(np.intp)
        return self._ring.said(sender, fleet.id[sender], heard.generated_us)

    def known(self, fleet: FleetState, heard: Heard) -> Known:
        """Return who knows of whom through messages."""
        now_us = fleet.time_us
        fresh = np.flatnonzero(
            (heard.generated_us <= now_us) & (heard.generated_us >= now_us - self._forget_us)
        )
        sender = heard.sender[fresh].astype(np.intp)
        generated_us = heard.generated_us[fresh]
        said, time_us, remembered = self._ring.said(sender, fleet.id[sender], generated_us)
        kept = np.flatnonzero(remembered)
        states = said.where(remembered).after((now_us - time_us[kept]) / US_PER_S)
        return Known(
            time_us=now_us,
            host=heard.receiver[fresh][kept].astype(np.intp),
            remote=sender[kept],
            generated_us=generated_us[kept],
            source=np.full(len(kept), Source.MESSAGE, dtype=np.int8),
            states=states,
        )


def newest(first: Known, second: Known, n_rows: int) -> Known:
    """Return the pairs of both; of a pair in both the newer one, of equally old ones the first."""
    if len(second) == 0:
        return first
    host = np.concatenate([first.host, second.host])
    remote = np.concatenate([first.remote, second.remote])
    pair = host * n_rows + remote
    age_us = first.time_us - np.concatenate([first.generated_us, second.generated_us])
    order = np.lexsort((np.arange(len(pair)), age_us, pair))
    begins = np.append(True, np.diff(pair[order]) != 0)
    both = Known(
        time_us=first.time_us,
        host=host,
        remote=remote,
        generated_us=np.concatenate([first.generated_us, second.generated_us]),
        source=np.concatenate([first.source, second.source]),
        states=joined(first.states, second.states),
    )
    return both.take(order[begins])
