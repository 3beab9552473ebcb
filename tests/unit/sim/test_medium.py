"""Who hears what: each outcome in a case that allows no other, and what is remembered of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.phy.radio import PhyParams, RadioParams
from v2x.phy.reception import ReceiverDesign
from v2x.phy.sensing_history import ControlInformation, unpack
from v2x.records.tables import Outcome
from v2x.sim.recorder import RecordParams
from v2x.units import noise_dbm

from ...simulation_parts import (
    Finished,
    FrozenFleet,
    ImmediateParams,
    ScheduledPackets,
    SteppedLoss,
    every,
    lossy_receiver,
    simulate,
    threshold_receiver,
)

#: Rows 0 and 1 send, row 2 listens; the loss between two depends on their distance alone.
NEAR, FAR, DEAF = 80.0, 86.0, 250.0
#: Noise of one resource block with the noise figure of 9 dB [dBm].
NOISE_DBM = noise_dbm(180e3, 9.0)


def outcomes_of(finished: Finished) -> dict[str, int]:
    """Return the outcomes that are not zero, by name."""
    return {o.name: int(finished.outcomes[o]) for o in Outcome if finished.outcomes[o]}


def line(first: float, second: float, **options: Any) -> Finished:
    """Send from both senders in slot 10 to one listener at distance `first` and `second`.

    The senders stand on either side of the listener, so that they hear each other only if close.
    """
    wanted: dict[str, Any] = {
        "propagation": SteppedLoss({0.0: NEAR, 50.0: FAR, 150.0: DEAF}),
        "application": ScheduledPackets([(9_500, 0), (9_500, 1)]),
        "receiver": threshold_receiver(3.0),
        "records": RecordParams(max_distance_m=140.0),
    }
    fleet = FrozenFleet(x_m=[-first, second, 0.0])
    return simulate(fleet, **(wanted | options))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (40.0, 120.0, None),
        (90.0, 100.0, {"COLLISION": 2}),
        (40.0, 45.0, {"COLLISION": 2, "HALF_DUPLEX": 2}),
    ],
)
def test_two_on_the_same_resource(
    first: float, second: float, expected: dict[str, int] | None
) -> None:
    """Equal powers collide; with 6 dB between them the stronger is captured."""
    got = outcomes_of(line(first, second))
    assert got == (expected or {"RECEIVED": 1, "COLLISION": 1})


def test_capture_needs_the_margin() -> None:
    """6 dB between the two: captured below a threshold of 6 dB, lost above."""
    for threshold, expected in ((5.9, 1), (6.1, 0)):
        finished = line(40.0, 139.0, receiver=threshold_receiver(threshold))
        assert finished.outcomes[Outcome.RECEIVED] == expected


def test_different_subchannels_do_not_meet() -> None:
    finished = line(90.0, 100.0, access=ImmediateParams(first_subchannel=(0, 1, 0)))
    assert outcomes_of(finished) == {"RECEIVED": 2}


@pytest.mark.parametrize(
    ("first", "hit"), [(0, False), (1, True), (2, True), (3, True), (4, False)]
)
def test_partial_overlap_is_enough(first: int, hit: bool) -> None:
    """Subchannels 2 and 3 against `first` and the next; only whole separation helps.

    SINR is the linear mean over the data subchannels. With half of them hit at 0 dB it is about
    half of the clear one, so a threshold 1 dB below the clear SINR tells the cases apart.
    """
    clear_db = 23.0 - FAR - 10.0 * np.log10(20.0) - NOISE_DBM
    finished = line(
        90.0,
        100.0,
        access=ImmediateParams(n_subchannels=6, length=2, first_subchannel=(2, first, 0)),
        receiver=threshold_receiver(clear_db - 1.0),
    )
    assert outcomes_of(finished) == ({"COLLISION": 2} if hit else {"RECEIVED": 2})


def test_in_band_emission_reaches_the_neighbour() -> None:
    """With emission a transmission 45 dB stronger drowns another subchannel, without it none."""
    for emission, n_received in ((False, 2), (True, 1)):
        finished = line(
            40.0,
            120.0,
            propagation=SteppedLoss({0.0: 50.0, 50.0: 95.0, 150.0: DEAF}),
            access=ImmediateParams(first_subchannel=(0, 1, 0)),
            phy=PhyParams(in_band_emission=emission),
        )
        assert finished.outcomes[Outcome.RECEIVED] == n_received


def test_a_transmitter_is_deaf() -> None:
    """Also to other subchannels, and to those that it could decode twice over."""
    finished = simulate(
        FrozenFleet(x_m=[0.0, 10.0]),
        access=ImmediateParams(first_subchannel=(0, 3)),
        application=ScheduledPackets([(9_500, 0), (9_600, 1), (20_000, 0)]),
    )
    assert outcomes_of(finished) == {"RECEIVED": 1, "HALF_DUPLEX": 2}


@pytest.mark.parametrize(
    ("offset_db", "outcome"), [(-0.05, "BELOW_SENSITIVITY"), (0.05, "RECEIVED")]
)
def test_sensitivity(offset_db: float, outcome: str) -> None:
    """Power 23 dBm - 100 dB against a sensitivity of -77 dBm."""
    finished = simulate(
        FrozenFleet(x_m=[0.0, 10.0]),
        propagation=SteppedLoss({0.0: 100.0 - offset_db}),
        phy=PhyParams(in_band_emission=False, sensitivity_dbm=-77.0),
        application=ScheduledPackets([(9_500, 0)]),
    )
    assert outcomes_of(finished) == {outcome: 1}


@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize(("offset_db", "outcome"), [(-0.05, "PROPAGATION"), (0.05, "RECEIVED")])
def test_noise(length: int, offset_db: float, outcome: str) -> None:
    """Alone in the slot the SINR is the power per data block over the noise of a block.

    10 blocks per subchannel: one subchannel holds 8 data blocks, three hold 27 (the DFT rule
    takes 27 of 28), and the two control blocks weigh 10^0.3 each.
    """
    n_rb = {1: 8, 3: 27}[length]
    per_block_db = -10.0 * np.log10(n_rb + 2.0 * 10.0**0.3)
    threshold_db = 23.0 - 120.0 + per_block_db - NOISE_DBM
    finished = simulate(
        FrozenFleet(x_m=[0.0, 10.0]),
        propagation=SteppedLoss({0.0: 120.0 - offset_db}),
        access=ImmediateParams(length=length),
        receiver=threshold_receiver(threshold_db),
        application=ScheduledPackets([(9_500, 0)]),
    )
    assert outcomes_of(finished) == {outcome: 1}


def lose_control(design: ReceiverDesign) -> ReceiverDesign:
    curves = np.zeros_like(design.curves)
    curves[design.control_curve] = 1.0
    return replace(design, curves=curves)


def test_control_lost() -> None:
    """The block itself would have been decoded."""
    finished = simulate(
        FrozenFleet(x_m=[0.0, 10.0]),
        receiver=lose_control,
        application=ScheduledPackets([(9_500, 0)]),
    )
    assert outcomes_of(finished) == {"CONTROL_LOST": 1}
    # What cannot be decoded leaves energy in the history, and no reservation.
    words = finished.parts.history.words[1]
    assert (words[words[:, 0] == 10, 11:] == 0).all()


def test_antenna_gain_counts_at_both_ends() -> None:
    """3 dBi each make up for 6 dB of loss."""
    finished = simulate(
        FrozenFleet(x_m=[0.0, 10.0]),
        propagation=SteppedLoss({0.0: 106.0 - 0.05}),
        radio=RadioParams(antenna_gain_dbi=3.0),
        phy=PhyParams(in_band_emission=False, sensitivity_dbm=-77.0),
        application=ScheduledPackets([(9_500, 0)]),
    )
    assert outcomes_of(finished) == {"RECEIVED": 1}


def test_bins_are_open_below_and_closed_above() -> None:
    """20 m falls into (0, 20], 20.01 m into (20, 40]; beyond the largest distance nobody counts."""
    fleet = FrozenFleet(x_m=[0.0, 20.0, 20.01, 40.0, 100.0, 100.01], y_m=0.0)
    finished = simulate(
        fleet,
        records=RecordParams(bin_width_m=20.0, max_distance_m=100.0),
        application=ScheduledPackets([(9_500, 0)]),
    )
    upper, counts = finished.by_bin()
    assert dict(zip(upper.tolist(), counts.sum(axis=1).tolist(), strict=True)) == {
        20.0: 1,
        40.0: 2,
        60.0: 0,
        80.0: 0,
        100.0: 1,
    }


# Sensing: what the access layer may read.


def record(finished: Finished, node: int, slot: int) -> Any:
    history = finished.parts.history
    words = history.words[node]
    (at,) = np.flatnonzero(words[:, 0] == slot)
    n = history.n_subchannels
    return (
        history.powers[node, at, 1 : 1 + n],
        history.powers[node, at, 1 + n : 1 + 2 * n],
        [unpack(word) for word in words[at, 1 + 2 * n :].tolist()],
    )


def test_what_is_remembered_of_a_slot() -> None:
    """S-RSSI is all power in the subchannel, RSRP the power per element of the decoded data.

    One subchannel of 10 blocks at 23 dBm - 90 dB: the density of data is 1 / (8 + 2 * 10^0.3).
    """
    finished = simulate(
        FrozenFleet(x_m=[0.0, 10.0]),
        propagation=SteppedLoss({0.0: 90.0}),
        access=ImmediateParams(first_subchannel=2),
        application=ScheduledPackets([(9_500, 0)], priority=3),
        duration_s=0.05,
    )
    noise = 10.0 ** (NOISE_DBM / 10.0)
    power = 10.0 ** (-67.0 / 10.0)
    s_rssi, rsrp, sci = record(finished, 1, 10)
    expected = np.full(5, 10.0 * noise)
    expected[2] += power
    assert s_rssi == pytest.approx(expected, rel=1e-5)
    density = 1.0 / (8.0 + 2.0 * 10.0**0.3)
    assert rsrp == pytest.approx([0.0, 0.0, power * density / 12.0, 0.0, 0.0], rel=1e-5)
    assert sci[2] == ControlInformation(0, 1, 3, 0, 2)
    # The sender measured nothing.
    s_rssi, rsrp, _ = record(finished, 0, 10)
    assert (s_rssi == -1.0).all()
    assert (rsrp == 0.0).all()


def test_the_strongest_of_two_is_remembered() -> None:
    for first, second in ((40.0, 120.0), (120.0, 40.0)):
        finished = line(first, second, duration_s=0.05)
        _, rsrp, _ = record(finished, 2, 10)
        density = 1.0 / (8.0 + 2.0 * 10.0**0.3)
        strongest = 10.0 ** ((23.0 - NEAR) / 10.0) * density / 12.0
        assert rsrp[0] == pytest.approx(strongest, rel=1e-5)


def test_below_the_sensitivity_nothing_is_noticed() -> None:
    """Neither decoded nor in the S-RSSI, but it interferes."""
    options: dict[str, Any] = {
        "propagation": SteppedLoss({0.0: 95.0, 50.0: 100.0, 150.0: DEAF}),
        "duration_s": 0.05,
    }
    loud = PhyParams(in_band_emission=False, sensitivity_dbm=-74.0)
    finished = line(40.0, 120.0, phy=loud, receiver=threshold_receiver(6.0), **options)
    # 5 dB between them: the weak one is not noticed, and spoils the strong one.
    assert outcomes_of(finished) == {"COLLISION": 1, "BELOW_SENSITIVITY": 1}
    s_rssi, _, _ = record(finished, 2, 10)
    assert s_rssi[0] == pytest.approx(10.0 ** (-72.0 / 10.0), rel=1e-3)


def test_reservations_below_the_sensitivity_are_not_heard() -> None:
    """The control information would be decoded, but nobody notices the transmission."""
    finished = simulate(
        FrozenFleet(x_m=[0.0, 10.0]),
        propagation=SteppedLoss({0.0: 100.0}),
        phy=PhyParams(in_band_emission=False, sensitivity_dbm=-76.0),
        application=ScheduledPackets([(9_500, 0)]),
        duration_s=0.05,
    )
    s_rssi, rsrp, _ = record(finished, 1, 10)
    noise = 10.0 ** (NOISE_DBM / 10.0)
    assert s_rssi == pytest.approx(np.full(5, 10.0 * noise), rel=1e-5)
    assert (rsrp == 0.0).all()


def test_history_is_forgotten_with_its_vehicle() -> None:
    class Relay(FrozenFleet):
        def advance(self, time_us: int) -> Any:
            ids = [0, 1 if time_us < 100_000 else 2]
            return FrozenFleet(x_m=self.x_m, ids=ids).advance(time_us)

    finished = simulate(
        Relay(x_m=[0.0, 10.0]), application=ScheduledPackets([(9_500, 0)]), duration_s=0.15
    )
    assert (finished.parts.history.words[1, :, 0] == -1).all()
    assert (finished.parts.history.words[0, :, 0] == 10).any()


# Two attempts.


def test_chase_combining_adds_the_sinr_of_both_attempts() -> None:
    """Each attempt 2 dB short, both together 1 dB above the threshold: +3.01 dB."""
    density_db = -10.0 * np.log10(8.0 + 2.0 * 10.0**0.3)
    sinr_db = 23.0 - 120.0 + density_db - NOISE_DBM
    for missing_db, outcome in ((2.0, "RECEIVED"), (2.9, "RECEIVED"), (3.1, "PROPAGATION")):
        finished = simulate(
            FrozenFleet(x_m=[0.0, 10.0]),
            propagation=SteppedLoss({0.0: 120.0}),
            access=ImmediateParams(gap_slots=5),
            receiver=threshold_receiver(sinr_db + missing_db),
            application=ScheduledPackets([(9_500, 0)]),
        )
        assert outcomes_of(finished) == {outcome: 1}
        packets = finished.tables["packets"]
        assert packets["n_received_first"].tolist() == [0]
        assert packets["n_attempts"].tolist() == [2]
        assert packets["last_slot_us"] - packets["first_slot_us"] == [5_000]


def test_nothing_is_combined_of_an_attempt_not_heard() -> None:
    """Deaf in the first attempt, the receiver has only the second: 2 dB short, not 1 dB over."""
    density_db = -10.0 * np.log10(8.0 + 2.0 * 10.0**0.3)
    sinr_db = 23.0 - 120.0 + density_db - NOISE_DBM
    finished = simulate(
        FrozenFleet(x_m=[0.0, 10.0]),
        propagation=SteppedLoss({0.0: 120.0}),
        access=ImmediateParams(gap_slots=5),
        receiver=threshold_receiver(sinr_db + 2.0),
        application=ScheduledPackets([(10_000, 0), (5_000, 1)]),
    )
    # Row 1 sends in 5 and 10, row 0 in 10 and 15: each is deaf in one attempt of the other.
    assert outcomes_of(finished) == {"PROPAGATION": 2}


@pytest.mark.parametrize(
    ("own_slot", "n_received", "n_first"), [(30, 1, 1), (5, 1, 0), (15, 1, 1), (10, 0, 0)]
)
def test_one_of_two_attempts_is_enough(own_slot: int, n_received: int, n_first: int) -> None:
    """Row 0 sends in slots 10 and 15; row 1 in `own_slot` and 5 slots later, deaf meanwhile."""
    finished = simulate(
        FrozenFleet(x_m=[0.0, 10.0]),
        access=ImmediateParams(gap_slots=5),
        application=ScheduledPackets([(10_000, 0), (own_slot * 1000, 1)]),
    )
    packets = finished.tables["packets"]
    mine = packets["tx_id"] == 0
    assert packets["n_received"][mine].tolist() == [n_received]
    assert packets["n_received_first"][mine].tolist() == [n_first]
    if n_received == 0:
        assert finished.outcomes[Outcome.HALF_DUPLEX] == 2


def test_the_cause_is_that_of_the_attempt_that_came_furthest() -> None:
    """First attempt in half duplex, second lost to noise: propagation."""
    finished = simulate(
        FrozenFleet(x_m=[0.0, 10.0]),
        access=ImmediateParams(gap_slots=5),
        propagation=SteppedLoss({0.0: 140.0}),
        receiver=threshold_receiver(3.0),
        application=ScheduledPackets([(9_500, 0), (9_600, 1)]),
    )
    assert outcomes_of(finished) == {"HALF_DUPLEX": 2}
    finished = simulate(
        FrozenFleet(x_m=[0.0, 10.0]),
        access=ImmediateParams(gap_slots=5),
        propagation=SteppedLoss({0.0: 140.0}),
        receiver=threshold_receiver(3.0),
        application=ScheduledPackets([(9_500, 0), (14_600, 1)]),
    )
    assert outcomes_of(finished) == {"PROPAGATION": 2}


def test_a_loss_rate_is_met() -> None:
    """Every block lost with probability 0.3: 20,000 draws within four standard deviations."""
    n = 200
    finished = simulate(
        FrozenFleet(x_m=np.arange(101) * 1.0),
        application=ScheduledPackets(every(5_000, n, 500, 0)),
        receiver=lossy_receiver(0.3),
    )
    bound = 4.0 * np.sqrt(0.3 * 0.7 / (100 * n))
    assert abs(finished.share(Outcome.PROPAGATION) - 0.3) < bound
