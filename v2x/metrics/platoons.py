"""How well platoons stayed together, from table ``platoons``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Places and modes of a member that follows close: see table ``platoons``.
_FOLLOWS, _CACC = 3, 0


@dataclass(frozen=True, slots=True)
class MemberFigures:
    """One follower.

    Attributes
    ----------
    platoon, member, rank
        Which platoon, its stable id, and its last rank in it.
    amplification
        Largest acceleration or braking over that of the leader at the same times; NaN behind a
        leader that never changed its speed.
    close_share
        Share of its time as a follower in which it went by what it had heard.
    """

    platoon: int
    member: int
    rank: int
    amplification: float
    close_share: float


@dataclass(frozen=True, slots=True)
class PlatoonFigures:
    """All platoons of a run.

    Attributes
    ----------
    members
        Followers in the order of platoons and ranks.
    gap_error_p95_m
        95th percentile of the size of gap errors of followers that go by what they have heard
        [m]; NaN without any.
    """

    members: tuple[MemberFigures, ...]
    gap_error_p95_m: float


def platoon_figures(table: Mapping[str, NDArray[Any]]) -> PlatoonFigures:
    """Return the figures of table ``platoons`` of one replication."""
    follows = (table["rank"] > 0) & (table["place"] == _FOLLOWS)
    close = follows & (table["mode"] == _CACC)
    error = np.abs(table["gap_error_m"][close])
    error = error[np.isfinite(error)]
    pairs = np.unique(
        np.stack([table["platoon"][follows], table["member"][follows]], axis=1), axis=0
    )
    members = [_member(table, follows, close, *pair) for pair in pairs.tolist()]
    members.sort(key=lambda item: (item.platoon, item.rank))
    return PlatoonFigures(
        members=tuple(members),
        gap_error_p95_m=float(np.quantile(error, 0.95)) if len(error) else float("nan"),
    )


def _member(
    table: Mapping[str, NDArray[Any]],
    follows: NDArray[np.bool_],
    close: NDArray[np.bool_],
    platoon: int,
    member: int,
) -> MemberFigures:
    of_platoon = table["platoon"] == platoon
    mine = follows & of_platoon & (table["member"] == member)
    times = table["time_s"][mine]
    leads = of_platoon & (table["rank"] == 0) & np.isin(table["time_s"], times)
    hardest = table["peak_mps2"][leads].max(initial=0.0)
    own = float(table["peak_mps2"][mine].max())
    return MemberFigures(
        platoon=platoon,
        member=member,
        rank=int(table["rank"][mine][-1]),
        amplification=own / float(hardest) if hardest > 0.0 else float("nan"),
        close_share=float(close[mine].sum() / mine.sum()),
    )
