"""The feedback channel of NR sidelink: when it comes, and which resource belongs to whom.

TS 38.213 16.3. One answer takes one resource block and one cyclic shift of a sequence of 12
elements in the last symbols of a slot; the symbol before it is a copy for gain control.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from v2x.channel.base import LinkState
from v2x.channel.law_tables import LINK_CODES

#: Periods of feedback occasions [slots], sl-PSFCH-Period; 0 for none.
PSFCH_PERIODS = (0, 1, 2, 4)
#: Least slots from a transmission to its feedback, sl-MinTimeGapPSFCH.
PSFCH_GAPS = (2, 3)
#: First cyclic shifts by the number of cyclic shift pairs (TS 38.213 Table 16.3-1).
SHIFTS: dict[int, tuple[int, ...]] = {
    1: (0,),
    2: (0, 3),
    3: (0, 2, 4),
    6: (0, 1, 2, 3, 4, 5),
}
#: Cyclic shift of ACK over that of NACK (TS 38.213 Table 16.3-2).
ACK_SHIFT = 6
#: Elements of the sequence: those of a resource block (TS 38.211 8.3.4.2).
SEQUENCE_LENGTH = 12


class PsfchResource(NamedTuple):
    """Where one answer lies: resource block of the pool's set, and first cyclic shift m_0."""

    block: int
    shift: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PsfchGrid:
    """Feedback occasions of a pool and the resources in them.

    Attributes
    ----------
    period
        Slots from one occasion to the next: 1, 2 or 4.
    gap
        Least slots from a transmission to its feedback: 2 or 3.
    n_subchannels
        Subchannels of the pool.
    n_blocks
        Resource blocks for feedback, a multiple of `n_subchannels` times `period`.
    n_shifts
        Cyclic shift pairs: 1, 2, 3 or 6.
    all_subchannels
        Whether the resources of all subchannels of a transmission are its own (allocSubCH), or
        only those of the first (startSubCH).
    """

    period: int
    gap: int
    n_subchannels: int
    n_blocks: int
    n_shifts: int
    all_subchannels: bool

    def __post_init__(self) -> None:
        """Reject what the standard does not list."""
        for name, value, allowed in (
            ("psfch_period", self.period, PSFCH_PERIODS[1:]),
            ("psfch_gap", self.gap, PSFCH_GAPS),
            ("psfch_shifts", self.n_shifts, tuple(SHIFTS)),
        ):
            if value not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {value}")
        unit = self.n_subchannels * self.period
        if self.n_blocks < unit or self.n_blocks % unit:
            raise ValueError(
                f"psfch_rb must be a multiple of {unit} (n_subchannels times psfch_period), "
                f"got {self.n_blocks}"
            )

    @property
    def blocks_each(self) -> int:
        """Resource blocks of each slot and subchannel, M."""
        return self.n_blocks // (self.n_subchannels * self.period)

    def occasion(self, slot: int) -> int:
        """Return the slot in which a transmission of `slot` is answered.

        Examples
        --------
        >>> grid = PsfchGrid(
        ...     period=4, gap=3, n_subchannels=5, n_blocks=40, n_shifts=6, all_subchannels=False
        ... )
        >>> [grid.occasion(slot) for slot in range(6)]
        [4, 4, 8, 8, 8, 8]
        """
        return -(-(slot + self.gap) // self.period) * self.period

    def place(self, slot: int) -> int:
        """Return which of the slots of its occasion `slot` is, from 0.

        Examples
        --------
        >>> grid = PsfchGrid(
        ...     period=4, gap=3, n_subchannels=5, n_blocks=40, n_shifts=6, all_subchannels=False
        ... )
        >>> [grid.place(slot) for slot in range(6)]
        [2, 3, 0, 1, 2, 3]
        """
        return slot - (self.occasion(slot) - self.gap - self.period + 1)

    def n_resources(self, width: int) -> int:
        """Return the resources that belong to a transmission of `width` subchannels, R."""
        return (width if self.all_subchannels else 1) * self.blocks_each * self.n_shifts

    def resource(
        self, slot: int, first: int, width: int, source: int, member: int = 0
    ) -> PsfchResource:
        """Return the resource of a receiver's answer.

        Parameters
        ----------
        slot, first, width
            Slot, first subchannel and subchannels of the transmission.
        source
            Layer-1 source ID of the sender, P_ID.
        member
            Number of the receiver in its group, M_ID; 0 but for groupcast with ACK and NACK.

        Examples
        --------
        >>> grid = PsfchGrid(
        ...     period=4, gap=2, n_subchannels=5, n_blocks=40, n_shifts=6, all_subchannels=False
        ... )
        >>> grid.resource(3, 2, 1, source=3)
        PsfchResource(block=17, shift=1)
        """
        each = self.blocks_each
        index = (source + member) % self.n_resources(width)
        n_own = self.n_resources(width) // self.n_shifts
        number = index % n_own
        block = (self.place(slot) + (first + number // each) * self.period) * each + number % each
        return PsfchResource(block, SHIFTS[self.n_shifts][index // n_own])

    def longest_wait(self) -> int:
        """Return the most slots from a transmission to its feedback."""
        return self.gap + self.period - 1


#: Links whose answers do not fade where fading goes by link state.
_STEADY = (LinkState.LOS, LinkState.TUNNEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PsfchDesign:
    """How feedback is sent and detected.

    A receiver correlates the 12 elements of a resource block with the sequence of each cyclic
    shift that concerns it and compares the energy of the result with a threshold; of two above
    it (ACK, NACK) the larger one holds. With S / N the SINR of an element, the mean energy of a
    signal is 12 S / N times that of noise.

    Sequences with other cyclic shifts are orthogonal, but a delay moves them: of an answer that
    is *x* shifts away the correlator lets through :func:`leak`.

    Attributes
    ----------
    grid
        Occasions and resources.
    most_sent
        Most answers of a node in one occasion.
    ties_send
        Whether a node sends its answers if those it waits for have the same priority.
    false_alarm
        Probability that noise alone exceeds the threshold.
    timing_us
        By how much answers are late beside their way through the air [µs].
    fading
        "by-state", "rayleigh" or "none".
    """

    grid: PsfchGrid
    most_sent: int
    ties_send: bool
    false_alarm: float
    timing_us: float
    fading: str

    @property
    def threshold(self) -> float:
        """Energy over that of noise alone from which on a correlator notices a signal.

        The energy of noise has an exponential distribution.

        Examples
        --------
        >>> grid = PsfchGrid(
        ...     period=1, gap=2, n_subchannels=5, n_blocks=50, n_shifts=1, all_subchannels=False
        ... )
        >>> design = PsfchDesign(
        ...     grid=grid, most_sent=4, ties_send=True, false_alarm=0.01, timing_us=0.1,
        ...     fading="none",
        ... )
        >>> round(design.threshold, 3)
        4.605
        """
        return -math.log(self.false_alarm)

    def shifts_per_us(self, rb_hz: float) -> float:
        """Return the cyclic shifts by which an answer moves when it is late by 1 µs.

        A cyclic shift turns the phase from one subcarrier to the next by a twelfth of a turn,
        and so does a delay of a twelfth of a symbol without its prefix.

        Parameters
        ----------
        rb_hz
            Width of a resource block, 12 subcarriers [Hz].
        """
        return rb_hz * 1e-6

    def fades(self) -> NDArray[np.uint8]:
        """Return for each link code whether answers fade, (n_codes,)."""
        if self.fading != "by-state":
            return np.full(len(LINK_CODES), self.fading == "rayleigh", dtype=np.uint8)
        return np.array([state not in _STEADY for state in LINK_CODES], dtype=np.uint8)


def leak(shifts: float) -> float:
    r"""Return the share of the power of an answer that a correlator lets through.

    :math:`(\sin \pi x / (12 \sin(\pi x / 12)))^2` for an answer *x* cyclic shifts away, the
    response of a sum over 12 elements.

    Examples
    --------
    >>> [round(10.0 * math.log10(leak(x)), 1) for x in (0.12, 1.12, 6.12)]
    [-0.2, -19.5, -30.3]
    """
    if shifts % SEQUENCE_LENGTH == 0.0:
        return 1.0
    x = math.pi * shifts
    return (math.sin(x) / (SEQUENCE_LENGTH * math.sin(x / SEQUENCE_LENGTH))) ** 2


def missed_rayleigh(sinr: float, false_alarm: float) -> float:
    r"""Return the probability that a fading answer stays below the threshold.

    Its energy is exponential with mean :math:`1 + 12 S/N`, so it is
    :math:`1 - p^{1 / (1 + 12 S/N)}` with the false alarm probability *p*.

    Parameters
    ----------
    sinr
        Linear mean SINR of an element.
    false_alarm
        Probability of a false alarm.

    Examples
    --------
    >>> round(missed_rayleigh(10.0, 0.01), 4)
    0.0373
    """
    return float(1.0 - false_alarm ** (1.0 / (1.0 + SEQUENCE_LENGTH * sinr)))


def confused_rayleigh(sinr: float) -> float:
    r"""Return the probability that the wrong one of ACK and NACK has more energy, fading.

    :math:`1 / (2 + 12 S/N)`, non-coherent orthogonal signals under Rayleigh fading, without
    a threshold.

    Examples
    --------
    >>> round(confused_rayleigh(10.0), 4)
    0.0082
    """
    return 1.0 / (2.0 + SEQUENCE_LENGTH * sinr)


def confused_steady(sinr: float) -> float:
    r"""Return the same without fading: :math:`\frac12 e^{-6 S/N}`.

    Examples
    --------
    >>> round(confused_steady(0.5), 4)
    0.0249
    """
    return 0.5 * math.exp(-0.5 * SEQUENCE_LENGTH * sinr)
