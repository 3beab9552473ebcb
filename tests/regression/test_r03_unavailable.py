"""R3 (applications.md 8.12): who does not tell where it is or how it moves is not warned of.

Codes "unavailable" of a decoded BSM become NaN in the states of its sender, and a scene leaves out
pairs whose geometry would rest on them, for all warnings alike. Elevation is missed only by a
receiver that tells decks apart by the heights in messages: GB/T 45315 does not let vehicles send
any, and a warning must work without.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.unit.applications.warnings.judging import THERE, judge, street
from tests.unit.messages.samples import GOLDEN
from tests.unit.perception.roads import on_roads, outlook_of, scene_of
from v2x import registry
from v2x.messages.coding.wire import UNAVAILABLE
from v2x.messages.csae import frame
from v2x.messages.csae.bsm import BasicSafetyMessage, EmergencyExtension, Siren
from v2x.messages.csae.tangent import TangentPlane
from v2x.mobility.fleet import KeyEvent
from v2x.perception.board import Board
from v2x.perception.ldm import Known, Source
from v2x.perception.scene import LevelCheck, Scene
from v2x.perception.seen import nothing_seen
from v2x.perception.wire import states_of

NAMES = registry.names("v2x.warnings")
PLANE = TangentPlane(latitude_deg=29.563, longitude_deg=106.55)
ALL_EVENTS = int(sum(KeyEvent))
ROAD = street()


def received(message: BasicSafetyMessage) -> BasicSafetyMessage:
    """Return a message after its way over the air, as bytes."""
    decoded = frame.decode(frame.encode(message))
    assert isinstance(decoded, BasicSafetyMessage)
    return decoded


def golden(**changes: Any) -> BasicSafetyMessage:
    """Return golden vector G2, eastbound at 16 m/s with hard braking, with other fields."""
    message = frame.decode(bytes.fromhex(GOLDEN["G2"]))
    assert isinstance(message, BasicSafetyMessage)
    place = {key: changes.pop(key) for key in list(changes) if key.endswith(("e_deg", "n_m"))}
    return received(replace(message, position=replace(message.position, **place), **changes))


def behind(message: BasicSafetyMessage, check: LevelCheck = LevelCheck.NONE) -> Scene:
    """Return a scene in which row 0 comes up from 40 m behind the sender, row 1, at 26 m/s."""
    fleet = on_roads(
        ROAD, [THERE, THERE], [0.0, 0.0], time_us=0, speed_mps=[26.0, 16.0], z_m=[260.0, 0.0]
    )
    own = scene_of(fleet, ROAD, check).own
    own = replace(own, x_m=np.array([-40.0, 0.0]), y_m=np.zeros(2), heading_rad=np.zeros(2))
    known = Known(
        time_us=0,
        host=np.array([0]),
        remote=np.array([1]),
        generated_us=np.zeros(1, dtype=np.int64),
        source=np.full(1, Source.MESSAGE, dtype=np.int8),
        states=states_of([message], PLANE),
    )
    board, seen = Board(2, 1_000_000), nothing_seen(0)
    return Scene(fleet, own, known, seen, board, fleet.active, outlook_of(ROAD, check))


def told(name: str, scene: Scene) -> list[int]:
    """Return the rows of those that a warning is about."""
    return [row for row in judge(name, scene, ROAD).remote.tolist() if row >= 0]


def test_r03_a_message_that_tells_all_is_heeded() -> None:
    states = states_of([golden()], PLANE)
    assert states.x_m[0] == pytest.approx(0.0, abs=0.01)
    assert states.heading_rad[0] == pytest.approx(0.0)
    assert states.speed_mps[0] == 16.0
    assert states.z_m[0] == 260.0
    assert states.flags[0] == KeyEvent.HARD_BRAKING
    scene = behind(golden())
    assert told("fcw", scene) == [1]
    assert told("ebw", scene) == [1]
    assert told("ebw", behind(golden(), LevelCheck.GATE)) == [1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "field", ["latitude_deg", "longitude_deg", "speed_mps", "heading_deg", "elevation_m"]
)
def test_r03_unavailable_codes_mean_no_alert(name: str, field: str) -> None:
    check = LevelCheck.GATE if field == "elevation_m" else LevelCheck.NONE
    message = golden(**{field: UNAVAILABLE})
    holder = message if field in ("speed_mps", "heading_deg") else message.position
    assert getattr(holder, field) is UNAVAILABLE
    scene = behind(message, check)
    assert scene.n_pairs == 0
    assert told(name, scene) == []


@pytest.mark.parametrize("value", [UNAVAILABLE, None])
def test_r03_elevation_is_missed_only_where_heights_part_decks(value: object) -> None:
    message = golden(elevation_m=value)
    assert told("fcw", behind(message, LevelCheck.NONE)) == [1]
    assert told("fcw", behind(message, LevelCheck.MAP)) == [1]
    assert told("fcw", behind(message, LevelCheck.GATE)) == []


def test_r03_an_unknown_acceleration_counts_as_none() -> None:
    message = golden()
    steady = replace(message.acceleration, longitudinal_mps2=UNAVAILABLE)
    message = received(replace(message, acceleration=steady))
    assert states_of([message], PLANE).acceleration_mps2[0] == 0.0
    assert told("fcw", behind(message)) == [1]


def test_a_siren_on_the_wire_is_a_flag() -> None:
    on, off = (golden(emergency=EmergencyExtension(siren=siren)) for siren in (Siren.IN_USE, None))
    states = states_of([on, off], PLANE)
    assert states.flags.tolist() == [
        KeyEvent.HARD_BRAKING | KeyEvent.SIREN,
        KeyEvent.HARD_BRAKING,
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("check", list(LevelCheck))
@pytest.mark.parametrize("column", ["y_m", "speed_mps", "heading_rad"])
def test_r03_remote_values_that_are_not_there(name: str, check: LevelCheck, column: str) -> None:
    """Row 1 tells everything but one value, from all around row 0, with all its flags set."""
    for edge in range(ROAD.n_edges):
        for offset_m in (430.0, 480.0, 500.0, 520.0, 560.0):
            columns: dict[str, Any] = {"speed_mps": [20.0, 25.0], "flags": [0, ALL_EVENTS]}
            values = columns.setdefault(column, [0.0, 0.0])
            fleet = on_roads(
                ROAD,
                [THERE, edge],
                [500.0, offset_m],
                time_us=2_000_000,
                **(columns | {column: [values[0], np.nan]}),
            )
            scene = scene_of(fleet, ROAD, check, ages_us=[30_000, 30_000])
            assert scene.n_pairs == 0
            assert told(name, scene) == []
