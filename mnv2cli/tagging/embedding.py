"""Keywords in photos: the XMP packet by its editor, the rest by ExifTool."""

from __future__ import annotations

import os
import stat
import struct
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mnv2cli.system.files import open_unnoticed
from mnv2cli.tagging.exiftool import READ_ONLY, Edits, ExifTool, PhotoMetadata
from mnv2cli.tagging.exiftool_process import EmbedError
from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.edit import edit, with_words
from mnv2cli.tagging.xmp.keywords import Change, Keywords, Ours, XmpError
from mnv2cli.tagging.xmp.packet import parse
from mnv2cli.tagging.xmp.read import read_keywords
from mnv2cli.tagging.xmp.record import read_record
from mnv2cli.tagging.xmp.text import decode
from mnv2cli.tagging.xmp.words import distinct, fold, without

__all__ = ["EMBEDDABLE", "EmbedError", "embed", "with_theirs"]

EMBEDDABLE = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff",
     ".heic", ".heif", ".avif", ".dng", ".jxl", ".jp2"}
)  # fmt: skip
"""The suffixes of photos that keywords are embedded into, in lower case."""

_TYPES = frozenset(
    {"JPEG", "MPO", "PNG", "APNG", "WEBP", "Extended WEBP", "TIFF", "DNG",
     "HEIC", "HEIF", "AVIF", "JXL", "JP2"}
)  # fmt: skip
"""ExifTool's names of formats that were tested; others may lose something."""

_IPTC_BYTES = 64
"""The longest keyword of IPTC-IIM 4.2, dataset 2:25."""

_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
"""Starts the segment of a JPEG that contains the packet."""


@dataclass(frozen=True, slots=True)
class _Iptc:
    recorded: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


def embed(tool: ExifTool, photo: str, temp: str, change: Change) -> bool:
    """Write a copy of a photo with other keywords.

    Args:
        tool: ExifTool.
        photo: The photo; it is not touched.
        temp: The copy, a path that does not exist; it gets the photo's permissions, and is not
            yet synchronised to disk.
        change: What to do.

    Returns:
        Whether there is a copy; there is none if nothing is to be changed.

    Raises:
        EmbedError: The keywords cannot be changed; there is no copy.
        OSError: The copy cannot be written; there is none.
    """
    before = tool.read(photo)
    if before.file_type in ("PNG", "APNG"):  # ExifTool makes all packets in PNG read-only
        before = replace(before, packet=READ_ONLY.sub(rb"\1w\2", before.packet))
    if before.file_type not in _TYPES:
        raise EmbedError(f"keywords are not embedded into {before.file_type or 'such'} files")
    if before.packets > 1:
        raise EmbedError("it has more than one XMP packet")
    try:
        found = read_keywords(before.packet) if before.packet else Keywords()
        iptc = _iptc(before, found.ours.iptc if found.ours else (), change)
        packet = _edited(before, found, replace(change, iptc=iptc.recorded))
    except XmpError as error:
        raise EmbedError(f"XMP: {error}") from error
    if packet == before.packet and not iptc.removed and not iptc.added:
        return False
    changes_iptc = bool(iptc.removed or iptc.added)
    edits = Edits(
        packet=packet if packet != before.packet else None,
        iptc_removed=iptc.removed,
        iptc_added=iptc.added,
        digest=before.has_digest and changes_iptc,
    )
    if not before.is_extended:
        _save(tool.write(photo, edits), photo, temp)
        return True
    # ExifTool would drop the further segments of the packet, so that the first is replaced here.
    content = tool.write(photo, replace(edits, packet=None)) if changes_iptc else _content(photo)
    _save(_spliced(content, before.packet, packet), photo, temp)
    try:
        if tool.read(temp).packet != packet or tool.previews(temp) != tool.previews(photo):
            raise EmbedError("its XMP is extended, and other data depends on its size")
    except BaseException:
        os.unlink(temp)
        raise
    return True


def _edited(before: PhotoMetadata, found: Keywords, change: Change) -> bytes:
    """Return the packet after a change; raises XmpError."""
    packet = before.packet
    if before.iptc:
        if packet and (back := _given_back(packet, before.iptc)) != packet:
            packet, found = back, read_keywords(back)
        if change.tags is not None:
            change = replace(change, tags=with_theirs(change.tags, found, before.iptc))
    return edit(packet, change) or b""


def with_theirs(tags: Tags, found: Keywords, iptc: Sequence[str]) -> Tags:
    """Return tags with the IPTC Keywords of others, for a photo whose ``dc:subject`` has none.

    digiKam and Immich read one of the two lists, Apple Photos only ``dc:subject``: with our
    keywords alone it would hide theirs. Removing ours removes these too: IPTC has them as before.

    Args:
        tags: What is to be written.
        found: The keywords of the packet.
        iptc: The IPTC Keywords.
    """
    ours = found.ours or Ours()
    theirs = without(iptc, ours.iptc)
    if not theirs or not distinct(tags.keywords) or without(found.subjects, ours.keywords):
        return tags
    paths = tags.paths or tuple((word,) for word in tags.keywords)  # not theirs
    return replace(tags, keywords=(*theirs, *tags.keywords), paths=paths)


def _given_back(packet: bytes, iptc: Sequence[str]) -> bytes:
    """Return a packet in which words that :func:`with_theirs` copied are not recorded as ours.

    That is if others have added words to them since: those alone would hide what only IPTC has.
    """
    parsed = parse(decode(packet).utf8)
    record = read_record(parsed)
    if record is None or record.states.get("subject") == "items":
        return packet
    ours = record.words["subject"]
    copied = set(map(fold, ours))
    theirs = [word for word in without(iptc, record.words["iptc"]) if fold(word) in copied]
    if not theirs or not without([item.text for item in parsed.items("subject")], ours):
        return packet
    return with_words(edit(packet, Change(None)) or b"", theirs)


def _content(photo: str) -> bytearray:
    with open(photo, "rb", opener=open_unnoticed) as file:
        return bytearray(file.read())


def _spliced(content: bytearray, old: bytes, new: bytes) -> bytearray:
    """Return a JPEG with another main packet of extended XMP.

    Raises:
        EmbedError: There is no such packet, or the new one is too long for a segment.
    """
    before, now = (_HEADER + packet for packet in (old, new))
    if len(now) + 2 > 0xFFFF:
        raise EmbedError("its XMP is too long for a JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(before) + 2) + before
    if content.count(segment) != 1:
        raise EmbedError("its extended XMP is damaged")
    return content.replace(segment, b"\xff\xe1" + struct.pack(">H", len(now) + 2) + now)


def _save(content: bytearray, photo: str, temp: str) -> None:
    with open(temp, "xb") as file:
        try:
            file.write(content)
            file.flush()
            os.chmod(temp, stat.S_IMODE(os.stat(photo).st_mode))
        except BaseException:
            file.close()
            os.unlink(temp)
            raise


def _iptc(before: PhotoMetadata, recorded: tuple[str, ...], change: Change) -> _Iptc:
    """Return what to do to the IPTC Keywords: words that stay ours are not touched."""
    if before.iptc is None:
        return _Iptc()
    words = list(before.iptc)
    ours = [word for word in recorded if word in words]
    for word in ours:
        words.remove(word)  # one occurrence: another one is a person's
    theirs = {_key(word) for word in words}
    wanted = change.tags.keywords if change.tags is not None else ()
    new = [word for word in wanted if _key(word) not in theirs and _fits(word, before.is_utf8)]
    removed = [word for word in ours if word not in new]
    added = [word for word in new if word not in ours]
    again = [word for word in removed for _ in range(words.count(word))]  # ExifTool deletes all
    return _Iptc(tuple(new), tuple(removed), (*again, *added))


def _key(word: str) -> str:
    return unicodedata.normalize("NFC", word).casefold()


def _fits(word: str, is_utf8: bool) -> bool:
    """Whether IPTC can hold a word: without a declared character set only ASCII is sure."""
    is_plain = word.isprintable() and word == word.strip()
    return is_plain and len(word.encode()) <= _IPTC_BYTES and (is_utf8 or word.isascii())
