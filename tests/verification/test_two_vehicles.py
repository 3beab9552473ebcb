"""Two vehicles and nobody else: what noise, shadowing and their own transmissions leave."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.access.random_access import RandomAccess, RandomAccessParams
from v2x.channel.base import LinkState
from v2x.channel.pathloss import Tr37885Highway, Tr37885Params, WinnerB1, WinnerB1Params
from v2x.phy.error_model import pscch_curve, pssch_curve
from v2x.phy.radio import PhyParams, RadioParams
from v2x.records.tables import Outcome
from v2x.sim.recorder import RecordParams
from v2x.units import noise_dbm

from ..simulation_parts import (
    Finished,
    ScheduledPackets,
    every,
    pairs_far_apart,
    simulate,
)
from .closed_forms import half_duplex_share


def shares_of_pairs(finished: Finished, n_pairs: int) -> np.ndarray:
    """Return the share of half-duplex losses of each pair, from the packets alone.

    A packet is lost to half duplex if the partner's packet has the same slot.
    """
    packets = finished.tables["packets"]
    pair = packets["tx_id"] // 2
    key = packets["first_slot_us"] * n_pairs + pair
    _, index, count = np.unique(key, return_inverse=True, return_counts=True)
    both = count[index] == 2
    return np.bincount(pair, both, minlength=n_pairs) / np.bincount(pair, minlength=n_pairs)


def within_four_errors(shares: np.ndarray, expected: float) -> None:
    """Check a mean over independent pairs against four of its standard errors."""
    error = shares.std(ddof=1) / math.sqrt(len(shares))
    assert abs(shares.mean() - expected) < 4.0 * error, (shares.mean(), expected, error)


@pytest.mark.parametrize("technology", [LteMode4, RandomAccess])
def test_in_range_everything_arrives_but_in_half_duplex(technology: type) -> None:
    """At 100 m the SNR is 23 - 87.8 + 6 - 10 log10(12) + 112.4 = 42.8 dB: no error but deafness.

    So a packet is received exactly if its receiver is silent in its slot.
    """
    n_pairs = 300
    finished = simulate(
        pairs_far_apart(n_pairs, gap_m=100.0),
        technology=technology,
        propagation=Tr37885Highway(Tr37885Params(shadowing_sigma_db=0.0), 5.915),
        radio=RadioParams(),
        duration_s=3.0,
    )
    outcomes = finished.outcomes
    assert outcomes[Outcome.RECEIVED] + outcomes[Outcome.HALF_DUPLEX] == outcomes.sum()
    shares = shares_of_pairs(finished, n_pairs)
    packets = finished.tables["packets"]
    assert outcomes.sum() == len(packets["packet"])
    n_deaf = round(float(shares @ np.bincount(packets["tx_id"] // 2, minlength=n_pairs)))
    assert outcomes[Outcome.HALF_DUPLEX] == n_deaf
    quiet = shares == 0.0
    assert quiet.sum() > 0.5 * n_pairs


@pytest.mark.parametrize("gap_m", [400.0, 500.0, 600.0])
def test_noise_and_shadowing(gap_m: float) -> None:
    """PRR = E over z of (1 - BLER) (1 - BLER of control) at SNR(d) + 3 z dB, z standard normal.

    WINNER+ B1 with h' = 0.8 m. Data: 23 dBm over 8 blocks and 2 control blocks 3 dB denser, so
    -10 log10(8 + 2 * 10^0.3) per block, against -112.4 dBm of noise. 2500 pairs have independent
    shadowing; the bound is four binomial standard deviations over pairs, which the common
    shadowing of both directions and of all packets of a pair cannot exceed.
    """
    model = WinnerB1(WinnerB1Params(effective_antenna_height_m=0.8, shadowing_sigma_db=3.0), 5.915)
    n_pairs = 2500
    plan = [(1_000 + 2_000 * (k % 40), k) for k in range(2 * n_pairs)]
    finished = simulate(
        pairs_far_apart(n_pairs, gap_m=gap_m),
        application=ScheduledPackets(plan),
        propagation=model,
        radio=RadioParams(antenna_gain_dbi=0.0),
        phy=PhyParams(mcs=7, in_band_emission=False),
        records=RecordParams(max_distance_m=800.0),
        duration_s=0.15,
    )
    loss_db = float(model.laws()[LinkState.LOS].loss_db(np.array([gap_m]))[0])
    density_db = -10.0 * math.log10(8.0 + 2.0 * 10.0**0.3)
    snr_db = 23.0 - loss_db + density_db - noise_dbm(180e3, 9.0)
    z = np.linspace(-6.0, 6.0, 4001)
    weight = np.exp(-0.5 * z**2)
    weight /= weight.sum()
    data = pssch_curve(7, "highway_los", 190).bler(snr_db + 3.0 * z)
    control = pscch_curve().bler(snr_db + 3.0 + 3.0 * z)
    expected = float((weight * (1.0 - data) * (1.0 - control)).sum())
    assert 0.05 < expected < 0.98
    prr = finished.share(Outcome.RECEIVED)
    assert abs(prr - expected) < 4.0 * math.sqrt(expected * (1.0 - expected) / n_pairs)
    assert finished.outcomes[Outcome.COLLISION] == 0
    assert finished.outcomes[Outcome.HALF_DUPLEX] == 0


def test_independent_choices_meet_in_one_of_a_hundred_slots() -> None:
    """Random choice over the whole period: each slot holds the partner with 1 / 100.

    That is the half-duplex share of the closed form, 10 Hz times 1 ms, whatever the phases.
    """
    n_pairs = 1500
    finished = simulate(
        pairs_far_apart(n_pairs),
        technology=RandomAccess,
        access=RandomAccessParams(t1_ms=1, t2_ms=100),
        duration_s=3.0,
    )
    expected = half_duplex_share(10.0)
    assert expected == 0.01
    within_four_errors(shares_of_pairs(finished, n_pairs), expected)
    n = finished.outcomes.sum()
    # Both packets are lost together, so half as many events.
    bound = 4.0 * math.sqrt(2.0 * expected * (1.0 - expected) / n)
    assert abs(finished.share(Outcome.HALF_DUPLEX) - expected) < bound


@pytest.mark.parametrize(("t1_ms", "t2_ms"), [(4, 100), (4, 20), (1, 4)])
def test_windows_in_phase_meet_more_often(t1_ms: int, t2_ms: int) -> None:
    """Packets of both at the same time: one of the T2 - T1 + 1 slots of the common window."""
    n_pairs, n_periods = 800, 20
    plan = [e for row in range(2 * n_pairs) for e in every(100_000, n_periods, 500, row)]
    finished = simulate(
        pairs_far_apart(n_pairs),
        technology=RandomAccess,
        access=RandomAccessParams(t1_ms=t1_ms, t2_ms=t2_ms),
        application=ScheduledPackets(plan),
        duration_s=0.1 * n_periods + 0.1,
    )
    expected = 1.0 / (t2_ms - t1_ms + 1)
    assert finished.outcomes.sum() == 2 * n_pairs * n_periods
    bound = 4.0 * math.sqrt(expected * (1.0 - expected) / (n_pairs * n_periods))
    assert abs(finished.share(Outcome.HALF_DUPLEX) - expected) < bound


@pytest.mark.parametrize("n_subchannels", [2, 10])
def test_sensing_avoids_resources_but_not_slots(n_subchannels: int) -> None:
    """Mode 4 leaves out the partner's resource, so S - 1 of its slot's S subchannels remain.

    Each time one of the two selects, the partner's slot is in the window with 97 / 100, and
    then S - 1 of the 97 S - 1 - S candidates (neither the partner's resource nor the slot of the
    own transmissions, of which nothing is known) lie in it: 0.97 (S - 1) / (96 S - 1). A state
    once entered lasts until the next selection, so this is also the share of packets.
    """
    n_pairs = 1500
    finished = simulate(
        pairs_far_apart(n_pairs),
        technology=LteMode4,
        access=LteMode4Params(n_subchannels=n_subchannels, keep_probability=0.0),
        duration_s=9.0,
        warmup_s=2.0,
    )
    expected = 0.97 * (n_subchannels - 1) / (96 * n_subchannels - 1)
    shares = shares_of_pairs(finished, n_pairs)
    within_four_errors(shares, expected)
    # Distinguishable from a choice without sensing, which has 1 / 100.
    if n_subchannels == 2:
        assert shares.mean() + 4.0 * shares.std() / math.sqrt(n_pairs) < 0.01


def test_sensing_with_one_subchannel_ends_half_duplex() -> None:
    """With S = 1 nothing of the partner's slot is left, so they meet only by simultaneous choice.

    The first choice is blind for those whose packets come before the partner has been heard; after
    both have selected again, they never share a slot.
    """
    finished = simulate(
        pairs_far_apart(400),
        technology=LteMode4,
        access=LteMode4Params(n_subchannels=1, keep_probability=0.0),
        duration_s=7.0,
        warmup_s=4.0,
    )
    assert finished.share(Outcome.HALF_DUPLEX) < 0.002
