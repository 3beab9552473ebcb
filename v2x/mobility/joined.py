"""A fleet that ends with nodes of another kind, whom another model moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.base import MobilityModel
from v2x.mobility.fleet import FleetState

#: Names of the columns of a fleet.
COLUMNS = tuple(item.name for item in fields(FleetState) if item.name != "time_us")


class LastRows(Protocol):
    """Nodes on rows behind those of a model, which at most moves around them."""

    @property
    def n_rows(self) -> int:
        """How many."""

    def columns(self, time_us: int) -> Mapping[str, NDArray[Any]]:
        """Return every column of the fleet for them at `time_us` [µs]."""


class SeveralLastRows:
    """Last rows of several kinds, one kind after the other.

    Parameters
    ----------
    parts
        The kinds; at least one.
    """

    def __init__(self, parts: Sequence[LastRows]) -> None:
        self._parts = tuple(parts)

    @property
    def n_rows(self) -> int:
        """How many."""
        return sum(part.n_rows for part in self._parts)

    def columns(self, time_us: int) -> Mapping[str, NDArray[Any]]:
        """Return every column of the fleet for them at `time_us` [µs]."""
        every = [part.columns(time_us) for part in self._parts]
        return {name: np.concatenate([columns[name] for columns in every]) for name in COLUMNS}


class JoinedFleet:
    """A mobility model whose fleet ends with the rows of others.

    Parameters
    ----------
    mobility
        Moves those before.
    last
        The last rows.
    """

    def __init__(self, mobility: MobilityModel, last: LastRows) -> None:
        self._mobility = mobility
        self._last = last

    @property
    def n_rows(self) -> int:
        """Rows of every state: those of the model first, then the last ones."""
        return self._mobility.n_rows + self._last.n_rows

    @property
    def first(self) -> MobilityModel:
        """Model of the first rows."""
        return self._mobility

    def advance(self, time_us: int) -> FleetState:
        """Return the state at `time_us` [µs], not earlier than the last one asked for."""
        before = self._mobility.advance(time_us)
        after = self._last.columns(time_us)
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(before, name), after[name]]) for name in COLUMNS
        }
        return replace(before, **columns)


def without_last(fleet: FleetState, n: int) -> FleetState:
    """Return a fleet without its last `n` rows."""
    return _rows(fleet, slice(0, fleet.n_rows - n))


def only_last(fleet: FleetState, n: int) -> FleetState:
    """Return the last `n` rows of a fleet alone."""
    return _rows(fleet, slice(fleet.n_rows - n, fleet.n_rows))


def _rows(fleet: FleetState, rows: slice) -> FleetState:
    columns: dict[str, Any] = {name: getattr(fleet, name)[rows] for name in COLUMNS}
    return replace(fleet, **columns)
