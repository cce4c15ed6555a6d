"""Shared by commands that classify images: check inputs, create the classifier, run it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from threading import Event
from typing import TYPE_CHECKING

import click

from mnv2cli.errors import NoImagesError
from mnv2cli.sources.filesystem import check_urls
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.lists import open_list, read_list
from mnv2cli.sources.missing import why_missing
from mnv2cli.sources.urls import is_url
from mnv2cli.system.urls import redact

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.inference.report import Report
    from mnv2cli.records import Record, Source
    from mnv2cli.sources.options import Filters, Inputs


def check_inputs(inputs: Inputs) -> None:
    """Check that there may be something to classify.

    Raises:
        UsageError: No input is given, or all of them are missing.
        InputError: A URL is malformed or unsupported.
    """
    paths = inputs.paths
    if inputs.null and inputs.list_file is None:
        raise click.UsageError("-0/--null requires --files-from.")
    if inputs.list_file is None and not paths:
        raise click.UsageError("Name images or folders, or a list of them with --files-from.")
    check_urls(paths)
    if paths and inputs.list_file is None and all(map(why_missing, paths)):
        more = f" (and {len(paths) - 1:,} more)" if len(paths) > 1 else ""
        raise click.UsageError(f"{why_missing(paths[0])}{more}.")


def make_classifier(
    options: ClassifierOptions, screen: Screen, cluster: str | None = None
) -> Classifier:
    """Return the classifier for a command.

    Args:
        options: The options of the classifier.
        screen: Shows its notices, warnings and downloads.
        cluster: The address of a Ray cluster; empty to start one here; None to run without Ray.
    """
    from mnv2cli.events import RunEvents
    from mnv2cli.images.decode import set_process_limit
    from mnv2cli.inference.classifier import Classifier

    set_process_limit(options.images.max_pixels)
    events = RunEvents(screen.notice, screen.warning, screen.download, screen.status)
    if cluster is None:
        return Classifier(**options.keywords(), events=events)
    from mnv2cli.inference.cluster.classifier import ClusterClassifier

    return ClusterClassifier(cluster, options, events, verbose=screen.verbose)


@dataclass(frozen=True)
class FoundInputs:
    """The images of a run, as found.

    Attributes:
        sources: The images; consumed once.
        sample: Returns the paths of images to calibrate int8 on.
    """

    sources: Iterator[Source]
    sample: Callable[[], Iterable[str]]


def find_inputs(
    classifier: Classifier, inputs: Inputs, report: Report, screen: Screen
) -> FoundInputs:
    """Return the images of inputs, which are found while they are consumed.

    Args:
        classifier: Has the filters.
        inputs: The images, as typed.
        report: Receives the counts of skipped files.
        screen: Shows skipped files.
    """
    from mnv2cli.inference.calibration import ReadAhead

    def on_skip(path: str, reason: str) -> None:
        report.skip(path, reason)
        screen.skipped(path, reason)

    listed: Iterable[str] = ()
    if inputs.list_file is not None:
        listed = read_list(open_list(inputs.list_file), null=inputs.null)
    sources = classifier.sources(inputs.paths, on_skip, listed)
    sample: Callable[[], Iterable[str]] = partial(classifier.sample, inputs.paths)
    if inputs.list_file is not None:  # a list is read only once: sample its first images
        sources = ahead = ReadAhead(sources, classifier.events.notice)
        sample = ahead.paths
    return FoundInputs(sources, sample)


def watched(
    records: Iterator[Record],
    name: str,
    report: Report,
    screen: Screen,
    total: Callable[[Event], int | None] | None,
) -> Iterator[Record]:
    """Yield records, counting them and showing their progress.

    Args:
        records: The records; the first loads the model.
        name: The name of the network that is loaded.
        report: Receives the counts.
        screen: Shows the progress.
        total: Returns the number of images; called in a thread. None if it is unknown.
    """
    for record in shown(records, name, screen, total):
        report.add(record)
        yield record


def shown(
    records: Iterator[Record],
    name: str,
    screen: Screen,
    total: Callable[[Event], int | None] | None,
) -> Iterator[Record]:
    """Yield records, showing that the model is loaded, and then their progress.

    Args:
        records: The records; the first loads the model.
        name: The name of the network that is loaded.
        screen: Shows the progress.
        total: Returns the number of images; called in a thread. None if it is unknown.
    """
    with screen.loading(name):
        started = list(islice(records, 1))
    with screen.progress(total) as advance:
        for record in chain(started, records):
            advance(record)
            yield record


def count_images(
    paths: tuple[str, ...],
    filters: Filters,
    wanted: Callable[[Iterator[Source]], Iterator[Source]],
    stopping: Event,
) -> int | None:
    """Count the images while they are classified, so the time left can be shown.

    Args:
        paths: The inputs, as typed.
        filters: Which files in folders to use.
        wanted: Returns those of the images that are used.
        stopping: Once set, the count is not needed.
    """
    images = 0
    for _ in wanted(iter(Finder(paths, filters))):
        if stopping.is_set():
            return None
        images += 1
    return images


def no_images(report: Report) -> NoImagesError:
    """Return the error for inputs without images, with the reasons why files were skipped."""
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in report.skipped.most_common())
    hint = f"Skipped: {reasons}." if reasons else "The inputs contain no files."
    if report.skipped["no image suffix"]:
        hint += " To try every file, add --all-files."
    return NoImagesError("no images found", hint)


def check_not_an_input(output: str | None, inputs: Inputs, options: ClassifierOptions) -> None:
    """Check that results do not overwrite a file that this run reads; raises UsageError."""
    if output is None:
        return
    read = [
        *inputs.paths,
        inputs.list_file,
        options.model.weights,
        options.labels.categories,
    ]
    for path in filter(None, read):
        if is_same(path, output):
            raise click.UsageError(f"The results would overwrite the input {redact(path)!r}.")


def is_same(path: str, output: str) -> bool:
    """Return whether two paths are of one file."""
    if path == output:
        return is_url(output) or os.path.isfile(path)
    return os.path.isfile(path) and os.path.exists(output) and os.path.samefile(path, output)
