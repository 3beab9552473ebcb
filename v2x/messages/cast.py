"""Whom a message is for: everybody, one vehicle, a group, or all within a range."""

from __future__ import annotations

from dataclasses import dataclass

#: Cast types of NR sidelink (TS 38.212 8.4.1.1): groupcast with NACK only is option 1 of
#: TS 38.213 16.3, groupcast with ACK and NACK option 2.
BROADCAST, UNICAST, GROUPCAST_NACK, GROUPCAST_ACK = (
    "broadcast",
    "unicast",
    "groupcast-nack",
    "groupcast-ack",
)
CAST_TYPES = (BROADCAST, UNICAST, GROUPCAST_NACK, GROUPCAST_ACK)
#: Communication ranges that SCI format 2-B can name [m] (TS 38.331 sl-TransRange; from memory,
#: medium confidence).
COMMUNICATION_RANGES_M = (
    *(20, 50, 80, 100, 120, 150, 180, 200, 220, 250, 270, 300, 350, 370),
    *(400, 420, 450, 480, 500, 550, 600, 700, 1000),
)
#: Lengths of a zone [m] (TS 38.331 sl-ZoneLength).
ZONE_LENGTHS_M = (5, 10, 20, 30, 40, 50)
#: Most members of a group; receivers of one message are flagged in 32 bits.
MAX_GROUP = 16


@dataclass(frozen=True, kw_only=True)
class CastParams:
    """Whom the messages of road users are for; to be inherited, it has no room for values.

    Parameters
    ----------
    cast
        "broadcast" to all; "unicast" to one vehicle; "groupcast-ack" to a group whose members
        each acknowledge (TS 38.213 16.3, option 2); "groupcast-nack" to all within `range_m`,
        who complain only if they failed (option 1).
    range_m
        Addressees are within this distance [m]; for "groupcast-nack" a communication range of
        TS 38.331 sl-TransRange (20 to 1000).
    addressee
        How unicast chooses: "nearest" vehicle, or the one "ahead" on the own path. The choice
        stays until that vehicle is out of range.
    group_size
        Members of a group, the sender not counted; the nearest vehicles, each until it is out
        of range.
    zone_length_m
        Side of the zones by which receivers of "groupcast-nack" know how far the sender is [m],
        TS 38.331 sl-ZoneLength.
    """

    __slots__ = ()

    cast: str = BROADCAST
    range_m: float = 150.0
    addressee: str = "nearest"
    group_size: int = 4
    zone_length_m: int = 20

    def check_cast(self) -> None:
        """Reject what the standard does not list."""
        for name, allowed in (
            ("cast", CAST_TYPES),
            ("addressee", ("nearest", "ahead")),
            ("zone_length_m", ZONE_LENGTHS_M),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")
        if self.cast == GROUPCAST_NACK and self.range_m not in COMMUNICATION_RANGES_M:
            raise ValueError(
                f"range_m must be one of {COMMUNICATION_RANGES_M} with {GROUPCAST_NACK!r}, "
                f"got {self.range_m:g}"
            )
        if not self.range_m > 0:
            raise ValueError(f"range_m must be > 0, got {self.range_m}")
        if not 1 <= self.group_size <= MAX_GROUP:
            raise ValueError(f"group_size must be within 1 and {MAX_GROUP}, got {self.group_size}")

    @property
    def n_members(self) -> int:
        """Places for chosen addressees: none where a rule says who is meant.

        Examples
        --------
        >>> from v2x.applications.awareness import AwarenessParams
        >>> [AwarenessParams(cast=cast).n_members for cast in CAST_TYPES]
        [0, 1, 0, 4]
        """
        return {UNICAST: 1, GROUPCAST_ACK: self.group_size}.get(self.cast, 0)
