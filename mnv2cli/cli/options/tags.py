"""Options for the keywords of mnv2 tag; ``@tag_options`` passes them as ``tags``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.types import SCORE
from mnv2cli.labels.imagenet import CLASS_COUNT
from mnv2cli.labels.options import LabelOptions
from mnv2cli.labels.thresholds import OWN_THRESHOLD
from mnv2cli.tagging.options import TagLists, TagOptions, What

if TYPE_CHECKING:
    from mnv2cli.models.options import ModelOptions

KEYWORDS = "Keywords"
"""The section of these options in the help."""


@dataclass(frozen=True, slots=True)
class TagChoice:
    """The options of keywords, as typed."""

    what: What | None
    threshold: float | None
    max_tags: int
    prefix: str
    hierarchy: bool
    categories: str | None
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def for_model(self, model: ModelOptions) -> TagChoice:
        """Return the options with what a model with its own classes determines.

        Its labels are written, and its thresholds are those that it was calibrated to.

        Raises:
            UsageError: An option requires ImageNet's classes, and the model has its own.
            InputError: The model does not exist, or is not one; the file of categories is not
                valid.
        """
        from mnv2cli.models import open_model

        network = open_model(model)
        if not network.class_names:
            return self
        if self.what in ("category", "both"):
            raise click.UsageError(
                f"--what {self.what} requires ImageNet's classes, and {network.model} has its own: "
                "its labels are written."
            )
        if self.has_categories():
            raise click.UsageError(
                f"The categories in {self.categories!r} require ImageNet's classes, and "
                f"{network.model} has its own. The section [tags] can be used."
            )
        usual = dict.fromkeys(network.class_names, OWN_THRESHOLD)
        return replace(self, what="label", thresholds=usual | dict(network.thresholds))

    def has_categories(self) -> bool:
        """Return whether there is a file with sections of categories, beside the lists of tags.

        Raises:
            InputError: The file is not valid.
        """
        if self.categories is None:
            return False
        from mnv2cli.labels.categories_file import TAGS, is_tags, read_sections

        sections = read_sections(self.categories)
        return bool(set(sections) - ({TAGS} if is_tags(sections) else set()))

    def labels(self) -> LabelOptions:
        """Return what to report for each photo."""
        return LabelOptions(
            top=self.max_tags if self.what != "category" else 1,
            category=self.what != "label",
            categories=self.categories if self.has_categories() else None,
            unknown=None,
        )

    def options(self) -> TagOptions:
        """Return which keywords a photo gets.

        Raises:
            InputError: The file of categories is not valid.
        """
        lists, categories = TagLists(), None
        if self.categories is not None:
            from mnv2cli.labels.categories_file import load
            from mnv2cli.tagging.lists import load_lists

            lists = load_lists(self.categories)
            categories = load(self.categories) if self.has_categories() else None
        return TagOptions(
            self.what or "both",
            self.threshold,
            self.thresholds,
            self.max_tags,
            lists,
            self.prefix,
            categories,
        )


_keywords = section(KEYWORDS)
tag_options = grouped(
    "tags",
    TagChoice,
    _keywords(
        "--what",
        type=click.Choice(["category", "label", "both"]),
        help="Write the category, the label, or both.  [default: both]",
    ),
    _keywords(
        "--threshold",
        type=SCORE,
        metavar="P",
        help="Write only what scores P or more.  [default: categories 0.5, labels 0.3]",
    ),
    _keywords(
        "--max-tags",
        type=click.IntRange(1, CLASS_COUNT),
        default=5,
        metavar="N",
        help="Write at most N keywords to a photo, the most certain.",
    ),
    _keywords(
        "--prefix",
        default="",
        metavar="TEXT",
        help="Begin each keyword with TEXT, such as auto/.  [default: none]",
        show_default=False,
    ),
    _keywords(
        "--hierarchy",
        is_flag=True,
        help="Also write category|label where a file has no hierarchy yet.",
    ),
    _keywords(
        "--categories",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Use the categories in FILE (TOML), and its lists of keywords to allow, block and "
        "rename, in the section [tags].  [default: built-in]",
    ),
)
