"""A stable share of all images, so that many machines can share the work without talking."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b

from mnv2cli.errors import InputError
from mnv2cli.records import Source
from mnv2cli.sources.urls import redact

LARGEST_COUNT = 100_000


@dataclass(frozen=True)
class Shard:
    """One of several shares of the images.

    Attributes:
        number: Which one, from 1.
        count: Of how many.
    """

    number: int
    count: int

    @staticmethod
    def parse(text: str) -> Shard:
        """Return the shard that ``I/N`` names, such as 2/8.

        Raises:
            InputError: It names none.
        """
        number, slash, count = text.partition("/")
        if not (slash and number.isascii() and count.isascii()):
            number = count = ""
        if not (number.isdigit() and count.isdigit() and len(text) < 20):
            raise InputError(f"{text!r} is no shard", "Write I/N: 2/8 is the second of eight.")
        shard = Shard(int(number), int(count))
        if not 1 <= shard.number <= shard.count <= LARGEST_COUNT:
            raise InputError(
                f"{text!r} is no shard: its number must be from 1 to {shard.count}"
                if 1 <= shard.count <= LARGEST_COUNT
                else f"{text!r} is no shard: there may be 1 to {LARGEST_COUNT:,}",
                "Write I/N: 2/8 is the second of eight.",
            )
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def __contains__(self, path: str) -> bool:
        return shard_number(path, self.count) == self.number

    def of(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield the sources of this shard, each with its position among all of them."""
        for position, source in enumerate(sources):
            if source.path in self:
                yield replace(source, position=position)


class Counted:
    """Sources that are counted as they pass.

    Attributes:
        count: How many there were.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = sources
        self.count = 0

    def __iter__(self) -> Iterator[Source]:
        for source in self._sources:
            self.count += 1
            yield source


def shard_number(path: str, count: int) -> int:
    """Return which of so many shards an image belongs to, from 1.

    It is decided by a hash of the path as it was given, so a machine that joins, or a photo that
    comes, moves nothing. ``./a`` and ``a``, the slashes of systems, and the forms in which they
    write accents make no difference.
    """
    # Of a URL signatures change, and rows do not have them.
    path = redact(path) if "://" in path else os.path.normpath(path).replace(os.sep, "/")
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    digest = blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % count + 1
