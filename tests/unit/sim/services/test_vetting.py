"""Which message of a link its receiver goes by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.simulation_parts import fleet_state
from tests.unit.perception.roads import fork_map
from v2x.mobility.fleet import FleetState
from v2x.perception.ldm import Heard, LocalDynamicMap
from v2x.perception.own_state import OwnStates
from v2x.perception.states import States
from v2x.security.plausibility.detector import Detector
from v2x.security.plausibility.params import PlausibilityParams
from v2x.security.plausibility.surroundings import RoadSurface
from v2x.sim.services.vetting import Doubt, Vetting

ROAD = fork_map()
TICK_US = 100_000


class Loop:
    """Two vehicles in a row at 20 m/s; row 1 hears row 0, ten times a second."""

    def __init__(self, verdict: str | None, warmup_us: int = 0, **limits: float) -> None:
        doubt = None
        if verdict is not None:
            surface = RoadSurface(ROAD)
            doubt = Doubt(Detector(PlausibilityParams(**limits), surface, None, 2), verdict)
        self.ldm = LocalDynamicMap(2, 1_000_000, TICK_US)
        self.vetting = Vetting(2, 13, TICK_US, doubt, warmup_us)
        self.own = OwnStates(ROAD, by_height=False)

    def tick(
        self, number: int, jump_m: float = 0.0, heard_us: int | None = None, sender: int = 0
    ) -> int:
        """Return which message is believed; the newest is of the tick before."""
        fleet = self.fleet(number, sender)
        truth = self.own.of(fleet, None)
        states: States = replace(truth, x_m=truth.x_m + np.array([jump_m, 0.0]))
        forged = np.array([jump_m != 0.0, False])
        self.vetting.tell(fleet, forged, np.array([True, False]))
        self.ldm.tell(fleet, states)
        newest_us = (number - 1) * TICK_US + 10_000 if heard_us is None else heard_us
        heard = Heard(np.array([0], np.int32), np.array([1], np.int32), np.array([newest_us]))
        return int(self.vetting.believed(fleet, truth, self.ldm, heard)[0])

    @staticmethod
    def fleet(number: int, sender: int) -> FleetState:
        x_m = 10.0 + 2.0 * number + np.array([0.0, 30.0])
        return fleet_state(number * TICK_US, x_m, y_m=-2.0, speed_mps=20.0, id=[sender, 50])

    def count(self, name: str) -> list[int]:
        return self.vetting.table()[name].tolist()


def test_a_jump_is_not_believed_and_the_message_before_it_stays() -> None:
    loop = Loop("any", appearance_m=1.0)
    jumps = {5: 60.0}
    believed = [loop.tick(k, jumps.get(k, 0.0)) for k in range(1, 8)]
    times = [k * TICK_US + 10_000 for k in range(7)]
    assert believed[1:5] == times[1:5]
    assert believed[5] == times[4]
    assert loop.count("n_forged") == [1]
    assert loop.count("n_forged_dropped") == [1]


def test_who_believes_everything_only_counts() -> None:
    loop = Loop(None)
    believed = [loop.tick(k, 60.0 if k == 5 else 0.0) for k in range(1, 8)]
    assert believed[1:] == [k * TICK_US + 10_000 for k in range(1, 7)]
    assert loop.count("n_forged") == [1]
    assert loop.count("n_forged_dropped") == [0]
    assert loop.count("n_true") == [5]
    assert loop.count("attacks") == [True]


def test_a_message_is_looked_at_once_however_long_it_is_the_newest() -> None:
    loop = Loop("any", appearance_m=1.0)
    loop.tick(1)
    believed = [loop.tick(k, heard_us=110_000) for k in range(2, 6)]
    assert believed == [110_000] * 4
    assert loop.count("n_true") == [1]


def test_behaviour_takes_repetition() -> None:
    """Three faults within five seconds make a sender whom nobody believes."""
    loop = Loop("behaviour", appearance_m=1.0, score_limit=6.0)
    jumps = {5: 60.0, 9: 60.0, 13: 60.0}
    believed = [loop.tick(k, jumps.get(k, 0.0)) for k in range(1, 30)]
    dropped = [k for k in range(1, 29) if believed[k] < k * TICK_US]
    assert 5 not in dropped
    assert max(dropped) > 14


def test_counting_begins_after_the_warm_up() -> None:
    loop = Loop(None, warmup_us=500_000)
    for k in range(1, 8):
        loop.tick(k)
    assert loop.count("n_true") == [3]


def test_another_road_user_in_the_row_begins_anew() -> None:
    loop = Loop("any", appearance_m=1.0, overlap_s=0.05)  # it is where the other one was
    for k in range(1, 5):
        loop.tick(k)
    assert loop.tick(5, sender=7, heard_us=-1) == -1
    assert loop.tick(6, sender=7) == 510_000
    assert loop.count("id") == [0, 7]
    assert loop.count("n_true") == [3, 1]
