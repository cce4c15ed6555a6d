"""Which files the runs into a destination put there, and where the last run put each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from mnv2cli.errors import JournalError
from mnv2cli.journals.file import journals
from mnv2cli.journals.history import History
from mnv2cli.sorting.journal import JournalEntry, JournalState
from mnv2cli.sorting.journal_reader import read_journal
from mnv2cli.system.files import content_digest


@dataclass(frozen=True, slots=True)
class Placed:
    """A file that runs put into a destination.

    Attributes:
        source: Its absolute path before the first of them.
        target: Its path after the last of them, relative to the destination, with ``/``.
        size: Bytes.
        sha256: The SHA-256 of its content; for a link that was moved, of the link's text.
        is_companion: It went with its photo.
        is_link: It is a link that was moved.
    """

    source: str
    target: str
    size: int
    sha256: str
    is_companion: bool = False
    is_link: bool = False

    @property
    def folder(self) -> str:
        """The class folder, relative to the destination, with ``/``."""
        return self.target.rpartition("/")[0]

    def path(self, dest: str) -> str:
        """Return where it was put."""
        return os.path.join(dest, *self.target.split("/"))

    def has_stayed(self, dest: str, history: History) -> bool:
        """Return whether it is still there, with its content, though tags of it may have changed.

        Args:
            dest: The destination.
            history: What tag runs did.
        """
        path = self.path(dest)
        try:
            if self.is_link:
                return os.path.islink(path)
            if os.stat(path).st_size == self.size and content_digest(path) == self.sha256:
                return True
            places = [path, self.source]
            is_tagged = next(history.changes(places), None) is not None
            return is_tagged and history.explains(places, self.sha256, content_digest(path))
        except (OSError, ValueError):
            return False

    def versions(self, dest: str, history: History) -> dict[str, int]:
        """Return the contents that tags made of its content, with their sizes; without itself."""
        if self.is_link:
            return {}
        return history.versions([self.path(dest), self.source], self.sha256)


def placed_files(dest: str) -> list[Placed]:
    """Return the files that runs put into a destination, as its journals have them.

    What was undone is not included. A file that a later run moved within the destination is
    included once. Journals that cannot be read are ignored.
    """
    found: dict[str, Placed] = {}  # by target
    for path in journals(os.path.abspath(dest)):
        with suppress(JournalError):
            state = read_journal(path)
            for entry in _happened(state):
                earlier = found.pop(state.target_of(entry.source), None)
                found[entry.target] = Placed(
                    earlier.source if earlier else entry.source,
                    entry.target,
                    entry.size,
                    entry.sha256,
                    bool(entry.photo),
                    bool(entry.link),
                )
    return list(found.values())


def _happened(state: JournalState) -> Iterator[JournalEntry]:
    for number, entry in state.entries.items():
        if number not in state.undone and number not in state.void:
            yield entry
