"""Which moves of a sort were interrupted, as the undo of tags needs it."""

from __future__ import annotations

import os
from typing import Any

from mnv2cli.errors import JournalError
from mnv2cli.journals.lines import check_path, read_lines


def unfinished_targets(journal: str) -> set[str]:
    """Return where a sort, or its undo, was about to move files to or from when it was killed.

    Args:
        journal: The journal of the sort.

    Returns:
        The absolute targets of moves that were announced, and neither confirmed nor given up;
        none if the journal cannot be read, or was not written where it is.
    """
    dest = os.path.dirname(os.path.dirname(journal))
    is_own: list[bool] = []
    targets: dict[int, str] = {}
    waiting: set[int] = set()

    def follow(line: dict[str, Any]) -> None:
        if "do" in line:
            if line["how"] == "move":
                number = int(line["do"])
                targets[number] = os.path.join(dest, *check_path(line["target"]).split("/"))
                waiting.add(number)
        elif "undo" in line:
            waiting.add(int(line["undo"]))
        for kind in ("done", "undone"):
            waiting.difference_update(map(int, line.get(kind, ())))
        for kind in ("void", "kept"):
            if kind in line:
                waiting.discard(int(line[kind]))

    try:
        read_lines(journal, lambda header: is_own.append(header["in_place"]), follow)
    except JournalError:
        return set()
    return {targets[number] for number in waiting if number in targets} if all(is_own) else set()
