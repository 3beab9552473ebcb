"""Platoons on the road: who joins whom, how members drive, and what they tell each other (CLPMM).

A member drives by what it has received and by what its own sensors see, which is gap and speed of
whoever is ahead in the lane. Every vehicle of a platoon says its state and its motion each period;
what a follower has heard of the member ahead, and how old that is, decides how it drives (see
:mod:`v2x.mobility.cooperative.platoon_drive`). Members keep their lane. The leader is driven as
any other vehicle, and keeps its lane as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.applications.services.air_sizes import from_octets, octets, rows_by_id
from v2x.applications.services.base import (
    Outgoing,
    ServiceContext,
    ServiceOutput,
    demands_of,
    phase_us,
)
from v2x.applications.services.dialogue_log import DialogueLog
from v2x.applications.services.platoon_forming import chains, neighbours, open_ahead
from v2x.applications.services.platoon_params import PlatooningParams
from v2x.applications.services.platoon_roles import PlatoonRoles
from v2x.applications.services.platoon_table import PlatoonTable
from v2x.applications.services.words import PlatoonWord, platoon_bytes
from v2x.errors import V2XError
from v2x.messages.csae.day2.clpmm import PlatoonManagement
from v2x.messages.csae.day2.dialogues.platoon_leader import Platoon
from v2x.messages.csae.day2.dialogues.platoon_member import Driving, Place
from v2x.messages.topics import Topic
from v2x.mobility.cooperative.platoon_drive import Followers, PlatoonDrive
from v2x.mobility.fleet import FleetState, FloatArray, IntArray
from v2x.mobility.intentions import intentions_of
from v2x.mobility.reactions import Action, Demands
from v2x.perception.scene import Scene
from v2x.units import US_PER_MS, US_PER_S

#: Time in which a member comes back to the highest speed it may have [s], and the hardest braking
#: for that [m/s²].
_RETURN_S, _EASY_MPS2 = 1.0, 1.5
#: Row of a member ahead that nobody knows: whoever is seen there is a stranger.
_NOBODY = -2

#: What each vehicle has heard of each other one, by rows of receiver and sender.
Heard = dict[int, dict[int, PlatoonWord]]


class Platooning:
    """Vehicles of one class in platoons: cooperative adaptive cruise control by CLPMM.

    Parameters
    ----------
    params
        Who, how close, and what for.
    context
        Network, vehicles, seed; streams ``"platooning", "share" | "phase"``.

    Raises
    ------
    V2XError
        If no vehicle of the traffic can be told what to do.
    """

    Params = PlatooningParams

    def __init__(self, params: PlatooningParams, context: ServiceContext) -> None:
        if context.vehicles is None:
            raise V2XError(
                "platoons need traffic that can be told what to do",
                key="services.platooning",
                remedy="use traffic.type=routed",
            )
        self._params, self._context = params, context
        self._n_driven = context.vehicles.n_rows
        n_rows, tick_us = context.mobility.n_rows, context.tick_us
        self._share_key = rng.key32(context.seed, "platooning", "share")
        self._phase_key = rng.key32(context.seed, "platooning", "phase")
        self._period_ticks = max(round(params.timers.period_ms * US_PER_MS / tick_us), 1)
        self._log = DialogueLog(context.warmup_us)
        self._roles = PlatoonRoles(params.timers, self._log)
        self._table = PlatoonTable(n_rows, context.warmup_us)
        self._drive = PlatoonDrive(params.drive, n_rows=n_rows, step_s=tick_us / US_PER_S)
        self._stranger_us: dict[int, int] = {}
        self._id: NDArray[np.int64] = np.full(n_rows, -1, dtype=np.int64)
        self._begun = False

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Sizes of CLPMM: of a follower, and of a leader of a full platoon that joins and lets go.

        A leader lists each member once more when it leaves, and one that joins.
        """
        return (platoon_bytes(0), platoon_bytes(2 * self._params.timers.capacity))

    def tick(self, scene: Scene) -> ServiceOutput:
        """Let everybody hear, decide, drive and speak."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        rows = rows_by_id(fleet.id)
        self._log.tick(now_us)
        self._roles.forget(now_us, rows)
        self._table.watch(fleet.acceleration_mps2, fleet.id != self._id)
        self._id = fleet.id.copy()
        able = self._able(scene)
        if not self._begun:
            self._begun = True
            for chain in chains(fleet, able, self._params)[: self._params.at_start]:
                self._roles.begin(now_us, fleet.id[list(chain)].tolist())
        heard = _heard(scene)
        ahead = self._ahead(fleet, rows)
        self._advance(scene, rows, ahead)
        if self._params.forms:
            self._form(scene, able, heard)
        wanted, age_s = self._drive_all(scene, rows, heard)
        self._record(fleet, rows, age_s)
        return ServiceOutput(
            messages=self._messages(scene, rows),
            orders=self._orders(scene, rows),
            wanted_mps2=wanted,
        )

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return tables ``platoons`` and ``dialogues``."""
        return {"platoons": self._table.table(), "dialogues": self._log.table()}

    def _able(self, scene: Scene) -> NDArray[np.bool_]:
        """Return who can drive in platoons, (n_rows,)."""
        fleet = scene.fleet
        able = scene.equipped & (fleet.kind == self._params.vehicles.kind)
        able &= rng.uniform_by_id(self._share_key, fleet.id, 0) < self._params.share
        able[self._n_driven :] = False
        return np.asarray(able)

    def _ahead(self, fleet: FleetState, rows: Mapping[int, int]) -> dict[int, int]:
        """Return the row of the member ahead of each follower, by the list it has heard last."""
        ahead: dict[int, int] = {}
        for identity in self._roles.following:
            names = self._roles.order.get(identity, ())
            me = octets(identity)
            place = names.index(me) - 1 if me in names else len(names) - 1
            before = from_octets(names[place]) if place >= 0 else -1
            ahead[identity] = rows.get(before, _NOBODY)
        return ahead

    def _advance(self, scene: Scene, rows: Mapping[int, int], ahead: Mapping[int, int]) -> None:
        """Take what was received, and let the dialogues go on."""
        params, fleet = self._params, scene.fleet
        reports: dict[int, list[PlatoonManagement]] = {}
        for notice in scene.board.new(Topic.CLPMM):
            for identity in fleet.id[notice.host].tolist():
                reports.setdefault(identity, []).append(notice.content.management)
        due = intentions_of(self._context.vehicles, fleet.n_rows).sides_within(params.leave_m)
        driving = {
            identity: self._driving(fleet, rows[identity], ahead[identity], due)
            for identity in self._roles.following
        }
        leaving = frozenset(item for item in self._roles.leading if due[rows[item]] != 0)
        self._roles.advance(
            fleet.time_us,
            reports,
            driving,
            dismissing=leaving,
            give_up_us=round(params.again_s * US_PER_S),
        )

    def _driving(self, fleet: FleetState, row: int, ahead: int, due: IntArray) -> Driving:
        """Return what a follower does, as far as its dialogue needs to know."""
        params, identity = self._params, int(fleet.id[row])
        place = self._roles.following[identity].place
        speed = max(float(fleet.speed_mps[row]), 1.0)
        seen = int(fleet.leader[row])
        gap = float(fleet.gap_m[row]) - params.drive.ploeg.standstill_m
        if place is Place.LEAVING:
            is_open = seen < 0 or gap >= params.open_share * params.drive.acc_headway_s * speed
            return Driving.GAP_OPEN if is_open else Driving.NOTHING
        if due[row] != 0 or self._is_lost(fleet.time_us, identity, stranger=seen != ahead):
            return Driving.WISH_TO_LEAVE
        if place is Place.JOINING and seen == ahead and gap <= params.join_headway_s * speed:
            return Driving.IN_POSITION
        return Driving.NOTHING

    def _is_lost(self, now_us: int, identity: int, *, stranger: bool) -> bool:
        """Whether somebody else has been ahead of a follower for too long."""
        if not stranger:
            self._stranger_us.pop(identity, None)
            return False
        since_us = self._stranger_us.setdefault(identity, now_us)
        lost = now_us - since_us >= round(self._params.stranger_s * US_PER_S)
        if lost:
            del self._stranger_us[identity]
        return lost

    def _form(self, scene: Scene, able: NDArray[np.bool_], heard: Heard) -> None:
        """Let free vehicles ask to join who is ahead, or offer to lead who is behind."""
        fleet, now_us, roles = scene.fleet, scene.fleet.time_us, self._roles
        again_us = round(self._params.again_s * US_PER_S)
        due = intentions_of(self._context.vehicles, fleet.n_rows).sides_within(self._params.leave_m)
        ahead, behind = neighbours(scene, self._params.join_m)
        for row in np.flatnonzero(able & (due == 0)).tolist():
            identity = int(fleet.id[row])
            last_us = roles.free_us.get(identity)
            waits = last_us is not None and now_us - last_us < again_us
            if waits or not roles.is_free(identity):
                continue
            offer = open_ahead(heard.get(row, {}), fleet, ahead.get(row))
            if offer is not None:
                roles.ask(now_us, identity, offer)
                continue
            kind = self._params.vehicles.kind
            before, after = ahead.get(row), behind.get(row)
            first = before is None or int(fleet.kind[before]) != kind
            last = after is None or int(fleet.kind[after]) != kind
            if first and not last and identity not in roles.leading:
                roles.found(now_us, identity)

    def _drive_all(
        self, scene: Scene, rows: Mapping[int, int], heard: Heard
    ) -> tuple[FloatArray, dict[int, float]]:
        """Return the accelerations that members want, and the ages of what they go by."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        ahead = self._ahead(fleet, rows)
        driven = sorted(
            identity
            for identity, item in self._roles.following.items()
            if item.place >= Place.JOINING
        )
        values: list[tuple[float, ...]] = []
        age_s: dict[int, float] = {}
        for identity in driven:
            row, follower = rows[identity], self._roles.following[identity]
            known = heard.get(row, {}) if follower.may_be_close else {}
            leader = rows.get(from_octets(follower.leader_id), _NOBODY)
            before, first = known.get(ahead[identity]), known.get(leader)
            age_s[identity] = _age_s(before, now_us)
            values.append(
                (
                    row,
                    ahead[identity],
                    leader,
                    0.0 if before is None else before.acceleration_mps2,
                    age_s[identity],
                    0.0 if first is None else first.acceleration_mps2,
                    0.0 if first is None else first.speed_mps,
                    _age_s(first, now_us),
                )
            )
        columns = np.array(values, dtype=np.float64).reshape(len(values), 8).T
        row, before_row, leader_row = columns[:3].astype(np.int32)
        followers = Followers(
            row=row,
            ahead=before_row,
            leader=leader_row,
            ahead_mps2=columns[3],
            ahead_age_s=columns[4],
            leader_mps2=columns[5],
            leader_speed_mps=columns[6],
            leader_age_s=columns[7],
        )
        wanted = self._drive.wanted_mps2(fleet, followers)
        return self._within_speed(scene, wanted), age_s

    def _within_speed(self, scene: Scene, wanted: FloatArray) -> FloatArray:
        """Return accelerations with which nobody gets faster than limit and catching up allow."""
        fleet, own = scene.fleet, scene.own
        row = np.flatnonzero(~np.isnan(wanted))
        most = fleet.speed_mps[fleet.leader[row]] + self._params.catch_up_mps
        edge = own.edge[row]
        limit = np.where(edge >= 0, scene.outlook.limit_mps[edge], np.inf)
        back = (np.minimum(most, limit) - fleet.speed_mps[row]) / _RETURN_S
        wanted[row] = np.minimum(wanted[row], np.maximum(back, -_EASY_MPS2))
        return wanted

    def _orders(self, scene: Scene, rows: Mapping[int, int]) -> Demands:
        """Return that platoons keep their lane, and leaders wait for those who join."""
        own, params = scene.own, self._params
        asked: list[tuple[int, Action, float]] = []
        for identity, platoon in self._roles.leading.items():
            row = rows[identity]
            together = bool(platoon.members or platoon.joining)
            if together and platoon.dismissed_us is None:
                asked.append((row, Action.KEEP_LANE, 0.0))
            waits = bool(platoon.joining) or self._is_stretched(scene, row, platoon, rows)
            if waits and own.edge[row] >= 0:
                limit = float(scene.outlook.limit_mps[own.edge[row]])
                asked.append((row, Action.SLOW, max(limit - params.wait_mps, 0.0)))
        for identity, item in self._roles.following.items():
            if item.place in (Place.JOINING, Place.FOLLOWING):
                asked.append((rows[identity], Action.KEEP_LANE, 0.0))
        return demands_of(asked)

    def _is_stretched(
        self, scene: Scene, row: int, platoon: Platoon, rows: Mapping[int, int]
    ) -> bool:
        """Whether a leader knows its last member to be farther behind than it should be."""
        members = [rows.get(from_octets(name), _NOBODY) for name in platoon.members]
        if not members or _NOBODY in members:
            return False
        pair = np.flatnonzero((scene.host == row) & (scene.remote == members[-1]))
        if len(pair) == 0 or np.isnan(scene.road_behind_m[pair[0]]):
            return False
        params, length_m = self._params.drive, scene.fleet.length_m
        gap_m = params.ploeg.standstill_m + params.ploeg.headway_s * float(scene.own.speed_mps[row])
        wanted_m = len(members) * gap_m + float(length_m[members[:-1]].sum())
        return float(scene.road_behind_m[pair[0]]) > wanted_m + self._params.slack_m

    def _messages(self, scene: Scene, rows: Mapping[int, int]) -> list[Outgoing]:
        """Return what is said before the next tick."""
        own, now_us, tick_us = scene.own, scene.fleet.time_us, self._context.tick_us
        messages = []
        for identity in self._roles.speakers():
            at_us = phase_us(self._phase_key, identity, self._period_ticks * tick_us)
            if (now_us // tick_us - at_us // tick_us) % self._period_ticks:
                continue
            management = self._roles.said(now_us, identity)
            if management is None:
                continue
            row = rows[identity]
            word = PlatoonWord(
                management=management,
                speed_mps=float(own.speed_mps[row]),
                acceleration_mps2=float(own.acceleration_mps2[row]),
                measured_us=now_us,
            )
            messages.append(
                Outgoing(
                    row=row,
                    topic=Topic.CLPMM,
                    content=word,
                    size_bytes=platoon_bytes(_n_listed(management)),
                    after_us=at_us % tick_us,
                )
            )
        return messages

    def _record(
        self, fleet: FleetState, rows: Mapping[int, int], age_s: Mapping[int, float]
    ) -> None:
        roles, found = self._roles, {}
        for identity, platoon in roles.leading.items():
            if platoon.members:
                row = rows[identity]
                number = roles.number(platoon.platoon_id)
                found[row] = self._row(fleet, row, number, 0, Place.FOLLOWING, np.nan)
        for identity, follower in roles.following.items():
            row, names = rows[identity], roles.order.get(identity, ())
            rank = names.index(octets(identity)) if octets(identity) in names else -1
            number = roles.number(follower.platoon_id)
            age = age_s.get(identity, np.nan)
            found[row] = self._row(fleet, row, number, rank, follower.place, age)
        self._table.put(fleet.time_us, found)

    def _row(
        self, fleet: FleetState, row: int, platoon: int, rank: int, place: Place, age_s: float
    ) -> dict[str, Any]:
        gap, speed = float(fleet.gap_m[row]), float(fleet.speed_mps[row])
        headway = float(self._drive.headway_s[row])
        wanted = self._params.drive.ploeg.standstill_m + headway * speed
        return {
            "platoon": platoon,
            "member": int(fleet.id[row]),
            "rank": rank,
            "place": place,
            "mode": int(self._drive.mode[row]),
            "speed_mps": speed,
            "gap_m": gap if np.isfinite(gap) else np.nan,
            "headway_s": headway,
            "gap_error_m": gap - wanted if np.isfinite(gap) else np.nan,
            "age_s": age_s if np.isfinite(age_s) else np.nan,
        }


def _age_s(word: PlatoonWord | None, now_us: int) -> float:
    return np.inf if word is None else (now_us - word.measured_us) / US_PER_S


def _n_listed(management: PlatoonManagement) -> int:
    lists = management.management
    if lists is None:
        return 0
    return len(lists.members) + len(lists.joining or ()) + len(lists.leaving or ())


def _heard(scene: Scene) -> Heard:
    """Return the newest CLPMM that each vehicle has of each other one."""
    heard: Heard = {}
    for notice in scene.board.notices(Topic.CLPMM):
        for host in notice.host.tolist():
            heard.setdefault(host, {})[notice.sender] = notice.content
    return heard
