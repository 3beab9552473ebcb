"""What sensing costs: the share of slots in which it needs the receiver."""

from __future__ import annotations

import numpy as np

from v2x.records.tables import RunRecords

#: Names of the kinds of nodes, by their number in the tables.
KIND_NAMES = ("car", "truck", "bus", "vru", "rsu", "gnb")


def monitored_shares(records: RunRecords) -> dict[str, float]:
    """Return the share of slots after the warm-up that sensing monitors, by kind of node.

    1 is full sensing, 0 none. Empty in runs whose access technology does not say.
    """
    table = records.tables["sensing"]
    kept = table["time_s"] > records.facts["warmup_s"]
    kind, n_slots, heard = (table[name][kept] for name in ("kind", "n_slots", "n_monitored"))
    return {
        KIND_NAMES[k]: float(heard[kind == k].sum() / n_slots[kind == k].sum())
        for k in np.unique(kind).tolist()
    }
