"""Options for the class folders of mnv2 sort; ``@folder_options`` passes them as ``folders``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.options.labels import categories_option
from mnv2cli.cli.types import POSITIVE_SCORE, SCORE
from mnv2cli.labels.options import LabelOptions
from mnv2cli.labels.thresholds import OWN_THRESHOLD
from mnv2cli.sorting.options import FolderOptions

if TYPE_CHECKING:
    from mnv2cli.models.options import ModelOptions

FOLDERS = "Folders"
"""The section of these options in the help."""


@dataclass(frozen=True, slots=True)
class FolderChoice:
    """The options of class folders, as typed."""

    by: str | None
    template: str | None
    rollup: float | None
    categories: str | None
    threshold: float | None
    min_margin: float
    min_count: int
    unknown: bool | None
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def for_model(self, model: ModelOptions) -> FolderChoice:
        """Return the options with what a model with its own classes determines.

        Its folders are named by label, and its thresholds are those that it was calibrated to.

        Raises:
            UsageError: An option requires ImageNet's classes, and the model has its own.
            InputError: The model does not exist, or is not one.
        """
        from mnv2cli.models import open_model

        network = open_model(model)
        if not network.class_names:
            return self
        fields = set() if self.template is None else FolderOptions(self.template).fields
        for option, is_given in (
            ("--categories", self.categories is not None),
            ("--rollup", self.rollup is not None),
            (f"--by {self.by}", self.by in ("category", "wnid")),
            (f"--template {self.template!r}", bool(fields & {"category", "wnid", "node"})),
        ):
            if is_given:
                raise click.UsageError(
                    f"{option} requires ImageNet's classes, and {network.model} has its own: "
                    "use --by label, or {label} in the --template."
                )
        named = self.by or self.template
        usual = dict.fromkeys(network.class_names, OWN_THRESHOLD)
        return replace(
            self,
            by=self.by if named else "label",
            thresholds=usual | dict(network.thresholds),
        )

    def labels(self) -> LabelOptions:
        """Return what to report for each photo."""
        return LabelOptions(
            top=2, categories=self.categories, rollup=self.rollup, unknown=self.unknown
        )

    def options(self) -> FolderOptions:
        """Return how folders are named.

        Raises:
            UsageError: Options that cannot be combined.
            InputError: The template is not valid.
        """
        if self.template is not None and self.by is not None:
            raise click.UsageError("--by cannot be combined with --template.")
        name = "node" if self.rollup and self.by is None else self.by or "category"
        template = f"{{{name}}}" if self.template is None else self.template
        options = FolderOptions(
            template, self.threshold, self.min_margin, self.min_count, self.thresholds
        )
        if self.rollup and "node" not in options.fields:
            raise click.UsageError(
                "--rollup requires {node} in the --template, and cannot be combined with --by."
            )
        if self.categories is not None and "category" not in options.fields:
            raise click.UsageError(
                "--categories requires folders named by {category}: use --by category, or add "
                "{category} to the --template."
            )
        return options


_folders = section(FOLDERS)
folder_options = grouped(
    "folders",
    FolderChoice,
    _folders(
        "--by",
        type=click.Choice(["category", "label", "wnid"]),
        help="Name folders after this.  [default: category]",
    ),
    _folders(
        "--template",
        metavar="TEXT",
        help="Name folders as in '{year}/{category}'; fields: category, label, wnid, node, year, "
        "month, score, model.  [default: as --by]",
    ),
    _folders(
        "--rollup",
        type=POSITIVE_SCORE,
        metavar="P",
        help="Use the most specific name that scores P: spaniel, else dog, else animal.  "
        "[default: off]",
    ),
    categories_option(_folders),
    _folders(
        "--threshold",
        type=SCORE,
        metavar="P",
        help="Put photos into unsure/ if the score of their folder's name is below P.  "
        "[default: 0.5; for ImageNet labels 0.3]",
    ),
    _folders(
        "--min-margin",
        type=SCORE,
        default=0.0,
        metavar="M",
        help="Put photos into unsure/ if that score leads the next one by less than M.",
    ),
    _folders(
        "--min-count",
        type=click.IntRange(min=1),
        default=1,
        metavar="N",
        help="Put photos into other/ if their folder would get fewer than N.",
    ),
    _folders(
        "--unknown/--no-unknown",
        default=None,
        help="With a model of mnv2 learn, put photos unlike all its classes into unknown/, or not."
        "  [default: if the model can tell]",
    ),
)
