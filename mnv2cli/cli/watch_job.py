"""One run of ``mnv2 watch``: a line for each photo, and a summary at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.inputs import make_classifier
from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.cli.terminal.watch_text import Goal, Tally, arrived_text, watch_summary
from mnv2cli.errors import ExitCode, InputError
from mnv2cli.sorting.options import FolderOptions, SortOptions

if TYPE_CHECKING:
    from mnv2cli.cli.options.tags import TagChoice
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.labels.options import LabelOptions
    from mnv2cli.records import Record, Source
    from mnv2cli.sorting.actions import Method
    from mnv2cli.watching.job import Arrived, Job
    from mnv2cli.watching.options import WatchOptions

_ONGOING = {"copy": "copied", "move": "moved", "symlink": "linked", "hardlink": "linked"}


class WatchJob:
    """One run of the command.

    Args:
        drop: The watched folder, as typed.
        options: The options of the classifier, without labels.
        watching: How the folder is watched.
        screen: Shows a line for each photo, and the summary.
    """

    def __init__(
        self, drop: str, options: ClassifierOptions, watching: WatchOptions, screen: Screen
    ) -> None:
        self._drop = drop
        self._options = options
        self._watching = watching
        self._screen = screen
        self._tally = Tally()

    def sort(
        self, dest: str, method: Method, folders: FolderOptions, labels: LabelOptions
    ) -> ExitCode:
        """Sort photos, and return the exit code."""
        from mnv2cli.watching.sorting import SortArrivals

        if "node" in folders.fields and not labels.rollup:
            raise click.UsageError("{node} in the --template requires --rollup P.")
        labels = replace(labels, category="category" in folders.fields)
        exclude = self._watching.exclude
        options = SortOptions(dest, method, folders, exclude=exclude, given=(self._drop,))
        job = SortArrivals(self._drop, options, self._options.images)
        verb = _ONGOING[method]
        goal = Goal(f"photos are {verb} into {dest}", f"{verb} into", dest)
        return self._run(job, self._classifier(labels), goal)

    def tag(self, tags: TagChoice, *, embed: bool) -> ExitCode:
        """Tag photos, and return the exit code."""
        from mnv2cli.tagging.exiftool import find_exiftool
        from mnv2cli.tagging.options import PlaceOptions
        from mnv2cli.watching.tagging import TagArrivals

        if embed:
            find_exiftool()
        job = TagArrivals(self._drop, tags.options(), PlaceOptions(embed))
        where = "the photos" if embed else "sidecars"
        goal = Goal(f"keywords are written into {where}", "tagged in", self._drop)
        return self._run(job, self._classifier(tags.labels()), goal)

    def write(self, output: str, labels: LabelOptions) -> ExitCode:
        """Write rows, and return the exit code."""
        from mnv2cli.results.check import check_not_folder, check_output, is_regular
        from mnv2cli.results.formats import is_resumable, suffix_format
        from mnv2cli.results.schema import Layout, extras
        from mnv2cli.sources.urls import is_url
        from mnv2cli.watching.rows import RowArrivals

        check_not_folder(output)
        if os.path.exists(output) and not is_regular(output):
            raise InputError(
                f"cannot append rows to {output!r}: it is not a regular file", "Name another file."
            )
        if is_url(output) or not is_resumable(format := suffix_format(output)):
            raise click.UsageError(
                "-o requires a local .csv or .jsonl file, to which rows are appended."
            )
        check_output(output, format, force=True)
        classifier = self._classifier(labels)
        found = extras(category=labels.category, node=labels.rollup is not None)
        layout = Layout(format, classifier.options.labels.top, False, found, False)
        job = RowArrivals(output, layout, classifier)
        goal = Goal(f"a row for each photo is appended to {output}", "written to", output)
        return self._run(job, classifier, goal)

    def _classifier(self, labels: LabelOptions) -> Classifier:
        return make_classifier(replace(self._options, labels=labels), self._screen)

    def _run(self, job: Job, classifier: Classifier, goal: Goal) -> ExitCode:
        """Watch until the end, and show the summary."""
        from mnv2cli.watching.watch import Watched, Watcher

        screen, interrupts = self._screen, Interrupts()
        has_begun = is_over = False

        def classify(sources: Iterator[Source], *, stop_requested: Event) -> Iterator[Record]:
            return classifier.run(sources, stop_requested=stop_requested)

        def begun() -> None:
            nonlocal has_begun
            has_begun = True
            end = "ends once all are done" if self._watching.once else "Ctrl-C ends it"
            screen.notice(f"Watching {self._drop}: {goal.text}; {end}.", "")

        watched = Watched(self._drop, job, classify, self._watching, classifier.events, begun)
        watcher = Watcher(watched, interrupts.stop_requested)
        try:
            with interrupts.graceful_stop():
                self._load(classifier)
                for arrived in watcher.run():
                    self._show(arrived)
                is_over = True
        except KeyboardInterrupt:
            if not is_over or (self._watching.once and not watcher.is_complete):
                raise
        finally:
            if has_begun:
                screen.lines(watch_summary(self._tally, goal, job.journal, is_over=is_over))
        if not self._watching.once:
            return ExitCode.DONE
        if self._tally.what["failed"]:
            return ExitCode.FAILED
        some = self._tally.what["unreadable"] + self._tally.what["incomplete"]
        return ExitCode.SOME_UNREADABLE if some else ExitCode.DONE

    def _load(self, classifier: Classifier) -> None:
        """Load the network before the first photo arrives, so that it need not wait."""
        engine = self._options.engine
        if self._watching.once or (engine.precision == "int8" and not engine.calibrate):
            return  # maybe there is no photo; int8 is calibrated on photos
        with self._screen.loading(classifier.network.name):
            classifier.load()

    def _show(self, arrived: Arrived) -> None:
        """Count a photo, and show its line."""
        self._tally.add(arrived)
        path = os.path.relpath(arrived.path, self._drop)
        if arrived.what in ("failed", "unreadable", "incomplete"):
            again = "" if self._watching.once else "; it is tried again if it changes"
            self._screen.warning(f"{arrived.path}: {arrived.reason}{again}")
        elif arrived.what != "skipped" or self._screen.verbose:
            now = time.strftime("%H:%M:%S")
            self._screen.notice(f"{now}  {arrived_text(arrived, path)}", "")
