"""The garage, who wants to park, and how slots are promised: keys of the service ``parking``."""

from __future__ import annotations

from dataclasses import dataclass, field

from v2x.messages.csae.day2.dialogues.requests import RequestParams
from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class GarageParams:
    """A garage of levels that are alike; all figures are assumptions.

    Parameters
    ----------
    n_levels
        Levels, the lowest at the entrance.
    level_slots
        Slots of each [slots], on both sides of one aisle.
    slot_m
        Width of a slot along the aisle [m]; usual in China: 2.5 (low confidence).
    ramp_m
        Way from level to level [m].
    level_height_m
        Height of a level [m].
    speed_kmh
        Speed inside [km/h].
    occupied
        Share of the slots that are taken at first.
    stay_s
        Mean time for which a vehicle stays, exponential [s].
    height_sd_m
        Deviation of the height that a vehicle believes in, without satellites [m]: 1 with a
        barometer. A guided one that errs by more than half a level goes to the wrong one first.
    """

    n_levels: int = 5
    level_slots: int = 60
    slot_m: float = 2.5
    ramp_m: float = 60.0
    level_height_m: float = 3.0
    speed_kmh: float = 10.0
    occupied: float = 0.9
    stay_s: float = 3600.0
    height_sd_m: float = 1.0

    def __post_init__(self) -> None:
        """Reject garages that cannot be."""
        check_ranges(
            self,
            ("n_levels", 1, 31),
            ("level_slots", 2, 1000),
            ("slot_m", 1.0, 10.0),
            ("ramp_m", 1.0, 1000.0),
            ("level_height_m", 2.0, 10.0),
            ("speed_kmh", 1.0, 50.0),
            ("occupied", 0.0, 1.0),
            ("stay_s", 1.0, 1e6),
            ("height_sd_m", 0.0, 20.0),
        )

    @property
    def aisle_m(self) -> float:
        """Length of the aisle of a level [m]."""
        return -(-self.level_slots // 2) * self.slot_m

    @property
    def n_slots(self) -> int:
        """Slots of the garage."""
        return self.n_levels * self.level_slots


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingParams:
    """A garage beside a roadside unit, and the vehicles that want to park.

    Parameters
    ----------
    gate
        Roadside unit at the entrance, by its number from 0.
    wanting
        Share of all vehicles that want to park, drawn by stable id.
    ask_m
        Those with a device ask for a slot from this far away on [m].
    gate_m
        Whoever wants to park and comes this near to the unit drives in [m].
    area_ms
        Period of the PAM [ms]; once a second (T/CSAE 157 as recalled).
    most_guides
        Vehicles that one PAM guides; the standard allows 16.
    garage
        The garage.
    request
        Timers of a request.
    """

    gate: int = 0
    wanting: float = 0.3
    ask_m: float = 200.0
    gate_m: float = 30.0
    area_ms: int = 1000
    most_guides: int = 8
    garage: GarageParams = field(default_factory=GarageParams)
    request: RequestParams = field(
        default_factory=lambda: RequestParams(repeat_ms=500, answer_ms=5000, life_time_s=600.0)
    )

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(
            self,
            ("gate", 0, 100_000),
            ("wanting", 0.0, 1.0),
            ("ask_m", self.gate_m, 2000.0),
            ("gate_m", 1.0, 500.0),
            ("area_ms", 100, 10_000),
            ("most_guides", 1, 16),
        )
