"""The action for each photo, and the plan that collects them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

from mnv2cli.tagging.tags import Tags

Method = Literal["sidecar", "embed", "skip", "leave"]
"""What happens to a photo."""

Kind = Literal["", "tagged", "unsure", "untagged", "unreadable"]
"""Why a photo is not written that is counted with others: it is tagged already, no score is high
enough, no earlier run wrote keywords, or its image cannot be read; empty for its own reason."""

KINDS: tuple[Kind, ...] = get_args(Kind)

WRITING: tuple[Method, ...] = ("sidecar", "embed")
"""The methods that change a file."""


@dataclass(frozen=True, slots=True)
class TagAction:
    """The action for one photo.

    Attributes:
        source: The path of the photo, as given.
        method: ``sidecar``, ``embed``, ``skip`` (it has these tags already) or ``leave`` (it gets
            none, as ``reason`` says).
        file: The file to write, a path like ``source``: the sidecar or the photo itself; empty for
            ``skip`` and ``leave``.
        tags: What to write; None to remove what earlier runs wrote.
        reason: Why this action was chosen; may be empty.
        is_failure: The photo should have been tagged and cannot be, mostly as it is unreadable.
        kind: Why it is skipped or left, if others are for the same reason.
    """

    source: str
    method: Method
    file: str = ""
    tags: Tags | None = None
    reason: str = ""
    is_failure: bool = False
    kind: Kind = ""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How files are written.

    Attributes:
        hierarchy: Write hierarchical keywords also where the file has none yet.
        touch: Let the modification time of photos change.
    """

    hierarchy: bool = False
    touch: bool = False


@dataclass
class TagPlan:
    """All actions, in the order of the records.

    Attributes:
        root: The folder that all photos are in, an absolute path; the journal is in it.
        actions: The actions.
        write: How files are written.
        without_category: The number of records that should give their category as a keyword and
            have none, because their results were created without categories.
        is_removal: It removes keywords of earlier runs, and writes none.
    """

    root: str
    actions: list[TagAction] = field(default_factory=list)
    write: WriteOptions = field(default_factory=WriteOptions)
    without_category: int = 0
    is_removal: bool = False

    @property
    def work(self) -> list[TagAction]:
        """The actions that change a file."""
        return [action for action in self.actions if action.method in WRITING]

    def by(self, method: Method) -> Iterator[TagAction]:
        """Yield the actions of one method."""
        return (action for action in self.actions if action.method == method)

    @property
    def failures(self) -> list[TagAction]:
        """The photos that cannot be tagged."""
        return [action for action in self.actions if action.is_failure]
