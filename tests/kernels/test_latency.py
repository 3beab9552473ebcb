"""The delay kernel against one packet at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x._kernels.latency import UuClock
from v2x.cellular.frame import Frame

from .twin_latency import PARTS, Clock

#: Draws of waits and servers use logarithms and exponentials in float32: below 1e-6 of
#: delays up to 50 ms. Everything else is exact; a shift of a slot would be 250 µs and more.
BOUND_US = 0.05
PACKET = {
    "generated_us": np.int64,
    "sender": np.uint32,
    "available_us": np.int64,
    "n_slots": np.int32,
    "busy": np.float64,
    "queue_mean_us": np.float64,
    "overload": np.float64,
    "error": np.float64,
}
WAY = {
    "up_us": 415.0,
    "down_us": 415.0,
    "across_us": 230.0,
    "internet_us": 4500.0,
    "internet_sigma": 0.7,
    "compute_us": 2000.0,
    "compute_sigma": 0.7,
}
SIDELINK = {
    "first_us": 4000.0,
    "span_us": 96_000.0,
    "air_us": 1000.0,
    "processing_us": 5000.0,
    "transport_us": 500.0,
    "compute_us": 2000.0,
    "compute_sigma": 0.7,
}


def arguments(
    pattern: str = "DDDSU",
    scs_khz: int = 30,
    periods: int = 2,
    dynamic: bool = True,
    **changes: Any,
) -> dict[str, Any]:
    frame = Frame(pattern, scs_khz)
    return {
        "slot_us": frame.slot_us,
        "uplink_wait": frame.wait_for_uplink(),
        "downlink_wait": frame.wait_for_downlink(),
        "occasion": frame.occasions(periods * frame.period_us),
        "occasion_period_us": max(periods, 1) * frame.period_us,
        "dynamic": dynamic,
        "request_us": 71.4,
        "control_us": 71.4,
        "base_us": 356.8,
        "prepare_us": 428.1,
        "decode_us": 356.8,
        "max_retransmissions": 3,
        "key": 77,
        **changes,
    }


def twin_of(given: dict[str, Any]) -> Clock:
    lists = ("uplink_wait", "downlink_wait", "occasion")
    return Clock(**{k: v.tolist() if k in lists else v for k, v in given.items()})


def packets(seed: int, n: int, **fixed: Any) -> dict[str, np.ndarray]:
    draw = rng.stream(seed, "packets")
    generated = draw.integers(0, 2**33, n)
    columns = {
        "generated_us": generated,
        "sender": draw.integers(0, 2**32, n),
        "available_us": generated + draw.integers(-50_000, 50_000, n),
        "n_slots": draw.integers(1, 4, n),
        "busy": draw.random(n),
        "queue_mean_us": draw.uniform(0, 5000, n),
        "overload": np.full(n, 0.05),
        "error": np.full(n, 0.3),
    } | {name: np.full(n, value) for name, value in fixed.items()}
    return {name: np.asarray(columns[name], dtype=dtype) for name, dtype in PACKET.items()}


def rows(columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    return [
        dict(zip(columns, values, strict=True))
        for values in zip(*(column.tolist() for column in columns.values()), strict=True)
    ]


def run_uplink(clock: UuClock, columns: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    n = len(columns["sender"])
    parts, outcome = np.full((n + 1, PARTS), -7.0), np.full(n + 1, 99, dtype=np.uint8)
    clock.uplink(*columns.values(), parts, outcome)
    assert (parts[n] == -7.0).all()
    assert outcome[n] == 99
    return parts[:n], outcome[:n]


CASES = st.tuples(
    st.sampled_from(["DDDSU", "DDDSUUDDDD", "F", "DSUUU"]),
    st.sampled_from([15, 30, 60]),
    st.integers(1, 4),
    st.booleans(),
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(case=CASES, seed=st.integers(0, 1000))
def test_uplink_is_that_of_the_twin(case: tuple[str, int, int, bool], seed: int) -> None:
    pattern, scs_khz, periods, dynamic = case
    given_to = arguments(pattern, scs_khz, periods, dynamic)
    columns = packets(seed, 20)
    parts, outcome = run_uplink(UuClock(**given_to), columns)
    for k, packet in enumerate(rows(columns)):
        expected, fate = twin_of(given_to).uplink(packet)
        assert outcome[k] == fate
        np.testing.assert_allclose(parts[k], expected, rtol=0, atol=BOUND_US)


def test_what_draws_nothing_is_exact_to_double_rounding() -> None:
    given_to = arguments(periods=0, dynamic=False)
    columns = packets(5, 200, busy=0.0)
    parts, outcome = run_uplink(UuClock(**given_to), columns)
    for k, packet in enumerate(rows(columns)):
        expected, fate = twin_of(given_to).uplink(packet)
        assert outcome[k] == fate
        np.testing.assert_allclose(parts[k], expected, rtol=0, atol=1e-8)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(case=CASES, seed=st.integers(0, 1000))
def test_downlink_is_that_of_the_twin(case: tuple[str, int, int, bool], seed: int) -> None:
    given_to = arguments(case[0], case[1], case[2], case[3])
    clock, twin = UuClock(**given_to), twin_of(given_to)
    columns = packets(seed, 8)
    before, _ = run_uplink(clock, columns)
    draw = rng.stream(seed, "deliveries")
    n = 24
    to = {
        "packet": draw.integers(0, 8, n).astype(np.int32),
        "receiver": draw.integers(0, 2**32, n).astype(np.uint32),
        "available_us": draw.integers(0, 2**33, n),
        "crosses": draw.integers(0, 2, n).astype(np.uint8),
        **{k: v for k, v in packets(seed + 1, n).items() if k in list(PACKET)[3:]},
    }
    to["available_us"] = columns["generated_us"][to["packet"]] + draw.integers(-9, 90_000, n)
    parts, outcome = np.empty((n, PARTS)), np.empty(n, dtype=np.uint8)
    clock.downlink(
        columns["generated_us"],
        columns["sender"],
        before,
        *to.values(),
        **WAY,
        parts=parts,
        outcome=outcome,
    )
    sent = rows(columns)
    for k, one in enumerate(rows(to)):
        expected, fate = twin.downlink(sent[one["packet"]], before[one["packet"]], one, WAY)
        assert outcome[k] == fate
        np.testing.assert_allclose(parts[k], expected, rtol=0, atol=BOUND_US)


def test_relay_is_that_of_the_twin() -> None:
    given_to = arguments()
    columns = packets(3, 50)
    n = 100
    packet = np.arange(n, dtype=np.int32) % 50
    unit = (np.arange(n) % 7).astype(np.uint32)
    parts = np.empty((n, PARTS))
    UuClock(**given_to).relay(
        columns["generated_us"], columns["sender"], packet, unit, **SIDELINK, parts=parts
    )
    sent = rows(columns)
    for k in range(n):
        expected = twin_of(given_to).relay(sent[packet[k]], int(unit[k]), SIDELINK)
        np.testing.assert_allclose(parts[k], expected, rtol=0, atol=BOUND_US)


def test_a_row_does_not_depend_on_the_others() -> None:
    clock = UuClock(**arguments())
    columns = packets(9, 60)
    parts, outcome = run_uplink(clock, columns)
    odd = {name: column[1::2][::-1].copy() for name, column in columns.items()}
    again, fate = run_uplink(clock, odd)
    assert np.array_equal(again, parts[1::2][::-1])
    assert np.array_equal(fate, outcome[1::2][::-1])


def test_no_packet_is_no_work() -> None:
    parts, outcome = run_uplink(UuClock(**arguments()), packets(1, 0))
    assert len(parts) == len(outcome) == 0


@pytest.mark.parametrize("name", [*PACKET, "parts", "outcome"])
def test_short_columns_of_the_uplink_are_rejected(name: str) -> None:
    columns = packets(1, 5)
    given_to = [*columns.values(), np.empty((5, PARTS)), np.empty(5, dtype=np.uint8)]
    k = [*PACKET, "parts", "outcome"].index(name)
    if name == "generated_us":  # its length is the number of packets
        given_to[0] = np.zeros(6, dtype=np.int64)
        name = "sender"
    else:
        given_to[k] = given_to[k][:-1]
    with pytest.raises(ValueError, match=name):
        UuClock(**arguments()).uplink(*given_to)


@pytest.mark.parametrize("k", range(1, 14))
def test_short_columns_of_the_downlink_are_rejected(k: int) -> None:
    columns = packets(1, 5)
    before, _ = run_uplink(UuClock(**arguments()), columns)
    to = list(packets(2, 5).values())[3:]
    words, times = columns["sender"], columns["generated_us"]
    given_to = [times, words, before, np.zeros(5, np.int32), words, times, np.zeros(5, np.uint8)]
    given_to += [*to, np.empty((5, PARTS)), np.empty(5, dtype=np.uint8)]
    if k == 3:  # its length is the number of deliveries
        given_to[3] = np.zeros(6, np.int32)
    else:
        given_to[k] = given_to[k][:-1]
    parts, outcome = given_to[-2:]
    with pytest.raises(ValueError, match="are needed"):
        UuClock(**arguments()).downlink(*given_to[:-2], **WAY, parts=parts, outcome=outcome)


def test_unknown_packets_and_wrong_clocks_are_rejected() -> None:
    columns = packets(1, 5)
    with pytest.raises(ValueError, match="no packet 5"):
        UuClock(**arguments()).relay(
            columns["generated_us"],
            columns["sender"],
            np.array([5], dtype=np.int32),
            np.zeros(1, dtype=np.uint32),
            **SIDELINK,
            parts=np.empty((1, PARTS)),
        )
    with pytest.raises(ValueError, match="occasion_period_us"):
        UuClock(**arguments(occasion_period_us=2600))
    with pytest.raises(ValueError, match="occasion has 0"):
        UuClock(**arguments(occasion=np.zeros(0, dtype=np.int32)))
