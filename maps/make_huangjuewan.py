"""Cut ``huangjuewan.v2xmap``, the five-level interchange, out of the map of central Chongqing.

Run it after ``make_chongqing.py``:  python maps/make_huangjuewan.py
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from v2x.world.chongqing_terrain import ChongqingSurface
from v2x.world.cut_out import box_around, cut_out
from v2x.world.ground import terrain_of
from v2x.world.road_map import RoadMap
from v2x.world.store import SUFFIX, load_map, save_map, summary

NAME = "huangjuewan"
SOURCE = "chongqing-central"
FOLDER = Path(__file__).resolve().parent
#: Middle of the interchange, and the side of the square around it [m].
LATITUDE_DEG, LONGITUDE_DEG, SIDE_M = 29.5880, 106.6010, 1500.0


def make() -> RoadMap:
    """Return the map as it is compiled."""
    central = load_map(FOLDER / f"{SOURCE}{SUFFIX}")
    box = box_around(central, LATITUDE_DEG, LONGITUDE_DEG, SIDE_M)
    road_map = cut_out(central, box, NAME)
    terrain = terrain_of(road_map, ChongqingSurface(), step_m=10.0, margin_m=300.0)
    return replace(road_map, terrain=terrain)


if __name__ == "__main__":
    road_map = make()
    save_map(road_map, FOLDER / f"{NAME}{SUFFIX}")
    json.dump(summary(road_map), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n" + "\n".join(road_map.report.notes) + "\n")
