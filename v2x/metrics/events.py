"""How messages of events fare, and those that come with a period beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.latency import Deliveries, deliveries
from v2x.metrics.statistics import Interval, clusters, ratio_interval
from v2x.records.tables import FIRST_ROADSIDE_ID, RunRecords
from v2x.units import US_PER_S


@dataclass(frozen=True, slots=True)
class MessageFigures:
    """Figures of one sort of messages between road users.

    Attributes
    ----------
    n_messages
        Messages generated after the warm-up whose fate is known.
    sent
        Share of them that were sent at all.
    prr
        Packet reception ratio at all receivers within the evaluated distance, messages that were
        not sent included.
    latency
        Latency of the deliveries.
    """

    n_messages: int
    sent: Interval
    prr: Interval
    latency: Deliveries


def figures_by_sort(records: RunRecords) -> Mapping[str, MessageFigures]:
    """Return the figures of messages of events and of periodic ones; empty without events.

    Parameters
    ----------
    records
        Uses table ``packets`` and the facts ``events``, ``warmup_s``, ``block_s``, ``slot_us``
        and ``decode_ms``.
    """
    if not records.facts.get("events", False):
        return {}
    event = records.tables["packets"]["event"]
    return {"event": _figures(records, event), "periodic": _figures(records, ~event)}


def _figures(records: RunRecords, chosen: NDArray[np.bool_]) -> MessageFigures:
    packets, facts = records.tables["packets"], records.facts
    counted = packets["generated_us"] >= facts["warmup_s"] * US_PER_S
    chosen = chosen & counted & (packets["tx_id"] < FIRST_ROADSIDE_ID)
    table = {name: column[chosen] for name, column in packets.items()}
    cluster = clusters(
        table["replication"], table["generated_us"] / US_PER_S, float(facts["block_s"])
    )

    def ratio(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Interval:
        return ratio_interval(
            cluster.sums(part.astype(np.float64)),
            cluster.sums(whole.astype(np.float64)),
            over=cluster.over,
        )

    one = np.ones(int(chosen.sum()))
    return MessageFigures(
        n_messages=len(one),
        sent=ratio(table["n_attempts"] > 0, one),
        prr=ratio(table["n_received"], table["n_intended"]),
        latency=deliveries(replace(records, tables={**records.tables, "packets": table})),
    )
