"""ETSI decentralised congestion control (TS 102 687): reactive and adaptive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.access.congestion.base import OBSERVATION_US, ChannelView, CongestionContext
from v2x.access.congestion.interval import IntervalControl
from v2x.mobility.fleet import FleetState
from v2x.units import US_PER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class EtsiDccReactiveParams:
    """States of reactive DCC for messages of up to 1 ms on air, TS 102 687 V1.2.1 Annex A.

    Parameters
    ----------
    cbr_bounds
        CBR from which the states after the first hold; the last one only above its bound.
        Relaxed, active 1 to 3, restrictive of TS 102 687 V1.2.1 Annex A. Public simulators use
        others, such as 0.2 to 0.5.
    intervals_ms
        Least time between messages in each state, T_off [ms].
    evaluation_ms
        Time between evaluations [ms], at each of which the state moves by one step at most; a
        multiple of 100.
    """

    cbr_bounds: tuple[float, ...] = (0.30, 0.40, 0.50, 0.60)
    intervals_ms: tuple[int, ...] = (100, 200, 400, 500, 1000)
    evaluation_ms: int = 200

    def __post_init__(self) -> None:
        """Reject tables that are no tables."""
        bounds = self.cbr_bounds
        if not bounds or not all(
            a < b for a, b in zip((0.0, *bounds), (*bounds, 1.0), strict=True)
        ):
            raise ValueError(f"cbr_bounds must ascend between 0 and 1, got {bounds}")
        if len(self.intervals_ms) != len(bounds) + 1:
            raise ValueError(
                f"intervals_ms must have one value more than cbr_bounds, got {self.intervals_ms}"
            )
        if not all(1 <= interval <= 10_000 for interval in self.intervals_ms):
            raise ValueError(f"intervals_ms must be within 1 and 10000, got {self.intervals_ms}")
        _check_evaluation(self.evaluation_ms)

    def state(self, cbr: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the state that belongs to a CBR, 0 (relaxed) upwards.

        Examples
        --------
        >>> EtsiDccReactiveParams().state(np.array([0.29, 0.3, 0.31, 0.6, 0.61]))
        array([0, 1, 1, 3, 4])
        """
        from_bound = np.searchsorted(self.cbr_bounds[:-1], cbr, side="right")
        return from_bound + (cbr > self.cbr_bounds[-1])


def _check_evaluation(evaluation_ms: int) -> None:
    if evaluation_ms < 100 or evaluation_ms % 100:
        raise ValueError(f"evaluation_ms must be a multiple of 100, got {evaluation_ms}")


def _evaluates(evaluation_ms: int, now_us: int, fleet: FleetState) -> NDArray[np.bool_]:
    """Return whose turn it is at an observation: stations do not evaluate in step."""
    n_turns = evaluation_ms * US_PER_MS // OBSERVATION_US
    return np.asarray((now_us // OBSERVATION_US + fleet.id) % n_turns == 0)


class EtsiDccReactive(IntervalControl):
    """A state machine from relaxed to restrictive, one step at a time (TS 102 687 Annex A)."""

    Params = EtsiDccReactiveParams

    def __init__(self, params: EtsiDccReactiveParams, context: CongestionContext) -> None:
        super().__init__(context)
        self._params = params
        self._intervals_us = np.array(params.intervals_ms, dtype=np.int64) * US_PER_MS
        self.state = np.zeros(context.n_nodes, dtype=np.int64)
        self.interval_us[:] = self._intervals_us[0]

    def observe(self, now_us: int, fleet: FleetState, channel: ChannelView) -> None:
        """Take the CBR; move by one step towards its state when an evaluation is due."""
        self._take_busy_ratio(channel.busy_ratio())
        step = np.sign(self._params.state(self.cbr) - self.state)
        self.state += np.where(_evaluates(self._params.evaluation_ms, now_us, fleet), step, 0)
        self.interval_us[:] = self._intervals_us[self.state]

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""
        super().forget(node)
        self.state[node] = 0
        self.interval_us[node] = self._intervals_us[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class EtsiDccAdaptiveParams:
    """Gains and limits of adaptive DCC (LIMERIC with smoothing), TS 102 687 V1.2.1 5.4.

    Parameters
    ----------
    target_cbr
        CBR_target.
    alpha, beta
        Weight with which a share fades, and gain on the distance from the target.
    max_rise, max_fall
        Largest changes of the share by one evaluation, both positive.
    min_share, max_share
        Limits of the share of time that a node may be on the air.
    min_gate_ms, max_gate_ms
        Limits of the time between messages [ms].
    time_on_air_ms
        What a message takes of the channel [ms]; None for a slot times the part of the
        pool's subchannels that it occupies, so that shares of nodes add up to the CBR.
    evaluation_ms
        Time between evaluations [ms], a multiple of 100.
    """

    target_cbr: float = 0.68
    alpha: float = 0.016
    beta: float = 0.0012
    max_rise: float = 0.0005
    max_fall: float = 0.00025
    min_share: float = 0.0006
    max_share: float = 0.03
    min_gate_ms: float = 25.0
    max_gate_ms: float = 1000.0
    time_on_air_ms: float | None = None
    evaluation_ms: int = 200

    def __post_init__(self) -> None:
        """Reject what does not converge."""
        if not 0.0 < self.target_cbr < 1.0:
            raise ValueError(f"target_cbr must be within 0 and 1, got {self.target_cbr}")
        for name in ("alpha", "beta", "max_rise", "max_fall"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f"{name} must be within 0 and 1, got {getattr(self, name)}")
        for low, high in (("min_share", "max_share"), ("min_gate_ms", "max_gate_ms")):
            if not 0.0 < getattr(self, low) <= getattr(self, high):
                raise ValueError(
                    f"{low} must be above 0 and at most {high}, got {getattr(self, low)}"
                )
        if self.time_on_air_ms is not None and not self.time_on_air_ms > 0.0:
            raise ValueError(f"time_on_air_ms must be > 0, got {self.time_on_air_ms}")
        _check_evaluation(self.evaluation_ms)

    def smoothed(
        self,
        smooth: NDArray[np.float64],
        cbr: NDArray[np.float64],
        former_cbr: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return CBR_ITS-S: half the former value, a quarter of each of the last two CBRs."""
        return np.asarray(0.5 * smooth + 0.25 * (cbr + former_cbr))

    def next_share(
        self, share: NDArray[np.float64], smooth: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the share of time after an evaluation with the smoothed CBR."""
        offset = (self.beta * (self.target_cbr - smooth)).clip(-self.max_fall, self.max_rise)
        changed = (1.0 - self.alpha) * share + offset
        return np.asarray(changed.clip(self.min_share, self.max_share))


class EtsiDccAdaptive(IntervalControl):
    """Steers each node's share of the channel towards a common busy ratio (TS 102 687 5.4).

    Attributes
    ----------
    share : (n_nodes,) float64
        Share of time that each node may be on the air, delta.
    """

    Params = EtsiDccAdaptiveParams

    def __init__(self, params: EtsiDccAdaptiveParams, context: CongestionContext) -> None:
        super().__init__(context)
        self._params = params
        slot_ms = context.slot_us / US_PER_MS
        self._on_air_ms = (
            slot_ms * context.grant_subchannels / context.n_subchannels
            if params.time_on_air_ms is None
            else params.time_on_air_ms
        )
        n = context.n_nodes
        self._former_cbr = np.full(n, np.nan)
        self._smooth = np.full(n, np.nan)
        self.share = np.full(n, params.min_share)
        self.interval_us[:] = self._gate_us(self.share)

    def observe(self, now_us: int, fleet: FleetState, channel: ChannelView) -> None:
        """Take the CBR; adapt the shares when an evaluation is due."""
        self._take_busy_ratio(channel.busy_ratio())
        # The first CBR stands for those before it: no newcomer takes its start for a rise.
        former = np.where(np.isfinite(self._former_cbr), self._former_cbr, self.cbr)
        smooth = np.where(np.isfinite(self._smooth), self._smooth, self.cbr)
        smooth = self._params.smoothed(smooth, self.cbr, former)
        now = _evaluates(self._params.evaluation_ms, now_us, fleet)
        np.copyto(self._smooth, smooth, where=now)
        np.copyto(self.share, self._params.next_share(self.share, smooth), where=now)
        self.interval_us[:] = self._gate_us(self.share)
        self._former_cbr[:] = self.cbr

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""
        super().forget(node)
        self._smooth[node] = self._former_cbr[node] = np.nan
        self.share[node] = self._params.min_share
        self.interval_us[node] = self._gate_us(self.share[node])

    def _gate_us(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the time between messages at a share of time, T_on / delta [µs]."""
        params = self._params
        gate_ms = (self._on_air_ms / share).clip(params.min_gate_ms, params.max_gate_ms)
        return np.asarray(np.rint(gate_ms * US_PER_MS))
