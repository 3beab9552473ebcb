"""What stands beside the road, as a scenario describes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from v2x.ranges import check_ranges

Placement = Literal["none", "spacing", "junctions", "portals", "gantries", "file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadsideParams:
    """Where roadside units (RSUs) stand, how they hear, and what they say.

    Parameters
    ----------
    placement
        "none"; "spacing", every `spacing_m` along all roads; "junctions", at crossings, those
        with traffic lights first; "portals", before both mouths of every tunnel and inside it
        every `spacing_m`; "gantries", over expressways every `spacing_m`; "file".
    spacing_m
        Distance between neighbouring sites along the road [m]. The Liangjiang pilot zone has
        500 RSUs on 216 km, one in 432 m; tunnel studies use 300 to 600.
    merge_m
        Junctions closer than this share one site [m]; about the width of a large crossing.
    file
        Sites of "file": CSV with columns lat, lon or x_m, y_m and optionally height_m, tunnel,
        level, name; or the GeoJSON of ``v2x map plan-rsu``.
    height_m
        Antenna above the road [m] (TR 36.885 Annex A: UE-type RSU, 5 m). Antennas over the
        lanes hang at 6 m at least, above the 5 m gauge of expressways.
    antenna_gain_dbi
        Antenna gain [dBi]; null takes ``radio.antenna_gain_dbi``, as TR 36.885 Annex A has
        3 dBi for both. 6 dBi give the 29 dBm EIRP allowed to RSUs in China (low confidence). The
        vertical pattern is that of section ``obstacles``.
    rate_hz
        Messages per second and RSU [Hz]; 0 only listens, unless `relay` makes it speak. Not more
        than vehicles send.
    size_bytes
        Size of its messages handed to the access layer [byte]; null makes them as large as the
        largest of the vehicles. An RSM of T/CSAE 53 needs 26 bytes for each participant.
    state_bytes
        Size of what a relaying message tells of one road user [byte]; a participant of an RSM
        takes 26 as encoded by ``v2x message encode``.
    overhead_bytes
        Size of such a message that tells of nobody [byte]: 39 for an RSM with the RSU itself,
        108 for the security envelope with a digest and the layers below; a certificate adds 149.
    relay
        Whether messages tell of the vehicles that the RSU hears, 10 per second (RSM period of
        T/CSAE 159-2020) unless `rate_hz` says otherwise.
    linked
        Whether RSUs share over fibre what they hear. Of no effect without `relay`: units that
        tell nothing need no fibre.
    fibre_ms
        From the RSU that heard a road user to the others [ms], computing included (low
        confidence); counts of known neighbours neglect it.
    """

    placement: Placement = "none"
    spacing_m: float = 430.0
    merge_m: float = 60.0
    file: str | None = field(default=None, metadata={"file": True})
    height_m: float = 5.0
    antenna_gain_dbi: float | None = None
    rate_hz: float = 0.0
    size_bytes: int | None = None
    state_bytes: int = 26
    overhead_bytes: int = 147
    relay: bool = False
    linked: bool = False
    fibre_ms: float = 5.0

    def __post_init__(self) -> None:
        """Reject sites and antennas that cannot be."""
        if (self.placement == "file") != (self.file is not None):
            raise ValueError("placement 'file' and the key file need each other")
        check_ranges(
            self,
            ("spacing_m", 20.0, 20_000.0),
            ("merge_m", 0.0, 1000.0),
            ("height_m", 0.5, 100.0),
        )
        if self.antenna_gain_dbi is not None and not -30.0 <= self.antenna_gain_dbi <= 30.0:
            raise ValueError(
                f"antenna_gain_dbi must be within -30 and 30, got {self.antenna_gain_dbi}"
            )
        if self.rate_hz != 0.0 and not 0.1 <= self.rate_hz <= 50.0:
            raise ValueError(f"rate_hz must be 0 or within 0.1 and 50, got {self.rate_hz}")
        if self.size_bytes is not None and not 1 <= self.size_bytes <= 10_000:
            raise ValueError(f"size_bytes must be within 1 and 10000, got {self.size_bytes}")
        if not 1 <= self.state_bytes <= 1000:
            raise ValueError(f"state_bytes must be within 1 and 1000, got {self.state_bytes}")
        if not 0 <= self.overhead_bytes <= 10_000:
            raise ValueError(
                f"overhead_bytes must be within 0 and 10000, got {self.overhead_bytes}"
            )
        if not 0.0 <= self.fibre_ms <= 1000.0:
            raise ValueError(f"fibre_ms must be within 0 and 1000, got {self.fibre_ms}")

    @property
    def messages_per_s(self) -> float:
        """Messages that an RSU sends each second [Hz]."""
        if self.rate_hz > 0.0:
            return self.rate_hz
        return RELAY_RATE_HZ if self.relay else 0.0


#: Period of the roadside safety message: 100 ms (T/CSAE 159-2020).
RELAY_RATE_HZ = 10.0
