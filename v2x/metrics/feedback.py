"""What HARQ feedback cost and saved, and how often it was wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.records.tables import RunRecords


@dataclass(frozen=True, slots=True)
class FeedbackFigures:
    """HARQ feedback over all packets that were sent after the warm-up.

    Attributes
    ----------
    n_packets : int
        Packets that asked for feedback.
    transmissions, answers, released : float
        Transmissions, answers sent (one feedback resource each) and reserved transmissions that
        were not made, of a packet in the mean.
    share_not_sent : float
        Share of the answers that were not sent, because their node listened to others or had
        too many.
    share_missed : float
        Of the transmissions that left an addressee without the packet, share that the sender
        took as received by all; NaN if there were none.
    share_needless : float
        Of the transmissions that all addressees acknowledged, or nobody complained of, share that
        the sender took as lost; NaN if there were none.
    n_silent : int
        Answers expected of members (unicast, groupcast with ACK) of which nothing was heard.
    """

    n_packets: int
    transmissions: float
    answers: float
    released: float
    share_not_sent: float
    share_missed: float
    share_needless: float
    n_silent: int


def feedback_figures(records: RunRecords) -> FeedbackFigures | None:
    """Return what feedback did, None in runs without it."""
    table = records.tables["feedback"]
    asked = table["n_asked"] > 0
    if not asked.any():
        return None
    attempts = records.tables["packets"]["n_attempts"]
    total = {name: int(column[asked].sum()) for name, column in table.items()}
    not_lacked = total["n_asked"] - total["n_lacked"]
    return FeedbackFigures(
        n_packets=int(asked.sum()),
        transmissions=float(attempts[asked].mean()),
        answers=float(table["n_answers"][asked].mean()),
        released=float(table["n_released"][asked].mean()),
        share_not_sent=_share(total["n_not_sent"], total["n_answers"] + total["n_not_sent"]),
        share_missed=_share(total["n_missed"], total["n_lacked"]),
        share_needless=_share(total["n_needless"], not_lacked),
        n_silent=total["n_silent"],
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else np.nan
