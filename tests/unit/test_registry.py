"""Strategies found by name through entry points."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from v2x import registry
from v2x.errors import V2XError

BUILT_IN = {
    "v2x.access": {"ieee80211p", "lte-mode4", "nr-mode2", "random", "scheduled"},
    "v2x.congestion": {
        "none",
        "ts103574",
        "j2945",
        "gbt45315",
        "gbt45315-density",
        "etsi-dcc-reactive",
        "etsi-dcc-adaptive",
    },
    "v2x.channel": {"tr37885-highway", "tr37885-urban", "winner-b1"},
    "v2x.mobility": {"routed", "constant-speed", "trace"},
    "v2x.applications": {"awareness", "cam", "vam"},
    "v2x.warnings": {
        "fcw",
        "icw",
        "lta",
        "vrucw",
        "rlvw",
        "glosa",
        "ebw",
        "avw",
        "clw",
        "evw",
        "bsw",
        "lcw",
        "dnpw",
        "hlw",
        "slw",
        "ivs",
        "tjw",
    },
    "v2x.services": {
        "tracking",
        "guidance",
        "parking",
        "payment",
        "signal-priority",
        "remote-driving",
        "cooperative-perception",
        "event-relay",
        "denm",
        "probe-data",
        "roadside",
        "platooning",
        "intersection-passing",
        "merging",
        "lane-change",
    },
    "v2x.attacks": {
        "const-pos",
        "const-pos-offset",
        "random-pos",
        "random-pos-offset",
        "const-speed",
        "const-speed-offset",
        "random-speed",
        "random-speed-offset",
        "eventual-stop",
        "disruptive",
        "data-replay",
        "stale-messages",
        "dos",
        "dos-random",
        "dos-disruptive",
        "grid-sybil",
        "data-replay-sybil",
        "dos-random-sybil",
        "dos-disruptive-sybil",
    },
}


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another distribution has registered two plug-ins, one of them broken."""
    found = {
        "tidy": EntryPoint("tidy", "fractions:Fraction", "v2x.access"),
        "broken": EntryPoint("broken", "no_such_module:Thing", "v2x.access"),
        "hollow": EntryPoint("hollow", "fractions:NoSuchClass", "v2x.access"),
    }
    monkeypatch.setattr(registry, "_entries", lambda group: found if group == "v2x.access" else {})
    return


def test_groups_hold_the_built_in_strategies() -> None:
    assert set(registry.GROUPS) == set(BUILT_IN)
    for group, expected in BUILT_IN.items():
        assert expected <= set(registry.names(group))
        assert registry.names(group) == sorted(registry.names(group))


@pytest.mark.parametrize("group", sorted(BUILT_IN))
def test_every_strategy_loads_with_its_parameters(group: str) -> None:
    for name in registry.names(group):
        strategy = registry.load(group, name)
        assert isinstance(strategy, type)
        params = strategy.Params.__dataclass_params__
        assert params.frozen


def test_a_typo_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(V2XError) as error:
        registry.load("v2x.access", "lte-mode-4", file="s.yaml", key="access.type")
    assert str(error.value) == (
        "s.yaml: access.type: unknown access 'lte-mode-4'; did you mean 'lte-mode4'?"
    )


def test_a_wild_guess_is_answered_with_all_names() -> None:
    with pytest.raises(V2XError, match=r"unknown access 'zzzz'; known: .*lte-mode4, .*random"):
        registry.load("v2x.access", "zzzz")


@pytest.mark.usefixtures("strangers")
def test_strangers_come_through_the_same_door() -> None:
    from fractions import Fraction

    assert registry.names("v2x.access") == ["broken", "hollow", "tidy"]
    assert registry.load("v2x.access", "tidy") is Fraction


@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize(
    ("name", "reason"), [("broken", "no_such_module"), ("hollow", "NoSuchClass")]
)
def test_a_broken_plug_in_is_the_users_to_mend(name: str, reason: str) -> None:
    with pytest.raises(V2XError, match=rf"plug-in '{name}' .*{reason}.*; install") as error:
        registry.load("v2x.access", name, key="access.type")
    assert error.value.key == "access.type"
