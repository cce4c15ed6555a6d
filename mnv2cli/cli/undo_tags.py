"""``mnv2 undo`` of a tag run, and forgetting tag runs."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.cli.terminal.tag_text import shown_root
from mnv2cli.cli.terminal.text import printable, size_text
from mnv2cli.cli.undo_runs import can_be_forgotten, show_reasons
from mnv2cli.errors import ExitCode, InputError
from mnv2cli.journals.file import journals, kind_of
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.journals.tag_journal import ChangeEntry, FileState, How
    from mnv2cli.tagging.find_run import TagRunToUndo

_TO_DO: dict[How, str] = {"create": "to remove", "replace": "to restore", "delete": "to bring back"}


_KEPT, _NOTHING = "changed since and to keep", "as before already"


def preview(path: str, run: TagRunToUndo, screen: Screen) -> None:
    """Show what the undo of a tag run would do."""
    found = _found(run)
    for entry, what in found if screen.verbose else []:
        screen.notice(f"{entry.path}: {what}", "")
    number = Counter(text for _, text in found)
    kinds = (*_TO_DO.values(), _KEPT, _NOTHING)
    todo = [f"{number[what]:,} {what}" for what in kinds if number[what]]
    click.echo(
        f"Dry run, nothing was changed: {count(len(run.remaining), 'tagged file')} in "
        f"{printable(path)}{', ' if todo else ''}{', '.join(todo)}."
    )
    if not run.state.header["in_place"]:
        screen.warning("this journal was copied or unpacked, not written here")


def _found(run: TagRunToUndo) -> list[tuple[ChangeEntry, str]]:
    """Return what the undo would do about each change; files are read, and compared by content."""
    from mnv2cli.tagging.places import Places

    places = Places(run.root, run.state, trust=True)
    undone: dict[str, tuple[int, str] | None] = {}  # what files are then that changed several times
    found = []
    for entry in sorted(run.remaining, key=lambda entry: -entry.number):
        what = _TO_DO[entry.how]
        if entry.path in undone:
            what = what if undone[entry.path] == _content(entry.after) else _KEPT
        else:
            there = [places.last(entry)] if entry.how == "delete" else list(places.of(entry))
            if not _is_any(there, entry.after):
                what = _NOTHING if _is_any(there, entry.before) else _KEPT
        if what != _KEPT:
            undone[entry.path] = _content(entry.before)
        found.append((entry, what))
    return found


def _content(state: FileState | None) -> tuple[int, str] | None:
    return None if state is None else (state.size, state.sha256)


def _is_any(paths: list[str], state: FileState | None) -> bool:
    from mnv2cli.tagging.writing import has

    with suppress(OSError):
        return any(has(path, state) for path in paths)
    return False


def undo(path: str, run: TagRunToUndo, screen: Screen, *, trust: bool) -> ExitCode:
    """Undo a tag run, and show what was done."""
    from mnv2cli.journals.folder import undo_command
    from mnv2cli.tagging.plan import root_of
    from mnv2cli.tagging.sidecars import SUFFIX
    from mnv2cli.tagging.undo import CHANGED, GONE
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
        text = f"{count(kept, 'file')}, left as {'it is' if kept == 1 else 'they are'}"
        lines.append(("Kept", text, "yellow"))
    if gone:
        moved = f"{count(gone, 'file')}, moved or removed since the tag run"
        lines.append(("Not found", moved, "yellow"))
    screen.lines(lines)
    show_reasons(outcome.failed, screen)
    if changed := [name for name, reason in outcome.failed if reason == CHANGED]:
        is_sidecar = all(name.lower().endswith(SUFFIX) for name in changed)
        command = ["mnv2", "tag", *(() if is_sidecar else ("--embed",)), "--remove", "--"]
        where = shown_root(root_of(changed))
        words = [*command[: None if where.startswith("-") else -1], where]
        screen.notice(f"To remove only mnv2's keywords from changed files: {shlex.join(words)}", "")
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
