"""``mnv2 undo``: take a sort back."""

from __future__ import annotations

import os
import time

import click

from mnv2cli.cli.grouping import section
from mnv2cli.cli.options import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.cli.terminal.text import printable
from mnv2cli.errors import ExitCode, InputError, JournalError

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
    from mnv2cli.sorting.undo import to_undo
    from mnv2cli.sorting.undo import undo as take_back

    screen = terminal.screen()
    if list_runs:
        _list(path)
        return
    dest, journal, state = to_undo(path, trust=trust or dry_run)
    there = [e.number for e in state.open if os.path.lexists(os.path.join(dest, e.target))]
    left = [n for n in [*state.done, *there] if n not in state.undone]
    if dry_run:
        for n in sorted(left, reverse=True) if terminal.verbose else []:
            entry = state.entries[n]
            screen.notice(f"{entry.target} <- {entry.method} of {entry.source}", "")
        moved = sum(state.entries[n].method == "move" for n in left if n in state.entries)
        name = printable(os.path.basename(journal))
        click.echo(
            f"{len(left):,} files of {name} would be taken back: {moved:,} "
            f"moved back, {len(left) - moved:,} removed here. Nothing was changed."
        )
        if not state.header["in_place"]:
            screen.warning("this journal was not written here")
        return
    try:
        interrupts = Interrupts()
        with interrupts.watched(), screen.counting("undoing", len(left)) as progress:
            outcome, _ = take_back(
                journal or path, progress, trust=trust, critical_section=interrupts.held
            )
    except KeyboardInterrupt:
        screen.notice(f"Stopped between two files. To finish: mnv2 undo {dest}", "")
        raise
    lines = [("Undone", f"{outcome.done:,} files of {dest}", "")]
    if outcome.failed:
        lines.append(("Kept", f"{len(outcome.failed):,} files stay where they are", "yellow"))
    screen.lines(lines)
    for name, reason in outcome.failed if terminal.verbose else outcome.failed[:20]:
        screen.warning(f"{name}: {reason}")
    if len(outcome.failed) > 20 and not terminal.verbose:
        screen.warning(f"and {len(outcome.failed) - 20:,} more; -v shows all")
    code = ExitCode.FAILED if outcome.failed else ExitCode.DONE
    click.get_current_context().exit(code)


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
