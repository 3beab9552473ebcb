"""What is stolen, who looks for it, and how the thief resists: keys of the service ``tracking``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from v2x.ranges import check_ranges
from v2x.security.linking import LinkingParams


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingParams:
    """A stolen car, and those who follow it.

    All times are our choice unless a source is given.

    Parameters
    ----------
    stolen_s
        When the car is stolen [s]: the one among the equipped ones then that a draw chooses.
    reported_s
        How much later its owner reports it [s].
    fence_m
        Its own box reports it as soon as it is known to be farther than this from where it was
        stolen [m].
    units
        Whether roadside units tell the server whom they hear.
    probe_s
        Time between reports of the box over the mobile network [s]; 0 for none. Needs a network.
    resolve_s
        The authority needs so long to say whose a new pseudonym is [s]; nobody else can.
    authority
        Without it the server guesses after each change which new pseudonym is the old vehicle.
    change_s
        Pseudonyms last for this time [s] (GB/T 45315-2025) ...
    change_m
        ... and this way [m] (GB/T 45315-2025).
    attack
        ``none``; ``jammer``: nothing of the car is heard; ``id-swap``: it has exchanged devices
        with the nearest car, so that all that is heard of it is of the other one.
    attack_after_s, attack_lasts_s
        From when after the theft, and for how long [s].
    held_s
        The vehicle counts as located for this long after it was last heard of [s].
    linking
        What the server, or an eavesdropper at the units, believes of motion.
    """

    stolen_s: float = 5.0
    reported_s: float = 10.0
    fence_m: float = 500.0
    units: bool = True
    probe_s: float = 1.0
    resolve_s: float = 2.0
    authority: bool = True
    change_s: float = 300.0
    change_m: float = 2100.0
    attack: Literal["none", "jammer", "id-swap"] = "none"
    attack_after_s: float = 20.0
    attack_lasts_s: float = 20.0
    held_s: float = 2.0
    linking: LinkingParams = field(default_factory=LinkingParams)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(
            self,
            ("stolen_s", 0.0, 1e6),
            ("reported_s", 0.0, 1e6),
            ("fence_m", 0.0, 1e6),
            ("probe_s", 0.0, 3600.0),
            ("resolve_s", 0.0, 3600.0),
            ("change_s", 0.0, 1e6),
            ("change_m", 0.0, 1e6),
            ("attack_after_s", 0.0, 1e6),
            ("attack_lasts_s", 0.0, 1e6),
            ("held_s", 0.1, 600.0),
        )
        if self.attack not in ("none", "jammer", "id-swap"):
            raise ValueError(f"attack must be none, jammer or id-swap, got {self.attack!r}")
        if not self.units and self.probe_s == 0.0:
            raise ValueError("units must be true or probe_s above 0: somebody has to hear the car")
