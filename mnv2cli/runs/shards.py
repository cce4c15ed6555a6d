"""Divide images into stable shards, so that machines share the work without communicating."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b

from mnv2cli.errors import InputError
from mnv2cli.records import Source
from mnv2cli.system.urls import redact

LARGEST_COUNT = 100_000

_USAGE = "Write it as I/N, such as 2/8 for the second of eight shards."


@dataclass(frozen=True)
class Shard:
    """One of several shards of the images.

    Attributes:
        number: Its number, from 1.
        count: The number of shards.
    """

    number: int
    count: int

    @staticmethod
    def parse(text: str) -> Shard:
        """Return the shard named by ``I/N``, such as 2/8.

        Raises:
            InputError: The text does not name a shard.
        """
        number, slash, count = text.partition("/")
        if not (slash and number.isascii() and count.isascii()):
            number = count = ""
        if not (number.isdigit() and count.isdigit() and len(text) < 20):
            raise InputError(f"{text!r} is not a shard", _USAGE)
        shard = Shard(int(number), int(count))
        if not 1 <= shard.number <= shard.count <= LARGEST_COUNT:
            raise InputError(
                f"{text!r} is not a shard: I must be from 1 to {shard.count:,}"
                if 1 <= shard.count <= LARGEST_COUNT
                else f"{text!r} is not a shard: N must be from 1 to {LARGEST_COUNT:,}",
                _USAGE,
            )
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def __contains__(self, path: str) -> bool:
        return shard_number(path, self.count) == self.number

    def of(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield the sources of this shard, each with its position among all sources."""
        for position, source in enumerate(sources):
            if source.path in self:
                yield replace(source, position=position)


class Counted:
    """Counts sources as they are iterated over.

    Attributes:
        count: The number of sources so far.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = sources
        self.count = 0

    def __iter__(self) -> Iterator[Source]:
        for source in self._sources:
            self.count += 1
            yield source


def shard_number(path: str, count: int) -> int:
    """Return the number of the shard that an image belongs to, from 1.

    It depends on a hash of the path as given, so adding photos moves no other image.
    Paths are normalized first: ``./a`` equals ``a``, a backslash on Windows equals a slash, and
    Unicode composition (NFC or NFD) makes no difference.
    """
    # Signatures of URLs change, and rows do not have them.
    path = redact(path) if "://" in path else os.path.normpath(path).replace(os.sep, "/")
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    digest = blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % count + 1
