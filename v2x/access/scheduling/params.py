"""Parameters of scheduled access: whose pool, which grants, who is in coverage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from v2x.access.pool_params import LtePoolParams, NrPoolParams
from v2x.phy.nr.numerology import numerology
from v2x.phy.nr.processing import N1_SYMBOLS, N2_SYMBOLS, processing_us
from v2x.phy.sidelink_pool import SidelinkPool
from v2x.units import US_PER_MS


@dataclass(frozen=True, slots=True)
class _Radio:
    """What a radio brings: its pool, the keys that only it has, its grants, its delays [ms]."""

    pool: Callable[[Any], SidelinkPool]
    own_keys: tuple[str, ...]
    grants: tuple[str, ...]
    signalling_ms: Callable[[ScheduledParams], tuple[float, float]]


def _lte_signalling_ms(params: ScheduledParams) -> tuple[float, float]:
    """Return typical delays of a request (medium confidence) and a grant (low confidence)."""
    return 4.0, 4.0


def _nr_signalling_ms(params: ScheduledParams) -> tuple[float, float]:
    """Return slots on air and processing of capability 1, for the base station as for the UE."""
    decode_ms, prepare_ms = (
        processing_us(symbols[params.scs_khz][0], params.scs_khz) / US_PER_MS
        for symbols in (N1_SYMBOLS, N2_SYMBOLS)
    )
    slot_ms = numerology(params.scs_khz).slot_us / US_PER_MS
    return 3.0 * slot_ms + prepare_ms + 2.0 * decode_ms, slot_ms + prepare_ms


_RADIOS: Mapping[str, _Radio] = {
    "lte": _Radio(
        LtePoolParams.lte_pool,
        ("adjacent",),
        ("configured-2", "dynamic"),
        _lte_signalling_ms,
    ),
    "nr": _Radio(
        NrPoolParams.nr_pool,
        ("scs_khz", "mcs_table", "pscch_rb", "pscch_symbols", "dmrs_symbols"),
        ("configured-1", "configured-2", "dynamic"),
        _nr_signalling_ms,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledParams(LtePoolParams, NrPoolParams):
    """Resource pool, grants, spatial reuse and coverage of a central scheduler.

    Parameters
    ----------
    n_subchannels
        Number of subchannels, numSubchannel (TS 36.331 6.3.8) or sl-NumSubchannel (TS 38.331).
        Ten of ten blocks are 20 MHz in LTE and 40 MHz in NR at 30 kHz.
    subchannel_rb
        Resource blocks per subchannel, sizeSubchannel (TS 36.331 6.3.8) or sl-SubchannelSize.
    adjacent
        LTE only: whether the PSCCH is adjacent to its PSSCH, adjacencyPSCCH-PSSCH (TS 36.331
        6.3.8).
    radio
        Whose pool it is: "lte" (mode 3, TS 36.213 14.1.1.4A), described by `adjacent`, or "nr"
        (mode 1, TS 38.214 8.1.2), by `scs_khz`, `mcs_table`, `pscch_rb`, `pscch_symbols` and
        `dmrs_symbols`.
    grant
        "configured-2": a resource in each period, asked for with the first packet and activated
        by DCI (TS 38.321 5.8.3; SPS by DCI 5A in LTE). "configured-1": the same by RRC, there
        when the first packet comes, NR only. "dynamic": each packet asks for a resource of its
        own (DCI 3_0, TS 38.212 7.3.1.4; DCI 5A in LTE).
    sr_period_ms
        Period of a vehicle's scheduling request opportunities [ms], each with a phase of its own;
        0.5 to 10 is usual (TS 38.213 9.2.4, medium confidence). 0 lets it ask at once.
    request_ms
        From there until the scheduler knows of the packet [ms]: request, uplink grant, buffer
        status. None takes 4 in LTE (medium confidence) and in NR three slots, one preparation
        (N2) and two decodings (N1 of TS 38.214 5.3, 6.4, also taken for the base station, low
        confidence), without waits for a TDD pattern.
    grant_ms
        From the decision to the first slot a vehicle can use [ms]. None takes 4 in LTE
        (TS 36.213 14.2.1, low confidence) and in NR one slot of DCI and one preparation (N2, TS
        38.214 8.6, low confidence).
    rrc_ms
        What "configured-1" takes instead to give or change a resource [ms]: the processing of a
        reconfiguration (TS 38.331 12).
    reuse_distance_m
        A resource is free again at this distance from its next holder [m]; ours.
    review_ms
        Time between reviews, which part those who have come too close and, if more vehicles
        are there than resources, put all in the order of the road if that helps [ms]; ours.
    coverage
        Who hears a scheduler: "everywhere" everybody; "roadside" those near a roadside unit,
        "cells" those near a base station of the scenario. Ours.
    coverage_range_m
        How near, in plan [m] (low confidence: terrain is not asked).
    out_of_coverage
        What others do: "silent", their packets are out of budget; "random", a resource of the
        exceptional pool at random (TS 36.331 5.10.13, TS 38.331 5.8.8).
    exceptional_subchannels
        Highest subchannels set apart for the exceptional pool, a pool of its own in TS 38.331
        (sl-TxPoolExceptional); 0 lets it share all of them.
    t1_ms, t2_ms
        Window of a random selection after the packet [ms], as in mode 4 (TS 36.213 14.1.1.6);
        shortened to its latency budget.
    """

    radio: Literal["lte", "nr"] = "lte"
    grant: Literal["configured-1", "configured-2", "dynamic"] = "configured-2"
    sr_period_ms: float = 0.0
    request_ms: float | None = None
    grant_ms: float | None = None
    rrc_ms: float = 10.0
    reuse_distance_m: float = 1000.0
    review_ms: float = 500.0
    coverage: Literal["everywhere", "roadside", "cells"] = "everywhere"
    coverage_range_m: float = 500.0
    out_of_coverage: Literal["silent", "random"] = "silent"
    exceptional_subchannels: int = 0
    t1_ms: float = 4.0
    t2_ms: float = 100.0

    def __post_init__(self) -> None:
        """Reject impossible delays and distances, and keys of the other radio."""
        self._check_keys()
        self.resource_pool()
        for name in ("reuse_distance_m", "review_ms", "coverage_range_m"):
            if not 1e-3 <= getattr(self, name) <= 1e6:
                raise ValueError(
                    f"{name} must be within 0.001 and 1000000, got {getattr(self, name)}"
                )
        for name in ("request_ms", "grant_ms", "rrc_ms", "sr_period_ms"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1000.0:
                raise ValueError(f"{name} must be within 0 and 1000, got {value}")
        if not 0.0 <= self.t1_ms < self.t2_ms <= 1000.0:
            raise ValueError(
                f"t1_ms must be at least 0 and below t2_ms ({self.t2_ms}), and that at most 1000, "
                f"got {self.t1_ms}"
            )
        if not 0 <= self.exceptional_subchannels < self.n_subchannels:
            raise ValueError(
                "exceptional_subchannels must be at least 0 and leave one of n_subchannels "
                f"({self.n_subchannels}), got {self.exceptional_subchannels}"
            )

    def _check_keys(self) -> None:
        for name, allowed in (
            ("radio", tuple(_RADIOS)),
            ("grant", _RADIOS["nr"].grants),
            ("coverage", ("everywhere", "roadside", "cells")),
            ("out_of_coverage", ("silent", "random")),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")
        default = {item.name: item.default for item in fields(self)}
        own_keys = _RADIOS[self.radio].own_keys
        owners = {key: name for name, radio in _RADIOS.items() for key in radio.own_keys}
        for key, owner in owners.items():
            if key not in own_keys and getattr(self, key) != default[key]:
                raise ValueError(f"{key} needs radio {owner!r}, which is {self.radio!r}")
        if self.grant not in _RADIOS[self.radio].grants:
            raise ValueError(f"grant {self.grant!r} needs another radio than {self.radio!r}")

    @property
    def sensing_window_ms(self) -> int:
        """No sensing; the busy ratio still needs the last 100 ms."""
        return 100

    def resource_pool(self) -> SidelinkPool:
        """Return the pool that the parameters describe."""
        return _RADIOS[self.radio].pool(self)

    def delays_ms(self) -> tuple[float, float]:
        """Return `request_ms` and `grant_ms`, or what stands for them [ms].

        Examples
        --------
        >>> ScheduledParams().delays_ms()
        (4.0, 4.0)
        >>> [round(delay, 2) for delay in ScheduledParams(radio="nr").delays_ms()]
        [2.64, 0.93]
        """
        request, grant = _RADIOS[self.radio].signalling_ms(self)
        return (
            request if self.request_ms is None else self.request_ms,
            grant if self.grant_ms is None else self.grant_ms,
        )
