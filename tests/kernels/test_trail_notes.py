"""Notes of trails are used again and again; their chains must end all the same."""

from __future__ import annotations

from threading import Thread

import numpy as np

from v2x._kernels.scene import MOTION_COLUMNS, PLACE_COLUMNS
from v2x._kernels.trails import TRAIL_COLUMNS, Trails

from . import twin_conflicts as twin

#: Notes last for one tick, so a ring has three; with two rows there are six notes.
N_TICKS, N_ROWS = 1, 2
#: Where the first is noted with the first note and, when that is used again, the seventh.
HERE = (0.0, 0.0)
ELSEWHERE = ((100.0, 0.0), (-100.0, 0.0), (150.0, 0.0), (-150.0, 0.0))
FAR = (180.0, 180.0)


def test_a_note_that_is_used_again_in_its_own_cell_does_not_follow_itself() -> None:
    ring = N_TICKS + 2
    memory = Trails(
        n_rows=N_ROWS, n_ticks=N_TICKS, tick_s=0.1, west_m=-200.0, south_m=-200.0, cell_m=24.0,
        columns=20, rows=20, period_m=0.0, head=np.full(4096, -1, dtype=np.int32),
        trail=np.zeros((N_ROWS * ring, TRAIL_COLUMNS), dtype=np.int32),
        history=np.zeros((ring, N_ROWS, 5)),
        identity=np.full((ring, N_ROWS), -1, dtype=np.int64),
        noted=np.zeros((N_ROWS, 2)),
    )  # fmt: skip
    motion = np.zeros((N_ROWS, MOTION_COLUMNS))
    place = np.full((N_ROWS, PLACE_COLUMNS), -1, dtype=np.int32)
    # One drives east, the other walks north, so that everybody may cross everywhere.
    place[:, twin.WHEELS], place[:, twin.LEVEL] = (1, 0), 0
    motion[:, [twin.HX, twin.HY]] = np.eye(2)
    motion[:, twin.HL] = motion[:, twin.HW] = 1.0
    motion[:, twin.HEIGHT] = 2.0
    motion[:, twin.V] = 10.0
    tracks = [(HERE, FAR), *((at, FAR) for at in ELSEWHERE), (HERE, FAR), (HERE, HERE)]

    def observe() -> None:
        rows, ids = np.arange(N_ROWS, dtype=np.int32), np.arange(N_ROWS, dtype=np.int64)
        for both in tracks:
            motion[:, [twin.X, twin.Y]] = both
            memory.observe(ids, rows, motion, place, np.empty((50, 2), np.int32), np.empty((50, 5)))

    # A chain that never ends would hold the process; a thread lets the test fail instead.
    worker = Thread(target=observe, daemon=True)
    worker.start()
    worker.join(20.0)
    assert not worker.is_alive()
