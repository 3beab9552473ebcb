"""Attackers of a run, and receivers that doubt what they hear."""

from __future__ import annotations

from v2x import registry
from v2x.applications.base import Application
from v2x.applications.flood import Flooding
from v2x.errors import V2XError
from v2x.perception.scene import LevelCheck
from v2x.scenario.model import Scenario
from v2x.security.attacks.base import AttackContext
from v2x.security.attacks.params import NoAttack
from v2x.security.plausibility.detector import Detector
from v2x.security.plausibility.params import PlausibilityParams
from v2x.security.plausibility.surroundings import RoadSurface
from v2x.sim.clock import to_us
from v2x.sim.services.liars import ClaimedPlaces, Liars
from v2x.sim.services.vetting import Doubt, Vetting
from v2x.world.road_map import RoadMap


def with_flood(scenario: Scenario, application: Application, seed: int) -> Application:
    """Return what everybody says, copies included where an attack sends more than one message.

    Raises
    ------
    V2XError
        If the attack speaks under names of road users that are not there: whom applications know of
        is a road user of the run.
    """
    _refuse_invented_names(scenario)
    rate = _rate(scenario)
    if rate < 2:
        return application
    return Flooding(
        application,
        rate=rate,
        share=scenario.attack.share,
        from_us=to_us(scenario.attack.from_s),
        seed=seed,
    )


def flood_bytes(scenario: Scenario, application: Application) -> int:
    """Return the largest copy of a state message [byte], 0 if nobody sends any."""
    return max(application.sizes_bytes) if _rate(scenario) > 1 else 0


def _rate(scenario: Scenario) -> int:
    """Return how many messages attackers send where others send one."""
    rate: int = getattr(scenario.attack_type.params, "rate", 1)
    return rate


def liars_of(
    scenario: Scenario, road_map: RoadMap, *, n_rows: int, tick_us: int, seed: int
) -> Liars | None:
    """Return who lies in a run; None if nobody does."""
    chosen = scenario.attack_type
    if isinstance(chosen.params, NoAttack):
        return None
    attack = registry.load("v2x.attacks", chosen.type)(
        chosen.params,
        AttackContext(
            seed=seed,
            n_rows=n_rows,
            period_us=tick_us,
            west_m=float(road_map.point_x_m.min()),
            south_m=float(road_map.point_y_m.min()),
            east_m=float(road_map.point_x_m.max()),
            north_m=float(road_map.point_y_m.max()),
        ),
    )
    by_height = scenario.information.level_check is LevelCheck.MAP_HEIGHT
    return Liars(attack, scenario.attack, ClaimedPlaces(road_map, by_height=by_height), seed)


def vetting_of(
    scenario: Scenario, road_map: RoadMap, *, n_rows: int, tick_us: int
) -> Vetting | None:
    """Return what looks at messages before they are believed; None if nobody asks.

    Raises
    ------
    V2XError
        If there are checks on a wrap-around map, where places are not unique.
    """
    limits = scenario.plausibility.params
    doubt = None
    if isinstance(limits, PlausibilityParams):
        if road_map.wrap_length_m:
            raise _refused(
                scenario,
                "plausibility.type",
                "checks need a map without wrap-around",
                "set world.wrap to false, or take another map",
            )
        detector = Detector(limits, RoadSurface(road_map), None, n_rows)
        doubt = Doubt(detector, scenario.plausibility.type)
    elif isinstance(scenario.attack_type.params, NoAttack):
        return None
    n_ticks = to_us(scenario.information.forget_s) // tick_us + 3
    return Vetting(n_rows, n_ticks, tick_us, doubt, to_us(scenario.warmup_s))


def _refuse_invented_names(scenario: Scenario) -> None:
    name = scenario.attack_type.type
    if isinstance(scenario.attack_type.params, NoAttack) or not _invents_names(name):
        return
    known = [known for known in registry.names("v2x.attacks") if not _invents_names(known)]
    raise _refused(
        scenario,
        "attack.type",
        f"{name!r} speaks under invented names, which runs do not know",
        "take one under the own name: " + ", ".join(known),
    )


def _invents_names(attack: str) -> bool:
    return bool(getattr(registry.load("v2x.attacks", attack), "invents_names", False))


def _refused(scenario: Scenario, key: str, reason: str, remedy: str) -> V2XError:
    file = None if scenario.source is None else str(scenario.source)
    return V2XError(reason, file=file, key=key, remedy=remedy)
