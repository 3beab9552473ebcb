"""A study of a scenario: twins with the same seeds, and what becomes of their figures."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from finding_figures import Figures
from numpy.typing import NDArray
from study import Change, Measured, Row, mean_over_seeds, paired_difference, pooled_quantile

from v2x.metrics.statistics import Interval
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

#: Quantiles of figures with several values in a run, and what is added to their names.
QUANTILES = {"median": 0.5, "p95": 0.95}
#: Added to the names of differences between twins.
DIFFERENCE = "difference"
#: Added to the name of a figure for the standard deviation over seeds.
SPREAD = "spread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A scenario, its twins, and what is asked of each run.

    Attributes
    ----------
    name, scenario
        Name in tables, and the scenario to run.
    seeds
        Seeds that all variants share.
    variants
        Name to what differs from the file.
    reference
        The variant that others are compared with, seed by seed.
    figures
        What is taken from a run.
    """

    name: str
    scenario: str
    seeds: Sequence[int]
    variants: Mapping[str, Sequence[Change]]
    reference: str
    figures: Sequence[Callable[[RunRecords], Figures]]

    def run(self, variant: str, seed: int) -> list[Measured]:
        """Run one variant with one seed."""
        changes = [*self.variants[variant], ("seed", str(seed)), ("replications", "1")]
        records = simulate(load_scenario(self.scenario, changes))
        return [
            Measured(self.name, variant, seed, figure, value)
            for take in self.figures
            for figure, value in take(records)
        ]


def rows_of(study: Study, measured: Iterable[Measured]) -> Iterator[Row]:
    """Yield means or quantiles over the seeds, and paired differences from the reference.

    A figure that some run has several values of gives quantiles of all values and the share of
    finite ones; others give their mean, its spread over seeds, and the mean difference.
    """
    found: dict[str, dict[str, dict[int, list[float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for one in measured:
        found[one.figure][one.variant][one.seed].append(one.value)
    for figure, by_variant in found.items():
        several = any(len(v) > 1 for runs in by_variant.values() for v in runs.values())
        for variant in study.variants:
            runs = by_variant.get(variant, {})
            if several:
                samples = {seed: np.array(values) for seed, values in runs.items()}
                for name, interval in _of_samples(samples):
                    yield _row(study, variant, f"{figure}: {name}", interval)
                continue
            values = {seed: one[0] for seed, one in runs.items()}
            if not values:
                continue
            every = np.array(list(values.values()))
            yield _row(study, variant, figure, mean_over_seeds(every))
            yield _row(study, variant, f"{figure}: {SPREAD}", _spread(every))
            reference = {s: one[0] for s, one in by_variant.get(study.reference, {}).items()}
            if variant != study.reference and reference:
                difference = paired_difference(values, reference)
                yield _row(study, variant, f"{figure}: {DIFFERENCE}", difference)


def _of_samples(
    samples: Mapping[int, NDArray[np.float64]],
) -> Iterator[tuple[str, Interval]]:
    known = {seed: values[~np.isnan(values)] for seed, values in samples.items()}
    every = np.concatenate([*known.values(), np.empty(0)])
    if not len(every):
        return
    for name, quantile in QUANTILES.items():
        yield name, pooled_quantile(known, quantile)
    yield "mean of all", Interval(float(every.mean()), math.nan, math.nan, len(every), "none")
    yield (
        "share finite",
        Interval(float(np.isfinite(every).mean()), math.nan, math.nan, len(every), "none"),
    )


def _spread(values: NDArray[np.float64]) -> Interval:
    """Return the standard deviation of a single run [unit of the figure], NaN for less than two."""
    known = values[np.isfinite(values)]
    spread = float(known.std(ddof=1)) if len(known) > 1 else math.nan
    return Interval(spread, math.nan, math.nan, len(known), "none")


def _row(study: Study, variant: str, figure: str, interval: Interval) -> Row:
    return Row(study.name, variant, figure, interval.value, interval.low, interval.high, interval.n)
