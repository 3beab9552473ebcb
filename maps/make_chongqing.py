"""Compile ``chongqing-central.v2xmap`` from the OpenStreetMap extract beside this file.

Run it after a change of the importer or of the analytic terrain:  python maps/make_chongqing.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from v2x.world.chongqing_terrain import ChongqingSurface
from v2x.world.osm import import_osm
from v2x.world.road_map import RoadMap
from v2x.world.store import SUFFIX, save_map, summary

NAME = "chongqing-central"
FOLDER = Path(__file__).resolve().parent


def make() -> RoadMap:
    """Return the map as it is compiled."""
    return import_osm(FOLDER / f"{NAME}.osm.gz", elevation=ChongqingSurface(), name=NAME)


if __name__ == "__main__":
    road_map = make()
    save_map(road_map, FOLDER / f"{NAME}{SUFFIX}")
    json.dump(summary(road_map), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n" + "\n".join(road_map.report.notes) + "\n")
