"""What is to be done with files: an action for each, and the plan that holds them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Method = Literal["copy", "move", "symlink", "hardlink"]
METHODS: tuple[Method, ...] = ("copy", "move", "symlink", "hardlink")
"""What can be done with a photo."""

IN_DESTINATION = "is in the destination already"
"""Why a photo stays that an earlier run has sorted."""


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done with one file.

    Attributes:
        source: Its path, as given.
        method: One of :data:`METHODS`, or ``skip`` (already there) or ``leave`` (stays where it
            is).
        folder: The class folder, relative to the destination.
        target: Its new path, relative to the destination; empty for ``skip`` and ``leave``.
        reason: Why.
        size: Bytes.
        photo: For a companion, the path of its photo; empty for photos.
    """

    source: str
    method: Method | Literal["skip", "leave"]
    folder: str
    target: str
    reason: str = ""
    size: int = 0
    photo: str = ""


@dataclass
class Plan:
    """All actions, in the order of the records.

    Attributes:
        dest: The destination, an absolute path.
        actions: What is to be done; photos, each with its companions after it.
    """

    dest: str
    actions: list[Action] = field(default_factory=list)

    @property
    def work(self) -> list[Action]:
        """The actions that change something."""
        return [action for action in self.actions if action.method in METHODS]

    @property
    def size(self) -> int:
        """The bytes of the files that :attr:`work` is about."""
        return sum(action.size for action in self.work)

    @property
    def skipped(self) -> int:
        """How many files are there already."""
        return sum(action.method == "skip" for action in self.actions)

    @property
    def left(self) -> list[Action]:
        """The photos that stay where they are."""
        return [action for action in self.actions if action.method == "leave"]

    @property
    def unsorted(self) -> list[Action]:
        """Those of :attr:`left` that are not in the destination either; mostly unreadable ones."""
        return [action for action in self.left if action.reason != IN_DESTINATION]

    def folders(self) -> dict[str, tuple[int, int]]:
        """Return count and bytes of the files that come into each folder."""
        counts: dict[str, tuple[int, int]] = {}
        for action in self.work:
            count, size = counts.get(action.folder, (0, 0))
            counts[action.folder] = (count + 1, size + action.size)
        return dict(sorted(counts.items()))
