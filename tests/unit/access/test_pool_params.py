"""Keys of resource pools: stated once, inherited by every technology that has one."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import fields
from typing import Any

import pytest

from v2x.access.lte_mode4 import LteMode4Params
from v2x.access.nr.params import NrMode2Params
from v2x.access.pool_params import LtePoolParams, NrPoolParams
from v2x.access.random_access import RandomAccessParams
from v2x.access.scheduling.params import ScheduledParams
from v2x.phy.nr.pool import NrPool
from v2x.phy.resource_pool import ResourcePool
from v2x.scenario.describe import parameter_docs

LTE = (LteMode4Params, RandomAccessParams, ScheduledParams)
LTE_KEYS = {"n_subchannels": 5, "subchannel_rb": 8, "adjacent": False}
NR_KEYS = {
    "n_subchannels": 4,
    "subchannel_rb": 12,
    "scs_khz": 15,
    "mcs_table": 2,
    "pscch_rb": 12,
    "pscch_symbols": 2,
    "dmrs_symbols": (2, 3),
}


@pytest.mark.parametrize("params", LTE)
def test_same_keys_same_pool_in_lte(params: type[Any]) -> None:
    pool = ResourcePool(n_subchannels=5, subchannel_rb=8, adjacent=False)
    assert params(**LTE_KEYS).resource_pool() == pool


def test_same_keys_same_pool_in_nr() -> None:
    mode2 = NrMode2Params(**NR_KEYS).resource_pool()
    mode1 = ScheduledParams(radio="nr", **NR_KEYS).resource_pool()
    assert isinstance(mode2, NrPool)
    assert mode1 == mode2
    assert (mode1.scs_khz, mode1.layout.pscch_rb, mode1.layout.dmrs_symbols) == (15, 12, (2, 3))


@pytest.mark.parametrize("base", [LtePoolParams, NrPoolParams])
@pytest.mark.parametrize("params", [*LTE, NrMode2Params])
def test_nobody_states_them_again(params: type[Any], base: type[Any]) -> None:
    """Fields come from the base; only texts that are more to the point may replace its own."""
    names = {item.name for item in fields(base)}
    own = set(inspect.get_annotations(params))
    assert not names & own
    docs = {doc.name: doc.doc.text for doc in parameter_docs(params)}
    assert all(docs[name] for name in names if name in docs)


@pytest.mark.parametrize("params", [*LTE, NrMode2Params])
def test_inheriting_them_costs_no_dictionary(params: type[Any]) -> None:
    built = params()
    assert not hasattr(built, "__dict__")
    assert pickle.loads(pickle.dumps(built)) == built == copy.copy(built)
