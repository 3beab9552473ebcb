"""An unslotted technology of somebody else: it talks without listening."""

from __future__ import annotations

import math
from dataclasses import dataclass

from v2x.access.unslotted import Contention
from v2x.phy.ofdm.frame_reception import OfdmWaveform
from v2x.phy.ofdm.rates import rate


@dataclass(frozen=True, slots=True, kw_only=True)
class AlohaParams:
    """Parameters of ALOHA.

    Parameters
    ----------
    rate_mbps
        Data rate [Mb/s].
    """

    rate_mbps: float = 6.0

    def contention(self) -> Contention:
        """Return rules under which nothing but an own transmission keeps anybody waiting."""
        return Contention(
            slot_us=1,
            interframe_us=(0, 0, 0, 0),
            contention_window=(0, 0, 0, 0),
            queue_of_priority=(0,) * 8,
            queue_packets=10,
            sensing_us=0,
            preamble_mw=math.inf,
            energy_mw=math.inf,
            busy_mw=1e-9,
        )

    def waveform(self) -> OfdmWaveform:
        """Return frames of 802.11p, without capture."""
        return OfdmWaveform(
            rate=rate(self.rate_mbps),
            overhead_bytes=0,
            preamble_sinr_db=0.0,
            capture_db=None,
            fading_loss_db=0.0,
        )


class Aloha:
    """Sends at once."""

    Params = AlohaParams
