"""Arrays for the feedback kernel, and the same world for its twin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from v2x._kernels.feedback import (
    ANSWER_COLUMNS,
    ASKED_COLUMNS,
    N_STATE,
    TALLY_COLUMNS,
    VERDICT_COLUMNS,
    FeedbackChannel,
)
from v2x.access.base import TRANSMISSION
from v2x.phy.nr.psfch import SHIFTS, PsfchGrid

from .twin_feedback import Asked, Channel, Path

GRID = PsfchGrid(period=4, gap=2, n_subchannels=3, n_blocks=24, n_shifts=2, all_subchannels=False)
N_PACKETS = 64


class FeedbackWorld:
    """A kernel and its twin, told the same.

    Parameters
    ----------
    paths
        By listener, then sender; code 1 fades.
    expected
        By node, a bit for each member.
    options
        Fields of the twin that are not the usual ones.
    """

    def __init__(
        self, paths: Mapping[int, Mapping[int, Path]], expected: list[int], **options: Any
    ) -> None:
        n = len(expected)
        usual: dict[str, Any] = {
            "grid": GRID,
            "paths": paths,
            "word": [1000 + 7 * i for i in range(n)],
            "expected": expected,
            "nack_only": False,
            "ties_send": True,
            "most_sent": 4,
            "power_mw": 200.0,
            "noise_mw": 1e-11,
            "threshold": 4.6,
            "shifts_per_m": 0.0012,
            "shift_offset": 0.04,
            "key": 5,
        }
        self.twin = Channel(**{**usual, **options})
        t = self.twin
        self.kernel = FeedbackChannel(
            period=t.grid.period,
            gap=t.grid.gap,
            blocks_each=t.grid.blocks_each,
            shifts=np.array(SHIFTS[t.grid.n_shifts], dtype=np.int32),
            all_subchannels=t.grid.all_subchannels,
            nack_only=t.nack_only,
            ties_send=t.ties_send,
            most_sent=t.most_sent,
            power_mw=t.power_mw,
            noise_mw=t.noise_mw,
            threshold=t.threshold,
            shifts_per_m=t.shifts_per_m,
            shift_offset=t.shift_offset,
            fades=np.array([0, 1, 0, 0], dtype=np.uint8),
            key=t.key,
            state=np.zeros((N_STATE, n), dtype=np.int32),
            head=np.zeros(t.grid.n_blocks, dtype=np.int32),
        )
        self.kernel.bind_nodes(
            np.array(t.word, dtype=np.uint32), np.array(expected, dtype=np.int32)
        )
        rows = [sorted(paths[i].items()) for i in range(n)]
        ends = [path for row in rows for _, path in row]
        self.kernel.bind_links(
            np.cumsum([0, *map(len, rows)]).astype(np.int32),
            np.array([j for row in rows for j, _ in row], dtype=np.int32),
            np.array([path.gain for path in ends], dtype=np.float32),
            np.array([path.distance_m for path in ends], dtype=np.float32),
            np.array([path.fades for path in ends], dtype=np.uint8),
        )
        self.asked = np.full((256, ASKED_COLUMNS), -9, dtype=np.int32)
        self.answers = np.full((1024, ANSWER_COLUMNS), -9, dtype=np.int32)
        self.kernel.bind_queues(self.asked, self.answers)
        self.tallies = np.zeros((N_PACKETS, TALLY_COLUMNS), dtype=np.int32)
        self._verdicts = np.zeros((256, VERDICT_COLUMNS), dtype=np.int32)

    def ask(self, slot: int, asked: list[Asked]) -> None:
        """Put transmissions of one slot on air, with the answers they will get."""
        self.twin.waiting += asked
        rows = np.zeros(len(asked), dtype=TRANSMISSION)
        heard = []
        for t, a in enumerate(asked):
            row = rows[t]
            row["node"], row["packet"], row["priority"] = a.node, a.packet, a.priority
            row["first_subchannel"], row["n_subchannels"], row["n_attempts"] = a.first, a.width, 2
            heard += [(t, *answer) for answer in a.answers]
        table = np.array(heard, dtype=np.int32).reshape(-1, 4)
        self.kernel.ask(slot, rows, table, len(heard))

    def conclude(self, slot: int) -> list[tuple[int, int, bool]]:
        """Return what the kernel concludes."""
        n = self.kernel.conclude(slot, self._verdicts, self.tallies)
        return [(a, b, bool(c)) for a, b, c in self._verdicts[:n].tolist()]
