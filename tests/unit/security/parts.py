"""Claims with known answers."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from v2x.security.attacks.base import AttackContext, Claims
from v2x.security.plausibility.heard import Heard

CONTEXT = AttackContext(
    seed=3, n_rows=8, period_us=100_000, west_m=-500.0, south_m=-200.0, east_m=500.0, north_m=200.0
)


def truth(time_us: int, n: int = 4, apart_m: float = 50.0, speed_mps: float = 20.0) -> Claims:
    """Return what vehicles in a row say that drive east; identity 100 + row."""
    row = np.arange(n, dtype=np.int64)
    zeros = np.zeros(n)
    return Claims(
        sender=row,
        identity=100 + row,
        time_us=np.full(n, time_us, dtype=np.int64),
        x_m=-100.0 + row * apart_m + speed_mps * time_us * 1e-6,
        y_m=zeros,
        z_m=zeros,
        heading_rad=zeros,
        speed_mps=np.full(n, speed_mps),
        acceleration_mps2=zeros,
        length_m=np.full(n, 5.0),
        width_m=np.full(n, 2.0),
    )


def heard(
    time_s: ArrayLike = 0.0, receiver: ArrayLike = 0, here_x_m: float = -100.0, **columns: Any
) -> Heard:
    """Return receptions of identity 1, at the origin unless said otherwise, driving east at 20 m/s.

    Receivers stand and face east. All columns are broadcast.
    """
    values: dict[str, Any] = {
        "identity": 1,
        "x_m": 0.0,
        "speed_mps": 20.0,
        "length_m": 5.0,
        "width_m": 2.0,
        "signal_dbm": np.nan,
        "seen_gap_m": np.nan,
    } | columns
    time_us = np.rint(np.asarray(time_s) * 1e6)
    n = np.broadcast(time_us, receiver, *values.values()).size

    def whole(value: ArrayLike) -> np.ndarray:
        return np.array(np.broadcast_to(value, n), dtype=np.int64)

    def real(value: ArrayLike) -> np.ndarray:
        return np.array(np.broadcast_to(value, n), dtype=np.float64)

    names = [item.name for item in fields(Claims) if item.type == "FloatArray"]
    return Heard(
        receiver=whole(receiver),
        arrived_us=whole(time_us),
        claim=Claims(
            sender=whole(1),
            identity=whole(values["identity"]),
            time_us=whole(time_us),
            **{name: real(values.get(name, 0.0)) for name in names},
        ),
        here_x_m=real(here_x_m),
        here_y_m=real(0.0),
        here_heading_rad=real(0.0),
        signal_dbm=real(values["signal_dbm"]),
        seen_gap_m=real(values["seen_gap_m"]),
    )
