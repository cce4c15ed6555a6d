"""The state of a run as any journal describes it, and the lines that all journals have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mnv2cli.journals.lines import check_header


@dataclass
class RunState:
    """What the journals of all kinds of runs describe.

    Attributes:
        header: The first line.
        done: Numbers of the actions that happened.
        void: Numbers of the actions that did not.
        times: Times (atime, mtime) of folders before anything changed in them, by absolute path;
            if the folder of the run was renamed since, by the path there.
        ended: The run is complete.
        undoing: Its undo has begun.
        tidied: Its undo is complete, though some files may have been kept.
        begun: Numbers of actions that earlier processes were about to undo.
        undone: Numbers of actions that were undone.
        kept: Numbers of actions that could not be undone, and why.
    """

    header: dict[str, Any]
    done: set[int] = field(default_factory=set)
    void: set[int] = field(default_factory=set)
    times: dict[str, tuple[int, int]] = field(default_factory=dict)
    ended: bool = False
    undoing: bool = False
    tidied: bool = False
    begun: set[int] = field(default_factory=set)
    undone: set[int] = field(default_factory=set)
    kept: dict[int, str] = field(default_factory=dict)

    @property
    def is_unfinished(self) -> bool:
        """The run was interrupted, and is not being undone."""
        return not (self.ended or self.undoing)

    @property
    def is_half_undone(self) -> bool:
        """Its undo was interrupted."""
        return self.undoing and bool(self.done - self.undone - set(self.kept))

    @property
    def is_undone(self) -> bool:
        """Its undo is complete, though some files may have been kept."""
        return self.undoing and self.tidied

    @property
    def is_over(self) -> bool:
        """No undo is possible any more; its journal is kept for something else."""
        return False


def _undoing(state: RunState, line: dict[str, Any]) -> None:
    state.undoing, state.tidied = True, False


def _undone(state: RunState, line: dict[str, Any]) -> None:
    for number in map(int, line["undone"]):
        state.undone.add(number)
        state.kept.pop(number, None)


def _inherit(state: RunState, line: dict[str, Any]) -> None:
    """Take over the state before the first run from a later journal, now removed."""
    found = line["inherit"]
    check_header({"time": 0, **found})
    state.header["made_dest"] = [*state.header.get("made_dest", []), *found["made_dest"]]
    state.header["dest_times"] = {**found["dest_times"], **state.header.get("dest_times", {})}


LINES: dict[str, Callable[[RunState, dict[str, Any]], object]] = {
    "done": lambda state, line: state.done.update(map(int, line["done"])),
    "void": lambda state, line: state.void.add(int(line["void"])),
    "begin": lambda state, line: setattr(state, "ended", False),
    "end": lambda state, line: setattr(state, "ended", True),
    "undoing": _undoing,
    "undo": lambda state, line: state.begun.add(int(line["undo"])),
    "tidied": lambda state, line: setattr(state, "tidied", True),
    "inherit": _inherit,
    "undone": _undone,
    "kept": lambda state, line: state.kept.update({int(line["kept"]): str(line["why"])}),
}
"""What lets a state follow each kind of line that all journals have."""
