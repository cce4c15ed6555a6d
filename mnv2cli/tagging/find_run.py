"""Find the tag run to undo, forget the originals of runs, and say what they cost."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mnv2cli.errors import InputError
from mnv2cli.journals.file import Journal, journals, kind_of
from mnv2cli.journals.folder import OWN_FOLDER, undo_command
from mnv2cli.journals.last_run import last_run
from mnv2cli.journals.removal import clean_up
from mnv2cli.journals.tag_journal import ChangeEntry, TagState, read_tag_journal
from mnv2cli.journals.tree import locked_tree
from mnv2cli.tagging.originals import originals_path
from mnv2cli.tagging.run import (
    remove_originals,
    remove_run,
    size_of,
)

_FORGOTTEN = "its original was removed by mnv2 undo --forget"


@dataclass(frozen=True)
class TagRunToUndo:
    """A tag run that can be undone.

    Attributes:
        root: The folder of the run.
        journal: Its journal.
        state: The state that the journal describes.
        size: The size of the journal when it was read.
    """

    root: str
    journal: str
    state: TagState
    size: int

    @property
    def remaining(self) -> list[ChangeEntry]:
        """The changes still to be undone; of those that an interruption left open, all."""
        return [*self.state.open, *self.state.remaining]

    @property
    def is_undone(self) -> bool:
        """Its undo is complete, though some files may have been kept."""
        return self.state.is_undone

    @property
    def is_over(self) -> bool:
        """No undo is possible any more."""
        return self.state.is_over

    def read_again(self) -> TagState:
        """Return the state, read again if the journal has grown since."""
        if size_of(self.journal) == self.size:
            return self.state
        return read_tag_journal(self.journal)


def find_run(path: str, *, trust: bool = False) -> TagRunToUndo:
    """Return the tag run to undo for a folder or a journal named by the user.

    Raises:
        InputError: There is nothing to undo, or the journal was not written here and is not
            trusted.
        JournalError: The journal cannot be read.
    """
    root, journal = _named(path)
    if journal:
        found = _read(root, journal)
    else:
        last = last_run(journals(root, "tag"), lambda name: _read(root, name))
        if last is None:
            raise InputError(f"nothing to undo in {path!r}: every tag run was undone or forgotten")
        found = last[1]
    if found.state.forgotten:
        raise InputError(
            f"the run of {found.journal} was forgotten", "What its files were before is not kept."
        )
    if not (trust or found.state.header["in_place"]):
        raise InputError(
            f"the journal {found.journal} was copied or unpacked, not written here",
            "Undoing it would change files as it says. If you know where it comes from, check "
            "it with --dry-run -v, then add --trust.",
        )
    return found


def _named(path: str) -> tuple[str, str]:
    """Return the folder and the journal that the user named; no journal for a folder."""
    if not os.path.lexists(path):
        raise InputError(f"nothing to undo in {path!r}: it does not exist")
    if os.path.isdir(path):
        root = os.path.abspath(path)
        if not journals(root, "tag"):
            raise InputError(
                f"nothing to undo in {path!r}: it has no journal of mnv2 tag",
                "Nothing was tagged in it, or every tag run was undone or forgotten.",
            )
        return root, ""
    journal = os.path.abspath(path)
    folder, name = os.path.split(journal)
    if not os.path.isfile(journal) or os.path.basename(folder) != OWN_FOLDER:
        raise InputError(f"{path!r} is neither a folder nor a journal in FOLDER/{OWN_FOLDER}")
    if kind_of(name) != "tag":
        raise InputError(f"{path!r} is not a journal of mnv2 tag")
    return os.path.dirname(folder), journal


def _read(root: str, journal: str) -> TagRunToUndo:
    size = size_of(journal)  # before it is read: it may grow meanwhile
    return TagRunToUndo(root, journal, read_tag_journal(journal), size)


def forget(path: str) -> int:
    """Remove the journals and originals of the tag runs in a folder, or of one journal.

    They cannot be undone then. Where a sort may need the journal for its own undo, it stays.

    Returns:
        The bytes that this frees.

    Raises:
        InputError: There is none, or one is unfinished or was undone only in part.
        OutputError: They cannot be removed.
    """
    root, journal = _named(path)
    with locked_tree(root, ()):
        names = [journal] if journal else journals(root, "tag")
        states = {name: read_tag_journal(name) for name in names}
        for name, state in states.items():
            _check_complete(root, name, state)
        before = _sizes(names)
        for name, state in states.items():
            if state.is_needed() or journals(root):
                _mark_forgotten(name, state)
                remove_originals(name)
            else:
                remove_run(root, name, state)
            clean_up(root, state.header)
        return max(0, before - _sizes(names))


def cost(root: str) -> int:
    """Return the bytes on disk that undoing the tag runs in a folder requires."""
    return _sizes(journals(os.path.abspath(root), "tag"))


def _sizes(names: list[str]) -> int:
    return sum(size_of(name) + size_of(originals_path(name)) for name in names)


def _check_complete(root: str, name: str, state: TagState) -> None:
    if state.is_half_undone or (state.undoing and not state.tidied):
        raise InputError(
            f"the run of {name} was undone only in part", f"Finish that: {undo_command(root)}"
        )
    if state.is_unfinished:
        raise InputError(
            f"the run of {name} was interrupted",
            f"Run the same command again, or undo it: {undo_command(root)}",
        )


def _mark_forgotten(name: str, state: TagState) -> None:
    """Note that a run will not be undone, so that the undo of earlier ones is not held up."""
    left = state.done - state.undone
    journal = Journal(name)
    try:
        lines = [{"kept": number, "why": _FORGOTTEN} for number in sorted(left)]
        journal.append([{"undoing": True}, *lines, {"tidied": True}, {"forgotten": True}])
    finally:
        journal.close()
