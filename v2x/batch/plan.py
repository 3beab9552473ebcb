"""Plan files: which runs a batch holds, and what it compares.

A plan is a YAML file beside the scenario that it varies; see ``docs/batches.md``.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from v2x.batch.factors import Settings, bind_factors, bind_section
from v2x.errors import V2XError, nearest
from v2x.scenario.assemble import replication_seed
from v2x.scenario.binding import Problems, ScenarioError, bind, init_fields, refuse_unknown
from v2x.scenario.dump import dump_scenario, yaml_text
from v2x.scenario.model import PluginChoice, Scenario
from v2x.scenario.schema import OVERRIDE, load_scenario
from v2x.scenario.yaml_file import Document, parse_document, read_document

_KEY_DIGITS = 16
#: Keys of a scenario that decide no result, or are those of a replication.
_NO_CONTENT = frozenset({"name", "description", "seed", "replications"})
_SECTIONS_APART = ("factors", "pairs", "until")
_NOT_VARIED = {
    "seed": "set it under 'set'; 'replications' draws further seeds from it",
    "replications": "write 'replications: N' at the top of the plan",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two values of a factor whose runs are compared, all else being equal.

    Parameters
    ----------
    factor
        Key that differs.
    reference, value
        Its values; differences are those of `value` less those of `reference`.
    """

    factor: str
    reference: Any
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """When a variant has enough replications.

    Parameters
    ----------
    metric
        Name of the metric, such as ``prr`` or ``latency_ms.p95``.
    half_width
        Replications are added until half the 95 % interval of the metric is no wider.
    max_replications
        No variant gets more than these.
    bin
        Upper end of the bin of the metric, such as 300 for the PRR to 300 m; null for metrics
        without bins.
    """

    metric: str
    half_width: float
    max_replications: int
    bin: float | None = None

    def __post_init__(self) -> None:
        """Reject rules that never end."""
        if not self.half_width > 0:
            raise ValueError(f"half_width must be > 0, got {self.half_width}")
        if self.max_replications < 2:
            raise ValueError(f"max_replications must be at least 2, got {self.max_replications}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHead:
    """The keys of a plan that stand alone.

    Parameters
    ----------
    scenario
        Base of all runs: a file relative to the plan, or the name of a bundled scenario.
    name
        Name of the batch and of its folder; the name of the file if it is not given.
    description
        The question the batch answers.
    set
        Keys of the scenario that all runs have changed.
    replications
        Runs of each variant; they differ in their seed alone.
    """

    scenario: str
    name: str = ""
    description: str = ""
    set: dict[str, Any] = field(default_factory=dict)
    replications: int = 1

    def __post_init__(self) -> None:
        """Reject batches without runs."""
        if self.replications < 1:
            raise ValueError(f"replications must be at least 1, got {self.replications}")
        if "/" in self.name or self.name in (".", ".."):
            raise ValueError(f"name must be that of a folder, got {self.name!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A combination of the factors of a plan.

    Attributes
    ----------
    settings
        Keys that the factors set, and their values.
    scenario
        The base scenario with these; its seed is that of the first replication.
    digest
        That of the scenario; see :func:`scenario_digest`.
    """

    settings: Settings
    scenario: Scenario
    digest: str

    def run(self, replication: int) -> Run:
        """Return a replication; that many more never change those before it.

        It is the one that ``v2x run`` simulates as this replication, byte for byte: seeds follow
        from the seed of the scenario, so that variants share their random numbers.
        """
        seed = replication_seed(self.scenario.seed, replication)
        return Run(
            key=hashlib.sha256(f"{self.digest} {seed}".encode()).hexdigest()[:_KEY_DIGITS],
            settings=self.settings,
            replication=replication,
            scenario=replace(self.scenario, seed=seed, replications=1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a batch.

    Attributes
    ----------
    key
        Digest of everything that decides its results: its scenario and its seed.
    settings
        Those of its variant.
    replication
        Which one of its variant, from 0.
    scenario
        What it simulates.
    """

    key: str
    settings: Settings
    replication: int
    scenario: Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A batch, described completely.

    Attributes
    ----------
    name, description
        What the batch is called, and the question it answers.
    replications
        Runs of each variant, at least.
    variants
        Every combination of the factors.
    pairs
        What is compared.
    until
        Rule by which variants get further replications, if there is one.
    source
        The file.
    """

    name: str
    description: str
    replications: int
    variants: tuple[Variant, ...]
    pairs: tuple[Pair, ...]
    until: Until | None
    source: Path

    @property
    def factors(self) -> tuple[str, ...]:
        """The keys that differ between variants, in the order of the plan."""
        return tuple(dict.fromkeys(key for one in self.variants for key in one.settings))


def load_plan(path: Path) -> Plan:
    """Return the plan in a YAML file.

    Raises
    ------
    V2XError
        With every mistake of the plan, and of the scenarios that it leads to: file, key, remedy.
    """
    document = read_document(path)
    problems = Problems(document)
    head_keys = list(init_fields(PlanHead))
    refuse_unknown(document.data, [*head_keys, *_SECTIONS_APART], (), problems)
    given = {key: document.data[key] for key in head_keys if key in document.data}
    head = bind(PlanHead, given, (), problems)
    settings = bind_factors(document.data.get("factors"), ("factors",), problems)
    _refuse_fixed(document, settings, problems)
    until = None
    if document.data.get("until") is not None:
        until = bind_section(Until, document.data["until"], ("until",), problems)
    pairs = _bind_pairs(document.data.get("pairs"), settings, problems)
    problems.raise_if_any()
    assert head is not None
    with _each_warning_once():
        variants = tuple(_variant(head, one, document, path) for one in settings)
    return Plan(
        name=head.name or path.stem,
        description=head.description,
        replications=head.replications,
        variants=variants,
        pairs=pairs,
        until=until,
        source=path,
    )


def _refuse_fixed(document: Document, settings: list[Settings], problems: Problems) -> None:
    """Note the keys that a plan must not vary, because replications do."""
    varied = dict.fromkeys(key for one in settings for key in one)
    for key, remedy in _NOT_VARIED.items():
        if key in varied:
            problems.add(_where(document, key), "cannot be a factor", remedy)
    fixed = document.data.get("set")
    if isinstance(fixed, dict) and "replications" in fixed:
        problems.add(("set", "replications"), "cannot be set", _NOT_VARIED["replications"])


def _bind_pairs(values: Any, settings: list[Settings], problems: Problems) -> tuple[Pair, ...]:
    if values is None:
        return ()
    if not isinstance(values, list):
        problems.add(("pairs",), "must be a list", "write '- {factor: …, reference: …, value: …}'")
        return ()
    pairs = []
    for i, written in enumerate(values):
        path = ("pairs", str(i))
        pair = bind_section(Pair, written, path, problems)
        if pair is None:
            continue
        used = [one[pair.factor] for one in settings if pair.factor in one]
        if not used:
            known = sorted({key for one in settings for key in one})
            close = nearest(pair.factor, known)
            remedy = f"did you mean {close!r}?" if close else f"factors: {', '.join(known)}"
            problems.add((*path, "factor"), f"{pair.factor!r} is no factor of the plan", remedy)
            continue
        for name in ("reference", "value"):
            if getattr(pair, name) not in used:
                shown = ", ".join(dict.fromkeys(yaml_text(value) for value in used))
                problems.add(
                    (*path, name),
                    f"{pair.factor} is never {yaml_text(getattr(pair, name))}",
                    f"it takes {shown}",
                )
        pairs.append(pair)
    return tuple(pairs)


def _variant(head: PlanHead, settings: Settings, document: Document, path: Path) -> Variant:
    beside = path.parent / head.scenario
    base = beside if beside.is_file() else head.scenario
    changes = [(key, yaml_text(value)) for key, value in (head.set | settings).items()]
    try:
        scenario = load_scenario(base, changes, folder=path.parent.absolute())
    except ScenarioError as error:
        told = [_in_plan(problem, settings, document) for problem in error.problems]
        raise ScenarioError(told) from error
    except V2XError as error:
        if error.file is not None and Path(error.file).is_file():
            raise  # the scenario itself cannot be read
        place = document.place(("scenario",))
        raise V2XError(error.message, file=place, key="scenario", remedy=error.remedy) from error
    return Variant(settings=settings, scenario=scenario, digest=scenario_digest(scenario))


def _in_plan(problem: V2XError, settings: Settings, document: Document) -> V2XError:
    """Return a mistake of a scenario with its place in the plan, if it comes from there."""
    if problem.file != OVERRIDE or problem.key is None:
        return problem
    known = [*settings, *document.data.get("set", {})]
    # A mistake inside a value (a.b.c of a.b), or in the first words of a key, is that of the key.
    wrong = f"{problem.key}."
    owners = (k for k in known if wrong.startswith(f"{k}.") or f"{k}.".startswith(wrong))
    owner = next(owners, problem.key)
    path = _where(document, owner)
    value = f" (here {yaml_text(settings[owner])})" if owner in settings else ""
    return V2XError(
        f"{problem.message}{value}",
        file=document.place(path),
        key=".".join((*path[:-1], problem.key)),
        remedy=problem.remedy,
    )


def _where(document: Document, key: str) -> tuple[str, ...]:
    """Return where a plan writes a key of the scenario."""
    for path in document.places:
        if path and path[-1] == key and path[0] in ("factors", "set"):
            return path
    return ("factors", key)


@contextmanager
def _each_warning_once() -> Iterator[None]:
    """Show a warning that all variants have in common once."""
    seen: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        new = text not in seen
        seen.add(text)
        return new

    log = logging.getLogger(load_scenario.__module__)
    log.addFilter(is_new)
    try:
        yield
    finally:
        log.removeFilter(is_new)


def scenario_digest(scenario: Scenario) -> str:
    """Return the SHA-256 of everything in a scenario that decides its results, but for its seed.

    Files count with their content, not their name: a batch may move, and a changed map makes
    other runs. Name and description do not count; neither does the version of this program,
    which the folder of a batch keeps.
    """
    files = {name: _file_digest(name) for name in _files(scenario)}

    def by_content(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: by_content(item) for key, item in value.items()}
        if isinstance(value, list):
            return [by_content(item) for item in value]
        return files.get(value, value) if isinstance(value, str) else value

    resolved = by_content(parse_document(dump_scenario(scenario), "").data)
    content = {key: value for key, value in resolved.items() if key not in _NO_CONTENT}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _files(params: Any) -> Iterator[str]:
    """Yield the names of the files that a scenario reads."""
    if isinstance(params, PluginChoice):
        yield from _files(params.params)
    elif isinstance(params, tuple):
        for item in params:
            yield from _files(item)
    elif is_dataclass(params) and not isinstance(params, type):
        for item in fields(params):
            value = getattr(params, item.name)
            if item.metadata.get("file") and isinstance(value, str) and Path(value).is_absolute():
                yield value
            else:
                yield from _files(value)


def _file_digest(name: str) -> str:
    with Path(name).open("rb") as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
