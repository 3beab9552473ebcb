"""Figures of merit of the application types of the demonstration zone, one run at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from finding_figures import Figures
from numpy.typing import NDArray

from v2x.messages.topics import Topic
from v2x.metrics.energy import by_grade, energy_figures
from v2x.metrics.load import mean_cbr
from v2x.mobility.fleet import NodeKind
from v2x.records.tables import RunRecords, Table

#: Estimates of traffic that fewer vehicles stand behind are not judged.
LEAST_VEHICLES = 2
#: Speeds below this are taken for it where errors are relative [m/s].
LEAST_SPEED_MPS = 1.0
#: Vehicles so far upstream of an event have to know of it [m].
CONCERNED_M = 2000.0


def travel(records: RunRecords) -> Figures:
    """Yield energy on each side of the hill, halts, delays and comfort."""
    of_all = energy_figures(records)
    if of_all is None:
        return
    yield "energy [kWh/km]", of_all.kwh_per_km.value
    for kind in (NodeKind.CAR, NodeKind.BUS):
        name = kind.name.lower()
        by_class = by_grade(records, electric=True, kind=kind)
        yield f"energy of a {name} uphill [kWh/km]", by_class[-1].value
        yield f"energy of a {name} downhill [kWh/km]", by_class[0].value
    yield "jerk, root mean square [m/s³]", of_all.jerk_rms_mps3
    yield from delays(records)


def delays(records: RunRecords) -> Figures:
    """Yield halts and delays of all vehicles, and delays of cars and buses."""
    of_all = energy_figures(records)
    if of_all is None:
        return
    yield "halts per km", of_all.stops_per_km.value
    yield "delay [s/km]", of_all.delay_s_per_km.value
    yield "driven [km]", of_all.vehicle_km
    table = records.tables["energy"]
    for kind in (NodeKind.CAR, NodeKind.BUS):
        mine = table["kind"] == kind
        km = float(table["distance_m"][mine].sum()) / 1000.0
        if km > 0.0:
            delay_s = float(table["delay_s"][mine].sum())
            yield f"delay of a {kind.name.lower()} [s/km]", delay_s / km


def load(records: RunRecords) -> Figures:
    """Yield the mean channel busy ratio."""
    yield "CBR", mean_cbr(records).value


def event_delivery(records: RunRecords) -> Figures:
    """Yield how soon a hazard that units found was known to those upstream.

    Those count who have a device and were on the same carriageway, within 2 km before the
    event, when it was detected; a delay is infinite if they never got to know of it.
    """
    events, reach = records.tables["road_events"], records.tables["event_reach"]
    real = np.flatnonzero(np.isfinite(events["begin_s"]))
    if not len(real):
        yield "event detected", 0.0
        return
    first = real[np.argmin(events["detected_s"][real])]
    detected_s = float(events["detected_s"][first])
    yield "event detected", 1.0
    yield "detected after [s]", detected_s - float(events["begin_s"][first])
    of_it = (reach["service"] == events["service"][first]) & (
        reach["number"] == events["number"][first]
    )
    known_s = dict(
        zip(reach["vehicle_id"][of_it].tolist(), reach["time_s"][of_it].tolist(), strict=True)
    )
    x_m, y_m = float(events["x_m"][first]), float(events["y_m"][first])
    delays = [
        max(known_s.get(vehicle, math.inf) - detected_s, 0.0)
        for vehicle in _upstream(records, int(events["edge"][first]), x_m, y_m, detected_s)
    ]
    yield "vehicles concerned", float(len(delays))
    if delays:
        yield "told", float(np.isfinite(delays).mean())
        yield "told within 1 s", float((np.array(delays) <= 1.0).mean())
    for delay in delays:
        yield "delivery [s]", delay


def _upstream(
    records: RunRecords, edge: int, x_m: float, y_m: float, time_s: float
) -> Iterator[int]:
    """Yield vehicles with a device on the way to a place on an edge at a time."""
    table, devices = records.tables["trajectories"], records.tables["devices"]
    vehicle = table["kind"] <= NodeKind.BUS
    instant = table["time_s"][vehicle][np.argmin(np.abs(table["time_s"][vehicle] - time_s))]
    now = vehicle & (table["time_s"] == instant)
    on_edge = now & (table["edge"] == edge)
    if not on_edge.any():
        return
    heading = float(table["heading_rad"][on_edge][0])
    dx, dy = x_m - table["x_m"], y_m - table["y_m"]
    turned = np.cos(table["heading_rad"] - heading)
    ahead = dx * np.cos(table["heading_rad"]) + dy * np.sin(table["heading_rad"])
    here = now & (turned > 0.0) & (ahead > 0.0) & (np.hypot(dx, dy) <= CONCERNED_M)
    equipped = set(devices["id"][devices["equipped"]].tolist())
    yield from (one for one in table["id"][here].tolist() if one in equipped)


def traffic_state(records: RunRecords) -> Figures:
    """Yield how good the estimates of a server are, and what it made of a breakdown.

    The error of speed is the mean over estimates of edges with two vehicles or more, relative to
    their true mean speed, which counts as 1 m/s where it is less. The breakdown is the first stop
    of a hazard that is on the list of events; others on the list are false.
    """
    table = records.tables["traffic_state"]
    judged = (table["time_s"] > records.facts["warmup_s"]) & (table["n_vehicles"] >= LEAST_VEHICLES)
    if judged.any():
        known = judged & (table["n_reports"] > 0)
        true = np.maximum(table["true_speed_mps"][known], LEAST_SPEED_MPS)
        error = np.abs(table["speed_mps"][known] - table["true_speed_mps"][known]) / true
        yield "edges known", float(known.sum() / judged.sum())
        yield "error of speed", float(error.mean()) if known.any() else math.nan
    events = records.tables["road_events"]
    names = list(records.facts.get("services") or [])
    if "probe-data" not in names:
        return
    mine = events["service"] == names.index("probe-data")
    real = mine & np.isfinite(events["begin_s"])
    yield "breakdown found", float(real.any())
    if real.any():
        delay = events["detected_s"][real] - events["begin_s"][real]
        yield "found after [s]", float(delay.min())
    yield "false incidents", float((mine & ~real).sum())


def classes(records: RunRecords) -> Figures:
    """Yield share of receptions and access delay of each topic, and how equal senders fare.

    The index of fairness is Jain's, over the share of receptions of state messages of vehicles.
    """
    packets = records.tables["packets"]
    counted = (packets["generated_us"] >= records.facts["warmup_s"] * 1e6) & (
        packets["n_intended"] > 0
    )
    for topic in np.unique(packets["topic"][counted]).tolist():
        mine = counted & (packets["topic"] == topic)
        name = Topic(topic).name
        sent = mine & (packets["first_slot_us"] >= 0)
        pdr = packets["n_received"][mine].sum() / packets["n_intended"][mine].sum()
        delay_ms = (packets["first_slot_us"][sent] - packets["generated_us"][sent]) / 1000.0
        yield f"{name}: sent per second", float(mine.sum()) / _counted_s(records)
        yield f"{name}: PDR", float(pdr)
        yield f"{name}: access delay [ms]", float(delay_ms.mean()) if sent.any() else math.nan
    state = counted & (packets["topic"] == Topic.STATE)
    share = _by_sender(packets, state)
    if len(share):
        yield "fairness (Jain)", float(share.sum() ** 2 / (len(share) * (share**2).sum()))


def _by_sender(packets: Table, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of receptions of each sender."""
    _, sender = np.unique(packets["tx_id"][rows], return_inverse=True)
    received = np.bincount(sender, weights=packets["n_received"][rows])
    return np.asarray(received / np.bincount(sender, weights=packets["n_intended"][rows]))


def _counted_s(records: RunRecords) -> float:
    facts = records.facts
    return float(facts["simulated_s"]) / float(facts["replications"]) - float(facts["warmup_s"])


def shared_senses(records: RunRecords) -> Figures:
    """Yield whom vehicles with a device see by themselves, and know by what others tell."""
    table = records.tables["perception"]
    n, silent = int(table["n_pairs"].sum()), int(table["n_silent"].sum())
    if n:
        yield "seen", float(table["n_seen"].sum() / n)
        yield "known", float(table["n_known"].sum() / n)
    if silent:
        yield "without device, seen", float(table["n_silent_seen"].sum() / silent)
        yield "without device, known", float(table["n_silent_known"].sum() / silent)


def detours(records: RunRecords) -> Figures:
    """Yield what a closed road cost, and who was told of it how soon."""
    table, reach = records.tables["guidance"], records.tables["guidance_reach"]
    counted = table["time_s"] > records.facts["warmup_s"]
    if not counted.any():
        return
    yield "lost, all vehicles [h]", float(table["lost_s"][counted].sum()) / 3600.0
    yield "longest queue [m]", float(np.nanmax(table["queue_m"][counted], initial=0.0))
    yield (
        "standing",
        float((table["n_standing"] / np.maximum(table["n_vehicles"], 1))[counted].mean()),
    )
    yield "told of the closed road", float(len(np.unique(reach["vehicle_id"])))
    if len(reach["after_s"]):
        yield "told after, mean [s]", float(reach["after_s"].mean())


def garage(records: RunRecords) -> Figures:
    """Yield how long vehicles looked for a slot, and what became of their requests."""
    table = records.tables["parking"]
    over = np.isfinite(table["over_s"])
    yield "drove in", float(len(over))
    parked = over & (table["slot"] >= 0)
    if not over.any():
        return
    yield "parked", float(parked.sum() / over.sum())
    yield "search [s]", float((table["over_s"] - table["entered_s"])[over].mean())
    yield "way inside [m]", float(table["way_m"][over].mean())
    yield "guided", float(table["guided"][over].mean())
    yield "conflicts over slots", float(table["conflict"].sum())
    yield "wrong levels", float(table["level_error"].sum())
    dialogues = records.tables["dialogues"]
    done = np.isfinite(dialogues["answer_s"])
    if done.any():
        answer = (dialogues["answer_s"] - dialogues["begin_s"])[done]
        yield "answer after [s]", float(answer.mean())


def pursuit(records: RunRecords) -> Figures:
    """Yield how well a stolen vehicle was followed from the report on."""
    table = records.tables["tracking"]
    if not len(table["located"]):
        return
    located = table["located"] & ~table["false_track"]
    yield "located", float(located.mean())
    yield "false track", float(table["false_track"].mean())
    error = table["error_m"][located]
    yield "error [m]", float(error.mean()) if len(error) else math.nan
    found = np.flatnonzero(located)
    yield "found after [s]", float(table["since_report_s"][found[0]]) if len(found) else math.nan
    dark = table["in_tunnel"]
    if dark.any():
        yield "located in tunnels", float(located[dark].mean())
