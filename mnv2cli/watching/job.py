"""What a watch does with complete photos: one protocol for sorting, tagging and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol

from mnv2cli.records import Record
from mnv2cli.system.messages import count
from mnv2cli.watching.shots import Shot

What = Literal["done", "skipped", "left", "failed", "unreadable", "incomplete"]
"""The outcome for one photo: processed; nothing to do; stays as it is; an error; not readable; with
``once``, it does not stand still."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A photo that arrived, and what was done with it.

    Attributes:
        record: The photo and its labels.
        what: The outcome.
        target: Where it is now, or what was written; empty for nothing.
        reason: Why, unless it is done.
        companions: Number of companions that went with it.
    """

    record: Record
    what: What
    target: str = ""
    reason: str = ""
    companions: int = 0

    @property
    def path(self) -> str:
        """The photo."""
        return self.record.path


class Job(Protocol):
    """What is done with complete photos. It is entered before the first and left after the last.

    Attributes:
        notes: What to tell the user about an interrupted run that was finished.
        warnings: Which of its files could not be finished, and why.
        ignored: Folders in the watched folder that are to be ignored.
    """

    notes: list[str]
    warnings: list[str]
    ignored: tuple[str, ...]

    @property
    def journal(self) -> str:
        """The path of the journal; empty if there is none."""

    def __enter__(self) -> object: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None: ...

    def is_done(self, shot: Shot) -> bool:
        """Return whether this or an earlier run processed a photo as it is."""

    def process(self, records: Sequence[Record]) -> list[Arrived]:
        """Process photos that can be read, and return the outcome for each.

        Raises:
            OutputError: Nothing more can be written, as on a full disk.
        """


def finished_note(finished: int) -> list[str]:
    """Return the note on an interrupted run of which a number of files were finished."""
    return [f"Finished an interrupted run: {count(finished, 'file')}."] if finished else []


def unfinished_warnings(failed: Sequence[tuple[str, str]]) -> list[str]:
    """Return a warning for each file of an interrupted run that could not be finished."""
    return [f"{path}: not finished after an interruption: {why}" for path, why in failed]
