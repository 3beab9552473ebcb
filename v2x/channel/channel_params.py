"""What the channel decides besides the path loss law."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelParams:
    """What the channel decides besides the path loss law.

    Parameters
    ----------
    line_of_sight
        How vehicles block links: "geometric" by the vehicles really between the antennas,
        "statistical" by the probability of the propagation model, "always" never.
    interaction_range_m
        Longer links carry no power [m]. Beyond 1 km a transmission changes the interference
        on the 3GPP highway by less than the confidence interval of the PRR.
    blockage_mean_db
        Mean loss by a vehicle no higher, and by one higher than both antennas [dB]
        (TR 37.885 6.2.1 cases 3 and 2).
    blockage_sigma_db
        Their standard deviations [dB].
    level_gap_m
        A vehicle blocks only links whose near end is not farther above or below it than this,
        plus a tenth of the distance [m]; keeps vehicles of other decks apart.
    """

    line_of_sight: str = "geometric"
    interaction_range_m: float = 1000.0
    blockage_mean_db: tuple[float, float] = (5.0, 9.0)
    blockage_sigma_db: tuple[float, float] = (4.0, 4.5)
    level_gap_m: float = 3.0

    def __post_init__(self) -> None:
        """Reject unknown words and ranges."""
        if self.line_of_sight not in ("geometric", "statistical", "always"):
            raise ValueError(
                "line_of_sight must be 'geometric', 'statistical' or 'always', "
                f"got {self.line_of_sight!r}"
            )
        if not 10.0 <= self.interaction_range_m <= 20_000.0:
            raise ValueError(
                f"interaction_range_m must be within 10 and 20000, got {self.interaction_range_m}"
            )
        for name in ("blockage_mean_db", "blockage_sigma_db"):
            values = getattr(self, name)
            if len(values) != 2 or min(values) < 0:
                raise ValueError(f"{name} must be two values >= 0, got {values}")
        if self.level_gap_m <= 0:
            raise ValueError(f"level_gap_m must be > 0, got {self.level_gap_m}")
