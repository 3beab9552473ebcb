"""ETSI TS 103 574: limits of the channel occupancy ratio by priority and busy ratio."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.access.base import TRANSMISSION, SlotTransmissions
from v2x.access.congestion.base import ChannelView, CongestionContext, CongestionControl
from v2x.mobility.fleet import FleetState
from v2x.units import US_PER_MS

#: PPPP 1 to 8 to the row of limits that applies to it; PPPP 0 does not exist.
_GROUP = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
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
    """

    cbr_bounds: tuple[float, ...] = (0.3, 0.65, 0.8)
    cr_limit_pppp_1_2: tuple[float, ...] = (1.0, 1.0, 0.02, 0.02)
    cr_limit_pppp_3_5: tuple[float, ...] = (1.0, 0.03, 0.006, 0.003)
    cr_limit_pppp_6_8: tuple[float, ...] = (1.0, 0.02, 0.004, 0.002)
    spread: bool = True
    cbr_weight: float = 0.1

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
    """Drops what would take a node above its CR limit.

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
        self._ahead = np.zeros((n, 9), dtype=np.int64)
        self._repeated: dict[int, _Repetitions] = {}
        self._repeated_since: deque[tuple[int, int]] = deque()
        # When each node would be ready to send at exactly its limit (virtual scheduling).
        self._ready = np.zeros((n, 9))
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
        np.copyto(self._ready, ready, where=newly)

    def _spacing(self, limit: NDArray[np.float64], amount: int) -> NDArray[np.float64]:
        """Return the slots in which exactly the limit allows `amount` subchannels."""
        return amount / (limit * self._occupancy.total) * self._occupancy.window

    def limit_of(self, node: int, priority: int) -> float:
        """Return the CR limit in force for a node and a PPPP."""
        return float(self._limit[node, priority])

    def admit(
        self, slot: int, transmissions: SlotTransmissions, dropped: NDArray[np.int32]
    ) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        """Return what of `transmissions` the limits allow, and the packets dropped."""
        self._occupancy.advance(slot)
        self._expire(slot)
        if len(transmissions) == 0:
            return transmissions, dropped
        allowed = transmissions.copy()
        kept = np.ones(len(allowed), dtype=bool)
        refused: list[int] = []
        for i, row in enumerate(allowed):
            if row["attempt"] > 0:
                kept[i] = self._admit_repetition(row)
                continue
            kept[i] = self._admit_packet(slot, row)
            self._n_offered[row["node"]] += 1
            if not kept[i]:
                refused.append(int(row["packet"]))
                self._n_suppressed[row["node"]] += 1
        self._occupancy.add(slot, allowed[kept])
        return allowed[kept], np.concatenate([dropped, np.array(refused, dtype=np.int32)])

    def _admit_packet(self, slot: int, row: np.void) -> bool:
        """Decide on a packet, and strip it of its repetitions if only one transmission fits."""
        node, priority = int(row["node"]), int(row["priority"])
        width, n_attempts = int(row["n_subchannels"]), int(row["n_attempts"])
        granted = 0
        if self._fits(slot, node, priority, width * n_attempts):
            granted = n_attempts
        elif self._fits(slot, node, priority, width):
            granted = 1
            row["n_attempts"] = 1
            for name in _OF_OTHER_ATTEMPTS:
                row[name] = 0
        if n_attempts > 1:
            # Those of a packet that was dropped or stripped must not go on air either.
            ahead = width * max(granted - 1, 0)
            self._repeated[int(row["packet"])] = _Repetitions(node, priority, ahead, granted > 1)
            self._repeated_since.append((slot, int(row["packet"])))
            self._ahead[node, priority] += ahead
        if granted:
            self._charge(slot, node, priority, width * granted)
        return granted > 0

    def _admit_repetition(self, row: np.void) -> bool:
        """Let a repetition go if its packet was granted it; it is then no longer ahead."""
        repetitions = self._repeated.get(int(row["packet"]))
        if repetitions is None:
            return True
        taken = min(int(row["n_subchannels"]), repetitions.ahead)
        repetitions.ahead -= taken
        self._ahead[repetitions.node, repetitions.priority] -= taken
        return repetitions.allowed

    def _fits(self, slot: int, node: int, priority: int, amount: int) -> bool:
        limit = self._limit[node, priority]
        if limit >= 1.0:
            return True
        occupied = self._occupancy.used[node, priority:] + self._ahead[node, priority:]
        # A small slack lets a product such as 0.006 * 5000 count as the 30 it is.
        if occupied.sum() + amount > limit * self._occupancy.total + 1e-9:
            return False
        return not self._params.spread or bool(
            slot >= self._ready[node, priority] - self._burst_slots
        )

    def _charge(self, slot: int, node: int, priority: int, amount: int) -> None:
        """Move on the time at which the node would be ready at exactly its limits."""
        limit = self._limit[node, : priority + 1]
        ready = self._ready[node, : priority + 1]
        ready[:] = np.maximum(ready, slot) + np.where(
            limit < 1.0, self._spacing(limit, amount), 0.0
        )

    def _expire(self, slot: int) -> None:
        """Forget repetitions of packets sent a window ago, whether or not they came."""
        since = self._repeated_since
        while since and since[0][0] <= slot - self._occupancy.window:
            repetitions = self._repeated.pop(since.popleft()[1])
            self._ahead[repetitions.node, repetitions.priority] -= repetitions.ahead

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""
        super().forget(node)
        self._cbr[node] = np.nan
        self._limit[node] = 1.0
        self._ready[node] = 0.0
        self._ahead[node] = 0
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
