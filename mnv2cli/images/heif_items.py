"""Find the XMP packet among the items of a HEIC or AVIF. Source: ISO 14496-12, 8.11."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO

from mnv2cli.images.signatures import Box, boxes

_MAX_META_BYTES = 4 << 20
_MAX_BOXES = 1 << 15
_XMP_TYPE = b"application/rdf+xml"
_IN_FILE, _IN_DATA_BOX = 0, 1


class _Reader:
    """Reads big-endian numbers one after another; beyond the end they are 0."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.place = 0

    def number(self, size: int) -> int:
        self.place += size
        return int.from_bytes(self._data[self.place - size : self.place], "big")

    @property
    def is_at_end(self) -> bool:
        return self.place >= len(self._data)


def xmp_item(file: IO[bytes], most: int) -> bytes:
    """Return the XMP packet of a file; empty without one, or if it has more bytes than ``most``."""
    meta = _meta(file)
    parts = {box.kind: _content(meta, box) for box in _boxes(meta, 4)}
    wanted = _item_number(parts.get(b"iinf", b""))
    if wanted is None:
        return b""
    where, extents = _extents(parts.get(b"iloc", b""), wanted)
    if where not in (_IN_FILE, _IN_DATA_BOX) or sum(length for _, length in extents) > most:
        return b""
    source = file if where == _IN_FILE else io.BytesIO(parts.get(b"idat", b""))
    found = []
    for offset, length in extents:
        source.seek(offset)
        found.append(source.read(length))
    return b"".join(found)


def _meta(file: IO[bytes]) -> bytes:
    """Return the content of the box that lists the items; empty without one."""
    for count, box in enumerate(boxes(file)):
        if box.kind == b"meta":
            file.seek(box.start)
            size = box.end - box.start if box.end else _MAX_META_BYTES
            return file.read(size) if size <= _MAX_META_BYTES else b""
        if count == _MAX_BOXES:
            break
    return b""


def _boxes(data: bytes, place: int) -> Iterator[Box]:
    for count, box in enumerate(boxes(io.BytesIO(data), place)):
        if count == _MAX_BOXES:
            return
        yield box


def _content(data: bytes, box: Box) -> bytes:
    return data[box.start : box.end or None]


def _item_number(data: bytes) -> int | None:
    """Return the number of the item of XMP in the list of items; None without one."""
    for box in _boxes(data, 8 if data[:1] and data[0] else 6):
        entry = _content(data, box)
        if box.kind != b"infe" or not entry or entry[0] not in (2, 3):
            continue
        wide = 2 if entry[0] == 2 else 4
        kind, rest = entry[6 + wide : 10 + wide], entry[10 + wide :]
        # after it: the name and the type of the content
        if kind == b"mime" and rest.split(b"\0", 2)[1:2] == [_XMP_TYPE]:
            return int.from_bytes(entry[4 : 4 + wide], "big")
    return None


def _extents(data: bytes, wanted: int) -> tuple[int, list[tuple[int, int]]]:
    """Return where an item is stored: in the file or the data box, and offsets and lengths."""
    version = data[0] if data else 0
    reader = _Reader(data)
    reader.number(4)
    sizes = reader.number(2)
    wide = 4 if version == 2 else 2
    index_size = sizes & 15 if version else 0
    total = 0
    for _ in range(min(reader.number(wide), _MAX_BOXES)):
        if reader.is_at_end:
            break
        number = reader.number(wide)
        method = reader.number(2) & 15 if version else _IN_FILE
        reader.number(2)
        base = reader.number(sizes >> 4 & 15)
        extents = []
        for _ in range(reader.number(2)):
            total += 1
            if reader.is_at_end or total > _MAX_BOXES:
                break
            reader.number(index_size)
            offset, length = reader.number(sizes >> 12), reader.number(sizes >> 8 & 15)
            extents.append((base + offset, length))
        if number == wanted:
            return method, extents
    return _IN_FILE, []
