"""What every mobility model keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x import registry
from v2x.errors import V2XError
from v2x.mobility.base import MobilityContext
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.world.road_map import RoadMap, Structure
from v2x.world.synthetic import highway, manhattan

NAMES = registry.names("v2x.mobility")
SECOND_US = 1_000_000

TRACE = """time,id,x,y,speed
0,a,100,-6,20
0,b,200,-6,20
1,a,120,-6,20
1,b,220,-6,20
1,c,300,-6,20
2,a,140,-6,20
2,c,320,-6,20
3,a,160,-6,20
3,b,260,-6,20
3,c,340,-6,20
"""


def params(strategy: Any, name: str, folder: Path) -> Any:
    """Return parameters of a small amount of traffic; the defaults of a model not known here."""
    if name == "trace":
        (folder / "trace.csv").write_text(TRACE)
        return strategy.Params(file="trace.csv")
    if name in ("routed", "constant-speed"):
        return strategy.Params(n_vehicles=24)
    return strategy.Params()


def build(name: str, road_map: RoadMap, folder: Path, seed: int = 1) -> Any:
    try:
        strategy = registry.load("v2x.mobility", name)
    except V2XError as error:
        pytest.skip(str(error))
    context = MobilityContext(road_map, seed, 60 * SECOND_US, str(folder))
    return strategy(params(strategy, name, folder), context)


def maps(name: str) -> list[RoadMap]:
    roads = [highway(1500.0, lanes_per_direction=2), highway(1500.0, wrap=True)]
    return [*roads, manhattan(2, 2)] if name == "routed" else roads


def check_state(fleet: FleetState, road_map: RoadMap, n_rows: int, time_us: int) -> None:
    """Check one state."""
    assert fleet.time_us == time_us
    assert fleet.n_rows == n_rows
    for name in fleet.__slots__:
        column = getattr(fleet, name)
        if isinstance(column, np.ndarray):
            assert column.shape == (n_rows,), name
            assert not column.flags.writeable, name
    here = fleet.active
    ids = fleet.id[here]
    assert len(np.unique(ids)) == len(ids)
    assert set(fleet.id[~here].tolist()) <= {-1}
    for name in ("x_m", "y_m", "z_m", "heading_rad", "speed_mps", "acceleration_mps2", "offset_m"):
        assert np.isfinite(getattr(fleet, name)[here]).all(), name
    for name in ("length_m", "width_m", "height_m", "antenna_height_m"):
        assert (getattr(fleet, name)[here] > 0).all(), name
    assert (fleet.speed_mps[here] >= 0).all()
    assert set(fleet.kind[here].tolist()) <= {int(kind) for kind in NodeKind}
    on_road = here & (fleet.edge >= 0)
    edge = fleet.edge[on_road]
    assert (edge < road_map.n_edges).all()
    assert (fleet.lane[on_road] >= 0).all()
    assert (fleet.lane[on_road] < road_map.edge_lanes[edge]).all()
    assert (fleet.offset_m[on_road] >= 0).all()
    assert (fleet.offset_m[on_road] <= road_map.edge_length_m[edge] + 1e-6).all()
    assert (fleet.level[on_road] == road_map.edge_level[edge]).all()
    in_tunnel = road_map.edge_structure[edge] == Structure.TUNNEL
    assert (fleet.tunnel[on_road] == np.where(in_tunnel, edge, -1)).all()
    follows = here & (fleet.leader >= 0)
    assert fleet.active[fleet.leader[follows]].all()
    assert (fleet.leader[follows] != np.flatnonzero(follows)).all()
    assert np.isfinite(fleet.gap_m[follows]).all()
    assert np.isposinf(fleet.gap_m[here & ~follows]).all()


@pytest.mark.parametrize("name", NAMES)
def test_states_keep_their_promises(name: str, tmp_path: Path) -> None:
    for road_map in maps(name):
        model = build(name, road_map, tmp_path)
        row_of: dict[int, int] = {}
        gone: set[int] = set()
        present: set[int] = set()
        for time_us in range(0, 20 * SECOND_US, 100_000):
            fleet = model.advance(time_us)
            check_state(fleet, road_map, model.n_rows, time_us)
            rows = np.flatnonzero(fleet.active).tolist()
            now = {int(fleet.id[row]): row for row in rows}
            # An id keeps its row while it is there, and never comes back.
            assert all(row_of.setdefault(ident, row) == row for ident, row in now.items())
            gone |= present - set(now)
            present = set(now)
            assert not gone & present
        assert row_of


@pytest.mark.parametrize("name", NAMES)
def test_motion_is_continuous(name: str, tmp_path: Path) -> None:
    """Within 100 ms nobody is displaced by more than its speed allows.

    Left out are those who go round: a whole length of the map, from one end to the other.
    """
    for road_map in maps(name):
        model = build(name, road_map, tmp_path)
        before = model.advance(0)
        for time_us in range(100_000, 10 * SECOND_US, 100_000):
            fleet = model.advance(time_us)
            same = before.active & (before.id == fleet.id)
            dx = fleet.x_m[same] - before.x_m[same]
            length_m = float(np.ptp(road_map.point_x_m))
            dx -= length_m * np.round(dx / length_m)
            moved = np.hypot(dx, fleet.y_m[same] - before.y_m[same])
            fastest = np.maximum(fleet.speed_mps[same], before.speed_mps[same])
            # A lane change or a turn adds a little sideways.
            assert (moved <= 0.1 * fastest * 1.05 + 1.0).all()
            before = fleet


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_motion(name: str, tmp_path: Path) -> None:
    road_map = maps(name)[0]
    first, again = (build(name, road_map, tmp_path, seed=3) for _ in range(2))
    for time_us in range(0, 5 * SECOND_US, 100_000):
        one, other = first.advance(time_us), again.advance(time_us)
        for column in one.__slots__:
            if isinstance(getattr(one, column), np.ndarray):
                assert getattr(one, column).tobytes() == getattr(other, column).tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_time_may_run_in_any_steps(name: str, tmp_path: Path) -> None:
    """Long, short and repeated questions are answered."""
    road_map = maps(name)[0]
    model = build(name, road_map, tmp_path)
    for time_us in (0, 0, 1, 100_000, 100_000, 1_234_567, 5_000_000):
        check_state(model.advance(time_us), road_map, model.n_rows, time_us)
