"""R12 (applications.md 8.12): PIR and AoI under independent losses obey their closed forms.

Messages of period T, each lost with probability p on its own: mean PIR T/(1-p), P(PIR > kT) = p^k,
mean AoI T(1+p)/(2(1-p)) + delay, mean peak AoI PIR + delay. Once with receptions drawn here and
counted by the recorder and the metrics of every run, once with receptions of the simulator itself;
all within three standard deviations of the estimate. PIR is the IPG of our tables.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x import rng
from v2x.metrics.freshness import Quantity, freshness, mean_freshness
from v2x.records.tables import RunRecords
from v2x.sim.link_memory import LONGEST_GAP_MS
from v2x.sim.recorder import Recorder, RecordParams

from ..simulation_parts import FrozenFleet, ScheduledPackets, every, lossy_receiver, simulate

PERIOD_MS, DELAY_MS = 100.0, 20.0
LOSSES = (0.0, 0.1, 0.3, 0.5)
FACTS = {"slot_us": 1000, "freshness_open_ms": float(LONGEST_GAP_MS)}
#: Mean AoI without delay [s] and P(PIR > 0.5 s) as printed, by loss.
PRINTED = {0.0: (0.05, 0.0), 0.1: (0.061, 1e-5), 0.3: (0.093, 2.4e-3), 0.5: (0.15, 3.1e-2)}


def mean_pir_ms(loss: float) -> float:
    return PERIOD_MS / (1.0 - loss)


def mean_aoi_ms(loss: float, delay_ms: float) -> float:
    return PERIOD_MS * (1.0 + loss) / (2.0 * (1.0 - loss)) + delay_ms


def pir_deviation_ms(loss: float) -> float:
    """Return the standard deviation of a PIR: T times a geometric number."""
    return PERIOD_MS * math.sqrt(loss) / (1.0 - loss)


def aoi_deviation_ms(loss: float) -> float:
    """Return that of an AoI at fixed phase, for means over successive ones.

    T times the losses in a row, geometric; successive ones of a pair are correlated by p^lag,
    which inflates the variance of a mean by (1 + p)/(1 - p).
    """
    return pir_deviation_ms(loss) * math.sqrt((1.0 + loss) / (1.0 - loss))


@pytest.mark.parametrize("loss", LOSSES)
def test_r12_printed_figures(loss: float) -> None:
    aoi_s, over_half_a_second = PRINTED[loss]
    assert mean_aoi_ms(loss, 0.0) / 1000.0 == pytest.approx(aoi_s, abs=5e-4)
    assert loss**5 == pytest.approx(over_half_a_second, rel=0.02)


def drawn(loss: float, n_pairs: int = 50, n_messages: int = 2000) -> RunRecords:
    """Return the records of pairs whose receptions are drawn here.

    Messages are delivered after the delay; ages are sampled once a period, the phases of the
    pairs evenly over it, so that the mean over phases is exact.
    """
    received = rng.stream(12, "receptions").random((n_pairs, n_messages)) >= loss
    gaps_ms = np.zeros(LONGEST_GAP_MS + 1, dtype=np.int64)
    ages_ms = np.zeros(LONGEST_GAP_MS + 1, dtype=np.int64)
    for pair in range(n_pairs):
        made_ms = PERIOD_MS * np.flatnonzero(received[pair])
        np.add.at(gaps_ms, np.diff(made_ms + DELAY_MS).astype(np.int64), 1)
        first_ms = made_ms[0] + DELAY_MS
        sample_ms = first_ms + PERIOD_MS * ((pair + 0.5) / n_pairs + np.arange(n_messages))
        sample_ms = sample_ms[sample_ms < PERIOD_MS * n_messages]
        newest = np.searchsorted(made_ms + DELAY_MS, sample_ms, side="right") - 1
        np.add.at(ages_ms, (sample_ms - made_ms[newest]).astype(np.int64), 1)
    recorder = Recorder(RecordParams(), warmup_us=0)
    recorder.take_freshness(gaps_ms, ages_ms)
    return RunRecords(recorder.tables(0), FACTS)


@pytest.mark.parametrize("loss", LOSSES)
def test_r12_drawn_receptions(loss: float) -> None:
    """Bounds: three deviations, half a bin of an age, and what the ends of the draw cut off."""
    records = drawn(loss)
    gaps, ages = freshness(records, Quantity.IPG), freshness(records, Quantity.AOI)
    pir_ms = mean_freshness(records, Quantity.IPG).value
    cut_ms = mean_pir_ms(loss) * loss / (2000 * (1.0 - loss) ** 2)
    bound_ms = 3.0 * pir_deviation_ms(loss) / math.sqrt(gaps.n_samples) + cut_ms
    assert abs(pir_ms - mean_pir_ms(loss)) <= bound_ms + 1e-9
    x, above = gaps.ccdf()
    for k in (1, 2, 3, 5):
        p = loss**k
        share = float(above[x <= k * PERIOD_MS][-1]) if (x <= k * PERIOD_MS).any() else 1.0
        assert abs(share - p) <= 3.0 * math.sqrt(p * (1.0 - p) / gaps.n_samples) + 1e-12
    aoi_ms = mean_freshness(records, Quantity.AOI).value
    bound_ms = 3.0 * aoi_deviation_ms(loss) / math.sqrt(ages.n_samples) + 0.5
    assert abs(aoi_ms - mean_aoi_ms(loss, DELAY_MS)) <= bound_ms
    # Ages are a saw that rises from the delay to PIR + delay, the peak AoI, whose mean follows
    # from the gaps alone.
    saw_ms = float((gaps.n * gaps.lower**2).sum() / (2.0 * (gaps.n * gaps.lower).sum()))
    assert abs(aoi_ms - (saw_ms + DELAY_MS)) <= 2.0 * bound_ms


@pytest.mark.parametrize("loss", LOSSES)
def test_r12_receptions_of_the_simulator(loss: float) -> None:
    """25 vehicles in slots of their own, phases symmetric about the middle of the period."""
    n, seconds, warmup_s = 25, 15.0, 1.0
    plan = [e for k in range(n) for e in every(100_000, 150, 1000 * (4 * k + 2), k)]
    finished = simulate(
        FrozenFleet(x_m=np.arange(n) * 8.0),
        application=ScheduledPackets(plan),
        receiver=lossy_receiver(loss),
        duration_s=seconds,
        warmup_s=warmup_s,
        seed=12,
    )
    records = RunRecords(finished.tables, FACTS)
    gaps, ages = freshness(records, Quantity.IPG), freshness(records, Quantity.AOI)
    n_sent = round((seconds - warmup_s) * 10)
    assert gaps.n_samples > 0.97 * n * (n - 1) * n_sent * (1.0 - loss)
    # The end of the run cuts off the last gap of a pair, which hides half a gap in n_sent (1 - p).
    cut_ms = mean_pir_ms(loss) * loss / (n_sent * (1.0 - loss) ** 2)
    bound_ms = 3.0 * pir_deviation_ms(loss) / math.sqrt(gaps.n_samples) + cut_ms
    assert abs(gaps.mean() - mean_pir_ms(loss)) <= bound_ms + 1e-9
    x, above = gaps.ccdf()
    for k in (1, 2, 3):
        p = loss**k
        share = float(above[x <= k * PERIOD_MS][-1])
        cut = p * k / n_sent
        assert abs(share - p) <= 3.0 * math.sqrt(p * (1.0 - p) / gaps.n_samples) + cut + 1e-12
    bound_ms = 3.0 * aoi_deviation_ms(loss) / math.sqrt(ages.n_samples) + 0.5
    assert abs(ages.mean() - mean_aoi_ms(loss, 0.0)) <= bound_ms


def test_r12_correlated_losses_break_the_closed_form() -> None:
    """The same share of losses in runs of five ages what is known: the checks above can fail."""
    loss, n_messages = 0.3, 2000
    lost = np.repeat(rng.stream(12, "bursts").random((50, n_messages // 5)) < loss, 5, axis=1)
    gaps = np.concatenate([np.diff(np.flatnonzero(~row)) for row in lost]) * PERIOD_MS
    p = loss**3
    share = float(np.mean(gaps > 3.5 * PERIOD_MS))
    assert abs(share - p) > 3.0 * math.sqrt(p * (1.0 - p) / len(gaps))
