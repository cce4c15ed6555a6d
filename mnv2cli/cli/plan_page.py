"""What the page of ``mnv2 sort --report`` shows: the photos, and where the plan puts each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from mnv2cli.records import Record
from mnv2cli.reporting.content import Entry
from mnv2cli.sorting.actions import Action, Plan


def plan_entries(
    plan: Plan, records: Iterable[Record] | None, *, is_applied: bool
) -> Iterator[Entry]:
    """Yield the photos of a plan; companions are not shown, because they go with their photos.

    Args:
        plan: The plan.
        records: The labels that it was made from, in order; None if they are not known.
        is_applied: The plan is applied after the page is written, so links lead to the new places
            of photos that are moved.
    """
    actions = {each.source: each for each in plan.actions if not each.photo}
    if records is None:
        records = map(Record, list(actions))
    for record in records:
        action = actions.pop(record.path, None)  # None for a companion or a repetition
        if action is not None:
            yield _entry(record, action, plan.dest if is_applied else "")


def _entry(record: Record, action: Action, dest: str) -> Entry:
    place = ""
    if dest and action.method == "move":
        place = os.path.join(dest, *action.target.split("/"))
    note = "" if action.reason == record.error else action.reason
    return Entry(record, target=action.folder, note=note, place=place)
