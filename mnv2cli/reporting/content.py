"""What a page shows: photos with their labels, and what else is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mnv2cli.records import Record
from mnv2cli.results.corrections import Correction


@dataclass(frozen=True, slots=True)
class Entry:
    """A photo on the page.

    Attributes:
        record: Its labels, or why it cannot be read.
        truth: Its class, if that is known; else empty.
        target: The folder where a plan puts it, with ``/``; empty for none.
        note: A remark, such as why a plan leaves it in place.
        before: Its labels in another run, to compare with.
        right: Whether its best label is right; None to compare the names of the label and of the
            category with ``truth``.
        url: Where the page finds the photo, if that is not the path of the record, as after a move;
            else empty.
    """

    record: Record
    truth: str = ""
    target: str = ""
    note: str = ""
    before: Record | None = None
    right: bool | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A tab of the page with figures.

    Attributes:
        title: Its name.
        html: Its content: valid HTML in which everything from names and files is escaped, without
            scripts, event handlers and ``style`` attributes, which the page's policy blocks.
    """

    title: str
    html: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a page shows.

    Attributes:
        title: Of the page, such as the name of the results file.
        entries: The photos.
        classes: Names to offer as corrections, in addition to those of the entries.
        corrections: Corrections made before, by path.
        panels: More tabs.
        results: The results file, for commands that take it with ``--from``; empty for none.
    """

    title: str
    entries: Sequence[Entry]
    classes: Sequence[str] = ()
    corrections: Mapping[str, Correction] = field(default_factory=dict)
    panels: tuple[Panel, ...] = ()
    results: str = ""
