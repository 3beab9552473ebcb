"""Studies of the mountain scenarios: what is varied, and what is asked."""

from __future__ import annotations

from finding_figures import collision_speed, common, stopped_vehicle
from finding_study import Study
from study import Change

NOBODY: tuple[Change, ...] = (("information.knowledge", "none"),)
MESSAGES: tuple[Change, ...] = (("information.knowledge", "messages"),)
PERFECT: tuple[Change, ...] = (("information.knowledge", "perfect"),)
TWINS: dict[str, tuple[Change, ...]] = {"none": NOBODY, "messages": MESSAGES, "perfect": PERFECT}

#: Shares of vehicles with a device [%].
SHARES = (30, 60, 100)
NO_UNITS: tuple[Change, ...] = (("roadside.placement", "none"),)


def _equipped(percent: int) -> Change:
    return "information.equipped", f"{percent / 100:g}"


TUNNEL = Study(
    name="tunnel_truck",
    scenario="mountain/tunnel_truck",
    # The first ten seeds in which the truck begins to stop before 11 s.
    seeds=(4, 7, 9, 10, 13, 15, 16, 21, 26, 43),
    variants={
        "nobody equipped": (("information.equipped", "0"), *NO_UNITS),
        **{f"{share} %, no units": (_equipped(share), *NO_UNITS) for share in SHARES},
        **{f"{share} %, units": (_equipped(share),) for share in SHARES},
    },
    reference="nobody equipped",
    figures=(common, collision_speed, stopped_vehicle),
)

FOG = Study(
    name="fog_queue",
    scenario="mountain/fog_queue",
    # The first six in which the vehicle begins to stop before 13 s.
    seeds=(1, 4, 5, 7, 10, 11),
    variants=TWINS,
    reference="none",
    figures=(common, collision_speed),
)

STUDIES: tuple[Study, ...] = (TUNNEL, FOG)
