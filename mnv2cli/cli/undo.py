"""``mnv2 undo``: undo a sort."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import section
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.cli.terminal.text import printable
from mnv2cli.errors import ExitCode, InputError, JournalError
from mnv2cli.system.messages import count, count_shots

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.sorting.journal import JournalState
    from mnv2cli.sorting.run import Outcome
    from mnv2cli.sorting.undo import RunToUndo

EXAMPLES = (
    ("preview: what would be undone", "mnv2 undo sorted --dry-run"),
    ("undo the last sort into a folder", "mnv2 undo sorted"),
    ("list every sort that can be undone", "mnv2 undo sorted --list"),
)

_MAX_SHOWN = 5

_option = section("Options")


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
)
@click.argument("path", metavar="DEST", type=click.Path())
@_option(
    "--dry-run",
    is_flag=True,
    help="Show what would be undone, with -v each file; change nothing.",
)
@_option(
    "--list",
    "list_runs",
    is_flag=True,
    help="List the runs that can be undone, the newest first.",
)
@_option(
    "--trust",
    is_flag=True,
    help="Follow a journal that was copied or unpacked, not written here.",
)
@terminal_options
def undo(path: str, dry_run: bool, list_runs: bool, trust: bool, terminal: TerminalOptions) -> None:
    """Undo the last mnv2 sort into DEST, or the sort of one journal (DEST/.mnv2/*.jsonl).

    Moved files go back, copies and links are removed, and names and times are restored. A file that
    has changed since the sort, or whose original is gone, is kept. Folders that the sort created
    are removed if they are empty. To finish an interrupted undo, run the same command again.

    Exit codes: 0 all undone, 1 some files were kept, 2 usage error, 130 interrupted, 143
    terminated.
    """
    from mnv2cli.sorting.undo import find_run

    screen = terminal.screen()
    if list_runs:
        if dry_run or trust:
            option = "--dry-run" if dry_run else "--trust"
            raise click.UsageError(
                f"{option} cannot be combined with --list, which undoes nothing."
            )
        _list(path)
        return
    run = find_run(path, trust=trust or dry_run)
    if dry_run:
        _preview(path, run, screen)
        return
    outcome = _undo(path, run, screen, trust=trust)
    if run.journal:
        _show(path, outcome, screen)
    else:
        _show_nothing(path, screen)
    click.get_current_context().exit(ExitCode.FAILED if outcome.failed else ExitCode.DONE)


def _preview(path: str, run: RunToUndo, screen: Screen) -> None:
    state, left = run.state, run.remaining
    for n in sorted(left, reverse=True) if screen.verbose else []:
        entry = state.entries[n]
        screen.notice(f"{entry.target} <- {entry.method} of {entry.source}", "")
    moved = sum(state.entries[n].method == "move" for n in left if n in state.entries)
    click.echo(
        f"Dry run, nothing was changed: {_shots(state, left)} in {printable(path)}, "
        f"{count(moved, 'file')} to move back, {len(left) - moved:,} to remove."
    )
    if not state.header["in_place"]:
        screen.warning("this journal was copied or unpacked, not written here")


def _shots(state: JournalState, numbers: Collection[int]) -> str:
    """Return the counted photos and companions of some actions."""
    entries = [state.entries[number] for number in numbers if number in state.entries]
    companions = sum(bool(entry.photo) for entry in entries)
    return count_shots(len(numbers) - companions, companions)


def _undo(path: str, run: RunToUndo, screen: Screen, *, trust: bool) -> Outcome:
    from mnv2cli.journals.folder import undo_command
    from mnv2cli.sorting.undo import undo as undo_run

    interrupts = Interrupts()
    try:
        with interrupts.handling(), screen.counting("undoing", len(run.remaining)) as progress:
            outcome, _ = undo_run(
                run.journal or path, progress, trust=trust, critical_section=interrupts.deferred
            )
    except KeyboardInterrupt:
        screen.notice("Stopped between two files; no photo is lost.", "")
        screen.notice(f"To finish, run: {undo_command(path)}", "")
        raise
    return outcome


def _show(path: str, outcome: Outcome, screen: Screen) -> None:
    from mnv2cli.sorting.undo import GONE

    if outcome.done or outcome.failed:
        undone = count_shots(outcome.done - outcome.companions, outcome.companions)
        lines = [("Undone", f"{undone} in {path}", "")]
    else:
        lines = [("Undone", f"nothing left to undo in {path}", "")]
    gone = sum(reason == GONE for _, reason in outcome.failed)
    if kept := len(outcome.failed) - gone:
        lines.append(("Kept", f"{count(kept, 'file')}, left in place", "yellow"))
    if gone:
        lines.append(
            ("Not found", f"{count(gone, 'file')}, moved or removed since the sort", "yellow")
        )
    screen.lines(lines)
    for name, reason in outcome.failed if screen.verbose else outcome.failed[:_MAX_SHOWN]:
        screen.warning(f"{name}: {reason}")
    if len(outcome.failed) > _MAX_SHOWN and not screen.verbose:
        screen.warning(f"and {len(outcome.failed) - _MAX_SHOWN:,} more; -v shows all")


def _show_nothing(path: str, screen: Screen) -> None:
    """Report a destination without a journal: a sort or an undo was killed at one of its ends."""
    screen.lines([("Undone", f"nothing: no photo of a sort is in {path}", "")])
    if os.path.isdir(path) and not os.listdir(path):
        # Without a journal, it is unknown whether the sort or the user created the folder.
        command = "rmdir -- " if path.startswith("-") else "rmdir "
        screen.notice(f"The folder is empty; to remove it: {command}{shlex.quote(path)}", "")


def _list(path: str) -> None:
    from mnv2cli.journals.file import journals
    from mnv2cli.sorting.journal_reader import read_journal
    from mnv2cli.sorting.undo import find_journal

    dest = path if os.path.isdir(path) else find_journal(path)[0]
    known = journals(dest)
    if not known:
        raise InputError(
            f"nothing to undo in {path!r}: it has no journal",
            "No photo was sorted into it, or every sort into it was undone.",
        )
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
            note = f"  {len(state.undone):,} undone"
        click.echo(printable(f"{journal}  {began}  {_shots(state, state.done)}  {methods}{note}"))
