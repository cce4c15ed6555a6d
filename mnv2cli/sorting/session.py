"""A sort that lasts: batch after batch of photos in one run, with one journal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType

from mnv2cli.errors import OutputError
from mnv2cli.journals.folder import locked, prepare
from mnv2cli.journals.opening import is_unfinished, open_journal
from mnv2cli.records import Record
from mnv2cli.sorting.actions import Plan
from mnv2cli.sorting.apply import Applier
from mnv2cli.sorting.dates import ReadDate, no_date
from mnv2cli.sorting.destination import EarlierRuns
from mnv2cli.sorting.journal import JournalEntry
from mnv2cli.sorting.journal_reader import read_journal
from mnv2cli.sorting.options import SortOptions
from mnv2cli.sorting.plan import make_plan
from mnv2cli.sorting.recover import settle
from mnv2cli.sorting.run import Outcome, SortRun


class SortSession(AbstractContextManager["SortSession"]):
    """One run of many batches; while it lasts, no other run can use the destination.

    A run that was interrupted is finished first, and continued: what is sorted next belongs to it.
    Without photos there is no journal.

    Args:
        options: How photos are sorted, and where to.

    Attributes:
        earlier: Where this and earlier runs put files.
        finished: The number of files of an interrupted run that were finished.
        failed: Paths of its other files, and why.
        journal: The path of the journal; empty as long as there is none.
    """

    def __init__(self, options: SortOptions) -> None:
        self.dest = os.path.abspath(options.dest)
        self.earlier = EarlierRuns(self.dest)
        self.finished = 0
        self.failed: list[tuple[str, str]] = []
        self._options = options
        self._stack = ExitStack()
        self._run: SortRun | None = None
        self._applier: Applier | None = None
        self._is_complete = True  # all announced actions are known to have happened or not

    @property
    def journal(self) -> str:
        """The path of the journal; empty as long as there is none."""
        return self._run.journal.path if self._run else ""

    def __enter__(self) -> SortSession:
        """Create and lock the destination, and finish an interrupted run.

        Raises:
            InputError: Another run uses the destination, or an interrupted undo must be finished.
            OutputError: The destination cannot be written.
        """
        with ExitStack() as stack:
            self._header = prepare(self.dest)
            stack.enter_context(locked(self.dest))
            self._own = os.stat(self.dest)
            if is_unfinished(self.dest, "sort", read_journal):
                run = self._opened(stack)
                self._is_complete = False
                self.finished = len({entry.source for entry in settle(run, resume=True)})
                self._is_complete = True
                self.failed = run.outcome.failed
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._stack:
            if self._run and self._is_complete:
                self._run.journal.append([{"end": True}])

    def _opened(self, stack: ExitStack) -> SortRun:
        if self._run is None:
            journal, state = open_journal(self.dest, "sort", self._header, read_journal)
            self._run = SortRun(self.dest, journal, state)
            stack.callback(self._run.close)
        return self._run

    def plan(self, records: Iterable[Record], taken: ReadDate = no_date) -> Plan:
        """Plan how to sort photos; change nothing.

        Args:
            records: The photos.
            taken: Returns when a photo was taken, for templates with a date.

        Raises:
            InputError: The records lack a field of the template.
        """
        self.earlier.renew()
        return make_plan(records, self._options, taken, earlier=self.earlier)

    def apply(self, plan: Plan) -> Outcome:
        """Apply a plan.

        Returns:
            The outcome of this plan; files that failed stayed where they were.

        Raises:
            OutputError: The destination is gone or cannot be written, or its disk is full. No photo
                is lost, and the next run resumes this one.
        """
        self._check_destination()
        if not plan.work:
            return Outcome(journal=self.journal)
        run = self._opened(self._stack)
        run.renew()
        if self._applier is None:
            run.journal.append([{"begin": time.time()}])
            self._applier = Applier(run, self._note)
        self._applier.renew()
        self._is_complete = False
        try:
            self._applier.do(plan.work)
        finally:
            run.confirm()
        self._is_complete = True
        return run.outcome

    def _note(self, entry: JournalEntry) -> None:
        assert self._run is not None
        self._run.state.entries[entry.number] = entry
        self._run.state.done.add(entry.number)
        self.earlier.note(entry)

    def _check_destination(self) -> None:
        """Check that the destination is still the folder that this run began in."""
        try:
            is_there = os.path.samestat(self._own, os.stat(self.dest))
            is_there = is_there and (not self.journal or os.path.exists(self.journal))
        except OSError:
            is_there = False
        if not is_there:
            raise OutputError(
                f"cannot write to {self.dest!r}: it was removed, renamed or unmounted",
                "No photo is lost. Run the same command again once it is back.",
            )
