"""Watch a folder from Python."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

from mnv2cli.errors import InputError
from mnv2cli.labels.options import LabelOptions
from mnv2cli.records import Record, Source
from mnv2cli.sorting.options import SortOptions
from mnv2cli.tagging.options import PlaceOptions, TagOptions
from mnv2cli.watching.job import Arrived, Job
from mnv2cli.watching.options import WatchOptions

if TYPE_CHECKING:
    from mnv2cli.inference.classifier import Classifier


def watch(
    drop: str | os.PathLike[str],
    into: SortOptions | TagOptions | str | os.PathLike[str],
    *,
    classifier: Classifier | None = None,
    options: WatchOptions | None = None,
    place: PlaceOptions | None = None,
    stop_requested: Event | None = None,
) -> Iterator[Arrived]:
    """Yield each photo of a folder once it was sorted or tagged, until asked to stop.

    Photos are processed as soon as they are complete, the existing ones first. What one call sorts
    or tags belongs to one run, which is undone together.

    Args:
        drop: The folder.
        into: The folder to sort photos into, or how they are sorted or tagged.
        classifier: Labels the photos. None for one that gives what ``into`` needs: if you pass one,
            its ``LabelOptions`` must have ``category=True`` for folders named by category.
        options: How the folder is watched, and when a photo is complete.
        place: With ``TagOptions``: which files keywords are written to.
        stop_requested: Once set, current photos are finished, and the iteration ends; it also ends
            with ``WatchOptions(once=True)``.

    Raises:
        InputError: The folder does not exist, photos are to be sorted by what the classifier does
            not give, or another run uses the destination.
        OutputError: The destination is gone or cannot be written. No photo is lost, and the next
            run resumes this one.
        WeightsError: The weights are not available.
    """
    from mnv2cli.events import RunEvents
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.watching.watch import Watched, Watcher

    drop = os.fspath(drop)
    if not os.path.isdir(drop):
        raise InputError(f"{drop!r} is not a folder")
    if not isinstance(into, SortOptions | TagOptions):
        into = SortOptions(os.fspath(into))
    labels = classifier.options.labels if classifier else _labels(into)
    if isinstance(into, SortOptions):
        _check_template(into.folders.fields, labels)
    made = classifier or Classifier(labels=labels)
    options = options or WatchOptions()

    def classify(sources: Iterator[Source], *, stop_requested: Event) -> Iterator[Record]:
        return made.run(sources, stop_requested=stop_requested)

    if isinstance(into, SortOptions):
        exclude = (*into.exclude, *options.exclude)
        into = replace(into, exclude=exclude, given=into.given or (drop,))
    job = _job(drop, into, place, made)
    events = made.events if classifier else RunEvents()
    watched = Watched(drop, job, classify, options, events)
    return Watcher(watched, stop_requested or Event()).run()


def _labels(into: SortOptions | TagOptions) -> LabelOptions:
    if isinstance(into, TagOptions):
        return LabelOptions(top=into.max_tags, category=into.what != "label")
    return LabelOptions(top=2, category="category" in into.folders.fields)


def _check_template(fields: set[str], labels: LabelOptions) -> None:
    """Check that photos get what folders are named by; raises InputError."""
    for field, is_given, option in (
        ("category", labels.category, "category=True"),
        ("node", labels.rollup is not None, "rollup=P"),
    ):
        if field in fields and not is_given:
            raise InputError(
                f"{{{field}}} in the template requires LabelOptions({option})",
                f"Pass classifier=Classifier(labels=LabelOptions({option})), or use another "
                "template.",
            )


def _job(
    drop: str, into: SortOptions | TagOptions, place: PlaceOptions | None, classifier: Classifier
) -> Job:
    if isinstance(into, TagOptions):
        from mnv2cli.watching.tagging import TagArrivals

        return TagArrivals(drop, into, place or PlaceOptions())
    from mnv2cli.watching.sorting import SortArrivals

    return SortArrivals(drop, into, classifier.options.images)
