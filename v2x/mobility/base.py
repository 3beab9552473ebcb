"""What a mobility model promises to the simulation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from v2x.mobility.crossings.params import CrossingParams
from v2x.mobility.drivers.params import FlawlessParams, HumanParams
from v2x.mobility.emergency_params import EmergencyParams
from v2x.mobility.fleet import FleetState
from v2x.mobility.hazards.params import HazardParams, NoHazard
from v2x.mobility.signals.base import MakeSignals
from v2x.world.road_map import RoadMap
from v2x.world.weather import WeatherParams


@dataclass(frozen=True, slots=True)
class MobilityContext:
    """What a mobility model is built from, besides its own parameters.

    Attributes
    ----------
    road_map
        The network, immutable.
    seed
        Seed of the run; models draw from ``rng.stream(seed, "mobility", ...)``.
    duration_us
        Length of the run [µs]; nothing after it will be asked for.
    base_dir
        Folder against which file names in the scenario are resolved.
    weather
        What wheels and eyes meet.
    signals
        Makes the traffic lights; None for one clock everywhere.
    drivers
        Who sits at the wheel.
    hazard
        What goes wrong.
    crossings
        Who crosses the streets.
    emergency
        Which vehicles are on duty with the siren on.
    """

    road_map: RoadMap
    seed: int
    duration_us: int
    base_dir: str
    weather: WeatherParams = field(default_factory=WeatherParams)
    signals: MakeSignals | None = None
    drivers: FlawlessParams | HumanParams = field(default_factory=FlawlessParams)
    hazard: NoHazard | HazardParams = field(default_factory=NoHazard)
    crossings: CrossingParams = field(default_factory=CrossingParams)
    emergency: EmergencyParams = field(default_factory=EmergencyParams)


class MobilityModel(Protocol):
    """Moves road users; never sees radio.

    A model is a class with a ``Params`` attribute (a frozen dataclass, one field per scenario
    key of the ``traffic`` section besides ``type``) and is built by
    ``Model(params, context)``.
    """

    @property
    def n_rows(self) -> int:
        """Rows of every state, fixed for the run."""

    def advance(self, time_us: int) -> FleetState:
        """Return the state at `time_us` [µs], not earlier than the last one asked for.

        The first call, with the start of the run, returns the initial state.
        """
