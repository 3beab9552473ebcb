"""``v2x show``, ``validate``, ``schema`` and ``list``: what scenarios say and may say."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from v2x.cli.options import examples, set_option
from v2x.errors import V2XError

if TYPE_CHECKING:
    from v2x.scenario.describe import ParameterDoc


@click.command(epilog=examples("v2x show highway_3gpp --set access.type=random"))
@click.argument("scenario")
@set_option
def show(scenario: str, overrides: Sequence[tuple[str, str]]) -> None:
    """Print SCENARIO with every default filled in.

    SCENARIO is a file or the name of a bundled scenario.
    """
    from v2x.scenario.schema import dump_scenario, load_scenario

    click.echo(dump_scenario(load_scenario(scenario, overrides)), nl=False)


@click.command(epilog=examples("v2x validate scenarios/*.yaml"))
@click.argument("scenarios", metavar="SCENARIO...", nargs=-1, required=True)
@set_option
@click.pass_context
def validate(
    context: click.Context, scenarios: Sequence[str], overrides: Sequence[tuple[str, str]]
) -> None:
    """Check scenarios and name every mistake."""
    from v2x.scenario.schema import load_scenario

    valid = True
    for scenario in scenarios:
        try:
            load_scenario(scenario, overrides)
        except V2XError as error:
            valid = False
            click.echo(str(error), err=True)
        else:
            click.echo(f"{scenario}: valid")
    if not valid:
        context.exit(2)


@click.command(epilog=examples("v2x schema > v2x-scenario.schema.json"))
def schema() -> None:
    """Print the JSON Schema of scenario files."""
    from v2x.scenario.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@click.command("list", epilog=examples("v2x list", "v2x list --json"))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def list_(as_json: bool) -> None:
    """List bundled scenarios and what they can choose from.

    Plug-ins of other installed distributions are among them. With --json each parameter comes
    with type, unit, default and source, those of sections without a choice included.
    """
    from dataclasses import asdict

    from v2x.scenario.library import builtin_scenarios
    from v2x.scenario.strategies import list_sections, list_strategies

    strategies = list_strategies()
    if as_json:
        content = {
            "scenarios": list(builtin_scenarios()),
            "strategies": [json_ready(asdict(strategy)) for strategy in strategies],
            "sections": [json_ready(asdict(section)) for section in list_sections()],
        }
        click.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))
        return
    click.secho("scenarios", bold=True)
    for name in builtin_scenarios():
        click.echo(f"  {name}")
    for strategy in strategies:
        click.echo()
        chosen = f"{strategy.selector}: {strategy.name}" if strategy.selector else strategy.name
        click.secho(f"{strategy.section}: {{{chosen}}}", bold=True)
        mark = " (default)" if strategy.is_default else ""
        click.echo(f"  {strategy.summary}{mark}")
        for parameter in strategy.parameters:
            click.echo(_parameter_line(parameter))


def json_ready(value: Any) -> Any:
    """Return `value` in JSON's own types; what JSON lacks becomes its text in YAML."""
    from v2x.scenario.dump import yaml_text

    if isinstance(value, dict):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_ready(item) for item in value]
    plain = value is None or isinstance(value, (str, bool, int))
    return (
        value if plain or (isinstance(value, float) and math.isfinite(value)) else yaml_text(value)
    )


def _parameter_line(parameter: ParameterDoc) -> str:
    from v2x.scenario.dump import yaml_text

    default = "(required)" if parameter.required else yaml_text(parameter.default)
    head = f"    {parameter.name}: {default}"
    return f"{head:<44}  {parameter.doc.brief}"
