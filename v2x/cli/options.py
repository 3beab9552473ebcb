"""Options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

from v2x.errors import V2XError

Command = TypeVar("Command", bound=Callable[..., Any])


class FiniteRange(click.FloatRange):
    """A number within a range; "nan", which lies within every range of click, is none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number, or fail with the name of the option."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


def examples(*lines: str) -> str:
    """Return the epilog of a command's help."""
    # The backspace tells click to keep the lines as they are.
    return "\b\n" + "\n".join(
        ["Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)]
    )


def _split(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, str]]:
    pairs = []
    for value in values:
        key, equals, text = value.partition("=")
        if not equals:
            raise V2XError(
                "has no value", file="--set", key=value, remedy=f"write --set {value}=VALUE"
            )
        pairs.append((key.strip(), text))
    return pairs


def set_option(command: Command) -> Command:
    """Add ``--set KEY=VALUE``, which reaches the command as `overrides`."""
    return click.option(
        "--set",
        "overrides",
        metavar="KEY=VALUE",
        multiple=True,
        callback=_split,
        help="Change one key of the scenario, such as access.type=random; may be repeated.",
    )(command)
