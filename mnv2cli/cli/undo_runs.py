"""The runs that ``mnv2 undo`` finds, sorts and tag runs alike."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError
from mnv2cli.journals.file import Kind, all_journals, kind_of
from mnv2cli.journals.folder import OWN_FOLDER, undo_command
from mnv2cli.journals.last_run import Undoable, last_run
from mnv2cli.journals.tag_journal import TagState, read_tag_journal

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen

_MAX_SHOWN = 5

NO_JOURNAL = (
    "Nothing was sorted into it or tagged in it; or every sort into it was undone, and every tag "
    "run was undone or forgotten."
)
"""Why a folder has no journal."""


@dataclass(frozen=True)
class Found:
    """The run that a path names.

    Attributes:
        kind: What it did.
        path: Its journal; for a folder without a journal, the folder.
    """

    kind: Kind
    path: str


def find(path: str) -> Found:
    """Return the last run in a folder that is not undone, or the run of a journal.

    Raises:
        InputError: There is nothing to undo.
        JournalError: A journal cannot be read.
    """
    if not os.path.lexists(path):
        raise InputError(
            f"nothing to undo in {path!r}: it does not exist",
            "An undo also removes the folder if the sort created it.",
        )
    if not os.path.isdir(path):
        return Found(_kind(path), os.path.abspath(path))
    known = all_journals(os.path.abspath(path))
    if not known:
        if not os.path.isdir(os.path.join(path, OWN_FOLDER)):
            raise InputError(f"nothing to undo in {path!r}: it has no journal", NO_JOURNAL)
        return Found("sort", path)
    last = last_run(known, _read)
    if last is None:
        raise InputError(
            f"nothing to undo in {path!r}: every run in it was undone or forgotten", _why(known)
        )
    return Found(kind_of(last[0]) or "sort", last[0])


def _kind(path: str) -> Kind:
    journal = os.path.abspath(path)
    if not os.path.isfile(journal) or os.path.basename(os.path.dirname(journal)) != OWN_FOLDER:
        raise InputError(f"{path!r} is neither a folder nor a journal in PATH/{OWN_FOLDER}")
    kind = kind_of(journal)
    if kind is None:
        raise InputError(f"{path!r} is not a journal: its name does not end in .jsonl")
    return kind


def _read(journal: str) -> Undoable:
    from mnv2cli.sorting.journal_reader import read_journal

    return read_journal(journal) if kind_of(journal) == "sort" else read_tag_journal(journal)


def _why(known: list[str]) -> str:
    """Return why the journals of undone tag runs are still there."""
    for sort in (sort for journal in known for sort in read_tag_journal(journal).sorts):
        if os.path.lexists(sort):
            dest = os.path.dirname(os.path.dirname(sort))
            return (
                f"Their journals are kept until the sort of these photos is undone: "
                f"{undo_command(dest)}"
            )
    return NO_JOURNAL


def can_be_forgotten(journal: str) -> bool:
    """Return whether a journal is of a tag run that is not undone or forgotten yet."""
    if kind_of(journal) != "tag":
        return False
    state = read_tag_journal(journal)
    return not state.is_settled


def show_reasons(failed: list[tuple[str, str]], screen: Screen) -> None:
    """Show the files that could not be undone, and why; all of them only with ``-v``."""
    for name, reason in failed if screen.verbose else failed[:_MAX_SHOWN]:
        screen.warning(f"{name}: {reason}")
    if len(failed) > _MAX_SHOWN and not screen.verbose:
        screen.warning(f"and {len(failed) - _MAX_SHOWN:,} more; -v shows all")


def changes_text(state: TagState) -> str:
    """Return what a tag run did to files, such as ``8 created, 4 changed``."""
    hows = [entry.how for n, entry in state.entries.items() if n in state.done]
    words = (("create", "created"), ("replace", "changed"), ("delete", "removed"))
    return ", ".join(f"{hows.count(how):,} {word}" for how, word in words if how in hows)
