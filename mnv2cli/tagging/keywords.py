"""The keywords of a record."""

from __future__ import annotations

from mnv2cli.records import Record
from mnv2cli.tagging.options import TagOptions
from mnv2cli.tagging.tags import Tags


def tags_of(record: Record, options: TagOptions) -> tuple[Tags | None, str]:
    """Return the keywords of a photo, or None and the reason why it gets none."""
    raise NotImplementedError
