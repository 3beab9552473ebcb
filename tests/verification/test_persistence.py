"""How long a bad choice lasts under semi-persistent scheduling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from v2x.access.base import AccessContext
from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.records.tables import Outcome

from ..simulation_parts import Finished, FrozenFleet, ScheduledPackets, every, simulate
from .closed_forms import mean_collision_run, mean_reservation_run


class SameFirstChoice(LteMode4):
    """Mode 4 that gives everybody the same resource at first, and senses from then on."""

    Params = LteMode4Params

    def __init__(self, params: LteMode4Params, context: AccessContext) -> None:
        super().__init__(params, context)
        self._chose_before = np.zeros(context.n_nodes, dtype=bool)

    def _choose(self, node: int, slot: int, deadline_slot: int, priority: int) -> None:
        if self._chose_before[node]:
            super()._choose(node, slot, deadline_slot, priority)
        else:
            self._chose_before[node] = True
            self._chosen[:] = [slot + 30, 0, -1, -1]


def slots(finished: Finished, n_rows: int, n_messages: int) -> np.ndarray:
    """Return the slot of each message, shape (n_rows, n_messages) [ms]."""
    packets = finished.tables["packets"]
    order = np.lexsort((packets["generated_us"], packets["tx_id"]))
    return (packets["first_slot_us"][order] // 1000).reshape(n_rows, n_messages)


def first_runs(slot: np.ndarray) -> np.ndarray:
    """Return for how many messages both of each pair stay on the first resource, (n_pairs,).

    Who leaves it together may well meet again, which is another run.
    """
    stays = slot == slot[:, :1] + 100 * np.arange(slot.shape[1])
    both = stays[0::2] & stays[1::2]
    assert not both.all(axis=1).any()
    return both.argmin(axis=1)


def run_pairs(n_pairs: int, n_messages: int, **access: Any) -> Finished:
    plan = [e for row in range(2 * n_pairs) for e in every(100_000, n_messages, 500, row)]
    x = np.repeat(np.arange(n_pairs) * 3000.0, 2) + np.tile([0.0, 20.0], n_pairs)
    return simulate(
        FrozenFleet(x_m=x),
        technology=SameFirstChoice,
        access=LteMode4Params(**access),
        application=ScheduledPackets(plan),
        duration_s=0.1 * n_messages + 0.2,
    )


@pytest.mark.parametrize("n_subchannels", [1, 10])
def test_two_on_one_resource_stay_8_18_messages(n_subchannels: int) -> None:
    """Both counters are uniform on 5...15 and nobody keeps, so the smaller one ends the run.

    Its mean is 90 / 11 = 8.18 messages, its variance 6.33. Sharing a slot they are deaf to each
    other, and whoever selects first avoids the slot of which it knows nothing: its own.
    """
    n_pairs = 600
    n_messages = 17
    finished = run_pairs(n_pairs, n_messages, n_subchannels=n_subchannels, keep_probability=0.0)
    slot = slots(finished, 2 * n_pairs, n_messages)
    runs = first_runs(slot)
    assert runs.min() == 5
    assert runs.max() == 15
    expected = float(mean_collision_run())
    assert abs(runs.mean() - expected) < 4.0 * math.sqrt(6.33 / n_pairs)
    # Both packets of every common slot are lost, and nothing else is.
    same = slot[0::2] == slot[1::2]
    assert finished.outcomes[Outcome.HALF_DUPLEX] == 2 * same.sum()


def test_the_tail_of_the_run() -> None:
    """P(run >= k) = P(RC >= k)², with P(RC >= k) = (16 - k) / 11; four binomial deviations."""
    n_pairs, n_messages = 600, 17
    finished = run_pairs(n_pairs, n_messages, n_subchannels=2, keep_probability=0.0)
    runs = first_runs(slots(finished, 2 * n_pairs, n_messages))
    for k in (6, 8, 10, 12, 14):
        p = ((16 - k) / 11) ** 2
        assert abs(np.mean(runs >= k) - p) < 4.0 * math.sqrt(p * (1.0 - p) / n_pairs)


@pytest.mark.parametrize("keep", [0.0, 0.4, 0.8])
def test_a_lone_vehicle_moves_every_so_many_messages(keep: float) -> None:
    """A reservation carries 10 / (1 - keep) messages on average.

    Over n messages of many lone vehicles, changes of the slot are counted: n (1 - keep) / 10 of
    them, less the 1 in about 96 that come back to a resource in the same slot (own slot
    excluded: none). Variance by renewal theory, n Var(run) / mean³ with
    Var(run) = 10 / (1 - keep) + 100 keep / (1 - keep)².
    """
    n_vehicles, n_messages, n_warm = 150, 150, 60
    plan = [e for row in range(n_vehicles) for e in every(100_000, n_messages, 500, row)]
    finished = simulate(
        FrozenFleet(x_m=np.arange(n_vehicles) * 3000.0),
        technology=LteMode4,
        access=LteMode4Params(keep_probability=keep),
        application=ScheduledPackets(plan),
        duration_s=0.1 * n_messages + 0.2,
    )
    slot = slots(finished, n_vehicles, n_messages)[:, n_warm:]
    n_changes = int((np.diff(slot, axis=1) != 100).sum())
    n = n_vehicles * (n_messages - n_warm - 1)
    mean = mean_reservation_run(keep)
    variance = 10.0 / (1.0 - keep) + 100.0 * keep / (1.0 - keep) ** 2
    assert abs(n_changes - n / mean) < 4.0 * math.sqrt(n * variance / mean**3)
