"""Buses and emergency vehicles ask for green; the unit asks the lights and answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.unit.applications.services.closed_loop import Loop, Posts, always, closed_loop, never
from tests.unit.mobility.conftest import make_map
from v2x.applications.services.signal_priority import SignalPriority, SignalPriorityParams
from v2x.messages.topics import Topic
from v2x.mobility.signals.base import Answer
from v2x.perception.information import Knowledge
from v2x.world.road_map import RoadMap

#: A street of 600 m with lights at its middle.
POSTS = Posts([300.0], [10.0])


def crossing() -> RoadMap:
    edges = [
        (0, 1, [(0.0, 0.0), (300.0, 0.0)], {}),
        (1, 2, [(300.0, 0.0), (600.0, 0.0)], {}),
        (3, 1, [(300.0, -300.0), (300.0, 0.0)], {}),
        (1, 4, [(300.0, 0.0), (300.0, 300.0)], {}),
    ]
    return make_map(edges, node_signal=[False, True, False, False, False])


def loop_of(
    answer: Answer, arrives: Any = always, knowledge: Knowledge = Knowledge.MESSAGES, **params: Any
) -> tuple[Loop, list[tuple[int, float]]]:
    """Return a loop full of buses, whose lights give one answer, and what they are asked."""
    asked: list[tuple[int, float]] = []
    loop = closed_loop(
        crossing(),
        lambda context: SignalPriority(SignalPriorityParams(**params), context),
        arrives=arrives,
        knowledge=knowledge,
        posts=POSTS,
        traffic={"n_vehicles": 3, "mix": _buses()},
    )
    service = loop.services._parts.services[0]
    control = loop.model.lights.control

    class Lights:
        """The lights of the model, with an answer of their own."""

        phase = control.phase

        @staticmethod
        def request(node: int, movement: int, eta_s: float, requester: int) -> Answer:
            asked.append((node, eta_s))
            return answer

    service._control = Lights()  # type: ignore[attr-defined]
    return loop, asked


def _buses() -> Any:
    from v2x.mobility.vehicle_classes import Mix

    return Mix(car=0.0, truck=0.0, bus=1.0)


def dialogues(loop: Loop) -> Mapping[str, np.ndarray]:
    return loop.tables()["dialogues"]


def test_a_granted_request_is_confirmed_and_completed() -> None:
    loop, asked = loop_of(Answer.EXTENDED)
    loop.run(60.0)
    table = dialogues(loop)
    done = table["outcome"] == 1
    assert done.any()
    assert (table["answer_s"][done] - table["begin_s"][done] < 0.5).all()
    assert (table["partner_id"] == 1_000_000).all()
    assert {node for node, _ in asked} == {1}
    assert all(0.0 <= eta_s <= 20.0 for _, eta_s in asked)
    assert {message.topic for _, message in loop.sent} == {Topic.VIR, Topic.RSC}


def test_a_refusal_ends_it_and_the_vehicle_waits_before_it_asks_again() -> None:
    loop, _ = loop_of(Answer.REFUSED, again_s=8.0)
    loop.run(30.0)
    table = dialogues(loop)
    assert set(table["outcome"].tolist()) <= {0, 3}
    for vehicle in np.unique(table["vehicle_id"]):
        begin_s = table["begin_s"][table["vehicle_id"] == vehicle]
        assert (np.diff(begin_s) >= 8.0).all()


def test_without_answer_it_is_given_up() -> None:
    loop, asked = loop_of(Answer.EXTENDED, arrives=never)
    loop.run(30.0)
    table = dialogues(loop)
    assert not asked
    assert set(table["outcome"].tolist()) <= {0, 4}
    assert np.isnan(table["answer_s"]).all()


def test_in_the_baseline_the_lights_are_not_asked() -> None:
    loop, asked = loop_of(Answer.EXTENDED, knowledge=Knowledge.NONE)
    loop.run(30.0)
    assert len(dialogues(loop)["number"])
    assert not asked


@pytest.mark.parametrize("kinds", [("emergency",), ()])
def test_only_the_kinds_that_may_ask(kinds: tuple[str, ...]) -> None:
    loop, asked = loop_of(Answer.EXTENDED, kinds=kinds)
    loop.run(20.0)
    assert not len(dialogues(loop)["number"])
    assert not asked


def test_nobody_asks_from_farther_away_than_told() -> None:
    loop, asked = loop_of(Answer.EXTENDED, eta_s=3.0)
    loop.run(40.0)
    assert asked
    assert all(eta_s <= 3.0 for _, eta_s in asked)
