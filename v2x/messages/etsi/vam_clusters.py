"""Clusters of vulnerable road users, in which one speaks for all (TS 103 300-3, 5.4 and 6.4).

The leader is drawn by the smallest id of those who could lead, since all of them find at the same
time that they are enough. Where the standard leaves room, the choice is in the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from v2x.messages.etsi.changes import ROUNDING
from v2x.messages.etsi.memory import NEVER_US, StationMemory
from v2x.mobility.fleet import FleetState, FloatArray
from v2x.units import US_PER_S

BoolArray = NDArray[np.bool_]
Rows = NDArray[np.int64]


class Role(IntEnum):
    """Part that a road user has in a cluster."""

    STANDALONE = 0
    JOINING = 1
    """Still speaks for itself, and tells that it will join."""
    PASSIVE = 2
    """Is silent, its leader speaks for it."""
    LEADER = 3
    LEAVING = 4
    """Speaks for itself again, and tells that it has left."""
    BREAKING_UP = 5
    """Leads, and tells that the cluster will end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterParams:
    """Conditions and times of clustering.

    Parameters
    ----------
    n_create
        numCreateCluster: road users within the radius who make a cluster, the leader counted; 3
        to 5.
    radius_m
        maxClusterDistance: distance from the leader [m], 3 to 5.
    speed_difference
        maxClusterVelocityDifference: share of the leader's speed.
    most_members
        maxClusterSize, the leader counted.
    join_notification_s, join_success_s
        timeClusterJoinNotification and timeClusterJoinSuccess [s]: how long somebody tells that it
        will join, and then waits for its leader to say that it has.
    leave_notification_s, breakup_warning_s
        timeClusterLeaveNotification and timeClusterBreakupWarning [s].
    continuity_s
        timeClusterContinuity [s]: a leader who was not heard for this time is lost.
    box_change_m
        Change of the radius of the bounding box that triggers a VAM of the leader [m].
    """

    n_create: int = 3
    radius_m: float = 3.0
    speed_difference: float = 0.05
    most_members: int = 20
    join_notification_s: float = 3.0
    join_success_s: float = 0.5
    leave_notification_s: float = 3.0
    breakup_warning_s: float = 3.0
    continuity_s: float = 2.0
    box_change_m: float = 2.0

    def __post_init__(self) -> None:
        """Reject what the standard does not allow."""
        for name, low, high in (
            ("n_create", 3, 5),
            ("radius_m", 3.0, 5.0),
            ("speed_difference", 0.0, 1.0),
            ("most_members", 2, 20),
            ("join_notification_s", 0.0, 60.0),
            ("join_success_s", 0.0, 60.0),
            ("leave_notification_s", 0.0, 60.0),
            ("breakup_warning_s", 0.0, 60.0),
            ("continuity_s", 0.0, 60.0),
            ("box_change_m", 0.0, 100.0),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(
                    f"{name} must be within {low:g} and {high:g}, got {getattr(self, name)}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Who speaks for whom at one instant; all (n_rows,) of the fleet.

    Attributes
    ----------
    role : int64
        A :class:`Role`.
    leader : int64
        Row of the leader whom somebody follows or is about to follow, the own row for a leader,
        -1 without one.
    n_members : int64
        Of the cluster that a leader speaks for, itself counted; 0 for all others.
    radius_m : float64
        Of the bounding box around a leader; 0 for all others.
    box_changed : bool
        Whether the bounding box differs enough from the one told last.
    """

    role: Rows
    leader: Rows
    n_members: Rows
    radius_m: FloatArray
    box_changed: BoolArray

    @property
    def silent(self) -> BoolArray:
        """Who sends no VAM."""
        return np.asarray(self.role == Role.PASSIVE)


class Clustering:
    """Makes, joins, leaves and ends clusters for all road users at once.

    Parameters
    ----------
    params
        Conditions and times.
    """

    def __init__(self, params: ClusterParams) -> None:
        self._params = params
        self._memory = StationMemory(
            {
                "role": int(Role.STANDALONE),
                "since_us": NEVER_US,
                "leader": -1,
                "leader_id": -1,
                "heard_us": NEVER_US,
                "confirmed": 0,
                "told_m": 0.0,
            }
        )

    def step(
        self,
        now_us: int,
        row: NDArray[np.int32],
        fleet: FleetState,
        heard: BoolArray | None = None,
    ) -> Clusters:
        """Return who speaks for whom after one more tick.

        Parameters
        ----------
        now_us
            The present tick [µs]; ticks should not be farther apart than the shortest time.
        row : (n,) int32
            The vulnerable road users.
        fleet
            Where they are.
        heard : (n_rows,) bool
            Who has heard a VAM of its leader since the last step; all, if it is not given.
        """
        self._memory.follow(fleet.id)
        self._hear(now_us, fleet, heard)
        self._keep_or_leave(now_us, fleet)
        self._end(now_us)
        self._join(now_us, row, fleet)
        self._create(now_us, row, fleet)
        return self._present(fleet)

    def break_up(self, now_us: int, leader: NDArray[np.int32]) -> None:
        """Let leaders warn that their clusters will end."""
        memory = self._memory
        leads = leader[memory["role"][leader] == Role.LEADER]
        self._become(leads, Role.BREAKING_UP, now_us)

    def told(self, leader: NDArray[np.int32], clusters: Clusters) -> None:
        """Remember the bounding boxes that leaders have just told."""
        self._memory["told_m"][leader] = clusters.radius_m[leader]

    def _become(self, rows: Rows | NDArray[np.int32], role: Role, now_us: int) -> None:
        self._memory["role"][rows] = role
        self._memory["since_us"][rows] = now_us
        if role in (Role.STANDALONE, Role.LEAVING):
            self._memory["leader"][rows] = -1
            self._memory["leader_id"][rows] = -1

    def _with_role(self, *roles: Role) -> Rows:
        return np.flatnonzero(np.isin(self._memory["role"], roles))

    def _for_at_least(self, rows: Rows, now_us: int, time_s: float) -> BoolArray:
        return np.asarray(now_us - self._memory["since_us"][rows] >= round(time_s * US_PER_S))

    def _leads(self, rows: Rows, fleet: FleetState) -> BoolArray:
        """Return whose leader is still there and leads."""
        leader = self._memory["leader"][rows]
        role = self._memory["role"][leader]
        same = fleet.id[leader] == self._memory["leader_id"][rows]
        return np.asarray(same & np.isin(role, (Role.LEADER, Role.BREAKING_UP)))

    def _hear(self, now_us: int, fleet: FleetState, heard: BoolArray | None) -> None:
        member = self._with_role(Role.JOINING, Role.PASSIVE)
        hears = self._leads(member, fleet)
        if heard is not None:
            hears &= heard[member]
        self._memory["heard_us"][member[hears]] = now_us

    def _keep_or_leave(self, now_us: int, fleet: FleetState) -> None:
        """Let members stay with their leader as long as they are near it and hear it."""
        memory, params = self._memory, self._params
        joining = self._with_role(Role.JOINING)
        fits = self._leads(joining, fleet) & self._fits(joining, memory["leader"][joining], fleet)
        self._become(joining[~fits], Role.STANDALONE, now_us)
        ready = joining[fits & self._for_at_least(joining, now_us, params.join_notification_s)]
        memory["confirmed"][ready] = 0
        self._become(ready, Role.PASSIVE, now_us)

        passive = np.setdiff1d(self._with_role(Role.PASSIVE), ready)
        confirmed = memory["heard_us"][passive] > memory["since_us"][passive]
        memory["confirmed"][passive[confirmed]] = 1
        unsure = memory["confirmed"][passive] == 0
        failed = unsure & self._for_at_least(passive, now_us, params.join_success_s)
        unheard_us = now_us - memory["heard_us"][passive]
        lost = ~unsure & (unheard_us >= round(params.continuity_s * US_PER_S))
        # Somebody whose leader is gone notices that by its silence only.
        away = self._leads(passive, fleet) & ~self._fits(passive, memory["leader"][passive], fleet)
        self._become(passive[failed | lost | away], Role.LEAVING, now_us)

    def _end(self, now_us: int) -> None:
        """End notifications of leaving, clusters after their warning, and those without members."""
        params = self._params
        leaving = self._with_role(Role.LEAVING)
        over = self._for_at_least(leaving, now_us, params.leave_notification_s)
        self._become(leaving[over], Role.STANDALONE, now_us)

        breaking = self._with_role(Role.BREAKING_UP)
        over = self._for_at_least(breaking, now_us, params.breakup_warning_s)
        member = self._with_role(Role.JOINING, Role.PASSIVE)
        freed = member[np.isin(self._memory["leader"][member], breaking[over])]
        self._become(freed, Role.STANDALONE, now_us)
        self._become(breaking[over], Role.STANDALONE, now_us)

        leader = self._with_role(Role.LEADER)
        alone = ~np.isin(leader, self._memory["leader"][member])
        tried_s = params.join_notification_s + params.join_success_s
        self._become(
            leader[alone & self._for_at_least(leader, now_us, tried_s)], Role.STANDALONE, now_us
        )

    def _join(self, now_us: int, row: NDArray[np.int32], fleet: FleetState) -> None:
        """Let road users begin to join the nearest leader that has room."""
        role = self._memory["role"]
        free = row[role[row] == Role.STANDALONE]
        leader = row[role[row] == Role.LEADER]
        if not len(free) or not len(leader):
            return
        place = np.column_stack([fleet.x_m, fleet.y_m])
        near_m, index = (np.asarray(part) for part in cKDTree(place[leader]).query(place[free]))
        chosen = leader[index]
        fits = self._fits(free, chosen, fleet)
        free, chosen, near_m = free[fits], chosen[fits], near_m[fits]
        order = np.lexsort((fleet.id[free], near_m, chosen))
        free, chosen = free[order], chosen[order]
        turn = np.arange(len(free)) - np.searchsorted(chosen, chosen)
        room = self._params.most_members - self._n_members()[chosen]
        free, chosen = free[turn < room], chosen[turn < room]
        self._become(free, Role.JOINING, now_us)
        self._memory["leader"][free] = chosen
        self._memory["leader_id"][free] = fleet.id[chosen]

    def _create(self, now_us: int, row: NDArray[np.int32], fleet: FleetState) -> None:
        """Let road users lead who have enough free ones around them and the smallest id."""
        free = row[self._memory["role"][row] == Role.STANDALONE].astype(np.int64)
        if len(free) < self._params.n_create:
            return
        tree = cKDTree(np.column_stack([fleet.x_m[free], fleet.y_m[free]]))
        pair = tree.query_pairs(self._params.radius_m + ROUNDING, output_type="ndarray")
        one, other = free[np.concatenate([pair, pair[:, ::-1]])].T
        fits = self._fits(other, one, fleet)
        one, other = one[fits], other[fits]
        enough = np.bincount(one, minlength=fleet.n_rows) >= self._params.n_create - 1
        beaten = np.zeros(fleet.n_rows, dtype=np.bool_)
        beaten[one[enough[other] & (fleet.id[other] < fleet.id[one])]] = True
        leads = free[enough[free] & ~beaten[free]]
        self._become(leads, Role.LEADER, now_us)
        self._memory["leader"][leads] = leads
        self._memory["leader_id"][leads] = fleet.id[leads]
        self._memory["told_m"][leads] = 0.0

    def _fits(
        self, rows: Rows | NDArray[np.int32], leader: Rows | NDArray[np.int32], fleet: FleetState
    ) -> BoolArray:
        """Return who is near enough to a leader and about as fast."""
        apart_m = np.hypot(fleet.x_m[rows] - fleet.x_m[leader], fleet.y_m[rows] - fleet.y_m[leader])
        difference = np.abs(fleet.speed_mps[rows] - fleet.speed_mps[leader])
        allowed = self._params.speed_difference * fleet.speed_mps[leader]
        return np.asarray(
            (apart_m <= self._params.radius_m + ROUNDING) & (difference <= allowed + ROUNDING)
        )

    def _n_members(self) -> Rows:
        """Return for each row how many follow it or are about to, itself counted if it leads."""
        member = self._with_role(Role.JOINING, Role.PASSIVE, Role.LEADER, Role.BREAKING_UP)
        return np.bincount(self._memory["leader"][member], minlength=len(self._memory["leader"]))

    def _present(self, fleet: FleetState) -> Clusters:
        memory = self._memory
        n_rows = fleet.n_rows
        member = self._with_role(Role.PASSIVE)
        member = member[self._leads(member, fleet)]
        leader = memory["leader"][member]
        radius_m = np.zeros(n_rows)
        apart_m = np.hypot(
            fleet.x_m[member] - fleet.x_m[leader], fleet.y_m[member] - fleet.y_m[leader]
        )
        np.maximum.at(radius_m, leader, apart_m)
        leads = np.isin(memory["role"], (Role.LEADER, Role.BREAKING_UP))[:n_rows]
        n_members = np.bincount(leader, minlength=n_rows) + leads
        changed = np.abs(radius_m - memory["told_m"][:n_rows])
        return Clusters(
            role=memory["role"][:n_rows].copy(),
            leader=memory["leader"][:n_rows].copy(),
            n_members=n_members,
            radius_m=radius_m,
            box_changed=leads & (changed >= self._params.box_change_m - ROUNDING),
        )
