"""Clusters: who makes, joins, leaves and ends them, and after which times (TS 103 300-3, 5.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.messages.etsi.vam_clusters import Clustering, ClusterParams, Clusters, Role

from ....simulation_parts import fleet_state

MS = 1000
TICK_MS = 100


class Crowd:
    """Walkers whose clustering is stepped every 100 ms."""

    def __init__(self, x_m: Any, **params: Any) -> None:
        self.x_m = np.array(x_m, dtype=np.float64)
        self.speed_mps = np.full(len(self.x_m), 1.5)
        self.id = np.arange(len(self.x_m))
        self.clustering = Clustering(ClusterParams(**params))
        self.now_ms = -TICK_MS
        self.heard: Any = None

    def step(self) -> Clusters:
        self.now_ms += TICK_MS
        fleet = fleet_state(self.now_ms * MS, self.x_m, speed_mps=self.speed_mps, id=self.id)
        row = np.flatnonzero(fleet.active).astype(np.int32)
        return self.clustering.step(self.now_ms * MS, row, fleet, self.heard)

    def until(self, now_ms: int) -> Clusters:
        while self.now_ms < now_ms - TICK_MS:
            self.step()
        return self.step()

    def when(self, row: int, role: Role) -> int:
        """Return at which tick a row has the role for the first time [ms]."""
        for _ in range(200):
            if self.step().role[row] == role:
                return self.now_ms
        raise AssertionError(role)


def roles(clusters: Clusters) -> list[Role]:
    return [Role(role) for role in clusters.role]


@pytest.mark.parametrize(
    ("x_m", "n_leaders"),
    [([0.0, 2.9], 0), ([0.0, 2.9, -2.9], 1), ([0.0, 2.9, -3.1], 0), ([0.0, 1.0, 2.0, 50.0], 1)],
)
def test_three_within_the_radius_make_a_cluster(x_m: list[float], n_leaders: int) -> None:
    found = Crowd(x_m).step()
    assert np.count_nonzero(found.role == Role.LEADER) == n_leaders


def test_speeds_decide_who_belongs_together() -> None:
    # The fastest would lead by 5 % of its own speed: 1.5 m/s are 95 % of 1.579 m/s.
    for speed_mps, n_leaders in ((1.578, 1), (1.580, 0)):
        crowd = Crowd([0.0, 1.0, 2.0])
        crowd.speed_mps[2] = speed_mps
        assert np.count_nonzero(crowd.step().role == Role.LEADER) == n_leaders


def test_the_smallest_identity_leads() -> None:
    crowd = Crowd([0.0, 1.0, 2.0])
    crowd.id = np.array([9, 4, 7])
    assert crowd.step().role.tolist() == [Role.STANDALONE, Role.LEADER, Role.STANDALONE]


def test_members_tell_for_3_s_and_are_then_silent() -> None:
    crowd = Crowd([0.0, 1.0, 2.0])
    assert roles(crowd.step()) == [Role.LEADER, Role.STANDALONE, Role.STANDALONE]
    assert roles(crowd.step())[1:] == [Role.JOINING, Role.JOINING]
    before = crowd.until(3000)
    assert roles(before)[1:] == [Role.JOINING, Role.JOINING]
    assert not before.silent.any()
    assert before.n_members.tolist() == [1, 0, 0]
    after = crowd.step()
    assert roles(after)[1:] == [Role.PASSIVE, Role.PASSIVE]
    assert after.silent.tolist() == [False, True, True]
    assert after.n_members.tolist() == [3, 0, 0]
    assert after.radius_m.tolist() == [2.0, 0.0, 0.0]


def test_whoever_is_not_confirmed_within_half_a_second_leaves() -> None:
    crowd = Crowd([0.0, 1.0, 2.0])
    passive_ms = crowd.when(1, Role.PASSIVE)
    crowd.heard = np.array([True, False, True])
    assert crowd.when(1, Role.LEAVING) == passive_ms + 500
    assert roles(crowd.step())[2] == Role.PASSIVE


def test_leaving_is_told_for_3_s() -> None:
    crowd = Crowd([0.0, 1.0, 2.0])
    crowd.until(4000)
    crowd.x_m[2] = 3.1
    left_ms = crowd.when(2, Role.LEAVING)
    assert left_ms == 4100
    assert not crowd.until(left_ms + 2900).silent[2]
    assert crowd.step().role[2] == Role.STANDALONE


@pytest.mark.parametrize(("x_m", "role"), [(2.9, Role.PASSIVE), (3.1, Role.LEAVING)])
def test_members_stay_within_the_radius(x_m: float, role: Role) -> None:
    crowd = Crowd([0.0, 1.0, 2.0])
    crowd.until(4000)
    crowd.x_m[2] = x_m
    assert crowd.step().role[2] == role


@pytest.mark.parametrize(("factor", "role"), [(0.951, Role.PASSIVE), (0.949, Role.LEAVING)])
def test_members_are_as_fast_as_their_leader(factor: float, role: Role) -> None:
    crowd = Crowd([0.0, 1.0, 2.0])
    crowd.until(4000)
    crowd.speed_mps[2] *= factor
    assert crowd.step().role[2] == role


def test_a_join_is_given_up_by_who_walks_away() -> None:
    crowd = Crowd([0.0, 1.0, 2.0])
    crowd.until(1000)
    crowd.x_m[2] = 10.0
    assert crowd.step().role[2] == Role.STANDALONE


def test_a_leader_that_is_silent_for_2_s_is_lost() -> None:
    crowd = Crowd([0.0, 1.0, 2.0])
    crowd.until(4000)
    crowd.heard = np.zeros(3, dtype=np.bool_)
    assert crowd.when(1, Role.LEAVING) == 6000


def test_a_leader_that_is_gone_is_lost_after_2_s() -> None:
    crowd = Crowd([0.0, 1.0, 2.0])
    crowd.until(4000)
    crowd.id[0] = -1
    gone = crowd.step()
    assert gone.n_members.tolist() == [0, 0, 0]
    assert crowd.when(1, Role.LEAVING) == 6000


def test_breaking_up_is_told_for_3_s() -> None:
    crowd = Crowd([0.0, 1.0, 2.0])
    crowd.until(4000)
    crowd.clustering.break_up(4000 * MS, np.array([0], dtype=np.int32))
    warned = crowd.until(6900)
    assert roles(warned) == [Role.BREAKING_UP, Role.PASSIVE, Role.PASSIVE]
    assert warned.n_members[0] == 3
    assert not crowd.step().silent.any()


def test_nobody_joins_a_cluster_that_ends() -> None:
    crowd = Crowd([0.0, 1.0, 2.0, 30.0])
    crowd.until(4000)
    crowd.clustering.break_up(4000 * MS, np.array([0], dtype=np.int32))
    crowd.x_m[3] = -1.0
    assert crowd.step().role[3] == Role.STANDALONE


def test_a_leader_without_followers_gives_up() -> None:
    """After the time that joining takes: 3 s and 0.5 s."""
    crowd = Crowd([0.0, 1.0, 2.0])
    crowd.step()
    crowd.x_m[1:] = [20.0, 40.0]
    assert crowd.when(0, Role.STANDALONE) == 3500


def test_clusters_are_full_at_their_size() -> None:
    crowd = Crowd(np.linspace(0.0, 2.0, 6), most_members=4)
    assert crowd.until(4000).n_members[0] == 4
    assert np.count_nonzero(crowd.step().role == Role.PASSIVE) == 3


@pytest.mark.parametrize(("x_m", "changed"), [(1.99, False), (2.01, True)])
def test_a_box_that_changed_by_2_m_is_told(x_m: float, changed: bool) -> None:
    crowd = Crowd([0.0, 0.0, 0.0])
    found = crowd.until(4000)
    crowd.clustering.told(np.array([0], dtype=np.int32), found)
    crowd.x_m[1] = x_m
    assert crowd.step().box_changed.tolist() == [changed, False, False]


def test_a_row_with_another_walker_belongs_to_nobody() -> None:
    crowd = Crowd([0.0, 1.0, 2.0])
    crowd.until(4000)
    crowd.id[1] = 77
    assert crowd.step().role[1] == Role.JOINING  # it finds the cluster beside it at once
    crowd.id[1], crowd.x_m[1] = 78, 50.0
    assert crowd.step().role[1] == Role.STANDALONE


@pytest.mark.parametrize("wrong", [{"n_create": 2}, {"radius_m": 5.1}, {"most_members": 21}])
def test_what_the_standard_does_not_allow(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ClusterParams(**wrong)  # type: ignore[arg-type]
