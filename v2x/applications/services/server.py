"""What services at a server have in common: a network to ask for, and mail that arrives in time."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from v2x.applications.services.base import MobileNetwork, ServiceContext
from v2x.errors import V2XError

Content = TypeVar("Content")


def needed_network(context: ServiceContext, service: str) -> MobileNetwork:
    """Return the mobile network, which a service cannot do without.

    Raises
    ------
    V2XError
        If the scenario has none.
    """
    if context.mobile is None:
        raise V2XError(
            f"{service} goes over a mobile network, and the scenario has none",
            key=f"services.{service}",
            remedy="set cellular.type to uu-5g",
        )
    return context.mobile


class Mail(Generic[Content]):
    """Messages on their way to one place, handed out once their time has come."""

    def __init__(self) -> None:
        self._on_the_way: list[tuple[int, int, Content]] = []
        self._n_sent = 0

    def send(self, arrives_us: NDArray[np.int64], contents: Sequence[Content]) -> None:
        """Put messages on their way; those that arrive before time 0 are lost."""
        for at_us, content in zip(arrives_us.tolist(), contents, strict=True):
            if at_us >= 0:
                heapq.heappush(self._on_the_way, (at_us, self._n_sent, content))
                self._n_sent += 1

    def arrived(self, now_us: int) -> list[tuple[int, Content]]:
        """Return what has arrived until now and when [µs], the first first."""
        found: list[tuple[int, Content]] = []
        while self._on_the_way and self._on_the_way[0][0] <= now_us:
            at_us, _, content = heapq.heappop(self._on_the_way)
            found.append((at_us, content))
        return found
