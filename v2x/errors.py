"""The one error that users see.

Anything a user can cause (a typo in a scenario, a missing file, an impossible
combination) is raised as :class:`V2XError`; the command line prints it on one line and
exits with status 2. Programming errors stay ordinary Python exceptions.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class V2XError(Exception):
    """A mistake in the input, with its place and its remedy.

    Parameters
    ----------
    message
        What is wrong, with the offending value.
    file
        File that holds the mistake, as the user wrote its name.
    key
        Dotted key or element inside the file.
    remedy
        What the user can do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        key: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.message = message
        self.file = file
        self.key = key
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.file, self.key) if part)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}; {self.remedy}" if self.remedy else text


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like `word`, or None if none is close.

    Examples
    --------
    >>> nearest("desity", ["density", "duration"])
    'density'
    """
    # difflib ignores where letters stand, so that "1t_ms" is as close to "t2_ms" as to "t1_ms".
    matches = difflib.get_close_matches(word, list(known), n=8, cutoff=0.5)
    return min(matches, key=lambda match: _n_edits(word, match), default=None)


def _n_edits(a: str, b: str) -> int:
    """Return how many letters must be added, lost, changed or swapped to turn `a` into `b`."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        before, last, row = row, before, [i]
        for j, other in enumerate(b, start=1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def unknown_name(kind: str, name: str, known: Iterable[str], **place: str | None) -> V2XError:
    """Return the error for a name that is not among the `known` ones."""
    names = sorted(known)
    close = nearest(name, names)
    remedy = f"did you mean {close!r}?" if close else f"known: {', '.join(names)}"
    return V2XError(f"unknown {kind} {name!r}", remedy=remedy, **place)
