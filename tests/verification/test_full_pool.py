"""More vehicles than resources: slotted ALOHA, and what sensing makes of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.access.random_access import RandomAccess, RandomAccessParams
from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.records.tables import Outcome
from v2x.sim.recorder import RecordParams

from ..simulation_parts import Finished, FrozenFleet, simulate, threshold_receiver

N_SLOTS = 20


def crowd(
    n: int, technology: type, access: object, *, duration_s: float = 4.0, warmup_s: float = 1.0
) -> Finished:
    """Run `n` vehicles that all hear each other at equal power, at 50 Hz: 20 slots a period."""
    return simulate(
        FrozenFleet(x_m=np.linspace(0.0, 100.0, n)),
        technology=technology,
        access=access,
        application=Awareness(
            AwarenessParams(rate_hz=50.0, size_bytes=190, latency_budget_ms=20.0), 7
        ),
        receiver=threshold_receiver(3.0),
        records=RecordParams(block_s=0.1),
        duration_s=duration_s,
        warmup_s=warmup_s,
    )


def block_shares(finished: Finished, outcome: Outcome) -> np.ndarray:
    """Return the share of an outcome in each time block."""
    links = finished.tables["links"]
    start, block = np.unique(links["block_start_s"], return_inverse=True)
    total = np.bincount(block, links["n"], minlength=len(start))
    mine = np.bincount(block, links["n"] * (links["outcome"] == outcome), minlength=len(start))
    return mine[total > 0] / total[total > 0]


@pytest.mark.parametrize("n", [5, 20, 40, 80])
def test_random_choice_is_slotted_aloha(n: int) -> None:
    """Each other vehicle is in a packet's slot with 1 / 20, independently.

    One transmitter alone is heard by all; two or more drown each other (SINR of 0 dB and less,
    3 dB needed). So PRR = (19 / 20)^(n - 1). The receiver itself transmits with 1 / 20, half
    duplex; what is left collides. Bounds are four standard errors over blocks of 100 ms.
    """
    finished = crowd(n, RandomAccess, RandomAccessParams(n_subchannels=1, t1_ms=1, t2_ms=N_SLOTS))
    prr = (1.0 - 1.0 / N_SLOTS) ** (n - 1)
    expected = {
        Outcome.RECEIVED: prr,
        Outcome.HALF_DUPLEX: 1.0 / N_SLOTS,
        Outcome.COLLISION: 1.0 - prr - 1.0 / N_SLOTS,
    }
    for outcome, share in expected.items():
        shares = block_shares(finished, outcome)
        error = shares.std(ddof=1) / math.sqrt(len(shares))
        assert abs(shares.mean() - share) < 4.0 * error, (outcome, shares.mean(), share)
    assert finished.outcomes.sum() == finished.outcomes[list(expected)].sum()


def test_two_subchannels_halve_the_load() -> None:
    """Without emission only the same subchannel of the same slot collides.

    With S = 2 another vehicle spoils a reception with 1 / 40 and is deaf with 1 / 20:
    PRR = (19 / 20) (39 / 40)^(n - 2), the first factor for the receiver.
    """
    n = 30
    finished = crowd(n, RandomAccess, RandomAccessParams(n_subchannels=2, t1_ms=1, t2_ms=N_SLOTS))
    shares = block_shares(finished, Outcome.RECEIVED)
    expected = (19.0 / 20.0) * (39.0 / 40.0) ** (n - 2)
    error = shares.std(ddof=1) / math.sqrt(len(shares))
    assert abs(shares.mean() - expected) < 4.0 * error


def test_no_more_arrives_than_slots_can_carry() -> None:
    """One subchannel carries one packet a slot: at most 20 of 60 packets of a period."""
    n = 60
    for technology, access in (
        (RandomAccess, RandomAccessParams(n_subchannels=1, t1_ms=1, t2_ms=N_SLOTS)),
        (LteMode4, LteMode4Params(n_subchannels=1, t1_ms=1, t2_ms=N_SLOTS)),
    ):
        finished = crowd(n, technology, access, duration_s=3.0)
        packets = finished.tables["packets"]
        heard = packets["first_slot_us"][packets["n_received"] > 0]
        assert len(np.unique(heard)) == len(heard)
        assert finished.share(Outcome.RECEIVED) <= N_SLOTS / n + 0.01


@pytest.mark.parametrize("n", [8, 20])
def test_sensing_beats_chance(n: int) -> None:
    """With as many slots as vehicles chance delivers 0.95^19 = 38 %; reservations deliver more.

    With 8 vehicles for 20 slots chance delivers 0.95^7 = 70 %. Reservations leave only those
    collisions of vehicles that select within the same 20 ms, before they have heard each other;
    counters of 25 to 75 messages end the blind first choice after 1.5 s.
    """
    finished = crowd(
        n,
        LteMode4,
        LteMode4Params(n_subchannels=1, t1_ms=1, t2_ms=N_SLOTS, keep_probability=0.0),
        duration_s=8.0,
        warmup_s=4.0,
    )
    chance = (1.0 - 1.0 / N_SLOTS) ** (n - 1)
    assert finished.share(Outcome.RECEIVED) > (0.95 if n == 8 else chance + 0.15)


def test_a_busy_channel_is_measured_as_busy() -> None:
    """CBR of random choice: a slot is idle for an observer that listens with (19 / 20)^(n - 1).

    23 dBm - 80 dB lies far above the threshold of -94 dBm.
    """
    n = 30
    finished = crowd(n, RandomAccess, RandomAccessParams(n_subchannels=1, t1_ms=1, t2_ms=N_SLOTS))
    cbr = finished.tables["load"]["cbr"]
    expected = 1.0 - (1.0 - 1.0 / N_SLOTS) ** (n - 1)
    by_time = cbr.reshape(-1, n).mean(axis=1)
    # Windows of 100 ms hold five periods; their busy slots scatter by less than 0.05.
    assert abs(by_time.mean() - expected) < 4.0 * 0.05 / math.sqrt(len(by_time))
