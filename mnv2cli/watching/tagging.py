"""Tag photos as they arrive."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import TracebackType

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
    """Writes keywords to photos, all in one run.

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

    @property
    def journal(self) -> str:
        """The path of the journal; empty if nothing was tagged."""
        return self._journal

    def __enter__(self) -> TagArrivals:
        """Finish an interrupted run."""
        outcome = finish(self._drop)
        self.notes += finished_note(outcome.finished)
        self.warnings += unfinished_warnings(outcome.failed)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
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
            outcome = apply(TagPlan(self._drop, plan.actions, plan.write), is_last=False)
            failed = {os.path.abspath(path): why for path, why in outcome.failed}
            self._journal = outcome.journal or self._journal
        actions = {action.source: action for action in reversed(plan.actions)}
        return [_arrived(record, actions.get(record.path), failed) for record in records]


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
