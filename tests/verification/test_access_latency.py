"""How long a packet waits for its resource."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.access.random_access import RandomAccess, RandomAccessParams
from v2x.applications.awareness import Awareness, AwarenessParams

from ..simulation_parts import Finished, FrozenFleet, simulate

N = 3000


def waits_ms(finished: Finished, first_only: bool) -> np.ndarray:
    """Return the time from generation to the start of the first transmission [ms]."""
    packets = finished.tables["packets"]
    sent = packets["first_slot_us"] >= 0
    wait = (packets["first_slot_us"] - packets["generated_us"])[sent] / 1000.0
    if not first_only:
        return wait
    _, first = np.unique(packets["tx_id"][sent], return_index=True)
    return wait[first]


def lonely(
    technology: type, access: object, *, budget_ms: float | None = None, rate_hz: float = 10.0
) -> Finished:
    """Run vehicles that hear nobody, phases on any microsecond."""
    return simulate(
        FrozenFleet(x_m=np.arange(N) * 3000.0),
        technology=technology,
        access=access,
        application=Awareness(
            AwarenessParams(size_bytes=190, rate_hz=rate_hz, latency_budget_ms=budget_ms), 5
        ),
        duration_s=0.6,
    )


def check_uniform(wait: np.ndarray, t1: int, t2: int) -> None:
    """Check waits against a uniform slot of [n + T1, n + T2].

    The message comes at a uniform time in subframe n, so the wait to the start of the slot is the
    slot's distance less the part of the subframe gone by: mean (T1 + T2) / 2 - 1/2 ms, variance
    ((T2 - T1 + 1)² - 1) / 12 + 1 / 12.
    """
    mean = (t1 + t2) / 2.0 - 0.5
    sigma = math.sqrt((t2 - t1 + 1) ** 2 / 12.0)
    assert abs(wait.mean() - mean) < 4.0 * sigma / math.sqrt(len(wait))
    # The spread of a uniform number has the relative standard error sqrt(0.2 / n).
    assert abs(wait.std() - sigma) < 4.0 * sigma * math.sqrt(0.2 / len(wait))
    assert wait.min() >= t1 - 1.0
    assert wait.max() <= t2


@pytest.mark.parametrize(("t1", "t2"), [(4, 100), (1, 100), (4, 20), (1, 50)])
def test_selection_waits_half_its_window(t1: int, t2: int) -> None:
    """With T2 = 100 ms about 52 ms until the air time is over, with 20 ms about 12 ms."""
    finished = lonely(LteMode4, LteMode4Params(t1_ms=t1, t2_ms=t2))
    wait = waits_ms(finished, first_only=True)
    assert len(wait) == N
    check_uniform(wait, t1, t2)


def test_the_budget_cuts_the_window() -> None:
    """With 50 ms from generation the last slot is n + 50, or n + 49 if it would be late."""
    finished = lonely(LteMode4, LteMode4Params(t1_ms=4, t2_ms=100), budget_ms=50.0)
    wait = waits_ms(finished, first_only=True)
    check_uniform(wait, 4, 50)
    assert wait.max() <= 50.0


@pytest.mark.parametrize(
    ("technology", "access"),
    [(LteMode4, LteMode4Params()), (RandomAccess, RandomAccessParams())],
)
@pytest.mark.parametrize("rate_hz", [20.0, 50.0])
def test_no_message_outruns_the_one_before(
    technology: type, access: object, rate_hz: float
) -> None:
    """Messages more frequent than T2 = 100 ms: the window ends with the message period."""
    finished = lonely(technology, access, rate_hz=rate_hz)
    packets = finished.tables["packets"]
    period_ms = 1000.0 / rate_hz
    early = packets["generated_us"] < 600_000 - 1000 * (period_ms + 1)
    assert (packets["first_slot_us"][early] >= 0).all()
    wait = (packets["first_slot_us"] - packets["generated_us"])[early] / 1000.0
    assert wait.max() <= period_ms


def test_periodic_messages_keep_their_phase() -> None:
    """While a reservation lasts, each message waits as long as the one before."""
    finished = lonely(LteMode4, LteMode4Params(keep_probability=0.8))
    packets = finished.tables["packets"]
    for vehicle in range(0, N, 100):
        mine = (packets["tx_id"] == vehicle) & (packets["first_slot_us"] >= 0)
        wait = (packets["first_slot_us"] - packets["generated_us"])[mine]
        # The least counter is 5: one change at most within six messages.
        assert len(np.unique(wait)) <= 2


def test_random_choice_waits_half_its_window_every_time() -> None:
    """All packets that were generated early enough to be sent within the run."""
    finished = lonely(RandomAccess, RandomAccessParams(t1_ms=4, t2_ms=100))
    packets = finished.tables["packets"]
    early = packets["generated_us"] < 500_000 - 1000
    wait = (packets["first_slot_us"] - packets["generated_us"])[early] / 1000.0
    assert (packets["first_slot_us"][early] >= 0).all()
    check_uniform(wait, 4, 100)
