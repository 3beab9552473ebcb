"""How well checks find attacks: the same traffic under every attack, side by side.

Receivers here hear everybody within a range but for random losses; no access technology takes part,
so that checks are compared and not radios. What honest vehicles say is off by errors of
positioning. Each attack has a world of its own, with the same vehicles, attackers, errors and
losses; all worlds are judged in one go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from v2x import registry, rng
from v2x.channel.pathloss_formulas import tr37885_highway_los_db
from v2x.mobility.base import MobilityContext
from v2x.mobility.fleet import FleetState
from v2x.mobility.routed import RoutedTraffic
from v2x.mobility.routed_params import RoutedParams
from v2x.security.attacks.base import (
    Attack,
    AttackContext,
    Claims,
    IndexArray,
    attackers,
    differs,
    joined,
    true_claims,
)
from v2x.security.envelope import normal_by_id
from v2x.security.plausibility.detector import CHECKS, FUSIONS, Detector
from v2x.security.plausibility.heard import BoolArray, FloatArray, Heard
from v2x.security.plausibility.params import PlausibilityParams
from v2x.security.plausibility.surroundings import RoadSurface, SignalLaw
from v2x.units import US_PER_MS, US_PER_S
from v2x.world.road_map import RoadMap
from v2x.world.weather import WeatherParams

#: Checks and fusions in the order of the columns of a :class:`StudyResult`.
VERDICTS = (*CHECKS, *FUSIONS)
#: Objects farther from the receiver than this are not looked for among what its sensors see [m].
_SIGHT_M = 50.0
_CARRIER_GHZ = 5.9
_LATE_US = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyParams:
    """Who attacks, who hears whom, and how far honest claims are off.

    Parameters
    ----------
    attacker_share
        Share of attackers; 0.05 in F2MD, 0.1 to 0.3 in VeReMi.
    period_ms
        Time between the messages of a sender [ms].
    range_m
        Everybody within this hears a message [m].
    loss
        Share of messages that are lost.
    position_bias_m
        Standard deviation, along each axis, of the error of positions that lasts [m] (ours: of
        GNSS errors, neighbours share the most).
    position_jitter_m, speed_jitter_mps, heading_jitter_deg
        Standard deviations of errors from message to message [m], [m/s], [degree] (ours).
    sent_dbm
        Transmit power and the antenna gains of both ends [dBm].
    shadowing_db
        Standard deviation of the shadowing of a pair, drawn anew each second [dB]; 3 of line of
        sight in TR 37.885.
    """

    attacker_share: float = 0.2
    period_ms: int = 100
    range_m: float = 300.0
    loss: float = 0.1
    position_bias_m: float = 0.5
    position_jitter_m: float = 0.1
    speed_jitter_mps: float = 0.1
    heading_jitter_deg: float = 1.0
    sent_dbm: float = 29.0
    shadowing_db: float = 3.0

    def __post_init__(self) -> None:
        """Reject studies that measure nothing."""
        if not 0.0 < self.attacker_share < 1.0 or not 0.0 <= self.loss < 1.0:
            raise ValueError(
                f"attacker_share must be in (0, 1) and loss in [0, 1), got {self.attacker_share} "
                f"and {self.loss}"
            )
        if self.period_ms < 10 or not self.range_m > 0:
            raise ValueError(
                f"period_ms must be at least 10 and range_m > 0, got {self.period_ms} and "
                f"{self.range_m}"
            )


@dataclass(frozen=True, slots=True)
class StudyResult:
    """Counts of receptions at honest receivers.

    Attributes
    ----------
    attacks
        Names of the attacks, the rows.
    found, missed, wrong, right : (n_attacks, n_verdicts) int64
        Forged messages that were and were not found, true ones that were and were not suspected;
        columns as in :data:`VERDICTS`.
    delay_s : (n_attacks, n_verdicts) float64
        Mean time from the first forged message that a receiver got from an attacker to the first
        that was found, over the pairs in which any was [s].
    pairs_found : (n_attacks, n_verdicts) float64
        Share of such pairs in which any was.
    """

    attacks: tuple[str, ...]
    found: NDArray[np.int64]
    missed: NDArray[np.int64]
    wrong: NDArray[np.int64]
    right: NDArray[np.int64]
    delay_s: FloatArray
    pairs_found: FloatArray

    @property
    def precision(self) -> FloatArray:
        """Share of suspected messages that were forged; 0 where none was suspected."""
        return np.asarray(self.found / np.maximum(self.found + self.wrong, 1))

    @property
    def recall(self) -> FloatArray:
        """Share of forged messages that were found."""
        return np.asarray(self.found / np.maximum(self.found + self.missed, 1))

    @property
    def f1(self) -> FloatArray:
        """Harmonic mean of precision and recall."""
        return np.asarray(
            2.0 * self.found / np.maximum(2 * self.found + self.wrong + self.missed, 1)
        )

    @property
    def wrong_per_1000(self) -> FloatArray:
        """Suspected messages among 1000 true ones."""
        return np.asarray(1000.0 * self.wrong / np.maximum(self.wrong + self.right, 1))


def drive(
    road_map: RoadMap, n_vehicles: int, duration_s: float, seed: int, period_ms: int = 100
) -> list[FleetState]:
    """Return what routed traffic does, one state per period."""
    duration_us = round(duration_s * US_PER_S)
    traffic = RoutedTraffic(
        RoutedParams(n_vehicles=n_vehicles),
        MobilityContext(road_map, seed, duration_us, ".", weather=WeatherParams()),
    )
    return [traffic.advance(t) for t in range(0, duration_us, period_ms * US_PER_MS)]


def attacks_of(names: Iterable[str], context: AttackContext) -> dict[str, Attack]:
    """Return attacks of the group ``v2x.attacks`` with their default parameters."""
    found = {}
    for name in names:
        kind = registry.load("v2x.attacks", name)
        found[name] = kind(kind.Params(), context)
    return found


def context_of(
    road_map: RoadMap, history: Sequence[FleetState], seed: int, params: StudyParams
) -> AttackContext:
    """Return what attacks on a history are built from."""
    return AttackContext(
        seed=seed,
        n_rows=history[0].n_rows,
        period_us=params.period_ms * US_PER_MS,
        west_m=float(road_map.point_x_m.min()),
        south_m=float(road_map.point_y_m.min()),
        east_m=float(road_map.point_x_m.max()),
        north_m=float(road_map.point_y_m.max()),
    )


class AttackStudy:
    """Lets attacks loose on a history of traffic and counts what checks find.

    Parameters
    ----------
    road_map
        The map, without wrap-around.
    attacks
        By name; each of them has memories of its own and serves one study.
    params
        Who attacks and who hears whom.
    limits
        Thresholds of the checks.
    seed
        Seed of errors, losses and attackers.
    """

    def __init__(
        self,
        road_map: RoadMap,
        attacks: Mapping[str, Attack],
        params: StudyParams,
        limits: PlausibilityParams,
        seed: int,
    ) -> None:
        if road_map.wrap_length_m:
            raise ValueError("a study needs a map without wrap-around")
        self._params, self._attacks, self._seed = params, attacks, seed
        self._law = SignalLaw(lambda d: tr37885_highway_los_db(d, _CARRIER_GHZ), params.sent_dbm)
        self._surface = RoadSurface(road_map)
        self._limits = limits
        self._keys = {
            name: rng.key32(seed, "security", "study", name)
            for name in ("x", "y", "jitter x", "jitter y", "speed", "heading", "loss", "shadowing")
        }

    def run(self, history: Sequence[FleetState]) -> StudyResult:
        """Return what was found in a history; one message of each vehicle and state."""
        n_rows, n_worlds = history[0].n_rows, len(self._attacks)
        counts = np.zeros((4, n_worlds, len(VERDICTS)), dtype=np.int64)
        first = np.full((1 + len(VERDICTS), n_worlds * n_rows * n_rows), _LATE_US)
        detector = Detector(
            self._limits, self._surface, self._law, n_worlds * n_rows, history[0].time_us
        )
        for fleet in history:
            heard, forged = self._tick(fleet)
            findings = detector.judge(heard)
            world = heard.receiver // n_rows
            pair = heard.receiver * n_rows + heard.claim.sender
            _keep_first(first[0], pair[forged], heard.arrived_us[forged])
            for k, name in enumerate(VERDICTS):
                suspected = findings.of(name)
                found = suspected & forged
                for count, case in zip(
                    counts,
                    (found, ~suspected & forged, suspected & ~forged, ~(suspected | forged)),
                    strict=True,
                ):
                    count[:, k] += np.bincount(world[case], minlength=n_worlds)
                _keep_first(first[1 + k], pair[found], heard.arrived_us[found])
        delay_s, pairs_found = _delays(first.reshape(1 + len(VERDICTS), n_worlds, -1))
        return StudyResult(
            attacks=tuple(self._attacks),
            found=counts[0],
            missed=counts[1],
            wrong=counts[2],
            right=counts[3],
            delay_s=delay_s,
            pairs_found=pairs_found,
        )

    def _tick(self, fleet: FleetState) -> tuple[Heard, BoolArray]:
        """Return all receptions of a period in all worlds, and which are of forged messages."""
        exact = true_claims(fleet)
        truth = self._measured(exact)
        evil = attackers(self._seed, truth.identity, self._params.attacker_share)
        honest = truth.chosen(np.flatnonzero(~evil))
        own = np.flatnonzero(evil)
        parts, lies = [], []
        for world, attack in enumerate(self._attacks.values()):
            forged = attack.claims(truth, own)
            heard = self._received(fleet, joined([honest, forged]), exact.sender[~evil])
            is_forged = np.concatenate(
                [np.zeros(len(honest), dtype=np.bool_), differs(forged, truth)]
            )
            lies.append(is_forged[heard[0]])
            parts.append(self._heard(fleet, joined([honest, forged]), *heard, world))
        return _joined(parts), np.concatenate(lies)

    def _measured(self, exact: Claims) -> Claims:
        """Return what honest vehicles say: the truth and errors of positioning."""
        run, who, now = self._params, exact.identity, exact.time_us
        off = {
            axis: run.position_bias_m * normal_by_id(self._keys[axis], who, 0)
            + run.position_jitter_m * normal_by_id(self._keys[f"jitter {axis}"], who, now)
            for axis in ("x", "y")
        }
        speed = run.speed_jitter_mps * normal_by_id(self._keys["speed"], who, now)
        turn = np.radians(run.heading_jitter_deg) * normal_by_id(self._keys["heading"], who, now)
        return replace(
            exact,
            x_m=exact.x_m + off["x"],
            y_m=exact.y_m + off["y"],
            speed_mps=np.maximum(exact.speed_mps + speed, 0.0),
            heading_rad=exact.heading_rad + turn,
        )

    def _received(
        self, fleet: FleetState, said: Claims, listener: NDArray[np.int64]
    ) -> tuple[IndexArray, NDArray[np.int64], FloatArray]:
        """Return message, row of the receiver, and true distance [m] of each reception."""
        away_m = np.hypot(
            fleet.x_m[said.sender][:, None] - fleet.x_m[listener],
            fleet.y_m[said.sender][:, None] - fleet.y_m[listener],
        )
        lost = rng.uniform_by_id(
            self._keys["loss"],
            fleet.id[listener][None, :],
            (said.time_us * len(fleet.id) + said.sender)[:, None],
        )
        near = (away_m <= self._params.range_m) & (lost >= self._params.loss)
        near &= said.sender[:, None] != listener
        message, column = np.nonzero(near)
        return message, listener[column], away_m[message, column]

    def _heard(
        self,
        fleet: FleetState,
        said: Claims,
        message: IndexArray,
        row: NDArray[np.int64],
        away_m: FloatArray,
        world: int,
    ) -> Heard:
        claim = said.chosen(message)
        pair = fleet.id[claim.sender] * (1 << 20) + fleet.id[row]
        faded_db = self._params.shadowing_db * normal_by_id(
            self._keys["shadowing"], pair, claim.time_us // US_PER_S
        )
        return Heard(
            receiver=world * fleet.n_rows + row,
            arrived_us=claim.time_us,
            claim=claim,
            here_x_m=fleet.x_m[row],
            here_y_m=fleet.y_m[row],
            here_heading_rad=fleet.heading_rad[row],
            signal_dbm=self._law.expected_dbm(away_m) + faded_db,
            seen_gap_m=_seen_gap_m(fleet, claim, row),
        )


def _keep_first(
    first_us: NDArray[np.int64], pair: NDArray[np.int64], time_us: NDArray[np.int64]
) -> None:
    """Write the times of pairs that have none yet; times of each pair are in order."""
    new = np.flatnonzero(first_us[pair] == _LATE_US)[::-1]
    first_us[pair[new]] = time_us[new]


def _delays(first_us: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Return mean delay [s] and share of pairs, (n_attacks, n_verdicts), from first times.

    Parameters
    ----------
    first_us : (1 + n_verdicts, n_attacks, n_pairs) int64
        Time of the first forged message, and of the first found by each verdict [µs].
    """
    begun, ended = first_us[0], first_us[1:]
    done = ended < _LATE_US
    waited_s = np.where(done, (ended - begun) / US_PER_S, 0.0).sum(axis=2)
    n_done, n_met = done.sum(axis=2), (begun < _LATE_US).sum(axis=1)
    return (waited_s / np.maximum(n_done, 1)).T, (n_done / np.maximum(n_met, 1)).T


def _seen_gap_m(fleet: FleetState, claim: Claims, row: NDArray[np.int64]) -> FloatArray:
    """Return how far the next vehicle, other than the receiver, is from claimed places [m]."""
    gap_m = np.full(len(claim), np.nan)
    dx, dy = claim.x_m - fleet.x_m[row], claim.y_m - fleet.y_m[row]
    near = np.flatnonzero(np.hypot(dx, dy) <= _SIGHT_M)
    vehicle = np.flatnonzero(fleet.active)
    tree = cKDTree(np.column_stack([fleet.x_m[vehicle], fleet.y_m[vehicle]]))
    place = np.column_stack([claim.x_m[near], claim.y_m[near]])
    away_m, which = (np.asarray(found) for found in tree.query(place, k=[1, 2]))
    self_first = vehicle[which[:, 0]] == row[near]
    gap_m[near] = np.where(self_first, away_m[:, 1], away_m[:, 0])
    return gap_m


def _joined(parts: Sequence[Heard]) -> Heard:
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in Heard.__slots__
        if name != "claim"
    }
    return Heard(claim=joined([part.claim for part in parts]), **columns)
