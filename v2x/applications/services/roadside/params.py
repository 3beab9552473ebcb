"""What roadside units tell and how they find it out: keys of the service ``roadside``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from v2x.ranges import check_ranges

#: Hazards that the own instruments of a unit can find.
Watched = Literal["rockfall", "closed-road", "fog-bank", "slippery"]
#: Longest period of each message [ms] (T/CSAE 159-2020), by key.
LONGEST_MS = {
    "map_ms": 1000,
    "spat_ms": 500,
    "rsm_ms": 100,
    "static_ms": 1000,
    "semi_static_ms": 500,
    "dynamic_ms": 100,
}
#: Periods are multiples of this [ms] (T/CSAE 159-2020).
STEP_MS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """When a unit takes something for an event, from those road users that it knows of.

    All thresholds are our choice (confidence D) unless a source is given.

    Parameters
    ----------
    stopped_mps, stopped_s
        A vehicle that is slower for this long has stopped [m/s], [s]. One that tells of a
        breakdown or an air bag counts as soon as it is slower.
    queue_m
        Who waits this near before a junction is not taken for stopped or jammed [m].
    jam_share, jam_vehicles, jam_s
        There is a jam (707) on an edge where so many vehicles, or more, have a mean speed below
        this share of the limit for this long [s].
    slip_vehicles, slip_s
        A road is slippery (408) where within this time [s] so many vehicles told of anti-lock
        brakes, traction or stability control on a stretch of `slip_cell_m`.
    slip_cell_m
        Length of such a stretch [m].
    watched, watch_m
        Hazards that instruments of a unit (weather station, camera) find as soon as they are
        there, and within what distance of the unit [m].
    merge_m
        Two sightings of one sort on one edge within this distance are one event [m].
    clear_s
        An event that was not seen for this long is over [s].
    """

    stopped_mps: float = 0.5
    stopped_s: float = 3.0
    queue_m: float = 100.0
    jam_share: float = 0.3
    jam_vehicles: int = 5
    jam_s: float = 5.0
    slip_vehicles: int = 2
    slip_s: float = 60.0
    slip_cell_m: float = 100.0
    watched: tuple[Watched, ...] = ("rockfall", "closed-road", "fog-bank")
    watch_m: float = 200.0
    merge_m: float = 50.0
    clear_s: float = 5.0

    def __post_init__(self) -> None:
        """Reject thresholds that mean nothing."""
        check_ranges(
            self,
            ("stopped_mps", 0.01, 5.0),
            ("stopped_s", 0.0, 600.0),
            ("queue_m", 0.0, 2000.0),
            ("jam_share", 0.01, 1.0),
            ("jam_vehicles", 1, 1000),
            ("jam_s", 0.0, 600.0),
            ("slip_vehicles", 1, 1000),
            ("slip_s", 0.1, 3600.0),
            ("slip_cell_m", 1.0, 10_000.0),
            ("watch_m", 0.0, 10_000.0),
            ("merge_m", 1.0, 1000.0),
            ("clear_s", 0.1, 600.0),
        )
        for kind in self.watched:
            if kind not in get_args(Watched):
                raise ValueError(f"watched must be of {', '.join(get_args(Watched))}, got {kind!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadsideServiceParams:
    """Messages of roadside units by T/CSAE 159-2020, and what is in them.

    The units are those of section ``roadside``; set ``roadside.rate_hz`` to 0 and leave
    ``roadside.relay`` out, for the RSM of this service takes the place of their periodic message.

    Parameters
    ----------
    map_ms, spat_ms, rsm_ms
        Period of MAP, SPAT and RSM [ms]: at most 1000, 500 and 100; 0 for none.
    static_ms, semi_static_ms, dynamic_ms
        Period of RSI by its class [ms]: at most 1000, 500 and 100; 0 for none. Signs are static;
        slippery roads, jams and fog are semi-static; stopped vehicles and what lies or moves on
        the road are dynamic.
    range_m
        Junctions and roads within this distance of a unit are told [m].
    max_bytes
        Longest message on air [byte]; what is longer is told in several.
    participants
        Most road users in an RSM, 1 to 15 (T/CSAE 53 allows 16 with the unit itself).
    repeat_bsm
        Whether RSM repeats road users that were heard, beside those that sensors see.
    bend_radius_m
        Bends tighter than this have a sign [m].
    slope, slope_m
        Grades steeper than this over this length have a sign [m]; our choice.
    signs
        Most signs that a unit tells, the nearest.
    rules
        When something is an event.
    share_range_m
        Units within this distance share events over fibre [m]; 0 for none.
    fibre_ms, cabinet_ms
        Delay of fibre and of the cabinets at its ends [ms] (cabinet: applications.md 8.3).
    dead_share, dead_from_s
        Share of the units that fail, drawn by id, and when [s].
    """

    map_ms: int = 1000
    spat_ms: int = 100
    rsm_ms: int = 100
    static_ms: int = 1000
    semi_static_ms: int = 500
    dynamic_ms: int = 100
    range_m: float = 300.0
    max_bytes: int = 400
    participants: int = 15
    repeat_bsm: bool = True
    bend_radius_m: float = 125.0
    slope: float = 0.05
    slope_m: float = 100.0
    signs: int = 32
    rules: EventRules = field(default_factory=EventRules)
    share_range_m: float = 5000.0
    fibre_ms: float = 5.0
    cabinet_ms: float = 5.0
    dead_share: float = 0.0
    dead_from_s: float = 0.0

    def __post_init__(self) -> None:
        """Reject periods that the standard does not allow, and what cannot be told."""
        for name, longest in LONGEST_MS.items():
            value = getattr(self, name)
            if value and not (STEP_MS <= value <= longest and value % STEP_MS == 0):
                raise ValueError(
                    f"{name} must be 0 or a multiple of {STEP_MS} up to {longest}, got {value}"
                )
        for key, low, high in (
            ("range_m", 10.0, 5000.0),
            ("max_bytes", 200, 10_000),
            ("participants", 1, 15),
            ("bend_radius_m", 1.0, 10_000.0),
            ("slope", 0.001, 1.0),
            ("slope_m", 1.0, 10_000.0),
            ("signs", 1, 256),
            ("share_range_m", 0.0, 1e6),
            ("fibre_ms", 0.0, 10_000.0),
            ("cabinet_ms", 0.0, 10_000.0),
            ("dead_share", 0.0, 1.0),
            ("dead_from_s", 0.0, 1e6),
        ):
            value = getattr(self, key)
            if not low <= value <= high:
                raise ValueError(f"{key} must be within {low:g} and {high:g}, got {value}")

    @property
    def share_us(self) -> int:
        """Time after which another unit knows of an event [µs]."""
        return round(1000.0 * (self.fibre_ms + self.cabinet_ms))
