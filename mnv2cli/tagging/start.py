"""What a new sidecar starts with, and how it is found again below our keywords."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace

from mnv2cli.images.packets import embedded
from mnv2cli.tagging.tagged import tags_in_packet
from mnv2cli.tagging.xmp.descriptive import descriptive
from mnv2cli.tagging.xmp.edit import edit, with_words
from mnv2cli.tagging.xmp.keywords import Change, Ours, XmpError
from mnv2cli.tagging.xmp.read import read_keywords
from mnv2cli.tagging.xmp.words import without, words_of

_REMOVE = Change(None)
_MARK = b"AddedAfter"
_LARGEST = 1 << 20  # bytes; what describes a photo has thousands
_NOTHING = hashlib.sha256().hexdigest()


def starting_packet(photo: str) -> bytes:
    """Return the packet that a new sidecar of a photo starts with: what the photo says itself.

    Once there is a sidecar, digiKam and darktable take the keywords, and digiKam all other XMP,
    from it alone. A sidecar with our keywords only would hide those that people gave the photo.

    Returns:
        The descriptive part of the embedded packet without our record, and the IPTC Keywords of
        others; empty if the photo has neither, or they cannot be read or are huge.
    """
    found = embedded(photo)
    if not (found.packet or found.iptc) or len(found.packet) > _LARGEST:
        return b""
    try:
        packet: bytes | None = found.packet
        ours = Ours()
        if tagged := tags_in_packet(found.packet):
            packet, ours = edit(found.packet, _REMOVE), tagged.ours or ours
        theirs = descriptive(packet) if packet else b""
        return with_words(theirs, without(found.iptc, ours.iptc))
    except XmpError:
        return b""


def edit_sidecar(photo: str, content: bytes | None, change: Change) -> bytes | None:
    """Return the new content of a sidecar.

    A new one starts with what the photo says itself. While nobody else has changed it, a refresh
    starts it anew, and removing our keywords removes it.

    Args:
        photo: The photo.
        content: The sidecar; None if there is none.
        change: What to do to its keywords.

    Returns:
        As ``edit`` does; None for no sidecar.

    Raises:
        XmpError: The sidecar cannot be read or changed.
    """
    if change.tags is not None and not words_of(change.tags, "subject"):
        change = replace(change, tags=None)
    if not content:
        if change.tags is None:
            return content
        return _started(b"" if content is not None else starting_packet(photo), content, change)
    ours = read_keywords(content).ours if _MARK in content else None
    if ours is None or not ours.start:
        return edit(content, change)
    if _digest(edit(content, _REMOVE) or b"") != ours.start:
        return edit(content, change)
    was_empty = ours.start == _NOTHING
    if change.tags is None:
        return b"" if was_empty else None
    start = b"" if was_empty else starting_packet(photo)
    if _digest(start) == ours.start:
        return edit(content, replace(change, start=ours.start))
    return _started(start, None, change)


def has_other_start(photo: str, ours: Ours) -> bool:
    """Return whether a photo says other things now than when its sidecar was made."""
    if ours.start in ("", _NOTHING):
        return False
    return _digest(starting_packet(photo)) != ours.start


def _started(start: bytes, content: bytes | None, change: Change) -> bytes | None:
    """Return a sidecar that starts with a packet; ``content`` is not None for an empty file."""
    if start or content is not None:
        with suppress(XmpError):
            return edit(start, replace(change, start=_digest(start)))
    return edit(b"", change)


def _digest(packet: bytes) -> str:
    return hashlib.sha256(packet).hexdigest()
