"""Memories of what was sensed, and the selection kernel over one of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.sensing import CandidateSelector
from v2x.phy.sensing_history import ControlInformation

from .twin_sensing import Request, Resource, Sci, Sensed

THRESHOLD_DBM = -110.0
NOW = 2345


class Selector:
    """The kernel over one remembered history, and what it left in its scratch."""

    def __init__(self, sensed: Sensed, request: Request, key: int = 3) -> None:
        n_positions = sensed.n_subchannels - request.length + 1
        self.total = (request.t2 - request.t1 + 1) * n_positions
        self.request, self.n_positions = request, n_positions
        self.history = sensed.history()
        self.excess, self.energy = np.full((2, self.total + 2), np.float32(-7.0))
        self.order = np.full(self.total + 2, -7, dtype=np.int32)
        self.members = np.full(self.total + 2, 7, dtype=np.uint8)
        self.kernel = CandidateSelector(
            self.history.words,
            self.history.powers,
            noise_mw=sensed.idle_mw,
            thresholds_dbm=sensed.thresholds_dbm.astype(np.float32),
            periods_slots=np.array(sensed.periods, dtype=np.int32),
            step_slots=sensed.step,
            keep_ratio=sensed.keep_ratio,
            key=key,
            sensing_slots=0 if sensed.window == sensed.ring else sensed.window,
            excess=self.excess,
            energy=self.energy,
            tie=np.zeros(self.total + 2, dtype=np.uint32),
            order=self.order,
        )

    def select(self, identity: int = 9) -> tuple[Resource, Resource]:
        """Return the chosen resource and its repetition, (-1, -1) for none."""
        r, before = self.request, self.history.words.copy()
        chosen = np.full(6, -7, dtype=np.int32)
        self.kernel.select(
            0,
            identity,
            r.n,
            r.t1,
            r.t2,
            r.length,
            r.period,
            r.c_resel,
            r.priority,
            r.reach,
            np.array([-1, r.busy_slot], dtype=np.int32),
            chosen,
            self.members,
        )
        assert np.array_equal(self.history.words, before)
        assert chosen[4:].tolist() == [-7, -7]
        assert self.members[self.total :].tolist() == [7, 7]
        return (int(chosen[0]), int(chosen[1])), (int(chosen[2]), int(chosen[3]))

    def resources(self, places: NDArray[np.integer]) -> set[Resource]:
        """Return the resources at these places of the scratch."""
        first = self.request.n + self.request.t1
        return {(first + int(c) // self.n_positions, int(c) % self.n_positions) for c in places}

    @property
    def s_a(self) -> set[Resource]:
        """Members of S_A, which the kernel leaves in `order`."""
        return self.resources(self.order[: self.kernel.n_remaining])

    @property
    def s_b(self) -> set[Resource]:
        """Members of S_B."""
        return self.resources(np.flatnonzero(self.members[: self.total]))


def flat_thresholds(dbm: float = THRESHOLD_DBM) -> NDArray[np.float64]:
    return np.full((8, 8), dbm)


def random_memory(
    seed: int,
    *,
    n_subchannels: int,
    n_heard: int,
    n_own: int,
    periods_ms: tuple[int, ...],
    share_of_gaps: float,
    window: int,
    now: int = NOW,
) -> Sensed:
    """Return the memory of a node that heard others at random, as strong as it comes.

    No RSRP lies within 0.001 dB of a threshold or of a 3 dB step above it, where float32 might
    take the other side.
    """
    g = rng.stream(seed, "memory")
    thresholds = -120.0 + 2.0 * g.integers(0, 8, (8, 8))
    sensed = Sensed(
        n_subchannels,
        thresholds,
        periods=tuple(sorted({int(p) for p in g.choice(periods_ms, 2)})),
        window=window,
        ring=window + (seed % 2) * 7,
    )
    sensed.own = {int(slot) for slot in now - g.integers(1, window + 50, n_own) if slot >= 0}
    for slot in now - g.integers(1, window + 50, 3 * n_heard):
        if slot >= 0:
            sensed.s_rssi_mw[int(slot)] = (10.0 ** g.uniform(-10.0, -5.0, n_subchannels)).astype(
                np.float32
            )
    recent = g.random(n_heard) < 0.5
    since = np.where(recent, g.integers(1, 110, n_heard), g.integers(1, window + 50, n_heard))
    for slot in (now - since).tolist():
        width = int(g.integers(1, n_subchannels + 1))
        first = int(g.integers(n_subchannels - width + 1))
        gap = int(g.choice([-15, -4, -1, 1, 7, 15])) if g.random() < share_of_gaps else 0
        other = int(g.integers(n_subchannels - width + 1)) if gap else 0
        control = ControlInformation(
            int(g.choice([0, *periods_ms])), width, int(g.integers(1, 9)), gap, other
        )
        rsrp = round(float(g.uniform(-125.0, -70.0)) * 2.0) / 2.0 + 0.3
        known = sensed.heard.setdefault(slot, [])
        if slot >= 0 and all(sci.subchannel != first for sci in known):
            known.append(Sci(first, rsrp, control))
    return sensed
