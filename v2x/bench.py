"""How fast this machine simulates: the cases of the performance report, one core each.

Counted is the wall time of the run itself, without loading the map and without writing files.
A machine that does other things meanwhile gives smaller figures; compare figures of one session.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from v2x._kernels.reception import CURVE_POINTS
from v2x.scenario.assemble import MOBILITY_PERIOD_US, assemble, load_road_map
from v2x.scenario.schema import load_scenario
from v2x.units import US_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of the performance report.

    Attributes
    ----------
    name
        What is simulated.
    scenario
        Bundled scenario it starts from.
    overrides
        What it changes.
    goal
        Simulated seconds per second that we want on one core, or None.
    quick
        Whether it belongs to the short list.
    """

    name: str
    scenario: str
    overrides: tuple[tuple[str, str], ...]
    goal: float | None
    quick: bool = False


_HIGHWAY = (
    ("channel.pathloss", "tr37885-highway"),
    ("channel.line_of_sight", "geometric"),
    ("phy.in_band_emission", "true"),
    ("world.wrap", "false"),
)

CASES = (
    Case(
        name="highway 2 km, 500 vehicles, WINNER+ B1",
        scenario="highway_3gpp",
        overrides=(("traffic.n_vehicles", "500"), ("world.wrap", "false")),
        goal=20.0,
        quick=True,
    ),
    Case(
        name="highway 2 km, 500 vehicles, TR 37.885, blockage by vehicles",
        scenario="highway_3gpp",
        overrides=(*_HIGHWAY, ("traffic.n_vehicles", "500")),
        goal=20.0,
    ),
    Case(
        name="highway 10 km, 2500 vehicles, WINNER+ B1",
        scenario="highway_3gpp",
        overrides=(
            ("traffic.n_vehicles", "2500"),
            ("world.length_m", "10000"),
            ("world.wrap", "false"),
        ),
        goal=4.0,
    ),
    Case(
        name="highway 10 km, 2500 vehicles, TR 37.885, blockage by vehicles",
        scenario="highway_3gpp",
        overrides=(*_HIGHWAY, ("traffic.n_vehicles", "2500"), ("world.length_m", "10000")),
        goal=4.0,
    ),
    Case(
        name="central Chongqing, 2000 vehicles",
        scenario="chongqing_expressways",
        overrides=(("traffic.n_vehicles", "2000"),),
        goal=2.0,
    ),
)


def run_cases(quick: bool = False) -> list[dict[str, Any]]:
    """Run the cases one after the other.

    Parameters
    ----------
    quick
        Only the cases marked so, and shorter.

    Returns
    -------
    list of dict
        Per case: ``name``, ``simulated_s``, ``wall_s``, ``realtime_factor``, ``goal``,
        ``n_vehicles``, ``messages_per_s`` (wall clock), ``peak_memory_mb`` of the process so far.
    """
    kernel = link_kernel_case(repeats=50 if quick else 400)
    duration_s = 4.0 if quick else 8.0
    chosen = [case for case in CASES if case.quick or not quick]
    return [kernel, *(run_case(case, duration_s=duration_s) for case in chosen)]


def run_case(case: Case, duration_s: float) -> dict[str, Any]:
    """Run one case after a warm-up of two simulated seconds and return its figures."""
    scenario = load_scenario(
        case.scenario,
        [*case.overrides, ("duration_s", str(duration_s + 2.0)), ("warmup_s", "2")],
    )
    started: list[float] = []

    def on_tick(time_us: int) -> None:
        # Sensing windows and links are filled by now, so the rate is the lasting one.
        if time_us == 2 * US_PER_S:
            started.append(time.perf_counter())

    run = assemble(scenario, load_road_map(scenario), on_tick=on_tick)
    run.simulation.run()
    wall_s = time.perf_counter() - started[0]
    packets = run.recorder.tables(0)["packets"]
    return {
        "name": case.name,
        "simulated_s": duration_s,
        "wall_s": wall_s,
        "realtime_factor": duration_s / wall_s,
        "goal": case.goal,
        "n_vehicles": len(run.recorder.vehicles_seen),
        "messages_per_s": len(packets["packet"]) / wall_s,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "mobility_period_s": MOBILITY_PERIOD_US / US_PER_S,
    }


def link_kernel_case(n_tx: int = 50, n_rx: int = 500, repeats: int = 400) -> dict[str, Any]:
    """Time the reception kernel alone, called from Python: `n_tx` senders, `n_rx` receivers."""
    from v2x._kernels.reception import SlotReceiver
    from v2x.access.base import TRANSMISSION

    n, n_sub, window = n_tx + n_rx, 10, 100
    n_bins = 24
    generator = np.random.default_rng(1)
    share = np.full((n_sub, n_sub + 1, n_bins), 1e-4, dtype=np.float32)
    for first in range(n_sub):
        share[first, 1, [first, n_sub + first]] = 0.1
    curve = np.clip(np.linspace(1.5, -0.5, CURVE_POINTS), 0.0, 1.0).astype(np.float32)
    receiver = SlotReceiver(
        n_subchannels=n_sub,
        window=window,
        profile=share,
        data_share=np.full(n_sub + 1, 0.1, dtype=np.float32),
        control_share=np.full(n_sub + 1, 0.1, dtype=np.float32),
        data_rb=8,
        control_rb=2,
        noise_mw=5e-12,
        sensitivity_mw=0.0,
        power_mw=200.0,
        curves=np.stack([curve, curve]),
        curve_row=np.zeros(4, dtype=np.int32),
        control_curve=1,
        data_key=1,
        control_key=2,
        bin_width_m=20.0,
        awareness_m=300.0,
        slot_us=1000,
    )
    energy = np.zeros((n, n_bins), dtype=np.float32)
    history = np.full((window, n, 1 + 3 * n_sub), -1, dtype=np.int32).swapaxes(0, 1)
    receiver.bind_nodes(
        np.arange(n, dtype=np.uint32),
        np.ones(n, dtype=np.uint8),
        np.zeros(n, dtype=np.int32),
        np.full(n, -1, dtype=np.int32),
        energy,
        energy,
        history,
        history.view(np.float32),
    )
    row_start = np.minimum(np.arange(n + 1) * n_rx, n_tx * n_rx).astype(np.int32)
    neighbour = np.tile(np.arange(n_tx, n, dtype=np.int32), n_tx)
    n_links = len(neighbour)
    receiver.bind_links(
        row_start,
        neighbour,
        (10.0 ** generator.uniform(-12.0, -8.0, n_links)).astype(np.float32),
        generator.uniform(1.0, 500.0, n_links).astype(np.float32),
        np.zeros(n_links, dtype=np.uint8),
        np.full(n_links, -1, dtype=np.int32),
        np.zeros(n_links, dtype=np.int64),
        np.zeros(n_links, dtype=np.float32),
        np.zeros(n_links, dtype=np.uint8),
    )
    counters = [np.zeros(n_tx, dtype=np.int32) for _ in range(3)]
    receiver.bind_packets(np.zeros(n_tx, dtype=np.int64), *counters)
    receiver.bind_counts(np.zeros((4, 25, 8), dtype=np.int64), np.zeros(1001, dtype=np.int64))
    transmissions = np.zeros(n_tx, dtype=TRANSMISSION)
    transmissions["node"] = np.arange(n_tx)
    transmissions["packet"] = np.arange(n_tx)
    transmissions["first_subchannel"] = np.arange(n_tx) % n_sub
    transmissions["n_subchannels"] = 1
    transmissions["n_attempts"] = 1
    transmissions["priority"] = 5
    times = []
    for slot in range(repeats):
        before = time.perf_counter()
        receiver.receive(slot, transmissions, 0)
        times.append(time.perf_counter() - before)
    return {
        "name": f"reception kernel, {n_tx} transmitters x {n_rx} receivers, median ns per link",
        "ns_per_link": float(np.median(times)) / n_links * 1e9,
        "ns_per_link_min": float(np.min(times)) / n_links * 1e9,
        "goal": 5.0,
    }
