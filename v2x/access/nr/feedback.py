"""Keys of HARQ feedback in NR-V2X mode 2 (TS 38.213 16.3, TS 38.321 5.22.1.3)."""

from __future__ import annotations

from dataclasses import dataclass

from v2x.phy.nr.psfch import PSFCH_GAPS, PSFCH_PERIODS, SHIFTS, PsfchDesign, PsfchGrid
from v2x.phy.nr.transport_block import BETA_OFFSETS

BLIND, FEEDBACK = "blind", "feedback"


@dataclass(frozen=True, kw_only=True)
class FeedbackParams:
    """Keys of HARQ feedback; to be inherited, it has no room for values of its own.

    Parameters
    ----------
    harq
        "blind" sends every retransmission; "feedback" only after NACK or silence, and needs
        `psfch_period` and messages that are not broadcast (TS 38.321 5.22.1.3.1a).
    harq_process_slots
        Slots from feedback to the retransmission it leads to [slots], the part b of the gap Z of
        TS 38.321 5.22.1.1; left to implementations, low confidence.
    psfch_period
        Slots between feedback occasions, sl-PSFCH-Period (TS 38.331): 1, 2 or 4; 0 for none.
        Every allocation then leaves room for a PSFCH, feedback or not.
    psfch_gap
        Least slots from a transmission to its feedback, sl-MinTimeGapPSFCH (TS 38.331): 2 or 3.
    psfch_rb
        Resource blocks of the pool that carry feedback, sl-PSFCH-RB-Set (TS 38.331); None for the
        most that `n_subchannels` times `psfch_period` divides.
    psfch_shifts
        Cyclic shift pairs, sl-NumMuxCS-Pair (TS 38.331): 1, 2, 3 or 6.
    psfch_all_subchannels
        Whether all subchannels of a transmission lend their feedback resources (allocSubCH), or
        only the first (startSubCH), sl-PSFCH-CandidateResourceType (TS 38.331).
    psfch_most_sent
        Most answers of a node in one occasion; they share its power. A capability of TS 38.306
        (4, 8 or 16; medium confidence).
    psfch_ties
        "send" or "listen": what a node does whose answers to send and to hear have the same
        priority; otherwise the lower value decides (TS 38.213 16.2.4.2). Low confidence.
    psfch_false_alarm
        Probability that noise alone passes for a signal in one correlator. Ours, after the 1 % of
        TS 38.101-4 for the PUCCH of the same format (medium confidence).
    psfch_timing_us
        By how much answers are late beside their way through the air [µs], which lets a part of
        them through to other cyclic shifts; order of satellite time, ours, low confidence.
    sci2_beta_offset
        By what factor SCI-2 has a lower code rate than the data, sl-BetaOffsets2ndSCI (TS 38.213
        Table 9.3-2): who loses it gives no feedback.
    psfch_fading
        "by-state": answers fade (Rayleigh) except in line of sight and in tunnels; "rayleigh":
        all; "none": none. Ours, low confidence.
    """

    __slots__ = ()

    harq: str = BLIND
    harq_process_slots: int = 2
    psfch_period: int = 0
    psfch_gap: int = 2
    psfch_rb: int | None = None
    psfch_shifts: int = 2
    psfch_all_subchannels: bool = False
    psfch_most_sent: int = 4
    psfch_ties: str = "send"
    psfch_false_alarm: float = 0.01
    psfch_timing_us: float = 0.1
    sci2_beta_offset: float = BETA_OFFSETS[0]
    psfch_fading: str = "by-state"

    def check_feedback(self) -> None:
        """Reject what the standard does not list."""
        for name, allowed in (
            ("harq", (BLIND, FEEDBACK)),
            ("psfch_period", PSFCH_PERIODS),
            ("psfch_gap", PSFCH_GAPS),
            ("psfch_shifts", tuple(SHIFTS)),
            ("psfch_ties", ("send", "listen")),
            ("sci2_beta_offset", BETA_OFFSETS),
            ("psfch_fading", ("by-state", "rayleigh", "none")),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")
        for name, low, high in (
            ("harq_process_slots", 1, 16),
            ("psfch_most_sent", 1, 16),
            ("psfch_false_alarm", 1e-6, 0.5),
            ("psfch_timing_us", 0.0, 2.0),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(
                    f"{name} must be within {low} and {high}, got {getattr(self, name)}"
                )
        if self.harq == FEEDBACK and self.psfch_period == 0:
            raise ValueError("harq 'feedback' needs a psfch_period of 1, 2 or 4 slots")

    def psfch_grid(self, n_subchannels: int, pool_rb: int) -> PsfchGrid | None:
        """Return the feedback occasions of a pool, None without any.

        Examples
        --------
        >>> from v2x.access.nr.params import NrMode2Params
        >>> NrMode2Params(psfch_period=4).psfch_grid(5, 50).n_blocks
        40
        """
        if self.psfch_period == 0:
            return None
        unit = n_subchannels * self.psfch_period
        n_blocks = pool_rb // unit * unit if self.psfch_rb is None else self.psfch_rb
        if not 0 < n_blocks <= pool_rb:
            raise ValueError(
                f"a feedback occasion needs at least {unit} and at most {pool_rb} resource blocks"
            )
        return PsfchGrid(
            period=self.psfch_period,
            gap=self.psfch_gap,
            n_subchannels=n_subchannels,
            n_blocks=n_blocks,
            n_shifts=self.psfch_shifts,
            all_subchannels=self.psfch_all_subchannels,
        )

    def design(self, grid: PsfchGrid) -> PsfchDesign:
        """Return how feedback is sent and detected on a grid."""
        return PsfchDesign(
            grid=grid,
            most_sent=self.psfch_most_sent,
            ties_send=self.psfch_ties == "send",
            false_alarm=self.psfch_false_alarm,
            timing_us=self.psfch_timing_us,
            fading=self.psfch_fading,
        )
