"""One run of ``mnv2 tag``: find photos, classify those without tags, plan, write."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.inputs import make_classifier, no_images, watched
from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.cli.terminal.tag_text import NO_WAY_OUT, WaysOut, left_lines, shown_root
from mnv2cli.engines.calibration import CALIBRATION_IMAGES
from mnv2cli.errors import InputError, NoImagesError
from mnv2cli.inference.report import Report
from mnv2cli.journals.folder import undo_command
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
    from mnv2cli.tagging.actions import Kind, WriteOptions
    from mnv2cli.tagging.options import PlaceOptions, TagOptions
    from mnv2cli.tagging.run import TagOutcome

_MAX_SHOWN = 5
_MAX_ERRORS = 20  # in a quiet run


class TagJob:
    """One run of the command.

    Args:
        screen: Shows notices, progress and the summary.
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
        self._shown: set[Kind] = set()  # kinds of failures that are shown already
        self._results = ""  # the file of results, if labels come from one
        self._finished = 0  # files of an interrupted run
        self._tagged = 0  # photos that were skipped before they were classified

    def check_tools(self) -> None:
        """Check that photos can be written into; raises InputError."""
        from mnv2cli.tagging.exiftool import find_exiftool

        find_exiftool()

    def ready(self, plan: TagPlan) -> TagPlan:
        """Return a plan that was read from a file, after finishing an interrupted run."""
        self._ways_out = NO_WAY_OUT
        if any(plan.by("embed")):
            self.check_tools()
        self._finish(plan.root)
        return plan

    def from_results(self, path: str, options: TagOptions) -> TagPlan:
        """Return the plan for the photos of a file of results.

        Raises:
            NoImagesError: It has no rows.
        """
        from mnv2cli.results.read import read_results

        self._results = path
        records = list(read_results(path))
        if not records:
            raise NoImagesError("no images found", f"{path} has no rows.")
        if all(each.wnid for record in records for each in record.predictions):
            self._warn_of_unknown_names(options)
        root = root_of(record.path for record in records)
        self._finish(root)
        with self._unchanged_if_stopped():
            plan = self._plan(records, options)
        if plan.without_category:
            self._warn_of_missing_categories(plan, options)
        plan.root = root
        return plan

    def _warn_of_unknown_names(self, options: TagOptions, class_names: Iterable[str] = ()) -> None:
        from mnv2cli.tagging.lists import unknown_names

        for text in islice(unknown_names(options, class_names), _MAX_SHOWN):
            self._screen.warning(text)

    def _warn_of_missing_categories(self, plan: TagPlan, options: TagOptions) -> None:
        path = self._results
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
    ) -> TagPlan:
        """Return the plan for the inputs, of which those without tags are classified now.

        Raises:
            NoImagesError: There are no images.
        """
        with self._unchanged_if_stopped():
            made = make_classifier(classifier, self._screen)
            self._warn_of_unknown_names(options, made.network.class_names)
            sources = self._found(inputs)
            root = self._root(inputs, sources)
        self._finish(root)
        with self._unchanged_if_stopped():
            wanted = sources if self._place.refresh else self._untagged(sources)
            if not wanted:
                return TagPlan(root, write=self._write)
            sample = partial(made.sample, inputs.paths)
            if inputs.list_file is not None:
                sample = partial(_first_paths, sources)
            report = Report()
            self._shown = {"unreadable"}
            records = made.run(iter(wanted), report.timings, sample)
            with closing(records):
                plan = self._plan(
                    watched(
                        records, made.network.name, report, self._screen, lambda _: len(wanted)
                    ),
                    options,
                )
        plan.root = root
        return plan

    def _untagged(self, sources: list[Source]) -> list[Source]:
        """Return the photos without tags of earlier runs, and count the others."""
        untagged = Untagged(self._place)
        with self._screen.counting("looking for tags", len(sources)) as progress:
            wanted = list(untagged(sources, progress))
        self._tagged = untagged.tagged
        return wanted

    def removal(self, inputs: Inputs) -> TagPlan:
        """Return the plan that removes the keywords of earlier runs.

        Raises:
            NoImagesError: There are no images.
        """
        with self._unchanged_if_stopped():
            sources = self._found(inputs)
            root = self._root(inputs, sources)
        self._finish(root)
        with self._unchanged_if_stopped():
            plan = removal_plan(sources, self._place, self._write)
        plan.root = root
        return plan

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

    def _finish(self, root: str) -> None:
        """Finish an interrupted run in a folder before files are looked at, as it changes some."""
        if self._is_preview:
            return
        from mnv2cli.tagging.recover import finish

        interrupts = Interrupts()
        try:
            with interrupts.handling():
                outcome = finish(root, interrupts.deferred)
        except KeyboardInterrupt:
            self._report_stopped(root)
            raise
        self._finished = outcome.finished
        if outcome.finished:
            self._screen.notice(
                f"Finished an interrupted run: {count(outcome.finished, 'file')}.", ""
            )

    @contextmanager
    def _unchanged_if_stopped(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            also = " by this run" if self._finished else ""
            self._screen.notice(f"Stopped before tagging: no file was changed{also}.", "")
            raise

    def save(self, plan: TagPlan, path: str) -> None:
        """Write a plan to a file."""
        from mnv2cli.cli.terminal.tag_tree import plan_summary
        from mnv2cli.tagging.plan_file import write_plan

        write_plan(plan, path)
        apply = shlex.join(["mnv2", "tag", "--apply", path])
        self._show_failures(plan)
        self._screen.notice(f"Wrote the plan to {path}: {plan_summary(plan, self._tagged)}.", "")
        self._screen.notice(f"To apply it: {apply}", "")

    def show(self, plan: TagPlan) -> None:
        """Show a plan without applying it."""
        from mnv2cli.cli.terminal.tag_tree import print_plan

        print_plan(plan, self._tagged, self._ways_out, verbose=self._screen.verbose)

    def apply(self, plan: TagPlan) -> TagOutcome:
        """Apply a plan and show the summary.

        Raises:
            OutputError: The journal or a file cannot be written, as when the disk is full.
        """
        from mnv2cli.tagging.apply import apply

        interrupts = Interrupts()
        try:
            with (
                interrupts.handling(),
                self._screen.counting("tagging", len(plan.work)) as progress,
            ):
                outcome = apply(plan, progress, interrupts.deferred)
        except KeyboardInterrupt:
            self._report_stopped(plan.root)
            raise
        self._show_outcome(plan, outcome)
        return outcome

    def _show_outcome(self, plan: TagPlan, outcome: TagOutcome) -> None:
        from mnv2cli.cli.terminal.tag_summary import tag_summary
        from mnv2cli.tagging.find_run import cost

        screen = self._screen
        space = cost(plan.root) if outcome.done else 0
        screen.lines(tag_summary(plan, outcome, self._tagged, self._ways_out, space=space))
        failed = outcome.failed if screen.verbose else outcome.failed[:_MAX_SHOWN]
        for path, reason in failed:
            screen.warning(f"{path}: {reason}")
        if len(outcome.failed) > len(failed):
            screen.warning(f"and {len(outcome.failed) - len(failed):,} more; -v shows all")
        for line in left_lines(plan, verbose=screen.verbose):
            screen.notice(line)
        self._show_failures(plan)
        if self._results:
            self._explain_paths(plan)

    def _show_failures(self, plan: TagPlan) -> None:
        """Show in a quiet run why photos are not tagged, unless classifying has shown it."""
        failures = [action for action in plan.failures if action.kind not in self._shown]
        if self._screen.quiet:
            for action in failures[:_MAX_ERRORS]:
                self._screen.error(f"{action.source}: {action.reason}")
            if len(failures) > _MAX_ERRORS:
                click.echo(f"... and {len(failures) - _MAX_ERRORS:,} more", err=True)

    def _explain_paths(self, plan: TagPlan) -> None:
        """Say that paths of results are relative, if no photo is where they say."""
        paths = [action.source for action in plan.actions]
        if not any(os.path.isabs(path) or os.path.lexists(path) for path in paths):
            self._screen.warning(
                f"Paths in {self._results} are relative to the folder where mnv2 classify ran: "
                "run mnv2 tag there."
            )

    def _report_stopped(self, root: str) -> None:
        undo = undo_command(shown_root(root))
        self._screen.notice("Stopped between two files; no photo is lost.", "")
        self._screen.notice(f"To finish, run the same command again; to undo: {undo}", "")


def _first_paths(sources: list[Source]) -> list[str]:
    return [source.path for source in sources[:CALIBRATION_IMAGES]]
