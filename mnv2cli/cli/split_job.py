"""One run of ``mnv2 split``: find photos and what belongs together, choose sets, put them there."""

from __future__ import annotations

import os
import shlex
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.inputs import shown
from mnv2cli.cli.sort_job import SortJob
from mnv2cli.cli.terminal.split_summary import split_lines, split_table, warnings_of
from mnv2cli.datasets.split import plan_split
from mnv2cli.datasets.split_lists import write_lists
from mnv2cli.errors import ExitCode
from mnv2cli.events import RunEvents
from mnv2cli.images.decode import set_process_limit
from mnv2cli.journals.folder import OWN_FOLDER, undo_command
from mnv2cli.learning.options import Running
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.datasets.split_lists import ListFormat
    from mnv2cli.datasets.split_options import Split, SplitOptions
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.records import Record
    from mnv2cli.sorting.actions import Plan
    from mnv2cli.sorting.run import Outcome
    from mnv2cli.sources.options import Inputs

_MAX_SHOWN = 5


class SplitJob:
    """One run of the command.

    Args:
        dest: The destination, as typed.
        lists: The format of lists; None for folders.
        screen: Shows notices, progress and the summary.
    """

    def __init__(self, dest: str, lists: ListFormat | None, screen: Screen) -> None:
        self._dest = dest
        self._lists = lists
        self._screen = screen
        self._placing = _Placing(dest, screen)

    def finish_interrupted(self) -> None:
        """Finish an interrupted run before photos are found, because their folders may change."""
        self._placing.finish_interrupted()

    def finished_all(self) -> ExitCode | None:
        """Return the exit code if there was an interrupted run, and show how it ended; else None.

        Called if no photos are left, because that run moved them.
        """
        return self._placing.finished_all()

    def plan(self, inputs: Inputs, options: SplitOptions, classifier: ClassifierOptions) -> Split:
        """Return the split of the inputs; nothing is changed."""
        screen = self._screen
        set_process_limit(classifier.images.max_pixels)
        events = RunEvents(screen.notice, screen.warning, screen.download, screen.status)
        running = Running(
            classifier.engine, classifier.images, inputs.filters, events, self._watched
        )
        try:
            found = plan_split(
                inputs.paths[0], self._dest, options=options, running=running, lists=self._lists
            )
        except KeyboardInterrupt:
            screen.notice("Stopped before splitting: no file was changed.", "")
            raise
        for path, why in found.skipped:
            screen.skipped(path, why)
        for path, why in found.unreadable:
            screen.unreadable(path, why)
        for text in warnings_of(found):
            screen.warning(text)
        return found

    def _watched(self, records: Generator[Record, None, None], total: int) -> Iterator[Record]:
        """Yield records, and show the progress."""
        yield from shown(records, "the network", self._screen, lambda stopping: total)
        self._screen.status("Comparing photos …")

    def show(self, split: Split) -> None:
        """Show a split without making it."""
        for line in split_table(split):
            click.echo(line)
        self._screen.lines([("Dry run", "nothing was changed", ""), *split_lines(split)])

    def write(self, split: Split, format: ListFormat, *, force: bool) -> None:
        """Write the lists of a split, and show the summary."""
        paths = write_lists(split, format, force=force)
        photos = sum(bool(photo.set) for photo in split.photos)
        lines = [("Split", f"{count(photos, 'photo')} into lists", "green")]
        lines += [("", line, "") for line in split_table(split)]
        lines += split_lines(split)
        lines.append(("Written", " ".join(map(shlex.quote, paths)), ""))
        self._screen.lines(lines)

    def apply_plan(self, split: Split) -> None:
        """Put photos into their sets, and show the summary.

        Raises:
            OutputError: The destination has no room for the files, or cannot be written.
        """
        self._placing.put(split)

    def exit_code(self, split: Split) -> ExitCode:
        """Return the exit code of a split."""
        if split.failed:
            return ExitCode.FAILED
        if split.unreadable or split.plan.unsorted:
            return ExitCode.SOME_UNREADABLE
        return ExitCode.DONE


class _Placing(SortJob):
    """Puts photos into the folders of their sets, with a journal that undo reads."""

    def __init__(self, dest: str, screen: Screen) -> None:
        super().__init__(dest, screen)
        self._doing = "splitting"

    def finished_all(self) -> ExitCode | None:
        """Show how an interrupted run ended, and return the exit code; None if there was none."""
        if not (self._finished or self._unfinished):
            return None
        for path, why in self._unfinished:
            self._screen.warning(f"{path}: {why}")
        self._screen.lines([("To undo", undo_command(self._dest), "")])
        return ExitCode.FAILED if self._unfinished else ExitCode.DONE

    def put(self, split: Split) -> None:
        """Put photos into their sets, and show the summary."""
        self._split = split
        self.apply_plan(split.plan)

    def _show_outcome(self, plan: Plan, outcome: Outcome) -> None:
        screen, split = self._screen, self._split
        split.failed = outcome.failed
        lines = split_lines(split, applied=True)
        if outcome.journal and (plan.work or self._finished):
            journal = os.path.join(self._dest, OWN_FOLDER, os.path.basename(outcome.journal))
            lines += [("Journal", journal, ""), ("To undo", undo_command(self._dest), "")]
        screen.lines(lines)
        for path, why in outcome.failed[: None if screen.verbose else _MAX_SHOWN]:
            screen.warning(f"{path}: {why}")
        for action in plan.left[: None if screen.verbose else _MAX_SHOWN]:
            screen.notice(f"left  {action.source}: {action.reason}")
