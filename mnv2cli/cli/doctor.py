"""``mnv2 doctor``: check whether this machine is ready."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import section
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from mnv2cli.diagnostics.doctor.check import Check

EXAMPLES = (
    ("check this machine", "mnv2 doctor"),
    ("list problems, in a script", "mnv2 doctor --json | jq '.[] | select(.state != \"ok\")'"),
)

_NARROW = 70  # columns
_SIGNS = {"ok": ("ok", "green"), "warn": ("warning", "yellow"), "fail": ("FAILED", "bold red")}


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
)
@section("Options")(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the results as JSON.",
)
def doctor(as_json: bool) -> None:
    """Check versions, processor, folders, image formats, weights, engines and the terminal.

    Each engine predicts one image. Nothing is downloaded or changed.

    Exit codes: 0 if everything required works, even with warnings; 1 if a check failed.
    """
    from mnv2cli.cli.terminal.console import PlainConsole

    errors = PlainConsole(stderr=True, highlight=False)
    terminal = list(_terminal())  # before the status line replaces sys.stdout
    with errors.status("Checking …") as status:
        checks = chain(_checks(status), terminal)
        if as_json:
            results = list(checks)
            click.echo(json.dumps([asdict(check) for check in results], indent=1))
        else:
            results = _print(checks, status)
    failed = any(check.state == "fail" for check in results)
    click.get_current_context().exit(ExitCode.FAILED if failed else ExitCode.DONE)


def _checks(status: Status) -> Iterator[Check]:
    from mnv2cli.diagnostics.doctor.examine import examine

    yield from examine(lambda text: status.update(f"Checking {text} …"))


def _terminal() -> Iterator[Check]:
    from mnv2cli.diagnostics.doctor.check import Check
    from mnv2cli.system.urls import redact, redact_address

    encoding = (sys.stdout.encoding or "none").lower()
    kind = "a terminal" if sys.stdout.isatty() else "not a terminal"
    columns = shutil.get_terminal_size().columns
    colour = "no colours (NO_COLOR)" if os.environ.get("NO_COLOR") else "colours"
    text = (
        f"{kind}, {columns} columns, {encoding}, {colour if sys.stdout.isatty() else 'no colours'}"
    )
    if encoding.replace("-", "") == "utf8":
        yield Check("Terminal", "output", "ok", text)
    else:
        yield Check("Terminal", "output", "warn", text,
                    "Other characters become question marks: set LANG to a UTF-8 locale, "
                    "or PYTHONUTF8=1.")  # fmt: skip
    settings = {
        name: redact_address(value) if name == "MNV2_WEIGHTS_URL" else redact(value)
        for name, value in os.environ.items()
        if name.startswith(("MNV2_", "KERAS_", "CUDA_VISIBLE")) and not name.endswith("_COMPLETE")
    }
    shown = ", ".join(f"{name}={value}" for name, value in sorted(settings.items())) or "none"
    yield Check("Terminal", "settings", "ok", shown)
    yield _config_files()


def _config_files() -> Check:
    """Check the config files that commands would read here."""
    from mnv2cli.cli.config.apply import is_off
    from mnv2cli.config import read_config
    from mnv2cli.diagnostics.doctor.check import Check
    from mnv2cli.errors import Mnv2Error

    name = "config files"
    if is_off(click.get_current_context()):
        return Check("Terminal", name, "ok", "ignored")
    try:
        config = read_config()
    except Mnv2Error as error:
        return Check("Terminal", name, "warn", error.message, error.hint)
    files = ", ".join(file.path for file in config.files) or "none"
    if not config.untrusted:
        return Check("Terminal", name, "ok", files)
    advice = f"Ignored, as it belongs to another user: {', '.join(config.untrusted)}."
    return Check("Terminal", name, "warn", files, advice)


def _print(checks: Iterable[Check], status: Status) -> list[Check]:
    """Print each check as soon as it is done, and return all checks."""
    from mnv2cli.cli.terminal.console import PlainConsole

    console = PlainConsole(highlight=False)
    print_check = _print_paragraph if console.width < _NARROW else _print_row
    printed: list[Check] = []
    for check in checks:
        is_first = not printed or printed[-1].group != check.group
        with _paused(status):
            print_check(console, check, is_first=is_first)
        printed.append(check)
    status.stop()
    _print_end(console, printed)
    return printed


@contextmanager
def _paused(status: Status) -> Iterator[None]:
    """Clear the status line while something is printed to the same terminal."""
    status.stop()
    yield
    status.start()


def _print_paragraph(console: Console, check: Check, *, is_first: bool) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from mnv2cli.cli.terminal.text import home_text, printable

    sign, style = _SIGNS[check.state]
    console.print(Text.assemble((sign, style), f" {check.group}, {check.name}"))
    for line in filter(None, [check.text, check.advice]):
        console.print(Padding(Text(printable(home_text(line)), overflow="fold"), (0, 2)))


def _print_row(console: Console, check: Check, *, is_first: bool) -> None:
    """Print a check as a row; the first row of a group starts with its name."""
    from rich.table import Table
    from rich.text import Text

    from mnv2cli.cli.terminal.text import home_text, printable
    from mnv2cli.models import MODELS

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=9, style="bold")
    table.add_column(no_wrap=True, width=max(map(len, MODELS)))  # the longest name of a check
    table.add_column(width=7)
    table.add_column(overflow="fold")
    sign, style = _SIGNS[check.state]
    text = Text(printable(home_text(check.text)))
    if check.advice:
        text.append(f"\n{printable(check.advice)}", style="" if check.state == "fail" else "dim")
    heading = check.group if is_first else ""
    table.add_row(heading, check.name, Text(sign, style=style), text)
    console.print(table)


def _print_end(console: Console, checks: list[Check]) -> None:
    from rich.text import Text

    from mnv2cli.system.messages import count

    failed = sum(check.state == "fail" for check in checks)
    warned = sum(check.state == "warn" for check in checks)
    if failed:
        text = f"\nNot ready: {count(failed, 'check')} failed; follow the advice above."
        console.print(Text(text, style="bold red"))
    elif warned:
        console.print(Text(f"\nReady, with {count(warned, 'warning')}.", style="yellow"))
    else:
        console.print(Text("\nReady.", style="green"))
