"""One run of ``mnv2 sort``: photos classified, a plan made, and carried out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.inputs import classify_inputs, make_classifier, no_images
from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.cli.terminal.text import size_text
from mnv2cli.inference.report import Report
from mnv2cli.runs.own_files import without_own_files
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.dates import date_reader
from mnv2cli.sorting.destination import check_free_space
from mnv2cli.sorting.photos import OutsideOf
from mnv2cli.sorting.plan import make_plan
from mnv2cli.sorting.recover import finish
from mnv2cli.sorting.run import Outcome

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.records import Record
    from mnv2cli.sorting.actions import Plan
    from mnv2cli.sorting.options import PlanOptions, SortOptions
    from mnv2cli.sources.options import Inputs

_VERBS = {"copy": "copied", "move": "moved", "symlink": "linked", "hardlink": "linked"}
_MAX_SHOWN = 20


class SortJob:
    """One run of the command.

    Args:
        dest: The destination.
        screen: Shows notices, progress and the outcome.
    """

    def __init__(self, dest: str, screen: Screen) -> None:
        self._dest = dest
        self._screen = screen
        self._unfinished: list[tuple[str, str]] = []  # what an interrupted run left, and why

    def finish_interrupted(self) -> None:
        """Finish what an interrupted run left, before photos are looked for: it moves them."""
        with Interrupts().handling():
            outcome = finish(self._dest)
        if outcome.finished:
            self._screen.notice(f"Finished an interrupted run: {outcome.finished:,} files.", "")
        self._unfinished = outcome.failed

    def plan(
        self, inputs: Inputs, plan: PlanOptions, options: SortOptions, classifier: ClassifierOptions
    ) -> Plan:
        """Return the plan for the inputs, or for the results that stand in for them.

        Raises:
            NoImagesError: There are none.
        """
        if plan.results is None:
            records = self._classified(inputs, options, classifier)
        else:
            from mnv2cli.results.read import read_results

            records = read_results(plan.results)
        with date_reader(classifier.images) as taken:
            made = make_plan(records, options, taken)
        if not made.actions:
            raise no_images(Report())
        return made

    def _classified(
        self, inputs: Inputs, options: SortOptions, classifier: ClassifierOptions
    ) -> Iterator[Record]:
        """Yield the records of the inputs, classified now."""
        fields = options.folders.fields
        if "node" in fields and not classifier.labels.rollup:
            raise click.UsageError("{node} needs --rollup P.")
        labels = replace(classifier.labels, category="category" in fields)
        screen, report = self._screen, Report()
        outside = OutsideOf(self._dest, inputs.paths)
        records = classify_inputs(
            make_classifier(replace(classifier, labels=labels), screen),
            inputs,
            report,
            screen,
            lambda sources: without_own_files(outside(sources)),
        )
        with closing(records), screen.progress(None) as advance:
            for record in records:
                report.add(record)
                advance(record)
                yield record
        if not report.images:
            raise no_images(report)

    def write(self, plan: Plan, path: str) -> None:
        """Write a plan to a file."""
        from mnv2cli.cli.terminal.plan_tree import plan_summary
        from mnv2cli.sorting.plan_file import write_plan

        write_plan(plan, path)
        self._screen.notice(
            f"The plan is in {path}: {plan_summary(plan)}. Carry it out with --apply.", ""
        )

    def show(self, plan: Plan) -> None:
        """Show a plan, which is not carried out."""
        from mnv2cli.cli.terminal.plan_tree import print_tree

        print_tree(plan, verbose=self._screen.verbose)

    def carry_out(self, plan: Plan) -> Outcome:
        """Carry out a plan, and show what came of it.

        Raises:
            OutputError: The destination has no room for it, or cannot be written.
        """
        check_free_space(plan)
        try:
            interrupts = Interrupts()
            with (
                interrupts.handling(),
                self._screen.counting("sorting", len(plan.work)) as progress,
            ):
                outcome = apply(plan, progress, interrupts.deferred)
        except KeyboardInterrupt:
            self._screen.notice(
                f"Stopped between two photos. Run the same command again to finish, or take it "
                f"back: mnv2 undo {plan.dest}",
                "",
            )
            raise
        known = {path for path, _ in outcome.failed}
        outcome.failed[:0] = [item for item in self._unfinished if item[0] not in known]
        self._show_outcome(plan, outcome)
        return outcome

    def _show_outcome(self, plan: Plan, outcome: Outcome) -> None:
        screen = self._screen
        verbs = sorted({_VERBS[action.method] for action in plan.work})
        text = (
            f"{outcome.done:,} files {' and '.join(verbs)} into {len(plan.folders()):,} folders of "
            f"{plan.dest}"
        )
        if "copied" in verbs:
            text += f", {size_text(plan.size)}"
        if not plan.work:
            text = f"nothing: there is nothing new for {plan.dest}"
        lines = [("Sorted", text, "")]
        if plan.skipped:
            lines.append(("Unchanged", f"{plan.skipped:,} were there already", ""))
        if plan.left:
            lines.append(("Left", f"{len(plan.left):,} stay where they are", "yellow"))
        if outcome.failed:
            lines.append(("Failed", f"{len(outcome.failed):,} stay where they are", "red"))
        if outcome.done:
            lines.append(("To undo", f"mnv2 undo {plan.dest}", ""))
        screen.lines(lines)
        for path, reason in outcome.failed[:_MAX_SHOWN]:
            screen.warning(f"{path}: {reason}")
        if len(outcome.failed) > _MAX_SHOWN:
            screen.warning(f"and {len(outcome.failed) - _MAX_SHOWN:,} more")
        for action in plan.left if screen.verbose else plan.left[:5]:
            screen.notice(f"left  {action.source}: {action.reason}")
