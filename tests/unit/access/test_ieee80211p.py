"""Parameters of 802.11p and the rules they make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.access.ieee80211p import Ieee80211pParams
from v2x.access.unslotted import Contention, UnslottedParams


def test_edca_of_ocb() -> None:
    """AIFS = SIFS + AIFSN slots (IEEE Std 802.11-2012 Table 8-106, 9.19.2.3)."""
    rules = Ieee80211pParams().contention()
    assert rules.interframe_us == (58, 71, 110, 149)
    assert rules.contention_window == (3, 7, 15, 15)
    assert rules.queue_of_priority == (0, 0, 1, 1, 2, 2, 3, 3)
    assert rules.preamble_mw == 0.0  # whoever follows a frame does not transmit
    assert 10.0 * np.log10([rules.energy_mw, rules.busy_mw]) == pytest.approx([-65.0, -85.0])
    least = Ieee80211pParams(cca_preamble_dbm=-85.0).contention()
    assert 10.0 * np.log10(least.preamble_mw) == pytest.approx(-85.0)


def test_headers_go_along() -> None:
    waveform = Ieee80211pParams().waveform()
    sizes = np.array([190, 300], dtype=np.int32)
    assert waveform.air_us(sizes).tolist() == [352, 496]
    assert waveform.data_bits(sizes).tolist() == [1846, 2726]


def test_it_is_on_the_unslotted_side() -> None:
    assert isinstance(Ieee80211pParams(), UnslottedParams)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate_mbps": 5.0}, "rate_mbps must be one of"),
        ({"aifsn": (2, 3, 6)}, "aifsn must have a value for each"),
        ({"contention_window": (3, 7, 15)}, "contention_window must have a value for each"),
        ({"aifsn": (0, 3, 6, 9)}, "aifsn must be within 1 and 15"),
        ({"contention_window": (3, 7, 15, 1024)}, "contention_window must be within 0 and 1023"),
        ({"category_of_priority": ("vo",) * 7}, "category_of_priority must be eight of"),
        ({"category_of_priority": ("xx",) * 8}, "category_of_priority must be eight of"),
        ({"overhead_bytes": -1}, "overhead_bytes must be within"),
        ({"sensing_us": 13}, "sensing_us must be at least 0 and below slot_us"),
        ({"sensing_us": 0, "slot_us": 0}, "slot_us must be within 1 and 1000, got 0"),
        ({"slot_us": 10**12}, "slot_us must be within"),
        ({"sifs_us": -1}, "sifs_us must be within 0 and 1000, got -1"),
        ({"sifs_us": 10**10}, "sifs_us must be within"),
        ({"cca_preamble_dbm": 4000.0}, "cca_preamble_dbm must be within -150 and 50"),
        ({"cca_energy_dbm": -4000.0}, "cca_energy_dbm must be within"),
        ({"cbr_threshold_dbm": 4000.0}, "cbr_threshold_dbm must be within"),
        ({"preamble_sinr_db": 1e6}, "preamble_sinr_db must be within -30 and 50"),
        ({"capture_db": -1.0}, "capture_db must be within 0 and 100, got -1"),
        ({"capture_db": 1e6}, "capture_db must be within"),
        ({"fading_loss_db": 31.0}, "fading_loss_db must be within"),
        ({"queue_packets": 0}, "queue_packets must be within"),
    ],
)
def test_what_no_station_can_do(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ieee80211pParams(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"interframe_us": (1, 2, 3)}, "interframe_us must have 4 values"),
        ({"queue_of_priority": (0,) * 7}, "queue_of_priority must have 8 values"),
        ({"queue_of_priority": (4,) * 8}, "queue_of_priority must name queues"),
        ({"sensing_us": 20}, "must be longer than sensing_us"),
        ({"contention_window": (-1, 0, 0, 0)}, "must be 0 or more"),
        ({"queue_packets": 0}, "queue_packets must be at least 1"),
    ],
)
def test_what_no_rules_can_say(changes: dict[str, Any], message: str) -> None:
    rules = Ieee80211pParams().contention()
    values = {name: getattr(rules, name) for name in Contention.__slots__}
    with pytest.raises(ValueError, match=message):
        Contention(**(values | changes))
