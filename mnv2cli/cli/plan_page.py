"""What the page of ``mnv2 sort --report`` shows: the photos, and where the plan puts each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from mnv2cli.records import Record
from mnv2cli.reporting.content import Entry
from mnv2cli.reporting.places import url_of
from mnv2cli.sorting.actions import Action, Plan


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
