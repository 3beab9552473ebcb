"""A scenario in memory: one frozen dataclass that nests the parameters of every part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from v2x.access.congestion.base import NoControlParams
from v2x.applications.events import EventParams, NoEvents
from v2x.applications.key_events import KeyEventParams
from v2x.cellular.params import NoCellular, UuParams
from v2x.channel.channel_params import ChannelParams
from v2x.channel.obstacle_params import ObstacleParams
from v2x.mobility.crossings.params import CrossingParams
from v2x.mobility.drivers.params import FlawlessParams, HumanParams
from v2x.mobility.emergency_params import EmergencyParams
from v2x.mobility.energy import EnergyParams
from v2x.mobility.hazards.params import HAZARDS, NoHazard
from v2x.mobility.pedestrians import PedestrianParams
from v2x.mobility.positioning_params import NoPositioning, PositioningParams
from v2x.mobility.reactions import ReactionParams
from v2x.mobility.signals.axes import AxesParams
from v2x.perception.information import InformationParams
from v2x.perception.sensor_params import NoSensors, OnboardParams
from v2x.phy.radio import PhyParams, RadioParams
from v2x.scenario.synthetic_maps import SYNTHETIC_MAPS
from v2x.security.attacks.params import AttackerParams, NoAttack
from v2x.security.envelope import CadenceRule, NoSecurity
from v2x.security.plausibility.params import AnyCheckParams, BehaviourParams, NoPlausibility
from v2x.sim.recorder import RecordParams
from v2x.sim.safety.params import SafetyParams
from v2x.world.roadside_params import RoadsideParams
from v2x.world.weather import WeatherParams

MAX_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginChoice:
    """A strategy chosen by name, and its parameters.

    Attributes
    ----------
    type
        Name of the strategy, such as ``"lte-mode4"``.
    params
        Instance of the strategy's ``Params`` dataclass.
    """

    type: str
    params: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldParams:
    """The road network of a scenario: a map file, a built-in map, or a synthetic one.

    Parameters
    ----------
    map
        Map file (.osm, .osm.gz, .graphml, or imported by ``v2x map import``) relative to the
        scenario, or the name of a built-in map; not together with `synthetic`.
    elevation
        Terrain raster (SRTM .hgt, .hgt.zip or GeoTIFF) relative to the scenario, or ``chongqing``
        for the analytic surface of that city; null takes the heights that the map itself carries.
    flat
        Whether every height is set to zero, to measure what the third dimension changes: links
        then meet no ground, deck or tunnel, only buildings.
    """

    map: str | None = field(default=None, metadata={"file": True})
    elevation: str | None = field(default=None, metadata={"file": True})
    flat: bool = False

    def __post_init__(self) -> None:
        """Reject heights without a map to lift."""
        if self.elevation is not None and self.map is None:
            raise ValueError("elevation needs a map")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run, described completely.

    Parameters
    ----------
    name
        Name of the scenario and part of the name of its run folders; the name of the file if
        it is not given.
    description
        The question the scenario answers.
    duration_s
        Simulated time [s], warm-up included.
    warmup_s
        Time at the beginning that no figure counts [s]: sensing and queues fill up.
    seed
        Seed of every random stream; the same seed gives the same bytes.
    replications
        Number of runs with independent random streams, pooled for confidence intervals.
    world, synthetic
        The road network: a map, or the kind and sizes of a synthetic one (else None).
    weather
        What wheels, eyes and waves meet.
    traffic
        Who drives where: a strategy of the group ``v2x.mobility``.
    drivers
        Who sits at the wheel: drivers who never run into anybody (flawless), or people (human).
    hazard
        What goes wrong on the road, once and at one place; nothing (none) by default.
    signals
        When traffic lights are green: a strategy of the group ``v2x.signals``.
    crossings
        Who crosses the streets, if anybody does.
    emergency
        Which vehicles are on duty with the siren on.
    pedestrians
        Who walks beside the streets with a device, if anybody does.
    positioning
        Where vehicles think they are: not asked (none), or by satellites and a map (gnss).
    messages
        What vehicles send: a strategy of the group ``v2x.applications``.
    events
        What they tell of at once, beside that: nothing (none), events at random (poisson), or
        what happens to them (detected).
    security
        Whether receivers need the certificate of a sender: not asked (none), or as certificates
        travel (envelope).
    attack, attack_type
        Who lies in its state messages, and how: nobody (none), or a strategy of the group
        ``v2x.attacks``.
    plausibility
        Whether receivers doubt state messages: not at all (none), those of which any check fails
        (any), or those of senders that fail again and again (behaviour).
    radio
        Link budget constants.
    channel, pathloss
        Line of sight and range; the propagation model of the group ``v2x.channel``.
    obstacles
        What ground, decks, tunnels, buildings and water do to links.
    phy
        Forming and decoding of transport blocks.
    access
        Who transmits when: a strategy of the group ``v2x.access``.
    congestion
        What keeps the load in bounds: a strategy of the group ``v2x.congestion``.
    roadside
        Roadside units, if there are any.
    cellular
        The way through the network beside the sidelink: none, or 5G base stations (uu-5g).
    information
        Who has a device, and what it may use of what it receives.
    sensors
        What vehicles and roadside units see themselves: not asked (none), or by radar, camera and
        lidar (onboard).
    reactions
        How alerts reach drivers, and what they do about them.
    warnings
        What drivers are warned of: any of the group ``v2x.warnings``, each with its parameters.
    services
        What else road users and the roadside do with messages: any of the group
        ``v2x.services``.
    safety
        Surrogate safety measures and their thresholds.
    energy
        What driving costs: whether it is recorded, and by which vehicles.
    records
        What is counted, and how finely.
    source
        File the scenario came from; None if it was built in memory. Not compared.
    """

    name: str
    description: str = ""
    duration_s: float = 30.0
    warmup_s: float = 5.0
    seed: int = 1
    replications: int = 1
    world: WorldParams
    synthetic: PluginChoice | None = None
    weather: WeatherParams = field(default_factory=WeatherParams)
    traffic: PluginChoice
    drivers: PluginChoice = PluginChoice(type="flawless", params=FlawlessParams())
    hazard: PluginChoice = PluginChoice(type="none", params=NoHazard())
    signals: PluginChoice = PluginChoice(type="axes", params=AxesParams())
    crossings: CrossingParams = field(default_factory=CrossingParams)
    emergency: EmergencyParams = field(default_factory=EmergencyParams)
    positioning: PluginChoice = PluginChoice(type="none", params=NoPositioning())
    messages: PluginChoice
    events: PluginChoice = PluginChoice(type="none", params=NoEvents())
    security: PluginChoice = PluginChoice(type="none", params=NoSecurity())
    attack: AttackerParams = field(default_factory=AttackerParams)
    attack_type: PluginChoice = PluginChoice(type="none", params=NoAttack())
    plausibility: PluginChoice = PluginChoice(type="none", params=NoPlausibility())
    radio: RadioParams
    channel: ChannelParams
    pathloss: PluginChoice
    obstacles: ObstacleParams
    phy: PhyParams
    access: PluginChoice
    congestion: PluginChoice = PluginChoice(type="none", params=NoControlParams())
    roadside: RoadsideParams
    pedestrians: PedestrianParams = field(default_factory=PedestrianParams)
    cellular: PluginChoice = PluginChoice(type="none", params=NoCellular())
    information: InformationParams = field(default_factory=InformationParams)
    sensors: PluginChoice = PluginChoice(type="none", params=NoSensors())
    reactions: ReactionParams = field(default_factory=ReactionParams)
    warnings: tuple[PluginChoice, ...] = ()
    services: tuple[PluginChoice, ...] = ()
    safety: SafetyParams = field(default_factory=SafetyParams)
    energy: EnergyParams = field(default_factory=EnergyParams)
    records: RecordParams
    source: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Reject what no single section can see."""
        if not re.fullmatch(r"\w[\w.-]*", self.name):
            raise ValueError(f"name must be letters, digits, '_', '-' and '.', got {self.name!r}")
        if not self.duration_s > 0:
            raise ValueError(f"duration_s must be > 0, got {self.duration_s}")
        if not 0 <= self.warmup_s < self.duration_s:
            raise ValueError(
                f"warmup_s must be at least 0 and less than duration_s ({self.duration_s}), "
                f"got {self.warmup_s}; lower warmup_s too for a short run"
            )
        if not 0 <= self.seed <= MAX_SEED:
            raise ValueError(f"seed must be within 0 and 2^63 - 1, got {self.seed}")
        if self.replications < 1:
            raise ValueError(f"replications must be at least 1, got {self.replications}")
        if (self.world.map is None) == (self.synthetic is None):
            raise ValueError("world must name either a map or a synthetic one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A key of a section that picks the class behind the section's further keys.

    Attributes
    ----------
    selector
        The key that holds the name.
    target
        Field of :class:`Scenario` that receives the :class:`PluginChoice`.
    default
        Name picked if the key is not given; None picks nothing and adds no keys.
    group
        Entry point group of the names; "" if all of them are those of `classes`.
    classes
        Name to parameter dataclass, for names that are not open to plug-ins.
    kind
        What these names name, in words.
    """

    selector: str
    target: str
    default: str | None
    group: str = ""
    classes: Mapping[str, type] = field(default_factory=dict)
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the scenario file.

    Attributes
    ----------
    name
        Its key at the top level.
    params
        Dataclass of the keys that are always there, held by the field `name` of
        :class:`Scenario`; None if a choice provides all.
    choice
        The key that picks further keys, if there is one.
    plugins
        Entry point group whose names are the keys of the section, each with the parameters of
        its class; the field `name` of :class:`Scenario` holds those that are given. Such a
        section has nothing else.
    replaces
        Key to the keys of the file that it replaces when it is set on the command line.
    """

    name: str
    params: type | None = None
    choice: Choice | None = None
    plugins: str = ""
    replaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _strategy(name: str, group: str, default: str) -> Choice:
    return Choice(selector="type", target=name, default=default, group=group)


#: The sections of a scenario file, in the order in which they are written.
SECTIONS: tuple[Section, ...] = (
    Section(
        name="world",
        params=WorldParams,
        choice=Choice(
            selector="synthetic",
            target="synthetic",
            default=None,
            classes=SYNTHETIC_MAPS,
            kind="synthetic map",
        ),
        replaces={"map": ("synthetic",), "synthetic": ("map", "elevation")},
    ),
    Section(name="weather", params=WeatherParams),
    Section(
        name="traffic",
        choice=_strategy("traffic", "v2x.mobility", "routed"),
        replaces={"density_per_km": ("n_vehicles",), "n_vehicles": ("density_per_km",)},
    ),
    Section(
        name="drivers",
        choice=Choice(
            selector="type",
            target="drivers",
            default="flawless",
            classes={"flawless": FlawlessParams, "human": HumanParams},
            kind="sort of drivers",
        ),
    ),
    Section(
        name="hazard",
        choice=Choice(
            selector="type",
            target="hazard",
            default="none",
            classes=HAZARDS,
            kind="hazard",
        ),
    ),
    Section(name="signals", choice=_strategy("signals", "v2x.signals", "axes")),
    Section(name="crossings", params=CrossingParams),
    Section(name="emergency", params=EmergencyParams),
    Section(
        name="pedestrians",
        params=PedestrianParams,
        replaces={"per_km": ("n_pedestrians",), "n_pedestrians": ("per_km",)},
    ),
    Section(
        name="positioning",
        choice=Choice(
            selector="type",
            target="positioning",
            default="none",
            classes={"none": NoPositioning, "gnss": PositioningParams},
            kind="positioning",
        ),
    ),
    Section(name="messages", choice=_strategy("messages", "v2x.applications", "awareness")),
    Section(
        name="events",
        choice=Choice(
            selector="type",
            target="events",
            default="none",
            classes={"none": NoEvents, "poisson": EventParams, "detected": KeyEventParams},
            kind="sort of events",
        ),
    ),
    Section(
        name="security",
        choice=Choice(
            selector="type",
            target="security",
            default="none",
            classes={"none": NoSecurity, "envelope": CadenceRule},
            kind="security",
        ),
    ),
    Section(
        name="attack",
        params=AttackerParams,
        choice=Choice(
            selector="type",
            target="attack_type",
            default="none",
            group="v2x.attacks",
            classes={"none": NoAttack},
        ),
    ),
    Section(
        name="plausibility",
        choice=Choice(
            selector="type",
            target="plausibility",
            default="none",
            classes={
                "none": NoPlausibility,
                "any": AnyCheckParams,
                "behaviour": BehaviourParams,
            },
            kind="plausibility",
        ),
    ),
    Section(name="radio", params=RadioParams),
    Section(
        name="channel",
        params=ChannelParams,
        choice=Choice(
            selector="pathloss", target="pathloss", default="tr37885-highway", group="v2x.channel"
        ),
    ),
    Section(name="obstacles", params=ObstacleParams),
    Section(name="phy", params=PhyParams),
    Section(name="access", choice=_strategy("access", "v2x.access", "lte-mode4")),
    Section(name="congestion", choice=_strategy("congestion", "v2x.congestion", "none")),
    Section(
        name="roadside",
        params=RoadsideParams,
        replaces={"placement": ("file",)},
    ),
    Section(
        name="cellular",
        choice=Choice(
            selector="type",
            target="cellular",
            default="none",
            classes={"none": NoCellular, "uu-5g": UuParams},
            kind="cellular network",
        ),
        replaces={"placement": ("file", "positions")},
    ),
    Section(name="information", params=InformationParams),
    Section(
        name="sensors",
        choice=Choice(
            selector="type",
            target="sensors",
            default="none",
            classes={"none": NoSensors, "onboard": OnboardParams},
            kind="sort of sensors",
        ),
    ),
    Section(name="reactions", params=ReactionParams),
    Section(name="warnings", plugins="v2x.warnings"),
    Section(name="services", plugins="v2x.services"),
    Section(name="safety", params=SafetyParams),
    Section(name="energy", params=EnergyParams),
    Section(name="records", params=RecordParams),
)

#: Keys of the top level that are values, not sections.
SCALARS = ("name", "description", "duration_s", "warmup_s", "seed", "replications")
