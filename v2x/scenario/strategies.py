"""The names a scenario may choose from, and the parameters behind each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass

from v2x import registry
from v2x.errors import V2XError, unknown_name
from v2x.scenario.describe import ParameterDoc, parameter_docs, summary
from v2x.scenario.model import SECTIONS, Choice, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyDoc:
    """A strategy as ``v2x list`` shows it.

    Attributes
    ----------
    section, selector, name
        ``section: {selector: name}`` chooses it, or ``section: {name: {...}}`` where there is no
        selector.
    group
        Entry point group in which others may add to it; "" if it is not open to plug-ins.
    summary
        What it is, in one line.
    is_default
        Whether it is chosen when the scenario does not say.
    parameters
        Its keys.
    """

    section: str
    selector: str
    name: str
    group: str
    summary: str
    is_default: bool
    parameters: list[ParameterDoc]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionDoc:
    """The keys of a section that are there whatever strategy it chooses.

    Attributes
    ----------
    section
        Its key at the top level.
    summary
        What it is, in one line.
    parameters
        Its keys.
    """

    section: str
    summary: str
    parameters: list[ParameterDoc]


def choice_names(choice: Choice) -> list[str]:
    """Return the names that `choice` knows, sorted."""
    return sorted({*choice.classes, *(registry.names(choice.group) if choice.group else ())})


def choice_params(choice: Choice, name: str, **place: str | None) -> type:
    """Return the parameter dataclass of the strategy `name`.

    Raises
    ------
    V2XError
        If there is no such strategy, or it cannot be loaded; at `place` (file, key).
    """
    if name in choice.classes:
        return choice.classes[name]
    if not choice.group:
        raise unknown_name(choice.kind, name, choice.classes, **place)
    return plugin_params(choice.group, name, **place)


def plugin_params(group: str, name: str, **place: str | None) -> type:
    """Return the parameter dataclass of a plug-in; V2XError as of :func:`choice_params`."""
    params = getattr(registry.load(group, name, **place), "Params", None)
    if not (isinstance(params, type) and is_dataclass(params)):
        raise V2XError(
            f"plug-in {name!r} of {group} has no dataclass 'Params'",
            **place,
            remedy="ask its author; CONTRIBUTING.md says what a plug-in needs",
        )
    return params


def list_strategies() -> list[StrategyDoc]:
    """Return every strategy a scenario can choose, section by section."""
    return [item for section in SECTIONS for item in _strategies_of(section)]


def _strategies_of(section: Section) -> Iterator[StrategyDoc]:
    if section.choice is not None:
        for name in choice_names(section.choice):
            yield _strategy_doc(section.name, section.choice, name)
    if section.plugins:
        every = Choice(selector="", target=section.name, default=None, group=section.plugins)
        for name in choice_names(every):
            yield _strategy_doc(section.name, every, name)


def list_sections() -> list[SectionDoc]:
    """Return the keys that every scenario may set, section by section."""
    return [
        SectionDoc(
            section=section.name,
            summary=summary(section.params),
            parameters=parameter_docs(section.params),
        )
        for section in SECTIONS
        if section.params is not None
    ]


def _strategy_doc(section: str, choice: Choice, name: str) -> StrategyDoc:
    group = "" if name in choice.classes else choice.group
    try:
        params = choice_params(choice, name)
        described = registry.load(group, name) if group else params
        line, parameters = summary(described), parameter_docs(params)
    except V2XError as error:  # a plug-in that is broken belongs in the list, with the reason
        line, parameters = str(error), []
    return StrategyDoc(
        section=section,
        selector=choice.selector,
        name=name,
        group=group,
        summary=line,
        is_default=name == choice.default,
        parameters=parameters,
    )
