"""Which run in a folder an undo is of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar


class Undoable(Protocol):
    """A run that may be undone."""

    @property
    def is_undone(self) -> bool:
        """Its undo is complete, though some files may have been kept."""

    @property
    def is_over(self) -> bool:
        """No undo is possible any more; its journal is kept for something else."""


State = TypeVar("State", bound=Undoable)


def last_run(known: Sequence[str], read: Callable[[str], State]) -> tuple[str, State] | None:
    """Return the last run that is not undone; else the last one again, for files that it kept.

    Args:
        known: Journals, oldest first.
        read: Returns the state that a journal describes.

    Returns:
        The journal and its state; None if no undo is possible.
    """
    again = None
    for journal in reversed(known):
        state = read(journal)
        if not state.is_undone:
            return journal, state
        if again is None and not state.is_over:
            again = journal, state
    return again
