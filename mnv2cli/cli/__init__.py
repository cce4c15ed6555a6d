"""The command line: everything that the terminal sees, a file a command."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import click

from mnv2cli import __version__
from mnv2cli.cli.bench import bench
from mnv2cli.cli.classify import classify
from mnv2cli.cli.doctor import doctor
from mnv2cli.cli.labels import labels
from mnv2cli.cli.merge import merge
from mnv2cli.cli.models import models
from mnv2cli.cli.sort import sort
from mnv2cli.cli.terminal.help import ExampleGroup
from mnv2cli.cli.terminal.interrupts import exit_code, raise_interrupt
from mnv2cli.cli.terminal.text import printable
from mnv2cli.cli.undo import undo
from mnv2cli.errors import ExitCode, Mnv2Error

EXAMPLES = (
    ("the three best labels of every photo in a folder", "mnv2 classify photos --top 3"),
    ("all that a command can do", "mnv2 classify --help"),
)


class ErrorGroup(ExampleGroup):
    """The one place that turns errors into messages and exit codes."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the options that stand before the command."""
        with _printable_errors():
            return super().make_context(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the command as it was typed, for advice on how to go on."""
        ctx.meta["mnv2.args"] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error becomes a few plain words, never a traceback."""
        try:
            with _printable_errors():
                return super().invoke(ctx)
        except Mnv2Error as error:
            # Both may quote what came from files and hosts.
            click.echo(f"Error: {printable(error.message)}", err=True)
            for line in error.hint.splitlines():
                click.echo(printable(line), err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt as error:
            code = exit_code(error)
            click.echo("Terminated." if code == ExitCode.TERMINATED else "Interrupted.", err=True)
            ctx.exit(code)
        except BrokenPipeError:
            # The reader, such as head, has what it wanted. Python would try to flush the rest.
            _silence_stdout()
            ctx.exit(ExitCode.DONE)
        except OSError as error:
            # What nobody foresaw, such as a full disk under standard output.
            what = f"{printable(str(error.filename))}: " if error.filename else ""
            why = printable((error.strerror or str(error)).lower())
            click.echo(f"Error: {what}{why}", err=True)
            _silence_stdout()
            ctx.exit(ExitCode.FAILED)


@contextmanager
def _printable_errors() -> Iterator[None]:
    """Escape what click's own errors quote: names of files and options as they were typed."""
    try:
        yield
    except click.ClickException as error:
        error.message = printable(error.message)  # type: ignore[misc, unused-ignore]
        raise


def _silence_stdout() -> None:
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):  # no real stdout, as in tests
        pass


@click.group(
    cls=ErrorGroup,
    examples=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="mnv2 %(version)s")
def main() -> None:
    """Classify whole folders of images with pretrained Keras MobileNetV2."""


main.add_command(classify)
main.add_command(merge)
main.add_command(sort)
main.add_command(undo)
main.add_command(labels)
main.add_command(models)
main.add_command(bench)
main.add_command(doctor)


def run() -> None:
    """Run the command line as a process: the entry point of ``mnv2``."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' notes on odd images are no one's business
    if sys.stderr is None:  # closed, as by 2>&-
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, raise_interrupt)
    try:
        main(prog_name="mnv2")
    except KeyboardInterrupt as error:
        _leave(exit_code(error))
    except SystemExit as end:
        _leave(end.code)


def _leave(code: object) -> NoReturn:
    """End the process, whatever a thread of ours may hang in."""
    if any(thread.name.startswith("mnv2-work") for thread in threading.enumerate()):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code if isinstance(code, int) else ExitCode.FAILED)
    sys.exit(code)  # type: ignore[arg-type]
