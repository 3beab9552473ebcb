"""The air between the vehicles of a run: slots of a resource pool, or a channel without slots.

Which of the two, the parameters of the access technology say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from v2x import registry
from v2x.access.base import AccessContext, AccessTechnology
from v2x.access.congestion.base import CongestionContext, CongestionControl
from v2x.access.congestion.controlled_access import ControlledAccess
from v2x.access.unslotted import MEMORY_US, UnslottedParams
from v2x.applications.base import Application
from v2x.channel.link_table import LinkTable
from v2x.errors import V2XError
from v2x.phy.reception import design_receiver
from v2x.phy.sensing_history import SensingHistory
from v2x.scenario.events import event_subchannels
from v2x.scenario.feedback import feedback_of, pool_of, second_stage_fails
from v2x.scenario.grants import subchannels_of, widths_by_mcs
from v2x.scenario.model import Scenario
from v2x.scenario.own_messages import OwnMessages, check_fit
from v2x.sim.audience import Audience
from v2x.sim.contention import UnslottedMedium
from v2x.sim.fates import FateMemory
from v2x.sim.link_memory import LinkMemory
from v2x.sim.medium import Medium
from v2x.sim.packet_log import PacketLog
from v2x.sim.simulation import Simulation, SimulationParts
from v2x.sim.unslotted import UnslottedSimulation
from v2x.units import US_PER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class AirContext:
    """What lies around the air of a run.

    Attributes
    ----------
    application, congestion, audience, links, packets
        Parts that it is joined with.
    environment
        What the propagation model describes, "highway" or "urban".
    n_nodes
        Rows of the fleet.
    warmup_us
        Packets generated earlier do not count [µs].
    wrap_length_m
        Period of the map in x [m], 0 without.
    sites_m
        As in :class:`~v2x.access.base.AccessContext`.
    once_bytes
        Largest message of a service, which goes once [byte]; 0 if none says anything.
    seed
        Seed of the run.
    fates
        Where what became of packets is remembered; None if nobody asks.
    """

    application: Application
    congestion: CongestionControl | None
    audience: Audience | None
    links: LinkTable
    packets: PacketLog
    environment: str
    n_nodes: int
    warmup_us: int
    wrap_length_m: float
    sites_m: Mapping[str, NDArray[np.float64]]
    once_bytes: int
    seed: int
    fates: FateMemory | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AirParts:
    """The air of a run.

    Attributes
    ----------
    access, medium, history
        As in :class:`~v2x.sim.simulation.SimulationParts`.
    curve_names
        Names of the error curves in use.
    simulation
        Runs the parts of which these are some.
    """

    access: AccessTechnology | None
    medium: LinkMemory
    history: SensingHistory | None
    curve_names: tuple[str, ...]
    simulation: Callable[[SimulationParts, Callable[[int], None] | None], Simulation]


class Air(Protocol):
    """One sort of air.

    Attributes
    ----------
    slot_us
        Unit in which other parts count time on air [µs].
    """

    slot_us: int

    def congestion_context(
        self, application: Application, n_nodes: int, seed: int
    ) -> CongestionContext:
        """Return what congestion control must know."""

    def check_own(self, own: OwnMessages, application: Application) -> None:
        """Raise V2XError if messages of others do not go beside those of vehicles."""

    def join(self, context: AirContext) -> AirParts:
        """Return the air of a run."""

    def facts(self, packets: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Return the facts of times on air, of a run with these `packets`."""


def air_of(scenario: Scenario) -> Air:
    """Return the air that the access technology of a scenario needs."""
    if isinstance(scenario.access.params, UnslottedParams):
        return UnslottedAir(scenario, scenario.access.params)
    return SlottedAir(scenario)


class SlottedAir:
    """Slots and subchannels of a resource pool, chosen by an access technology."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._params = scenario.access.params
        self.pool = pool_of(scenario)
        self.slot_us = self.pool.slot_us

    def _grant_subchannels(self, application: Application) -> int:
        return subchannels_of(self._scenario, max(application.sizes_bytes), self.pool)

    def congestion_context(
        self, application: Application, n_nodes: int, seed: int
    ) -> CongestionContext:
        """Return what congestion control must know."""
        return CongestionContext(
            n_nodes=n_nodes,
            slot_us=self.slot_us,
            n_subchannels=self.pool.n_subchannels,
            grant_subchannels=self._grant_subchannels(application),
            period_ms=application.period_ms,
            seed=seed,
            tx_power_dbm=self._scenario.radio.tx_power_dbm,
            mcs=self._scenario.phy.mcs,
            widths=widths_by_mcs(self._scenario, max(application.sizes_bytes), self.pool),
        )

    def check_own(self, own: OwnMessages, application: Application) -> None:
        """Raise V2XError if messages do not fit into grants made for those of vehicles."""
        check_fit(self._scenario, own, application)

    def join(self, context: AirContext) -> AirParts:
        """Return access technology, history and medium, all on one pool."""
        scenario, pool = self._scenario, self.pool
        design = design_receiver(
            scenario.radio,
            scenario.phy,
            pool,
            environment=context.environment,
            size_bytes=max(context.application.sizes_bytes),
            second_stage=second_stage_fails(scenario),
            n_raised=0 if context.congestion is None else context.congestion.n_raised,
        )
        window = max(int(self._params.sensing_window_ms), 100) * US_PER_MS // pool.slot_us
        # One slot more than is sensed: that of the arrival is in the ring when a packet selects.
        history = SensingHistory(context.n_nodes, window + 1, pool.n_subchannels, pool.reserves_two)
        access: AccessTechnology = registry.load("v2x.access", scenario.access.type)(
            self._params,
            AccessContext(
                n_nodes=context.n_nodes,
                pool=pool,
                history=history,
                noise_mw=design.idle_subchannel_mw,
                grant_subchannels=self._grant_subchannels(context.application),
                period_ms=context.application.period_ms,
                seed=context.seed,
                wrap_length_m=context.wrap_length_m,
                event_subchannels=event_subchannels(scenario, pool, context.once_bytes),
                sites_m=context.sites_m,
            ),
        )
        if context.congestion is not None:
            access = ControlledAccess(access, context.congestion)
        medium = Medium(
            design,
            context.links,
            history,
            context.packets,
            scenario.records,
            counted_from_us=context.warmup_us,
            seed=context.seed,
            once=scenario.events.type != "none" or context.once_bytes > 0,
            audience=context.audience,
            feedback=feedback_of(scenario, design, context.audience, context.seed),
            fates=context.fates,
        )
        return AirParts(
            access=access,
            medium=medium,
            history=history,
            curve_names=design.curve_names,
            simulation=Simulation,
        )

    def facts(self, packets: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Return the length of a slot."""
        return {"slot_us": self.slot_us}


class UnslottedAir:
    """One channel that stations share by listening."""

    def __init__(self, scenario: Scenario, params: UnslottedParams) -> None:
        self._scenario = scenario
        self._contention, self._waveform = params.contention(), params.waveform()
        self.slot_us = MEMORY_US

    def congestion_context(
        self, application: Application, n_nodes: int, seed: int
    ) -> CongestionContext:
        """Return what congestion control must know; see :mod:`v2x.access.unslotted`."""
        return CongestionContext(
            n_nodes=n_nodes,
            slot_us=MEMORY_US,
            n_subchannels=MEMORY_US,
            grant_subchannels=self._air_us(max(application.sizes_bytes), "messages.size_bytes"),
            period_ms=application.period_ms,
            seed=seed,
        )

    def check_own(self, own: OwnMessages, application: Application) -> None:
        """Raise V2XError if messages are too large for a frame; there are no grants."""
        self._air_us(own.size_bytes, f"{own.section}.size_bytes")

    def _air_us(self, size_bytes: int, key: str) -> int:
        """Return the time on air of a packet; V2XError if it is too large, `key` says its size."""
        try:
            return int(self._waveform.air_us(np.array([size_bytes], dtype=np.int32))[0])
        except ValueError as error:
            raise V2XError(
                str(error),
                file=None if self._scenario.source is None else str(self._scenario.source),
                key=key,
                remedy="lower it",
            ) from error

    def join(self, context: AirContext) -> AirParts:
        """Return the medium; it contends and receives at once.

        Raises
        ------
        V2XError
            If messages are for some receivers only, whose answers this side has no place for, or
            those of events are too large for a frame.
        """
        scenario = self._scenario
        if scenario.events.params.message_bytes is not None:
            self._air_us(scenario.events.params.message_bytes, "events.size_bytes")
        if context.audience is not None:
            raise V2XError(
                f"access {scenario.access.type!r} only broadcasts",
                file=None if scenario.source is None else str(scenario.source),
                key="messages.cast",
                remedy="set it to broadcast or choose another access.type",
            )
        receiver = self._waveform.receiver(scenario.radio, scenario.phy)
        tx_power_mw = 10.0 ** (scenario.radio.tx_power_dbm / 10.0)
        medium = UnslottedMedium(
            self._contention,
            self._waveform,
            receiver,
            np.full(context.n_nodes, tx_power_mw, dtype=np.float32),
            context.links,
            context.packets,
            scenario.records,
            counted_from_us=context.warmup_us,
            seed=context.seed,
            fates=context.fates,
        )
        return AirParts(
            access=None,
            medium=medium,
            history=None,
            curve_names=receiver.curve_names,
            simulation=lambda parts, on_tick: UnslottedSimulation(parts, medium, on_tick),
        )

    def facts(self, packets: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Return the grain of time, and the time on air of each size that was sent."""
        sizes = np.unique(packets["size_bytes"])
        air_us = self._waveform.air_us(sizes.astype(np.int32))
        return {
            "slot_us": 1,
            "air_us": dict(zip(map(str, sizes.tolist()), air_us.tolist(), strict=True)),
        }
