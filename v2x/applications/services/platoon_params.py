"""Parameters of platooning."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from v2x.messages.csae.day2.dialogues.platoon_leader import PlatoonParams as PlatoonTimers
from v2x.mobility.cooperative.platoon_drive import PlatoonParams as DriveParams
from v2x.mobility.fleet import NodeKind


class PlatoonClass(StrEnum):
    """Which vehicles drive in platoons."""

    CAR = "car"
    TRUCK = "truck"
    BUS = "bus"

    @property
    def kind(self) -> NodeKind:
        """Their kind in the fleet."""
        return NodeKind[self.name]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatooningParams:
    """Vehicles of one class that drive close to each other, by CLPMM.

    Parameters
    ----------
    vehicles
        Which class does: ``car``, ``truck`` or ``bus``.
    share
        Share of its equipped vehicles that can, drawn by stable id.
    forms
        Whether platoons form on the way; without it there are those of the start only.
    at_start
        Platoons that there are from the start, made of vehicles that happen to drive behind each
        other; fewer if there are not enough. Nobody is put onto the road for it.
    size
        Vehicles in each of them, the leader among them.
    join_m
        Largest gap to whoever is ahead in the lane at which a vehicle joins [m] (assumption).
    catch_up_mps
        How much faster than the vehicle ahead a member may be [m/s] (assumption).
    wait_mps
        How far below the speed limit a leader stays while somebody joins, or while its platoon is
        stretched [m/s] (assumption); without it who drives at the limit is never caught up with.
    slack_m
        How much longer than wanted a platoon may be before it counts as stretched [m]
        (assumption).
    join_headway_s
        Time gap at which a joining vehicle has closed up [s]; above that of ACC (assumption).
    open_share
        Share of the time gap of ACC at which the gap of who leaves is open (assumption).
    again_s
        A vehicle that left, or was not let in, waits before it asks again; a leader without
        members gives up after the same time [s] (assumption).
    stranger_s
        A member leaves when somebody else has been between it and its platoon for so long [s]
        (assumption).
    leave_m
        Way before the end of a lane that does not lead where it goes on which a member leaves, and
        a leader dismisses its platoon [m] (assumption).
    timers
        Dialogues.
    drive
        How members drive.
    """

    vehicles: PlatoonClass = PlatoonClass.TRUCK
    share: float = 1.0
    forms: bool = True
    at_start: int = 0
    size: int = 4
    join_m: float = 100.0
    catch_up_mps: float = 3.0
    wait_mps: float = 2.0
    slack_m: float = 5.0
    join_headway_s: float = 2.0
    open_share: float = 0.9
    again_s: float = 10.0
    stranger_s: float = 10.0
    leave_m: float = 500.0
    timers: PlatoonTimers = field(default_factory=PlatoonTimers)
    drive: DriveParams = field(default_factory=DriveParams)

    def __post_init__(self) -> None:
        """Reject platoons that cannot be."""
        PlatoonClass(self.vehicles)
        for name in ("share", "open_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must be within 0 and 1, got {getattr(self, name)}")
        for name in ("at_start", "wait_mps", "slack_m"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be >= 0, got {getattr(self, name)}")
        if not 2 <= self.size <= self.timers.capacity:
            raise ValueError(
                f"size must be within 2 and timers.capacity ({self.timers.capacity}), "
                f"got {self.size}"
            )
        for name in ("join_m", "catch_up_mps", "again_s", "stranger_s", "leave_m"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not self.join_headway_s > self.drive.acc_headway_s:
            raise ValueError(
                f"join_headway_s must be greater than drive.acc_headway_s "
                f"({self.drive.acc_headway_s}), got {self.join_headway_s}"
            )
