"""Awareness of vulnerable road users of ETSI: VAMs, alone or in clusters (TS 103 300-3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.applications.triggered import Checked, TriggeredAwareness, TriggeredParams
from v2x.messages.etsi.frame import Transport, on_air_bytes
from v2x.messages.etsi.lengths import vam_bytes
from v2x.messages.etsi.vam_clusters import Clustering, ClusterParams, Clusters, Role
from v2x.messages.etsi.vam_rules import VamGeneration, VamGenerationParams
from v2x.mobility.fleet import FleetState

_ALONE, _LEADS, _COMES_OR_GOES = 0, 1, 2
_PART_OF_ROLE = np.full(len(Role), _ALONE)
_PART_OF_ROLE[[Role.LEADER, Role.BREAKING_UP]] = _LEADS
_PART_OF_ROLE[[Role.JOINING, Role.LEAVING]] = _COMES_OR_GOES


@dataclass(frozen=True, slots=True, kw_only=True)
class VamParams(TriggeredParams):
    """Triggers, clusters and addressees of VAMs.

    Parameters
    ----------
    generation
        Triggers and times of TS 103 300-3. Only the own motion triggers: interception, safe
        distances and redundancy need what is known of others.
    clusters
        Whether road users near each other make clusters, which one of them speaks for. They are
        within 5 m, so that they are taken to hear each other always.
    clustering
        Conditions and times of clusters.
    """

    generation: VamGenerationParams = VamGenerationParams()  # noqa: RUF009 (frozen)
    clusters: bool = False
    clustering: ClusterParams = ClusterParams()  # noqa: RUF009 (frozen)

    def __post_init__(self) -> None:
        """Reject times and priorities that cannot be kept."""
        self.check_common()


class Vam(TriggeredAwareness):
    """Sends VAMs of all rows it is given."""

    Params = VamParams

    def __init__(self, params: VamParams, seed: int) -> None:
        super().__init__(params, "vam", seed)
        self._params = params
        self._rules = VamGeneration(params.generation)
        self._clustering = Clustering(params.clustering)
        self._clusters: Clusters | None = None
        self._clusters_us = -1
        #: By certificate, low-frequency container, and part in a cluster.
        self._bytes = np.array(
            [
                [
                    [
                        on_air_bytes(
                            vam_bytes(low_frequency=low, leads=part == _LEADS, tells=part > _LEADS),
                            Transport.SINGLE_HOP,
                            with_certificate=signed,
                        )
                        for part in (_ALONE, _LEADS, _COMES_OR_GOES)
                    ]
                    for low in (False, True)
                ]
                for signed in (False, True)
            ],
            dtype=np.int32,
        )

    @property
    def sizes_bytes(self) -> tuple[int, ...]:
        """Every size it may send [byte]."""
        sizes = self._bytes if self._params.clusters else self._bytes[..., _ALONE]
        return tuple(sorted(set(sizes.ravel().tolist())))

    @property
    def period_ms(self) -> int:
        """Shortest period [ms]."""
        return max(round(self._params.generation.min_interval_ms), 1)

    def messages(
        self, now_us: NDArray[np.int64], row: NDArray[np.int32], fleet: FleetState
    ) -> Checked:
        """Return which of the stations that are checked send a VAM, and how long it is."""
        clusters = self._present(fleet)
        if clusters is None:
            found = self._rules.check(now_us, row, fleet)
            part = np.full(len(row), _ALONE)
        else:
            found = self._rules.check(
                now_us,
                row,
                fleet,
                silent=clusters.silent[row],
                prompted=clusters.box_changed[row],
            )
            part = _PART_OF_ROLE[clusters.role[row]]
            self._clustering.told(row[found.due & (part == _LEADS)], clusters)
        certificate = self.with_certificate(now_us, row, found.due, twice=part == _LEADS)
        low_frequency = found.low_frequency.astype(np.intp)
        size = self._bytes[certificate.astype(np.intp), low_frequency, part]
        return Checked(due=found.due, size_bytes=size, certificate=certificate)

    def _present(self, fleet: FleetState) -> Clusters | None:
        """Return the clusters of the tick, which change once a tick."""
        if self._params.clusters and self._clusters_us != fleet.time_us:
            row = np.flatnonzero(fleet.active).astype(np.int32)
            self._clusters = self._clustering.step(fleet.time_us, row, fleet)
            self._clusters_us = fleet.time_us
        return self._clusters
