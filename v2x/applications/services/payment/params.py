"""Where is paid, how, and who tries to cheat: keys of the service ``payment``."""

from __future__ import annotations

from dataclasses import dataclass, field

from v2x.messages.csae.day2.dialogues.payment import PaymentParams as PaymentTimers
from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentServiceParams:
    """Roadside units that take tolls, and vehicles that pay.

    Parameters
    ----------
    gates
        Roadside units that do, by their number from 0; empty for all.
    beam_m
        A unit and a vehicle farther apart do not hear each other's payments [m]; 50 is the
        starting value of the project (applications.md 8.7).
    speed_kmh
        Everybody passes the gate no faster than this [km/h], with a device or without; 20 is that
        of a gate with electronic toll collection (the same section).
    slow_m
        From this far away on [m].
    amount
        What a passage costs, in hundredths of the currency.
    balance
        What is on each card at first.
    attackers
        Share of the equipped vehicles that say again what others said, drawn by stable id.
    replay_after_ms
        How much later they do [ms].
    timers
        Timers of the dialogue. An answer takes two ticks of 100 ms, so retries come after 300 ms.
    """

    gates: tuple[int, ...] = ()
    beam_m: float = 50.0
    speed_kmh: float = 20.0
    slow_m: float = 200.0
    amount: int = 500
    balance: int = 100_000
    attackers: float = 0.0
    replay_after_ms: float = 2000.0
    timers: PaymentTimers = field(default_factory=lambda: PaymentTimers(retry_ms=300))

    def __post_init__(self) -> None:
        """Reject values out of range."""
        if any(gate < 0 for gate in self.gates):
            raise ValueError(f"gates must be numbers from 0, got {self.gates}")
        check_ranges(
            self,
            ("beam_m", 1.0, 1000.0),
            ("speed_kmh", 1.0, 200.0),
            ("slow_m", 0.0, 2000.0),
            ("amount", 1, 2**31),
            ("balance", 0, 2**31),
            ("attackers", 0.0, 1.0),
            ("replay_after_ms", 100.0, 60_000.0),
        )
