"""Two senders that do not hear each other, and a receiver between them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.access.random_access import RandomAccess, RandomAccessParams
from v2x.records.tables import Outcome
from v2x.sim.recorder import RecordParams

from ..simulation_parts import (
    HEARD_TO_150_M,
    Finished,
    FrozenFleet,
    ScheduledPackets,
    SteppedLoss,
    simulate,
    threshold_receiver,
)

#: 6 dB more from 60 m on, nothing at all from 150 m on.
CAPTURE = SteppedLoss({0.0: 80.0, 60.0: 86.0, 150.0: 250.0})


def triples(n: int, first_m: float, second_m: float) -> FrozenFleet:
    """Return senders 3k and 3k + 1 on either side of the listener 3k + 2."""
    middle = np.repeat(np.arange(n) * 3000.0, 3)
    return FrozenFleet(x_m=middle + np.tile([-first_m, second_m, 0.0], n))


def run(n: int, first_m: float, second_m: float, **options: object) -> Finished:
    """Let both senders of every triple talk at 10 Hz in random phases; the listener is silent."""
    duration_s = options.get("duration_s", 3.0)
    assert isinstance(duration_s, float)
    phase = np.random.default_rng(11).integers(0, 100_000, 2 * n)
    plan = [
        (int(phase[2 * k + s]) + 100_000 * m, 3 * k + s)
        for k in range(n)
        for s in (0, 1)
        for m in range(round(10 * duration_s) - 1)
    ]
    wanted = {
        "application": ScheduledPackets(plan),
        "propagation": HEARD_TO_150_M,
        "receiver": threshold_receiver(3.0),
        # The senders, 200 m apart, are no intended receivers of each other.
        "records": RecordParams(max_distance_m=140.0),
        "duration_s": duration_s,
    }
    return simulate(triples(n, first_m, second_m), **(wanted | options))


def collided(finished: Finished, n: int) -> np.ndarray:
    """Return which packets share their slot with the other sender's, (n_packets,) bool."""
    packets = finished.tables["packets"]
    key = packets["first_slot_us"] * n + packets["tx_id"] // 3
    _, index, count = np.unique(key, return_inverse=True, return_counts=True)
    return count[index] == 2


@pytest.mark.parametrize("technology", [LteMode4, RandomAccess])
def test_collision_exactly_when_the_resource_is_the_same(technology: type) -> None:
    """One subchannel, equal powers at the listener: 0 dB against the 3 dB that decoding takes.

    A packet is lost if and only if the other sender is on air in its slot.
    """
    n = 200
    finished = run(
        n, 100.0, 100.0, technology=technology, access=technology.Params(n_subchannels=1)
    )
    packets = finished.tables["packets"]
    same = collided(finished, n)
    assert 0 < same.sum() < 0.1 * len(same)
    assert (packets["n_received"] == np.where(same, 0, 1)).all()
    assert finished.outcomes[Outcome.COLLISION] == same.sum()
    assert finished.outcomes[Outcome.RECEIVED] == (~same).sum()


def test_random_choice_collides_in_one_of_a_hundred() -> None:
    """Each of the 100 S resources of a period is equally likely: 1 / 100 for S = 1, 1 / 200 for 2.

    The bound is four binomial standard deviations over independent pairs of packets.
    """
    for n_subchannels in (1, 2):
        finished = run(
            500,
            100.0,
            100.0,
            technology=RandomAccess,
            access=RandomAccessParams(n_subchannels=n_subchannels, t1_ms=1, t2_ms=100),
        )
        p = 0.01 / n_subchannels
        n_pairs = finished.outcomes.sum() / 2
        bound = 4.0 * math.sqrt(p * (1.0 - p) / n_pairs)
        assert abs(finished.share(Outcome.COLLISION) - p) < bound


@pytest.mark.parametrize(
    ("first_m", "hidden"), [(100.0, True), (20.0, False)], ids=["hidden", "in range"]
)
def test_sensing_cannot_see_a_hidden_terminal(first_m: float, hidden: bool) -> None:
    """Out of range, mode 4 chooses blindly among the 96 slots that are not its own (S = 1).

    The other's slot is in the window of 97 with 97 / 100, so a choice hits it with 0.97 / 96. In
    range the same senders avoid each other, once both have heard the other.
    """
    n = 800
    finished = run(
        n,
        first_m,
        100.0,
        technology=LteMode4,
        access=LteMode4Params(n_subchannels=1, keep_probability=0.0),
        duration_s=7.0,
        warmup_s=3.0,
    )
    same = collided(finished, n)
    triple = finished.tables["packets"]["tx_id"] // 3
    shares = np.bincount(triple, same, minlength=n) / np.bincount(triple, minlength=n)
    if hidden:
        error = shares.std(ddof=1) / math.sqrt(n)
        assert abs(shares.mean() - 0.97 / 96.0) < 4.0 * error
        assert finished.share(Outcome.COLLISION) == pytest.approx(shares.mean(), rel=0.02)
    else:
        assert shares.mean() < 0.001


def test_the_nearer_of_two_is_captured() -> None:
    """6 dB between them and 3 dB needed: the near sender always arrives, the far one only alone."""
    n = 200
    finished = run(
        n,
        50.0,
        120.0,
        technology=RandomAccess,
        access=RandomAccessParams(n_subchannels=1, t1_ms=1, t2_ms=20),
        propagation=CAPTURE,
    )
    packets = finished.tables["packets"]
    near = packets["tx_id"] % 3 == 0
    same = collided(finished, n)
    assert same.sum() > 20
    assert (packets["n_received"][near] == 1).all()
    assert (packets["n_received"][~near] == np.where(same, 0, 1)[~near]).all()


def test_a_listener_that_talks_loses_both() -> None:
    """In its own slot it hears neither sender, whatever their resources."""
    fleet = triples(1, 100.0, 100.0)
    plan = [(9_500, 0), (9_600, 1), (9_700, 2), (20_000, 0), (30_000, 1)]
    finished = simulate(
        fleet,
        application=ScheduledPackets(plan),
        propagation=HEARD_TO_150_M,
        records=RecordParams(max_distance_m=140.0),
    )
    assert finished.outcomes[Outcome.HALF_DUPLEX] == 4
    assert finished.outcomes[Outcome.RECEIVED] == 2
