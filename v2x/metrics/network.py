"""How messages fare through the network: delay, its parts, and who is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from v2x.metrics.statistics import (
    CONFIDENCE,
    Clusters,
    Histogram,
    Interval,
    clusters,
    proportion_interval,
    ratio_interval,
)
from v2x.records.tables import (
    NETWORK_BIN_MS,
    NETWORK_OPEN_MS,
    NETWORK_OUTCOME_NAMES,
    NETWORK_PARTS,
    NETWORK_PATH_NAMES,
    NetworkOutcome,
    RunRecords,
    Table,
)

#: Delays have no steps; quantiles are taken as continuous within their bin [ms].
_GRAIN_MS = 1e-6


@dataclass(frozen=True, slots=True)
class PathFigures:
    """What became of the messages on one path through the network.

    Attributes
    ----------
    name
        The path, such as "mec-core".
    delivered
        Share of the message-receiver pairs that were delivered, with its limits.
    outcomes
        Share of the pairs by outcome.
    mean
        Mean delay of deliveries with its limits [ms].
    delay
        Delays of deliveries [ms]; quantiles are exact to the width of a bin, 0.1 ms.
    part_means_ms
        Mean of each part of the delay over deliveries [ms]; they add up to the mean.
    """

    name: str
    delivered: Interval
    outcomes: Mapping[str, float]
    mean: Interval
    delay: Histogram
    part_means_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CellFigures:
    """How the cells were used, over the states of table ``network_cells``.

    Attributes
    ----------
    n_cells
        Base stations.
    share_covered
        Share of the road users with a modem that were attached to a cell.
    handovers_per_user_h
        Handovers, returns to coverage included, for each road user with a modem and hour [1/h].
    uplink_load, downlink_load
        Largest load of a cell.
    """

    n_cells: int
    share_covered: float
    handovers_per_user_h: float
    uplink_load: float
    downlink_load: float


def network_paths(
    records: RunRecords, *, confidence: float = CONFIDENCE
) -> Mapping[str, PathFigures]:
    """Return the figures of each path by its name; empty for a run without a network.

    Parameters
    ----------
    records
        Uses tables ``network``, ``network_parts`` and ``network_latency`` and the fact ``block_s``.
    confidence
        Of the limits.
    """
    paths = np.unique(records.tables["network"]["path"]).tolist()
    return {NETWORK_PATH_NAMES[p]: _path_figures(records, p, confidence) for p in paths}


def _path_figures(records: RunRecords, path: int, confidence: float) -> PathFigures:
    block_s = float(records.facts["block_s"])
    counts = _of_path(records.tables["network"], path)
    parts = _of_path(records.tables["network_parts"], path)
    delays = _of_path(records.tables["network_latency"], path)
    of_counts = _clusters(counts, block_s)
    delivered = np.where(counts["outcome"] == NetworkOutcome.DELIVERED, counts["n"], 0)
    n = np.bincount(counts["outcome"], weights=counts["n"], minlength=len(NetworkOutcome))
    sums = np.bincount(parts["part"], weights=parts["sum_ms"], minlength=len(NETWORK_PARTS))
    n_delivered = n[NetworkOutcome.DELIVERED]
    # Both tables have every block of the run, so that their clusters are the same.
    mean = ratio_interval(
        _clusters(parts, block_s).sums(parts["sum_ms"]),
        of_counts.sums(delivered),
        over=of_counts.over,
        confidence=confidence,
    )
    value_ms, index = np.unique(delays["value_ms"], return_inverse=True)
    histogram = np.bincount(index, weights=delays["n"], minlength=len(value_ms))
    return PathFigures(
        name=NETWORK_PATH_NAMES[path],
        delivered=proportion_interval(
            of_counts.sums(delivered),
            of_counts.sums(counts["n"]),
            over=of_counts.over,
            confidence=confidence,
        ),
        outcomes=dict(zip(NETWORK_OUTCOME_NAMES, _shares(n, float(n.sum())), strict=True)),
        mean=mean,
        delay=Histogram(
            value_ms, histogram.astype(np.int64), NETWORK_BIN_MS, _GRAIN_MS, NETWORK_OPEN_MS
        ),
        part_means_ms=dict(zip(NETWORK_PARTS, _shares(sums, float(n_delivered)), strict=True)),
    )


def cell_figures(records: RunRecords) -> CellFigures | None:
    """Return how the cells were used, None for a run without a network.

    Parameters
    ----------
    records
        Uses table ``network_cells`` and the facts ``n_cells``, ``simulated_s``, ``warmup_s`` and
        ``replications``.
    """
    facts, cells = records.facts, records.tables["network_cells"]
    n_cells = int(facts.get("n_cells", 0))
    if n_cells == 0:
        return None
    users = float(cells["n_users"].sum())
    on = cells["cell"] >= 0
    states = len(np.unique(np.stack([cells["replication"], cells["time_s"]]), axis=1)[0])
    counted_s = facts["simulated_s"] - facts["warmup_s"] * facts["replications"]
    user_h = users / states * counted_s / 3600.0 if states else 0.0
    return CellFigures(
        n_cells=n_cells,
        share_covered=float(cells["n_users"][on].sum()) / users if users else np.nan,
        handovers_per_user_h=float(cells["n_handovers"].sum()) / user_h if user_h else np.nan,
        uplink_load=float(cells["uplink_load"].max(initial=0.0)),
        downlink_load=float(cells["downlink_load"].max(initial=0.0)),
    )


def _of_path(table: Table, path: int) -> Table:
    mine = table["path"] == path
    return {name: column[mine] for name, column in table.items()}


def _clusters(table: Table, block_s: float) -> Clusters:
    return clusters(table["replication"], table["block_start_s"], block_s)


def _shares(values: np.ndarray, whole: float) -> list[float]:
    return [float(value) / whole if whole else np.nan for value in values]
