"""Who is meant by whose messages, link by link."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from v2x._kernels.audience import address_members, address_range, keep_members
from v2x.applications.base import Application, ApplicationFilter, PacketBatch
from v2x.channel.link_table import LinkTable
from v2x.messages.cast import GROUPCAST_NACK, CastParams
from v2x.mobility.fleet import FleetState, NodeKind

_COLUMNS = tuple(item.name for item in fields(PacketBatch))


class Audience:
    """The addressees of every node, brought up to date at each mobility tick.

    Roadside units speak to all and ask nobody for feedback.

    Parameters
    ----------
    params
        Cast type, and how addressees are chosen; not broadcast.
    links
        The links.
    n_nodes
        Rows of the fleet.
    wrap_length_m
        Period of the map in x [m], 0 without.

    Attributes
    ----------
    intended, responds : (n_links,) uint8
        Whether the receiver of a link is meant; one more than its number among those who answer,
        0 if it does not.
    expected : (n_nodes,) int32
        Answers a node waits for, a bit for each member; with NACK only bit 0 for all.
    members : (n_nodes, n_members) int32
        Rows of the fleet that are addressed, -1 for empty places.
    """

    def __init__(
        self, params: CastParams, links: LinkTable, n_nodes: int, wrap_length_m: float
    ) -> None:
        self._params, self._links, self._wrap_m = params, links, wrap_length_m
        self._id = np.full(n_nodes, -1, dtype=np.int64)
        self._nobody: NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        self._silent: NDArray[np.bool_] = np.zeros(n_nodes, dtype=np.bool_)
        self.members = np.full((n_nodes, params.n_members), -1, dtype=np.int32)
        self.expected = np.zeros(n_nodes, dtype=np.int32)
        self.intended: NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)
        self.responds: NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)

    @property
    def nack_only(self) -> bool:
        """Whether silence means success (groupcast option 1)."""
        return self._params.cast == GROUPCAST_NACK

    def update(self, fleet: FleetState) -> None:
        """Follow the links to the positions of `fleet`."""
        links, params = self._links, self._params
        road_user = (fleet.active & (fleet.kind != NodeKind.RSU)).astype(np.uint8)
        if len(self.intended) != links.n_links:
            self.intended = np.zeros(links.n_links, dtype=np.uint8)
            self.responds = np.zeros(links.n_links, dtype=np.uint8)
        table = links.row_start, links.neighbour
        if self.nack_only:
            address_range(
                *table,
                links.distance,
                road_user,
                fleet.x_m,
                fleet.y_m,
                self._wrap_m,
                float(params.zone_length_m),
                params.range_m,
                self.intended,
                self.responds,
                self.expected,
            )
            return
        keep_members(
            *table,
            links.distance,
            road_user,
            (fleet.id != self._id).astype(np.uint8),
            fleet.leader if params.addressee == "ahead" else self._nobody,
            params.range_m,
            self.members,
        )
        address_members(
            *table, road_user, self.members, self.intended, self.responds, self.expected
        )
        self._id = fleet.id.copy()
        self._silent = (road_user != 0) & (self.expected == 0)

    def has_nobody(self, row: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return for rows of the fleet whether there is nobody to address, (n,)."""
        return self._silent[row]


class AddressedMessages(ApplicationFilter):
    """An application that says nothing where there is nobody to say it to.

    Parameters
    ----------
    application
        Says the rest.
    audience
        Who is addressed.
    """

    def __init__(self, application: Application, audience: Audience) -> None:
        super().__init__(application)
        self._audience = audience

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us), asked for without gaps."""
        batch = self._application.packets(start_us, end_us, fleet)
        kept = ~self._audience.has_nobody(batch.tx_row)
        return PacketBatch(**{name: getattr(batch, name)[kept] for name in _COLUMNS})
