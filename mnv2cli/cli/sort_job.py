"""One run of ``mnv2 sort``: classify photos, create a plan, apply it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.inputs import count_images, find_inputs, make_classifier, no_images, watched
from mnv2cli.cli.plan_page import TOP, PlanPage
from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.errors import NoImagesError
from mnv2cli.inference.report import Report
from mnv2cli.journals.folder import undo_command
from mnv2cli.results.corrections import read_corrections, unmatched_text
from mnv2cli.runs.own_files import without_own_files
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.dates import date_reader
from mnv2cli.sorting.destination import check_free_space
from mnv2cli.sorting.photos import OutsideOf
from mnv2cli.sorting.plan import make_plan
from mnv2cli.sorting.recover import finish
from mnv2cli.sorting.reviewed import Reviews, review
from mnv2cli.sorting.run import Outcome
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.records import Record, Source
    from mnv2cli.sorting.actions import Plan
    from mnv2cli.sorting.options import PlanOptions, SortOptions
    from mnv2cli.sources.options import Inputs

_MAX_SHOWN = 5
_MAX_ERRORS = 20  # in a quiet run


class SortJob:
    """One run of the command; other commands put photos into folders by it too.

    Args:
        dest: The destination, as typed.
        screen: Shows notices, progress and the summary.

    Attributes:
        page: The page to write; None for none.
    """

    def __init__(self, dest: str, screen: Screen) -> None:
        self._dest = dest
        self._screen = screen
        self._results: str | None = None  # the file of results to sort by
        self.page: PlanPage | None = None
        self._doing = "sorting"
        self._finished = 0  # files of an interrupted run
        self._unfinished: list[tuple[str, str]] = []  # its other files, and why

    def finish_interrupted(self) -> None:
        """Finish an interrupted run before finding photos, because it may move some."""
        interrupts = Interrupts()
        try:
            with interrupts.handling():
                outcome = finish(self._dest, interrupts.deferred)
        except KeyboardInterrupt:
            self._report_stopped()
            raise
        self._finished = outcome.finished
        if outcome.finished:
            self._screen.notice(
                f"Finished an interrupted run: {count(outcome.finished, 'file')}.", ""
            )
        self._unfinished = outcome.failed

    def plan(
        self, inputs: Inputs, plan: PlanOptions, options: SortOptions, classifier: ClassifierOptions
    ) -> Plan:
        """Return the plan for the inputs, or for a results file.

        Raises:
            NoImagesError: There are no images.
        """
        self._results = plan.results
        with self._unchanged_if_stopped(), date_reader(classifier.images) as taken:
            if plan.results is None:
                records = self._kept(self._classified(inputs, options, classifier))
                made = make_plan(records, options, taken)
            else:
                from mnv2cli.results.read import read_results

                rows: Iterable[Record] = read_results(plan.results)
                reviews = None
                if plan.corrections is not None:
                    corrections = read_corrections(plan.corrections)
                    rows = found = list(rows)
                    reviews = review(found, corrections, classifier.labels.categories)
                    self._warn_about(reviews, plan, options)
                made = make_plan(self._kept(rows), options, taken, plan.results, reviews)
        if not made.actions:
            raise NoImagesError("no images found", f"{plan.results} has no rows.")
        return made

    def _kept(self, records: Iterable[Record]) -> Iterable[Record]:
        """Return records, which pass through the page if there is one."""
        return self.page.passing(records) if self.page else records

    @contextmanager
    def _unchanged_if_stopped(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            also = " by this run" if self._finished else ""
            self._screen.notice(f"Stopped before sorting: no file was changed{also}.", "")
            raise

    def _warn_about(self, reviews: Reviews, plan: PlanOptions, options: SortOptions) -> None:
        """Warn about corrections that change less than the user may expect."""
        if not reviews.corrections:
            self._screen.warning(f"{plan.corrections} has no corrections")
        if text := unmatched_text(reviews.unmatched):
            self._screen.warning(text)
        if reviews.foreign and "category" in options.folders.fields:
            self._screen.warning(
                f"{plan.results} has the category {reviews.foreign!r}, which is not one of those "
                "that corrected labels get: add --categories FILE as for mnv2 classify"
            )

    def _classifier(self, options: SortOptions, classifier: ClassifierOptions) -> Classifier:
        """Return a classifier that reports what the folders are named after."""
        fields = options.folders.fields
        if "node" in fields and not classifier.labels.rollup:
            raise click.UsageError("{node} in the --template requires --rollup P.")
        labels = replace(classifier.labels, category="category" in fields)
        if self.page:
            labels = replace(labels, top=TOP)
        return make_classifier(replace(classifier, labels=labels), self._screen)

    def _classified(
        self, inputs: Inputs, options: SortOptions, classifier: ClassifierOptions
    ) -> Iterator[Record]:
        """Yield the records of the inputs, classified now."""
        screen, report = self._screen, Report()
        made = self._classifier(options, classifier)
        outside = OutsideOf(self._dest, inputs.paths)

        def wanted(sources: Iterator[Source]) -> Iterator[Source]:
            return without_own_files(outside(sources), on_skip=screen.skipped)

        total = None
        if inputs.list_file is None:
            total = partial(count_images, inputs.paths, inputs.filters, wanted)
        found = find_inputs(made, inputs, report, screen)
        records = made.run(
            wanted(found.sources), report.timings, found.sample, thumbnails=self.page is not None
        )
        with closing(records):
            yield from watched(records, made.network.name, report, screen, total)
        if not report.images:
            raise no_images(report)

    def write_page(self, plan: Plan, *, is_applied: bool) -> None:
        """Write the page of a plan, if wanted, before any photo is moved.

        Raises:
            OutputError: It cannot be written.
        """
        if self.page:
            with self._unchanged_if_stopped():
                self.page.write(plan, is_applied=is_applied)

    def show_written(self) -> None:
        """Show which page was written, if any."""
        if self.page:
            self._screen.lines(self.page.written())

    def write(self, plan: Plan, path: str) -> None:
        """Write a plan to a file."""
        from mnv2cli.cli.terminal.plan_tree import plan_summary, unsure_line
        from mnv2cli.sorting.plan_file import write_plan

        write_plan(plan, path)
        apply = shlex.join(["mnv2", "sort", "--apply", path, "--into", self._dest])
        self._screen.notice(f"Wrote the plan to {path}: {plan_summary(plan)}.", "")
        if unsure := unsure_line(plan):
            self._screen.notice(unsure, "")
        self._screen.notice(f"To apply it: {apply}", "")

    def show(self, plan: Plan) -> None:
        """Show a plan without applying it."""
        from mnv2cli.cli.terminal.plan_tree import print_tree

        print_tree(plan, verbose=self._screen.verbose)

    def apply_plan(self, plan: Plan) -> Outcome:
        """Apply a plan and show the summary.

        Raises:
            OutputError: The destination has no room for the files, or cannot be written.
        """
        check_free_space(plan)
        interrupts = Interrupts()
        try:
            with (
                interrupts.handling(),
                self._screen.counting(self._doing, len(plan.work)) as progress,
            ):
                outcome = apply(plan, progress, interrupts.deferred)
        except KeyboardInterrupt:
            self._report_stopped()
            raise
        known = {path for path, _ in outcome.failed}
        outcome.failed[:0] = [item for item in self._unfinished if item[0] not in known]
        self._show_outcome(plan, outcome)
        return outcome

    def _report_stopped(self) -> None:
        undo = undo_command(self._dest)
        self._screen.notice("Stopped between two files; no photo is lost.", "")
        self._screen.notice(f"To finish, run the same command again; to undo: {undo}", "")

    def _show_outcome(self, plan: Plan, outcome: Outcome) -> None:
        from mnv2cli.cli.terminal.sort_summary import sort_summary

        screen = self._screen
        screen.lines(sort_summary(plan, outcome, self._dest))
        failed = outcome.failed if screen.verbose else outcome.failed[:_MAX_SHOWN]
        for path, reason in failed:
            screen.warning(f"{path}: {reason}")
        if len(outcome.failed) > len(failed):
            screen.warning(f"and {len(outcome.failed) - len(failed):,} more; -v shows all")
        stayed = plan.left if screen.verbose else plan.left[:_MAX_SHOWN]
        for action in stayed:
            screen.notice(f"left  {action.source}: {action.reason}")
        if len(plan.left) > len(stayed):
            screen.notice(f"and {len(plan.left) - len(stayed):,} more; -v shows all")
        if self._results is not None:
            self._show_unsorted(plan, self._results)

    def _show_unsorted(self, plan: Plan, results: str) -> None:
        """Show why photos of a file of results were not sorted; classifying has not shown it."""
        unsorted = plan.unsorted
        if self._screen.quiet:
            for action in unsorted[:_MAX_ERRORS]:
                self._screen.error(f"{action.source}: {action.reason}")
            if len(unsorted) > _MAX_ERRORS:
                click.echo(f"... and {len(unsorted) - _MAX_ERRORS:,} more", err=True)
        if all(
            action.method == "leave"
            and not os.path.isabs(action.source)
            and not os.path.lexists(action.source)
            for action in plan.actions
        ):
            self._screen.warning(
                f"Paths in {results} are relative to the folder where mnv2 classify ran: "
                "run mnv2 sort there."
            )
