"""SAE J2945/1: messages by density and tracking error; GB/T 45315-2025 Annex C, method 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.access.base import SlotTransmissions
from v2x.access.congestion.base import (
    OBSERVATION_US,
    ChannelView,
    CongestionContext,
    CongestionControl,
)
from v2x.access.congestion.interval import NEVER_US
from v2x.access.congestion.transmit_power import PowerParams, TransmitPower
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.units import US_PER_MS, US_PER_S

FloatArray = NDArray[np.float64]

#: Ages within which an estimate of the own position by others counts [µs].
_REMOTE_AGE_US = (50_000, 3_000_000)
#: Observations in a second, vPERSubInterval.
_TURNS = US_PER_S // OBSERVATION_US


@dataclass(frozen=True, slots=True, kw_only=True)
class J2945Params(PowerParams):
    """Rate and power of SAE J2945/1 (equations and defaults through public implementations).

    Parameters
    ----------
    range_m
        Vehicles heard within this distance are counted, vPERRange [m]; SAE J2945/1.
    density_weight
        Weight of the newest density, lambda; 0.05 in GB/T 45315-2025, 0.5 in one paper.
    density_limit
        Smoothed number of vehicles in range up to which the interval stays at its least, B;
        SAE J2945/1.
    max_interval_ms
        Longest interval between messages, vMax_ITT [ms]; SAE J2945/1.
    interval_multiple_ms
        Intervals are rounded to multiples of this [ms]; None for no rounding.
    error_min_m, error_max_m
        Tracking error below which it triggers no message, and from which it always does, T and S
        [m].
    error_gain
        Steepness in between, alpha [1/m^2].
    reschedule_ms
        A message that is due this much later is sent already, vRescheduleTh [ms]; SAE J2945/1.
    jitter_ms
        Largest random shift of the time at which a message is due, vTxRand [ms]; SAE J2945/1.
    loss_limit
        Cap of the loss that senders assume, vPERMax; SAE J2945/1.
    loss_window_s
        Time over which losses are averaged, vPERInterval, in parts of a second [s].
    max_failures
        Messages in a row presumed lost, after which one is presumed received, vMaxSuccessiveFail.
    """

    range_m: float = 100.0
    density_weight: float = 0.05
    density_limit: float = 25.0
    max_interval_ms: float = 600.0
    interval_multiple_ms: float | None = None
    error_min_m: float = 0.2
    error_max_m: float = 0.5
    error_gain: float = 75.0
    reschedule_ms: float = 25.0
    jitter_ms: float = 5.0
    loss_limit: float = 0.3
    loss_window_s: int = 5
    max_failures: int = 3

    def __post_init__(self) -> None:
        """Reject values the equations are not defined for."""
        PowerParams.__post_init__(self)
        for name in ("range_m", "density_limit", "error_gain"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not 0.0 < self.density_weight <= 1.0:
            raise ValueError(
                f"density_weight must be above 0 and at most 1, got {self.density_weight}"
            )
        if not self.max_interval_ms >= 100.0:
            raise ValueError(f"max_interval_ms must be >= 100, got {self.max_interval_ms}")
        if self.interval_multiple_ms is not None and not self.interval_multiple_ms > 0.0:
            raise ValueError(f"interval_multiple_ms must be > 0, got {self.interval_multiple_ms}")
        if not 0.0 <= self.error_min_m < self.error_max_m:
            raise ValueError(
                f"error_min_m must be at least 0 and below error_max_m, got {self.error_min_m}"
            )
        for name in ("reschedule_ms", "jitter_ms"):
            if not 0.0 <= getattr(self, name) < 100.0:
                raise ValueError(f"{name} must be within 0 and 100, got {getattr(self, name)}")
        if not 0.0 <= self.loss_limit < 1.0:
            raise ValueError(f"loss_limit must be within 0 and 1, got {self.loss_limit}")
        for name in ("loss_window_s", "max_failures"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    def max_itt_ms(self, density: FloatArray) -> FloatArray:
        """Return the interval after which a message is due whatever the error, Max_ITT [ms].

        Examples
        --------
        >>> J2945Params().max_itt_ms(np.array([10.0, 25.0, 50.0, 100.0, 150.0, 200.0]))
        array([100., 100., 200., 400., 600., 600.])
        """
        itt_ms = (100.0 * density / self.density_limit).clip(100.0, self.max_interval_ms)
        if self.interval_multiple_ms is not None:
            itt_ms = np.rint(itt_ms / self.interval_multiple_ms) * self.interval_multiple_ms
        return np.asarray(itt_ms)

    def send_probability(self, error_m: FloatArray) -> FloatArray:
        """Return the probability of a message at a tracking error [m].

        Examples
        --------
        >>> J2945Params().send_probability(np.array([0.1, 0.2, 0.25, 0.3, 0.4, 0.5])).round(3)
        array([0.   , 0.   , 0.171, 0.528, 0.95 , 1.   ])
        """
        above = np.maximum(error_m - self.error_min_m, 0.0)
        between = 1.0 - np.exp(-self.error_gain * above**2)
        return np.where(error_m >= self.error_max_m, 1.0, between)


class J2945(CongestionControl):
    """Vehicles speak less often and less loudly in a crowd, unless others would lose track of them.

    At each message of the application, whose period stands for vTxRateCntrlInt, a vehicle sends
    with a probability that grows with its tracking error, or because Max_ITT has passed. Its power
    steps with every busy ratio that it measures; events go with the highest, at once. Where a
    wrap-around road begins anew, others lose track of a vehicle, and a message follows.

    Attributes
    ----------
    density : (n_nodes,) float64
        Smoothed number of vehicles in range; NaN before the first count.
    loss : (n_nodes,) float64
        Loss each sender assumes of its own messages, Pi: missed over expected messages of all
        vehicles in range, capped.
    """

    Params: ClassVar[type[Any]] = J2945Params

    def __init__(self, params: J2945Params, context: CongestionContext) -> None:
        super().__init__(context)
        self._params = params
        self._slot_us = context.slot_us
        self._tx_power_dbm = context.tx_power_dbm
        powered = params.power_control and context.tx_power_dbm is not None
        self._power = TransmitPower(params, context.n_nodes) if powered else None
        self._is_vehicle = np.ones(context.n_nodes, dtype=np.bool_)
        self.heard_range_m = params.range_m
        n = context.n_nodes
        self.density = np.full(n, np.nan)
        self.loss = np.zeros(n)
        self._since_us = 0
        self._next_count_us = np.full(n, NEVER_US, dtype=np.int64)
        self._has_sent = np.zeros(n, dtype=bool)
        self._expected = np.zeros(n)
        self._missed = np.zeros(n)
        self._parts = np.zeros((2, params.loss_window_s, n))
        self._last_us = np.full(n, NEVER_US, dtype=np.int64)
        self._known = _KnownStates(n)
        self._failures = np.zeros(n, dtype=np.int64)
        self._keys = [rng.key32(context.seed, "congestion", k) for k in ("send", "due", "lost")]

    def admit(
        self, slot: int, transmissions: SlotTransmissions, dropped: NDArray[np.int32]
    ) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        """Note who is on air: the counts in its messages will tell others what they missed."""
        self._has_sent[transmissions["node"]] = True
        if self._power is not None and len(transmissions):
            assert self._tx_power_dbm is not None
            transmissions = transmissions.copy()
            wanted_dbm = self.power_dbm()[transmissions["node"]]
            wanted_dbm[transmissions["process"] > 0] = self._params.max_power_dbm
            follows = self._is_vehicle[transmissions["node"]]
            offset_db = np.where(follows, wanted_dbm - self._tx_power_dbm, 0.0)
            transmissions["power_offset_db"] = offset_db
        return super().admit(slot, transmissions, dropped)

    def observe(self, now_us: int, fleet: FleetState, channel: ChannelView) -> None:
        """Count losses of the last 100 ms, and step the power; each second density and loss ratio.

        Each vehicle has its own second: with a common one all would change their interval, and
        from then on speak, in the same 100 ms.
        """
        if self._power is not None:
            self._is_vehicle = fleet.kind <= NodeKind.BUS
            self._power.observe(channel.busy_ratio())
        heard = channel.heard_within(self._params.range_m)
        n = len(self.loss)
        sent = self._has_sent[heard.sender]
        missed = sent & (heard.last_slot < -(-self._since_us // self._slot_us))
        self._expected += np.bincount(heard.receiver[sent], minlength=n)
        self._missed += np.bincount(heard.receiver[missed], minlength=n)
        self._has_sent[:] = False
        self._since_us = now_us
        of_late = heard.last_slot >= max(-(-(now_us - US_PER_S) // self._slot_us), 0)
        count = np.bincount(heard.receiver[of_late], minlength=n)
        self._close_second(now_us, fleet, count.astype(np.float64))

    def _close_second(self, now_us: int, fleet: FleetState, count: FloatArray) -> None:
        new = self._next_count_us == NEVER_US
        start_us = now_us - OBSERVATION_US + fleet.id % _TURNS * OBSERVATION_US
        self._next_count_us[new] = start_us[new] + US_PER_S
        turn = np.flatnonzero(now_us >= self._next_count_us)
        self._next_count_us[turn] += US_PER_S
        weight, former = self._params.density_weight, self.density[turn]
        # With the first count alone a start in a crowd would take minutes to be felt.
        former = np.where(np.isfinite(former), former, count[turn])
        self.density[turn] = weight * count[turn] + (1.0 - weight) * former
        self._parts[:, 1:, turn] = self._parts[:, :-1, turn]
        self._parts[:, 0, turn] = self._expected[turn], self._missed[turn]
        self._expected[turn] = self._missed[turn] = 0.0
        expected, missed = self._parts[:, :, turn].sum(axis=1)
        self.loss[turn] = np.minimum(missed / np.maximum(expected, 1.0), self._params.loss_limit)

    def release(
        self, generated_us: NDArray[np.int64], row: NDArray[np.int32], fleet: FleetState
    ) -> NDArray[np.int64]:
        """Return the same times for messages that are sent, -1 for the others."""
        params = self._params
        identity = fleet.id[row]
        state = _extrapolated(fleet, row, generated_us)
        error_m = self._known.error_m(row, state, generated_us)
        wanted = self._draw(0, identity, generated_us) < params.send_probability(error_m)
        shift_ms = (2.0 * self._draw(1, identity, generated_us) - 1.0) * params.jitter_ms
        wait_ms = self._itt_ms(row) - params.reschedule_ms + shift_ms
        due = generated_us - self._last_us[row] >= wait_ms * US_PER_MS
        sends = wanted | due
        self._count(row, ~sends)
        self._last_us[row[sends]] = generated_us[sends]
        self._presume(row[sends], state[:, sends], identity[sends], generated_us[sends])
        return np.where(sends, generated_us, -1)

    def _presume(
        self,
        row: NDArray[np.int32],
        state: FloatArray,
        identity: NDArray[np.int64],
        time_us: NDArray[np.int64],
    ) -> None:
        """Decide by chance whether others have received these messages."""
        lost = self._draw(2, identity, time_us) < self.loss[row]
        self._failures[row] = np.where(lost, self._failures[row] + 1, 0)
        received = ~lost | (self._failures[row] >= self._params.max_failures)
        self._failures[row[received]] = 0
        self._known.take(row[received], state[:, received], time_us[received])

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""
        super().forget(node)
        if self._power is not None:
            self._power.forget(node)
        self.density[node] = np.nan
        self.loss[node] = self._expected[node] = self._missed[node] = 0.0
        self._parts[:, :, node] = 0.0
        self._next_count_us[node] = NEVER_US
        self._has_sent[node] = False
        self._last_us[node] = self._known.time_us[node] = NEVER_US
        self._failures[node] = 0

    def interval_ms(self) -> FloatArray:
        """Return Max_ITT of each node [ms]."""
        return self._itt_ms(np.arange(len(self.density), dtype=np.int32))

    def power_dbm(self) -> FloatArray:
        """Return the power of each vehicle [dBm]."""
        if self._power is None:
            return super().power_dbm()
        return np.where(self._is_vehicle, self._power.power_dbm, np.nan)

    def _itt_ms(self, row: NDArray[np.int32]) -> FloatArray:
        return self._params.max_itt_ms(np.nan_to_num(self.density[row]))

    def _draw(
        self, purpose: int, identity: NDArray[np.int64], time_us: NDArray[np.int64]
    ) -> FloatArray:
        return rng.uniform_by_id(self._keys[purpose], identity, time_us)


class _KnownStates:
    """What others presumably know of each node: x, y, and the speeds along them."""

    def __init__(self, n_nodes: int) -> None:
        self.state = np.zeros((4, n_nodes))
        self.time_us = np.full(n_nodes, NEVER_US, dtype=np.int64)

    def take(self, row: NDArray[np.int32], state: FloatArray, time_us: NDArray[np.int64]) -> None:
        self.state[:, row] = state
        self.time_us[row] = time_us

    def error_m(
        self, row: NDArray[np.int32], state: FloatArray, time_us: NDArray[np.int64]
    ) -> FloatArray:
        """Return how far nodes are from where others think they are [m]; 0 if they do not."""
        age_us = time_us - self.time_us[row]
        valid = (age_us >= _REMOTE_AGE_US[0]) & (age_us <= _REMOTE_AGE_US[1])
        x, y, vx, vy = self.state[:, row]
        age_s = np.where(valid, age_us, 0) / US_PER_S
        error = np.hypot(x + vx * age_s - state[0], y + vy * age_s - state[1])
        return np.where(valid, error, 0.0)


def _extrapolated(
    fleet: FleetState, row: NDArray[np.int32], time_us: NDArray[np.int64]
) -> FloatArray:
    """Return x, y, and the speeds along them at `time_us`, shape (4, n)."""
    age_s = (time_us - fleet.time_us) / US_PER_S
    vx = fleet.speed_mps[row] * np.cos(fleet.heading_rad[row])
    vy = fleet.speed_mps[row] * np.sin(fleet.heading_rad[row])
    return np.stack([fleet.x_m[row] + vx * age_s, fleet.y_m[row] + vy * age_s, vx, vy])


@dataclass(frozen=True, slots=True, kw_only=True)
class Gbt45315DensityParams:
    """Method 2 of GB/T 45315-2025 Annex C: SAE J2945/1 with intervals of whole 100 ms.

    Parameters
    ----------
    range_m
        Vehicles heard within this distance are counted [m].
    density_weight
        Weight of the newest density, lambda; GB/T 45315-2025.
    density_limit
        Smoothed number of vehicles in range up to which the interval stays at its least, B;
        GB/T 45315-2025.
    max_interval_ms
        Longest interval between messages, vMax_ITT [ms]; GB/T 45315-2025.
    """

    range_m: float = 100.0
    density_weight: float = 0.05
    density_limit: float = 25.0
    max_interval_ms: float = 600.0

    def __post_init__(self) -> None:
        """Reject values the equations are not defined for."""
        self.rule()

    def rule(self) -> J2945Params:
        """Return the equivalent parameters of SAE J2945/1."""
        return J2945Params(
            range_m=self.range_m,
            density_weight=self.density_weight,
            density_limit=self.density_limit,
            max_interval_ms=self.max_interval_ms,
            interval_multiple_ms=100.0,
            jitter_ms=0.0,
            power_control=False,
        )


class Gbt45315Density(J2945):
    """Density and tracking error in steps of 100 ms (GB/T 45315-2025 Annex C, method 2)."""

    Params = Gbt45315DensityParams

    def __init__(self, params: Gbt45315DensityParams, context: CongestionContext) -> None:
        super().__init__(params.rule(), context)
