"""What a scenario says about the way through the network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from v2x.cellular.frame import RESOURCE_BLOCKS, Frame
from v2x.cellular.pathloss import Environment
from v2x.ranges import check_ranges

#: Quantile of the standard normal distribution at 99 %.
_Z99 = 2.3263478740408408


@dataclass(frozen=True, slots=True, kw_only=True)
class NoCellular:
    """No way through the network: messages go over the sidelink only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UuRadioParams:
    """The radio between base stations (gNB) and vehicles.

    Parameters
    ----------
    environment
        Path loss of TR 38.901: "umi", "uma" or "rma".
    carrier_ghz
        Carrier frequency [GHz]; 3.5 is band n78, 2.6 n41.
    bandwidth_mhz
        Channel bandwidth [MHz] (TS 38.101-1 Table 5.3.2-1).
    scs_khz
        Subcarrier spacing [kHz]: 15, 30 or 60.
    pattern
        Slots of the duplex pattern: D downlink, U uplink, S special (downlink data only), F both
        (FDD). DDDSU at 30 kHz is the 2.5 ms pattern of n41 and n78 in China (medium confidence).
    gnb_power_dbm
        Transmit power of a base station over the whole carrier [dBm] (TR 36.942: 46).
    gnb_gain_dbi
        Its antenna gain, in every direction [dBi] (TR 38.901 Table 7.3-1: 8 an element). No beams:
        a lower bound for massive MIMO.
    gnb_noise_db
        Its noise figure [dB] (TR 36.942: 5).
    vehicle_power_dbm
        Transmit power of a vehicle [dBm] (TS 38.101-1 power class 3).
    vehicle_gain_dbi
        Gain of its roof antenna [dBi], that of the sidelink in TR 36.885 Annex A.
    vehicle_noise_db
        Its noise figure [dB] (TR 36.885 Annex A: 9).
    vehicle_antenna_m
        Height of vehicles' antennas above the road [m] for coverage.
    interference_db
        Rise over noise by other cells, both directions [dB] (low confidence: depends on load).
    tunnel_db_per_100m
        What coverage from outside loses with every 100 m behind the mouth of a tunnel [dB] (low
        confidence: base stations look at mouths from the side and high up, so that long tunnels are
        dark without antennas of their own; 10 leaves some 300 m).
    shadowing
        Whether the log-normal shadowing of TR 38.901 is drawn along the roads.
    uplink_rb
        Resource blocks that a packet takes in an uplink slot; the power of the vehicle spreads
        over these.
    error_target
        Block error rate that link adaptation holds; each HARQ round fails with it.
    retransmissions
        HARQ retransmissions before a packet is lost. One leaves the residual loss of 1 % that is
        common in system studies (medium confidence); there is no RLC behind.
    """

    environment: Environment = "uma"
    carrier_ghz: float = 3.5
    bandwidth_mhz: int = 100
    scs_khz: int = 30
    pattern: str = "DDDSU"
    gnb_power_dbm: float = 46.0
    gnb_gain_dbi: float = 8.0
    gnb_noise_db: float = 5.0
    vehicle_power_dbm: float = 23.0
    vehicle_gain_dbi: float = 3.0
    vehicle_noise_db: float = 9.0
    vehicle_antenna_m: float = 1.5
    interference_db: float = 3.0
    tunnel_db_per_100m: float = 10.0
    shadowing: bool = True
    uplink_rb: int = 20
    error_target: float = 0.1
    retransmissions: int = 1

    def __post_init__(self) -> None:
        """Reject radios that cannot be."""
        frame = Frame(self.pattern, self.scs_khz)
        known = RESOURCE_BLOCKS[frame.scs_khz]
        if self.bandwidth_mhz not in known:
            raise ValueError(
                f"bandwidth_mhz must be one of {', '.join(map(str, known))} at {self.scs_khz} kHz, "
                f"got {self.bandwidth_mhz}"
            )
        check_ranges(
            self,
            ("carrier_ghz", 0.5, 7.125),
            ("gnb_power_dbm", 0.0, 60.0),
            ("gnb_gain_dbi", -10.0, 40.0),
            ("gnb_noise_db", 0.0, 20.0),
            ("vehicle_power_dbm", 0.0, 40.0),
            ("vehicle_gain_dbi", -20.0, 20.0),
            ("vehicle_noise_db", 0.0, 20.0),
            ("vehicle_antenna_m", 0.5, 10.0),
            ("interference_db", 0.0, 30.0),
            ("tunnel_db_per_100m", 0.0, 100.0),
            ("uplink_rb", 1, known[self.bandwidth_mhz]),
            ("error_target", 0.0, 0.9),
            ("retransmissions", 0, 15),
        )

    @property
    def frame(self) -> Frame:
        """The duplex pattern in time."""
        return Frame(self.pattern, self.scs_khz)

    @property
    def n_rb(self) -> int:
        """Resource blocks of the carrier."""
        return RESOURCE_BLOCKS[self.scs_khz][self.bandwidth_mhz]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulingParams:
    """How a packet gets its uplink slot, and what handover costs.

    Parameters
    ----------
    grant
        "dynamic": scheduling request, then grant; "configured": every vehicle owns an uplink slot
        in each period (TS 38.321 5.8.2), without request and queue.
    request_period_ms
        Period of a vehicle's scheduling request [ms], a whole number of patterns; 0.5 to 10 is
        usual (medium confidence).
    configured_period_ms
        Period of the configured grant [ms], a whole number of patterns (TS 38.331
        ConfiguredGrantConfig), its phase foreign to the messages. 0: grants follow the messages,
        as UE assistance information allows, so each finds its own in the next uplink slot.
    request_symbols
        Length of a scheduling request or of an acknowledgement, short PUCCH (TS 38.211 6.3.2).
    control_symbols
        Length of a grant on PDCCH, 1 to 3 (TS 38.211 7.3.2).
    capability
        UE processing capability, 1 or 2 (TS 38.214 5.3, 6.4).
    gnb_processing_ms
        Time the base station takes to decode, or to schedule [ms]; null takes that of a UE of
        capability 1 to decode (low confidence: a matter of the implementation).
    downlink
        "unicast": a transmission for each receiver; "multicast": one for all receivers of a
        message in a cell, sized for the weakest, repeated if any of them asks (TS 38.300 16.10).
    handover_hysteresis_db
        A cell takes over when it is stronger by this [dB] (TS 38.331 5.5.4.4, event A3) ...
    time_to_trigger_ms
        ... and has been so for this long [ms]; measured once in 100 ms.
    handover_gap_ms
        Shortest and longest interruption of a handover, uniform [ms]: 30 to 50 for break before
        make; 0, 0 for DAPS (medium confidence).
    max_load
        Utilisation above which a cell turns packets away.
    """

    grant: Literal["dynamic", "configured"] = "dynamic"
    request_period_ms: float = 5.0
    configured_period_ms: float = 0.0
    request_symbols: float = 2.0
    control_symbols: float = 2.0
    capability: Literal[1, 2] = 1
    gnb_processing_ms: float | None = None
    downlink: Literal["unicast", "multicast"] = "unicast"
    handover_hysteresis_db: float = 3.0
    time_to_trigger_ms: float = 320.0
    handover_gap_ms: tuple[float, float] = (30.0, 50.0)
    max_load: float = 0.95

    def __post_init__(self) -> None:
        """Reject times that cannot be."""
        check_ranges(
            self,
            ("request_period_ms", 0.25, 640.0),
            ("configured_period_ms", 0.0, 640.0),
            ("request_symbols", 0.0, 14.0),
            ("control_symbols", 0.0, 3.0),
            ("handover_hysteresis_db", 0.0, 20.0),
            ("time_to_trigger_ms", 0.0, 5120.0),
            ("max_load", 0.1, 0.99),
        )
        if self.gnb_processing_ms is not None and not 0.0 <= self.gnb_processing_ms <= 20.0:
            raise ValueError(
                f"gnb_processing_ms must be within 0 and 20, got {self.gnb_processing_ms}"
            )
        low, high = self.handover_gap_ms
        if not 0.0 <= low <= high <= 5000.0:
            raise ValueError(
                f"handover_gap_ms must be 0 <= shortest <= longest <= 5000, got {low:g}, {high:g}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BackhaulParams:
    """From the base station to the server and back.

    Parameters
    ----------
    node_ms
        Time in each transport node [ms] (E2E model of Coll-Perales et al., IEEE TVT 2022).
    fibre_us_per_km
        Delay of fibre [µs/km].
    gnb_to_m1_km
        From a base station to the first aggregation, M1 [km] (the same model).
    m1_to_m2_km
        From M1 to the second aggregation, M2 [km] (the same model: 15 from the base station).
    m2_to_core_km
        From M2 to the edge of the core, the UPF [km] (the same model).
    core_to_central_km
        From there to the central core [km] (the same model).
    internet_median_ms
        Median round trip beyond the operator's network [ms] (Candela et al. 2020, Europe: 7 to 11;
        not China).
    internet_p99_ms
        Its 99 % quantile [ms] (the same: 30 to 62); log-normal.
    server_median_ms
        Median of the server's time for a message [ms]; 1 to 20 in trials (low confidence).
    server_p99_ms
        Its 99 % quantile [ms]; log-normal.
    """

    node_ms: float = 0.2
    fibre_us_per_km: float = 5.0
    gnb_to_m1_km: float = 3.0
    m1_to_m2_km: float = 12.0
    m2_to_core_km: float = 60.0
    core_to_central_km: float = 200.0
    internet_median_ms: float = 9.0
    internet_p99_ms: float = 46.0
    server_median_ms: float = 2.0
    server_p99_ms: float = 10.0

    def __post_init__(self) -> None:
        """Reject times that cannot be."""
        check_ranges(
            self,
            ("node_ms", 0.0, 50.0),
            ("fibre_us_per_km", 0.0, 20.0),
            ("gnb_to_m1_km", 0.0, 1000.0),
            ("m1_to_m2_km", 0.0, 1000.0),
            ("m2_to_core_km", 0.0, 1000.0),
            ("core_to_central_km", 0.0, 5000.0),
            ("internet_median_ms", 0.0, 1000.0),
            ("internet_p99_ms", self.internet_median_ms, 10_000.0),
            ("server_median_ms", 0.0, 1000.0),
            ("server_p99_ms", self.server_median_ms, 10_000.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayParams:
    """The way from vehicle to roadside unit, over fibre, and out of other units (V2I2V).

    Sidelink and fibre are priced here, not simulated: coverage is by link budget, the sidelink
    neither collides nor fills up.

    Parameters
    ----------
    sidelink_first_ms
        Sidelink resources lie uniformly from this on after a message [ms] (T1 of TS 36.213
        14.1.1.6) ...
    sidelink_last_ms
        ... to this [ms] (T2 there).
    sidelink_air_ms
        Length of a sidelink transmission [ms].
    unit_ms
        Processing of a roadside unit, and of the receiver, together [ms] (low confidence).
    fibre_km
        Fibre from a roadside unit to the server, one way [km].
    """

    sidelink_first_ms: float = 4.0
    sidelink_last_ms: float = 100.0
    sidelink_air_ms: float = 1.0
    unit_ms: float = 5.0
    fibre_km: float = 10.0

    def __post_init__(self) -> None:
        """Reject times that cannot be."""
        check_ranges(
            self,
            ("sidelink_first_ms", 0.0, 1000.0),
            ("sidelink_last_ms", self.sidelink_first_ms, 1000.0),
            ("sidelink_air_ms", 0.0, 10.0),
            ("unit_ms", 0.0, 100.0),
            ("fibre_km", 0.0, 1000.0),
        )


ServerName = Literal["mec-gnb", "mec-aggregation", "mec-core", "central", "cloud"]
PathName = Literal["mec-gnb", "mec-aggregation", "mec-core", "central", "cloud", "v2i2v"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UuParams:
    """Messages also go over 5G: uplink, transport, server, transport, downlink.

    Parameters
    ----------
    share
        Share of the road users with a modem; they send and receive.
    paths
        Places of the server ("mec-gnb", "mec-aggregation", "mec-core", "central", "cloud") and
        "v2i2v", over roadside units and fibre instead. Every message takes every path, with the
        same draws, so that paths compare.
    server
        Where the server of services stands that use the network (remote driving, probe data):
        one of the places of `paths`.
    placement
        Base stations: "spacing", along all roads; "file"; "positions".
    spacing_m
        Distance along the road between base stations of "spacing" [m].
    setback_m
        Distance of those from the edge of the road [m].
    file
        Base stations of "file": CSV with columns x_m, y_m (local) or lat, lon (WGS-84), and
        optionally height_m.
    positions
        Base stations of "positions", x and y of each [m], local.
    height_m
        Antennas above the ground [m] (TR 38.901: 10 UMi, 25 UMa, 35 RMa).
    sample_m
        Distance of the points of the road for which coverage is known [m].
    candidates
        Nearest base stations that each point of the road looks at.
    radio
        The air.
    scheduling
        Slots and handover.
    backhaul
        Transport and server.
    relay
        The way over roadside units.
    """

    share: float = 1.0
    paths: tuple[PathName, ...] = ("mec-gnb", "mec-aggregation", "mec-core", "central", "cloud")
    server: ServerName = "mec-core"
    placement: Literal["spacing", "file", "positions"] = "spacing"
    spacing_m: float = 800.0
    setback_m: float = 20.0
    file: str | None = field(default=None, metadata={"file": True})
    positions: tuple[tuple[float, float], ...] = ()
    height_m: float = 25.0
    sample_m: float = 20.0
    candidates: int = 4
    radio: UuRadioParams = field(default_factory=UuRadioParams)
    scheduling: SchedulingParams = field(default_factory=SchedulingParams)
    backhaul: BackhaulParams = field(default_factory=BackhaulParams)
    relay: RelayParams = field(default_factory=RelayParams)

    def __post_init__(self) -> None:
        """Reject what does not fit together."""
        check_ranges(
            self,
            ("share", 0.0, 1.0),
            ("spacing_m", 50.0, 20_000.0),
            ("setback_m", 0.0, 500.0),
            ("height_m", 3.0, 150.0),
            ("sample_m", 1.0, 500.0),
            ("candidates", 1, 16),
        )
        if not self.paths or len(set(self.paths)) < len(self.paths):
            raise ValueError("paths must name at least one path, none of them twice")
        if (self.placement == "file") != (self.file is not None):
            raise ValueError("placement 'file' and the key file need each other")
        if (self.placement == "positions") != bool(self.positions):
            raise ValueError("placement 'positions' and the key positions need each other")
        period_us = self.radio.frame.period_us
        for name in ("request_period_ms", "configured_period_ms"):
            value = getattr(self.scheduling, name)
            if abs(value * 1000.0 / period_us - round(value * 1000.0 / period_us)) > 1e-9:
                raise ValueError(
                    f"scheduling.{name} must be a whole number of patterns of {period_us / 1000:g} "
                    f"ms, got {value:g}"
                )


def log_sigma(median: float, p99: float) -> float:
    """Return the deviation of the logarithm of a log-normal quantity.

    Examples
    --------
    >>> round(log_sigma(9.0, 46.0), 3)
    0.701
    """
    return math.log(p99 / median) / _Z99 if median > 0.0 else 0.0
