"""Choose the photos to sort: those on this machine and outside the destination."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from mnv2cli.records import Record, Source
from mnv2cli.sources import urls


def check_local(path: str) -> None:
    """Check that a path is on this machine.

    Raises:
        InputError: The path is a URL.
    """
    urls.check_local(path, "sort")


def local_records(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records after checking that their photos are on this machine.

    Raises:
        InputError: A photo is not on this machine.
    """
    for record in records:
        check_local(record.path)
        yield record


class OutsideOf:
    """Choose the images outside a destination; those inside have already been sorted.

    Args:
        dest: The destination.
        paths: The paths that the user named; if one is in the destination, all images are chosen.
    """

    def __init__(self, dest: str, paths: Sequence[str]) -> None:
        self._inside = os.path.abspath(dest).rstrip(os.sep) + os.sep
        self._all = any((os.path.abspath(path) + os.sep).startswith(self._inside) for path in paths)

    def __call__(self, sources: Iterator[Source]) -> Iterator[Source]:
        """Yield the chosen images.

        Raises:
            InputError: An image is not on this machine.
        """
        for source in sources:
            check_local(source.path)
            if self._all or not os.path.abspath(source.path).startswith(self._inside):
                yield source
