"""Fates link by link, and deliveries, against what is counted of whole runs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from v2x.applications.awareness import Awareness
from v2x.applications.base import PacketBatch
from v2x.channel.link_table import LinkTable
from v2x.mobility.fleet import FleetState
from v2x.records.tables import N_OUTCOMES, Outcome, RunRecords
from v2x.scenario.assemble import assemble, load_road_map, simulate
from v2x.scenario.schema import load_scenario
from v2x.sim.fates import N_FATES, FateMemory, fates_of

TICK_US = 100_000
#: A ring road, so that everybody counts, and everything within reach.
RING = (
    ("duration_s", "4"),
    ("warmup_s", "1"),
    ("world.length_m", "1200"),
    ("channel.interaction_range_m", "400"),
    ("records.max_distance_m", "400"),
    ("safety.messages", "true"),
    ("safety.messages_range_m", "400"),
)
LTE = (("access.type", "lte-mode4"),)
TWICE = (("access.type", "nr-mode2"), ("access.blind_retransmissions", "1"))
UNSLOTTED = (("access.type", "ieee80211p"),)
UNICAST = (("messages.cast", "unicast"), ("radio.tx_power_dbm", "-20"))
SCENARIOS = [
    ("highway_3gpp", LTE),
    ("highway_3gpp", TWICE),
    ("highway_3gpp", UNSLOTTED),
    ("groupcast", ()),
    ("groupcast", UNICAST),
]


class Tally:
    """Counts fates by distance bin and fate whenever the memory is about to move on."""

    def __init__(self, bin_width_m: float, counted_from_us: int) -> None:
        self.count = np.zeros((20, 16), dtype=np.int64)
        self._width_m, self._from_us = bin_width_m, counted_from_us
        self._n_before: NDArray[np.int64] | None = None
        self.packets: Any = None

    def take(self, memory: FateMemory, links: LinkTable) -> None:
        """Take the fates that are new since the last call."""
        if self._n_before is None:
            self._n_before = np.zeros_like(memory.n_finished)
        n_new = memory.n_finished - self._n_before
        assert n_new.max(initial=0) <= N_FATES
        sender = np.searchsorted(links.row_start, np.arange(links.n_links), side="right") - 1
        column = (memory.n_finished[:, None] - 1 - np.arange(N_FATES)) % N_FATES
        packet = np.take_along_axis(memory.recent, column, axis=1)
        link, place = np.nonzero(np.arange(N_FATES) < n_new[sender, None])
        counts = self.packets["generated_us"][packet[sender[link], place]] >= self._from_us
        link, place = link[counts], place[counts]
        fate = fates_of(links.column("fates"))[link, place]
        at = np.maximum(np.ceil(links.distance[link] / self._width_m).astype(int) - 1, 0)
        inside = at < len(self.count)
        np.add.at(self.count, (at[inside], fate[inside]), 1)
        self._n_before = memory.n_finished.copy()


@pytest.fixture
def tally(monkeypatch: pytest.MonkeyPatch) -> Tally:
    """Listen to every memory of fates."""
    found = Tally(20.0, 1_000_000)
    keep, follow = FateMemory.keep, FateMemory.follow

    def kept(self: FateMemory, links: LinkTable, *rest: Any) -> None:
        found.take(self, links)
        keep(self, links, *rest)

    def followed(self: FateMemory, links: LinkTable, *rest: Any) -> None:
        found.take(self, links)
        follow(self, links, *rest)

    monkeypatch.setattr(FateMemory, "keep", kept)
    monkeypatch.setattr(FateMemory, "follow", followed)
    return found


@pytest.mark.parametrize(("name", "changes"), SCENARIOS)
def test_fates_are_those_that_were_counted(
    name: str, changes: tuple[tuple[str, str], ...], tally: Tally
) -> None:
    """Every packet at every receiver, in each distance bin and with each outcome: the same."""
    scenario = load_scenario(name, [*RING, *changes])
    run = assemble(scenario, load_road_map(scenario))
    tally.packets = run.parts.packets
    run.simulation.run()
    links = run.recorder.tables(0)["links"]
    counted = np.zeros((20, N_OUTCOMES), dtype=np.int64)
    at = np.rint(links["bin_upper_m"] / 20.0).astype(int) - 1
    np.add.at(counted, (at, links["outcome"]), links["n"])
    assert np.array_equal(tally.count[:, :N_OUTCOMES], counted)
    assert counted.sum() > 1000
    assert counted[:, Outcome.RECEIVED].sum() > 0
    assert np.count_nonzero(counted.sum(axis=0)) >= 3


@pytest.mark.parametrize(("name", "changes"), SCENARIOS)
def test_deliveries_are_the_receptions_of_packets_with_a_topic(
    name: str, changes: tuple[tuple[str, str], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many of each packet as receivers were counted, none twice, and none of a state."""
    said = Awareness.packets

    def with_topics(self: Awareness, start: int, end: int, fleet: FleetState) -> PacketBatch:
        batch = said(self, start, end, fleet)
        return replace(batch, topic=((batch.generated_us // 7) % 3).astype(np.int32))

    monkeypatch.setattr(Awareness, "packets", with_topics)
    scenario = load_scenario(name, [*RING, *changes])
    taken = []
    run = assemble(
        scenario,
        load_road_map(scenario),
        on_tick=lambda _: taken.append(run.parts.medium.take_deliveries()),
    )
    run.simulation.run()
    taken.append(run.parts.medium.take_deliveries())
    packet, receiver, slot = np.concatenate(taken).T
    assert np.all(np.diff(slot) >= 0)
    assert len(np.unique(packet * 100_000 + receiver)) == len(packet) > 500
    n_delivered = np.bincount(packet, minlength=run.parts.packets.n_packets)
    table = run.recorder.tables(0)["packets"]
    told = table["topic"] > 0
    assert told.any()
    assert (~told).any()
    # while nobody moves: from the first transmission until feedback on the last could come
    first, last = table["first_slot_us"] // TICK_US, (table["last_slot_us"] + 20_000) // TICK_US
    told &= first == last
    assert told.sum() > 500
    assert np.array_equal(n_delivered[table["packet"][told]], table["n_received"][told])
    assert not n_delivered[table["packet"][table["topic"] == 0]].any()


@cache
def braking(*changes: tuple[str, str]) -> RunRecords:
    """Return a run with conflicts."""
    used = (("duration_s", "12"), ("warmup_s", "2"), ("safety.messages", "true"), *changes)
    return simulate(load_scenario("bridge_fog", used))


CHANGES = [
    (),
    (("access.type", "nr-mode2"), ("access.blind_retransmissions", "1")),
    (("access.type", "ieee80211p"),),
]


def frame(records: RunRecords, name: str) -> pd.DataFrame:
    return pd.DataFrame(dict(records.tables[name]))


@pytest.mark.parametrize("changes", CHANGES)
def test_every_message_before_a_conflict_finds_its_packet(
    changes: tuple[tuple[str, str], ...],
) -> None:
    """One merge each way: the packet is of the sender, and its conflict is of the two."""
    records = braking(*changes)
    messages, conflicts = frame(records, "conflict_messages"), frame(records, "conflicts")
    assert len(messages) > 300
    key = ["replication", "packet"]
    joined = messages.merge(frame(records, "packets"), on=key, validate="many_to_one")
    assert len(joined) == len(messages)
    assert (joined.sender_id == joined.tx_id).all()
    assert (joined.generated_us_x == joined.generated_us_y).all()
    of = messages.merge(conflicts, on=["replication", "event"], validate="many_to_one")
    assert len(of) == len(messages)
    ends, pair = of[["sender_id", "receiver_id"]], of[["vehicle_id", "other_id"]]
    assert np.array_equal(np.sort(ends.to_numpy(), axis=1), np.sort(pair.to_numpy(), axis=1))
    assert (of.generated_us <= of.worst_s * 1e6 + 0.5).all()
    assert (of.generated_us >= (of.begin_s - 5.0) * 1e6 - 0.5).all()
    assert not messages.duplicated(["event", "packet", "receiver_id"]).any()
    assert messages.distance_m.between(0.0, 150.0 + 5.0).all()


@pytest.mark.parametrize("changes", CHANGES)
def test_no_packet_of_a_near_pair_is_missing(changes: tuple[tuple[str, str], ...]) -> None:
    """Two who were near each other all the time: every packet between warm-up and worst."""
    records = braking(*changes)
    messages, conflicts = frame(records, "conflict_messages"), frame(records, "conflicts")
    packets = frame(records, "packets")
    n = 0
    for row in conflicts.itertuples():
        ours = messages[messages.event == row.event]
        if not len(ours) or ours.distance_m.max() > 120.0:
            continue
        first_us = max((row.begin_s - 5.0) * 1e6, 2_000_000)
        for sender in (row.vehicle_id, row.other_id):
            all_of = packets[
                (packets.tx_id == sender)
                & (packets.generated_us >= first_us)
                & (packets.generated_us <= row.worst_s * 1e6)
            ]
            assert ours[ours.sender_id == sender].packet.tolist() == all_of.packet.tolist()
            n += len(all_of)
    assert n > 200


@pytest.mark.parametrize("changes", CHANGES)
def test_what_is_known_is_told_by_the_messages(changes: tuple[tuple[str, str], ...]) -> None:
    records = braking(*changes)
    messages, knowledge = frame(records, "conflict_messages"), frame(records, "conflict_knowledge")
    conflicts = frame(records, "conflicts")
    assert len(knowledge) == 2 * len(conflicts)
    assert knowledge.receiver_id[::2].tolist() == conflicts.vehicle_id.tolist()
    key = ["replication", "event", "receiver_id"]
    n = messages.groupby(key).size().rename("n")
    both = knowledge.merge(n, on=key, how="left").fillna({"n": 0})
    assert (both.n_messages == both.n).all()
    by_outcome = [f"n_{outcome.name.lower()}" for outcome in Outcome]
    assert (knowledge[by_outcome].sum(axis=1) == knowledge.n_messages).all()
    assert (knowledge.n_in_time_received <= knowledge.n_in_time).all()
    told = knowledge[knowledge.n_received > 0]
    assert (told.age_worst_s < 1.0).mean() > 0.9
    assert (told.age_worst_s > 0.0).all()


def test_nothing_else_moves_when_messages_are_followed() -> None:
    with_it, without = braking(), braking(("safety.messages", "false"))
    for name in ("conflict_messages", "conflict_knowledge"):
        assert not len(without.tables[name]["event"])
    for name in set(without.tables) - {"conflict_messages", "conflict_knowledge"}:
        for column, values in without.tables[name].items():
            assert values.tobytes() == with_it.tables[name][column].tobytes(), (name, column)
