"""How long a message takes, and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import (
    CONFIDENCE,
    Clusters,
    FloatArray,
    Interval,
    clusters,
    ratio_interval,
    weighted_quantile,
)
from v2x.records.tables import FIRST_ROADSIDE_ID, RunRecords
from v2x.units import US_PER_MS, US_PER_S

#: Names of the parts, in the order in which they pass.
PARTS = ("wait_for_resource", "retransmission", "air", "decode")


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Latency of deliveries, one row per packet and transmission that delivered it.

    Attributes
    ----------
    wait_ms : (n_rows,) float64
        From generation to the start of the first transmission [ms].
    retransmission_ms : (n_rows,) float64
        From there to the start of the transmission that was decoded [ms].
    air_ms : (n_rows,) float64
        Length of a transmission [ms].
    decode_ms
        Time to decode it [ms], the same for all.
    n : (n_rows,) int64
        Receivers that decoded the packet at that transmission: the weight of the row.
    cluster
        Clusters of the rows, for intervals.
    """

    wait_ms: FloatArray
    retransmission_ms: FloatArray
    air_ms: FloatArray
    decode_ms: float
    n: NDArray[np.int64]
    cluster: Clusters

    @property
    def total_ms(self) -> FloatArray:
        """From generation to delivery [ms], (n_rows,)."""
        return self.wait_ms + self.retransmission_ms + (self.air_ms + self.decode_ms)

    def quantile_ms(self, quantile: float) -> float:
        """Return a quantile of the latency of deliveries [ms], NaN if there are none."""
        return weighted_quantile(self.total_ms, self.n, quantile)

    def mean(self, *, confidence: float = CONFIDENCE) -> Interval:
        """Return the mean latency [ms] with its limits."""
        return ratio_interval(
            self.cluster.sums(self.n * self.total_ms),
            self.cluster.sums(self.n),
            over=self.cluster.over,
            confidence=confidence,
        )

    def part_means_ms(self) -> Mapping[str, float]:
        """Return the mean of each of :data:`PARTS` [ms]; they add up to the mean latency."""
        if not self.n.any():
            return dict.fromkeys(PARTS, np.nan)
        wait_ms = float(np.average(self.wait_ms, weights=self.n))
        retransmission_ms = float(np.average(self.retransmission_ms, weights=self.n))
        air_ms = float(np.average(self.air_ms, weights=self.n))
        means_ms = (wait_ms, retransmission_ms, air_ms, self.decode_ms)
        return dict(zip(PARTS, means_ms, strict=True))


def deliveries(records: RunRecords) -> Deliveries:
    """Return the latency of every delivery between road users after the warm-up.

    Parameters
    ----------
    records
        Uses table ``packets`` and the facts ``warmup_s``, ``decode_ms``, ``block_s`` and
        ``slot_us``, which is how long a transmission takes unless ``air_us`` says it of
        each size.

    Notes
    -----
    A packet received at its first transmission waited for the resource only. The records tell
    receivers of the first transmission from later ones; those later ones are taken to have
    decoded the last, which is exact for at most two transmissions and an upper bound beyond.
    Receivers that got nothing have no latency; see :mod:`v2x.metrics.reliability` for them.
    """
    packets, facts = records.tables["packets"], records.facts
    delivered = (packets["n_received"] > 0) & (
        packets["generated_us"] >= facts["warmup_s"] * US_PER_S
    )
    delivered &= packets["tx_id"] < FIRST_ROADSIDE_ID
    generated_us = packets["generated_us"][delivered]
    first_us = packets["first_slot_us"][delivered]
    n_first = packets["n_received_first"][delivered]
    n_later = packets["n_received"][delivered] - n_first

    wait_ms = (first_us - generated_us) / US_PER_MS
    later_ms = (packets["last_slot_us"][delivered] - first_us) / US_PER_MS
    n = np.concatenate([n_first, n_later]).astype(np.int64)
    some = n > 0
    cluster = clusters(
        np.tile(packets["replication"][delivered], 2)[some],
        np.tile(generated_us / US_PER_S, 2)[some],
        float(facts["block_s"]),
    )
    return Deliveries(
        wait_ms=np.tile(wait_ms, 2)[some],
        retransmission_ms=np.concatenate([np.zeros_like(later_ms), later_ms])[some],
        air_ms=np.tile(_air_ms(packets["size_bytes"][delivered], facts), 2)[some],
        decode_ms=float(facts["decode_ms"]),
        n=n[some],
        cluster=cluster,
    )


def _air_ms(size_bytes: NDArray[np.int32], facts: Mapping[str, Any]) -> FloatArray:
    """Return how long packets are on air [ms], (n_packets,)."""
    if "air_us" not in facts:
        return np.full(len(size_bytes), float(facts["slot_us"]) / US_PER_MS)
    sizes, index = np.unique(size_bytes, return_inverse=True)
    air_us = np.array([facts["air_us"][str(size)] for size in sizes.tolist()], dtype=np.float64)
    return np.asarray(air_us[index] / US_PER_MS)
