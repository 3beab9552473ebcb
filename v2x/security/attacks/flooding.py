"""Attacks 13 to 15, 18 and 19: more messages than agreed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from v2x.security.attacks.base import MOTION, CatalogueAttack, Claims, IndexArray, joined
from v2x.security.attacks.replay import (
    NeighbourAttack,
    NeighbourParams,
    ghost_identity,
    with_motion,
)


def _check_rate(rate: int) -> None:
    if not 2 <= rate <= 100:
        raise ValueError(f"rate must be within 2 and 100, got {rate}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodParams:
    """How much is sent (default of F2MD).

    Parameters
    ----------
    rate
        Messages where others send one.
    """

    rate: int = 4

    def __post_init__(self) -> None:
        """Reject rates that are no flood."""
        _check_rate(self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomFloodParams(FloodParams):
    """How much is sent, and what (defaults of F2MD).

    Parameters
    ----------
    highest_mps
        Speeds are drawn evenly from 0 to this [m/s].
    """

    highest_mps: float = 40.0

    def __post_init__(self) -> None:
        """Reject rates that are no flood, and ranges without room."""
        FloodParams.__post_init__(self)
        if not self.highest_mps > 0:
            raise ValueError(f"highest_mps must be > 0, got {self.highest_mps}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomSybilParams(RandomFloodParams):
    """How much is sent under changing names, and what (defaults of F2MD)."""

    rate: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DisruptiveFloodParams(NeighbourParams):
    """How much is sent (default of F2MD), and whose data.

    Parameters
    ----------
    rate
        Messages where others send one.
    """

    rate: int = 4

    def __post_init__(self) -> None:
        """Reject rates that are no flood, and ranges without room."""
        NeighbourParams.__post_init__(self)
        _check_rate(self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisruptiveSybilParams(DisruptiveFloodParams):
    """How much is sent under changing names (default of F2MD), and whose data."""

    rate: int = 2


class DoS(CatalogueAttack):
    """13: the truth, too often."""

    Params = FloodParams
    number = 13

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        return joined(self._spread(truth.chosen(attacker), self._params.rate))


class DoSRandom(CatalogueAttack):
    """14: any place, speed and direction, too often."""

    Params: type = RandomFloodParams
    number = 14

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        said = joined(self._spread(truth.chosen(attacker), self._params.rate))
        speed = self._draw("speed", said.identity, said.time_us) * self._params.highest_mps
        heading = self._signed("heading", said.identity, said.time_us) * np.pi
        placed = self._placed(said, said.time_us)
        return replace(placed, speed_mps=speed, heading_rad=heading)


class DoSDisruptive(NeighbourAttack):
    """15: the data of neighbours, too often."""

    Params: type = DisruptiveFloodParams
    number = 15

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        said = []
        for part in self._spread(truth.chosen(attacker), self._params.rate):
            other, has_any = self._neighbour(truth, attacker, part.time_us)
            motion = {name: getattr(truth, name)[other] for name in MOTION}
            said.append(with_motion(part, has_any, motion))
        return joined(said)


class DoSRandomSybil(DoSRandom):
    """18: any place, speed and direction, too often and each time under another name."""

    Params = RandomSybilParams
    number = 18
    invents_names = True

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        said = super().claims(truth, attacker)
        name = self._draw("name", said.identity, said.time_us)
        return replace(said, identity=ghost_identity(name))


class DoSDisruptiveSybil(DoSDisruptive):
    """19: the data of neighbours, too often and each time under another name."""

    Params = DisruptiveSybilParams
    number = 19
    invents_names = True

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period."""
        said = super().claims(truth, attacker)
        name = self._draw("name", said.identity, said.time_us)
        return replace(said, identity=ghost_identity(name))
