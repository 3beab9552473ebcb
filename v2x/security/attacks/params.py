"""Who attacks in a scenario."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAttack:
    """Everybody tells what it believes to be true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackerParams:
    """Who attacks, and since when.

    Parameters
    ----------
    share
        Share of the vehicles with a device that attack, drawn by stable id; 0.05 in F2MD, 0.1 to
        0.3 in VeReMi.
    from_s
        Until then they tell the truth [s].
    """

    share: float = 0.05
    from_s: float = 0.0

    def __post_init__(self) -> None:
        """Reject shares that are none and times before the beginning."""
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"share must be within 0 and 1, got {self.share}")
        if not self.from_s >= 0:
            raise ValueError(f"from_s must be >= 0, got {self.from_s}")
