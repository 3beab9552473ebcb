"""Who at the roadside units is heard under which pseudonym, and who can be followed by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import NodeKind
from v2x.perception.ldm import Source
from v2x.perception.scene import Scene
from v2x.security.linking import LinkingParams, Sightings, link
from v2x.units import US_PER_S


@dataclass(frozen=True, slots=True)
class Sighting:
    """What units heard of one sender.

    Attributes
    ----------
    name
        Its pseudonym.
    row
        Its row in the fleet, which only the record knows.
    time_us
        When the message was heard [µs].
    x_m, y_m, heading_rad, speed_mps
        What it said, brought to this time.
    """

    name: int
    row: int
    time_us: int
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float


def heard_by_units(scene: Scene, names: NDArray[np.int64]) -> list[Sighting]:
    """Return the newest that units have heard of each sender since the last tick."""
    known, fleet = scene.known, scene.fleet
    mine = fleet.kind[known.host] == NodeKind.RSU
    mine &= (known.source == Source.MESSAGE) & (fleet.kind[known.remote] <= NodeKind.BUS)
    mine &= known.generated_us >= fleet.time_us - _FRESH_US
    pairs = np.flatnonzero(mine)
    states = known.states
    newest: dict[int, Sighting] = {}
    for pair in pairs[np.argsort(known.generated_us[pairs], kind="stable")].tolist():
        row = int(known.remote[pair])
        newest[row] = Sighting(
            name=int(names[row]),
            row=row,
            time_us=fleet.time_us,
            x_m=float(states.x_m[pair]),
            y_m=float(states.y_m[pair]),
            heading_rad=float(states.heading_rad[pair]),
            speed_mps=float(states.speed_mps[pair]),
        )
    return list(newest.values())


#: A message counts as heard just now for so long after it was generated [µs]: a period of BSM.
_FRESH_US = 150_000


class Eavesdropper:
    """Guesses at each change of pseudonym which new one is the vehicle of the old.

    Parameters
    ----------
    params
        What it believes of motion.
    """

    def __init__(self, params: LinkingParams) -> None:
        self._params = params
        self._last: dict[int, Sighting] = {}
        self._first: dict[int, Sighting] = {}
        #: Which name each was taken to go on under.
        self.successor: dict[int, int] = {}
        #: Changes that could be followed, and those that were followed rightly.
        self.n_changes = self.n_linked = 0

    def take(self, now_us: int, heard: Sequence[Sighting], owner: Mapping[int, int]) -> None:
        """Take what was heard in a tick.

        Parameters
        ----------
        now_us
            The tick [µs].
        heard
            From :func:`heard_by_units`.
        owner
            Vehicle of each name, for the count alone.
        """
        for sighting in heard:
            if sighting.name not in self._last:
                self._first[sighting.name] = sighting
            self._last[sighting.name] = sighting
        window_us = round(self._params.window_s * US_PER_S)
        due = [item for item in self._last.values() if item.time_us < now_us - window_us]
        new = [item for item in self._first.values() if now_us - item.time_us <= 2 * window_us]
        if due:
            self._guess(due, new, owner)
        for item in due:
            del self._last[item.name]
        self._first = {
            name: item
            for name, item in self._first.items()
            if now_us - item.time_us <= 2 * window_us
        }

    def _guess(self, old: list[Sighting], new: list[Sighting], owner: Mapping[int, int]) -> None:
        taken = link(_columns(old), _columns(new), self._params) if new else np.full(len(old), -1)
        of_new = {owner.get(item.name, -1): item.name for item in new}
        for item, choice in zip(old, taken.tolist(), strict=True):
            truth = of_new.get(owner.get(item.name, -2), item.name)
            changed = truth != item.name
            self.n_changes += changed
            if choice >= 0:
                self.successor[item.name] = new[choice].name
                self.n_linked += changed and new[choice].name == truth


def _columns(sightings: list[Sighting]) -> Sightings:
    return Sightings(
        time_us=np.array([item.time_us for item in sightings], dtype=np.int64),
        **{
            name: np.array([getattr(item, name) for item in sightings], dtype=np.float64)
            for name in ("x_m", "y_m", "heading_rad", "speed_mps")
        },
    )
