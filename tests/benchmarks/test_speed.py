"""How much work one core does; figures to read, never bounds that fail.

    pytest tests/benchmarks -m benchmark --benchmark-enable

``v2x bench`` measures the same cases longer and without pytest.
"""

from __future__ import annotations

import pytest

from v2x.bench import CASES, link_kernel_case, run_case

pytestmark = pytest.mark.benchmark


def test_reception_kernel(benchmark):
    """Time of 50 transmitters x 500 receivers, called from Python."""
    result = benchmark.pedantic(link_kernel_case, kwargs={"repeats": 200}, rounds=3)
    benchmark.extra_info.update(result)
    assert result["ns_per_link"] > 0


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_whole_runs(benchmark, case):
    """Simulated seconds per second of the cases of the performance report."""
    result = benchmark.pedantic(run_case, args=(case,), kwargs={"duration_s": 4.0}, rounds=1)
    benchmark.extra_info.update(result)
    assert result["n_vehicles"] > 0
