"""What ``mnv2 tag`` does with a plan: save it, show it, or apply it and show the summary."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.cli.terminal.tag_text import WaysOut, left_lines, shown_root
from mnv2cli.journals.folder import undo_command

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.tagging.actions import TagPlan
    from mnv2cli.tagging.run import TagOutcome

_MAX_SHOWN = 5
_MAX_ERRORS = 20  # in a quiet run


@dataclass(frozen=True)
class TagJob:
    """A plan, and what messages about it have to say.

    Attributes:
        plan: The plan.
        ways_out: How to tag the photos that get no keywords.
        tagged: Number of photos that were skipped and are not in the plan.
        results: The file of results that labels come from; empty for none.
        are_unreadable_shown: Classifying has shown which images cannot be read.
    """

    plan: TagPlan
    ways_out: WaysOut
    tagged: int = 0
    results: str = ""
    are_unreadable_shown: bool = False


def save(job: TagJob, path: str, screen: Screen) -> None:
    """Write the plan to a file."""
    from mnv2cli.cli.terminal.tag_tree import plan_summary
    from mnv2cli.tagging.plan_file import write_plan

    write_plan(job.plan, path)
    apply = shlex.join(["mnv2", "tag", "--apply", path])
    _show_failures(job, screen)
    screen.notice(f"Wrote the plan to {path}: {plan_summary(job.plan, job.tagged)}.", "")
    screen.notice(f"To apply it: {apply}", "")


def show(job: TagJob, screen: Screen) -> None:
    """Show the plan without applying it."""
    from mnv2cli.cli.terminal.tag_tree import print_plan

    print_plan(job.plan, job.tagged, job.ways_out, verbose=screen.verbose)


def apply(job: TagJob, screen: Screen) -> TagOutcome:
    """Apply the plan and show the summary.

    Raises:
        OutputError: The journal or a file cannot be written, as when the disk is full.
    """
    from mnv2cli.tagging.apply import apply as apply_plan

    plan, interrupts = job.plan, Interrupts()
    try:
        with interrupts.handling(), screen.counting("tagging", len(plan.work)) as progress:
            outcome = apply_plan(plan, progress, interrupts.deferred)
    except KeyboardInterrupt:
        report_stopped(plan.root, screen)
        raise
    _show_outcome(job, outcome, screen)
    return outcome


def report_stopped(root: str, screen: Screen) -> None:
    """Show what to do after a run that was interrupted."""
    undo = undo_command(shown_root(root))
    screen.notice("Stopped between two files; no photo is lost.", "")
    screen.notice(f"To finish, run the same command again; to undo: {undo}", "")


def _show_outcome(job: TagJob, outcome: TagOutcome, screen: Screen) -> None:
    from mnv2cli.cli.terminal.tag_summary import tag_summary
    from mnv2cli.tagging.find_run import cost

    space = cost(job.plan.root) if outcome.done else 0
    screen.lines(tag_summary(job.plan, outcome, job.tagged, job.ways_out, space=space))
    failed = outcome.failed if screen.verbose else outcome.failed[:_MAX_SHOWN]
    for path, reason in failed:
        screen.warning(f"{path}: {reason}")
    if len(outcome.failed) > len(failed):
        screen.warning(f"and {len(outcome.failed) - len(failed):,} more; -v shows all")
    for line in left_lines(job.plan, verbose=screen.verbose):
        screen.notice(line)
    _show_failures(job, screen)
    if job.results:
        _explain_paths(job, screen)


def _show_failures(job: TagJob, screen: Screen) -> None:
    """Show in a quiet run why photos are not tagged, unless classifying has shown it."""
    if not screen.quiet:
        return
    failures = [
        action
        for action in job.plan.failures
        if not (job.are_unreadable_shown and action.kind == "unreadable")
    ]
    for action in failures[:_MAX_ERRORS]:
        screen.error(f"{action.source}: {action.reason}")
    if len(failures) > _MAX_ERRORS:
        click.echo(f"... and {len(failures) - _MAX_ERRORS:,} more", err=True)


def _explain_paths(job: TagJob, screen: Screen) -> None:
    """Say that paths of results are relative, if no photo is where they say."""
    paths = [action.source for action in job.plan.actions]
    if not any(os.path.isabs(path) or os.path.lexists(path) for path in paths):
        screen.warning(
            f"Paths in {job.results} are relative to the folder where mnv2 classify ran: run mnv2 "
            "tag there."
        )
