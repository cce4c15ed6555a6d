"""``mnv2 doctor``: one screen that tells whether this machine is ready."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import section
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from mnv2cli.diagnostics.doctor.check import Check

EXAMPLES = (
    ("is all well?", "mnv2 doctor"),
    ("what is not, for a script", "mnv2 doctor --json | jq '.[] | select(.state != \"ok\")'"),
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
    help="Print it as JSON.",
)
def doctor(as_json: bool) -> None:
    """Look at versions, processor, engines, weights, folders, image formats and the terminal.

    Each engine predicts one image. Nothing is downloaded, and nothing is changed.

    Exit codes: 0 if all that is needed works, with warnings or without; 1 if something failed.
    """
    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.diagnostics.doctor.examine import examine

    errors = PlainConsole(stderr=True, highlight=False)
    with errors.status("Looking …") as status:
        checks = list(examine(lambda text: status.update(f"Looking at {text} …")))
    checks += _terminal()
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks], indent=1))
    else:
        _print(checks)
    failed = any(check.state == "fail" for check in checks)
    click.get_current_context().exit(ExitCode.FAILED if failed else ExitCode.DONE)


def _terminal() -> Iterator[Check]:
    from mnv2cli.diagnostics.doctor.check import Check

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
                    "Signs outside of it become question marks: set LANG to a UTF-8 locale, or "
                    "PYTHONUTF8=1.")  # fmt: skip
    settings = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("MNV2_", "KERAS_", "CUDA_VISIBLE")) and not name.endswith("_COMPLETE")
    }
    shown = ", ".join(f"{name}={value}" for name, value in sorted(settings.items())) or "none"
    yield Check("Terminal", "settings", "ok", shown)


def _print(checks: list[Check]) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.cli.terminal.text import home_text, printable

    console = PlainConsole(highlight=False)
    if console.width < _NARROW:
        for check in checks:
            sign, style = _SIGNS[check.state]
            console.print(Text.assemble((sign, style), f" {check.group}, {check.name}"))
            for line in filter(None, [check.text, check.advice]):
                console.print(Padding(Text(printable(home_text(line)), overflow="fold"), (0, 2)))
        _print_end(console, checks)
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=9, style="bold")
    table.add_column(no_wrap=True)
    table.add_column(width=7)
    table.add_column(overflow="fold")
    group = ""
    for check in checks:
        sign, style = _SIGNS[check.state]
        text = Text(printable(home_text(check.text)))
        if check.advice:
            text.append(
                f"\n{printable(check.advice)}", style="" if check.state == "fail" else "dim"
            )
        heading = check.group if check.group != group else ""
        table.add_row(heading, check.name, Text(sign, style=style), text)
        group = check.group
    console.print(table)
    _print_end(console, checks)


def _print_end(console: Console, checks: list[Check]) -> None:
    from rich.text import Text

    failed = sum(check.state == "fail" for check in checks)
    warned = sum(check.state == "warn" for check in checks)
    if failed:
        console.print(Text(f"\n{failed} failed: see above what to do.", style="bold red"))
    elif warned:
        count = "a warning" if warned == 1 else f"{warned} warnings"
        console.print(Text(f"\nReady, with {count}.", style="yellow"))
    else:
        console.print(Text("\nReady.", style="green"))
