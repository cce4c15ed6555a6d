"""``mnv2 undo``: undo a sort or a tag run."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.grouping import section
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.cli.terminal.text import printable, size_text
from mnv2cli.cli.undo_runs import NO_JOURNAL, changes_text, show_reasons
from mnv2cli.errors import ExitCode, InputError, JournalError
from mnv2cli.journals.file import all_journals, kind_of
from mnv2cli.system.messages import count, count_shots

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.sorting.journal import JournalState
    from mnv2cli.sorting.run import Outcome
    from mnv2cli.sorting.undo import RunToUndo

EXAMPLES = (
    ("preview: what would be undone", "mnv2 undo sorted --dry-run"),
    ("undo the last sort into a folder, or tag run in it", "mnv2 undo sorted"),
    ("list every run that can be undone, and its size", "mnv2 undo sorted --list"),
)

_option = section("Options")


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
)
@click.argument("path", metavar="PATH", type=click.Path())
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
@_option(
    "--forget",
    is_flag=True,
    help="Free the space that tag runs keep for undo; files stay tagged.",
)
@terminal_options
def undo(
    path: str,
    dry_run: bool,
    list_runs: bool,
    trust: bool,
    forget: bool,
    terminal: TerminalOptions,
) -> None:
    """Undo the last mnv2 sort or mnv2 tag in PATH, or the run of one journal (PATH/.mnv2/*.jsonl).

    A sort: moved files go back, copies and links are removed, and names and times are restored. A
    file that has changed since the sort, other than by mnv2 tag, or whose original is gone, is
    kept. Folders that the sort created are removed if they are empty.

    A tag run: photos and sidecars get back what they were before, byte for byte. A file that has
    changed since it was tagged is kept. Sorts and tag runs can be undone in any order.

    To finish an interrupted undo, run the same command again.

    Exit codes: 0 all undone, 1 some files were kept, 2 usage error, 130 interrupted, 143
    terminated.
    """
    from mnv2cli.cli import undo_tags
    from mnv2cli.cli.undo_runs import find

    screen = terminal.screen()
    given = {"--dry-run": dry_run, "--trust": trust, "--list": list_runs, "--forget": forget}
    options = [option for option, is_given in given.items() if is_given]
    if len(options) > 1 and (list_runs or forget):
        raise click.UsageError(
            f"{options[0]} cannot be combined with {options[-1]}, which undoes nothing."
        )
    if list_runs:
        _list(path)
        return
    if forget:
        undo_tags.forget(path, screen)
        return
    found = find(path)
    if found.kind == "tag":
        code = _undo_tags(path, found.path, screen, dry_run=dry_run, trust=trust)
    else:
        code = _undo_sort(path, found.path, screen, dry_run=dry_run, trust=trust)
    click.get_current_context().exit(code)


def _undo_tags(path: str, journal: str, screen: Screen, *, dry_run: bool, trust: bool) -> ExitCode:
    from mnv2cli.cli import undo_tags
    from mnv2cli.tagging.find_run import find_run

    run = find_run(journal, trust=trust or dry_run)
    if dry_run:
        undo_tags.preview(path, run, screen)
        return ExitCode.DONE
    return undo_tags.undo(path, run, screen, trust=trust)


def _undo_sort(path: str, found: str, screen: Screen, *, dry_run: bool, trust: bool) -> ExitCode:
    from mnv2cli.sorting.undo import find_run

    run = find_run(found, trust=trust or dry_run)
    if dry_run:
        _preview(path, run, screen)
        return ExitCode.DONE
    outcome = _undo(path, run, screen, trust=trust)
    if run.journal:
        _show(path, outcome, screen)
    else:
        _show_nothing(path, screen)
    return ExitCode.FAILED if outcome.failed else ExitCode.DONE


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
    show_reasons(outcome.failed, screen)


def _show_nothing(path: str, screen: Screen) -> None:
    """Report a destination without a journal: a sort or an undo was killed at one of its ends."""
    screen.lines([("Undone", f"nothing: no photo of a sort is in {path}", "")])
    if os.path.isdir(path) and not os.listdir(path):
        # Without a journal, it is unknown whether the sort or the user created the folder.
        command = "rmdir -- " if path.startswith("-") else "rmdir "
        screen.notice(f"The folder is empty; to remove it: {command}{shlex.quote(path)}", "")


def _list(path: str) -> None:
    from mnv2cli.cli.undo_runs import find

    folder = path
    if not os.path.isdir(path):
        folder = os.path.dirname(os.path.dirname(find(path).path))
    known = all_journals(folder)
    if not known:
        raise InputError(f"nothing to undo in {path!r}: it has no journal", NO_JOURNAL)
    for journal in reversed(known):
        describe = _sort_text if kind_of(journal) == "sort" else _tag_text
        try:
            click.echo(printable(f"{journal}  {describe(journal)}"))
        except JournalError as error:
            click.echo(printable(f"{journal}  {error.message}"))


def _began(header: dict[str, Any]) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(float(header["time"])))


def _sort_text(journal: str) -> str:
    from mnv2cli.sorting.journal_reader import read_journal

    state = read_journal(journal)
    methods = ", ".join(sorted({entry.method for entry in state.entries.values()}))
    note = "" if state.ended else "  interrupted"
    if state.undoing:
        note = f"  {len(state.undone):,} undone"
    return f"{_began(state.header)}  {_shots(state, state.done)}  {methods}{note}"


def _tag_text(journal: str) -> str:
    from mnv2cli.journals.tag_journal import read_tag_journal
    from mnv2cli.tagging.originals import originals_path
    from mnv2cli.tagging.run import size_of

    state = read_tag_journal(journal)
    size = size_text(size_of(originals_path(journal)) + size_of(journal))
    note = "" if state.ended else "  interrupted"
    if state.forgotten:
        note = "  forgotten, kept for the undo of a sort"
    elif state.undoing:
        note = f"  {len(state.undone):,} undone"
    what = ", ".join(filter(None, [count(len(state.done), "file"), changes_text(state)]))
    return f"{_began(state.header)}  tags: {what}  {size} for undo{note}"
