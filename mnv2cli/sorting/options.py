"""How photos are sorted: the options that the user chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mnv2cli.errors import InputError
from mnv2cli.labels.thresholds import DEFAULT_THRESHOLDS
from mnv2cli.sorting.actions import Method
from mnv2cli.sorting.folders import FolderTemplate
from mnv2cli.sources.pairs import Pairs


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """How class folders are named, and which photos go to ``unsure`` and ``other``.

    The score of a folder's name is the score of the category, node or label in the template.

    Attributes:
        template: Names of folders, as in :class:`~mnv2cli.sorting.folders.FolderTemplate`.
        threshold: Photos whose score is below this go to ``unsure``; in [0, 1]. None for the
            default of the score: 0.5 for categories, 0.3 for labels, 0 for nodes and for templates
            with none of these.
        thresholds: With ``threshold`` None, the thresholds of single labels.
        min_margin: Photos whose lead over the next score is below this go there too; in [0, 1].
        min_count: Photos of folders with fewer photos go to ``other``.

    Raises:
        InputError: The template is not valid, or cannot be combined with a margin.
    """

    template: str = "{category}"
    threshold: float | None = None
    min_margin: float = 0.0
    min_count: int = 1
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.decisive == "node" and self.min_margin:
            raise InputError(
                "--min-margin cannot be combined with --rollup",
                "Omit one: a node's score includes the nodes below it, so it has no next score.",
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

    @property
    def lowest(self) -> float:
        """The threshold in use: the given one, or the default of the decisive score."""
        if self.threshold is not None:
            return self.threshold
        if not self.fields & {"category", "node", "label", "wnid"}:
            return 0.0  # such as {year}: no name of a folder can be wrong
        return DEFAULT_THRESHOLDS[self.decisive]

    def lowest_for(self, label: str) -> float:
        """The threshold in use for a label: the given one, or its own, or the default."""
        if self.threshold is None and self.decisive == "label":
            return self.thresholds.get(label, self.lowest)
        return self.lowest


@dataclass(frozen=True, slots=True)
class SortOptions:
    """How photos are sorted into a destination.

    Attributes:
        dest: The destination; it need not exist.
        method: What to do with each photo.
        folders: How class folders are named.
        pairs: With ``first``, a raw photo whose developed image has a record too goes with that
            image; with ``both``, each is sorted by its own record.
        exclude: Patterns; a file that matches one of them stays, also beside its photo. They are
            matched as in :class:`~mnv2cli.sources.options.Filters`.
        given: The files and folders that were typed, where patterns with a slash start.
        refresh: The photos are in the destination, and are sorted within it again.
    """

    dest: str
    method: Method = "copy"
    folders: FolderOptions = field(default_factory=FolderOptions)
    pairs: Pairs = "both"
    exclude: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Where the plan of a run comes from, and what to do with it.

    Attributes:
        results: A file of results to sort by; None to classify the photos now.
        corrections: A file of corrections of these results; None for none.
        dry_run: Show the plan and change nothing.
        write_to: Write the plan to this file and change nothing else; None to apply it.
        apply: Apply the plan in this file; None to create a plan.
        refresh: Sort the photos again that earlier runs put into the destination.
        report: Also write the plan as a page for browsers to this file; None for no page.
    """

    results: str | None = None
    corrections: str | None = None
    dry_run: bool = False
    write_to: str | None = None
    apply: str | None = None
    refresh: bool = False
    report: str | None = None

    @property
    def is_preview(self) -> bool:
        """Whether the run changes no photo."""
        return self.dry_run or self.write_to is not None
