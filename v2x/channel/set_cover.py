"""Greedy set cover: the fewest sites that serve a share of the road."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.channel.base import FloatArray

IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reach:
    """Which samples each candidate serves, in compressed sparse rows.

    Attributes
    ----------
    row_start : (n_candidates + 1,) int64
        Samples of candidate i are entries ``row_start[i]`` to ``row_start[i + 1]``.
    sample : (n_entries,) int64
        Samples, each at most once in a row.
    """

    row_start: IndexArray
    sample: IndexArray

    def of(self, candidate: int) -> IndexArray:
        """Return the samples of a candidate."""
        return self.sample[self.row_start[candidate] : self.row_start[candidate + 1]]

    @property
    def n_candidates(self) -> int:
        """Number of candidates."""
        return len(self.row_start) - 1


def greedy_cover(reach: Reach, weight: FloatArray, target: float) -> list[int]:
    r"""Choose candidates that serve a share of all samples by weight.

    Parameters
    ----------
    reach
        What each candidate serves.
    weight : (n_samples,) float64
        Worth of each sample, such as the length of road that it stands for.
    target
        Share of the whole weight to be served; less if the candidates together serve less.

    Returns
    -------
    list of int
        Candidates in the order of their choice.

    Notes
    -----
    Each step takes the candidate that adds the most weight, of equals the first. Gains only
    shrink, so a heap of gains found earlier needs to look again only at its top (the lazy form
    of the algorithm). The choice has at most :math:`\ln n` times as many candidates as the best
    one, and no polynomial algorithm does better (Feige 1998). Candidates that later ones made
    needless are dropped in the end.
    """
    goal = target * float(weight.sum()) - 1e-9
    count: IndexArray = np.zeros(len(weight), dtype=np.int64)
    heap = [(-float(weight[reach.of(k)].sum()), k) for k in range(reach.n_candidates)]
    heapq.heapify(heap)
    chosen: list[int] = []
    served = 0.0
    while heap and served < goal:
        _, k = heapq.heappop(heap)
        samples = reach.of(k)
        gain = float(weight[samples[count[samples] == 0]].sum())
        if gain <= 0.0:
            continue
        # Equal gains in the order of the candidates, as if all had been looked at again.
        if heap and (-gain, k) > heap[0]:
            heapq.heappush(heap, (-gain, k))
            continue
        chosen.append(k)
        count[samples] += 1
        served += gain
    return _without_needless(reach, weight, chosen, count, goal)


def _without_needless(
    reach: Reach, weight: FloatArray, chosen: list[int], count: IndexArray, goal: float
) -> list[int]:
    """Drop what the others of the choice serve as well, or the target can do without."""
    served = float(weight[count > 0].sum())
    kept = list(chosen)
    # Those that were worth least when they were chosen go first.
    for k in reversed(chosen):
        samples = reach.of(k)
        lost = float(weight[samples[count[samples] == 1]].sum())
        if served - lost >= min(goal, served):
            kept.remove(k)
            count[samples] -= 1
            served -= lost
    return kept
