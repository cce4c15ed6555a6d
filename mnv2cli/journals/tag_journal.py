"""The journal of a tag run: which files it changed, and what they were before.

Its first line describes the run, then come

    {"temps": ["2024/.IMG_1.jpg.mnv2"]}     temporary files that are about to be made
    {"do": 7, "how": "replace", "path": ..., "before": {...}, "after": {...}, "kept": [...], ...}
    {"done": [7]}   or   {"void": 7, "why": ...}
    {"times": "/photos", ...}               a folder whose times are about to change
    {"times": "/photos", ..., "restored": true}      a sort's undo restored older times
    {"moved": [["/photos/a.xmp", "/sorted/cat/a.xmp"]], "sort": "/sorted/.mnv2/..."}
                                            a sort is about to move files on; none for copies
    {"begin": ...}  {"end": true}           more actions follow; the run is complete
    {"undoing": true}                       the undo begins, and for each action
    {"undo": 7}  {"undone": [7]}  or  {"kept": 7, "why": ...}
    {"tidied": true}                        the times of folders are restored too
    {"forgotten": true}                     it will never be undone: its originals are removed
    {"inherit": {...}}                      the state before, from a later journal now removed

Lines are on disk before the actions that they announce.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from mnv2cli.journals.folder import OWN_FOLDER
from mnv2cli.journals.lines import check_integer, check_path, check_times, read_lines
from mnv2cli.journals.renamed import follow_rename, path_now
from mnv2cli.journals.run_state import LINES, RunState

How = Literal["create", "replace", "delete"]
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FileState:
    """What a file is.

    Attributes:
        size: Bytes.
        sha256: Of the content, in hexadecimal.
        mtime: Nanoseconds since 1970.
        atime: Likewise.
        mode: Permissions.
    """

    size: int
    sha256: str
    mtime: int = 0
    atime: int = 0
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """One announced change of a file.

    Attributes:
        number: Its number in the journal, from 1.
        how: ``create``, ``replace`` or ``delete``.
        path: Of the changed file, relative to the folder of the run, with ``/``.
        before: The file before; None for ``create``.
        after: The file after; None for ``delete``.
        kept: Where the content before is kept: offset and length in the file of originals, and
            whether it is a delta to the content after; None for ``create``.
        is_photo: The file is a photo, not a sidecar.
    """

    number: int
    how: How
    path: str
    before: FileState | None
    after: FileState | None
    kept: tuple[int, int, bool] | None = None
    is_photo: bool = False


@dataclass
class TagState(RunState):
    """The state that the journal of a tag run describes.

    Attributes:
        entries: Announced changes by number.
        temps: Temporary files that may exist, relative to the folder of the run.
        undo_times: Folders of ``times`` in which the run changed nothing, only its undo.
        moves: Moves of files that sorts were about to make: absolute paths before and after.
        sorts: Journals of the sorts that may need this journal for their undo, each with the moves
            that it announced.
        forgotten: It will never be undone.
    """

    entries: dict[int, ChangeEntry] = field(default_factory=dict)
    temps: list[str] = field(default_factory=list)
    undo_times: set[str] = field(default_factory=set)
    moves: list[tuple[str, str]] = field(default_factory=list)
    sorts: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    forgotten: bool = False

    @property
    def open(self) -> list[ChangeEntry]:
        """Changes that were announced and neither confirmed nor voided."""
        settled = self.done | self.void
        return [entry for n, entry in self.entries.items() if n not in settled]

    @property
    def remaining(self) -> list[ChangeEntry]:
        """Changes that happened and are not undone, the last first."""
        left = sorted(self.done - self.undone, reverse=True)
        return [self.entries[n] for n in left if n in self.entries]

    @property
    def is_settled(self) -> bool:
        """Nothing is left to undo, or nothing ever will be undone."""
        is_undone = self.undoing and self.tidied and not (self.open or self.remaining or self.kept)
        return self.forgotten or is_undone

    @property
    def is_over(self) -> bool:
        """No undo is possible any more; its journal is kept for the undo of a sort."""
        return self.forgotten or (self.is_settled and self.is_needed())

    def is_needed(self, without: str = "") -> bool:
        """Return whether the undo of a sort may need this journal, even if all is undone here.

        Args:
            without: The journal of a sort that is being undone.
        """
        return any(sort != without and os.path.lexists(sort) for sort in self.sorts)


def line_of(entry: ChangeEntry) -> dict[str, Any]:
    """Return the line that announces a change."""
    line: dict[str, Any] = {"do": entry.number, "how": entry.how, "path": entry.path}
    for name, state in (("before", entry.before), ("after", entry.after)):
        if state is not None:
            values = (state.size, state.sha256, state.mtime, state.atime, state.mode)
            line[name] = dict(zip(_STATE_FIELDS, values, strict=True))
    if entry.kept is not None:
        line["kept_at"] = list(entry.kept)
    if entry.is_photo:
        line["photo"] = True
    return line


_STATE_FIELDS = ("size", "sha256", "mtime", "atime", "mode")


def read_tag_journal(path: str) -> TagState:
    """Return the state that a journal describes; a torn line at its end is ignored.

    Raises:
        JournalError: The journal cannot be read, is damaged, or is of another version.
    """
    found: list[TagState] = []
    read_lines(
        path,
        lambda header: found.append(TagState(header)),
        lambda line: apply_line(line, found[0]),
    )
    if now := path_now(path, found[0].header):
        found[0].undo_times = set(map(now, found[0].undo_times))
    follow_rename(path, found[0])
    return found[0]


def check_below(value: Any) -> str:
    """Return a relative path from a journal after checking that it stays below its folder.

    Raises:
        ValueError: It is absolute, has ``..`` or NUL, or is in the own folder of runs.
    """
    if not (path := check_path(value)):
        raise ValueError("not a path")
    parts = path.replace("\\", "/").split("/") if os.sep == "\\" else path.split("/")
    if os.path.isabs(path) or os.path.splitdrive(path)[0]:
        raise ValueError("an absolute path")
    if any(part in ("", ".", "..") for part in parts) or parts[0].casefold() == OWN_FOLDER:
        raise ValueError("a path outside the folder")
    return path


def apply_line(line: dict[str, Any], state: TagState) -> None:
    """Let a state follow a line; raises KeyError, TypeError or ValueError if it is not valid."""
    kind = next((kind for kind in _KINDS if kind in line), "")
    _KINDS[kind](state, line)


def _do(state: TagState, line: dict[str, Any]) -> None:
    how = line["how"]
    before, after = _file_state(line.get("before")), _file_state(line.get("after"))
    kept = None
    if "kept_at" in line:
        offset, length, is_delta = line["kept_at"]
        kept = (_number(offset), _number(length), bool(is_delta))
    fits = {
        "create": before is None and after is not None,
        "replace": None not in (before, after, kept),
        "delete": None not in (before, kept) and after is None,
    }
    if not fits[how]:
        raise ValueError("an impossible change")
    number = _number(line["do"])
    state.entries[number] = ChangeEntry(
        number, how, check_below(line["path"]), before, after, kept, bool(line.get("photo"))
    )


def _file_state(value: Any) -> FileState | None:
    if value is None:
        return None
    size, sha256, mtime, atime, mode = (value[name] for name in _STATE_FIELDS)
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError("not a digest")
    return FileState(
        _number(size), sha256, check_integer(mtime), check_integer(atime), _number(mode) & 0o7777
    )


def _number(value: Any) -> int:
    if (number := check_integer(value)) < 0:
        raise ValueError("a negative number")
    return number


def _moved(state: TagState, line: dict[str, Any]) -> None:
    pairs = [(_absolute(old), _absolute(new)) for old, new in line["moved"]]
    state.moves += pairs
    if "sort" in line:
        state.sorts.setdefault(_absolute(line["sort"]), set()).update(pairs)


def _absolute(path: Any) -> str:
    if not os.path.isabs(check_path(path)):
        raise ValueError("not an absolute path")
    return str(path)


def _times(state: TagState, line: dict[str, Any]) -> None:
    folder, times = check_times(line)
    if not line.get("restored"):
        if state.undoing and folder not in state.times:
            state.undo_times.add(folder)
        state.times.setdefault(folder, times)
        return
    state.undo_times.discard(folder)
    state.times[folder] = times
    if folder in state.header.get("dest_times", {}):
        state.header["dest_times"][folder] = list(times)


_KINDS: dict[str, Callable[[TagState, dict[str, Any]], object]] = {
    "do": _do,
    "temps": lambda state, line: state.temps.extend(map(check_below, line["temps"])),
    "times": _times,
    "moved": _moved,
    "forgotten": lambda state, line: setattr(state, "forgotten", True),
    **LINES,
}
