"""OFDM of 802.11 in 10 MHz: air times, the code, and error rates."""

from __future__ import annotations

import heapq
from collections import defaultdict

import numpy as np
import pytest

from v2x.phy.error_model import curve
from v2x.phy.ofdm.error_model import (
    DISTANCE_SPECTRA,
    decoded_bit_error,
    frame_error_rate,
    log2_bit_success,
    raw_bit_error,
)
from v2x.phy.ofdm.frame_reception import OfdmWaveform
from v2x.phy.ofdm.rates import RATES, air_time_us, data_bits, rate
from v2x.phy.radio import PhyParams, RadioParams
from v2x.phy.reception import CURVE_SINR_DB


def test_bits_of_a_symbol() -> None:
    """Table 17-4: N_DBPS; 8 µs of it give the rate."""
    assert [one.bits_per_symbol for one in RATES] == [24, 36, 48, 72, 96, 144, 192, 216]
    assert [one.bits_per_symbol / 8 for one in RATES] == [one.mbps for one in RATES]


@pytest.mark.parametrize(
    ("psdu_bytes", "mbps", "air_us"),
    [
        # 16 + 8 * 228 + 6 = 1846 bits in 38.5 symbols of 48: 40 + 39 * 8
        (228, 6.0, 352),
        # 2726 bits in 56.8 symbols
        (338, 6.0, 496),
        (338, 3.0, 40 + 114 * 8),
        (338, 12.0, 40 + 29 * 8),
        (338, 27.0, 40 + 13 * 8),
        # 22 bits alone, and a symbol that is exactly full: 16 + 8 * 3 + 6 = 46, 16 + 8 * 4 ... 54
        (0, 3.0, 48),
        (3, 6.0, 48),
        (4, 6.0, 56),
    ],
)
def test_air_time(psdu_bytes: int, mbps: float, air_us: int) -> None:
    assert int(air_time_us(psdu_bytes, rate(mbps))) == air_us


def test_a_frame_too_long_for_the_length_in_signal() -> None:
    """LENGTH has 12 bits (17.3.4.3)."""
    assert int(air_time_us(4095, rate(27.0))) == 40 + 152 * 8
    with pytest.raises(ValueError, match="4096 bytes with all headers are more than a frame"):
        air_time_us([10, 4096], rate(27.0))


def test_a_rate_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"rate_mbps must be one of 3, 4\.5, 6, .* got 7"):
        rate(7.0)


#: Bits of (133, 171) that are sent of each input bit (17.3.5.6): one period of the puncturing.
SENT = {
    (1, 2): ((1, 1),),
    (2, 3): ((1, 1), (1, 0)),
    (3, 4): ((1, 1), (1, 0), (0, 1)),
}


def spectrum(code_rate: tuple[int, int], n_terms: int) -> list[int]:
    """Return the information bits on all error paths of the first `n_terms` weights.

    Walks the trellis from the zero state and back to it, least weight first, from each phase of
    the puncturing.
    """
    sent = SENT[code_rate]
    distance, step, _ = DISTANCE_SPECTRA[code_rate]
    longest = distance + step * (n_terms - 1)
    bits = defaultdict(int)
    for phase in range(len(sent)):
        # paths[weight][state, phase] = number of paths, their information bits
        paths: dict[int, dict[tuple[int, int], list[int]]] = defaultdict(dict)
        waiting: list[int] = []

        def add(
            weight: int,
            node: tuple[int, int],
            n: int,
            ones: int,
            paths: dict[int, dict[tuple[int, int], list[int]]] = paths,
            waiting: list[int] = waiting,
        ) -> None:
            if weight > longest:
                return
            if weight not in paths:
                heapq.heappush(waiting, weight)
            entry = paths[weight].setdefault(node, [0, 0])
            entry[0] += n
            entry[1] += ones

        def follow(
            weight: int, state: int, at: int, bit: int, n: int, ones: int, add: object = add
        ) -> None:
            register = bit << 6 | state
            keep = sent[at]
            out = (register & 0o133).bit_count() % 2 * keep[0]
            out += (register & 0o171).bit_count() % 2 * keep[1]
            following = register >> 1
            if following == 0:
                if weight + out <= longest:
                    bits[weight + out] += ones + n * bit
            else:
                add(weight + out, (following, (at + 1) % len(sent)), n, ones + n * bit)  # type: ignore[operator]

        follow(0, 0, phase, 1, 1, 0)
        while waiting:
            weight = heapq.heappop(waiting)
            layer = paths.pop(weight)
            while layer:  # branches of weight zero stay in the layer
                node = next(iter(layer))
                n, ones = layer.pop(node)
                paths[weight] = layer
                for bit in (0, 1):
                    follow(weight, *node, bit, n, ones)
                layer = paths.pop(weight, {})
            paths.pop(weight, None)
            while waiting and waiting[0] == weight:
                heapq.heappop(waiting)
    return [bits[distance + step * k] for k in range(n_terms)]


@pytest.mark.parametrize("code_rate", SENT)
def test_distance_spectrum_of_the_code(code_rate: tuple[int, int]) -> None:
    """The published numbers follow from the generators and the puncturing."""
    published = DISTANCE_SPECTRA[code_rate][2]
    assert spectrum(code_rate, 4) == list(published[:4])


def test_raw_errors_at_known_points() -> None:
    """BPSK needs 9.59 dB for 1e-5, QPSK 3.01 dB more; at no signal a bit is a guess."""
    assert raw_bit_error(10**0.959, 1) == pytest.approx(1e-5, rel=0.01)
    assert raw_bit_error(2 * 10**0.959, 2) == pytest.approx(1e-5, rel=0.01)
    assert raw_bit_error(0.0, 1) == raw_bit_error(0.0, 2) == 0.5


@pytest.mark.parametrize("one", RATES, ids=lambda one: f"{one.mbps:g}")
def test_errors_fall_with_sinr(one: object) -> None:
    """From certain failure to certain success, without a step back."""
    success = log2_bit_success(10.0 ** (np.linspace(-20.0, 40.0, 2_000) / 10.0), one)  # type: ignore[arg-type]
    assert success[0] == -1.0
    assert -1e-200 < success[-1] <= 0.0
    assert np.all(np.diff(success) >= 0.0)


def test_decoded_errors_never_exceed_a_guess() -> None:
    for code_rate in DISTANCE_SPECTRA:
        assert decoded_bit_error(0.5, code_rate) == 0.5
        assert decoded_bit_error(0.0, code_rate) == 0.0


def test_sensitivity_of_the_standard() -> None:
    """17.3.10.2 (10 MHz): least input level for 10 % of lost PSDUs of 1000 bytes.

    It assumes a noise figure of 10 dB and 5 dB of implementation margin, which leaves the SNR the
    decoder needs: within 2 dB of ours for every rate, and 1 dB on average.
    """
    level_dbm = np.array([-85, -84, -82, -80, -77, -73, -69, -68])
    allowed_db = level_dbm - (-174 + 70 + 10 + 5)
    grid = np.arange(0.0, 30.0, 0.01)
    bits = int(data_bits(1000))
    needed_db = [grid[np.argmax(frame_error_rate(grid, bits, one) < 0.1)] for one in RATES]
    assert np.all(np.diff(needed_db) > 0)
    assert np.abs(needed_db - allowed_db).max() < 2.0
    assert np.abs(needed_db - allowed_db).mean() < 1.0


def waveform(**changes: float | None) -> OfdmWaveform:
    values = {
        "rate": rate(6.0),
        "overhead_bytes": 38,
        "preamble_sinr_db": 0.0,
        "capture_db": 10.0,
        "fading_loss_db": 0.0,
    }
    return OfdmWaveform(**(values | changes))  # type: ignore[arg-type]


def test_receiver() -> None:
    receiver = waveform().receiver(RadioParams(noise_figure_db=9.0), PhyParams())
    assert 10.0 * np.log10(receiver.noise_mw) == pytest.approx(-95.0)
    assert receiver.capture_ratio == pytest.approx(10.0)
    assert receiver.sensitivity_mw == 0.0
    assert receiver.bitwise
    none = waveform(capture_db=None).receiver(RadioParams(), PhyParams(sensitivity_dbm=-92.0))
    assert none.capture_ratio == np.inf
    assert 10.0 * np.log10(none.sensitivity_mw) == pytest.approx(-92.0)


def test_fading_loss_shifts_all_curves() -> None:
    plain, faded = (
        waveform(fading_loss_db=loss).receiver(RadioParams(), PhyParams()) for loss in (0.0, 3.0)
    )
    for name in ("header_log2", "data_log2"):
        at = np.interp(CURVE_SINR_DB - 3.0, CURVE_SINR_DB, getattr(plain, name))
        inside = np.abs(CURVE_SINR_DB - 5.0) < 10.0
        np.testing.assert_allclose(getattr(faded, name)[inside], at[inside], rtol=0.02)


def test_a_named_curve_is_that_of_whole_frames() -> None:
    name = "r1-160284-qpsk-r0.5"
    receiver = waveform().receiver(RadioParams(), PhyParams(error_curve=name))
    assert not receiver.bitwise
    assert receiver.curve_names[0] == name
    np.testing.assert_allclose(
        1.0 - np.exp2(receiver.data_log2.astype(np.float64)),
        curve(name).bler(CURVE_SINR_DB),
        atol=1e-6,
    )
