"""Constants of the radio that do not depend on who transmits when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioParams:
    """Link budget constants of TR 36.885 Annex A and TR 37.885 6.1.

    Parameters
    ----------
    carrier_ghz
        Carrier frequency [GHz]; China allots 5905-5925 MHz to direct communication (MIIT 2018).
    tx_power_dbm
        Conducted transmit power of a vehicle, control and data together [dBm]
        (TS 36.101 power class 3).
    antenna_gain_dbi
        Antenna gain at each end [dBi]; counted once at the transmitter and once at the receiver.
    noise_figure_db
        Receiver noise figure [dB].
    """

    carrier_ghz: float = 5.915
    tx_power_dbm: float = 23.0
    antenna_gain_dbi: float = 3.0
    noise_figure_db: float = 9.0

    def __post_init__(self) -> None:
        """Reject values the link budget is not defined for."""
        if not 0.5 <= self.carrier_ghz <= 100.0:
            raise ValueError(f"carrier_ghz must be within 0.5 and 100, got {self.carrier_ghz}")
        if not -40.0 <= self.tx_power_dbm <= 60.0:
            raise ValueError(f"tx_power_dbm must be within -40 and 60, got {self.tx_power_dbm}")
        if not 0.0 <= self.noise_figure_db <= 40.0:
            raise ValueError(f"noise_figure_db must be within 0 and 40, got {self.noise_figure_db}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhyParams:
    """How transport blocks are formed and decoded.

    Parameters
    ----------
    mcs
        Modulation and coding scheme index, of TS 36.213 Table 8.6.1-1 (0 to 20) or of the MCS
        table that NR access names (0 to 28).
    error_curve
        Name of the PSSCH error curve, or "auto" for the curve of the MCS in the environment
        that the channel model describes; each curve has a source of its own
        (`v2x.phy.error_model`).
    in_band_emission
        Whether transmitters leak into the other subchannels of their slot (TS 36.101 6.5.2.3
        with the W, X, Y, Z of TR 36.885).
    sensitivity_dbm
        Received power below which a transmission is not noticed at all [dBm]: it is neither
        decoded nor part of the S-RSSI, but still interferes. None leaves the decision to the
        error curves alone.
    control_decoding
        "curve" draws PSCCH errors from their own curve; "sensitivity" decodes control
        information whenever the received power reaches `sensitivity_dbm`, and charges the
        PSCCH no power.
    control_boost_db
        Power spectral density of the PSCCH over that of the PSSCH [dB] (TS 36.213 14.2.1); NR
        sends both with the same density.
    sci2_errors
        Whether the second stage of NR control information (SCI-2) fails by a curve of its own
        instead of with SCI-1; None for yes if messages are not broadcast.
    decode_ms
        Time from the end of a transmission to the decoded packet [ms]; typical figure of
        implementations, low confidence.
    """

    mcs: int = 7
    error_curve: str = "auto"
    in_band_emission: bool = True
    sensitivity_dbm: float | None = None
    control_decoding: str = "curve"
    control_boost_db: float = 3.0
    sci2_errors: bool | None = None
    decode_ms: float = 2.5

    def __post_init__(self) -> None:
        """Reject combinations without a meaning."""
        if not 0 <= self.mcs <= 28:
            raise ValueError(f"mcs must be within 0 and 28, got {self.mcs}")
        if self.control_decoding not in ("curve", "sensitivity"):
            raise ValueError(
                f"control_decoding must be 'curve' or 'sensitivity', got {self.control_decoding!r}"
            )
        if self.control_decoding == "sensitivity" and self.sensitivity_dbm is None:
            raise ValueError("control_decoding 'sensitivity' needs sensitivity_dbm")
        if not 0.0 <= self.decode_ms <= 100.0:
            raise ValueError(f"decode_ms must be within 0 and 100, got {self.decode_ms}")
