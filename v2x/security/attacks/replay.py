"""Attacks 10 to 12 and 17: what was said before, or by others.

The messages are signed anew, with the present time. One that kept its old time would be
discarded by :class:`~v2x.security.envelope.FreshnessRule`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from v2x.security.attacks.base import (
    FIRST_GHOST_ID,
    MOTION,
    AttackContext,
    CatalogueAttack,
    Claims,
    FloatArray,
    IdArray,
    IndexArray,
)

#: Invented identities are drawn from so many.
_N_GHOST_IDS = 1 << 38
#: Parts the counters of draws of different attackers at one time.
_COUNTERS = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourParams:
    """Whom the attacker can hear.

    Parameters
    ----------
    range_m
        Distance to neighbours whose data it uses [m] (ours).
    """

    range_m: float = 300.0

    def __post_init__(self) -> None:
        """Reject ranges without room."""
        if not self.range_m > 0:
            raise ValueError(f"range_m must be > 0, got {self.range_m}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataReplayParams(NeighbourParams):
    """Whose data are replayed, and when.

    Parameters
    ----------
    delay_messages
        How many messages late (ours).
    """

    delay_messages: int = 10

    def __post_init__(self) -> None:
        """Reject ranges without room."""
        NeighbourParams.__post_init__(self)
        if self.delay_messages < 1:
            raise ValueError(f"delay_messages must be at least 1, got {self.delay_messages}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataReplaySybilParams(DataReplayParams):
    """Whose data are replayed, when, and under how many names (default of F2MD).

    Parameters
    ----------
    burst_messages
        Messages under one name.
    """

    burst_messages: int = 6

    def __post_init__(self) -> None:
        """Reject ranges without room."""
        DataReplayParams.__post_init__(self)
        if self.burst_messages < 1:
            raise ValueError(f"burst_messages must be at least 1, got {self.burst_messages}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleParams:
    """How late own data are sent (default of F2MD).

    Parameters
    ----------
    delay_messages
        Messages that the buffer holds back; until it is full, the truth is sent.
    """

    delay_messages: int = 60

    def __post_init__(self) -> None:
        """Reject buffers that hold nothing."""
        if self.delay_messages < 1:
            raise ValueError(f"delay_messages must be at least 1, got {self.delay_messages}")


class PastMotion:
    """The last states of every row, a message apart.

    Parameters
    ----------
    n_rows
        Rows of the fleet.
    delay_messages
        How far back it looks.
    """

    def __init__(self, n_rows: int, delay_messages: int) -> None:
        shape = (delay_messages + 1, n_rows)
        self._held = {name: np.zeros(shape) for name in MOTION}
        self._owner = np.full(shape, -1, dtype=np.int64)
        self._now = -1

    def push(self, truth: Claims) -> None:
        """Remember what everybody does now."""
        self._now = (self._now + 1) % len(self._owner)
        self._owner[self._now] = -1
        self._owner[self._now, truth.sender] = truth.identity
        for name in MOTION:
            self._held[name][self._now, truth.sender] = getattr(truth, name)

    def before(
        self, row: IdArray, identity: IdArray
    ) -> tuple[NDArray[np.bool_], dict[str, FloatArray]]:
        """Return which of `row` were the same road user at the far end, and its motion then."""
        then = (self._now + 1) % len(self._owner)
        known = self._owner[then, row] == identity
        return known, {name: self._held[name][then, row] for name in MOTION}


class NeighbourAttack(CatalogueAttack):
    """Chooses neighbours at random."""

    def _neighbour(
        self, truth: Claims, attacker: IndexArray, counter: IdArray
    ) -> tuple[IndexArray, NDArray[np.bool_]]:
        """Return a neighbour in `truth` for each attacker, and whether it has any.

        A neighbour goes by the hash of both and of the counter, (k,), so that one drawn with the
        same counter again is the same for as long as it is in range.
        """
        away_m = np.hypot(
            truth.x_m - truth.x_m[attacker, None], truth.y_m - truth.y_m[attacker, None]
        )
        near = away_m <= self._params.range_m
        near[np.arange(len(attacker)), attacker] = False
        of_pair = truth.identity[attacker] + _COUNTERS * counter
        draw = self._draw("neighbour", truth.identity[None, :], of_pair[:, None])
        return np.argmax(np.where(near, draw, -1.0), axis=1), near.any(axis=1)


class Disruptive(NeighbourAttack):
    """10: the present data of neighbours under the own name, of another one in each message."""

    Params = NeighbourParams
    number = 10

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        own = truth.chosen(attacker)
        other, has_any = self._neighbour(truth, attacker, own.time_us)
        motion = {name: getattr(truth, name)[other] for name in MOTION}
        return with_motion(own, has_any, motion)


class DataReplay(NeighbourAttack):
    """11: what a neighbour said a little before, under the own name."""

    Params = DataReplayParams
    number = 11

    def __init__(self, params: DataReplayParams, context: AttackContext) -> None:
        super().__init__(params, context)
        self._past = PastMotion(context.n_rows, params.delay_messages)

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        self._past.push(truth)
        return self._replayed(truth, attacker, np.zeros(len(attacker), dtype=np.int64))

    def _replayed(self, truth: Claims, attacker: IndexArray, counter: IdArray) -> Claims:
        own = truth.chosen(attacker)
        other, has_any = self._neighbour(truth, attacker, counter)
        known, motion = self._past.before(truth.sender[other], truth.identity[other])
        return with_motion(own, has_any & known, motion)


class StaleMessages(CatalogueAttack):
    """12: the own data of some time ago."""

    Params = StaleParams
    number = 12

    def __init__(self, params: StaleParams, context: AttackContext) -> None:
        super().__init__(params, context)
        self._past = PastMotion(context.n_rows, params.delay_messages)

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        own = truth.chosen(attacker)
        self._past.push(own)
        known, motion = self._past.before(own.sender, own.identity)
        return with_motion(own, known, motion)


class DataReplaySybil(DataReplay):
    """17: what neighbours said a little before, under a new name for each burst."""

    Params = DataReplaySybilParams
    number = 17
    invents_names = True

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        self._past.push(truth)
        burst_us = self._params.burst_messages * self._context.period_us
        burst = truth.time_us[attacker] // burst_us
        said = self._replayed(truth, attacker, burst)
        return replace(said, identity=ghost_identity(self._draw("name", said.identity, burst)))


def with_motion(own: Claims, there: NDArray[np.bool_], motion: dict[str, FloatArray]) -> Claims:
    """Return claims with another motion where it is `there`, the own one elsewhere."""
    return replace(
        own, **{name: np.where(there, motion[name], getattr(own, name)) for name in MOTION}
    )


def ghost_identity(draw: FloatArray) -> IdArray:
    """Return invented identities from numbers in [0, 1)."""
    return FIRST_GHOST_ID + (draw * _N_GHOST_IDS).astype(np.int64)
