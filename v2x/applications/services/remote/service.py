"""The service ``remote-driving``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from v2x import rng
from v2x.applications.services.base import ServiceContext, ServiceOutput, demands_of
from v2x.applications.services.remote.link import RemoteLink
from v2x.applications.services.remote.params import RemoteDrivingParams
from v2x.applications.services.remote.stopping import StopKeeper, too_old
from v2x.applications.services.rows import columns_of
from v2x.applications.services.server import needed_network
from v2x.errors import V2XError
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.reactions import Action
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.units import US_PER_MS, US_PER_S, kmh_to_mps


@dataclass(slots=True)
class _Driven:
    """A vehicle that is driven from afar.

    Attributes
    ----------
    link
        Pictures and commands.
    keeper
        Whether it stops.
    operator_us
        Reaction time of its operator [µs].
    arriving
        When pictures that are going up arrive [µs].
    """

    link: RemoteLink
    keeper: StopKeeper
    operator_us: int
    arriving: list[int] = field(default_factory=list)


class RemoteDriving:
    """Remote driving over the mobile network: video up, commands down, and a minimal-risk stop.

    Drivers of the chosen vehicles go on as they would, no faster than the operator may. What the
    delay does to steering is a figure beside the traffic, not a motion in it.

    Parameters
    ----------
    params
        Who, what, and when to stop.
    context
        Mobile network, vehicles, seed; streams ``"remote-driving", "share" | "phase" |
        "operator" | "heading"``.

    Raises
    ------
    V2XError
        If there is no mobile network, or no vehicle that can be told what to do.
    """

    Params = RemoteDrivingParams

    def __init__(self, params: RemoteDrivingParams, context: ServiceContext) -> None:
        self._mobile = needed_network(context, "remote-driving")
        if context.vehicles is None:
            raise V2XError(
                "remote driving needs traffic that can be told what to do",
                key="services.remote-driving",
                remedy="use traffic.type=routed",
            )
        self._params, self._context = params, context
        self._n_driven = context.vehicles.n_rows
        self._driven: dict[int, _Driven] = {}
        self._rows: list[dict[str, Any]] = []
        self._gone: list[tuple[int, StopKeeper]] = []
        self._share_key, self._phase_key, self._operator_key, self._heading_key = (
            rng.key32(context.seed, "remote-driving", name)
            for name in ("share", "phase", "operator", "heading")
        )

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Nothing goes over the sidelink."""
        return ()

    def tick(self, scene: Scene) -> ServiceOutput:
        """Let pictures and commands go, and vehicles stop or go on."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        self._mobile.follow(fleet)
        rows = self._chosen(scene)
        self._begin_and_end(fleet, rows)
        asked: list[tuple[int, Action, float]] = []
        covered = self._mobile.covered()
        limit_mps = kmh_to_mps(self._params.speed_kmh)
        for row in rows.tolist():
            one = self._driven[int(fleet.id[row])]
            self._keep(one, fleet, row, bool(covered[row]))
            asked.append((row, Action.SLOW, limit_mps))
            if one.keeper.stops:
                asked.append((row, Action.BRAKE, self._params.stop.deceleration_mps2))
        self._send_pictures(now_us, fleet, rows)
        self._send_commands(now_us, fleet, rows)
        return ServiceOutput(orders=demands_of(asked))

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return tables ``remote_driving`` and ``remote_stops``."""
        every = [*self._gone, *((who, one.keeper) for who, one in self._driven.items())]
        stops = [row | {"vehicle_id": who} for who, keeper in every for row in keeper.rows]
        begin_s = self._context.warmup_us / US_PER_S
        stops = sorted(
            (row for row in stops if row["begin_s"] >= begin_s),
            key=lambda row: (row["begin_s"], row["vehicle_id"]),
        )
        return {
            "remote_driving": columns_of("remote_driving", self._rows),
            "remote_stops": columns_of("remote_stops", stops),
        }

    def _chosen(self, scene: Scene) -> RowArray:
        fleet = scene.fleet
        drawn = rng.uniform_by_id(self._share_key, fleet.id, 0) < self._params.share
        drawn &= fleet.active & scene.equipped & (fleet.kind <= NodeKind.BUS)
        drawn[self._n_driven :] = False
        return np.flatnonzero(drawn)

    def _begin_and_end(self, fleet: FleetState, rows: RowArray) -> None:
        """Begin with those who are new, with a fresh picture and command, and end with others."""
        here = fleet.id[rows].tolist()
        there = set(here)
        for who in [who for who in self._driven if who not in there]:
            self._gone.append((who, self._driven.pop(who).keeper))
        new = [who for who in here if who not in self._driven]
        low, high = self._params.budget.operator_ms
        share = rng.uniform_by_id(self._operator_key, np.array(new, dtype=np.int64), 0)
        for who, drawn in zip(new, share.tolist(), strict=True):
            self._driven[who] = _Driven(
                link=RemoteLink(fleet.time_us, fleet.time_us, fleet.time_us),
                keeper=StopKeeper(self._params.stop),
                operator_us=round((low + (high - low) * drawn) * US_PER_MS),
            )

    def _keep(self, one: _Driven, fleet: FleetState, row: int, covered: bool) -> None:
        """Judge how old everything is at a vehicle, and record it."""
        now_us, speed_mps = fleet.time_us, float(fleet.speed_mps[row])
        one.link.hear(now_us)
        command_us, video_us = one.link.command_age_us(now_us), one.link.video_age_us(now_us)
        moved_m = speed_mps * self._context.tick_us / US_PER_S
        one.keeper.tick(
            now_us, speed_mps, too_old(self._params.stop, command_us, video_us), moved_m
        )
        n_pictures = sum(at_us <= now_us for at_us in one.arriving)
        one.arriving = [at_us for at_us in one.arriving if at_us > now_us]
        if now_us < self._context.warmup_us:
            return
        delay_us = video_us + one.operator_us + self._params.budget.actuation_ms * US_PER_MS
        delay_s = delay_us / US_PER_S
        who = int(fleet.id[row])
        self._rows.append(
            {
                "time_s": now_us / US_PER_S,
                "vehicle_id": who,
                "speed_mps": speed_mps,
                "covered": covered,
                "command_age_s": command_us / US_PER_S,
                "video_age_s": video_us / US_PER_S,
                "delay_s": delay_s,
                "deviation_m": self._heading_error_rad(who, now_us) * speed_mps * delay_s,
                "video_bytes": n_pictures * self._params.frame_bytes,
                "stopping": one.keeper.stops,
            }
        )

    def _heading_error_rad(self, who: int, now_us: int) -> float:
        """Return how far off the direction of a vehicle is, drawn anew every second [rad]."""
        share = rng.uniform_by_id(self._heading_key, who, now_us // US_PER_S)
        return float(abs(ndtri(share + 2.0**-54))) * self._params.heading_error_rad

    def _send_pictures(self, now_us: int, fleet: FleetState, rows: RowArray) -> None:
        """Send the pictures that are taken before the next tick."""
        params, budget = self._params, self._params.budget
        interval_us = round(US_PER_S / params.frames_per_s)
        phase_us = rng.uniform_by_id(self._phase_key, fleet.id[rows], 0) * interval_us
        first_us = now_us + (phase_us.astype(np.int64) - now_us) % interval_us
        make_us = round((budget.camera_ms + budget.encode_ms) * US_PER_MS)
        show_us = round((budget.decode_ms + budget.display_ms) * US_PER_MS)
        for k in range(-(-self._context.tick_us // interval_us)):
            capture_us = first_us + k * interval_us
            free_us = [self._driven[who].link.uplink_free_us for who in fleet.id[rows].tolist()]
            going = (capture_us < now_us + self._context.tick_us) & (
                capture_us + make_us >= np.array(free_us, dtype=np.int64)
            )
            chosen, taken_us = rows[going], capture_us[going]
            arrives_us = self._mobile.up(
                chosen,
                taken_us + make_us,
                np.full(len(chosen), params.frame_bytes, dtype=np.int32),
                stream="remote-driving video",
                uplink_rb=params.video_rb,
            )
            for who, taken, arrives in zip(
                fleet.id[chosen].tolist(), taken_us.tolist(), arrives_us.tolist(), strict=True
            ):
                one = self._driven[who]
                one.link.picture(taken, arrives, arrives + show_us)
                if arrives >= 0:
                    one.arriving.append(arrives)

    def _send_commands(self, now_us: int, fleet: FleetState, rows: RowArray) -> None:
        """Send the commands that operators give before the next tick."""
        interval_us = round(self._params.command_ms * US_PER_MS)
        size_bytes = np.full(len(rows), self._params.command_bytes, dtype=np.int32)
        first_us = now_us + -now_us % interval_us
        for given_us in range(first_us, now_us + self._context.tick_us, interval_us):
            links = [self._driven[who].link for who in fleet.id[rows].tolist()]
            captures_us = [link.shown_until(given_us) for link in links]
            arrives_us = self._mobile.down(
                rows,
                np.full(len(rows), given_us, dtype=np.int64),
                size_bytes,
                stream="remote-driving command",
            )
            for link, capture_us, arrives in zip(
                links, captures_us, arrives_us.tolist(), strict=True
            ):
                link.command(given_us, capture_us, arrives)
