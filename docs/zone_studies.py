"""Studies of the eight application types of the Chongqing demonstration zone."""

from __future__ import annotations

from finding_figures import common
from finding_study import Study
from study import Change
from zone_figures import (
    classes,
    delays,
    detours,
    event_delivery,
    garage,
    load,
    pursuit,
    shared_senses,
    traffic_state,
    travel,
)

Changes = tuple[Change, ...]
NONE: Changes = (("information.knowledge", "none"),)
#: The same drives as with `NONE`, and quicker: nobody uses what is told, so nothing is told.
SILENT: Changes = (*NONE, ("services", "{}"))
MESSAGES: Changes = ()
PERFECT: Changes = (("information.knowledge", "perfect"),)
SEEDS = tuple(range(1, 11))


def _equipped(percent: int) -> Changes:
    return (("information.equipped", f"{percent / 100:g}"),)


def _spacing(metres: int) -> Changes:
    return (("roadside.spacing_m", f"{metres}"),)


GREEN_TRAVEL = Study(
    name="green_travel",
    scenario="applications/green_travel",
    seeds=SEEDS,
    variants={"none": SILENT, "messages": MESSAGES, "perfect": PERFECT},
    reference="none",
    figures=(common, travel, load),
)

_FAILED: Changes = (("services.roadside.dead_share", "0.3"),)
ROAD_NETWORK = Study(
    name="road_network",
    scenario="applications/road_network",
    seeds=SEEDS,
    variants={
        "no units": (("roadside.placement", "none"), ("services", "{}")),
        "1000 m": _spacing(1000),
        "500 m": MESSAGES,
        "500 m, 30 % fail": _FAILED,
        "perfect": PERFECT,
    },
    reference="500 m",
    figures=(common, event_delivery, load),
)

DRIVING = Study(
    name="intelligent_driving",
    scenario="applications/intelligent_driving",
    seeds=SEEDS,
    variants={
        "0 %": _equipped(0),
        "30 %": _equipped(30),
        "60 %": _equipped(60),
        "100 %": MESSAGES,
        "perfect": PERFECT,
    },
    reference="0 %",
    figures=(common, load),
)

TRAFFIC_STATE = Study(
    name="traffic_state",
    scenario="applications/traffic_state",
    seeds=SEEDS,
    variants={
        "none": SILENT,
        "30 %": _equipped(30),
        "100 %": MESSAGES,
        "perfect": PERFECT,
        "actuated": (("signals.type", "actuated"), ("signals.left_turns", "permissive")),
        "priority": (("signals.priority.granted", "true"),),
    },
    reference="none",
    figures=(delays, traffic_state, load),
)

_ONE_POOL: dict[str, Changes] = {
    "states only": (("services", "{}"),),
    "with roadside": (("services", "{roadside: {}}"),),
    "with sensors": (("services", "{cooperative-perception: {}}"),),
    "all": MESSAGES,
}
SHARING = Study(
    name="resource_sharing",
    scenario="applications/resource_sharing",
    seeds=SEEDS,
    variants=_ONE_POOL,
    reference="states only",
    figures=(classes, shared_senses, load),
)


def _follow(percent: int) -> Changes:
    return (("reactions.compliance", f"{percent / 100:g}"),)


GUIDANCE = Study(
    name="traffic_guidance",
    scenario="applications/traffic_guidance",
    seeds=SEEDS,
    variants={
        "none": NONE,
        "30 %": _follow(30),
        "50 %": _follow(50),
        "80 %": _follow(80),
        "perfect, 80 %": (*PERFECT, *_follow(80)),
    },
    reference="none",
    figures=(detours, delays, load),
)

PARKING = Study(
    name="parking",
    scenario="applications/parking",
    seeds=SEEDS,
    variants={"none": NONE, "messages": MESSAGES, "perfect": PERFECT},
    reference="none",
    figures=(garage, load),
)


def _attack(name: str) -> Changes:
    return (("services.tracking.attack", name),)


TRACKING = Study(
    name="tracking",
    scenario="applications/tracking",
    seeds=SEEDS,
    variants={
        "box": (("services.tracking.units", "false"),),
        "units": (("services.tracking.probe_s", "0"),),
        "both": MESSAGES,
        "both, guessing": (("services.tracking.authority", "false"),),
        "both, jammer": _attack("jammer"),
        "both, id-swap": _attack("id-swap"),
    },
    reference="box",
    figures=(pursuit, load),
)

STUDIES: tuple[Study, ...] = (
    GREEN_TRAVEL,
    ROAD_NETWORK,
    DRIVING,
    TRAFFIC_STATE,
    SHARING,
    GUIDANCE,
    PARKING,
    TRACKING,
)
