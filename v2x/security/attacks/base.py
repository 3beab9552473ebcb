"""What an attack promises, and what all of them share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.mobility.fleet import FleetState
from v2x.units import US_PER_S

FloatArray = NDArray[np.float64]
IdArray = NDArray[np.int64]
IndexArray = NDArray[np.intp]
#: Columns of a claim that tell of motion, in which attacks lie.
MOTION = ("x_m", "y_m", "z_m", "heading_rad", "speed_mps", "acceleration_mps2")
#: Invented identities are not below this; those of road users are.
FIRST_GHOST_ID = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What senders say of themselves, one row per message.

    Attributes
    ----------
    sender : (n,) int64
        Row of the road user who transmits.
    identity : (n,) int64
        Whom the message claims to come from.
    time_us : (n,) int64
        Claimed time of generation [µs].
    x_m, y_m, z_m : (n,) float64
        Claimed centre at road height [m].
    heading_rad : (n,) float64
        Claimed direction, counter-clockwise from east [rad].
    speed_mps, acceleration_mps2 : (n,) float64
        Claimed speed [m/s] and acceleration [m/s²].
    length_m, width_m : (n,) float64
        Claimed size [m].
    """

    sender: IdArray
    identity: IdArray
    time_us: IdArray
    x_m: FloatArray
    y_m: FloatArray
    z_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray
    acceleration_mps2: FloatArray
    length_m: FloatArray
    width_m: FloatArray

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self.sender)

    def chosen(self, index: IndexArray) -> Claims:
        """Return the messages at `index`, in that order."""
        return Claims(**{item.name: getattr(self, item.name)[index] for item in fields(Claims)})

    def advanced(self, time_us: IdArray) -> Claims:
        """Return what the same senders say at `time_us`, at constant speed and heading."""
        ahead_m = self.speed_mps * ((time_us - self.time_us) / US_PER_S)
        return replace(
            self,
            time_us=time_us,
            x_m=self.x_m + ahead_m * np.cos(self.heading_rad),
            y_m=self.y_m + ahead_m * np.sin(self.heading_rad),
        )


def true_claims(fleet: FleetState) -> Claims:
    """Return what honest road users say: one message of each."""
    row = np.flatnonzero(fleet.active)
    names = (*MOTION, "length_m", "width_m")
    return Claims(
        sender=row.astype(np.int64),
        identity=fleet.id[row],
        time_us=np.full(len(row), fleet.time_us, dtype=np.int64),
        **{name: getattr(fleet, name)[row] for name in names},
    )


def joined(parts: Sequence[Claims]) -> Claims:
    """Return the messages of several parts, one part after the other."""
    return Claims(
        **{
            item.name: np.concatenate([getattr(part, item.name) for part in parts])
            for item in fields(Claims)
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackContext:
    """What an attack is built from, besides its own parameters.

    Attributes
    ----------
    seed
        Seed of the run.
    n_rows
        Rows of the fleet.
    period_us
        Time between the messages of a sender [µs].
    west_m, south_m, east_m, north_m
        Extent of the map [m].
    """

    seed: int
    n_rows: int
    period_us: int
    west_m: float
    south_m: float
    east_m: float
    north_m: float


class Attack(Protocol):
    """Turns what attackers would say truly into what they say.

    An attack is a class with a ``Params`` attribute and is built by ``Attack(params, context)``.
    """

    number: ClassVar[int]
    #: Whether it speaks under names of road users that are not there.
    invents_names: ClassVar[bool]

    def claims(self, truth: Claims, attacker: IndexArray) -> Claims:
        """Return what the attackers say in a period.

        Parameters
        ----------
        truth
            What everybody would say truly, one message each, in periods without gaps.
        attacker : (k,) int
            Messages of attackers in `truth`.

        Returns
        -------
        Claims
            Their messages in the order of their times for each of them; instead of those in
            `truth`.
        """


class CatalogueAttack:
    """Draws by the stable id of the attacker, and knows whose rows it remembers.

    Parameters
    ----------
    params
        Of the attack.
    context
        The run.
    """

    invents_names: ClassVar[bool] = False

    def __init__(self, params: Any, context: AttackContext) -> None:
        self._params = params
        self._context = context
        self._owner = np.full(context.n_rows, -1, dtype=np.int64)

    def _draw(self, name: str, identity: IdArray, counter: int | IdArray = 0) -> FloatArray:
        """Return a uniform number in [0, 1) for each identity and counter."""
        key = rng.key32(self._context.seed, "security", "attack", type(self).__name__, name)
        return rng.uniform_by_id(key, identity, counter)

    def _signed(self, name: str, identity: IdArray, counter: int | IdArray = 0) -> FloatArray:
        """Return a uniform number in [-1, 1) for each identity and counter."""
        return 2.0 * self._draw(name, identity, counter) - 1.0

    def _newcomers(self, own: Claims) -> IndexArray:
        """Return which senders were not here before, and remember them."""
        new = np.flatnonzero(self._owner[own.sender] != own.identity)
        self._owner[own.sender] = own.identity
        return new

    def _placed(self, own: Claims, counter: int | IdArray) -> Claims:
        """Return claims to be anywhere in the extent of the map, drawn evenly."""
        run = self._context
        east = self._draw("x", own.identity, counter) * (run.east_m - run.west_m)
        north = self._draw("y", own.identity, counter) * (run.north_m - run.south_m)
        return replace(own, x_m=run.west_m + east, y_m=run.south_m + north)

    def _spread(self, own: Claims, rate: int) -> list[Claims]:
        """Return `rate` honest messages of each sender, evenly spaced in the period."""
        step_us = self._context.period_us // rate
        return [own.advanced(own.time_us + k * step_us) for k in range(rate)]


def differs(said: Claims, truth: Claims) -> NDArray[np.bool_]:
    """Return which messages are not what their senders would have said, or are too many, (n,).

    Parameters
    ----------
    said
        Messages.
    truth
        What everybody would have said, one message each.
    """
    of_row = np.full(int(truth.sender.max(initial=0)) + 1, -1)
    of_row[truth.sender] = np.arange(len(truth))
    true = truth.chosen(of_row[said.sender])
    forged = said.identity != true.identity
    for name in MOTION:
        forged |= getattr(said, name) != getattr(true, name)
    own = said.identity == true.identity
    n_own = np.bincount(said.sender[own], minlength=len(of_row))
    return np.asarray(forged | (own & (n_own[said.sender] > 1)))


def attackers(seed: int, identity: IdArray, share: float) -> NDArray[np.bool_]:
    """Return which road users attack: a share of all, drawn by their stable ids.

    Parameters
    ----------
    seed
        Seed of the run.
    identity : (n,) int64
        Stable ids.
    share
        Share of attackers; 0.05 in F2MD, 0.1 to 0.3 in VeReMi.
    """
    return rng.uniform_by_id(rng.key32(seed, "security", "attackers"), identity, 0) < share
