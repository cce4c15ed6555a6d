"""The lines of ``mnv2 watch``: one for each photo, and the summary."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mnv2cli.cli.terminal.summary import Line
from mnv2cli.journals.folder import OWN_FOLDER, undo_command
from mnv2cli.sorting.placement import UNSURE
from mnv2cli.system.messages import count, count_shots

if TYPE_CHECKING:
    from mnv2cli.records import Record
    from mnv2cli.watching.job import Arrived


@dataclass(frozen=True)
class Goal:
    """What a watch does with photos.

    Attributes:
        text: As part of a sentence, such as ``photos are copied into sorted``.
        done: What was done to them, such as ``copied into``.
        target: Where: the destination, the tagged folder or the file of rows, as typed.
    """

    text: str
    done: str
    target: str


@dataclass
class Tally:
    """Counts of a watch.

    Attributes:
        what: The number of photos by outcome.
        folders: The number of photos by folder.
        companions: The number of their companions.
    """

    what: Counter[str] = field(default_factory=Counter)
    folders: Counter[str] = field(default_factory=Counter)
    companions: int = 0

    def add(self, arrived: Arrived) -> None:
        """Count a photo."""
        self.what[arrived.what] += 1
        self.companions += arrived.companions
        if arrived.what == "done":
            self.folders[os.path.dirname(arrived.target)] += 1


def arrived_text(arrived: Arrived, path: str) -> str:
    """Return the line of a photo, without the time.

    Args:
        arrived: What was done with it.
        path: The photo, below the watched folder.
    """
    if arrived.what == "left":
        return f"{path} left: {arrived.reason or 'nothing to do'}"
    if arrived.what == "skipped":
        return f"{path} skipped: {arrived.reason}"
    folder, name = os.path.split(arrived.target)
    target = folder if folder and name == os.path.basename(path) else arrived.target
    score = _score(arrived.record)
    notes = [f"with {count(arrived.companions, 'companion')}"] if arrived.companions else []
    if arrived.reason:
        notes.append(arrived.reason)
    end = f"  ({'; '.join(notes)})" if notes else ""
    return f"{path} → {target or 'no label'}  {score}{end}".rstrip()


def _score(record: Record) -> str:
    if record.category is not None and record.category.name:
        return f"{record.category.score:.2f}"
    return f"{record.predictions[0].score:.2f}" if record.predictions else ""


def watch_summary(tally: Tally, goal: Goal, journal: str, *, is_over: bool = True) -> list[Line]:
    """Return the lines that summarise a watch.

    Args:
        tally: What happened.
        goal: What was to be done.
        journal: The path of the journal; empty for none.
        is_over: The watch ended as asked. Otherwise photos may have been processed that are not
            counted: those that were processed together when an error occurred.
    """
    what = tally.what
    lines: list[Line] = []
    if done := what["done"]:
        text = f"{count_shots(done, tally.companions)} {goal.done} {goal.target}"
        lines.append(("Done", text if is_over else f"at least {text}", "green"))
    elif is_over and not what.total():
        lines.append(("Done", "no new photo", ""))
    if unsure := tally.folders[UNSURE]:
        lines.append((UNSURE.capitalize(), f"{count(unsure, 'photo')}: low score", "yellow"))
    for name, text, style in (
        ("skipped", " already there", ""),
        ("left", " left in place", ""),
        ("incomplete", ", left in place", "yellow"),
        ("unreadable", ", left in place", "red"),
        ("failed", ", left in place", "red"),
    ):
        if number := what[name]:
            lines.append((name.capitalize(), f"{count(number, 'photo')}{text}", style))
    if journal:
        folder = os.path.join(goal.target, OWN_FOLDER, os.path.basename(journal))
        lines += [("Journal", folder, ""), ("To undo", undo_command(goal.target), "")]
    return lines
