"""Counts what happened on each path through the network, bounded however long the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.records.tables import (
    NETWORK_BIN_MS,
    NETWORK_OPEN_MS,
    NETWORK_PARTS,
    NetworkOutcome,
    NetworkPath,
)
from v2x.units import US_PER_MS, US_PER_S

_N_BINS = round(NETWORK_OPEN_MS / NETWORK_BIN_MS) + 1
_BIN_US = NETWORK_BIN_MS * US_PER_MS


class NetworkTally:
    """Sums by time block and path, a histogram of delays by path, the cells every so often.

    Parameters
    ----------
    paths
        Those that are counted.
    block_us
        Length of the time blocks [µs].
    """

    def __init__(self, paths: Sequence[NetworkPath], block_us: int) -> None:
        self._paths, self._block_us = tuple(paths), block_us
        self._counts: dict[int, NDArray[np.int64]] = {}
        self._sums: dict[int, NDArray[np.float64]] = {}
        self._histogram = np.zeros((len(self._paths), _N_BINS), dtype=np.int64)
        self._cells: list[dict[str, NDArray[Any]]] = []

    def count(
        self,
        path: NetworkPath,
        generated_us: NDArray[np.int64],
        outcome: NDArray[np.uint8],
        parts_us: NDArray[np.float64],
    ) -> None:
        """Count message-receiver pairs of a path.

        Parameters
        ----------
        path
            The path.
        generated_us, outcome : (n,)
            Generation time [µs] and :class:`NetworkOutcome` of each pair.
        parts_us : (n, n_parts) float64
            Parts of its delay [µs]; read for deliveries only.
        """
        row = self._paths.index(path)
        block = generated_us // self._block_us
        for number in np.unique(block).tolist():
            counts, sums = self._of(number)
            mine = block == number
            counts[row] += np.bincount(outcome[mine], minlength=len(NetworkOutcome))
            sums[row] += parts_us[mine & (outcome == NetworkOutcome.DELIVERED)].sum(axis=0)
        total = parts_us[outcome == NetworkOutcome.DELIVERED].sum(axis=1)
        at = np.minimum(total / _BIN_US, _N_BINS - 1).astype(np.int64)
        self._histogram[row] += np.bincount(at, minlength=_N_BINS)

    def _of(self, block: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        if block not in self._counts:
            n = len(self._paths)
            self._counts[block] = np.zeros((n, len(NetworkOutcome)), dtype=np.int64)
            self._sums[block] = np.zeros((n, len(NETWORK_PARTS)))
        return self._counts[block], self._sums[block]

    def observe_cells(
        self,
        time_us: int,
        n_users: NDArray[np.int64],
        n_handovers: NDArray[np.int64],
        uplink_load: NDArray[np.float64],
        downlink_load: NDArray[np.float64],
    ) -> None:
        """Note the state of the cells, (n_cells + 1,) each, the first for no cell."""
        n = len(n_users)
        self._cells.append(
            {
                "time_s": np.full(n, time_us / US_PER_S),
                "cell": np.arange(-1, n - 1, dtype=np.int32),
                "n_users": n_users,
                "n_handovers": n_handovers,
                "uplink_load": uplink_load,
                "downlink_load": downlink_load,
            }
        )

    def tables(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Return the columns of all tables ``network...`` that have rows."""
        tables: dict[str, dict[str, NDArray[Any]]] = {}
        if self._counts:
            blocks = np.array(sorted(self._counts), dtype=np.int64)
            codes = np.array(self._paths, dtype=np.int32)
            tables["network"] = self._long(
                blocks, codes, "outcome", "n", np.stack([self._counts[b] for b in blocks.tolist()])
            )
            sums_ms = np.stack([self._sums[b] for b in blocks.tolist()]) / US_PER_MS
            tables["network_parts"] = self._long(blocks, codes, "part", "sum_ms", sums_ms)
            path, value = np.nonzero(self._histogram)
            tables["network_latency"] = {
                "path": codes[path],
                "value_ms": np.round(value * NETWORK_BIN_MS, 6),
                "n": self._histogram[path, value],
            }
        if self._cells:
            tables["network_cells"] = {
                name: np.concatenate([piece[name] for piece in self._cells])
                for name in self._cells[0]
            }
        return tables

    def _long(
        self,
        blocks: NDArray[np.int64],
        codes: NDArray[np.int32],
        name: str,
        value: str,
        cube: NDArray[Any],
    ) -> dict[str, NDArray[Any]]:
        """Return a row for each entry of a cube of blocks, paths and a third thing."""
        block, path, third = (axis.ravel() for axis in np.indices(cube.shape))
        return {
            "block_start_s": blocks[block] * (self._block_us / US_PER_S),
            "path": codes[path],
            name: third.astype(np.int32),
            value: cube.ravel(),
        }
