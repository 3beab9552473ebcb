"""LTE-V2X PC5 mode 4: sensing-based semi-persistent scheduling (TS 36.213 14.1.1.6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.sensing import CandidateSelector
from v2x.access.base import AccessContext
from v2x.access.sidelink_sps import SidelinkSps, reselection_counter_range
from v2x.phy.resource_pool import ResourcePool

#: Reservation periods of TS 36.331 SL-RestrictResourceReservationPeriod [ms].
RESERVATION_PERIODS_MS: tuple[int, ...] = (20, 50, *range(100, 1001, 100))


@dataclass(frozen=True, slots=True, kw_only=True)
class LteMode4Params:
    """Resource pool and sensing of LTE-V2X mode 4.

    Parameters
    ----------
    n_subchannels
        Number of subchannels, numSubchannel (TS 36.331 6.3.8).
    subchannel_rb
        Resource blocks per subchannel, sizeSubchannel.
    adjacent
        Whether the PSCCH is adjacent to its PSSCH (adjacencyPSCCH-PSSCH).
    reservation_ms
        Reservation period [ms], P_rsvp_TX; None takes the applications' period.
    allowed_periods_ms
        Periods the pool allows [ms] (restrictResourceReservationPeriod); candidates that an
        unheard reservation with one of them could hit are excluded (step 5). None allows the
        own period only.
    t1_ms
        Start of the selection window after the packet [ms], at most 4.
    t2_ms
        End of the selection window [ms], 20 to 100; shortened to the packet's latency budget.
    keep_probability
        probResourceKeep, 0 to 0.8 in steps of 0.2.
    initial_threshold_dbm
        RSRP threshold of every pair of priorities before it is raised [dBm per resource
        element]; -110 in Molina-Masegosa and Gozalvez 2017.
    keep_ratio
        Least share of candidates that exclusion leaves (step 7).
    sensing_window_ms
        Length of the sensing window [ms].
    reselect_after
        Unused opportunities after which a grant ends, sl-ReselectAfter 1 to 9.
    blind_retransmissions
        Retransmissions of each packet, allowedRetxNumberPSSCH 0 or 1.
    """

    n_subchannels: int = 10
    subchannel_rb: int = 10
    adjacent: bool = True
    reservation_ms: int | None = None
    allowed_periods_ms: tuple[int, ...] | None = None
    t1_ms: int = 4
    t2_ms: int = 100
    keep_probability: float = 0.8
    initial_threshold_dbm: float = -110.0
    keep_ratio: float = 0.2
    sensing_window_ms: int = 1000
    reselect_after: int = 9
    blind_retransmissions: int = 0

    def __post_init__(self) -> None:
        """Reject what the standard does not allow."""
        self.resource_pool()
        periods = (self.reservation_ms, *(self.allowed_periods_ms or ()))
        for period in periods:
            if period is not None and period not in RESERVATION_PERIODS_MS:
                raise ValueError(
                    f"reservation_ms must be one of {RESERVATION_PERIODS_MS}, got {period}"
                )
        if not 1 <= self.t1_ms <= 4:
            raise ValueError(f"t1_ms must be within 1 and 4, got {self.t1_ms}")
        if not 20 <= self.t2_ms <= 100:
            raise ValueError(f"t2_ms must be within 20 and 100, got {self.t2_ms}")
        if not 0.0 <= self.keep_probability <= 1.0:
            raise ValueError(
                f"keep_probability must be within 0 and 1, got {self.keep_probability}"
            )
        if not 0.0 < self.keep_ratio <= 1.0:
            raise ValueError(f"keep_ratio must be within 0 and 1, got {self.keep_ratio}")
        if not 100 <= self.sensing_window_ms <= 1000:
            raise ValueError(
                f"sensing_window_ms must be within 100 and 1000, got {self.sensing_window_ms}"
            )
        if not 1 <= self.reselect_after <= 9:
            raise ValueError(f"reselect_after must be within 1 and 9, got {self.reselect_after}")
        if self.blind_retransmissions not in (0, 1):
            raise ValueError(
                f"blind_retransmissions must be 0 or 1, got {self.blind_retransmissions}"
            )

    def resource_pool(self) -> ResourcePool:
        """Return the pool that the parameters describe."""
        return ResourcePool(
            n_subchannels=self.n_subchannels,
            subchannel_rb=self.subchannel_rb,
            adjacent=self.adjacent,
        )


class LteMode4(SidelinkSps):
    """Each vehicle senses for a second and reserves what it found quiet.

    Steps 1 to 9 of TS 36.213 14.1.1.6 run in one kernel call per reselection; the counters of
    TS 36.321 5.14.1 in the grant book. See ``docs/mode4.md`` for the clauses step by step.
    """

    Params = LteMode4Params

    #: Farthest blind retransmission [subframes] (TS 36.213 14.1.1.7).
    RETRANSMISSION_REACH = 15

    def __init__(self, params: LteMode4Params, context: AccessContext) -> None:
        period_ms = params.reservation_ms or nearest_period_ms(context.period_ms)
        counter_range = reselection_counter_range(period_ms)
        super().__init__(
            context,
            period_ms=period_ms,
            counter_range=counter_range,
            keep_probability=params.keep_probability,
            reselect_after=params.reselect_after,
            horizon_ms=max(period_ms, params.t2_ms) + 2 * self.RETRANSMISSION_REACH,
        )
        self._t1, self._t2 = params.t1_ms, params.t2_ms
        self._reach = self.RETRANSMISSION_REACH if params.blind_retransmissions else 0
        # C_resel = 10 RC: even the least counter looks past the farthest reservation (1000 ms),
        # so the candidates do not depend on which counter is drawn afterwards.
        self._n_periods = 10 * counter_range[0]
        n_candidates = (params.t2_ms - params.t1_ms + 1) * params.n_subchannels
        self.selector = CandidateSelector(
            context.history.words,
            context.history.powers,
            noise_mw=context.noise_mw,
            thresholds_dbm=np.full((8, 8), params.initial_threshold_dbm, dtype=np.float32),
            periods_slots=np.array(params.allowed_periods_ms or (period_ms,), dtype=np.int32),
            step_slots=100,
            keep_ratio=params.keep_ratio,
            key=rng.key32(context.seed, "access", "selection"),
            # The ring holds the slot of the packet's arrival too, which is not sensed yet.
            sensing_slots=min(params.sensing_window_ms, context.history.window - 1),
            excess=np.zeros(n_candidates, dtype=np.float32),
            energy=np.zeros(n_candidates, dtype=np.float32),
            tie=np.zeros(n_candidates, dtype=np.uint32),
            order=np.zeros(n_candidates, dtype=np.int32),
        )
        self._no_candidates: NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)

    def _choose(self, node: int, slot: int, deadline_slot: int, priority: int) -> None:
        # `slot` is the first that could carry the packet, so n = slot - 1 is its arrival.
        arrival = slot - 1
        t2 = min(self._t2, deadline_slot - arrival)
        if t2 < self._t1:
            self._chosen[:] = -1
            return
        self.selector.select(
            node,
            int(self._identity[node]),
            arrival,
            self._t1,
            t2,
            self._n_subchannels,
            self._period,
            self._n_periods,
            priority,
            self._reach,
            self._book.busy_slot(node),
            self._chosen,
            self._no_candidates,
        )


def nearest_period_ms(period_ms: int) -> int:
    """Return the longest allowed reservation period that is not longer than `period_ms`.

    Examples
    --------
    >>> nearest_period_ms(100), nearest_period_ms(150), nearest_period_ms(10)
    (100, 100, 20)
    """
    fitting: list[int] = [period for period in RESERVATION_PERIODS_MS if period <= period_ms]
    return max(fitting, default=RESERVATION_PERIODS_MS[0])
