"""What tag runs keep of the files that they change, to undo it.

The file of originals is beside its journal and only grows. What is kept of a file is a sequence of
frames, each for a block of it: the lengths of the compressed and of the original block, a position
in the new content, and the block compressed by Zstandard. Of a photo only the difference is kept:
a block that the new content has is its position alone, and the dictionary of any other block is
the part of the new content around it. So memory does not grow with the photo, and its size is not
limited.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from mnv2cli.system.files import open_unnoticed, write

if TYPE_CHECKING:
    import zstandard

Kept = tuple[int, int, bool]
"""Offset and length in the file of originals, and whether the new content is the dictionary."""

SUFFIX = ".originals"
BLOCK = 4 << 20  # bytes
_UNIT = 64 << 10  # bytes that are compared at once
_MARGIN = 1 << 20  # bytes of the dictionary before and after the block's place in it
_FRAME = struct.Struct("<IIq")
_WINDOW_LOG = 24  # covers a block and its dictionary
_PROBE = 64  # bytes
_DAMAGED = "what was kept of it is damaged"
_UNKEPT = "its difference to the new content cannot be kept"


def originals_path(journal: str) -> str:
    """Return the file of originals of a journal."""
    return journal.removesuffix(".jsonl") + SUFFIX


class Originals:
    """The originals of one journal, open for reading and appending.

    Args:
        journal: The journal.
        create: Create the file if there is none.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, journal: str, *, create: bool = False) -> None:
        self.path = originals_path(journal)
        flags = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        flags |= os.O_RDWR | os.O_CREAT if create else os.O_RDONLY
        self._descriptor = os.open(self.path, flags, 0o600)  # they may be of private photos
        self._end = os.fstat(self._descriptor).st_size
        self._position = -1
        self._compressor: zstandard.ZstdCompressor | None = None

    def __enter__(self) -> Originals:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._descriptor)

    def keep(self, content: bytes) -> Kept:
        """Keep a small file as a whole.

        Raises:
            OSError: It cannot be written; nothing is.
        """
        start = self._end
        try:
            for at in range(0, len(content), BLOCK):
                block = content[at : at + BLOCK]
                self._append(_FRAME.pack(len(frame := self._packed(block)), len(block), -1) + frame)
        except OSError:
            self._cut(start)
            raise
        return start, self._end - start, False

    def keep_difference(self, path: str, new: str) -> tuple[Kept, int, str]:
        """Keep what restores a file from its new content; this is verified.

        Args:
            path: The file.
            new: The file with the new content.

        Returns:
            Where it is kept, and the size and the SHA-256 of the file.

        Raises:
            OSError: A file cannot be read or written; nothing is kept.
            ValueError: The difference does not restore the file, or the new content is empty.
        """
        start, digest, size = self._end, hashlib.sha256(), 0
        try:
            with (
                open(path, "rb", buffering=0, opener=open_unnoticed) as file,
                open(new, "rb") as after,
                mmap.mmap(after.fileno(), 0, access=mmap.ACCESS_READ) as content,
            ):
                deltas = _Deltas(content, os.fstat(file.fileno()).st_size)
                while block := _read_block(file.fileno()):
                    for frame, count, at in deltas.frames(block, size):
                        self._append(_FRAME.pack(len(frame), count, at) + frame)
                    digest.update(block)
                    size += len(block)
            kept = start, self._end - start, True
            restored = hashlib.sha256()
            for part in self.restored(kept, size, new):
                restored.update(part)
            if restored.digest() != digest.digest():
                raise ValueError(_UNKEPT)
        except BaseException:
            self._cut(start)
            raise
        return kept, size, digest.hexdigest()

    def restored(self, kept: Kept, size: int, new: str = "") -> Iterator[bytes]:
        """Yield the blocks of a file.

        Args:
            kept: Where it is kept.
            size: Its size; not more is returned.
            new: The file with the new content, if the difference to it was kept.

        Raises:
            OSError: A file cannot be read.
            ValueError: What is kept is damaged.
        """
        start, length, is_delta = kept
        if start + length > os.fstat(self._descriptor).st_size:
            raise ValueError(_DAMAGED)
        end, left = start + length, size
        with open(new, "rb") if is_delta else open(os.devnull, "rb") as after:
            while start < end:
                packed, count, at = _FRAME.unpack(self._read(start, _FRAME.size))
                start += _FRAME.size
                if packed > end - start or count > min(left, BLOCK) or (at >= 0) != is_delta:
                    raise ValueError(_DAMAGED)
                around = b""
                if is_delta:
                    after.seek(at)
                    around = after.read(_around(count) if packed else count)
                if packed:
                    yield _unpacked(self._read(start, packed), count, around)
                elif is_delta and len(around) == count:
                    yield around
                else:
                    raise ValueError(_DAMAGED)
                start, left = start + packed, left - count
        if left:
            raise ValueError(_DAMAGED)

    def sync(self) -> None:
        """Return when everything that was kept is on disk."""
        os.fsync(self._descriptor)

    def _packed(self, block: bytes) -> bytes:
        if self._compressor is None:
            import zstandard

            self._compressor = zstandard.ZstdCompressor(level=3)
        return self._compressor.compress(block)

    def _append(self, data: bytes) -> None:
        if self._position != self._end:
            os.lseek(self._descriptor, self._end, os.SEEK_SET)
        write(self._descriptor, data)
        self._position = self._end = self._end + len(data)

    def _cut(self, end: int) -> None:
        self._end, self._position = end, -1
        with suppress(OSError):
            os.ftruncate(self._descriptor, end)

    def _read(self, start: int, count: int) -> bytes:
        os.lseek(self._descriptor, start, os.SEEK_SET)
        self._position = -1
        blocks = []
        while count and (block := os.read(self._descriptor, count)):
            blocks.append(block)
            count -= len(block)
        if count:
            raise ValueError(_DAMAGED)
        return b"".join(blocks)


class _Deltas:
    """Describe the blocks of a file by its new content.

    Args:
        content: The new content.
        size: The size of the file.
    """

    def __init__(self, content: mmap.mmap, size: int) -> None:
        self._content = content
        self._shift = 0  # from a block to its place in the new content
        self._others = {0, len(content) - size}  # shifts that are likely too
        self._probes = 32  # searches near the place of a block, without a result
        self._searches = 2  # searches everywhere, without a result

    def frames(self, block: bytes, offset: int) -> Iterator[tuple[bytes, int, int]]:
        """Yield frames with the length of the part that they are for, and a position."""
        start = at = 0
        while at < len(block):
            count = self._equal(block, at, offset)
            if not count:
                count = min(_UNIT, len(block) - at)
                self._probe(block[at : at + count], offset + at)
                at += count
                continue
            place = offset + at + self._shift
            if start < at:
                yield self._packed(block[start:at], offset + start)
            yield b"", count, place
            start = at = at + count
        if start < at:
            yield self._packed(block[start:at], offset + start)

    def _equal(self, block: bytes, start: int, offset: int) -> int:
        """Return how many bytes of a block, from a start on, the new content has."""
        for shift in (self._shift, *self._others):
            end = start
            while end < len(block):
                unit = block[end : end + _UNIT]
                place = offset + end + shift
                if place < 0 or self._content[place : place + len(unit)] != unit:
                    break
                end += len(unit)
            if end > start:
                self._shift = shift
                return end - start
        return 0

    def _probe(self, unit: bytes, offset: int) -> None:
        """Search for the end of a unit near its place, so that the next one may be equal."""
        probe = unit[-_PROBE:]
        if not (self._probes and _is_rare(probe)):
            return
        end = offset + len(unit) + self._shift
        found = self._content.find(probe, max(0, end - 4 * _UNIT), max(0, end + 4 * _UNIT))
        if found >= 0:
            self._shift = found - offset - len(unit) + len(probe)
        else:
            self._probes -= 1

    def _packed(self, block: bytes, offset: int) -> tuple[bytes, int, int]:
        frame, at = self._compressed(block, offset)
        if len(frame) > len(block) // 4 and self._searches:
            before = self._shift
            if self._search(block, offset):
                other, place = self._compressed(block, offset)
                if len(other) < len(frame):
                    return other, len(block), place
            self._shift = before
            self._searches -= 1
        return frame, len(block), at

    def _compressed(self, block: bytes, offset: int) -> tuple[bytes, int]:
        import zstandard

        longest = _around(len(block))
        margin = (longest - len(block)) // 2
        at = max(0, min(offset + self._shift - margin, len(self._content) - longest))
        dictionary = self._content[at : at + longest]
        size = len(block) + len(dictionary)
        parameters = zstandard.ZstdCompressionParameters(
            window_log=min(_WINDOW_LOG, max(10, size.bit_length())),
            hash_log=min(20, max(10, size.bit_length() - 2)),
            chain_log=10,
            search_log=1,
            min_match=6,
            strategy=zstandard.STRATEGY_FAST,
        )
        compressor = zstandard.ZstdCompressor(
            dict_data=_raw(dictionary), compression_params=parameters
        )
        return compressor.compress(block), at

    def _search(self, block: bytes, offset: int) -> bool:
        """Search the new content for a part of a block; return whether its place is another."""
        for share in (1, 2, 3):
            start = len(block) * share // 4
            probe = block[start : start + _PROBE]
            if _is_rare(probe):
                found = self._content.find(probe)
                if found >= 0 and found - offset - start != self._shift:
                    self._shift = found - offset - start
                    return True
        return False


def _around(count: int) -> int:
    """Return the length of the dictionary of a block."""
    return count + 2 * min(_MARGIN, 2 * count + _UNIT)


def _is_rare(probe: bytes) -> bool:
    """Return whether bytes are not those of an area of one colour, which are everywhere."""
    return len(set(probe)) > _PROBE // 4


def _raw(content: bytes) -> zstandard.ZstdCompressionDict:
    import zstandard

    return zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _unpacked(frame: bytes, count: int, dictionary: bytes) -> bytes:
    """Return a decompressed block of at most so many bytes; raises ValueError."""
    import zstandard

    try:
        if zstandard.get_frame_parameters(frame).content_size != count:
            raise ValueError(_DAMAGED)
        return zstandard.ZstdDecompressor(
            dict_data=_raw(dictionary) if dictionary else None, max_window_size=1 << _WINDOW_LOG
        ).decompress(frame, max_output_size=count)
    except zstandard.ZstdError as error:
        raise ValueError(_DAMAGED) from error


def _read_block(descriptor: int) -> bytes:
    blocks, left = [], BLOCK
    while left and (block := os.read(descriptor, left)):
        blocks.append(block)
        left -= len(block)
    return b"".join(blocks)
