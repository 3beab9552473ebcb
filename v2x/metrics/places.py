"""Where packets get through: reception by the place of the sender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import FloatArray
from v2x.records.tables import RunRecords

CELL_M = 100.0


@dataclass(frozen=True, slots=True)
class PlaceReliability:
    """Receptions of the packets sent from each square of the map.

    Attributes
    ----------
    cell_m
        Side of the squares [m]; their corners lie at whole multiples of it.
    column, row : (n_cells,) int64
        Square: from ``column * cell_m`` on to the east, ``row * cell_m`` on to the north [m].
    n_intended, n_received : (n_cells,) int64
        Pairs of a packet and an intended receiver, and of these those received.
    n_unplaced
        Pairs whose sender was never seen; they belong to no square.
    """

    cell_m: float
    column: NDArray[np.int64]
    row: NDArray[np.int64]
    n_intended: NDArray[np.int64]
    n_received: NDArray[np.int64]
    n_unplaced: int

    @property
    def prr(self) -> FloatArray:
        """Packet reception ratio of each square, pooled over its packets, (n_cells,)."""
        return np.asarray(self.n_received / self.n_intended)


def place_reliability(records: RunRecords, *, cell_m: float = CELL_M) -> PlaceReliability:
    """Return the packet reception ratio by the place of the sender.

    Parameters
    ----------
    records
        Uses tables ``packets`` and ``trajectories``.
    cell_m
        Side of the squares [m].

    Notes
    -----
    A sender is where the trajectories saw it nearest in time to the generation of its packet:
    with positions every 0.5 s at most 9 m away at 35 m/s. Squares without an intended receiver
    are left out.
    """
    packets = records.tables["packets"]
    counted = packets["n_intended"] > 0
    packets = {name: values[counted] for name, values in packets.items()}
    x_m, y_m = _positions(
        records, packets["replication"], packets["tx_id"], packets["generated_us"]
    )
    placed = np.isfinite(x_m)
    at = np.floor(np.column_stack([x_m[placed], y_m[placed]]) / cell_m).astype(np.int64)
    cells, index = np.unique(at, axis=0, return_inverse=True)
    intended, received = (
        np.bincount(index.ravel(), packets[name][placed], len(cells)).astype(np.int64)
        for name in ("n_intended", "n_received")
    )
    return PlaceReliability(
        cell_m=cell_m,
        column=cells[:, 0].copy(),
        row=cells[:, 1].copy(),
        n_intended=intended,
        n_received=received,
        n_unplaced=int(packets["n_intended"][~placed].sum()),
    )


def _positions(
    records: RunRecords,
    replication: NDArray[np.int32],
    sender: NDArray[np.int64],
    time_us: NDArray[np.int64],
) -> tuple[FloatArray, FloatArray]:
    """Return where senders were seen nearest in time [m], NaN for those never seen."""
    seen = records.tables["trajectories"]
    if not len(seen["id"]):
        return np.full(len(sender), np.nan), np.full(len(sender), np.nan)
    seen_us = np.rint(seen["time_s"] * 1e6).astype(np.int64)
    # One number line: the senders one after the other, each with its own stretch of time. Ids
    # of roadside units are large; their ranks keep the numbers small.
    _, rank = np.unique(np.concatenate([seen["id"], sender]), return_inverse=True)
    n_ids, n_seen = int(rank.max()) + 1, len(seen_us)
    stretch_us = int(max(seen_us.max(), time_us.max(initial=0))) + 1
    key = (seen["replication"].astype(np.int64) * n_ids + rank[:n_seen]) * stretch_us + seen_us
    order = np.argsort(key, kind="stable")
    key = key[order]
    vehicle = replication.astype(np.int64) * n_ids + rank[n_seen:]
    wanted = vehicle * stretch_us + time_us
    after = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    before = np.maximum(after - 1, 0)
    gap_before, gap_after = (
        np.where(key[i] // stretch_us == vehicle, np.abs(key[i] - wanted), stretch_us)
        for i in (before, after)
    )
    nearest = order[np.where(gap_before <= gap_after, before, after)]
    found = np.minimum(gap_before, gap_after) < stretch_us
    return (
        np.where(found, seen["x_m"][nearest], np.nan),
        np.where(found, seen["y_m"][nearest], np.nan),
    )
