"""The report of a run folder: files, one page, no network."""

from __future__ import annotations

import re

import pytest

from v2x.channel.base import LinkState
from v2x.errors import V2XError
from v2x.metrics.summary import summarise
from v2x.records.store import write_run
from v2x.records.tables import RunRecords
from v2x.report.page import write_report

MAPS = ("map", "places")
NAMES = ("reliability", "latency", "freshness", "load", "safety")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    def write(records):
        return write_run(
            tmp_path_factory.mktemp("report") / "run",
            records=records,
            scenario_text="seed: 3\n",
            manifest={"versions": {"v2x": "9.9"}},
            summary=summarise(records, scenario_name="<ridge> & tunnel", seed=3),
        )

    return write


@pytest.fixture(scope="module")
def written(stored, plausible_records, ridge):
    return write_report(stored(plausible_records), road_map=ridge)


@pytest.fixture(scope="module")
def page(written):
    return written[-1].read_text(encoding="utf-8")


def test_files(written):
    folder = written[-1].parent
    expected = [f"figures/{name}.{end}" for name in (*NAMES, *MAPS) for end in ("png", "svg")]
    assert [path.relative_to(folder).as_posix() for path in written] == [*expected, "report.html"]
    assert all(path.stat().st_size > 1000 for path in written)
    assert (folder / "figures" / "map.png").read_bytes().startswith(b"\x89PNG")


def test_page_stands_alone(page):
    assert page.count("data:image/png;base64,") == len(NAMES) + len(MAPS)
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "http" not in page


def test_page_says_what_was_run_and_left_out(page):
    assert "<h1>&lt;ridge&gt; &amp; tunnel</h1>" in page
    assert "seed 3, v2x 9.9" in page
    assert "© OpenStreetMap contributors, ODbL 1.0" in page
    assert "The first 0 s are not counted" in page
    assert "within 250 m of an open end" in page


def test_page_speaks_of_ends_only_where_some_are_left_out(stored, plausible_records, ridge):
    facts = {**plausible_records.facts, "edge_margin_m": 0.0}
    folder = stored(RunRecords(plausible_records.tables, facts))
    page = write_report(folder, road_map=ridge)[-1].read_text(encoding="utf-8")
    assert "The first 0 s are not counted." in page
    assert "open end" not in page


def test_page_shows_the_summary(page, plausible_records):
    prr = summarise(plausible_records, scenario_name="x", seed=3)["prr"]
    assert (
        f"<th>PRR, 0 to 20 m</th><td>{prr['value'][0]:.3f} "
        f"(95 %: {prr['ci_low'][0]:.3f} to {prr['ci_high'][0]:.3f})</td>" in page
    )
    assert "<th>PRR, 480 to 500 m</th>" in page
    assert "<th>Messages sent</th><td>8,000</td>" in page


def test_link_states_are_shown_if_something_stood_between(stored, make_records, make_table):
    def names(state: LinkState) -> set[str]:
        table = make_table("link_states", time_s=[5.0, 5.5], state=state, n=7)
        return {path.stem for path in write_report(stored(make_records({"link_states": table})))}

    assert "link_states" in names(LinkState.DECK)
    assert "link_states" not in names(LinkState.LOS)


def test_table_tells_what_stood_between(stored, make_records, make_table):
    table = make_table("link_states", time_s=5.0, state=[0, 4, 6], n=[7499, 2500, 1])
    page = write_report(stored(make_records({"link_states": table})))[-1].read_text("utf-8")
    row = "line of sight 75.0 %, behind a deck 25.0 %, blocked by rock &lt; 0.1 %"
    assert f"<th>Links</th><td>{row}</td>" in page


def test_table_tells_of_neighbours_and_positions_where_there_are_some(
    stored, make_records, make_table
):
    neighbours = make_table(
        "awareness", time_s=5.0, bin_upper_m=20, n_pairs=100, n_direct=80, n_with_relay=80,
        n_other_level=20, n_other_level_known=20,
    )  # fmt: skip
    skies = make_table(
        "positions", time_s=5.0, sky=3, n=4, sum_horizontal_m2=400.0, sum_vertical_m2=36.0
    )
    errors = make_table("position_errors", sky=3, axis=[0, 1], value_m=[10.0, 3.0], n=4)
    tables = {"awareness": neighbours, "positions": skies, "position_errors": errors}
    page = write_report(stored(make_records(tables)))[-1].read_text("utf-8")
    assert "<th>Neighbours known within 300 m</th><td>0.8</td>" in page
    assert "<th>Of these, on another level</th><td>0.25</td>" in page
    assert "sky: tunnel (rms)</th><td>10 m in plan, 3 m in height</td>" in page
    empty = write_report(stored(make_records({})))[-1].read_text("utf-8")
    assert "Neighbours" not in empty
    assert "Position error" not in empty


def test_same_run_gives_same_bytes(stored, written, plausible_records, ridge):
    again = write_report(stored(plausible_records), road_map=ridge)
    for a, b in zip(written, again, strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_a_run_without_data_has_a_page_with_dashes(stored, make_records):
    page = write_report(stored(make_records({})))[-1].read_text(encoding="utf-8")
    assert "<th>PRR, 0 to 20 m</th><td>–</td>" in page
    assert "<th>Smallest time to collision</th><td>–</td>" in page


def test_without_a_map_there_is_no_map_figure_and_a_report_can_be_drawn_again(stored, make_records):
    folder = stored(make_records({}))
    first = write_report(folder)
    assert len(first) == 2 * len(NAMES) + 1
    assert write_report(folder) == first


def test_not_a_run_folder(tmp_path):
    with pytest.raises(V2XError, match="not a run folder"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []
