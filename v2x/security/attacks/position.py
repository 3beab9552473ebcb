"""Attacks 1 to 4 and 9: lies about the position."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from v2x.security.attacks.base import MOTION, AttackContext, CatalogueAttack, Claims, IndexArray


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParams:
    """Nothing to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionOffsetParams:
    """Size of an offset that stays (defaults of F2MD).

    Parameters
    ----------
    offset_m
        Mean size of the offset along each axis [m].
    spread
        It is drawn evenly within this share above and below; so is its sign.
    """

    offset_m: float = 70.0
    spread: float = 0.55

    def __post_init__(self) -> None:
        """Reject offsets that are none."""
        if not self.offset_m > 0 or not 0 <= self.spread < 1:
            raise ValueError(
                f"offset_m must be > 0 and spread in [0, 1), got {self.offset_m} and {self.spread}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionNoiseParams:
    """Size of an offset that changes (default of F2MD).

    Parameters
    ----------
    offset_m
        Largest offset along each axis [m].
    """

    offset_m: float = 35.0

    def __post_init__(self) -> None:
        """Reject offsets that are none."""
        if not self.offset_m > 0:
            raise ValueError(f"offset_m must be > 0, got {self.offset_m}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventualStopParams:
    """When the vehicle seems to stop (default of F2MD).

    Parameters
    ----------
    probability
        Chance with each message that it does.
    """

    probability: float = 0.05

    def __post_init__(self) -> None:
        """Reject what is no probability."""
        if not 0.0 < self.probability <= 1.0:
            raise ValueError(f"probability must be in (0, 1], got {self.probability}")


class ConstPos(CatalogueAttack):
    """1: always the same place, drawn from the map."""

    Params = NoParams
    number = 1

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        own = truth.chosen(attacker)
        return self._placed(own, 0)


class ConstPosOffset(CatalogueAttack):
    """2: the true place and always the same offset."""

    Params = PositionOffsetParams
    number = 2

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        own = truth.chosen(attacker)
        off = {}
        for axis in ("x", "y"):
            size = 1.0 + self._params.spread * self._signed(axis, own.identity)
            sign = np.sign(self._signed(f"sign of {axis}", own.identity))
            off[axis] = sign * size * self._params.offset_m
        return replace(own, x_m=own.x_m + off["x"], y_m=own.y_m + off["y"])


class RandomPos(CatalogueAttack):
    """3: any place of the map, another one in each message."""

    Params = NoParams
    number = 3

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        own = truth.chosen(attacker)
        return self._placed(own, own.time_us)


class RandomPosOffset(CatalogueAttack):
    """4: the true place and an offset, another one in each message."""

    Params = PositionNoiseParams
    number = 4

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        own = truth.chosen(attacker)
        off_m = self._params.offset_m
        return replace(
            own,
            x_m=own.x_m + off_m * self._signed("x", own.identity, own.time_us),
            y_m=own.y_m + off_m * self._signed("y", own.identity, own.time_us),
        )


class EventualStop(CatalogueAttack):
    """9: the truth, until the vehicle seems to have stopped for good."""

    Params = EventualStopParams
    number = 9

    def __init__(self, params: EventualStopParams, context: AttackContext) -> None:
        super().__init__(params, context)
        self._stopped = np.zeros(context.n_rows, dtype=np.bool_)
        self._held = {name: np.zeros(context.n_rows) for name in MOTION}

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        own = truth.chosen(attacker)
        self._stopped[own.sender[self._newcomers(own)]] = False
        draw = self._draw("stop", own.identity, own.time_us)
        stops = ~self._stopped[own.sender] & (draw < self._params.probability)
        row = own.sender[stops]
        for name in MOTION:
            self._held[name][row] = getattr(own, name)[stops]
        self._held["speed_mps"][row] = self._held["acceleration_mps2"][row] = 0.0
        self._stopped[row] = True
        stands = self._stopped[own.sender]
        held = {
            name: np.where(stands, self._held[name][own.sender], getattr(own, name))
            for name in MOTION
        }
        return replace(own, **held)
