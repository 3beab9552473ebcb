"""Figures of merit of one run of a scenario with warnings and services."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.conflicts import severity
from v2x.metrics.rates import M_PER_1000_KM
from v2x.metrics.warnings import confirmed_alerts, warned_dangers
from v2x.mobility.fleet import NodeKind
from v2x.records.tables import ConflictKind, RunRecords, Table

#: A figure and its value; figures with several values are samples.
Figures = Iterator[tuple[str, float]]
FloatArray = NDArray[np.float64]

#: A danger has a smaller TTC, or is a collision [s].
DANGER_TTC_S = 1.5
#: Ways before a stopped vehicle at which the alert is looked for, give or take [m].
REACHED_AT_M, REACHED_WITHIN_M = (250.0, 500.0, 1000.0, 1500.0), 150.0
#: Who comes this near to it has to do with it, and brakes hard from there on [m].
NEAR_M = 300.0
#: Events and alerts this near to it are about it [m].
SAME_PLACE_M = 60.0
#: RSI code of a stopped vehicle and DENM cause 94.
STOPPED_CODES = (103, 10094)
#: Braking that counts as hard [m/s²].
HARD_MPS2 = 3.924
#: Vehicles on the carriageway of another one drive as it does, within this angle [rad].
SAME_WAY_RAD = 0.5 * math.pi


def common(records: RunRecords) -> Figures:
    """Yield what every study asks for."""
    conflicts, exposure = records.tables["conflicts"], records.tables["exposure"]
    warnings = records.tables["warnings"]
    thousand_km = float(exposure["distance_m"].sum()) / M_PER_1000_KM
    level = severity(conflicts)
    danger = (conflicts["min_ttc_s"] < DANGER_TTC_S) | conflicts["collision"]
    _, in_time = warned_dangers(warnings, conflicts)
    about = warnings["other_id"] >= 0
    false = about & ~confirmed_alerts(warnings, conflicts)
    yield "collisions", float(conflicts["collision"].sum())
    rear_end = conflicts["collision"] & (conflicts["kind"] == ConflictKind.FOLLOWING)
    yield "rear-end collisions", float(rear_end.sum())
    yield "conflicts per 1000 km", len(level) / thousand_km
    yield "serious conflicts per 1000 km", float((level <= 1).sum()) / thousand_km
    yield "min TTC [s]", float(conflicts["min_ttc_s"].min(initial=math.inf))
    yield "hard brakes", float(exposure["n_hard_brakes"].sum())
    yield "dangers", float(danger.sum())
    yield "dangers warned in time", float(in_time[danger].mean()) if danger.any() else math.nan
    yield "alerts", float(len(about))
    yield "alerts without conflict per 1000 km", float(false.sum()) / thousand_km
    speed = float(exposure["distance_m"].sum()) / float(exposure["vehicle_s"].sum())
    yield "mean speed [km/h]", 3.6 * speed


def collision_speed(records: RunRecords) -> Figures:
    """Yield how hard collisions were, by their summed speed differences."""
    speed = records.tables["conflicts"]["collision_speed_mps"]
    yield "collision speeds, sum [m/s]", float(np.nansum(speed))


def stopped_vehicle(records: RunRecords) -> Figures:
    """Yield how the alert of a stopped vehicle travelled, and who was told in time.

    The vehicle is the first one that stands. An alert has reached a vehicle with a device when it
    has the event from a roadside unit or another vehicle; vehicles count by where they were when
    the vehicle came to a stand. Those who come within 300 m of it afterwards approach it; they
    were told in time if their first alert about it left the way that a warned driver needs.
    """
    found = _first_standing(records)
    if found is None:
        return
    who, began_s, tracks = found
    yield from _reach(records, tracks, began_s)
    yield from _approaching(records, tracks, who, began_s)


def _first_standing(records: RunRecords) -> tuple[int, float, Table] | None:
    """Return who stands first and since when, and all states with the way left to it."""
    table = records.tables["trajectories"]
    vehicle = (table["kind"] <= NodeKind.BUS) & (table["time_s"] >= records.facts["warmup_s"])
    stands = np.flatnonzero(vehicle & (table["speed_mps"] < 0.05))
    if not len(stands):
        return None
    first = stands[0]
    dx = table["x_m"][first] - table["x_m"]
    dy = table["y_m"][first] - table["y_m"]
    turned = np.angle(np.exp(1j * (table["heading_rad"] - table["heading_rad"][first])))
    ahead = dx * np.cos(table["heading_rad"]) + dy * np.sin(table["heading_rad"]) >= 0.0
    kept = vehicle & (np.abs(turned) < SAME_WAY_RAD) & ahead
    tracks = {
        name: table[name][kept] for name in ("time_s", "id", "edge", "lane", "acceleration_mps2")
    }
    tracks["to_it_m"] = np.hypot(dx, dy)[kept]
    return int(table["id"][first]), float(table["time_s"][first]), tracks


def _reach(records: RunRecords, tracks: Table, began_s: float) -> Figures:
    """Yield the delays of vehicles with a device about each distance; infinite: never.

    Nothing if nobody tells of it, as when it has no device itself.
    """
    events, reach = records.tables["road_events"], records.tables["event_reach"]
    of_it = np.isin(events["code"], STOPPED_CODES) & (np.abs(events["detected_s"] - began_s) < 5.0)
    if not of_it.any():
        return
    keys = set(zip(events["service"][of_it], events["number"][of_it], strict=True))
    told: dict[int, tuple[float, int]] = {}
    for i, key in enumerate(zip(reach["service"], reach["number"], strict=True)):
        if key in keys:
            one = (float(reach["time_s"][i]), int(reach["via"][i]))
            vehicle = int(reach["vehicle_id"][i])
            told[vehicle] = min(told.get(vehicle, one), one)
    devices = records.tables["devices"]
    equipped = set(devices["id"][devices["equipped"]].tolist())
    instant = tracks["time_s"][np.argmin(np.abs(tracks["time_s"] - began_s))]
    now = tracks["time_s"] == instant
    for at_m in REACHED_AT_M:
        here = now & (np.abs(tracks["to_it_m"] - at_m) <= REACHED_WITHIN_M)
        for vehicle in tracks["id"][here].tolist():
            if vehicle in equipped:
                time_s, via = told.get(vehicle, (math.inf, -1))
                yield f"alert known at {at_m:g} m [s]", max(time_s - began_s, 0.0)
                if via >= 0:
                    yield f"told by a unit at {at_m:g} m", float(via == 0)


def _approaching(records: RunRecords, tracks: Table, who: int, began_s: float) -> Figures:
    """Yield who approached it: told at all, told in time, braking, leaving its lane, colliding."""
    conflicts = records.tables["conflicts"]
    collided = {
        int(vehicle)
        for name in ("vehicle_id", "other_id")
        for vehicle in conflicts[name][conflicts["collision"]]
    }
    told, margin_m = _alerts_about(records, who, began_s)
    near = (tracks["to_it_m"] <= NEAR_M) & (tracks["time_s"] >= began_s) & (tracks["id"] != who)
    # Who never drives on its edge comes the other way, or turns off before.
    edge = tracks["edge"][tracks["id"] == who][-1]
    near &= np.isin(tracks["id"], tracks["id"][tracks["edge"] == edge])
    approaching = np.unique(tracks["id"][near]).tolist()
    yield "approach", float(len(approaching))
    yield "told", _share([one in told for one in approaching])
    yield "collide", _share([one in collided for one in approaching])
    lane = int(tracks["lane"][tracks["id"] == who][-1])
    in_lane = 0
    for one in approaching:
        mine = np.flatnonzero(near & (tracks["id"] == one))
        beside = np.flatnonzero(tracks["lane"][mine] != lane)
        if len(beside) and beside[0] == 0:
            continue
        in_lane += 1
        # Those who have not come so far when the run ends have not left it yet.
        left_m = float(tracks["to_it_m"][mine[beside[0]]]) if len(beside) else math.nan
        hardest = float(tracks["acceleration_mps2"][mine].min())
        yield "in its lane: told in time", float(margin_m.get(one, -1.0) >= 0.0)
        yield "in its lane: margin of the alert [m]", margin_m.get(one, math.nan)
        yield "in its lane: leaves it at [m]", left_m
        yield "in its lane: hardest braking [m/s²]", max(-hardest, 0.0)
        yield "in its lane: brakes hard", float(hardest < -HARD_MPS2)
        yield "in its lane: collides", float(one in collided)
    yield "approach in its lane", float(in_lane)


def _alerts_about(
    records: RunRecords, who: int, began_s: float
) -> tuple[set[int], dict[int, float]]:
    """Return who was told of one that stands, and the margin of the first alert that has one [m].

    Alerts that ask for nothing, such as those to drivers in other lanes, have no margin.
    """
    warnings, table = records.tables["warnings"], records.tables["trajectories"]
    standing = (table["id"] == who) & (table["time_s"] >= began_s)
    x_m, y_m = table["x_m"][standing][0], table["y_m"][standing][0]
    apart_m = np.hypot(warnings["x_m"] - x_m, warnings["y_m"] - y_m)
    of_place = (warnings["other_id"] < 0) & (
        np.abs(apart_m - warnings["distance_m"]) <= SAME_PLACE_M
    )
    about = (warnings["other_id"] == who) | of_place
    margin_m = warnings["distance_m"] - warnings["needed_m"]
    first: dict[int, float] = {}
    order = np.argsort(warnings["begin_s"], kind="stable")
    for i in order[about[order] & ~np.isnan(margin_m[order])]:
        first.setdefault(int(warnings["vehicle_id"][i]), float(margin_m[i]))
    return set(warnings["vehicle_id"][about].tolist()), first


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else math.nan
