"""Closed forms that a simulation must reproduce.

Periodic messages of period T, each lost independently with probability p; and the persistence of
sensing-based resource selection (TS 36.321 5.14.1.1: the counter is uniform on 5...15 for periods
of 100 ms and more).
"""

from __future__ import annotations

from fractions import Fraction


def mean_ipg_s(period_s: float, loss: float) -> float:
    """Return the mean inter-packet gap, ``T / (1 - p)``: the number of periods is geometric."""
    return period_s / (1.0 - loss)


def ipg_exceeds(n_periods: int, loss: float) -> float:
    """Return the probability that the inter-packet gap exceeds `n_periods` periods, ``p ** k``."""
    return loss**n_periods


def mean_aoi_s(period_s: float, loss: float, delay_s: float = 0.0) -> float:
    """Return the mean age of information over time.

    The age rises from the delay through one gap G, so its mean is ``E[G²] / (2 E[G])`` plus the
    delay; with geometric G that is ``T (1 + p) / (2 (1 - p))``.
    """
    return period_s * (1.0 + loss) / (2.0 * (1.0 - loss)) + delay_s


def mean_peak_aoi_s(period_s: float, loss: float, delay_s: float = 0.0) -> float:
    """Return the mean age of information just before an update: gap plus delay."""
    return mean_ipg_s(period_s, loss) + delay_s


def half_duplex_share(rate_hz: float, slot_s: float = 1e-3) -> float:
    """Return the share of packets that fall into a slot in which the receiver transmits."""
    return rate_hz * slot_s


def mean_collision_run(first: int = 5, last: int = 15) -> Fraction:
    """Return how many messages in a row two vehicles collide that chose one resource together.

    Both counters are uniform on `first`...`last`, nobody keeps a resource: the run ends with the
    smaller counter, whose mean is enumerated exactly. 90/11 = 8.18 messages.
    """
    counters = range(first, last + 1)
    pairs = [min(own, other) for own in counters for other in counters]
    return Fraction(sum(pairs), len(pairs))


def mean_reservation_run(keep_probability: float, first: int = 5, last: int = 15) -> float:
    """Return how many messages a vehicle sends on one resource: ``E[RC] / (1 - keep)``."""
    return (first + last) / 2.0 / (1.0 - keep_probability)
