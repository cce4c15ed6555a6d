"""The one place that turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from mnv2cli.cli.terminal.help import LazyGroup
from mnv2cli.cli.terminal.interrupts import exit_code
from mnv2cli.cli.terminal.text import printable
from mnv2cli.errors import ExitCode, Mnv2Error
from mnv2cli.system.messages import reason


class ErrorGroup(LazyGroup):
    """Commands whose errors become a few plain words and an exit code."""

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
            why = printable(reason(error))
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
