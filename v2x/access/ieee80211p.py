"""IEEE 802.11p (OCB): CSMA/CA with EDCA on a 10 MHz channel, as ITS-G5 and DSRC use it."""

from __future__ import annotations

from dataclasses import dataclass

from v2x.access.unslotted import N_QUEUES, Contention
from v2x.phy.ofdm.frame_reception import OfdmWaveform
from v2x.phy.ofdm.rates import rate

#: Access categories, the one that is served first first.
ACCESS_CATEGORIES = ("vo", "vi", "be", "bk")
#: Least and largest values; beyond them lies what no station or receiver has.
_LIMITS = {
    "overhead_bytes": (0, 500),
    "slot_us": (1, 1000),
    "sifs_us": (0, 1000),
    "cca_preamble_dbm": (-150.0, 50.0),
    "cca_energy_dbm": (-150.0, 50.0),
    "cbr_threshold_dbm": (-150.0, 50.0),
    "preamble_sinr_db": (-30.0, 50.0),
    "capture_db": (0.0, 100.0),
    "fading_loss_db": (0.0, 30.0),
    "queue_packets": (1, 1000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ieee80211pParams:
    """Contention, frames and reception outside the context of a BSS (IEEE Std 802.11-2016).

    Parameters
    ----------
    rate_mbps
        Data rate (IEEE Std 802.11-2016 Table 17-4, 10 MHz) [Mb/s]: 3, 4.5, 6, 9, 12, 18, 24 or
        27. QPSK at rate 1/2, 6, is the default of ITS-G5.
    overhead_bytes
        QoS MAC header 26, frame check sequence 4, LLC and SNAP 8 (IEEE Std 802.11-2016 9.2), added
        to each packet [byte].
    category_of_priority
        Access category of PPPP 1 to 8, "vo", "vi", "be" or "bk"; ours: two priorities for each,
        which puts periodic messages (5) into AC_BE, where ITS-G5 has CAMs.
    aifsn
        Slots after the SIFS before AC_VO, AC_VI, AC_BE and AC_BK may count down (IEEE Std
        802.11-2012 Table 8-106, OCB) [slots].
    contention_window
        CWmin of AC_VO, AC_VI, AC_BE and AC_BK (IEEE Std 802.11-2012 Table 8-106, OCB) [slots].
        Broadcasts are never retried, so it never grows.
    slot_us
        aSlotTime (IEEE Std 802.11-2016 17.4.4, 10 MHz) [µs].
    sifs_us
        aSIFSTime (IEEE Std 802.11-2016 17.4.4, 10 MHz) [µs].
    sensing_us
        aCCATime (IEEE Std 802.11-2016 17.4.4, 10 MHz) [µs]: transmissions that start within it do
        not hear each other.
    cca_preamble_dbm
        Power from which a frame that is being received keeps the channel busy [dBm]; -85 is the
        least that IEEE Std 802.11-2016 17.3.10.6 demands. None for every such frame, as a
        receiver that follows a frame does not transmit (17.3.12).
    cca_energy_dbm
        Power from which anything does (IEEE Std 802.11-2016 17.3.10.6) [dBm].
    cbr_threshold_dbm
        Power above which the channel busy ratio counts (ETSI EN 302 571) [dBm].
    preamble_sinr_db
        Least SINR at which a preamble is found, low confidence [dB]. SIGNAL is checked besides.
    capture_db
        By how much a later frame must be stronger to be received instead of the former, low
        confidence [dB]; in its preamble or its body. Chips differ, 5 to 10 are usual. Null
        switches capture off.
    fading_loss_db
        Shift of the error rates of white noise to higher SINR, ours [dB]; vehicular channels cost
        a few.
    queue_packets
        Packets that wait in each access category, ours; the oldest makes room for a new one.
    """

    rate_mbps: float = 6.0
    overhead_bytes: int = 38
    category_of_priority: tuple[str, ...] = ("vo", "vo", "vi", "vi", "be", "be", "bk", "bk")
    aifsn: tuple[int, ...] = (2, 3, 6, 9)
    contention_window: tuple[int, ...] = (3, 7, 15, 15)
    slot_us: int = 13
    sifs_us: int = 32
    sensing_us: int = 8
    cca_preamble_dbm: float | None = None
    cca_energy_dbm: float = -65.0
    cbr_threshold_dbm: float = -85.0
    preamble_sinr_db: float = 0.0
    capture_db: float | None = 10.0
    fading_loss_db: float = 0.0
    queue_packets: int = 10

    def __post_init__(self) -> None:
        """Reject what no station can do."""
        rate(self.rate_mbps)
        for name in ("aifsn", "contention_window"):
            if len(getattr(self, name)) != N_QUEUES:
                raise ValueError(
                    f"{name} must have a value for each of AC_VO, AC_VI, AC_BE and AC_BK, "
                    f"got {getattr(self, name)}"
                )
        if not all(1 <= n <= 15 for n in self.aifsn):
            raise ValueError(f"aifsn must be within 1 and 15, got {self.aifsn}")
        if not all(0 <= w <= 1023 for w in self.contention_window):
            raise ValueError(
                f"contention_window must be within 0 and 1023, got {self.contention_window}"
            )
        categories = self.category_of_priority
        if len(categories) != 8 or not set(categories) <= set(ACCESS_CATEGORIES):
            raise ValueError(
                f"category_of_priority must be eight of {ACCESS_CATEGORIES}, got {categories}"
            )
        for name, (least, largest) in _LIMITS.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= largest:
                raise ValueError(f"{name} must be within {least:g} and {largest:g}, got {value}")
        if not self.slot_us > self.sensing_us >= 0:
            raise ValueError(
                f"sensing_us must be at least 0 and below slot_us ({self.slot_us}), "
                f"got {self.sensing_us}"
            )

    def contention(self) -> Contention:
        """Return the rules of EDCA (10.22.2)."""
        return Contention(
            slot_us=self.slot_us,
            interframe_us=tuple(self.sifs_us + n * self.slot_us for n in self.aifsn),
            contention_window=self.contention_window,
            queue_of_priority=tuple(
                ACCESS_CATEGORIES.index(name) for name in self.category_of_priority
            ),
            queue_packets=self.queue_packets,
            sensing_us=self.sensing_us,
            preamble_mw=(
                0.0 if self.cca_preamble_dbm is None else 10.0 ** (self.cca_preamble_dbm / 10.0)
            ),
            energy_mw=10.0 ** (self.cca_energy_dbm / 10.0),
            busy_mw=10.0 ** (self.cbr_threshold_dbm / 10.0),
        )

    def waveform(self) -> OfdmWaveform:
        """Return frames at the rate of the parameters."""
        return OfdmWaveform(
            rate=rate(self.rate_mbps),
            overhead_bytes=self.overhead_bytes,
            preamble_sinr_db=self.preamble_sinr_db,
            capture_db=self.capture_db,
            fading_loss_db=self.fading_loss_db,
        )


class Ieee80211p:
    """IEEE 802.11p (ITS-G5, DSRC): broadcasts by CSMA/CA with EDCA on a channel of 10 MHz."""

    Params = Ieee80211pParams
