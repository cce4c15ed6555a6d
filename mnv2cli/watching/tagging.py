"""Tag photos as they arrive."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any

from mnv2cli.errors import InputError, OutputError
from mnv2cli.journals.folder import prepare
from mnv2cli.journals.removal import clean_up
from mnv2cli.journals.tree import locked_tree
from mnv2cli.records import Record, Source
from mnv2cli.tagging.actions import TagAction, TagPlan, WriteOptions
from mnv2cli.tagging.apply import apply, finish_open
from mnv2cli.tagging.options import PlaceOptions, TagOptions
from mnv2cli.tagging.plan import make_plan
from mnv2cli.tagging.recover import finish
from mnv2cli.tagging.tagged import Untagged
from mnv2cli.watching.job import Arrived, finished_note, unfinished_warnings
from mnv2cli.watching.shots import Shot


class TagArrivals:
    """Writes keywords to photos, all in one run; meanwhile no other run can use the folder.

    Args:
        drop: The watched folder; its journal is in it.
        options: Which keywords a photo gets.
        place: Which files they are written to.
    """

    def __init__(self, drop: str, options: TagOptions, place: PlaceOptions) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.ignored: tuple[str, ...] = ()
        self._journal = ""
        self._drop = os.path.abspath(drop)
        self._options = options
        self._place = place
        self._lock = _FolderLock(self._drop)

    @property
    def journal(self) -> str:
        """The path of the journal; empty if nothing was tagged."""
        return self._journal

    def __enter__(self) -> TagArrivals:
        """Finish an interrupted run, and lock the folder.

        Raises:
            InputError: Another run uses the folder.
        """
        outcome = finish(self._drop)
        self._lock.acquire()
        self.notes += finished_note(outcome.finished)
        self.warnings += unfinished_warnings(outcome.failed)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._lock.release()
        if error is None or isinstance(error, GeneratorExit):
            finish_open(self._drop)
        return None

    def is_done(self, shot: Shot) -> bool:
        """Return whether a photo has keywords of this or an earlier run."""
        return not list(Untagged(self._place)([Source(shot.path)]))

    def process(self, records: Sequence[Record]) -> list[Arrived]:
        """Write keywords.

        Raises:
            InputError: Another run uses the folder.
            OutputError: A file cannot be written, as on a full disk.
        """
        plan = make_plan(records, self._options, self._place, WriteOptions())
        plan.root = self._drop
        failed: dict[str, str] = {}
        if plan.work:
            with self._lock.released():
                outcome = apply(TagPlan(self._drop, plan.actions, plan.write), is_last=False)
            failed = {os.path.abspath(path): why for path, why in outcome.failed}
            self._journal = outcome.journal or self._journal
        actions = {action.source: action for action in reversed(plan.actions)}
        return [_arrived(record, actions.get(record.path), failed) for record in records]

    def give_up(self, record: Record) -> None:
        """Leave a photo that cannot be read where it is."""


class _FolderLock:
    """Keeps other runs out of a folder between the batches of a run, which lock it themselves.

    Args:
        folder: The folder; where it cannot be written, it is not locked.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._stack = ExitStack()

    def acquire(self) -> None:
        """Lock the folder; raises InputError if another run uses it."""
        with ExitStack() as stack, suppress(OutputError, OSError):
            header = prepare(self._folder)
            stack.enter_context(locked_tree(self._folder, ()))
            stack.callback(self._clean_up, header, os.stat(self._folder))
            self._stack = stack.pop_all()

    def release(self) -> None:
        """Leave the folder to other runs, without a trace if it has no journal."""
        self._stack.close()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Leave the folder to another run of this process for a while."""
        self.release()
        try:
            yield
        finally:
            with suppress(InputError):  # the next batch finds out whether it is still used
                self.acquire()

    def _clean_up(self, header: dict[str, Any], before: os.stat_result) -> None:
        with suppress(OSError):
            now = os.stat(self._folder)
            if not os.path.samestat(before, now):
                return  # it was replaced
            times = header["dest_times"]
            if times and now.st_mtime_ns != before.st_mtime_ns:  # files came
                times = {self._folder: [now.st_atime_ns, now.st_mtime_ns]}
            clean_up(self._folder, {"dest_times": times})


def _arrived(record: Record, action: TagAction | None, failed: dict[str, str]) -> Arrived:
    if action is None:
        return Arrived(record, "left")
    if why := failed.get(os.path.abspath(action.file or record.path)):
        return Arrived(record, "failed", reason=why)
    if action.is_failure:
        return Arrived(record, "failed", reason=action.reason)
    if action.method in ("skip", "leave"):
        return Arrived(record, "skipped" if action.method == "skip" else "left", "", action.reason)
    words = action.tags.keywords if action.tags else ()
    return Arrived(record, "done", ", ".join(map(str, words)))
