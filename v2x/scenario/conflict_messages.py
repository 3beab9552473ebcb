"""From the section ``safety`` to what follows the messages before conflicts."""

from __future__ import annotations

from v2x.channel.link_table import LinkTable
from v2x.scenario.model import Scenario
from v2x.sim.clock import to_us
from v2x.sim.fates import FateMemory
from v2x.sim.packet_fates import FateTimes, PacketFates
from v2x.sim.packet_log import PacketLog
from v2x.sim.recorder import FleetWatch
from v2x.sim.safety.conflicts import ConflictWatch
from v2x.units import US_PER_MS


def with_packet_fates(
    scenario: Scenario,
    watches: tuple[FleetWatch, ...],
    memory: FateMemory | None,
    links: LinkTable,
    packets: PacketLog,
    *,
    n_rows: int,
    period_us: int,
    slot_us: int,
    wrap_length_m: float,
) -> tuple[FleetWatch, ...]:
    """Return `watches`, and behind them one that follows the messages before conflicts.

    Parameters
    ----------
    scenario
        Uses the sections ``safety`` and ``phy``.
    watches
        Must have one for conflicts, if anything is remembered.
    memory
        Remembers what became of packets; None if nobody asks.
    links, packets
        Of the run.
    n_rows
        Rows of the fleet.
    period_us, slot_us
        Time between two states of the fleet, and length of a slot [µs].
    wrap_length_m
        Period of the map in x [m], 0 without.
    """
    if memory is None:
        return watches
    (conflicts,) = (watch for watch in watches if isinstance(watch, ConflictWatch))
    follower = PacketFates(
        scenario.safety,
        conflicts,
        memory,
        links,
        packets,
        FateTimes(
            period_us=period_us,
            known_after_us=slot_us + round(scenario.phy.decode_ms * US_PER_MS),
            counted_from_us=to_us(scenario.warmup_s),
            duration_us=to_us(scenario.duration_s),
        ),
        n_rows=n_rows,
        wrap_length_m=wrap_length_m,
    )
    return (*watches, follower)
