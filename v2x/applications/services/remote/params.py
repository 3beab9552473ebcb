"""Who is driven from afar, with what delays, and when the vehicle stops: ``remote-driving``."""

from __future__ import annotations

from dataclasses import dataclass, field

from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayBudget:
    """Delays besides the network; starting values of the project (applications.md 8.11).

    Parameters
    ----------
    camera_ms, encode_ms
        From light to a coded picture [ms].
    decode_ms, display_ms
        From a received picture to the screen [ms].
    operator_ms
        Shortest and longest time an operator takes to react, drawn by vehicle [ms].
    actuation_ms
        From a received command to what wheels and brakes do [ms].
    """

    camera_ms: float = 30.0
    encode_ms: float = 20.0
    decode_ms: float = 20.0
    display_ms: float = 15.0
    operator_ms: tuple[float, float] = (200.0, 400.0)
    actuation_ms: float = 50.0

    def __post_init__(self) -> None:
        """Reject impossible times."""
        for name in ("camera_ms", "encode_ms", "decode_ms", "display_ms", "actuation_ms"):
            if not 0.0 <= getattr(self, name) <= 1000.0:
                raise ValueError(f"{name} must be within 0 and 1000, got {getattr(self, name)}")
        low, high = self.operator_ms
        if not 0.0 <= low <= high <= 5000.0:
            raise ValueError(
                f"operator_ms must be 0 <= shortest <= longest <= 5000, got {low:g}, {high:g}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When a vehicle stops by itself (minimal-risk manoeuvre) and goes on (applications.md 8.11).

    Parameters
    ----------
    command_age_ms
        It stops when the newest command is older than this [ms] ...
    video_age_ms
        ... or the newest picture that the operator had sent it for [ms].
    deceleration_mps2
        With which it stops [m/s²].
    resume_s
        It goes on when it stands and neither has been too old for this long [s]; our choice.
    """

    command_age_ms: float = 300.0
    video_age_ms: float = 500.0
    deceleration_mps2: float = 2.0
    resume_s: float = 2.0

    def __post_init__(self) -> None:
        """Reject rules that cannot be."""
        check_ranges(
            self,
            ("command_age_ms", 10.0, 10_000.0),
            ("video_age_ms", 10.0, 10_000.0),
            ("deceleration_mps2", 0.3, 8.0),
            ("resume_s", 0.0, 600.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteDrivingParams:
    """Which vehicles are driven from afar, what that asks of the network, and when they stop.

    Parameters
    ----------
    share
        Share of the equipped vehicles, drawn by stable id.
    speed_kmh
        They go no faster than this [km/h]; 10 to 30 is the range of the project.
    video_mbit_s
        Rate of all cameras of a vehicle [Mbit/s]. The 5GAA example has 32 for four cameras
        (confidence low), which is more than a cell with the uplink of ``cellular.radio`` carries.
    frames_per_s
        Pictures per second [1/s]. A vehicle does not send one while the last is still going up.
    video_rb
        Resource blocks that a picture takes in an uplink slot; fewer than the carrier has.
    command_ms
        Time between commands [ms] ...
    command_bytes
        ... and their size [byte]: 0.4 Mbit/s of the 5GAA example is 1000 each 20 ms (confidence
        low).
    heading_error_rad
        Standard deviation of the direction that a vehicle takes while the operator cannot
        correct it [rad]. An assumption of low confidence: the deviation from the lane is this
        times the way driven during the whole delay.
    budget
        Delays besides the network.
    stop
        When a vehicle stops.
    """

    share: float = 0.1
    speed_kmh: float = 30.0
    video_mbit_s: float = 8.0
    frames_per_s: float = 30.0
    video_rb: int = 135
    command_ms: float = 50.0
    command_bytes: int = 200
    heading_error_rad: float = 0.02
    budget: DelayBudget = field(default_factory=DelayBudget)
    stop: StopRule = field(default_factory=StopRule)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(
            self,
            ("share", 0.0, 1.0),
            ("speed_kmh", 1.0, 130.0),
            ("video_mbit_s", 0.01, 1000.0),
            ("frames_per_s", 1.0, 120.0),
            ("video_rb", 1, 273),
            ("command_ms", 5.0, 1000.0),
            ("command_bytes", 1, 1500),
            ("heading_error_rad", 0.0, 0.5),
        )

    @property
    def frame_bytes(self) -> int:
        """Size of the pictures of all cameras at one instant [byte]."""
        return max(round(self.video_mbit_s * 1e6 / 8.0 / self.frames_per_s), 1)
