"""The plan of ``mnv2 tag``: from photos, of which those without tags are classified, or a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from mnv2cli.cli.inputs import make_classifier, no_images, watched
from mnv2cli.cli.tag_job import TagJob, report_stopped
from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.cli.terminal.tag_text import NO_WAY_OUT, WaysOut
from mnv2cli.engines.calibration import CALIBRATION_IMAGES
from mnv2cli.errors import InputError, NoImagesError
from mnv2cli.inference.report import Report
from mnv2cli.runs.own_files import without_own_files
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.lists import open_list, read_list
from mnv2cli.system.messages import count
from mnv2cli.tagging.actions import TagPlan
from mnv2cli.tagging.plan import make_plan, removal_plan, root_of
from mnv2cli.tagging.tagged import Untagged

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.records import Record, Source
    from mnv2cli.sources.options import Inputs
    from mnv2cli.tagging.actions import WriteOptions
    from mnv2cli.tagging.options import PlaceOptions, TagOptions

_MAX_SHOWN = 5


class TagPlans:
    """Make the plan of one run of the command; an interrupted run is finished first.

    Args:
        screen: Shows notices and progress.
        place: Which files are written.
        write: How they are written.
        is_preview: Change no file.
    """

    def __init__(
        self, screen: Screen, place: PlaceOptions, write: WriteOptions, *, is_preview: bool
    ) -> None:
        self._screen = screen
        self._place = place
        self._write = write
        self._is_preview = is_preview
        self._ways_out = WaysOut(tagged="") if place.refresh else WaysOut()

    def ready(self, plan: TagPlan) -> TagJob:
        """Return a plan that was read from a file, after finishing an interrupted run."""
        if any(plan.by("embed")):
            from mnv2cli.tagging.exiftool import find_exiftool

            find_exiftool()
        self._finish(plan.root)
        return TagJob(plan, NO_WAY_OUT)

    def from_results(self, path: str, options: TagOptions) -> TagJob:
        """Return the plan for the photos of a file of results.

        Raises:
            NoImagesError: It has no rows.
        """
        from mnv2cli.results.read import read_results

        records = list(read_results(path))
        if not records:
            raise NoImagesError("no images found", f"{path} has no rows.")
        if all(each.wnid for record in records for each in record.predictions):
            self._warn_of_unknown_names(options)
        root = root_of(record.path for record in records)
        with self._unchanged_if_stopped(self._finish(root)):
            plan = self._plan(records, options)
        if plan.without_category:
            self._warn_of_missing_categories(path, options)
        plan.root = root
        return TagJob(plan, self._ways_out, results=path)

    def _warn_of_unknown_names(self, options: TagOptions, class_names: Iterable[str] = ()) -> None:
        from mnv2cli.tagging.lists import unknown_names

        for text in islice(unknown_names(options, class_names), _MAX_SHOWN):
            self._screen.warning(text)

    def _warn_of_missing_categories(self, path: str, options: TagOptions) -> None:
        if options.what == "category":
            raise InputError(
                f"{path} has no categories: use --what label, or classify again with --category"
            )
        self._screen.warning(
            f"{path} has no categories, so only labels are written; to get them, classify again "
            "with --category"
        )

    def classified(
        self, inputs: Inputs, classifier: ClassifierOptions, options: TagOptions
    ) -> TagJob:
        """Return the plan for the inputs, of which those without tags are classified now.

        Raises:
            NoImagesError: There are no images.
        """
        with self._unchanged_if_stopped():
            made = make_classifier(classifier, self._screen)
            self._warn_of_unknown_names(options, made.network.class_names)
            sources = self._found(inputs)
            root = self._root(inputs, sources)
        with self._unchanged_if_stopped(self._finish(root)):
            wanted, tagged = (sources, 0) if self._place.refresh else self._untagged(sources)
            if not wanted:
                return TagJob(TagPlan(root, write=self._write), self._ways_out, tagged)
            sample = partial(made.sample, inputs.paths)
            if inputs.list_file is not None:
                sample = partial(_first_paths, sources)
            report = Report()
            records = made.run(iter(wanted), report.timings, sample)
            with closing(records):
                plan = self._plan(
                    watched(
                        records, made.network.name, report, self._screen, lambda _: len(wanted)
                    ),
                    options,
                )
        plan.root = root
        return TagJob(plan, self._ways_out, tagged, are_unreadable_shown=True)

    def _untagged(self, sources: list[Source]) -> tuple[list[Source], int]:
        """Return the photos without tags of earlier runs, and the number of the others."""
        untagged = Untagged(self._place)
        with self._screen.counting("looking for tags", len(sources)) as progress:
            wanted = list(untagged(sources, progress))
        return wanted, untagged.tagged

    def removal(self, inputs: Inputs) -> TagJob:
        """Return the plan that removes the keywords of earlier runs.

        Raises:
            NoImagesError: There are no images.
        """
        with self._unchanged_if_stopped():
            sources = self._found(inputs)
            root = self._root(inputs, sources)
        with self._unchanged_if_stopped(self._finish(root)):
            plan = removal_plan(sources, self._place, self._write)
        plan.root = root
        return TagJob(plan, self._ways_out)

    def _plan(self, records: Iterable[Record], options: TagOptions) -> TagPlan:
        return make_plan(records, options, self._place, self._write)

    def _found(self, inputs: Inputs) -> list[Source]:
        """Return all images of the inputs; raises NoImagesError if there are none."""
        report = Report()

        def on_skip(path: str, reason: str) -> None:
            report.skip(path, reason)
            self._screen.skipped(path, reason)

        listed: Iterable[str] = ()
        if inputs.list_file is not None:
            listed = read_list(open_list(inputs.list_file), null=inputs.null)
        found = Finder(inputs.paths, inputs.filters, on_skip, listed)
        sources = list(without_own_files(found, on_skip=self._screen.skipped))
        if not sources:
            raise no_images(report)
        return sources

    def _root(self, inputs: Inputs, sources: list[Source]) -> str:
        """Return the folder of the run: where its journal is, and what undo has to be given.

        It is the folder that was typed, even if all photos are in one subfolder.
        """
        folders = [path for path in inputs.paths if os.path.isdir(path)]
        inside = (os.path.join(folder, "any photo") for folder in folders)
        return root_of([*inside, *(source.path for source in sources)])

    def _finish(self, root: str) -> int:
        """Finish an interrupted run in a folder before files are looked at, as it changes some.

        Returns:
            The number of its files that turned out to be done.
        """
        if self._is_preview:
            return 0
        from mnv2cli.tagging.recover import finish

        interrupts = Interrupts()
        try:
            with interrupts.handling():
                outcome = finish(root, interrupts.deferred)
        except KeyboardInterrupt:
            report_stopped(root, self._screen)
            raise
        if outcome.finished:
            self._screen.notice(
                f"Finished an interrupted run: {count(outcome.finished, 'file')}.", ""
            )
        return outcome.finished

    @contextmanager
    def _unchanged_if_stopped(self, finished: int = 0) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            also = " by this run" if finished else ""
            self._screen.notice(f"Stopped before tagging: no file was changed{also}.", "")
            raise


def _first_paths(sources: list[Source]) -> list[str]:
    return [source.path for source in sources[:CALIBRATION_IMAGES]]
