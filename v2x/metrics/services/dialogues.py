"""How paying and parking went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.metrics.services.means import Rows
from v2x.metrics.statistics import Interval
from v2x.records.tables import RunRecords

#: Outcome of table ``dialogues``: complete.
_COMPLETE = 1
#: Phase of table ``payments``: paid in the eyes of the unit.
_PAID = 1


@dataclass(frozen=True, slots=True)
class PaymentFigures:
    """Passages of vehicles that applied to pay; intervals are 95 %.

    Attributes
    ----------
    n
        Passages.
    complete
        Share with a receipt.
    mean_s, p95_s
        Time from the first application to the receipt [s]: mean, and 95 % quantile.
    retries
        Charges sent again, per passage.
    n_double
        Passages in which more left the card than was charged.
    unsettled
        Share in which the vehicle has paid and the unit does not know.
    n_replays, replays_accepted
        Copies that units heard, and the share that changed what a unit owes or has got.
    """

    n: int
    complete: Interval
    mean_s: Interval
    p95_s: Interval
    retries: Interval
    n_double: int
    unsettled: Interval
    n_replays: int
    replays_accepted: Interval


def payment_figures(records: RunRecords, service: int) -> PaymentFigures:
    """Return the figures of tables ``payments``, ``payment_replays`` and ``dialogues``.

    Parameters
    ----------
    records
        The run.
    service
        Place of the service in the fact ``services``.
    """
    payments, replays = records.tables["payments"], records.tables["payment_replays"]
    every = records.tables["dialogues"]
    mine = every["service"] == service
    dialogues = {name: column[mine] for name, column in every.items()}
    passages, talks = Rows(records, payments, "begin_s"), Rows(records, dialogues, "begin_s")
    complete = dialogues["outcome"] == _COMPLETE
    seconds = np.where(complete, dialogues["end_s"] - dialogues["begin_s"], np.nan)
    return PaymentFigures(
        n=len(payments["n_sent"]),
        complete=talks.share(complete),
        mean_s=talks.mean(seconds),
        p95_s=talks.quantile(seconds, 0.95),
        retries=passages.mean(np.maximum(payments["n_sent"] - 1.0, 0.0)),
        n_double=int((payments["debited"] > payments["amount"]).sum()),
        unsettled=passages.share((payments["debited"] > 0) & (payments["phase"] != _PAID)),
        n_replays=len(replays["accepted"]),
        replays_accepted=Rows(records, replays, "time_s").share(replays["accepted"]),
    )


@dataclass(frozen=True, slots=True)
class ParkingFigures:
    """Searches for a slot, guided or not; intervals are 95 %.

    Attributes
    ----------
    n
        Vehicles that drove in.
    parked
        Share of those whose search is over that found a slot.
    search_s, way_m
        Mean time [s] and way [m] of the searches that found one.
    conflicts
        Share that found the slot kept for them taken.
    level_errors
        Share that went to a wrong level first.
    """

    n: int
    parked: Interval
    search_s: Interval
    way_m: Interval
    conflicts: Interval
    level_errors: Interval


def parking_figures(records: RunRecords) -> dict[str, ParkingFigures]:
    """Return the figures of table ``parking``, of ``guided`` vehicles and of ``searching`` ones."""
    table = records.tables["parking"]
    return {
        name: _parking(records, table["guided"] == guided)
        for name, guided in (("guided", True), ("searching", False))
    }


def _parking(records: RunRecords, mine: np.ndarray) -> ParkingFigures:
    table = {name: column[mine] for name, column in records.tables["parking"].items()}
    rows = Rows(records, table, "entered_s")
    over, found = ~np.isnan(table["over_s"]), table["slot"] >= 0
    return ParkingFigures(
        n=len(over),
        parked=rows.share(found, over),
        search_s=rows.mean(table["over_s"] - table["entered_s"], found),
        way_m=rows.mean(table["way_m"], found),
        conflicts=rows.share(table["conflict"]),
        level_errors=rows.share(table["level_error"]),
    )
