"""Independent losses: gaps and ages against their closed forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from v2x.access.lte_mode4 import LteMode4
from v2x.records.tables import Outcome
from v2x.sim.recorder import RecordParams

from ..simulation_parts import (
    Finished,
    FrozenFleet,
    ScheduledPackets,
    every,
    lossy_receiver,
    simulate,
)
from .closed_forms import ipg_exceeds, mean_aoi_s, mean_ipg_s

PERIOD_US = 100_000
PERIOD_S = 0.1
N = 25
LOSSES = [0.0, 0.1, 0.3, 0.5]


def run(loss: float, duration_s: float = 20.0, **options: Any) -> Finished:
    """Run 25 vehicles that send in slots of their own, evenly over the period, 4 ms apart.

    Vehicle k sends in slot 4 k + 2 of each period: the phases are symmetric about its middle, so
    their mean age at the ticks is half a period.
    """
    plan = [
        e
        for k in range(N)
        for e in every(PERIOD_US, round(duration_s / PERIOD_S), 1000 * (4 * k + 2), k)
    ]
    wanted = {
        "application": ScheduledPackets(plan),
        "receiver": lossy_receiver(loss),
        "duration_s": duration_s,
    }
    return simulate(FrozenFleet(x_m=np.arange(N) * 8.0), **(wanted | options))


def histogram(finished: Finished, quantity: int) -> tuple[np.ndarray, np.ndarray]:
    """Return values [ms] and counts of a freshness quantity: 0 gaps, 1 ages."""
    table = finished.tables["freshness"]
    rows = table["quantity"] == quantity
    return table["value_ms"][rows], table["n"][rows]


@pytest.mark.parametrize("loss", LOSSES)
def test_gaps_are_geometric(loss: float) -> None:
    """IPG is T times a geometric number: mean T / (1 - p), P(IPG > k T) = p^k.

    Variance T² p / (1 - p)². Losses are drawn per packet and receiver, so all gaps are
    independent; the end of the run cuts off at most the last gap of each pair, which hides of
    about 200 (1 - p) gaps half a one.
    """
    finished = run(loss)
    assert finished.share(Outcome.RECEIVED) == pytest.approx(1.0 - loss, abs=0.005)
    gap_ms, n = histogram(finished, 0)
    assert (gap_ms % 100 == 0).all()
    total = n.sum()
    assert total > 0.98 * N * (N - 1) * 200 * (1.0 - loss)
    mean_s = float(gap_ms @ n) / total / 1000.0
    sigma_s = PERIOD_S * math.sqrt(loss) / (1.0 - loss)
    cut_s = mean_ipg_s(PERIOD_S, loss) * loss / (200.0 * (1.0 - loss) ** 2)
    assert abs(mean_s - mean_ipg_s(PERIOD_S, loss)) <= 4.0 * sigma_s / math.sqrt(total) + cut_s
    for k in (1, 2, 3, 5):
        p = ipg_exceeds(k, loss)
        share = float(n[gap_ms > 100.0 * k + 50.0].sum()) / total
        assert abs(share - p) <= 4.0 * math.sqrt(p * (1.0 - p) / total) + 0.02 * p


@pytest.mark.parametrize("loss", LOSSES)
def test_ages_follow_the_closed_form(loss: float) -> None:
    """Mean AoI T (1 + p) / (2 (1 - p)): here sent at once, so without delay.

    At a tick the age is the phase's rest of the period plus T times the number K of losses in a
    row, geometric with the variance p / (1 - p)². Successive K of a pair are correlated by
    p^lag, which inflates the variance of a mean by (1 + p) / (1 - p). Ages are counted from the
    generation; the first second, in which pairs have not heard each other yet, is left out.
    """
    finished = run(loss, warmup_s=1.0)
    age_ms, n = histogram(finished, 1)
    total = n.sum()
    assert total > 0.999 * N * (N - 1) * 190
    mean_s = float(age_ms @ n) / total / 1000.0
    sigma_s = PERIOD_S * math.sqrt(loss * (1.0 + loss) / (1.0 - loss)) / (1.0 - loss)
    bound = 4.0 * sigma_s / math.sqrt(total) + 1e-9
    assert abs(mean_s - mean_aoi_s(PERIOD_S, loss)) <= bound


def test_ages_without_loss_are_exact() -> None:
    """At every tick each phase has its own age: 100 ms less 4 k + 2 ms."""
    age_ms, n = histogram(run(0.0, duration_s=2.0), 1)
    assert age_ms.tolist() == [100.0 - (4 * k + 2) for k in reversed(range(N))]
    assert (n == (N - 1) * 19).all()


def test_waiting_for_a_resource_ages_the_message() -> None:
    """Mode 4 adds its wait to the age: T (1 + p) / (2 (1 - p)) + mean wait.

    Every sender has three listeners that are silent, so no half duplex disturbs. Phases are even
    over the period and waits do not depend on them, so at a tick the time since the last
    transmission is uniform in the period; with K losses in a row the standard deviation of an age
    is at most that of a uniform wait, a uniform rest and K together. Reservations hold it for 50
    messages on average, so that each of the 250 senders counts as one sample per 100 messages.
    """
    n_senders, n_listeners, duration_s, loss = 250, 3, 25.0, 0.3
    n_group = n_listeners + 1
    plan = [
        e
        for k in range(n_senders)
        for e in every(PERIOD_US, round(10 * duration_s), 400 * k + 200, n_group * k)
    ]
    places = np.repeat(np.arange(n_senders) * 3000.0, n_group)
    finished = simulate(
        FrozenFleet(x_m=places + np.tile(np.arange(n_group) * 10.0, n_senders)),
        technology=LteMode4,
        application=ScheduledPackets(plan),
        receiver=lossy_receiver(loss),
        duration_s=duration_s,
        warmup_s=2.0,
    )
    packets = finished.tables["packets"]
    sent = packets["first_slot_us"] >= 0
    wait_s = float((packets["first_slot_us"] - packets["generated_us"])[sent].mean()) * 1e-6
    age_ms, n = histogram(finished, 1)
    mean_s = float(age_ms @ n) / n.sum() / 1000.0
    sigma_s = PERIOD_S * math.sqrt(2.0 / 12.0 + loss / (1.0 - loss) ** 2)
    n_samples = n_senders * duration_s / 10.0
    expected_s = mean_aoi_s(PERIOD_S, loss, wait_s)
    assert abs(mean_s - expected_s) < 4.0 * sigma_s / math.sqrt(n_samples)
    # The wait is no small part of it: without it the bound would be broken.
    assert abs(mean_s - mean_aoi_s(PERIOD_S, loss)) > 4.0 * sigma_s / math.sqrt(n_samples)


def test_losses_that_persist_age_more_than_independent_ones() -> None:
    """Vehicles that share a slot miss each other until one moves, so equal loss means older news.

    Mode 4 in range: the same 1 % of half duplex, drawn independently, would add 1 ms to the age.
    """
    plan = [e for k in range(N) for e in every(PERIOD_US, 300, 1000 * (4 * k + 2), k)]
    finished = simulate(
        FrozenFleet(x_m=np.arange(N) * 8.0),
        technology=LteMode4,
        application=ScheduledPackets(plan),
        duration_s=30.0,
        warmup_s=2.0,
    )
    packets = finished.tables["packets"]
    sent = packets["first_slot_us"] >= 0
    wait_s = float((packets["first_slot_us"] - packets["generated_us"])[sent].mean()) * 1e-6
    loss = finished.share(Outcome.HALF_DUPLEX)
    assert 0.003 < loss < 0.02
    age_ms, n = histogram(finished, 1)
    mean_s = float(age_ms @ n) / n.sum() / 1000.0
    assert mean_s > mean_aoi_s(PERIOD_S, loss, wait_s) + 0.005


def test_pairs_beyond_the_awareness_range_do_not_count() -> None:
    """Within 60 m each of 25 vehicles 8 m apart has up to 7 neighbours on either side."""
    records = RecordParams(awareness_range_m=60.0)
    _, n = histogram(run(0.0, duration_s=2.0, records=records), 1)
    n_pairs = sum(abs(i - j) * 8.0 <= 60.0 for i in range(N) for j in range(N) if i != j)
    assert n.sum() == n_pairs * 19
