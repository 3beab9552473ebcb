"""What makes traffic dangerous: hazards, drivers who are human, and what comes of both."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.collisions import Collision, Collisions
from v2x.mobility.curves import CurveParams
from v2x.mobility.driver import EyesParams
from v2x.mobility.drivers.human import HumanDrivers
from v2x.mobility.drivers.params import CrashParams, HumanParams
from v2x.mobility.drivers.sight import Sight
from v2x.mobility.hazards.base import Hazard, Scene
from v2x.mobility.vehicles import Mode


class Trouble:
    """Everything beside the kernel that lets vehicles come too close to each other.

    Parameters
    ----------
    scene
        The traffic.
    hazard
        What goes wrong, if anything does.
    human
        Human drivers and what they see, None for flawless ones.
    crash
        What a collision does.
    remove
        Takes the vehicle of a row off the road.
    """

    def __init__(
        self,
        scene: Scene,
        hazard: Hazard | None,
        human: tuple[HumanDrivers, Sight] | None,
        crash: CrashParams,
        remove: Callable[[int], None],
    ) -> None:
        self._vehicles = scene.vehicles
        self.hazard = hazard
        self._human = human
        self._collisions = Collisions(
            crash,
            scene.network,
            scene.book,
            scene.classes,
            scene.vehicles,
            scene.first_obstacle,
            remove,
        )

    @property
    def happened(self) -> tuple[Collision, ...]:
        """All collisions so far."""
        return tuple(self._collisions.happened)

    @property
    def n_cleared(self) -> int:
        """Wrecks that were taken off the road."""
        return self._collisions.n_cleared

    def collide(self, now_us: int, identity: NDArray[np.int64]) -> None:
        """Let those collide who overlap in the state of `now_us` [µs], before they move on."""
        self._collisions.find(now_us, identity)
        if self.hazard is not None:
            self.hazard.hold()

    def begin(self, now_us: int, identity: NDArray[np.int64]) -> None:
        """Let happen what is due, before vehicles are sorted and look around."""
        if self.hazard is not None:
            self.hazard.act(now_us, identity)
        self._collisions.clear(now_us, identity)

    def blur(self) -> None:
        """Shorten sight, after abilities have been noted and before vehicles look around."""
        if self.hazard is not None:
            self.hazard.blur()
        if self._human is not None:
            self._human[1].limit()

    def react(self, now_us: int, identity: NDArray[np.int64]) -> None:
        """Let drivers do what they are able to, after the kernel has said what it would take.

        Parameters
        ----------
        now_us
            Time [µs].
        identity : (n_rows,) int64
            Who is in which row.
        """
        if self._human is not None:
            self._human[0].react(now_us, identity)
        else:
            self._brake_at_most()

    def _brake_at_most(self) -> None:
        """Let flawless drivers whom a hazard has surprised brake as hard as they can, no harder."""
        vehicles = self._vehicles
        rows = np.flatnonzero((vehicles.stop >= 0) & (vehicles.mode == Mode.DRIVEN))
        vehicles.available_m[rows] = np.maximum(
            vehicles.available_m[rows], vehicles.stopping_m[rows]
        )


def people(
    params: HumanParams, scene: Scene, eyes: EyesParams, curves: CurveParams, seed: int
) -> tuple[HumanDrivers, Sight]:
    """Return human drivers for the vehicles of a scene, and what they see.

    Parameters
    ----------
    params
        Their faults.
    scene
        The traffic.
    eyes, curves
        Sight into tunnels; how bends are found.
    seed
        Seed of the run.
    """
    sight = Sight(
        scene.network.road_map,
        scene.conditions,
        scene.book,
        scene.vehicles,
        eyes,
        curves,
        params.bend_clear_m,
    )
    return HumanDrivers(params, scene.vehicles, scene.classes, seed), sight
