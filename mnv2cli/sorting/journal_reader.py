"""Read journals and check every line, because anybody may have written it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from mnv2cli.journals.lines import check_header, check_integer, check_path, check_times, read_lines
from mnv2cli.journals.renamed import follow_rename
from mnv2cli.sorting.actions import METHODS
from mnv2cli.sorting.journal import JournalEntry, JournalState
from mnv2cli.sorting.targets import check_target


def read_journal(path: str) -> JournalState:
    """Return the state that a journal describes; a torn line at its end is ignored.

    Raises:
        JournalError: The journal cannot be read, is damaged, or is of another version.
    """
    found: list[JournalState] = []
    read_lines(
        path,
        lambda header: found.append(JournalState(header)),
        lambda line: _apply(line, found[0]),
    )
    follow_rename(path, found[0])
    return found[0]


def _apply(line: dict[str, Any], state: JournalState) -> None:
    kind = next((kind for kind in _KINDS if kind in line), "")
    _KINDS[kind](state, line)


def _do(state: JournalState, line: dict[str, Any]) -> None:
    entry = JournalEntry(
        line["do"], line["how"], line["source"], line["target"], line["size"], line["sha256"],
        line["mtime"], line["atime"], line.get("link", ""), line.get("text", ""),
        line.get("photo", ""),
    )  # fmt: skip
    _check(entry)
    state.entries[entry.number] = entry


def _made(state: JournalState, line: dict[str, Any]) -> None:
    check_target(line["made"])
    state.made.append(line["made"])


def _times(state: JournalState, line: dict[str, Any]) -> None:
    state.times.setdefault(*check_times(line))


def _undoing(state: JournalState, line: dict[str, Any]) -> None:
    state.undoing, state.tidied = True, False


def _inherit(state: JournalState, line: dict[str, Any]) -> None:
    """Take over the state before the first run from a later journal, now removed."""
    found = line["inherit"]
    check_header({"time": 0, **found})
    state.header["made_dest"] = [*state.header.get("made_dest", []), *found["made_dest"]]
    state.header["dest_times"] = {**found["dest_times"], **state.header.get("dest_times", {})}


def _undone(state: JournalState, line: dict[str, Any]) -> None:
    for number in map(int, line["undone"]):
        state.undone.add(number)
        state.kept.pop(number, None)


_KINDS: dict[str, Callable[[JournalState, dict[str, Any]], object]] = {
    "do": _do,
    "done": lambda state, line: state.done.update(map(int, line["done"])),
    "void": lambda state, line: state.void.add(int(line["void"])),
    "made": _made,
    "times": _times,
    "begin": lambda state, line: setattr(state, "ended", False),
    "end": lambda state, line: setattr(state, "ended", True),
    "undoing": _undoing,
    "undo": lambda state, line: state.begun.add(int(line["undo"])),
    "tidied": lambda state, line: setattr(state, "tidied", True),
    "inherit": _inherit,
    "undone": _undone,
    "kept": lambda state, line: state.kept.update({int(line["kept"]): str(line["why"])}),
}


def _check(entry: JournalEntry) -> None:
    """Check an action from an untrusted journal; raises ValueError."""
    texts = (
        entry.method,
        entry.source,
        entry.target,
        entry.sha256,
        entry.link,
        entry.text,
        entry.photo,
    )
    for text in texts:
        check_path(text)
    for number in (entry.number, entry.size, entry.mtime, entry.atime):
        check_integer(number)
    if entry.method not in METHODS or not os.path.isabs(entry.source):
        raise ValueError
    check_target(entry.target)
