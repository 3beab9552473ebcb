"""ETSI TS 103 574: limits of the channel occupancy ratio by priority and busy ratio."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.access.base import TRANSMISSION, SlotTransmissions
from v2x.access.congestion.base import ChannelView, CongestionContext, CongestionControl
from v2x.mobility.fleet import FleetState
from v2x.units import US_PER_MS, US_PER_S

#: PPPP 1 to 8 to the row of limits that applies to it; PPPP 0 does not exist.
_GROUP = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
#: A limit, or those of many.
Limit = TypeVar("Limit", float, NDArray[np.float64])
#: What a transmission announces of the other attempts of its packet.
_OF_OTHER_ATTEMPTS = [
    name for name in TRANSMISSION.names or () if name.startswith(("gap", "other"))
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ts103574Params:
    """CR limits of TS 103 574, and what happens at them.

    Parameters
    ----------
    cbr_bounds
        Upper ends of the lower three ranges of the CBR, each end included; TS 103 574.
    cr_limit_pppp_1_2
        CR limit of PPPP 1 and 2 in each range of the CBR, 1 for none; TS 103 574, recalled (low
        confidence).
    cr_limit_pppp_3_5
        The same for PPPP 3 to 5; TS 103 574, confirmed by a public implementation.
    cr_limit_pppp_6_8
        The same for PPPP 6 to 8; TS 103 574, recalled (low confidence).
    spread
        Whether what the limit allows is spread evenly over the second; else a node sends until
        its second is used up and is then silent. How to comply is left to the node (TS 36.213
        14.1.1).
    cbr_weight
        Weight of the newest CBR, one each 100 ms, in the mean that is looked up. 1 is TS 36.213
        14.1.1 to the letter; as all nodes of a run measure at the same instants, they then fall
        silent, and start again, all at once. Real ones do not measure in step.
    reaction
        What gives way to a limit. "drop": the repetitions of a packet that does not fit with them,
        or the packet. "adapt": if packets cannot go as they are in each period of the
        applications, first their repetitions, then their width, by a higher MCS up to `max_mcs`;
        what still does not fit is dropped.
    max_mcs
        Highest MCS that "adapt" takes, maxMCS-PSSCH of SL-PSSCH-TxParameters (TS 36.331 6.3.8); 11
        is the highest of the profiles of SAE J3161/1 (medium confidence).
    """

    cbr_bounds: tuple[float, ...] = (0.3, 0.65, 0.8)
    cr_limit_pppp_1_2: tuple[float, ...] = (1.0, 1.0, 0.02, 0.02)
    cr_limit_pppp_3_5: tuple[float, ...] = (1.0, 0.03, 0.006, 0.003)
    cr_limit_pppp_6_8: tuple[float, ...] = (1.0, 0.02, 0.004, 0.002)
    spread: bool = True
    cbr_weight: float = 0.1
    reaction: str = "drop"
    max_mcs: int = 11

    def __post_init__(self) -> None:
        """Reject tables that are no tables."""
        bounds = self.cbr_bounds
        if not all(a < b for a, b in zip((0.0, *bounds), (*bounds, 1.0), strict=True)):
            raise ValueError(f"cbr_bounds must ascend between 0 and 1, got {bounds}")
        for name in ("cr_limit_pppp_1_2", "cr_limit_pppp_3_5", "cr_limit_pppp_6_8"):
            limits = getattr(self, name)
            if len(limits) != len(bounds) + 1:
                raise ValueError(
                    f"{name} must have one value more than cbr_bounds has, got {limits}"
                )
            if not all(0.0 < limit <= 1.0 for limit in limits):
                raise ValueError(f"{name} must be above 0 and at most 1, got {limits}")
        if not 0.0 < self.cbr_weight <= 1.0:
            raise ValueError(f"cbr_weight must be above 0 and at most 1, got {self.cbr_weight}")
        if self.reaction not in ("drop", "adapt"):
            raise ValueError(f"reaction must be 'drop' or 'adapt', got {self.reaction!r}")
        if not 0 <= self.max_mcs <= 28:
            raise ValueError(f"max_mcs must be within 0 and 28, got {self.max_mcs}")

    def limit(
        self, cbr: NDArray[np.float64] | float, priority: NDArray[np.int32] | int
    ) -> NDArray[np.float64]:
        """Return the CR limit at a CBR for a PPPP.

        Examples
        --------
        >>> Ts103574Params().limit(np.array([0.3, 0.65, 0.8, 0.81]), 5)
        array([1.   , 0.03 , 0.006, 0.003])
        """
        limits = np.array([self.cr_limit_pppp_1_2, self.cr_limit_pppp_3_5, self.cr_limit_pppp_6_8])
        return np.asarray(limits[_GROUP[priority], np.searchsorted(self.cbr_bounds, cbr)])


class Ts103574(CongestionControl):
    """Drops what would take a node above its CR limit, or makes it narrower first.

    The rule is that of TS 36.213 14.1.1: the CR of all priorities numerically at or above that
    of the packet, the packet included, stays within the limit. It is checked when the packet
    is due, against what the node used in the window before and what it has announced ahead.
    If only the first transmission fits, the packet goes without its repetitions; if not even
    that fits, it is dropped and counts as out of budget.
    """

    Params = Ts103574Params

    def __init__(self, params: Ts103574Params, context: CongestionContext) -> None:
        super().__init__(context)
        self._params = params
        n = context.n_nodes
        self._cbr = np.full(n, np.nan)
        self._limit = np.ones((n, 9))
        self._limit_of = self._limit.tolist()
        self._ahead = [[0] * 9 for _ in range(n)]
        self._repeated: dict[int, _Repetitions] = {}
        self._repeated_since: deque[tuple[int, int]] = deque()
        # When each node would be ready to send at exactly its limit (virtual scheduling).
        self._ready = [[0.0] * 9 for _ in range(n)]
        if params.reaction == "adapt" and not context.widths:
            raise ValueError("reaction 'adapt' needs error curves of more than one MCS")
        n_steps = max(params.max_mcs - context.mcs, 0) if params.reaction == "adapt" else 0
        self._widths = [widths[: 1 + n_steps] for widths in context.widths]
        self.n_raised = max((len(widths) - 1 for widths in self._widths), default=0)
        self._per_period = self._occupancy.total * context.period_ms * US_PER_MS / US_PER_S
        self._slot_us = context.slot_us
        self._width = context.grant_subchannels
        self._burst_slots = context.period_ms * US_PER_MS / context.slot_us
        self._phase_key = rng.key32(context.seed, "congestion", "phase")

    def observe(self, now_us: int, fleet: FleetState, channel: ChannelView) -> None:
        """Look the limits up with the CBR just measured."""
        cbr = channel.busy_ratio()
        measured = np.flatnonzero(np.isfinite(cbr))
        weight, former = self._params.cbr_weight, self._cbr[measured]
        former = np.where(np.isfinite(former), former, cbr[measured])
        self._cbr[measured] = weight * cbr[measured] + (1.0 - weight) * former
        priority = np.arange(1, 9, dtype=np.int32)
        limit = np.ones_like(self._limit)
        limit[measured, 1:] = self._params.limit(self._cbr[measured, None], priority[None, :])
        self._stagger(now_us, fleet, (limit < 1.0) & (self._limit >= 1.0), limit)
        self._limit[measured] = limit[measured]
        self._limit_of = self._limit.tolist()

    def _stagger(
        self,
        now_us: int,
        fleet: FleetState,
        newly: NDArray[np.bool_],
        limit: NDArray[np.float64],
    ) -> None:
        """Let nodes that come under a limit together not fall into step with each other."""
        share = rng.uniform_by_id(self._phase_key, fleet.id, now_us)[:, None]
        ready = now_us / self._slot_us + share * self._spacing(limit, self._width)
        for node, priority in np.argwhere(newly).tolist():
            self._ready[node][priority] = float(ready[node, priority])

    def _spacing(self, limit: Limit, amount: int) -> Limit:
        """Return the slots in which exactly the limit allows `amount` subchannels."""
        return amount / (limit * self._occupancy.total) * self._occupancy.window

    def limit_of(self, node: int, priority: int) -> float:
        """Return the CR limit in force for a node and a PPPP."""
        return float(self._limit_of[node][priority])

    def admit(
        self, slot: int, transmissions: SlotTransmissions, dropped: NDArray[np.int32]
    ) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        """Return what of `transmissions` the limits allow, and the packets dropped."""
        # Plain numbers: there are few transmissions in a slot, and numpy is slow with few.
        self._occupancy.advance(slot)
        self._expire(slot)
        columns = (transmissions[name].tolist() for name in _Planned._fields)
        verdicts = {}
        for i, planned in enumerate(map(_Planned, *columns)):
            if planned.attempt > 0:
                verdict = self._on_repetition(planned)
            else:
                verdict = self._on_packet(slot, planned)
            if verdict is not _AS_PLANNED:
                verdicts[i] = verdict
        if verdicts:
            transmissions, refused = _carried_out(transmissions, verdicts)
            dropped = np.concatenate([dropped, refused])
        self._occupancy.add(slot, transmissions)
        return transmissions, dropped

    def _on_packet(self, slot: int, planned: _Planned) -> _Verdict:
        """Decide on a packet, and note what it takes."""
        node, priority, n_planned = planned.node, planned.priority, planned.n_attempts
        limit = self._limit_of[node][priority]
        n_attempts, width, steps = n_planned, planned.n_subchannels, 0
        if limit < 1.0:
            if self._params.reaction == "adapt":
                n_attempts, width, steps = self._sustained(planned, limit * self._per_period)
            room = self._room(slot, node, priority, limit)
            if width * n_attempts > room:
                n_attempts = 1 if width <= room else 0
        if n_planned > 1:
            # Those of a packet that was dropped or stripped must not go on air either.
            ahead = width * max(n_attempts - 1, 0)
            self._repeated[planned.packet] = _Repetitions(node, priority, ahead, n_attempts > 1)
            self._repeated_since.append((slot, planned.packet))
            self._ahead[node][priority] += ahead
        self._charge(slot, node, priority, width * n_attempts)
        self._n_offered[node] += 1
        if n_attempts == 0:
            self._n_suppressed[node] += 1
        elif steps:
            self._n_adapted[node] += 1
        elif n_attempts == n_planned:
            return _AS_PLANNED
        return _Verdict(n_attempts, width, steps)

    def _sustained(self, planned: _Planned, amount: float) -> tuple[int, int, int]:
        """Return attempts, width and MCS steps of a packet that may take `amount` every period.

        First repetitions give way, then width: to the lowest MCS that the limit bears or, where
        none does, to the lowest of the narrowest.
        """
        width = planned.n_subchannels
        if width * planned.n_attempts <= amount:
            return planned.n_attempts, width, 0
        widths = self._widths[planned.process] if self.n_raised else ()
        if width <= amount or not widths:
            return 1, width, 0
        fitting = (step for step, narrower in enumerate(widths) if narrower <= amount)
        steps = next(fitting, widths.index(min(widths)))
        return 1, widths[steps], steps

    def _on_repetition(self, planned: _Planned) -> _Verdict:
        """Let a repetition go if its packet was granted it; it is then no longer ahead."""
        repetitions = self._repeated.get(planned.packet)
        if repetitions is None:
            return _AS_PLANNED
        taken = min(planned.n_subchannels, repetitions.ahead)
        repetitions.ahead -= taken
        self._ahead[repetitions.node][repetitions.priority] -= taken
        return _AS_PLANNED if repetitions.allowed else _NOT_AGAIN

    def _room(self, slot: int, node: int, priority: int, limit: float) -> float:
        """Return how many subchannels a node may still use, below 0 if it must wait."""
        if self._params.spread and slot < self._ready[node][priority] - self._burst_slots:
            return -1.0
        used: int = sum(self._occupancy.used[node, priority:].tolist())
        # A small slack lets a product such as 0.006 * 5000 count as the 30 it is.
        return limit * self._occupancy.total + 1e-9 - used - sum(self._ahead[node][priority:])

    def _charge(self, slot: int, node: int, priority: int, amount: int) -> None:
        """Move on the time at which the node would be ready at exactly its limits."""
        if amount == 0:
            return
        ready = self._ready[node]
        for k, limit in enumerate(self._limit_of[node][: priority + 1]):
            later = ready[k] if ready[k] > slot else slot
            ready[k] = later + (self._spacing(limit, amount) if limit < 1.0 else 0.0)

    def _expire(self, slot: int) -> None:
        """Forget repetitions of packets sent a window ago, whether or not they came."""
        since = self._repeated_since
        while since and since[0][0] <= slot - self._occupancy.window:
            repetitions = self._repeated.pop(since.popleft()[1])
            self._ahead[repetitions.node][repetitions.priority] -= repetitions.ahead

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""
        super().forget(node)
        self._cbr[node] = np.nan
        self._limit[node] = 1.0
        self._limit_of[node] = [1.0] * 9
        self._ready[node] = [0.0] * 9
        self._ahead[node] = [0] * 9
        for repetitions in self._repeated.values():
            if repetitions.node == node:
                repetitions.ahead = 0


@dataclass(slots=True)
class _Repetitions:
    """Repetitions of one packet: subchannels still ahead, and whether they may go on air."""

    node: int
    priority: int
    ahead: int
    allowed: bool


class _Planned(NamedTuple):
    """What decides on a transmission; fields of ``TRANSMISSION``."""

    node: int
    packet: int
    n_subchannels: int
    attempt: int
    n_attempts: int
    priority: int
    process: int


class _Verdict(NamedTuple):
    """How a transmission goes instead: 0 attempts for not at all."""

    n_attempts: int
    n_subchannels: int
    mcs_raise: int


_AS_PLANNED = _Verdict(-1, 0, 0)
_NOT_AGAIN = _Verdict(0, 0, 0)


def _carried_out(
    transmissions: SlotTransmissions, verdicts: Mapping[int, _Verdict]
) -> tuple[SlotTransmissions, NDArray[np.int32]]:
    """Return what goes on air after verdicts on some rows, and the packets that are dropped."""
    rows = transmissions.copy()
    kept = np.ones(len(rows), dtype=bool)
    for i, verdict in verdicts.items():
        if verdict.n_attempts == 0:
            kept[i] = False
            continue
        for name, value in verdict._asdict().items():
            rows[name][i] = value
        if verdict.n_attempts == 1:
            for name in _OF_OTHER_ATTEMPTS:
                rows[name][i] = 0
    return rows[kept], rows["packet"][~kept & (rows["attempt"] == 0)]
