"""CAM and VAM as applications of a scenario: times, sizes, certificates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.base import PacketBatch
from v2x.applications.cam import Cam, CamParams
from v2x.applications.vam import Vam, VamParams
from v2x.messages.etsi.cam_rules import CamGenerationParams
from v2x.messages.etsi.vam_clusters import ClusterParams
from v2x.mobility.fleet import KeyEvent, NodeKind
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

from ...simulation_parts import FrozenFleet, fleet_state

TICK_US = 100_000


def drive(application: Any, n_ticks: int, **columns: Any) -> PacketBatch:
    """Return the packets of vehicles that go along x with constant speed."""
    moving = FrozenFleet(**{"x_m": [0.0], **columns})
    batches = [
        application.packets(k * TICK_US, (k + 1) * TICK_US, moving.advance(k * TICK_US))
        for k in range(n_ticks)
    ]
    return PacketBatch(
        **{
            name: np.concatenate([getattr(batch, name) for batch in batches])
            for name in PacketBatch.__slots__
        }
    )


def test_sizes_follow_the_containers() -> None:
    """At 10 m/s every 0.4 s: low frequency every 0.8 s, the certificate every 1.2 s.

    188 = 10 + 4 + 36 + 4 + 41 + 93 byte; the certificate adds 142, the container 2 and 8.6 a
    point, of which the vehicle has one every 30 m; beyond 127 byte the length needs one more.
    """
    batch = drive(Cam(CamParams(), 1), 80, speed_mps=10.0)
    assert (np.diff(batch.generated_us) == 400_000).all()
    low = np.arange(len(batch)) % 2 == 0
    certificate = np.arange(len(batch)) % 3 == 0
    assert (batch.digest == ~certificate).all()
    plain = batch.size_bytes - 142 * certificate
    assert set(plain[~low].tolist()) == {188}
    assert (np.diff(plain[low]) >= 0).all()
    assert plain[0] == 190
    assert plain[low][-1] > 200
    assert set(batch.size_bytes.tolist()) <= set(Cam(CamParams(), 1).sizes_bytes)


def test_paths_grow_to_their_limit() -> None:
    params = CamParams(path_points=3, path_spacing_m=10.0)
    batch = drive(Cam(params, 1), 100, speed_mps=20.0)
    # The siren, which this car has not, would take one byte more.
    assert batch.size_bytes.max() == max(Cam(params, 1).sizes_bytes) - 1
    digests = batch.size_bytes[batch.digest & (batch.generated_us > 3_000_000)]
    # 69 bits a point: 43 byte without any, 69 with three of them
    assert digests.max() == 188 + (69 - 41)


def test_stations_begin_within_a_second_and_keep_their_phase() -> None:
    x_m = np.arange(400) * 50.0
    batch = drive(Cam(CamParams(), 1), 40, x_m=x_m, speed_mps=20.0)
    first = np.array([batch.generated_us[batch.tx_row == row][0] for row in range(400)])
    assert first.min() < 100_000
    assert 1_000_000 < first.max() < 1_100_000
    for row in range(0, 400, 40):
        times = batch.generated_us[batch.tx_row == row]
        assert len(set((times % TICK_US).tolist())) == 1
        assert (np.diff(times) == 200_000).all()
    # What is on air in each tick does not swing: 200 of 400 within 4 sigma.
    n_each = np.bincount(batch.generated_us // TICK_US)[12:]
    assert (np.abs(n_each - 200) < 4.0 * np.sqrt(400 * 0.25)).all()


def test_all_at_once_where_that_is_asked_for() -> None:
    batch = drive(Cam(CamParams(begins_within_ms=0.0), 1), 1, x_m=[0.0, 50.0, 100.0])
    assert len(batch) == 3


def test_emergency_vehicles_say_so() -> None:
    params = CamParams(begins_within_ms=0.0, path_points=0)
    flags = [0, int(KeyEvent.SIREN)]
    fleet = fleet_state(0, [0.0, 50.0], flags=flags)
    batch = Cam(params, 1).packets(0, TICK_US, fleet)
    size = dict(zip(batch.tx_row.tolist(), batch.size_bytes.tolist(), strict=True))
    assert size[1] == size[0] + 1


def test_roadside_units_say_little_and_seldom() -> None:
    fleet = fleet_state(0, [0.0], kind=int(NodeKind.RSU))
    batch = Cam(CamParams(begins_within_ms=0.0), 1).packets(0, 3_000_000, fleet)
    assert (np.diff(batch.generated_us) == 1_000_000).all()
    assert set(batch.size_bytes.tolist()) == {10 + 4 + 36 + 4 + 26 + 235}


def test_who_leaves_a_row_leaves_no_trace() -> None:
    application = Cam(CamParams(begins_within_ms=0.0), 1)
    application.packets(0, TICK_US, fleet_state(0, [0.0], id=[3]))
    assert len(application.packets(TICK_US, 2 * TICK_US, fleet_state(TICK_US, [0.0], id=[3]))) == 0
    third = application.packets(2 * TICK_US, 3 * TICK_US, fleet_state(2 * TICK_US, [0.0], id=[4]))
    assert len(third) == 1
    assert not third.digest[0]


def test_fewer_messages_than_with_a_clock() -> None:
    """At 20 m/s five per second, at 10 m/s two and a half, where BSMs are ten."""
    clock = drive(Awareness(AwarenessParams(), 1), 60, speed_mps=20.0)
    fast = drive(Cam(CamParams(), 1), 60, speed_mps=20.0)
    slow = drive(Cam(CamParams(), 1), 60, speed_mps=10.0)
    n_after_2_s = [int((batch.generated_us >= 2_000_000).sum()) for batch in (clock, fast, slow)]
    assert n_after_2_s == [40, 20, 10]


def test_walkers_tell_of_4_m() -> None:
    """At 1.25 m/s 4 m take 3.2 s; the low-frequency container (2 s) is in every VAM."""
    batch = drive(Vam(VamParams(), 1), 200, speed_mps=1.25)
    assert (np.diff(batch.generated_us) == 3_200_000).all()
    assert set(batch.size_bytes.tolist()) == {10 + 4 + 36 + 4 + 36 + 235}


def test_standing_walkers_tell_every_5_s() -> None:
    batch = drive(Vam(VamParams(), 1), 200)
    assert (np.diff(batch.generated_us) == 5_000_000).all()


@pytest.mark.parametrize("clusters", [False, True])
def test_one_speaks_for_a_cluster(clusters: bool) -> None:
    params = VamParams(clusters=clusters, clustering=ClusterParams())
    batch = drive(Vam(params, 1), 200, x_m=[0.0, 1.0, 2.0, 500.0], speed_mps=1.25)
    late = batch.tx_row[batch.generated_us > 5_000_000]
    assert set(late.tolist()) == ({0, 3} if clusters else {0, 1, 2, 3})
    sizes = set(batch.size_bytes.tolist())
    assert sizes <= set(Vam(params, 1).sizes_bytes)
    assert (10 + 4 + 36 + 4 + 41 + 235 in sizes) == clusters


def test_leaders_carry_their_certificate_twice_per_second() -> None:
    """At 8 m/s 4 m take 0.5 s: certificates in all VAMs of a leader, in half of the others'."""
    params = VamParams(clusters=True)
    batch = drive(Vam(params, 1), 100, x_m=[0.0, 1.0, 2.0, 500.0], speed_mps=8.0)
    late = batch.generated_us > 5_000_000
    assert not batch.digest[late & (batch.tx_row == 0)].any()
    assert abs(batch.digest[late & (batch.tx_row == 3)].mean() - 0.5) <= 0.1


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (CamParams, {"check_ms": 101.0}),
        (CamParams, {"path_points": 41}),
        (CamParams, {"path_spacing_m": 0.0}),
        (CamParams, {"priority": 9}),
        (CamParams, {"cast": "nobody"}),
        (VamParams, {"latency_budget_ms": 0.0}),
        (VamParams, {"begins_within_ms": -1.0}),
    ],
)
def test_what_cannot_be_kept(kind: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        kind(**wrong)


def test_the_reservation_period_is_the_shortest_interval() -> None:
    slow = CamParams(generation=CamGenerationParams(min_interval_ms=200.0))
    assert (Cam(CamParams(), 1).period_ms, Cam(slow, 1).period_ms) == (100, 200)
    assert Vam(VamParams(), 1).period_ms == 100


def test_a_scenario_whose_vehicles_send_cams() -> None:
    """At 70 km/h 4 m take three ticks of 1.94 m: 3.33 Hz, where the BSMs of the file are 10."""
    options = [("messages.type", "cam"), ("duration_s", "5"), ("warmup_s", "2")]
    packets = simulate(load_scenario("highway_3gpp", options)).tables["packets"]
    order = np.lexsort((packets["generated_us"], packets["tx_id"]))
    same = np.diff(packets["tx_id"][order]) == 0
    waits = np.diff(packets["generated_us"][order])[same]
    # The others have just come to the end of the ring, where their place jumps by its length.
    assert np.mean(waits == 300_000) > 0.95
    assert len(set(packets["size_bytes"].tolist())) > 3
