"""The table of links of a fleet in motion, against what geometry and the models demand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x import rng
from v2x.channel.base import LinkState
from v2x.channel.channel_params import ChannelParams
from v2x.channel.corridors import Corridors
from v2x.channel.law_tables import LINK_CODES
from v2x.channel.link_table import LinkTable
from v2x.channel.pathloss import Tr37885Highway, Tr37885Params, Tr37885Urban
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.world.synthetic import highway, manhattan

from ..simulation_parts import SteppedLoss, fleet_state


def table_of(n: int, **options: Any) -> LinkTable:
    wanted: dict[str, Any] = {
        "params": ChannelParams(line_of_sight="always", interaction_range_m=300.0),
        "model": SteppedLoss(),
        "antenna_gain_dbi": 0.0,
        "n_rows": n,
        "wrap_length_m": 0.0,
        "corridors": None,
        "seed": 1,
    }
    wanted |= options
    return LinkTable(wanted.pop("params"), wanted.pop("model"), **wanted)


def as_dict(table: LinkTable, column: Any) -> dict[tuple[int, int], Any]:
    """Return {(from, to): value} of links that carry power."""
    return {
        (i, int(table.neighbour[e])): column[e].item()
        for i in range(len(table.row_start) - 1)
        for e in range(table.row_start[i], table.row_start[i + 1])
        if table.gain[e] > 0
    }


def wandering(seed: int, wrap_m: float, n: int = 60, n_ticks: int = 40) -> list[FleetState]:
    """Return states of a fleet that drifts, jumps, leaves and is replaced."""
    draw = rng.stream(seed, "test", "wandering")
    x, y = draw.random(n) * 1500.0, draw.random(n) * 400.0
    vx, vy = draw.normal(0.0, 2.5, n), draw.normal(0.0, 1.0, n)
    ids = np.arange(n)
    next_id = n
    states = []
    for tick in range(n_ticks):
        x, y = x + vx, y + vy
        ids = ids.copy()
        # Between these ticks only drift makes the table rebuild its structure.
        for row in draw.choice(n, 2 if tick % 13 == 5 else 0, replace=False):
            if ids[row] >= 0:
                ids[row] = -1
            else:
                ids[row], next_id = next_id, next_id + 1
                x[row] = draw.random() * 1500.0
        if wrap_m > 0:
            x = x % wrap_m
        states.append(fleet_state(tick * 100_000, x, y_m=y, id=ids, z_m=10.0 * (np.arange(n) % 3)))
    return states


def exact_distance(fleet: FleetState, wrap_m: float) -> np.ndarray:
    """Return the distances between antennas [m], infinite from and to empty rows."""
    dx = fleet.x_m[:, None] - fleet.x_m[None, :]
    if wrap_m > 0:
        dx -= wrap_m * np.round(dx / wrap_m)
    dy = fleet.y_m[:, None] - fleet.y_m[None, :]
    z = fleet.z_m + fleet.antenna_height_m
    distance = np.sqrt(dx**2 + dy**2 + (z[:, None] - z[None, :]) ** 2)
    distance[~fleet.active] = np.inf
    distance[:, ~fleet.active] = np.inf
    np.fill_diagonal(distance, np.inf)
    return distance


@pytest.mark.parametrize("wrap_m", [0.0, 1500.0, 700.0, 500.0])
def test_exactly_those_in_range_have_power(wrap_m: float) -> None:
    """After every tick of a fleet that drifts, wraps, leaves and comes: all pairs, no others.

    Half the period bounds the range on a wrapped map, so that nobody is met twice. Pairs within a
    millimetre of the limit are left out: positions are float32.
    """
    table = table_of(60, wrap_length_m=wrap_m)
    reach = min(300.0, 0.5 * wrap_m) if wrap_m > 0 else 300.0
    n_links = 0
    for fleet in wandering(3, wrap_m):
        table.update(fleet)
        distance = exact_distance(fleet, wrap_m)
        found = as_dict(table, table.distance)
        inside = set(zip(*(k.tolist() for k in np.nonzero(distance < reach - 1e-3)), strict=True))
        near = set(zip(*(k.tolist() for k in np.nonzero(distance < reach + 1e-3)), strict=True))
        assert inside <= set(found) <= near
        assert all(abs(found[pair] - distance[pair]) < 1e-3 for pair in inside)
        n_links += len(inside)
        for i in range(60):
            row = table.neighbour[table.row_start[i] : table.row_start[i + 1]]
            assert (np.diff(row) > 0).all()
    assert n_links > 1000
    assert 3 < table.version < 40


def test_links_carry_their_numbers_until_one_end_goes() -> None:
    """A column follows its pair through every rebuilding of the table.

    Each pair of vehicles gets a number when it is first in range. As long as both ends are the
    same vehicles and stay within the range, the number stays; a pair with a newcomer starts
    from the fill value.
    """
    table = table_of(60)
    table.add_column("mark", np.int64, -1)
    given: dict[tuple[int, int], int] = {}
    ever: set[tuple[int, int]] = set()
    versions = set()
    n_kept = 0
    for fleet in wandering(4, 0.0):
        table.update(fleet)
        versions.add(table.version)
        mark = table.column("mark")
        seen: dict[tuple[int, int], int] = {}
        for i in range(60):
            for e in range(table.row_start[i], table.row_start[i + 1]):
                pair = int(fleet.id[i]), int(fleet.id[table.neighbour[e]])
                if table.gain[e] == 0:
                    continue
                if pair in given:
                    assert mark[e] == given[pair]
                    n_kept += 1
                else:
                    assert mark[e] == -1 or pair in ever
                    mark[e] = 100_000 * pair[0] + pair[1]
                seen[pair] = int(mark[e])
        given = seen
        ever |= set(seen)
    assert len(versions) > 5
    assert n_kept > 1000


@pytest.mark.parametrize("wrap_m", [0.0, 1500.0])
def test_a_few_who_come_or_jump_are_put_in_place_as_if_all_were_built_anew(
    wrap_m: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ways give every link that carries power the same numbers, drawn and carried ones too.

    Two vehicles jump as at the end of a road, where they keep their identity and what pairs that
    stay in range know of each other.
    """
    draw = rng.stream(6, "test", "jumps")
    fleets = []
    for k, fleet in enumerate(wandering(6, wrap_m)):
        if k % 4 == 2:
            jumping = draw.choice(60, 2, replace=False)
        if k % 4 >= 2:
            x = fleet.x_m.copy()
            x[jumping] = (x[jumping] + 700.0) % 1500.0
            fleet = replace(fleet, x_m=x)
        fleets.append(fleet)
    tables = [
        table_of(
            60,
            wrap_length_m=wrap_m,
            model=Tr37885Highway(Tr37885Params(), 5.9),
            params=ChannelParams(interaction_range_m=400.0),
        )
        for _ in range(2)
    ]
    replacing, building = tables
    monkeypatch.setattr(building, "_outgrown", lambda displaced: True)
    n_built = 0
    build = LinkTable._rebuild

    def count(self: LinkTable, *arguments: Any) -> None:
        nonlocal n_built
        n_built += self is replacing
        build(self, *arguments)

    monkeypatch.setattr(LinkTable, "_rebuild", count)
    for table in tables:
        table.add_column("mark", np.int64, -1)
    for k, fleet in enumerate(fleets):
        for table in tables:
            table.update(fleet)
        for name in ("gain", "distance", "code"):
            one, other = (as_dict(table, getattr(table, name)) for table in tables)
            assert one == other
        for name in ("mark", "shadow", "block"):
            one, other = (as_dict(table, table.column(name)) for table in tables)
            upper = {pair for pair in one if pair[0] < pair[1] or name == "mark"}
            assert {pair: one[pair] for pair in upper} == {pair: other[pair] for pair in upper}
        for table in tables:
            table.column("mark")[(table.gain > 0) & (table.column("mark") < 0)] = k
            table.column("mark")[table.gain == 0] = -1
    n_replaced = replacing.version - n_built
    assert min(n_built, n_replaced) > 5


def test_both_directions_are_one_link() -> None:
    table = table_of(60, model=Tr37885Highway(Tr37885Params(), 5.9), params=ChannelParams())
    for fleet in wandering(5, 0.0, n_ticks=10):
        table.update(fleet)
        for column in (table.gain, table.distance, table.code):
            found = as_dict(table, column)
            assert all(found[j, i] == value for (i, j), value in found.items())


def test_shadowing_forgets_with_the_distance_travelled() -> None:
    """Correlation exp(-d / D) between a pair's shadowing now and after one of its ends has gone d.

    D = 25 m, sigma = 3 dB. 2000 far-apart pairs whose second vehicle moves 10 m per tick, so that
    the structure of the table changes on the way; the correlation of n independent pairs has the
    standard error (1 - r²) / sqrt(n).
    """
    n_pairs = 2000
    loss = {0.0: 80.0}
    table = table_of(
        2 * n_pairs,
        model=SteppedLoss(loss, sigma_db=3.0),
        params=ChannelParams(line_of_sight="always", interaction_range_m=1000.0),
    )
    base = np.repeat(np.arange(n_pairs) * 5000.0, 2)
    shadow = []
    for tick in range(8):
        away = 20.0 + 10.0 * tick
        table.update(fleet_state(tick * 100_000, base + np.tile([0.0, away], n_pairs)))
        assert table.n_links == 2 * n_pairs
        shadow.append(10.0 * np.log10(table.gain[0::2].astype(float)) + 80.0)
    for first in shadow:
        assert abs(first.mean()) < 4.0 * 3.0 / math.sqrt(n_pairs)
        assert abs(first.std() - 3.0) < 4.0 * 3.0 / math.sqrt(2.0 * n_pairs)
    for lag in (1, 3, 7):
        expected = math.exp(-10.0 * lag / 25.0)
        found = np.corrcoef(shadow[0], shadow[lag])[0, 1]
        assert abs(found - expected) < 4.0 * (1.0 - expected**2) / math.sqrt(n_pairs)


def test_standing_still_changes_nothing() -> None:
    table = table_of(60, model=SteppedLoss(sigma_db=4.0))
    fleet = wandering(6, 0.0, n_ticks=1)[0]
    table.update(fleet)
    before = table.gain.tobytes()
    for _ in range(5):
        table.update(fleet)
        assert table.gain.tobytes() == before


def test_wrapping_round_is_no_motion() -> None:
    """A convoy that crosses the end of the period keeps its shadowing: nobody moves in it."""
    table = table_of(
        20, model=SteppedLoss(sigma_db=4.0), wrap_length_m=1000.0, corridors=None, seed=2
    )
    gains = []
    for tick in range(40):
        x = (np.arange(20) * 7.0 + 30.0 * tick) % 1000.0
        table.update(fleet_state(tick * 100_000, x))
        gains.append(as_dict(table, table.gain))
    for pair, gain in gains[0].items():
        assert all(later[pair] == pytest.approx(gain, rel=1e-3) for later in gains[1:])


def test_a_truck_between_two_cars_blocks() -> None:
    """TR 37.885 6.2.1: higher than both antennas, its loss is max(0, N(9, 4.5)) dB at 100 m.

    E max(0, X) with mu / sigma = 2: 9 Phi(2) + 4.5 phi(2) = 9.038 dB.
    """
    n = 1500
    x = (np.arange(n)[:, None] * 3000.0 + np.array([0.0, 50.0, 100.0])).ravel()
    truck = np.tile([False, True, False], n)
    fleet = fleet_state(
        0,
        x,
        kind=np.where(truck, NodeKind.TRUCK, NodeKind.CAR),
        height_m=np.where(truck, 4.0, 1.6),
        length_m=np.where(truck, 12.0, 5.0),
    )
    model = Tr37885Highway(Tr37885Params(shadowing_sigma_db=0.0), 5.9)
    table = table_of(3 * n, model=model, params=ChannelParams())
    table.update(fleet)
    state, gain = as_dict(table, table.code), as_dict(table, table.gain)
    far = [(3 * k, 3 * k + 2) for k in range(n)]
    near = [(3 * k, 3 * k + 1) for k in range(n)]
    assert {LINK_CODES[state[pair]] for pair in far} == {LinkState.NLOSV}
    assert {LINK_CODES[state[pair]] for pair in near} == {LinkState.LOS}
    law = model.laws()[LinkState.LOS]
    clear = float(law.loss_db(np.array([100.0]))[0])
    extra = np.array([-10.0 * math.log10(gain[pair]) - clear for pair in far])
    assert extra.min() > -1e-3
    assert abs(extra.mean() - 9.038) < 4.0 * 4.4 / math.sqrt(n)


def test_statistical_line_of_sight_has_the_models_probability() -> None:
    """Binomial over independent pairs at one distance; P_LOS of TR 37.885 highway at 300 m.

    All are cars of 1.6 m with the antenna on the roof: blockers as high as the antennas block.
    """
    n_pairs = 3000
    base = np.repeat(np.arange(n_pairs) * 5000.0, 2)
    model = Tr37885Highway(Tr37885Params(), 5.9)
    table = table_of(
        2 * n_pairs,
        model=model,
        params=ChannelParams(line_of_sight="statistical", interaction_range_m=500.0),
    )
    table.update(fleet_state(0, base + np.tile([0.0, 300.0], n_pairs)))
    share = float(np.mean(table.code[0::2] == 0))
    p = float(model.p_los(np.array([300.0]))[0])
    assert 0.2 < p < 0.9
    assert abs(share - p) < 4.0 * math.sqrt(p * (1.0 - p) / n_pairs)


def test_streets_of_a_grid_see_along_themselves() -> None:
    """Around a crossing: same street in sight, round the corner not, at the crossing both."""
    grid = manhattan(2, 2)
    assert grid.corridor_x is not None
    street_y = grid.edge_from_xy[grid.corridor_x >= 0, 1]
    street_x = grid.edge_from_xy[grid.corridor_y >= 0, 0]
    crossing = np.median(np.unique(street_x)), np.median(np.unique(street_y))
    # East arm, west arm, north arm, south arm, the crossing, and inside a block.
    offsets = [(60, 0), (-60, 0), (0, 60), (0, -60), (0, 0), (60, 60)]
    fleet = fleet_state(
        0,
        [crossing[0] + dx for dx, _ in offsets],
        y_m=[crossing[1] + dy for _, dy in offsets],
        height_m=0.5,
    )
    model = Tr37885Urban(Tr37885Params(shadowing_sigma_db=0.0), 5.9)
    table = table_of(6, model=model, params=ChannelParams(), corridors=Corridors(grid))
    table.update(fleet)
    state = {pair: LINK_CODES[code] for pair, code in as_dict(table, table.code).items()}
    in_sight = {(0, 1), (2, 3), (0, 4), (1, 4), (2, 4), (3, 4)}
    for i in range(6):
        for j in range(i + 1, 6):
            expected = LinkState.NLOS if (i, j) not in in_sight else LinkState.LOS
            assert state[i, j] == expected, (i, j)
    # In sight the law holds without shadowing; behind buildings it keeps its 4 dB.
    gain = as_dict(table, table.gain)
    for pair, state_of, distance_m, within_db in (
        ((0, 4), LinkState.LOS, 60.0, 1e-3),
        ((0, 2), LinkState.NLOS, 60.0 * math.sqrt(2.0), 16.0),
    ):
        expected_db = float(model.laws()[state_of].loss_db(np.array([distance_m]))[0])
        assert abs(-10.0 * math.log10(gain[pair]) - expected_db) < within_db


def test_maps_without_streets_have_no_corridors() -> None:
    with pytest.raises(ValueError, match="has no street corridors"):
        Corridors(highway())


@pytest.mark.parametrize(
    "changes",
    [
        {"line_of_sight": "sometimes"},
        {"interaction_range_m": 9.0},
        {"interaction_range_m": 20_001.0},
        {"blockage_mean_db": (5.0, -1.0)},
        {"blockage_sigma_db": (5.0,)},
        {"level_gap_m": 0.0},
    ],
)
def test_impossible_channel_parameters(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        ChannelParams(**changes)
