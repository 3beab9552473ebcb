"""Columns of tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: numpy dtype, unit ("" for counts, indices and ratios), meaning."""

    dtype: str
    unit: str
    meaning: str


#: The column that every table begins with.
RUN = {"replication": Column("int32", "", "replication of the run, from 0")}
