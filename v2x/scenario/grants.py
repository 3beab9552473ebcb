"""How wide grants must be: as the largest packet that they are to hold."""

from __future__ import annotations

from v2x.errors import V2XError
from v2x.phy.sidelink_pool import SidelinkPool
from v2x.scenario.model import Scenario


def subchannels_of(
    scenario: Scenario, size_bytes: int, pool: SidelinkPool, *, key: str = "messages.size_bytes"
) -> int:
    """Return the subchannels that a packet needs at the MCS of the scenario.

    Raises
    ------
    V2XError
        If it does not fit the pool; `key` is where its size was given.
    """
    try:
        return pool.subchannels_needed(size_bytes, scenario.phy.mcs)
    except ValueError as error:
        raise V2XError(
            str(error),
            file=None if scenario.source is None else str(scenario.source),
            key="phy.mcs",
            remedy="raise phy.mcs, widen the pool (access.n_subchannels, access.subchannel_rb) "
            f"or lower {key}",
        ) from error


def widths_by_mcs(
    scenario: Scenario, size_bytes: int, pool: SidelinkPool
) -> tuple[tuple[int, ...], ...]:
    """Return the subchannels that packets need, by sidelink process and MCS.

    Parameters
    ----------
    scenario
        Where the MCS begin, and whether there are events.
    size_bytes
        Largest packet of what recurs.
    pool
        What they must fit into.

    Returns
    -------
    tuple
        A row for what recurs and, where there are events, one for these; in it, from the MCS of
        the run up to the highest of the pool. Empty where the error curve is that of one MCS.

    Raises
    ------
    V2XError
        If one does not fit the pool.
    """
    if scenario.phy.error_curve != "auto":
        return ()
    keys = {"messages.size_bytes": size_bytes}
    if scenario.events.params.message_bytes is not None:
        keys["events.size_bytes"] = scenario.events.params.message_bytes
    return tuple(_widths(scenario, size, pool, key) for key, size in keys.items())


def _widths(scenario: Scenario, size_bytes: int, pool: SidelinkPool, key: str) -> tuple[int, ...]:
    mcs = scenario.phy.mcs
    widths = [subchannels_of(scenario, size_bytes, pool, key=key)]
    while _offers(pool, mcs + len(widths)):
        widths.append(pool.subchannels_needed(size_bytes, mcs + len(widths)))
    return tuple(widths)


def _offers(pool: SidelinkPool, mcs: int) -> bool:
    try:
        pool.modulation_order(mcs)
    except ValueError:
        return False
    return True
