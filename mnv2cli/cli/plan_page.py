"""The page of ``mnv2 sort --report``: the photos, and where the plan puts each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from mnv2cli.cli.report_job import ReportJob
from mnv2cli.records import Record
from mnv2cli.reporting.content import Content, Entry
from mnv2cli.reporting.places import Places, url_of
from mnv2cli.reporting.spool import ThumbnailSpool
from mnv2cli.reporting.write import ReportTarget
from mnv2cli.sorting.actions import Action, Plan

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.cli.terminal.summary import Line
    from mnv2cli.images.options import ImageOptions

TOP = 5
"""Labels of each photo; the plan needs two."""


class PlanPage:
    """The page of a plan.

    Records pass through it while the plan is made. Their thumbnails, of the same decoding, wait in
    a temporary file; others are made when the page is written.

    Args:
        path: The file of the page.
        images: How photos are decoded.
        screen: Shows the progress.
        classes: Names to offer as corrections.
        results: The file of results that the plan is made from; empty for none.
    """

    def __init__(
        self,
        path: str,
        images: ImageOptions,
        screen: Screen,
        classes: Iterable[str] = (),
        results: str = "",
    ) -> None:
        self._path = path
        self._job = ReportJob(ReportTarget(path), images, screen)
        self._classes = tuple(classes)
        self._results = results
        self._records: list[Record] | None = None
        self._spool = ThumbnailSpool(os.path.dirname(path))

    def passing(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield records without their thumbnails, and keep them."""
        self._records = kept = []
        for slim in self._spool.passing(records):
            kept.append(slim)
            yield slim

    def write(self, plan: Plan, *, is_applied: bool) -> None:
        """Write the page, before any photo is moved.

        Args:
            plan: The plan.
            is_applied: It is applied after that.

        Raises:
            OutputError: The page cannot be written.
        """
        applied_after = self._path if is_applied else ""
        entries = list(plan_entries(plan, self._records, applied_after))
        title = f"Plan for {os.path.basename(plan.dest) or plan.dest}"
        is_moved = is_applied and any(each.method == "move" for each in plan.actions)
        results = "" if is_moved else self._results  # which lead to the photos no more
        content = Content(title, entries, self._classes, results=results)
        with closing(self._spool):
            self._job.write(content, Places(), self._spool.find)

    def written(self) -> list[Line]:
        """Return the lines of a summary that name what was written."""
        return self._job.written()


def plan_entries(
    plan: Plan, records: Iterable[Record] | None, applied_after: str = ""
) -> Iterator[Entry]:
    """Yield the photos of a plan; companions are not shown, because they go with their photos.

    Args:
        plan: The plan.
        records: The labels that it was made from, in order; None if they are not known.
        applied_after: The file of the page, if the plan is applied after it is written: its links
            lead to the new places of photos that are moved. Empty if the plan is not applied.
    """
    actions = {each.source: each for each in plan.actions if not each.photo}
    if records is None:
        records = map(Record, list(actions))
    for record in records:
        action = actions.pop(record.path, None)  # None for a companion or a repetition
        if action is not None:
            yield Entry(
                record,
                target=action.folder,
                note="" if action.reason == record.error else action.reason,
                url=_new_url(action, plan.dest, applied_after) if applied_after else "",
            )


def _new_url(action: Action, dest: str, page: str) -> str:
    """Return the URL of a photo that will be moved; empty for others."""
    if action.method != "move":
        return ""
    return url_of(os.path.join(dest, *action.target.split("/")), page)
