"""All checks at all receivers, and what is concluded from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.security.plausibility.heard import (
    BoolArray,
    Earlier,
    FloatArray,
    Heard,
    PairMemory,
    SlotArray,
    receiver_of,
)
from v2x.security.plausibility.kalman import COLUMNS, KalmanCheck
from v2x.security.plausibility.motion import RULES, Situation
from v2x.security.plausibility.params import PlausibilityParams
from v2x.security.plausibility.surroundings import Places, RoadSurface, SignalLaw
from v2x.security.turns import by_turn
from v2x.units import US_PER_S

#: Checks in the order of the columns of :attr:`Findings.fails`.
CHECKS = (
    *RULES,
    "position",
    "height",
    "signal",
    "overlap",
    "appearance",
    "kalman-position",
    "kalman-speed",
    "kalman-both",
)
#: What is concluded from all checks, by name.
FUSIONS = ("any", "behaviour")
_LAST = ("x_m", "y_m", "heading_rad", "speed_mps")
_SIZE = ("length_m", "width_m")


@dataclass(frozen=True, slots=True)
class Findings:
    """What receivers think of messages.

    Attributes
    ----------
    fails : (n, n_checks) bool
        Which of :data:`CHECKS` fail.
    any_fails : (n,) bool
        Fusion ``any``: at least one does.
    score : (n,) float64
        How often checks of the sender failed of late: one for each, falling with time.
    distrusted : (n,) bool
        Fusion ``behaviour``: the score has reached its limit.
    """

    fails: BoolArray
    any_fails: BoolArray
    score: FloatArray
    distrusted: BoolArray

    def of(self, name: str) -> BoolArray:
        """Return where a check or a fusion of that name fails, (n,)."""
        if name in FUSIONS:
            return self.any_fails if name == "any" else self.distrusted
        return self.fails[:, CHECKS.index(name)]


class Detector:
    """Checks the claims that receivers hear, and remembers them.

    Parameters
    ----------
    limits
        Thresholds.
    surface
        The roads as receivers know them.
    law
        What power a distance gives; None if receivers do not measure power.
    n_receivers
        Receivers, numbered from 0.
    start_us
        Since when all of them listen [µs].
    """

    def __init__(
        self,
        limits: PlausibilityParams,
        surface: RoadSurface,
        law: SignalLaw | None,
        n_receivers: int,
        start_us: int = 0,
    ) -> None:
        self._limits, self._surface, self._law = limits, surface, law
        self._kalman = KalmanCheck(limits)
        self._listens_since_us = np.full(n_receivers, start_us, dtype=np.int64)
        eras = ("last", "base", "next")
        self._memory = PairMemory(
            (
                *(f"{era}_{name}" for era in eras for name in ("s", *_LAST)),
                *_SIZE,
                *COLUMNS,
                "score",
            )
        )

    def restart(self, receivers: NDArray[np.integer], now_us: int) -> None:
        """Let `receivers` listen from `now_us` on; what they heard before is another's."""
        self._listens_since_us[receivers] = now_us

    def judge(self, heard: Heard) -> Findings:
        """Return what receivers think of what they heard, and remember it.

        Parameters
        ----------
        heard
            Receptions of the present tick, in the order of their arrival at each receiver.
        """
        n = len(heard)
        fails = np.zeros((n, len(CHECKS)), dtype=np.bool_)
        score = np.zeros(n)
        for chosen in by_turn(heard.pair):
            fails[chosen], score[chosen] = self._judge(heard.chosen(chosen))
        any_fails = np.asarray(fails.any(axis=1))
        return Findings(fails, any_fails, score, score >= self._limits.score_limit)

    def _judge(self, heard: Heard) -> tuple[BoolArray, FloatArray]:
        limits = self._limits
        row = self._memory.rows(heard.pair, heard.arrived_us)
        now = Situation(heard, self._earlier("last", heard, row), self._earlier("base", heard, row))
        found = [rule(now, limits) for rule in RULES.values()]
        found += [
            *self._surface.off_road_and_deck(heard, limits),
            self._unlikely(heard),
        ]
        found.append(self._overlaps(heard))
        found.append(self._appears(heard, now.previous))
        found += self._kalman.fails(heard, self._memory.values, row)
        fails = np.column_stack(found)
        score = self._scored(fails.sum(axis=1), now.previous, row)
        self._remember(heard, row)
        return fails, score

    def _unlikely(self, heard: Heard) -> BoolArray:
        if self._law is None:
            return np.zeros(len(heard), dtype=np.bool_)
        return self._law.unlikely(heard, self._limits)

    def _earlier(self, era: str, heard: Heard, row: SlotArray) -> Earlier:
        values = self._memory.values
        age_s = heard.arrived_us / US_PER_S - values[f"{era}_s"][row]
        return Earlier(
            np.where(np.isnan(age_s), np.inf, age_s),
            *(np.nan_to_num(values[f"{era}_{name}"][row]) for name in _LAST),
        )

    def _appears(self, heard: Heard, previous: Earlier) -> BoolArray:
        """Return where a sender that was not there before is suddenly close."""
        limits = self._limits
        listened_s = (heard.arrived_us - self._listens_since_us[heard.receiver]) / US_PER_S
        new = (previous.age_s > limits.appearance_s) & (listened_s > limits.appearance_s)
        return new & (heard.distance_m < limits.appearance_m)

    def _overlaps(self, heard: Heard) -> BoolArray:
        """Return where a claim occupies the place of an other sender, at the same receiver."""
        if not len(heard):
            return np.zeros(0, dtype=np.bool_)
        now_us, values = int(heard.arrived_us.max()), self._memory.values
        since_us = now_us - round(self._limits.overlap_s * US_PER_S)
        pair, row, _ = self._memory.live(since_us)
        age_s = now_us / US_PER_S - values["last_s"][row]
        known = age_s <= self._limits.overlap_s
        pair, row, age_s = pair[known], row[known], age_s[known]
        x, y, heading, speed = (values[f"last_{name}"][row] for name in _LAST)
        others = Places(
            receiver_of(pair),
            pair,
            x + speed * age_s * np.cos(heading),
            y + speed * age_s * np.sin(heading),
            heading,
            0.5 * values["length_m"][row],
            0.5 * values["width_m"][row],
        )
        claim = heard.claim
        these = Places(
            heard.receiver,
            heard.pair,
            claim.x_m,
            claim.y_m,
            claim.heading_rad,
            0.5 * claim.length_m,
            0.5 * claim.width_m,
        )
        return these.overlapped_by(others)

    def _scored(self, n_failed: NDArray[np.int64], previous: Earlier, row: SlotArray) -> FloatArray:
        column = self._memory.values["score"]
        kept = np.nan_to_num(column[row]) * np.exp(-previous.age_s / self._limits.score_decay_s)
        column[row] = kept + n_failed
        return np.asarray(column[row])

    def _remember(self, heard: Heard, row: SlotArray) -> None:
        values, now_s = self._memory.values, heard.arrived_us / US_PER_S
        # A claim waits as `next` until it is old enough to take the place of `base`.
        ripe = ~(now_s - values["next_s"][row] < self._limits.base_s)
        for name in ("s", *_LAST):
            values[f"base_{name}"][row[ripe]] = values[f"next_{name}"][row[ripe]]
            current = now_s if name == "s" else getattr(heard.claim, name)
            values[f"next_{name}"][row[ripe]] = current[ripe]
            values[f"last_{name}"][row] = current
        for name in _SIZE:
            values[name][row] = getattr(heard.claim, name)
