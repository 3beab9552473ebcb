"""Parameters of NR-V2X mode 2: resource pool, sensing and grants."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from v2x.access.nr.coordination import CoordinationParams
from v2x.access.nr.feedback import BLIND, FeedbackParams
from v2x.access.nr.partial_sensing import PartialSensingParams
from v2x.access.pool_params import NrPoolParams
from v2x.access.priorities import pair_thresholds_dbm
from v2x.phy.nr.numerology import numerology
from v2x.phy.nr.pool import NrPool
from v2x.phy.nr.psfch import PsfchDesign
from v2x.phy.nr.sci import MAX_PERIODS, sci2c_bits

#: Reservation periods of TS 38.331 sl-ResourceReservePeriod [ms], beside 0.
RESERVATION_PERIODS_MS: tuple[int, ...] = (*range(1, 100), *range(100, 1001, 100))
#: How a node comes to its resources.
Selection = Literal["full", "partial", "random"]
#: Longest selection window that is looked through [ms]; packets with more time do not use it.
LONGEST_WINDOW_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class NrMode2Params(FeedbackParams, NrPoolParams):
    """Resource pool, sensing and grants of NR-V2X mode 2 (TS 38.214 8.1.4).

    Parameters
    ----------
    grant
        "sps" reserves a resource for every period; "dynamic" selects anew for each packet and
        reserves nothing beyond its repetitions (TS 38.321 5.22.1.1).
    reservation_ms
        Reservation period [ms], P_rsvp_TX (TS 38.214 8.1.4); None takes the applications'.
    allowed_periods_ms
        Periods the pool allows [ms], sl-ResourceReservePeriodList (TS 38.331); at most 16. None
        allows the own period only.
    max_reserve
        Resources that an SCI announces, its own included, sl-MaxNumPerReserve (TS 38.331): 2 or 3.
    blind_retransmissions
        Retransmissions of each packet, sl-MaxTxTransNumPSSCH (TS 38.331) less one: 0 to 31. With
        feedback (`harq`) so many are reserved, and sent as far as they are needed.
    keep_probability
        sl-ProbResourceKeep (TS 38.321 5.22.1.1), 0 to 0.8 in steps of 0.2.
    reselect_after
        Unused opportunities after which a grant ends, sl-ReselectAfter (TS 38.321 5.22.1.1), 1
        to 9.
    sensing_window_ms
        Length of the sensing window [ms], sl-SensingWindow (TS 38.331): 100 or 1100.
    t1_slots
        Start of the selection window after the packet [slots], 0 to T_proc,1 (3, 5, 9 slots at
        15, 30, 60 kHz); None for T_proc,1.
    t2min_ms
        Least end of the selection window [ms], sl-SelectionWindow (TS 38.331): 1, 5, 10 or 20.
    t2_ms
        End of the selection window [ms], not below `t2min_ms`; shortened to the packet's latency
        budget. None for the whole budget, up to 1000 ms.
    initial_threshold_dbm
        RSRP threshold of every pair of priorities before it is raised [dBm per resource
        element]; ours, -110 as in mode 4.
    pair_thresholds_dbm
        RSRP thresholds of the 64 pairs [dBm per resource element], sl-Thres-RSRP-List (TS
        38.331), own priority 1 first and in it received priorities 1 to 8; None takes the one
        above for all.
    keep_percent
        Least share of candidates that exclusion leaves [%], sl-TxPercentage (TS 38.331): 20, 35
        or 50.
    reevaluation
        Whether a resource that was not announced yet is given up if others reserved it meanwhile.
    preemption
        Whether an announced resource is given up to higher priorities, sl-PreemptionEnable (TS
        38.331).
    preemption_level
        Only priorities below this value pre-empt, 1 to 8; None for any higher than the own.
    selection, vru_selection
        How vehicles and roadside units, and how VRUs come to resources: "full" sensing,
        "partial" sensing, or "random" (TS 38.214 8.1.4, Rel-17).
    allowed_selection
        What of these the pool permits, sl-AllowedResourceSelectionConfig (TS 38.331).
    partial
        What nodes with partial sensing listen to.
    coordination
        How nodes help each other to resources (Rel-17).
    """

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
    selection: Selection = "full"
    vru_selection: Selection = "full"
    allowed_selection: tuple[Selection, ...] = ("full", "partial", "random")
    partial: PartialSensingParams = field(default_factory=PartialSensingParams)
    coordination: CoordinationParams = field(default_factory=CoordinationParams)

    def __post_init__(self) -> None:
        """Reject what the standard does not allow."""
        self.check_feedback()
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
        self.feedback_design()
        self._check_periods()
        if self.coordination.scheme == "conflict" and self.psfch_period == 0:
            raise ValueError("coordination 'conflict' needs a psfch_period of 1, 2 or 4 slots")
        for name in ("selection", "vru_selection"):
            if getattr(self, name) not in self.allowed_selection:
                raise ValueError(
                    f"{name} {getattr(self, name)!r} is not among allowed_selection "
                    f"{self.allowed_selection}"
                )
        self.thresholds_dbm()

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
        if not set(self.partial.periods_ms or ()) <= set(allowed):
            raise ValueError(
                f"partial.periods_ms {self.partial.periods_ms} must be among allowed_periods_ms "
                f"{allowed}"
            )
        if self.reservation_ms is not None and self.reservation_ms not in allowed:
            raise ValueError(
                f"reservation_ms ({self.reservation_ms}) must be among allowed_periods_ms {allowed}"
            )

    def resource_pool(self) -> NrPool:
        """Return the pool that the parameters describe, with room for feedback if it has any."""
        pool = self.nr_pool()
        layout = replace(
            pool.layout, psfch=self.psfch_period > 0, beta_offset=self.sci2_beta_offset
        )
        if self.coordination.scheme == "set":
            per_ms = numerology(self.scs_khz).slots_per_ms
            n_periods = len(self.allowed_periods_ms or (0,))
            layout = replace(layout, sci2_bits=sci2c_bits(self.n_subchannels, n_periods, per_ms))
        return replace(pool, layout=layout)

    def feedback_design(self) -> PsfchDesign | None:
        """Return how feedback is sent, None where retransmissions are blind."""
        grid = self.psfch_grid(self.n_subchannels, self.n_subchannels * self.subchannel_rb)
        return None if grid is None or self.harq == BLIND else self.design(grid)

    def least_gap_slots(self) -> int:
        """Return the least slots between transmissions of a packet, Z (TS 38.321 5.22.1.1).

        Examples
        --------
        >>> NrMode2Params(harq="feedback", psfch_period=4, psfch_gap=3).least_gap_slots()
        8
        """
        design = self.feedback_design()
        return 1 if design is None else design.grid.longest_wait() + self.harq_process_slots

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
        return pair_thresholds_dbm(self.initial_threshold_dbm, self.pair_thresholds_dbm)
