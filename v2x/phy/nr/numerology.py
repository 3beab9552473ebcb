"""Slots, resource blocks and processing times of NR sidelink by its subcarrier spacing (FR1)."""

from __future__ import annotations

from dataclasses import dataclass

#: Subcarrier spacings of the sidelink below 7 GHz [kHz] (TS 38.211 4.2).
SUBCARRIER_SPACINGS_KHZ = (15, 30, 60)
SUBCARRIERS_PER_RB = 12
_MHZ = (5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100)
#: Resource blocks of a channel by spacing [kHz] and bandwidth [MHz] (TS 38.101-1 Table 5.3.2-1).
CHANNEL_RB: dict[int, dict[int, int]] = {
    15: dict(zip(_MHZ[:8], (25, 52, 79, 106, 133, 160, 216, 270), strict=True)),
    30: dict(zip(_MHZ, (11, 24, 38, 51, 65, 78, 106, 133, 162, 189, 217, 245, 273), strict=True)),
    60: dict(zip(_MHZ[1:], (11, 18, 24, 31, 38, 51, 65, 79, 93, 107, 121, 135), strict=True)),
}


@dataclass(frozen=True, slots=True)
class Numerology:
    """What follows from the subcarrier spacing.

    Attributes
    ----------
    scs_khz
        Subcarrier spacing [kHz].
    slot_us
        Length of a slot of 14 symbols [µs].
    t_proc0_slots
        Slots before a selection that are not evaluated yet, T_proc,0 (TS 38.214 Table 8.1.4-1).
    t_proc1_slots
        Slots from a selection to the first transmission it can lead to at the latest, T_proc,1
        (TS 38.214 Table 8.1.4-2).
    """

    scs_khz: int
    slot_us: int
    t_proc0_slots: int
    t_proc1_slots: int

    @property
    def slots_per_ms(self) -> int:
        """Slots in a millisecond."""
        return 1000 // self.slot_us

    @property
    def rb_hz(self) -> float:
        """Width of a resource block [Hz]."""
        return 1000.0 * self.scs_khz * SUBCARRIERS_PER_RB


_NUMEROLOGIES = {
    15: Numerology(15, 1000, 1, 3),
    30: Numerology(30, 500, 1, 5),
    60: Numerology(60, 250, 2, 9),
}


def numerology(scs_khz: int) -> Numerology:
    """Return the numerology of a subcarrier spacing.

    Parameters
    ----------
    scs_khz
        15, 30 or 60 kHz.

    Examples
    --------
    >>> numerology(30)
    Numerology(scs_khz=30, slot_us=500, t_proc0_slots=1, t_proc1_slots=5)
    """
    found = _NUMEROLOGIES.get(scs_khz)
    if found is None:
        raise ValueError(f"scs_khz must be one of {SUBCARRIER_SPACINGS_KHZ}, got {scs_khz}")
    return found
