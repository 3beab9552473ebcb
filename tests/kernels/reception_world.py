"""Arrays for the reception kernel, and the same world for its twin."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.reception import (
    CURVE_FIRST_LOG2,
    CURVE_PER_OCTAVE,
    CURVE_POINTS,
    SlotReceiver,
)
from v2x.access.base import TRANSMISSION

from .twin_reception import N_OUTCOMES, Design, Link, Receiver, Tx

LONGEST_GAP_MS = 400
N_BINS = 10
#: Linear SINR in the middle of each step of an error table.
STEP_SINR = np.ldexp(
    1.0 + (np.arange(CURVE_POINTS) % CURVE_PER_OCTAVE + 0.5) / CURVE_PER_OCTAVE,
    CURVE_FIRST_LOG2 + np.arange(CURVE_POINTS) // CURVE_PER_OCTAVE,
)


def falling_curve(half_at: float, steepness: float) -> NDArray[np.float32]:
    """Return an error probability that is 1/2 at SINR `half_at` (linear)."""
    return (1.0 / (1.0 + (STEP_SINR / half_at) ** steepness)).astype(np.float32)


def threshold_curve(sinr: float) -> NDArray[np.float32]:
    """Return errors below `sinr` (linear), none above."""
    return (sinr > STEP_SINR).astype(np.float32)


def profile(
    n_subchannels: int,
    data_share: NDArray[np.float32],
    control_share: NDArray[np.float32],
    leak: float,
) -> NDArray[np.float32]:
    """Return an adjacent pool's power profile; outside goes `leak` of the density, falling.

    Bins are the data blocks of each subchannel, then the control blocks of each, then nothing.
    """
    n = n_subchannels
    share = np.zeros((n, n + 1, -(-2 * n // 8) * 8), dtype=np.float32)
    for length in range(1, n + 1):
        for first in range(n - length + 1):
            row = share[first, length]
            for s in range(n):
                apart = max(first - s, s - first - length + 1, 0)
                row[s] = row[n + s] = data_share[length] * (leak * 0.7**apart if apart else 1.0)
            row[n + first] = control_share[length]
    return share


def design(
    n_subchannels: int = 3, *, boost: float = 2.0, leak: float = 0.01, **changes: Any
) -> Design:
    """Return 10 resource blocks per subchannel, 2 of them with `boost` times the data's density."""
    n_rb = 10 * np.arange(n_subchannels + 1) - 2
    n_rb[0] = 1
    density = (1.0 / (n_rb + 2 * boost)).astype(np.float32)
    control = (boost * density).astype(np.float32)
    base = Design(
        n_subchannels=n_subchannels,
        window=7,
        profile=profile(n_subchannels, density, control, leak),
        data_share=density,
        control_share=control,
        data_rb=8.0,
        control_rb=2.0,
        noise_mw=5e-12,
        sensitivity_mw=0.0,
        power_mw=200.0,
        curves=np.stack(
            [
                falling_curve(6.0, 3.0),
                falling_curve(2.0, 4.0),
                falling_curve(25.0, 2.0),
                falling_curve(1.0, 5.0),
            ]
        ),
        curve_row=np.array([0, 1, 1, 2, 0, 2], dtype=np.int32),
        control_curve=3,
        data_key=11,
        control_key=22,
        bin_width_m=50.0,
        awareness_m=300.0,
        slot_us=1000,
    )
    return replace(base, **changes)


@dataclass
class World:
    """A kernel and its arrays, all of them filled with sentinels where nothing is known.

    Attributes
    ----------
    design
        Radio and pool.
    links
        By transmitter, then receiver.
    word, counted, roadside
        By node; empty `roadside` means nobody is.
    by_slot
        Whether the history lies in memory slot by slot instead of node by node.
    generated_us
        By packet.
    """

    design: Design
    links: dict[int, dict[int, Link]]
    word: list[int]
    counted: list[bool]
    generated_us: list[int]
    counted_from_us: int = 0
    roadside: list[bool] = field(default_factory=list)
    by_slot: bool = False
    kernel: SlotReceiver = field(init=False)

    def __post_init__(self) -> None:
        """Lend the kernel its arrays."""
        d, n = self.design, len(self.word)
        self.ends = [(i, j) for i in range(n) for j in sorted(self.links[i])]
        m = len(self.ends)
        rows = [len(self.links[i]) for i in range(n)]
        self.row_start = np.cumsum([0, *rows]).astype(np.int32)
        self.neighbour = np.array([j for _, j in self.ends], dtype=np.int32)
        each = [self.links[i][j] for i, j in self.ends]
        self.gain = np.array([link.gain for link in each], dtype=np.float32)
        self.distance = np.array([link.distance_m for link in each], dtype=np.float32)
        self.code = np.array([link.code for link in each], dtype=np.uint8)
        self.last_slot = np.full(m, -1, dtype=np.int32)
        self.last_generated = np.zeros(m, dtype=np.int64)
        self.soft, self.soft_once = np.zeros((2, m), dtype=np.float32)
        self.first_outcome, self.first_outcome_once = np.full((2, m), 2, dtype=np.uint8)
        self.transmitting = np.zeros(n, dtype=np.int32)
        self.touched = np.full(n, -1, dtype=np.int32)
        n_bins = d.profile.shape[2]
        self.energy = np.full((n, n_bins), -3.0, dtype=np.float32)
        self.noticed = self.energy.copy() if d.sensitivity_mw > 0 else self.energy
        record = 1 + 3 * d.n_subchannels
        self.history = np.full((n, d.window, record), -1, dtype=np.int32)
        if self.by_slot:
            self.history = np.full((d.window, n, record), -1, dtype=np.int32).swapaxes(0, 1)
        self.powers = self.history.view(np.float32)
        k = len(self.generated_us)
        self.n_intended, self.n_received, self.n_received_first = np.zeros((3, k), dtype=np.int32)
        self.counts_by_direction = np.zeros((4, N_BINS, N_OUTCOMES), dtype=np.int64)
        self.counts = self.counts_by_direction[0]
        self.gaps = np.zeros(LONGEST_GAP_MS + 1, dtype=np.int64)
        self.kernel = SlotReceiver(**{f.name: getattr(d, f.name) for f in fields(d)})
        self.kernel.bind_nodes(
            np.array(self.word, dtype=np.uint32),
            np.array(self.counted, dtype=np.uint8)
            + np.array(2 * np.array(self.roadside or [False] * n), dtype=np.uint8),
            self.transmitting,
            self.touched,
            self.energy,
            self.noticed,
            self.history,
            self.powers,
        )
        self.kernel.bind_links(
            self.row_start,
            self.neighbour,
            self.gain,
            self.distance,
            self.code,
            self.last_slot,
            self.last_generated,
            self.soft,
            self.first_outcome,
            self.soft_once,
            self.first_outcome_once,
        )
        self.kernel.bind_packets(
            np.array(self.generated_us, dtype=np.int64),
            self.n_intended,
            self.n_received,
            self.n_received_first,
        )
        self.kernel.bind_counts(self.counts_by_direction, self.gaps)

    def twin(self) -> Receiver:
        """Return a twin of the world as it was made; gains are those of float32."""
        exact = {
            i: {
                j: Link(float(np.float32(a.gain)), float(np.float32(a.distance_m)), a.code)
                for j, a in row.items()
            }
            for i, row in self.links.items()
        }
        return Receiver(
            design=self.design,
            links=exact,
            word=self.word,
            counted=self.counted,
            roadside=self.roadside or [False] * len(self.word),
            generated_us=self.generated_us,
            n_bins=N_BINS,
            longest_gap_ms=LONGEST_GAP_MS,
            counted_from_us=self.counted_from_us,
        )

    def receive(self, slot: int, transmissions: list[Tx]) -> None:
        """Run the kernel over one slot."""
        rows = np.array([tuple(asdict(tx).values()) for tx in transmissions], dtype=TRANSMISSION)
        self.kernel.receive(slot, rows, self.counted_from_us)

    def link(self, i: int, j: int) -> int:
        """Return the place of a link in the columns."""
        return self.ends.index((i, j))

    def state(self) -> list[NDArray[np.generic]]:
        """Return copies of everything the kernel may write to."""
        arrays = (
            self.last_slot,
            self.last_generated,
            self.soft,
            self.first_outcome,
            self.soft_once,
            self.first_outcome_once,
            self.transmitting,
            self.touched,
            self.energy,
            self.noticed,
            self.history,
            self.n_intended,
            self.n_received,
            self.n_received_first,
            self.counts_by_direction,
            self.gaps,
        )
        return [array.copy() for array in arrays]


def two_way(ends: dict[tuple[int, int], Link], n: int) -> dict[int, dict[int, Link]]:
    """Return rows in which each given pair hears each other alike."""
    links: dict[int, dict[int, Link]] = {i: {} for i in range(n)}
    for (i, j), link in ends.items():
        links[i][j] = links[j][i] = link
    return links


def close(expected: object, rel: float = 1e-5) -> object:
    """Return a value to compare powers with: relative only, for they are tiny."""
    return pytest.approx(expected, rel=rel, abs=0.0)


def gain_for(snr: float, used: Design, length: int = 1) -> float:
    """Return the path gain at which the data arrive with `snr` (linear) over noise."""
    return snr * used.noise_mw / (used.power_mw * float(used.data_share[length]))


#: Never and always lost; a step at a linear SINR of 4.
CERTAIN = np.stack([threshold_curve(s) for s in (0.0, 1e9, 4.0)])
NEVER, ALWAYS, AT_FOUR = range(3)


def certain(
    n_subchannels: int = 3, control: int = NEVER, data: int = AT_FOUR, **changes: Any
) -> Design:
    """Return a design in which nothing is left to chance."""
    return design(
        n_subchannels,
        curves=CERTAIN,
        curve_row=np.full(6, data, dtype=np.int32),
        control_curve=control,
        **changes,
    )


def pair_world(used: Design, *, distance_m: float = 100.0, snr: float = 100.0, n: int = 2) -> World:
    """Return node 0 and its hearers, all at one distance and one SNR, who hear only node 0."""
    link = Link(gain_for(snr, used), distance_m, 0)
    return World(
        used,
        two_way({(0, j): link for j in range(1, n)}, n),
        word=list(range(100, 100 + n)),
        counted=[True] * n,
        generated_us=list(range(1000, 1020)),
    )


SOLO = Tx(node=0, packet=0, first_subchannel=0, n_subchannels=1)


def random_world(
    seed: int, n: int, used: Design, n_packets: int, roadside_share: float = 0.3
) -> World:
    """Return nodes at random, some too far apart to be links and some links without power.

    Without roadside units, nobody counts or remembers data from beyond 500 m.
    """
    g = rng.stream(seed, "world")
    ends = {}
    for i in range(n):
        for j in range(i + 1, n):
            if g.random() < 0.8:
                gain = 0.0 if g.random() < 0.1 else 10.0 ** g.uniform(-13.0, -6.0)
                ends[i, j] = Link(gain, float(g.uniform(0.0, 650.0)), int(g.integers(6)))
    return World(
        used,
        two_way(ends, n),
        word=g.integers(0, 2**32, n).tolist(),
        counted=(g.random(n) < 0.8).tolist(),
        generated_us=(5_000_000_000 + np.sort(g.integers(0, 50_000, n_packets))).tolist(),
        counted_from_us=5_000_008_000,
        roadside=(rng.stream(seed, "roadside").random(n) < roadside_share).tolist(),
    )


def random_slots(
    seed: int,
    n: int,
    n_slots: int,
    n_subchannels: int,
    first_slot: int,
    *,
    n_mcs: int = 1,
    n_processes: int = 1,
    offsets_db: tuple[float, ...] = (0.0,),
) -> list[tuple[int, list[Tx]]]:
    """Return transmissions slot by slot, a third of them with a repetition 1 to 3 slots later.

    Processes of a node take turns, so that repetitions of one come between those of another.
    """
    g, also = rng.stream(seed, "slots"), rng.stream(seed, "processes")
    pending: dict[tuple[int, int], tuple[int, Tx]] = {}
    packet, slots = 0, []
    for slot in range(first_slot, first_slot + n_slots):
        on_air = []
        for node in range(n):
            due = [k for k in range(n_processes) if pending.get((node, k), (-1,))[0] == slot]
            process = int(also.integers(n_processes))
            if due:
                # of two at once, one is given up together with what was to be counted of it
                on_air.append(pending[node, due[0]][1])
                for k in due:
                    del pending[node, k]
            elif (node, process) not in pending and g.random() < 0.35:
                length = int(g.integers(1, n_subchannels + 1))
                first = int(g.integers(n_subchannels - length + 1))
                gap = int(g.integers(1, 4)) if g.random() < 0.33 else 0
                tx = Tx(
                    node=node,
                    packet=packet,
                    first_subchannel=first,
                    n_subchannels=length,
                    n_attempts=2 if gap else 1,
                    reservation_ms=int(g.choice([0, 20, 100, 1000])),
                    priority=int(g.integers(1, 9)),
                    gap_slots=gap,
                    other_subchannel=int(g.integers(n_subchannels - length + 1)) if gap else 0,
                    process=process,
                    mcs_raise=int(also.integers(n_mcs)),
                    power_offset_db=float(np.float32(also.choice(offsets_db))),
                )
                packet += 1
                on_air.append(tx)
                if gap:
                    again = replace(
                        tx,
                        attempt=1,
                        gap_slots=-gap,
                        first_subchannel=tx.other_subchannel,
                        other_subchannel=tx.first_subchannel,
                    )
                    pending[node, process] = (slot + gap, again)
        slots.append((slot, on_air))
    return slots
