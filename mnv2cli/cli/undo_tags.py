"""``mnv2 undo`` of a tag run, and forgetting tag runs."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.cli.terminal.text import printable, size_text
from mnv2cli.cli.undo_runs import can_be_forgotten, show_reasons
from mnv2cli.errors import ExitCode, InputError
from mnv2cli.journals.file import journals, kind_of
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.journals.tag_journal import How
    from mnv2cli.tagging.find_run import TagRunToUndo

_TO_DO: dict[How, str] = {"create": "to remove", "replace": "to restore", "delete": "to bring back"}


def preview(path: str, run: TagRunToUndo, screen: Screen) -> None:
    """Show what the undo of a tag run would do."""
    for entry in run.remaining if screen.verbose else []:
        screen.notice(f"{entry.path}: {_TO_DO[entry.how]}", "")
    number = Counter(entry.how for entry in run.remaining)
    todo = [f"{number[how]:,} {what}" for how, what in _TO_DO.items() if number[how]]
    click.echo(
        f"Dry run, nothing was changed: {count(len(run.remaining), 'tagged file')} in "
        f"{printable(path)}{', ' if todo else ''}{', '.join(todo)}."
    )
    if not run.state.header["in_place"]:
        screen.warning("this journal was copied or unpacked, not written here")


def undo(path: str, run: TagRunToUndo, screen: Screen, *, trust: bool) -> ExitCode:
    """Undo a tag run, and show what was done."""
    from mnv2cli.journals.folder import undo_command
    from mnv2cli.tagging.undo import GONE
    from mnv2cli.tagging.undo import undo as undo_run

    interrupts = Interrupts()
    try:
        with interrupts.handling(), screen.counting("undoing", len(run.remaining)) as progress:
            outcome, _ = undo_run(
                run.journal, progress, trust=trust, critical_section=interrupts.deferred
            )
    except KeyboardInterrupt:
        screen.notice("Stopped between two files; each is as before or as tagged.", "")
        screen.notice(f"To finish, run: {undo_command(path)}", "")
        raise
    what = f"the tags of {count(outcome.done, 'file')}" if outcome.done else "nothing"
    lines = [("Undone", f"{what} in {path}", "")]
    gone = sum(reason == GONE for _, reason in outcome.failed)
    if kept := len(outcome.failed) - gone:
        lines.append(("Kept", f"{count(kept, 'file')}, left as they are", "yellow"))
    if gone:
        moved = f"{count(gone, 'file')}, moved or removed since the tag run"
        lines.append(("Not found", moved, "yellow"))
    screen.lines(lines)
    show_reasons(outcome.failed, screen)
    return ExitCode.FAILED if outcome.failed else ExitCode.DONE


def forget(path: str, screen: Screen) -> None:
    """Forget the tag runs in a folder, or the run of a journal.

    Raises:
        InputError: There is none.
    """
    from mnv2cli.tagging.find_run import forget as forget_runs

    known = journals(os.path.abspath(path), "tag") if os.path.isdir(path) else [path]
    if not os.path.isdir(path) and os.path.isfile(path) and kind_of(path) == "sort":
        raise InputError(
            f"{path!r} is the journal of a sort, which is never forgotten",
            "It keeps no copies of photos. Name a folder, or the journal of a tag run.",
        )
    number = sum(map(can_be_forgotten, filter(os.path.isfile, known)))
    if not number:
        raise InputError(
            f"nothing to forget in {path!r}: it has no tag run that can be undone",
            "What mnv2 tag keeps for undo is forgotten; sorts keep no copies of photos.",
        )
    freed = forget_runs(path)
    runs = f"{count(number, 'tag run')} in {path}; the files stay tagged"
    screen.lines([("Forgotten", runs, ""), ("Freed", size_text(freed), "")])
