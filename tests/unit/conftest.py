"""Records of invented runs whose figures are known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from v2x import rng
from v2x.records.tables import SCHEMAS, Outcome, RunRecords, empty_table

PERIOD_MS = 100
DURATION_S = 20
BIN_M, MAX_M = 20.0, 500.0


def table(name: str, **columns: Any) -> dict[str, np.ndarray]:
    """Return the table `name`; columns are broadcast, those left out are zero."""
    length = max(np.size(values) for values in columns.values())
    unknown = set(columns) - set(SCHEMAS[name])
    assert not unknown, unknown
    return {
        key: np.array(np.broadcast_to(columns.get(key, 0), length), dtype=column.dtype)
        for key, column in SCHEMAS[name].items()
    }


def facts(**changes: Any) -> dict[str, Any]:
    return {
        "simulated_s": float(DURATION_S),
        "wall_s": 2.5,
        "warmup_s": 0.0,
        "n_vehicles": 40,
        "messages_sent": 8000,
        "replications": 1,
        "bin_width_m": BIN_M,
        "max_distance_m": MAX_M,
        "awareness_range_m": 300.0,
        "edge_margin_m": 250.0,
        "effective_antenna_height_m": 1.5,
        "link_states": ["los", "nlosv", "nlos", "tunnel", "deck", "terrain", "blocked"],
        "mobility_period_s": 0.1,
        "slot_us": 1000,
        "decode_ms": 2.5,
        "block_s": 1.0,
        "attribution": "© OpenStreetMap contributors, ODbL 1.0",
        "access": "lte-mode4",
        "map": {"n_nodes": 8, "n_edges": 8, "km": 5.5, "max_grade": 0.083, "defaults_used": {}},
    } | changes


def run_records(tables: Mapping[str, Mapping[str, np.ndarray]], **changes: Any) -> RunRecords:
    """Return records with these tables, the others empty, and the usual facts."""
    return RunRecords(
        tables={name: tables.get(name, empty_table(name)) for name in SCHEMAS},
        facts=facts(**changes),
    )


def outcome_shares() -> np.ndarray:
    """Return plausible shares of the outcomes, (n_outcomes, n_bins), each bin summing to 1."""
    d = np.arange(BIN_M / 2, MAX_M, BIN_M)
    share = np.zeros((len(Outcome), len(d)))
    share[Outcome.HALF_DUPLEX] = 0.01
    share[Outcome.BELOW_SENSITIVITY] = 0.25 / (1 + np.exp((470 - d) / 25))
    share[Outcome.PROPAGATION] = 0.35 / (1 + np.exp((380 - d) / 40))
    share[Outcome.COLLISION] = 0.22 * (1 - np.exp(-((d / 220) ** 2)))
    share[Outcome.CONTROL_LOST] = 0.03 * d / MAX_M
    share[Outcome.OUT_OF_BUDGET] = 0.004
    share[Outcome.RECEIVED] = 1 - share.sum(axis=0)
    return share


def drawn_links(seed: int, n_replications: int = 1) -> dict[str, np.ndarray]:
    """Return a table ``links`` drawn from :func:`outcome_shares`, 400 pairs a bin and block."""
    share = outcome_shares()
    draw = rng.stream(seed, "links")
    shape = (n_replications, DURATION_S, share.shape[1])
    counts = np.empty((*shape, len(Outcome)), dtype=np.int64)
    for where in np.ndindex(*shape):
        counts[where] = draw.multinomial(400, share[:, where[-1]])
    run, block, in_bin, outcome = np.nonzero(counts)
    return table(
        "links",
        replication=run,
        block_start_s=block.astype(float),
        bin_upper_m=(in_bin + 1) * BIN_M,
        outcome=outcome,
        n=counts[run, block, in_bin, outcome],
    )


def drawn_freshness(seed: int, loss: float, delay_ms: float = 20.0) -> dict[str, np.ndarray]:
    """Return IPG and AoI of pairs whose packets are lost independently of each other."""
    draw = rng.stream(seed, "freshness")
    lost = draw.geometric(1 - loss, 20_000)
    gap_ms = lost * PERIOD_MS
    # Within a gap the age grows linearly from the delay to the delay plus the gap.
    age_ms = delay_ms + np.concatenate([np.arange(0.5, gap, 10.0) for gap in gap_ms[:4000]])
    age_ms += draw.uniform(-0.5, 9.5, len(age_ms))
    parts = []
    for quantity, values in ((0, gap_ms), (1, age_ms)):
        value_ms, n = np.unique(np.floor(values), return_counts=True)
        parts.append(table("freshness", quantity=quantity, value_ms=value_ms, n=n))
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def drawn_packets(seed: int) -> dict[str, np.ndarray]:
    """Return packets with waits in [4, 100] ms and half of them repeated within 15 ms."""
    draw = rng.stream(seed, "packets")
    n = 4000
    generated_us = np.sort(draw.integers(0, DURATION_S * 1_000_000, n))
    first_us = -(-(generated_us + draw.integers(4_000, 99_000, n)) // 1000) * 1000
    repeated = draw.random(n) < 0.5
    n_intended = draw.integers(0, 30, n)
    n_received = draw.binomial(n_intended, 0.8)
    return table(
        "packets",
        packet=np.arange(n),
        tx_id=draw.integers(0, 40, n),
        generated_us=generated_us,
        first_slot_us=first_us,
        last_slot_us=first_us + np.where(repeated, draw.integers(1, 16, n) * 1000, 0),
        n_attempts=1 + repeated,
        size_bytes=300,
        n_subchannels=2,
        n_intended=n_intended,
        n_received=n_received,
        n_received_first=np.where(repeated, draw.binomial(n_received, 0.85), n_received),
    )


def drawn_load(seed: int) -> dict[str, np.ndarray]:
    """Return the CBR of 40 nodes twice a second."""
    draw = rng.stream(seed, "load")
    time_s = np.repeat(np.arange(1, 2 * DURATION_S + 1) / 2, 40)
    cbr = 0.42 + 0.05 * np.sin(time_s / 3) + draw.normal(0, 0.04, len(time_s))
    return table("load", time_s=time_s, node_id=np.tile(np.arange(40), 40), cbr=cbr.clip(0, 1))


def drawn_safety(seed: int) -> dict[str, np.ndarray]:
    """Return 39 followers every 100 ms."""
    draw = rng.stream(seed, "safety")
    n_times = DURATION_S * 10
    time_s = np.repeat(np.arange(n_times) / 10, 39)
    follower = np.tile(np.arange(39), n_times)
    closing_mps = 4 * np.sin(time_s + follower) + draw.normal(0, 0.5, len(time_s))
    return table(
        "safety",
        time_s=time_s,
        follower_id=follower,
        leader_id=follower + 1,
        gap_m=22.0 + 18 * np.cos(0.7 * time_s + follower * 2),
        follower_speed_mps=20 + closing_mps,
        leader_speed_mps=20.0,
    )


def drawn_trajectories(seed: int) -> dict[str, np.ndarray]:
    """Return 40 vehicles of three kinds along the map of the report's tests."""
    draw = rng.stream(seed, "trajectories")
    return table(
        "trajectories",
        time_s=np.repeat([0.0, 20.0], 40),
        id=np.tile(np.arange(40), 2),
        kind=np.tile(np.arange(40) % 3, 2),
        x_m=draw.uniform(0, 2000, 80),
        y_m=draw.normal(0, 5, 80),
        speed_mps=20.0,
    )


@pytest.fixture(scope="session")
def make_table() -> Callable[..., dict[str, np.ndarray]]:
    return table


@pytest.fixture(scope="session")
def make_records() -> Callable[..., RunRecords]:
    return run_records


@pytest.fixture(scope="session")
def plausible_records() -> RunRecords:
    """A run of 20 s with every table filled."""
    return run_records(
        {
            "links": drawn_links(1),
            "freshness": drawn_freshness(1, loss=0.2),
            "packets": drawn_packets(1),
            "load": drawn_load(1),
            "safety": drawn_safety(1),
            "trajectories": drawn_trajectories(1),
        }
    )
