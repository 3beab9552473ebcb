"""Simulation of cellular vehicle-to-everything communication on mountain roads."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from v2x.batch.results import Batch, Run

__version__ = version("v2x")


def load(folder: str | Path) -> Run | Batch:
    """Return the run or the batch in `folder`, as tables.

    See :class:`v2x.batch.results.Run` and :class:`v2x.batch.results.Batch`.

    Raises
    ------
    V2XError
        If it holds neither.
    """
    # Nobody waits for pandas who does not ask for a table.
    from v2x.batch.results import load as load_

    return load_(folder)
