"""The short table that ``v2x run`` ends with."""

from __future__ import annotations

from typing import Any

import click

_DISTANCES_M = (100.0, 200.0, 300.0)


def print_summary(summary: dict[str, Any]) -> None:
    """Print the figures of a run that most readers want, one line each."""
    rows = [
        *_reliability(summary["prr"]),
        *_radio(summary),
        *_events(summary),
        *_feedback(summary),
        *_relay(summary),
        *_network(summary),
        *_warnings(summary),
        *_traffic(summary),
    ]
    width = max(len(name) for name, _ in rows)
    click.echo()
    for name, value in rows:
        click.echo(f"  {name:<{width}}  {value}")
    click.echo()


def _reliability(prr: dict[str, Any]) -> list[tuple[str, str]]:
    rows = []
    lower_m = 0.0
    for i, upper_m in enumerate(prr["bin_upper_m"]):
        if any(lower_m < distance_m <= upper_m for distance_m in _DISTANCES_M):
            value, low, high = (prr[key][i] for key in ("value", "ci_low", "ci_high"))
            interval = f"  (95 % CI {low:.3f} to {high:.3f})" if low is not None else ""
            rows.append((f"PRR {lower_m:g} to {upper_m:g} m", _number(value, 3) + interval))
        lower_m = upper_m
    return rows


def _radio(summary: dict[str, Any]) -> list[tuple[str, str]]:
    cbr = summary["cbr"]
    rows = [("channel busy ratio", f"{_number(cbr['mean'], 3)}  (90 %: {_number(cbr['p90'], 3)})")]
    for key, title in (
        ("latency_ms", "latency"),
        ("ipg_ms", "inter-packet gap"),
        ("aoi_ms", "age of information"),
    ):
        values = summary[key]
        mean, p95 = (_number(values[name], 1, " ms") for name in ("mean", "p95"))
        rows.append((title, f"{mean}  (95 %: {p95})"))
    shares = summary.get("share_monitored", {})
    if any(share < 1.0 for share in shares.values()):
        words = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
        rows.append(("slots monitored", words))
    return rows


def _events(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the line about messages of events, none in runs without them."""
    figures = summary.get("messages", {}).get("event")
    if figures is None:
        return []
    latency = figures["latency_ms"]
    mean, p95 = (_number(latency[name], 1, " ms") for name in ("mean", "p95"))
    received, sent = (_number(figures[name]["mean"], 3) for name in ("prr", "share_sent"))
    line = f"{mean}  (95 %: {p95}), received {received}, sent {sent}"
    return [("latency of events", line)]


def _relay(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the line about what roadside units told of others, none if they told nothing."""
    figures = summary.get("relay")
    if figures is None:
        return []
    mean, p95 = (_number(figures[name], 1, " ms") for name in ("mean", "p95"))
    newer = _number(figures["share_newer"]["mean"], 3)
    return [("latency over roadside units", f"{mean}  (95 %: {p95}), newer than heard {newer}")]


def _network(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return a line for each path through the network, and one for its cells, if it has any."""
    rows = []
    for path, values in summary.get("network", {}).items():
        mean, p99 = (_number(values[name], 1, " ms") for name in ("mean", "p99"))
        delivered = _number(values["delivered"]["mean"], 3)
        rows.append((f"latency over {path}", f"{mean}  (99 %: {p99}), delivered {delivered}"))
    cells = summary.get("cells")
    if cells is not None:
        load = f"load {_number(cells['uplink_load'], 2)} up, {_number(cells['downlink_load'], 2)}"
        covered = _number(cells["share_covered"], 3)
        rows.append((f"{cells['n_cells']} base stations", f"{load} down, covered {covered}"))
    return rows


def _feedback(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the lines about HARQ feedback, none in runs without it."""
    figures = summary.get("feedback")
    if figures is None:
        return []
    missed, needless = (_number(figures[key], 3) for key in ("share_missed", "share_needless"))
    return [
        (
            "transmissions per packet",
            f"{figures['transmissions']:.2f}  ({figures['released']:.2f} released)",
        ),
        ("feedback resources per packet", f"{figures['answers']:.2f}"),
        ("feedback wrong", f"{missed} of losses missed, {needless} of successes repeated"),
    ]


def _warnings(summary: dict[str, Any]) -> list[tuple[str, str]]:
    figures = summary.get("warnings")
    if figures is None:
        return []
    by_sort = figures["by_application"]
    rows = [("alerts", ", ".join(f"{name} {found['n']}" for name, found in by_sort.items()))]
    decks = {name: found["other_deck"]["mean"] for name, found in by_sort.items()}
    wrong = ", ".join(f"{name} {share:.0%}" for name, share in decks.items() if share)
    if wrong:
        rows.append(("of these about other decks", wrong))
    dangers = figures["dangers"]
    if dangers is not None and dangers["n_both_equipped"]:
        share = _number(dangers["in_time"]["mean"], 2)
        rows.append(("dangers warned of in time", f"{share} of {dangers['n_both_equipped']}"))
    return rows


def _traffic(summary: dict[str, Any]) -> list[tuple[str, str]]:
    safety = summary["safety"]
    return [
        ("least time to collision", _number(safety["min_ttc_s"], 2, " s")),
        ("hardest braking needed (DRAC)", _number(safety["max_drac_mps2"], 2, " m/s²")),
        ("collisions", str(safety["n_collisions"])),
        ("vehicles", str(summary["n_vehicles"])),
        ("messages sent", str(summary["messages_sent"])),
        (
            "speed",
            f"{_number(summary['realtime_factor'], 1)} x real time  "
            f"({summary['simulated_s']:g} s in {summary['wall_s']:.1f} s)",
        ),
    ]


def _number(value: float | None, digits: int, unit: str = "") -> str:
    """Return a figure with its unit, or a dash where there is none to show."""
    return "-" if value is None else f"{value:.{digits}f}{unit}"
