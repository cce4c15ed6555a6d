"""Turn errors into messages and exit codes, for all commands."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from mnv2cli.cli.config.apply import NO_CONFIG, configure, explain
from mnv2cli.cli.terminal.help import CONFIGURE, LazyGroup
from mnv2cli.cli.terminal.interrupts import exit_code
from mnv2cli.cli.terminal.text import printable
from mnv2cli.errors import ExitCode, Mnv2Error
from mnv2cli.system.messages import reason


class ErrorGroup(LazyGroup):
    """A group whose errors become short messages and exit codes."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the options before the command."""
        with _printable_errors():
            return super().make_context(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the command line as typed, for the command that resumes a run."""
        ctx.meta["mnv2.args"] = list(args)
        ctx.meta[NO_CONFIG] = False
        ctx.meta[CONFIGURE] = configure
        return super().parse_args(ctx, args)

    def instead_of(self, ctx: click.Context, args: list[str]) -> str:
        """Suggest to classify a file or folder that was given without a command."""
        if args[0] != "help" and os.path.exists(args[0]):
            return f" Did you mean: mnv2 classify {shlex.quote(args[0])}?"
        return super().instead_of(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an expected error becomes a message, never a traceback."""
        try:
            with _printable_errors():
                return super().invoke(ctx)
        except click.UsageError as error:
            if where := explain(ctx, error):
                error.message += f"\n{where}"  # type: ignore[misc, unused-ignore]
            raise
        except Mnv2Error as error:
            # Message and hint may quote text from files and hosts.
            click.echo(f"Error: {printable(error.message)}", err=True)
            for line in [*error.hint.splitlines(), *explain(ctx, error).splitlines()]:
                click.echo(printable(line), err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt as error:
            code = exit_code(error)
            click.echo("Terminated." if code == ExitCode.TERMINATED else "Interrupted.", err=True)
            ctx.exit(code)
        except BrokenPipeError:
            # The reader, such as head, is done. Python must not flush the rest at exit.
            _silence_stdout()
            ctx.exit(ExitCode.DONE)
        except OSError as error:
            # Not handled elsewhere, such as standard output on a full disk.
            what = f"{printable(str(error.filename))}: " if error.filename else ""
            why = printable(reason(error))
            click.echo(f"Error: {what}{why}", err=True)
            _silence_stdout()
            ctx.exit(ExitCode.FAILED)


@contextmanager
def _printable_errors() -> Iterator[None]:
    """Escape what click's own errors quote: file names and options as typed."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise  # its message is the help, with its own line feeds
    except click.ClickException as error:
        error.message = printable(error.message)  # type: ignore[misc, unused-ignore]
        raise


def _silence_stdout() -> None:
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):  # stdout is not a real file, as in tests
        pass
