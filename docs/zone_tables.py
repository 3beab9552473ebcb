"""Tables of the eight application types in ``docs/findings.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from finding_study import DIFFERENCE
from study import Row, table, text

#: What the table of each study shows: name of the figure, digits.
SHOWN: Mapping[str, Mapping[str, int]] = {
    "intelligent_driving": {
        "collisions": 1,
        "conflicts per 1000 km": 0,
        "dangers": 1,
        "dangers warned in time": 2,
        "hard brakes": 1,
        "alerts": 1,
        "alerts without conflict per 1000 km": 0,
        "mean speed [km/h]": 1,
        "CBR": 3,
    },
    "road_network": {
        "event detected": 2,
        "detected after [s]": 1,
        "vehicles concerned": 1,
        "told": 2,
        "told within 1 s": 2,
        "delivery [s]: median": 2,
        "delivery [s]: p95": 2,
        "CBR": 3,
    },
    "green_travel": {
        "halts per km": 2,
        "delay [s/km]": 1,
        "energy of a car uphill [kWh/km]": 3,
        "energy of a car downhill [kWh/km]": 3,
        "energy of a bus uphill [kWh/km]": 2,
        "energy of a bus downhill [kWh/km]": 2,
        "jerk, root mean square [m/s³]": 2,
        "collisions": 1,
    },
    "tracking": {
        "located": 2,
        "found after [s]": 1,
        "error [m]": 1,
        "false track": 2,
        "located in tunnels": 2,
    },
    "parking": {
        "drove in": 1,
        "guided": 2,
        "parked": 2,
        "search [s]": 1,
        "way inside [m]": 0,
        "answer after [s]": 2,
        "conflicts over slots": 1,
        "wrong levels": 1,
    },
    "resource_sharing": {
        "STATE: PDR": 3,
        "STATE: access delay [ms]": 1,
        "RSM: PDR": 3,
        "RSM: access delay [ms]": 1,
        "MAP: PDR": 3,
        "RSI: PDR": 3,
        "CBR": 3,
        "fairness (Jain)": 3,
        "known": 2,
        "without device, known": 2,
    },
    "traffic_guidance": {
        "told of the closed road": 1,
        "told after, mean [s]": 1,
        "longest queue [m]": 0,
        "standing": 3,
        "delay [s/km]": 1,
        "halts per km": 2,
        "driven [km]": 1,
    },
    "traffic_state": {
        "edges known": 2,
        "error of speed": 3,
        "breakdown found": 2,
        "found after [s]": 1,
        "false incidents": 1,
        "delay of a car [s/km]": 1,
        "delay of a bus [s/km]": 1,
        "halts per km": 2,
    },
}


def tables(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return two tables of each study that has rows, by the names of their marks."""
    found = {(row.study, row.variant, row.figure): row for row in rows}
    made: dict[str, list[str]] = {}
    for study, shown in SHOWN.items():
        variants = list(dict.fromkeys(row.variant for row in rows if row.study == study))
        if not variants:
            continue
        made[f"figures of {study}"] = _table(found, study, variants, shown, "")
        made[f"changes of {study}"] = _table(found, study, variants, shown, f": {DIFFERENCE}")
    return made


def _table(
    found: Mapping[tuple[str, str, str], Row],
    study: str,
    variants: Sequence[str],
    shown: Mapping[str, int],
    suffix: str,
) -> list[str]:
    """Return what variants have of the figures with this suffix, leaving out what none has."""
    there = {
        figure: digits
        for figure, digits in shown.items()
        if any((study, variant, figure + suffix) in found for variant in variants)
    }
    lines = []
    for variant in variants:
        cells = [found.get((study, variant, figure + suffix)) for figure in there]
        if any(cells):
            each = zip(cells, there.values(), strict=True)
            lines.append([variant, *(text(cell, digits) for cell, digits in each)])
    return table(("variant", *there), lines, 1)
