"""What became of the messages of two road users before they came dangerously near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.reliability import reliability
from v2x.metrics.statistics import (
    Clusters,
    FloatArray,
    Interval,
    clusters,
    proportion_interval,
    ratio_interval,
)
from v2x.records.tables import N_OUTCOMES, OUTCOME_NAMES, Outcome, RunRecords, Table


@dataclass(frozen=True, slots=True)
class ConflictMessages:
    """Messages before conflicts by fate; intervals are 95 %.

    Attributes
    ----------
    n_conflicts, n_messages
        Conflicts, and messages of the two to each other that were meant for the other.
    share
        Share of each outcome among these, by its name.
    at_these_distances
        The same of all messages between road users of the run, weighted to the distances at which
        messages before conflicts were sent; NaN if there are none at them. What is above it came
        with the danger: the two were, say, behind the same bend.
    received_in_time
        Share received of the messages that came early enough to stop.
    knew_in_time
        Share of those who could have stopped that knew of the other at the last moment for it.
    age_decision_s
        Mean age of what these knew then [s].
    """

    n_conflicts: int
    n_messages: int
    share: dict[str, Interval]
    at_these_distances: dict[str, float]
    received_in_time: Interval
    knew_in_time: Interval
    age_decision_s: Interval


def conflict_messages(records: RunRecords) -> ConflictMessages | None:
    """Return the fates of messages before conflicts; None if nobody followed them.

    Parameters
    ----------
    records
        Uses tables ``conflicts``, ``conflict_messages``, ``conflict_knowledge`` and ``links``.
    """
    conflicts, knowledge = records.tables["conflicts"], records.tables["conflict_knowledge"]
    if not len(knowledge["event"]):
        return None
    messages = _addressed(records.tables["conflict_messages"])
    block_s = float(records.facts["block_s"])
    of_conflict = clusters(conflicts["replication"], conflicts["begin_s"], block_s)
    told = _of_rows(of_conflict, conflicts, messages)
    knew = _of_rows(of_conflict, conflicts, knowledge)
    received = messages["outcome"] == Outcome.RECEIVED
    could, age_s = np.isfinite(knowledge["decision_s"]), knowledge["age_decision_s"]
    known = could & np.isfinite(age_s)
    return ConflictMessages(
        n_conflicts=len(conflicts["event"]),
        n_messages=len(received),
        share={
            name: _share(told, messages["outcome"] == outcome, np.ones_like(received))
            for outcome, name in enumerate(OUTCOME_NAMES)
        },
        at_these_distances=_at_these_distances(records, messages["distance_m"]),
        received_in_time=_share(told, received & messages["in_time"], messages["in_time"]),
        knew_in_time=_share(knew, known, could),
        age_decision_s=ratio_interval(
            knew.sums(np.where(known, age_s, 0.0)), knew.sums(known), over=knew.over
        ),
    )


def _addressed(messages: Table) -> Table:
    """Return the messages that were judged and meant for the receiver."""
    judged = messages["outcome"] < N_OUTCOMES
    return {name: column[judged] for name, column in messages.items()}


def _of_rows(of_conflict: Clusters, conflicts: Table, rows: Table) -> Clusters:
    """Return the clusters of rows that belong to conflicts: those of the conflicts."""
    order = np.lexsort((conflicts["event"], conflicts["replication"]))
    key = _keys(conflicts)[order]
    at = order[np.searchsorted(key, _keys(rows))]
    return Clusters(of_conflict.index[at], of_conflict.n_clusters, of_conflict.over)


def _keys(table: Table) -> NDArray[np.int64]:
    return (table["replication"].astype(np.int64) << 40) | table["event"].astype(np.int64)


def _share(within: Clusters, chosen: NDArray[np.bool_], among: NDArray[np.bool_]) -> Interval:
    return proportion_interval(within.sums(chosen), within.sums(among), over=within.over)


def _at_these_distances(records: RunRecords, distance_m: FloatArray) -> dict[str, float]:
    """Return the share of each outcome among all messages, as far as these distances matter."""
    curve = reliability(records)
    known_m = distance_m[np.isfinite(distance_m)]
    at = np.maximum(np.ceil(known_m / curve.bin_width_m).astype(np.int64) - 1, 0)
    weight = np.bincount(at[at < len(curve.n)], minlength=len(curve.n)) * (curve.n > 0)
    n = int(weight.sum())
    share = np.nan_to_num(curve.share) @ weight / n if n else np.full(N_OUTCOMES, np.nan)
    return dict(zip(OUTCOME_NAMES, share.tolist(), strict=True))
