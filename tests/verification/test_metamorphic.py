"""What must follow when one thing is changed and nothing else."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

import numpy as np
import pytest

from v2x import rng
from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.access.random_access import RandomAccess, RandomAccessParams
from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.channel.channel_params import ChannelParams
from v2x.channel.pathloss import Tr37885Highway, Tr37885Params, WinnerB1, WinnerB1Params
from v2x.phy.radio import PhyParams, RadioParams
from v2x.records.tables import Outcome
from v2x.sim.recorder import RecordParams
from v2x.sim.simulation import Simulation
from v2x.world.synthetic import highway

from ..simulation_parts import (
    Finished,
    FrozenFleet,
    ScheduledPackets,
    Tables,
    build,
    simulate,
    threshold_receiver,
)

N = 60
ROAD_M = 2400.0

TECHNOLOGIES = [
    pytest.param(LteMode4, LteMode4Params(n_subchannels=5, blind_retransmissions=1), id="mode4"),
    pytest.param(RandomAccess, RandomAccessParams(n_subchannels=5), id="random"),
]


def fleet(**changes: Any) -> FrozenFleet:
    """Return a crowd on a wrapped road, half of it each way."""
    x = rng.stream(8, "test", "positions").random(N) * ROAD_M
    wanted: dict[str, Any] = {
        "x_m": x,
        "y_m": np.where(np.arange(N) % 2, -6.0, 6.0),
        "speed_mps": np.where(np.arange(N) % 2, 30.0, -30.0),
        "wrap_m": ROAD_M,
    }
    return FrozenFleet(**(wanted | changes))


def options(**changes: Any) -> dict[str, Any]:
    """Return a realistic channel and radio: shadowing, blockage, emission, real curves."""
    wanted: dict[str, Any] = {
        "technology": LteMode4,
        "access": LteMode4Params(n_subchannels=5),
        "propagation": Tr37885Highway(Tr37885Params(), 5.915),
        "channel": ChannelParams(line_of_sight="geometric"),
        "radio": RadioParams(),
        "phy": PhyParams(),
        "road_map": highway(ROAD_M, wrap=True),
        "application": Awareness(AwarenessParams(jitter_ms=5.0, size_bytes=190), 3),
        "duration_s": 2.0,
        "warmup_s": 0.3,
        "seed": 3,
    }
    return wanted | changes


def digest(tables: Tables) -> str:
    """Return a hash over all bytes of all tables."""
    sums = hashlib.sha256()
    for name in sorted(tables):
        for key in sorted(tables[name]):
            sums.update(name.encode() + key.encode() + tables[name][key].tobytes())
    return sums.hexdigest()


@pytest.mark.parametrize(("technology", "access"), TECHNOLOGIES)
def test_same_seed_same_bytes(technology: Any, access: Any) -> None:
    first, again = (
        simulate(fleet(), **options(technology=technology, access=access)) for _ in range(2)
    )
    assert digest(first.tables) == digest(again.tables)
    assert first.outcomes.sum() > 10_000


@pytest.mark.parametrize(("technology", "access"), TECHNOLOGIES)
def test_another_seed_another_run(technology: Any, access: Any) -> None:
    first, other = (
        simulate(fleet(), **options(technology=technology, access=access, seed=seed))
        for seed in (3, 4)
    )
    assert digest(first.tables) != digest(other.tables)
    # Packets are the application's, which has a seed of its own here.
    generated = [set(f.tables["packets"]["generated_us"].tolist()) for f in (first, other)]
    assert len(generated[0] ^ generated[1]) < 0.05 * len(generated[0])


@pytest.mark.parametrize(("technology", "access"), TECHNOLOGIES)
def test_the_order_of_vehicles_does_not_matter(technology: Any, access: Any) -> None:
    """Rows are only places: with the rows shuffled, everybody fares as before, to the last bit.

    Draws belong to identities or to the order of packets in time. All powers are equal here, so
    that sums over interferers do not depend on their order, and of two on one resource neither is
    decoded, so that none is the stronger one.
    """
    order = rng.stream(1, "test", "shuffle").permutation(N)
    tables = []
    for ids in (np.arange(N), order):
        finished = simulate(
            FrozenFleet(x_m=np.linspace(0.0, 100.0, N)[ids], ids=ids),
            technology=technology,
            access=access,
            application=Awareness(AwarenessParams(jitter_ms=5.0, size_bytes=190), 3),
            receiver=threshold_receiver(3.0, 3.0),
            duration_s=4.0,
        )
        packets = finished.tables["packets"]
        rank = np.lexsort((packets["tx_id"], packets["generated_us"]))
        tables.append({key: packets[key][rank] for key in packets if key != "packet"})
        tables[-1]["outcomes"] = finished.outcomes
        tables[-1]["links"] = finished.tables["links"]["n"]
    assert tables[0]["outcomes"][Outcome.COLLISION] > 0
    for key, column in tables[0].items():
        assert (column == tables[1][key]).all(), key


def test_two_identical_vehicles_may_swap_places() -> None:
    """Identities 10 and 11 at each other's places, without chance at the link: same totals.

    Phases and choices go with the identity, so single packets differ; what each place hears of
    the others does not depend on who stands there. With everybody within reach and no shadowing
    the numbers of receptions are the same to the last one.
    """
    x = np.linspace(0.0, 100.0, 20)
    ids = np.arange(20)
    swapped = ids.copy()
    swapped[[10, 11]] = swapped[[11, 10]]
    outcomes = [
        simulate(
            FrozenFleet(x_m=x, ids=one),
            technology=LteMode4,
            access=LteMode4Params(n_subchannels=3, keep_probability=0.0),
            duration_s=4.0,
        ).outcomes
        for one in (ids, swapped)
    ]
    assert outcomes[0].tolist() == outcomes[1].tolist()
    assert outcomes[0][Outcome.HALF_DUPLEX] > 0


@pytest.mark.parametrize(("technology", "access"), TECHNOLOGIES)
def test_an_unrelated_stream_changes_nothing(technology: Any, access: Any) -> None:
    """Somebody draws from streams of other names while the simulation runs."""
    wanted = options(technology=technology, access=access)
    first = simulate(fleet(), **wanted)

    def meddle(time_us: int) -> None:
        rng.stream(3, "something", "new").random(1000)
        rng.stream(3, "access", "unheard of", time_us).random(10)
        rng.key32(3, "reception", "other")
        np.random.default_rng(time_us).random(10)

    parts = build(fleet(), **wanted)
    Simulation(parts, meddle).run()
    assert digest(parts.recorder.tables(0)) == digest(first.tables)


def test_a_vehicle_out_of_reach_changes_nothing() -> None:
    """The others' links, draws and outcomes stay, to the byte of the outcome counts."""
    lonely = {"wrap_m": 0.0}
    plain = fleet(**lonely)
    wanted = options(road_map=highway(ROAD_M))
    extended = FrozenFleet(
        x_m=np.append(np.asarray(plain.x_m), 50_000.0),
        y_m=np.append(np.asarray(plain.y_m), 0.0),
        speed_mps=np.append(np.asarray(plain.speed_mps), 0.0),
    )
    first, other = (simulate(one, **wanted) for one in (plain, extended))
    assert first.outcomes.tolist() == other.outcomes.tolist()
    for key in ("bin_upper_m", "outcome", "n"):
        assert (first.tables["links"][key] == other.tables["links"][key]).all()


def received_by_bin(power_dbm: float, noise_figure_db: float = 9.0) -> np.ndarray:
    """Return receptions by distance of one talker per 3 km and its 40 silent listeners."""
    n_groups, n_listeners = 30, 40
    along = np.append(0.0, np.linspace(20.0, 900.0, n_listeners))
    x = (np.arange(n_groups)[:, None] * 3000.0 + along).ravel()
    plan = [
        (1_000 + 10_000 * m + 300 * k, k * (n_listeners + 1))
        for k in range(n_groups)
        for m in range(20)
    ]
    finished = simulate(
        FrozenFleet(x_m=x),
        application=ScheduledPackets(plan),
        propagation=WinnerB1(WinnerB1Params(), 5.915),
        radio=RadioParams(tx_power_dbm=power_dbm, noise_figure_db=noise_figure_db),
        records=RecordParams(max_distance_m=900.0),
        duration_s=0.25,
    )
    _, counts = finished.by_bin()
    assert counts[:, Outcome.COLLISION].sum() == 0
    return counts[:, Outcome.RECEIVED]


def test_more_power_never_lowers_the_ratio_without_interference() -> None:
    """Draws are shared between powers, so no single reception is lost by more power."""
    received = [received_by_bin(power) for power in (5.0, 8.0, 11.0, 14.0, 17.0, 20.0, 23.0)]
    for weaker, stronger in itertools.pairwise(received):
        assert (stronger >= weaker).all()
        assert stronger.sum() > weaker.sum()


def test_power_and_noise_figure_are_the_same_decibels() -> None:
    """3 dB more power against 3 dB more noise: the same receptions, but for rounding."""
    assert np.abs(received_by_bin(17.0) - received_by_bin(20.0, noise_figure_db=12.0)).sum() <= 2


def test_fewer_vehicles_hear_each_other_better() -> None:
    """Towards zero density everything arrives: at 100 m and less in a world without shadowing."""

    def prr(n: int) -> float:
        x = rng.stream(2, "test", "thin").random(n) * ROAD_M
        finished = simulate(
            FrozenFleet(x_m=x, wrap_m=ROAD_M),
            **options(
                access=LteMode4Params(n_subchannels=2),
                propagation=Tr37885Highway(Tr37885Params(shadowing_sigma_db=0.0), 5.915),
                channel=ChannelParams(line_of_sight="always"),
                records=RecordParams(max_distance_m=100.0),
                duration_s=3.0,
            ),
        )
        return finished.share(Outcome.RECEIVED)

    ratios = [prr(n) for n in (300, 100, 30)]
    assert ratios == sorted(ratios)
    assert ratios[-1] > 0.98
    assert prr(4) == 1.0


def test_in_band_emission_only_hurts() -> None:
    """It adds interference and nothing else; choices, which see it too, are random here."""

    def outcomes(emission: bool) -> Finished:
        return simulate(
            fleet(),
            **options(
                technology=RandomAccess,
                access=RandomAccessParams(n_subchannels=5),
                phy=PhyParams(in_band_emission=emission),
            ),
        )

    clean, leaky = outcomes(False), outcomes(True)
    assert clean.outcomes.sum() == leaky.outcomes.sum()
    assert leaky.outcomes[Outcome.RECEIVED] < clean.outcomes[Outcome.RECEIVED]
    for outcome in (Outcome.HALF_DUPLEX, Outcome.PROPAGATION):
        assert leaky.outcomes[outcome] == clean.outcomes[outcome]
    packets, others = clean.tables["packets"], leaky.tables["packets"]
    assert (others["n_received"] <= packets["n_received"]).all()


def test_records_do_not_disturb_what_they_record() -> None:
    """Finer bins, other blocks and margins leave every packet's transmissions as they were."""
    coarse = simulate(fleet(), **options())
    fine = simulate(
        fleet(),
        **options(
            records=RecordParams(
                bin_width_m=5.0, block_s=0.1, trajectory_period_s=0.1, cbr_period_s=0.1
            )
        ),
    )
    for key in coarse.tables["packets"]:
        assert (coarse.tables["packets"][key] == fine.tables["packets"][key]).all()
    assert coarse.outcomes.tolist() == fine.outcomes.tolist()


@pytest.mark.slow
def test_the_interaction_range_hardly_matters() -> None:
    """The 3GPP highway with links cut off at 1000 m, against links of half the period, 3 km.

    480 vehicles on 6 km, 23 dBm, TR 37.885: interference from beyond 1 km moves the PRR of every
    bin by less than its confidence interval over blocks of a second, taken from the difference
    of the two runs, and by less than 0.02 anywhere.
    """
    road_m, n = 6000.0, 480
    x = rng.stream(5, "test", "highway").random(n) * road_m
    lane = np.arange(n) % 6
    cars = FrozenFleet(
        x_m=x,
        y_m=(lane - 2.5) * 4.0,
        speed_mps=np.where(lane < 3, 140.0 / 3.6, -140.0 / 3.6),
        wrap_m=road_m,
    )
    ratios = []
    for reach in (1000.0, road_m / 2.0):
        finished = simulate(
            cars,
            **options(
                access=LteMode4Params(),
                channel=ChannelParams(interaction_range_m=reach),
                road_map=highway(road_m, wrap=True),
                records=RecordParams(bin_width_m=50.0),
                duration_s=22.0,
                warmup_s=2.0,
            ),
        )
        links = finished.tables["links"]
        shape = (20, 10, len(Outcome))
        counts = np.zeros(shape)
        block = np.round(links["block_start_s"] - 2.0).astype(int)
        distance = np.round(links["bin_upper_m"] / 50.0).astype(int) - 1
        np.add.at(counts, (block, distance, links["outcome"]), links["n"])
        ratios.append(counts[:, :, Outcome.RECEIVED] / counts.sum(axis=2))
    difference = ratios[0] - ratios[1]
    error = difference.std(axis=0, ddof=1) / np.sqrt(len(difference))
    assert (np.abs(difference.mean(axis=0)) < np.maximum(4.0 * error, 0.005)).all()
    assert np.abs(difference.mean(axis=0)).max() < 0.02
