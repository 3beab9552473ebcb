"""Make the Chongqing-like maps; by name or, without one, all.

Run it after a change of ``v2x/world/mountain``:  python maps/make_mountain_maps.py [NAME ...]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from v2x.errors import unknown_name
from v2x.world.mountain import (
    blind_curve,
    expressway,
    hill_streets,
    ridge_crossing,
    river_bridge,
    twin_tunnel,
)
from v2x.world.store import SUFFIX, save_map, summary

FOLDER = Path(__file__).resolve().parent
MODULES = (blind_curve, expressway, hill_streets, ridge_crossing, river_bridge, twin_tunnel)
MAKERS = {module.NAME: module.make for module in MODULES}


def main(names: list[str]) -> None:
    """Make the maps of these names and write their figures."""
    for name in names or list(MAKERS):
        if name not in MAKERS:
            raise unknown_name("Chongqing-like map", name, MAKERS)
        road_map = MAKERS[name]()
        save_map(road_map, FOLDER / f"{name}{SUFFIX}")
        json.dump({name: summary(road_map)}, sys.stdout, indent=1)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1:])
