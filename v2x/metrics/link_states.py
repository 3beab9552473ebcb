"""What stood between the antennas, over all links of a run."""

from __future__ import annotations

import numpy as np

from v2x.records.tables import RunRecords


def link_state_shares(records: RunRecords) -> dict[str, float]:
    """Return the share of the links within the evaluated distance in each state.

    Links are counted once per load measurement after the warm-up. States without a link are
    left out; without any link the result is empty.
    """
    table = records.tables["link_states"]
    late = table["time_s"] > records.facts["warmup_s"]
    names = records.facts["link_states"]
    n = np.bincount(table["state"][late], weights=table["n"][late], minlength=len(names))
    total = n.sum()
    return {name: float(count / total) for name, count in zip(names, n, strict=True) if count > 0}
