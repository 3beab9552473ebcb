"""Loading scenarios: what is accepted, and how each mistake is named."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from v2x.errors import V2XError
from v2x.scenario.binding import init_fields
from v2x.scenario.model import SCALARS, SECTIONS
from v2x.scenario.schema import ScenarioError, dump_scenario, load_scenario
from v2x.scenario.strategies import choice_names, choice_params

Write = Callable[[str], Path]


def messages(path: Path, overrides: Sequence[tuple[str, str]] = ()) -> list[str]:
    """Return the lines that refuse a scenario, without its folder."""
    with pytest.raises(V2XError) as caught:
        load_scenario(path, overrides)
    return [line.replace(f"{path.parent}/", "") for line in str(caught.value).splitlines()]


def test_defaults_fill_what_the_file_leaves_out(write: Write) -> None:
    scenario = load_scenario(write("world: {synthetic: highway}\n"))
    assert scenario.name == "example"
    assert (scenario.duration_s, scenario.seed, scenario.replications) == (30.0, 1, 1)
    assert scenario.access.type == "lte-mode4"
    assert scenario.access.params.keep_probability == 0.8
    assert scenario.pathloss.type == "tr37885-highway"
    assert scenario.radio.tx_power_dbm == 23.0
    assert scenario.source is not None
    assert scenario.source.name == "example.yaml"


def test_the_file_decides(write: Write, example: str) -> None:
    scenario = load_scenario(write(example))
    assert scenario.duration_s == 20.0
    assert isinstance(scenario.duration_s, float)
    assert scenario.synthetic is not None
    assert scenario.synthetic.params.length_m == 3000.0
    assert scenario.traffic.params.density_per_km == 40.0
    assert scenario.pathloss.params.effective_antenna_height_m == 0.5
    assert scenario.access.params.keep_probability == 0.4


def test_an_empty_section_means_its_defaults(write: Write) -> None:
    scenario = load_scenario(write("world: {synthetic: highway}\naccess:\nradio:\n"))
    assert scenario.access.type == "lte-mode4"


def test_every_mistake_is_named_at_once_with_its_line(write: Write, example: str) -> None:
    text = (
        example.replace("density_per_km: 40", "densty_per_km: 40")
        .replace("duration_s: 20", "duration_s: ten")
        .replace("length_m: 3000", "wrap: yes")
        .replace("keep_probability: 0.4", "keep_probability: 0.9")
        .replace("channel:", "chanel: {}\nchannel:")
    )
    assert messages(write(text)) == [
        "example.yaml:10: chanel: unknown key; did you mean 'channel'?",
        'example.yaml:3: duration_s: must be a number, got "ten"',
        'example.yaml:6: world.wrap: must be true or false, got "yes"; write true',
        "example.yaml:9: traffic.densty_per_km: unknown key; did you mean 'density_per_km'?",
        "example.yaml:16: access.keep_probability: must be within 0 and 0.8, got 0.9",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("duration_s: '10'", 'duration_s: must be a number, got "10"'),
        ("duration_s: .nan", "duration_s: must be a finite number, got NaN"),
        ("duration_s: .inf", "duration_s: must be a finite number, got Infinity"),
        ("duration_s: 1e999", "duration_s: must be a finite number, got Infinity"),
        ("duration_s: true", "duration_s: must be a number, got true"),
        ("duration_s: 0", "duration_s: must be > 0, got 0.0"),
        ("duration_s: null", "duration_s: must be a number, got null"),
        ("warmup_s: 30", "warmup_s: must be at least 0 and less than duration_s (30.0), got 30.0"),
        ("warmup_s: -1", "warmup_s: must be at least 0"),
        ("seed: 1.0", "seed: must be a whole number, got 1.0"),
        ("seed: -1", "seed: must be within 0 and 2^63 - 1, got -1"),
        (f"seed: {2**63}", "seed: must be within 0 and 2^63 - 1"),
        ("seed: true", "seed: must be a whole number, got true"),
        ("replications: 0", "replications: must be at least 1, got 0"),
        ("name: 7", "name: must be text, got 7"),
        ("name: ../x", "name: must be letters, digits, '_', '-' and '.', got '../x'"),
        (
            "phy: {in_band_emission: 1}",
            "phy.in_band_emission: must be true or false, got 1; write true",
        ),
        ("phy: {in_band_emission: 2}", "phy.in_band_emission: must be true or false, got 2"),
        ("phy: {mcs: 7.5}", "phy.mcs: must be a whole number, got 7.5"),
        ("phy: {mcs: 99}", "phy.mcs: must be within 0 and 28"),
        ("phy: []", "phy: must be a section with keys such as mcs, "),
        ("access: random", "access: must be a section with keys such as type"),
        ("access: {type: rendom}", "access.type: unknown access 'rendom'; did you mean 'random'?"),
        ("access: {type: 4}", "access.type: must be one of lte-mode4, random, got 4"),
        ("channel: {pathloss: winer-b1}", "channel.pathloss: unknown channel 'winer-b1'; did you"),
        ("traffic: {mix: {truk: 1}}", "traffic.mix.truk: unknown key; did you mean 'truck'?"),
        ("traffic: {mix: {truck: x}}", 'traffic.mix.truck: must be a number, got "x"'),
        ("traffic: {mix: 3}", "traffic.mix: must be a section, got 3"),
        ("traffic: {spacing: unifrom}", "traffic.spacing: must be 'random' or 'uniform', got"),
        (
            "traffic: {engines: {car: {mass_kg: .inf}}}",
            "traffic.engines.car.mass_kg: must be a f",
        ),
        (
            "traffic: {engines: {truck: {power_w: .inf}}}",
            "traffic.engines.truck.power_w: must be a",
        ),
        ("messages: {size_bytes: [1, x]}", "messages.size_bytes: must be a whole number or a list"),
        ("channel: {line_of_sight: no}", "channel.line_of_sight: must be 'geometric', "),
    ],
)
def test_each_kind_of_mistake(write: Write, line: str, words: str) -> None:
    found = messages(write(f"world: {{synthetic: highway}}\n{line}\n"))
    assert len(found) == 1
    assert found[0].startswith(f"example.yaml:2: {words}")


@pytest.mark.parametrize(
    ("world", "words"),
    [
        ("{}", "1: world: must name either a map or a synthetic one"),
        ("{synthetic: highway, map: absent.osm}", "1: world.map: there is no file"),
        ("{synthetic: higway}", "1: world.synthetic: unknown synthetic map 'higway'; did you mean"),
        ("{synthetic: highway, arm_m: 5}", "1: world.arm_m: unknown key; it is a key of synthetic"),
        ("{synthetic: highway, length_m: 0}", "1: world.length_m: must be"),
        ("{synthetic: highway, elevation: x.hgt}", "1: world.elevation: there is no file"),
    ],
)
def test_mistakes_in_the_world(write: Write, world: str, words: str) -> None:
    assert messages(write(f"world: {world}\n"))[0].startswith(f"example.yaml:{words}")


def test_a_scenario_without_a_world_says_so(write: Write) -> None:
    assert messages(write("name: x\n")) == [
        "example.yaml: world: must name either a map or a synthetic one"
    ]


def test_a_word_that_is_not_quite_one_of_the_choices_is_answered(write: Write) -> None:
    path = write("world: {synthetic: highway}\ntraffic: {spacing: unifrom}\n")
    assert messages(path)[0].endswith("got \"unifrom\"; did you mean 'uniform'?")


def test_a_nested_section_keeps_the_defaults_of_its_place(write: Write) -> None:
    path = write("world: {synthetic: highway}\ntraffic: {engines: {truck: {mass_kg: 9}}}\n")
    params = load_scenario(path, [("traffic.engines.car.mass_kg", "7")]).traffic.params
    assert (params.engines.truck.power_w, params.engines.truck.mass_kg) == (260e3, 9.0)
    assert (params.engines.car.power_w, params.engines.car.mass_kg) == (math.inf, 7.0)
    assert params.spacing == "random"


def test_no_limit_may_be_written_where_it_is_the_default(write: Write) -> None:
    path = write("world: {synthetic: highway}\ntraffic: {engines: {car: {power_w: .inf}}}\n")
    assert load_scenario(path).traffic.params.engines.car.power_w == math.inf


def test_files_are_found_beside_the_scenario(write: Write, tmp_path: Path) -> None:
    (tmp_path / "town.osm").write_text("<osm/>")
    scenario = load_scenario(write("world: {map: town.osm}\n"))
    assert scenario.world.map == str((tmp_path / "town.osm").resolve())


def test_files_of_the_command_line_are_found_in_the_working_folder(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "town.osm").write_text("<osm/>")
    monkeypatch.chdir(elsewhere)
    path = write("world: {synthetic: highway}\n")
    scenario = load_scenario(path, [("world.map", "town.osm")])
    assert scenario.world.map == str((elsewhere / "town.osm").resolve())
    assert scenario.synthetic is None


# --- changes from the command line ---------------------------------------------------------


def test_overrides_win_and_are_read_as_yaml(write: Write, example: str) -> None:
    changes = [
        ("seed", "7"),
        ("access.keep_probability", "0.2"),
        ("messages.size_bytes", "[300, 190]"),
        ("phy", "{mcs: 4}"),
        ("radio.tx_power_dbm", "20"),
        ("radio.tx_power_dbm", "21"),
        ("messages.rate_hz", "1e1"),
    ]
    scenario = load_scenario(write(example), changes)
    assert scenario.seed == 7
    assert scenario.access.params.keep_probability == 0.2
    assert scenario.messages.params.size_bytes == (300, 190)
    assert scenario.phy.mcs == 4
    assert scenario.radio.tx_power_dbm == 21.0
    assert scenario.messages.params.rate_hz == 10.0


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("traffic.densty_per_km", "3", "--set: traffic.densty_per_km: unknown key; did you mean"),
        ("sed", "3", "--set: sed: unknown key; did you mean 'seed'?"),
        ("seed", "three", '--set: seed: must be a whole number, got "three"'),
        ("seed.x", "3", "--set: seed.x: seed is not a section, it is 5"),
        ("access..type", "3", "--set: 'access..type' is not a key"),
        ("", "3", "--set: '' is not a key"),
        ("access.type", "[", "--set: access.type: not valid YAML"),
        ("access", "random", "--set: access: must be a section"),
        ("phy.mcs", "", "--set: phy.mcs: must be a whole number, got null"),
        ("access.keep_probability", "2", "--set: access.keep_probability: must be within 0 and"),
    ],
)
def test_mistakes_of_the_command_line(
    write: Write, example: str, key: str, text: str, words: str
) -> None:
    found = messages(write(f"seed: 5\n{example}"), [(key, text)])
    assert len(found) == 1
    assert found[0].startswith(words)


@pytest.mark.parametrize(
    ("key", "other"), [("n_vehicles", "density_per_km"), ("density_per_km", "n_vehicles")]
)
def test_number_and_density_replace_each_other(write: Write, key: str, other: str) -> None:
    path = write(f"world: {{synthetic: highway}}\ntraffic: {{{other}: 40}}\n")
    params = load_scenario(path, [(f"traffic.{key}", "50")]).traffic.params
    assert getattr(params, key) == 50
    assert getattr(params, other) is None
    both = [(f"traffic.{key}", "50"), (f"traffic.{other}", "50")]
    assert "together" in messages(path, both)[0]


def test_keys_of_a_replaced_strategy_are_dropped_with_a_warning(
    write: Write, example: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="v2x"):
        scenario = load_scenario(write(example), [("access.type", "random")])
    assert scenario.access.type == "random"
    (record,) = caplog.records
    assert record.getMessage().endswith(
        "example.yaml:15: access.keep_probability: ignored, only 'lte-mode4' has it"
    )


def test_keys_that_both_strategies_have_stay(write: Write) -> None:
    path = write("world: {synthetic: highway}\naccess: {n_subchannels: 2, t2_ms: 20}\n")
    assert load_scenario(path, [("access.type", "random")]).access.params.n_subchannels == 2


def test_a_replaced_path_loss_takes_its_own_keys_along(write: Write, example: str) -> None:
    scenario = load_scenario(write(example), [("channel.pathloss", "tr37885-highway")])
    assert scenario.pathloss.type == "tr37885-highway"
    assert scenario.channel.interaction_range_m == 1000.0


def test_a_typo_in_the_file_stays_a_mistake_when_the_strategy_changes(
    write: Write, example: str
) -> None:
    path = write(example.replace("keep_probability", "keep_probabilty"))
    assert messages(path, [("access.type", "random")])[0].startswith(
        "example.yaml:15: access.keep_probabilty: unknown key"
    )


def test_a_key_of_another_strategy_on_the_command_line_is_a_mistake(
    write: Write, example: str
) -> None:
    changes = [("access.type", "random"), ("access.keep_probability", "0.5")]
    assert messages(write(example), changes) == [
        "--set: access.keep_probability: unknown key; it is a key of type 'lte-mode4'"
    ]


def test_a_key_of_another_strategy_in_the_file_is_a_mistake(write: Write) -> None:
    path = write("world: {synthetic: highway}\naccess: {type: random, t2_ms: 20}\n")
    assert messages(path) == [
        "example.yaml:2: access.t2_ms: unknown key; it is a key of type 'lte-mode4'"
    ]


def test_a_surface_needs_no_file(write: Write) -> None:
    """The same word as ``v2x map import --elevation`` takes; it goes through a resolved file."""
    path = write("world: {map: huangjuewan, elevation: chongqing}\n")
    scenario = load_scenario(path)
    assert scenario.world.elevation == "chongqing"
    resolved = write(dump_scenario(scenario))
    assert load_scenario(resolved).world.elevation == "chongqing"


def test_a_synthetic_map_replaces_the_map_of_the_file(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("town.osm", "town.hgt"):
        (tmp_path / name).write_text("")
    path = write("world: {map: town.osm, elevation: town.hgt, flat: true}\n")
    scenario = load_scenario(path, [("world.synthetic", "junction")])
    assert (scenario.world.map, scenario.world.elevation) == (None, None)
    assert scenario.world.flat
    assert scenario.synthetic is not None
    assert scenario.synthetic.type == "junction"
    assert not caplog.records


# --- properties ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", {}),
        ("warnings: {}", {}),
        ("warnings: [plain, near]", {"near": 10.0, "plain": None}),
        ("warnings: {near: }", {"near": 10.0}),
        ("warnings: {near: {near_m: 7.5}, plain: false}", {"near": 7.5}),
    ],
)
def test_plug_ins_are_chosen_by_name(
    write: Write, toys: object, written: str, expected: dict[str, float | None]
) -> None:
    scenario = load_scenario(write(f"world: {{synthetic: highway}}\n{written}\n"))
    chosen = {item.type: getattr(item.params, "near_m", None) for item in scenario.warnings}
    assert chosen == expected
    again = load_scenario(write(dump_scenario(scenario)))
    assert again.warnings == scenario.warnings


@pytest.mark.parametrize(
    ("written", "key", "remedy"),
    [
        ("{nearr: }", "warnings.nearr", "did you mean 'near'?"),
        ("{near: {near_n: 1}}", "warnings.near.near_n", "did you mean 'near_m'?"),
        ("{near: {near_m: far}}", "warnings.near.near_m", "must be a number"),
        ("{near: 3}", "warnings.near", "must be a section"),
        ("near", "warnings", "must hold any of near, plain"),
    ],
)
def test_mistakes_in_plug_ins_are_named(
    write: Write, toys: object, written: str, key: str, remedy: str
) -> None:
    found = messages(write(f"world: {{synthetic: highway}}\nwarnings: {written}\n"))
    assert len(found) == 1
    assert f"{key}: " in found[0]
    assert remedy in found[0]


def all_keys() -> list[tuple[str, str | None, str]]:
    """Return (section, choice, key) for every key that a scenario may hold."""
    keys: list[tuple[str, str | None, str]] = []
    for section in SECTIONS:
        names = choice_names(section.choice) if section.choice else [None]
        for name in names:
            fields = list(init_fields(section.params)) if section.params else []
            if section.choice and name:
                fields += init_fields(choice_params(section.choice, name))
            keys += [(section.name, name, key) for key in fields]
    return keys


def typos(key: str) -> list[str]:
    """Return `key` with one letter lost, doubled, changed, or swapped with the next."""
    chance = random.Random(key)
    at = [chance.randrange(len(key) - 1) for _ in range(4)]
    return [
        key[: at[0]] + key[at[0] + 1 :],
        key[: at[1]] + key[at[1]] + key[at[1] :],
        key[: at[2]] + "x" + key[at[2] + 1 :],
        key[: at[3]] + key[at[3] + 1] + key[at[3]] + key[at[3] + 2 :],
    ]


def one_letter_off(key: str) -> set[str]:
    """Return `key` with one letter lost, or changed to one that typos change to."""
    lost = {key[:i] + key[i + 1 :] for i in range(len(key))}
    return lost | {key[:i] + "x" + key[i + 1 :] for i in range(len(key))}


def test_every_key_with_a_wrong_letter_is_answered_with_the_right_one(write: Write) -> None:
    n_tried = 0
    for section in SECTIONS:
        for name, key in [(n, k) for s, n, k in all_keys() if s == section.name]:
            known = {k for s, n, k in all_keys() if (s, n) == (section.name, name)}
            selector = section.choice.selector if section.choice else ""
            for wrong in {*typos(key)} - known - {selector}:
                if any(wrong in one_letter_off(other) for other in known - {key}):
                    continue  # as near to another key, such as t1_ms and t2_ms
                head = f"{selector}: {name}, " if name else ""
                world = "" if section.name == "world" else "world: {synthetic: highway}\n"
                found = messages(write(f"{world}{section.name}: {{{head}{wrong}: 1}}\n"))
                assert f"{section.name}.{wrong}: unknown key; did you mean {key!r}?" in found[0]
                n_tried += 1
    assert n_tried > 150


@pytest.mark.parametrize("name", [*SCALARS, *(section.name for section in SECTIONS)])
def test_every_top_level_key_with_a_wrong_letter_is_answered(write: Write, name: str) -> None:
    for wrong in {*typos(name)} - {name}:
        found = messages(write(f"world: {{synthetic: highway}}\n{wrong}: 1\n"))
        assert f"example.yaml:2: {wrong}: unknown key; did you mean {name!r}?" in found


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["highway", "junction", "random", "lte-mode4", "winner-b1", "routed"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "pathloss", "synthetic", "map", "mcs", "mix", "truck", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
documents = st.dictionaries(
    st.sampled_from([*SCALARS, *(section.name for section in SECTIONS), "other"]), values
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=documents)
def test_any_values_load_or_are_refused_in_words(write: Write, document: dict[str, object]) -> None:
    path = write(to_yaml(document))
    try:
        text = dump_scenario(load_scenario(path))
    except V2XError as error:
        text = str(error)
    assert text


def to_yaml(value: object) -> str:
    """Return `value` as YAML in flow style."""
    import io

    from ruamel.yaml import YAML

    stream = io.StringIO()
    YAML(typ="safe", pure=True).dump(value, stream)
    return stream.getvalue()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(max_size=20), text=st.text(max_size=20))
def test_any_override_loads_or_is_refused_in_words(
    write: Write, example: str, key: str, text: str
) -> None:
    problems: Sequence[V2XError] = ()
    try:
        load_scenario(write(example), [(key, text)])
    except ScenarioError as error:
        problems = error.problems
    assert all(problem.file and str(problem).isprintable() for problem in problems)
