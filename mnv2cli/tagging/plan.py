"""From records to a plan: which file gets which keywords; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable

from mnv2cli.records import Record, Source
from mnv2cli.tagging.actions import TagPlan, WriteOptions
from mnv2cli.tagging.options import PlaceOptions, TagOptions


def root_of(paths: Iterable[str]) -> str:
    """Return the deepest folder that contains all photos, an absolute path.

    Raises:
        InputError: There are no photos, or they are on different drives.
    """
    raise NotImplementedError


def make_plan(
    records: Iterable[Record],
    options: TagOptions | None = None,
    place: PlaceOptions | None = None,
    write: WriteOptions | None = None,
) -> TagPlan:
    """Plan which keywords the photos get; change nothing.

    Raises:
        InputError: There are no photos, or one is not on this machine.
    """
    raise NotImplementedError


def removal_plan(
    sources: Iterable[Source], place: PlaceOptions | None = None, write: WriteOptions | None = None
) -> TagPlan:
    """Plan to remove the keywords of earlier runs; change nothing.

    Raises:
        InputError: There are no photos, or one is not on this machine.
    """
    raise NotImplementedError
