"""NR-V2X PC5 mode 2: sensing, random choice, re-evaluation, pre-emption (TS 38.214 8.1.4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.grants import REVIEW_COLUMNS
from v2x._kernels.sensing import CandidateSelector
from v2x.access.base import AccessContext, SlotTransmissions
from v2x.access.sidelink_sps import SidelinkSps, reselection_counter_range
from v2x.phy.nr_numerology import numerology
from v2x.phy.nr_pool import NrPool
from v2x.phy.nr_sci import MAX_PERIODS, RESERVATION_WINDOW_SLOTS
from v2x.phy.nr_transport_block import PsschLayout

#: Reservation periods of TS 38.331 sl-ResourceReservePeriod [ms], beside 0.
RESERVATION_PERIODS_MS: tuple[int, ...] = (*range(1, 100), *range(100, 1001, 100))
#: Longest selection window that is looked through [ms]; packets with more time do not use it.
LONGEST_WINDOW_MS = 1000
#: Stands for no limit on priorities: all of 1 to 8 are below it.
_ANY_PRIORITY = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class NrMode2Params:
    """Resource pool, sensing and grants of NR-V2X mode 2.

    Parameters
    ----------
    n_subchannels
        Number of subchannels, sl-NumSubchannel (TS 38.331).
    subchannel_rb
        Resource blocks per subchannel, sl-SubchannelSize.
    scs_khz
        Subcarrier spacing [kHz]: 15, 30 or 60, for slots of 1000, 500 or 250 µs.
    mcs_table
        MCS table of TS 38.214 5.1.3.1 that `phy.mcs` counts in: 1 (64QAM), 2 (256QAM), 3 (64QAM,
        low efficiency).
    pscch_rb, pscch_symbols
        Size of the PSCCH: resource blocks, and symbols (2 or 3).
    dmrs_symbols
        DMRS patterns of the pool, by their numbers of symbols.
    grant
        "sps" reserves a resource for every period; "dynamic" selects anew for each packet and
        reserves nothing beyond its repetitions.
    reservation_ms
        Reservation period [ms], P_rsvp_TX; None takes the applications' period.
    allowed_periods_ms
        Periods the pool allows [ms], sl-ResourceReservePeriodList; at most 16. None allows the
        own period only.
    max_reserve
        Resources that an SCI announces, its own included, sl-MaxNumPerReserve: 2 or 3.
    blind_retransmissions
        Retransmissions of each packet, sl-MaxTxTransNumPSSCH less one: 0 to 31.
    keep_probability
        sl-ProbResourceKeep, 0 to 0.8 in steps of 0.2.
    reselect_after
        Unused opportunities after which a grant ends, sl-ReselectAfter 1 to 9.
    sensing_window_ms
        Length of the sensing window, sl-SensingWindow: 100 or 1100 [ms].
    t1_slots
        Start of the selection window after the packet [slots], 0 to T_proc,1 (3, 5, 9 slots at
        15, 30, 60 kHz); None for T_proc,1.
    t2min_ms
        Least end of the selection window, sl-SelectionWindow: 1, 5, 10 or 20 [ms].
    t2_ms
        End of the selection window [ms], not below `t2min_ms`; shortened to the packet's latency
        budget. None for the whole budget, up to 1000 ms.
    initial_threshold_dbm
        RSRP threshold of every pair of priorities before it is raised [dBm per resource
        element].
    pair_thresholds_dbm
        RSRP thresholds of the 64 pairs, sl-Thres-RSRP-List, own priority 1 first and in it
        received priorities 1 to 8 [dBm per resource element]; None takes the one above for all.
    keep_percent
        Least share of candidates that exclusion leaves, sl-TxPercentage: 20, 35 or 50 [%].
    reevaluation
        Whether a resource that was not announced yet is given up if others reserved it meanwhile.
    preemption
        Whether an announced resource is given up to higher priorities, sl-PreemptionEnable.
    preemption_level
        Only priorities below this value pre-empt, 1 to 8; None for any higher than the own.
    """

    n_subchannels: int = 5
    subchannel_rb: int = 10
    scs_khz: int = 30
    mcs_table: int = 1
    pscch_rb: int = 10
    pscch_symbols: int = 3
    dmrs_symbols: tuple[int, ...] = (2, 3, 4)
    grant: str = "sps"
    reservation_ms: int | None = None
    allowed_periods_ms: tuple[int, ...] | None = None
    max_reserve: int = 3
    blind_retransmissions: int = 0
    keep_probability: float = 0.8
    reselect_after: int = 9
    sensing_window_ms: int = 1100
    t1_slots: int | None = None
    t2min_ms: int = 20
    t2_ms: int | None = None
    initial_threshold_dbm: float = -110.0
    pair_thresholds_dbm: tuple[float, ...] | None = None
    keep_percent: int = 20
    reevaluation: bool = True
    preemption: bool = True
    preemption_level: int | None = None

    def __post_init__(self) -> None:
        """Reject what the standard does not allow."""
        self.resource_pool()
        for name, allowed in (
            ("grant", ("sps", "dynamic")),
            ("max_reserve", (2, 3)),
            ("sensing_window_ms", (100, 1100)),
            ("t2min_ms", (1, 5, 10, 20)),
            ("keep_percent", (20, 35, 50)),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")
        t_proc1 = numerology(self.scs_khz).t_proc1_slots
        for name, low, high in (
            ("blind_retransmissions", 0, 31),
            ("keep_probability", 0.0, 1.0),
            ("reselect_after", 1, 9),
            ("t1_slots", 0, t_proc1),
            ("t2_ms", self.t2min_ms, LONGEST_WINDOW_MS),
            ("preemption_level", 1, 8),
        ):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name} must be within {low} and {high}, got {value}")
        self._check_periods()
        if self.pair_thresholds_dbm is not None and len(self.pair_thresholds_dbm) != 64:
            raise ValueError(
                f"pair_thresholds_dbm must have 64 values, got {len(self.pair_thresholds_dbm)}"
            )

    def _check_periods(self) -> None:
        allowed = self.allowed_periods_ms
        for period in (self.reservation_ms, *(allowed or ())):
            if period is not None and period not in RESERVATION_PERIODS_MS:
                raise ValueError(
                    f"reservation_ms must be 1 to 99 or a multiple of 100 up to 1000, got {period}"
                )
        if allowed is None:
            return
        if not 1 <= len(allowed) <= MAX_PERIODS:
            raise ValueError(f"allowed_periods_ms must have 1 to {MAX_PERIODS} values")
        if self.reservation_ms is not None and self.reservation_ms not in allowed:
            raise ValueError(
                f"reservation_ms ({self.reservation_ms}) must be among allowed_periods_ms {allowed}"
            )

    def resource_pool(self) -> NrPool:
        """Return the pool that the parameters describe."""
        return NrPool(
            n_subchannels=self.n_subchannels,
            subchannel_rb=self.subchannel_rb,
            scs_khz=self.scs_khz,
            mcs_table=self.mcs_table,
            layout=PsschLayout(
                pscch_rb=self.pscch_rb,
                pscch_symbols=self.pscch_symbols,
                dmrs_symbols=self.dmrs_symbols,
            ),
        )

    def period_ms(self, application_ms: int) -> int:
        """Return the reservation period for an application's period [ms].

        The longest that the pool allows and that is not longer than the application's.

        Examples
        --------
        >>> NrMode2Params().period_ms(150), NrMode2Params(reservation_ms=50).period_ms(100)
        (100, 50)
        """
        if self.reservation_ms is not None:
            return self.reservation_ms
        known = self.allowed_periods_ms or RESERVATION_PERIODS_MS
        return max((p for p in known if p <= application_ms), default=min(known))

    def thresholds_dbm(self) -> NDArray[np.float32]:
        """Return the initial RSRP thresholds by own and received priority, (8, 8) [dBm]."""
        if self.pair_thresholds_dbm is None:
            return np.full((8, 8), self.initial_threshold_dbm, dtype=np.float32)
        return np.array(self.pair_thresholds_dbm, dtype=np.float32).reshape(8, 8)


class NrMode2(SidelinkSps):
    """Each vehicle senses, draws from what is free, and looks again before it transmits.

    Grants, counters and repetitions are those of every sidelink (the grant book); the sensing of
    TS 38.214 8.1.4 shares its exclusion with LTE. See ``docs/nr_mode2.md`` for the clauses.

    Attributes
    ----------
    n_reevaluated, n_preempted
        Resources given up so far before they were announced, and after.
    """

    Params = NrMode2Params

    def __init__(self, params: NrMode2Params, context: AccessContext) -> None:
        timing = numerology(params.scs_khz)
        per_ms = timing.slots_per_ms
        persistent = params.grant == "sps"
        period_ms = params.period_ms(context.period_ms) if persistent else LONGEST_WINDOW_MS
        counter_range = reselection_counter_range(period_ms) if persistent else (1, 1)
        reach = RESERVATION_WINDOW_SLOTS - 1
        n_attempts = 1 + params.blind_retransmissions
        self._t2 = per_ms * (LONGEST_WINDOW_MS if params.t2_ms is None else params.t2_ms)
        reviews = params.reevaluation or params.preemption
        super().__init__(
            context,
            period_ms=period_ms,
            counter_range=counter_range,
            keep_probability=params.keep_probability if persistent else 0.0,
            reselect_after=params.reselect_after,
            horizon_ms=max(period_ms, self._t2 // per_ms) + n_attempts * reach // per_ms,
            max_attempts=n_attempts,
            max_reserve=params.max_reserve,
            look_back=False,
            review_slots=timing.t_proc1_slots if reviews else 0,
        )
        self._params = params
        self._t1 = timing.t_proc1_slots if params.t1_slots is None else params.t1_slots
        self._reach, self._n_attempts = reach, n_attempts
        # Attempts stay clear of those of the next packet, whatever moves.
        self._span = self._period - 1
        # C_resel = 10 RC; the least counter looks past every candidate's window already.
        self._n_periods = 10 * counter_range[0] if persistent else 1
        own_periods = (period_ms,) if persistent else ()
        periods_ms = np.array(params.allowed_periods_ms or own_periods, dtype=np.int32)
        # reviewed resources may lie beyond the window of a new selection
        farthest = max(self._t2, timing.t_proc1_slots + params.max_reserve * reach)
        n_candidates = (farthest + 1) * params.n_subchannels
        self.selector = CandidateSelector(
            context.history.words,
            context.history.powers,
            noise_mw=context.noise_mw,
            thresholds_dbm=params.thresholds_dbm(),
            periods_slots=periods_ms * np.int32(per_ms),
            step_slots=100 * per_ms,
            keep_ratio=params.keep_percent / 100.0,
            key=rng.key32(context.seed, "access", "selection"),
            sensing_slots=min(per_ms * params.sensing_window_ms, context.history.window - 1),
            lag_slots=timing.t_proc0_slots,
            scale_by_window=True,
            waive_unheard=True,
            longest_slots=int(periods_ms.max(initial=1)) * per_ms,
            further=context.history.further,
            urgency=context.history.urgency,
            excess=np.zeros(n_candidates, dtype=np.float32),
            energy=np.zeros(n_candidates, dtype=np.float32),
            tie=np.zeros(n_candidates, dtype=np.uint32),
            order=np.zeros(n_candidates, dtype=np.int32),
        )
        n_rows = 2 * max(context.n_nodes, 1)
        self._requests = np.zeros((n_rows, REVIEW_COLUMNS + 3 * params.max_reserve), np.int32)
        self._lost = np.zeros(n_rows, dtype=np.int32)
        self._places = np.zeros(2 * n_attempts, dtype=np.int32)
        self._busy = np.zeros(n_attempts, dtype=np.int32)
        self._no_candidates: NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)
        self.n_reevaluated = self.n_preempted = 0

    def transmissions(self, slot: int) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        """Return what goes on air in `slot`, and the packets dropped instead."""
        self._review(slot)
        return super().transmissions(slot)

    def _choose(self, node: int, slot: int, deadline_slot: int, priority: int) -> None:
        self._chosen[:] = -1
        t2 = min(self._t2, deadline_slot - slot)
        if t2 >= self._t1:
            self._book.busy_slots(node, False, self._busy)
            self._draw(node, slot, t2, priority, 0, self._n_attempts)

    def _draw(
        self, node: int, slot: int, t2: int, priority: int, n_fixed: int, n_wanted: int
    ) -> int:
        """Draw into `_chosen`, keeping its first `n_fixed` pairs; returns how many there are."""
        return self.selector.select_any(
            node,
            int(self._identity[node]),
            slot,
            self._t1,
            t2,
            self._n_subchannels,
            self._period,
            self._n_periods,
            priority,
            self._reach,
            self._span,
            self._busy,
            self._chosen,
            n_fixed,
            n_wanted,
            self._no_candidates,
        )

    def _review(self, slot: int) -> None:
        """Re-evaluation and pre-emption of everything that goes on air T3 from now."""
        n = self._book.reviews(slot, self._t2, self._requests)
        level = 0
        if self._params.preemption:
            level = self._params.preemption_level or _ANY_PRIORITY
        if n and self.selector.review(
            slot, self._t1, self._n_periods, level, self._requests, n, self._lost
        ):
            for row in np.flatnonzero(self._lost[:n]).tolist():
                self._replace(slot, row)
        self._book.plan_reviews(slot)

    def _replace(self, slot: int, row: int) -> None:
        """Draw others for the resources of a review that were lost, if there are any."""
        node, _, _, priority, _, n_reviewed, *resources = self._requests[row].tolist()
        announced = resources[2 : 3 * n_reviewed : 3]
        lost = {
            k
            for k, known in enumerate(announced)
            if self._lost[row] >> k & 1 and (known or self._params.reevaluation)
        }
        repeating = self._book.busy_slot(node) == resources[0]
        t2 = min(self._t2, self._book.last_slot_of(node, repeating) - slot)
        if not lost or t2 < self._t1:
            return
        n = self._book.remaining(node, repeating, self._places)
        pairs = self._places[: 2 * n].reshape(n, 2)
        kept = np.delete(pairs, sorted(lost), axis=0)
        self._chosen[: kept.size] = kept.ravel()
        self._book.busy_slots(node, repeating, self._busy)
        if self._draw(node, slot, t2, priority, len(kept), n) < n:
            return
        self._book.move(node, repeating, self._chosen, n)
        n_preempted = sum(announced[k] for k in lost)
        self.n_preempted += n_preempted
        self.n_reevaluated += len(lost) - n_preempted
