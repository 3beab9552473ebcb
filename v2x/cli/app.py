"""The commands together, and how every mistake ends: one line and an exit status."""

from __future__ import annotations

import logging
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import click

from v2x.cli.batch import batch_group, compare
from v2x.cli.map_profile import profile
from v2x.cli.map_rsu import plan_rsu
from v2x.cli.map_side import side
from v2x.cli.maps import map_group
from v2x.cli.messages import message_group
from v2x.cli.options import examples
from v2x.cli.results import bench, report
from v2x.cli.run import run
from v2x.cli.scenarios import list_, schema, show, validate
from v2x.errors import V2XError

#: Exit statuses besides 0.
FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "v2x run                             the default scenario",
        "v2x run highway_3gpp --seed 2       a bundled scenario",
        "v2x run my.yaml --set access.keep_probability=0.4 --out results/keep-0.4",
        "v2x list                            everything a scenario can choose",
    ),
)
@click.version_option(package_name="v2x", message="v2x %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of errors.")
def v2x(debug: bool) -> None:
    """Simulate C-V2X communication and traffic on the roads of mountain cities."""


for _command in (profile, side, plan_rsu):
    map_group.add_command(_command)
for _command in (run, batch_group, compare, report, show, validate, list_):
    v2x.add_command(_command)
for _command in (map_group, message_group, schema, bench):
    v2x.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    arguments
        Words after ``v2x``; None for those of the process.

    Returns
    -------
    int
        0 success, 1 internal error, 2 bad input, 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = _wants_debug(words)
    with _log_to_stderr(), _remember_interrupt() as interrupted:
        try:
            status = v2x.main(words, prog_name="v2x", standalone_mode=False)
            return status if isinstance(status, int) else 0
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.ctx.get_help() if error.ctx else "", err=True)
            return BAD_INPUT
        except click.ClickException as error:
            _say(_usage_message(error))
            return BAD_INPUT
        except V2XError as error:
            _explain(str(error), debug=debug)
            return BAD_INPUT
        except (KeyboardInterrupt, click.Abort):
            _say("interrupted")
            return INTERRUPTED
        except Exception as error:
            if interrupted:
                # The interrupt hit inside a library that turned it into an error of its own.
                _say("interrupted")
                return INTERRUPTED
            kind = type(error).__name__
            first_line = str(error).partition("\n")[0]
            hint = "" if debug else "; run again as  v2x --debug …  and report the traceback"
            _explain(f"internal error: {kind}: {first_line}{hint}", debug=debug)
            return FAILED


def _wants_debug(words: Sequence[str]) -> bool:
    """Return whether ``--debug`` stands before the command."""
    for word in words:
        if not word.startswith("-"):
            return False
        if word == "--debug":
            return True
    return False


def _usage_message(error: click.ClickException) -> str:
    text = error.format_message().replace("\n", " ").rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return text
    return f"{context.command_path}: {text}; see  {context.command_path} --help"


def _explain(message: str, *, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    _say(message)


def _say(message: str) -> None:
    click.echo(message, err=True)


class _StderrHandler(logging.Handler):
    """Shows the package's warnings, one line each."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(f"{record.levelname.lower()}: {self.format(record)}", err=True)


@contextmanager
def _log_to_stderr() -> Iterator[None]:
    logger = logging.getLogger("v2x")
    handler = _StderrHandler(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@contextmanager
def _remember_interrupt() -> Iterator[list[bool]]:
    """Yield a list that is no longer empty once the user pressed Ctrl-C."""
    seen: list[bool] = []

    def interrupt(signum: int, frame: FrameType | None) -> None:
        seen.append(True)
        raise KeyboardInterrupt

    try:
        former = signal.signal(signal.SIGINT, interrupt)
    except ValueError:  # not the main thread: whoever runs that one handles interrupts
        yield seen
        return
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, former)
