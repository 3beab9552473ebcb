"""Transport between base station and server, and the server, for each path through the network.

The chain of nodes and distances is that of the E2E model of Coll-Perales et al., IEEE TVT 2022:
base station, aggregation M1, aggregation M2, edge of the core (UPF), central core.
"""

from __future__ import annotations

from dataclasses import dataclass

from v2x.cellular.params import BackhaulParams, log_sigma
from v2x.records.tables import NetworkPath
from v2x.units import US_PER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a path costs between base station and server.

    Attributes
    ----------
    one_way_us
        Nodes and fibre from base station to server, and the same back [µs].
    across_us
        Added if the receiver is in another cell: only a server at the base station is not above
        both cells [µs].
    internet_us, internet_sigma
        Median of the Internet one way [µs], 0 for none; deviation of its logarithm.
    """

    one_way_us: float
    across_us: float = 0.0
    internet_us: float = 0.0
    internet_sigma: float = 0.0


def route(path: NetworkPath, params: BackhaulParams) -> Route:
    """Return the transport of a path; :attr:`NetworkPath.V2I2V` has none of its own here.

    Examples
    --------
    >>> [round(route(path, BackhaulParams()).one_way_us) for path in list(NetworkPath)[:4]]
    [200, 415, 1175, 2175]
    """
    node_us = params.node_ms * US_PER_MS

    def chain_us(n_nodes: int, *km: float) -> float:
        return n_nodes * node_us + params.fibre_us_per_km * sum(km)

    to_m1 = (params.gnb_to_m1_km,)
    to_core = (*to_m1, params.m1_to_m2_km, params.m2_to_core_km)
    central_us = chain_us(4, *to_core, params.core_to_central_km)
    routes = {
        # To the other cell: down over M1, its node and both fibres.
        NetworkPath.MEC_GNB: Route(one_way_us=chain_us(1), across_us=chain_us(1, *to_m1, *to_m1)),
        NetworkPath.MEC_AGGREGATION: Route(one_way_us=chain_us(2, *to_m1)),
        NetworkPath.MEC_CORE: Route(one_way_us=chain_us(4, *to_core)),
        NetworkPath.CENTRAL: Route(one_way_us=central_us),
        NetworkPath.CLOUD: Route(
            one_way_us=central_us,
            internet_us=0.5 * params.internet_median_ms * US_PER_MS,
            # Both ways are drawn apart: each has the spread of the round trip (no less, as its
            # delays come from queues on either way).
            internet_sigma=log_sigma(params.internet_median_ms, params.internet_p99_ms),
        ),
    }
    return routes[path]
