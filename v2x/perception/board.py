"""What others have said beside their states: the newest content of each sender and topic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.messages.topics import Topic
from v2x.perception.states import RowArray


@dataclass(frozen=True, slots=True)
class Notice:
    """One message and who of the hosts has it as the newest of its sender, topic and part.

    Attributes
    ----------
    sender : int
        Row of the sender.
    content : object
        What it says.
    generated_us : int
        When it was generated [µs].
    host : (n,) intp
        Rows of those who have it.
    """

    sender: int
    content: Any
    generated_us: int
    host: RowArray


class _Channel:
    """The messages of one sender, topic and part."""

    def __init__(self, sender: int, n_rows: int) -> None:
        self.sender = sender
        self.has_us = np.full(n_rows, -1, dtype=np.int64)
        self.contents: dict[int, Any] = {}
        self.until_us: dict[int, int] = {}

    def forget(self, now_us: int) -> None:
        """Drop contents that are too old for anybody to use."""
        for generated_us in [item for item, until_us in self.until_us.items() if until_us < now_us]:
            del self.contents[generated_us], self.until_us[generated_us]


class Board:
    """Keeps what was received, message by message.

    Of a sender, topic and part a receiver uses the message that was generated last. What was said
    longer ago than it is valid is not used.

    Parameters
    ----------
    n_rows
        Rows of the fleet.
    forget_us
        Time for which a message counts that does not say so itself [µs].
    """

    def __init__(self, n_rows: int, forget_us: int) -> None:
        self._n_rows, self._forget_us = n_rows, forget_us
        self._channels: dict[tuple[Topic, int, int], _Channel] = {}
        self._now_us = 0
        #: Messages that reached somebody since the last tick: topic, sender, content, receivers.
        self.news: list[tuple[Topic, Notice]] = []

    def begin(self, now_us: int, changed: NDArray[np.bool_]) -> None:
        """Begin a tick; rows that `changed` hold somebody else, who knows nothing."""
        self._now_us = now_us
        self.news = []
        rows = np.flatnonzero(changed)
        for key, channel in list(self._channels.items()):
            channel.has_us[rows] = -1
            channel.forget(now_us)
            if changed[channel.sender] or not channel.contents:
                del self._channels[key]

    def take(
        self,
        topic: Topic,
        sender: int,
        part: int,
        generated_us: int,
        content: Any,
        receivers: RowArray,
        valid_us: int | None = None,
    ) -> None:
        """Note that a message reached some receivers, who may use it for `valid_us` [µs]."""
        key = (topic, sender, part)
        if key not in self._channels:
            self._channels[key] = _Channel(sender, self._n_rows)
        channel = self._channels[key]
        channel.contents[generated_us] = content
        lasts_us = self._forget_us if valid_us is None else valid_us
        channel.until_us[generated_us] = generated_us + lasts_us
        channel.has_us[receivers] = np.maximum(channel.has_us[receivers], generated_us)
        self.news.append((topic, Notice(sender, content, generated_us, receivers)))

    def lacking(
        self, topic: Topic, sender: int, part: int, generated_us: int, rows: RowArray
    ) -> RowArray:
        """Return those of `rows` that have neither this message nor a newer one in its place."""
        channel = self._channels.get((topic, sender, part))
        return rows if channel is None else rows[channel.has_us[rows] < generated_us]

    def notices(self, topic: Topic) -> Iterator[Notice]:
        """Yield what hosts have of a topic: each message that is the newest for somebody."""
        for (of, _, _), channel in self._channels.items():
            if of != topic:
                continue
            for generated_us, content in channel.contents.items():
                host = np.flatnonzero(channel.has_us == generated_us)
                if len(host):
                    yield Notice(channel.sender, content, generated_us, host)

    def new(self, topic: Topic) -> Sequence[Notice]:
        """Return the messages of a topic that reached somebody since the last tick, in order."""
        return [notice for of, notice in self.news if of == topic]
