"""Attacks 5 to 8: lies about the speed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from v2x.security.attacks.base import CatalogueAttack, Claims, IndexArray


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedParams:
    """Range of invented speeds (default of F2MD).

    Parameters
    ----------
    highest_mps
        They are drawn evenly from 0 to this [m/s].
    """

    highest_mps: float = 40.0

    def __post_init__(self) -> None:
        """Reject ranges without room."""
        if not self.highest_mps > 0:
            raise ValueError(f"highest_mps must be > 0, got {self.highest_mps}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedOffsetParams:
    """Range of what is added to the true speed (default of F2MD).

    Parameters
    ----------
    offset_mps
        Largest offset [m/s]; claimed speeds stay above 0.
    """

    offset_mps: float = 7.0

    def __post_init__(self) -> None:
        """Reject offsets that are none."""
        if not self.offset_mps > 0:
            raise ValueError(f"offset_mps must be > 0, got {self.offset_mps}")


class ConstSpeed(CatalogueAttack):
    """5: always the same speed."""

    Params = SpeedParams
    number = 5

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        own = truth.chosen(attacker)
        speed = self._draw("speed", own.identity) * self._params.highest_mps
        return replace(own, speed_mps=speed)


class ConstSpeedOffset(CatalogueAttack):
    """6: the true speed and always the same offset."""

    Params = SpeedOffsetParams
    number = 6

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        own = truth.chosen(attacker)
        off = self._signed("speed", own.identity) * self._params.offset_mps
        return replace(own, speed_mps=np.maximum(own.speed_mps + off, 0.0))


class RandomSpeed(CatalogueAttack):
    """7: any speed, another one in each message."""

    Params = SpeedParams
    number = 7

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        own = truth.chosen(attacker)
        speed = self._draw("speed", own.identity, own.time_us) * self._params.highest_mps
        return replace(own, speed_mps=speed)


class RandomSpeedOffset(CatalogueAttack):
    """8: the true speed and an offset, another one in each message."""

    Params = SpeedOffsetParams
    number = 8

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        own = truth.chosen(attacker)
        off = self._signed("speed", own.identity, own.time_us) * self._params.offset_mps
        return replace(own, speed_mps=np.maximum(own.speed_mps + off, 0.0))
