"""Read journals and check every line, because anybody may have written it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from mnv2cli.errors import JournalError
from mnv2cli.sorting.actions import METHODS
from mnv2cli.sorting.journal import LARGEST_LINE, VERSION, JournalEntry, JournalState
from mnv2cli.sorting.targets import check_target
from mnv2cli.system.messages import reason


def read_journal(path: str) -> JournalState:
    """Return the state that a journal describes; a torn line at its end is ignored.

    Raises:
        JournalError: The journal cannot be read, is damaged, or is of another version.
    """
    try:
        with open(path, "rb") as file:
            number = os.fstat(file.fileno()).st_ino
            first = _parsed(file.readline(LARGEST_LINE), path, 1)
            if first.get("mnv2") != VERSION:
                raise JournalError(f"{path} is not a journal that this version of mnv2 can read")
            _check_header(first, path)
            state = JournalState({**first, "in_place": first.get("file") == number})
            count = 1
            while line := file.readline(LARGEST_LINE):
                count += 1
                if not line.endswith(b"\n") and not file.read(1):
                    break  # torn
                _apply(_parsed(line, path, count), state, path, count)
    except OSError as error:
        raise JournalError(f"cannot read the journal {path}: {reason(error)}") from error
    return state


def _damaged(path: str, line: int) -> JournalError:
    return JournalError(
        f"the journal {path} is damaged in line {line}",
        "Restore it from a backup. To sort without it, move it elsewhere; its run cannot be undone "
        "then.",
    )


def _check_header(header: dict[str, Any], path: str) -> None:
    made, times = header.get("made_dest", []), header.get("dest_times", {})
    fits = (
        isinstance(header.get("time"), int | float)
        and isinstance(made, list)
        and all(isinstance(folder, str) for folder in made)
        and isinstance(times, dict)
        and all(isinstance(pair, list) and len(pair) == 2 for pair in times.values())
        and all(isinstance(number, int) for pair in times.values() for number in pair)
    )
    if not fits:
        raise _damaged(path, 1)


def _parsed(line: bytes, path: str, count: int) -> dict[str, Any]:
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, count) from error
    if not isinstance(parsed, dict):
        raise _damaged(path, count)
    return parsed


def _apply(line: dict[str, Any], state: JournalState, path: str, count: int) -> None:
    try:
        kind = next((kind for kind in _KINDS if kind in line), "")
        _KINDS[kind](state, line)
    except (KeyError, TypeError, ValueError, JournalError) as error:
        raise _damaged(path, count) from error


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
    state.times.setdefault(str(line["times"]), (int(line["atime"]), int(line["mtime"])))


def _undoing(state: JournalState, line: dict[str, Any]) -> None:
    state.undoing, state.tidied = True, False


def _inherit(state: JournalState, line: dict[str, Any]) -> None:
    """Take over the state before the first run from a later journal, now removed."""
    found = line["inherit"]
    _check_header({"time": 0, **found}, "")
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
    numbers = (entry.number, entry.size, entry.mtime, entry.atime)
    if not all(isinstance(text, str) and "\0" not in text for text in texts):
        raise ValueError
    if not all(isinstance(number, int) for number in numbers):
        raise ValueError
    if entry.method not in METHODS or not os.path.isabs(entry.source):
        raise ValueError
    check_target(entry.target)
