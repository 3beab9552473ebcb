"""HARQ feedback in whole runs: numbers of transmissions that can be worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.access.nr.mode2 import NrMode2, NrMode2Params
from v2x.applications.awareness import AwarenessParams
from v2x.phy.nr.psfch import missed_rayleigh
from v2x.phy.radio import RadioParams
from v2x.phy.reception import CURVE_SINR_DB, ReceiverDesign
from v2x.records.tables import Outcome
from v2x.units import noise_dbm

from ..simulation_parts import (
    Finished,
    FrozenFleet,
    ScheduledPackets,
    SteppedLoss,
    every,
    pairs_far_apart,
    simulate,
)

#: Feedback in every slot, sure of itself: no false alarms, as good as no delay.
SURE = NrMode2Params(
    harq="feedback",
    psfch_period=1,
    blind_retransmissions=3,
    psfch_false_alarm=1e-6,
    psfch_fading="none",
)
#: sends and answers stay in their own vehicles: even rows speak, odd ones listen
N_PAIRS, N_EACH = 40, 25


def speakers(n_pairs: int = N_PAIRS, n_each: int = N_EACH) -> ScheduledPackets:
    """Return a packet of each even row every 100 ms, in different phases."""
    plan = [
        item for k in range(n_pairs) for item in every(100_000, n_each, 1_000 * (k % 90), 2 * k)
    ]
    return ScheduledPackets(plan)


def lossy(data: float, control: float, second: float) -> Callable[[ReceiverDesign], ReceiverDesign]:
    """Return a change of design: data, SCI-1 and SCI-2 are lost with these probabilities."""

    def changed(design: ReceiverDesign) -> ReceiverDesign:
        n = len(CURVE_SINR_DB)
        rows = [np.full(n, loss, dtype=np.float32) for loss in (data, control, second)]
        codes = np.zeros_like(design.curve_of_code)
        return replace(
            design,
            curves=np.stack(rows),
            curve_of_code=codes,
            control_curve=1,
            second_of_code=codes + np.int32(2),
        )

    return changed


def run(
    access: NrMode2Params = SURE,
    *,
    cast: str = "unicast",
    losses: tuple[float, float, float] = (0.0, 0.0, 0.0),
    fleet: FrozenFleet | None = None,
    application: ScheduledPackets | None = None,
    range_m: float = 150.0,
    **options: Any,
) -> Finished:
    return simulate(
        fleet or pairs_far_apart(N_PAIRS),
        technology=NrMode2,
        access=access,
        application=application or speakers(),
        cast=AwarenessParams(cast=cast, range_m=range_m, group_size=2),
        receiver=lossy(*losses),
        duration_s=0.1 * (N_EACH + 2),
        **options,
    )


def attempts(finished: Finished) -> NDArray[np.int32]:
    return finished.tables["packets"]["n_attempts"]


def total(finished: Finished, name: str) -> int:
    return int(finished.tables["feedback"][name].sum())


def assert_share(share: float, expected: float, n: int) -> None:
    """Check a share of `n` independent trials against four standard errors."""
    error = math.sqrt(max(expected * (1.0 - expected), 1.0 / n) / n)
    assert abs(share - expected) < 4.0 * error, (share, expected, error)


def test_everything_acknowledged_leaves_the_reserved_retransmissions_unsent() -> None:
    finished = run()
    n = N_PAIRS * N_EACH
    assert attempts(finished).tolist() == [1] * n
    assert total(finished, "n_released") == 3 * n
    assert total(finished, "n_answers") == total(finished, "n_asked") == n
    assert finished.outcomes[Outcome.RECEIVED] == finished.outcomes.sum() == n
    blind = run(replace(SURE, harq="blind"))
    assert attempts(blind).tolist() == [4] * n
    assert len(blind.tables["feedback"]["packet"]) == 0


@pytest.mark.parametrize("stage", [1, 2])
def test_lost_control_information_makes_transmissions_geometric(stage: int) -> None:
    """SCI-1 or SCI-2 lost with p in each transmission: the sender hears nothing and repeats.

    So k transmissions have probability p^(k - 1) (1 - p), four have p^3, and p^4 of the packets
    never arrive, all of them for lack of control information.
    """
    p = 0.4
    losses = (0.0, p, 0.0) if stage == 1 else (0.0, 0.0, p)
    finished = run(losses=losses)
    made = attempts(finished)
    n = len(made)
    for k in (1, 2, 3):
        assert_share(float((made == k).mean()), p ** (k - 1) * (1 - p), n)
    assert_share(float((made == 4).mean()), p**3, n)
    assert_share(finished.share(Outcome.CONTROL_LOST), p**4, n)
    assert_share(finished.share(Outcome.RECEIVED), 1.0 - p**4, n)
    # silence of the receiver is what the sender hears: no answer is missed or made up
    assert total(finished, "n_silent") == total(finished, "n_lacked")
    assert total(finished, "n_answers") == total(finished, "n_asked") - total(finished, "n_silent")
    assert total(finished, "n_missed") == total(finished, "n_needless") == 0
    assert total(finished, "n_released") + made.sum() == 4 * n


def test_nacks_bring_all_transmissions_and_data_that_never_pass() -> None:
    finished = run(losses=(1.0, 0.0, 0.0))
    assert set(attempts(finished).tolist()) == {4}
    assert total(finished, "n_lacked") == total(finished, "n_asked") == 4 * N_PAIRS * N_EACH
    assert finished.outcomes[Outcome.RECEIVED] == 0


def psfch_loss_db(sinr: float) -> float:
    """Return the path loss at which an answer has a linear SINR, 23 dBm in one resource block."""
    return 23.0 - noise_dbm(360e3, 9.0) - 10.0 * math.log10(sinr)


@pytest.mark.parametrize("sinr", [0.3, 1.0])
def test_lost_feedback_repeats_unicast_and_ends_groupcast(sinr: float) -> None:
    """Rayleigh: an answer is missed with q = 1 - p^(1 / (1 + 12 S/N)), p of a false alarm.

    Unicast, all received: one transmission has probability 1 - q. It is slightly less, because
    the louder of two correlators counts: by q times p at most. NACK only, nothing received:
    one transmission has probability q, for silence is success.
    """
    false_alarm = 1e-3
    access = replace(SURE, psfch_fading="rayleigh", psfch_false_alarm=false_alarm)
    q = missed_rayleigh(sinr, false_alarm)
    options: dict[str, Any] = {
        "propagation": SteppedLoss({0.0: psfch_loss_db(sinr)}),
        "radio": RadioParams(antenna_gain_dbi=0.0),
    }
    unicast = attempts(run(access, **options))
    n = len(unicast)
    assert_share(float((unicast == 1).mean()), 1.0 - q, n)
    assert_share(float((unicast == 2).mean()), q * (1.0 - q), n)
    lost = run(access, cast="groupcast-nack", losses=(1.0, 0.0, 0.0), **options)
    assert_share(float((attempts(lost) == 1).mean()), q, n)
    assert_share(float((attempts(lost) == 2).mean()), (1.0 - q) * q, n)
    # one transmission of each packet but those with four is taken as received
    assert total(lost, "n_missed") >= int((attempts(lost) < 4).sum())


def test_nobody_complains_of_what_all_received() -> None:
    """NACK only: silence is success, and takes no feedback resource."""
    finished = run(cast="groupcast-nack")
    assert set(attempts(finished).tolist()) == {1}
    assert total(finished, "n_answers") == 0
    # who lost the control information does not know of it: the error floor of option 1
    floor = run(cast="groupcast-nack", losses=(0.0, 0.3, 0.0))
    assert set(attempts(floor).tolist()) == {1}
    assert_share(floor.share(Outcome.CONTROL_LOST), 0.3, N_PAIRS * N_EACH)


@pytest.mark.parametrize(
    ("sender_m", "receiver_m", "complains", "counts"),
    [
        (0.0, 140.0, True, True),  # zone centre at 25 m: 115 m
        (49.0, 198.0, False, True),  # 149 m, but 173 m from the centre of the zone
        (1.0, 152.0, True, False),  # 151 m, but 127 m from the centre
        (1.0, 200.0, False, False),
    ],
)
def test_groupcast_at_the_edge_of_its_range(
    sender_m: float, receiver_m: float, complains: bool, counts: bool
) -> None:
    """Range 150 m, zones of 50 m: who is near the centre of the zone complains, and is heard.

    Those within 150 m in truth are counted.
    """
    finished = simulate(
        FrozenFleet(x_m=[sender_m, receiver_m]),
        technology=NrMode2,
        access=SURE,
        application=ScheduledPackets(every(100_000, 5, 1_000, 0)),
        cast=AwarenessParams(cast="groupcast-nack", range_m=150.0, zone_length_m=50),
        receiver=lossy(1.0, 0.0, 0.0),
        duration_s=0.7,
    )
    assert set(attempts(finished).tolist()) == {4 if complains else 1}
    assert finished.outcomes.sum() == (5 if counts else 0)


def test_every_member_of_a_group_must_acknowledge() -> None:
    """Two members lose SCI-1 with p each: one transmission suffices with (1 - p)^2.

    A member that has the packet acknowledges repetitions whose SCI it decodes, so k
    transmissions succeed only if both decode the k-th: (1 - p)^2 each time.
    """
    p = 0.2
    n_groups = 30
    x = np.repeat(np.arange(n_groups) * 3000.0, 3) + np.tile([0.0, 10.0, 20.0], n_groups)
    plan = [item for k in range(n_groups) for item in every(100_000, N_EACH, 1_000 * k, 3 * k)]
    finished = run(
        cast="groupcast-ack",
        losses=(0.0, p, 0.0),
        fleet=FrozenFleet(x_m=x),
        application=ScheduledPackets(plan),
    )
    made = attempts(finished)
    good = (1.0 - p) ** 2
    for k in (1, 2, 3):
        assert_share(float((made == k).mean()), (1 - good) ** (k - 1) * good, len(made))
    assert finished.outcomes.sum() == 2 * len(made)
    assert_share(finished.share(Outcome.RECEIVED), 1.0, 2 * len(made))


def test_transmissions_wait_for_their_feedback() -> None:
    """Period 4, gap 3: four transmissions of a packet take three gaps of 8 slots at least."""
    access = replace(SURE, psfch_period=4, psfch_gap=3)
    finished = run(access, losses=(1.0, 0.0, 0.0))
    packets = finished.tables["packets"]
    assert set(attempts(finished).tolist()) == {4}
    span = (packets["last_slot_us"] - packets["first_slot_us"]) // 500
    assert (span >= 3 * access.least_gap_slots()).all()


def test_a_vehicle_that_left_is_not_waited_for() -> None:
    """The addressee leaves after 1 s: from then on there is nobody to speak to, and no message."""
    fleet = FrozenFleet(x_m=[0.0, 50.0], leaves_us=[10**9, 1_000_000])
    finished = simulate(
        fleet,
        technology=NrMode2,
        access=SURE,
        application=ScheduledPackets(every(100_000, 20, 1_000, 0)),
        cast=AwarenessParams(cast="unicast"),
        receiver=lossy(0.0, 0.0, 0.0),
        duration_s=2.0,
    )
    assert 9 <= len(attempts(finished)) <= 10


def test_same_seed_same_feedback() -> None:
    one, two, other = (
        run(losses=(0.0, 0.3, 0.0), seed=seed).tables["feedback"] for seed in (5, 5, 6)
    )
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["n_asked"], other["n_asked"])
