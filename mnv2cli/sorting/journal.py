"""The journal of a sort: actions announced, then confirmed, with everything undo needs.

A journal is a file of JSON lines in ``DEST/.mnv2``. Its first line describes the run, then come

    {"do": 7, "how": "move", "source": ..., "target": ..., "size": ..., "sha256": ..., ...}
    {"done": [7]}   or   {"void": 7, "why": ...}
    {"made": "cat"}                         a folder that is about to be created
    {"times": "/photos", "mtime": ...}      a folder whose times are about to change
    {"begin": ...}  {"end": true}           more actions follow; the run is complete
    {"undoing": true}                       the undo begins, and for each action
    {"undo": 7}  {"undone": [7]}  or  {"kept": 7, "why": ...}
    {"tidied": true}                        folders and times are restored too
    {"inherit": {"made_dest": ...}}         the state before, from a later journal now removed

Lines are on disk before the actions that they announce. A killed process leaves at most one torn
line at the end, and actions that were announced but not confirmed; ``settle`` in :mod:`.recover`
inspects the files to determine how far those went.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from mnv2cli.journals.run_state import RunState


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One announced action.

    Attributes:
        number: Its number in the journal, from 1.
        method: ``copy``, ``move``, ``symlink`` or ``hardlink``.
        source: Absolute path.
        target: Path relative to the destination, with ``/``.
        size: Bytes.
        sha256: Of the content.
        mtime: Nanoseconds since 1970.
        atime: Likewise.
        link: The text of the source, if it is a symbolic link that is moved; else empty.
        text: The text of the target, if it is a symbolic link; else empty.
        photo: For a companion, the absolute path of its photo; else empty.
    """

    number: int
    method: str
    source: str
    target: str
    size: int
    sha256: str
    mtime: int
    atime: int
    link: str = ""
    text: str = ""
    photo: str = ""


@dataclass
class JournalState(RunState):
    """The state that a journal describes.

    Attributes:
        entries: Announced actions by number.
        made: Folders that the run created, relative to the destination.
    """

    entries: dict[int, JournalEntry] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    @property
    def open(self) -> list[JournalEntry]:
        """Actions that were announced and neither confirmed nor voided."""
        settled = self.done | self.void
        return [entry for n, entry in self.entries.items() if n not in settled]

    def target_of(self, path: str) -> str:
        """Return an absolute path as a target; empty if it is not in the destination."""
        own = str(self.header.get("dest", "")).rstrip(os.sep) + os.sep
        return path[len(own) :].replace(os.sep, "/") if path.startswith(own) else ""


def line_of(entry: JournalEntry) -> dict[str, Any]:
    """Return the line that announces an action."""
    line = {
        "do": entry.number, "how": entry.method, "source": entry.source, "target": entry.target,
        "size": entry.size, "sha256": entry.sha256, "mtime": entry.mtime, "atime": entry.atime,
    }  # fmt: skip
    texts = {"link": entry.link, "text": entry.text, "photo": entry.photo}
    return {**line, **{name: text for name, text in texts.items() if text}}
