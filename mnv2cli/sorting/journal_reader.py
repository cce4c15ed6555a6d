"""Read journals and check every line, because anybody may have written it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from mnv2cli.journals.lines import check_integer, check_path, check_times, read_lines
from mnv2cli.journals.renamed import follow_rename
from mnv2cli.journals.run_state import LINES
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


_KINDS: dict[str, Callable[[JournalState, dict[str, Any]], object]] = {
    "do": _do,
    "made": _made,
    "times": _times,
    **LINES,
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
