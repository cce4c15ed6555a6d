"""``mnv2 undo``: take a sort back."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import section
from mnv2cli.cli.options import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.cli.terminal.text import printable
from mnv2cli.errors import ExitCode, InputError, JournalError

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.sorting.run import Outcome
    from mnv2cli.sorting.undo import RunToUndo

EXAMPLES = (
    ("what would be taken back", "mnv2 undo sorted --dry-run"),
    ("the last run into a folder", "mnv2 undo sorted"),
    ("all runs that can be taken back", "mnv2 undo sorted --list"),
)


_option = section("Options")


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
)
@click.argument("path", metavar="DEST", type=click.Path(exists=True))
@_option(
    "--dry-run",
    is_flag=True,
    help="Tell what would be taken back, and change nothing.",
)
@_option(
    "--list",
    "list_runs",
    is_flag=True,
    help="List the runs that can be taken back, the last one first.",
)
@_option(
    "--trust",
    is_flag=True,
    help="Follow a journal that was not written here, but copied or unpacked.",
)
@terminal_options
def undo(path: str, dry_run: bool, list_runs: bool, trust: bool, terminal: TerminalOptions) -> None:
    """Take back the last mnv2 sort into DEST, or the one of a journal (DEST/.mnv2/*.jsonl).

    Each file is looked at first: one that has changed since, or whose original is gone, stays where
    it is. Names, places and times are restored, and folders that the sort made are removed if they
    are empty. An undo that was interrupted is finished by running it again.

    Exit codes: 0 all is back, 1 some files were kept, 2 usage, 130 interrupted.
    """
    from mnv2cli.sorting.undo import find_run

    screen = terminal.screen()
    if list_runs:
        _list(path)
        return
    run = find_run(path, trust=trust or dry_run)
    if dry_run:
        _preview(run, screen)
        return
    outcome = _take_back(path, run, screen, trust=trust)
    _show(run.dest, outcome, screen)
    click.get_current_context().exit(ExitCode.FAILED if outcome.failed else ExitCode.DONE)


def _preview(run: RunToUndo, screen: Screen) -> None:
    state, left = run.state, run.remaining
    for n in sorted(left, reverse=True) if screen.verbose else []:
        entry = state.entries[n]
        screen.notice(f"{entry.target} <- {entry.method} of {entry.source}", "")
    moved = sum(state.entries[n].method == "move" for n in left if n in state.entries)
    name = printable(os.path.basename(run.journal))
    click.echo(
        f"{len(left):,} files of {name} would be taken back: {moved:,} "
        f"moved back, {len(left) - moved:,} removed here. Nothing was changed."
    )
    if not state.header["in_place"]:
        screen.warning("this journal was not written here")


def _take_back(path: str, run: RunToUndo, screen: Screen, *, trust: bool) -> Outcome:
    from mnv2cli.sorting.undo import undo as take_back

    interrupts = Interrupts()
    try:
        with interrupts.handling(), screen.counting("undoing", len(run.remaining)) as progress:
            outcome, _ = take_back(
                run.journal or path, progress, trust=trust, critical_section=interrupts.deferred
            )
    except KeyboardInterrupt:
        screen.notice(f"Stopped between two files. To finish: mnv2 undo {run.dest}", "")
        raise
    return outcome


def _show(dest: str, outcome: Outcome, screen: Screen) -> None:
    lines = [("Undone", f"{outcome.done:,} files of {dest}", "")]
    if outcome.failed:
        lines.append(("Kept", f"{len(outcome.failed):,} files stay where they are", "yellow"))
    screen.lines(lines)
    for name, reason in outcome.failed if screen.verbose else outcome.failed[:20]:
        screen.warning(f"{name}: {reason}")
    if len(outcome.failed) > 20 and not screen.verbose:
        screen.warning(f"and {len(outcome.failed) - 20:,} more; -v shows all")


def _list(path: str) -> None:
    from mnv2cli.sorting.journal import journals
    from mnv2cli.sorting.journal_reader import read_journal

    known = journals(os.path.abspath(path)) if os.path.isdir(path) else []
    if not known:
        raise InputError(f"{path!r} has no journals: nothing to take back")
    for journal in reversed(known):
        try:
            state = read_journal(journal)
        except JournalError as error:
            click.echo(printable(f"{journal}  {error.message}"))
            continue
        began = time.strftime("%Y-%m-%d %H:%M", time.localtime(float(state.header["time"])))
        methods = ", ".join(sorted({entry.method for entry in state.entries.values()}))
        note = "" if state.ended else "  interrupted"
        if state.undoing:
            note = f"  {len(state.undone):,} taken back"
        click.echo(printable(f"{journal}  {began}  {len(state.done):,} files  {methods}{note}"))
