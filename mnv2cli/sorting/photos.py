"""Which photos are sorted: those on this machine that are not in the destination already."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from mnv2cli.errors import InputError
from mnv2cli.records import Record, Source
from mnv2cli.sources.urls import is_url, redact


def check_local(path: str) -> None:
    """Check that a path is one of this machine.

    Raises:
        InputError: It is a URL.
    """
    if is_url(path):
        raise InputError(
            f"sort moves files on this machine: {redact(path)!r} is elsewhere",
            "Copy the photos here first; mnv2 classify reads them where they are.",
        )


def local_records(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records, each checked to be of a photo on this machine.

    Raises:
        InputError: One is not.
    """
    for record in records:
        check_local(record.path)
        yield record


class OutsideOf:
    """Chooses the images that are outside of a destination; those in it have been sorted.

    Args:
        dest: The destination.
        paths: What the user named; where one of them is in the destination, all are chosen.
    """

    def __init__(self, dest: str, paths: Sequence[str]) -> None:
        self._inside = os.path.abspath(dest).rstrip(os.sep) + os.sep
        self._all = any((os.path.abspath(path) + os.sep).startswith(self._inside) for path in paths)

    def __call__(self, sources: Iterator[Source]) -> Iterator[Source]:
        """Yield the images that are chosen.

        Raises:
            InputError: One is not on this machine.
        """
        for source in sources:
            check_local(source.path)
            if self._all or not os.path.abspath(source.path).startswith(self._inside):
                yield source
