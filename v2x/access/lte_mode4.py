"""LTE-V2X PC5 mode 4: sensing-based semi-persistent scheduling (TS 36.213 14.1.1.6)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.sensing import CandidateSelector
from v2x.access.base import AccessContext
from v2x.access.pool_params import LtePoolParams
from v2x.access.priorities import N_PRIORITIES, pair_thresholds_dbm
from v2x.access.sidelink_sps import SidelinkSps, reselection_counter_range

#: Reservation periods of TS 36.331 SL-RestrictResourceReservationPeriod [ms].
RESERVATION_PERIODS_MS: tuple[int, ...] = (20, 50, *range(100, 1001, 100))
#: Most periods that a pool may list.
MAX_PERIODS = 16
#: Bounds of the end of the selection window that a pool may set for a priority, T2min of SL-PPPP-T2
#: (TS 36.331 6.3.8; from memory, medium confidence), and the bound without (TS 36.213 14.1.1.6)
#: [ms].
T2_MIN_MS = (10, 20)
#: P_step: subframes of the pool in 100 ms, on the dedicated carriers that C-V2X has.
P_STEP = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LteMode4Params(LtePoolParams):
    """Resource pool and sensing of LTE-V2X mode 4 (TS 36.213 14.1.1.6).

    Parameters
    ----------
    reservation_ms
        Reservation period [ms], P_rsvp_TX (TS 36.213 14.1.1.6); None takes the applications'
        period.
    allowed_periods_ms
        Periods the pool allows [ms], restrictResourceReservationPeriod (TS 36.331 6.3.8);
        candidates that an unheard reservation with one of them could hit are excluded (step 5).
        None allows the own period only. The own one, if not given, is the longest of these that
        is not longer than the applications'.
    t1_ms
        Start of the selection window after the packet [ms], at most 4.
    t2_ms
        End of the selection window [ms], up to 100 and for no priority below its T2min;
        shortened to the packet's latency budget.
    t2min_ms
        Least end of the selection window by PPPP, T2min, 8 values from 10 to 20 [ms] (TS 36.213
        14.1.1.6); None for 20.
    keep_probability
        probResourceKeep (TS 36.321 5.14.1.1), 0 to 0.8 in steps of 0.2.
    initial_threshold_dbm
        RSRP threshold of every pair of priorities before it is raised [dBm per resource
        element]; -110 in Molina-Masegosa and Gozalvez 2017.
    pair_thresholds_dbm
        RSRP thresholds of the 64 pairs, thresPSSCH-RSRP-List (TS 36.331 6.3.8), own PPPP 1 first
        and in it received PPPP 1 to 8 [dBm per resource element]; None takes the one above for
        all.
    keep_ratio
        Least share of candidates that exclusion leaves (step 7).
    sensing_window_ms
        Length of the sensing window [ms].
    reselect_after
        Unused opportunities after which a grant ends, sl-ReselectAfter (TS 36.321 5.14.1.1), 1
        to 9.
    blind_retransmissions
        Retransmissions of each packet, allowedRetxNumberPSSCH (TS 36.331 6.3.8): 0 or 1.
    rrc_values_only
        Whether to refuse what has no code point in TS 36.331 6.3.8: other numbers and sizes of
        subchannels, keep probabilities, and thresholds than -128 to 0 dBm in steps of 2.
    """

    reservation_ms: int | None = None
    allowed_periods_ms: tuple[int, ...] | None = None
    t1_ms: int = 4
    t2_ms: int = 100
    t2min_ms: tuple[int, ...] | None = None
    keep_probability: float = 0.8
    initial_threshold_dbm: float = -110.0
    pair_thresholds_dbm: tuple[float, ...] | None = None
    keep_ratio: float = 0.2
    sensing_window_ms: int = 1000
    reselect_after: int = 9
    blind_retransmissions: int = 0
    rrc_values_only: bool = False

    def __post_init__(self) -> None:
        """Reject what the standard does not allow."""
        self.resource_pool()
        self._check_periods()
        self._check_window()
        self.thresholds_dbm()
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
        if self.rrc_values_only:
            self._check_rrc_values()

    def _check_periods(self) -> None:
        allowed = self.allowed_periods_ms
        for period in (self.reservation_ms, *(allowed or ())):
            if period is not None and period not in RESERVATION_PERIODS_MS:
                raise ValueError(
                    f"reservation_ms must be one of {RESERVATION_PERIODS_MS}, got {period}"
                )
        if allowed is None:
            return
        if not 1 <= len(allowed) <= MAX_PERIODS:
            raise ValueError(f"allowed_periods_ms must have 1 to {MAX_PERIODS} values")
        if self.reservation_ms is not None and self.reservation_ms not in allowed:
            raise ValueError(
                f"reservation_ms ({self.reservation_ms}) must be among allowed_periods_ms {allowed}"
            )

    def _check_window(self) -> None:
        if not 1 <= self.t1_ms <= 4:
            raise ValueError(f"t1_ms must be within 1 and 4, got {self.t1_ms}")
        low, high = T2_MIN_MS
        if self.t2min_ms is not None and (
            len(self.t2min_ms) != N_PRIORITIES
            or not all(low <= t2min <= high for t2min in self.t2min_ms)
        ):
            raise ValueError(
                f"t2min_ms must be {N_PRIORITIES} values within {low} and {high}, "
                f"got {self.t2min_ms}"
            )
        least = min(self.t2min_ms or (high,))
        if not least <= self.t2_ms <= 100:
            raise ValueError(f"t2_ms must be within {least} and 100, got {self.t2_ms}")

    def _check_rrc_values(self) -> None:
        self.lte_pool().check_rrc_values()
        if round(self.keep_probability, 9) not in (0.0, 0.2, 0.4, 0.6, 0.8):
            raise ValueError(
                f"keep_probability must be 0, 0.2, 0.4, 0.6 or 0.8, got {self.keep_probability}"
            )
        for threshold in set(self.thresholds_dbm().ravel().tolist()):
            if math.isfinite(threshold) and not (-128 <= threshold <= 0 and threshold % 2 == 0):
                raise ValueError(
                    f"thresholds must be -128, -126, ... 0 dBm or infinite, got {threshold:g}"
                )

    def thresholds_dbm(self) -> NDArray[np.float32]:
        """Return the initial RSRP thresholds by own and received PPPP, (8, 8) [dBm]."""
        return pair_thresholds_dbm(self.initial_threshold_dbm, self.pair_thresholds_dbm)

    def period_ms(self, application_ms: int) -> int:
        """Return the reservation period for an application's period [ms].

        The longest that the pool allows and that is not longer than the application's.

        Examples
        --------
        >>> LteMode4Params().period_ms(150), LteMode4Params(reservation_ms=50).period_ms(100)
        (100, 50)
        >>> LteMode4Params(allowed_periods_ms=(20, 100)).period_ms(60)
        20
        """
        if self.reservation_ms is not None:
            return self.reservation_ms
        known = self.allowed_periods_ms or RESERVATION_PERIODS_MS
        return max((p for p in known if p <= application_ms), default=min(known))

    def t2_of(self, priority: int) -> int:
        """Return the end of the selection window of a PPPP [ms]."""
        t2min = T2_MIN_MS[1] if self.t2min_ms is None else self.t2min_ms[priority - 1]
        return max(self.t2_ms, t2min)


class LteMode4(SidelinkSps):
    """Each vehicle senses for a second and reserves what it found quiet.

    Steps 1 to 9 of TS 36.213 14.1.1.6 run in one kernel call per reselection; the counters of
    TS 36.321 5.14.1 in the grant book. See ``docs/mode4.md`` for the clauses step by step.
    """

    Params = LteMode4Params

    #: Farthest blind retransmission [subframes] (TS 36.213 14.1.1.7).
    RETRANSMISSION_REACH = 15

    def __init__(self, params: LteMode4Params, context: AccessContext) -> None:
        period_ms = params.period_ms(context.period_ms)
        counter_range = reselection_counter_range(period_ms)
        super().__init__(
            context,
            period_ms=period_ms,
            counter_range=counter_range,
            keep_probability=params.keep_probability,
            reselect_after=params.reselect_after,
            horizon_ms=max(period_ms, *map(params.t2_of, range(1, 9)))
            + 2 * self.RETRANSMISSION_REACH,
        )
        self._t1 = params.t1_ms
        self._t2 = [0, *(params.t2_of(priority) for priority in range(1, N_PRIORITIES + 1))]
        self._reach = self.RETRANSMISSION_REACH if params.blind_retransmissions else 0
        # C_resel = 10 RC: even the least counter looks past the farthest reservation (1000 ms),
        # so the candidates do not depend on which counter is drawn afterwards.
        self._n_periods = 10 * counter_range[0]
        n_candidates = (max(self._t2) - params.t1_ms + 1) * params.n_subchannels
        self.selector = CandidateSelector(
            context.history.words,
            context.history.powers,
            noise_mw=context.noise_mw,
            thresholds_dbm=params.thresholds_dbm(),
            periods_slots=np.array(params.allowed_periods_ms or (period_ms,), dtype=np.int32),
            step_slots=P_STEP,
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

    def _choose(self, row: int, slot: int, deadline_slot: int, priority: int) -> None:
        # `slot` is the first that could carry the packet, so n = slot - 1 is its arrival.
        arrival = slot - 1
        t2 = min(self._t2[priority], deadline_slot - arrival)
        if t2 < self._t1:
            self._chosen[:] = -1
            return
        process = self._process(row)
        self._find_busy(row, arrival + t2)
        self.selector.select(
            process.node,
            int(self._identity[process.node]),
            arrival,
            self._t1,
            t2,
            process.n_subchannels,
            process.period,
            self._n_periods if process.recurs else 1,
            priority,
            self._reach,
            self._busy,
            self._chosen,
            self._no_candidates,
        )
