from __future__ import annotations

import numpy as np
import pytest

from v2x.security.verification import VerificationParams, VerificationQueue, mean_wait_s

SERVICE_US = 460.0


def queue(n_rows: int = 1, **params: object) -> VerificationQueue:
    return VerificationQueue(VerificationParams(**params), n_rows)  # type: ignore[arg-type]


def test_messages_wait_for_those_before_at_their_own_receiver() -> None:
    done = queue(2).take(np.array([0, 1, 0, 0]), np.array([0, 0, 100, 2000])).done_us
    assert done.tolist() == [460.0, 460.0, 920.0, 2460.0]


def test_the_queue_goes_on_in_the_next_call_until_it_is_emptied() -> None:
    unit = queue()
    unit.take(np.array([0, 0]), np.array([0, 0]))
    assert unit.take(np.array([0]), np.array([500])).done_us.tolist() == [1380.0]
    unit.forget(np.array([0]))
    assert unit.take(np.array([0]), np.array([600])).done_us.tolist() == [1060.0]


@pytest.mark.parametrize(("capacity", "n_dropped"), [(3, 2), (4, 1), (5, 0)])
def test_a_full_unit_drops(capacity: int, n_dropped: int) -> None:
    what = queue(capacity=capacity).take(np.zeros(5, dtype=int), np.zeros(5))
    assert what.dropped.sum() == n_dropped
    assert np.isinf(what.done_us[what.dropped]).all()
    assert (what.verified == ~what.dropped).all()


def test_a_place_is_free_when_a_service_ends() -> None:
    unit = queue(capacity=1)
    assert unit.take(np.array([0, 0]), np.array([0.0, 459.0])).dropped.tolist() == [False, True]
    assert unit.take(np.array([0]), np.array([460.0])).dropped.tolist() == [False]


def test_on_demand_only_what_is_wanted_is_verified() -> None:
    wanted = np.array([False, True, False])
    what = queue(on_demand=True).take(np.zeros(3, dtype=int), np.array([0, 10, 20]), wanted)
    assert what.verified.tolist() == [False, True, False]
    assert not what.dropped.any()
    assert what.done_us.tolist() == [0.0, 470.0, 20.0]


@pytest.mark.parametrize("rate_hz", [500.0, 1000.0, 1700.0])
def test_mean_wait_is_that_of_pollaczek_and_khinchine(rate_hz: float) -> None:
    """200 queues of 4000 Poisson arrivals; the bound is four standard errors over the queues."""
    n_queues, n = 200, 4000
    draw = np.random.default_rng(5)
    arrived = np.cumsum(draw.exponential(1e6 / rate_hz, (n, n_queues)), axis=0)
    receiver = np.tile(np.arange(n_queues), n)
    done = queue(n_queues, capacity=10_000).take(receiver, arrived.ravel()).done_us
    wait_us = (done - arrived.ravel() - SERVICE_US).reshape(n, n_queues)[500:].mean(axis=0)
    error = wait_us.std() / np.sqrt(n_queues)
    assert abs(wait_us.mean() - 1e6 * mean_wait_s(rate_hz, SERVICE_US * 1e-6)) < 4 * error
    assert error < 0.1 * wait_us.mean()


def test_no_mean_wait_at_saturation() -> None:
    assert mean_wait_s(2500.0, 0.4e-3) == float("inf")


def test_impossible_units_are_refused() -> None:
    with pytest.raises(ValueError, match="service_ms"):
        VerificationParams(service_ms=0.0)
    with pytest.raises(ValueError, match="capacity"):
        VerificationParams(capacity=0)
