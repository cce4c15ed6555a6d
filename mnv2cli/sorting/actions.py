"""The action for each file, and the plan that collects them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from mnv2cli.results.corrections import REJECTED

Method = Literal["copy", "move", "symlink", "hardlink"]
METHODS: tuple[Method, ...] = ("copy", "move", "symlink", "hardlink")
"""The methods that put a photo into the destination."""

IN_DESTINATION = "is in the destination already"
"""Why a photo that an earlier run has sorted stays."""

LINKS_TO_MOVED = "is a link to a photo that is moved"
"""Why a symbolic link stays: its photo is sorted, and moving the link too would sort it twice."""

AS_PLANNED = "as planned"
"""Why a file stays that the user left in an edited plan."""

DIFFERS = "differs from"
"""Why a companion stays whose shot is sorted already: a file in the destination has its name."""


@dataclass(frozen=True, slots=True)
class Action:
    """The action for one file.

    Attributes:
        source: Its path, as given.
        method: One of :data:`METHODS`, ``skip`` (it is already in the destination) or ``leave`` (it
            stays where it is).
        folder: The class folder, relative to the destination.
        target: Its new path, relative to the destination; empty for ``skip`` and ``leave``.
        reason: Why this action was chosen; may be empty.
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


def count_photos(actions: Iterable[Action]) -> tuple[int, int]:
    """Return the numbers of photos and of companions."""
    numbers = Counter(bool(action.photo) for action in actions)
    return numbers[False], numbers[True]


def _may_stay(action: Action) -> bool:
    fine = (IN_DESTINATION, LINKS_TO_MOVED, AS_PLANNED, REJECTED)
    return bool(action.photo) or action.reason in fine or action.reason.startswith(DIFFERS)


@dataclass
class Plan:
    """All actions, in the order of the records.

    Attributes:
        dest: The destination, an absolute path.
        actions: The actions of photos, each followed by the actions of its companions.
        by_default: No threshold was given, so the default one sends photos to ``unsure``.
    """

    dest: str
    actions: list[Action] = field(default_factory=list)
    by_default: bool = False

    @property
    def work(self) -> list[Action]:
        """The actions that change something."""
        return [action for action in self.actions if action.method in METHODS]

    @property
    def size(self) -> int:
        """The total size of the files of :attr:`work`, in bytes."""
        return sum(action.size for action in self.work)

    @property
    def skipped(self) -> list[Action]:
        """The files that are already in the destination."""
        return [action for action in self.actions if action.method == "skip"]

    @property
    def left(self) -> list[Action]:
        """The files that stay where they are."""
        return [action for action in self.actions if action.method == "leave"]

    @property
    def unsorted(self) -> list[Action]:
        """The photos of :attr:`left` that cannot be sorted, mostly because they cannot be read."""
        return [action for action in self.left if not _may_stay(action)]

    @property
    def staying(self) -> list[Action]:
        """The files of :attr:`left` that need not be sorted."""
        return [action for action in self.left if _may_stay(action)]

    def folders(self) -> dict[str, tuple[int, int]]:
        """Return the number of photos that go into each folder, and the bytes of all files."""
        counts: dict[str, tuple[int, int]] = {}
        for action in self.work:
            count, size = counts.get(action.folder, (0, 0))
            counts[action.folder] = (count + (not action.photo), size + action.size)
        return dict(sorted(counts.items()))
