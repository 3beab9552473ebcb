"""802.11p obeys theory: times to the microsecond, collisions, hidden stations, load, errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.access.congestion.base import CongestionContext
from v2x.access.congestion.etsi_dcc import EtsiDccAdaptive, EtsiDccAdaptiveParams
from v2x.access.ieee80211p import Ieee80211pParams
from v2x.access.unslotted import MEMORY_US
from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.rate_control import RateControlled
from v2x.phy.ofdm.error_model import frame_error_rate, log2_bit_success
from v2x.phy.ofdm.rates import rate
from v2x.records.tables import Outcome
from v2x.sim.recorder import RecordParams

from ..simulation_parts import (
    HEARD_TO_150_M,
    Finished,
    FrozenFleet,
    ScheduledPackets,
    SteppedLoss,
    pairs_far_apart,
)
from ..unslotted_parts import simulate
from ..unslotted_plug_in import AlohaParams

#: 190 bytes and 38 of headers at 6 Mb/s: 16 + 8 * 228 + 6 bits in 39 symbols of 48 bits and 8 µs,
#: after 40 µs of preamble and SIGNAL.
AIR_US = 40 + 39 * 8
AIFS_BE_US, SLOT_US = 32 + 6 * 13, 13
NO_CAPTURE = Ieee80211pParams(capture_db=None)


def starts(finished: Finished) -> dict[tuple[int, int], int]:
    """Return when each packet, named by sender and time of generation, went on air [µs]."""
    packets = finished.tables["packets"]
    names = zip(packets["tx_id"].tolist(), packets["generated_us"].tolist(), strict=True)
    return dict(zip(names, packets["first_slot_us"].tolist(), strict=True))


def test_a_lone_sender_waits_for_nobody() -> None:
    """The channel has been idle for longer than AIFS: access at once (9.19.2.3)."""
    plan = [(1_000 + 10_007 * k, 0) for k in range(50)]
    finished = simulate(FrozenFleet(x_m=[0.0, 50.0]), application=ScheduledPackets(plan))
    assert starts(finished) == {(0, t): t for t, _ in plan}
    assert finished.outcomes[Outcome.RECEIVED] == 50


@pytest.mark.parametrize(
    ("priority", "aifs_us"), [(1, 58), (3, 71), (5, 110), (7, 149)], ids=["vo", "vi", "be", "bk"]
)
def test_after_a_frame_comes_aifs(priority: int, aifs_us: int) -> None:
    """A packet that arrives while the channel is idle, but not yet for AIFS, goes right after it.

    The next of the same sender would count its backoff first: that of another has none to count.
    """
    end = 1_000 + AIR_US
    plan = [(1_000, 0), (end + 1, 1)]
    finished = simulate(
        FrozenFleet(x_m=[0.0, 50.0]), application=ScheduledPackets(plan, priority=priority)
    )
    assert starts(finished)[1, end + 1] == end + aifs_us


@pytest.mark.parametrize(
    ("priority", "aifs_us", "window"), [(1, 58, 3), (3, 71, 7), (5, 110, 15), (7, 149, 15)]
)
def test_who_finds_it_busy_draws_a_backoff(priority: int, aifs_us: int, window: int) -> None:
    """Row 1 of 400 pairs: uniform in [0, CWmin] slots after AIFS; chi square at 0.1 %."""
    n = 400
    plan = [(1_000, 2 * k) for k in range(n)] + [(1_100, 2 * k + 1) for k in range(n)]
    finished = simulate(
        pairs_far_apart(n), application=ScheduledPackets(plan, priority=priority), duration_s=0.1
    )
    late = np.array([t for (_, made), t in starts(finished).items() if made == 1_100])
    slots, rest = np.divmod(late - (1_000 + AIR_US + aifs_us), SLOT_US)
    assert not rest.any()
    seen = np.bincount(slots, minlength=window + 1)
    assert len(seen) == window + 1
    expected = n / (window + 1)
    limit = {3: 16.27, 7: 24.32, 15: 37.70}[window]
    assert ((seen - expected) ** 2 / expected).sum() < limit


def test_the_backoff_after_a_transmission() -> None:
    """The next packet of the same sender waits for it; a much later one finds it done."""
    n = 300
    plan = [(t, 2 * k) for k in range(n) for t in (1_000, 1_001, 50_000)]
    finished = simulate(pairs_far_apart(n), application=ScheduledPackets(plan), duration_s=0.1)
    when = starts(finished)
    slots = {(when[2 * k, 1_001] - (1_000 + AIR_US + AIFS_BE_US)) / SLOT_US for k in range(n)}
    assert slots == set(range(16))
    assert all(when[2 * k, 50_000] == 50_000 for k in range(n))


def test_a_countdown_freezes() -> None:
    """Rows 1 and 2 draw while row 0 talks; the later of them goes on where the other cut in.

    With b1 < b2 slots row 2 has counted b1 + 1 when row 1 begins: the boundary at which row 1
    starts is one for row 2 as well (9.19.2.3). What is left follows AIFS after row 1.
    """
    n = 200
    middle = np.repeat(np.arange(n) * 3000.0, 3)
    fleet = FrozenFleet(x_m=middle + np.tile([0.0, 10.0, 20.0], n))
    plan = [(1_000 + 100 * (row % 3), row) for row in range(3 * n)]
    when = starts(simulate(fleet, application=ScheduledPackets(plan), duration_s=0.1))
    first = 1_000 + AIR_US + AIFS_BE_US
    left = []
    for k in range(n):
        early, late = sorted((when[3 * k + 1, 1_100], when[3 * k + 2, 1_200]))
        if early == late:
            continue
        slots, rest = divmod(late - (early + AIR_US + AIFS_BE_US), SLOT_US)
        assert rest == 0
        left.append((slots, (early - first) // SLOT_US))
    assert len(left) > 150
    # b2 = b1 + 1 + what is left is a backoff too
    assert {b1 + 1 + more for more, b1 in left} == set(range(1, 16))
    assert min(more for more, _ in left) == 0


def saturated(n: int, window: int, *, duration_s: float = 1.5) -> Finished:
    """Let `n` stations within reach of each other always have something to say."""
    plan = [(t, row) for row in range(n) for t in range(37 * row, round(duration_s * 1e6), 450)]
    return simulate(
        FrozenFleet(x_m=np.arange(n) * 1.0),
        access=replace(NO_CAPTURE, contention_window=(3, 7, window, 15)),
        application=ScheduledPackets(plan, budget_us=10_000_000),
        duration_s=duration_s,
    )


@pytest.mark.parametrize("window", [7, 15, 31])
@pytest.mark.parametrize("n", [2, 5, 10])
def test_saturation(n: int, window: int) -> None:
    r"""Without retries the window is constant and a station transmits in a slot with probability
    :math:`\tau = 2 / (W + 1)`, W = CW + 1, so that frames collide with
    :math:`1 - (1 - \tau)^{n - 1}` (Bianchi 2000 with m = 0, stations taken as independent).

    The bound is 0.02 for that independence, and four deviations of the sample: frames that collide
    count in groups of two or more, which is taken as the factor n on their variance.
    """
    finished = saturated(n, window)
    packets = finished.tables["packets"]
    settled = (packets["n_attempts"] == 1) & (packets["first_slot_us"] > 100_000)
    lost = packets["n_received"][settled] == 0
    expected = 1.0 - (1.0 - 2.0 / (window + 2.0)) ** (n - 1)
    deviation = math.sqrt(n * expected * (1.0 - expected) / len(lost))
    assert abs(lost.mean() - expected) < 0.02 + 4.0 * deviation
    heard = finished.outcomes
    # who does not collide is heard by all; who does, by nobody
    assert heard[Outcome.RECEIVED] == packets["n_received"].sum()
    assert set(np.unique(packets["n_received"])) <= {0, n - 1}
    assert heard[Outcome.PROPAGATION] == heard[Outcome.CONTROL_LOST] == 0


def test_saturated_stations_share_equally() -> None:
    """Jain's index of the frames of ten stations is 1 but for chance."""
    packets = saturated(10, 15).tables["packets"]
    share = np.bincount(packets["tx_id"][packets["n_attempts"] == 1])
    assert share.sum() ** 2 / (10 * (share**2).sum()) > 0.99


def test_without_listening_it_is_aloha() -> None:
    r"""Many stations of low rate: a frame survives with :math:`e^{-2 G}` (Abramson 1970).

    G is the load of the others in frames per air time; 40 stations of 25 Hz. The bound is four
    binomial deviations of frames, doubled because losses come in pairs.
    """
    n, rate_hz, duration_s = 40, 25.0, 8.0
    draw = np.random.default_rng(5)
    plan: list[tuple[int, int]] = []
    for row in range(n):
        k = draw.poisson(rate_hz * duration_s)
        plan += [(int(t), row) for t in draw.uniform(0, duration_s * 1e6, k)]
    params = AlohaParams()
    air_us = int(params.waveform().air_us(np.array([190], dtype=np.int32))[0])
    finished = simulate(
        FrozenFleet(x_m=np.arange(n) * 1.0),
        access=params,
        application=ScheduledPackets(plan),
        duration_s=duration_s,
    )
    packets = finished.tables["packets"]
    survived = packets["n_received"] == n - 1
    load = (n - 1) * rate_hz * air_us * 1e-6
    expected = math.exp(-2.0 * load)
    bound = 2.0 * 4.0 * math.sqrt(expected * (1.0 - expected) / len(survived))
    assert 0.4 < expected < 0.8
    assert abs(survived.mean() - expected) < bound


def periodic_pairs(n: int, duration_s: float, seed: int = 11) -> list[tuple[int, int]]:
    """Return packets at 10 Hz and random phases of rows 3k and 3k + 1."""
    phase = np.random.default_rng(seed).integers(0, 100_000, 2 * n)
    return [
        (int(phase[2 * k + s]) + 100_000 * m, 3 * k + s)
        for k in range(n)
        for s in (0, 1)
        for m in range(round(10 * duration_s) - 1)
    ]


@pytest.mark.parametrize("hidden", [True, False])
def test_hidden_stations(hidden: bool) -> None:
    """Frames of T at period P and random phases meet with 2 T / P if neither hears the other.

    Both are lost at the listener between them, unless the later one begins in the last symbol. In
    range only those within the sensing time of each other meet: 2 * 9 µs / P, since time is whole
    microseconds. The bound is four binomial deviations of pairs (the phases), plus a symbol.
    """
    n, duration_s = 4_000, 0.2
    middle = np.repeat(np.arange(n) * 3000.0, 3)
    apart = 100.0 if hidden else 20.0
    finished = simulate(
        FrozenFleet(x_m=middle + np.tile([-apart, 0.0, 0.0], n) + np.tile([0.0, 100.0, 0.0], n)),
        access=NO_CAPTURE,
        application=ScheduledPackets(periodic_pairs(n, duration_s)),
        propagation=HEARD_TO_150_M,
        records=RecordParams(max_distance_m=140.0, awareness_range_m=140.0),
        duration_s=duration_s,
    )
    packets = finished.tables["packets"]
    at_listener = packets["n_received"] < packets["n_intended"]
    expected = 2.0 * AIR_US / 100_000 if hidden else 17.0 / 100_000
    bound = 4.0 * math.sqrt(expected / n) + (8.0 / 100_000 if hidden else 0.0)
    assert abs(at_listener.mean() - expected) < bound
    causes = finished.outcomes
    assert causes[Outcome.COLLISION] > 0
    assert causes[Outcome.HALF_DUPLEX] == 0 or not hidden


def test_busy_ratio_of_a_known_load() -> None:
    """Each of 30 stations hears 29 at 10 Hz: 29 * 10 * T of the time in which it is silent itself.

    No two overlap, since their phases are a millisecond and more apart.
    """
    n = 30
    plan = [(100_000 * m + 3_000 * row, row) for row in range(n) for m in range(20)]
    finished = simulate(
        FrozenFleet(x_m=np.arange(n) * 1.0),
        application=ScheduledPackets(plan),
        duration_s=2.0,
    )
    cbr = finished.tables["load"]["cbr"]
    assert len(cbr) == n * 4
    np.testing.assert_allclose(cbr, 29 * AIR_US / (100_000 - AIR_US), rtol=1e-12)


@pytest.mark.parametrize(("loss_db", "busy"), [(107.9, True), (108.1, False)])
def test_the_busy_ratio_counts_from_minus_85_dbm(loss_db: float, busy: bool) -> None:
    finished = simulate(
        FrozenFleet(x_m=[0.0, 50.0]),
        application=ScheduledPackets([(1_000 * k, 0) for k in range(1, 1_000)]),
        propagation=SteppedLoss({0.0: loss_db}),
    )
    load = finished.tables["load"]
    at_receiver = load["cbr"][load["node_id"] == 1]
    assert np.all((at_receiver > 0.3) if busy else (at_receiver == 0.0))


def test_half_duplex() -> None:
    """Two that begin at once, or within the sensing time, do not hear each other; later ones do."""
    plan = [
        (t + delay * s, s) for t, delay in ((10_000, 0), (20_000, 8), (30_000, 9)) for s in (0, 1)
    ]
    finished = simulate(FrozenFleet(x_m=[0.0, 50.0]), application=ScheduledPackets(plan))
    assert finished.outcomes[Outcome.HALF_DUPLEX] == 4
    assert finished.outcomes[Outcome.RECEIVED] == 2
    assert starts(finished)[1, 30_009] >= 30_000 + AIR_US + AIFS_BE_US


#: Row 2 hears row 0, 50 m off, and row 1, 100 m off: 12 dB less. Neither of them hears the other.
STEPS = SteppedLoss({0.0: 80.0, 60.0: 92.0, 140.0: 250.0})


@pytest.mark.parametrize(
    ("capture_db", "later", "received"),
    [
        (10.0, "near", {0}),
        (14.0, "near", set()),
        (None, "near", set()),
        (10.0, "far", {0}),
        (None, "far", {0}),
    ],
)
@pytest.mark.parametrize("delay_us", [20, 36, 200])
def test_capture(capture_db: float | None, later: str, received: set[int], delay_us: int) -> None:
    """A later frame 12 dB stronger is received if the margin allows it, in preamble and body.

    At SINR -12 dB the first is lost in any case; at 12 dB the near one survives the later far
    one.
    """
    first, second = (1, 0) if later == "near" else (0, 1)
    plan = [(5_000, first), (5_000 + delay_us, second)]
    finished = simulate(
        FrozenFleet(x_m=[-50.0, 100.0, 0.0]),
        access=Ieee80211pParams(capture_db=capture_db),
        application=ScheduledPackets(plan),
        propagation=STEPS,
        records=RecordParams(max_distance_m=140.0, awareness_range_m=140.0),
    )
    packets = finished.tables["packets"]
    assert set(packets["tx_id"][packets["n_received"] == 1].tolist()) == received
    assert finished.outcomes[Outcome.COLLISION] == 2 - len(received)


def loss_at(snr_db: float) -> SteppedLoss:
    """Return the loss that gives an SNR [dB] over 10 MHz at 23 dBm and a noise figure of 9 dB."""
    return SteppedLoss({0.0: 23.0 - (-174.0 + 9.0 + 70.0) - snr_db})


@pytest.mark.parametrize("mbps", [3.0, 6.0, 12.0, 27.0])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_errors_of_a_lone_sender(mbps: float, share: float) -> None:
    """The share of lost frames is that of the closed form at the SNR; bound 4 deviations.

    Curves have steps of 0.024 dB, in which the error rate changes by 0.03 at most.
    """
    n = 3_000
    bits = 16 + 8 * 228 + 6
    grid = np.arange(-2.0, 30.0, 0.001)
    curve = frame_error_rate(grid, bits, rate(mbps))
    snr_db = float(grid[np.argmin(np.abs(curve - share))])
    finished = simulate(
        pairs_far_apart(n),
        access=Ieee80211pParams(rate_mbps=mbps, preamble_sinr_db=-10.0),
        application=ScheduledPackets([(1_000 + k, 2 * k) for k in range(n)]),
        propagation=loss_at(snr_db),
        duration_s=0.1,
    )
    header = float(frame_error_rate([snr_db], 24, rate(3.0))[0])
    bound = 0.03 + 4.0 * math.sqrt(share * (1.0 - share) / n)
    assert abs(finished.share(Outcome.PROPAGATION) - share) < bound
    lost_header = finished.share(Outcome.CONTROL_LOST)
    assert abs(lost_header - (1.0 - share) * header) < bound
    assert finished.share(Outcome.COLLISION) == 0.0


def test_interference_counts_while_it_lasts() -> None:
    """Two thirds of the data of a frame at 30 dB are hit by one 6 dB below: 6 dB there.

    Expected is the success of the bits that were hit; that of the others is 1. The sample are
    3000 triples; bound four deviations and 0.03 for the steps of the curve.
    """
    n, late_us = 3_000, 40 + 13 * 8
    middle = np.repeat(np.arange(n) * 3000.0, 3)
    snr = {0.0: 30.0, 60.0: 24.0, 140.0: -100.0}
    noise_dbm = -174.0 + 9.0 + 70.0
    steps = SteppedLoss({at: 23.0 - noise_dbm - value for at, value in snr.items()})
    finished = simulate(
        FrozenFleet(x_m=middle + np.tile([-50.0, 100.0, 0.0], n)),
        access=NO_CAPTURE,
        application=ScheduledPackets(
            [(1_000 + late_us * s, 3 * k + s) for k in range(n) for s in (0, 1)]
        ),
        propagation=steps,
        records=RecordParams(max_distance_m=140.0, awareness_range_m=140.0),
        duration_s=0.1,
    )
    packets = finished.tables["packets"]
    first = packets["tx_id"] % 3 == 0
    sinr = 10.0**3.0 / (10.0**2.4 + 1.0)
    hit = (16 + 8 * 228 + 6) * 26 / 39
    expected = float(2.0 ** (hit * log2_bit_success([sinr], rate(6.0))[0]))
    assert 0.2 < expected < 0.95
    bound = 0.03 + 4.0 * math.sqrt(expected * (1.0 - expected) / n)
    assert abs((packets["n_received"][first] == 1).mean() - expected) < bound
    assert not packets["n_received"][~first].any()


def reception(losses_db: Sequence[float], mbps: float = 6.0) -> NDArray[np.float64]:
    """Return the share of received frames at each loss."""
    shares = []
    for loss_db in losses_db:
        finished = simulate(
            pairs_far_apart(300),
            access=Ieee80211pParams(rate_mbps=mbps),
            application=ScheduledPackets([(1_000, 2 * k) for k in range(300)]),
            propagation=SteppedLoss({0.0: loss_db}, sigma_db=3.0),
            duration_s=0.1,
        )
        shares.append(finished.share(Outcome.RECEIVED))
    return np.array(shares)


def test_reception_falls_with_loss_and_rate() -> None:
    """Draws belong to packets and nodes, so each frame lost at a loss is lost at a higher one."""
    losses_db = [90.0, 105.0, 108.0, 110.0, 112.0, 114.0, 118.0]
    slow, fast = reception(losses_db), reception(losses_db, 12.0)
    for shares in (slow, fast):
        assert np.all(np.diff(shares) <= 0.0)
        assert shares[0] == 1.0
        assert shares[-1] < 0.1
    assert np.all(slow >= fast)
    assert (slow - fast).max() > 0.5


def test_dcc_holds_the_channel_at_its_fixed_point() -> None:
    r"""K stations of adaptive DCC settle at shares :math:`\beta C_t / (\alpha + \beta K)` each.

    Their sum is the CBR if frames never overlap and shares are used up (TS 102 687 5.4). Frames of
    1.2 ms keep the time between them, and with it the crowd that waits, small; the bound of
    0.05 is for frames that overlap all the same.
    """
    n, seed, size_bytes = 100, 1, 800
    params = EtsiDccAdaptiveParams(target_cbr=0.4)
    air_us = int(NO_CAPTURE.waveform().air_us(np.array([size_bytes], dtype=np.int32))[0])
    control = EtsiDccAdaptive(
        params,
        CongestionContext(
            n_nodes=n,
            slot_us=MEMORY_US,
            n_subchannels=MEMORY_US,
            grant_subchannels=air_us,
            period_ms=50,
            seed=seed,
        ),
    )
    # At one time they would all open their gates together, and keep in step.
    enters = np.random.default_rng(3).integers(0, 4_000_000, n)
    talk = Awareness(AwarenessParams(size_bytes=size_bytes, rate_hz=20.0), seed)
    finished = simulate(
        FrozenFleet(x_m=np.arange(n) * 1.0, enters_us=enters.tolist(), leaves_us=[10**9] * n),
        application=RateControlled(talk, control),
        congestion=control,
        duration_s=16.0,
        warmup_s=8.0,
    )
    expected = n * 0.0012 * 0.4 / (0.016 + 0.0012 * n)
    cbr = finished.tables["load"]["cbr"]
    assert air_us == 40 + 8 * 141
    assert 0.3 < expected < 0.4
    assert abs(cbr.mean() - expected) < 0.05
    used = finished.tables["congestion"]["cr"]
    assert abs(n * used.mean() - expected) < 0.05
