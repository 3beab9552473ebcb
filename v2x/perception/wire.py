"""From messages on the wire to states: what a receiver of real BSMs knows of their senders.

In a run nothing is encoded, so states are looked up and not decoded. This is the same step for
messages that come as bytes, with what they leave open: a place, speed or direction that is
"unavailable" is NaN, and :class:`~v2x.perception.scene.Scene` leaves its sender out. Whoever does
not tell its acceleration is taken to keep its speed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from v2x.messages.coding.wire import Code, Quantity
from v2x.messages.csae.bsm import BasicSafetyMessage, Siren
from v2x.messages.csae.tangent import TangentPlane
from v2x.mobility.fleet import FloatArray, KeyEvent
from v2x.perception.states import States


def states_of(messages: Sequence[BasicSafetyMessage], plane: TangentPlane) -> States:
    """Return what BSMs say of their senders.

    Roads are not matched: `edge` and `lane` are -1. Headings on the wire count clockwise from
    north.

    Parameters
    ----------
    messages
        Decoded messages, (n,).
    plane
        Where x and y are 0.
    """
    n = len(messages)
    x, y = plane.to_metres(
        _numbers([item.position.latitude_deg for item in messages]),
        _numbers([item.position.longitude_deg for item in messages]),
    )
    heading_deg = _numbers([item.heading_deg for item in messages])
    off_road = np.full(n, -1, dtype=np.int32)
    none = np.zeros(n, dtype=np.int32)
    change = _numbers([item.acceleration.longitudinal_mps2 for item in messages])
    turning = _numbers([item.acceleration.yaw_rate_degps for item in messages])
    return States(
        # Latitude and longitude only make a place together.
        x_m=np.where(np.isnan(y), np.nan, x),
        y_m=np.where(np.isnan(x), np.nan, y),
        z_m=_numbers([item.position.elevation_m for item in messages]),
        heading_rad=np.pi / 2 - np.deg2rad(heading_deg),
        yaw_rate_radps=-np.deg2rad(turning),
        speed_mps=_numbers([item.speed_mps for item in messages]),
        acceleration_mps2=np.nan_to_num(change),
        offset_m=np.zeros(n),
        edge=off_road,
        lane=off_road,
        level=none,
        turn=none,
        flags=np.array([_flags(item) for item in messages], dtype=np.int32),
    )


def _numbers(values: Sequence[Quantity | None]) -> FloatArray:
    """Return quantities, NaN for codes and for what was left out."""
    return np.array(
        [np.nan if value is None or isinstance(value, Code) else value for value in values],
        dtype=np.float64,
    )


def _flags(message: BasicSafetyMessage) -> int:
    """Return the events that a message tells, as bits of KeyEvent."""
    events = message.safety.events if message.safety is not None else None
    siren = message.emergency is not None and message.emergency.siren is Siren.IN_USE
    return int(events or 0) | (int(KeyEvent.SIREN) if siren else 0)
