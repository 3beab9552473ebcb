"""Section ``pedestrians`` of a scenario, and the runs it makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.metrics.summary import summarise
from v2x.mobility.fleet import NodeKind
from v2x.records.tables import FIRST_PEDESTRIAN_ID
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

TEXT = """\
duration_s: 2.5
warmup_s: 0.5
world: {synthetic: junction, arm_m: 200}
traffic: {type: routed, n_vehicles: 10}
access: {type: nr-mode2}
"""


def scenario(tmp_path: Path, *overrides: tuple[str, str]) -> Any:
    file = tmp_path / "small.yaml"
    file.write_text(TEXT)
    return load_scenario(file, overrides)


CROWD = (("pedestrians.n_pedestrians", "12"), ("pedestrians.rate_hz", "5"))


def test_pedestrians_speak_and_are_heard(tmp_path: Path) -> None:
    records = simulate(scenario(tmp_path, *CROWD))
    packets = records.tables["packets"]
    theirs = packets["tx_id"] >= FIRST_PEDESTRIAN_ID
    assert len(np.unique(packets["tx_id"][theirs])) == 12
    assert 110 <= theirs.sum() <= 12 * 5 * 2  # those of the last tenth of a second may wait
    # 34 bytes in a signed envelope, with the certificate in one of three
    assert set(packets["size_bytes"][theirs].tolist()) == {142, 291}
    assert packets["n_received"][theirs].sum() > 0.5 * packets["n_intended"][theirs].sum()
    assert records.facts["n_pedestrians"] == 12
    # some leave, others come
    assert 10 <= records.facts["n_vehicles"] < 20
    kinds = records.tables["trajectories"]["kind"]
    assert (kinds == NodeKind.VRU).sum() == 12 * len(
        np.unique(records.tables["trajectories"]["time_s"])
    )


def test_they_may_only_listen(tmp_path: Path) -> None:
    quiet = simulate(scenario(tmp_path, *CROWD, ("pedestrians.rate_hz", "0")))
    assert (quiet.tables["packets"]["tx_id"] < FIRST_PEDESTRIAN_ID).all()
    alone = simulate(scenario(tmp_path))
    # vehicles drive and speak as if nobody were there; more hear them
    for key in ("tx_id", "generated_us", "first_slot_us"):
        np.testing.assert_array_equal(quiet.tables["packets"][key], alone.tables["packets"][key])
    assert quiet.tables["packets"]["n_intended"].sum() > alone.tables["packets"]["n_intended"].sum()


@pytest.mark.parametrize(
    ("selection", "low", "high"), [("full", 1.0, 1.0), ("partial", 0.03, 0.4), ("random", 0.0, 0.0)]
)
def test_kinds_select_as_they_are_told(
    tmp_path: Path, selection: str, low: float, high: float
) -> None:
    records = simulate(scenario(tmp_path, *CROWD, ("access.vru_selection", selection)))
    shares = summarise(records, scenario_name="small", seed=1)["share_monitored"]
    assert shares["car"] == 1.0
    assert low <= shares["vru"] <= high


def test_the_antenna_gain_of_the_device_counts(tmp_path: Path) -> None:
    """20 dB less each way: fewer of their messages arrive, vehicles hear each other as before."""

    def prr(*overrides: tuple[str, str]) -> tuple[float, float]:
        packets = simulate(scenario(tmp_path, *CROWD, *overrides)).tables["packets"]
        theirs = packets["tx_id"] >= FIRST_PEDESTRIAN_ID
        share = [packets["n_received"][rows].sum() / packets["n_intended"][rows].sum()
                 for rows in (theirs, ~theirs)]  # fmt: skip
        return share[0], share[1]

    strong, weak = prr(), prr(("pedestrians.antenna_gain_dbi", "-30"))
    assert weak[0] < strong[0] - 0.1


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("pedestrians.rate_hz", "20", "more often than road users send"),
        ("pedestrians.size_bytes", "400", "400 bytes are more than the largest message"),
        ("pedestrians.per_km", "5", "exclude each other"),
        ("access.vru_selection", "partly", "must be"),
    ],
)
def test_mistakes_name_their_key(tmp_path: Path, key: str, value: str, message: str) -> None:
    overrides = [*CROWD, (key, value)]
    if key == "pedestrians.per_km":
        file = tmp_path / "both.yaml"
        file.write_text(TEXT + "pedestrians: {n_pedestrians: 3, per_km: 5}\n")
        with pytest.raises(V2XError, match=message):
            load_scenario(file)
        return
    with pytest.raises(V2XError, match=message) as caught:
        simulate(scenario(tmp_path, *overrides))
    assert key in str(caught.value)
