"""A tag plan as a CSV file that people can edit, and its checks when it is read back."""

from __future__ import annotations

from mnv2cli.tagging.actions import TagPlan


def write_plan(plan: TagPlan, path: str) -> None:
    """Write a plan as CSV, for people to edit.

    Raises:
        OutputError: The file cannot be written.
    """
    raise NotImplementedError


def read_plan(path: str) -> TagPlan:
    """Read a plan and check every row: people may have edited it.

    Raises:
        InputError: The file is not a plan, or a row cannot be applied. Up to ten rows are listed.
    """
    raise NotImplementedError
