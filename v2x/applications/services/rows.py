"""Tables of services from what they noted: columns without replication and service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.records.tables import SCHEMAS


def _dtypes(name: str) -> dict[str, str]:
    schema = SCHEMAS[name]
    return {key: schema[key].dtype for key in schema if key not in ("replication", "service")}


def columns_of(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
    """Return a table of rows, each a mapping of all its columns."""
    return {
        key: np.array([row[key] for row in rows], dtype=dtype)
        for key, dtype in _dtypes(name).items()
    }


def joined_columns(
    name: str, pieces: Sequence[Mapping[str, NDArray[Any]]]
) -> dict[str, NDArray[Any]]:
    """Return a table of pieces, each with all its columns."""
    return {
        key: np.concatenate(
            [np.zeros(0, dtype=dtype), *(piece[key].astype(dtype) for piece in pieces)]
        )
        for key, dtype in _dtypes(name).items()
    }
