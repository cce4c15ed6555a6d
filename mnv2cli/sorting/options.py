"""How photos are sorted, as the user asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mnv2cli.errors import InputError
from mnv2cli.sorting.actions import Method
from mnv2cli.sorting.folders import FolderTemplate


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """Which class folder a photo gets.

    Attributes:
        template: Names of folders, as in :class:`~mnv2cli.sorting.folders.FolderTemplate`.
        threshold: Photos whose score is below this go to ``unsure``.
        margin: And those whose score is less than this ahead of the next.
        min_count: Folders that would hold fewer photos are joined in ``other``.

    Raises:
        InputError: The template cannot be used, or not with a margin.
    """

    template: str = "{category}"
    threshold: float = 0.0
    margin: float = 0.0
    min_count: int = 1

    def __post_init__(self) -> None:
        if self.decisive == "node" and self.margin:
            raise InputError(
                "--margin has no meaning for --rollup", "A node and the one below share scores."
            )

    @property
    def fields(self) -> set[str]:
        """The fields of the template."""
        return FolderTemplate(self.template).fields

    @property
    def decisive(self) -> str:
        """The field whose score decides: ``category``, ``node`` or ``label``."""
        fields = self.fields
        return next((name for name in ("category", "node") if name in fields), "label")


@dataclass(frozen=True, slots=True)
class SortOptions:
    """How photos are sorted into a destination.

    Attributes:
        dest: The destination; need not exist.
        method: What to do with each photo.
        folders: Which class folder each photo gets.
    """

    dest: str
    method: Method = "copy"
    folders: FolderOptions = field(default_factory=FolderOptions)


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Where the plan of a run comes from, and what is done with it.

    Attributes:
        results: A file of results to sort by; None to classify the photos now.
        dry_run: Show the plan, and change nothing.
        write_to: Write the plan to this file, and change nothing else; None to carry it out.
        apply: Carry out the plan in this file; None to make one.
    """

    results: str | None = None
    dry_run: bool = False
    write_to: str | None = None
    apply: str | None = None

    @property
    def is_preview(self) -> bool:
        """Whether no photo is touched."""
        return self.dry_run or self.write_to is not None
