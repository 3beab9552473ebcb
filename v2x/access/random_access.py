"""Random resource selection without sensing: the baseline of every autonomous mode."""

from __future__ import annotations

from dataclasses import dataclass

from v2x import rng
from v2x.access.base import AccessContext
from v2x.access.pool_params import LtePoolParams
from v2x.access.sidelink_sps import SidelinkSps


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomAccessParams(LtePoolParams):
    """Resource pool and selection window.

    Parameters
    ----------
    t1_ms, t2_ms
        Selection window after the packet [ms], as in mode 4 (TS 36.213 14.1.1.6); shortened to
        the packet's latency budget.
    blind_retransmissions
        Retransmissions of each packet, allowedRetxNumberPSSCH (TS 36.331 6.3.8): 0 or 1.
    """

    t1_ms: int = 4
    t2_ms: int = 100
    blind_retransmissions: int = 0

    def __post_init__(self) -> None:
        """Reject empty windows."""
        self.resource_pool()
        if not 1 <= self.t1_ms <= self.t2_ms <= 1000:
            raise ValueError(
                f"t1_ms ({self.t1_ms}) must be at least 1 and at most t2_ms ({self.t2_ms}), "
                "and this at most 1000"
            )
        if self.blind_retransmissions not in (0, 1):
            raise ValueError(
                f"blind_retransmissions must be 0 or 1, got {self.blind_retransmissions}"
            )

    @property
    def sensing_window_ms(self) -> int:
        """No sensing; the busy ratio still needs the last 100 ms."""
        return 100


class RandomAccess(SidelinkSps):
    """Each packet goes to a slot and subchannel drawn uniformly from its selection window."""

    Params = RandomAccessParams

    #: Farthest blind retransmission [slots], as in mode 4.
    RETRANSMISSION_REACH = 15

    def __init__(self, params: RandomAccessParams, context: AccessContext) -> None:
        super().__init__(
            context,
            period_ms=context.period_ms,
            counter_range=(1, 1),
            keep_probability=0.0,
            reselect_after=1,
            horizon_ms=max(params.t2_ms, context.period_ms) + 2 * self.RETRANSMISSION_REACH,
        )
        self._t1, self._t2 = params.t1_ms, params.t2_ms
        self._pool_subchannels = context.pool.n_subchannels
        self._retransmits = params.blind_retransmissions == 1
        self._generator = rng.stream(context.seed, "access", "random")

    def _choose(self, row: int, slot: int, deadline_slot: int, priority: int) -> None:
        first = slot - 1 + self._t1
        last = min(slot - 1 + self._t2, deadline_slot)
        self._chosen[:] = -1
        self._find_busy(row, last)
        busy = set(self._busy.tolist())
        initial = self._draw_slot(first, last, busy)
        if initial is None:
            return
        chosen = [initial]
        if self._retransmits:
            reach = self.RETRANSMISSION_REACH
            low, high = max(first, initial - reach), min(last, initial + reach)
            again = self._draw_slot(low, high, busy | {initial})
            if again is not None:
                chosen.append(again)
        n_positions = self._pool_subchannels - self._process(row).n_subchannels + 1
        for k, chosen_slot in enumerate(sorted(chosen)):
            self._chosen[2 * k] = chosen_slot
            self._chosen[2 * k + 1] = int(self._generator.integers(n_positions))

    def _draw_slot(self, first: int, last: int, taken: set[int]) -> int | None:
        """Return a slot of [first, last] that is not `taken`, or None if there is none."""
        if last - first + 1 <= len([slot for slot in taken if first <= slot <= last]):
            return None
        while True:
            slot = int(self._generator.integers(first, last + 1))
            if slot not in taken:
                return slot
