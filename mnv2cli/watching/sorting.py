"""Sort photos as they arrive, in one run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType

from mnv2cli.errors import InputError
from mnv2cli.images.options import ImageOptions
from mnv2cli.records import Record
from mnv2cli.sorting.actions import Action
from mnv2cli.sorting.dates import date_reader
from mnv2cli.sorting.options import SortOptions
from mnv2cli.sorting.session import SortSession
from mnv2cli.system.files import is_really_within
from mnv2cli.watching.job import Arrived, finished_note, unfinished_warnings
from mnv2cli.watching.shots import Shot


class SortArrivals:
    """Puts photos into the folders of a destination.

    Args:
        drop: The watched folder.
        options: How they are sorted, and where to.
        images: How images are read, for folders named by date.

    Raises:
        InputError: The watched folder is the destination, or in it.
    """

    def __init__(self, drop: str, options: SortOptions, images: ImageOptions) -> None:
        if is_really_within(drop, options.dest):
            raise InputError(
                f"{drop!r} is in the destination {options.dest!r}, whose photos are sorted already",
                "Name another destination with --into.",
            )
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.ignored: tuple[str, ...] = (options.dest,)
        self._options = options
        self._images = images
        self._session = SortSession(options)
        self._stack = ExitStack()

    @property
    def journal(self) -> str:
        """The path of the journal; empty if nothing was sorted."""
        return self._session.journal

    def __enter__(self) -> SortArrivals:
        """Lock the destination, and finish an interrupted run."""
        self._stack.enter_context(self._session)
        self.notes += finished_note(self._session.finished)
        self.warnings += unfinished_warnings(self._session.failed)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return self._stack.__exit__(kind, error, traceback)

    def is_done(self, shot: Shot) -> bool:
        """Return whether a run put all files of a photo into the destination, as they are now."""
        for file in shot.files:
            entry = self._session.earlier.last(os.path.abspath(file.path))
            if entry is None or (entry.size, entry.mtime) != (file.size, file.mtime):
                return False
        return True

    def process(self, records: Sequence[Record]) -> list[Arrived]:
        """Sort photos.

        Raises:
            InputError: The records lack a field of the template.
            OutputError: The destination is gone or cannot be written.
        """
        with date_reader(self._images) as taken:
            plan = self._session.plan(records, taken)
        outcome = self._session.apply(plan)
        failed = {os.path.abspath(path): why for path, why in outcome.failed}
        actions = {each.source: each for each in plan.actions if not each.photo}
        joined = Counter(
            each.photo for each in plan.work if os.path.abspath(each.source) not in failed
        )
        return [
            self._arrived(record, actions.get(record.path), failed, joined[record.path])
            for record in records
        ]

    def _arrived(
        self, record: Record, action: Action | None, failed: dict[str, str], companions: int
    ) -> Arrived:
        if why := failed.get(os.path.abspath(record.path)):
            return Arrived(record, "failed", reason=why)
        if action is None or action.method == "leave":
            return Arrived(record, "left", reason=action.reason if action else "")
        if action.method == "skip":
            what = "done" if companions else "skipped"
            target = action.folder
            return Arrived(record, what, target, action.reason, companions)  # type: ignore[arg-type]
        return Arrived(record, "done", action.target, action.reason, companions)
