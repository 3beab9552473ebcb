"""What happened in a run: the outcome of each reception, and the tables that hold the rest.

Every table is a set of equally long columns. :data:`SCHEMAS` documents each column with its
dtype and unit; the store writes exactly these and the metrics read nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.records.column import RUN, Column
from v2x.records.service_tables import SERVICE_SCHEMAS


class Outcome(IntEnum):
    """Fate of one packet at one intended receiver; exactly one applies.

    The order is the order in which causes are tested, so each later one means that no
    earlier one applied.
    """

    RECEIVED = 0
    #: The receiver was transmitting in the slot.
    HALF_DUPLEX = 1
    #: The received power is below the sensitivity.
    BELOW_SENSITIVITY = 2
    #: The transport block fails even without interference.
    PROPAGATION = 3
    #: The transport block fails only because of interference.
    COLLISION = 4
    #: The transport block would have been decoded, but its control information was lost.
    CONTROL_LOST = 5
    #: The sender dropped the packet before any transmission.
    OUT_OF_BUDGET = 6
    #: Decoded, but its security envelope could not be verified.
    UNVERIFIED = 7


N_OUTCOMES = len(Outcome)
OUTCOME_NAMES = tuple(outcome.name.lower() for outcome in Outcome)

#: Ids from here on are those of pedestrians, up to those of roadside units.
FIRST_PEDESTRIAN_ID = 2 << 30
#: Ids from here on are those of roadside units; vehicles count up from 0. It fits into the
#: 32 bits of an id that kernels hash, and no run has three billion road users.
FIRST_ROADSIDE_ID = 3 << 30


class Direction(IntEnum):
    """Who sends to whom: V is any road user, I a roadside unit."""

    V2V = 0
    V2I = 1
    I2V = 2
    I2I = 3


N_DIRECTIONS = len(Direction)


class Sky(IntEnum):
    """What a satellite receiver sees of the sky."""

    OPEN = 0
    #: Buildings or slopes raise the horizon.
    CANYON = 1
    #: A bridge passes overhead.
    DECK = 2
    TUNNEL = 3


class NetworkPath(IntEnum):
    """Where a message through the network is turned round, or V2I2V over roadside units."""

    MEC_GNB = 0
    MEC_AGGREGATION = 1
    MEC_CORE = 2
    CENTRAL = 3
    CLOUD = 4
    V2I2V = 5


NETWORK_PATH_NAMES = tuple(path.name.lower().replace("_", "-") for path in NetworkPath)


class NetworkOutcome(IntEnum):
    """Fate of one message through the network at one intended receiver; exactly one applies."""

    DELIVERED = 0
    #: The sender has no coverage.
    NO_UPLINK = 1
    #: The receiver has no coverage.
    NO_DOWNLINK = 2
    #: A cell turned the message away.
    OVERLOAD = 3
    #: Lost after the last HARQ retransmission.
    LOST = 4


NETWORK_OUTCOME_NAMES = tuple(outcome.name.lower() for outcome in NetworkOutcome)
#: Parts of the delay through the network, about in the order in which they pass; kernels fill
#: columns of this order.
NETWORK_PARTS = (
    "handover",
    "uplink_grant",
    "uplink_queue",
    "uplink_wait",
    "uplink_air",
    "uplink_harq",
    "processing",
    "transport",
    "compute",
    "downlink_queue",
    "downlink_wait",
    "downlink_air",
    "downlink_harq",
)
#: Bins of delays through the network [ms]: their width, and where the last and open one begins.
NETWORK_BIN_MS = 0.1
NETWORK_OPEN_MS = 1000.0


class ConflictKind(IntEnum):
    """How two road users come near each other."""

    #: One behind the other.
    FOLLOWING = 0
    #: On paths that cross, at 30 to 150 degrees.
    CROSSING = 1
    #: Towards each other.
    HEAD_ON = 2
    #: Side by side or from two roads into one.
    MERGING = 3


CONFLICT_KIND_NAMES = tuple(kind.name.lower() for kind in ConflictKind)


SKY_NAMES = tuple(sky.name.lower() for sky in Sky)
#: Bins of position errors [m]: their width, and where the last and open one begins.
POSITION_BIN_M = 0.25
POSITION_OPEN_M = 200.0

#: Parts of the delay of what roadside units relay, in the order in which they pass.
RELAY_PARTS = ("to_unit", "fibre", "wait_for_message", "from_unit")
#: Where the last and open bin of its histogram begins [ms]; the others are 1 ms wide.
RELAY_OPEN_MS = 10_000


SCHEMAS: Mapping[str, Mapping[str, Column]] = {
    "links": {
        **RUN,
        "block_start_s": Column("float64", "s", "start of the time block of the transmissions"),
        "direction": Column("int32", "", "Direction; only V2V in runs without roadside units"),
        "bin_upper_m": Column("float64", "m", "upper end of the distance bin (lower, upper]"),
        "outcome": Column("int32", "", "Outcome of packets at intended receivers"),
        "n": Column("int64", "", "packet-receiver pairs"),
    },
    "packets": {
        **RUN,
        "packet": Column("int64", "", "running number of the packet"),
        "tx_id": Column("int64", "", "stable id of the sender"),
        "generated_us": Column("int64", "µs", "when the application generated it"),
        "first_slot_us": Column("int64", "µs", "start of its first transmission, -1 if none"),
        "last_slot_us": Column("int64", "µs", "start of its last transmission, -1 if none"),
        "n_attempts": Column("int32", "", "transmissions made"),
        "size_bytes": Column("int32", "byte", "size handed to the access layer"),
        "priority": Column("int32", "", "PPPP, 1 (highest) to 8"),
        "event": Column("bool", "", "whether it tells of an event and goes once"),
        "topic": Column("int32", "", "Topic, what it is about; 0 is the state of its sender"),
        "n_subchannels": Column("int32", "", "subchannels per transmission"),
        "n_intended": Column("int32", "", "road users within the evaluated distance"),
        "n_received": Column("int32", "", "of these, receivers that decoded it"),
        "n_received_first": Column("int32", "", "of these, at the first transmission"),
    },
    "feedback": {
        **RUN,
        "packet": Column("int64", "", "running number of the packet"),
        "n_asked": Column("int32", "", "its transmissions that asked for feedback"),
        "n_lacked": Column("int32", "", "of these, those that left somebody addressed without"),
        "n_answers": Column("int32", "", "feedback resources used, one for each answer sent"),
        "n_not_sent": Column("int32", "", "answers not sent: the node listened, or had too many"),
        "n_silent": Column("int32", "", "members of whom the sender heard nothing (DTX)"),
        "n_missed": Column("int32", "", "transmissions taken as received though not by all"),
        "n_needless": Column("int32", "", "transmissions taken as lost though received by all"),
        "n_released": Column("int32", "", "reserved transmissions that were not made"),
    },
    "freshness": {
        **RUN,
        "quantity": Column("int32", "", "0 inter-packet gap (IPG), 1 age of information (AoI)"),
        "value_ms": Column("float64", "ms", "lower end of a bin 1 ms wide; the last is open"),
        "n": Column("int64", "", "gaps (IPG) or samples (AoI) in the bin"),
    },
    "load": {
        **RUN,
        "time_s": Column("float64", "s", "end of the measurement window"),
        "node_id": Column("int64", "", "stable id of the measuring node"),
        "cbr": Column("float64", "", "channel busy ratio"),
    },
    "sensing": {
        **RUN,
        "time_s": Column("float64", "s", "end of the time since the last row of the kind"),
        "kind": Column("int32", "", "NodeKind of the nodes that count"),
        "n_slots": Column("int64", "", "slots, summed over the nodes"),
        "n_monitored": Column("int64", "", "of these, slots in which sensing needs the receiver"),
    },
    "congestion": {
        **RUN,
        "time_s": Column("float64", "s", "end of the time since the last row of the node"),
        "node_id": Column("int64", "", "stable id of the node"),
        "cr": Column("float64", "", "channel occupancy ratio over the last second"),
        "interval_ms": Column("float64", "ms", "least time between messages, NaN without one"),
        "n_offered": Column("int64", "", "messages congestion control was asked about"),
        "n_suppressed": Column("int64", "", "of these, messages it held back"),
        "n_adapted": Column("int64", "", "of these, messages sent with another MCS and width"),
        "tx_power_dbm": Column("float64", "dBm", "transmit power it sets, NaN if it sets none"),
    },
    "safety": {
        **RUN,
        "time_s": Column("float64", "s", "time of the state"),
        "follower_id": Column("int64", "", "stable id of the following vehicle"),
        "leader_id": Column("int64", "", "stable id of the vehicle ahead"),
        "gap_m": Column("float64", "m", "bumper-to-bumper distance, negative on overlap"),
        "follower_speed_mps": Column("float64", "m/s", "speed of the follower"),
        "leader_speed_mps": Column("float64", "m/s", "speed of the leader"),
    },
    "conflicts": {
        **RUN,
        "event": Column("int64", "", "number of the episode in its replication, by its beginning"),
        "kind": Column("int32", "", "ConflictKind at the worst instant"),
        "vehicle_id": Column("int64", "", "who has to brake: the rear or later one"),
        "other_id": Column("int64", "", "the other one"),
        "begin_s": Column("float64", "s", "first instant on collision course or of a crossing"),
        "end_s": Column("float64", "s", "last such instant"),
        "worst_s": Column("float64", "s", "instant of the smallest TTC; what follows is of then"),
        "x_m": Column("float64", "m", "east, local, of the vehicle or the crossing"),
        "y_m": Column("float64", "m", "north, local"),
        "z_m": Column("float64", "m", "height of the road"),
        "edge": Column("int32", "", "road edge of the vehicle"),
        "level": Column("int32", "", "its deck level"),
        "structure": Column("int32", "", "its Structure: 0 ground, 1 bridge, 2 tunnel; -1 off"),
        "grade": Column("float64", "", "rise over run under it, uphill positive"),
        "friction": Column("float64", "", "friction of the road"),
        "speed_mps": Column("float64", "m/s", "speed of the vehicle"),
        "other_speed_mps": Column("float64", "m/s", "speed of the other one"),
        "closing_mps": Column("float64", "m/s", "rate at which the distance shrinks"),
        "angle_rad": Column("float64", "rad", "angle between the directions, 0 to pi"),
        "min_ttc_s": Column("float64", "s", "smallest TTC, 0 on contact, infinite if none"),
        "min_mttc_s": Column("float64", "s", "smallest TTC with accelerations, infinite if none"),
        "tet_s": Column("float64", "s", "time spent below the threshold of TTC (TET)"),
        "tit_s2": Column("float64", "s²", "threshold less TTC, integrated over this time (TIT)"),
        "max_drac_mps2": Column("float64", "m/s²", "largest DRAC, NaN if braking never helps"),
        "max_drac_share": Column("float64", "", "largest DRAC over the available deceleration"),
        "cpi_s": Column("float64", "s", "probability that brakes do not suffice, integrated"),
        "rss_s": Column("float64", "s", "time spent closer than RSS allows"),
        "pet_s": Column("float64", "s", "smallest post-encroachment time, NaN if none crossed"),
        "encroachment_s": Column("float64", "s", "how long the first was in the path then, or NaN"),
        "collision": Column("bool", "", "whether the bodies touched"),
        "collision_speed_mps": Column("float64", "m/s", "velocity difference at contact, or NaN"),
    },
    "conflict_messages": {
        **RUN,
        "event": Column("int64", "", "the conflict"),
        "packet": Column("int64", "", "a packet with the state of one, generated before the worst"),
        "sender_id": Column("int64", "", "stable id of its sender, one of the two"),
        "receiver_id": Column("int64", "", "stable id of the other of the two"),
        "generated_us": Column("int64", "µs", "when the application generated it"),
        "outcome": Column(
            "int32", "", "Outcome at the receiver; 13 not addressed to it, 14 not judged"
        ),
        "distance_m": Column("float64", "m", "between the two at the motion before, or NaN"),
        "in_time": Column("bool", "", "whether a driver warned by it could have stopped"),
    },
    "conflict_knowledge": {
        **RUN,
        "event": Column("int64", "", "the conflict"),
        "receiver_id": Column("int64", "", "stable id of one of the two"),
        "sender_id": Column("int64", "", "stable id of the other"),
        "decision_s": Column("float64", "s", "last moment for a message, NaN if braking is none"),
        "age_begin_s": Column("float64", "s", "age of what it knew of the other at the beginning"),
        "age_decision_s": Column("float64", "s", "the same at the decision, or the worst"),
        "age_worst_s": Column("float64", "s", "the same at the worst; NaN if it knew nothing"),
        "n_messages": Column("int64", "", "messages of the other before the worst"),
        "n_in_time": Column("int64", "", "of these, early enough to stop"),
        "n_in_time_received": Column("int64", "", "of these, received"),
        **{
            f"n_{name}": Column("int64", "", f"messages with this outcome: {name}")
            for name in OUTCOME_NAMES
        },
    },
    "exposure": {
        **RUN,
        "block_start_s": Column("float64", "s", "start of the time block"),
        "vehicle_s": Column("float64", "s", "time, summed over vehicles"),
        "distance_m": Column("float64", "m", "way, summed over vehicles"),
        "following_s": Column("float64", "s", "time behind a leader, summed over vehicles"),
        "tet_s": Column("float64", "s", "time of pairs below the threshold of TTC"),
        "tit_s2": Column("float64", "s²", "threshold less TTC, integrated over this time"),
        "cpi_s": Column("float64", "s", "probability that brakes do not suffice, integrated"),
        "rss_s": Column("float64", "s", "time behind a leader closer than RSS allows"),
        "rss_opposite_s": Column("float64", "s", "the same of pairs in opposite directions"),
        "rss_lateral_s": Column("float64", "s", "the same of pairs beside each other"),
        "n_hard_brakes": Column("int64", "", "times a vehicle began to brake hard"),
        "n_jerks": Column("int64", "", "times a vehicle began to jerk hard"),
        "max_jerk_mps3": Column("float64", "m/s³", "largest jerk of a vehicle, either sign"),
    },
    "energy": {
        **RUN,
        "block_start_s": Column("float64", "s", "start of the time block"),
        "vehicle_id": Column("int64", "", "stable id of the vehicle"),
        "kind": Column("int32", "", "its NodeKind"),
        "electric": Column("bool", "", "whether it drives on a battery"),
        "grade_class": Column("int32", "", "0 below -4.5 %, 1, 2 about level, 3, 4 from 4.5 % on"),
        "duration_s": Column("float64", "s", "time on such grades in the block"),
        "distance_m": Column("float64", "m", "way in this time"),
        "drive_wh": Column("float64", "Wh", "energy from the battery for driving; 0 with fuel"),
        "regen_wh": Column("float64", "Wh", "braking energy that went back into the battery"),
        "aux_wh": Column("float64", "Wh", "energy from the battery for all else"),
        "fuel_g": Column("float64", "g", "fuel burnt; 0 if electric"),
        "co2_g": Column("float64", "g", "CO2 of the fuel"),
        "n_stops": Column("int64", "", "halts that began"),
        "delay_s": Column("float64", "s", "time lost against driving at the speed limit"),
        "jerk2_m2ps5": Column("float64", "m²/s⁵", "squared jerk, integrated over time"),
    },
    "certificates": {
        **RUN,
        "delay_us": Column(
            "int64",
            "µs",
            "from the first state message of a sender to the first verified; -1: none",
        ),
        "n_unverified": Column("int64", "", "receptions without the certificate in between"),
    },
    "detections": {
        **RUN,
        "id": Column("int64", "", "stable id of a sender of state messages"),
        "attacks": Column("bool", "", "whether it is an attacker"),
        "n_true": Column("int64", "", "of its true messages, those looked at by receivers"),
        "n_true_dropped": Column("int64", "", "those of them that were not believed"),
        "n_forged": Column("int64", "", "of its forged messages, those looked at by receivers"),
        "n_forged_dropped": Column("int64", "", "those of them that were not believed"),
    },
    "devices": {
        **RUN,
        "id": Column("int64", "", "stable id of a road user that was there after the warm-up"),
        "kind": Column("int32", "", "NodeKind"),
        "equipped": Column("bool", "", "whether it has a device"),
    },
    "warnings": {
        **RUN,
        "warning": Column("int64", "", "number of the alert in its replication, by its beginning"),
        "application": Column("int32", "", "place of its sort in the fact `warnings` of the run"),
        "vehicle_id": Column("int64", "", "whose driver is told"),
        "other_id": Column("int64", "", "the road user it is about, -1 if about none"),
        "subject": Column("int64", "", "what it is about; the id of the other, or its own number"),
        "begin_s": Column("float64", "s", "when it began; what follows is of then"),
        "end_s": Column("float64", "s", "when its condition was given for the last time"),
        "first_stage": Column("int32", "", "1 inform, 2 warn, 3 imminent"),
        "stage": Column("int32", "", "highest stage until the end"),
        "action": Column("int32", "", "mobility/reactions.py Action asked for"),
        "x_m": Column("float64", "m", "east, local, of the vehicle"),
        "y_m": Column("float64", "m", "north, local"),
        "z_m": Column("float64", "m", "height of the road"),
        "edge": Column("int32", "", "road edge of the vehicle"),
        "level": Column("int32", "", "its deck level"),
        "speed_mps": Column("float64", "m/s", "speed of the vehicle"),
        "closing_mps": Column("float64", "m/s", "speed towards the danger, as known; or NaN"),
        "distance_m": Column("float64", "m", "way to the danger, as known; or NaN"),
        "needed_m": Column("float64", "m", "way a warned driver needs to avoid it, or NaN"),
        "lead_s": Column("float64", "s", "distance over closing speed, or NaN"),
        "generated_us": Column("int64", "µs", "when the information it rests on was measured"),
        "age_s": Column("float64", "s", "age of this information"),
        "other_deck": Column("bool", "", "whether the other is truly on a deck that does not meet"),
    },
    **SERVICE_SCHEMAS,
    "trajectories": {
        **RUN,
        "time_s": Column("float64", "s", "time of the state"),
        "id": Column("int64", "", "stable id"),
        "kind": Column("int32", "", "NodeKind"),
        "x_m": Column("float64", "m", "east, local"),
        "y_m": Column("float64", "m", "north, local"),
        "z_m": Column("float64", "m", "height of the road"),
        "heading_rad": Column("float64", "rad", "counter-clockwise from east"),
        "speed_mps": Column("float64", "m/s", "speed"),
        "acceleration_mps2": Column("float64", "m/s²", "acceleration"),
        "edge": Column("int32", "", "road edge"),
        "lane": Column("int32", "", "lane, 0 rightmost"),
        "offset_m": Column("float64", "m", "front bumper along the edge"),
        "level": Column("int32", "", "deck level"),
    },
    "awareness": {
        **RUN,
        "time_s": Column("float64", "s", "time of the sample"),
        "bin_upper_m": Column("float64", "m", "upper end of the distance bin (lower, upper]"),
        "n_pairs": Column("int64", "", "ordered pairs of road users"),
        "n_direct": Column("int64", "", "of these, the second heard the first of late"),
        "n_with_relay": Column("int64", "", "of these, directly or through roadside units"),
        "n_other_level": Column("int64", "", "pairs on decks or in tubes that do not meet"),
        "n_other_level_known": Column("int64", "", "of these, heard directly"),
    },
    "link_states": {
        **RUN,
        "time_s": Column("float64", "s", "time of the link table"),
        "state": Column("int32", "", "LinkState"),
        "n": Column("int64", "", "directed links within the evaluated distance"),
    },
    "positions": {
        **RUN,
        "time_s": Column("float64", "s", "time of the state"),
        "sky": Column("int32", "", "Sky"),
        "n": Column("int64", "", "vehicles under this sky"),
        "sum_horizontal_m2": Column("float64", "m²", "squared errors in plan, summed"),
        "sum_vertical_m2": Column("float64", "m²", "squared errors in height, summed"),
        "n_wrong_edge_plan": Column(
            "int64", "", "vehicles matched to another edge, without height"
        ),
        "n_wrong_level_plan": Column("int64", "", "the same, to an edge of another level"),
        "n_wrong_edge_height": Column(
            "int64", "", "vehicles matched to another edge, by height too"
        ),
        "n_wrong_level_height": Column("int64", "", "the same, to an edge of another level"),
    },
    "position_errors": {
        **RUN,
        "sky": Column("int32", "", "Sky"),
        "axis": Column("int32", "", "0 horizontal, 1 vertical"),
        "value_m": Column("float64", "m", "lower end of a bin 0.25 m wide; the last is open"),
        "n": Column("int64", "", "vehicles and states with an error of this size"),
    },
    "network": {
        **RUN,
        "block_start_s": Column("float64", "s", "start of the time block of the generation"),
        "path": Column("int32", "", "NetworkPath"),
        "outcome": Column("int32", "", "NetworkOutcome of messages at intended receivers"),
        "n": Column("int64", "", "message-receiver pairs"),
    },
    "network_parts": {
        **RUN,
        "block_start_s": Column("float64", "s", "start of the time block of the generation"),
        "path": Column("int32", "", "NetworkPath"),
        "part": Column("int32", "", "index into NETWORK_PARTS"),
        "sum_ms": Column("float64", "ms", "this part of the delay, summed over deliveries"),
    },
    "network_latency": {
        **RUN,
        "path": Column("int32", "", "NetworkPath"),
        "value_ms": Column("float64", "ms", "lower end of a bin 0.1 ms wide; the last is open"),
        "n": Column("int64", "", "deliveries with a delay of this size"),
    },
    "network_cells": {
        **RUN,
        "time_s": Column("float64", "s", "time of the state"),
        "cell": Column("int32", "", "base station, -1 for those without coverage"),
        "n_users": Column("int64", "", "road users attached to it"),
        "n_handovers": Column("int64", "", "road users it took over since the last state"),
        "uplink_load": Column("float64", "", "share of its uplink that is asked for"),
        "downlink_load": Column("float64", "", "share of its downlink that is asked for"),
    },
    "relay": {
        **RUN,
        "block_start_s": Column("float64", "s", "start of the time block of the generation"),
        "n": Column("int64", "", "states of road users that roadside units told to receivers"),
        "n_newer": Column("int64", "", "of these, newer than all that was heard of the sender"),
        "to_unit_ms": Column("float64", "ms", "generation until a unit has decoded it, summed"),
        "fibre_ms": Column("float64", "ms", "fibre to the unit that tells it, summed"),
        "wait_for_message_ms": Column("float64", "ms", "wait for a message with room, summed"),
        "from_unit_ms": Column("float64", "ms", "message generated until decoded, summed"),
    },
    "relay_latency": {
        **RUN,
        "value_ms": Column("float64", "ms", "lower end of a bin 1 ms wide; the last is open"),
        "n": Column("int64", "", "told states with an end-to-end delay of this size"),
    },
}

Table = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class RunRecords:
    """Everything a run leaves behind.

    Attributes
    ----------
    tables
        Name to columns; names and columns are those of :data:`SCHEMAS`.
    facts
        What holds for the whole run and is not a table, ready for JSON: ``simulated_s``,
        ``wall_s``, ``warmup_s``, ``n_vehicles``, ``bin_width_m``, ``awareness_range_m``,
        ``edge_margin_m``, ``replications``, ``mobility_period_s``, ...
    """

    tables: Mapping[str, Table]
    facts: Mapping[str, Any]


def empty_table(name: str) -> dict[str, NDArray[Any]]:
    """Return the table `name` with no rows."""
    return {key: np.empty(0, dtype=column.dtype) for key, column in SCHEMAS[name].items()}


def check_table(name: str, table: Table) -> None:
    """Raise ValueError if `table` does not have the columns, dtypes and shape of its schema."""
    schema = SCHEMAS[name]
    if set(table) != set(schema):
        raise ValueError(f"table {name!r} has columns {sorted(table)}, not {sorted(schema)}")
    lengths = {len(values) for values in table.values()}
    if len(lengths) > 1:
        raise ValueError(f"table {name!r} has columns of different lengths {sorted(lengths)}")
    for key, column in schema.items():
        if table[key].dtype != np.dtype(column.dtype):
            raise ValueError(f"{name}.{key} is {table[key].dtype}, not {column.dtype}")
