"""The figures most readers want, in one JSON object."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from v2x.metrics.awareness import AwarenessCurve, awareness
from v2x.metrics.conflict_messages import conflict_messages
from v2x.metrics.conflicts import conflict_figures
from v2x.metrics.congestion import CongestionFigures, congestion_figures
from v2x.metrics.energy import energy_figures
from v2x.metrics.events import MessageFigures, figures_by_sort
from v2x.metrics.feedback import feedback_figures
from v2x.metrics.freshness import Quantity, freshness, mean_freshness
from v2x.metrics.latency import deliveries
from v2x.metrics.link_states import link_state_shares
from v2x.metrics.load import cbr_quantile, mean_cbr
from v2x.metrics.network import PathFigures, cell_figures, network_paths
from v2x.metrics.positioning import positioning
from v2x.metrics.relay import RelayFigures, relay_figures
from v2x.metrics.reliability import ReliabilityCurve, reliability
from v2x.metrics.roadside import RoadsideFigures, roadside_figures
from v2x.metrics.safety import safety
from v2x.metrics.sensing import monitored_shares
from v2x.metrics.services.figures import service_figures
from v2x.metrics.statistics import Interval
from v2x.metrics.warnings import WarningFigures, warning_figures
from v2x.records.tables import OUTCOME_NAMES, RunRecords

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: Facts a simulation must leave for its summary.
REQUIRED_FACTS = (
    "awareness_range_m",
    "bin_width_m",
    "block_s",
    "decode_ms",
    "edge_margin_m",
    "effective_antenna_height_m",
    "link_states",
    "map",
    "max_distance_m",
    "messages_sent",
    "mobility_period_s",
    "n_vehicles",
    "replications",
    "simulated_s",
    "slot_us",
    "wall_s",
    "warmup_s",
)

_PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def summarise(records: RunRecords, *, scenario_name: str, seed: int) -> dict[str, Any]:
    """Return the summary of a run, ready for JSON.

    Parameters
    ----------
    records
        Tables and facts (:data:`REQUIRED_FACTS`) of the run.
    scenario_name, seed
        What was run.

    Returns
    -------
    dict
        ``prr`` and ``outcomes`` hold equally long lists over the distance bins
        (lower, ``bin_upper_m``]; the shares of a bin sum to 1. ``latency_ms``, ``ipg_ms`` and
        ``aoi_ms`` are over deliveries, gaps and samples within ``awareness_range_m``
        (latency: within the largest bin), all between road users. ``v2i`` is there in runs with
        roadside units, ``share_monitored`` (of the slots, by kind of node) in runs with NR mode 2,
        ``feedback`` in runs with HARQ feedback, ``congestion`` in runs with congestion control,
        ``conflict_messages`` in runs that followed the messages before conflicts,
        ``warnings`` in runs that warn drivers, ``services`` (by name) in runs with services that
        have figures, ``energy`` in runs that record it,
        ``messages`` (of events, and periodic; the other figures are over both) in runs with events,
        ``network`` (by path, delays in milliseconds over message-receiver pairs) and ``cells`` in
        runs with base stations, ``relay`` (delays of what roadside units told of others) where
        they told anything.
        ``effective_antenna_height_m`` is null where the path loss law has no such height. A
        figure for which there is no data is null, never
        NaN or infinite; so is a percentile beyond the last bin of the freshness histograms
        (``share_open`` of the samples) and the TTC of a run in which nobody closed in.
    """
    facts = records.facts
    missing = [name for name in REQUIRED_FACTS if name not in facts]
    if missing:
        raise ValueError(f"the records lack the facts {', '.join(missing)}")
    curve = reliability(records)
    delivered = deliveries(records)
    worst = safety(records)
    summary = {
        "scenario": scenario_name,
        "seed": seed,
        "replications": facts["replications"],
        "simulated_s": facts["simulated_s"],
        "wall_s": facts["wall_s"],
        "realtime_factor": facts["simulated_s"] / facts["wall_s"] if facts["wall_s"] else None,
        "n_vehicles": facts["n_vehicles"],
        "messages_sent": facts["messages_sent"],
        "prr": _prr(curve),
        "pdr": {"bin_upper_m": curve.bin_upper_m, "value": curve.pdr},
        "outcomes": dict(zip(OUTCOME_NAMES, curve.share, strict=True)),
        "cbr": _mean(mean_cbr(records))
        | {f"p{q}": cbr_quantile(records, q / 100) for q in (10, 50, 90)},
        "latency_ms": _mean(delivered.mean())
        | {name: delivered.quantile_ms(q) for name, q in _PERCENTILES.items()}
        | {"parts": dict(delivered.part_means_ms())},
        "ipg_ms": _freshness(records, Quantity.IPG),
        "aoi_ms": _freshness(records, Quantity.AOI),
        "awareness": _awareness(awareness(records)),
        "safety": {
            "min_ttc_s": worst.min_ttc_s,
            "n_ttc_below_1_5_s": worst.n_critical,
            "max_drac_mps2": worst.max_drac_mps2,
            "min_gap_m": worst.min_gap_m,
            "n_collisions": worst.n_collisions,
        },
        "positioning": {sky: asdict(figures) for sky, figures in positioning(records).items()}
        or None,
        "link_states": link_state_shares(records),
        "map": facts["map"],
        "exclusions": {
            "warmup_s": facts["warmup_s"],
            "edge_margin_m": facts["edge_margin_m"],
        },
        "awareness_range_m": facts["awareness_range_m"],
        "effective_antenna_height_m": facts["effective_antenna_height_m"],
    }
    roadside = roadside_figures(records)
    if roadside is not None:
        summary["v2i"] = _roadside(roadside)
    relay = relay_figures(records)
    if relay is not None:
        summary["relay"] = _relay(relay)
    cells = cell_figures(records)
    if cells is not None:
        summary["network"] = {
            name: _network_path(path) for name, path in network_paths(records).items()
        }
        summary["cells"] = asdict(cells)
    shares = monitored_shares(records)
    if shares:
        summary["share_monitored"] = shares
    sorts = figures_by_sort(records)
    if sorts:
        summary["messages"] = {name: _messages(figures) for name, figures in sorts.items()}
    feedback = feedback_figures(records)
    if feedback is not None:
        summary["feedback"] = asdict(feedback)
    conflicts = conflict_figures(records)
    if conflicts is not None:
        summary["conflicts"] = {"ttc_s": facts["conflict_ttc_s"]} | _written_out(conflicts)
    told = conflict_messages(records)
    if told is not None:
        summary["conflict_messages"] = _written_out(told) | {
            "share": {name: _mean(share) for name, share in told.share.items()}
        }
    alerts = warning_figures(records)
    if alerts is not None:
        summary["warnings"] = _warnings(alerts)
    energy = energy_figures(records)
    if energy is not None:
        summary["energy"] = _written_out(energy)
    control = congestion_figures(records)
    if control is not None:
        summary["congestion"] = _congestion(control)
    services = service_figures(records)
    if services:
        summary["services"] = {name: _by_name(figures) for name, figures in services.items()}
    return {key: json_clean(value) for key, value in summary.items()}


def json_clean(value: Any) -> Any:
    """Return `value` in JSON's own types; numbers that JSON lacks become None.

    Examples
    --------
    >>> json_clean({"a": np.array([1.0, np.nan]), "b": np.int64(3)})
    {'a': [1.0, None], 'b': 3}
    """
    if isinstance(value, Mapping):
        return {str(key): json_clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_clean(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return json_clean(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _prr(curve: ReliabilityCurve) -> dict[str, Any]:
    return {
        "bin_upper_m": curve.bin_upper_m,
        "value": curve.prr,
        "ci_low": curve.prr_low,
        "ci_high": curve.prr_high,
        "n": curve.n,
        "ci_method": curve.method,
    }


def _awareness(curve: AwarenessCurve) -> dict[str, Any]:
    return {
        "bin_upper_m": curve.bin_upper_m,
        "n_pairs": curve.n_pairs,
        "share_direct": curve.share_direct,
        "share_with_relay": curve.share_with_relay,
        "direct": _mean(curve.direct),
        "with_relay": _mean(curve.with_relay),
        "other_level": {
            "n_pairs": curve.n_other_level,
            "n_known": curve.n_other_level_known,
            "false_same_level": curve.false_same_level,
        },
    }


def _roadside(figures: RoadsideFigures) -> dict[str, Any]:
    return {
        "n_roadside": figures.n_roadside,
        "cbr": _mean(figures.cbr),
        **{
            name: {
                "prr": _prr(curve),
                "outcomes": dict(zip(OUTCOME_NAMES, curve.share, strict=True)),
            }
            for name, curve in figures.by_direction().items()
        },
    }


def _relay(figures: RelayFigures) -> dict[str, Any]:
    return (
        _mean(figures.mean)
        | {name: figures.delay.quantile(q) for name, q in _PERCENTILES.items()}
        | {
            "n": figures.delay.n_samples,
            "parts": figures.part_means_ms,
            "share_newer": _mean(figures.newer),
        }
    )


def _warnings(figures: WarningFigures) -> dict[str, Any]:
    return {
        "by_application": {
            name: _written_out(alerts) for name, alerts in figures.by_application.items()
        },
        "dangers": None if figures.dangers is None else _written_out(figures.dangers),
    }


def _by_name(figures: DataclassInstance | Mapping[str, DataclassInstance]) -> dict[str, Any]:
    """Return the figures of a service by name, or those of its parts by theirs."""
    if isinstance(figures, Mapping):
        return {name: _written_out(part) for name, part in figures.items()}
    return _written_out(figures)


def _written_out(figures: DataclassInstance) -> dict[str, Any]:
    """Return the figures by name, intervals written out."""
    values = {item.name: getattr(figures, item.name) for item in fields(figures)}
    return {
        name: _mean(value) if isinstance(value, Interval) else value
        for name, value in values.items()
    }


def _congestion(figures: CongestionFigures) -> dict[str, Any]:
    return {
        "cr": _mean(figures.cr) | {"p95": figures.cr_p95, "max": figures.cr_max},
        "share_suppressed": _mean(figures.share_suppressed),
        "interval_ms": figures.interval_ms,
        "n_offered": figures.n_offered,
        "n_suppressed": figures.n_suppressed,
        "n_adapted": figures.n_adapted,
        "tx_power_dbm": figures.tx_power_dbm,
    }


def _messages(figures: MessageFigures) -> dict[str, Any]:
    return {
        "n": figures.n_messages,
        "share_sent": _mean(figures.sent),
        "prr": _mean(figures.prr),
        "latency_ms": _mean(figures.latency.mean())
        | {name: figures.latency.quantile_ms(q) for name, q in _PERCENTILES.items()},
    }


def _network_path(path: PathFigures) -> dict[str, Any]:
    return (
        _mean(path.mean)
        | {name: path.delay.quantile(q) for name, q in _PERCENTILES.items()}
        | {
            "n": path.delay.n_samples,
            "parts": path.part_means_ms,
            "delivered": _mean(path.delivered),
            "outcomes": path.outcomes,
        }
    )


def _mean(interval: Interval) -> dict[str, Any]:
    return {
        "mean": interval.value,
        "ci_low": interval.low,
        "ci_high": interval.high,
        "ci_method": interval.method,
    }


def _freshness(records: RunRecords, quantity: Quantity) -> dict[str, Any]:
    histogram = freshness(records, quantity)
    return (
        _mean(mean_freshness(records, quantity))
        | {name: histogram.quantile(q) for name, q in _PERCENTILES.items()}
        | {"n": histogram.n_samples, "share_open": histogram.share_open}
    )
