"""The report of a run: its figures as files, and one page that shows them with the summary."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2x.metrics.places import place_reliability
from v2x.records.store import StoredRun, read_run
from v2x.report import figures, style
from v2x.report.conflict_messages import conflict_messages_figure, has_conflict_messages
from v2x.report.conflicts import conflict_map_figure, exceedance_figure, has_exposure
from v2x.report.coverage import LEAST_PAIRS, places_figure
from v2x.report.energy import energy_figure, has_energy
from v2x.report.maps import map_figure
from v2x.report.network import has_network, network_figure
from v2x.report.states import (
    has_obstructed_links,
    link_states_figure,
    share_text,
    state_name,
)
from v2x.report.warnings import has_warnings, warnings_figure
from v2x.world.road_map import RoadMap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FIGURES_FOLDER = "figures"
_PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class _Plate:
    """A figure with the words that go with it."""

    name: str
    title: str
    caption: str
    figure: Figure


def write_report(folder: str | Path, *, road_map: RoadMap | None = None) -> list[Path]:
    """Draw the figures of a run into its folder.

    Parameters
    ----------
    folder
        A run folder.
    road_map
        The map of the run; without it the map figure is left out.

    Returns
    -------
    list of Path
        ``figures/*.png`` (200 dpi) and ``figures/*.svg``, and last ``report.html``, one page
        that opens without a network. The same run gives the same bytes.

    Raises
    ------
    V2XError
        If `folder` is not a run folder or is damaged.
    """
    root = Path(folder)
    run = read_run(root)
    target = root / _FIGURES_FOLDER
    target.mkdir(exist_ok=True)
    written: list[Path] = []
    sections = [_summary_section(run.summary)]
    for plate in _plates(run, road_map):
        png, svg = style.save(plate.figure, target, plate.name)
        written += [png, svg]
        sections.append(_figure_section(plate, png))
    page = root / _PAGE
    page.write_text(_page(run, sections), encoding="utf-8")
    return [*written, page]


def _plates(run: StoredRun, road_map: RoadMap | None) -> list[_Plate]:
    records, facts = run.records, run.records.facts
    kept_out = f"The first {facts['warmup_s']:g} s are not counted"
    if facts["edge_margin_m"] > 0:
        kept_out += f", nor are vehicles within {facts['edge_margin_m']:g} m of an open end"
    kept_out += "."
    range_m = f"{facts['awareness_range_m']:g} m"
    plates = [
        _Plate(
            "reliability",
            "Reliability",
            "Packet reception ratio (TR 36.885: receptions over intended receptions, pooled per "
            f"distance bin) with its 95 % band, above it why the rest was lost. {kept_out}",
            figures.reliability_figure(records),
        ),
        _Plate(
            "latency",
            "Latency",
            "Time from generation to delivery over all deliveries to intended receivers, and the "
            "mean of its parts. Packets that were not delivered have no latency.",
            figures.latency_figure(records),
        ),
        _Plate(
            "freshness",
            "Freshness",
            "Share of inter-packet gaps, and of samples of the age of information, above a time, "
            f"for pairs of vehicles within {range_m}.",
            figures.freshness_figure(records),
        ),
        _Plate(
            "load",
            "Channel load",
            "Channel busy ratio: share of the subchannels of the last 100 ms that a node sensed "
            "as busy. Line: mean of the nodes; band: 10th to 90th percentile.",
            figures.load_figure(records),
        ),
        _Plate(
            "safety",
            "Safety",
            "How long vehicles followed another one at a time to collision below "
            f"{figures.TTC_SHOWN_S:g} s.",
            figures.safety_figure(records),
        ),
    ]
    if has_exposure(records):
        plates.append(
            _Plate(
                "conflicts",
                "Conflicts",
                "Conflicts per 1000 km driven whose smallest time to collision, and whose "
                "post-encroachment time, was below a value: pairs of road users on collision "
                f"course within {facts['conflict_ttc_s']:g} s, or on paths that crossed.",
                exceedance_figure(records),
            )
        )
    if has_conflict_messages(records):
        plates.append(
            _Plate(
                "conflict_messages",
                "Messages before conflicts",
                "Why messages of two road users to each other were lost before they were in "
                "conflict, and the same of all messages between road users at these distances.",
                conflict_messages_figure(records),
            )
        )
    if has_warnings(records):
        plates.append(
            _Plate(
                "warnings",
                "Warnings",
                "Left: what alerts turned out to be: whether the two came into conflict until 5 s "
                "after the end of the alert, and whether the way left was at least the way that a "
                "warned driver needs (in time). Drivers who follow an alert may have no conflict. "
                "Right: the difference of both ways when alerts began.",
                warnings_figure(records),
            )
        )
    if has_energy(records):
        plates.append(
            _Plate(
                "energy",
                "Energy by grade",
                "Battery energy (recuperation taken off, auxiliaries included) of electric "
                "vehicles and CO2 of the others per kilometre, on roads that fall or climb by "
                "about so much, with 95 % intervals.",
                energy_figure(records),
            )
        )
    if has_network(records):
        plates.append(
            _Plate(
                "network",
                "Where the milliseconds went",
                "Mean parts of the delay over deliveries: on the sidelink (PC5, receivers within "
                f"{facts['max_distance_m']:g} m) and on each path through the network (receivers "
                f"with a modem within {range_m}, and the share of them that was reached).",
                network_figure(records),
            )
        )
    if has_obstructed_links(records):
        plates.append(
            _Plate(
                "link_states",
                "Link states",
                "What stands between the antennas of two road users within the evaluated distance "
                f"of {facts['max_distance_m']:g} m: share of links over time, and over the run.",
                link_states_figure(records),
            )
        )
    return plates if road_map is None else [*plates, *_map_plates(run, road_map)]


def _map_plates(run: StoredRun, road_map: RoadMap) -> list[_Plate]:
    """Return the figures that show the map."""
    records, facts = run.records, run.records.facts
    attribution = facts.get("attribution") or road_map.attribution
    ground = "" if road_map.terrain is None else ", over the hill-shaded ground"
    plates = [
        _Plate(
            "map",
            "Map",
            f"{road_map.name}: mean absolute grade of each road{ground}, and the last positions.",
            map_figure(road_map, records.tables.get("trajectories"), attribution=attribution),
        )
    ]
    if has_exposure(records):
        plates.append(
            _Plate(
                "conflict_map",
                "Conflicts by place",
                "Where conflicts were at their worst. Serious: time to collision or "
                "post-encroachment time below 1 s; critical: below 1.5 s.",
                conflict_map_figure(road_map, records, attribution=attribution),
            )
        )
    places = place_reliability(records)
    if len(places.n_intended):
        plates.append(
            _Plate(
                "places",
                "Reliability by place",
                f"Packet reception ratio by the place of the sender in squares of "
                f"{places.cell_m:g} m, over all intended receivers within "
                f"{facts['max_distance_m']:g} m; squares with fewer than {LEAST_PAIRS} pairs of "
                "packet and receiver are empty.",
                places_figure(road_map, places, attribution=attribution),
            )
        )
    return plates


def _summary_section(summary: Mapping[str, Any]) -> str:
    """Return the summary as a table; figures that do not exist show as a dash."""
    latency, ipg, aoi = summary["latency_ms"], summary["ipg_ms"], summary["aoi_ms"]
    cbr, worst, prr = summary["cbr"], summary["safety"], summary["prr"]
    rows = [
        ("Simulated", _quantity(summary["simulated_s"], "s")),
        ("Wall time", _quantity(summary["wall_s"], "s")),
        ("Speed", _quantity(summary["realtime_factor"], "× real time")),
        ("Vehicles", _quantity(summary["n_vehicles"])),
        ("Messages sent", _quantity(summary["messages_sent"])),
        *(
            (f"PRR, {_lower(prr, i):g} to {prr['bin_upper_m'][i]:g} m", _prr_text(prr, i))
            for i in _shown_bins(len(prr["value"]))
        ),
        ("Latency: mean, 50, 95, 99 %", _spread(latency)),
        ("Inter-packet gap: mean, 50, 95, 99 %", _spread(ipg)),
        ("Age of information: mean, 50, 95, 99 %", _spread(aoi)),
        (
            "Channel busy ratio: mean, 10, 50, 90 %",
            ", ".join(_quantity(cbr[key]) for key in ("mean", "p10", "p50", "p90")),
        ),
        *_surroundings(summary),
        ("Smallest time to collision", _quantity(worst["min_ttc_s"], "s")),
        ("Spells with TTC below 1.5 s", _quantity(worst["n_ttc_below_1_5_s"])),
        ("Largest deceleration needed (DRAC)", _quantity(worst["max_drac_mps2"], "m/s²")),
        ("Smallest gap", _quantity(worst["min_gap_m"], "m")),
        ("Pairs that collided", _quantity(worst["n_collisions"])),
        *_conflicts(summary),
        *_conflict_messages(summary),
        *_warnings(summary),
        *_energy(summary),
    ]
    body = "\n".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    return f"<table>\n{body}\n</table>"


def _conflicts(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the rows about conflicts, if the run watched for any."""
    if "conflicts" not in summary:
        return []
    found = summary["conflicts"]
    kinds = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in found["n_by_kind"].items())
    return [
        (f"Conflicts (TTC below {found['ttc_s']:g} s, or crossings)", kinds),
        ("Conflicts per 1000 km", _quantity(found["per_1000_km"]["mean"])),
        ("Of these, serious or collisions", _quantity(found["serious_per_1000_km"]["mean"])),
        ("Smallest post-encroachment time", _quantity(found["min_pet_s"], "s")),
        ("Crash potential index", _quantity(found["cpi"]["mean"])),
        ("Time closer than RSS allows", _quantity(found["rss_share"]["mean"])),
        ("Hard brakes per 1000 km", _quantity(found["hard_brakes_per_1000_km"]["mean"])),
    ]


def _conflict_messages(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the rows about messages before conflicts, if the run followed them."""
    if "conflict_messages" not in summary:
        return []
    found = summary["conflict_messages"]
    return [
        ("Messages before conflicts received", _quantity(found["share"]["received"]["mean"])),
        ("All messages at these distances", _quantity(found["at_these_distances"]["received"])),
        ("Received of those in time to stop", _quantity(found["received_in_time"]["mean"])),
        ("Age of information at the decision", _quantity(found["age_decision_s"]["mean"], "s")),
    ]


def _warnings(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the rows about warnings, if the run had any."""
    if "warnings" not in summary:
        return []
    found = summary["warnings"]["by_application"]
    rows = [("Alerts", ", ".join(f"{name} {alerts['n']}" for name, alerts in found.items()))]
    dangers = summary["warnings"]["dangers"]
    if dangers is not None:
        rows += [
            ("Dangers (TTC below 1.5 s, or collisions)", _quantity(dangers["n"])),
            ("Of these between two with devices", _quantity(dangers["n_both_equipped"])),
            ("Warned of in time, of the latter", _quantity(dangers["in_time"]["mean"])),
        ]
    return rows


def _energy(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the rows about energy, if the run recorded it."""
    if "energy" not in summary:
        return []
    found = summary["energy"]
    return [
        ("Battery energy of electric vehicles", _quantity(found["kwh_per_km"]["mean"], "kWh/km")),
        ("CO2 of the others", _quantity(found["co2_g_per_km"]["mean"], "g/km")),
        ("Share of drive energy recuperated", _quantity(found["regen_share"]["mean"])),
        ("Halts per vehicle", _quantity(found["stops_per_vehicle"]["mean"])),
        ("Delay per vehicle", _quantity(found["delay_s_per_vehicle"]["mean"], "s")),
    ]


def _surroundings(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the rows about links, neighbours and positions, as far as the run had them."""
    rows = []
    if summary.get("share_monitored"):
        shares = ", ".join(
            f"{name} {_quantity(share)}" for name, share in summary["share_monitored"].items()
        )
        rows.append(("Share of slots that sensing monitors", shares))
    if summary["link_states"]:
        shares = ", ".join(
            f"{state_name(name)} {share_text(share)}"
            for name, share in summary["link_states"].items()
        )
        rows.append(("Links", shares))
    known = summary["awareness"]
    if known["direct"]["mean"] is not None:
        within = f"within {summary['awareness_range_m']:g} m"
        rows.append((f"Neighbours known {within}", _quantity(known["direct"]["mean"])))
        other = known["other_level"]["false_same_level"]
        rows.append(("Of these, on another level", _quantity(other)))
    for path, delay in summary.get("network", {}).items():
        rows.append((f"Delay over {path}: mean, 50, 95, 99 %", _spread(delay)))
        rows.append((f"Delivered over {path}", _quantity(delay["delivered"]["mean"])))
    for sky, error in (summary["positioning"] or {}).items():
        under = "all skies" if sky == "all" else f"sky: {sky}"
        text = (
            f"{_quantity(error['rms_horizontal_m'], 'm')} in plan, "
            f"{_quantity(error['rms_vertical_m'], 'm')} in height"
        )
        rows.append((f"Position error, {under} (rms)", text))
    return rows


def _shown_bins(n_bins: int) -> list[int]:
    """Return some five bins spread over the distances."""
    return sorted({round(i * (n_bins - 1) / 4) for i in range(5)}) if n_bins else []


def _lower(prr: Mapping[str, Any], i: int) -> float:
    return float(prr["bin_upper_m"][i - 1]) if i else 0.0


def _prr_text(prr: Mapping[str, Any], i: int) -> str:
    if prr["value"][i] is None:
        return "–"
    limits = f"{prr['ci_low'][i]:.3f} to {prr['ci_high'][i]:.3f}"
    return f"{prr['value'][i]:.3f} (95 %: {limits})"


def _quantity(value: float | None, unit: str = "") -> str:
    if value is None:
        return "–"
    number = f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
    return f"{number} {unit}".strip()


def _spread(figures_ms: Mapping[str, Any]) -> str:
    values = (figures_ms[key] for key in ("mean", "p50", "p95", "p99"))
    return ", ".join("–" if value is None else f"{value:.1f}" for value in values) + " ms"


def _figure_section(plate: _Plate, png: Path) -> str:
    data = base64.b64encode(png.read_bytes()).decode("ascii")
    return (
        f"<h2>{html.escape(plate.title)}</h2>\n"
        f'<figure><img alt="{html.escape(plate.title)}" src="data:image/png;base64,{data}">\n'
        f"<figcaption>{html.escape(plate.caption)}</figcaption></figure>"
    )


_CSS = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; }
p.run { color: #555; margin-top: .2rem; } table { border-collapse: collapse; }
th, td { text-align: left; padding: .15rem 1.2rem .15rem 0; border-bottom: 1px solid #ddd; }
th { font-weight: normal; } td { font-variant-numeric: tabular-nums; }
figure { margin: 0; } img { width: 100%; } figcaption, footer { color: #444; font-size: .9rem; }
""".strip()


def _page(run: StoredRun, sections: list[str]) -> str:
    summary, made = run.summary, run.manifest
    title = html.escape(str(summary["scenario"]))
    version = html.escape(str(made.get("versions", {}).get("v2x", "")))
    owed = html.escape(str(run.records.facts.get("attribution", "")))
    body = "\n".join(sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}, seed {summary["seed"]}</title>
<style>
{_CSS}
</style>
</head>
<body>
<h1>{title}</h1>
<p class="run">seed {summary["seed"]}, v2x {version}</p>
{body}
<footer><p>{owed}</p></footer>
</body>
</html>
"""
